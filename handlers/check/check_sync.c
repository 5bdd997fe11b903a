/* SPDX-License-Identifier: MIT */
#include "check/check_sync.h"

#include "base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool in_catalogue(const cJSON *catalogue, const char *node, const char *id,
                         const char *status)
{
    const cJSON *check = NULL;
    cJSON_ArrayForEach(check, catalogue)
    {
        if (strcasecmp(json_text(check, "Node", ""), node) == 0 &&
            strcmp(json_text(check, "CheckID", ""), id) == 0)
            return strcmp(json_text(check, "Status", ""), status) == 0;
    }
    return false;
}

int check_sync_compare(const cJSON *agent, const cJSON *catalogue, const char *node, char *ret,
                       size_t size, struct error *err)
{
    int n = 0;
    size_t used = 0;
    const cJSON *check = NULL;
    ret[0] = '\0';
    if (!cJSON_IsObject(agent) || !cJSON_IsArray(catalogue))
        return error_set(err, -EBADMSG, "Consul's lists of checks are not as expected");
    cJSON_ArrayForEach(check, agent)
    {
        const char *id = json_text(check, "CheckID", "");
        if (strcmp(json_text(check, "ServiceID", ""), CHECK_SYNC_SERVICE) != 0 ||
            in_catalogue(catalogue, node, id, json_text(check, "Status", "")))
            continue;
        int len = snprintf(ret + used, size - used, "%s%s", n ? ", " : "", id);
        used += len < 0 || (size_t)len >= size - used ? size - used - 1 : (size_t)len;
        n++;
    }
    return n;
}

int check_sync_look(struct consul *consul, const char *node, char *ret, size_t size,
                    struct error *err)
{
    static const char rule[] = "service \"" CHECK_SYNC_SERVICE "\" read";
    cJSON *agent = NULL, *catalogue = NULL;
    int rc = consul_get(consul, "agent/checks", rule, &agent, err);
    if (rc == 0)
        rc = consul_get(consul, "health/checks/" CHECK_SYNC_SERVICE "?stale", rule, &catalogue,
                        err);
    if (rc == 0)
        rc = check_sync_compare(agent, catalogue, node, ret, size, err);
    cJSON_Delete(agent);
    cJSON_Delete(catalogue);
    return rc;
}
