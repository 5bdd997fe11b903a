/* SPDX-License-Identifier: MIT */
/* verify-clock and hear-clock on real servers, whose clocks are set wrong (libfaketime).
 * One cluster shrinks from seven to three; what its heartbeats would do every 15 s is done
 * here, one after the other. Beside it a quiet one with heartbeats of its own. */
#include "fake_ntp.h"
#include "harness.h"

#define QUIET_MS 120000
#define AWAY_MS  15000
#define TIMING   "http=2s"

static struct cluster *shared, *quiet;
static struct recorder *quiet_recorder;

/* ---- beating and looking ------------------------------------------------- */

/* As every server's heartbeat does it. */
static void beat_one(struct cluster *c, int i)
{
    const char *argv[] = {"verify-clock", "--publish", "cluster:clock", NULL};
    struct outcome o = server_run(c, i, NULL, argv);
    outcome_release(&o);
}

static void beat(struct cluster *c)
{
    for (int i = 1; i <= c->servers; i++)
        if (c->server[i].pid)
            beat_one(c, i);
}

struct look {
    struct cluster *c;
    int code;
    const char *text;
};

/* A long summary goes on below the first line, two columns further to the right: in one line. */
static void unfold(char *text)
{
    for (char *at = strstr(text, "\n  "); at; at = strstr(at, "\n  ")) {
        *at = ' ';
        memmove(at + 1, at + 3, strlen(at + 3) + 1);
    }
}

static bool says(const struct look *l, int i, struct buffer *seen)
{
    const char *argv[] = {"verify-clock", NULL};
    struct outcome o = server_run(l->c, i, NULL, argv);
    unfold(o.out);
    bool yes = o.code == l->code && strncmp(o.out, l->text, strlen(l->text)) == 0;
    if (buffer_printf(seen, "server %d: %d %s%s\n", i, o.code, o.out, o.err) < 0)
        yes = false;
    outcome_release(&o);
    return yes;
}

static bool all_say(void *arg, struct buffer *seen)
{
    const struct look *l = arg;
    bool yes = true;
    beat(l->c);
    for (int i = 1; i <= l->c->servers; i++)
        if (l->c->server[i].pid && !says(l, i, seen))
            yes = false;
    return yes;
}

/* Beat until every server's verdict is this: exit code and how it begins. */
static void wait_verdict(struct cluster *c, int code, const char *text)
{
    struct look l = {c, code, text};
    wait_until(text, 20000, all_say, &l);
}

static void wait_agreement(struct cluster *c, int n)
{
    char text[80];
    (void)snprintf(text, sizeof text, "passing: %d clocks agree within 100 ms\n", n);
    wait_verdict(c, 0, text);
}

/* ---- wrong clocks -------------------------------------------------------- */

/* %s: all others, "server-1, server-4 and server-5". */
static const struct row {
    const char *second, *third; /* clocks of server 2 and 3, NULL right */
    int code;
    const char *text;
    const char *of_three; /* with three servers: another one of them may be alone */
} rows[] = {
    {NULL, NULL, 0, "passing: %d clocks agree within 100 ms\n", NULL},
    {"+0.02s", NULL, 0, "passing: %d clocks agree within 100 ms\n", NULL},
    {"-0.02s", NULL, 0, "passing: %d clocks agree within 100 ms\n", NULL},
    {"+0.03s", "+0.06s", 0, "passing: %d clocks agree within 100 ms\n", NULL},
    {"+0.2s", NULL, 1, "warning: server-2 differs by +200 ms from %s (limit 100 ms)\n", NULL},
    {"-0.2s", NULL, 1, "warning: server-2 differs by -200 ms from %s (limit 100 ms)\n", NULL},
    {"+2s", NULL, 2, "critical: server-2 differs by +2.0 s from %s (limit 500 ms)\n", NULL},
    {"-2s", NULL, 2, "critical: server-2 differs by -2.0 s from %s (limit 500 ms)\n", NULL},
    {"+3600s", NULL, 2, "critical: server-2 differs by +1.0 h from %s (limit 500 ms)\n", NULL},
    {"-3600s", NULL, 2, "critical: server-2 differs by -1.0 h from %s (limit 500 ms)\n", NULL},
    {"+2s", "+2s", 2, "critical: server-2 and server-3 differ by +2.0 s from %s (limit 500 ms)\n",
     "critical: server-1 differs by -2.0 s from server-2 and server-3 (limit 500 "
     "ms)\n"},
    {"-0.2s", "-0.2s", 1,
     "warning: server-2 and server-3 differ by -200 ms from %s (limit 100 ms)\n",
     "warning: server-1 differs by +200 ms from server-2 and server-3 (limit 100 "
     "ms)\n"},
    {"+2s", "-3600s", 2,
     "critical: server-2 differs by +2.0 s, server-3 by -1.0 h from %s (limit 500 "
     "ms)\n",
     "critical: no majority: server-1 against server-2 against server-3"},
    {"-3600s", "-3600s", 2,
     "critical: server-2 and server-3 differ by -1.0 h from %s (limit 500 ms)\n",
     "critical: server-1 differs by +1.0 h from server-2 and server-3 (limit 500 "
     "ms)\n"},
    {"-0.2s", "+2s", 2, "critical: server-3 differs by +2.", NULL},
};

