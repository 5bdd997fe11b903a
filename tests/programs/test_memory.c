/* SPDX-License-Identifier: MIT */
/* No answer costs a program more than 64 MB, whatever is in it and whoever sends it; and it says
 * what was too large, and whose it is. */
#include "bad_agent.h"
#include "fake_agent.h"
#include "harness.h"
#include "measure.h"
#include "scratch.h"

#if defined(__SANITIZE_ADDRESS__)
#define MOST_KB 400000 /* a sanitizer keeps what was freed */
#else
#define MOST_KB 64000
#endif
#define MIB ((size_t)1 << 20)

static long run(const char *program, const char *publish, char **ret_said)
{
    char path[300];
    int code = 0;
    const char *argv[] = {path,
                          "--config-dir",
                          scratch_at("config"),
                          "--state-dir",
                          scratch_at("state"),
                          publish ? "--publish" : NULL,
                          publish,
                          NULL};
    (void)snprintf(path, sizeof path, "%s/%s", TEST_BIN, program);
    long peak = measure_peak_kb(argv, NULL, scratch_at("out"), scratch_at("said"), &code);
    *ret_said = scratch_get("said");
    print_message("  %s: %ld kB, exit %d: %s", program, peak, code, **ret_said ? *ret_said : "\n");
    return peak;
}

/* ---- one answer ---------------------------------------------------------- */

/* A list that begins anew inside itself after 32,767 values. */
static char many[65537];

static int make_many(void **state)
{
    (void)state;
    memset(many, ' ', sizeof many - 1);
    for (size_t i = 0; i < 32767; i++)
        many[1 + 2 * i] = '0', many[2 + 2 * i] = ',';
    many[0] = '[';
    return 0;
}

static const struct hostile {
    const char *repeat;
    size_t bytes;
    const char *said; /* by who asks for agent/self first */
} hostiles[] = {
    {many, 2 * MIB - 1, "the Consul agent's answer to agent/self holds more than 50000 values"},
    {"[", 2 * MIB - 1, "the Consul agent's answer to agent/self is nested deeper than 50"},
    {"{\"\":\"\"},", 2 * MIB - 1,
     "the Consul agent's answer to agent/self holds more than 50000 values"},
    {"x", 2 * MIB - 1, "is not JSON"},
    {many, 64 * MIB, "the Consul agent's answer to agent/self is too large: more than 2 MiB"},
};

static void no_answer_of_the_agent_costs_too_much(void **state)
{
    static const char *const programs[] = {"verify-quorum", "verify-logging"};
    static const char *const others[] = {"verify-clock", "rollout-logging"};
    (void)state;
    for (size_t i = 0; i < COUNT(hostiles); i++) {
        const struct hostile *h = &hostiles[i];
        const struct bad_agent_rule rules[] = {{"", 200, h->repeat, h->bytes}, {0}};
        struct bad_agent *agent = bad_agent_start(NULL, rules);
        char *said = NULL;
        for (size_t p = 0; p < COUNT(programs); p++) {
            assert_in_range(run(programs[p], NULL, &said), 1, MOST_KB);
            if (!strstr(said, h->said))
                fail_msg("not \"%s\": %s", h->said, said);
            free(said);
        }
        for (size_t p = 0; p < COUNT(others); p++) {
            assert_in_range(run(others[p], NULL, &said), 1, MOST_KB);
            free(said);
        }
        bad_agent_stop(agent);
    }
}

/* ---- many answers, each of them allowed ---------------------------------- */

/* `begin`, then as much as is allowed, then `end`. */
static void answer_padded(struct fake_agent *agent, const char *request, const char *begin,
                          const char *end)
{
    struct buffer text = BUFFER_INIT(2 * MIB);
    int rc = buffer_append(&text, begin, strlen(begin));
    for (int i = 0; rc == 0 && i < 49000; i++)
        rc = buffer_printf(&text, "%s\"012345678901234567890123\"", i > 0 ? "," : "");
    assert_int_equal(rc, 0);
    assert_int_equal(buffer_append(&text, end, strlen(end)), 0);
    fake_agent_answer(agent, request, 200, buffer_text(&text));
    buffer_release(&text);
}

