/* SPDX-License-Identifier: MIT */
/* Elasticsearch without TLS, without a user. */
#include "security/log_facts.h"

#include "scratch.h"
#include "settings/service_urls.h"
#include "test.h"

#define PLAIN(url) "elasticsearch-plaintext: logs go to " url " without TLS\n"
#define NO_USER    "elasticsearch-no-user: logs are written to Elasticsearch without a user\n"

static const struct row {
    const char *url, *credential, *enabled;
    const char *expected;
} rows[] = {
    {"https://a.example", "writer", NULL, ""},
    {"https://a.example", NULL, NULL, NO_USER},
    {"http://a.example", "writer", NULL, PLAIN("http://a.example:9200")},
    {"https://a.example,http://b.example:80,http://c.example", NULL, NULL,
     PLAIN("http://b.example:80") NO_USER},
    {"http://127.0.0.1:9200,http://[::1]", "writer", NULL, ""},
    {"http://10.0.0.1", NULL, "N", ""},
    {NULL, NULL, "Y", ""},
    {"consul:es", "writer", NULL, PLAIN("http://b.example:9200")},
    {"consul:es", NULL, NULL, PLAIN("http://b.example:9200") NO_USER},
    {"http://a b", NULL, NULL, ""},
};

static void add(struct kv_list *list, const char *key, const char *value)
{
    char path[SETTINGS_KEY];
    (void)snprintf(path, sizeof path, "r" SETTINGS_PLACE "%s", key);
    if (value)
        assert_int_equal(kv_add(list, path, value, strlen(value), 1), 0);
}

static void judge(const struct row *row, char text[900])
{
    static struct findings findings;
    struct kv_list list = {0};
    struct settings s = {0};
    struct log_facts facts;
    size_t used = 0;
    findings = (struct findings){0};
    add(&list, "LOG_ELASTICSEARCH_URL", row->url);
    add(&list, "LOG_ELASTICSEARCH_CREDENTIAL", row->credential);
    add(&list, "LOG_ENABLED", row->enabled);
    settings_parse(&list, "r", &s);
    log_facts_read(&s, scratch_dir, &facts);
    log_facts_judge(&facts, &s, &findings);
    text[0] = '\0';
    for (size_t i = 0; i < findings.n; i++) {
        assert_string_not_equal(findings.found[i].repair, "");
        used += (size_t)snprintf(text + used, 900 - used, "%s: %s\n",
                                 finding_row(findings.found[i].kind)->name, findings.found[i].what);
    }
    settings_release(&s);
    kv_release(&list);
}

static void the_way_of_the_logs_is_judged(void **state)
{
    const struct service_urls found = {"es", "https://a.example:9200,http://b.example:9200", ""};
    struct error err = {0};
    (void)state;
    assert_int_equal(service_urls_write(scratch_dir, &found, &err), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[900];
        print_message("  %s\n", rows[i].url ? rows[i].url : "none");
        judge(&rows[i], text);
        assert_string_equal(text, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        the_way_of_the_logs_is_judged, scratch_set_up, scratch_tear_down)};
    return cmocka_run_group_tests_name("log_facts", tests, NULL, NULL);
}
