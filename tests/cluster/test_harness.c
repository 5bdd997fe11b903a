/* SPDX-License-Identifier: MIT */
/* The harness itself on three servers: they form a cluster, our snippet registers, a
 * crash is seen, a server comes back. */
#include "harness.h"

static int setup(void **state)
{
    int64_t begin = now_ms();
    *state = cluster_start(&(struct cluster_options){0});
    print_message("three servers after %lld ms\n", (long long)(now_ms() - begin));
    return 0;
}

static void checks_are_registered(void **state)
{
    struct cluster *c = *state;
    static const char *const ids[] = {"cluster:quorum", "cluster:clock", "cluster:logging",
                                      "cluster:security", "cluster:heartbeat"};
    for (int i = 1; i <= 3; i++)
        for (size_t n = 0; n < COUNT(ids); n++) {
            struct check check;
            assert_true(check_local(c, i, ids[n], &check));
        }
    wait_catalogue(c, 1, 3, "serfHealth", "passing", "alive", 30000);
}

static void kv_is_shared(void **state)
{
    struct cluster *c = *state;
    assert_null(kv_get(c, "x/y"));
    kv_put(c, "x/y", "1 2");
    char *value = kv_get(c, "x/y");
    assert_string_equal(value, "1 2");
    free(value);
    settings_put(c, "X", "a", "Y", "b", NULL);
    value = kv_get(c, "dc/home/env/service/cluster/tag/any/Y");
    assert_string_equal(value, "b");
    free(value);
    setting_delete(c, "X");
    setting_delete(c, "Y");
    kv_delete_prefix(c, "x");
    assert_null(kv_get(c, "x/y"));
}

static bool handler_ran(void *arg, struct buffer *seen)
{
    (void)seen;
    return runs(arg, 2, "reconfigure-logging") > 0;
}

static void handlers_are_counted(void **state)
{
    wait_until("a handler ran", 20000, handler_ran, *state);
}

static void crash_and_return_are_seen(void **state)
{
    struct cluster *c = *state;
    int victim = cluster_follower(c), other = cluster_leader(c);
    server_kill(c, victim);
    wait_catalogue(c, other, victim, "serfHealth", "critical", "", 20000);
    server_start(c, victim);
    wait_catalogue(c, other, victim, "serfHealth", "passing", "", 20000);
    wait_leader(c, 20000);
}

static bool runs_index(void *arg, struct buffer *seen)
{
    struct cluster *c = ((void **)arg)[0];
    int i = *(int *)((void **)arg)[1];
    char *text = server_read(c, i, "shipper/running.conf");
    struct check check;
    (void)check_local(c, i, "cluster:logging", &check);
    int rc = buffer_printf(seen, "%s: %s\n%s", check.status, check.output, text);
    bool yes = rc == 0 && strstr(text, "indexed");
    free(text);
    return yes;
}

static void shippers_are_configured(void **state)
{
    struct cluster *c = *state;
    server_shipper(c, 1, SHIPPER_STAND_IN, NULL);
    server_shipper(c, 2, SHIPPER_RSYSLOG, NULL);
    server_shipper(c, 3, SHIPPER_STAND_IN, "INDEX={{LOG_INDEX}}\n");
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_INDEX", "indexed", NULL);
    for (int i = 1; i <= 3; i++) {
        void *arg[] = {c, &i};
        wait_until("the shipper runs with the new settings", 30000, runs_index, arg);
        assert_int_equal(shipper_calls(c, i, "restart"), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_are_registered),     cmocka_unit_test(kv_is_shared),
        cmocka_unit_test(handlers_are_counted),      cmocka_unit_test(shippers_are_configured),
        cmocka_unit_test(crash_and_return_are_seen),
    };
    return HARNESS_RUN("harness", tests, setup, cluster_tear_down);
}
