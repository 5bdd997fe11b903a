/* SPDX-License-Identifier: MIT */
/* make bench: how well clocks can be bounded through Consul, and what it costs. Three
 * servers on one machine have the same raw clock: what a record's stamp and its state are
 * apart is the delay itself, and how wide the bound is needs no other truth. */
#include "base/base64.h"
#include "clock/clock_record.h"
#include "clock/clock_state.h"
#include "harness.h"
#include "measure.h"

#define HEARTBEAT_S  5
#define SETTLE_MS    130000 /* figures shown fall after 20 rounds */
#define IDLE_MS      120000
#define LOADED_MS    60000
#define PROCESS_RUNS 300
#define SAMPLES      4000

static struct clock_state clocks;

static struct local_clock_reading now(void)
{
    struct local_clock_reading reading;
    local_clock_read(&reading);
    return reading;
}

/* ---- delays and widths --------------------------------------------------- */

struct samples {
    double delay_us[SAMPLES], width_us[SAMPLES];
    size_t n;
    int64_t heard_us[4][OFFSETS_SERVERS]; /* what was taken already */
};

/* What server i has heard since the last look. */
static void take(struct cluster *c, int i, struct samples *s)
{
    const struct local_clock_reading at = now();
    clock_state_read(server_path(c, i, "state"), &at, &clocks);
    if (!clocks.node[0])
        return;
    (void)clock_state_begin(&clocks, NULL, 0, &at);
    for (int j = 0; j < clocks.offsets.n && s->n < SAMPLES; j++) {
        const struct offsets_server *server = &clocks.offsets.server[j];
        struct clock_offset offset;
        if (j == clocks.offsets.self || server->heard_us == s->heard_us[i][j] ||
            offsets_between(&clocks.offsets, clocks.offsets.self, j, at.raw_us, &offset) < 0)
            continue;
        s->heard_us[i][j] = server->heard_us;
        s->delay_us[s->n] = (double)(server->heard_us - server->record.raw_us);
        s->width_us[s->n++] = (double)(offset.hi_us - offset.lo_us);
    }
}

static void take_for(struct cluster *c, int64_t ms, struct samples *ret)
{
    *ret = (struct samples){0};
    for (int64_t end = now_ms() + ms; now_ms() < end; sleep_ms(500))
        for (int i = 1; i <= c->servers; i++)
            take(c, i, ret);
}

static void print_samples(const char *when, struct samples *s)
{
    if (s->n == 0)
        harness_fail("nothing was heard while %s", when);
    print_message("clock records, %s: one-way delay %.1f ms (95 %%: %.1f), width of the "
                  "bound %.1f ms (95 %%: %.1f); medians of %zu records\n",
                  when, measure_median(s->delay_us, s->n) / 1e3,
                  measure_quantile(s->delay_us, s->n, 0.95) / 1e3,
                  measure_median(s->width_us, s->n) / 1e3,
                  measure_quantile(s->width_us, s->n, 0.95) / 1e3, s->n);
}

/* ---- load ---------------------------------------------------------------- */

#define CORES 2

static void load_start(pid_t pids[CORES])
{
    for (int i = 0; i < CORES; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            for (volatile unsigned spin = 0;; spin++)
                ;
    }
}

static void load_stop(const pid_t pids[CORES])
{
    for (int i = 0; i < CORES; i++) {
        (void)kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], NULL, 0);
    }
}

/* ---- three servers ------------------------------------------------------- */

/* Of the clock records alone, as their entries say it. */
static int64_t writes(struct cluster *c)
{
    cJSON *root = http_get(c, 1, "kv/" CLOCK_RECORD_PREFIX "?recurse");
    const cJSON *entry = NULL;
    int64_t sum = 0;
    cJSON_ArrayForEach(entry, root)
    {
        sum += (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(entry, "ModifyIndex"));
    }
    cJSON_Delete(root);
    return sum;
}

/* Every write moves the sum; of several between two looks one is counted, so look often. */
static double writes_per_minute(struct cluster *c, int64_t ms)
{
    int n = 0;
    int64_t last = writes(c);
    for (int64_t end = now_ms() + ms; now_ms() < end; sleep_ms(5)) {
        int64_t sum = writes(c);
        n += sum != last;
        last = sum;
    }
    return n * 60000.0 / (double)ms;
}

