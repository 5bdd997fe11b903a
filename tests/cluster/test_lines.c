/* SPDX-License-Identifier: MIT */
/* No line is lost because of the index: a real rsyslogd, a real Elasticsearch, and indices in
 * states that refuse everything for a while, or some records for ever. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#define SOON 30000

static struct {
    struct cluster *c;
    struct sink sink;
    FILE *log;
} here;

/* ---- the parts ----------------------------------------------------------- */

static bool runs_with(void *arg, struct buffer *seen)
{
    char *running = server_read(here.c, 1, "shipper/running.conf");
    bool yes = strstr(running, arg) != NULL;
    if (buffer_printf(seen, "%zu bytes", strlen(running)) < 0)
        yes = false;
    free(running);
    return yes;
}

static void ship_to(const char *index)
{
    char mark[100];
    (void)snprintf(mark, sizeof mark, "\\tindex=%s\\t", index);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", index, "LOG_SETTLE",
                 "0", "LOG_DELAY", "0s", "LOG_ROLLOUT", "parallel", NULL);
    wait_until(index, SOON, runs_with, mark);
}

/* Each with its number between. */
static void write_lines(int n, const char *begin, const char *end)
{
    for (int i = 1; i <= n; i++)
        (void)fprintf(here.log, "%s%d%s\n", begin, i, end);
    (void)fflush(here.log);
}

static void wait_documents(const char *index, const char *query, int n)
{
    sink_wait_documents(&here.sink, index, query, n, 60000);
}

/* ---- the index refuses everything for a while ---------------------------- */

static const struct {
    const char *index, *make[3], *spoil[3], *mend[3];
    const char *said;
} whiles[] = {
    {"alias",
     {"PUT", "alias-000001", "{\"aliases\":{\"alias\":{\"is_write_index\":true}}}"},
     {"POST", "_aliases",
      "{\"actions\":[{\"add\":{\"index\":\"alias-000001\",\"alias\":\"alias\","
      "\"is_write_index\":false}}]}"},
     {"POST", "_aliases",
      "{\"actions\":[{\"add\":{\"index\":\"alias-000001\",\"alias\":\"alias\","
      "\"is_write_index\":true}}]}"},
     "no write index is defined"},
    {"pipeline",
     {"PUT", "pipeline", "{}"},
     {"PUT", "pipeline/_settings", "{\"index.default_pipeline\":\"gone\"}"},
     {"PUT", "pipeline/_settings", "{\"index.default_pipeline\":null}"},
     "pipeline with id"},
    {"closed",
     {"PUT", "closed", "{}"},
     {"POST", "closed/_close", NULL},
     {"POST", "closed/_open", NULL},
     "index_closed_exception"},
};

/* Trust that was earned before counts for nothing: all wait, and arrive as they are. */
static void an_index_that_refuses_for_a_while_costs_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(whiles); i++) {
        const char *index = whiles[i].index;
        char refused[60], line[120];
        print_message("  %s\n", index);
        (void)snprintf(refused, sizeof refused, "%s-refused", index);
        (void)snprintf(line, sizeof line, "{\"level\":\"info\",\"row\":\"%s\",\"n\":", index);
        sink_send(&here.sink, whiles[i].make[0], whiles[i].make[1], whiles[i].make[2]);
        ship_to(index);
        write_lines(10, line, "}");
        wait_documents(index, "row:*", 10);
        sink_send(&here.sink, whiles[i].spoil[0], whiles[i].spoil[1], whiles[i].spoil[2]);
        write_lines(500, line, "}");
        wait_check(here.c, 1, "cluster:logging", "warning", whiles[i].said, SOON);
        sink_send(&here.sink, whiles[i].mend[0], whiles[i].mend[1], whiles[i].mend[2]);
        wait_documents(index, "row:*", 510);
        assert_int_equal(sink_documents(&here.sink, refused, "*"), -1);
    }
}

/* ---- the index refuses some records for ever ----------------------------- */

