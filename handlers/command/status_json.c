/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "check/verdict.h"
#include "command/status_text.h"

#include <errno.h>
#include <string.h>

static const char *name_of(int code)
{
    return code >= VERDICT_PASSING && code <= VERDICT_CRITICAL
               ? verdict_status_name((enum verdict_status)code)
               : "unknown";
}

static bool add_server(cJSON *list, const struct status_server *s)
{
    cJSON *server = cJSON_CreateObject();
    bool ok = cJSON_AddItemToArray(list, server) &&
              cJSON_AddStringToObject(server, "node", s->node) &&
              cJSON_AddStringToObject(server, "server", s->server) &&
              cJSON_AddStringToObject(server, "address", s->address) &&
              cJSON_AddStringToObject(server, "consul", s->build) &&
              cJSON_AddStringToObject(server, "role", status_role_name(s->role));
    cJSON *checks = ok ? cJSON_AddObjectToObject(server, "checks") : NULL;
    ok = checks != NULL;
    for (size_t k = 0; ok && k < STATUS_CHECKS; k++) {
        cJSON *check = s->check[k] == STATUS_NONE
                           ? NULL
                           : cJSON_AddObjectToObject(checks, status_checks[k].id);
        ok = s->check[k] == STATUS_NONE ||
             (cJSON_AddStringToObject(check, "status", name_of(s->check[k])) &&
              cJSON_AddStringToObject(check, "text", s->said[k]));
    }
    return ok;
}

static bool add_verdicts(cJSON *root, const struct status_view *view)
{
    cJSON *verdicts = cJSON_AddObjectToObject(root, "verdicts");
    bool ok = verdicts != NULL;
    for (size_t k = 0; ok && k < STATUS_CHECKS; k++) {
        const struct status_verdict *v = &view->verdict[k];
        cJSON *verdict = v->judged ? cJSON_AddObjectToObject(verdicts, status_checks[k].id) : NULL;
        ok = !v->judged || (cJSON_AddStringToObject(verdict, "status", name_of(v->code)) &&
                            cJSON_AddStringToObject(verdict, "text", v->text));
    }
    return ok;
}

static bool add_all(cJSON *root, const struct status_view *view)
{
    bool ok = cJSON_AddNumberToObject(root, "v", 1) &&
              cJSON_AddStringToObject(root, "node", view->node) &&
              cJSON_AddNumberToObject(root, "time", (double)view->now) &&
              cJSON_AddBoolToObject(root, "leader", view->led) &&
              cJSON_AddStringToObject(root, "unreadable", view->unreadable) &&
              cJSON_AddStringToObject(root, "uncatalogued", view->uncatalogued) &&
              cJSON_AddNumberToObject(root, "exit_code", status_view_code(view));
    cJSON *servers = ok ? cJSON_AddArrayToObject(root, "servers") : NULL;
    ok = servers != NULL;
    for (size_t i = 0; ok && i < view->n; i++)
        ok = add_server(servers, &view->server[i]);
    return ok && add_verdicts(root, view);
}

int status_json(const struct status_view *view, struct buffer *out)
{
    cJSON *root = cJSON_CreateObject();
    char *text = root && add_all(root, view) ? cJSON_PrintUnformatted(root) : NULL;
    int rc = text ? buffer_printf(out, "%s\n", text) : -ENOMEM;
    cJSON_free(text);
    cJSON_Delete(root);
    return rc;
}
