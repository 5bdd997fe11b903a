/* SPDX-License-Identifier: MIT */
#include "settings/effective.h"

#include "test.h"

#define ROOT  "dc/home/env"
#define PLACE ROOT SETTINGS_PLACE

static const char policy_text[] = "{\"pin\":{\"LOG_INDEX\":\"pinned\",\"CLUSTER_GRACE\":\"1h\"},"
                                  "\"elasticsearch\":{\"hosts\":[\"*.example\"]}}";

static const struct {
    const char *keys[3]; /* "KEY=VALUE" */
    enum effective_log log;
    bool service;
    const char *why; /* how it begins */
} rows[] = {
    {.keys = {"CLUSTER_GRACE=5m"}, .log = EFFECTIVE_NONE},
    {.keys = {"LOG_ELASTICSEARCH_URL=http://a.example"}, .log = EFFECTIVE_ALLOWED},
    {.keys = {"LOG_ENABLED=N"}, .log = EFFECTIVE_ALLOWED},
    {.keys = {"LOG_ELASTICSEARCH_URL=http://a.example", "LOG_INDEX=/"}, .log = EFFECTIVE_ALLOWED},
    {.keys = {"LOG_ELASTICSEARCH_URL=http://a.example", "CLOCK_REFERENCE=/"},
     .log = EFFECTIVE_ALLOWED},
    {.keys = {"LOG_ELASTICSEARCH_URL=consul:es"}, .log = EFFECTIVE_ALLOWED, .service = true},
    {.keys = {"LOG_ELASTICSEARCH_URL=consul:es", "LOG_ENABLED=N"}, .log = EFFECTIVE_ALLOWED},
    {.keys = {"LOG_ELASTICSEARCH_URL=consul:es", "LOG_SOURCES=x"},
     .log = EFFECTIVE_FORBIDDEN,
     .service = true,
     .why = "LOG_SOURCES: source x is not allowed"},
    {.keys = {"LOG_ELASTICSEARCH_URL=http://other"},
     .log = EFFECTIVE_FORBIDDEN,
     .why = "LOG_ELASTICSEARCH_URL: host other is not allowed"},
    {.keys = {"LOG_LEVEL=info"},
     .log = EFFECTIVE_REJECTED,
     .why = "LOG_ELASTICSEARCH_URL: is missing"},
    {.keys = {"LOG_ELASTICSEARCH_URL=consul:es", "LOG_LEVEL=loud", "CLUSTER_GRACE=x"},
     .log = EFFECTIVE_REJECTED,
     .why = "LOG_LEVEL: \"loud\""},
};

static void one_judgement_of_everything(void **state)
{
    (void)state;
    struct policy policy = {0};
    assert_int_equal(policy_parse(policy_text, strlen(policy_text), "p", &policy, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kv_list list = {0};
        static struct settings s;
        struct effective log;
        char wanted[KV_DIGEST] = "", path[SETTINGS_KEY], key[64];
        for (size_t k = 0; k < COUNT(rows[i].keys) && rows[i].keys[k]; k++) {
            const char *value = strchr(rows[i].keys[k], '=') + 1;
            (void)snprintf(key, sizeof key, "%.*s", (int)(value - 1 - rows[i].keys[k]),
                           rows[i].keys[k]);
            assert_int_equal(settings_path(ROOT, key, path, NULL), 0);
            assert_int_equal(kv_set(&list, path, value), 0);
        }
        assert_int_equal(effective_judge(&policy, ROOT, &list, &s, &log, NULL), 0);
        const char *why = rows[i].why ? rows[i].why : "";
        if (log.log != rows[i].log || strncmp(log.why.text, why, strlen(why)) != 0)
            fail_msg("%zu: %d, \"%s\"", i, (int)log.log, log.why.text);
        assert_int_equal(log.why.text[0] != '\0', *why != '\0');
        assert_int_equal(effective_service(&s), rows[i].service);
        if (log.log == EFFECTIVE_ALLOWED || log.log == EFFECTIVE_FORBIDDEN)
            assert_int_equal(effective_revision(&s, wanted, NULL), 0);
        assert_string_equal(log.revision, wanted);
        assert_string_equal(kv_find(&list, PLACE "CLUSTER_GRACE")->value, "1h");
        assert_string_equal(s.log_index, s.log_present ? "pinned" : "plossys-log");
        kv_release(&list);
    }
    policy_release(&policy);
}

/* ---- revision ------------------------------------------------------------ */

static void put(struct kv_list *list, const char *key, const char *value)
{
    char path[300];
    (void)snprintf(path, sizeof path, PLACE "%s", key);
    assert_int_equal(kv_add(list, path, value, strlen(value), 7), 0);
}

static void revision_of(const char *const *pairs, char ret[KV_DIGEST])
{
    struct kv_list list = {0};
    static struct settings s;
    struct error err = {0};
    for (size_t i = 0; pairs[i]; i += 2)
        put(&list, pairs[i], pairs[i + 1]);
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.log_rejects, 0);
    assert_int_equal(effective_revision(&s, ret, &err), 0);
    assert_int_equal(strspn(ret, "0123456789abcdef"), 64);
    kv_release(&list);
}

