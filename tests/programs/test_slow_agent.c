/* SPDX-License-Identifier: MIT */
/* Every program that Consul runs ends in time and says why, whatever the agent does: an agent that
 * needs 9 s for an answer, one that never answers, none. All limits are a tenth of the installed
 * ones, and so is the agent's time. */
#include "fake_agent.h"
#include "harness.h"
#include "scratch.h"

#include <sys/stat.h>

#define LIMITS                                                                                     \
    "LICTOR_LIMITS=http=1s,leader_proof=200ms,look=600ms,verify=800ms,beat=1300ms,run=1500ms,"     \
    "ask=3s,lock=400ms,kill=200ms,drain=100ms,elasticsearch=200ms"
#define SLOW_MS  900
#define LATE_MS  400 /* on a machine that has other things to do */
#define LONG     " needs more than "
#define NO_TIME  " does not answer in time" /* the same, where there was no time left to ask */
#define NO_AGENT "cannot reach the Consul agent at http://127.0.0.1:1: "
#define WHERE    " (is it running? CONSUL_HTTP_ADDR says where)\n"

static const struct row {
    const char *words[4];
    int code;
    int64_t most_ms; /* by limits.h, a tenth */
} rows[] = {
    {{"verify-quorum", "--publish", "cluster:quorum"}, 3, 800},
    {{"verify-clock", "--publish", "cluster:clock"}, 3, 800},
    {{"verify-logging", "--publish", "cluster:logging"}, 3, 800},
    {{"verify-security", "--publish", "cluster:security"}, 3, 800},
    {{"verify-quorum"}, 3, 1500},
    {{"verify-clock"}, 3, 1500},
    {{"verify-logging"}, 3, 1500},
    {{"verify-security"}, 3, 1500},
    {{"heartbeat"}, 3, 1300},
    {{"rollout-logging"}, 1, 3500}, /* with LOG_SETTLE */
};

static struct outcome run(const struct row *row, const char *address, int64_t *ret_ms)
{
    char program[300];
    const char *argv[16] = {program, "--config-dir", scratch_at("config"), "--state-dir",
                            scratch_at("state")};
    const char *const env[] = {address, LIMITS, NULL};
    (void)snprintf(program, sizeof program, "%s/%s", TEST_BIN, row->words[0]);
    for (size_t i = 1; row->words[i]; i++)
        argv[4 + i] = row->words[i];
    int64_t begin = now_ms();
    struct outcome o = run_tool(NULL, argv, env);
    *ret_ms = now_ms() - begin;
    return o;
}

/* What a program says goes to stderr; of the heartbeat Consul shows what it prints. */
static void every_program(const char *address, const char *text, const char *also)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        int64_t took_ms = 0;
        struct outcome o = run(row, address, &took_ms);
        const char *said = strcmp(row->words[0], "heartbeat") == 0 ? o.out : o.err;
        print_message("  %s %s: %lld ms: %s", row->words[0], row->words[1] ? row->words[1] : "",
                      (long long)took_ms, said);
        assert_int_equal(o.code, row->code);
        assert_non_null(strstr(said, text));
        assert_true(strstr(said, also) || (strcmp(also, LONG) == 0 && strstr(said, NO_TIME)));
        assert_in_range(took_ms, 0, row->most_ms + LATE_MS);
        outcome_release(&o);
    }
}

static void a_slow_agent_is_named_in_time(void **state)
{
    struct fake_agent *agent = fake_agent_start();
    (void)state;
    fake_agent_slow(agent, SLOW_MS);
    fake_agent_answer(agent, "GET /v1/agent/self", 200, "{\"Config\":{\"NodeName\":\"n1\"}}");
    every_program(fake_agent_env(agent), "the Consul agent at http://127.0.0.1:", LONG);
    fake_agent_stop(agent);
}

/* Slow, yet there is a leader: that can be published. */
static void a_heartbeat_says_that_the_agent_is_slow(void **state)
{
    static const struct row beat = {{"heartbeat"}, 1, 1300};
    int64_t took_ms = 0;
    struct fake_agent *agent = fake_agent_start();
    (void)state;
    fake_agent_slow(agent, SLOW_MS / 3);
    fake_agent_answer(agent, "GET /v1/status/leader", 200, "\"127.0.0.1:8300\"");
    outcome_expect(run(&beat, fake_agent_env(agent), &took_ms), 1,
                   "warning: cannot look: the Consul agent needs more than 0.2 s for an answer\n",
                   "");
    assert_in_range(took_ms, 0, beat.most_ms + LATE_MS);
    fake_agent_stop(agent);
}

static void without_an_agent_all_say_the_same(void **state)
{
    (void)state;
    every_program("CONSUL_HTTP_ADDR=127.0.0.1:1", NO_AGENT, WHERE);
}

/* Consul holds the pipe open and writes nothing. */
static void a_watch_that_sends_nothing_holds_nobody(void **state)
{
    static const char *const handlers[] = {"reconfigure-logging", "hear-clock"};
    (void)state;
    for (size_t i = 0; i < COUNT(handlers); i++) {
        char command[900], said[100];
        const char *argv[] = {"/bin/sh", "-c", command, NULL};
        const char *const env[] = {LIMITS, NULL};
        (void)snprintf(command, sizeof command,
                       "exec 3<>'%s'; '%s/%s' --config-dir '%s' --state-dir '%s' %s <&3",
                       scratch_at("pipe"), TEST_BIN, handlers[i], scratch_at("config"),
                       scratch_at("state"), i == 0 ? "settings" : "");
        (void)snprintf(said, sizeof said, "%s: no end within 1.5 s\n", handlers[i]);
        (void)unlink(scratch_at("pipe"));
        assert_int_equal(mkfifo(scratch_at("pipe"), 0600), 0);
        int64_t begin = now_ms();
        outcome_expect(run_tool(NULL, argv, env), 1, "", said);
        assert_in_range(now_ms() - begin, 1500, 1500 + LATE_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_agent_is_named_in_time, scratch_set_up_program,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_heartbeat_says_that_the_agent_is_slow,
                                        scratch_set_up_program, scratch_tear_down),
        cmocka_unit_test_setup_teardown(without_an_agent_all_say_the_same, scratch_set_up_program,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_watch_that_sends_nothing_holds_nobody,
                                        scratch_set_up_program, scratch_tear_down),
    };
    return cmocka_run_group_tests_name("slow agent", tests, NULL, NULL);
}
