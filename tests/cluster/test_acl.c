/* SPDX-License-Identifier: MIT */
/* ACLs on, default deny: the shipped policy is enough, and not more than that; without
 * rights nothing is changed, and it is said. */
#include "base/file.h"
#include "chain.h"
#include "consul/consul.h"
#include "harness.h"

static int setup(void **state)
{
    *state = cluster_start(&(struct cluster_options){
        .acl = true, .heartbeat = "5s", .limits = "no_leader=5s,confirm=0s,mute=24s"});
    return 0;
}

/* A request with the token of server i's programs. */
static long as_server(const struct cluster *c, int i, const char *method, const char *path,
                      const char *body)
{
    struct cluster as = *c;
    memcpy(as.token, c->server[i].token, sizeof as.token);
    return http(&as, i, method, path, body, NULL);
}

static void shipped_policy_is_enough(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++)
        wait_catalogue(c, 1, i, "cluster:quorum", "passing", "3 of 3 servers, 1 may fail", 60000);
    wait_catalogue(c, 1, 1, "cluster:heartbeat", "passing", "", 60000);
    for (int i = 1; i <= 3; i++)
        wait_catalogue(c, 1, i, "cluster:clock", "passing", "3 clocks agree within 100 ms", 60000);
}

static void shipped_policy_is_exact(void **state)
{
    static const struct {
        const char *key;
        long status;
    } writes[] = {
        {"lictor/clock/server-1", 200},
        {"lictor/clock/server-2", 403},
        {"lictor/clock/server-10", 403},
        {"lictor/clock/server-1/x", 403},
        {"lictor/logging/server-1", 200},
        {"lictor/logging/server-2", 403},
        {"lictor/logging/server-10", 403},
        {"lictor/logging/server-1/x", 403},
        {"lictor/mapping", 403},
        {"dc/home/env/service/cluster/tag/any/LOG_INDEX", 403},
        {"dc/home/env/service/any/LOG_INDEX", 403},
    };
    struct cluster *c = *state;
    for (size_t n = 0; n < COUNT(writes); n++) {
        char path[200];
        (void)snprintf(path, sizeof path, "/v1/kv/%s", writes[n].key);
        print_message("  %s\n", writes[n].key);
        assert_int_equal(as_server(c, 1, "PUT", path, "x"), writes[n].status);
    }
    assert_int_equal(as_server(c, 1, "PUT", "/v1/agent/reload", ""), 403);
    kv_delete(c, "lictor/logging/server-1");
}

static uint64_t index_of(struct consul *consul, const char *key)
{
    struct kv_list list = {0};
    struct error err = {0};
    assert_int_equal(consul_kv_read(consul, key, false, CONSUL_DEFAULT, &list, &err), 0);
    uint64_t index = list.n ? list.entries[0].modify_index : 0;
    kv_release(&list);
    return index;
}

/* The announcement of a rollout: writes the own record, reads those of the others. */
static void an_announcement_needs_no_more_than_that(void **state)
{
    struct cluster *c = *state;
    struct consul *consul = NULL;
    struct error err = {0};
    int lock = file_lock(server_path(c, 1, "state/rollout.lock"), 10000, &err);
    assert_return_code(lock, 0); /* its own programs must not write meanwhile */
    kv_put(c, "lictor/logging/gone", "a");
    kv_put(c, "foreign", "a");
    assert_int_equal(consul_open(server_path(c, 1, "etc"), &consul, &err), 0);
    struct kv_version other[] = {{"lictor/logging/gone", 0}};
    other[0].modify_index = index_of(consul, other[0].key);
    assert_in_range(other[0].modify_index, 1, INT32_MAX);
    const char *own = "lictor/logging/server-1";
    uint64_t index = index_of(consul, own);
    assert_int_equal(consul_kv_write_if(consul, own, "b", index, other, 1, &err), 0);
    assert_int_equal(consul_kv_write_if(consul, own, "c", index, other, 1, &err), -ESTALE);
    assert_string_equal(err.text, "lictor/logging/server-1 was changed by somebody else "
                                  "meanwhile");
    index = index_of(consul, own);
    kv_put(c, "lictor/logging/gone", "b");
    assert_int_equal(consul_kv_write_if(consul, own, "c", index, other, 1, &err), -ESTALE);
    assert_string_equal(err.text, "lictor/logging/gone was changed by somebody else "
                                  "meanwhile");
    other[0].key = "foreign";
    assert_int_equal(consul_kv_write_if(consul, own, "c", index, other, 1, &err), -EACCES);
    assert_non_null(strstr(err.text, "(the token needs key \"foreign\" read)"));
    assert_int_equal(consul_kv_write_if(consul, "foreign", "c", 0, NULL, 0, &err), -EACCES);
    assert_non_null(strstr(err.text, "(the token needs key \"foreign\" write)"));
    char *now = kv_get(c, own);
    assert_string_equal(now, "b");
    free(now);
    consul_close(consul);
    file_unlock(lock);
    kv_delete_prefix(c, "lictor/logging/");
}

