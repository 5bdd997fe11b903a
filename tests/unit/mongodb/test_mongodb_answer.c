/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_answer.h"

#include "test.h"

static const struct {
    const char *json; /* of hello */
    const char *set;
    int rc;
    enum mongodb_role role;
} hellos[] = {
    {"{\"isWritablePrimary\":true,\"maxWireVersion\":21}", "", 0, MONGODB_SINGLE},
    {"{\"ismaster\":true,\"maxWireVersion\":{\"$numberInt\":\"6\"}}", "", 0, MONGODB_SINGLE},
    {"{\"isreplicaset\":true,\"maxWireVersion\":6}", "", 0, MONGODB_UNSTARTED},
    {"{\"setName\":\"rs\",\"ismaster\":true,\"maxWireVersion\":6}", "rs", 0, MONGODB_PRIMARY},
    {"{\"setName\":\"rs\",\"secondary\":true,\"maxWireVersion\":6}", "rs", 0, MONGODB_NO_PRIMARY},
    {"{\"setName\":\"r\\ns\",\"maxWireVersion\":6}", "r?s", 0, MONGODB_NO_PRIMARY},
    {"{\"setName\":5,\"maxWireVersion\":6}", "", 0, MONGODB_SINGLE},
    {"{\"setName\":\"rs\"}", NULL, -EBADMSG},
    {"{\"maxWireVersion\":\"6\"}", NULL, -EBADMSG},
    {"[]", NULL, -EBADMSG},
    {"null", NULL, -EBADMSG},
};

static void hello_says_what_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hellos); i++) {
        struct mongodb_answer answer = {.role = MONGODB_SINGLE};
        struct error err = {0};
        cJSON *json = cJSON_Parse(hellos[i].json);
        assert_int_equal(mongodb_answer_hello(json, &answer, &err), hellos[i].rc);
        assert_string_equal(err.text, hellos[i].rc ? "it does not answer as MongoDB does" : "");
        if (hellos[i].rc == 0) {
            assert_int_equal(answer.role, hellos[i].role);
            assert_string_equal(answer.set, hellos[i].set);
        }
        cJSON_Delete(json);
    }
}

#define MEMBER(id, more) "{\"_id\":" id ",\"name\":\"n" id ":27017\"" more "}"
#define STATUS(members)  "{\"set\":\"rs\",\"members\":[" members "]}"
#define CONFIG                                                                                     \
    "{\"config\":{\"members\":[{\"host\":\"n1:27017\"},{\"host\":\"n2:27017\",\"votes\":0}]}}"

static const struct {
    const char *status;
    const char *config;
    const char *why; /* NULL: it is read */
    int state;       /* of the first */
    const char *state_name;
    int64_t optime_ms;
    bool votes;
} members[] = {
    {STATUS(MEMBER("1", ",\"state\":1,\"stateStr\":\"PRIMARY\",\"health\":1.0,\"optimeDate\":{"
                        "\"$date\":\"1970-01-01T00:00:02.5Z\"}")),
     CONFIG, NULL, 1, "PRIMARY", 2500, true},
    {STATUS(MEMBER("2", ",\"state\":{\"$numberInt\":\"2\"},\"stateStr\":\"SECONDARY\","
                        "\"optimeDate\":{\"$date\":{\"$numberLong\":\"1500\"}}")),
     CONFIG, NULL, 2, "SECONDARY", 1500, false},
    {STATUS(MEMBER("1", ",\"state\":2,\"stateStr\":\"SECONDARY\",\"health\":0,\"optimeDate\":5")),
     CONFIG, NULL, 8, "DOWN", 0, true},
    {STATUS(MEMBER("1", ",\"state\":8,\"stateStr\":\"(not reachable/healthy)\",\"health\":"
                        "{\"$numberDouble\":\"0.0\"}")),
     CONFIG, NULL, 8, "DOWN", 0, true},
    {STATUS(MEMBER("3", ",\"state\":2")), CONFIG,
     "replSetGetConfig does not have the member n3:27017"},
    {STATUS(MEMBER("1", "")), CONFIG, "replSetGetStatus has a member without name or state"},
    {STATUS("{\"state\":1}"), CONFIG, "replSetGetStatus has a member without name or state"},
    {STATUS("5"), CONFIG, "replSetGetStatus has a member without name or state"},
    {STATUS(""), CONFIG, "replSetGetStatus has no members"},
    {"{\"set\":\"rs\",\"members\":{}}", CONFIG, "replSetGetStatus has no members"},
    {"{\"members\":[1]}", CONFIG, "replSetGetStatus has no members"},
    {"null", CONFIG, "replSetGetStatus has no members"},
    {STATUS(MEMBER("1", ",\"state\":1")), "{}",
     "replSetGetConfig does not have the member n1:27017"},
};

static void members_are_read_or_it_is_said_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(members); i++) {
        static struct mongodb_view view;
        struct error err = {0};
        cJSON *status = cJSON_Parse(members[i].status), *config = cJSON_Parse(members[i].config);
        int rc = mongodb_answer_members(status, config, &view, &err);
        assert_string_equal(err.text, members[i].why ? members[i].why : "");
        assert_int_equal(rc, members[i].why ? -EBADMSG : 0);
        if (rc == 0) {
            assert_string_equal(view.set, "rs");
            assert_int_equal(view.n, 1);
            assert_int_equal(view.member[0].state, members[i].state);
            assert_string_equal(view.member[0].state_name, members[i].state_name);
            assert_int_equal(view.member[0].optime_ms, members[i].optime_ms);
            assert_int_equal(view.member[0].votes, members[i].votes);
        }
        cJSON_Delete(status);
        cJSON_Delete(config);
    }
}

static void more_members_than_mongodb_has_are_refused(void **state)
{
    (void)state;
    static struct mongodb_view view;
    struct error err = {0};
    cJSON *status = cJSON_Parse("{\"set\":\"rs\"}"), *config = cJSON_Parse(CONFIG);
    cJSON *list = cJSON_AddArrayToObject(status, "members");
    for (int i = 0; i <= MONGODB_MEMBERS; i++)
        cJSON_AddItemToArray(list, cJSON_Parse(MEMBER("1", ",\"state\":2")));
    assert_int_equal(mongodb_answer_members(status, config, &view, &err), -EBADMSG);
    assert_string_equal(err.text, "replSetGetStatus has more than 50 members");
    cJSON_Delete(status);
    cJSON_Delete(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_says_what_it_is),
        cmocka_unit_test(members_are_read_or_it_is_said_why_not),
        cmocka_unit_test(more_members_than_mongodb_has_are_refused),
    };
    return cmocka_run_group_tests_name("mongodb_answer", tests, NULL, NULL);
}
