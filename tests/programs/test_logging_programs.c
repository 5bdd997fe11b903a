/* SPDX-License-Identifier: MIT */
/* reconfigure-logging, rollout-logging, verify-logging and heartbeat as processes: what
 * they do with bad usage, bad input, without an agent and with one that hangs. */
#include "bad_agent.h"
#include "base/file.h"
#include "consul/kv.h"
#include "harness.h"
#include "rollout/local_state.h"
#include "scratch.h"

#define PLACE "dc/home/env/service/cluster/tag/any/"

static struct outcome run(const char *program, const char *input, const char *const *words)
{
    char path[600];
    const char *argv[16] = {path, "--state-dir", scratch_dir, "--config-dir",
                            "/tmp/no-such-directory"};
    static const char *const env[] = {
        "LICTOR_LIMITS=http=300ms,leader_proof=200ms,verify=2s,lock=100ms,rest=0s", NULL};
    (void)snprintf(path, sizeof path, "%s/%s", TEST_BIN, program);
    for (int i = 0; words && words[i]; i++)
        argv[5 + i] = words[i];
    return run_tool(input, argv, env);
}

/* ---- usage --------------------------------------------------------------- */

static const struct usage_row {
    const char *program;
    const char *words[3];
    int code;
    const char *out, *err;
} usage_rows[] = {
    {"reconfigure-logging",
     {0},
     2,
     "",
     "reconfigure-logging: say which watch this is: settings, results or service, see "
     "reconfigure-logging --help\n"},
    {"reconfigure-logging",
     {"nonsense"},
     2,
     "",
     "reconfigure-logging: say which watch this is: settings, results or service, see "
     "reconfigure-logging --help\n"},
    {"reconfigure-logging",
     {"settings", "results"},
     2,
     "",
     "reconfigure-logging: unexpected operand 'results', see reconfigure-logging --help\n"},
    {"reconfigure-logging",
     {"--no"},
     2,
     "",
     "reconfigure-logging: unknown option --no, see reconfigure-logging --help\n"},
    {"rollout-logging",
     {"x"},
     2,
     "",
     "rollout-logging: unexpected operand 'x', see rollout-logging --help\n"},
    {"rollout-logging",
     {"--retyr"},
     2,
     "",
     "rollout-logging: unknown option --retyr, see rollout-logging --help\n"},
    {"verify-logging",
     {"--publish"},
     3,
     "",
     "verify-logging: --publish needs a value, see verify-logging --help\n"},
    {"verify-logging",
     {"x"},
     3,
     "",
     "verify-logging: unexpected operand 'x', see verify-logging --help\n"},
    {"heartbeat", {"x"}, 3, "", "heartbeat: unexpected operand 'x', see heartbeat --help\n"},
    {"reconfigure-logging", {"--version"}, 0, "reconfigure-logging test\n", ""},
    {"rollout-logging", {"--version"}, 0, "rollout-logging test\n", ""},
    {"verify-logging", {"--version"}, 0, "verify-logging test\n", ""},
    {"heartbeat", {"--version"}, 0, "heartbeat test\n", ""},
};

static void usage_is_answered_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(usage_rows); i++) {
        const struct usage_row *row = &usage_rows[i];
        print_message("  %s %s\n", row->program, row->words[0] ? row->words[0] : "");
        outcome_expect(run(row->program, NULL, row->words), row->code, row->out, row->err);
    }
}

static void help_says_what_exit_codes_mean(void **state)
{
    (void)state;
    static const char *const programs[] = {"reconfigure-logging", "rollout-logging",
                                           "verify-logging", "heartbeat"};
    static const char *const words[] = {"--help", NULL};
    for (size_t i = 0; i < COUNT(programs); i++) {
        struct outcome o = run(programs[i], NULL, words);
        assert_int_equal(o.code, 0);
        assert_non_null(strstr(o.out, "\nexit codes: 0 "));
        assert_non_null(strstr(o.out, "\nexample"));
        assert_string_equal(o.err, "");
        outcome_release(&o);
    }
}

/* ---- the watch handler --------------------------------------------------- */

/* What was done before. */
enum past { NOTHING, INTERRUPTED, DONE, REFUSED, FAILED };