/* The names of server 1 and of those from `first` on. */
static void list_others(int n, int first, char *ret, size_t size)
{
    size_t len = (size_t)snprintf(ret, size, "server-1");
    for (int i = first; i <= n; i++)
        len += (size_t)snprintf(ret + len, size - len, "%s%d",
                                i == n ? " and server-" : ", server-", i);
}

static void expect_row(struct cluster *c, int n, const struct row *row)
{
    char others[200], text[400];
    const char *format = n == 3 && row->of_three ? row->of_three : row->text;
    server_clock(c, 2, row->second);
    server_clock(c, 3, row->third);
    print_message("  %d servers, %s, %s\n", n, row->second ? row->second : "right",
                  row->third ? row->third : "right");
    list_others(n, row->third ? 4 : 3, others, sizeof others);
    const char *words = strstr(format, "%s");
    const char *number = strstr(format, "%d");
    if (words)
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(words - format), format, others,
                       words + 2);
    else if (number)
        (void)snprintf(text, sizeof text, "%.*s%d%s", (int)(number - format), format, n,
                       number + 2);
    else
        (void)snprintf(text, sizeof text, "%s", format);
    wait_verdict(c, row->code, text);
}

static void expect_rows(struct cluster *c, int n)
{
    int64_t begin = now_ms();
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_row(c, n, &rows[i]);
    server_clock(c, 2, NULL);
    server_clock(c, 3, NULL);
    wait_agreement(c, n);
    print_message("%d servers: %lld ms\n", n, (long long)(now_ms() - begin));
}

static void seven_servers(void **state)
{
    (void)state;
    wait_agreement(shared, 7);
    expect_rows(shared, 7);
}

static void five_servers(void **state)
{
    (void)state;
    server_leave(shared, 7);
    server_leave(shared, 6);
    wait_leader(shared, 30000);
    wait_agreement(shared, 5);
    expect_rows(shared, 5);
}

static void three_servers(void **state)
{
    (void)state;
    server_leave(shared, 5);
    server_leave(shared, 4);
    wait_leader(shared, 30000);
    wait_agreement(shared, 3);
    expect_rows(shared, 3);
}

/* ---- state, and state nothing ----------------------------------------- */

static bool others_publish(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    bool yes = true;
    beat_one(c, 2);
    for (int i = 1; i <= 3; i += 2) {
        struct check check;
        (void)check_local(c, i, "cluster:clock", &check);
        if (buffer_printf(seen, "%s %s", check.status, check.output) < 0 ||
            strcmp(check.status, "critical") != 0 || !strstr(check.output, "server-2"))
            yes = false;
    }
    return yes;
}

/* Server 1 and 3 do nothing of their own accord. */
static void the_watch_alone_publishes(void **state)
{
    (void)state;
    wait_agreement(shared, 3);
    size_t before = runs(shared, 0, "hear-clock");
    server_clock(shared, 2, "+2s");
    wait_until("the others publish that server 2 differs", 10000, others_publish, shared);
    assert_true(runs(shared, 0, "hear-clock") > before);
    server_clock(shared, 2, NULL);
    wait_agreement(shared, 3);
}

static bool third_is_silent(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    struct look l = {c, 1, "warning: server-3 is silent\n"};
    beat_one(c, 1);
    beat_one(c, 2);
    bool first = says(&l, 1, seen);
    return says(&l, 2, seen) && first;
}

/* Its agent lives, but its heartbeat does not. */
static void who_tells_nothing_is_silent(void **state)
{
    (void)state;
    shared->options.limits = TIMING ",clock_interval=1s";
    wait_until("server 3 is silent", 10000, third_is_silent, shared);
    shared->options.limits = TIMING;
    wait_agreement(shared, 3);
}

