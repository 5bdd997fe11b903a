/* SPDX-License-Identifier: MIT */
/* The real Filebeat 7.17.9 with the files as they are shipped, and a real Elasticsearch: which lines
 * arrive, and how often. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#include <stdarg.h>

/* scripts/fetch filebeat makes it. */
static const char built[] = SOURCE_DIR "/build/filebeat/filebeat";

#define SOON 30000

static struct {
    struct cluster *c;
    struct sink sink;
    char address[40], dir[400];
} here;

/* ---- the parts ----------------------------------------------------------- */

/* By bash -e, which must succeed. D: the server's directory, L: its logs, ES: Elasticsearch, F: the
 * program Filebeat. es METHOD PATH [BODY] asks it; place SHIPPER configures that one alone. */
static const char words[] =
    "es() { curl -sSf --noproxy '*' -X \"$1\" \"$ES/$2\" -H 'Content-Type: application/json' "
    "${3:+-d \"$3\"} >/dev/null; }\n"
    "here() { sed \"s|/usr/libexec/lictor/index-records|" TEST_BIN "/index-records|g; "
    "s|/usr/libexec/lictor/shipper|$D/etc/bin/shipper|g; s|/var/lib/lictor-shipper|$D/shipper|g; "
    "s|/var/lib/lictor-probe/|$D/probe/|g; s|/usr/share/filebeat/bin/|$D/etc/bin/|g; "
    "s|1g|300m|; s|probe/[a-z]*.log|probe/shipper.log|\" \"" SOURCE_DIR "/$1\" >\"$2\"; }\n"
    "place() { rm -f $D/etc/logging.d/*; here consul.d/logging/$1.json $D/etc/logging.d/$1.json; "
    "cp " SOURCE_DIR "/consul.d/logging/$1.*.mustache $D/etc/logging.d; "
    "chmod 0644 $D/etc/logging.d/*; }\n"
    "shipper() { $D/etc/bin/shipper \"$1\" $D/shipper filebeat.yml; }\n";

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
    char script[6000], place[400], logs[400], url[120], program[420];
    va_list args;
    size_t n = (size_t)snprintf(script, sizeof script, "%s", words);
    va_start(args, fmt);
    (void)vsnprintf(script + n, sizeof script - n, fmt, args);
    va_end(args);
    (void)snprintf(place, sizeof place, "D=%s", server_path(here.c, 1, ""));
    place[strlen(place) - 1] = '\0';
    (void)snprintf(logs, sizeof logs, "L=%s", server_path(here.c, 1, "log"));
    (void)snprintf(url, sizeof url, "ES=%s", here.sink.url);
    (void)snprintf(program, sizeof program, "F=%s", built);
    const char *argv[] = {"/bin/bash", "-ec", script, NULL};
    const char *env[] = {place, logs, url, program, NULL};
    struct outcome o = run_tool(NULL, argv, env);
    if (o.code != 0)
        harness_fail("%s\nended with %d: %s%s", script + n, o.code, o.out, o.err);
    outcome_release(&o);
}

/* so: index, query, number. */
static bool are_counted(void *so, struct buffer *seen)
{
    const char *const *wanted = so;
    char number[20];
    (void)snprintf(number, sizeof number, "%d", sink_documents(&here.sink, wanted[0], wanted[1]));
    (void)!buffer_printf(seen, "%s of %s", number, wanted[2]);
    return strcmp(number, wanted[2]) == 0;
}

static void wait_documents(const char *index, const char *query, int n)
{
    char number[20];
    const char *wanted[] = {index, query, number};
    (void)snprintf(number, sizeof number, "%d", n);
    wait_until(query, 60000, are_counted, wanted);
}

/* Applied and confirmed: in the test's hands until the next change. */
static bool is_done(void *arg, struct buffer *seen)
{
    char *conf = server_read(here.c, 1, "shipper/filebeat.yml");
    char *record = kv_get(here.c, "lictor/logging/server-1");
    const char *revision = strstr(conf, "# Revision \"");
    char in_record[100] = "none";
    if (revision)
        (void)snprintf(in_record, sizeof in_record, "%.64s", revision + strlen("# Revision \""));
    bool done = strstr(conf, arg) && record && strstr(record, in_record) &&
                strstr(record, "\"done\"");
    if (buffer_printf(seen, "%zu bytes, %s", strlen(conf), record ? record : "no record") < 0)
        done = false;
    free(record);
    free(conf);
    return done;
}

