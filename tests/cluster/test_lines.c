/* SPDX-License-Identifier: MIT */
/* No line is lost because of the index: a real rsyslogd, a real Elasticsearch, and indices in
 * states that refuse everything for a while, or some records for ever. */
#include "harness.h"
#include "indexer/account.h"
#include "indexer/queue.h"
#include "keeper.h"
#include "sink.h"

#include <sched.h>
#include <sys/mount.h>

#define SOON 30000

static struct {
    struct cluster *c;
    struct sink sink;
    FILE *log;
    bool mounts; /* a file system of its own can be had */
} here;

/* ---- the parts ----------------------------------------------------------- */

/* Its target is in force: nobody goes back to what was before. */
static bool is_in_force(void *arg, struct buffer *seen)
{
    char revision[80] = "", wanted[100];
    char *record = server_read(here.c, 1, "state/logging.json");
    const char *at = strstr(record, "\"revision\":\"");
    if (at)
        (void)sscanf(at, "\"revision\":\"%64[0-9a-f]", revision);
    (void)snprintf(wanted, sizeof wanted, "\"in_force\":\"%s\"", revision);
    bool yes = strstr(record, arg) && strstr(record, wanted);
    if (buffer_printf(seen, "%.300s", record) < 0)
        yes = false;
    free(record);
    return yes;
}

static void ship_to(const char *index)
{
    char mark[100];
    (void)snprintf(mark, sizeof mark, "\"target\":\"index %s,", index);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", index, "LOG_SETTLE",
                 "0", "LOG_DELAY", "0s", "LOG_ROLLOUT", "parallel", NULL);
    wait_until(index, SOON, is_in_force, mark);
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

/* ---- the queue of the shipper -------------------------------------------- */