static void write_state(enum past past, const char *level)
{
    struct error err = {0};
    struct kv_list list = {0};
    struct local_state local = {.known = past != NOTHING, .running = past == INTERRUPTED};
    if (past == DONE)
        local.record.state = SERVER_RECORD_DONE;
    else if (past == FAILED)
        local.record.state = SERVER_RECORD_FAILED;
    if (level)
        assert_int_equal(kv_add(&list, PLACE "LOG_LEVEL", level, strlen(level), 1), 0);
    assert_int_equal(kv_digest(&list, PLACE "LOG_", local.settings, &err), 0);
    assert_int_equal(kv_digest(&list, "lictor/logging/", local.results, &err), 0);
    assert_int_equal(local_state_write(scratch_dir, &local, &err), 0);
    kv_release(&list);
}

#define LEVEL(base64)                                                                              \
    "[{\"Key\":\"" PLACE "LOG_LEVEL\",\"ModifyIndex\":7,\"Value\":\"" base64 "\"}]\n"

/* begins: what stderr begins with; "" when the handler is content with what was done.
 * Whenever it is not, it becomes rollout-logging, which finds no agent here. */
static const struct payload_row {
    const char *name, *watch, *payload;
    enum past done;
    const char *level;
    int code;
    const char *begins;
} payload_rows[] = {
    {"dealt with", "settings", LEVEL("d2Fybg=="), DONE, "warn", 0, ""},
    {"an unknown key beside it", "settings",
     "[{\"Key\":\"" PLACE "LOG_LEVEL\",\"ModifyIndex\":7,\"Value\":\"d2Fybg==\"},"
     "{\"Key\":\"" PLACE "LOG_zz\",\"ModifyIndex\":8,\"Value\":\"YQBi\"}]\n",
     DONE, "warn", 0, ""},
    {"refused before", "settings", LEVEL("d2Fybg=="), REFUSED, "warn", 0, ""},
    {"failed before", "settings", LEVEL("d2Fybg=="), FAILED, "warn", 0, ""},
    {"interrupted", "settings", LEVEL("d2Fybg=="), INTERRUPTED, "warn", 1,
     "rollout-logging: cannot reach the Consul agent"},
    {"another value", "settings", LEVEL("aW5mbw=="), DONE, "warn", 1,
     "rollout-logging: cannot reach the Consul agent"},
    {"never seen", "settings", LEVEL("aW5mbw=="), NOTHING, NULL, 1,
     "rollout-logging: cannot reach the Consul agent"},
    {"gone", "settings", "null\n", DONE, "warn", 1,
     "rollout-logging: cannot reach the Consul agent"},
    {"gone, and looked after", "settings", "null\n", REFUSED, NULL, 0, ""},
    {"an empty list is the same", "settings", "[]\n", REFUSED, NULL, 0, ""},
    {"not JSON", "settings", "oops", DONE, "warn", 1,
     "reconfigure-logging: watch payload: is not JSON; asking Consul instead\n"
     "rollout-logging: cannot reach the Consul agent"},
    {"nothing at all", "settings", "", DONE, "warn", 1,
     "reconfigure-logging: watch payload: is not JSON; asking Consul instead\n"},
    {"another shape", "settings", "{\"a\":1}", DONE, "warn", 1,
     "reconfigure-logging: not a KV entry as Consul writes it; asking Consul "
     "instead\n"},
    {"results dealt with", "results", "null\n", DONE, NULL, 0, ""},
    {"a result that is none", "results",
     "[{\"Key\":\"lictor/logging/zz\",\"ModifyIndex\":7,\"Value\":\"e30=\"}]", DONE, NULL, 0, ""},
    {"new results", "results",
     "[{\"Key\":\"lictor/logging/n1\",\"ModifyIndex\":7,\"Value\":"
     "\"eyJyZXZpc2lvbiI6IiIsInN0YXRlIjoia2VwdCJ9\"}]",
     DONE, NULL, 1, "rollout-logging: cannot reach the Consul agent"},
};

