/* SPDX-License-Identifier: MIT */
/* What a check advises works: each command is cut out of the check's text in the state in which it
 * is given, run by a shell as it stands there, and then the trouble is gone. (lictor retry:
 * test_rollout, test_links; lictor enable: test_enable; lictor acknowledge: test_lines; lictor
 * api: test_eyes; systemctl, usermod: test_systemd.) The servers of one test are
 * what the one before has left. */
#include "harness.h"

#define QUORUM "cluster:quorum"
#define SOON   30000
#define LATE   90000

static struct cluster *c;

/* ---- commands ------------------------------------------------------------ */

/* As an admin has them on server i: with its agent, its directories. */
static void write_commands(int i)
{
    char text[1500];
    const char *dir = c->server[i].dir;
    (void)snprintf(text, sizeof text,
                   "#!/bin/sh\nCONSUL_HTTP_ADDR=http://%s:8500 exec '%s' \"$@\"\n",
                   c->server[i].address, consul_program());
    server_write(c, i, "bin/consul", text);
    (void)snprintf(text, sizeof text,
                   "#!/bin/sh\ncommand=$1\nshift\nexec '%s/lictor' $command --config-dir '%s/etc' "
                   "--state-dir '%s/state' --settings-root " HARNESS_ROOT " \"$@\"\n",
                   TEST_BIN, dir, dir);
    server_write(c, i, "bin/lictor", text);
    assert_int_equal(chmod(server_path(c, i, "bin/consul"), 0755), 0);
    assert_int_equal(chmod(server_path(c, i, "bin/lictor"), 0755), 0);
}

static void type(int i, const char *command)
{
    char path[400];
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    const char *env[] = {path, NULL};
    (void)snprintf(path, sizeof path, "PATH=%s/bin:%s", c->server[i].dir, getenv("PATH"));
    write_commands(i);
    print_message("  server %d $ %s\n", i, command);
    struct outcome o = run_tool(NULL, argv, env);
    if (o.code != 0)
        harness_fail("%s: exit %d: %s%s", command, o.code, o.out, o.err);
    outcome_release(&o);
}

/* A check's lines are wrapped at 80 columns. */
static void unwrap(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool wrapped = strncmp(from, "\n  ", 3) == 0;
        *to++ = wrapped ? ' ' : *from;
        from += wrapped ? 2 : 0;
    }
    *to = '\0';
}

/* Run the command that the check of server i gives and that begins so, up to what is no part of
 * it. */
static void follow(int i, const char *begins)
{
    static const char *const ends[] = {"\n", ";", " (", " ends it", " lets it", " keeps "};
    struct check check;
    assert_true(check_local(c, i, QUORUM, &check));
    unwrap(check.output);
    char *command = strstr(check.output, begins);
    if (!command)
        harness_fail("no \"%s\" in: %s", begins, check.output);
    for (size_t n = 0; n < COUNT(ends); n++) {
        char *end = strstr(command, ends[n]);
        if (end)
            *end = '\0';
    }
    type(i, command);
}

static bool silent_about(void *arg, struct buffer *seen)
{
    const char *text = ((const char *const *)arg)[1];
    struct check check;
    int i = **(const int *const *)arg;
    return check_local(c, i, QUORUM, &check) && buffer_printf(seen, "%s", check.output) == 0 &&
           !output_says(check.output, text);
}

static void wait_gone(int i, const char *text)
{
    const void *arg[] = {&i, text};
    wait_until(text, SOON, silent_about, arg);
}

static void wait_quorum(int i, const char *status, const char *text)
{
    wait_check(c, i, QUORUM, status, text, LATE);
}

static int setup(void **state)
{
    *state = c = cluster_start(
        &(struct cluster_options){.heartbeat = "2s", .limits = "mapping_stable=1s,split=2s"});
    for (int i = 1; i <= 3; i++)
        wait_quorum(i, "passing", "voting: server_1");
    return 0;
}

/* ---- the tests ----------------------------------------------------------- */

static void dead_servers_stay_visible(void **state)
{
    (void)state;
    wait_quorum(1, "passing", "advice: consul operator autopilot");
    follow(1, "consul operator autopilot set-config");
    wait_gone(1, "advice:");
}

static void maintenance_ends(void **state)
{
    (void)state;
    type(1, "lictor maintenance server-2 --for 1h");
    wait_quorum(1, "passing", "maintenance: server_");
    follow(1, "lictor maintenance none");
    wait_gone(1, "maintenance");
}

static void new_servers_are_confirmed(void **state)
{
    (void)state;
    type(1, "consul operator autopilot set-config -server-stabilization-time=10s"); /* Consul's */
    (void)server_add(c, NULL);
    wait_quorum(1, "warning", "is alive and does not vote");
    follow(1, "consul operator raft list-peers");
    wait_gone(1, "does not vote");
    type(1, "consul operator autopilot set-config -server-stabilization-time=2s");
    wait_quorum(1, "warning", "even number of voters (4): add or remove one");
    (void)server_add(c, NULL);
    wait_quorum(1, "warning", "votes and is not confirmed: if it is wanted: lictor confirm");
    wait_gone(1, "even number");
    follow(1, "lictor confirm");
    wait_quorum(1, "passing", "5 of 5 servers, 2 may fail");
}

/* Two of five: those that are left are three, and whole. */
static void servers_that_are_gone_for_good_are_forgotten(void **state)
{
    (void)state;
    server_kill(c, 4);
    wait_quorum(1, "warning", "4 of 5 servers");
    server_kill(c, 5);
    wait_quorum(1, "warning", "3 of 5 servers");
    wait_quorum(1, "warning", "start it again; if it is gone for good: lictor");
    follow(1, "lictor confirm");
    wait_quorum(1, "passing", "3 of 3 servers, 1 may fail");
}

static void a_server_that_was_installed_again_is_taken_in(void **state)
{
    (void)state;
    int victim = cluster_follower(c), other = victim == 1 ? 2 : 1;
    server_kill(c, victim);
    wait_quorum(other, "warning", "2 of 3 servers, none may fail");
    server_wipe(c, victim);
    server_start(c, victim);
    wait_quorum(other, "warning", "was installed again (other node ID)");
    follow(other, "lictor confirm");
    wait_quorum(other, "passing", "3 of 3 servers, 1 may fail");
}

/* Where Consul is told not to do it by itself, and the server comes back with another address. */
static void an_old_entry_in_raft_is_removed(void **state)
{
    (void)state;
    int victim = cluster_follower(c), other = victim == 1 ? 2 : 1;
    type(other, "consul operator autopilot set-config -cleanup-dead-servers=false");
    server_kill(c, victim);
    wait_quorum(other, "warning", "2 of 3 servers, none may fail");
    server_wipe(c, victim);
    server_move(c, victim, 99);
    server_start(c, victim);
    wait_quorum(other, "warning", "an old entry of server_");
    follow(other, "consul operator raft remove-peer");
    wait_gone(other, "an old entry");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dead_servers_stay_visible),
        cmocka_unit_test(maintenance_ends),
        cmocka_unit_test(new_servers_are_confirmed),
        cmocka_unit_test(servers_that_are_gone_for_good_are_forgotten),
        cmocka_unit_test(a_server_that_was_installed_again_is_taken_in),
        cmocka_unit_test(an_old_entry_in_raft_is_removed),
    };
    return HARNESS_RUN("advice", tests, setup, cluster_tear_down);
}
