/* SPDX-License-Identifier: MIT */
/* make bench: what a change costs, as ratios of medians measured in one run. Figures of
 * one machine are worth little; the ratio to the least that could be done says more. */
#include "base/base64.h"
#include "consul/kv.h"
#include "harness.h"
#include "measure.h"
#include "rollout/local_state.h"

#define PROCESS_RUNS 300
#define CHANGES      30
#define RAW_KEY      "bench/raw"
#define PLACE        HARNESS_ROOT "/service/cluster/tag/any/"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* A payload of all LOG_ settings and a local state that is done with it. */
static void make_settled(const char *dir, const char *payload_path)
{
    struct kv_list list = {0};
    struct error err = {0};
    struct local_state local = {.known = true, .record.state = SERVER_RECORD_DONE};
    char text[2000] = "[";
    static const char *const keys[] = {"LOG_ELASTICSEARCH_URL", "LOG_INDEX", "LOG_LEVEL",
                                       "LOG_SETTLE", "LOG_SOURCES"};
    for (size_t i = 0; i < COUNT(keys); i++) {
        char key[200];
        (void)snprintf(key, sizeof key, "%s%s", PLACE, keys[i]);
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "%s{\"Key\":\"%s\",\"CreateIndex\":16,\"ModifyIndex\":18,"
                       "\"LockIndex\":0,\"Flags\":0,\"Value\":\"aW5mbw==\",\"Session\":\"\"}",
                       i ? "," : "", key);
        assert_int_equal(kv_add(&list, key, "info", 4, 18), 0);
    }
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), "]\n");
    write_file(payload_path, text);
    assert_int_equal(kv_digest(&list, PLACE "LOG_", local.settings, &err), 0);
    assert_int_equal(local_state_write(dir, &local, &err), 0);
    kv_release(&list);
}

static void an_unchanged_run_against_an_empty_process(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-bench-XXXXXX";
    char payload[64];
    char local[64];
    static double ours[PROCESS_RUNS];
    static double empty[PROCESS_RUNS];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(payload, sizeof payload, "%s/payload", dir);
    (void)snprintf(local, sizeof local, "%s/logging.json", dir);
    make_settled(dir, payload);
    const char *const handler[] = {TEST_BIN "/../reconfigure-logging", "--state-dir", dir,
                                   "settings", NULL};
    const char *const nothing[] = {"/bin/true", NULL};
    for (int i = -5; i < PROCESS_RUNS; i++) {
        double a = measure_process(handler, payload, 0);
        double b = measure_process(nothing, payload, 0);
        if (i >= 0) {
            ours[i] = a;
            empty[i] = b;
        }
    }
    double a = measure_median(ours, PROCESS_RUNS);
    double b = measure_median(empty, PROCESS_RUNS);
    print_message("no-change run of reconfigure-logging / empty process (/bin/true): "
                  "%.2f   (%.2f ms / %.2f ms, medians of %d)\n",
                  a / b, a / 1e3, b / 1e3, PROCESS_RUNS);
    (void)unlink(payload);
    (void)unlink(local);
    (void)rmdir(dir);
}

/* ---- one change on three servers ----------------------------------------- */

static const char target[] = "{\"template\":\"t.mustache\",\"destination\":\"%s\","
                             "\"escape\":\"rainerscript\",\"reload\":[\"/bin/true\"],"
                             "\"confirm\":[\"/bin/echo\",\"1\"],\"stop\":[\"/bin/true\"]}";

static bool file_has(struct cluster *c, int i, const char *name, const char *word)
{
    char *text = server_read(c, i, name);
    bool found = strstr(text, word) != NULL;
    free(text);
    return found;
}

/* From the write of the key until the file of every server holds the word. */
static double change(struct cluster *c, const char *key, const char *value, const char *name)
{
    double begin = measure_now_us();
    kv_put(c, key, value);
    for (int i = 1; i <= 3; i++) {
        while (!file_has(c, i, name, value)) {
            if (measure_now_us() - begin > 20e6)
                harness_fail("%s never reached %s of server %d", value, name, i);
            (void)usleep(200);
        }
    }
    return measure_now_us() - begin;
}

static void prepare(struct cluster *c)
{
    char text[1200];
    for (int i = 1; i <= 3; i++) {
        (void)snprintf(text, sizeof text, target, server_path(c, i, "shipper/shipper.conf"));
        server_write(c, i, "shipper/ready", "");
        server_write(c, i, "etc/policy.json",
                     "{\"elasticsearch\": {\"hosts\": [\"127.0.0.0/8\"]}}");
        server_write(c, i, "etc/logging.d/t.mustache", "index {{LOG_INDEX}}\n");
        server_write(c, i, "etc/logging.d/t.json", text);
        (void)snprintf(text, sizeof text,
                       "{\"watches\":[{\"type\":\"key\",\"key\":\"" RAW_KEY "\","
                       "\"handler_type\":\"script\",\"args\":[\"/bin/dd\",\"of=%s\","
                       "\"status=none\"]}]}",
                       server_path(c, i, "raw"));
        server_write(c, i, "consul.d/70-raw.json", text);
        server_reload(c, i);
    }
}

