/* SPDX-License-Identifier: MIT */
/* verify-quorum as a process, against an agent that says what it is told. */
#include "base/base64.h"
#include "base/boottime.h"
#include "fake_agent.h"
#include "harness.h"
#include "scratch.h"

#define PROGRAM TEST_BIN "/verify-quorum"
#define PLACE   "dc/home/env/service/cluster/tag/any/"
#define CHECK   "PUT /v1/agent/check/update/cluster:quorum"
#define CREATE  "PUT /v1/kv/lictor/mapping?cas=0"

#define WHOLE                                                                                      \
    "passing: 3 of 3 servers, 1 may fail\n"                                                        \
    "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"
#define RECORD                                                                                     \
    "{\"v\":1,\"servers\":[{\"server\":\"server_1\",\"node\":\"n1\",\"id\":\"id-1\"},"             \
    "{\"server\":\"server_2\",\"node\":\"n2\",\"id\":\"id-2\"},"                                   \
    "{\"server\":\"server_3\",\"node\":\"n3\",\"id\":\"id-3\"}]}"

/* ---- what the agent says ------------------------------------------------- */

struct self {
    const char *leader;
    const char *acl;
    const char *last_contact;
    int members;
};

static void say_self(struct fake_agent *agent, struct self self)
{
    char text[900];
    (void)snprintf(text, sizeof text,
                   "{\"Config\":{\"NodeName\":\"n1\"},\"Stats\":{\"consul\":{\"leader\":"
                   "\"%s\",\"acl\":\"%s\"},\"raft\":{\"last_contact\":\"%s\","
                   "\"latest_configuration\":\"[{Suffrage:Voter ID:id-1 Address:10.0.0.1:"
                   "8300} {Suffrage:Voter ID:id-2 Address:10.0.0.2:8300} {Suffrage:Voter "
                   "ID:id-3 Address:10.0.0.3:8300} {Suffrage:Nonvoter ID:id-4 Address:"
                   "10.0.0.4:8300}]\"},\"serf_lan\":{\"members\":\"%d\"}}}",
                   self.leader, self.acl, self.last_contact, self.members);
    fake_agent_answer(agent, "GET /v1/agent/self", 200, text);
}

static const char *expect = "3"; /* bootstrap_expect of all */

/* A digit per member: its serf status (1 alive, 3 left, 4 failed). */
static void say_members(struct fake_agent *agent, const char *status)
{
    struct buffer text = BUFFER_INIT(65536);
    for (int i = 1; status[i - 1] != '\0'; i++)
        assert_int_equal(
            buffer_printf(&text,
                          "%s{\"Name\":\"n%d\",\"Addr\":\"10.0.0.%d\",\"Port\":8301,"
                          "\"Tags\":{\"role\":\"consul\",\"id\":\"id-%d\",\"expect\":\"%s\"},"
                          "\"Status\":%c}",
                          i > 1 ? "," : "[", i, i, i, expect, status[i - 1]),
            0);
    assert_int_equal(buffer_append(&text, "]", 1), 0);
    fake_agent_answer(agent, "GET /v1/agent/members", 200, buffer_text(&text));
    buffer_release(&text);
}

/* NULL value: no setting at all. */
static void say_setting(struct fake_agent *agent, const char *key, const char *value)
{
    char full[200];
    char request[200];
    struct buffer text = BUFFER_INIT(65536);
    (void)snprintf(full, sizeof full, PLACE "%s", key);
    (void)snprintf(request, sizeof request, "GET /v1/kv/%s", PLACE);
    char *base64 = value ? base64_encode(value, strlen(value)) : NULL;
    if (base64)
        assert_int_equal(buffer_printf(&text,
                                       "[{\"LockIndex\":0,\"Key\":\"%s\",\"Flags\":0,"
                                       "\"Value\":\"%s\",\"CreateIndex\":1,"
                                       "\"ModifyIndex\":7}]",
                                       full, base64),
                         0);
    fake_agent_answer(agent, request, value ? 200 : 404, value ? buffer_text(&text) : NULL);
    fake_agent_kv(agent, full, value, 7);
    free(base64);
    buffer_release(&text);
}

