/* SPDX-License-Identifier: MIT */
/* Three servers log for an hour (SOAK_SECONDS) while whatever can happen to their shippers does:
 * each line is in Elasticsearch once in the end, no check was green for long while lines waited,
 * and the accounts of the shippers say the same. */
#include "indexer/account.h"
#include "keeper.h"
#include "kills.h"
#include "line_tally.h"
#include "seed.h"
#include "watcher.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#define SERVERS     WRITER_SERVERS
#define DELAY       "15s" /* LOG_DELAY */
#define DELAY_MS    15000
#define PROGRESS_MS 30000
#define REST_MS     10000  /* after an agent came again: the servers have a leader, all is known */
#define SETTLE_MS   600000 /* for all that waited */
#define STILL_MS    25000  /* nothing has come for so long: no more will */
#define DISK        "size=450m" /* of a shipper, whose queue may need 300 MB */
#define INDICES     "left*,right*"
#define LINES       "mark:*+message:*"

static struct {
    struct cluster *c;
    struct sink sink;
    struct log_writer writer;
    struct line_tally tally;
    struct watcher watcher;
    uint64_t seed;
    char address[40], dir[400];
    bool disks; /* each shipper has a file system of its own */
} here;

/* What is under way, and until when (now_ms()); 0: from now on it may begin at `next`. */
static struct {
    const struct trouble *trouble;
    int full, agent; /* servers */
    bool dead[SERVERS + 1];
    int64_t trouble_ms, full_ms, agent_ms, point_ms, revive_ms[SERVERS + 1], progress_ms;
} now;

static struct {
    int troubles, fulls, agents, pointings, applies, shippers, indexers, rotations;
} done;

static unsigned any(unsigned below)
{
    return seed_next(&here.seed, below);
}

static int any_server(void)
{
    return 1 + (int)any(SERVERS);
}

static bool is_time(int64_t at_ms)
{
    return now_ms() >= at_ms;
}

/* Most are short; some are so long that the checks must tell. */
static int64_t after_a_while(void)
{
    return now_ms() + 1000 * (int64_t)(any(3) ? 3 + any(30) : 50 + any(50));
}

/* ---- what Elasticsearch can have ----------------------------------------- */

static void sink_up(void)
{
    if (sink_start(&here.sink, "8.6.2", here.address, here.dir) < 0)
        harness_fail("no Elasticsearch");
}

