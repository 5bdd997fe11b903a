/* SPDX-License-Identifier: MIT */
/* scripts/enable and disable on a real agent, in every state in which it may find one. */
#include "harness.h"

#include <pwd.h>

#define SNIPPET "consul.d/60-cluster.hcl"

static const char broken_watch[] =
    "{\"watches\":[{\"type\":\"nonsense\",\"args\":[\"/bin/true\"]}]}";

static int setup(void **state)
{
    *state = cluster_start(&(struct cluster_options){.servers = 1, .no_snippet = true});
    server_write(*state, 1, "consul.d/05-scripts.json", "{\"enable_local_script_checks\":true}");
    server_restart(*state, 1);
    wait_leader(*state, 20000);
    return 0;
}

static const char *user_name(void)
{
    const struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_name : "root";
}

static bool address_is_told = true; /* else it is in consul.env */
static const char *lictor_program = TEST_BIN "/lictor";

/* In the environment of the scripts; "" none. */
static char operator_token[40];

static struct outcome run_script(struct cluster *c, const char *dir, const char *script,
                                 const char *const *more)
{
    char path[600], addr[100], consul[300], etc[600], state[600], config[600], lib[600];
    char tmp[600], lictor[600], token[80];
    server_write(c, 1, "tmp/kept", "");
    (void)snprintf(tmp, sizeof tmp, "TMPDIR=%s", server_path(c, 1, "tmp"));
    (void)snprintf(path, sizeof path, "%s/scripts/%s", dir, script);
    (void)snprintf(addr, sizeof addr, "CONSUL_HTTP_ADDR=http://%s:8500", c->server[1].address);
    (void)snprintf(consul, sizeof consul, "CONSUL=%s", consul_program());
    (void)snprintf(etc, sizeof etc, "%s", server_path(c, 1, "etc"));
    (void)snprintf(state, sizeof state, "%s", server_path(c, 1, "new-state"));
    (void)snprintf(config, sizeof config, "%s", server_path(c, 1, "consul.d"));
    (void)snprintf(lib, sizeof lib, "%s", server_path(c, 1, "libexec"));
    const char *argv[20] = {path,   "--config-dir", etc, "--state-dir", state, "--consul-config",
                            config, "--libexec",    lib, NULL};
    size_t n = strcmp(script, "enable") == 0 ? 9 : 7;
    if (n == 9) {
        argv[n++] = "--user";
        argv[n++] = user_name();
        argv[n++] = "--no-systemd"; /* what runs on this machine is not ours */
    }
    for (argv[n] = NULL; more && *more; more++) {
        argv[n++] = *more;
        argv[n] = NULL;
    }
    (void)snprintf(lictor, sizeof lictor, "LICTOR=%s", lictor_program);
    (void)snprintf(token, sizeof token, "CONSUL_HTTP_TOKEN=%s", operator_token);
    const char *env[] = {consul, tmp, lictor, token, address_is_told ? addr : NULL, NULL};
    return run_tool(NULL, argv, env);
}

static struct outcome enable(struct cluster *c)
{
    return run_script(c, SOURCE_DIR, "enable", NULL);
}

static void expect(struct outcome o, int code, const char *out, const char *err)
{
    if (o.code != code || !strstr(o.out, out) || !strstr(o.err, err))
        harness_fail("expected code %d, \"%s\", \"%s\"; got %d\n%s\n%s", code, out, err, o.code,
                     o.out, o.err);
    outcome_release(&o);
}

/* Nothing is said on stderr, and nothing stays where temporary files are. */
static void expect_clean(struct cluster *c, struct outcome o)
{
    const char *argv[] = {"/bin/ls", server_path(c, 1, "tmp"), NULL};
    assert_string_equal(o.err, "");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.out, "kept\n");
    outcome_release(&o);
}

static bool installed(struct cluster *c)
{
    return access(server_path(c, 1, SNIPPET), F_OK) == 0;
}

static size_t reloads(struct cluster *c)
{
    return server_logged(c, 1, "url=/v1/agent/reload");
}

static mode_t mode_of(struct cluster *c, const char *name)
{
    struct stat st = {0};
    assert_int_equal(stat(server_path(c, 1, name), &st), 0);
    return st.st_mode & 07777;
}

static void remove_file(struct cluster *c, const char *name)
{
    assert_int_equal(unlink(server_path(c, 1, name)), 0);
}

/* ---- scripts on: the usual way ------------------------------------------- */

