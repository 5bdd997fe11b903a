/* SPDX-License-Identifier: MIT */
/* Two of three servers die, 15 s apart: what we publish of the first death must not be on its way
 * when the second one takes the leader away. With Consul's own times, beside the same three servers
 * without anything of ours. */
#include "harness.h"

#define APART_MS  15000
#define OUTAGE_MS 90000
/* One attempt of the agent to bring a check to no leader holds its lock for 7 s. */
#define LOCK_MS 3000
/* Nothing has changed for longer than limits()->rest_ms. */
#define REST_MS 35000

/* Three servers, of which two will die. */
struct trial {
    struct cluster *c;
    struct neighbour *neighbour;
    int first, second, last;
};

static void begin(struct trial *t, bool ours)
{
    t->c = cluster_start(&(struct cluster_options){
        .consul_timing = true, .no_snippet = !ours, .limits = "mapping_stable=1s"});
    for (int i = 1; ours && i <= 3; i++)
        wait_catalogue(t->c, 1, i, "cluster:quorum", "passing", "3 of 3 servers, 1 may fail",
                       90000);
    t->neighbour = neighbour_start(t->c);
}

static void choose(struct trial *t)
{
    wait_leader(t->c, 30000);
    t->second = cluster_leader(t->c);
    t->first = cluster_follower(t->c);
    t->last = 6 - t->first - t->second;
}

static void end(struct trial *t)
{
    neighbour_stop(t->neighbour);
    cluster_stop(t->c);
}

static void the_neighbour_does_not_suffer(void **state)
{
    struct trial ours, control;
    (void)state;
    begin(&ours, true);
    begin(&control, false);
    sleep_ms(REST_MS);
    choose(&ours);
    choose(&control);
    int64_t died = now_ms();
    server_kill(ours.c, ours.first);
    server_kill(control.c, control.first);
    wait_check(ours.c, ours.last, "cluster:quorum", "warning", "2 of 3 servers, none may fail",
               5000);
    print_message("said after %lld ms\n", (long long)(now_ms() - died));
    sleep_ms(APART_MS - (now_ms() - died));
    server_kill(ours.c, ours.second);
    server_kill(control.c, control.second);
    sleep_ms(OUTAGE_MS);
    print_message("slowest update of the neighbour: %lld ms, without us %lld ms\n",
                  (long long)neighbour_slowest(ours.neighbour, ours.last),
                  (long long)neighbour_slowest(control.neighbour, control.last));
    assert_int_equal(neighbour_expired(control.neighbour, control.last), 0);
    assert_int_equal(neighbour_expired(ours.neighbour, ours.last), 0);
    assert_in_range(neighbour_slowest(ours.neighbour, ours.last), 0,
                    neighbour_slowest(control.neighbour, control.last) + LOCK_MS);
    wait_check(ours.c, ours.last, "cluster:quorum", "warning", "2 of 3 servers", 1000);
    end(&ours);
    end(&control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_neighbour_does_not_suffer)};
    return HARNESS_RUN("second-death", tests, NULL, NULL);
}
