/* check-settings as a process: exit code, stdout, stderr. */
#include "harness.h"
#include "scratch.h"

#define PLACE HARNESS_ROOT "/service/cluster/tag/any/"

#define URL_END                                                                                    \
    "; expected http(s)://host[:port],... (port 9200 if none) or consul:service, for "             \
    "example "                                                                                     \
    "http://es1:9200,http://es2:9200\n"
#define INCOMPLETE "LOG_ELASTICSEARCH_URL: is missing, so the LOG_ settings are incomplete" URL_END
#define LOUD                                                                                       \
    "LOG_LEVEL: \"loud\" is unknown; expected debug, info, warn, error or fatal, for "             \
    "example warn\n"
#define LATER                                                                                      \
    "CLUSTER_GRACE: \"later\" is no duration; expected duration from 0s to "                       \
    "7d, for example 30m\n"

#define SKEW_END "; expected duration from 50ms to 10s, for example "
#define MORE                                                                                       \
    "CLOCK_SKEW_WARNING: 800ms is more than CLOCK_SKEW_CRITICAL, 500ms: both are "                 \
    "refused" SKEW_END "200ms\n"
#define LESS                                                                                       \
    "CLOCK_SKEW_CRITICAL: 500ms is less than CLOCK_SKEW_WARNING, 800ms: both are "                 \
    "refused" SKEW_END "1s\n"

#define ENTRY(key, base64)                                                                         \
    "{\"LockIndex\":0,\"Key\":\"" PLACE key "\",\"Flags\":0,\"Value\":\"" base64                   \
    "\",\"CreateIndex\":1,\"ModifyIndex\":7}"
#define IN_KV(entries) "[" entries "]\n"
#define ES1            ENTRY("LOG_ELASTICSEARCH_URL", "aHR0cDovL2VzMQ==") /* http://es1 */
#define LOUD_IN_KV     ENTRY("LOG_LEVEL", "bG91ZA==")
#define LATER_IN_KV    ENTRY("CLUSTER_GRACE", "bGF0ZXI=")
#define LIMITS_IN_KV                                                                               \
    ENTRY("CLOCK_SKEW_WARNING", "ODAwbXM=")                                                        \
    "," /* 800ms, 1s */                                                                            \
        ENTRY("CLOCK_SKEW_CRITICAL", "MXM=")

