/* SPDX-License-Identifier: MIT */
/* The shipped shippers, rendered by apply-logging and read back: rsyslog's by rsyslogd, that
 * of Filebeat by a YAML parser and, where it has been built, by Filebeat itself. */
#include "apply_place.h"

#define URL     "\"LOG_ELASTICSEARCH_URL\":\"https://127.0.0.1,https://127.0.0.2:443\""
#define NAMED   URL ",\"LOG_ELASTICSEARCH_CREDENTIAL\":\"x\""
#define ALL     NAMED ",\"LOG_INDEX\":\"an.index-1\",\"LOG_LEVEL\":\"warn\""
#define LOGIN   "\"user\":\"a writer\",\"password\":\"p\\\"w\\\\o$r{d}$\""
#define CA      "\"ca\":\"@/ca.pem\""
#define CERT    "\"cert\":\"@/ca.pem\",\"key\":\"@/key.pem\""
#define API_KEY "\"api_key\":\"an-id:the-api-key\""
#define CHANGED "\"state\":\"done\""

/* '@' stands for the place. */
static void credential(const char *members)
{
    char text[1000];
    size_t n = 0;
    for (; *members && n + 200 < sizeof text; members++) {
        if (*members == '@')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", scratch_dir);
        else
            text[n++] = *members;
    }
    text[n] = '\0';
    place_credential("x", text);
}

/* Put the shipped shipper there; only where it lies and who is called differ. filter: jq's, for
 * more of that. */
static void ship(const char *name, const char *filter)
{
    char command[2048];
    (void)snprintf(command, sizeof command,
                   "mkdir -p @/%s && cp " SOURCE_DIR "/consul.d/logging/%s.*.mustache "
                   "@/etc/logging.d/ && jq --arg d @/%s --arg s @/etc/shipper --arg filebeat "
                   "\"$(ls " SOURCE_DIR
                   "/build/filebeat/filebeat)\" '.destination = $d + \"/shipper.conf\" "
                   "| .reload = [$s, \"stand-in\", $d, \"restart\"] "
                   "| .confirm = [$s, \"stand-in\", $d, \"alive\"] "
                   "| .stop = [$s, \"stand-in\", $d, \"stop\"] | .retire = .stop "
                   "| .variables.work = $d "
                   "| %s' " SOURCE_DIR "/consul.d/logging/%s.json >@/etc/logging.d/%s.json",
                   name, name, name, filter, name, name);
    place_shell(command);
    place_shell("chmod 0644 @/etc/logging.d/*");
}

static int set_up(void **state)
{
    int rc = place_set_up(state);
    if (rc < 0)
        return rc;
    place_shell("cd @ && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=ca -keyout "
                "key.pem -out ca.pem 2>/dev/null && chmod 0640 key.pem && "
                "chmod 0644 ca.pem");
    return 0;
}

static void expect(const char *settings, int code, const char *text)
{
    free(place_expect(settings, code, text));
}

static void assert_has(const char *name, const char *text)
{
    char *conf = scratch_get(scratch_at("%s/shipper.conf", name));
    if (!strstr(conf, text))
        fail_msg("no %s in %s", text, conf);
    free(conf);
}

static void assert_has_not(const char *name, const char *text)
{
    char *conf = scratch_get(scratch_at("%s/shipper.conf", name));
    if (strstr(conf, text))
        fail_msg("%s in %s", text, conf);
    free(conf);
}

/* ---- rsyslog ------------------------------------------------------------- */

/* Each is accepted by rsyslogd -N1, which the shipper itself runs. */
static void rsyslogd_takes_what_is_rendered(void **state)
{
    (void)state;
    ship("rsyslog", ".");
    expect("\"LOG_ELASTICSEARCH_URL\":\"http://127.0.0.1\"", 0, CHANGED);
    assert_has("rsyslog", "\\turl=http://127.0.0.1:9200\"\n");
    credential(LOGIN);
    expect(ALL, 0, CHANGED);
    assert_has("rsyslog", "\\tuser=a writer\\tpassword=p\\\"w\\\\o$r{d}$\"\n");
    credential(LOGIN "," CA);
    expect(ALL, 0, CHANGED);
    assert_has("rsyslog", "/ca.pem\"\n");
    expect(ALL, 0, "\"changed\":false");
    place_shell("echo >>@/ca.pem"); /* another one under its name */
    expect(ALL, 0, "\"changed\":true");
    expect(ALL, 0, "\"changed\":false");
    credential(CA "," CERT);
    expect(ALL, 0, CHANGED);
    assert_has_not("rsyslog", "user=");
    assert_has("rsyslog", "\\tca=/");
    assert_has("rsyslog", "\\tcert=/");
    assert_has("rsyslog", "\\tkey=/");
    assert_has("rsyslog", "\\turl=https://127.0.0.1:9200\\turl=https://127.0.0.2:443\\t");
    credential(API_KEY);
    expect(NAMED, 0, CHANGED);
    assert_has("rsyslog", "\\tapi_key=YW4taWQ6dGhlLWFwaS1rZXk=\"\n");
}

