/* SPDX-License-Identifier: MIT */
/* lictor on a real agent. */
#include "fake_agent.h"
#include "harness.h"

#include <time.h>

#define URL_END                                                                                    \
    "; expected http(s)://host[:port],... (port 9200 if none) or consul:service, for "             \
    "example "                                                                                     \
    "http://es1:9200,http://es2:9200\n"
#define INCOMPLETE "LOG_ELASTICSEARCH_URL: is missing, so the LOG_ settings are incomplete" URL_END
#define NOTHING    "lictor set: nothing is written\n"

/* lictor COMMAND with the configuration of server 1, then the words; with NAME=VALUE, ... */
static struct outcome lictor(struct cluster *c, const char *command, const char *const *env,
                             const char *const *words)
{
    const char *argv[24] = {TEST_BIN "/lictor",
                            "--config-dir",
                            server_path(c, 1, "etc"),
                            "--state-dir",
                            server_path(c, 1, "state"),
                            "--settings-root",
                            HARNESS_ROOT,
                            command};
    for (size_t i = 0; words[i]; i++)
        argv[i + 8] = words[i];
    return run_tool(NULL, argv, env);
}

static void expect(struct cluster *c, const char *command, const char *const *words, int code,
                   const char *out, const char *err)
{
    struct outcome o = lictor(c, command, NULL, words);
    assert_string_equal(o.err, err);
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

#define EXPECT(command, code, out, err, ...)                                                       \
    expect(c, command, (const char *const[]){__VA_ARGS__, NULL}, code, out, err)

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
    static const struct {
        const char *words[6]; /* the first one is the command */
        const char *err;
    } rows[] = {
        {{"stauts"}, "lictor: there is no command stauts (status?), see lictor --help"},
        {{"anything"}, "lictor: there is no command anything, see lictor --help"},
        {{"set"}, "lictor set: nothing to do, see --help"},
        {{"set", "--what"}, "lictor set: unknown option --what, see lictor set --help"},
        {{"set", "LOG_LEVEL"}, "lictor set: \"LOG_LEVEL\" is not KEY=VALUE, see --help"},
        {{"set", "--unset"}, "lictor set: --unset needs a value, see lictor set --help"},
        {{"set", "--unset", "A=b"}, "lictor set: --unset needs keys, see --help"},
        {{"set", "A=1", "A=2"}, "lictor set: A is given twice"},
        {{"set", "--timeout", "soon", "CLUSTER_GRACE=1h"},
         "lictor set: --timeout soon is not a duration, see --help"},
        {{"show", "LOG_LEVEL=info"},
         "lictor show: unexpected operand 'LOG_LEVEL=info', see lictor show --help"},
        {{"settings", "x"}, "lictor settings: unexpected operand 'x', see lictor settings --help"},
        {{"confirm", "x"}, "lictor confirm: unexpected operand 'x', see lictor confirm --help"},
        {{"retry", "x"}, "lictor retry: unexpected operand 'x', see lictor retry --help"},
        {{"status", "x"}, "lictor status: unexpected operand 'x', see lictor status --help"},
        {{"maintenance"}, "lictor maintenance: which NODE, or \"none\"? See --help"},
        {{"maintenance", "a"}, "lictor maintenance: NODE needs --for TIME, see --help"},
        {{"maintenance", "none", "--for", "2h"},
         "lictor maintenance: none takes no --for, see --help"},
        {{"maintenance", "a", "--for", "2x"},
         "lictor maintenance: --for 2x: expected 1m to 30d, as 2h or 1h30m"},
        {{"maintenance", "a", "--for", "31d"},
         "lictor maintenance: --for 31d: expected 1m to 30d, as 2h or 1h30m"},
        {{"maintenance", "a", "--for", "59s"},
         "lictor maintenance: --for 59s: expected 1m to 30d, as 2h or 1h30m"},
        {{"api", "GET"}, "lictor api: METHOD and PATH are needed, see --help"},
        {{"api", "DELETE", "x"}, "lictor api: METHOD is GET or PUT, see --help"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char err[200];
        (void)snprintf(err, sizeof err, "%s\n", rows[i].err);
        expect(c, rows[i].words[0], rows[i].words + 1, 2, "", err);
    }
    struct outcome o = run_tool(NULL, (const char *const[]){TEST_BIN "/lictor", NULL}, NULL);
    assert_string_equal(o.err, "lictor: which command? See lictor --help\n");
    assert_int_equal(o.code, 2);
    outcome_release(&o);
}

static void every_command_explains_itself(void **state)
{
    struct cluster *c = *state;
    static const char *const commands[] = {"status",  "show",        "set",   "settings",
                                           "confirm", "maintenance", "retry", "api"};
    for (size_t i = 0; i < COUNT(commands); i++) {
        char usage[100];
        (void)snprintf(usage, sizeof usage, "usage: lictor %s", commands[i]);
        struct outcome o = lictor(c, commands[i], NULL, (const char *const[]){"--help", NULL});
        struct outcome help = lictor(c, "help", NULL, (const char *const[]){commands[i], NULL});
        assert_int_equal(o.code, 0);
        assert_memory_equal(o.out, usage, strlen(usage));
        assert_non_null(strstr(o.out, "\nexit codes: "));
        assert_non_null(strstr(o.out, "\nexample: lictor "));
        assert_string_equal(help.out, o.out);
        outcome_release(&o);
        outcome_release(&help);
    }
    EXPECT("--version", 0, "lictor test\n", "", NULL);
}

/* consul.d/README.md is where an admin looks. */
static void the_readme_holds_the_table(void **state)
{
    struct cluster *c = *state;
    struct outcome o = lictor(c, "settings", NULL, (const char *const[]){NULL});
    struct outcome readme = run_tool(
        NULL, (const char *[]){"/bin/cat", SOURCE_DIR "/consul.d/README.md", NULL}, NULL);
    assert_true(strlen(o.out) > 1000);
    if (!strstr(readme.out, o.out))
        fail_msg("consul.d/README.md does not hold what lictor settings prints");
    outcome_release(&readme);
    outcome_release(&o);
}

static void values_are_written_and_taken_out(void **state)
{
    struct cluster *c = *state;
    EXPECT("set", 0,
           "LOG_ELASTICSEARCH_URL: not set -> \"http://es1\"\n"
           "LOG_LEVEL: not set -> \"warn\"\n",
           "", "LOG_ELASTICSEARCH_URL=http://es1", "LOG_LEVEL=warn");
    expect_setting(c, "LOG_ELASTICSEARCH_URL", "http://es1");
    EXPECT("set", 0,
           "LOG_LEVEL: \"warn\" -> \"error\"\n"
           "LOG_ELASTICSEARCH_URL: \"http://es1\", as before\n",
           "", "LOG_LEVEL=error", "LOG_ELASTICSEARCH_URL=http://es1");
    expect_setting(c, "LOG_LEVEL", "error");
    EXPECT("set", 0, "CLUSTER_GRACE: not set -> \"1h\"\nLOG_LEVEL: \"error\" -> not set\n", "",
           "--unset", "LOG_LEVEL", "CLUSTER_GRACE=1h");
    expect_setting(c, "LOG_LEVEL", NULL);
    EXPECT("set", 0, "LOG_LEVEL: not set, as before\n", "", "--unset", "LOG_LEVEL");
}

static void wrong_values_change_nothing(void **state)
{
    struct cluster *c = *state;
    EXPECT("set", 1, "",
           "CLUSTER_GRACE: \"later\" is not a duration; expected duration from 0s to 7d, "
           "for example 30m\n" NOTHING,
           "LOG_LEVEL=debug", "CLUSTER_GRACE=later");
    EXPECT("set", 1, "", "LOG_INDX: there is no setting of that name (LOG_INDEX?)\n" NOTHING,
           "LOG_INDX=a");
    EXPECT("set", 1, "",
           "LOG_ELASTICSEARCH_URL: host 169.254.169.254 is not allowed by "
           "\"elasticsearch.hosts\" in the policy without policy.json (loopback and "
           "link-local hosts must be listed themselves)\n" NOTHING,
           "LOG_ELASTICSEARCH_URL=http://169.254.169.254");
    EXPECT("set", 1, "", INCOMPLETE NOTHING, "LOG_LEVEL=debug", "--unset", "LOG_ELASTICSEARCH_URL");
    expect_setting(c, "LOG_LEVEL", NULL);
    expect_setting(c, "LOG_INDX", NULL);
    expect_setting(c, "LOG_ELASTICSEARCH_URL", "http://es1");
}

static void an_old_wrong_value_is_in_the_way_of_its_set_only(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDEX", "a b\x1b[2J");
    EXPECT("set", 0, "CLUSTER_GRACE: \"1h\" -> \"2h\"\n", "", "CLUSTER_GRACE=2h");
    EXPECT("set", 1, "",
           "LOG_INDEX: \"a b?[2J\" holds a space; expected 1 to 100 of a-z 0-9 . _ - "
           "(first one a-z 0-9), for example plossys-log\n" NOTHING,
           "LOG_LEVEL=debug");
    EXPECT("set", 0, "LOG_LEVEL: not set -> \"debug\"\nLOG_INDEX: \"a b?[2J\" -> \"ab\"\n", "",
           "LOG_LEVEL=debug", "LOG_INDEX=ab");
}

static void unknown_keys_can_be_taken_out(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDX", "x");
    EXPECT("set", 0, "LOG_INDX: \"x\" -> not set\n", "", "--unset", "LOG_INDX");
    expect_setting(c, "LOG_INDX", NULL);
}

static void show_says_what_is_in_force(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_LEVLE", "x");
    setting_put(c, "CLUSTER_GRACE", "soon");
    EXPECT("show", 0,
           "KEY                          FROM     VALUE\n"
           "LOG_ENABLED                  default  Y\n"
           "LOG_ELASTICSEARCH_URL        KV       http://es1:9200\n"
           "LOG_ELASTICSEARCH_CREDENTIAL -        -\n"
           "LOG_INDEX                    KV       ab\n"
           "LOG_LEVEL                    KV       debug\n"
           "LOG_SOURCES                  default  seal\n"
           "LOG_ROLLOUT                  default  rolling\n"
           "LOG_SETTLE                   default  500ms\n"
           "LOG_DELAY                    default  2m\n"
           "CLUSTER_SERVERS              -        -\n"
           "CLUSTER_MANAGEMENT_SERVER    -        -\n"
           "CLUSTER_GRACE                default  15m\n"
           "CLUSTER_MAINTENANCE          -        -\n"
           "CLOCK_SKEW_WARNING           default  100ms\n"
           "CLOCK_SKEW_CRITICAL          default  500ms\n"
           "CLOCK_REFERENCE              -        -\n"
           "SECURITY_ACCEPTED            -        -\n"
           "MONGODB_URL                  -        -\n"
           "MONGODB_CREDENTIAL           -        -\n"
           "rejected: CLUSTER_GRACE: \"soon\" is not a duration; expected duration from 0s "
           "to 7d, for example 30m\n"
           "unknown: LOG_LEVLE: there is no setting of that name (LOG_LEVEL?)\n"
           "Revision of the LOG_ settings: 8a7d97\n",
           "", NULL);
    setting_delete(c, "LOG_LEVLE");
    setting_delete(c, "CLUSTER_GRACE");
}

static void show_says_that_a_set_is_refused(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_INDEX", "A");
    struct outcome o = lictor(c, "show", NULL, (const char *const[]){NULL});
    assert_non_null(strstr(o.out, "\nLOG_INDEX                    rejected A\n"));
    assert_non_null(strstr(o.out, "\nThe LOG_ settings are rejected as a whole: every "
                                  "server keeps what it has.\n"));
    assert_null(strstr(o.out, "\nSERVER ")); /* nobody has anything yet */
    outcome_release(&o);
    setting_delete(c, "LOG_INDEX");
}

#define ONE   "4f2a91aa4f2a91aa4f2a91aa4f2a91aa4f2a91aa4f2a91aa4f2a91aa4f2a91aa"
#define OTHER "9c01d2bb9c01d2bb9c01d2bb9c01d2bb9c01d2bb9c01d2bb9c01d2bb9c01d2bb"

/* Whatever KV says: what a server has in force is in its record. */
static void show_says_what_each_server_has_in_force(void **state)
{
    struct cluster *c = *state;
    static const struct {
        const char *node, *record;
    } rows[] = {
        {"n1", "{\"state\":\"done\",\"revision\":\"" ONE "\"}"},
        {"n2", "{\"state\":\"failed\",\"target\":\"index a\","
               "\"revision\":\"" OTHER "\",\"reason\":\"policy\"}"},
        {"n3", "{\"state\":\"kept\",\"revision\":\"" ONE "\",\"reason\":\"LOG_INDEX: A\"}"},
        {"n4", "{\"state\":\"kept\",\"revision\":\"\",\"reason\":\"\"}"},
        {"n5", "{\"state\":\"applying\",\"revision\":\"" OTHER "\"}"},
        {"n6", "no record"},
    };
    char key[100];
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(key, sizeof key, "lictor/logging/%s", rows[i].node);
        kv_put(c, key, rows[i].record);
    }
    struct outcome o = lictor(c, "show", NULL, (const char *const[]){NULL});
    const char *table = strstr(o.out, "\nSERVER ");
    assert_non_null(table);
    assert_string_equal(table,
                        "\nSERVER                       REVISION STATE\n"
                        "n1                           4f2a91   in force\n"
                        "n2                           9c01d2   rejected, the one before is in "
                        "force; policy\n"
                        "                                      in force: index a\n"
                        "n3                           4f2a91   in force; LOG_INDEX: A\n"
                        "n4                           -        none is in force\n"
                        "n5                           9c01d2   being applied, not proven yet\n");
    outcome_release(&o);
    kv_delete_prefix(c, "lictor/logging/");
}

/* "NODE until <now + 90 minutes, next full minute>" */
static void maintenance_has_an_end(void **state)
{
    struct cluster *c = *state;
    EXPECT("set", 0, "CLUSTER_SERVERS: not set -> \"server_1=Alpha,server_2=beta,server_3=c\"\n",
           "", "CLUSTER_SERVERS=server_1=Alpha,server_2=beta,server_3=c");
    for (int i = 0; i < 2; i++) {
        const char *node = i ? "server_1" : "ALPHA";
        struct tm tm = {0};
        struct outcome o = lictor(c, "maintenance", NULL,
                                  (const char *const[]){node, "--for", "1h30m", NULL});
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        char *value = kv_get(c, HARNESS_ROOT "/service/cluster/tag/any/CLUSTER_MAINTENANCE");
        assert_memory_equal(value, "Alpha until ", 12);
        assert_string_equal(strptime(value + 12, "%Y-%m-%dT%H:%MZ", &tm), "");
        assert_in_range(timegm(&tm) - time(NULL), 5400 - 10, 5400 + 60);
        free(value);
    }
    EXPECT("maintenance", 1, "",
           "lictor maintenance: there is no server delta in CLUSTER_SERVERS\n", "delta", "--for",
           "2h");
    struct outcome o = lictor(c, "maintenance", NULL, (const char *const[]){"none", NULL});
    assert_non_null(strstr(o.out, "\" -> not set\n"));
    outcome_release(&o);
    expect_setting(c, "CLUSTER_MAINTENANCE", NULL);
    setting_delete(c, "CLUSTER_SERVERS");
}

/* Between reading and writing: an agent that answers as Consul does then. */
static void somebody_faster_wins(void **state)
{
    (void)state;
    struct fake_agent *agent = fake_agent_start();
    fake_agent_kv(agent, HARNESS_ROOT "/service/cluster/tag/any/", NULL, 0);
    fake_agent_answer(agent, "PUT /v1/txn", 409,
                      "{\"Results\":null,\"Errors\":[{\"OpIndex\":1,\"What\":\"failed to set key "
                      "\\\"CLUSTER_MANAGEMENT_SERVER\\\", index is stale\"}]}");
    const char *const env[] = {fake_agent_env(agent), NULL};
    struct outcome o = run_tool(NULL,
                                (const char *const[]){TEST_BIN "/lictor", "--config-dir",
                                                      "/nowhere", "set", "CLUSTER_GRACE=1h",
                                                      "CLUSTER_MANAGEMENT_SERVER=m", NULL},
                                env);
    assert_string_equal(o.err,
                        "lictor set: " HARNESS_ROOT
                        "/service/cluster/tag/any/CLUSTER_MANAGEMENT_SERVER was changed by "
                        "somebody else meanwhile: nothing is written; look at it with lictor "
                        "show, then try again\n");
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(fake_agent_sent(agent, "PUT /v1/txn"), "\"Verb\":\"cas\""));
    outcome_release(&o);
    fake_agent_stop(agent);
}

