/* SPDX-License-Identifier: MIT */
/* What is said to changes of the settings before they are written: lictor set prints it. */
#include "settings/settings_change.h"

#include "base/json.h"
#include "scratch.h"
#include "test.h"

#define ROOT  "dc/home/env"
#define PLACE ROOT "/service/cluster/tag/any/"

#define URL_END                                                                                    \
    "; expected http(s)://host[:port],... (port 9200 if none) or consul:service, for "             \
    "example "                                                                                     \
    "http://es1:9200,http://es2:9200\n"
#define INCOMPLETE "LOG_ELASTICSEARCH_URL: is missing, so the LOG_ settings are incomplete" URL_END
#define LOUD                                                                                       \
    "LOG_LEVEL: \"loud\" is unknown; expected debug, info, warn, error or fatal, for "             \
    "example warn\n"
#define LATER                                                                                      \
    "CLUSTER_GRACE: \"later\" is not a duration; expected duration from 0s to "                    \
    "7d, for example 30m\n"

#define SKEW_END "; expected duration from 50ms to 10s, for example "
#define MORE                                                                                       \
    "CLOCK_SKEW_WARNING: 800ms is more than CLOCK_SKEW_CRITICAL, 500ms: both are "                 \
    "rejected" SKEW_END "200ms\n"
#define LESS                                                                                       \
    "CLOCK_SKEW_CRITICAL: 500ms is less than CLOCK_SKEW_WARNING, 800ms: both are "                 \
    "rejected" SKEW_END "1s\n"

#define ENTRY(key, base64)                                                                         \
    "{\"LockIndex\":0,\"Key\":\"" PLACE key "\",\"Flags\":0,\"Value\":\"" base64                   \
    "\",\"CreateIndex\":1,\"ModifyIndex\":7}"
#define IN_KV(entries) "[" entries "]"
#define ES1            ENTRY("LOG_ELASTICSEARCH_URL", "aHR0cDovL2VzMQ==") /* http://es1 */
#define LOUD_IN_KV     ENTRY("LOG_LEVEL", "bG91ZA==")
#define LATER_IN_KV    ENTRY("CLUSTER_GRACE", "bGF0ZXI=")
#define LIMITS_IN_KV                                                                               \
    ENTRY("CLOCK_SKEW_WARNING", "ODAwbXM=")                                                        \
    "," /* 800ms, 1s */                                                                            \
        ENTRY("CLOCK_SKEW_CRITICAL", "MXM=")

#define ALL_IN_KV IN_KV(ES1 "," LOUD_IN_KV "," LATER_IN_KV)