static void limits_are_variables(void **state)
{
    (void)state;
    ship("rsyslog", ".variables.queue_disk = \"300m\" | .variables.bulk = \"64000\"");
    credential(LOGIN);
    expect(NAMED, 0, CHANGED);
    assert_has("rsyslog", "\\tqueue_disk=300m\\t");
    assert_has("rsyslog", "\\tbytes=64000\\t");
}

/* ---- Filebeat ------------------------------------------------------------ */

#define VALIDATE "if $filebeat == \"\" then del(.validate) else .validate[0] = $filebeat end"

/* Python, to which `c` is the configuration. */
static void assert_yaml(const char *expressions)
{
    char script[3000];
    (void)snprintf(script, sizeof script,
                   "import sys, yaml\n"
                   "c = yaml.safe_load(open(sys.argv[1]))\n"
                   "i, probe = c['filebeat.inputs']\n"
                   "o = c['output.elasticsearch']\n"
                   "place = sys.argv[2]\n%s",
                   expressions);
    const char *argv[] = {"/usr/bin/python3", "-c", script, scratch_at("filebeat/shipper.conf"),
                          scratch_dir,        NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s", o.err);
    outcome_release(&o);
}

static void filebeat_gets_the_settings(void **state)
{
    (void)state;
    if (access(SOURCE_DIR "/build/filebeat/filebeat", X_OK) < 0)
        print_message("# note: there is no Filebeat: its file is read by a YAML parser\n");
    ship("filebeat", VALIDATE);
    credential(LOGIN "," CA "," CERT);
    place_shell("printf '%s' '{\"elasticsearch\":{\"hosts\":[\"127.0.0.0/8\"]},\"sources\":{"
                "\"seal\":{\"files\":[\"/var/log/seal/*.log\",\"/var/log/b/?.log\"],"
                "\"except\":[\"/var/log/seal/mongod.log\"]}}}' >@/etc/policy.json");
    expect(ALL, 0, CHANGED);
    assert_yaml("assert i['type'] == 'filestream' and i['id'] == 'lictor'\n"
                "assert i['paths'] == ['/var/log/seal/*.log', '/var/log/b/?.log']\n"
                "assert i['prospector.scanner.exclude_files'][0] == "
                "'^/var/log/seal/mongod.log$'\n"
                "assert i['clean_removed'] is False and c['seccomp.enabled'] is False\n"
                "assert i['close.on_state_change'] == {'removed': False, 'renamed': False,"
                " 'inactive': '24h'}\n"
                "assert probe['paths'] == ['/var/lib/lictor-probe/filebeat.log']\n"
                "import re\n"
                "form, = probe['include_lines']\n"
                "assert re.search(form, "
                "'{\"lictor\":{\"probe\":\"0af\",\"node\":\"n-1\",\"at\":12}}')\n"
                "assert not re.search(form, '{\"password\":\"x\"}')\n"
                "revision = probe['processors'][-1]['add_fields']['fields']['revision']\n"
                "assert re.fullmatch('[0-9a-f]{64}', revision)\n"
                "drop = [p['drop_event.when.regexp.level'] for p in c['processors']"
                " if 'drop_event.when.regexp.level' in p]\n"
                "assert '(?i)^debug$' in drop and '(?i)^notice$' in drop, drop\n"
                "assert '(?i)^warn$' not in drop, drop\n"
                "drop = [p['drop_event.when.equals.level'] for p in c['processors']"
                " if 'drop_event.when.equals.level' in p]\n"
                "assert drop == [7, 10, 20, 5, 6, 30], drop\n"
                "f, = [p['else'][0]['fingerprint'] for p in i['processors']"
                " if 'if.range.lictor.offset.lt' in p]\n"
                "assert f == {'target_field': '@metadata._id', 'fields': ['lictor.server', "
                "'lictor.name', 'lictor.offset', 'lictor.line']}, f\n"
                "assert o['hosts'] == ['https://127.0.0.1:9200', 'https://127.0.0.2:443']\n"
                "assert o['index'] == 'an.index-1' and o['proxy_disable'] is True\n"
                "assert o['non_indexable_policy.dead_letter_index.index'] == 'an.index-1-refused'\n"
                "assert o['username'] == 'a writer'\n"
                "assert o['password'] == 'p\"w\\\\o$$r{d}$$', o['password']\n"
                "assert 'api_key' not in o\n"
                "assert o['ssl'] == {'verification_mode': 'full',"
                " 'certificate_authorities': [place + '/ca.pem'],"
                " 'certificate': place + '/ca.pem', 'key': place + '/key.pem'}, o['ssl']\n"
                "assert c['setup.template.enabled'] is False\n"
                "assert c['setup.ilm.enabled'] is False\n"
                "assert c['queue.mem']['events'] == 4096 and o['bulk_max_size'] == 512\n"
                "assert c['path']['data'] == place + '/filebeat'\n");
}

static void without_a_probe_log_there_is_one_input(void **state)
{
    (void)state;
    ship("filebeat", VALIDATE " | del(.probe)");
    expect(URL, 0, CHANGED);
    char *conf = scratch_get("filebeat/shipper.conf");
    assert_null(strstr(conf, "probe"));
    free(conf);
}

static void filebeat_gets_keys_of_both_kinds(void **state)
{
    (void)state;
    ship("filebeat", VALIDATE);
    credential(API_KEY);
    expect(NAMED, 0, CHANGED);
    assert_yaml("assert o['api_key'] == 'an-id:the-api-key'\n"
                "assert 'username' not in o and 'password' not in o\n"
                "assert o['ssl'] == {'verification_mode': 'full'}\n");
    place_shell("PATH=$PATH:" SOURCE_DIR "/build/filebeat; command -v filebeat >/dev/null || "
                "exit 0; cd @/filebeat; for name in ES_KEY ES_PWD; do "
                "echo an-id:the-api-key | filebeat keystore add $name --stdin "
                "--force -c @/filebeat/shipper.conf >/dev/null || exit 1; done");
    credential("\"keystore\":\"ES_KEY\"");
    expect(NAMED, 0, CHANGED);
    assert_yaml("assert o['api_key'] == '${ES_KEY}' and 'username' not in o\n");
    credential("\"user\":\"writer\",\"keystore\":\"ES_PWD\"");
    expect(NAMED, 0, CHANGED);
    assert_yaml("assert o['username'] == 'writer' and o['password'] == '${ES_PWD}'\n"
                "assert 'api_key' not in o\n");
    expect(URL ",\"LOG_LEVEL\":\"debug\"", 0, CHANGED);
    assert_yaml("assert 'username' not in o and 'api_key' not in o\n"
                "assert not [p for p in c['processors'] if 'drop_event.when.equals.level'"
                " in p]\n");
}

/* Whatever the shipped files say must be known to the programs: no place is changed. */
static void the_shipped_files_name_installed_programs(void **state)
{
    (void)state;
    place_shell("jq -e '[.reload[0], .confirm[0], .stop[0], .retire[0]] | all(. == "
                "\"/usr/libexec/lictor/shipper\")' " SOURCE_DIR
                "/consul.d/logging/*.json >/dev/null");
    place_shell("jq -e '.confirm[-1] == \"{digest}\" and .mode == \"0640\"' " SOURCE_DIR
                "/consul.d/logging/*.json >/dev/null");
    place_shell("cd " SOURCE_DIR "/consul.d/logging && for name in rsyslog filebeat; do "
                "jq -es 'map(del(.reload, .account, .service)) | .[0] == .[1]' $name.json "
                "$name-systemd.json >/dev/null || exit; done");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(rsyslogd_takes_what_is_rendered),
        IN_PLACE(limits_are_variables),
        IN_PLACE(filebeat_gets_the_settings),
        IN_PLACE(without_a_probe_log_there_is_one_input),
        IN_PLACE(filebeat_gets_keys_of_both_kinds),
        IN_PLACE(the_shipped_files_name_installed_programs),
    };
    return cmocka_run_group_tests_name("targets", tests, NULL, NULL);
}
