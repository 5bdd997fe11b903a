/* SPDX-License-Identifier: MIT */
/* Who is alive in gossip and yet no server, or does not report: on real agents. The servers of
 * one test are what the one before has left. */
#include "harness.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define QUICK "mapping_stable=1s,split=2s,deaf=30s,calm=60s"

static struct cluster *shared;
static bool own_network;

/* ---- looking ------------------------------------------------------------- */

static void wait_quorum(int i, const char *status, const char *text, int64_t limit_ms)
{
    wait_check(shared, i, "cluster:quorum", status, text, limit_ms);
}

static void wait_whole(void)
{
    for (int i = 1; i <= 3; i++)
        wait_quorum(i, "passing", "3 of 3 servers, 1 may fail", 90000);
}

static bool has_key(void *arg, struct buffer *seen)
{
    char *value = kv_get(shared, arg);
    bool yes = value && buffer_printf(seen, "%s", value) == 0;
    free(value);
    return yes;
}

static void wait_key(const char *key)
{
    char copy[100];
    (void)snprintf(copy, sizeof copy, "%s", key);
    wait_until(key, 60000, has_key, copy);
}

static void ip(const char *command)
{
    char full[300];
    const char *argv[] = {"/bin/sh", "-c", full, NULL};
    (void)snprintf(full, sizeof full, "PATH=$PATH:/sbin:/usr/sbin; %s", command);
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("%s: %s", command, o.err);
    outcome_release(&o);
}

static int setup(void **state)
{
    if (own_network)
        ip("ip link set lo up");
    *state = shared = cluster_start(&(struct cluster_options){.heartbeat = "5s", .limits = QUICK});
    wait_whole();
    wait_key("lictor/mapping");
    return 0;
}

/* ---- port 8300 ----------------------------------------------------------- */

/* Gossip stays open. The rule goes before the table of local addresses, in a network of our
 * own. */
static void close_raft(const char *address)
{
    char command[300];
    (void)snprintf(command, sizeof command,
                   "ip rule add pref 10 lookup local && ip rule del pref 0 && "
                   "ip rule add pref 5 ipproto tcp to %s dport 8300 prohibit",
                   address);
    ip(command);
}

/* Said, and with CI=true a failure, like everything that cannot be had. */
static void leave_out(void)
{
    const char *ci = getenv("CI");
    print_message("# note: no network of our own: a closed port was left out\n");
    if (ci && strcmp(ci, "true") == 0)
        harness_fail("no network of our own can be had");
    skip();
}

static void who_does_not_follow_is_no_spare(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int cut = cluster_follower(c), leader = cluster_leader(c);
    if (!own_network)
        leave_out();
    struct recorder *r = recorder_start(c, leader);
    int64_t begin = now_ms();
    close_raft(c->server[cut].address);
    wait_quorum(leader, "warning", "2 of 3 servers, none may fail: server_", 60000);
    print_message("said after %lld ms\n", (long long)(now_ms() - begin));
    wait_quorum(leader, "warning", "is alive and does not", 60000);
    assert_in_range(recorder_when(r, begin, NULL, "cluster:quorum", "warning", "does not") - begin,
                    1, 60000);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:quorum", "critical", ""), -1);
    recorder_stop(r);
    ip("ip rule del pref 5");
    wait_whole();
}

/* ---- outside raft -------------------------------------------------------- */

static void who_was_taken_out_of_raft_is_no_second_cluster(void **state)
{
    (void)state;
    struct cluster *c = shared;
    char path[200];
    int victim = cluster_follower(c), leader = cluster_leader(c);
    struct recorder *r = recorder_start(c, leader);
    int64_t begin = now_ms();
    (void)snprintf(path, sizeof path, "/v1/operator/raft/peer?address=%s:8300",
                   c->server[victim].address);
    assert_int_equal(http(c, leader, "DELETE", path, NULL, NULL), 200);
    wait_quorum(leader, "warning", "2 of 3 servers, none may fail", 20000);
    wait_whole();
    print_message("a server again after %lld ms\n", (long long)(now_ms() - begin));
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:quorum", "critical", ""), -1);
    recorder_stop(r);
}

/* ---- wiped and back at once ---------------------------------------------- */

static void a_former_servers_entry_is_named_and_mended(void **state)
{
    (void)state;
    struct cluster *c = shared;
    const char *confirm[] = {"lictor", "confirm", NULL};
    int victim = cluster_follower(c), leader = cluster_leader(c);
    char data[100];
    (void)snprintf(data, sizeof data, "{\"Node\":\"%s\"}", c->server[victim].node);
    server_kill(c, victim);
    server_wipe(c, victim);
    server_start(c, victim);
    wait_quorum(leader, "warning", "a former server's", 90000);
    outcome_expect_failure(server_run(c, leader, NULL, confirm), 1, "a former server's checks");
    const char *advice[] = {"lictor", "api", "PUT", "catalog/deregister", "--data", data, NULL};
    struct outcome o = server_run(c, leader, NULL, advice);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    wait_quorum(leader, "warning", "was installed again", 90000);
    o = server_run(c, leader, NULL, confirm);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    wait_whole();
}

/* ---- dead watches -------------------------------------------------------- */

/* Another file's broken watch; the agent goes on, and so do the checks. */
static void dead_watches_are_noticed(void **state)
{
    (void)state;
    struct cluster *c = shared;
    int i = cluster_follower(c);
    wait_check(c, i, "cluster:heartbeat", "passing", "", 60000);
    server_write(c, i, "consul.d/99-other.json", "{\"watches\":[{\"type\":\"bogus\"}]}");
    server_reload(c, i);
    int64_t begin = now_ms();
    wait_check(c, i, "cluster:heartbeat", "warning", "Consul runs no watch here", 120000);
    print_message("said after %lld ms\n", (long long)(now_ms() - begin));
    assert_int_equal(unlink(server_path(c, i, "consul.d/99-other.json")), 0);
    server_reload_now(c, i);
    wait_check(c, i, "cluster:heartbeat", "passing", "all", 60000);
}

/* ---- whole once, never confirmed ----------------------------------------- */

/* As with ACLs, where an admin confirms: it was whole, so it is not forming for ever. */
static void one_of_three_never_confirmed_dies(void **state)
{
    cluster_stop(shared);
    *state = shared = cluster_start(
        &(struct cluster_options){.heartbeat = "5s", .limits = "mapping_stable=1h"});
    struct cluster *c = shared;
    int victim = cluster_follower(c), leader = cluster_leader(c);
    settings_put(c, "CLUSTER_SERVERS", "server_1=server-1,server_2=server-2,server_3=server-3",
                 "CLUSTER_GRACE", "20s", NULL);
    wait_whole();
    char key[100];
    (void)snprintf(key, sizeof key, "lictor/clock/%s", c->server[victim].node);
    wait_key(key);
    server_kill(c, victim);
    wait_quorum(leader, "warning", "2 of 3 servers, none may fail", 30000);
    wait_quorum(leader, "critical", "2 of 3 servers, none may fail", 60000);
    server_start(c, victim);
    wait_whole();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_follow_is_no_spare),
        cmocka_unit_test(who_was_taken_out_of_raft_is_no_second_cluster),
        cmocka_unit_test(a_former_servers_entry_is_named_and_mended),
        cmocka_unit_test(dead_watches_are_noticed),
        cmocka_unit_test(one_of_three_never_confirmed_dies),
    };
    own_network = unshare(CLONE_NEWNET) == 0;
    return HARNESS_RUN("eyes", tests, setup, cluster_tear_down);
}