/* Three servers, confirmed; n1 is asked and leads. */
static void say_whole(struct fake_agent *agent)
{
    say_self(agent, (struct self){"true", "disabled", "0", 3});
    say_members(agent, "111");
    fake_agent_voters(agent, 3);
    fake_agent_answer(agent, "GET /v1/status/leader", 200, "\"10.0.0.1:8300\"");
    fake_agent_answer(agent, "GET /v1/operator/autopilot/configuration", 200,
                      "{\"CleanupDeadServers\":true,\"MinQuorum\":3}");
    fake_agent_kv(agent, "lictor/mapping", RECORD, 42);
    fake_agent_answer(agent, CHECK, 200, "");
    fake_agent_answer(agent, "PUT /v1/kv/lictor/mapping", 200, "true");
}

static void say_leaderless(struct fake_agent *agent, const char *last_contact)
{
    say_self(agent, (struct self){"false", "disabled", last_contact, 3});
    fake_agent_answer(agent, "GET /v1/status/leader", 200, "\"\"");
    fake_agent_leader(agent, false);
}

/* ---- running ------------------------------------------------------------- */

#define HAND    NULL
#define PUBLISH "--publish", "cluster:quorum", NULL

static struct outcome run_with(struct fake_agent *agent, const char *limits,
                               const char *const *more)
{
    const char *argv[16] = {PROGRAM, NULL};
    const char *env[] = {fake_agent_env(agent), limits, NULL};
    size_t n = 1;
    argv[n++] = "--config-dir";
    argv[n++] = scratch_at("config");
    argv[n++] = "--state-dir";
    argv[n++] = scratch_at("state");
    for (size_t i = 0; more[i]; i++)
        argv[n++] = more[i];
    return run_tool(NULL, argv, env);
}

static struct outcome run_timed(struct fake_agent *agent, const char *limits, bool publish)
{
    const char *const publishing[] = {PUBLISH};
    const char *const by_hand[] = {HAND};
    return run_with(agent, limits, publish ? publishing : by_hand);
}

static struct outcome run(struct fake_agent *agent, bool publish)
{
    return run_timed(agent, NULL, publish);
}

static int setup(void **state)
{
    struct fake_agent *agent = fake_agent_start();
    say_whole(agent);
    *state = agent;
    return scratch_set_up_program(NULL);
}

static int teardown(void **state)
{
    fake_agent_stop(*state);
    return scratch_tear_down(NULL);
}

/* ---- usage --------------------------------------------------------------- */

static void help_and_version_are_served(void **state)
{
    const char *const help[] = {"--help", NULL};
    const char *const version[] = {"--version", NULL};
    struct outcome o = run_with(*state, NULL, help);
    assert_int_equal(strncmp(o.out, "usage: verify-quorum ", 21), 0);
    assert_string_equal(o.err, "");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    o = run_with(*state, NULL, version);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

static void bad_usage_is_no_verdict(void **state)
{
    const char *const bad[][4] = {
        {"--unknown"},
        {"--publish"},
        {"operand"},
        {"--publish", "cluster:quorum", "--confirm-mapping"},
    };
    for (size_t i = 0; i < COUNT(bad); i++)
        outcome_expect_failure(run_with(*state, NULL, bad[i]), 3, "verify-quorum: ");
}

/* ---- by hand ------------------------------------------------------------- */

static void the_verdict_is_printed(void **state)
{
    struct fake_agent *agent = *state;
    outcome_expect(run(agent, false), 0, WHOLE, "");
    say_members(agent, "114");
    outcome_expect(run(agent, false), 1,
                   "warning: 2 of 3 servers, none may fail: server_3 (node n3) is down\n"
                   "server_3 (node n3) is down: start it again; if it is gone for good: set up\n"
                   "  another in its place, then lictor confirm\n"
                   "voting: server_1 (node n1), server_2 (node n2)\n",
                   "");
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "");
}

