/* SPDX-License-Identifier: MIT */
/* Which link between three servers and Elasticsearch is broken: for each link a test that
 * breaks exactly it and reads the sentence. Real Consul, real rsyslogds, real Elasticsearch
 * where one can be had; the stand-in for what the real one does not do on command. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#define SERVERS  3
#define INDEX    "links"
#define SOON     20000
#define FRESH_MS 4000
#define SPARES   100
#define TIMING                                                                                     \
    "confirm=500ms,apply_again=500ms,fresh=4s,patience=1s,loss=5m,proof=1s,"                       \
    "mapping_stable=1s"
/* However slow the machine is, nothing is lost for good before a test wants it to be. */
#define LOST "fresh=4s,patience=1s,loss=1s"

static struct {
    struct cluster *c;
    const char *kind; /* of the Elasticsearch: real, or the stand-in */
    struct sink sink;
    char address[40], dir[300];
} here;

/* ---- looking ------------------------------------------------------------- */

static struct outcome verify(int i, const char *publish)
{
    const char *argv[] = {"verify-logging", publish ? "--publish" : NULL, publish, NULL};
    return server_run(here.c, i, NULL, argv);
}

struct wanted {
    int server;
    const char *text;
    int code;
};

static bool says(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    struct outcome o = verify(w->server, NULL);
    bool yes = output_says(o.out, w->text) && o.code == w->code &&
               buffer_printf(seen, "%s", "") == 0;
    if (!yes && buffer_printf(seen, "%d %s%s", o.code, o.out, o.err) < 0)
        yes = false;
    outcome_release(&o);
    return yes;
}

/* Server i comes to say so (exit code: 0 passing, 1 warning, 2 critical). */
static void wait_said(int i, const char *text, int code)
{
    struct wanted w = {i, text, code};
    wait_until(text, SOON, says, &w);
}

/* What Consul runs on server i does nothing, or what it should. */
static void set_deaf(int i, bool deaf)
{
    static const char *const programs[] = {"heartbeat", "reconfigure-logging"};
    for (size_t p = 0; p < 2; p++) {
        char name[60], kept[600], path[600];
        (void)snprintf(name, sizeof name, "libexec/%s", programs[p]);
        (void)snprintf(path, sizeof path, "%s", server_path(here.c, i, name));
        (void)snprintf(kept, sizeof kept, "%.500s.kept", path);
        if (!deaf) {
            assert_int_equal(rename(kept, path), 0);
            continue;
        }
        assert_int_equal(rename(path, kept), 0);
        server_write(here.c, i, name, "#!/bin/sh\n");
        assert_int_equal(chmod(path, 0755), 0);
    }
}

static void ship_to(const char *url)
{
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", url, "LOG_INDEX", INDEX, "LOG_SETTLE", "0",
                 "LOG_ROLLOUT", "parallel", NULL);
}

static void all_is_well(void)
{
    ship_to(here.sink.url);
    for (int i = 1; i <= SERVERS; i++)
        wait_said(i, ", records arrive from all", 0);
}

/* ---- figures for alerting ------------------------------------------------ */

/* Each is a sample in the file of the latest heartbeat. */
static const char *const figures[] = {
    "\nlictor_check_status{check=\"cluster:quorum\"} 0\n",
    "\nlictor_check_status{check=\"cluster:clock\"} ",
    "\nlictor_check_status{check=\"cluster:logging\"} 0\n",
    "\nlictor_servers_spare 1\n",
    "\nlictor_clock_offset_bound_seconds{node=\"server-1\",other=\"server-3\"} 0.",
    "\nlictor_records_waiting{shipper=\"shipper\"} 0\n",
    "\nlictor_records_waiting_age_seconds{shipper=\"shipper\"} 0\n",
    "\nlictor_records_lost_total{shipper=\"shipper\"} 0\n",
    "\nlictor_records_arrived_total{shipper=\"shipper\"} ",
    "\nlictor_logs_unread_bytes{shipper=\"shipper\"} 0\n",
    "\nlictor_queue_free_bytes{shipper=\"shipper\"} ",
    "\nlictor_revision_info{revision=\"",
    "\nlictor_heartbeat_duration_seconds ",
    "\nlictor_heartbeat_cpu_seconds ",
};