static void make_full(void)
{
    struct buffer body = BUFFER_INIT(1U << 20);
    assert_int_equal(buffer_printf(&body, "{\"mappings\":{\"properties\":{"), 0);
    for (int i = 1; i <= 999; i++)
        assert_int_equal(buffer_printf(&body, "\"f%d\":{\"type\":\"keyword\"},", i), 0);
    assert_int_equal(buffer_printf(&body, "\"row\":{\"type\":\"keyword\"}}}}"), 0);
    sink_send(&here.sink, "PUT", "full", buffer_text(&body));
    buffer_release(&body);
}

static const struct {
    const char *index, *mapping, *good;
} mapped[] = {
    {"level", "{\"mappings\":{\"properties\":{\"level\":{\"type\":\"long\"}}}}",
     "{\"level\":30,\"row\":\"level\",\"n\":"},
    {"message",
     "{\"mappings\":{\"properties\":{\"message\":{\"properties\":{\"a\":{\"type\":"
     "\"long\"}}}}}}",
     "{\"message\":{\"a\":1},\"row\":\"message\",\"n\":"},
    {"full", NULL, "{\"row\":\"full\",\"f1\":"},
};

/* They are in an index of their own, where they can be searched as text. */
static void what_the_mapping_refuses_is_kept_as_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mapped); i++) {
        const char *index = mapped[i].index;
        char refused[60], plain[100], query[60];
        print_message("  %s\n", index);
        (void)snprintf(refused, sizeof refused, "%s-refused", index);
        (void)snprintf(plain, sizeof plain, "plain words of %swords number ", index);
        (void)snprintf(query, sizeof query, "message:%swords", index);
        if (mapped[i].mapping)
            sink_send(&here.sink, "PUT", index, mapped[i].mapping);
        else
            make_full();
        ship_to(index);
        write_lines(50, mapped[i].good, "}");
        write_lines(300, plain, "");
        wait_documents(index, "row:*", 50);
        wait_documents(refused, query, 300);
    }
}

/* ---- what is shipped ----------------------------------------------------- */

static const char *const less[] = {
    "\"debug\"",  "\"DEBUG\"", "\"Debug\"",   "\"trace\"",   "\"TRACE\"", "\"INFO\"", "\"info\"",
    "\"notice\"", "\"warn\"",  "\"WARNING\"", "\"warning\"", "10",        "20",       "30",
    "40",         "7",         "6",           "5",           "4"};
static const char *const severe[] = {"\"error\"", "\"ERROR\"", "\"fatal\"", "\"strange\"",
                                     "50",        "60",        "3",         "0"};

static void a_level_counts_however_it_is_written(void **state)
{
    (void)state;
    char line[100];
    setting_put(here.c, "LOG_LEVEL", "error");
    ship_to("levels");
    for (size_t i = 0; i < COUNT(less); i++) {
        (void)snprintf(line, sizeof line, "{\"level\":%s,\"row\":\"less\",\"n\":", less[i]);
        write_lines(1, line, "}");
    }
    /* Strings and numbers do not fit into one field: what is refused is there as text. */
    for (size_t i = 0; i < COUNT(severe); i++) {
        (void)snprintf(line, sizeof line, "{\"level\":%s,\"row\":\"severe\",\"n\":",
                       severe[i][0] == '"' ? severe[i] : "\"error\"");
        write_lines(1, line, "}");
    }
    wait_documents("levels", "row:severe", COUNT(severe));
    assert_int_equal(sink_documents(&here.sink, "levels", "row:less"), 0);
    ship_to("numbers");
    for (size_t i = 0; i < COUNT(severe); i++) {
        (void)snprintf(line, sizeof line, "{\"level\":%s,\"row\":\"severe\",\"n\":",
                       severe[i][0] == '"' ? "50" : severe[i]);
        write_lines(1, line, "}");
    }
    wait_documents("numbers", "row:severe", COUNT(severe));
    setting_delete(here.c, "LOG_LEVEL");
}

/* rsyslogd cuts it: the document says so. */
static void a_line_that_is_too_long_says_that_it_is_cut(void **state)
{
    (void)state;
    ship_to("long");
    for (int i = 0; i < 2500000; i++)
        (void)fputc('x', here.log);
    write_lines(1, " ", "");
    wait_documents("long", "cut:*", 1);
}