static void without_an_agent_it_says_so(void **state)
{
    struct cluster *c = *state;
    const char *const env[] = {"CONSUL_HTTP_ADDR=http://127.0.0.1:1", NULL};
    static const struct {
        const char *word[3];
        int code, times; /* how often it says so */
    } commands[] = {{{"set", "LOG_LEVEL=info"}, 1, 1},
                    {{"show"}, 1, 1},
                    {{"confirm"}, 1, 1},
                    {{"maintenance", "none"}, 1, 1},
                    {{"retry"}, 1, 1},
                    {{"api", "GET", "agent/self"}, 1, 1},
                    {{"status"}, 3, 1},
                    {{"status", "--json"}, 3, 1}};
    for (size_t i = 0; i < COUNT(commands); i++) {
        static const char words[] = "cannot reach the Consul agent at http://127.0.0.1:1: Couldn't";
        const char *more[] = {commands[i].word[1], commands[i].word[1] ? commands[i].word[2] : NULL,
                              NULL};
        struct outcome o = lictor(c, commands[i].word[0], env, more);
        int times = 0;
        const char *streams[] = {o.out, o.err};
        for (size_t k = 0; k < 2; k++)
            for (const char *at = streams[k]; (at = strstr(at, words)); at++)
                times++;
        print_message("  lictor %s\n", commands[i].word[0]);
        assert_int_equal(times, commands[i].times);
        assert_int_equal(o.code, commands[i].code);
        outcome_release(&o);
    }
}

