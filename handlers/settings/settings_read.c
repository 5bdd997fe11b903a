#include "settings/settings_read.h"

#include "base/json.h"
#include "settings/effective.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_each(struct consul *consul, const char *root, enum consul_read read,
                     struct kv_list *ret, struct error *err)
{
    char path[SETTINGS_KEY];
    int rc = 0;
    for (int i = 0; rc == 0 && i < SETTING_COUNT; i++) {
        rc = settings_path(root, settings_row((enum setting)i)->key, path, err);
        if (rc == 0)
            rc = consul_kv_read(consul, path, false, read, ret, err);
    }
    return rc;
}

int settings_read(struct consul *consul, const char *root, enum consul_read read,
                  struct kv_list *ret, struct error *err)
{
    char path[SETTINGS_KEY];
    int rc = settings_path(root, "", path, err);
    if (rc < 0)
        return rc;
    rc = consul_kv_read(consul, path, true, read, ret, err);
    if (rc == -EMSGSIZE) {
        kv_release(ret);
        rc = read_each(consul, root, read, ret, err);
    }
    if (rc < 0)
        kv_release(ret);
    return rc;
}

/* A list that a token may not read comes back empty; a single key comes back as 403. */
static int prove_rights(struct consul *consul, const char *root, enum consul_read read,
                        struct error *err)
{
    struct kv_list list = {0};
    char key[SETTINGS_KEY];
    int rc = settings_path(root, settings_row(CLUSTER_SERVERS)->key, key, err);
    if (rc == 0)
        rc = consul_kv_read(consul, key, false, read, &list, err);
    kv_release(&list);
    return rc;
}

int settings_read_judged(struct consul *consul, const char *config_dir, const char *root,
                         enum consul_read read, struct settings *ret, struct error *err)
{
    struct kv_list list = {0};
    struct policy policy = {0};
    struct effective log;
    int rc = policy_read(config_dir, &policy, err);
    if (rc == 0)
        rc = settings_read(consul, root, read, &list, err);
    if (rc == 0 && list.n == 0)
        rc = prove_rights(consul, root, read, err);
    if (rc == 0)
        rc = effective_judge(&policy, root, &list, ret, &log, err);
    policy_release(&policy);
    kv_release(&list);
    return rc;
}

int settings_read_node(struct consul *consul, char ret[SETTING_VALUE_NAME + 1], struct error *err)
{
    cJSON *root = NULL;
    const cJSON *config = NULL;
    const char *name = NULL;
    int rc = consul_get(consul, "agent/self", "agent_prefix \"\" read", &root, err);
    if (rc == 0)
        rc = json_object(root, "Config", &config, err);
    if (rc == 0)
        rc = json_string(config, "NodeName", &name, err);
    if (rc == 0 && (!*name || strlen(name) > SETTING_VALUE_NAME))
        rc = error_set(err, -EBADMSG, "the agent's node name is empty or too long");
    if (rc == 0)
        (void)snprintf(ret, SETTING_VALUE_NAME + 1, "%s", name);
    cJSON_Delete(root);
    return rc;
}

static int take_voter(const cJSON *server, char (*ret)[SETTING_VALUE_NAME + 1], size_t most,
                      size_t *n, struct error *err)
{
    bool voter = false;
    const char *name = json_text(server, "Node", "(unknown)");
    int rc = json_boolean(server, "Voter", &voter, err);
    if (rc < 0 || !voter)
        return rc < 0 ? -EBADMSG : 0;
    if (strcmp(name, "(unknown)") == 0)
        name = json_text(server, "Address", "");
    if (*n == most)
        return error_set(err, -E2BIG, "more than %zu voters", most);
    (void)snprintf(ret[(*n)++], SETTING_VALUE_NAME + 1, "%s", name);
    return 0;
}

int settings_read_voters(struct consul *consul, char (*ret)[SETTING_VALUE_NAME + 1], size_t most,
                         size_t *ret_n, struct error *err)
{
    cJSON *root = NULL;
    const cJSON *servers = NULL;
    const cJSON *server = NULL;
    *ret_n = 0;
    int rc = consul_get(consul, "operator/raft/configuration?stale", "operator read", &root, err);
    if (rc == 0)
        rc = json_array(root, "Servers", &servers, err);
    cJSON_ArrayForEach(server, servers)
    {
        if (rc == 0)
            rc = take_voter(server, ret, most, ret_n, err);
    }
    cJSON_Delete(root);
    return rc;
}
