/* SPDX-License-Identifier: MIT */
/* hear-clock and verify-clock as processes, against an agent that says what it is told. */
#include "base/base64.h"
#include "clock/clock_record.h"
#include "clock/clock_state.h"
#include "consul/kv.h"
#include "fake_agent.h"
#include "harness.h"
#include "scratch.h"

#define PLACE   "dc/home/env/service/cluster/tag/any/"
#define RECORDS "GET /v1/kv/" CLOCK_RECORD_PREFIX
#define OWN     "PUT /v1/kv/" CLOCK_RECORD_PREFIX "n1"
#define CHECK   "PUT /v1/agent/check/update/cluster:clock"

struct world {
    struct fake_agent *agent;
    struct kv_list records; /* what stands below lictor/clock/ */
};

static struct clock_state kept;

/* ---- what the agent says ------------------------------------------------- */

/* Entries as Consul writes them, for an answer and for a payload. free() it. */
static char *as_json(const struct kv_list *list)
{
    struct buffer text = BUFFER_INIT(8U << 20);
    assert_int_equal(buffer_append(&text, "[", 1), 0);
    for (size_t i = 0; i < list->n; i++) {
        const struct kv_entry *entry = &list->entries[i];
        char *base64 = base64_encode(entry->value, entry->len);
        assert_int_equal(buffer_printf(&text,
                                       "%s{\"LockIndex\":0,\"Key\":\"%s\",\"Flags\":0,"
                                       "\"Value\":\"%s\",\"CreateIndex\":1,"
                                       "\"ModifyIndex\":%d}",
                                       i ? "," : "", entry->key, base64, (int)entry->modify_index),
                         0);
        free(base64);
    }
    assert_int_equal(buffer_append(&text, "]\n", 2), 0);
    return buffer_detach(&text);
}

static void say_records(struct world *w)
{
    char *text = as_json(&w->records);
    fake_agent_answer(w->agent, RECORDS, w->records.n ? 200 : 404, w->records.n ? text : NULL);
    free(text);
}

static void say_setting(struct world *w, const char *key, const char *value)
{
    struct kv_list list = {0};
    char full[200];
    (void)snprintf(full, sizeof full, PLACE "%s", key);
    assert_int_equal(kv_add(&list, full, value, strlen(value), 7), 0);
    char *text = as_json(&list);
    fake_agent_answer(w->agent, "GET /v1/kv/" PLACE, 200, text);
    free(text);
    kv_release(&list);
}

/* Three servers; n1 is asked. */
static void say_whole(struct world *w)
{
    fake_agent_answer(w->agent, "GET /v1/agent/self", 200, "{\"Config\":{\"NodeName\":\"n1\"}}");
    fake_agent_answer(w->agent, OWN, 200, "true");
    fake_agent_answer(w->agent, CHECK, 200, "");
    fake_agent_voters(w->agent, 3);
}

/* A record of another server, of this very moment. */
static void put_record(struct world *w, const char *node, int64_t raw_us)
{
    char key[200], text[500];
    (void)snprintf(key, sizeof key, CLOCK_RECORD_PREFIX "%s", node);
    (void)snprintf(text, sizeof text,
                   "{\"v\":1,\"boot\":\"b+0\",\"raw\":%lld,\"real\":%lld,\"err\":1,"
                   "\"ppm\":50,\"synced\":true,\"heard\":{}}",
                   (long long)raw_us, (long long)raw_us + 7000000);
    assert_int_equal(kv_set(&w->records, key, text), 0);
}

/* ---- running ------------------------------------------------------------- */

static struct outcome run_with(struct world *w, const char *program, const char *input,
                               const char *const *more)
{
    char path[600];
    const char *argv[16] = {path, "--config-dir", scratch_at("config"), "--state-dir",
                            scratch_at("state")};
    const char *env[] = {fake_agent_env(w->agent),
                         "LICTOR_LIMITS=http=400ms,leader_proof=300ms,lock=300ms,rest=0s", NULL};
    (void)snprintf(path, sizeof path, "%s/%s", TEST_BIN, program);
    for (size_t i = 0; more && more[i]; i++)
        argv[5 + i] = more[i];
    return run_tool(input, argv, env);
}