static bool has_figures(void *arg, struct buffer *seen)
{
    const char *argv[] = {"heartbeat", "--metrics-dir", arg, NULL};
    struct outcome o = server_run(here.c, 1, NULL, argv);
    char *text = server_read(here.c, 1, "metrics/lictor.prom");
    bool all = buffer_printf(seen, "%s%s", o.out, o.err) == 0;
    for (size_t i = 0; i < COUNT(figures); i++) {
        if (!strstr(text, figures[i]))
            all = buffer_printf(seen, "; no%s", figures[i]) < 0;
    }
    free(text);
    outcome_release(&o);
    return all;
}

static void figures_for_alerting_are_there(void **state)
{
    (void)state;
    char dir[400];
    (void)snprintf(dir, sizeof dir, "%s", server_path(here.c, 1, "metrics"));
    all_is_well();
    const char *argv[] = {"heartbeat", "--metrics-dir", dir, NULL};
    struct outcome o = server_run(here.c, 1, NULL, argv); /* there is no such directory */
    assert_int_equal(o.code, 0);
    assert_string_equal(o.err, "");
    outcome_release(&o);
    assert_int_equal(mkdir(dir, 0755), 0);
    wait_until("the figures", SOON, has_figures, dir);
}

/* ---- all is well --------------------------------------------------------- */

/* Nothing was ever set before this one. */
static void green_begins_when_it_is_true(void **state)
{
    (void)state;
    struct recorder *r = recorder_start(here.c, 1);
    int64_t begin = now_ms();
    const char *stand_in = cluster_sink(here.c);
    sink_mode(&here.c->sink, "401", 0);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", stand_in, "LOG_INDEX", INDEX, "LOG_SETTLE", "0",
                 "LOG_ROLLOUT", "rolling", NULL);
    for (int i = 1; i <= SERVERS; i++)
        wait_check(here.c, i, "cluster:logging", "warning", "server-1 next, but ", SOON);
    sink_mode(&here.c->sink, "ok", 0);
    wait_check(here.c, 1, "cluster:logging", "passing", "servers on revision", 60000);
    assert_int_equal(recorder_when(r, begin, NULL, "cluster:logging", "passing", "0 of 3"), -1);
    recorder_stop(r);
}

static void records_of_all_arrive(void **state)
{
    (void)state;
    all_is_well();
}

/* ---- out of reach -------------------------------------------------------- */

static const struct reach_row {
    const char *url, *summary, *sentence;
} reaches[] = {
    {"http://no-such-host.invalid:9200", "but Elasticsearch is out of reach from here",
     "http://no-such-host.invalid:9200: the name cannot be resolved (DNS)"},
    {"http://127.0.0.1:9200", "but Elasticsearch is out of reach from here",
     "http://127.0.0.1:9200: connection refused (TCP)"},
};

static void the_way_is_broken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reaches); i++) {
        print_message("  %s\n", reaches[i].url);
        ship_to(reaches[i].url);
        wait_said(1, reaches[i].sentence, 1);
        wait_said(1, reaches[i].summary, 1);
    }
    here.c->options.limits = LOST;
    wait_said(1, "for half an hour or more", 2);
    here.c->options.limits = TIMING;
    all_is_well();
}

/* ---- what answers is not what it should be -------------------------------- */

static const struct mode_row {
    const char *mode, *sentence;
} modes[] = {
    {"401", "it demands a credential (401)"},
    {"403", "without a credential nobody has the cluster privilege \"monitor\" (403)"},
    {"429", "too busy (429): it is asked again"},
    {"503", "not ready (5xx, or without a cluster): it is asked again"},
    {"hang", "it takes the connection but does not answer in time: is it overloaded?"},
    {"redirect", "it redirects, which is not followed"},
    {"foreign", "the server there is not Elasticsearch"},
    {"old", "older than Elasticsearch 7, which is the least"},
    {"quotes", "the server there is not Elasticsearch"},
    {"endless", "its answer is larger than any of Elasticsearch"},
    {"search=403", "nobody has the index privilege \"read\" on links (403)"},
};

static char *running(int i)
{
    return server_read(here.c, i, "shipper/running.conf");
}

static void expect_retry(int i, int code, const char *said)
{
    const char *argv[] = {"lictor", "retry", NULL};
    struct outcome o = server_run(here.c, i, NULL, argv);
    if (o.code != code || !strstr(o.err, said))
        harness_fail("lictor retry ended with %d: %s%s", o.code, o.out, o.err);
    outcome_release(&o);
}

