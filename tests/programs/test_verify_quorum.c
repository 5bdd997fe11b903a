/* verify-quorum as a process, against an agent that says what it is told. */
#include "base/base64.h"
#include "fake_agent.h"
#include "harness.h"

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

struct world {
    struct fake_agent *agent;
    char dir[64]; /* holds config/ and state/ */
    char state[80];
    char config[80];
};

/* ---- what the agent says ------------------------------------------------- */

struct self {
    const char *leader;
    const char *acl;
    const char *last_contact;
    int members;
};

static void say_self(struct world *w, struct self self)
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
    fake_agent_answer(w->agent, "GET /v1/agent/self", 200, text);
}

/* A digit per member: its serf status (1 alive, 3 left, 4 failed). */
static void say_members(struct world *w, const char *status)
{
    struct buffer text = BUFFER_INIT(65536);
    for (int i = 1; status[i - 1] != '\0'; i++)
        assert_int_equal(
            buffer_printf(&text,
                          "%s{\"Name\":\"n%d\",\"Addr\":\"10.0.0.%d\",\"Port\":8301,"
                          "\"Tags\":{\"role\":\"consul\",\"id\":\"id-%d\",\"expect\":\"3\"},"
                          "\"Status\":%c}",
                          i > 1 ? "," : "[", i, i, i, status[i - 1]),
            0);
    assert_int_equal(buffer_append(&text, "]", 1), 0);
    fake_agent_answer(w->agent, "GET /v1/agent/members", 200, buffer_text(&text));
    buffer_release(&text);
}

/* NULL value: no setting at all. */
static void say_setting(struct world *w, const char *key, const char *value)
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
    fake_agent_answer(w->agent, request, value ? 200 : 404, value ? buffer_text(&text) : NULL);
    fake_agent_kv(w->agent, full, value, 7);
    free(base64);
    buffer_release(&text);
}

/* Three servers, confirmed; n1 is asked and leads. */
static void say_whole(struct world *w)
{
    say_self(w, (struct self){"true", "disabled", "0", 3});
    say_members(w, "111");
    fake_agent_voters(w->agent, 3);
    fake_agent_answer(w->agent, "GET /v1/status/leader", 200, "\"10.0.0.1:8300\"");
    fake_agent_answer(w->agent, "GET /v1/operator/autopilot/configuration", 200,
                      "{\"CleanupDeadServers\":true,\"MinQuorum\":3}");
    fake_agent_kv(w->agent, "lictor/mapping", RECORD, 42);
    fake_agent_answer(w->agent, CHECK, 200, "");
    fake_agent_answer(w->agent, "PUT /v1/kv/lictor/mapping", 200, "true");
}

static void say_leaderless(struct world *w, const char *last_contact)
{
    say_self(w, (struct self){"false", "disabled", last_contact, 3});
    fake_agent_answer(w->agent, "GET /v1/status/leader", 200, "\"\"");
    fake_agent_leader(w->agent, false);
}

/* ---- running ------------------------------------------------------------- */

#define HAND    NULL
#define PUBLISH "--publish", "cluster:quorum", NULL

static struct outcome run_with(struct world *w, const char *limits, const char *const *more)
{
    const char *argv[16] = {PROGRAM, NULL};
    const char *env[] = {fake_agent_env(w->agent), limits, NULL};
    size_t n = 1;
    argv[n++] = "--config-dir";
    argv[n++] = w->config;
    argv[n++] = "--state-dir";
    argv[n++] = w->state;
    for (size_t i = 0; more[i]; i++)
        argv[n++] = more[i];
    return run_tool(NULL, argv, env);
}

static struct outcome run_timed(struct world *w, const char *limits, bool publish)
{
    const char *const publishing[] = {PUBLISH};
    const char *const by_hand[] = {HAND};
    return run_with(w, limits, publish ? publishing : by_hand);
}

static struct outcome run(struct world *w, bool publish)
{
    return run_timed(w, NULL, publish);
}