static struct outcome hear(struct world *w, const char *payload)
{
    return run_with(w, "hear-clock", payload, NULL);
}

static struct outcome hear_records(struct world *w)
{
    char *payload = as_json(&w->records);
    struct outcome o = hear(w, payload);
    free(payload);
    return o;
}

static struct outcome publish(struct world *w)
{
    static const char *const more[] = {"--publish", "cluster:clock", NULL};
    say_records(w);
    return run_with(w, "verify-clock", NULL, more);
}

static void expect_begin(struct outcome o, int code, const char *out)
{
    if (strncmp(o.out, out, strlen(out)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"; %s", o.out, out, o.err);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

/* Published or not, without a word to anybody who calls. */
static void expect_done(struct outcome o)
{
    assert_string_equal(o.out, "");
    if (o.code != 0)
        fail_msg("%d: %s", o.code, o.err);
    outcome_release(&o);
}

static void read_state(void)
{
    struct local_clock_reading now;
    local_clock_read(&now);
    clock_state_read(scratch_at("state"), &now, &kept);
}

/* ---- a world ------------------------------------------------------------- */

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_int_equal(scratch_set_up_program(NULL), 0);
    w->agent = fake_agent_start();
    say_whole(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    fake_agent_stop(w->agent);
    kv_release(&w->records);
    free(w);
    return scratch_tear_down(NULL);
}

/* ---- usage --------------------------------------------------------------- */

static const struct usage_row {
    const char *program;
    const char *words[3];
    int code;
    const char *out, *err;
} usage_rows[] = {
    {"hear-clock", {"x"}, 2, "", "hear-clock: unexpected operand 'x', see hear-clock --help\n"},
    {"hear-clock", {"--no"}, 2, "", "hear-clock: unknown option --no, see hear-clock --help\n"},
    {"hear-clock", {"--version"}, 0, "hear-clock test\n", ""},
    {"verify-clock",
     {"x"},
     3,
     "",
     "verify-clock: unexpected operand 'x', see verify-clock --help\n"},
    {"verify-clock",
     {"--publish"},
     3,
     "",
     "verify-clock: --publish needs a value, see verify-clock --help\n"},
    {"verify-clock", {"--heard"}, 3, "", "verify-clock: --heard is only for --publish\n"},
    {"verify-clock", {"--version"}, 0, "verify-clock test\n", ""},
};

static void usage_is_answered_in_one_line(void **state)
{
    for (size_t i = 0; i < COUNT(usage_rows); i++) {
        const struct usage_row *row = &usage_rows[i];
        print_message("  %s %s\n", row->program, row->words[0]);
        outcome_expect(run_with(*state, row->program, NULL, row->words), row->code, row->out,
                       row->err);
    }
}

static void help_is_served(void **state)
{
    static const char *const help[] = {"--help", NULL};
    expect_begin(run_with(*state, "hear-clock", NULL, help), 0, "usage: hear-clock ");
    expect_begin(run_with(*state, "verify-clock", NULL, help), 0, "usage: verify-clock ");
}

static void what_cannot_be_written_is_no_success(void **state)
{
    static const struct {
        const char *script;
        int code;
    } rows[] = {{"/hear-clock --help >/dev/full 2>/dev/null", 1},
                {"/hear-clock <&- >&- 2>&-", 1},
                {"/verify-clock --help >/dev/full 2>/dev/null", 3},
                {"/verify-clock x <&- >&- 2>&-", 3}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char script[600];
        (void)snprintf(script, sizeof script, TEST_BIN "%s", rows[i].script);
        const char *const argv[] = {"/bin/sh", "-c", script, NULL};
        struct outcome o = run_tool(NULL, argv, NULL);
        print_message("  %s\n", rows[i].script);
        assert_int_equal(o.code, rows[i].code);
        outcome_release(&o);
    }
}

static void receiving_loads_neither_libcurl_nor_libuv(void **state)
{
    (void)state;
    static const char *const absent[] = {"libcurl", "libuv", "libssl"};
    const char *const argv[] = {"/usr/bin/ldd", TEST_BIN "/hear-clock", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_non_null(strstr(o.out, "libcjson"));
    for (size_t i = 0; i < COUNT(absent); i++)
        assert_null(strstr(o.out, absent[i]));
    outcome_release(&o);
}

/* ---- hear-clock ---------------------------------------------------------- */

static void empty_is_nothing_to_do(void **state)
{
    struct world *w = *state;
    expect_done(publish(w));
    put_record(w, "n2", 1000);
    expect_done(hear_records(w));
    outcome_expect(hear(w, "null\n"), 0, "", "");
    outcome_expect(hear(w, "[]\n"), 0, "", "");
    read_state();
    assert_string_equal(kept.offsets.server[1].boot, "b+0"); /* nothing is forgotten */
}

static void a_payload_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    char *huge = malloc((2U << 20) + 1);
    assert_non_null(huge);
    memset(huge, ' ', 2U << 20);
    huge[2U << 20] = '\0';
    outcome_expect_failure(hear(w, "oops"), 1, "hear-clock: watch payload: is not JSON");
    outcome_expect_failure(hear(w, ""), 1, "hear-clock: watch payload: is not JSON");
    outcome_expect_failure(hear(w, "{\"a\":1}"), 1, "hear-clock: not a KV entry");
    outcome_expect_failure(hear(w, "[{\"Key\":\"k\",\"ModifyIndex\":1,\"Value\":\"*\"}]"), 1,
                           "hear-clock: KV entry k: value is not base64");
    outcome_expect_failure(hear(w, huge), 1,
                           "hear-clock: watch payload: is larger than 1 MiB (the heartbeat reads "
                           "the records)");
    free(huge);
}

static void before_the_first_heartbeat_nobody_is_known(void **state)
{
    struct world *w = *state;
    char path[100];
    put_record(w, "n2", 1000);
    outcome_expect(hear_records(w), 0, "", "");
    (void)snprintf(path, sizeof path, "%s/clock", scratch_at("state"));
    assert_int_equal(access(path, F_OK), -1);
}

static void a_state_directory_of_others_is_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(chmod(scratch_at("state"), 0755), 0);
    put_record(w, "n2", 1000);
    outcome_expect_failure(hear_records(w), 1, "is not ours alone");
    outcome_expect_failure(publish(w), 3, "is not ours alone");
    outcome_expect_failure(run_with(w, "verify-clock", NULL, NULL), 3, "is not yours");
    assert_int_equal(chmod(scratch_at("state"), 0700), 0);
}

/* A stamp of state that is too early would be a false bound. */
static void heard_is_when_all_of_it_is_in_memory(void **state)
{
    struct world *w = *state;
    struct local_clock_reading begin;
    char path[200], script[600];
    expect_done(publish(w));
    put_record(w, "n2", 1000);
    char *payload = as_json(&w->records);
    (void)snprintf(path, sizeof path, "%s/payload", scratch_dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(payload, f) >= 0);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(script, sizeof script,
                   "{ head -c -1 %s; sleep 0.3; echo; } | " TEST_BIN "/hear-clock --state-dir %s",
                   path, scratch_at("state"));
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    local_clock_read(&begin);
    outcome_expect(run_tool(NULL, argv, NULL), 0, "", "");
    read_state();
    assert_true(kept.offsets.server[1].heard_us >= begin.raw_us + 300000);
    free(payload);
}

static void so_it_is_when_the_heartbeat_hears(void **state)
{
    struct world *w = *state;
    struct local_clock_reading begin;
    put_record(w, "n2", 1000);
    say_records(w);
    fake_agent_delay(w->agent, RECORDS, 200);
    local_clock_read(&begin);
    expect_done(publish(w));
    read_state();
    assert_true(kept.offsets.server[1].heard_us >= begin.raw_us + 200000);
}

static void forget_what_was_said(struct world *w)
{
    struct error err = {0};
    read_state();
    kept.said.summary[0] = '\0';
    assert_int_equal(clock_state_write(&kept, scratch_at("state"), &err), 0);
    fake_agent_forget(w->agent);
}

/* The list n1 has after its first heartbeat; the verdict of nothing proven is published. */
static void only_another_verdict_is_published(void **state)
{
    struct world *w = *state;
    expect_done(publish(w));
    put_record(w, "n2", 1000);
    fake_agent_forget(w->agent);
    outcome_expect(hear_records(w), 0, "", "");
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
    forget_what_was_said(w);
    outcome_expect(hear_records(w), 0, "", ""); /* the same record again */
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
    put_record(w, "n2", 2000);
    expect_done(hear_records(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "warning|warning: waiting for the clocks of 3"));
    assert_null(fake_agent_sent(w->agent, OWN "?cas=0")); /* it tells nothing by itself */
    fake_agent_forget(w->agent);
    put_record(w, "n2", 3000);
    outcome_expect(hear_records(w), 0, "", "");
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
}

static void a_jump_is_logged_once(void **state)
{
    struct world *w = *state;
    expect_done(publish(w));
    put_record(w, "n2", 1000);
    expect_done(hear_records(w));
    assert_int_equal(kv_set(&w->records, CLOCK_RECORD_PREFIX "n2",
                            "{\"v\":1,\"boot\":\"b+0\",\"raw\":2000,\"real\":5002000,\"err\":1,"
                            "\"ppm\":50,\"synced\":true,\"heard\":{}}"),
                     0);
    outcome_expect(hear_records(w), 0, "", "hear-clock: clock of n2 stepped or slewed by -2.0 s\n");
    outcome_expect(hear_records(w), 0, "", "");
}

/* Whoever sees it first logs it, also when nothing else is new. */
static void a_jump_of_the_own_clock_is_logged_once(void **state)
{
    struct world *w = *state;
    const char *const argv[] = {TEST_BIN "/hear-clock", "--state-dir", scratch_at("state"), NULL};
    const char *env[] = {"LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
                         "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME=+2s",
                         "ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0", NULL};
    put_record(w, "n2", 1000);
    expect_done(publish(w));
    char *payload = as_json(&w->records);
    outcome_expect(run_tool(payload, argv, env), 0, "",
                   "hear-clock: clock of n1 stepped or slewed by +2.0 s\n");
    outcome_expect(run_tool(payload, argv, env), 0, "", "");
    free(payload);
}

static void a_damaged_state_is_dropped(void **state)
{
    struct world *w = *state;
    char path[100];
    (void)snprintf(path, sizeof path, "%s/clock", scratch_at("state"));
    expect_done(publish(w));
    assert_int_equal(truncate(path, 1000), 0);
    put_record(w, "n2", 1000);
    outcome_expect(hear_records(w), 0, "", "");
    outcome_expect_failure(run_with(w, "verify-clock", NULL, NULL), 3,
                           "nothing was received of the other clocks yet");
    expect_done(publish(w));
    read_state();
    assert_int_equal(kept.offsets.n, 3);
}

/* ---- verify-clock: telling ------------------------------------------------ */

static int64_t sent_number(struct world *w, const char *request, const char *name)
{
    const char *body = fake_agent_sent(w->agent, request);
    cJSON *root = body ? cJSON_Parse(body) : NULL;
    const cJSON *number = cJSON_GetObjectItem(root, name);
    if (!cJSON_IsNumber(number))
        fail_msg("%s: no %s in \"%s\"", request, name, body ? body : "");
    int64_t value = (int64_t)number->valuedouble;
    cJSON_Delete(root);
    return value;
}

static void the_own_record_is_written_with_check_and_set(void **state)
{
    struct world *w = *state;
    struct local_clock_reading before, after;
    put_record(w, "n2", 1000);
    local_clock_read(&before);
    expect_done(publish(w));
    local_clock_read(&after);
    assert_in_range(sent_number(w, OWN "?cas=0", "raw"), before.raw_us, after.raw_us);
    assert_in_range(sent_number(w, OWN "?cas=0", "real"), before.real_us, after.real_us);
    assert_int_equal(sent_number(w, OWN "?cas=0", "v"), 1);
    const char *sent = fake_agent_sent(w->agent, OWN "?cas=0");
    const char *heard = strstr(sent, "\"heard\":{\"n2\":{\"boot\":\"b+0\",\"raw\":1000,");
    assert_non_null(heard);
    assert_null(strstr(sent, "\"n3\""));
    assert_int_equal(kv_add(&w->records, CLOCK_RECORD_PREFIX "n1", sent, strlen(sent), 42), 0);
    expect_done(publish(w));
    assert_non_null(fake_agent_sent(w->agent, OWN "?cas=42"));
}

static void somebody_who_was_faster_is_no_failure(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, OWN, 200, "false");
    expect_done(publish(w));
    fake_agent_answer(w->agent, OWN, 500, "No cluster leader");
    expect_done(publish(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "waiting for the clocks of 3 servers\n"));
}

