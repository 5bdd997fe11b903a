/* SPDX-License-Identifier: MIT */
/* verify-quorum on real servers: every state a cluster gets into. The servers of one test
 * are what the one before has left. */
#include "harness.h"

#include <time.h>

#define QUICK "mapping_stable=1s,no_leader=3s,split=2s"

static struct cluster *shared;

/* ---- looking ------------------------------------------------------------- */

struct look {
    struct cluster *c;
    int i, code;
    const char *text;
};

/* As the heartbeat does it every 15 s (clocks run on), then by hand for the text. */
static bool judges(void *arg, struct buffer *seen)
{
    const struct look *l = arg;
    const char *publish[] = {"verify-quorum", "--publish", "cluster:quorum", NULL};
    const char *by_hand[] = {"verify-quorum", NULL};
    struct outcome o = server_run(l->c, l->i, NULL, publish);
    outcome_release(&o);
    o = server_run(l->c, l->i, NULL, by_hand);
    bool yes = o.code == l->code && strstr(o.out, l->text);
    if (buffer_printf(seen, "code %d, %s%s", o.code, o.out, o.err) < 0)
        yes = false;
    outcome_release(&o);
    return yes;
}

/* Server i's verify-quorum ends with this exit code and prints this text. */
static void wait_verdict(struct cluster *c, int i, int code, const char *text)
{
    char what[300];
    struct look l = {c, i, code, text};
    (void)snprintf(what, sizeof what, "verify-quorum of server %d: %d \"%s\"", i, code, text);
    wait_until(what, 30000, judges, &l);
}

static void confirm(struct cluster *c, int i)
{
    const char *argv[] = {"verify-quorum", "--confirm-mapping", NULL};
    struct outcome o = server_run(c, i, NULL, argv);
    if (o.code != 0)
        harness_fail("not confirmed: %d %s%s", o.code, o.out, o.err);
    outcome_release(&o);
}

static int voters(struct cluster *c, int i)
{
    cJSON *root = http_get(c, i, "operator/raft/configuration?stale");
    int n = 0;
    const cJSON *server = NULL;
    cJSON_ArrayForEach(server, cJSON_GetObjectItem(root, "Servers"))
        n += cJSON_IsTrue(cJSON_GetObjectItem(server, "Voter"));
    cJSON_Delete(root);
    return n;
}

struct number {
    struct cluster *c;
    int i, n;
};

static bool has_voters(void *arg, struct buffer *seen)
{
    const struct number *w = arg;
    int n = voters(w->c, w->i);
    return buffer_printf(seen, "%d voters", n) == 0 && n == w->n;
}

static void wait_voters(struct cluster *c, int i, int n)
{
    struct number w = {c, i, n};
    char what[100];
    (void)snprintf(what, sizeof what, "%d voters in the raft configuration", n);
    wait_until(what, 40000, has_voters, &w);
}

/* ---- three servers ------------------------------------------------------- */

static void forms(void **state)
{
    (void)state;
    struct cluster *c = shared = cluster_start(
        &(struct cluster_options){.servers = 3, .running = 1, .limits = QUICK});
    wait_verdict(c, 1, 1, "warning: forming: 1 of 3 servers");
    server_start(c, 2);
    wait_verdict(c, 1, 1, "warning: forming: 2 of 3 servers");
    server_start(c, 3);
    wait_leader(c, 20000);
    for (int i = 1; i <= 3; i++)
        wait_verdict(c, i, 0, "passing: 3 of 3 servers, 1 may fail\n");
}

/* The leader's own watch or heartbeat would do it as well, up to 15 s later. */
static bool is_confirmed(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    const char *publish[] = {"verify-quorum", "--publish", "cluster:quorum", NULL};
    struct outcome o = server_run(c, cluster_leader(c), NULL, publish);
    char *record = kv_get(c, "lictor/mapping");
    bool yes = record && strstr(record, "\"server_2\"");
    if (buffer_printf(seen, "%s, code %d %s", record ? record : "no record", o.code, o.err) < 0)
        yes = false;
    outcome_release(&o);
    free(record);
    return yes;
}

static void is_confirmed_and_published(void **state)
{
    (void)state;
    struct cluster *c = shared;
    wait_until("the leader confirms the three servers", 20000, is_confirmed, c);
    for (int i = 1; i <= 3; i++)
        wait_catalogue(c, 1, i, "cluster:quorum", "passing", "3 of 3 servers", 30000);
}