/* ---- a reference --------------------------------------------------------- */

/* Three clocks which all differ have no majority: only NTP servers can say who is wrong.
 * This process's own clock is right. */
static void ntp_servers_decide(void **state)
{
    (void)state;
    char value[80];
    struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", NULL);
    (void)snprintf(value, sizeof value, "127.0.0.1:%d", fake_ntp_server(ntp).port);
    server_clock(shared, 2, "+2s");
    server_clock(shared, 3, "-3600s");
    wait_verdict(shared, 2, "critical: no majority: server-1 against server-2 against");
    setting_put(shared, "CLOCK_REFERENCE", value);
    wait_verdict(shared, 2,
                 "critical: server-2 is wrong by +2.0 s, server-3 by -1.0 h, say their "
                 "NTP servers (limit 100 ms)\n");
    setting_delete(shared, "CLOCK_REFERENCE");
    wait_verdict(shared, 2, "critical: no majority: server-1 against server-2 against");
    server_clock(shared, 2, NULL);
    server_clock(shared, 3, NULL);
    wait_agreement(shared, 3);
    fake_ntp_stop(ntp);
}

static void a_refused_limit_is_said(void **state)
{
    (void)state;
    setting_put(shared, "CLOCK_SKEW_WARNING", "10ms");
    wait_verdict(shared, 1,
                 "warning: 3 clocks agree within 100 ms; a CLOCK_ setting is rejected\n");
    setting_put(shared, "CLOCK_SKEW_WARNING", "200ms");
    wait_verdict(shared, 0, "passing: 3 clocks agree within 200 ms\n");
    setting_delete(shared, "CLOCK_SKEW_WARNING");
    wait_agreement(shared, 3);
}

/* ---- trouble that is not the clocks' --------------------------------------- */

/* Nobody may be named, and nothing be critical, on any server but `but`, however often it is
 * looked at. */
static void nobody_is_named(struct cluster *c, int but)
{
    const char *publish[] = {"verify-clock", "--publish", "cluster:clock", NULL};
    const char *by_hand[] = {"verify-clock", NULL};
    for (int i = 1; i <= c->servers; i++) {
        if (!c->server[i].pid || i == but)
            continue;
        struct outcome told = server_run(c, i, NULL, publish);
        struct outcome o = server_run(c, i, NULL, by_hand);
        if (o.code == 2 || strstr(o.out, " differ") || strstr(o.out, " wrong"))
            harness_fail("server %d: %d %s%s%s", i, o.code, o.out, o.err, told.err);
        outcome_release(&told);
        outcome_release(&o);
    }
}

static void nobody_is_named_for(struct cluster *c, int but, int64_t ms)
{
    for (int64_t end = now_ms() + ms; now_ms() < end; sleep_ms(200))
        nobody_is_named(c, but);
}

static void leader_stands_still(void **state)
{
    (void)state;
    int leader = cluster_leader(shared);
    server_freeze(shared, leader);
    nobody_is_named_for(shared, leader, 5000);
    server_thaw(shared, leader);
    nobody_is_named_for(shared, 0, 1000);
    wait_leader(shared, 30000);
    wait_agreement(shared, 3);
}

static void leader_is_killed(void **state)
{
    (void)state;
    int leader = cluster_leader(shared);
    server_kill(shared, leader);
    nobody_is_named_for(shared, 0, 5000);
    server_start(shared, leader);
    nobody_is_named_for(shared, 0, 1000);
    wait_leader(shared, 30000);
    wait_agreement(shared, 3);
}

static void agent_is_away_for_a_while(void **state)
{
    (void)state;
    int away = cluster_follower(shared);
    server_kill(shared, away);
    nobody_is_named_for(shared, 0, AWAY_MS);
    server_start(shared, away);
    nobody_is_named_for(shared, 0, 1000);
    wait_leader(shared, 30000);
    wait_agreement(shared, 3);
}