static void a_majority_lost_is_critical(void **state)
{
    struct fake_agent *agent = *state;
    say_members(agent, "144");
    say_leaderless(agent, "1.5s");
    struct outcome o = run_timed(agent, "LICTOR_LIMITS=leader_proof=100ms", false);
    assert_int_equal(o.code, 2);
    assert_int_equal(strncmp(o.out,
                             "critical: 1 of 3 servers, none may fail, 1 more needed: "
                             "server_2 (node n2) is down, and 1 more\n",
                             93),
                     0);
    outcome_release(&o);
}

/* As after a restart of all: the agent holds every other read for 7 s. */
static void a_server_that_heard_no_leader_is_asked_only_what_it_knows(void **state)
{
    struct fake_agent *agent = *state;
    const char *const held[] = {"GET /v1/operator/raft/configuration",
                                "GET /v1/operator/autopilot/configuration",
                                "GET /v1/kv/lictor/mapping"};
    for (size_t i = 0; i < 3; i++) {
        fake_agent_answer(agent, held[i], 500, "No cluster leader");
        fake_agent_delay(agent, held[i], 7000);
    }
    say_members(agent, "14");
    say_leaderless(agent, "never");
    say_self(agent, (struct self){"false", "disabled", "never", 2});
    int64_t start = now_ms();
    outcome_expect(run_timed(agent, "LICTOR_LIMITS=leader_proof=100ms", false), 2,
                   "critical: 1 of 3 servers, none may fail, 1 more needed: node 10.0.0.3:8300 is "
                   "down, and 1 more\n"
                   "node 10.0.0.3:8300 is down: start it again\n"
                   "node n2 is down: start it again\n"
                   "voting: node n1\n"
                   "no leader since this server was started: its settings and the confirmed "
                   "servers\n"
                   "  cannot be read\n",
                   "");
    assert_in_range(now_ms() - start, 0, 3000);
}

static void stdout_that_cannot_be_written_is_no_verdict(void **state)
{
    struct fake_agent *agent = *state;
    char command[400];
    (void)snprintf(command, sizeof command,
                   "exec " PROGRAM " --config-dir %s --state-dir %s >/dev/full",
                   scratch_at("config"), scratch_at("state"));
    const char *const full[] = {"/bin/sh", "-c", command, NULL};
    const char *env[] = {fake_agent_env(agent), NULL};
    struct outcome o = run_tool(NULL, full, env);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    (void)snprintf(command, sizeof command,
                   "exec " PROGRAM " --config-dir %s --state-dir %s <&- >&- 2>&-",
                   scratch_at("config"), scratch_at("state"));
    o = run_tool(NULL, full, env);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

/* ---- could not look ------------------------------------------------------ */

static void no_agent_is_no_verdict(void **state)
{
    (void)state;
    const char *const argv[] = {PROGRAM, "--config-dir", scratch_at("config"), NULL};
    const char *env[] = {"CONSUL_HTTP_ADDR=127.0.0.1:1", NULL};
    outcome_expect_failure(run_tool(NULL, argv, env), 3,
                           "verify-quorum: cannot reach the Consul agent at http://127.0.0.1:1: ");
}

static void a_slow_agent_is_no_verdict(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_delay(agent, "GET /v1/agent/members", 2000);
    outcome_expect_failure(run_timed(agent, "LICTOR_LIMITS=http=200ms", false), 3,
                           "does not answer in time");
}

static const struct {
    const char *request;
    const char *body; /* NULL: over the ceiling */
    unsigned status;
} unusable[] = {
    {"GET /v1/agent/self", "Permission denied", 403},
    {"GET /v1/agent/self", "<html>", 200},
    {"GET /v1/agent/members", "[]", 200},
    {"GET /v1/agent/members", "null", 200},
    {"GET /v1/agent/members", "{}", 200},
    {"GET /v1/agent/members", "", 200},
    {"GET /v1/agent/members", "[{\"Name\":\"n1\"}]", 200},
    {"GET /v1/agent/members", NULL, 200},
    {"GET /v1/status/leader", "oops", 200},
    {"GET /v1/operator/raft/configuration", "Permission denied", 403},
    {"GET /v1/operator/raft/configuration", "null", 200},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":null}", 200},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":{}}", 200},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":[1]}", 200},
    {"GET /v1/operator/raft/configuration", "{\"Servers\":[{\"ID\":\"a\"}]}", 200},
    {"GET /v1/operator/raft/configuration", "No cluster leader", 500},
    {"GET /v1/operator/autopilot/configuration", "Permission denied", 403},
    {"GET /v1/kv/lictor/mapping", "Permission denied", 403},
    {"GET /v1/kv/lictor/mapping", "rpc error", 500},
    {"GET /v1/kv/lictor/mapping", "{}", 200},
    {"GET /v1/kv/" PLACE "CLUSTER_SERVERS", "Permission denied", 403},
};