static const struct row {
    const char *kv; /* NULL: nothing is there */
    const char *words[4];
    const char *problems; /* "" it may be written */
    const char *usage;    /* why a word is no change */
} rows[] = {
    {.problems = ""},
    {.words = {"LOG_ENABLED=N"}, .problems = ""},
    {.words = {"LOG_ELASTICSEARCH_URL=http://es1", "LOG_LEVEL=warn"}, .problems = ""},
    {.words = {"CLUSTER_GRACE=1h"}, .problems = ""},
    {.words = {"LOG_INDEX=a"}, .problems = INCOMPLETE},
    {.words = {"CLUSTER_GRACE=later", "LOG_LEVEL=loud", "LOG_ENABLED=N"}, .problems = LOUD LATER},
    {.words = {"LOG_INDX=a"},
     .problems = "LOG_INDX: there is no setting of that name (LOG_INDEX?)\n"},
    {.words = {"log_level=warn"},
     .problems = "log_level: there is no setting of that name (LOG_LEVEL?)\n"},
    {.words = {"ANYTHING=a"}, .problems = "ANYTHING: there is no setting of that name\n"},
    {.words = {"LOG_ELASTICSEARCH_URL=http://127.0.0.1"},
     .problems =
         "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is not allowed by \"elasticsearch.hosts\" in the "
         "policy without policy.json (loopback and link-local hosts must be listed themselves)\n"},
    {.words = {"LOG_ELASTICSEARCH_URL=http://u:secret@es1"},
     .problems = "LOG_ELASTICSEARCH_URL: \"http://***@es1\" holds a user or a password" URL_END},
    {.words = {"=x"}, .usage = "\"=x\" is not KEY=VALUE"},
    {.words = {"=a\x1b[2J"}, .usage = "\"=a?[2J\" is not KEY=VALUE"},
    {.words = {"CLUSTER_GRACE=1h", "CLUSTER_GRACE=2h"}, .usage = "CLUSTER_GRACE is given twice"},
    {.kv = "null", .problems = ""},
    {.kv = "[]", .problems = ""},
    {.kv = IN_KV(ES1), .problems = ""},
    {.kv = IN_KV(ES1), .words = {"LOG_INDEX=a"}, .problems = ""},
    {.kv = ALL_IN_KV, .problems = LOUD LATER},
    {.kv = ALL_IN_KV, .words = {"LOG_INDEX=a"}, .problems = LOUD},
    {.kv = ALL_IN_KV, .words = {"CLUSTER_MANAGEMENT_SERVER=m"}, .problems = ""},
    {.kv = ALL_IN_KV, .words = {"LOG_LEVEL=warn"}, .problems = ""},
    {.kv = ALL_IN_KV, .words = {"LOG_LEVEL"}, .problems = ""},
    {.kv = IN_KV(ES1), .words = {"LOG_ELASTICSEARCH_URL"}, .problems = ""},
    {.kv = IN_KV(ES1 "," LOUD_IN_KV),
     .words = {"LOG_LEVEL=warn", "LOG_ELASTICSEARCH_URL"},
     .problems = INCOMPLETE},
    {.words = {"CLOCK_SKEW_WARNING=800ms", "CLOCK_SKEW_CRITICAL=1s"}, .problems = ""},
    {.words = {"CLOCK_REFERENCE=ntp1.example,[fd00::1]:1123"}, .problems = ""},
    {.words = {"CLOCK_SKEW_WARNING=800ms"}, .problems = MORE},
    {.kv = IN_KV(LIMITS_IN_KV), .problems = ""},
    {.kv = IN_KV(LIMITS_IN_KV), .words = {"CLOCK_SKEW_WARNING"}, .problems = ""},
    {.kv = IN_KV(LIMITS_IN_KV), .words = {"CLOCK_SKEW_CRITICAL"}, .problems = LESS},
    {.kv = IN_KV(LIMITS_IN_KV), .words = {"CLOCK_SKEW_CRITICAL=500ms"}, .problems = LESS},
    {.kv = IN_KV(ENTRY("TYPO", "")), .problems = "TYPO: there is no setting of that name\n"},
    {.kv = IN_KV(ENTRY("TYPO", "")), .words = {"CLUSTER_GRACE=1h"}, .problems = ""},
    {.kv = IN_KV(ENTRY("TYPO", "")), .words = {"TYPO"}, .problems = ""},
};

/* Judge the words as changes of what is in KV. Returns as settings_change_add() or _judge(). */
static int judge(const char *kv, const char *const *words, struct buffer *problems,
                 struct error *err)
{
    struct settings_change change = {.root = ROOT};
    cJSON *root = NULL;
    int rc = kv ? json_parse(kv, strlen(kv), "kv", &root, err) : 0;
    assert_int_equal(rc, 0);
    assert_int_equal(root ? kv_parse(root, &change.list, err) : 0, 0);
    cJSON_Delete(root);
    for (; rc == 0 && *words; words++)
        rc = settings_change_add(&change, *words, true, err);
    if (rc == 0)
        rc = settings_change_judge(&change, scratch_dir, problems, err);
    settings_change_release(&change);
    return rc;
}

static void every_row_gets_its_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer problems = BUFFER_INIT(10000);
        struct error err = {0};
        int rc = judge(rows[i].kv, rows[i].words, &problems, &err);
        if (rows[i].usage)
            assert_string_equal(err.text, rows[i].usage);
        assert_int_equal(rc, rows[i].usage ? -EINVAL : 0);
        assert_string_equal(buffer_text(&problems), rows[i].usage ? "" : rows[i].problems);
        buffer_release(&problems);
    }
}