static const struct row {
    const char *input; /* NULL: /dev/null */
    const char *words[6];
    int code;
    const char *out, *err;
} rows[] = {
    {"", {0}, 0, "", ""},
    {NULL, {"LOG_ENABLED=N"}, 0, "", ""},
    {NULL, {"LOG_ELASTICSEARCH_URL=http://es1", "LOG_LEVEL=warn"}, 0, "", ""},
    {"LOG_ELASTICSEARCH_URL=http://es1\nLOG_LEVEL=warn\n", {0}, 0, "", ""},
    {"\n\nCLUSTER_GRACE=1h", {0}, 0, "", ""},
    {NULL, {"LOG_INDEX=a"}, 1, INCOMPLETE, ""},
    {"CLUSTER_GRACE=later\nLOG_LEVEL=loud\nLOG_ENABLED=N\n", {0}, 1, LOUD LATER, ""},
    {NULL, {"LOG_INDX=a"}, 1, "LOG_INDX: there is no setting of that name\n", ""},
    {NULL, {"log_level=warn"}, 1, "log_level: there is no setting of that name (LOG_LEVEL?)\n", ""},
    {NULL,
     {"LOG_ELASTICSEARCH_URL=http://127.0.0.1"},
     1,
     "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is not allowed by \"elasticsearch.hosts\" "
     "in "
     "the policy without policy.json (loopback and link-local hosts must be listed "
     "themselves)\n",
     ""},
    {NULL,
     {"LOG_ELASTICSEARCH_URL=http://u:secret@es1"},
     1,
     "LOG_ELASTICSEARCH_URL: \"http://***@es1\" holds a user or a password" URL_END,
     ""},
    {NULL, {"LOG_LEVEL"}, 2, "", "check-settings: \"LOG_LEVEL\" is not KEY=VALUE\n"},
    {NULL, {"=x"}, 2, "", "check-settings: \"=x\" is not KEY=VALUE\n"},
    {"a\x1b[2J\n", {0}, 2, "", "check-settings: \"a?[2J\" is not KEY=VALUE\n"},
    {NULL,
     {"CLUSTER_GRACE=1h", "CLUSTER_GRACE=2h"},
     2,
     "",
     "check-settings: CLUSTER_GRACE stands there twice\n"},
    {NULL,
     {"--what"},
     2,
     "",
     "check-settings: unknown option --what, see "
     "check-settings --help\n"},

    {"", {"--kv"}, 0, "", ""},
    {"null", {"--kv"}, 0, "", ""},
    {"[]", {"--kv"}, 0, "", ""},
    {IN_KV(ES1), {"--kv"}, 0, "", ""},
    {IN_KV(ES1), {"--kv", "LOG_INDEX=a"}, 0, "", ""},
    {IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV), {"--kv"}, 1, LOUD LATER, ""},
    {IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV), {"--kv", "LOG_INDEX=a"}, 1, LOUD, ""},
    {IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV), {"--kv", "CLUSTER_MANAGEMENT_SERVER=m"}, 0, "", ""},
    {IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV), {"--kv", "LOG_LEVEL=warn"}, 0, "", ""},
    {IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV), {"--kv", "LOG_LEVEL"}, 0, "", ""},
    {IN_KV(ES1), {"--kv", "LOG_ELASTICSEARCH_URL"}, 0, "", ""},
    {IN_KV(ES1 "," LOUD_IN_KV),
     {"--kv", "LOG_LEVEL=warn", "LOG_ELASTICSEARCH_URL"},
     1,
     INCOMPLETE,
     ""},
    {NULL, {"CLOCK_SKEW_WARNING=800ms", "CLOCK_SKEW_CRITICAL=1s"}, 0, "", ""},
    {NULL, {"CLOCK_REFERENCE=ntp1.example,[fd00::1]:1123"}, 0, "", ""},
    {NULL, {"CLOCK_SKEW_WARNING=800ms"}, 1, MORE, ""},
    {IN_KV(LIMITS_IN_KV), {"--kv"}, 0, "", ""},
    {IN_KV(LIMITS_IN_KV), {"--kv", "CLOCK_SKEW_WARNING"}, 0, "", ""},
    {IN_KV(LIMITS_IN_KV), {"--kv", "CLOCK_SKEW_CRITICAL"}, 1, LESS, ""},
    {IN_KV(LIMITS_IN_KV), {"--kv", "CLOCK_SKEW_CRITICAL=500ms"}, 1, LESS, ""},
    {IN_KV(ENTRY("TYPO", "")), {"--kv"}, 1, "TYPO: there is no setting of that name\n", ""},
    {IN_KV(ENTRY("TYPO", "")), {"--kv", "CLUSTER_GRACE=1h"}, 0, "", ""},
    {IN_KV(ENTRY("TYPO", "")), {"--kv", "TYPO"}, 0, "", ""},
    {IN_KV(ENTRY("LOG_LEVEL", "ZGVi\\u0000")),
     {"--kv"},
     1,
     "",
     "check-settings: stdin: holds U+0000 or no valid \\u escape\n"},
    {IN_KV(ENTRY("LOG_LEVEL", "*")),
     {"--kv"},
     1,
     "",
     "check-settings: KV entry " PLACE "LOG_LEVEL: value is not base64\n"},
    {"rpc error", {"--kv"}, 1, "", "check-settings: stdin: is not JSON\n"},
    {"\"x\"", {"--kv"}, 1, "", "check-settings: not a list of KV entries\n"},
};

static struct outcome check(const char *input, const char *config_dir, const char *const *words)
{
    const char *argv[16] = {TEST_BIN "/check-settings", "--config-dir", config_dir};
    for (size_t i = 0; words[i]; i++)
        argv[i + 3] = words[i];
    return run_tool(input, argv, NULL);
}

static void lines_and_changes_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o = check(rows[i].input, scratch_dir, rows[i].words);
        assert_string_equal(o.err, rows[i].err);
        assert_string_equal(o.out, rows[i].out);
        assert_int_equal(o.code, rows[i].code);
        outcome_release(&o);
    }
}

