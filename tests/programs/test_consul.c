/* SPDX-License-Identifier: MIT */
/* consul.c against an agent that misbehaves. What a real agent does is seen by every
 * cluster test. */
#include "bad_agent.h"
#include "base/boottime.h"
#include "consul/consul.h"
#include "test.h"

#include <netdb.h>

static const char *const variables[] = {
    "CONSUL_HTTP_ADDR",       "CONSUL_HTTP_TOKEN",  "CONSUL_HTTP_TOKEN_FILE",
    "CONSUL_CACERT",          "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY",
    "CONSUL_TLS_SERVER_NAME", "CONSUL_HTTP_SSL",    "CONSUL_HTTP_SSL_VERIFY"};

static char dir[] = "/tmp/lictor-test-XXXXXX";

static int clear(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(variables); i++)
        (void)unsetenv(variables[i]);
    return 0;
}

static void write_file(const char *name, const char *text, mode_t mode, char *ret_path)
{
    (void)sprintf(ret_path, "%s/%s", dir, name);
    FILE *f = fopen(ret_path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(ret_path, mode), 0);
}

static struct consul *open_agent(void)
{
    struct consul *c = NULL;
    struct error err = {0};
    int rc = consul_open(dir, &c, &err);
    if (rc < 0)
        print_error("%s\n", err.text);
    assert_int_equal(rc, 0);
    return c;
}

/* One row per way a read can fail. */
static const struct row {
    const char *name;
    struct bad_agent_rule rule;
    int rc;
    const char *text; /* NULL: begins as `begins` */
    const char *begins;
} rows[] = {
    {"no right",
     {"", 403, "Permission denied", 0},
     -EACCES,
     "cannot read KV a/b: 403 Permission denied (the token needs key \"a/b\" read)",
     NULL},
    {"no leader",
     {"", 500, "No cluster leader", 0},
     -EAGAIN,
     "cannot read KV a/b: 500 No cluster leader",
     NULL},
    {"overloaded", {"", 503, "later\nmore", 0}, -EAGAIN, "cannot read KV a/b: 503 later", NULL},
    {"odd status", {"", 418, "tea\x1b[31m", 0}, -EBADMSG, "cannot read KV a/b: 418 tea?[31m", NULL},
    {"redirect is not followed", {"", 302, "", 0}, -EBADMSG, "cannot read KV a/b: 302 ", NULL},
    {"not JSON", {"", 200, "<html>", 0}, -EBADMSG, "read KV a/b: is not JSON", NULL},
    {"another shape",
     {"", 200, "{\"a\":1}", 0},
     -EBADMSG,
     "not a KV entry as Consul writes it",
     NULL},
    {"value is no base64",
     {"", 200, "[{\"Key\":\"a/b\",\"ModifyIndex\":1,\"Value\":\"%%\"}]", 0},
     -EBADMSG,
     NULL,
     "KV entry a/b: "},
    {"oversized",
     {"", 200, NULL, 2 * 1024 * 1024},
     -EMSGSIZE,
     "KV a/b holds more than 1 MiB",
     NULL},
    {"closed",
     {"", 0, NULL, 0},
     -ECONNREFUSED,
     NULL,
     "cannot reach the Consul agent at http://127.0.0.1:"},
    {"hangs", {"", -1, NULL, 0}, -ETIMEDOUT, NULL, "the Consul agent at http://127.0.0.1:"},
};

static void every_failure_is_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bad_agent_rule rules[2] = {rows[i].rule, {0}};
        struct bad_agent *agent = bad_agent_start(NULL, rules);
        struct consul *c = open_agent();
        struct kv_list list = {0};
        struct error err = {0};
        print_message("  %s\n", rows[i].name);
        assert_int_equal(consul_kv_read(c, "a/b", false, CONSUL_STALE, &list, &err), rows[i].rc);
        if (rows[i].text)
            assert_string_equal(err.text, rows[i].text);
        else
            assert_memory_equal(err.text, rows[i].begins, strlen(rows[i].begins));
        kv_release(&list);
        consul_close(c);
        bad_agent_stop(agent);
    }
}

static void no_agent_is_named_with_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "127.0.0.1:1", 1), 0);
    struct consul *c = open_agent();
    cJSON *root = NULL;
    struct error err = {0};
    assert_int_equal(consul_get(c, "agent/self", NULL, &root, &err), -ECONNREFUSED);
    assert_null(root);
    assert_non_null(strstr(err.text, "cannot reach the Consul agent at http://127.0.0.1:1: "));
    assert_non_null(strstr(err.text, "CONSUL_HTTP_ADDR"));
    consul_close(c);
}