static void the_handler_starts_a_rollout_only_for_news(void **state)
{
    (void)state;
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1", 1), 0);
    for (size_t i = 0; i < COUNT(payload_rows); i++) {
        const struct payload_row *row = &payload_rows[i];
        const char *const words[] = {row->watch, NULL};
        write_state(row->done, row->level);
        print_message("  %s\n", row->name);
        struct outcome o = run("reconfigure-logging", row->payload, words);
        if (row->begins[0])
            assert_memory_equal(o.err, row->begins, strlen(row->begins));
        else
            assert_string_equal(o.err, "");
        assert_string_equal(o.out, "");
        assert_int_equal(o.code, row->code);
        outcome_release(&o);
    }
}

#define INSTANCES(address)                                                                         \
    "[{\"Node\":{\"Node\":\"n1\",\"Address\":\"" address                                           \
    "\"},\"Service\":{\"Port\":9200},\"Checks\":[]}]\n"

static const struct {
    const char *name, *last, *payload;
    bool starts;
} service_rows[] = {
    {"no service is followed", NULL, INSTANCES("10.0.0.1"), false},
    {"dealt with", "es\nhttp://10.0.0.1:9200\n", INSTANCES("10.0.0.1"), false},
    {"another one", "es\nhttp://10.0.0.1:9200\n", INSTANCES("10.0.0.2"), true},
    {"the first one", "es\n\n", INSTANCES("10.0.0.2"), true},
    {"none", "es\nhttp://10.0.0.1:9200\n", "[]\n", true},
    {"a forbidden one", "es\nhttp://10.0.0.1:9200\n", INSTANCES("127.0.0.1"), true},
    {"null", "es\nhttp://10.0.0.1:9200\n", "null\n", true},
    {"not JSON", "es\nhttp://10.0.0.1:9200\n", "oops", true},
};

static void the_handler_starts_a_rollout_only_for_other_instances(void **state)
{
    (void)state;
    static const char *const words[] = {"service", NULL};
    const char *path = scratch_at("discovered");
    struct error err = {0};
    write_state(DONE, "warn");
    for (size_t i = 0; i < COUNT(service_rows); i++) {
        const char *last = service_rows[i].last;
        print_message("  %s\n", service_rows[i].name);
        if (last)
            assert_int_equal(file_replace(path, last, strlen(last), 0600, false, &err), 0);
        struct outcome o = run("reconfigure-logging", service_rows[i].payload, words);
        assert_int_equal(strstr(o.err, "rollout-logging: cannot reach") != NULL,
                         service_rows[i].starts);
        assert_int_equal(o.code, service_rows[i].starts);
        outcome_release(&o);
    }
    assert_int_equal(unlink(path), 0);
}

static void an_oversized_payload_is_read_from_consul(void **state)
{
    (void)state;
    static const char *const words[] = {"settings", NULL};
    char *huge = malloc((2U << 20) + 1);
    assert_non_null(huge);
    memset(huge, ' ', 2U << 20);
    huge[2U << 20] = '\0';
    write_state(DONE, "warn");
    struct outcome o = run("reconfigure-logging", huge, words);
    assert_non_null(strstr(o.err, "reconfigure-logging: watch payload: is larger than 1 MiB; "
                                  "asking Consul instead\nrollout-logging: cannot reach"));
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    free(huge);
}

static void the_handler_loads_neither_libcurl_nor_libuv(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        const char *absent[3];
    } links[] = {{"reconfigure-logging", {"libcurl", "libuv", "libssl"}},
                 {"apply-logging", {"libcurl", "libssl", "libssl"}}};
    for (size_t i = 0; i < COUNT(links); i++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/%s", TEST_BIN, links[i].program);
        const char *const argv[] = {"/usr/bin/ldd", path, NULL};
        struct outcome o = run_tool(NULL, argv, NULL);
        assert_non_null(strstr(o.out, "libcjson"));
        for (size_t j = 0; j < 3; j++)
            assert_null(strstr(o.out, links[i].absent[j]));
        outcome_release(&o);
    }
}

/* ---- without an agent, and with one that hangs --------------------------- */