static void without_the_right_to_tell_it_says_so(void **state)
{
    struct world *w = *state;
    static const char text[] = "cannot write KV lictor/clock/n1: 403 Permission denied "
                               "(the token needs key \"lictor/clock/n1\" write)\n";
    fake_agent_answer(w->agent, OWN, 403, "Permission denied");
    struct outcome o = publish(w);
    assert_non_null(strstr(o.err, text));
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "warning|warning: cannot look: cannot write"));
}

/* Two in a row, see clock_state.h; the status is raised, the clocks are judged as ever. */
static void somebody_else_under_our_name_is_said(void **state)
{
    struct world *w = *state;
    expect_done(publish(w));
    put_record(w, "n1", 1000);
    expect_done(publish(w));
    assert_null(strstr(fake_agent_published(w->agent, "cluster:clock"), "somebody else"));
    put_record(w, "n1", 2000);
    expect_done(publish(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "warning|warning: waiting for the clocks of 3 servers; "
                           "somebody else writes this server's record\n"));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "\nsomebody else writes lictor/clock/n1: is "));
}

static void records_too_large_are_read_one_by_one(void **state)
{
    struct world *w = *state;
    struct kv_list huge = {0};
    char *value = malloc(1U << 20);
    assert_non_null(value);
    memset(value, 'x', 1U << 20);
    assert_int_equal(kv_add(&huge, CLOCK_RECORD_PREFIX "zz", value, 1U << 20, 7), 0);
    put_record(w, "n3", 1000);
    fake_agent_kv(w->agent, CLOCK_RECORD_PREFIX "n3", w->records.entries[0].value, 8);
    fake_agent_kv(w->agent, CLOCK_RECORD_PREFIX "n2", NULL, 0);
    char *text = as_json(&huge);
    static const char *const more[] = {"--publish", "cluster:clock", NULL};
    fake_agent_answer(w->agent, RECORDS, 200, text);
    expect_done(run_with(w, "verify-clock", NULL, more));
    read_state();
    assert_string_equal(kept.offsets.server[2].boot, "b+0");
    const char *said = fake_agent_published(w->agent, "cluster:clock");
    assert_true(output_says(said, "; records come late, for another key is too large"));
    assert_true(output_says(said, "KV lictor/clock/ holds more than 1 MiB: lictor/clock/zz has 7"));
    free(text);
    free(value);
    kv_release(&huge);
}