/* Rolling: the preflight says it, and nobody is touched. */
static void what_does_not_answer_well_is_told_before_anything_is_touched(void **state)
{
    (void)state;
    char *before[SERVERS + 1];
    all_is_well();
    for (int i = 1; i <= SERVERS; i++)
        before[i] = running(i);
    const char *stand_in = cluster_sink(here.c);
    sink_mode(&here.c->sink, modes[0].mode, 0);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", stand_in, "LOG_ROLLOUT", "rolling", NULL);
    for (size_t i = 0; i < COUNT(modes); i++) {
        print_message("  %s\n", modes[i].mode);
        sink_mode(&here.c->sink, modes[i].mode, 0);
        wait_said(1, modes[i].sentence, 1);
    }
    expect_retry(1, 1, "nothing was touched here: http://");
    expect_retry(3, 1, "nothing was touched here: ");
    for (int i = 1; i <= SERVERS; i++) {
        char *now = running(i);
        assert_string_equal(now, before[i]);
        free(now);
        free(before[i]);
    }
    sink_mode(&here.c->sink, "ok", 0);
    for (int i = 1; i <= SERVERS; i++)
        wait_said(i, ", records arrive from all", 0);
    all_is_well();
}

/* ---- another Elasticsearch ----------------------------------------------- */

/* One that was made anew at the old address: as long as the others have not looked they say
 * what they saw before. */
static void another_elasticsearch_is_told(void **state)
{
    char dir[400], both[300];
    (void)state;
    all_is_well();
    (void)snprintf(dir, sizeof dir, "%.300s-2", here.dir);
    set_deaf(2, true);
    set_deaf(3, true);
    sink_kill(&here.sink);
    assert_int_equal(sink_start(&here.sink, here.kind, here.address, dir), 0);
    wait_said(1, "server-2 ships to another Elasticsearch than server-1", 1);
    wait_said(1, "not all ship to the same Elasticsearch: server-2, server-3", 1);
    set_deaf(2, false);
    set_deaf(3, false);
    all_is_well();
    (void)snprintf(both, sizeof both, "%s,%s", here.sink.url, cluster_sink(here.c));
    ship_to(both);
    wait_said(2, "but the addresses are of different Elasticsearch", 1);
    all_is_well();
}

/* ---- nothing arrives ----------------------------------------------------- */

static pid_t shipper_of(int i)
{
    char *text = server_read(here.c, i, "shipper/rsyslogd.pid");
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    free(text);
    assert_true(pid > 1);
    return pid;
}

/* Deaf, or the heartbeat would start it again. */
static void a_dead_shipper_is_told(void **state)
{
    (void)state;
    all_is_well();
    set_deaf(2, true);
    assert_int_equal(kill(shipper_of(2), SIGKILL), 0);
    wait_said(2, "the log shipper of this server does not run", 1);
    wait_said(2, "but nothing arrives from server-2", 1);
    wait_said(1, "nothing arrives from server-2: see cluster:logging there", 1);
    wait_said(2, "lictor retry starts it, or says why not", 1);
    expect_retry(2, 0, "");
    assert_int_equal(kill(shipper_of(2), 0), 0);
    set_deaf(2, false); /* its heartbeat writes the next record */
    all_is_well();
}

static void a_shipper_that_is_stuck_is_told(void **state)
{
    (void)state;
    all_is_well();
    set_deaf(2, true);
    pid_t pid = shipper_of(2);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    struct outcome o = verify(2, "cluster:logging");
    int64_t written = now_ms();
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    wait_said(2, "the log shipper of this server runs, so its queue grows", 1);
    wait_said(3, "but nothing arrives from server-2", 1);
    /* What it wrote last is old by then: it arrives late. */
    if (now_ms() <= written + FRESH_MS)
        sleep_ms(written + FRESH_MS + 1 - now_ms());
    assert_int_equal(kill(pid, SIGCONT), 0);
    wait_said(1, "records of server-2 arrive late: its log shipper works off a queue", 1);
    set_deaf(2, false);
    all_is_well();
}

/* ---- what arrives is only what should ------------------------------------ */