static void expect(struct outcome o, int code, const char *out, const char *err)
{
    assert_string_equal(o.err, err);
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

/* Exit 3, nothing on stdout, one line with `text` on stderr. */
static void expect_no_look(struct outcome o, const char *text)
{
    if (!strstr(o.err, text))
        assert_string_equal(o.err, text);
    assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(w->dir, sizeof w->dir, "%.40s/verify-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(w->state, sizeof w->state, "%s/state", w->dir);
    (void)snprintf(w->config, sizeof w->config, "%s/config", w->dir);
    assert_int_equal(mkdir(w->state, 0700), 0);
    assert_int_equal(mkdir(w->config, 0755), 0);
    w->agent = fake_agent_start();
    say_whole(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    const char *const argv[] = {"/bin/rm", "-rf", w->dir, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
    fake_agent_stop(w->agent);
    free(w);
    return 0;
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
        expect_no_look(run_with(*state, NULL, bad[i]), "verify-quorum: ");
}

/* ---- by hand ------------------------------------------------------------- */

static void the_verdict_is_printed(void **state)
{
    struct world *w = *state;
    expect(run(w, false), 0, WHOLE, "");
    say_members(w, "114");
    expect(run(w, false), 1,
           "warning: 2 of 3 servers, none may fail: server_3 (node n3) is down\n"
           "server_3 (node n3) is down: start it again; if it is gone for good: "
           "cluster-set\n"
           "  --confirm-mapping\n"
           "voting: server_1 (node n1), server_2 (node n2)\n",
           "");
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "");
}

static void a_majority_lost_is_critical(void **state)
{
    struct world *w = *state;
    say_members(w, "144");
    say_leaderless(w, "1.5s");
    struct outcome o = run_timed(w, "LICTOR_LIMITS=leader_proof=100ms", false);
    assert_int_equal(o.code, 2);
    assert_int_equal(strncmp(o.out,
                             "critical: 1 of 3 servers, none may fail, 1 more needed: "
                             "server_2 (node n2) is down, and 2 more\n",
                             93),
                     0);
    outcome_release(&o);
}

/* As after a restart of all: the agent holds every other read for 7 s. */
static void a_server_that_heard_no_leader_is_asked_only_what_it_knows(void **state)
{
    struct world *w = *state;
    const char *const held[] = {"GET /v1/operator/raft/configuration",
                                "GET /v1/operator/autopilot/configuration",
                                "GET /v1/kv/lictor/mapping"};
    for (size_t i = 0; i < 3; i++) {
        fake_agent_answer(w->agent, held[i], 500, "No cluster leader");
        fake_agent_delay(w->agent, held[i], 7000);
    }
    say_members(w, "14");
    say_leaderless(w, "never");
    say_self(w, (struct self){"false", "disabled", "never", 2});
    int64_t start = now_ms();
    expect(run_timed(w, "LICTOR_LIMITS=leader_proof=100ms", false), 2,
           "critical: 1 of 3 servers, none may fail, 1 more needed: node 10.0.0.3:8300 is "
           "down, and 2 more\n"
           "node 10.0.0.3:8300 is down: start it again; if it is gone for good: consul\n"
           "  force-leave\n"
           "node n2 is down: start it again; if it is gone for good: consul force-leave\n"
           "no leader at the moment: an election takes some seconds, 15 at most\n"
           "voting: node n1\n"
           "no leader since this server was started: its settings and the confirmed "
           "servers\n"
           "  cannot be read\n",
           "");
    assert_in_range(now_ms() - start, 0, 3000);
}

static void stdout_that_cannot_be_written_is_no_verdict(void **state)
{
    struct world *w = *state;
    char command[400];
    (void)snprintf(command, sizeof command,
                   "exec " PROGRAM " --config-dir %s --state-dir %s >/dev/full", w->config,
                   w->state);
    const char *const full[] = {"/bin/sh", "-c", command, NULL};
    const char *env[] = {fake_agent_env(w->agent), NULL};
    struct outcome o = run_tool(NULL, full, env);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
    (void)snprintf(command, sizeof command,
                   "exec " PROGRAM " --config-dir %s --state-dir %s <&- >&- 2>&-", w->config,
                   w->state);
    o = run_tool(NULL, full, env);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

/* ---- could not look ------------------------------------------------------ */

static void no_agent_is_no_verdict(void **state)
{
    struct world *w = *state;
    const char *const argv[] = {PROGRAM, "--config-dir", w->config, NULL};
    const char *env[] = {"CONSUL_HTTP_ADDR=127.0.0.1:1", NULL};
    expect_no_look(run_tool(NULL, argv, env),
                   "verify-quorum: cannot reach the Consul agent at http://127.0.0.1:1: ");
}

static void a_slow_agent_is_no_verdict(void **state)
{
    struct world *w = *state;
    fake_agent_delay(w->agent, "GET /v1/agent/members", 2000);
    expect_no_look(run_timed(w, "LICTOR_LIMITS=http=200ms", false), "does not answer in time");
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
    struct world *w = *state;
    char *huge = malloc((5U << 20) + 1);
    memset(huge, ' ', 5U << 20);
    huge[5U << 20] = '\0';
    for (size_t i = 0; i < COUNT(unusable); i++) {
        say_whole(w);
        fake_agent_answer(w->agent, unusable[i].request, unusable[i].status,
                          unusable[i].body ? unusable[i].body : huge);
        struct outcome o = run(w, false);
        if (o.code != 3)
            print_message("%s: %s\n", unusable[i].request, unusable[i].body);
        expect_no_look(o, "verify-quorum: ");
    }
    free(huge);
}

static void a_filtered_answer_says_which_right_is_missing(void **state)
{
    struct world *w = *state;
    say_members(w, "1");
    expect(run(w, false), 3, "",
           "verify-quorum: the agent shows 1 of 3 members (the token needs node_prefix "
           "\"\" read)\n");
    fake_agent_answer(w->agent, "GET /v1/agent/members", 200, "[]");
    expect(run(w, false), 3, "",
           "verify-quorum: the agent shows 0 of 3 members (the token needs node_prefix "
           "\"\" read)\n");
}

static void autopilot_is_only_advice(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, "GET /v1/operator/autopilot/configuration", 500,
                      "autopilot config not initialized yet");
    expect(run(w, false), 0, WHOLE, "");
}

static void a_damaged_record_is_a_warning(void **state)
{
    struct world *w = *state;
    fake_agent_kv(w->agent, "lictor/mapping", "{\"v\":1,\"servers\":[]}", 3);
    struct outcome o = run(w, true);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:quorum"),
                           "warning|warning: 3 of 3 servers, 1 may fail: the "
                           "record lictor/mapping is damaged"));
    assert_null(fake_agent_sent(w->agent, CREATE));
}

/* ---- publishing ---------------------------------------------------------- */

static void the_verdict_is_published(void **state)
{
    struct world *w = *state;
    expect(run(w, true), 0, "",
           "verify-quorum: cluster:quorum: unknown -> passing: 3 of 3 servers, 1 may "
           "fail\n");
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "passing|" WHOLE);
    fake_agent_forget(w->agent);
    expect(run(w, true), 0, "", "");
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "passing|" WHOLE);
}