/* To the server itself, which is a child of what sink_start() starts. */
static void signal_sink(const char *number)
{
    char pattern[500];
    (void)snprintf(pattern, sizeof pattern, "path.data=%s/data", here.dir);
    const char *argv[] = {"/usr/bin/pkill", number, "-f", pattern, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
}

static void crash_sink(void)
{
    signal_sink("-KILL");
    sink_kill(&here.sink);
}

static void stop_sink(void)
{
    signal_sink("-STOP");
}

static void go_on_sink(void)
{
    signal_sink("-CONT");
}

/* By a program, or by requests: @ is the name of an alias. */
static const struct trouble {
    const char *name;
    void (*begin)(void), (*end)(void);
    const char *method, *path, *bad, *end_path, *good;
} troubles[] = {
    {.name = "crashed", .begin = crash_sink, .end = sink_up},
    {.name = "stopped", .begin = stop_sink, .end = go_on_sink},
    {"index closed", NULL, NULL, "POST", "@-1/_close", NULL, "@-1/_open", NULL},
    {"index blocked", NULL, NULL, "PUT", "@-1/_settings", "{\"index.blocks.write\":true}",
     "@-1/_settings", "{\"index.blocks.write\":null}"},
    {"no pipeline", NULL, NULL, "PUT", "@-1/_settings", "{\"index.default_pipeline\":\"gone\"}",
     "@-1/_settings", "{\"index.default_pipeline\":null}"},
    {"no write index", NULL, NULL, "POST", "_aliases",
     "{\"actions\":[{\"add\":{\"index\":\"@-1\",\"alias\":\"@\",\"is_write_index\":false}}]}",
     "_aliases",
     "{\"actions\":[{\"add\":{\"index\":\"@-1\",\"alias\":\"@\",\"is_write_index\":true}}]}"},
};

static void fill_in(char *ret, size_t size, const char *pattern, const char *alias)
{
    size_t len = 0;
    for (; *pattern && len + 10 < size; pattern++)
        len += (size_t)snprintf(ret + len, size - len, "%.*s", *pattern == '@' ? 9 : 1,
                                *pattern == '@' ? alias : pattern);
    ret[len] = '\0';
}

/* For each index that lines may go to. */
static void ask_both(const char *method, const char *path, const char *body)
{
    static const char *const aliases[] = {"left", "right"};
    for (size_t i = 0; i < COUNT(aliases); i++) {
        char full[100], text[300];
        fill_in(full, sizeof full, path, aliases[i]);
        fill_in(text, sizeof text, body ? body : "", aliases[i]);
        sink_send(&here.sink, method, full, body ? text : NULL);
    }
}

static void block_all(bool blocked)
{
    for (int i = 1; i <= SERVERS; i++)
        watcher_blocked(&here.watcher, i, blocked || now.full == i);
}

static void begin_trouble(void)
{
    const struct trouble *t = &troubles[any(COUNT(troubles))];
    now.trouble = t;
    now.trouble_ms = after_a_while();
    done.troubles++;
    if (t->begin)
        t->begin();
    else
        ask_both(t->method, t->path, t->bad);
    block_all(true);
}

static void end_trouble(void)
{
    const struct trouble *t = now.trouble;
    now.trouble = NULL;
    now.trouble_ms = now_ms() + 1000 * (int64_t)(5 + any(30));
    if (t->end)
        t->end();
    else
        ask_both(t->method, t->end_path, t->good);
    block_all(false);
}

/* ---- what a server can have ---------------------------------------------- */

/* To the last page, whoever takes one meanwhile. */
static void fill_disk(int i)
{
    static const char page[4096];
    int fd = open(server_path(here.c, i, "shipper/filler"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        harness_fail("cannot fill the disk of server %d: %s", i, strerror(errno));
    while (write(fd, page, sizeof page) == (ssize_t)sizeof page)
        ;
    if (errno != ENOSPC)
        harness_fail("cannot fill the disk of server %d: %s", i, strerror(errno));
    (void)close(fd);
}

static void begin_full(void)
{
    now.full = any_server();
    now.full_ms = after_a_while();
    done.fulls++;
    fill_disk(now.full);
    if (!now.trouble)
        watcher_blocked(&here.watcher, now.full, true);
}

static void end_full(void)
{
    const int i = now.full;
    (void)unlink(server_path(here.c, i, "shipper/filler"));
    now.full = 0;
    now.full_ms = now_ms() + 1000 * (int64_t)(20 + any(60));
    if (!now.trouble)
        watcher_blocked(&here.watcher, i, false);
}

static void nothing_was_seen(void)
{
    for (int i = 1; i <= SERVERS; i++)
        watcher_unseen(&here.watcher, i);
}

static void begin_agent(void)
{
    now.agent = any_server();
    now.agent_ms = now_ms() + 1000 * (int64_t)(2 + any(20));
    done.agents++;
    server_kill(here.c, now.agent);
    nothing_was_seen();
}

static void end_agent(void)
{
    server_start(here.c, now.agent);
    wait_leader(here.c, 30000);
    now.agent = 0;
    now.agent_ms = now_ms() + REST_MS + 1000 * (int64_t)any(90);
    now.point_ms = now_ms() + REST_MS;
    nothing_was_seen();
}

static void point_to(const char *index, const char *level)
{
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", index, "LOG_LEVEL",
                 level, "LOG_SETTLE", "0", "LOG_DELAY", DELAY, "LOG_ROLLOUT", "parallel", NULL);
}

/* Somewhere in its work, if it comes to it. */
static void kill_apply(int i)
{
    char pattern[400];
    (void)snprintf(pattern, sizeof pattern, "apply-logging.*%s/", here.c->server[i].dir);
    const char *argv[] = {"/usr/bin/pkill", "-KILL", "-f", pattern, NULL};
    for (int n = 0; n < 50; n++) {
        struct outcome o = run_tool(NULL, argv, NULL);
        const bool killed = o.code == 0;
        outcome_release(&o);
        done.applies += killed;
        if (killed)
            return;
        sleep_ms(10);
    }
}

static void point_somewhere(void)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    now.point_ms = now_ms() + 1000 * (int64_t)(10 + any(40));
    done.pointings++;
    point_to(any(2) ? "left" : "right", levels[any(COUNT(levels))]);
    if (any(2)) {
        sleep_ms(any(100));
        kill_apply(any_server());
    }
}

static void crash_shipper(int i)
{
    done.shippers += kill_shipper(here.c, i);
    now.dead[i] = true;
    now.revive_ms[i] = now_ms() + 100 * (int64_t)any(100);
}

static void revive(int i)
{
    now.dead[i] = !revive_shipper(here.c, i);
    now.revive_ms[i] = now_ms() + 2000;
}

/* ---- the hour ------------------------------------------------------------ */

static void disturb_sink(void)
{
    if (!is_time(now.trouble_ms))
        return;
    if (now.trouble)
        end_trouble();
    else
        begin_trouble();
}

static void disturb_disk(void)
{
    if (!here.disks || !is_time(now.full_ms))
        return;
    if (now.full)
        end_full();
    else
        begin_full();
}

static void disturb_agent(void)
{
    if (!is_time(now.agent_ms))
        return;
    if (now.agent)
        end_agent();
    else
        begin_agent();
}

static void disturb_shipper(int i)
{
    if (now.dead[i] && is_time(now.revive_ms[i]) && now.agent != i)
        revive(i);
    if (!now.dead[i] && any(400) == 0)
        crash_shipper(i);
    if (any(200) == 0)
        done.indexers += kill_indexer(here.c, i);
    if (any(300) == 0) {
        done.rotations++;
        log_writer_rotate(&here.writer, i, (enum log_style)any(WRITER_STYLES));
    }
}

static void tell_progress(int64_t begin)
{
    if (!is_time(now.progress_ms))
        return;
    now.progress_ms = now_ms() + PROGRESS_MS;
    print_message("  %lld s: %d lines; Elasticsearch %s", (long long)(now_ms() - begin) / 1000,
                  log_writer_lines(&here.writer), now.trouble ? now.trouble->name : "is well");
    if (now.full)
        print_message(", disk of server %d full", now.full);
    if (now.agent)
        print_message(", agent of server %d dead", now.agent);
    for (int i = 1; i <= SERVERS; i++) {
        struct account account;
        account_read(server_path(here.c, i, "shipper/account.json"), &account);
        print_message("; %d: %lld arrived, %lld wait%s", i, (long long)account.arrived,
                      (long long)account.waiting, now.dead[i] ? ", rsyslogd dead" : "");
    }
    print_message("\n");
    (void)fflush(stdout);
}

static void disturb_for(int64_t seconds)
{
    const int64_t begin = now_ms();
    now.trouble_ms = begin + 5000;
    now.full_ms = begin + 10000;
    now.agent_ms = begin + 20000;
    now.point_ms = begin + 3000;
    while (now_ms() < begin + 1000 * seconds) {
        disturb_sink();
        disturb_disk();
        disturb_agent();
        if (!now.agent && is_time(now.point_ms))
            point_somewhere();
        for (int i = 1; i <= SERVERS; i++)
            disturb_shipper(i);
        tell_progress(begin);
        sleep_ms(50);
    }
}

/* ---- the end ------------------------------------------------------------- */

static bool all_run(void *arg, struct buffer *seen)
{
    (void)arg;
    for (int i = 1; i <= SERVERS; i++) {
        if (now.dead[i])
            revive(i);
        char *running = server_read(here.c, i, "shipper/running.conf");
        const bool yes = !now.dead[i] && strstr(running, "\\tindex=left\\t");
        free(running);
        if (!yes)
            return buffer_printf(seen, "server %d does not", i) != 0;
    }
    return true;
}

static void heal(void)
{
    if (now.trouble)
        end_trouble();
    if (now.full)
        end_full();
    if (now.agent)
        end_agent();
    sleep_ms(REST_MS);
    point_to("left", "info");
    wait_until("all shippers run", 60000, all_run, NULL);
}

static bool none_waits(void)
{
    for (int i = 1; i <= SERVERS; i++) {
        struct account account;
        account_read(server_path(here.c, i, "shipper/account.json"), &account);
        if (account.waiting > 0)
            return false;
    }
    return true;
}

/* Until nothing comes any more. */
static void settle(void)
{
    const int64_t begin = now_ms();
    int64_t still = begin;
    for (int before = -1; now_ms() < begin + SETTLE_MS; sleep_ms(1000)) {
        const int n = sink_documents(&here.sink, INDICES, LINES);
        if (n != before || n < 0 || !none_waits())
            still = now_ms();
        before = n;
        if (now_ms() > still + STILL_MS)
            break;
    }
    print_message("  settled after %lld s\n", (long long)(now_ms() - begin) / 1000);
}

static void tell_what_happened(void)
{
    print_message("  %d troubles of Elasticsearch, %d full disks, %d agents killed, %d times "
                  "re-pointed; killed: %d rsyslogd, %d index-records, %d apply-logging; %d "
                  "rotations\n",
                  done.troubles, done.fulls, done.agents, done.pointings, done.shippers,
                  done.indexers, done.applies, done.rotations);
    print_message("  %d odd lines, %d of 2 MB, %d empty; %d documents are no line\n",
                  here.writer.odd, here.writer.huge, here.writer.empty, here.tally.strange);
    print_message("  a check told %d times that lines wait, after %lld ms at most\n",
                  here.watcher.tells, (long long)here.watcher.slowest_ms);
}

/* Returns how many lines of logs that must lose none are not there, or twice in one index. The records
 * of one request may be in both when LOG_INDEX changes before its answer. */
static int tell_lines(void)
{
    static const char *const names[] = {"rotated among the logs", "rotated away", "copytruncate"};
    int bad = 0;
    for (int i = 1; i <= SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++) {
            const struct written *written = &here.writer.written[i][style];
            const struct found *of = &here.tally.found[i][style];
            const int lost = written->lines - of->arrived + written->equal - of->equal;
            print_message("  server %d, %s: %d written, %d lost, %d twice, %d in both indices; %d "
                          "equal, %d there\n",
                          i, names[style], written->lines, written->lines - of->arrived, of->twice,
                          of->moved, written->equal, of->equal);
            line_tally_tell(&here.tally, &here.sink, i, (enum log_style)style);
            bad += of->twice + (style == LOG_KEPT ? abs(lost) : 0);
        }
    return bad;
}

/* What the shippers say themselves; returns how many of them say something else than the search. */
static int tell_accounts(void)
{
    int wrong = 0;
    for (int i = 1; i <= SERVERS; i++) {
        struct account a;
        account_read(server_path(here.c, i, "shipper/account.json"), &a);
        print_message(
            "  server %d: %d documents; by its account %lld arrived, %lld wait, %lld lost\n", i,
            here.tally.documents[i], (long long)a.arrived, (long long)a.waiting, (long long)a.lost);
        wrong += a.arrived != here.tally.documents[i] || a.waiting || a.lost;
    }
    return wrong;
}

static void nothing_is_lost_unseen(void **state)
{
    (void)state;
    const char *seconds = getenv("SOAK_SECONDS");
    ask_both("PUT", "@-1",
             "{\"settings\":{\"number_of_replicas\":0},\"aliases\":{\"@\":{\"is_write_index\":"
             "true}},\"mappings\":{\"properties\":{\"job\":{\"type\":\"long\"}}}}");
    point_to("left", "info");
    wait_until("all shippers run", 30000, all_run, NULL);
    log_writer_start(&here.writer, here.c, here.seed);
    watcher_start(&here.watcher, here.c, DELAY_MS);
    disturb_for(seconds ? strtol(seconds, NULL, 10) : 3600);
    heal();
    watcher_stop(&here.watcher);
    log_writer_stop(&here.writer);
    settle();
    if (!line_tally_look(&here.tally, &here.writer, &here.sink))
        harness_fail("cannot search");
    tell_what_happened();
    const int bad = tell_lines();
    const int wrong = tell_accounts();
    if (here.watcher.wrong[0])
        harness_fail("%s", here.watcher.wrong);
    if (bad)
        harness_fail("%d lines are lost or twice", bad);
    if (wrong)
        harness_fail("%d accounts say something else", wrong);
}

/* ---- the judge ----------------------------------------------------------- */

static const struct {
    const char *name;
    struct watched facts;
    bool wrong;
} rows[] = {
    {"all is well", {.seen_ms = 90000, .passing = true, .delay_ms = 15000}, false},
    {"not yet", {45000, 90000, true, 15000}, false},
    {"green for too long", {45001, 90000, true, 15000}, true},
    {"it tells", {90000, 90000, false, 15000}, false},
    {"nobody could tell", {90000, 45000, true, 15000}, false},
    {"a longer delay", {90000, 90000, true, 60000}, false},
};

static void green_for_too_long_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (watcher_is_wrong(&rows[i].facts) != rows[i].wrong)
            harness_fail("%s", rows[i].name);
}

