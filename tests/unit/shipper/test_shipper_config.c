/* SPDX-License-Identifier: MIT */
#include "shipper/shipper_config.h"

#include "scratch.h"
#include "test.h"

#define COMMANDS "\"reload\":[\"/bin/true\"],\"confirm\":[\"/bin/true\"],\"stop\":[\"/bin/true\"]"
#define MINIMAL(more)                                                                              \
    "{\"template\":\"t\",\"destination\":\"/d/x.conf\",\"escape\":\"yaml\"," COMMANDS more "}"

static void reads_everything(void **state)
{
    (void)state;
    static const char text[] =
        "{\"template\":\"rsyslog.conf.mustache\",\"destination\":\"/var/lib/x/"
        "rsyslog.conf\","
        "\"escape\":\"rainerscript\",\"mode\":\"0644\","
        "\"validate\":[\"/usr/sbin/rsyslogd\",\"-N1\",\"-f\",\"{file}\"],"
        "\"reload\":[\"/x/shipper\",\"restart\"],\"confirm\":[\"/x/"
        "shipper\",\"alive\"],"
        "\"stop\":[\"/x/shipper\",\"stop\"],\"timeout\":\"1m30s\","
        "\"probe\":\"/var/lib/p/probe.log\",\"service\":\"log@rsys.d-1\","
        "\"variables\":{\"work\":\"/var/lib/x\",\"size2\":\"1g\"}}";
    struct shipper_config_list list = {.n = 1};
    struct shipper_config *t = &list.shipper[0];
    struct error err = {0};
    assert_int_equal(shipper_config_parse(text, strlen(text), "/etc/l/a.json", t, &err), 0);
    assert_string_equal(t->path, "/etc/l/a.json");
    assert_string_equal(t->template, "/etc/l/rsyslog.conf.mustache");
    assert_string_equal(t->destination, "/var/lib/x/rsyslog.conf");
    assert_int_equal(t->mode, 0644);
    assert_int_equal(t->timeout_ms, 90000);
    assert_string_equal(t->validate[3], "{file}");
    assert_null(t->validate[4]);
    assert_string_equal(t->reload[1], "restart");
    assert_string_equal(t->confirm[1], "alive");
    assert_string_equal(t->stop[1], "stop");
    assert_string_equal(t->probe, "/var/lib/p/probe.log");
    assert_string_equal(t->service, "log@rsys.d-1");
    assert_int_equal(t->variables, 2);
    assert_string_equal(t->variable[0].name, "work");
    assert_string_equal(t->variable[0].text, "/var/lib/x");
    shipper_config_release(&list);
}

static void has_defaults(void **state)
{
    (void)state;
    struct shipper_config_list list = {.n = 1};
    struct shipper_config *t = &list.shipper[0];
    assert_int_equal(shipper_config_parse(MINIMAL(""), strlen(MINIMAL("")), "/l/a.json", t, NULL),
                     0);
    assert_int_equal(t->mode, 0640);
    assert_int_equal(t->timeout_ms, 30000);
    assert_null(t->validate[0]);
    assert_string_equal(t->probe, "");
    assert_int_equal(t->variables, 0);
    shipper_config_release(&list);
    static const char absolute[] =
        "{\"template\":\"/t/x\",\"destination\":\"/d/x\",\"escape\":\"toml\"," COMMANDS "}";
    list.n = 1;
    assert_int_equal(shipper_config_parse(absolute, strlen(absolute), "/l/a.json", t, NULL), 0);
    assert_string_equal(t->template, "/t/x");
    assert_int_equal(t->language, MUSTACHE_TOML);
    shipper_config_release(&list);
}

#define MODE_TEXT                                                                                  \
    "/a: \"mode\" must be octal text like \"0640\", readable by the owner, writable "              \
    "by "                                                                                          \
    "nobody else, not executable"
#define DESTINATION_TEXT "/a: \"destination\" must be an absolute path of A-Za-z0-9._/-"
#define PROBE_TEXT       "/a: \"probe\" must be an absolute path of A-Za-z0-9._/-"
#define SERVICE_TEXT     "/a: \"service\" must be the name of a service, of A-Za-z0-9@._-"
#define DESTINATION(d)                                                                             \
    "{\"template\":\"t\",\"destination\":\"" d "\",\"escape\":\"yaml\"," COMMANDS "}"