static void what_cannot_be_used_is_no_verdict(void **state)
{
    struct fake_agent *agent = *state;
    char *huge = malloc((5U << 20) + 1);
    memset(huge, ' ', 5U << 20);
    huge[5U << 20] = '\0';
    for (size_t i = 0; i < COUNT(unusable); i++) {
        say_whole(agent);
        fake_agent_answer(agent, unusable[i].request, unusable[i].status,
                          unusable[i].body ? unusable[i].body : huge);
        struct outcome o = run(agent, false);
        if (o.code != 3)
            print_message("%s: %s\n", unusable[i].request, unusable[i].body);
        outcome_expect_failure(o, 3, "verify-quorum: ");
    }
    free(huge);
}

static void a_filtered_answer_says_which_right_is_missing(void **state)
{
    struct fake_agent *agent = *state;
    say_members(agent, "1");
    outcome_expect(run(agent, false), 3, "",
                   "verify-quorum: the agent shows 1 of 3 members (the token needs node_prefix "
                   "\"\" read)\n");
    fake_agent_answer(agent, "GET /v1/agent/members", 200, "[]");
    outcome_expect(run(agent, false), 3, "",
                   "verify-quorum: the agent shows 0 of 3 members (the token needs node_prefix "
                   "\"\" read)\n");
}

static void autopilot_is_only_advice(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, "GET /v1/operator/autopilot/configuration", 500,
                      "autopilot config not initialized yet");
    outcome_expect(run(agent, false), 0, WHOLE, "");
}

static void a_damaged_record_is_a_warning(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_kv(agent, "lictor/mapping", "{\"v\":1,\"servers\":[]}", 3);
    struct outcome o = run(agent, true);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    assert_non_null(strstr(fake_agent_published(agent, "cluster:quorum"),
                           "warning|warning: 3 of 3 servers, 1 may fail: the "
                           "record lictor/mapping is damaged"));
    assert_null(fake_agent_sent(agent, CREATE));
}

/* ---- publishing ---------------------------------------------------------- */

static void the_verdict_is_published(void **state)
{
    struct fake_agent *agent = *state;
    outcome_expect(run(agent, true), 0, "",
                   "verify-quorum: cluster:quorum: unknown -> passing: 3 of 3 servers, 1 may "
                   "fail\n");
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "passing|" WHOLE);
    fake_agent_forget(agent);
    outcome_expect(run(agent, true), 0, "", "");
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "passing|" WHOLE);
}