/* Everything that was written comes back as it was some time ago. */
static void snapshot(struct cluster *c, const char *method)
{
    char url[100], file[600], body[620];
    (void)snprintf(url, sizeof url, "http://%s:8500/v1/snapshot", c->server[1].address);
    (void)snprintf(file, sizeof file, "%s", server_path(c, 1, "snapshot"));
    (void)snprintf(body, sizeof body, "@%s", file);
    bool save = strcmp(method, "GET") == 0;
    const char *argv[] = {
        "/usr/bin/curl",    "-sSf", "--noproxy", "*", "-X", method, save ? "-o" : "--data-binary",
        save ? file : body, url,    NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("snapshot: %d %s%s", o.code, o.out, o.err);
    outcome_release(&o);
}

static void snapshot_is_restored(void **state)
{
    (void)state;
    snapshot(shared, "GET");
    nobody_is_named_for(shared, 0, 3000);
    snapshot(shared, "PUT");
    nobody_is_named_for(shared, 0, 3000);
    wait_leader(shared, 30000);
    wait_agreement(shared, 3);
}

static bool is_noticed(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    const char *other[] = {"verify-clock",
                           "--publish",
                           "cluster:nobody",
                           "--state-dir",
                           server_path(c, 2, "other"),
                           NULL};
    const char *by_hand[] = {"verify-clock", NULL};
    nobody_is_named(c, 0);
    struct outcome o = server_run(c, 2, NULL, other);
    outcome_release(&o);
    o = server_run(c, 2, NULL, by_hand);
    bool yes = o.code == 1 && strstr(o.out, "; somebody else writes this server's record");
    if (buffer_printf(seen, "%d %s%s", o.code, o.out, o.err) < 0)
        yes = false;
    outcome_release(&o);
    return yes;
}

static void two_agents_use_one_name(void **state)
{
    (void)state;
    const char *make[] = {"/bin/mkdir", "-m", "0700", server_path(shared, 2, "other"), NULL};
    struct buffer seen = BUFFER_INIT(1U << 20);
    struct outcome o = run_tool(NULL, make, NULL);
    outcome_release(&o);
    wait_until("server 2 says that somebody else writes its record", 10000, is_noticed, shared);
    for (int n = 0; n < 5; n++)
        (void)is_noticed(shared, &seen);
    buffer_release(&seen);
    wait_agreement(shared, 3);
}

/* ---- the quiet one ------------------------------------------------------- */

/* When every server had its first verdict; -1: not all have. */
static int64_t all_passing_since(void)
{
    int64_t since = 0;
    for (int i = 1; i <= 3; i++) {
        int64_t when = recorder_when(quiet_recorder, 0, quiet->server[i].node, "cluster:clock",
                                     "passing", "3 clocks agree");
        if (when < 0)
            return -1;
        since = when > since ? when : since;
    }
    return since;
}

static bool was_quiet_long(void *arg, struct buffer *seen)
{
    (void)arg;
    int64_t since = all_passing_since();
    int64_t ms = since < 0 ? -1 : now_ms() - since;
    return buffer_printf(seen, "passing for %lld ms", (long long)ms) == 0 && ms >= QUIET_MS;
}

static void idle_clocks_raise_no_alarm(void **state)
{
    (void)state;
    wait_until("the quiet cluster was looked at long enough", QUIET_MS + 60000, was_quiet_long,
               NULL);
    int64_t since = all_passing_since();
    char *text = recorder_text(quiet_recorder, "cluster:clock");
    if (recorder_when(quiet_recorder, since + 1, NULL, "cluster:clock", "warning", "") >= 0 ||
        recorder_when(quiet_recorder, since + 1, NULL, "cluster:clock", "critical", "") >= 0)
        harness_fail("an alarm: %s", text);
    free(text);
}

static int setup(void **state)
{
    (void)state;
    quiet = cluster_start(&(struct cluster_options){0});
    quiet_recorder = recorder_start(quiet, 1);
    shared = cluster_start(
        &(struct cluster_options){.servers = 7, .heartbeat = "3600s", .limits = TIMING});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    recorder_stop(quiet_recorder);
    cluster_stop(shared);
    cluster_stop(quiet);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seven_servers),
        cmocka_unit_test(five_servers),
        cmocka_unit_test(three_servers),
        cmocka_unit_test(the_watch_alone_publishes),
        cmocka_unit_test(who_tells_nothing_is_silent),
        cmocka_unit_test(ntp_servers_decide),
        cmocka_unit_test(a_refused_limit_is_said),
        cmocka_unit_test(leader_stands_still),
        cmocka_unit_test(leader_is_killed),
        cmocka_unit_test(agent_is_away_for_a_while),
        cmocka_unit_test(snapshot_is_restored),
        cmocka_unit_test(two_agents_use_one_name),
        cmocka_unit_test(idle_clocks_raise_no_alarm),
    };
    return HARNESS_RUN("clock", tests, setup, teardown);
}
