/* SPDX-License-Identifier: MIT */
#include "server.h"

/* PUT a JSON object, which is deleted, and give the string member of the answer. */
static void put(struct cluster *c, const char *path, cJSON *object, const char *member, char *ret,
                size_t size)
{
    struct buffer answer = BUFFER_INIT(1U << 20);
    char *body = cJSON_PrintUnformatted(object);
    long status = http(c, 1, "PUT", path, body, &answer);
    cJSON *root = cJSON_Parse(buffer_text(&answer));
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(root, member));
    if (status != 200 || (ret && !value))
        harness_fail("PUT %s: %ld %s", path, status, buffer_text(&answer));
    if (ret)
        (void)snprintf(ret, size, "%s", value);
    cJSON_Delete(root);
    cJSON_Delete(object);
    free(body);
    buffer_release(&answer);
}

static bool bootstraps(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    long status = http(c, 1, "PUT", "/v1/acl/bootstrap", "", seen);
    cJSON *root = status == 200 ? cJSON_Parse(buffer_text(seen)) : NULL;
    const char *token = cJSON_GetStringValue(cJSON_GetObjectItem(root, "SecretID"));
    if (token)
        (void)snprintf(c->token, sizeof c->token, "%s", token);
    cJSON_Delete(root);
    return token != NULL;
}

void acl_token(struct cluster *c, const char *name, const char *rules, char ret[40])
{
    cJSON *policy = cJSON_CreateObject(), *token = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(policy, "Name", name);
    (void)cJSON_AddStringToObject(policy, "Rules", rules);
    put(c, "/v1/acl/policy", policy, "ID", NULL, 0);
    cJSON *link = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(link, "Name", name);
    (void)cJSON_AddItemToArray(cJSON_AddArrayToObject(token, "Policies"), link);
    put(c, "/v1/acl/token", token, "SecretID", ret, 40);
}

char *acl_shipped_policy(const char *node)
{
    char change[200];
    (void)snprintf(change, sizeof change, "s|@NODE@|%s|g; s|@ROOT@|" HARNESS_ROOT "|g", node);
    const char *argv[] = {"/bin/sed", change, SOURCE_DIR "/consul.d/acl/node.hcl.in", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("node.hcl.in: %s", o.err);
    free(o.err);
    return o.out;
}

/* The agent's own token (to register its node) and the one of our programs. */
static void server_tokens(struct cluster *c, int i)
{
    char name[80], rules[300], own[40];
    (void)snprintf(name, sizeof name, "agent-%d", i);
    (void)snprintf(rules, sizeof rules,
                   "node \"%s\" { policy = \"write\" } "
                   "service_prefix \"\" { policy = \"read\" }",
                   c->server[i].node);
    acl_token(c, name, rules, own);
    cJSON *token = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(token, "Token", own);
    char *body = cJSON_PrintUnformatted(token);
    if (http(c, i, "PUT", "/v1/agent/token/agent", body, NULL) != 200)
        harness_fail("server %d does not take its agent token", i);
    free(body);
    cJSON_Delete(token);
    char *policy = c->options.node_policy ? strdup(c->options.node_policy)
                                          : acl_shipped_policy(c->server[i].node);
    (void)snprintf(name, sizeof name, "lictor-%d", i);
    acl_token(c, name, policy, c->server[i].token);
    free(policy);
}

static bool knows_token(void *arg, struct buffer *seen)
{
    const struct cluster *c = ((void **)arg)[0];
    struct cluster as = *c;
    int i = *(int *)((void **)arg)[1];
    (void)snprintf(as.token, sizeof as.token, "%s", c->server[i].token);
    return http(&as, i, "GET", "/v1/acl/token/self", NULL, seen) == 200;
}

void acl_start(struct cluster *c)
{
    wait_until("ACL bootstrap", 20000, bootstraps, c);
    for (int i = 1; i <= c->servers; i++) {
        void *arg[] = {c, &i};
        server_tokens(c, i);
        wait_until("the server knows its token", 10000, knows_token, arg);
        server_enable(c, i);
        server_reload_now(c, i);
    }
}