static bool is_written(void *log, struct buffer *seen)
{
    struct stat st = {0};
    (void)seen;
    return lstat(log, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

/* An empty log; with this inode number, where a file can be made that has it. */
static void make_log(const char *log, ino_t number)
{
    struct stat st = {0};
    for (int i = 0; i < SPARES && st.st_ino != number; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "probe/spare-%d", i);
        server_write(here.c, 3, name, "");
        assert_int_equal(stat(server_path(here.c, 3, name), &st), 0);
        if (st.st_ino == number || i + 1 == SPARES)
            assert_int_equal(rename(server_path(here.c, 3, name), log), 0);
    }
    for (int i = 0; i < SPARES; i++) {
        char name[40];
        (void)snprintf(name, sizeof name, "probe/spare-%d", i);
        (void)unlink(server_path(here.c, 3, name));
    }
}

/* The shipper sees nothing of it until all has happened: it knows the link by its number. */
static void replace_unseen(const char *link)
{
    struct stat st;
    pid_t pid = shipper_of(3);
    assert_int_equal(lstat(link, &st), 0);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(unlink(link), 0);
    make_log(link, st.st_ino);
    wait_until("the probe log is written again", SOON, is_written, (void *)(uintptr_t)link);
    assert_int_equal(kill(pid, SIGCONT), 0);
}

/* Whoever is the agent's user could let the shipper read what only the shipper may. */
static void a_link_in_the_place_of_the_log_gives_nothing_away(void **state)
{
    (void)state;
    char log[600], secret[600], query[200];
    all_is_well();
    (void)snprintf(log, sizeof log, "%s", server_path(here.c, 3, "probe/shipper.log"));
    (void)snprintf(secret, sizeof secret, "%s", server_path(here.c, 3, "secret"));
    server_write(here.c, 3, "secret",
                 "password=hidden\n{\"lictor\":{\"probe\":\"hidden\"}}\n"
                 "{\"message\":\"hidden\"}\n");
    set_deaf(3, true);
    assert_int_equal(unlink(log), 0);
    assert_int_equal(symlink(secret, log), 0);
    wait_said(3, "but nothing arrives from server-3", 1);
    set_deaf(3, false);
    wait_check(here.c, 3, "cluster:logging", "warning", "cannot write ", SOON);
    replace_unseen(log);
    all_is_well();
    (void)snprintf(query, sizeof query, "%s/" INDEX "/_search?size=100", here.sink.url);
    const char *argv[] = {"/usr/bin/curl", "-sf", query, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_int_equal(o.code, 0);
    assert_null(strstr(o.out, "hidden"));
    outcome_release(&o);
}

/* ---- nothing to prove ---------------------------------------------------- */

static void without_a_probe_it_is_said(void **state)
{
    (void)state;
    all_is_well();
    char *text = server_read(here.c, 2, "etc/logging.d/shipper.json");
    cJSON *root = cJSON_Parse(text);
    cJSON_DeleteItemFromObject(root, "probe");
    char *without = cJSON_Print(root);
    server_write(here.c, 2, "etc/logging.d/shipper.json", without);
    wait_said(2, ", arrival not proven", 0);
    wait_said(2, "names a \"probe\" log which its shipper carries", 0);
    server_write(here.c, 2, "etc/logging.d/shipper.json", text);
    cJSON_Delete(root);
    free(without);
    free(text);
    all_is_well();
}

static int setup(void **state)
{
    (void)state;
    const char *ci = getenv("CI");
    here.kind = sink_available("8.6.2") ? "8.6.2" : "stand-in";
    if (ci && strcmp(ci, "true") == 0 && strcmp(here.kind, "stand-in") == 0)
        return -1;
    here.c = cluster_start(&(struct cluster_options){.limits = TIMING, .heartbeat = "1s"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%.200s/elasticsearch", keeper_dir());
    for (int i = 1; i <= SERVERS; i++)
        server_shipper(here.c, i, SHIPPER_RSYSLOG, NULL);
    return sink_start(&here.sink, here.kind, here.address, here.dir);
}

static int teardown(void **state)
{
    (void)state;
    sink_kill(&here.sink);
    cluster_stop(here.c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(green_begins_when_it_is_true),
        cmocka_unit_test(records_of_all_arrive),
        cmocka_unit_test(figures_for_alerting_are_there),
        cmocka_unit_test(the_way_is_broken),
        cmocka_unit_test(what_does_not_answer_well_is_told_before_anything_is_touched),
        cmocka_unit_test(another_elasticsearch_is_told),
        cmocka_unit_test(a_dead_shipper_is_told),
        cmocka_unit_test(a_shipper_that_is_stuck_is_told),
        cmocka_unit_test(a_link_in_the_place_of_the_log_gives_nothing_away),
        cmocka_unit_test(without_a_probe_it_is_said),
    };
    return HARNESS_RUN("links", tests, setup, teardown);
}