static void a_missing_key_is_an_empty_list(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {{"", 404, "", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    struct kv_list list = {0};
    struct error err = {0};
    assert_int_equal(consul_kv_read(c, "a", true, CONSUL_DEFAULT, &list, &err), 0);
    assert_int_equal(list.n, 0);
    consul_close(c);
    bad_agent_stop(agent);
}

static void keys_are_encoded(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {
        {"PUT /v1/kv/a%20b/%3F%23%25%C3%A4?cas=7 ", 200, "true", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    struct error err = {0};
    assert_int_equal(consul_kv_write(c, "a b/?#%\xc3\xa4", "value", 7, &err), 0);
    assert_non_null(strstr(bad_agent_heard(agent), "\r\n\r\nvalue"));
    consul_close(c);
    bad_agent_stop(agent);
}

static void a_lost_check_and_set_is_stale(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {{"", 200, "false", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    struct error err = {0};
    assert_int_equal(consul_kv_write(c, "a", "v", 0, &err), -ESTALE);
    assert_string_equal(err.text, "a was changed by somebody else meanwhile");
    consul_close(c);
    bad_agent_stop(agent);
}

static const struct kv_version others[] = {{"lictor/logging/n2", 20}, {"lictor/logging/n3", 30}};

static void a_conditional_write_is_one_transaction(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {{"PUT /v1/txn ", 200, "{}", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    struct error err = {0};
    assert_int_equal(consul_kv_write_if(c, "lictor/logging/n1", "value", 10, others, 2, &err), 0);
    assert_non_null(strstr(bad_agent_heard(agent),
                           "\r\n\r\n[{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"lictor/logging/"
                           "n2\",\"Index\":20}},{\"KV\":{\"Verb\":\"check-index\",\"Key\":\"lictor/"
                           "logging/n3\",\"Index\":30}},{\"KV\":{\"Verb\":\"cas\",\"Key\":\"lictor/"
                           "logging/n1\",\"Index\":10,\"Value\":\"dmFsdWU=\"}}]"));
    consul_close(c);
    bad_agent_stop(agent);
}

static const struct condition_row {
    struct bad_agent_rule rule;
    int rc;
    const char *text;
} condition_rows[] = {
    {{"", 409, "{\"Results\":null,\"Errors\":[{\"OpIndex\":1,\"What\":\"x\"}]}", 0},
     -ESTALE,
     "lictor/logging/n3 was changed by somebody else meanwhile"},
    {{"", 409, "{\"Results\":null,\"Errors\":[{\"OpIndex\":2,\"What\":\"x\"}]}", 0},
     -ESTALE,
     "lictor/logging/n1 was changed by somebody else meanwhile"},
    {{"", 409, "{\"Errors\":[{\"OpIndex\":-1}]}", 0},
     -ESTALE,
     "lictor/logging/n1 was changed by somebody else meanwhile"},
    {{"", 409, "what?", 0}, -ESTALE, "lictor/logging/n1 was changed by somebody else meanwhile"},
    {{"", 409, "{\"Errors\":[{\"OpIndex\":0,\"What\":\"Permission denied\"}]}", 0},
     -EACCES,
     "cannot write KV lictor/logging/n1 in a transaction: permission denied (the token "
     "needs key \"lictor/logging/n2\" read)"},
    {{"", 409, "{\"Errors\":[{\"OpIndex\":2,\"What\":\"Permission denied\"}]}", 0},
     -EACCES,
     "cannot write KV lictor/logging/n1 in a transaction: permission denied (the token "
     "needs key \"lictor/logging/n1\" write)"},
    {{"", 403, "Permission denied", 0},
     -EACCES,
     "cannot write KV lictor/logging/n1 in a transaction: 403 Permission denied (the "
     "token needs key \"lictor/logging/n1\" write)"},
    {{"", 500, "No cluster leader", 0},
     -EAGAIN,
     "cannot write KV lictor/logging/n1 in a transaction: 500 No cluster leader"},
    {{"", 200, NULL, 5 * 1024 * 1024},
     -EMSGSIZE,
     "the Consul agent's answer to txn is too large: more than 2 MiB"},
};

static void a_lost_condition_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(condition_rows); i++) {
        const struct condition_row *row = &condition_rows[i];
        struct bad_agent_rule rules[2] = {row->rule, {0}};
        struct bad_agent *agent = bad_agent_start(NULL, rules);
        struct consul *c = open_agent();
        struct error err = {0};
        assert_int_equal(consul_kv_write_if(c, "lictor/logging/n1", "value", 10, others, 2, &err),
                         row->rc);
        assert_string_equal(err.text, row->text);
        consul_close(c);
        bad_agent_stop(agent);
    }
}

static void more_conditions_than_fit_are_refused_unasked(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {{"", 200, "{}", 0}, {0}};
    static struct kv_version many[CONSUL_TXN];
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    struct error err = {0};
    for (size_t i = 0; i < CONSUL_TXN; i++)
        many[i] = (struct kv_version){"k", i + 1};
    assert_int_equal(consul_kv_write_if(c, "a", "v", 0, many, CONSUL_TXN, &err), -E2BIG);
    assert_string_equal(err.text, "64 keys are more than one transaction can check (63)");
    assert_string_equal(bad_agent_heard(agent), "");
    assert_int_equal(consul_kv_write_if(c, "a", "v", 0, many, CONSUL_TXN - 1, &err), 0);
    consul_close(c);
    bad_agent_stop(agent);
}

static void an_unknown_check_is_missing_in_old_and_new_words(void **state)
{
    (void)state;
    static const struct bad_agent_rule old[] = {
        {"PUT /v1/agent/check/update/cluster%3Aquorum ", 500,
         "CheckID \"cluster:quorum\" does not have associated TTL", 0},
        {0}};
    static const struct bad_agent_rule new[] = {{"", 404, "Unknown check ID", 0}, {0}};
    struct bad_agent *agent = bad_agent_start(NULL, old);
    struct consul *c = open_agent();
    struct error err = {0};
    assert_int_equal(consul_check_update(c, "cluster:quorum", "passing", "x", &err), -ENOENT);
    bad_agent_rules(agent, new);
    assert_int_equal(consul_check_update(c, "cluster:quorum", "passing", "x", &err), -ENOENT);
    assert_string_equal(err.text, "the agent has no check cluster:quorum: is the snippet of "
                                  "lictor enable loaded?");
    consul_close(c);
    bad_agent_stop(agent);
}

static void a_leader_is_proven_by_a_consistent_read_only(void **state)
{
    (void)state;
    static const struct {
        int status, without_token, local, rc;
    } answers[] = {{200, 500, -1, 0},       {404, 500, -1, 0},        {500, 200, -1, -EAGAIN},
                   {-1, 200, 200, -EAGAIN}, {-1, 200, 500, -EAGAIN},  {-1, 200, -1, -ETIMEDOUT},
                   {403, 200, -1, -EACCES}, {403, 403, -1, -EACCES},  {403, 500, -1, -EAGAIN},
                   {403, -1, 200, -EAGAIN}, {403, -1, -1, -ETIMEDOUT}};
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct bad_agent_rule rules[] = {
            {"GET /v1/kv/lictor/mapping?consistent ", answers[i].status, "x", 0},
            {"GET /v1/catalog/service/cluster?consistent ", answers[i].without_token, "[]", 0},
            {"GET /v1/status/leader ", answers[i].local, "\"\"", 0},
            {0}};
        struct bad_agent *agent = bad_agent_start(NULL, rules);
        struct consul *c = open_agent();
        struct error err = {0};
        assert_int_equal(consul_prove_leader(c, &err), answers[i].rc);
        assert_int_equal(consul_led(answers[i].rc), answers[i].rc == 0 || answers[i].rc == -EACCES);
        consul_close(c);
        bad_agent_stop(agent);
    }
}

/* ---- a resolver that does not answer --------------------------------------- */

#define HANGS_S 6

/* Before libc's: what libcurl asks. Numbers do not come here. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *req,
                struct addrinfo **pai)
{
    (void)service;
    (void)req;
    (void)pai;
    if (name && strcmp(name, "hangs.example") == 0)
        boottime_sleep(HANGS_S * 1000);
    return EAI_AGAIN;
}

static void a_dead_resolver_holds_nobody_beyond_the_deadline(void **state)
{
    (void)state;
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "hangs.example:8500", 1), 0);
    struct kv_list list = {0};
    struct error err = {0};
    int64_t begin_ms = boottime_ms();
    struct consul *c = open_agent();
    assert_int_equal(consul_kv_read(c, "a", false, CONSUL_STALE, &list, &err), -ETIMEDOUT);
    assert_string_equal(err.text, "the Consul agent at http://hangs.example:8500 does not "
                                  "answer in time");
    consul_close(c);
    assert_in_range(boottime_ms() - begin_ms, 0, HANGS_S * 1000 / 2);
}

/* ---- where the agent is, and with which token ---------------------------- */

static void expect_token(const char *token)
{
    static const struct bad_agent_rule rules[] = {{"", 403, "Permission denied", 0}, {0}};
    char line[100];
    struct bad_agent *agent = bad_agent_start(NULL, rules);
    struct consul *c = open_agent();
    cJSON *root = NULL;
    struct error err = {0};
    assert_int_equal(consul_get(c, "agent/self", "agent_prefix \"\" read", &root, &err), -EACCES);
    (void)snprintf(line, sizeof line, "X-Consul-Token: %s\r\n", token);
    if (*token)
        assert_non_null(strstr(bad_agent_heard(agent), line));
    else
        assert_null(strstr(bad_agent_heard(agent), "X-Consul-Token"));
    if (*token)
        assert_null(strstr(err.text, token));
    consul_close(c);
    bad_agent_stop(agent);
}

static void the_token_comes_from_file_then_variable(void **state)
{
    (void)state;
    char path[100];
    expect_token("");
    assert_int_equal(setenv("CONSUL_HTTP_TOKEN", "variable-token", 1), 0);
    expect_token("variable-token");
    write_file("token", "file-token\n", 0600, path);
    assert_int_equal(setenv("CONSUL_HTTP_TOKEN_FILE", path, 1), 0);
    expect_token("file-token");
    (void)unlink(path);
}

static void the_environment_goes_before_consul_env(void **state)
{
    (void)state;
    char path[100];
    write_file("consul.env",
               "# comment\nexport CONSUL_HTTP_ADDR=127.0.0.1:1\n"
               "CONSUL_HTTP_TOKEN=\"env-file-token\"\nSOMETHING_ELSE=1\n",
               0640, path);
    expect_token("env-file-token"); /* CONSUL_HTTP_ADDR of the environment won */
    (void)clear(NULL);
    struct consul *c = open_agent();
    cJSON *root = NULL;
    struct error err = {0};
    assert_int_equal(consul_get(c, "agent/self", NULL, &root, &err), -ECONNREFUSED);
    assert_non_null(strstr(err.text, "http://127.0.0.1:1: "));
    consul_close(c);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(consul_open(dir, &c, &err), -EPERM);
    assert_non_null(strstr(err.text, "consul.env can be written by others"));
    (void)unlink(path);
}

static void an_own_token_goes_before_the_token_file_of_consul_env(void **state)
{
    (void)state;
    char path[100], token_path[100], text[200];
    write_file("token", "node-token\n", 0600, token_path);
    (void)snprintf(text, sizeof text, "CONSUL_HTTP_TOKEN_FILE=%s\n", token_path);
    write_file("consul.env", text, 0640, path);
    expect_token("node-token");
    assert_int_equal(setenv("CONSUL_HTTP_TOKEN", "own-token", 1), 0);
    expect_token("own-token");
    (void)unlink(path);
    (void)unlink(token_path);
}

static void a_unix_socket_works(void **state)
{
    (void)state;
    static const struct bad_agent_rule rules[] = {
        {"GET /v1/status/leader ", 200, "\"127.0.1.1:8300\"", 0}, {0}};
    char path[100];
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    struct bad_agent *agent = bad_agent_start(path, rules);
    struct consul *c = open_agent();
    cJSON *root = NULL;
    struct error err = {0};
    assert_int_equal(consul_get(c, "status/leader", NULL, &root, &err), 0);
    assert_string_equal(root->valuestring, "127.0.1.1:8300");
    cJSON_Delete(root);
    consul_close(c);
    bad_agent_stop(agent);
}

static void an_odd_address_is_refused(void **state)
{
    (void)state;
    struct consul *c = NULL;
    struct error err = {0};
    assert_int_equal(setenv("CONSUL_HTTP_ADDR", "ftp://x", 1), 0);
    assert_int_equal(consul_open(dir, &c, &err), -EINVAL);
    assert_string_equal(err.text, "CONSUL_HTTP_ADDR: expected http://, https://, unix:// or "
                                  "host:port");
}

int main(void)
{
    if (!mkdtemp(dir) || setenv("LICTOR_LIMITS", "http=300ms,leader_proof=200ms", 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_failure_is_a_sentence, clear),
        cmocka_unit_test_setup(no_agent_is_named_with_what_to_do, clear),
        cmocka_unit_test_setup(a_missing_key_is_an_empty_list, clear),
        cmocka_unit_test_setup(keys_are_encoded, clear),
        cmocka_unit_test_setup(a_lost_check_and_set_is_stale, clear),
        cmocka_unit_test_setup(a_conditional_write_is_one_transaction, clear),
        cmocka_unit_test_setup(a_lost_condition_is_named, clear),
        cmocka_unit_test_setup(more_conditions_than_fit_are_refused_unasked, clear),
        cmocka_unit_test_setup(an_unknown_check_is_missing_in_old_and_new_words, clear),
        cmocka_unit_test_setup(a_leader_is_proven_by_a_consistent_read_only, clear),
        cmocka_unit_test_setup(a_dead_resolver_holds_nobody_beyond_the_deadline, clear),
        cmocka_unit_test_setup(the_token_comes_from_file_then_variable, clear),
        cmocka_unit_test_setup(the_environment_goes_before_consul_env, clear),
        cmocka_unit_test_setup(an_own_token_goes_before_the_token_file_of_consul_env, clear),
        cmocka_unit_test_setup(a_unix_socket_works, clear),
        cmocka_unit_test_setup(an_odd_address_is_refused, clear),
    };
    int rc = cmocka_run_group_tests_name("consul", tests, NULL, NULL);
    (void)rmdir(dir);
    return rc;
}