static void a_record_that_cannot_be_used_is_a_line(void **state)
{
    struct world *w = *state;
    assert_int_equal(kv_add(&w->records, CLOCK_RECORD_PREFIX "n2", "oops", 4, 7), 0);
    expect_done(publish(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "\nlictor/clock/n2 cannot be used: is not JSON\n"));
}

static void settings_are_judged(void **state)
{
    struct world *w = *state;
    say_setting(w, "CLOCK_SKEW_WARNING", "1ms");
    expect_done(publish(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "; a CLOCK_ setting is rejected\n"));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"), "(its default"));
    say_setting(w, "CLOCK_SKEW", "1s");
    expect_done(publish(w));
    assert_non_null(
        strstr(fake_agent_published(w->agent, "cluster:clock"), "; a CLOCK_ setting is unknown\n"));
    say_setting(w, "CLUSTER_X", "1");
    expect_done(publish(w));
    assert_null(strstr(fake_agent_published(w->agent, "cluster:clock"), "setting"));
}

/* ---- verify-clock: judging ------------------------------------------------ */

static void by_hand_nobody_is_asked(void **state)
{
    struct world *w = *state;
    outcome_expect_failure(run_with(w, "verify-clock", NULL, NULL), 3,
                           "verify-clock: nothing was received of the other clocks yet");
    expect_done(publish(w));
    fake_agent_forget(w->agent);
    expect_begin(run_with(w, "verify-clock", NULL, NULL), 1,
                 "warning: waiting for the clocks of 3 servers\n");
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
    assert_null(fake_agent_sent(w->agent, "GET /v1/agent/self"));
    fake_agent_voters(w->agent, 1);
    expect_done(publish(w));
    expect_begin(run_with(w, "verify-clock", NULL, NULL), 0,
                 "passing: 1 clock: there is no other to compare it with\n");
}

/* Nothing is told, nothing is changed; what was heard is judged. */
static void without_a_leader_it_is_held_back(void **state)
{
    struct world *w = *state;
    fake_agent_voters(w->agent, 1);
    expect_done(publish(w));
    fake_agent_voters(w->agent, 3);
    fake_agent_forget(w->agent);
    fake_agent_leader(w->agent, false);
    outcome_expect(publish(w), 0, "", "");
    assert_null(fake_agent_sent(w->agent, OWN "?cas=0"));
    assert_null(fake_agent_sent(w->agent, "GET /v1/agent/self"));
    assert_non_null(
        strstr(fake_agent_published(w->agent, "cluster:clock"), "passing|passing: 1 clock"));
}

static void nothing_known_without_a_leader_is_no_verdict(void **state)
{
    struct world *w = *state;
    fake_agent_leader(w->agent, false);
    struct outcome o = publish(w);
    assert_non_null(strstr(o.err, "nothing was received of the other clocks yet"));
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
}

static void no_agent_is_no_verdict(void **state)
{
    (void)state;
    const char *const argv[] = {
        TEST_BIN "/verify-clock", "--config-dir", scratch_at("config"), "--state-dir",
        scratch_at("state"),      "--publish",    "cluster:clock",      NULL};
    const char *env[] = {"CONSUL_HTTP_ADDR=127.0.0.1:1", NULL};
    struct outcome o = run_tool(NULL, argv, env);
    assert_non_null(strstr(o.err, "verify-clock: cannot reach the Consul agent at "
                                  "http://127.0.0.1:1: "));
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

static void a_slow_agent_is_no_verdict(void **state)
{
    struct world *w = *state;
    fake_agent_delay(w->agent, "GET /v1/agent/self", 2000);
    struct outcome o = publish(w);
    assert_non_null(strstr(o.err, "does not answer in time"));
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

static const struct {
    const char *request;
    const char *body;
    unsigned status;
} unusable[] = {
    {"GET /v1/agent/self", "Permission denied", 403},
    {"GET /v1/agent/self", "<html>", 200},
    {"GET /v1/agent/self", "{\"Config\":{}}", 200},
    {"GET /v1/agent/self", "{\"Config\":{\"NodeName\":\"\"}}", 200},
    {"GET /v1/operator/raft/configuration", "Permission denied", 403},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":{}}", 200},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":[1]}", 200},
    {"GET /v1/kv/" PLACE, "Permission denied", 403},
    {"GET /v1/kv/" PLACE "CLUSTER_SERVERS", "Permission denied", 403},
    {RECORDS, "Permission denied", 403},
    {RECORDS, "{}", 200},
    {RECORDS, "oops", 200},
};

static void what_cannot_be_used_is_no_verdict(void **state)
{
    static const char *const more[] = {"--publish", "cluster:clock", NULL};
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(unusable); i++) {
        say_whole(w);
        fake_agent_answer(w->agent, "GET /v1/kv/" PLACE, 404, NULL);
        fake_agent_answer(w->agent, "GET /v1/kv/" PLACE "CLUSTER_SERVERS", 404, NULL);
        fake_agent_answer(w->agent, RECORDS, 404, NULL);
        fake_agent_answer(w->agent, unusable[i].request, unusable[i].status, unusable[i].body);
        print_message("  %s %s\n", unusable[i].request, unusable[i].body);
        struct outcome o = run_with(w, "verify-clock", NULL, more);
        assert_int_equal(o.code, 3);
        outcome_release(&o);
        assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                               "warning|warning: cannot look: "));
        fake_agent_forget(w->agent);
    }
}