static void a_verdict_found_without_leader_is_held_back(void **state)
{
    struct world *w = *state;
    expect(run(w, true), 0, "",
           "verify-quorum: cluster:quorum: unknown -> passing: 3 of 3 servers, 1 may "
           "fail\n");
    fake_agent_forget(w->agent);
    say_members(w, "144");
    say_leaderless(w, "2s");
    expect(run_timed(w, "LICTOR_LIMITS=leader_proof=100ms", true), 0, "",
           "verify-quorum: cluster:quorum: passing -> critical: 1 of 3 servers, none may "
           "fail, 1 more needed: server_2 (node n2) is down, and 2 more\n");
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "passing|" WHOLE);
}

static void that_it_could_not_look_is_published(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, "GET /v1/operator/raft/configuration", 403, "Permission denied");
    struct outcome o = run(w, true);
    assert_int_equal(o.code, 3);
    assert_string_equal(o.out, "");
    outcome_release(&o);
    assert_string_equal(
        fake_agent_published(w->agent, "cluster:quorum"),
        "warning|warning: cannot look: cannot read operator/raft/configuration: 403 "
        "Permission denied (the token needs operator read)\n");
}

static void publishing_needs_a_state_directory_of_ones_own(void **state)
{
    struct world *w = *state;
    assert_int_equal(chmod(w->state, 0755), 0);
    struct outcome o = run(w, true);
    assert_int_equal(o.code, 3);
    assert_non_null(strstr(o.err, "is not ours alone"));
    outcome_release(&o);
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "");
    expect(run(w, false), 0, WHOLE, "");
}

