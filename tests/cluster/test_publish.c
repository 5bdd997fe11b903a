/* SPDX-License-Identifier: MIT */
/* Publishing harms nobody: with Consul's own times, because with quick elections these
 * tests could not fail. A service of somebody else with a 10 s TTL check on every server
 * stays passing whatever our checks do. */
#include "harness.h"

/* The neighbour's TTL of 10 s and a second: what was refreshed too late has expired by then. */
#define TTL_ENDED_MS 11000
/* Longer than an election of Consul's own times takes: so long, changes without a quorum go on. */
#define NO_QUORUM_MS 35000

static int setup(void **state)
{
    struct cluster *c = cluster_start(&(struct cluster_options){
        .consul_timing = true, .limits = "mapping_stable=1s,no_leader=3s"});
    *state = c;
    for (int i = 1; i <= 3; i++)
        wait_catalogue(c, 1, i, "cluster:quorum", "passing", "3 of 3 servers, 1 may fail", 90000);
    return 0;
}

static void publish_now(struct cluster *c)
{
    const char *argv[] = {"verify-quorum", "--publish", "cluster:quorum", NULL};
    for (int i = 1; i <= c->servers; i++) {
        if (!c->server[i].pid)
            continue;
        struct outcome o = server_run(c, i, NULL, argv);
        outcome_release(&o);
    }
}

/* ---- agent restart, reload ----------------------------------------------- */

static void agent_restart_resets_no_check(void **state)
{
    struct cluster *c = *state;
    struct check check;
    int i = cluster_follower(c), other = cluster_leader(c);
    struct recorder *r = recorder_start(c, other);
    int64_t begin = now_ms();
    server_restart(c, i);
    assert_true(check_local(c, i, "cluster:quorum", &check));
    assert_string_equal(check.status, "passing");
    assert_non_null(strstr(check.output, "3 of 3 servers, 1 may fail"));
    wait_leader(c, 30000);
    wait_catalogue(c, other, i, "serfHealth", "passing", "", 30000);
    assert_int_equal(recorder_when(r, begin, c->server[i].node, "cluster:quorum", "critical", ""),
                     -1);
    recorder_stop(r);
    wait_catalogue(c, other, i, "cluster:quorum", "passing", "3 of 3", 30000);
}

static bool ran_again(void *arg, struct buffer *seen)
{
    struct cluster *c = ((void **)arg)[0];
    size_t before = *(size_t *)((void **)arg)[1];
    size_t n = runs(c, 0, "verify-quorum");
    return buffer_printf(seen, "%zu runs", n) == 0 && n >= before + 6;
}

static void reload_storm_changes_nothing(void **state)
{
    struct cluster *c = *state;
    struct recorder *r = recorder_start(c, 1);
    size_t before = runs(c, 0, "verify-quorum");
    void *arg[] = {c, &before};
    wait_catalogue(c, 1, 1, "cluster:quorum", "passing", "3 of 3", 30000);
    int64_t begin = now_ms();
    for (int n = 0; n < 5; n++)
        for (int i = 1; i <= 3; i++)
            server_reload_now(c, i);
    wait_until("the watches fire again", 30000, ran_again, arg);
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:quorum", "passing", "3 of 3 servers", 5000);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:quorum", "warning", ""), -1);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:quorum", "critical", ""), -1);
    recorder_stop(r);
}

/* ---- no leader ----------------------------------------------------------- */

/* A text that has changed is synced by the agent up to 15 s later (check_update_interval).
 * Where that falls into the time without a leader one lock cannot be avoided; so wait out
 * what the tests before have changed. */
#define DEFERRAL_MS 16000

struct calm {
    struct cluster *c;
    struct buffer text;
    int64_t since;
};

static bool same_in_catalogue(struct cluster *c, int i, struct buffer *text)
{
    static const char *const ids[] = {"cluster:quorum",   "cluster:clock",     "cluster:logging",
                                      "cluster:security", "cluster:heartbeat", "service:neighbour"};
    for (size_t n = 0; n < COUNT(ids); n++) {
        struct check own, shown;
        if (!check_local(c, i, ids[n], &own) ||
            !check_catalogue(c, i, c->server[i].node, ids[n], &shown) ||
            buffer_printf(text, "%s %s %s\n", ids[n], own.status, own.output) < 0 ||
            strcmp(own.status, shown.status) != 0 || strcmp(own.output, shown.output) != 0)
            return false;
    }
    return true;
}