static void an_untrusted_file_names_no_agent(void **state)
{
    struct cluster *c = *state;
    char err[400];
    assert_int_equal(chmod(server_path(c, 1, "etc/consul.env"), 0666), 0);
    (void)snprintf(err, sizeof err, "lictor show: %s can be written by others: chmod go-w it\n",
                   server_path(c, 1, "etc/consul.env"));
    EXPECT("show", 1, "", err, NULL);
    assert_int_equal(chmod(server_path(c, 1, "etc/consul.env"), 0600), 0);
}

/* Confirming is verify-quorum's: it gets the same place. One server is no cluster. */
static void confirming_is_handed_on(void **state)
{
    struct cluster *c = *state;
    struct outcome o = lictor(c, "confirm", NULL, (const char *const[]){NULL});
    assert_memory_equal(o.err, "verify-quorum: not confirmed: ", 30);
    assert_int_equal(o.code, 1);
    outcome_release(&o);
}

static void the_cluster_is_shown(void **state)
{
    struct cluster *c = *state;
    struct outcome o = lictor(c, "status", NULL, (const char *const[]){NULL});
    assert_memory_equal(o.out, "seen from server-1, ", 20);
    assert_non_null(
        strstr(o.out, ": the leader is server-1\n\nnode     role     consul   quorum "));
    assert_non_null(strstr(o.out, "\nserver-1 leader   "));
    assert_non_null(strstr(o.out, "\nquorum: "));
    assert_non_null(strstr(o.out, "\nclock: "));
    assert_non_null(strstr(o.out, "\nlogging: "));
    assert_non_null(strstr(o.out, "\nsecurity: "));
    assert_null(strchr(o.out, '\x1b'));
    assert_int_equal(o.code, 3); /* no heartbeat has sent a clock record yet */
    outcome_release(&o);
    o = lictor(c, "status", NULL, (const char *const[]){"--check", "quorum", NULL});
    assert_non_null(strstr(o.out, "\nquorum: warning: forming: 1 of 3 servers"));
    assert_null(strstr(o.out, "clock"));
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    EXPECT("status", 2, "", "lictor status: --check: there is no check qourum, see --help\n",
           "--check", "qourum");
}