#define URL "LOG_ELASTICSEARCH_URL"

static const struct {
    const char *a[10], *b[10];
    bool same;
} revisions[] = {
    {{URL, "http://a"}, {URL, "http://a:9200"}, true},
    {{URL, "http://a"}, {URL, "HTTP://A/"}, true},
    {{URL, "http://a,http://b"}, {URL, "http://b,http://a"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_ENABLED", "Y"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_INDEX", "plossys-log"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_LEVEL", "info", "LOG_SOURCES", "seal"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_SETTLE", "3s"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_ROLLOUT", "parallel"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_NEW", "3s", "CLUSTER_GRACE", "1m"}, true},
    {{URL, "http://a", "LOG_SOURCES", "x,y"}, {URL, "http://a", "LOG_SOURCES", "y,x"}, true},
    {{URL, "http://[fd00::0:1]"}, {URL, "http://[FD00::1]:9200"}, true},
    {{"LOG_ENABLED", "N"}, {"LOG_ENABLED", "N", URL, "http://a", "LOG_INDEX", "x"}, true},
    {{URL, "http://a"}, {URL, "https://a"}, false},
    {{URL, "http://a"}, {URL, "http://a:9201"}, false},
    {{URL, "http://a"}, {URL, "http://b"}, false},
    {{URL, "http://a"}, {URL, "http://a,http://b"}, false},
    {{URL, "http://a"}, {URL, "http://a", "LOG_INDEX", "x"}, false},
    {{URL, "http://a"}, {URL, "http://a", "LOG_ELASTICSEARCH_CREDENTIAL", "x"}, false},
    {{URL, "http://a", "LOG_ELASTICSEARCH_CREDENTIAL", "x"},
     {URL, "http://a", "LOG_ELASTICSEARCH_CREDENTIAL", "y"},
     false},
    {{"LOG_ENABLED", "N"}, {"LOG_ENABLED", "N", "LOG_ELASTICSEARCH_CREDENTIAL", "x"}, true},
    {{URL, "http://a"}, {URL, "http://a", "LOG_LEVEL", "warn"}, false},
    {{URL, "http://a"}, {URL, "http://a", "LOG_SOURCES", "x"}, false},
    {{URL, "http://a"}, {URL, "http://a", "LOG_ENABLED", "N"}, false},
};

static void equal_meanings_have_equal_revisions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(revisions); i++) {
        char a[KV_DIGEST], b[KV_DIGEST];
        revision_of(revisions[i].a, a);
        revision_of(revisions[i].b, b);
        if ((strcmp(a, b) == 0) != revisions[i].same)
            fail_msg("row %zu: the same is %d", i, !revisions[i].same);
    }
}

static void the_revision_keeps_the_order_for_use(void **state)
{
    (void)state;
    static struct settings s;
    char digest[KV_DIGEST];
    struct kv_list list = {0};
    put(&list, URL, "http://b,http://a");
    settings_parse(&list, ROOT, &s);
    kv_release(&list);
    assert_int_equal(effective_revision(&s, digest, NULL), 0);
    assert_string_equal(s.log_url[0], "http://b:9200");
}

/* ---- what starts a run --------------------------------------------------- */

static void digest_of(const char *const *pairs, char ret[KV_DIGEST])
{
    struct kv_list list = {0};
    for (size_t i = 0; pairs[i]; i += 2)
        put(&list, pairs[i], pairs[i + 1]);
    assert_int_equal(effective_digest(&list, ROOT, ret, NULL), 0);
    kv_release(&list);
}

static const struct {
    const char *a[10], *b[10];
    bool same;
} digests[] = {
    {{URL, "http://a"}, {URL, "http://a"}, true},
    {{URL, "http://a"}, {URL, "http://A"}, false},
    {{URL, "http://a"}, {URL, "http://a", "LOG_SETTLE", "3s"}, false},
    {{URL, "http://a"}, {"LOG_INDEX", "http://a"}, false},
    {{URL, "http://a"}, {"LOG_zz", "1", URL, "http://a", "LOG_zz", "2", "LOG_", "3"}, true},
    {{URL, "http://a"}, {"CLUSTER_GRACE", "1m", URL, "http://a"}, true},
    {{NULL}, {"LOG_zz", "1"}, true},
};

static void only_known_log_settings_start_a_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(digests); i++) {
        char a[KV_DIGEST], b[KV_DIGEST];
        digest_of(digests[i].a, a);
        digest_of(digests[i].b, b);
        if ((strcmp(a, b) == 0) != digests[i].same)
            fail_msg("row %zu: the same is %d", i, !digests[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_judgement_of_everything),
        cmocka_unit_test(equal_meanings_have_equal_revisions),
        cmocka_unit_test(only_known_log_settings_start_a_run),
        cmocka_unit_test(the_revision_keeps_the_order_for_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
