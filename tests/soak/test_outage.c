/* SPDX-License-Identifier: MIT */
/* Elasticsearch is down for a minute while three servers log 10,000 lines; meanwhile their
 * shippers are re-pointed again and again, killed, and their log files rotated. Every line
 * is there exactly once in the end. Takes about two minutes. */
#include "harness.h"
#include "keeper.h"
#include "kills.h"
#include "log_file.h"
#include "seed.h"
#include "sink.h"

#define SERVERS   3
#define LINES     3334  /* of one server while it is down */
#define CALM      200   /* before and after that */
#define STORM     3000  /* after all that, while index-records is killed all the time */
#define STORM_MS  30000 /* rsyslogd takes a second to start it again */
#define OUTAGE_MS 60000
#define ROTATIONS 6  /* of each server's log */
#define KILLS     12 /* of each shipper */
#define POINTINGS 6
#define INDEX     "outage"
#define TWICE_MS  3000 /* what would come twice has come by then */

static struct {
    struct cluster *c;
    struct sink sink;
    const char *kind;
    char address[40], dir[400];
    struct log_file log[SERVERS + 1];
    int dead[SERVERS + 1]; /* so many lines yet until its shipper is started again */
    int written;           /* lines of each server */
    int kills;
    int indexers; /* killed */
    uint64_t seed;
} here;

static unsigned any(unsigned below)
{
    return seed_next(&here.seed, below);
}

/* ---- the logs ------------------------------------------------------------ */

/* Every other line lacks the ID, so its document is known by its place in the file. */
static void write_line(int i, int n)
{
    FILE *log = here.log[i].file;
    (void)fprintf(log,
                  "{\"timestamp\":%d,\"level\":\"info\",\"service\":\"checkin\","
                  "\"server\":%d,\"n\":%d",
                  1700000000 + n, i, n);
    if (n % 2)
        (void)fprintf(log, ",\"id\":\"%d-%d\"", i, n);
    (void)fprintf(log, ",\"message\":\"job %d is printed\"}\n", n);
    (void)fflush(log);
}

static void write_lines(int lines)
{
    for (int n = 0; n < lines; n++) {
        here.written++;
        for (int i = 1; i <= SERVERS; i++)
            write_line(i, here.written);
    }
}

/* ---- the shippers -------------------------------------------------------- */

static void point_to(int host)
{
    char url[100];
    (void)snprintf(url, sizeof url, "http://127.0.%d.%d:9200", here.c->net, host);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", url, "LOG_INDEX", INDEX, "LOG_SETTLE", "0",
                 "LOG_ROLLOUT", "parallel", NULL);
}

/* A crash of rsyslogd. */
static void crash(int i)
{
    here.kills += kill_shipper(here.c, i);
    here.dead[i] = 1 + (int)any(200);
}

static bool all_run(void *arg, struct buffer *seen)
{
    for (int i = 1; i <= SERVERS; i++) {
        char *running = server_read(here.c, i, "shipper/running.conf");
        bool yes = strstr(running, arg) != NULL;
        free(running);
        if (!yes)
            return buffer_printf(seen, "server %d does not", i) != 0;
    }
    return true;
}

/* ---- the sink ------------------------------------------------------------ */

static void sink_up(void)
{
    if (sink_start(&here.sink, here.kind, here.address, here.dir) < 0)
        harness_fail("no Elasticsearch");
}

/* The last line of each server is there, so all that was sent before is, too; then it must
 * not become more. */
static bool last_arrived(void *arg, struct buffer *seen)
{
    char query[40];
    (void)arg;
    (void)snprintf(query, sizeof query, "n:%d", here.written);
    int n = sink_documents(&here.sink, INDEX, query);
    return buffer_printf(seen, "%d of %d last lines", n, SERVERS) == 0 && n >= SERVERS;
}

/* ---- the minute ---------------------------------------------------------- */

/* What happens besides logging, at any moment: files are rotated while the shipper lives
 * and while it is dead, shippers die while they are re-pointed. */
static void disturb(int line)
{
    if (line % (LINES / POINTINGS) == 0)
        point_to(5 + line / (LINES / POINTINGS) % 3);
    for (int i = 1; i <= SERVERS; i++) {
        if (any(LINES / ROTATIONS) == 0)
            log_file_rotate(&here.log[i]);
        if (any(LINES / KILLS) == 0)
            here.indexers += kill_indexer(here.c, i);
        if (here.dead[i] == 0 && any(LINES / KILLS) == 0)
            crash(i);
        else if (here.dead[i] > 0 && --here.dead[i] == 0)
            assert_true(revive_shipper(here.c, i));
    }
}

/* In the middle of transactions, most of them: lines flow, and are confirmed at once. */
static void nothing_is_lost_by_kills_alone(void **state)
{
    (void)state;
    int before = here.indexers;
    for (int line = 0; line < STORM; line++) {
        write_lines(1);
        sleep_ms(STORM_MS / STORM);
        if (any(20) == 0)
            here.indexers += kill_indexer(here.c, 1 + (int)any(SERVERS));
    }
    print_message("  index-records killed %d times\n", here.indexers - before);
    assert_in_range(here.indexers - before, 20, STORM);
    wait_until("all lines after", 120000, last_arrived, NULL);
    sleep_ms(TWICE_MS);
    for (int i = 1; i <= SERVERS; i++)
        sink_once(&here.sink, INDEX, i, 1, here.written);
}

static void nothing_is_lost_in_an_outage(void **state)
{
    char server[120];
    (void)state;
    (void)snprintf(server, sizeof server, "\\turl=http://%s:9200\"", here.address);
    point_to(9);
    wait_until(server, 30000, all_run, server);
    write_lines(CALM);
    wait_until("all lines before", 60000, last_arrived, NULL);
    sink_kill(&here.sink);
    int64_t begin = now_ms();
    for (int line = 0; line < LINES; line++) {
        disturb(line);
        write_lines(1);
        int64_t ahead = begin + (int64_t)OUTAGE_MS * line / LINES - now_ms();
        if (ahead > 0)
            sleep_ms(ahead);
    }
    print_message("  down for %lld ms, %d and %d kills, %d rotations\n",
                  (long long)(now_ms() - begin), here.kills, here.indexers,
                  here.log[1].rotated + here.log[2].rotated + here.log[3].rotated);
    sink_up();
    point_to(9);
    wait_until(server, 60000, all_run, server);
    write_lines(CALM);
    wait_until("all lines after", 120000, last_arrived, NULL);
    sleep_ms(TWICE_MS);
    for (int i = 1; i <= SERVERS; i++)
        sink_once(&here.sink, INDEX, i, 1, here.written);
}

static int setup(void **state)
{
    (void)state;
    here.seed = seed_of_chance((uint64_t)now_ms());
    here.kind = "8.6.2"; /* the stand-in forgets everything when it ends */
    if (!sink_available(here.kind))
        return -1;
    here.c = cluster_start(
        &(struct cluster_options){.limits = "confirm=500ms,apply_again=500ms,proof=500ms"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%.200s/elasticsearch", keeper_dir());
    for (int i = 1; i <= SERVERS; i++) {
        server_shipper(here.c, i, SHIPPER_RSYSLOG, NULL);
        log_file_open(&here.log[i], server_path(here.c, i, "log/checkin"), LOG_KEPT);
    }
    sink_up();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sink_kill(&here.sink);
    cluster_stop(here.c);
    for (int i = 1; i <= SERVERS; i++)
        log_file_close(&here.log[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_in_an_outage),
        cmocka_unit_test(nothing_is_lost_by_kills_alone),
    };
    return HARNESS_RUN("outage", tests, setup, teardown);
}
