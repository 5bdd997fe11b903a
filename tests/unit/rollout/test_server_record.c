/* SPDX-License-Identifier: MIT */
#include "rollout/server_record.h"

#include "test.h"

#define A "aaaaaa1111111111111111111111111111111111111111111111111111111111"

static void a_record_survives_writing_and_reading(void **state)
{
    (void)state;
    struct server_record in = {.node = "n1", .revision = A, .reason = "rsyslogd: \"bad\" \\ line"};
    struct server_record out;
    struct error err = {0};
    for (int i = SERVER_RECORD_KEPT; i <= SERVER_RECORD_FAILED; i++) {
        in.state = (enum server_record_state)i;
        (void)snprintf(in.cluster_uuid, sizeof in.cluster_uuid, "%s",
                       i % 2 ? "" : "yVzQkXGLSEStZ7tqOXlNcw");
        char *text = server_record_format(&in);
        assert_non_null(text);
        assert_int_equal(server_record_parse("n1", text, strlen(text), &out, &err), 0);
        assert_string_equal(out.node, in.node);
        assert_int_equal(server_record_same(&in, &out), true);
        cJSON_free(text);
    }
}

/* Older servers of the cluster must read it during an upgrade: these are the words they know. */
static void a_record_is_written_as_older_servers_know_it(void **state)
{
    (void)state;
    static const char *const words[] = {"kept", "applying", "done", "failed"};
    for (int i = SERVER_RECORD_KEPT; i <= SERVER_RECORD_FAILED; i++) {
        char wanted[300];
        struct server_record r = {.node = "n1",
                                  .revision = A,
                                  .reason = "why",
                                  .state = (enum server_record_state)i,
                                  .unproven = i == 3};
        char *text = server_record_format(&r);
        (void)snprintf(wanted, sizeof wanted,
                       "{\"v\":1,\"revision\":\"" A "\",\"state\":\"%s\",\"reason\":\"why\"%s}",
                       words[i], i == 3 ? ",\"unproven\":true" : "");
        assert_string_equal(text, wanted);
        cJSON_free(text);
    }
}

static void every_part_of_a_record_counts(void **state)
{
    (void)state;
    const struct server_record as = {.node = "n1", .revision = A, .reason = "why"};
    struct server_record other[] = {as, as, as, as, as};
    other[0].state = SERVER_RECORD_DONE;
    other[1].revision[0] = 'b';
    other[2].reason[0] = 'W';
    other[3].cluster_uuid[0] = 'u';
    other[4].target[0] = 'i';
    for (size_t i = 0; i < COUNT(other); i++)
        assert_int_equal(server_record_same(&as, &other[i]), false);
    other[0] = as;
    (void)snprintf(other[0].node, sizeof other[0].node, "n2");
    assert_int_equal(server_record_same(&as, &other[0]), true);
}

static void a_hostile_record_is_refused_or_made_printable(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "null",
                                      "[]",
                                      "{}",
                                      "{\"revision\":\"\"}",
                                      "{\"revision\":1,\"state\":\"done\"}",
                                      "{\"revision\":\"xyz\",\"state\":\"done\"}",
                                      "{\"revision\":\"\",\"state\":\"DONE\"}",
                                      "{\"revision\":\"" A "0\",\"state\":\"done\"}"};
    struct server_record out;
    struct error err = {0};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(server_record_parse("n2", bad[i], strlen(bad[i]), &out, &err), -EBADMSG);
        assert_string_equal(err.text, "lictor/logging/n2 is not a record of a server");
    }
    static const char odd[] =
        "{\"revision\":\"\",\"state\":\"kept\",\"reason\":\"a\\n\\u001b[31mb\\u00e4\","
        "\"cluster_uuid\":\"\\u0007\"}";
    assert_int_equal(server_record_parse("n2", odd, sizeof odd - 1, &out, &err), 0);
    assert_string_equal(out.reason, "a??[31mb??");
    assert_string_equal(out.cluster_uuid, "?");
}

#define RECORD(state) "{\"revision\":\"\",\"state\":\"" state "\"}"

static const struct {
    const char *a[8], *b[8]; /* key, value, ... */
    bool same;
} digests[] = {
    {{"lictor/logging/n1", RECORD("kept")}, {"lictor/logging/n1", RECORD("kept")}, true},
    {{"lictor/logging/n1", RECORD("kept")}, {"lictor/logging/n1", RECORD("done")}, false},
    {{"lictor/logging/n1", RECORD("kept")}, {"lictor/logging/n2", RECORD("kept")}, false},
    {{"lictor/logging/n1", RECORD("kept")}, {"lictor/logging/n1", "nonsense"}, false},
    {{"lictor/logging/n1", RECORD("kept")},
     {"lictor/logging/n1", RECORD("kept"), "lictor/logging/zz", "{}", "lictor/other",
      RECORD("kept")},
     true},
    {{NULL}, {"lictor/logging/zz", "1"}, true},
};

static bool same_digest(const char *const *a, const char *const *b)
{
    struct kv_list list[2] = {{0}, {0}};
    char digest[2][KV_DIGEST];
    for (; *a; a += 2)
        assert_int_equal(kv_set(&list[0], a[0], a[1]), 0);
    for (; *b; b += 2)
        assert_int_equal(kv_set(&list[1], b[0], b[1]), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(server_record_digest(&list[i], digest[i], NULL), 0);
        kv_release(&list[i]);
    }
    return strcmp(digest[0], digest[1]) == 0;
}

static void only_records_start_a_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(digests); i++) {
        print_message("  %s\n", digests[i].b[1]);
        assert_int_equal(same_digest(digests[i].a, digests[i].b), digests[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_survives_writing_and_reading),
        cmocka_unit_test(a_record_is_written_as_older_servers_know_it),
        cmocka_unit_test(every_part_of_a_record_counts),
        cmocka_unit_test(a_hostile_record_is_refused_or_made_printable),
        cmocka_unit_test(only_records_start_a_run),
    };
    return cmocka_run_group_tests_name("server_record", tests, NULL, NULL);
}