static void a_check_that_is_not_there_is_a_failure(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, CHECK, 404, "Unknown check");
    struct outcome o = run(w, true);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

/* ---- what must hold for a while ------------------------------------------ */

/* Look with --publish until by hand the exit code is `code`, at most limit_ms. */
static void wait_code(struct world *w, const char *limits, int code, int64_t limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    for (;;) {
        struct outcome o = run_timed(w, limits, true);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        o = run_timed(w, limits, false);
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
    struct world *w = *state;
    const char *limits = "LICTOR_LIMITS=leader_proof=50ms,no_leader=700ms";
    say_leaderless(w, "2s");
    int64_t start = now_ms();
    wait_code(w, limits, 1, 2000);
    wait_code(w, limits, 2, 5000);
    assert_in_range(now_ms() - start, 600, 5000);
    struct outcome o = run_timed(w, limits, false);
    assert_int_equal(strncmp(o.out, "critical: no leader: 3 of 3 servers, none may fail\n", 51), 0);
    outcome_release(&o);
}

static void a_split_becomes_critical(void **state)
{
    struct world *w = *state;
    const char *limits = "LICTOR_LIMITS=split=500ms";
    say_self(w, (struct self){"true", "disabled", "0", 4});
    say_members(w, "1111");
    wait_code(w, limits, 0, 2000);
    wait_code(w, limits, 2, 5000);
    say_members(w, "1114");
    wait_code(w, limits, 0, 2000);
}

static void grace_ends_and_maintenance_stops_its_clock(void **state)
{
    struct world *w = *state;
    say_members(w, "114");
    say_setting(w, "CLUSTER_GRACE", "600ms");
    wait_code(w, NULL, 1, 2000);
    wait_code(w, NULL, 2, 5000);
    say_members(w, "111");
    wait_code(w, NULL, 0, 2000);
    say_members(w, "114");
    say_setting(w, "CLUSTER_MAINTENANCE", "n3 until 2099-01-01T00:00Z");
    int64_t end = now_ms() + 1500;
    while (now_ms() < end)
        wait_code(w, NULL, 1, 1);
}

/* Bare memory by hand would make every wait begin anew: it is read, never written. */
static void a_look_by_hand_leaves_nothing_behind(void **state)
{
    struct world *w = *state;
    say_members(w, "114");
    struct outcome o = run(w, false);
    assert_int_equal(o.code, 1);
    outcome_release(&o);
    assert_int_equal(rmdir(w->state), 0);
    assert_int_equal(mkdir(w->state, 0700), 0);
}

/* ---- the mapping --------------------------------------------------------- */

static const char *created(struct world *w, struct self self, const char *limits, bool publish)
{
    fake_agent_forget(w->agent);
    fake_agent_kv(w->agent, "lictor/mapping", NULL, 0);
    say_self(w, self);
    struct outcome o = run_timed(w, limits, publish);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    return fake_agent_sent(w->agent, CREATE);
}

static void the_leader_confirms_once_where_no_acl_says_who_may(void **state)
{
    struct world *w = *state;
    const char *now = "LICTOR_LIMITS=mapping_stable=0s";
    assert_null(created(w, (struct self){"true", "disabled", "0", 3}, NULL, true));
    assert_null(created(w, (struct self){"true", "disabled", "0", 3}, now, false));
    assert_null(created(w, (struct self){"false", "disabled", "0", 3}, now, true));
    assert_null(created(w, (struct self){"true", "enabled", "0", 3}, now, true));
    assert_null(created(w, (struct self){"true", "", "0", 3}, now, true));
    assert_string_equal(created(w, (struct self){"true", "disabled", "0", 3}, now, true), RECORD);
    assert_string_equal(fake_agent_published(w->agent, "cluster:quorum"), "passing|" WHOLE);
}

static void a_lost_race_for_the_record_is_no_failure(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, "PUT /v1/kv/lictor/mapping", 200, "false");
    assert_non_null(created(w, (struct self){"true", "disabled", "0", 3},
                            "LICTOR_LIMITS=mapping_stable=0s", true));
    assert_non_null(strstr(fake_agent_published(w->agent, "cluster:quorum"), "not confirmed yet"));
}