/* In the directory of the shipper, $0. */
static void in_shipper(const char *script)
{
    char dir[400];
    (void)snprintf(dir, sizeof dir, "%s", server_path(here.c, 1, "shipper"));
    const char *argv[] = {"/bin/sh", "-ec", script, dir, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("%s: %s", script, o.err);
    outcome_release(&o);
}

static struct account account_now(void)
{
    struct account a;
    account_read(server_path(here.c, 1, "shipper/account.json"), &a);
    return a;
}

static void start_shipper(void)
{
    const char *argv[] = {"rollout-logging", "--retry", NULL};
    struct outcome o = server_run(here.c, 1, NULL, argv);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

#define KILL "kill -KILL $(cat \"$0/rsyslogd.pid\"); "

static void set_queue_disk(const char *from, const char *to)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    char *definition = server_read(here.c, 1, "etc/logging.d/shipper.json");
    char *at = strstr(definition, from);
    assert_non_null(at);
    assert_int_equal(
        buffer_printf(&text, "%.*s%s%s", (int)(at - definition), definition, to, at + strlen(from)),
        0);
    server_write(here.c, 1, "etc/logging.d/shipper.json", buffer_text(&text));
    buffer_release(&text);
    free(definition);
}

/* Of a file system that others have filled, while Elasticsearch is well. */
static void a_full_disk_loses_no_line(void **state)
{
    (void)state;
    if (!here.mounts) {
        print_message("not root: left out\n");
        assert_null(getenv("CI"));
        return;
    }
    ship_to("whole");
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    write_lines(100, "{\"level\":\"info\",\"row\":\"before\",\"n\":", "}");
    wait_documents("whole", "row:before", 100);
    in_shipper("cat /dev/zero >\"$0/filler\" || true");
    write_lines(5000, "{\"level\":\"info\",\"row\":\"full\",\"n\":", "}");
    wait_check(here.c, 1, "cluster:logging", "warning", "no log of server-1 is read on", SOON);
    wait_check(here.c, 1, "cluster:logging", "warning", "No space left on device", SOON);
    in_shipper(KILL "rm \"$0/filler\"");
    start_shipper();
    wait_documents("whole", "row:full", 5000);
    assert_int_equal(account_now().lost, 0);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
}

/* While the index takes nothing; the lines stay in their files, and come later. */
static void a_full_queue_loses_no_line(void **state)
{
    (void)state;
    set_queue_disk("300m", "500k");
    sink_send(&here.sink, "PUT", "stuck", "{}");
    ship_to("stuck");
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    sink_send(&here.sink, "PUT", "stuck/_settings", "{\"index.blocks.write\":true}");
    write_lines(20000, "{\"level\":\"info\",\"row\":\"stuck\",\"n\":", "}");
    wait_check(here.c, 1, "cluster:logging", "warning", "queue is full (queue_disk)", SOON);
    in_shipper(KILL);
    start_shipper();
    sink_send(&here.sink, "PUT", "stuck/_settings", "{\"index.blocks.write\":false}");
    wait_documents("stuck", "row:stuck", 20000);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    set_queue_disk("500k", "300m");
}

static const struct {
    const char *name, *script;
    int least, most; /* lines lost */
} damages[] = {
    {"emptied", ">\"$f\"", 2000, 2000},
    {"cut", "truncate -s $(($(stat -c %s \"$f\") / 2)) \"$f\"", 500, 1500},
    {"zeroed", "dd if=/dev/zero of=\"$f\" bs=4096 seek=10 count=1 conv=notrunc 2>&1", 10, 100},
    {"removed", "rm \"$f\"", 2000, 2000},
    {"stateless", ">\"$0/queue/state\"", 0, 0},
};

static bool all_are_noted(void *arg, struct buffer *seen)
{
    struct queue_state state;
    (void)arg;
    queue_state_read(server_path(here.c, 1, "shipper/queue"), &state);
    return buffer_printf(seen, "%lld taken, %lld is next", (long long)state.taken,
                         (long long)state.next) == 0 &&
           state.taken - state.next >= 2000 - 1;
}

/* 2,000 lines wait while their shipper dies and its queue is damaged. Returns how many arrive. */
static int damage(size_t i)
{
    char script[400], line[100], query[40];
    (void)snprintf(line, sizeof line, "{\"level\":\"info\",\"row\":\"%s\",\"n\":", damages[i].name);
    (void)snprintf(query, sizeof query, "row:%s", damages[i].name);
    sink_send(&here.sink, "PUT", "damaged/_settings", "{\"index.blocks.write\":true}");
    write_lines(2000, line, "}");
    wait_until("all are in the queue", SOON, all_are_noted, NULL);
    (void)snprintf(script, sizeof script, KILL "f=$(ls \"$0\"/queue/0* | tail -n 1); %s",
                   damages[i].script);
    in_shipper(script);
    sink_send(&here.sink, "PUT", "damaged/_settings", "{\"index.blocks.write\":false}");
    start_shipper();
    write_lines(1, line, ",\"last\":1}");
    wait_documents("damaged", "last:1", (int)i + 1);
    return sink_documents(&here.sink, "damaged", query) - 1;
}

/* As the check says it, and takes it. */
static void acknowledge(int number)
{
    char text[60], digits[20];
    (void)snprintf(text, sizeof text, "lictor acknowledge server-1 %d", number);
    (void)snprintf(digits, sizeof digits, "%d", number);
    wait_check(here.c, 1, "cluster:logging", "warning", text, SOON);
    const char *argv[] = {"lictor", "acknowledge", "server-1", digits, NULL};
    struct outcome o = server_run(here.c, 1, NULL, argv);
    if (o.code != 0)
        harness_fail("%s: %s", text, o.err);
    outcome_release(&o);
}

/* Whatever happens to the queue of a shipper that is dead: what can be read arrives, what cannot is
 * counted, and stays a warning until an admin knows of it. */
static void a_damaged_queue_is_counted(void **state)
{
    (void)state;
    int lost = 0;
    sink_send(&here.sink, "PUT", "damaged", "{}");
    ship_to("damaged");
    for (size_t i = 0; i < COUNT(damages); i++) {
        print_message("  %s\n", damages[i].name);
        wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
        const int arrived = damage(i);
        const int now = (int)account_now().lost - lost; /* a probe record may be among them */
        assert_in_range(2000 - arrived, damages[i].least, damages[i].most);
        assert_in_range(now - (2000 - arrived), 0, damages[i].most > 0 ? 20 : 0);
        lost += now;
        if (now > 0)
            acknowledge(lost);
    }
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
}

/* The change is over: no run of ours waits for the shipper any more. */
static bool is_over(void *arg, struct buffer *seen)
{
    (void)arg;
    char *state = server_read(here.c, 1, "state/logging.json");
    bool yes = strstr(state, "\"unproven\":false") && strstr(state, "\"running\":false");
    if (buffer_printf(seen, "%.300s", state) < 0)
        yes = false;
    free(state);
    return yes;
}

/* Who feeds index-records hangs, and index-records does not. */
static void a_log_that_is_not_read_on_is_named(void **state)
{
    (void)state;
    ship_to("hangs");
    write_lines(1, "before ", "");
    wait_documents("hangs", "message:before", 1);
    wait_until("the change is over", SOON, is_over, NULL);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    in_shipper("kill -STOP $(cat \"$0/rsyslogd.pid\")");
    write_lines(3, "hangs ", "");
    wait_check(here.c, 1, "cluster:logging", "warning", "but a log of server-1 is not read on",
               SOON);
    wait_check(here.c, 1, "cluster:logging", "warning", "log/app.log", SOON);
    in_shipper("kill -CONT $(cat \"$0/rsyslogd.pid\")");
    wait_documents("hangs", "message:hangs", 3);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
}

/* rsyslogd's own queue would drop what comes after it. */
static void a_nul_byte_costs_nothing(void **state)
{
    (void)state;
    static const char line[] = "before\0after nul\n{\"level\":\"info\",\"row\":\"nul\0two\"}\n";
    ship_to("nul");
    assert_int_equal(fwrite(line, 1, sizeof line - 1, here.log), sizeof line - 1);
    (void)fflush(here.log);
    wait_documents("nul", "message:after", 1);
    wait_documents("nul", "message:two", 1);
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
    (void)umount2(server_path(here.c, 1, "shipper"), MNT_DETACH);
    sink_kill(&here.sink);
    return 0;
}

static int setup(void **state)
{
    char address[40], dir[400];
    (void)state;
    if (!sink_available("8.6.2"))
        return -1;
    here.c = cluster_start(
        &(struct cluster_options){.servers = 1, .limits = "confirm=500ms,still=4s"});
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.c->net);
    (void)snprintf(dir, sizeof dir, "%s/elasticsearch", keeper_dir());
    if (here.mounts &&
        mount("tmpfs", server_path(here.c, 1, "shipper"), "tmpfs", 0, "size=400m") < 0)
        harness_fail("cannot mount: %s", strerror(errno));
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
        cmocka_unit_test(a_log_that_is_not_read_on_is_named),
        cmocka_unit_test(a_disk_that_is_too_small_is_named),
        cmocka_unit_test(a_full_disk_loses_no_line),
        cmocka_unit_test(a_full_queue_loses_no_line),
        cmocka_unit_test(a_damaged_queue_is_counted),
        cmocka_unit_test(a_nul_byte_costs_nothing),
        cmocka_unit_test(equal_lines_are_documents_of_their_own),
        cmocka_unit_test(the_first_line_after_a_rotation_is_a_new_one),
    };
    here.mounts = unshare(CLONE_NEWNS) == 0 &&
                  mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return HARNESS_RUN("lines", tests, setup, teardown);
}