static void a_verdict_found_without_leader_is_held_back(void **state)
{
    struct fake_agent *agent = *state;
    outcome_expect(run(agent, true), 0, "",
                   "verify-quorum: cluster:quorum: unknown -> passing: 3 of 3 servers, 1 may "
                   "fail\n");
    fake_agent_forget(agent);
    say_members(agent, "144");
    say_leaderless(agent, "2s");
    outcome_expect(run_timed(agent, "LICTOR_LIMITS=leader_proof=100ms", true), 0, "",
                   "verify-quorum: cluster:quorum: passing -> critical: 1 of 3 servers, none may "
                   "fail, 1 more needed: server_2 (node n2) is down, and 1 more\n");
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "passing|" WHOLE);
}

#define ONE_DOWN "2 of 3 servers, none may fail"

/* Published with these limits; is the check's text now this status and this text? */
static void expect_published(struct fake_agent *agent, const char *limits, const char *status,
                             const char *text)
{
    fake_agent_forget(agent);
    struct outcome o = run_timed(agent, limits, true);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    const char *published = fake_agent_published(agent, "cluster:quorum");
    if (strncmp(published, status, strlen(status)) != 0 || !strstr(published, text))
        fail_msg("not %s with \"%s\": %s", status, text, published);
}

static void a_mere_text_waits_for_membership_to_be_at_rest(void **state)
{
    struct fake_agent *agent = *state;
    const char *moving = "LICTOR_LIMITS=rest=1h", *resting = "LICTOR_LIMITS=rest=0s";
    expect_published(agent, moving, "passing", WHOLE);
    fake_agent_kv(agent, "lictor/mapping", NULL, 0);
    expect_published(agent, moving, "passing", WHOLE);
    expect_published(agent, resting, "passing", "not confirmed yet");
    say_members(agent, "114");
    expect_published(agent, moving, "warning", ONE_DOWN);
}

/* What has changed is noted at each look, whether a text is to be published or not. */
static void rest_begins_when_a_server_comes_or_goes(void **state)
{
    struct fake_agent *agent = *state;
    char before[4096];
    const char *some = "LICTOR_LIMITS=rest=600ms";
    expect_published(agent, some, "passing", WHOLE);
    fake_agent_kv(agent, "lictor/mapping", NULL, 0);
    boottime_sleep(700);
    expect_published(agent, some, "passing", "not confirmed yet");
    say_members(agent, "114");
    expect_published(agent, some, "warning", ONE_DOWN);
    (void)snprintf(before, sizeof before, "%s", fake_agent_published(agent, "cluster:quorum"));
    fake_agent_kv(agent, "lictor/mapping", RECORD, 42);
    expect_published(agent, some, "warning", before);
    boottime_sleep(700);
    expect_published(agent, some, "warning", "is down");
    assert_string_not_equal(fake_agent_published(agent, "cluster:quorum"), before);
}

static void assert_remembered(const char *status)
{
    char *text = scratch_get("state/cluster:quorum.verdict");
    assert_non_null(strstr(text, status));
    free(text);
}

/* An agent takes a change even when nobody waits for its answer any more. */
static void what_is_sent_was_saved_before(void **state)
{
    struct fake_agent *agent = *state;
    expect_published(agent, NULL, "passing", WHOLE);
    say_members(agent, "114");
    fake_agent_delay(agent, CHECK, 1500);
    struct outcome o = run_timed(agent, "LICTOR_LIMITS=http=500ms", true);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    assert_remembered("\"status\":\"warning\"");
}

static void what_the_agent_rejects_was_not_shown(void **state)
{
    struct fake_agent *agent = *state;
    expect_published(agent, NULL, "passing", WHOLE);
    say_members(agent, "114");
    fake_agent_answer(agent, CHECK, 404, "Unknown check");
    struct outcome o = run(agent, true);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    assert_remembered("\"status\":\"passing\"");
}