/* ---- the whole ----------------------------------------------------------- */

/* Both lay where only we and what we start can see them. */
static void give_disk(int i)
{
    if (mount("tmpfs", server_path(here.c, i, "shipper"), "tmpfs", 0, DISK) < 0)
        harness_fail("cannot mount: %s", strerror(errno));
}

static int setup(void **state)
{
    (void)state;
    here.seed = seed_of_chance((uint64_t)now_ms());
    if (!sink_available("8.6.2"))
        return -1;
    here.c = cluster_start(&(struct cluster_options){.limits = "confirm=500ms,apply_again=1s"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%.200s/elasticsearch", keeper_dir());
    for (int i = 1; i <= SERVERS; i++) {
        if (here.disks)
            give_disk(i);
        server_shipper(here.c, i, SHIPPER_RSYSLOG, NULL);
    }
    sink_up();
    return 0;
}

/* What is on a disk of its own is copied, so that it is kept after a failure. */
static void take_disk(int i)
{
    char dir[400];
    (void)snprintf(dir, sizeof dir, "%s", server_path(here.c, i, "shipper"));
    (void)kill_shipper(here.c, i);
    const char *argv[] = {"/bin/sh", "-c",
                          "rm -f \"$0/filler\"; cp -a \"$0\" \"$0.kept\"; umount -l \"$0\"", dir,
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
}

static int teardown(void **state)
{
    (void)state;
    log_writer_release(&here.writer);
    line_tally_release(&here.tally);
    watcher_stop(&here.watcher);
    if (here.sink.pid)
        crash_sink();
    if (!here.c)
        return 0;
    for (int i = 1; here.disks && i <= SERVERS; i++)
        take_disk(i);
    cluster_stop(here.c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_for_too_long_is_seen),
        cmocka_unit_test(nothing_is_lost_unseen),
    };
    here.disks = !getenv("SOAK_NO_DISK") && unshare(CLONE_NEWNS) == 0 &&
                 mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    if (!here.disks)
        (void)printf("# note: not root, so full disks are left out\n");
    return HARNESS_RUN("account", tests, setup, teardown);
}