static const struct {
    const char *text;
    const char *expected;
} refused[] = {
    {"[]", "/a: not a JSON object"},
    {"{}", "/a: \"template\" must be the name of a file"},
    {MINIMAL(",\"reloads\":[]"), "/a: \"reloads\" is not a known member"},
    {MINIMAL(",\"mode\":\"0660\""), MODE_TEXT},
    {MINIMAL(",\"mode\":\"0200\""), MODE_TEXT},
    {MINIMAL(",\"mode\":\"0755\""), MODE_TEXT},
    {MINIMAL(",\"mode\":\"640\""), MODE_TEXT},
    {MINIMAL(",\"mode\":\"04640\""), MODE_TEXT},
    {MINIMAL(",\"mode\":640"), MODE_TEXT},
    {MINIMAL(",\"mode\":null"), MODE_TEXT},
    {MINIMAL(",\"timeout\":\"10m\""), "/a: \"timeout\" must be a duration from 100ms to 5m"},
    {MINIMAL(",\"timeout\":\"0\""), "/a: \"timeout\" must be a duration from 100ms to 5m"},
    {MINIMAL(",\"validate\":[\"/bin/true\"]"), "/a: \"validate\" must have an argument \"{file}\""},
    {MINIMAL(",\"validate\":[]"),
     "/a: \"validate\" must be a list that begins with an absolute program"},
    {MINIMAL(",\"validate\":\"/bin/true {file}\""),
     "/a: \"validate\" must be a list that begins with an absolute program"},
    {MINIMAL(",\"validate\":[\"true\",\"{file}\"]"),
     "/a: \"validate\" must be a list that begins with an absolute program"},
    {MINIMAL(",\"validate\":[\"/bin/true\",1]"),
     "/a: \"validate\" must be a list of at most 16 texts"},
    {MINIMAL(",\"validate\":[\"/1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
             "\"10\",\"11\",\"12\",\"13\",\"14\",\"15\",\"16\",\"{file}\"]"),
     "/a: \"validate\" must be a list of at most 16 texts"},
    {MINIMAL(",\"service\":\"--now\""), SERVICE_TEXT},
    {MINIMAL(",\"service\":\"a b\""), SERVICE_TEXT},
    {MINIMAL(",\"service\":\"../a\""), SERVICE_TEXT},
    {MINIMAL(",\"service\":7"), SERVICE_TEXT},
    {MINIMAL(",\"probe\":\"\""), PROBE_TEXT},
    {MINIMAL(",\"probe\":null"), PROBE_TEXT},
    {MINIMAL(",\"probe\":true"), PROBE_TEXT},
    {MINIMAL(",\"probe\":\"probe.log\""), PROBE_TEXT},
    {MINIMAL(",\"probe\":\"/p/../q\""), PROBE_TEXT},
    {MINIMAL(",\"probe\":\"/p/*.log\""), PROBE_TEXT},
    {MINIMAL(",\"variables\":[]"), "/a: \"variables\" must be an object of texts"},
    {MINIMAL(",\"variables\":{\"X\":\"y\"}"),
     "/a: \"variables\" has a name that is not [a-z][a-z0-9_]*"},
    {MINIMAL(",\"variables\":{\"\":\"y\"}"),
     "/a: \"variables\" has a name that is not [a-z][a-z0-9_]*"},
    {MINIMAL(",\"variables\":{\"x\":1}"),
     "/a: \"x\" must be printable ASCII without blanks and \"\\$%`{}'<>|;&#"},
    {MINIMAL(",\"variables\":{\"x\":\"a b\"}"),
     "/a: \"x\" must be printable ASCII without blanks and \"\\$%`{}'<>|;&#"},
    {"{\"template\":\"t\",\"destination\":\"/d\",\"escape\":\"json\"," COMMANDS "}",
     "/a: \"escape\" must be \"rainerscript\", \"yaml\", \"toml\" or \"beats\""},
    {"{\"template\":\"t\",\"destination\":\"/d\",\"escape\":\"yaml\","
     "\"confirm\":[\"/x\"],\"stop\":[\"/x\"]}",
     "/a: \"reload\" must be a list that begins with an absolute program"},
    {"{\"template\":\"t\",\"destination\":\"/d\",\"escape\":\"yaml\","
     "\"reload\":[\"/x\"],\"stop\":[\"/x\"]}",
     "/a: \"confirm\" must be a list that begins with an absolute program"},
    {"{\"template\":\"t\",\"destination\":\"/d\",\"escape\":\"yaml\","
     "\"reload\":[\"/x\"],\"confirm\":[\"/x\"]}",
     "/a: \"stop\" must be a list that begins with an absolute program"},
    {DESTINATION(""), DESTINATION_TEXT},
    {DESTINATION("x"), DESTINATION_TEXT},
    {DESTINATION("/"), DESTINATION_TEXT},
    {DESTINATION("/x/"), DESTINATION_TEXT},
    {DESTINATION("/x/../y"), DESTINATION_TEXT},
    {DESTINATION("/x/.."), DESTINATION_TEXT},
    {DESTINATION("/x//y"), DESTINATION_TEXT},
    {DESTINATION("/x y"), DESTINATION_TEXT},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct shipper_config t;
        struct error err = {0};
        int rc = shipper_config_parse(refused[i].text, strlen(refused[i].text), "/a", &t, &err);
        assert_string_equal(err.text, refused[i].expected);
        assert_int_equal(rc, -EBADMSG);
        assert_null(t.root);
    }
}

static void refuses_what_is_no_json(void **state)
{
    (void)state;
    struct shipper_config t;
    struct error err = {0};
    assert_int_equal(shipper_config_parse("{", 1, "/l/a.json", &t, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "/l/a.json"));
}

/* ---- the directory ------------------------------------------------------- */

