/* SPDX-License-Identifier: MIT */
/* What is gathered about arrival: from shippers and credentials of this server and from
 * the stand-in for Elasticsearch. */
#include "base/boottime.h"
#include "delivery/delivery_gather.h"

#include "harness.h"
#include "keeper.h"
#include "sink.h"

#include <time.h>

#define REVISION "4f2a91aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct {
    struct sink open, closed; /* the latter wants a password */
    char etc[300], address[40];
} here;

static const char *const nodes[] = {"n1", "n2"};

static void put(const char *name, const char *text, mode_t mode)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/%s", here.etc, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0 || chmod(path, mode) < 0)
        fail_msg("cannot write %s", path);
}

static void put_target(const char *name, const char *probe)
{
    char text[700];
    char file[100];
    (void)snprintf(file, sizeof file, "logging.d/%s.json", name);
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"t\",\"destination\":\"/d/%s\",\"escape\":\"yaml\","
                   "\"reload\":[\"/bin/true\"],\"confirm\":[\"/bin/true\"],"
                   "\"stop\":[\"/bin/true\"]%s%s%s}",
                   name, *probe ? ",\"probe\":\"" : "", probe, *probe ? "\"" : "");
    put(file, text, 0644);
}

static void put_credential(const char *password)
{
    char text[200];
    (void)snprintf(text, sizeof text,
                   "{\"user\":\"reader\",\"password\":\"%s\",\"insecure_http\":true,"
                   "\"hosts\":[\"127.0.0.0/8\"]}",
                   password);
    put("credentials/es.read.json", text, 0600);
}

static struct settings settings_to(const char *first, const char *second, const char *credential)
{
    struct settings s = {.log_present = true, .log_enabled = true};
    const char *urls[] = {first, second};
    for (size_t i = 0; i < 2 && urls[i]; i++)
        (void)snprintf(s.log_url[s.log_urls++], sizeof s.log_url[0], "%s", urls[i]);
    (void)snprintf(s.log_index, sizeof s.log_index, "logs");
    (void)snprintf(s.log_credential, sizeof s.log_credential, "%s", credential);
    return s;
}

static struct delivery_gathered gather(const struct settings *s)
{
    struct delivery_gathered e;
    struct error err = {0};
    const struct delivery_question q = {here.etc, s, REVISION, nodes, 2};
    assert_int_equal(delivery_gather(&q, &e, &err), 0);
    return e;
}

static struct delivery_gathered gather_from(const char *url, const char *credential)
{
    struct settings s = settings_to(url, NULL, credential);
    return gather(&s);
}