static void enabled_and_disabled(void **state)
{
    struct cluster *c = *state;
    struct check check;
    size_t before = reloads(c);
    (void)unlink(server_path(c, 1, "etc/consul.env"));
    expect(
        enable(c), 0,
        "enabled: cluster:quorum cluster:clock cluster:logging cluster:security cluster:heartbeat",
        "");
    assert_int_equal(reloads(c) - before, 1);
    assert_true(check_local(c, 1, "cluster:quorum", &check));
    assert_int_equal(mode_of(c, SNIPPET), 0640);
    assert_int_equal(mode_of(c, "etc/consul.env"), 0640);
    assert_int_equal(mode_of(c, "new-state"), 0700);
    assert_int_equal(mode_of(c, "new-state-probe"), 0755);
    expect_clean(c, enable(c)); /* again: the same */

    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "disabled", "");
    assert_false(installed(c));
    assert_false(check_local(c, 1, "cluster:quorum", &check));
    assert_int_equal(access(server_path(c, 1, "etc/consul.env"), F_OK), -1);
    assert_int_equal(access(server_path(c, 1, "new-state"), F_OK), -1);
    assert_int_equal(access(server_path(c, 1, "new-state-probe"), F_OK), -1);
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "is not there", "");
}

static void foreign_directory_is_not_removed(void **state)
{
    struct cluster *c = *state;
    server_write(c, 1, "new-state/letters/mother.txt", "x");
    assert_int_equal(chmod(server_path(c, 1, "new-state"), 0700), 0);
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "is kept", "");
    assert_int_equal(access(server_path(c, 1, "new-state/letters/mother.txt"), F_OK), 0);
    const char *rename[] = {"/bin/mv", server_path(c, 1, "new-state/letters"),
                            server_path(c, 1, "new-state/apply"), NULL};
    struct outcome o = run_tool(NULL, rename, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "removed", "");
    assert_int_equal(access(server_path(c, 1, "new-state"), F_OK), -1);
}

static void foreign_environment_file_is_kept(void **state)
{
    struct cluster *c = *state;
    server_write(c, 1, "etc/consul.env", "CONSUL_HTTP_ADDR=admin:1\n");
    expect(enable(c), 0, "is kept as it is", "");
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "disabled", "");
    char *text = server_read(c, 1, "etc/consul.env");
    assert_string_equal(text, "CONSUL_HTTP_ADDR=admin:1\n");
    free(text);
}

static void live_cluster_never_sees_the_trial(void **state)
{
    struct cluster *c = *state;
    struct recorder *r = recorder_start(c, 1);
    int64_t begin = now_ms();
    expect(enable(c), 0, "a throw-away agent takes our file", "");
    assert_int_equal(recorder_when(r, begin, "trial", "serfHealth", "passing", ""), -1);
    recorder_stop(r);
    assert_int_equal(server_logged(c, 1, "trial"), 0);
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "disabled", "");
}

static void token_is_on_no_command_line(void **state)
{
    struct cluster *c = *state;
    static const char token[] = "11111111-2222-3333-4444-555555555555";
    char script[900];
    char token_file[600];
    const char *more[] = {"--token-file", token_file, NULL};
    (void)snprintf(token_file, sizeof token_file, "%s", server_path(c, 1, "token"));
    server_write(c, 1, "token", token);
    (void)snprintf(script, sizeof script,
                   "#!/bin/sh\necho \"$0 $*\" >>%s\nexec " TEST_BIN "/lictor \"$@\"\n",
                   server_path(c, 1, "lictor.log"));
    server_write(c, 1, "bin/lictor", script);
    assert_int_equal(chmod(server_path(c, 1, "bin/lictor"), 0755), 0);
    (void)unlink(server_path(c, 1, "etc/consul.env"));
    char program[600];
    (void)snprintf(program, sizeof program, "%s", server_path(c, 1, "bin/lictor"));
    lictor_program = program;
    struct outcome o = run_script(c, SOURCE_DIR, "enable", more);
    lictor_program = TEST_BIN "/lictor";
    assert_null(strstr(o.out, token));
    expect(o, 0, "enabled: ", "");
    char *log = server_read(c, 1, "lictor.log");
    assert_non_null(strstr(log, "agent/reload"));
    assert_null(strstr(log, token));
    free(log);
    char *snippet = server_read(c, 1, SNIPPET);
    assert_non_null(strstr(snippet, token));
    free(snippet);
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "disabled", "");
}