static int set_up(void **state)
{
    if (scratch_set_up(state) < 0)
        return -1;
    return mkdir(scratch_at("logging.d"), 0755);
}

#define DEFINITION(destination, program)                                                           \
    "{\"template\":\"t\",\"destination\":\"" destination "\",\"escape\":\"yaml\","                 \
    "\"reload\":[\"" program "\"],\"confirm\":[\"/bin/true\"],\"stop\":[\"/bin/true\"]}"

static int read_place(struct shipper_config_list *list, struct error *err)
{
    int rc = shipper_config_read(scratch_dir, list, err);
    if (rc < 0)
        assert_int_equal(list->n, 0);
    return rc;
}

static void reads_a_directory_in_order(void **state)
{
    (void)state;
    struct shipper_config_list list;
    scratch_put("logging.d/20-b.json", DEFINITION("/d/b", "/bin/true"), 0644);
    scratch_put("logging.d/10-a.json", DEFINITION("/d/a", "/bin/true"), 0644);
    scratch_put("logging.d/ignored.mustache", "x", 0644);
    scratch_put("logging.d/.hidden.json", "x", 0644);
    assert_int_equal(read_place(&list, NULL), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(list.shipper[0].destination, "/d/a");
    assert_string_equal(list.shipper[1].destination, "/d/b");
    shipper_config_release(&list);
}

static void says_when_there_is_none(void **state)
{
    (void)state;
    struct shipper_config_list list;
    struct error err = {0};
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "no log shipper is configured: no *.json in %s/logging.d", scratch_dir);
    scratch_put("logging.d/x.mustache", "x", 0644);
    assert_int_equal(read_place(&list, &err), -ENOENT);
    assert_string_equal(err.text, expected);
}

static void refuses_one_destination_twice(void **state)
{
    (void)state;
    struct shipper_config_list list;
    struct error err = {0};
    scratch_put("logging.d/a.json", DEFINITION("/d/a", "/bin/true"), 0644);
    scratch_put("logging.d/b.json", DEFINITION("/d/a", "/bin/true"), 0644);
    assert_int_equal(read_place(&list, &err), -EEXIST);
    assert_non_null(strstr(err.text, "b.json have the same destination"));
}

#define WITH_PROBE(destination, probe)                                                             \
    "{\"template\":\"t\",\"destination\":\"" destination "\",\"escape\":\"yaml\","                 \
    "\"reload\":[\"/bin/true\"],\"confirm\":[\"/bin/true\"],\"stop\":[\"/bin/true\"],"             \
    "\"probe\":\"" probe "\"}"

static void refuses_one_probe_log_twice(void **state)
{
    (void)state;
    struct shipper_config_list list;
    struct error err = {0};
    char name[FILE_SET_PATH];
    scratch_put("logging.d/a.json", WITH_PROBE("/d/a", "/p/a"), 0644);
    scratch_put("logging.d/b.x.json", WITH_PROBE("/d/b", "/p/b"), 0644);
    assert_int_equal(read_place(&list, &err), 0);
    assert_string_equal(shipper_config_name(&list.shipper[0], name), "a");
    assert_string_equal(shipper_config_name(&list.shipper[1], name), "b.x");
    shipper_config_release(&list);
    scratch_put("logging.d/b.x.json", WITH_PROBE("/d/b", "/p/a"), 0644);
    assert_int_equal(read_place(&list, &err), -EEXIST);
    assert_non_null(strstr(err.text, "b.x.json have the same probe log"));
}

static void refuses_what_others_can_write(void **state)
{
    (void)state;
    struct shipper_config_list list;
    struct error err = {0};
    scratch_put("logging.d/a.json", DEFINITION("/d/a", "/bin/true"), 0644);
    assert_int_equal(chmod(scratch_at("logging.d/a.json"), 0666), 0);
    assert_int_equal(read_place(&list, &err), -EPERM);
    assert_non_null(strstr(err.text, "a.json can be written by others"));
    assert_int_equal(chmod(scratch_at("logging.d/a.json"), 0644), 0);
    assert_int_equal(chmod(scratch_at("logging.d"), 0777), 0);
    assert_int_equal(read_place(&list, &err), -EPERM);
    assert_non_null(strstr(err.text, "logging.d can be written by others"));
}

static void refuses_a_program_that_is_not_there(void **state)
{
    (void)state;
    struct shipper_config_list list;
    struct error err = {0};
    scratch_put("logging.d/a.json", DEFINITION("/d/a", "/nonexistent/program"), 0644);
    assert_true(read_place(&list, &err) < 0);
    assert_non_null(strstr(err.text, "a.json: "));
    assert_non_null(strstr(err.text, "/nonexistent"));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_what_is_no_json),
        IN_PLACE(reads_a_directory_in_order),
        IN_PLACE(says_when_there_is_none),
        IN_PLACE(refuses_one_destination_twice),
        IN_PLACE(refuses_one_probe_log_twice),
        IN_PLACE(refuses_what_others_can_write),
        IN_PLACE(refuses_a_program_that_is_not_there),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