/* Each line of a text is of the documented form. */
static void expect_schema(const char *text)
{
    static const char script[] =
        "import json, jsonschema, sys\n"
        "schema = json.load(open(sys.argv[1]))\n"
        "for line in sys.argv[2].splitlines(): jsonschema.validate(json.loads(line), schema)\n";
    const char *argv[] = {"/usr/bin/python3",
                          "-c",
                          script,
                          SOURCE_DIR "/tests/programs/status.schema.json",
                          text,
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err, "");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

static void programs_read_it_as_json(void **state)
{
    struct cluster *c = *state;
    const char *const nowhere[] = {"CONSUL_HTTP_ADDR=http://127.0.0.1:1", NULL};
    struct outcome o = lictor(c, "status", NULL, (const char *const[]){"--json", NULL});
    assert_non_null(strstr(o.out, "\"exit_code\":3"));
    assert_non_null(strstr(o.out, "\"role\":\"leader\""));
    expect_schema(o.out);
    outcome_release(&o);
    o = lictor(c, "status", nowhere, (const char *const[]){"--json", NULL});
    expect_schema(o.out);
    outcome_release(&o);
}

/* Until it is interrupted. */
static void a_watch_looks_again_and_again(void **state)
{
    struct cluster *c = *state;
    char address[60];
    const char *argv[] = {"/usr/bin/timeout",
                          "--signal=INT",
                          "8",
                          TEST_BIN "/lictor",
                          "status",
                          "--watch",
                          "--json",
                          "--check",
                          "quorum",
                          "--config-dir",
                          server_path(c, 1, "etc"),
                          NULL};
    const char *env[] = {address, NULL};
    (void)snprintf(address, sizeof address, "CONSUL_HTTP_ADDR=http://%s:8500",
                   c->server[1].address);
    struct outcome o = run_tool(NULL, argv, env);
    assert_int_equal(o.code, 124);
    assert_non_null(strchr(o.out, '\n'));
    assert_memory_equal(strchr(o.out, '\n') + 1, "{\"v\":1,", 7);
    expect_schema(o.out);
    outcome_release(&o);
}

static void the_api_is_for_scripts(void **state)
{
    struct cluster *c = *state;
    EXPECT("api", 0, "server-1\ntrue\n\n", "", "GET", "agent/self", "Config.NodeName",
           "Config.Server", "Config.None");
    EXPECT("api", 1, "cannot GET nothing/there: 404 ", "", "GET", "nothing/there");
    struct outcome o = lictor(c, "api", NULL,
                              (const char *const[]){"GET", "agent/self", "--keys", NULL});
    assert_non_null(strstr(o.out, "DebugConfig\n"));
    outcome_release(&o);
}

/* As nobody the state of the agent's user cannot be used, and a retry is not possible. */
static void somebody_else_is_told_who_it_takes(void **state)
{
    (void)state;
    const char *argv[] = {"/usr/bin/setpriv",
                          "--reuid=65534",
                          "--clear-groups",
                          TEST_BIN "/lictor",
                          "--state-dir",
                          "/",
                          "retry",
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err,
                        "lictor retry: this must run as root or as the agent's user (root)\n");
    assert_int_equal(o.code, 1);
    outcome_release(&o);
}

/* ---- with ACLs ----------------------------------------------------------- */

static void a_node_may_not_write_settings(void **state)
{
    struct cluster *c = *state;
    struct outcome o = lictor(c, "set", NULL, (const char *const[]){"CLUSTER_GRACE=1h", NULL});
    assert_int_equal(o.code, 1);
    assert_memory_equal(o.err, "lictor set: cannot write KV ", 28);
    assert_non_null(strstr(o.err, "(the token needs key \"" HARNESS_ROOT
                                  "/service/cluster/tag/any/CLUSTER_GRACE\" write)\n"));
    outcome_release(&o);
    o = lictor(c, "api", NULL, (const char *const[]){"PUT", "agent/reload", NULL});
    assert_int_equal(o.code, 3);
    assert_memory_equal(o.out, "cannot PUT agent/reload: 403 ", 29);
    outcome_release(&o);
}

static void a_token_in_the_environment_counts(void **state)
{
    struct cluster *c = *state;
    char token[100];
    (void)snprintf(token, sizeof token, "CONSUL_HTTP_TOKEN=%s", c->token);
    struct outcome o = lictor(c, "set", (const char *const[]){token, NULL},
                              (const char *const[]){"CLUSTER_GRACE=1h", NULL});
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, "CLUSTER_GRACE: not set -> \"1h\"\n");
    outcome_release(&o);
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
        cmocka_unit_test(every_command_explains_itself),
        cmocka_unit_test(the_readme_holds_the_table),
        cmocka_unit_test(values_are_written_and_taken_out),
        cmocka_unit_test(wrong_values_change_nothing),
        cmocka_unit_test(an_old_wrong_value_is_in_the_way_of_its_set_only),
        cmocka_unit_test(unknown_keys_can_be_taken_out),
        cmocka_unit_test(show_says_what_is_in_force),
        cmocka_unit_test(show_says_that_a_set_is_refused),
        cmocka_unit_test(show_says_what_each_server_has_in_force),
        cmocka_unit_test(maintenance_has_an_end),
        cmocka_unit_test(somebody_faster_wins),
        cmocka_unit_test(without_an_agent_it_says_so),
        cmocka_unit_test(an_untrusted_file_names_no_agent),
        cmocka_unit_test(confirming_is_handed_on),
        cmocka_unit_test(the_cluster_is_shown),
        cmocka_unit_test(programs_read_it_as_json),
        cmocka_unit_test(a_watch_looks_again_and_again),
        cmocka_unit_test(the_api_is_for_scripts),
        cmocka_unit_test(somebody_else_is_told_who_it_takes),
    };
    const struct CMUnitTest with_acl[] = {
        cmocka_unit_test(a_node_may_not_write_settings),
        cmocka_unit_test(a_token_in_the_environment_counts),
    };
    int failed = HARNESS_RUN("lictor", tests, setup, cluster_tear_down);
    return failed + HARNESS_RUN("cluster-set-acl", with_acl, setup_acl, cluster_tear_down);
}