static void bounds_and_texts(void **state)
{
    (void)state;
    static struct samples samples;
    pid_t load[CORES];
    struct cluster *c = cluster_start(&(struct cluster_options){.heartbeat = "5s"});
    struct recorder *r = recorder_start(c, 1);
    take_for(c, SETTLE_MS, &samples);
    int64_t begin = now_ms();
    take_for(c, IDLE_MS, &samples);
    size_t changes = recorder_changes(r, begin, "cluster:clock");
    print_samples("idle", &samples);
    print_message("text changes of cluster:clock when idle: %.0f an hour and server (%zu "
                  "in %d s on three servers, heartbeat every %d s)\n",
                  (double)changes * 3600e3 / IDLE_MS / 3, changes, IDLE_MS / 1000, HEARTBEAT_S);
    print_message("KV writes: %.1f a minute and server, with a heartbeat every %d s\n",
                  writes_per_minute(c, 60000) / 3, HEARTBEAT_S);
    load_start(load);
    take_for(c, LOADED_MS, &samples);
    load_stop(load);
    print_samples("both cores loaded", &samples);
    recorder_stop(r);
    cluster_stop(c);
}

/* ---- one run of the handler ---------------------------------------------- */

static void write_payload(const char *path, int64_t raw_us)
{
    char text[400];
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)snprintf(text, sizeof text,
                   "{\"v\":1,\"boot\":\"b+0\",\"raw\":%lld,\"real\":%lld,\"err\":1,"
                   "\"ppm\":50,\"synced\":true,\"heard\":{}}",
                   (long long)raw_us, (long long)raw_us);
    char *base64 = base64_encode(text, strlen(text));
    (void)fprintf(f, "[");
    for (int i = 2; i <= 3; i++)
        (void)fprintf(f,
                      "%s{\"Key\":\"" CLOCK_RECORD_PREFIX "n%d\",\"ModifyIndex\":1,"
                      "\"Value\":\"%s\"}",
                      i > 2 ? "," : "", i, base64);
    (void)fprintf(f, "]\n");
    assert_int_equal(fclose(f), 0);
    free(base64);
}

/* A state of three servers whose verdict is the one that was published. */
static void make_state(const char *dir)
{
    static const char *const names[] = {"n1", "n2", "n3"};
    const struct local_clock_reading at = now();
    const struct skew_limits limits = {100000, 500000};
    struct verdict whole = {0};
    struct error err = {0};
    clock_state_read(dir, &at, &clocks);
    (void)snprintf(clocks.node, sizeof clocks.node, "n1");
    (void)clock_state_begin(&clocks, names, 3, &at);
    clock_state_judge(&clocks, &limits, &at, &clocks.said, &whole);
    assert_int_equal(clock_state_write(&clocks, dir, &err), 0);
}

static void a_run_of_hear_clock(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-bench-XXXXXX";
    char payload[64];
    static double ours[PROCESS_RUNS], same[PROCESS_RUNS], empty[PROCESS_RUNS];
    const char *const handler[] = {TEST_BIN "/../hear-clock", "--state-dir", dir, NULL};
    const char *const nothing[] = {"/bin/true", NULL};
    assert_non_null(mkdtemp(dir));
    (void)snprintf(payload, sizeof payload, "%s/payload", dir);
    make_state(dir);
    for (int i = 0; i < PROCESS_RUNS; i++) {
        write_payload(payload, 1000 + i);
        ours[i] = measure_process(handler, payload, 0);
        same[i] = measure_process(handler, payload, 0);
        empty[i] = measure_process(nothing, payload, 0);
    }
    double a = measure_median(ours, PROCESS_RUNS);
    double b = measure_median(same, PROCESS_RUNS);
    double e = measure_median(empty, PROCESS_RUNS);
    print_message("hear-clock with two new records / empty process (/bin/true): %.2f; with "
                  "nothing new: %.2f   (%.2f ms, %.2f ms, %.2f ms; medians of %d)\n",
                  a / e, b / e, a / 1e3, b / 1e3, e / 1e3, PROCESS_RUNS);
    const char *const argv[] = {"/bin/rm", "-rf", "--one-file-system", dir, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_of_hear_clock),
        cmocka_unit_test(bounds_and_texts),
    };
    return HARNESS_RUN("bench-clock", tests, NULL, NULL);
}