static void without_an_agent_every_program_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        const char *words[3];
        int code;
    } rows[] = {{"rollout-logging", {0}, 1},
                {"verify-logging", {0}, 3},
                {"verify-logging", {"--publish", "cluster:logging"}, 3}};
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1", 1), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o = run(rows[i].program, NULL, rows[i].words);
        assert_non_null(strstr(o.err, ": cannot reach the Consul agent at "
                                      "http://127.0.0.1:1: "));
        assert_string_equal(o.out, "");
        assert_int_equal(o.code, rows[i].code);
        outcome_release(&o);
    }
}

static void an_agent_that_hangs_is_given_up(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {{"", -1, NULL, 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    int64_t begin = now_ms();
    struct outcome o = run("verify-logging", NULL, NULL);
    assert_in_range(now_ms() - begin, 300, 2500);
    assert_non_null(strstr(o.err, " does not answer in time\n"));
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    bad_agent_stop(agent);
}

/* Its own line is published by the agent: without a leader it must not change. */
static void the_heartbeat_repeats_its_line_without_a_leader(void **state)
{
    (void)state;
    static const char last[] = "0passing: all 2 verifications run and report\n";
    static const struct bad_agent_rule rules[] = {{"", 500, "No cluster leader", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    scratch_put("heartbeat.last", last, 0644);
    outcome_expect(run("heartbeat", NULL, NULL), 0, last + 1, "");
    (void)unlink(scratch_at("heartbeat.last"));
    struct outcome o = run("heartbeat", NULL, NULL); /* nothing to repeat: the truth */
    assert_non_null(strstr(o.out, "warning: not everything could run and report: verify-quorum: "));
    assert_non_null(strstr(o.out, "verify-logging: "));
    const char *once = strstr(o.out, "verify-quorum: ");
    assert_null(strstr(once + 1, "verify-quorum: ")); /* each reason stands there once */
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    bad_agent_stop(agent);
}

static void a_state_directory_of_others_is_refused_by_name(void **state)
{
    (void)state;
    char text[400];
    assert_int_equal(chmod(scratch_dir, 0755), 0);
    (void)snprintf(text, sizeof text,
                   "%s is not ours alone: run this as the user of the Consul agent "
                   "(lictor enable creates the directory)\n",
                   scratch_dir);
    struct outcome o = run("rollout-logging", NULL, NULL);
    assert_string_equal(o.err + strlen("rollout-logging: "), text);
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    o = run("heartbeat", NULL, NULL);
    assert_string_equal(o.out + strlen("cannot look: "), text);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    assert_int_equal(chmod(scratch_dir, 0700), 0);
}

static void a_result_that_cannot_be_written_is_no_success(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int code;
    } rows[] = {{TEST_BIN "/heartbeat --help >/dev/full 2>/dev/null", 3},
                {TEST_BIN "/verify-logging --help >/dev/full 2>/dev/null", 3},
                {TEST_BIN "/rollout-logging --help >/dev/full 2>/dev/null", 1},
                {TEST_BIN "/reconfigure-logging <&- >&- 2>&-", 2},
                {TEST_BIN "/verify-logging x <&- >&- 2>&-", 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const argv[] = {"/bin/sh", "-c", rows[i].script, NULL};
        struct outcome o = run_tool(NULL, argv, NULL);
        print_message("  %s\n", rows[i].script);
        assert_int_equal(o.code, rows[i].code);
        outcome_release(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_is_answered_in_one_line),
        cmocka_unit_test(help_says_what_exit_codes_mean),
        cmocka_unit_test(the_handler_starts_a_rollout_only_for_news),
        cmocka_unit_test(the_handler_starts_a_rollout_only_for_other_instances),
        cmocka_unit_test(an_oversized_payload_is_read_from_consul),
        cmocka_unit_test(the_handler_loads_neither_libcurl_nor_libuv),
        cmocka_unit_test(without_an_agent_every_program_says_so),
        cmocka_unit_test(an_agent_that_hangs_is_given_up),
        cmocka_unit_test(the_heartbeat_repeats_its_line_without_a_leader),
        cmocka_unit_test(a_state_directory_of_others_is_refused_by_name),
        cmocka_unit_test(a_result_that_cannot_be_written_is_no_success),
    };
    return cmocka_run_group_tests_name("logging programs", tests, scratch_set_up,
                                       scratch_tear_down);
}