static void a_change_rolls_with_the_shipped_policy(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++)
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    int64_t begin = chain_clock();
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "CLUSTER_SERVERS",
                 "server_1=server-3,server_2=server-2,server_3=server-1", NULL);
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "passing", "3 of 3 servers on revision", 30000);
    char *touched = chain_touched(c, begin);
    assert_string_equal(touched, "3 2 1");
    free(touched);
}

/* Who is confirmed is the admin's word where there are ACLs. */
static void mapping_waits_for_the_admin(void **state)
{
    struct cluster *c = *state;
    assert_null(kv_get(c, "lictor/mapping"));
    const char *argv[] = {"verify-quorum", "--confirm-mapping", NULL};
    struct outcome o = server_run(c, 1, NULL, argv);
    assert_int_not_equal(o.code, 0);
    assert_non_null(strstr(o.err, "403"));
    outcome_release(&o);
    assert_null(kv_get(c, "lictor/mapping"));
}

/* Server i's token has these rights from now on. */
static void set_rights(struct cluster *c, int i, const char *rules)
{
    char name[80], path[200];
    cJSON *policies = http_get(c, 1, "acl/policies"), *policy = NULL;
    (void)snprintf(name, sizeof name, "lictor-%d", i);
    cJSON_ArrayForEach(policy, policies)
    {
        const char *have = cJSON_GetStringValue(cJSON_GetObjectItem(policy, "Name"));
        if (!have || strcmp(have, name) != 0)
            continue;
        (void)snprintf(path, sizeof path, "/v1/acl/policy/%s",
                       cJSON_GetStringValue(cJSON_GetObjectItem(policy, "ID")));
        cJSON_DeleteItemFromObject(policy, "Rules");
        cJSON_DeleteItemFromObject(policy, "Hash");
        assert_non_null(cJSON_AddStringToObject(policy, "Rules", rules));
        char *body = cJSON_PrintUnformatted(policy);
        assert_int_equal(http(c, 1, "PUT", path, body, NULL), 200);
        free(body);
    }
    cJSON_Delete(policies);
}

/* Everything can be read, nothing published: the rule is named. */
static void a_single_right_that_is_missing_is_named(void **state)
{
    struct cluster *c = *state;
    set_rights(c, 2,
               "key_prefix \"\" { policy = \"write\" } node_prefix \"\" { policy = \"read\" } "
               "service_prefix \"\" { policy = \"read\" } agent_prefix \"\" { policy = \"read\" } "
               "operator = \"read\"");
    wait_check(c, 2, "cluster:heartbeat", "warning",
               "verify-quorum: cannot update check cluster:quorum:", 20000);
    wait_check(c, 2, "cluster:heartbeat", "warning", "service \"cluster\" write)", 20000);
}

static bool cannot_look(void *arg, struct buffer *seen)
{
    const char *argv[] = {"verify-quorum", NULL};
    struct outcome o = server_run(arg, 2, NULL, argv);
    bool yes = o.code == 3 && strstr(o.err, "403");
    if (buffer_printf(seen, "code %d, %s%s", o.code, o.out, o.err) < 0)
        yes = false;
    outcome_release(&o);
    return yes;
}