static bool is_calm(void *arg, struct buffer *seen)
{
    struct calm *calm = arg;
    bool same = true;
    for (int i = 1; same && i <= calm->c->servers; i++)
        same = same_in_catalogue(calm->c, i, seen);
    if (!same || strcmp(buffer_text(seen), buffer_text(&calm->text)) != 0)
        calm->since = now_ms();
    buffer_clear(&calm->text);
    return buffer_printf(&calm->text, "%s", buffer_text(seen)) == 0 && same &&
           now_ms() - calm->since >= DEFERRAL_MS;
}

static struct neighbour *neighbour;

static void nobody_expired(struct cluster *c)
{
    for (int i = 1; i <= c->servers; i++)
        if (neighbour_expired(neighbour, i))
            harness_fail("the neighbour's TTL check on server %d expired %zu times", i,
                         neighbour_expired(neighbour, i));
}

/* All servers up, with a neighbour each, and nothing on its way into the catalogue. */
static int calm(void **state)
{
    struct cluster *c = *state;
    struct calm calm = {c, BUFFER_INIT(1U << 20), now_ms()};
    for (int i = 1; i <= c->servers; i++)
        if (!c->server[i].pid)
            server_start(c, i);
    wait_leader(c, 60000);
    for (int i = 1; i <= c->servers; i++)
        wait_catalogue(c, i, i, "cluster:quorum", "passing", "3 of 3 servers", 90000);
    neighbour = neighbour_start(c);
    wait_until("checks and catalogue are the same for long enough", 60000, is_calm, &calm);
    buffer_release(&calm.text);
    return 0;
}

static int end_neighbour(void **state)
{
    (void)state;
    neighbour_stop(neighbour);
    neighbour = NULL;
    return 0;
}

static bool new_leader(void *arg, struct buffer *seen)
{
    struct cluster *c = ((void **)arg)[0];
    int old = *(int *)((void **)arg)[1];
    publish_now(c);
    int leader = cluster_leader(c);
    return buffer_printf(seen, "leader %d", leader) == 0 && leader && leader != old;
}

static void neighbour_survives_the_leaders_death(void **state)
{
    struct cluster *c = *state;
    int leader = cluster_leader(c);
    void *arg[] = {c, &leader};
    int64_t begin = now_ms();
    server_kill(c, leader);
    wait_until("a new leader", 60000, new_leader, arg);
    print_message("new leader after %lld ms\n", (long long)(now_ms() - begin));
    int other = cluster_leader(c);
    wait_catalogue(c, other, other, "cluster:quorum", "warning", "2 of 3 servers", 60000);
    sleep_ms(TTL_ENDED_MS);
    nobody_expired(c);
    server_start(c, leader);
    wait_catalogue(c, other, other, "cluster:quorum", "passing", "3 of 3 servers", 90000);
    nobody_expired(c);
}

/* Longer than an election: here two changes sent to the agent are enough to make the
 * neighbour's check expire. */
static void neighbour_survives_the_loss_of_quorum(void **state)
{
    struct cluster *c = *state;
    const char *by_hand[] = {"verify-quorum", NULL};
    int leader = cluster_leader(c), last = cluster_follower(c);
    for (int i = 1; i <= 3; i++)
        if (i != last && i != leader)
            server_kill(c, i);
    server_kill(c, leader);
    for (int64_t end = now_ms() + NO_QUORUM_MS; now_ms() < end; sleep_ms(500))
        publish_now(c);
    struct outcome o = server_run(c, last, NULL, by_hand);
    assert_int_equal(o.code, 2);
    assert_non_null(strstr(o.out, "no leader: 1 of 3 servers"));
    outcome_release(&o);
    nobody_expired(c);
    for (int i = 1; i <= 3; i++)
        if (i != last)
            server_start(c, i);
    wait_leader(c, 60000);
    wait_catalogue(c, last, last, "cluster:quorum", "passing", "3 of 3 servers", 90000);
    nobody_expired(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agent_restart_resets_no_check),
        cmocka_unit_test(reload_storm_changes_nothing),
        cmocka_unit_test_setup_teardown(neighbour_survives_the_leaders_death, calm, end_neighbour),
        cmocka_unit_test_setup_teardown(neighbour_survives_the_loss_of_quorum, calm, end_neighbour),
    };
    return HARNESS_RUN("publish", tests, setup, cluster_tear_down);
}
