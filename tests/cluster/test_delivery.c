/* SPDX-License-Identifier: MIT */
/* No line lost, none twice, when the shippers of three servers are re-pointed because
 * their Elasticsearch is down: real rsyslogds, a real Elasticsearch, real kills. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#define SERVERS 3
#define PART    1000 /* lines of one server at a time */
#define FEW     40
#define SOON    30000
#define INDEX   "delivery"

static struct {
    struct cluster *c;
    struct sink sink;
    const char *kind; /* of the sink */
    char address[40], dir[400];
    FILE *log[SERVERS + 1];
    int written;
    int forgotten; /* lines that were in a stand-in, which keeps nothing when killed */
} here;

/* ---- the logs ------------------------------------------------------------ */

/* The lines of a service, the way SEAL writes them; every other one lacks the ID, so its
 * document is known by its place in the file. */
static void write_line(int i, int n)
{
    FILE *log = here.log[i];
    (void)fprintf(log,
                  "{\"timestamp\":\"2026-11-24T10:%02d:%02d.%03dZ\",\"level\":\"info\","
                  "\"service\":\"checkin\",\"server\":%d,\"n\":%d",
                  n / 60000 % 60, n / 1000 % 60, n % 1000, i, n);
    if (n % 2)
        (void)fprintf(log, ",\"id\":\"%d-%d\"", i, n);
    (void)fprintf(log, ",\"message\":\"job %d is printed\"}\n", n);
}

/* The next lines of every server, at about 1,500 a second each. */
static void write_part(int lines)
{
    for (int n = 1; n <= lines; n++) {
        for (int i = 1; i <= SERVERS; i++)
            write_line(i, here.written + n);
        if (n % 30 != 0 && n != lines)
            continue;
        for (int i = 1; i <= SERVERS; i++)
            (void)fflush(here.log[i]);
        sleep_ms(20);
    }
    here.written += lines;
}

/* ---- the shippers -------------------------------------------------------- */

static bool all_run(void *arg, struct buffer *seen)
{
    for (int i = 1; i <= SERVERS; i++) {
        char *running = server_read(here.c, i, "shipper/running.conf");
        char *local = server_read(here.c, i, "state/logging.json");
        bool yes = strstr(running, arg) &&
                   strstr(local, "\"running\":false,\"touched\":false,\"waiting\":false");
        if (buffer_printf(seen, "server %d: %s ", i, local) < 0)
            yes = false;
        free(running);
        free(local);
        if (!yes)
            return false;
    }
    return true;
}

/* Re-point all shippers, whether anybody answers there or not; returns when each was restarted and
 * is confirmed. */
static void point_to(const char *address)
{
    char url[100], server[120];
    (void)snprintf(url, sizeof url, "http://%s:9200", address);
    (void)snprintf(server, sizeof server, "\\turl=%s\"", url);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", url, "LOG_INDEX", INDEX, "LOG_SETTLE", "0",
                 "LOG_ROLLOUT", "parallel", NULL);
    wait_until(server, SOON, all_run, server);
}

/* ---- the sink ------------------------------------------------------------ */

/* The last line written is there on every server, so all that was sent before is, too: a
 * shipper sends in order. */
static bool last_arrived(void *arg, struct buffer *seen)
{
    char query[40];
    (void)arg;
    (void)snprintf(query, sizeof query, "n:%d", here.written);
    int n = sink_documents(&here.sink, INDEX, query), all = sink_documents(&here.sink, INDEX, "*");
    return buffer_printf(seen, "%d of %d last lines, %d lines", n, SERVERS, all) == 0 &&
           n == SERVERS;
}

static void wait_arrived(void)
{
    wait_until("all servers' last line in Elasticsearch", 60000, last_arrived, NULL);
}

static void sink_up(void)
{
    if (sink_start(&here.sink, here.kind, here.address, here.dir) < 0)
        harness_fail("no Elasticsearch");
}

/* ---- tests --------------------------------------------------------------- */

