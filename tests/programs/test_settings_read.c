/* SPDX-License-Identifier: MIT */
/* Reading the settings from an agent. */
#include "settings/settings_read.h"

#include "fake_agent.h"
#include "harness.h"
#include "settings/settings.h"

#define PLACE     HARNESS_ROOT SETTINGS_PLACE
#define ALL       "GET /v1/kv/" PLACE
#define URL_KEY   PLACE "LOG_ELASTICSEARCH_URL"
#define LEVEL_KEY PLACE "LOG_LEVEL"

static struct consul *connect_to(struct fake_agent *agent)
{
    struct consul *consul = NULL;
    struct error err = {0};
    if (putenv((char *)(uintptr_t)fake_agent_env(agent)) != 0 ||
        consul_open("/nowhere", &consul, &err) < 0)
        fail_msg("%s", err.text);
    return consul;
}

static int start(void **state)
{
    *state = fake_agent_start();
    return 0;
}

static int stop(void **state)
{
    fake_agent_stop(*state);
    return 0;
}

static void one_request_reads_all(void **state)
{
    struct fake_agent *agent = *state;
    struct consul *consul = connect_to(agent);
    struct kv_list list = {0};
    struct error err = {0};
    fake_agent_answer(agent, ALL, 200,
                      "[{\"Key\":\"" LEVEL_KEY "\",\"Value\":\"d2Fybg==\",\"ModifyIndex\":"
                      "5},{\"Key\":\"" PLACE "X\",\"Value\":null,\"ModifyIndex\":6}]");
    assert_int_equal(settings_read(consul, HARNESS_ROOT, CONSUL_STALE, &list, &err), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(kv_find(&list, LEVEL_KEY)->value, "warn");
    assert_non_null(fake_agent_sent(agent, ALL "?recurse&stale"));
    assert_null(fake_agent_sent(agent, "GET /v1/kv/" LEVEL_KEY "?stale"));
    kv_release(&list);
    consul_close(consul);
}

static void nothing_there_is_an_empty_list(void **state)
{
    struct consul *consul = connect_to(*state);
    struct kv_list list = {0};
    assert_int_equal(settings_read(consul, HARNESS_ROOT, CONSUL_DEFAULT, &list, NULL), 0);
    assert_int_equal(list.n, 0);
    consul_close(consul);
}

/* Somebody's huge value in our place: our own keys are read one by one. */
static void a_huge_neighbour_is_passed_by(void **state)
{
    struct fake_agent *agent = *state;
    struct consul *consul = connect_to(agent);
    struct kv_list list = {0};
    struct error err = {0};
    struct buffer huge = BUFFER_INIT(4U << 20);
    assert_int_equal(
        buffer_printf(&huge, "[{\"Key\":\"" PLACE "HUGE\",\"ModifyIndex\":1,\"Value\":\""), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buffer_printf(&huge, "%04096d", 0), 0);
    assert_int_equal(buffer_printf(&huge, "\"}]"), 0);
    fake_agent_answer(agent, ALL, 200, huge.data);
    fake_agent_kv(agent, URL_KEY, "http://es1", 7);
    fake_agent_kv(agent, LEVEL_KEY, "warn", 8);
    fake_agent_kv(agent, PLACE "LOG_LEVLE", "warn", 9);
    fake_agent_answer(agent, "GET /v1/kv/" PLACE "HUGE", 200, huge.data);
    fake_agent_answer(agent, ALL "?keys", 200,
                      "[\"" PLACE "\",\"" PLACE "HUGE\",\"" LEVEL_KEY "\",\"" PLACE
                      "LOG_LEVLE\",\"" PLACE "z\\u0000\"]");
    assert_int_equal(settings_read(consul, HARNESS_ROOT, CONSUL_DEFAULT, &list, &err), 0);
    assert_int_equal(list.n, 5);
    assert_int_equal(kv_find(&list, PLACE "LOG_LEVLE")->modify_index, 9);
    assert_string_equal(kv_find(&list, PLACE "HUGE")->value, "");
    assert_non_null(kv_find(&list, PLACE "z\xef\xbf\xbd"));
    assert_string_equal(kv_find(&list, URL_KEY)->value, "http://es1");
    assert_int_equal(kv_find(&list, LEVEL_KEY)->modify_index, 8);
    kv_release(&list);
    buffer_release(&huge);
    consul_close(consul);
}

static void a_failure_leaves_nothing_in_the_list(void **state)
{
    struct fake_agent *agent = *state;
    struct consul *consul = connect_to(agent);
    struct kv_list list = {0};
    struct error err = {0};
    char root[600];
    assert_int_equal(kv_add(&list, "a", "b", 1, 1), 0);
    fake_agent_answer(agent, ALL, 403, "Permission denied");
    assert_int_equal(settings_read(consul, HARNESS_ROOT, CONSUL_DEFAULT, &list, &err), -EACCES);
    assert_non_null(strstr(err.text, "cannot read KV " PLACE));
    assert_int_equal(list.n, 0);
    memset(root, 'a', sizeof root - 1);
    root[sizeof root - 1] = '\0';
    assert_int_equal(settings_read(consul, root, CONSUL_DEFAULT, &list, &err), -ENAMETOOLONG);
    consul_close(consul);
}

/* What the pins of root's policy say goes before what KV says. */
static void judged_under_the_policy(void **state)
{
    struct fake_agent *agent = *state;
    struct consul *consul = connect_to(agent);
    static struct settings settings;
    struct error err = {0};
    char dir[] = "/tmp/lictor-gather-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/policy.json", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs("{\"pin\":{\"CLUSTER_GRACE\":\"1h\"}}", f) >= 0);
    assert_int_equal(fclose(f), 0);
    fake_agent_answer(agent, ALL, 200,
                      "[{\"Key\":\"" PLACE
                      "CLUSTER_GRACE\",\"Value\":\"MmQ=\",\"ModifyIndex\":5}]");
    int rc = settings_read_judged(consul, "/nowhere", HARNESS_ROOT, CONSUL_STALE, &settings, &err);
    assert_int_equal(rc, 0);
    assert_int_equal(settings.grace_us / 1000000, 2 * 86400);
    rc = settings_read_judged(consul, dir, HARNESS_ROOT, CONSUL_STALE, &settings, &err);
    assert_int_equal(rc, 0);
    assert_int_equal(settings.grace_us / 1000000, 3600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    consul_close(consul);
}

static void nothing_without_the_right_to_see_it_is_no_answer(void **state)
{
    struct fake_agent *agent = *state;
    struct consul *consul = connect_to(agent);
    static struct settings settings;
    struct error err = {0};
    int rc = settings_read_judged(consul, "/nowhere", HARNESS_ROOT, CONSUL_STALE, &settings, &err);
    assert_int_equal(rc, 0);
    fake_agent_answer(agent, "GET /v1/kv/" PLACE "CLUSTER_SERVERS", 403, "Permission denied");
    rc = settings_read_judged(consul, "/nowhere", HARNESS_ROOT, CONSUL_STALE, &settings, &err);
    assert_int_equal(rc, -EACCES);
    consul_close(consul);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_request_reads_all, start, stop),
        cmocka_unit_test_setup_teardown(nothing_there_is_an_empty_list, start, stop),
        cmocka_unit_test_setup_teardown(a_huge_neighbour_is_passed_by, start, stop),
        cmocka_unit_test_setup_teardown(judged_under_the_policy, start, stop),
        cmocka_unit_test_setup_teardown(nothing_without_the_right_to_see_it_is_no_answer, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_failure_leaves_nothing_in_the_list, start, stop),
    };
    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