static void that_it_could_not_look_is_published(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, "GET /v1/operator/raft/configuration", 403, "Permission denied");
    struct outcome o = run(agent, true);
    assert_int_equal(o.code, 3);
    assert_string_equal(o.out, "");
    outcome_release(&o);
    assert_string_equal(
        fake_agent_published(agent, "cluster:quorum"),
        "warning|warning: cannot look: cannot read operator/raft/configuration: 403 "
        "Permission denied (the token\n  needs operator read)\n");
}

static void publishing_needs_a_state_directory_of_ones_own(void **state)
{
    struct fake_agent *agent = *state;
    assert_int_equal(chmod(scratch_at("state"), 0755), 0);
    struct outcome o = run(agent, true);
    assert_int_equal(o.code, 3);
    assert_non_null(strstr(o.err, "is not ours alone"));
    outcome_release(&o);
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "");
    outcome_expect(run(agent, false), 0, WHOLE, "");
}

static void a_check_that_is_not_there_is_a_failure(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, CHECK, 404, "Unknown check");
    struct outcome o = run(agent, true);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

/* ---- what must hold for a while ------------------------------------------ */

/* Look with --publish until by hand the exit code is `code`, at most limit_ms. */
static void wait_code(struct fake_agent *agent, const char *limits, int code, int64_t limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    for (;;) {
        struct outcome o = run_timed(agent, limits, true);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        o = run_timed(agent, limits, false);
        int got = o.code;
        outcome_release(&o);
        if (got == code)
            return;
        assert_in_range(now_ms(), 0, end);
        sleep_ms(20);
    }
}

static void no_leader_becomes_critical(void **state)
{
    struct fake_agent *agent = *state;
    const char *limits = "LICTOR_LIMITS=leader_proof=50ms,no_leader=700ms";
    say_leaderless(agent, "2s");
    int64_t start = now_ms();
    wait_code(agent, limits, 1, 2000);
    wait_code(agent, limits, 2, 5000);
    assert_in_range(now_ms() - start, 600, 5000);
    struct outcome o = run_timed(agent, limits, false);
    assert_int_equal(strncmp(o.out, "critical: no leader: 3 of 3 servers, none may fail\n", 51), 0);
    outcome_release(&o);
}

static void a_split_becomes_critical(void **state)
{
    struct fake_agent *agent = *state;
    const char *limits = "LICTOR_LIMITS=split=500ms";
    expect = "1";
    say_self(agent, (struct self){"true", "disabled", "0", 4});
    say_members(agent, "1111");
    wait_code(agent, limits, 0, 2000);
    wait_code(agent, limits, 2, 5000);
    say_members(agent, "1114");
    wait_code(agent, limits, 0, 2000);
    expect = "3"; /* a server taken out of raft is no cluster of its own */
    say_members(agent, "1111");
    wait_code(agent, limits, 1, 5000);
}

static void grace_ends_and_maintenance_stops_its_clock(void **state)
{
    struct fake_agent *agent = *state;
    say_members(agent, "114");
    say_setting(agent, "CLUSTER_GRACE", "600ms");
    wait_code(agent, NULL, 1, 2000);
    wait_code(agent, NULL, 2, 5000);
    say_members(agent, "111");
    wait_code(agent, NULL, 0, 2000);
    say_members(agent, "114");
    say_setting(agent, "CLUSTER_MAINTENANCE", "n3 until 2099-01-01T00:00Z");
    int64_t end = now_ms() + 1500;
    while (now_ms() < end)
        wait_code(agent, NULL, 1, 1);
}

static void say_health(struct fake_agent *agent, bool third)
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "{\"Healthy\":%s,\"Servers\":[{\"ID\":\"id-1\",\"Healthy\":true},{\"ID\":"
                   "\"id-2\",\"Healthy\":true},{\"ID\":\"id-3\",\"Healthy\":%s}]}",
                   third ? "true" : "false", third ? "true" : "false");
    fake_agent_answer(agent, "GET /v1/operator/autopilot/health", third ? 200 : 429, text);
}