static void the_address_may_stand_in_consul_env(void **state)
{
    struct cluster *c = *state;
    struct check check;
    char text[100];
    (void)snprintf(text, sizeof text, "CONSUL_HTTP_ADDR=http://%s:8500\n", c->server[1].address);
    server_write(c, 1, "etc/consul.env", text);
    address_is_told = false;
    struct outcome on = enable(c);
    struct outcome off = run_script(c, SOURCE_DIR, "disable", NULL);
    address_is_told = true;
    expect(on, 0, "enabled: ", "");
    expect(off, 0, "the agent has reloaded", "");
    assert_false(check_local(c, 1, "cluster:quorum", &check));
    remove_file(c, "etc/consul.env");
}

/* A token in the environment goes before one of --token-file; lictor itself takes one of
 * consul.env where there is neither. */
static void the_nearest_token_is_taken(void **state)
{
    struct cluster *c = *state;
    static const struct {
        const char *before, *out;
    } rows[] = {
        {"", "|\n"},
        {"token_file=of-file; ", "of-file|\n"},
        {"export CONSUL_HTTP_TOKEN=of-environment; token_file=of-file; ", "|of-environment\n"},
        {"export CONSUL_HTTP_TOKEN_FILE=a; token_file=of-file; ", "a|\n"},
    };
    server_write(c, 1, "bin/lictor",
                 "#!/bin/sh\necho \"${CONSUL_HTTP_TOKEN_FILE:-}|${CONSUL_HTTP_TOKEN:-}\"\n");
    assert_int_equal(chmod(server_path(c, 1, "bin/lictor"), 0755), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[1000];
        (void)snprintf(text, sizeof text,
                       ". " SOURCE_DIR "/scripts/agent.sh; lictor=$1; config_dir=/nowhere; %sapi x",
                       rows[i].before);
        const char *argv[] = {"/bin/bash", "-uc", text, "bash", server_path(c, 1, "bin/lictor"),
                              NULL};
        struct outcome o = run_tool(NULL, argv, NULL);
        assert_string_equal(o.err, "");
        assert_string_equal(o.out, rows[i].out);
        outcome_release(&o);
    }
}

/* ---- what is broken ------------------------------------------------------ */

static void neighbours_broken_watch_is_told(void **state)
{
    struct cluster *c = *state;
    server_write(c, 1, "consul.d/70-neighbour.json", broken_watch);
    expect(enable(c), 1, "", "a file in");
    struct outcome o = enable(c);
    assert_non_null(strstr(o.err, "was broken before we came"));
    assert_non_null(strstr(o.err, "nonsense"));
    outcome_release(&o);
    assert_false(installed(c));
    remove_file(c, "consul.d/70-neighbour.json");
    server_reload_now(c, 1);
}

/* As long as the agent has not reloaded, nothing is disabled. */
static void disable_does_not_forget_a_reload_that_failed(void **state)
{
    struct cluster *c = *state;
    struct check check;
    expect(enable(c), 0, "enabled: ", "");
    server_write(c, 1, "consul.d/70-neighbour.json", broken_watch);
    for (int n = 0; n < 2; n++)
        expect(run_script(c, SOURCE_DIR, "disable", NULL), 1, "", "has not reloaded");
    assert_int_equal(access(server_path(c, 1, "new-state"), F_OK), 0);
    assert_true(installed(c));
    remove_file(c, "consul.d/70-neighbour.json");
    expect(run_script(c, SOURCE_DIR, "disable", NULL), 0, "the agent has reloaded", "");
    assert_false(check_local(c, 1, "cluster:heartbeat", &check));
}

static void neighbours_invalid_file_stops_before_anything(void **state)
{
    struct cluster *c = *state;
    size_t before = reloads(c);
    server_write(c, 1, "consul.d/70-neighbour.json", "{\"no_such_option\":1}");
    expect(enable(c), 1, "", "was broken before we came: ");
    assert_false(installed(c));
    assert_int_equal(reloads(c), before);
    remove_file(c, "consul.d/70-neighbour.json");
}

static void later_file_that_forbids_scripts_is_told(void **state)
{
    struct cluster *c = *state;
    server_write(c, 1, "consul.d/90-late.hcl", "enable_local_script_checks = false\n");
    expect(enable(c), 1, "", "switches local script checks off");
    assert_false(installed(c));
    remove_file(c, "consul.d/90-late.hcl");
}