static void expect(const char *input, const char *const *words, int code, const char *part)
{
    struct outcome o = check(input, scratch_dir, words);
    if (!strstr(o.out, part))
        fail_msg("\"%s\" is not in \"%s\" (%s)", part, o.out, o.err);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

static void help_version_and_table(void **state)
{
    (void)state;
    expect(NULL, (const char *[]){"--help", NULL}, 0, "usage: check-settings [OPTION]");
    expect(NULL, (const char *[]){"--version", NULL}, 0, "check-settings 0.");
    expect(NULL, (const char *[]){"--table", NULL}, 0,
           "| `LOG_LEVEL` | debug, info, warn, error or fatal | `info` | Least severe "
           "level that is shipped. |\n");
}

static void the_readme_holds_the_table(void **state)
{
    (void)state;
    struct outcome o = check(NULL, scratch_dir, (const char *[]){"--table", NULL});
    struct outcome readme = run_tool(
        NULL, (const char *[]){"/bin/cat", SOURCE_DIR "/README.md", NULL}, NULL);
    assert_true(strlen(o.out) > 100);
    if (!strstr(readme.out, o.out))
        fail_msg("README.md does not hold what check-settings --table prints");
    outcome_release(&readme);
    outcome_release(&o);
}

static void json_says_where_a_value_is_from(void **state)
{
    (void)state;
    const char *const words[] = {"--kv", "--json", NULL};
    expect("", words, 0,
           "{\"settings\":[{\"key\":\"LOG_ENABLED\",\"value\":\"Y\",\"from\":\"default\","
           "\"problem\":\"\",\"stored\":null},{\"key\":\"LOG_ELASTICSEARCH_URL\","
           "\"value\":\"\",\"from\":\"none\",\"problem\":\"\",\"stored\":null},");
    expect("", words, 0,
           "\"unknown\":[],\"log\":{\"state\":\"none\",\"reason\":\"\",\"revision\":"
           "\"\"}");
    expect(IN_KV(ES1), words, 0,
           "\"value\":\"http://es1:9200\",\"from\":\"KV\",\"problem\":\"\",\"stored\":"
           "\"http://es1\"}");
    expect(IN_KV(ES1), words, 0, "\"log\":{\"state\":\"on\",\"reason\":\"\",\"revision\":");
    expect(IN_KV(ES1 "," LOUD_IN_KV), words, 1,
           "{\"key\":\"LOG_LEVEL\",\"value\":\"info\",\"from\":\"default\",\"problem\":"
           "\"LOG_LEVEL: \\\"loud\\\" is unknown;");
    expect(IN_KV(ES1 "," LOUD_IN_KV), words, 1, "\"log\":{\"state\":\"refused\"");
    expect(IN_KV(ENTRY("X", "")), words, 1,
           "\"unknown\":[\"X: there is no setting of that name\"]");
    /* "a", ESC, "b", NUL, "c" */
    expect(IN_KV(ENTRY("LOG_INDEX", "YRtiAGM=")), words, 1, "\"stored\":\"a?b?c\"");
}

static void the_policy_of_the_directory_counts(void **state)
{
    (void)state;
    char pinned[300], barred[300];
    (void)snprintf(
        barred, sizeof barred,
        "LOG_ELASTICSEARCH_URL: host es1 is not allowed by \"elasticsearch.hosts\" in %s/",
        scratch_dir);
    scratch_put("policy.json",
                "{\"elasticsearch\":{\"hosts\":[\"127.0.0.0/8\"]},"
                "\"pin\":{\"LOG_INDEX\":\"fixed\"}}",
                0644);
    expect(NULL, (const char *[]){"LOG_ELASTICSEARCH_URL=http://127.0.0.1", NULL}, 0, "");
    expect(NULL, (const char *[]){"LOG_ELASTICSEARCH_URL=http://es1", NULL}, 1, barred);
    (void)snprintf(pinned, sizeof pinned,
                   "LOG_INDEX: is pinned to \"fixed\" by \"pin\" in %s/policy.json: KV "
                   "cannot change it\n",
                   scratch_dir);
    expect(NULL, (const char *[]){"LOG_ELASTICSEARCH_URL=http://127.1.1.1", "LOG_INDEX=a", NULL}, 1,
           pinned);
    expect(NULL,
           (const char *[]){"LOG_ELASTICSEARCH_URL=http://127.1.1.1", "LOG_INDEX=fixed", NULL}, 0,
           "");
    expect(IN_KV(ES1), (const char *[]){"--kv", "--json", NULL}, 1,
           "{\"key\":\"LOG_INDEX\",\"value\":\"fixed\",\"from\":\"policy\"");
}

/* Root, who can read it, is told before the servers would refuse. */
static void the_credential_of_the_directory_counts(void **state)
{
    (void)state;
    char missing[300];
    scratch_put("policy.json", "{}", 0644);
    scratch_mkdir("credentials", 0755);
    (void)snprintf(missing, sizeof missing,
                   "LOG_ELASTICSEARCH_CREDENTIAL: there is no credential x on this server: %s/",
                   scratch_dir);
    const char *const names[] = {"LOG_ELASTICSEARCH_URL=https://es1",
                                 "LOG_ELASTICSEARCH_CREDENTIAL=x", NULL};
    expect(NULL, names, 1, missing);
    scratch_put("credentials/x.json",
                "{\"user\":\"u\",\"password\":\"secret\",\"hosts\":[\"es1\"]}", 0640);
    expect(NULL, names, 0, "");
    expect(NULL,
           (const char *[]){"LOG_ELASTICSEARCH_URL=https://es1,https://es2",
                            "LOG_ELASTICSEARCH_CREDENTIAL=x", NULL},
           1, "LOG_ELASTICSEARCH_URL: host es2 is not among \"hosts\" in ");
    expect(NULL,
           (const char *[]){"LOG_ELASTICSEARCH_URL=http://es1", "LOG_ELASTICSEARCH_CREDENTIAL=x",
                            NULL},
           1, "LOG_ELASTICSEARCH_URL: host es1 is reached by http://, which ");
}

static void an_untrusted_policy_judges_nothing(void **state)
{
    (void)state;
    const char *const words[] = {"LOG_ENABLED=N", NULL};
    scratch_put("policy.json", "{}", 0666);
    struct outcome o = check(NULL, scratch_dir, words);
    assert_int_equal(o.code, 1);
    assert_string_equal(o.out, "");
    assert_non_null(strstr(o.err, "/policy.json can be written by others: chmod go-w it\n"));
    outcome_release(&o);
    scratch_put("policy.json", "{\"pins\":{}}", 0644);
    o = check(NULL, scratch_dir, words);
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(o.err, "/policy.json: unknown member \"pins\"\n"));
    outcome_release(&o);
    scratch_put("policy.json", "{}", 0644);
}