static void all_that_is_allowed_at_once_costs_not_too_much(void **state)
{
    static const char *const programs[][2] = {{"verify-quorum", "cluster:quorum"},
                                              {"verify-logging", "cluster:logging"},
                                              {"verify-clock", "cluster:clock"},
                                              {"verify-security", "cluster:security"},
                                              {"heartbeat", NULL},
                                              {"rollout-logging", NULL}};
    struct fake_agent *agent = fake_agent_start();
    (void)state;
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", strchr(fake_agent_env(agent), '=') + 1, 1), 0);
    fake_agent_voters(agent, 3);
    fake_agent_answer(agent, "GET /v1/status/leader", 200, "\"10.0.0.1:8300\"");
    answer_padded(agent, "GET /v1/agent/self", "{\"Config\":{\"NodeName\":\"n1\"},\"x\":[", "]}");
    answer_padded(agent, "GET /v1/agent/members",
                  "[{\"Name\":\"n1\",\"Addr\":\"10.0.0.1\",\"Tags\":{\"role\":\"consul\","
                  "\"id\":\"id-1\"},\"Status\":1,\"x\":[",
                  "]}]");
    answer_padded(agent, "GET /v1/operator/raft/configuration",
                  "{\"Servers\":[{\"ID\":\"id-1\",\"Node\":\"n1\",\"Address\":\"10.0.0.1:8300\","
                  "\"Voter\":true}],\"x\":[",
                  "]}");
    answer_padded(agent, "GET /v1/operator/autopilot/configuration", "{\"x\":[", "]}");
    answer_padded(agent, "GET /v1/operator/autopilot/health", "{\"x\":[", "]}");
    answer_padded(agent, "GET /v1/catalog/service/cluster", "[{\"x\":[", "]}]");
    answer_padded(agent, "GET /v1/health/checks/cluster", "[{\"x\":[", "]}]");
    answer_padded(agent, "GET /v1/agent/checks", "{\"a\":{\"x\":[", "]}}");
    answer_padded(agent, "GET /v1/kv/lictor/clock/?keys", "[", "]");
    answer_padded(agent, "GET /v1/kv/lictor/logging/", "[", "]");
    for (size_t i = 0; i < COUNT(programs); i++) {
        char *said = NULL;
        assert_in_range(run(programs[i][0], programs[i][1], &said), 1, MOST_KB);
        free(said);
    }
    fake_agent_stop(agent);
}

/* ---- what Consul hands to a handler -------------------------------------- */

static void no_payload_costs_too_much(void **state)
{
    static const char *const handlers[][2] = {{"reconfigure-logging", "settings"},
                                              {"hear-clock", NULL}};
    static char text[MIB - 1];
    (void)state;
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1", 1), 0);
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = many[i % (sizeof many - 1)];
    scratch_put("payload", text, 0600);
    for (size_t i = 0; i < COUNT(handlers); i++) {
        char path[300];
        int code = 0;
        const char *argv[] = {path,          "--config-dir",      scratch_at("config"),
                              "--state-dir", scratch_at("state"), handlers[i][1],
                              NULL};
        (void)snprintf(path, sizeof path, "%s/%s", TEST_BIN, handlers[i][0]);
        long peak = measure_peak_kb(argv, scratch_at("payload"), scratch_at("out"),
                                    scratch_at("said"), &code);
        char *said = scratch_get("said");
        print_message("  %s: %ld kB: %s", handlers[i][0], peak, said);
        assert_non_null(strstr(said, "watch payload: holds more than 50000 values"));
        assert_in_range(peak, 1, MOST_KB);
        free(said);
    }
}

/* ---- Elasticsearch ------------------------------------------------------- */

static void no_answer_to_records_costs_too_much(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostiles); i++) {
        const struct hostile *h = &hostiles[i];
        const struct bad_agent_rule rules[] = {{"", 200, h->repeat, h->bytes * 4}, {0}};
        struct bad_agent *agent = bad_agent_start(NULL, rules);
        char text[600];
        int code = 0;
        /* A child sends, for as long as more may come. */
        const char *argv[] = {"/bin/sh", "-c", "(cat; sleep 2) | " TEST_BIN "/index-records", NULL};
        (void)snprintf(text, sizeof text,
                       "BEGIN\tqueue=%s\tbytes=1000000\tindex=app\turl=http://%s\n"
                       "+a-1\t{\"message\":\"x\"}\nCOMMIT\n",
                       scratch_at("queue"), getenv("CONSUL_HTTP_ADDR"));
        scratch_put("records", text, 0600);
        long peak = measure_peak_kb(argv, scratch_at("records"), scratch_at("out"),
                                    scratch_at("said"), &code);
        char *said = scratch_get("said");
        print_message("  index-records: %ld kB, exit %d: %s\n", peak, code, said);
        assert_non_null(strstr(bad_agent_heard(agent), "/_bulk"));
        assert_in_range(peak, 1, MOST_KB);
        free(said);
        bad_agent_stop(agent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_answer_of_the_agent_costs_too_much,
                                        scratch_set_up_program, scratch_tear_down),
        cmocka_unit_test_setup_teardown(all_that_is_allowed_at_once_costs_not_too_much,
                                        scratch_set_up_program, scratch_tear_down),
        cmocka_unit_test_setup_teardown(no_payload_costs_too_much, scratch_set_up_program,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(no_answer_to_records_costs_too_much, scratch_set_up_program,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests_name("memory", tests, make_many, NULL);
}