static void own_broken_snippet_never_reaches_the_agent(void **state)
{
    struct cluster *c = *state;
    char dir[600];
    size_t before = reloads(c);
    (void)snprintf(dir, sizeof dir, "%s", server_path(c, 1, "tree"));
    server_write(c, 1, "tree/consul.d/60-cluster.hcl.in",
                 "watches = [{ type = \"nonsense\", args = [\"@LIBEXEC@/heartbeat\"] }]\n");
    server_write(c, 1, "tree/scripts/placeholder", "");
    const char *copy[] = {"/bin/cp", SOURCE_DIR "/scripts/enable", SOURCE_DIR "/scripts/agent.sh",
                          server_path(c, 1, "tree/scripts"), NULL};
    struct outcome o = run_tool(NULL, copy, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    expect(run_script(c, dir, "enable", NULL), 1, "", "a throw-away agent does not take");
    assert_false(installed(c));
    assert_int_equal(reloads(c), before);
}

static void no_agent_is_told(void **state)
{
    struct cluster *c = *state;
    server_kill(c, 1);
    expect(enable(c), 1, "", "cannot reach the Consul agent at ");
    assert_false(installed(c));
    server_start(c, 1);
    wait_leader(c, 20000);
}

static void wrong_usage(void **state)
{
    struct cluster *c = *state;
    const char *unknown[] = {"--nonsense", NULL}, *missing[] = {"--libexec", NULL},
               *quote[] = {"--settings-root", "a\"b", NULL},
               *service[] = {"--discover", "a/b", NULL}, *version[] = {"--version", NULL};
    expect(run_script(c, SOURCE_DIR, "enable", unknown), 2, "", "unknown option --nonsense");
    expect(run_script(c, SOURCE_DIR, "enable", missing), 2, "", "--libexec needs a value");
    expect(run_script(c, SOURCE_DIR, "enable", quote), 2, "", "is not a plain KV path");
    expect(run_script(c, SOURCE_DIR, "enable", service), 2, "", "is not the name of a service");
    expect(run_script(c, SOURCE_DIR, "disable", unknown), 2, "", "unknown option");
    expect(run_script(c, SOURCE_DIR, "enable", version), 0, "lictor test\n", "");
    expect(run_script(c, SOURCE_DIR, "disable", version), 0, "lictor test\n", "");
}

/* ---- scripts off --------------------------------------------------------- */

static void agent_with_scripts_off_must_be_restarted(void **state)
{
    struct cluster *c = *state;
    struct check check;
    remove_file(c, "consul.d/05-scripts.json");
    server_restart(c, 1);
    wait_leader(c, 20000);
    size_t before = reloads(c);
    expect(enable(c), 3, "Restart Consul now", "");
    assert_true(installed(c));
    assert_int_equal(reloads(c), before);
    server_restart(c, 1);
    wait_leader(c, 20000);
    assert_true(check_local(c, 1, "cluster:heartbeat", &check));
    expect(enable(c), 0, "enabled: ", "");
}

/* ---- ACLs on ------------------------------------------------------------- */

enum who { NOBODY, OPERATOR, READER, UNKNOWN, ANOTHERS, WEAK, RIGHT, WHO };
static char tokens[WHO][40] = {[UNKNOWN] = "11111111-2222-3333-4444-555555555555"};

static void make_tokens(struct cluster *c)
{
    char *own = acl_shipped_policy("server-1"), *other = acl_shipped_policy("server-2");
    char weak[3000];
    (void)snprintf(weak, sizeof weak, "%.*s", (int)(strstr(own, "service \"cluster\"") - own), own);
    acl_token(c, "operator", "agent \"server-1\" { policy = \"write\" }", tokens[OPERATOR]);
    acl_token(c, "reader", "agent \"server-1\" { policy = \"read\" }", tokens[READER]);
    acl_token(c, "anothers", other, tokens[ANOTHERS]);
    acl_token(c, "weak", weak, tokens[WEAK]);
    acl_token(c, "right", own, tokens[RIGHT]);
    free(own);
    free(other);
}

/* With the node's token in a file: who is the operator, whose token is it? */
static struct outcome enable_as(struct cluster *c, enum who operator, enum who node)
{
    char file[600];
    const char *more[] = {"--token-file", file, NULL};
    (void)snprintf(file, sizeof file, "%s", server_path(c, 1, "token"));
    server_write(c, 1, "token", tokens[node]);
    (void)snprintf(operator_token, sizeof operator_token, "%s", tokens[operator]);
    struct outcome o = run_script(c, SOURCE_DIR, "enable", node == NOBODY ? NULL : more);
    operator_token[0] = '\0';
    return o;
}

/* Nothing is changed. */
static const struct refused_row {
    enum who operator, node;
    const char *err;
} refused_rows[] = {
    {NOBODY, NOBODY, "an operator's token with agent:write is needed: CONSUL_HTTP_TOKEN_FILE="},
    {OPERATOR, NOBODY, "ACLs are on: give the token of this server with --token-file"},
    {OPERATOR, UNKNOWN, "403 ACL not found (Consul does not know this token"},
    {OPERATOR, ANOTHERS,
     "may not do what server-1 needs, key \"lictor/clock/server-1\" write. Is "},
    {OPERATOR, WEAK, "may not do what server-1 needs, service \"cluster\" write."},
};

static bool has_check(void *arg, struct buffer *seen)
{
    struct check check = {0};
    bool has = check_catalogue(arg, 1, "server-1", "cluster:heartbeat", &check);
    return buffer_printf(seen, "%s %s", check.status, check.output) == 0 && has &&
           strcmp(check.status, "critical") != 0;
}

static void the_token_is_proven_before_anything_is_changed(void **state)
{
    (void)state;
    struct cluster *c = cluster_start(
        &(struct cluster_options){.servers = 1, .acl = true, .no_snippet = true});
    server_write(c, 1, "consul.d/05-scripts.json", "{\"enable_local_script_checks\":true}");
    server_restart(c, 1);
    wait_leader(c, 20000);
    remove_file(c, "etc/consul.env");
    make_tokens(c);
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        const struct refused_row *row = &refused_rows[i];
        expect(enable_as(c, row->operator, row->node), 1, "", row->err);
        assert_false(installed(c));
        assert_int_equal(access(server_path(c, 1, "etc/consul.env"), F_OK), -1);
        assert_int_equal(access(server_path(c, 1, "new-state"), F_OK), -1);
    }
    assert_null(kv_get(c, "lictor/clock/server-1")); /* a proof writes nothing */
    /* With exactly the rights that are asked for, and once more. */
    expect(enable_as(c, OPERATOR, RIGHT), 0, "enabled: ", "");
    expect(enable_as(c, OPERATOR, RIGHT), 0, "enabled: ", "");
    wait_until("the catalogue has our check", 30000, has_check, c);
    expect(enable_as(c, READER, RIGHT), 1, "", "may not reload the agent (it needs agent:write)");
    /* An upgrade: what was said before stays. */
    char *before = server_read(c, 1, "etc/consul.env");
    assert_non_null(strstr(before, tokens[RIGHT]));
    address_is_told = false;
    struct outcome again = enable_as(c, OPERATOR, NOBODY);
    address_is_told = true;
    expect(again, 0, "enabled: ", "");
    char *after = server_read(c, 1, "etc/consul.env"), *snippet = server_read(c, 1, SNIPPET);
    assert_string_equal(after, before);
    assert_non_null(strstr(snippet, tokens[RIGHT]));
    free(before);
    free(after);
    free(snippet);
    cluster_stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enabled_and_disabled),
        cmocka_unit_test(foreign_directory_is_not_removed),
        cmocka_unit_test(foreign_environment_file_is_kept),
        cmocka_unit_test(live_cluster_never_sees_the_trial),
        cmocka_unit_test(token_is_on_no_command_line),
        cmocka_unit_test(the_address_may_stand_in_consul_env),
        cmocka_unit_test(the_nearest_token_is_taken),
        cmocka_unit_test(neighbours_broken_watch_is_told),
        cmocka_unit_test(disable_does_not_forget_a_reload_that_failed),
        cmocka_unit_test(neighbours_invalid_file_stops_before_anything),
        cmocka_unit_test(later_file_that_forbids_scripts_is_told),
        cmocka_unit_test(own_broken_snippet_never_reaches_the_agent),
        cmocka_unit_test(no_agent_is_told),
        cmocka_unit_test(wrong_usage),
        cmocka_unit_test(agent_with_scripts_off_must_be_restarted),
        cmocka_unit_test(the_token_is_proven_before_anything_is_changed),
    };
    return HARNESS_RUN("enable", tests, setup, cluster_tear_down);
}
