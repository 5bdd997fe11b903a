/* SPDX-License-Identifier: MIT */
/* What is asked of Consul without a token, and its answers. */
#include "security/anonymous.h"

#include "base/json.h"
#include "test.h"

#define NO  "\"Allow\":false}"
#define YES "\"Allow\":true}"

static const struct row {
    const char *settings, *records, *service, *node, *agent, *operator, * acl, *keyring;
    const char *expected; /* "" none */
} rows[] = {
    {NO, NO, NO, NO, NO, NO, NO, NO, ""},
    {YES, NO, NO, NO, NO, NO, NO, NO, "whoever has no token may write settings"},
    {YES, YES, YES, NO, NO, NO, NO, NO,
     "whoever has no token may write settings, Lictor's records and services"},
    {NO, NO, NO, NO, NO, NO, YES, YES, "whoever has no token may write ACLs and the keyring"},
    {YES, YES, YES, YES, YES, YES, YES, YES,
     "whoever has no token may write settings, Lictor's records, services, nodes, agents, "
     "operator, ACLs and the keyring"},
    {"\"Allow\":1}", NO, NO, NO, NO, NO, NO, NO,
     "Consul's answer to internal/acl/authorize is not as expected"},
    {NO, NO, NO, NO, NO, NO, NO, "\"Allowed\":true}",
     "Consul's answer to internal/acl/authorize is not as expected"},
};

static void judge(const char *text, struct findings *findings)
{
    cJSON *answer = NULL;
    assert_int_equal(json_parse(text, strlen(text), "it", &answer, NULL), 0);
    *findings = (struct findings){0};
    anonymous_judge(answer, findings);
    cJSON_Delete(answer);
}

static void a_right_to_write_is_named(void **state)
{
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[900];
        const struct row *row = &rows[i];
        (void)snprintf(text, sizeof text,
                       "[{\"Resource\":\"key\",%s,{\"Resource\":\"key\",%s,"
                       "{\"Resource\":\"service\",%s,{\"Resource\":\"node\",%s,"
                       "{\"Resource\":\"agent\",%s,{\"Resource\":\"operator\",%s,"
                       "{\"Resource\":\"acl\",%s,{\"Resource\":\"keyring\",%s]",
                       row->settings, row->records, row->service, row->node, row->agent,
                       row->operator, row->acl, row->keyring);
        judge(text, &findings);
        assert_string_equal(findings.n ? findings.found[0].what : "", row->expected);
        assert_in_range(findings.n, 0, 1);
    }
}

/* An answer to something else must not count as "nothing is allowed". */
static void another_answer_is_not_taken_for_no(void **state)
{
#define OF(resource) "{\"Resource\":\"" resource "\"," NO
    static const char *const texts[] = {
        "[]", "null", "{}", "[" OF("acl") "," OF("key") "]",
        "[" OF("key") "," OF("key") "," OF("service") "," OF("node") "," OF("agent") "," OF(
            "operator") "," OF("acl") "," OF("key") "]"};
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        judge(texts[i], &findings);
        assert_int_equal(findings.n, 1);
        assert_int_equal(findings.found[0].kind, FINDING_ANONYMOUS_UNKNOWN);
    }
}

static void the_question_names_our_places(void **state)
{
    (void)state;
    char *text = anonymous_question("dc/home/env", "n\"1");
    assert_string_equal(
        text, "[{\"Resource\":\"key\",\"Access\":\"write\",\"Segment\":\"dc/home/env/service/"
              "cluster/tag/any/LOG_ELASTICSEARCH_URL\"},"
              "{\"Resource\":\"key\",\"Access\":\"write\",\"Segment\":\"lictor/mapping\"},"
              "{\"Resource\":\"service\",\"Access\":\"write\",\"Segment\":\"cluster\"},"
              "{\"Resource\":\"node\",\"Access\":\"write\",\"Segment\":\"n\\\"1\"},"
              "{\"Resource\":\"agent\",\"Access\":\"write\",\"Segment\":\"n\\\"1\"},"
              "{\"Resource\":\"operator\",\"Access\":\"write\"},"
              "{\"Resource\":\"acl\",\"Access\":\"write\"},"
              "{\"Resource\":\"keyring\",\"Access\":\"write\"}]");
    cJSON_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_to_write_is_named),
        cmocka_unit_test(another_answer_is_not_taken_for_no),
        cmocka_unit_test(the_question_names_our_places),
    };
    return cmocka_run_group_tests_name("anonymous", tests, NULL, NULL);
}
