/* SPDX-License-Identifier: MIT */
#include "check/check_sync.h"

#include "test.h"

#define AGENT(status)                                                                              \
    "{\"cluster:quorum\":{\"CheckID\":\"cluster:quorum\",\"ServiceID\":\"cluster\","               \
    "\"Status\":\"" status "\"},"                                                                  \
    "\"web\":{\"CheckID\":\"web\",\"ServiceID\":\"web\",\"Status\":\"critical\"}}"
#define SHOWN(node, status)                                                                        \
    "[{\"Node\":\"" node "\",\"CheckID\":\"cluster:quorum\",\"Status\":\"" status "\""             \
    "}]"

static const struct row {
    const char *name, *agent, *catalogue;
    int n;
    const char *ids;
} rows[] = {
    {"both say the same", AGENT("passing"), SHOWN("n1", "passing"), 0, ""},
    {"node names ignore case", AGENT("passing"), SHOWN("N1", "passing"), 0, ""},
    {"another status", AGENT("passing"), SHOWN("n1", "warning"), 1, "cluster:quorum"},
    {"another node's check", AGENT("passing"), SHOWN("n2", "passing"), 1, "cluster:quorum"},
    {"not in the catalogue", AGENT("passing"), "[]", 1, "cluster:quorum"},
    {"nothing of ours", "{}", "[]", 0, ""},
    {"agent gives null", "null", "[]", -EBADMSG, ""},
    {"catalogue gives null", "{}", "null", -EBADMSG, ""},
};

static void unsynced_checks_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char ids[64];
        struct error err = {0};
        cJSON *agent = cJSON_Parse(rows[i].agent);
        cJSON *catalogue = cJSON_Parse(rows[i].catalogue);
        print_message("  %s\n", rows[i].name);
        assert_non_null(agent);
        assert_non_null(catalogue);
        assert_int_equal(check_sync_compare(agent, catalogue, "n1", ids, sizeof ids, &err),
                         rows[i].n);
        assert_string_equal(ids, rows[i].ids);
        cJSON_Delete(agent);
        cJSON_Delete(catalogue);
    }
}

static void many_ids_are_cut_not_overrun(void **state)
{
    (void)state;
    char ids[20];
    struct error err = {0};
    cJSON *agent = cJSON_Parse("{\"a\":{\"CheckID\":\"cluster:first\",\"ServiceID\":\"cluster\"},"
                               "\"b\":{\"CheckID\":\"cluster:second\",\"ServiceID\":\"cluster\"},"
                               "\"c\":{\"CheckID\":\"cluster:third\",\"ServiceID\":\"cluster\"}}");
    cJSON *catalogue = cJSON_CreateArray();
    assert_int_equal(check_sync_compare(agent, catalogue, "n1", ids, sizeof ids, &err), 3);
    assert_string_equal(ids, "cluster:first, clus");
    cJSON_Delete(agent);
    cJSON_Delete(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsynced_checks_are_named),
        cmocka_unit_test(many_ids_are_cut_not_overrun),
    };
    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