static void who_does_not_follow_for_a_while_is_no_spare(void **state)
{
    struct fake_agent *agent = *state;
    const char *limits = "LICTOR_LIMITS=follow=500ms";
    say_health(agent, false);
    wait_code(agent, limits, 0, 2000);
    wait_code(agent, limits, 1, 5000);
    struct outcome o = run_timed(agent, limits, false);
    assert_int_equal(strncmp(o.out,
                             "warning: 2 of 3 servers, none may fail: server_3 (node n3) is alive "
                             "and does not",
                             79),
                     0);
    outcome_release(&o);
    say_health(agent, true);
    wait_code(agent, limits, 0, 2000);
}

static void who_follows_may_be_unknown(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, "GET /v1/operator/autopilot/health", 403, "Permission denied");
    outcome_expect(run(agent, false), 0,
                   WHOLE "who follows the leader is not known: cannot read "
                         "operator/autopilot/health: 403\n"
                         "  Permission denied (the token needs operator read)\n",
                   "");
    fake_agent_answer(agent, "GET /v1/operator/autopilot/health", 500, "no leader");
    outcome_expect(run(agent, false), 0, WHOLE, "");
}

/* Bare memory by hand would make every wait begin anew: it is read, never written. */
static void a_look_by_hand_leaves_nothing_behind(void **state)
{
    struct fake_agent *agent = *state;
    say_members(agent, "114");
    struct outcome o = run(agent, false);
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    assert_int_equal(rmdir(scratch_at("state")), 0);
    assert_int_equal(mkdir(scratch_at("state"), 0700), 0);
}

/* ---- the mapping --------------------------------------------------------- */

static const char *created(struct fake_agent *agent, struct self self, const char *limits,
                           bool publish)
{
    fake_agent_forget(agent);
    fake_agent_kv(agent, "lictor/mapping", NULL, 0);
    say_self(agent, self);
    struct outcome o = run_timed(agent, limits, publish);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    return fake_agent_sent(agent, CREATE);
}

static void the_leader_confirms_once_where_no_acl_says_who_may(void **state)
{
    struct fake_agent *agent = *state;
    const char *now = "LICTOR_LIMITS=mapping_stable=0s,rest=0s";
    assert_null(created(agent, (struct self){"true", "disabled", "0", 3}, NULL, true));
    assert_null(created(agent, (struct self){"true", "disabled", "0", 3}, now, false));
    assert_null(created(agent, (struct self){"false", "disabled", "0", 3}, now, true));
    assert_null(created(agent, (struct self){"true", "enabled", "0", 3}, now, true));
    assert_null(created(agent, (struct self){"true", "", "0", 3}, now, true));
    assert_string_equal(created(agent, (struct self){"true", "disabled", "0", 3}, now, true),
                        RECORD);
    assert_string_equal(fake_agent_published(agent, "cluster:quorum"), "passing|" WHOLE);
}

static void a_lost_race_for_the_record_is_no_failure(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, "PUT /v1/kv/lictor/mapping", 200, "false");
    assert_non_null(created(agent, (struct self){"true", "disabled", "0", 3},
                            "LICTOR_LIMITS=mapping_stable=0s", true));
    assert_non_null(strstr(fake_agent_published(agent, "cluster:quorum"), "not confirmed yet"));
}

static struct outcome confirm(struct fake_agent *agent)
{
    const char *const argv[] = {"--confirm-mapping", NULL};
    return run_with(agent, NULL, argv);
}

static void an_admin_confirms_at_once(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_kv(agent, "lictor/mapping", NULL, 0);
    outcome_expect(confirm(agent), 0,
                   "old:\n  none\n"
                   "new:\n  server_1  n1  id-1\n  server_2  n2  id-2\n  server_3  n3  id-3\n",
                   "verify-quorum: mapping confirmed\n");
    assert_string_equal(fake_agent_sent(agent, CREATE), RECORD);
}