static int setup(void **state)
{
    (void)state;
    const char *ci = getenv("CI");
    here.kind = sink_available("8.6.2") ? "8.6.2" : "stand-in";
    if (ci && strcmp(ci, "true") == 0 && strcmp(here.kind, "stand-in") == 0)
        return -1;
    here.c = cluster_start(&(struct cluster_options){.limits = "confirm=500ms"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%s/elasticsearch", keeper_dir());
    for (int i = 1; i <= SERVERS; i++) {
        server_shipper(here.c, i, SHIPPER_RSYSLOG, NULL);
        here.log[i] = fopen(server_path(here.c, i, "log/checkin.log"), "a");
        assert_non_null(here.log[i]);
    }
    sink_up();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 1; i <= SERVERS; i++)
        if (here.log[i])
            (void)fclose(here.log[i]);
    sink_kill(&here.sink);
    cluster_stop(here.c);
    return 0;
}

static void lines_arrive(void **state)
{
    (void)state;
    point_to(here.address);
    write_part(PART);
    wait_arrived();
    for (int i = 1; i <= SERVERS; i++)
        sink_once(&here.sink, INDEX, i, here.forgotten + 1, here.written);
}

static bool arrived_as_text(void *arg, struct buffer *seen)
{
    int n = sink_documents(&here.sink, INDEX, "level:unknown"),
        refused = sink_documents(&here.sink, INDEX "-refused", "refused:*");
    (void)arg;
    return buffer_printf(seen, "%d as text, %d refused", n, refused) == 0 && n == 5 && refused == 2;
}

/* What is no JSON, and what the index takes for something else, is not lost either. */
static void odd_lines_arrive_as_text(void **state)
{
    static char large[200000];
    static const char zero[] = "a zero \0 in it\n";
    FILE *log = here.log[1];
    (void)state;
    memset(large, 'x', sizeof large - 1);
    (void)fprintf(log, "{\"clash\":1,\"id\":\"c1\"}\n{\"clash\":{\"a\":1},\"id\":\"c2\"}\n"
                       "{\"clash\":\"\\u00e4\\\"\",\"id\":\"c3\"}\n");
    (void)fprintf(log, "no JSON\n\r\n\tv\xff\xfe\"\\\n%s\n", large);
    (void)fwrite(zero, 1, sizeof zero - 1, log);
    write_part(1);
    wait_arrived();
    wait_until("odd lines", SOON, arrived_as_text, NULL);
    assert_int_equal(sink_documents(&here.sink, INDEX, "clash:1"), 1);
}

/* Three times, as an admin would who looks for one that answers, and ends where it was. */
static void three_repointings_while_it_is_down(void **state)
{
    char other[40];
    (void)state;
    size_t restarts = shipper_calls(here.c, 0, "restart");
    sink_kill(&here.sink);
    if (strcmp(here.kind, "stand-in") == 0)
        here.forgotten = here.written;
    for (int last = 7; last <= 9; last++) {
        write_part(PART);
        (void)snprintf(other, sizeof other, "127.0.%d.%d", here.c->net, last);
        point_to(other);
    }
    assert_int_equal(shipper_calls(here.c, 0, "restart"), restarts + 3 * SERVERS);
    sink_up();
    wait_arrived();
    for (int i = 1; i <= SERVERS; i++)
        sink_once(&here.sink, INDEX, i, here.forgotten + 1, here.written);
}

/* ---- an Elasticsearch that refuses ---------------------------------------- */

static bool asked_more(void *arg, struct buffer *seen)
{
    int n = sink_number(&here.sink, "requests"), wanted = *(int *)arg;
    return buffer_printf(seen, "%d requests, not %d", n, wanted) == 0 && n >= wanted;
}

/* What it answers with is no success, whatever rsyslogd's own module takes it for. */
static void refusals_lose_nothing(void **state)
{
    static const char *const modes[] = {"401",      "403",       "429",      "503",
                                        "404",      "items=429", "some=429", "items=503",
                                        "some=403", "garbage",   "close",    "redirect"};
    (void)state;
    sink_kill(&here.sink);
    here.forgotten = here.written;
    here.kind = "stand-in";
    sink_up();
    for (size_t i = 0; i < COUNT(modes); i++) {
        print_message("  %s\n", modes[i]);
        sink_mode(&here.sink, modes[i], 0);
        int wanted = sink_number(&here.sink, "requests") + 3 * SERVERS;
        write_part(FEW);
        wait_until(modes[i], 60000, asked_more, &wanted);
        sink_mode(&here.sink, "ok", 0);
        wait_arrived();
    }
    for (int i = 1; i <= SERVERS; i++)
        sink_once(&here.sink, INDEX, i, here.forgotten + 1, here.written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_arrive),
        cmocka_unit_test(odd_lines_arrive_as_text),
        cmocka_unit_test(three_repointings_while_it_is_down),
        cmocka_unit_test(refusals_lose_nothing),
    };
    return HARNESS_RUN("delivery", tests, setup, teardown);
}