static void more_servers_than_are_compared_are_said(void **state)
{
    struct world *w = *state;
    fake_agent_voters(w->agent, 52);
    expect_done(publish(w));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:clock"),
                           "warning|warning: 52 servers: the clocks of at "
                           "most 51 are compared\n"));
    fake_agent_forget(w->agent);
    put_record(w, "n2", 1000);
    outcome_expect(hear_records(w), 0, "", "");
    assert_string_equal(fake_agent_published(w->agent, "cluster:clock"), "");
}

static void the_result_must_be_written(void **state)
{
    struct world *w = *state;
    char script[400];
    expect_done(publish(w));
    (void)snprintf(script, sizeof script,
                   "exec " TEST_BIN "/verify-clock --state-dir %s >/dev/full", scratch_at("state"));
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(usage_is_answered_in_one_line),
        TEST(help_is_served),
        TEST(what_cannot_be_written_is_no_success),
        TEST(receiving_loads_neither_libcurl_nor_libuv),
        TEST(empty_is_nothing_to_do),
        TEST(a_payload_that_is_none_is_refused),
        TEST(before_the_first_heartbeat_nobody_is_known),
        TEST(a_state_directory_of_others_is_refused),
        TEST(heard_is_when_all_of_it_is_in_memory),
        TEST(so_it_is_when_the_heartbeat_hears),
        TEST(only_another_verdict_is_published),
        TEST(a_jump_is_logged_once),
        TEST(a_jump_of_the_own_clock_is_logged_once),
        TEST(a_damaged_state_is_dropped),
        TEST(the_own_record_is_written_with_check_and_set),
        TEST(somebody_who_was_faster_is_no_failure),
        TEST(without_the_right_to_tell_it_says_so),
        TEST(somebody_else_under_our_name_is_said),
        TEST(records_too_large_are_read_one_by_one),
        TEST(a_record_that_cannot_be_used_is_a_line),
        TEST(settings_are_judged),
        TEST(by_hand_nobody_is_asked),
        TEST(without_a_leader_it_is_held_back),
        TEST(nothing_known_without_a_leader_is_no_verdict),
        TEST(no_agent_is_no_verdict),
        TEST(a_slow_agent_is_no_verdict),
        TEST(what_cannot_be_used_is_no_verdict),
        TEST(more_servers_than_are_compared_are_said),
        TEST(the_result_must_be_written),
    };
    return cmocka_run_group_tests_name("clock programs", tests, NULL, NULL);
}
