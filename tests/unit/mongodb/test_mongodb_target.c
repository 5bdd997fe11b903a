/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_nodes.h"
#include "mongodb/mongodb_target.h"

#include "scratch.h"
#include "test.h"

static const struct agent_member gossip[] = {
    {.name = "n1", .address = "10.0.0.1", .server = true, .alive = true},
    {.name = "n2.example", .address = "10.0.0.2", .server = true},
    {.name = "n3", .address = "10.0.0.3", .server = true, .alive = true},
    {.name = "client", .address = "10.0.0.4", .alive = true},
};
static const struct membership_facts who = {.members = gossip, .n_members = COUNT(gossip)};

static void find(const char *key, const char *value, const char *conf, struct mongodb_target *ret)
{
    static struct settings settings;
    struct kv_list list = {0};
    struct policy policy;
    struct error err = {0};
    char text[600], path[300];
    (void)snprintf(text, sizeof text,
                   "{\"mongodb\":{\"hosts\":[\"n1\",\"n2\"],\"files\":[\"/nowhere/mongod.conf\","
                   "\"%s\"]}}",
                   scratch_at("mongod.conf"));
    assert_int_equal(policy_parse(text, strlen(text), "policy.json", &policy, &err), 0);
    (void)snprintf(path, sizeof path, "r" SETTINGS_PLACE "%s", key);
    if (value)
        assert_int_equal(kv_add(&list, path, value, strlen(value), 1), 0);
    settings_parse(&list, "r", &settings);
    if (conf)
        scratch_put("mongod.conf", conf, 0644);
    mongodb_target_find(&policy, &settings, ret);
    settings_release(&settings);
    kv_release(&list);
    policy_release(&policy);
}

static void nothing_says_that_there_is_one(void **state)
{
    (void)state;
    static struct mongodb_target t;
    find("LOG_INDEX", "UPPER", NULL, &t);
    assert_int_equal(t.wanted, false);
    mongodb_target_servers(&who, "n1", &t);
    assert_int_equal(t.n, 0);
}

static void a_url_says_so_also_a_wrong_one(void **state)
{
    (void)state;
    static struct mongodb_target t;
    find("MONGODB_URL", "mongodb://n1,n2", "net:\n  port: 1\n", &t);
    assert_int_equal(t.wanted && t.by_url && t.found, true);
    mongodb_target_servers(&who, "n1", &t);
    assert_int_equal(t.n, 2);
    assert_string_equal(t.server[1].host, "n2");
    assert_int_equal(t.server[1].port, 27017);
    find("MONGODB_URL", "mongodb://n1,n9", NULL, &t);
    assert_int_equal(t.wanted, true);
    assert_int_equal(t.n, 0);
    assert_int_not_equal(t.refusal.text[0], '\0');
    assert_int_equal(unlink(scratch_at("mongod.conf")), 0);
    find("MONGODB_URL", "n1", NULL, &t);
    assert_int_equal(t.wanted, true);
    find("MONGODB_URI", "n1", NULL, &t);
    assert_int_equal(t.wanted, true);
}

static void a_mongod_conf_says_so_and_its_port(void **state)
{
    (void)state;
    static struct mongodb_target t;
    find("MONGODB_CREDENTIAL", "x", "net:\n  port: 27018\n  bindIp: 127.0.0.1,10.0.0.1\n", &t);
    assert_int_equal(t.wanted, true);
    mongodb_target_servers(&who, "N1", &t);
    assert_int_equal(t.n, 3);
    assert_string_equal(t.server[0].host, "10.0.0.1");
    assert_int_equal(t.local[0], true);
    assert_string_equal(t.server[1].host, "10.0.0.2");
    assert_int_equal(t.local[1], false);
    assert_int_equal(t.server[2].port, 27018);
    find("MONGODB_CREDENTIAL", "x", "net:\n  port: 27018\n", &t);
    mongodb_target_servers(&who, "n1", &t);
    assert_string_equal(t.server[0].host, "127.0.0.1");
    find("MONGODB_CREDENTIAL", "x", "net:\n  bindIp: /tmp/x.sock,localhost\n", &t);
    mongodb_target_servers(&who, "n1", &t);
    assert_string_equal(t.server[0].host, "localhost");
    find("MONGODB_CREDENTIAL", "x", "net:\n  bindIp: 0.0.0.0\n", &t);
    mongodb_target_servers(&who, "n1", &t);
    assert_string_equal(t.server[0].host, "10.0.0.1");
}

static void a_mongod_conf_that_cannot_be_read_says_so_too(void **state)
{
    (void)state;
    static struct mongodb_target t;
    scratch_mkdir("mongod.conf", 0755);
    find("MONGODB_CREDENTIAL", "x", NULL, &t);
    assert_int_equal(t.wanted, true);
    assert_int_not_equal(t.unread.text[0], '\0');
    assert_int_equal(t.conf.port, 27017);
}

static const struct {
    const char *host;
    const char *node; /* NULL: none */
} hosts[] = {
    {"n1", "n1"},       {"N1", "n1"},         {"n1.example", "n1"},
    {"10.0.0.3", "n3"}, {"n2", "n2.example"}, {"client", NULL},
    {"10.0.0.4", NULL}, {"n11", NULL},        {"n2.example", "n2.example"},
    {"", NULL},         {"10.0.0.33", NULL},
};

static void a_host_is_found_by_name_and_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const char *node = mongodb_nodes_match(&who, hosts[i].host);
        assert_string_equal(node ? node : "none", hosts[i].node ? hosts[i].node : "none");
    }
}

static void the_host_is_what_comes_before_the_port(void **state)
{
    (void)state;
    char host[MONGODB_NAME];
    assert_string_equal(mongodb_nodes_host("n1:27017", host), "n1");
    assert_string_equal(mongodb_nodes_host("[fd00::1]:27017", host), "fd00::1");
    assert_string_equal(mongodb_nodes_host("n1", host), "n1");
    assert_string_equal(mongodb_nodes_host("[x", host), "x");
    assert_string_equal(mongodb_nodes_host("", host), "");
}

/* "localhost" leads to an address; a name that leads nowhere stays without a node. */
static void a_name_is_resolved(void **state)
{
    (void)state;
    static const struct agent_member own[] = {
        {.name = "n1", .address = "127.0.0.1", .server = true, .alive = true}};
    const struct membership_facts here = {.members = own, .n_members = 1};
    static struct mongodb_view view = {
        .member = {{.name = "localhost:1"}, {.name = "name.invalid:1"}}, .n = 2};
    struct mongodb_answer answers[2] = {{.name = "127.0.0.1:1"}, {.name = "x:1", .node = "kept"}};
    mongodb_nodes_find(&here, answers, 2, &view);
    assert_string_equal(answers[0].node, "n1");
    assert_string_equal(answers[1].node, "kept");
    assert_string_equal(view.member[1].node, "");
    assert_string_equal(view.member[0].node, "n1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_says_that_there_is_one),
        TEST(a_url_says_so_also_a_wrong_one),
        TEST(a_mongod_conf_says_so_and_its_port),
        TEST(a_mongod_conf_that_cannot_be_read_says_so_too),
        TEST(a_host_is_found_by_name_and_address),
        TEST(the_host_is_what_comes_before_the_port),
        TEST(a_name_is_resolved),
    };
    return cmocka_run_group_tests_name("mongodb_target", tests, NULL, NULL);
}