static void huge_input_stops_at_the_limit(void **state)
{
    (void)state;
    size_t len = 17U << 20;
    char *input = malloc(len + 1);
    assert_non_null(input);
    memset(input, 'A', len);
    input[len] = '\0';
    struct outcome o = check(input, scratch_dir, (const char *[]){NULL});
    assert_int_equal(o.code, 1);
    assert_string_equal(o.err, "check-settings: cannot read stdin: it has more than 16 MB\n");
    outcome_release(&o);
    free(input);
}

static struct outcome shell(const char *command)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    return run_tool(NULL, argv, NULL);
}

static void closed_descriptors_and_a_full_disk(void **state)
{
    (void)state;
    struct outcome o = shell(TEST_BIN "/check-settings --table >/dev/full");
    assert_int_equal(o.code, 1);
    assert_string_equal(o.err,
                        "check-settings: cannot write the result: No space left on device\n");
    outcome_release(&o);
    o = shell(TEST_BIN "/check-settings <&- >&- 2>&-");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    o = shell(TEST_BIN "/check-settings </");
    assert_int_equal(o.code, 1);
    assert_string_equal(o.err, "check-settings: cannot read stdin: Is a directory\n");
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_changes_are_judged),
        cmocka_unit_test(help_version_and_table),
        cmocka_unit_test(the_readme_holds_the_table),
        cmocka_unit_test(json_says_where_a_value_is_from),
        cmocka_unit_test(the_policy_of_the_directory_counts),
        cmocka_unit_test(the_credential_of_the_directory_counts),
        cmocka_unit_test(an_untrusted_policy_judges_nothing),
        cmocka_unit_test(huge_input_stops_at_the_limit),
        cmocka_unit_test(closed_descriptors_and_a_full_disk),
    };
    return cmocka_run_group_tests_name("check-settings", tests, scratch_set_up, scratch_tear_down);
}