static void killed_server_is_in_the_catalogue_at_once(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int victim = cluster_follower(c), other = cluster_leader(c);
    struct recorder *r = recorder_start(c, other);
    wait_catalogue(c, other, other, "cluster:quorum", "passing", "3 of 3", 20000);
    int64_t begin = now_ms();
    server_kill(c, victim);
    wait_catalogue(c, other, other, "cluster:quorum", "warning", "2 of 3 servers, none may fail",
                   20000);
    int64_t consul = recorder_when(r, begin, c->server[victim].node, "serfHealth", "critical", "");
    int64_t ours = recorder_when(r, begin, NULL, "cluster:quorum", "warning", "2 of 3");
    print_message("verdict %lld ms after Consul's own event\n", (long long)(ours - consul));
    assert_true(consul > 0 && ours > 0);
    assert_in_range(ours - consul + 1000, 0, 2000);
    recorder_stop(r);
}

/* Autopilot removes the dead server and calls two of two healthy. */
static void silent_shrink_is_not_believed(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int leader = cluster_leader(c);
    wait_voters(c, leader, 2);
    wait_verdict(c, leader, 1, "warning: 2 of 3 servers, none may fail");
    struct look l = {c, leader, 1, "even number of voters"};
    struct buffer seen = BUFFER_INIT(1U << 16);
    assert_false(judges(&l, &seen)); /* a consequence of the dead one, and dangerous advice */
    buffer_release(&seen);
}

static void grace_ends_and_maintenance_stops_it(void **state)
{
    (void)state;
    struct cluster *c = shared;
    char value[100];
    int leader = cluster_leader(c), dead = 1;
    while (c->server[dead].pid)
        dead++;
    setting_put(c, "CLUSTER_GRACE", "1s");
    wait_verdict(c, leader, 2, "critical: 2 of 3 servers, none may fail");
    time_t end = time(NULL) + 3600;
    struct tm tm;
    size_t n = (size_t)snprintf(value, sizeof value, "%s until ", c->server[dead].node);
    assert_non_null(gmtime_r(&end, &tm));
    assert_true(strftime(value + n, sizeof value - n, "%Y-%m-%dT%H:%MZ", &tm) > 0);
    setting_put(c, "CLUSTER_MAINTENANCE", value); /* also after the grace has run out */
    wait_verdict(c, leader, 1, "is down for maintenance");
    setting_put(c, "CLUSTER_GRACE", "20s");
    server_start(c, dead);
    wait_voters(c, leader, 3);
    wait_verdict(c, leader, 0, "passing: 3 of 3 servers, 1 may fail\n");
    setting_put(c, "CLUSTER_GRACE", "2s");
    server_kill(c, dead);
    wait_verdict(c, leader, 1, "warning: 2 of 3 servers, none may fail");
    for (int64_t until = now_ms() + 4000; now_ms() < until; sleep_ms(500))
        wait_verdict(c, leader, 1, "warning: 2 of 3 servers, none may fail");
    setting_delete(c, "CLUSTER_MAINTENANCE");
    wait_verdict(c, leader, 2, "critical: 2 of 3 servers, none may fail");
    setting_delete(c, "CLUSTER_GRACE");
    server_start(c, dead);
    wait_voters(c, leader, 3);
    wait_verdict(c, leader, 0, "passing: 3 of 3 servers, 1 may fail\n");
}

static void leaderless_is_told_but_not_published(void **state)
{
    (void)state;
    struct cluster *c = shared;
    struct check check;
    int last = cluster_follower(c);
    wait_check(c, last, "cluster:quorum", "passing", "3 of 3 servers", 30000);
    for (int i = 1; i <= 3; i++)
        if (i != last)
            server_kill(c, i);
    wait_verdict(c, last, 2, "critical: no leader: 1 of 3 servers, none may fail");
    assert_true(check_local(c, last, "cluster:quorum", &check));
    assert_string_equal(check.status, "passing");
    for (int i = 1; i <= 3; i++)
        if (i != last)
            server_start(c, i);
    wait_leader(c, 40000);
    wait_voters(c, 1, 3);
    wait_verdict(c, last, 0, "passing: 3 of 3 servers, 1 may fail\n");
}

/* ---- settings ------------------------------------------------------------ */

