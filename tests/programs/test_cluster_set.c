/* scripts/cluster-set on a real agent. */
#include "harness.h"

#include <time.h>

#define URL_END                                                                                    \
    "; expected http(s)://host[:port],... (port 9200 if none) or consul:service, for "             \
    "example "                                                                                     \
    "http://es1:9200,http://es2:9200\n"
#define INCOMPLETE "LOG_ELASTICSEARCH_URL: is missing, so the LOG_ settings are incomplete" URL_END
#define NOTHING    "cluster-set: nothing is written\n"

static const char script[] = SOURCE_DIR "/scripts/cluster-set";

/* cluster-set with the configuration of server 1 and NAME=VALUE, ... more. */
static struct outcome set_with(struct cluster *c, const char *const *env, const char *const *words)
{
    const char *argv[16] = {script, "--config-dir", server_path(c, 1, "etc"), "--settings-root",
                            HARNESS_ROOT};
    for (size_t i = 0; words[i]; i++)
        argv[i + 5] = words[i];
    return run_tool(NULL, argv, env);
}

static const char *const libexec[] = {"LICTOR_LIBEXEC=" TEST_BIN, NULL};

static void expect(struct cluster *c, const char *const *words, int code, const char *out,
                   const char *err)
{
    struct outcome o = set_with(c, libexec, words);
    assert_string_equal(o.err, err);
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

#define EXPECT(code, out, err, ...)                                                                \
    expect(c, (const char *const[]){__VA_ARGS__, NULL}, code, out, err)

static void expect_setting(struct cluster *c, const char *key, const char *value)
{
    char path[200];
    (void)snprintf(path, sizeof path, HARNESS_ROOT "/service/cluster/tag/any/%s", key);
    char *now = kv_get(c, path);
    if (value)
        assert_string_equal(now, value);
    else
        assert_null(now);
    free(now);
}

static void usage(void **state)
{
    struct cluster *c = *state;
    static const char see[] = ", see cluster-set --help\n";
    static const struct {
        const char *words[6];
        const char *err;
    } rows[] = {
        {{0}, "nothing to do"},
        {{"--what"}, "unknown option --what"},
        {{"LOG_LEVEL"}, "\"LOG_LEVEL\" is not KEY=VALUE"},
        {{"--unset"}, "--unset needs a value"},
        {{"--unset", "A=b"}, "--unset needs a KEY"},
        {{"--show", "LOG_LEVEL=info"}, "--show and --confirm-mapping stand alone"},
        {{"--show", "--confirm-mapping"}, "--show and --confirm-mapping stand alone"},
        {{"--maintenance", "a"}, "--maintenance NODE needs --for TIME"},
        {{"--maintenance", "none", "--for", "2h"}, "--maintenance none takes no --for"},
        {{"--for", "2h", "A=b"}, "--for belongs to --maintenance NODE"},
        {{"--maintenance", "a", "--for", "2x"}, "--for 2x: expected 1m to 30d, as 2h or 1h30m"},
        {{"--maintenance", "a", "--for", "31d"}, "--for 31d: expected 1m to 30d, as 2h or 1h30m"},
        {{"--settings-root", "a b", "--show"}, "\"a b\" is no plain KV path"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char err[200];
        (void)snprintf(err, sizeof err, "cluster-set: %s%s", rows[i].err, see);
        expect(c, rows[i].words, 2, "", err);
    }
    struct outcome o = set_with(c, libexec, (const char *const[]){"--help", NULL});
    assert_int_equal(o.code, 0);
    assert_memory_equal(o.out, "usage: cluster-set [OPTION]... KEY=VALUE...\n", 44);
    outcome_release(&o);
}

static void values_are_written_and_taken_out(void **state)
{
    struct cluster *c = *state;
    EXPECT(0,
           "LOG_ELASTICSEARCH_URL: not set -> \"http://es1\"\n"
           "LOG_LEVEL: not set -> \"warn\"\n",
           "", "LOG_ELASTICSEARCH_URL=http://es1", "LOG_LEVEL=warn");
    expect_setting(c, "LOG_ELASTICSEARCH_URL", "http://es1");
    EXPECT(0,
           "LOG_LEVEL: \"warn\" -> \"error\"\n"
           "LOG_ELASTICSEARCH_URL: \"http://es1\", as before\n",
           "", "LOG_LEVEL=error", "LOG_ELASTICSEARCH_URL=http://es1");
    expect_setting(c, "LOG_LEVEL", "error");
    EXPECT(0, "LOG_LEVEL: \"error\" -> not set\nCLUSTER_GRACE: not set -> \"1h\"\n", "", "--unset",
           "LOG_LEVEL", "CLUSTER_GRACE=1h");
    expect_setting(c, "LOG_LEVEL", NULL);
    EXPECT(0, "LOG_LEVEL: not set, as before\n", "", "--unset", "LOG_LEVEL");
}

static void wrong_values_change_nothing(void **state)
{
    struct cluster *c = *state;
    EXPECT(1, "",
           "CLUSTER_GRACE: \"later\" is no duration; expected duration from 0s to 7d, "
           "for example 30m\n" NOTHING,
           "LOG_LEVEL=debug", "CLUSTER_GRACE=later");
    EXPECT(1, "", "LOG_INDX: there is no setting of that name\n" NOTHING, "LOG_INDX=a");
    EXPECT(1, "",
           "LOG_ELASTICSEARCH_URL: host 169.254.169.254 is not allowed by "
           "\"elasticsearch.hosts\" in the policy without policy.json (loopback and "
           "link-local hosts must be listed themselves)\n" NOTHING,
           "LOG_ELASTICSEARCH_URL=http://169.254.169.254");
    EXPECT(1, "", INCOMPLETE NOTHING, "LOG_LEVEL=debug", "--unset", "LOG_ELASTICSEARCH_URL");
    expect_setting(c, "LOG_LEVEL", NULL);
    expect_setting(c, "LOG_INDX", NULL);
    expect_setting(c, "LOG_ELASTICSEARCH_URL", "http://es1");
}

static void an_old_wrong_value_is_in_the_way_of_its_set_only(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDEX", "a b\x1b[2J");
    EXPECT(0, "CLUSTER_GRACE: \"1h\" -> \"2h\"\n", "", "CLUSTER_GRACE=2h");
    EXPECT(1, "",
           "LOG_INDEX: \"a b?[2J\" holds a space; expected 1 to 100 of a-z 0-9 . _ - "
           "(first one a-z 0-9), for example plossys-log\n" NOTHING,
           "LOG_LEVEL=debug");
    EXPECT(0, "LOG_LEVEL: not set -> \"debug\"\nLOG_INDEX: \"a b?[2J\" -> \"ab\"\n", "",
           "LOG_LEVEL=debug", "LOG_INDEX=ab");
}

static void unknown_keys_can_be_taken_out(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDX", "x");
    EXPECT(0, "LOG_INDX: \"?\" -> not set\n", "", "--unset", "LOG_INDX");
    expect_setting(c, "LOG_INDX", NULL);
}

static void show_says_what_is_in_force(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_LEVLE", "x");
    setting_put(c, "CLUSTER_GRACE", "soon");
    EXPECT(0,
           "KEY                          FROM     VALUE\n"
           "LOG_ENABLED                  default  Y\n"
           "LOG_ELASTICSEARCH_URL        KV       http://es1:9200\n"
           "LOG_ELASTICSEARCH_CREDENTIAL -        -\n"
           "LOG_INDEX                    KV       ab\n"
           "LOG_LEVEL                    KV       debug\n"
           "LOG_SOURCES                  default  seal\n"
           "LOG_ROLLOUT                  default  rolling\n"
           "LOG_SETTLE                   default  500ms\n"
           "CLUSTER_SERVERS              -        -\n"
           "CLUSTER_MANAGEMENT_SERVER    -        -\n"
           "CLUSTER_GRACE                default  15m\n"
           "CLUSTER_MAINTENANCE          -        -\n"
           "CLOCK_SKEW_WARNING           default  100ms\n"
           "CLOCK_SKEW_CRITICAL          default  500ms\n"
           "CLOCK_REFERENCE              -        -\n"
           "rejected: CLUSTER_GRACE: \"soon\" is no duration; expected duration from 0s "
           "to 7d, for example 30m\n"
           "unknown: LOG_LEVLE: there is no setting of that name\n"
           "Revision of the LOG_ settings: 8a7d97\n",
           "", "--show");
    setting_delete(c, "LOG_LEVLE");
    setting_delete(c, "CLUSTER_GRACE");
}

static void show_says_that_a_set_is_refused(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDEX", "A");
    struct outcome o = set_with(c, libexec, (const char *const[]){"--show", NULL});
    assert_non_null(strstr(o.out, "\nLOG_INDEX                    rejected A\n"));
    assert_non_null(strstr(o.out, "\nThe LOG_ settings are refused as a whole: every "
                                  "server keeps what it has.\n"));
    outcome_release(&o);
    setting_delete(c, "LOG_INDEX");
}

/* "NODE until <now + 90 minutes, next full minute>" */
static void maintenance_has_an_end(void **state)
{
    struct cluster *c = *state;
    EXPECT(0, "CLUSTER_SERVERS: not set -> \"server_1=Alpha,server_2=beta,server_3=c\"\n", "",
           "CLUSTER_SERVERS=server_1=Alpha,server_2=beta,server_3=c");
    for (int i = 0; i < 2; i++) {
        const char *node = i ? "server_1" : "ALPHA";
        struct tm tm = {0};
        struct outcome o = set_with(
            c, libexec, (const char *const[]){"--maintenance", node, "--for", "1h30m", NULL});
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        char *value = kv_get(c, HARNESS_ROOT "/service/cluster/tag/any/CLUSTER_MAINTENANCE");
        assert_memory_equal(value, "Alpha until ", 12);
        assert_string_equal(strptime(value + 12, "%Y-%m-%dT%H:%MZ", &tm), "");
        assert_in_range(timegm(&tm) - time(NULL), 5400 - 10, 5400 + 60);
        free(value);
    }
    EXPECT(1, "", "cluster-set: --maintenance delta: no server of CLUSTER_SERVERS\n",
           "--maintenance", "delta", "--for", "2h");
    struct outcome o = set_with(c, libexec, (const char *const[]){"--maintenance", "none", NULL});
    assert_non_null(strstr(o.out, "\" -> not set\n"));
    outcome_release(&o);
    expect_setting(c, "CLUSTER_MAINTENANCE", NULL);
    setting_delete(c, "CLUSTER_SERVERS");
}

/* A check-settings that lets somebody else write before it answers. */
static void somebody_faster_wins(void **state)
{
    struct cluster *c = *state;
    char text[1000], env[400];
    (void)snprintf(text, sizeof text,
                   "#!/bin/sh\ncurl -s -X PUT -d 3h http://%s:8500/v1/kv/" HARNESS_ROOT
                   "/service/cluster/tag/any/CLUSTER_GRACE >/dev/null\n"
                   "exec " TEST_BIN "/check-settings \"$@\"\n",
                   c->server[1].address);
    server_write(c, 1, "slow/check-settings", text);
    assert_int_equal(chmod(server_path(c, 1, "slow/check-settings"), 0755), 0);
    (void)snprintf(env, sizeof env, "LICTOR_LIBEXEC=%s", server_path(c, 1, "slow"));
    struct outcome o = set_with(
        c, (const char *const[]){env, NULL},
        (const char *const[]){"CLUSTER_GRACE=1h", "CLUSTER_MANAGEMENT_SERVER=m", NULL});
    assert_int_equal(o.code, 1);
    assert_string_equal(o.out, "");
    assert_non_null(strstr(o.err, "cluster-set: somebody else has just changed one of "
                                  "these keys: nothing is written; look with --show, "
                                  "then try again ("));
    outcome_release(&o);
    expect_setting(c, "CLUSTER_GRACE", "3h");
    expect_setting(c, "CLUSTER_MANAGEMENT_SERVER", NULL);
    setting_delete(c, "CLUSTER_GRACE");
}

static void without_an_agent_it_says_so(void **state)
{
    struct cluster *c = *state;
    const char *const env[] = {"LICTOR_LIBEXEC=" TEST_BIN, "CONSUL_HTTP_ADDR=http://127.0.0.1:1",
                               NULL};
    struct outcome o = set_with(c, env, (const char *const[]){"LOG_LEVEL=info", NULL});
    assert_int_equal(o.code, 1);
    assert_string_equal(o.out, "");
    assert_non_null(strstr(o.err, "cluster-set: cannot read the settings at " HARNESS_ROOT
                                  "/service/cluster/tag/any/: curl: (7) "));
    outcome_release(&o);
    EXPECT(1, "", "cluster-set: no check-settings in /nowhere (--libexec DIR, or make)\n",
           "--libexec", "/nowhere", "--show");
}

static void an_untrusted_file_names_no_agent(void **state)
{
    struct cluster *c = *state;
    char err[400];
    assert_int_equal(chmod(server_path(c, 1, "etc/consul.env"), 0666), 0);
    (void)snprintf(err, sizeof err,
                   "cluster-set: %s must be root's (or yours), no link, and not writable "
                   "by others\n",
                   server_path(c, 1, "etc/consul.env"));
    EXPECT(1, "", err, "--show");
    assert_int_equal(chmod(server_path(c, 1, "etc/consul.env"), 0600), 0);
}

/* Confirming is verify-quorum's: it gets the same place and its exit code is ours. */
static void confirming_is_handed_on(void **state)
{
    struct cluster *c = *state;
    char env[400], out[500];
    server_write(c, 1, "stub/verify-quorum", "#!/bin/sh\necho \"$@\"\nexit 3\n");
    server_write(c, 1, "stub/check-settings", "#!/bin/sh\nexit 1\n");
    assert_int_equal(chmod(server_path(c, 1, "stub/verify-quorum"), 0755), 0);
    assert_int_equal(chmod(server_path(c, 1, "stub/check-settings"), 0755), 0);
    (void)snprintf(env, sizeof env, "LICTOR_LIBEXEC=%s", server_path(c, 1, "stub"));
    struct outcome o = set_with(c, (const char *const[]){env, NULL},
                                (const char *const[]){"--confirm-mapping", NULL});
    (void)snprintf(out, sizeof out,
                   "--confirm-mapping --config-dir %s --settings-root " HARNESS_ROOT "\n",
                   server_path(c, 1, "etc"));
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

/* ---- with ACLs ----------------------------------------------------------- */

static void a_node_may_not_write_settings(void **state)
{
    struct cluster *c = *state;
    struct outcome o = set_with(c, libexec, (const char *const[]){"CLUSTER_GRACE=1h", NULL});
    assert_int_equal(o.code, 1);
    if (!strstr(o.err, "cluster-set: cannot write the settings: 403 "))
        fail_msg("%s", o.err);
    assert_non_null(strstr(o.err, "(the token needs key_prefix \"" HARNESS_ROOT
                                  "/service/cluster/tag/any/\" write)\n"));
    outcome_release(&o);
}

/* A curl in front of curl notes its arguments. */
static void the_token_is_on_no_command_line(void **state)
{
    struct cluster *c = *state;
    char token[100], path[700], text[1000];
    (void)snprintf(token, sizeof token, "CONSUL_HTTP_TOKEN=%s", c->token);
    (void)snprintf(path, sizeof path, "PATH=%s:/usr/bin:/bin", server_path(c, 1, "bin"));
    (void)snprintf(text, sizeof text, "#!/bin/sh\necho \"$@\" >>%s\nexec /usr/bin/curl \"$@\"\n",
                   server_path(c, 1, "curl.log"));
    server_write(c, 1, "bin/curl", text);
    assert_int_equal(chmod(server_path(c, 1, "bin/curl"), 0755), 0);
    struct outcome o = set_with(
        c, (const char *const[]){"LICTOR_LIBEXEC=" TEST_BIN, token, path, NULL},
        (const char *const[]){"CLUSTER_GRACE=1h", NULL});
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, "CLUSTER_GRACE: not set -> \"1h\"\n");
    outcome_release(&o);
    char *log = server_read(c, 1, "curl.log");
    assert_non_null(strstr(log, "/v1/txn"));
    assert_null(strstr(log, c->token));
    free(log);
}

static int setup(void **state)
{
    *state = cluster_start(&(struct cluster_options){.servers = 1, .no_snippet = true});
    return 0;
}

static int setup_acl(void **state)
{
    *state = cluster_start(
        &(struct cluster_options){.servers = 1, .no_snippet = true, .acl = true});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage),
        cmocka_unit_test(values_are_written_and_taken_out),
        cmocka_unit_test(wrong_values_change_nothing),
        cmocka_unit_test(an_old_wrong_value_is_in_the_way_of_its_set_only),
        cmocka_unit_test(unknown_keys_can_be_taken_out),
        cmocka_unit_test(show_says_what_is_in_force),
        cmocka_unit_test(show_says_that_a_set_is_refused),
        cmocka_unit_test(maintenance_has_an_end),
        cmocka_unit_test(somebody_faster_wins),
        cmocka_unit_test(without_an_agent_it_says_so),
        cmocka_unit_test(an_untrusted_file_names_no_agent),
        cmocka_unit_test(confirming_is_handed_on),
    };
    const struct CMUnitTest with_acl[] = {
        cmocka_unit_test(a_node_may_not_write_settings),
        cmocka_unit_test(the_token_is_on_no_command_line),
    };
    int failed = HARNESS_RUN("cluster-set", tests, setup, cluster_tear_down);
    return failed + HARNESS_RUN("cluster-set-acl", with_acl, setup_acl, cluster_tear_down);
}