/* "": no problem. */
static void expect(const char *const *words, const char *part)
{
    struct buffer problems = BUFFER_INIT(10000);
    struct error err = {0};
    assert_int_equal(judge(NULL, words, &problems, &err), 0);
    if (!strstr(buffer_text(&problems), part) || (!part[0] && problems.len > 0))
        fail_msg("\"%s\" is not in \"%s\"", part, buffer_text(&problems));
    buffer_release(&problems);
}

#define EXPECT(part, ...) expect((const char *const[]){__VA_ARGS__, NULL}, part)

static void the_policy_of_the_directory_counts(void **state)
{
    (void)state;
    char pinned[300];
    scratch_put("policy.json",
                "{\"elasticsearch\":{\"hosts\":[\"127.0.0.0/8\"]},"
                "\"pin\":{\"LOG_INDEX\":\"fixed\"}}",
                0644);
    (void)snprintf(pinned, sizeof pinned,
                   "LOG_INDEX: is pinned to \"fixed\" by \"pin\" in %s/policy.json: KV "
                   "cannot change it\n",
                   scratch_dir);
    EXPECT("", "LOG_ELASTICSEARCH_URL=http://127.0.0.1");
    EXPECT("LOG_ELASTICSEARCH_URL: host es1 is not allowed by \"elasticsearch.hosts\" in /",
           "LOG_ELASTICSEARCH_URL=http://es1");
    EXPECT(pinned, "LOG_ELASTICSEARCH_URL=http://127.1.1.1", "LOG_INDEX=a");
    EXPECT("", "LOG_ELASTICSEARCH_URL=http://127.1.1.1", "LOG_INDEX=fixed");
}

/* Root, who can read it, is told before the servers would reject it. */
static void the_credential_of_the_directory_counts(void **state)
{
    (void)state;
    char missing[300];
    scratch_mkdir("credentials", 0755);
    (void)snprintf(missing, sizeof missing,
                   "LOG_ELASTICSEARCH_CREDENTIAL: there is no credential x on this server: %s/",
                   scratch_dir);
    EXPECT(missing, "LOG_ELASTICSEARCH_URL=https://es1", "LOG_ELASTICSEARCH_CREDENTIAL=x");
    scratch_put("credentials/x.json",
                "{\"user\":\"u\",\"password\":\"secret\",\"hosts\":[\"es1\"]}", 0640);
    EXPECT("", "LOG_ELASTICSEARCH_URL=https://es1", "LOG_ELASTICSEARCH_CREDENTIAL=x");
    EXPECT("LOG_ELASTICSEARCH_URL: host es2 is not among \"hosts\" in ",
           "LOG_ELASTICSEARCH_URL=https://es1,https://es2", "LOG_ELASTICSEARCH_CREDENTIAL=x");
    EXPECT("LOG_ELASTICSEARCH_URL: host es1 is reached by http://, which ",
           "LOG_ELASTICSEARCH_URL=http://es1", "LOG_ELASTICSEARCH_CREDENTIAL=x");
}

static void an_untrusted_policy_judges_nothing(void **state)
{
    (void)state;
    const char *const words[] = {"LOG_ENABLED=N", NULL};
    struct buffer problems = BUFFER_INIT(10000);
    struct error err = {0};
    scratch_put("policy.json", "{}", 0666);
    assert_int_equal(judge(NULL, words, &problems, &err), -EPERM);
    assert_non_null(strstr(err.text, "/policy.json can be written by others: chmod go-w it"));
    scratch_put("policy.json", "{\"pins\":{}}", 0644);
    assert_int_equal(judge(NULL, words, &problems, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "/policy.json: unknown member \"pins\""));
    assert_int_equal(problems.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_gets_its_answer),
        TEST(the_policy_of_the_directory_counts),
        TEST(the_credential_of_the_directory_counts),
        TEST(an_untrusted_policy_judges_nothing),
    };
    return cmocka_run_group_tests_name("settings_change", tests, NULL, NULL);
}
