/* SPDX-License-Identifier: MIT */
/* verify-clock for as long as an admin would look: with Consul's own times and heartbeats
 * every 15 s nobody is ever named whose clock is right. */
#include "harness.h"

#define IDLE_MS 600000
#define AWAY_MS 120000
#define BACK_MS 180000

static bool is_alarm(const char *text)
{
    return strstr(text, "critical") || strstr(text, " differ") || strstr(text, " wrong");
}

/* What every server has found last, published or held back. */
static void nobody_is_named_for(struct cluster *c, int64_t ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end; sleep_ms(500)) {
        for (int i = 1; i <= c->servers; i++) {
            char *found = server_read(c, i, "state/cluster:clock.verdict");
            if (is_alarm(found))
                harness_fail("server %d: %s", i, found);
            free(found);
        }
    }
}

static void wait_agreement(struct cluster *c)
{
    for (int i = 1; i <= c->servers; i++)
        wait_check(c, i, "cluster:clock", "passing", "3 clocks agree within 100 ms", BACK_MS);
}

static void ten_idle_minutes(void **state)
{
    struct cluster *c = *state;
    wait_agreement(c);
    struct recorder *r = recorder_start(c, 1);
    sleep_ms(1000);
    int64_t begin = now_ms();
    nobody_is_named_for(c, IDLE_MS);
    print_message("%zu changes of cluster:clock in the second half of %d s, on three "
                  "servers\n",
                  recorder_changes(r, begin + IDLE_MS / 2, "cluster:clock"), IDLE_MS / 1000);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:clock", "warning", ""), -1);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:clock", "critical", ""), -1);
    recorder_stop(r);
}

static void leader_stands_still(void **state)
{
    struct cluster *c = *state;
    int leader = cluster_leader(c);
    server_freeze(c, leader);
    nobody_is_named_for(c, 5000);
    server_thaw(c, leader);
    nobody_is_named_for(c, 60000);
    wait_agreement(c);
}

static void leader_is_killed(void **state)
{
    struct cluster *c = *state;
    int leader = cluster_leader(c);
    server_kill(c, leader);
    nobody_is_named_for(c, 30000);
    server_start(c, leader);
    nobody_is_named_for(c, 30000);
    wait_agreement(c);
}

static void agent_is_away_for_two_minutes(void **state)
{
    struct cluster *c = *state;
    int away = cluster_follower(c);
    server_kill(c, away);
    nobody_is_named_for(c, AWAY_MS);
    server_start(c, away);
    nobody_is_named_for(c, 30000);
    wait_agreement(c);
}

/* The machine is busy, not the clocks wrong. */
static void the_cores_are_loaded(void **state)
{
    struct cluster *c = *state;
    const char *argv[] = {"/bin/sh", "-c",
                          "for i in 1 2 3 4; do timeout 60 sh -c 'while :; do :; done' & "
                          "done; exit 0",
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
    nobody_is_named_for(c, 70000);
    wait_agreement(c);
}

static int setup(void **state)
{
    *state = cluster_start(&(struct cluster_options){.consul_timing = true});
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_idle_minutes),     cmocka_unit_test(leader_stands_still),
        cmocka_unit_test(leader_is_killed),     cmocka_unit_test(agent_is_away_for_two_minutes),
        cmocka_unit_test(the_cores_are_loaded),
    };
    return HARNESS_RUN("clock-soak", tests, setup, cluster_tear_down);
}