static struct outcome confirm(struct world *w)
{
    const char *const argv[] = {"--confirm-mapping", NULL};
    return run_with(w, NULL, argv);
}

static void an_admin_confirms_at_once(void **state)
{
    struct world *w = *state;
    fake_agent_kv(w->agent, "lictor/mapping", NULL, 0);
    expect(confirm(w), 0,
           "old:\n  none\n"
           "new:\n  server_1  n1  id-1\n  server_2  n2  id-2\n  server_3  n3  id-3\n",
           "verify-quorum: mapping confirmed\n");
    assert_string_equal(fake_agent_sent(w->agent, CREATE), RECORD);
}

static void an_admin_replaces_with_check_and_set(void **state)
{
    struct world *w = *state;
    fake_agent_kv(w->agent, "lictor/mapping",
                  "{\"v\":1,\"servers\":[{\"server\":\"server_1\",\"node\":\"n3\","
                  "\"id\":\"old\"}]}",
                  99);
    expect(confirm(w), 0,
           "old:\n  server_1  n3  old\n"
           "new:\n  server_1  n3  id-3\n  server_2  n1  id-1\n  server_3  n2  id-2\n",
           "verify-quorum: mapping confirmed\n");
    assert_non_null(fake_agent_sent(w->agent, "PUT /v1/kv/lictor/mapping?cas=99"));
    fake_agent_answer(w->agent, "PUT /v1/kv/lictor/mapping", 200, "false");
    struct outcome o = confirm(w);
    assert_int_equal(o.code, 3);
    outcome_release(&o);
}

static void what_is_not_whole_is_not_confirmed(void **state)
{
    struct world *w = *state;
    say_members(w, "114");
    expect(confirm(w), 2, "",
           "verify-quorum: not confirmed: server_3 (node n3) is in raft and does not "
           "answer\n");
    say_members(w, "111");
    say_setting(w, "CLUSTER_SERVERS", "server_1=n1,server_2=n2,server_3=x");
    expect(confirm(w), 2, "",
           "verify-quorum: not confirmed: server_3 (node n3) is not in CLUSTER_SERVERS\n");
    assert_null(fake_agent_sent(w->agent, "PUT /v1/kv/lictor/mapping?cas=42"));
}

static void a_right_that_is_missing_is_named(void **state)
{
    struct world *w = *state;
    fake_agent_answer(w->agent, "PUT /v1/kv/lictor/mapping", 403, "Permission denied");
    struct outcome o = confirm(w);
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
        TEST(that_it_could_not_look_is_published),
        TEST(publishing_needs_a_state_directory_of_ones_own),
        TEST(a_check_that_is_not_there_is_a_failure),
        TEST(no_leader_becomes_critical),
        TEST(a_split_becomes_critical),
        TEST(grace_ends_and_maintenance_stops_its_clock),
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