static void ship_to(const char *index)
{
    char mark[100];
    (void)snprintf(mark, sizeof mark, "index: \"%s\"", index);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", index, "LOG_SETTLE",
                 "0", "LOG_ROLLOUT", "parallel", NULL);
    wait_until(index, SOON, is_done, mark);
}

static void elasticsearch_again(void)
{
    assert_int_equal(sink_start(&here.sink, "8.6.2", here.address, here.dir), 0);
}

/* ---- nothing lost -------------------------------------------------------- */

/* The check of arrival, too. */
static void records_arrive(void **state)
{
    (void)state;
    ship_to("first");
    shell("seq -f 'words number %%g' 100 >$L/first.log");
    wait_documents("first", "message:words", 100);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
}

static void what_is_renamed_while_elasticsearch_is_down_arrives(void **state)
{
    (void)state;
    ship_to("renamed");
    shell("seq -f '{\"level\":\"info\",\"n\":%%g,\"row\":\"renamed\"}' 3000 >$L/r.log");
    wait_documents("renamed", "row:renamed", 3000);
    sink_kill(&here.sink);
    shell("seq -f '{\"level\":\"info\",\"n\":%%g,\"row\":\"renamed\"}' 3001 8000 >>$L/r.log; sleep "
          "3; "
          "mv $L/r.log $L/r.log.1; "
          "seq -f '{\"level\":\"info\",\"n\":%%g,\"row\":\"renamed\"}' 8001 13000 >$L/r.log; sleep "
          "3; "
          "mv $L/r.log $L/r.log.2; sleep 12");
    elasticsearch_again();
    wait_documents("renamed", "row:renamed", 13000);
}

/* Killed in the middle of sending; its restart is what systemd or the heartbeat does. */
static void what_is_read_again_after_a_kill_is_there_once(void **state)
{
    (void)state;
    ship_to("killed");
    shell("seq -f 'words of killed 0-%%g' 1000 >$L/killed.log");
    wait_documents("killed", "message:killed", 1000);
    sleep_ms(2000); /* its position is on disk */
    shell(
        "for i in $(seq 3); do seq -f \"words of killed $i-%%g\" 4000 >>$L/killed.log; sleep 1.$i; "
        "kill -KILL $(shipper alive); shipper restart; sleep 1.$i; done");
    wait_documents("killed", "message:killed", 13000);
    sleep_ms(3000);
    assert_int_equal(sink_documents(&here.sink, "killed", "message:killed"), 13000);
}

/* ---- each line is a document --------------------------------------------- */

static void equal_lines_are_documents_of_their_own(void **state)
{
    (void)state;
    ship_to("equal");
    shell(
        "for i in $(seq 10); do echo '{\"timestamp\":\"2026-11-27T12:00:00Z\",\"id\":\"job-7\","
        "\"level\":\"info\",\"message\":\"page printed\",\"row\":\"equal\"}'; done >$L/equal.log; "
        "for n in $(seq 5); do printf 'Starting print service\\n%%s\\n' $RANDOM-$n >$L/svc.log; "
        "sleep 3; mv $L/svc.log $L/svc.log.$n; done");
    wait_documents("equal", "row:equal", 10);
    wait_documents("equal", "message:Starting", 5);
}