static void run(const char *script, const char *a, const char *b)
{
    const char *argv[] = {"/bin/sh", "-c", script, "sh", a, b, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s: %s", script, o.err);
    outcome_release(&o);
}

static void arrive(const char *node, const char *shipper, int64_t at, const char *revision)
{
    char token[PROBE_TOKEN];
    char line[400];
    const struct probe_stream stream = {node, shipper};
    probe_token(&stream, token);
    (void)snprintf(line, sizeof line,
                   "{\"index\":{}}\n{\"lictor\":{\"probe\":\"%s\",\"at\":%lld,\"revision\":"
                   "\"%s\"}}\n",
                   token, (long long)at, revision);
    run("printf %s \"$2\" | curl -sf -H 'Content-Type: application/json' "
        "--data-binary @- \"$1/logs/_bulk\"",
        here.open.url, line);
}

static int64_t wall_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- tests --------------------------------------------------------------- */

static void without_a_probe_nothing_is_proven(void **state)
{
    (void)state;
    char text[500];
    put_target("rsyslog", "");
    struct delivery_gathered e = gather_from(here.open.url, "");
    assert_int_equal(e.sight, DELIVERY_NO_PROBE);
    (void)snprintf(text, sizeof text,
                   "arrival is not proven: no log shipper in %s/logging.d names a \"probe\" "
                   "log which its shipper carries",
                   here.etc);
    assert_string_equal(e.sight_text, text);
    assert_int_equal(e.url[0].trouble, ELASTICSEARCH_OK);
    assert_true(*delivery_uuid(e.url, e.urls) != '\0');
    delivery_gather_release(&e);
    run("rm \"$1\"/logging.d/*", here.etc, "");
    e = gather_from(here.open.url, "");
    assert_int_equal(e.sight, DELIVERY_NO_PROBE);
    assert_non_null(strstr(e.sight_text, "no log shipper is configured"));
    struct error err = {0};
    assert_int_equal(delivery_write_probes(here.etc, "n1", &err), 0);
    delivery_gather_release(&e);
    put_target("rsyslog", "/p/rsyslog.log");
}

static void what_arrived_is_found_by_node_and_revision(void **state)
{
    (void)state;
    int64_t now = wall_ms();
    struct delivery_gathered e = gather_from(here.open.url, "");
    assert_int_equal(e.sight, DELIVERY_SEEN);
    assert_string_equal(e.sight_text, "");
    assert_in_range(e.asked_ms, now, now + 5000);
    assert_int_equal(e.found[0].newest_ms, -1);
    assert_int_equal(e.found[1].revision_ms, -1);
    delivery_gather_release(&e);
    arrive("n1", "rsyslog", now - 5, REVISION);
    arrive("n2", "rsyslog", now - 7, "other");
    arrive("n2", "filebeat", now, REVISION);
    e = gather_from(here.open.url, "");
    assert_int_equal(e.found[0].newest_ms, now - 5);
    assert_int_equal(e.found[0].revision_ms, now - 5);
    assert_int_equal(e.found[1].newest_ms, now - 7);
    assert_int_equal(e.found[1].revision_ms, -1);
    delivery_gather_release(&e);
}

static void of_several_carriers_the_oldest_counts(void **state)
{
    (void)state;
    int64_t now = wall_ms();
    put_target("filebeat", "/p/filebeat.log");
    put_target("zz-silent", ""); /* has no say */
    arrive("n1", "rsyslog", now, REVISION);
    arrive("n1", "filebeat", now - 100, REVISION);
    struct delivery_gathered e = gather_from(here.open.url, "");
    assert_int_equal(e.found[0].newest_ms, now - 100);
    assert_int_equal(e.found[0].revision_ms, now - 100);
    assert_int_equal(e.found[1].revision_ms, -1);
    delivery_gather_release(&e);
    run("rm \"$1\"/logging.d/filebeat.json \"$1\"/logging.d/zz-silent.json", here.etc, "");
}

/* For who writes by id: index-records, which keeps an account. */
static void a_data_stream_is_refused(void **state)
{
    static const char *const options[] = {"--stream", "logs", NULL};
    (void)state;
    char address[40], dir[400], text[200];
    struct sink sink = {.pid = 0};
    (void)snprintf(address, sizeof address, "127.0.%d.3", keeper_take_net());
    (void)snprintf(dir, sizeof dir, "%.200s/stream", keeper_dir());
    assert_int_equal(sink_start_stand_in(&sink, address, dir, options), 0);
    struct delivery_gathered e = gather_from(sink.url, "");
    assert_int_equal(e.sight, DELIVERY_SEEN);
    delivery_gather_release(&e);
    put_target("rsyslog", "/p/rsyslog.log\",\"account\":\"/a/rsyslog.json");
    e = gather_from(sink.url, "");
    (void)snprintf(text, sizeof text,
                   "%s: logs is a data stream, which takes no record by its id: let LOG_INDEX "
                   "name an index or an alias",
                   sink.url);
    assert_int_equal(e.sight, DELIVERY_BLIND);
    assert_string_equal(e.sight_text, text);
    delivery_gather_release(&e);
    e = gather_from(here.open.url, "");
    assert_int_equal(e.sight, DELIVERY_SEEN);
    delivery_gather_release(&e);
    put_target("rsyslog", "/p/rsyslog.log");
    sink_kill(&sink);
}

static void a_missing_credential_is_told_where_one_is_needed(void **state)
{
    (void)state;
    char text[600];
    struct delivery_gathered e = gather_from(here.closed.url, "es");
    assert_int_equal(e.sight, DELIVERY_NO_CREDENTIAL);
    (void)snprintf(text, sizeof text,
                   "arrival is not proven, Elasticsearch must know who asks: there is no "
                   "credential es on this server: %s/credentials/es.read.json is missing",
                   here.etc);
    assert_string_equal(e.sight_text, text);
    delivery_gather_release(&e);
    e = gather_from(here.open.url, "es"); /* everybody may ask here */
    assert_int_equal(e.sight, DELIVERY_SEEN);
    delivery_gather_release(&e);
    e = gather_from(here.closed.url, ""); /* none is set, so the shipper has none */
    assert_int_equal(e.sight, DELIVERY_BLIND);
    assert_int_equal(e.url[0].trouble, ELASTICSEARCH_401);
    delivery_gather_release(&e);
    put_target("rsyslog", "");
    e = gather_from(here.closed.url, "es");
    assert_int_equal(e.sight, DELIVERY_NO_CREDENTIAL);
    delivery_gather_release(&e);
    put_target("rsyslog", "/p/rsyslog.log");
}

static void the_credential_to_ask_with_is_used(void **state)
{
    (void)state;
    put_credential("secret-word");
    struct delivery_gathered e = gather_from(here.closed.url, "es");
    assert_int_equal(e.sight, DELIVERY_SEEN);
    delivery_gather_release(&e);
    put_credential("secret-wore");
    e = gather_from(here.closed.url, "es");
    assert_int_equal(e.sight, DELIVERY_BLIND);
    assert_string_equal(e.sight_text, "");
    assert_int_equal(e.url[0].trouble, ELASTICSEARCH_401);
    assert_non_null(strstr(e.url[0].text, "es.read.json"));
    assert_null(strstr(e.url[0].text, "secret"));
    delivery_gather_release(&e);
    put("credentials/es.read.json", "{", 0600);
    e = gather_from(here.closed.url, "es");
    assert_int_equal(e.sight, DELIVERY_NO_CREDENTIAL);
    assert_non_null(strstr(e.sight_text, "es.read.json"));
    delivery_gather_release(&e);
}

static void one_good_address_is_enough_to_look(void **state)
{
    (void)state;
    char down[100];
    (void)snprintf(down, sizeof down, "http://%s:9299", here.address);
    struct settings s = settings_to(down, here.open.url, "");
    struct delivery_gathered e = gather(&s);
    assert_int_equal(e.sight, DELIVERY_SEEN);
    assert_int_equal(e.url[0].trouble, ELASTICSEARCH_REFUSED);
    assert_int_equal(e.url[1].trouble, ELASTICSEARCH_OK);
    delivery_gather_release(&e);
    e = gather_from(down, "");
    assert_int_equal(e.sight, DELIVERY_BLIND);
    assert_string_equal(e.sight_text, "");
    delivery_gather_release(&e);
}

static void a_search_that_fails_says_why(void **state)
{
    (void)state;
    char text[200];
    sink_mode(&here.open, "search=403", 0);
    struct delivery_gathered e = gather_from(here.open.url, "");
    assert_int_equal(e.sight, DELIVERY_BLIND);
    (void)snprintf(text, sizeof text,
                   "%s: without a credential nobody has the index privilege \"read\" on "
                   "logs (403)",
                   here.open.url);
    assert_string_equal(e.sight_text, text);
    delivery_gather_release(&e);
    e = gather_from(here.open.url, "none");
    assert_int_equal(e.sight, DELIVERY_NO_CREDENTIAL);
    delivery_gather_release(&e);
    sink_mode(&here.open, "ok", 0);
}

static void every_carrier_gets_its_record(void **state)
{
    (void)state;
    char dir[400], log[500];
    struct error err = {0};
    (void)snprintf(dir, sizeof dir, "%s/probe", here.etc);
    (void)snprintf(log, sizeof log, "%s/one.log", dir);
    put_target("rsyslog", log);
    assert_true(delivery_write_probes(here.etc, "n1", &err) < 0);
    assert_non_null(strstr(err.text, "lictor enable makes it"));
    assert_int_equal(mkdir(dir, 0755), 0);
    (void)snprintf(log, sizeof log, "%s/two.log", dir);
    put_target("second", log);
    assert_int_equal(delivery_write_probes(here.etc, "n1", &err), 0);
    run("cd \"$1/probe\" && [ $(cat one.log two.log | wc -l) = 2 ] && "
        "! cmp -s one.log two.log",
        here.etc, "");
    run("rm \"$1/logging.d/second.json\"", here.etc, "");
    put_target("rsyslog", "/p/rsyslog.log");
}

/* ---- memory -------------------------------------------------------------- */

static cJSON *memory;

static void remember(int64_t newest_ms, int64_t ago_ms)
{
    cJSON_Delete(memory);
    memory = cJSON_CreateObject();
    cJSON *node = cJSON_AddObjectToObject(memory, "n1");
    assert_non_null(cJSON_AddNumberToObject(node, "newest", (double)newest_ms));
    assert_non_null(cJSON_AddNumberToObject(node, "since", (double)(boottime_ms() - ago_ms)));
}

static enum delivery_arrival arrival_of(int64_t newest_ms)
{
    struct probe_found found = {newest_ms, -1};
    struct delivery_gathered e = {.asked_ms = 10000000, .found = &found};
    enum delivery_arrival arrival;
    cJSON *after = delivery_gather_arrivals(&e, memory, nodes, 1, &arrival);
    cJSON_Delete(memory);
    memory = after;
    return arrival;
}

static void progress_is_remembered(void **state)
{
    (void)state;
    const int64_t old = 10000000 - 200000; /* two hundred seconds */
    remember(old, 100000);
    assert_int_equal(arrival_of(old), DELIVERY_SILENT);
    assert_int_equal(arrival_of(old), DELIVERY_SILENT);
    assert_int_equal(arrival_of(old + 1), DELIVERY_LATE);
    assert_int_equal(arrival_of(old + 1), DELIVERY_LATE);
    remember(old, 80000);
    assert_int_equal(arrival_of(old), DELIVERY_LATE);
    remember(old, 100000);
    assert_int_equal(arrival_of(10000000 - 50000), DELIVERY_ARRIVES);
    assert_int_equal(arrival_of(-1), DELIVERY_SILENT);
}

static void what_is_not_known_begins_now(void **state)
{
    (void)state;
    const int64_t old = 10000000 - 200000;
    remember(old, -100000); /* from the future */
    assert_int_equal(arrival_of(old), DELIVERY_LATE);
    cJSON_Delete(memory);
    memory = NULL;
    assert_int_equal(arrival_of(old), DELIVERY_LATE);
    cJSON_Delete(memory);
    memory = cJSON_CreateArray();
    assert_int_equal(arrival_of(old), DELIVERY_LATE);
}

static int setup(void **state)
{
    static const char *const options[] = {"--user", "reader:secret-word", NULL};
    (void)state;
    char address[40], dir[400];
    int net = keeper_take_net();
    (void)snprintf(here.etc, sizeof here.etc, "%.200s/etc", keeper_dir());
    run("mkdir -p \"$1/logging.d\" \"$1/credentials\"", here.etc, "");
    put_target("rsyslog", "/p/rsyslog.log");
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.1", net);
    (void)snprintf(address, sizeof address, "127.0.%d.2", net);
    (void)snprintf(dir, sizeof dir, "%.200s/closed", keeper_dir());
    return sink_start(&here.open, "stand-in", here.address, keeper_dir()) < 0 ||
                   sink_start_stand_in(&here.closed, address, dir, options) < 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    cJSON_Delete(memory);
    sink_kill(&here.open);
    sink_kill(&here.closed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_probe_nothing_is_proven),
        cmocka_unit_test(what_arrived_is_found_by_node_and_revision),
        cmocka_unit_test(of_several_carriers_the_oldest_counts),
        cmocka_unit_test(a_data_stream_is_refused),
        cmocka_unit_test(a_missing_credential_is_told_where_one_is_needed),
        cmocka_unit_test(the_credential_to_ask_with_is_used),
        cmocka_unit_test(one_good_address_is_enough_to_look),
        cmocka_unit_test(a_search_that_fails_says_why),
        cmocka_unit_test(every_carrier_gets_its_record),
        cmocka_unit_test(progress_is_remembered),
        cmocka_unit_test(what_is_not_known_begins_now),
    };
    return HARNESS_RUN("delivery_gather", tests, setup, teardown);
}