static void a_directory_that_is_gone_is_named(void **state)
{
    (void)state;
    char log[400], away[420];
    ship_to("gone");
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    (void)snprintf(log, sizeof log, "%s", server_path(here.c, 1, "log"));
    (void)snprintf(away, sizeof away, "%s.away", log);
    assert_int_equal(rename(log, away), 0);
    wait_check(here.c, 1, "cluster:logging", "warning", "but not all logs of server-1 can be read",
               SOON);
    wait_check(here.c, 1, "cluster:logging", "warning", "No such file or directory", SOON);
    assert_int_equal(rename(away, log), 0);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
}

/* Before the queue is needed: what is full then loses lines. */
static void a_disk_that_is_too_small_is_named(void **state)
{
    (void)state;
    char *definition = server_read(here.c, 1, "etc/logging.d/shipper.json");
    char *size = strstr(definition, "300m");
    assert_non_null(size);
    ship_to("room");
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    size[3] = 't';
    server_write(here.c, 1, "etc/logging.d/shipper.json", definition);
    ship_to("small");
    wait_check(here.c, 1, "cluster:logging", "warning", "is too full", SOON);
    size[3] = 'm';
    server_write(here.c, 1, "etc/logging.d/shipper.json", definition);
    ship_to("enough");
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    free(definition);
}

/* ---- each line is a document --------------------------------------------- */

static void equal_lines_are_documents_of_their_own(void **state)
{
    (void)state;
    ship_to("equal");
    for (int i = 0; i < 10; i++)
        write_lines(1,
                    "{\"timestamp\":\"2026-11-27T12:00:00Z\",\"id\":\"job-7\",\"level\":\"info\","
                    "\"row\":\"equal\",\"n\":",
                    "}");
    wait_documents("equal", "row:equal", 10);
}

/* Whatever is rotated away, and however often its program starts again with the same words. */
static void the_first_line_after_a_rotation_is_a_new_one(void **state)
{
    (void)state;
    char log[400], away[420];
    (void)snprintf(log, sizeof log, "%s", server_path(here.c, 1, "log/svc.log"));
    ship_to("rotated");
    for (int n = 1; n <= 5; n++) {
        FILE *file = fopen(log, "w");
        assert_non_null(file);
        (void)fprintf(file, "Starting print service\nversion 1.2\nprocess%d\n", n);
        assert_int_equal(fclose(file), 0);
        wait_documents("rotated", "message:version", n);
        (void)snprintf(away, sizeof away, "%s.%d", log, n);
        assert_int_equal(rename(log, away), 0);
    }
    wait_documents("rotated", "message:Starting", 5);
    assert_int_equal(sink_documents(&here.sink, "rotated", "message:version"), 5);
}

/* ---- the whole ----------------------------------------------------------- */

static int teardown(void **state)
{
    (void)state;
    if (here.log && fclose(here.log) != 0)
        return -1;
    cluster_stop(here.c);
    sink_kill(&here.sink);
    return 0;
}

static int setup(void **state)
{
    char address[40], dir[400];
    (void)state;
    if (!sink_available("8.6.2"))
        return -1;
    here.c = cluster_start(&(struct cluster_options){.servers = 1, .limits = "confirm=500ms"});
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.c->net);
    (void)snprintf(dir, sizeof dir, "%s/elasticsearch", keeper_dir());
    server_shipper(here.c, 1, SHIPPER_RSYSLOG, NULL);
    here.log = fopen(server_path(here.c, 1, "log/app.log"), "a");
    assert_non_null(here.log);
    return sink_start(&here.sink, "8.6.2", address, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_that_refuses_for_a_while_costs_nothing),
        cmocka_unit_test(what_the_mapping_refuses_is_kept_as_text),
        cmocka_unit_test(a_level_counts_however_it_is_written),
        cmocka_unit_test(a_line_that_is_too_long_says_that_it_is_cut),
        cmocka_unit_test(a_directory_that_is_gone_is_named),
        cmocka_unit_test(a_disk_that_is_too_small_is_named),
        cmocka_unit_test(equal_lines_are_documents_of_their_own),
        cmocka_unit_test(the_first_line_after_a_rotation_is_a_new_one),
    };
    return HARNESS_RUN("lines", tests, setup, teardown);
}