static void a_change_against_a_raw_watch(void **state)
{
    (void)state;
    /* Not part of the time measured, but of the time between two changes. */
    struct cluster_options options = {.limits = "confirm=0s"};
    struct cluster *c = cluster_start(&options);
    double ours[CHANGES];
    double raw[CHANGES];
    char word[32];
    char base64[48];
    prepare(c);
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_SETTLE", "0", "LOG_ROLLOUT",
                 "parallel", NULL);
    (void)change(c, PLACE "LOG_INDEX", "warm-up", "shipper/shipper.conf");
    for (int i = 0; i < CHANGES; i++) {
        (void)snprintf(word, sizeof word, "aaa%03d", i * 7 % 1000);
        char *encoded = base64_encode(word, strlen(word));
        (void)snprintf(base64, sizeof base64, "%s", encoded);
        free(encoded);
        sleep_ms(300); /* let the echo of the last change die down */
        ours[i] = change(c, PLACE "LOG_INDEX", word, "shipper/shipper.conf");
        sleep_ms(300);
        double begin = measure_now_us();
        kv_put(c, RAW_KEY, word);
        for (int n = 1; n <= 3; n++) {
            while (!file_has(c, n, "raw", base64))
                (void)usleep(200);
        }
        raw[i] = measure_now_us() - begin;
    }
    double a = measure_median(ours, CHANGES);
    double b = measure_median(raw, CHANGES);
    print_message("KV write to configuration live on 3 servers / raw watch that writes a "
                  "file: %.2f   (%.1f ms / %.1f ms, medians of %d)\n",
                  a / b, a / 1e3, b / 1e3, CHANGES);
    cluster_stop(c);
}

/* ---- rolling, with real shippers ------------------------------------------ */

#define ROLLS 3

static void a_rolling_change_with_real_restarts(void **state)
{
    (void)state;
    struct cluster *c = cluster_start(&(struct cluster_options){0});
    double took[ROLLS + 1];
    for (int i = 1; i <= 3; i++)
        server_shipper(c, i, SHIPPER_RSYSLOG, NULL);
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_SETTLE", "0", NULL);
    for (int n = 0; n <= ROLLS; n++) {
        char index[32];
        (void)snprintf(index, sizeof index, "roll%03d", n);
        took[n] = change(c, PLACE "LOG_INDEX", index, "shipper/running.conf");
        for (int i = 1; i <= 3; i++)
            wait_check(c, i, "cluster:logging", "passing", "3 of 3", 60000);
        sleep_ms(1000);
    }
    print_message("rolling change of 3 servers, real rsyslogd, from the write to the "
                  "last restart: %.1f s (median of %d; 2 s each to be confirmed, then its "
                  "proof)\n",
                  measure_median(took + 1, ROLLS) / 1e6, ROLLS);
    cluster_stop(c);
}

/* ---- a failed server ----------------------------------------------------- */

static void a_failed_server_in_the_verdict(void **state)
{
    (void)state;
    struct cluster_options options = {0};
    struct cluster *c = cluster_start(&options);
    wait_catalogue(c, 1, 1, "cluster:quorum", "passing", "3 of 3", 30000);
    int leader = cluster_leader(c);
    int victim = leader == 3 ? 2 : 3;
    struct recorder *r = recorder_start(c, leader);
    sleep_ms(1000);
    int64_t begin = now_ms();
    server_kill(c, victim);
    wait_catalogue(c, leader, leader, "cluster:quorum", "warning", "2 of 3", 30000);
    int64_t consul = recorder_when(r, begin, c->server[victim].node, "serfHealth", "critical", "");
    int64_t verdict = recorder_when(r, begin, NULL, "cluster:quorum", "warning", "2 of 3");
    print_message("failed server in the verdict of the catalogue: %lld ms after Consul's own "
                  "event\n",
                  (long long)(verdict - consul));
    recorder_stop(r);
    cluster_stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_run_against_an_empty_process),
        cmocka_unit_test(a_change_against_a_raw_watch),
        cmocka_unit_test(a_rolling_change_with_real_restarts),
        cmocka_unit_test(a_failed_server_in_the_verdict),
    };
    return HARNESS_RUN("bench", tests, NULL, NULL);
}