static void an_admin_replaces_with_check_and_set(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_kv(agent, "lictor/mapping",
                  "{\"v\":1,\"servers\":[{\"server\":\"server_1\",\"node\":\"n3\","
                  "\"id\":\"old\"}]}",
                  99);
    outcome_expect(confirm(agent), 0,
                   "old:\n  server_1  n3  old\n"
                   "new:\n  server_1  n3  id-3\n  server_2  n1  id-1\n  server_3  n2  id-2\n",
                   "verify-quorum: mapping confirmed\n");
    assert_non_null(fake_agent_sent(agent, "PUT /v1/kv/lictor/mapping?cas=99"));
    fake_agent_answer(agent, "PUT /v1/kv/lictor/mapping", 200, "false");
    struct outcome o = confirm(agent);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

static void what_is_not_whole_is_not_confirmed(void **state)
{
    struct fake_agent *agent = *state;
    say_members(agent, "114");
    outcome_expect(confirm(agent), 2, "",
                   "verify-quorum: not confirmed: server_3 (node n3) is in raft and does not "
                   "answer\n");
    say_members(agent, "111");
    say_setting(agent, "CLUSTER_SERVERS", "server_1=n1,server_2=n2,server_3=x");
    outcome_expect(confirm(agent), 2, "",
                   "verify-quorum: not confirmed: server_3 (node n3) is not in CLUSTER_SERVERS\n");
    assert_null(fake_agent_sent(agent, "PUT /v1/kv/lictor/mapping?cas=42"));
}

static void a_right_that_is_missing_is_named(void **state)
{
    struct fake_agent *agent = *state;
    fake_agent_answer(agent, "PUT /v1/kv/lictor/mapping", 403, "Permission denied");
    struct outcome o = confirm(agent);
    assert_string_equal(o.err, "verify-quorum: cannot write KV lictor/mapping: 403 "
                               "Permission denied (the token needs key "
                               "\"lictor/mapping\" write)\n");
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(help_and_version_are_served),
        TEST(bad_usage_is_no_verdict),
        TEST(the_verdict_is_printed),
        TEST(a_majority_lost_is_critical),
        TEST(a_server_that_heard_no_leader_is_asked_only_what_it_knows),
        TEST(stdout_that_cannot_be_written_is_no_verdict),
        TEST(no_agent_is_no_verdict),
        TEST(a_slow_agent_is_no_verdict),
        TEST(what_cannot_be_used_is_no_verdict),
        TEST(a_filtered_answer_says_which_right_is_missing),
        TEST(autopilot_is_only_advice),
        TEST(a_damaged_record_is_a_warning),
        TEST(the_verdict_is_published),
        TEST(a_verdict_found_without_leader_is_held_back),
        TEST(a_mere_text_waits_for_membership_to_be_at_rest),
        TEST(rest_begins_when_a_server_comes_or_goes),
        TEST(what_is_sent_was_saved_before),
        TEST(what_the_agent_rejects_was_not_shown),
        TEST(that_it_could_not_look_is_published),
        TEST(publishing_needs_a_state_directory_of_ones_own),
        TEST(a_check_that_is_not_there_is_a_failure),
        TEST(no_leader_becomes_critical),
        TEST(a_split_becomes_critical),
        TEST(grace_ends_and_maintenance_stops_its_clock),
        TEST(who_does_not_follow_for_a_while_is_no_spare),
        TEST(who_follows_may_be_unknown),
        TEST(a_look_by_hand_leaves_nothing_behind),
        TEST(the_leader_confirms_once_where_no_acl_says_who_may),
        TEST(a_lost_race_for_the_record_is_no_failure),
        TEST(an_admin_confirms_at_once),
        TEST(an_admin_replaces_with_check_and_set),
        TEST(what_is_not_whole_is_not_confirmed),
        TEST(a_right_that_is_missing_is_named),
    };
    return cmocka_run_group_tests_name("verify-quorum", tests, NULL, NULL);
}