/* Members that Filebeat would take for its own, and such as no id can be made of. */
static void a_line_chooses_nothing_but_its_document(void **state)
{
    (void)state;
    ship_to("own");
    shell("cat >$L/own.log <<'END'\n"
          "{\"row\":\"own\",\"level\":\"info\",\"id\":{\"a\":1},\"timestamp\":[1]}\n"
          "{\"row\":\"own\",\"@metadata\":{\"op_type\":\"delete\",\"raw_index\":\"evil\",\"_id\":"
          "\"x\"}}\n"
          "{\"row\":\"own\",\"log\":\"text\",\"lictor\":{\"probe\":\"evil\"},\"type\":7}\n"
          "{\"row\":\"own\",\"@timestamp\":\"2020-01-02T03:04:05.678Z\"}\n"
          "{\"row\":\"own\"} and more\n"
          "END");
    wait_documents("own", "row:own", 3);
    wait_documents("own-refused", "message:row", 1); /* "log" is where the file is said */
    wait_documents("own", "message:more", 1);
    wait_documents("own", "@timestamp:2020-01-02", 1);
    assert_int_equal(sink_documents(&here.sink, "own", "lictor.probe:evil"), 0);
    assert_int_equal(sink_documents(&here.sink, "evil", "*"), -1);
}

/* ---- what the index refuses ---------------------------------------------- */

static void what_the_index_refuses_is_kept_as_text(void **state)
{
    (void)state;
    shell("es PUT numbers '{\"mappings\":{\"properties\":{\"level\":{\"type\":\"long\"}}}}'; "
          "es PUT objects '{\"mappings\":{\"properties\":{\"message\":{\"properties\":{\"a\":"
          "{\"type\":\"long\"}}}}}}'");
    static const char *const indices[] = {"numbers", "objects"};
    for (size_t i = 0; i < COUNT(indices); i++) {
        char refused[40], query[60];
        (void)snprintf(refused, sizeof refused, "%s-refused", indices[i]);
        (void)snprintf(query, sizeof query, "message:%swords", indices[i]);
        ship_to(indices[i]);
        shell("seq -f '%swords number %%g' 300 >$L/%s.log", indices[i], indices[i]);
        wait_documents(refused, query, 300);
    }
}

static void a_data_stream_takes_records(void **state)
{
    (void)state;
    shell("es PUT _index_template/stream '{\"index_patterns\":[\"stream\"],\"data_stream\":{}}'");
    ship_to("stream");
    shell("seq -f 'words of stream %%g' 500 >$L/stream.log");
    wait_documents("stream", "message:stream", 500);
    wait_check(here.c, 1, "cluster:logging", "passing", "records arrive", SOON);
    assert_int_equal(sink_documents(&here.sink, ".ds-stream-*", "message:stream"), 500);
}

/* ---- the whole ----------------------------------------------------------- */

static int teardown(void **state)
{
    (void)state;
    if (here.sink.pid)
        shell("shipper stop || :");
    cluster_stop(here.c);
    sink_kill(&here.sink);
    return 0;
}

static void filebeat_is_there(void **state)
{
    (void)state;
    (void)printf("# note: Filebeat cannot be had and was left out\n");
    skip();
}

static int setup(void **state)
{
    (void)state;
    if (!sink_available("8.6.2"))
        return -1;
    here.c = cluster_start(&(struct cluster_options){.servers = 1, .limits = "confirm=500ms"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%s/elasticsearch", keeper_dir());
    server_shipper(here.c, 1, SHIPPER_RSYSLOG, NULL); /* for its policy and directories */
    shell("mkdir $D/etc/bin; cp $F $D/etc/bin/filebeat; here scripts/shipper $D/etc/bin/shipper; "
          "chmod 0755 $D/etc/bin/*; place filebeat");
    elasticsearch_again();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive),
        cmocka_unit_test(what_is_renamed_while_elasticsearch_is_down_arrives),
        cmocka_unit_test(what_is_read_again_after_a_kill_is_there_once),
        cmocka_unit_test(equal_lines_are_documents_of_their_own),
        cmocka_unit_test(a_line_chooses_nothing_but_its_document),
        cmocka_unit_test(what_the_index_refuses_is_kept_as_text),
        cmocka_unit_test(a_data_stream_takes_records),
    };
    const struct CMUnitTest none[] = {cmocka_unit_test(filebeat_is_there)};
    if (access(built, X_OK) < 0)
        return cmocka_run_group_tests_name("filebeat", none, NULL, NULL);
    return HARNESS_RUN("filebeat", tests, setup, teardown);
}