/* Filtered answers are empty lists: never "no servers". */
static void without_rights_it_cannot_look(void **state)
{
    struct cluster *c = *state;
    struct recorder *r = recorder_start(c, 1);
    int64_t begin = now_ms();
    set_rights(c, 2, "");
    wait_until("verify-quorum of server 2 cannot look", 60000, cannot_look, c);
    assert_int_equal(recorder_when(r, begin, "server-2", "cluster:quorum", "critical", ""), -1);
    recorder_stop(r);
    wait_check(c, 2, "cluster:heartbeat", "warning",
               "no right: cannot read KV lictor/mapping: 403 Permission denied (the token needs ",
               7000);
    wait_catalogue(c, 1, 1, "cluster:quorum", "passing", "3 of 3 servers", 20000);
}

/* Deleted, not only without rights: Consul refuses every request that carries it. */
static void delete_token(struct cluster *c, int i)
{
    struct cluster as = *c;
    struct buffer answer = BUFFER_INIT(1U << 20);
    char path[200];
    memcpy(as.token, c->server[i].token, sizeof as.token);
    assert_int_equal(http(&as, i, "GET", "/v1/acl/token/self", NULL, &answer), 200);
    cJSON *token = cJSON_Parse(buffer_text(&answer));
    (void)snprintf(path, sizeof path, "/v1/acl/token/%s",
                   cJSON_GetStringValue(cJSON_GetObjectItem(token, "AccessorID")));
    assert_int_equal(http(c, 1, "DELETE", path, NULL, NULL), 200);
    cJSON_Delete(token);
    buffer_release(&answer);
}

/* Not taken for "no leader": the heartbeat's line would stay green for ever. */
static void a_deleted_token_is_said_within_one_interval(void **state)
{
    struct cluster *c = *state;
    wait_check(c, 3, "cluster:heartbeat", "passing", "", 20000);
    delete_token(c, 3);
    wait_check(c, 3, "cluster:heartbeat", "warning",
               "no right: cannot read KV lictor/mapping: 403 ACL not found (Consul does not ",
               7000);
}

/* What the catalogue shows of a server without a token never moves again, and it cannot say so. */
static void another_server_says_that_it_reports_nothing(void **state)
{
    struct cluster *c = *state;
    struct check frozen;
    wait_catalogue(c, 1, 1, "cluster:quorum", "warning", "server_1 (node server-3) is alive and ",
                   60000);
    assert_true(check_catalogue(c, 1, "server-3", "cluster:quorum", &frozen));
    assert_string_equal(frozen.status, "passing");
}

/* Then nobody can say anything in the catalogue: it stays as it was. Who looks on a server is told. */
static void with_all_tokens_gone_each_server_says_it(void **state)
{
    struct cluster *c = *state;
    const char *argv[] = {"lictor", "status", NULL};
    delete_token(c, 1);
    delete_token(c, 2);
    for (int i = 1; i <= 3; i++) {
        wait_check(c, i, "cluster:heartbeat", "warning",
                   "no right: cannot read KV lictor/mapping: 403 ACL not found (Consul does not ",
                   7000);
        struct outcome o = server_run(c, i, NULL, argv);
        assert_int_equal(o.code, 3);
        assert_memory_equal(o.out, "cannot look: ", 13);
        assert_non_null(strstr(o.out, "403 ACL not found"));
        outcome_release(&o);
        struct check shown;
        assert_true(check_catalogue(c, 1, c->server[i].node, "cluster:clock", &shown));
        print_message("  the catalogue still shows: %s %s", c->server[i].node, shown.output);
        assert_string_equal(shown.status, "passing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_policy_is_enough),
        cmocka_unit_test(shipped_policy_is_exact),
        cmocka_unit_test(an_announcement_needs_no_more_than_that),
        cmocka_unit_test(a_change_rolls_with_the_shipped_policy),
        cmocka_unit_test(mapping_waits_for_the_admin),
        cmocka_unit_test(a_single_right_that_is_missing_is_named),
        cmocka_unit_test(without_rights_it_cannot_look),
        cmocka_unit_test(a_deleted_token_is_said_within_one_interval),
        cmocka_unit_test(another_server_says_that_it_reports_nothing),
        cmocka_unit_test(with_all_tokens_gone_each_server_says_it),
    };
    return HARNESS_RUN("acl", tests, setup, cluster_tear_down);
}