static void mapping_in_the_settings(void **state)
{
    (void)state;
    struct cluster *c = shared;
    setting_put(c, "CLUSTER_SERVERS", "server_1=server-1,server_2=server-2,server_3=server-3");
    wait_verdict(c, 1, 0, "passing: 3 of 3 servers, 1 may fail\n");
    setting_put(c, "CLUSTER_SERVERS",
                "server_1=server-1,server_2=server-2,server_3=server-3,"
                "server_4=server-4,server_5=server-5");
    wait_verdict(c, 1, 1, "server_4 (node server-4) has not joined");
    setting_put(c, "CLUSTER_SERVERS", "server_1=server-2,server_2=server-1,server_3=server-3");
    wait_verdict(c, 1, 1, "mapping changed: server_1 is server-1 as confirmed, server-2 in");
    confirm(c, 1);
    wait_verdict(c, 1, 0, "passing: 3 of 3 servers, 1 may fail\n");
    setting_put(c, "CLUSTER_SERVERS", "server_1=server-1,server_2=server-2");
    wait_verdict(c, 1, 1, "CLUSTER_SERVERS");
    setting_delete(c, "CLUSTER_SERVERS");
    wait_verdict(c, 1, 0, "passing: 3 of 3 servers, 1 may fail\n");
}

static void management_server_must_not_vote(void **state)
{
    (void)state;
    struct cluster *c = shared;
    setting_put(c, "CLUSTER_MANAGEMENT_SERVER", "server-3");
    wait_verdict(c, 1, 1, "the management server, ");
    setting_put(c, "CLUSTER_MANAGEMENT_SERVER", "nobody");
    wait_verdict(c, 1, 0, "management server nobody: no member of this cluster");
    setting_delete(c, "CLUSTER_MANAGEMENT_SERVER");
}

/* ---- growing, replacing -------------------------------------------------- */

static void grows_over_an_even_number(void **state)
{
    (void)state;
    struct cluster *c = shared;
    (void)server_add(c, NULL);
    wait_voters(c, 1, 4);
    wait_verdict(c, 1, 1, "even number of voters (4)");
    (void)server_add(c, NULL);
    wait_voters(c, 1, 5);
    wait_verdict(c, 1, 1, "votes and is not confirmed");
    confirm(c, 1);
    wait_verdict(c, 1, 0, "passing: 5 of 5 servers, 2 may fail\n");
}

static void rebuilt_under_its_old_name(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int victim = cluster_leader(c) == 5 ? 4 : 5, other = victim == 5 ? 4 : 5;
    server_kill(c, victim);
    wait_verdict(c, other, 1, "is down");
    wait_voters(c, other, 4);
    server_wipe(c, victim);
    server_start(c, victim);
    wait_voters(c, other, 5);
    wait_verdict(c, other, 1, "was installed again (other node ID)");
    confirm(c, other);
    wait_verdict(c, other, 0, "passing: 5 of 5 servers, 2 may fail\n");
}

static void replaced_under_a_new_name(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int victim = cluster_leader(c) == 5 ? 4 : 5, other = victim == 5 ? 4 : 5;
    server_kill(c, victim);
    wait_voters(c, other, 4);
    (void)server_add(c, "fresh");
    wait_voters(c, other, 5);
    wait_verdict(c, other, 1, "node fresh votes and is not confirmed");
    confirm(c, other);
    wait_verdict(c, other, 0, "passing: 5 of 5 servers, 2 may fail\n");
}

/* ---- three clusters of one ----------------------------------------------- */

static void three_clusters_of_one(void **state)
{
    (void)state;
    cluster_stop(shared);
    struct cluster *c = shared = cluster_start(
        &(struct cluster_options){.servers = 3, .alone = true, .limits = QUICK});
    server_join(c, 1, 2);
    server_join(c, 1, 3);
    for (int i = 1; i <= 3; i++)
        wait_verdict(c, i, 2, "two raft clusters in one gossip pool");
    wait_check(c, 1, "cluster:quorum", "critical", "two raft clusters", 20000);
}

static int teardown(void **state)
{
    (void)state;
    cluster_stop(shared);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(is_confirmed_and_published),
        cmocka_unit_test(killed_server_is_in_the_catalogue_at_once),
        cmocka_unit_test(silent_shrink_is_not_believed),
        cmocka_unit_test(grace_ends_and_maintenance_stops_it),
        cmocka_unit_test(leaderless_is_told_but_not_published),
        cmocka_unit_test(mapping_in_the_settings),
        cmocka_unit_test(management_server_must_not_vote),
        cmocka_unit_test(grows_over_an_even_number),
        cmocka_unit_test(rebuilt_under_its_old_name),
        cmocka_unit_test(replaced_under_a_new_name),
        cmocka_unit_test(three_clusters_of_one),
    };
    return HARNESS_RUN("quorum", tests, NULL, teardown);
}
