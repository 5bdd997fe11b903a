/* SPDX-License-Identifier: MIT */
#include "shipper/apply_protocol.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1 /* of both */

/* ---- the request --------------------------------------------------------- */

/* One of the table, if KV has it: whatever else begins with LOG_ goes no further. */
static int add_setting(cJSON *to, enum setting setting, const struct kv_list *entries,
                       const char *settings_root, struct error *err)
{
    char path[SETTINGS_KEY];
    const char *key = settings_row(setting)->key;
    int rc = settings_path(settings_root, key, path, err);
    if (rc < 0)
        return rc;
    const struct kv_entry *entry = kv_find(entries, path);
    if (!entry)
        return 0;
    if (strlen(entry->value) != entry->len)
        return error_set(err, -EBADMSG, "%s cannot be handed over: it holds a NUL", key);
    return cJSON_AddStringToObject(to, key, entry->value)
               ? 0
               : error_set(err, -ENOMEM, "out of memory");
}

static int make_request(cJSON *root, const struct kv_list *entries, const char *settings_root,
                        struct error *err)
{
    cJSON *settings = cJSON_AddNumberToObject(root, "v", VERSION)
                          ? cJSON_AddObjectToObject(root, "settings")
                          : NULL;
    int rc = settings ? 0 : error_set(err, -ENOMEM, "out of memory");
    for (int i = 0; rc == 0 && i < SETTING_COUNT; i++) {
        if (settings_row((enum setting)i)->group == GROUP_LOG)
            rc = add_setting(settings, (enum setting)i, entries, settings_root, err);
    }
    return rc;
}

int apply_protocol_format_request(const struct kv_list *entries, const char *settings_root,
                                  char **ret, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    int rc = make_request(root, entries, settings_root, err);
    *ret = rc == 0 ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    if (rc < 0)
        return rc;
    if (!*ret)
        return error_set(err, -ENOMEM, "out of memory");
    size_t len = strlen(*ret);
    if (len <= APPLY_PROTOCOL_MAX)
        return 0;
    cJSON_free(*ret);
    *ret = NULL;
    return error_set(err, -EMSGSIZE, "the LOG_ settings have %zu bytes, %d can be handed over", len,
                     APPLY_PROTOCOL_MAX);
}

int apply_protocol_read(int fd, struct buffer *ret, struct error *err)
{
    char limit[DURATION_TEXT];
    *ret = BUFFER_INIT(APPLY_PROTOCOL_MAX);
    int rc = buffer_read_within(ret, fd, limits()->request_ms);
    if (rc == -EMSGSIZE)
        return error_set(err, rc, "the request is larger than %d bytes", APPLY_PROTOCOL_MAX);
    if (rc == -ETIMEDOUT)
        return error_set(err, rc, "the request has no end after %s",
                         duration_format(limits()->request_ms * 1000, limit));
    return rc < 0 ? error_set(err, rc, "cannot read the request: %s", strerror(-rc)) : 0;
}

/* cJSON keeps members of the same name, and a reader finds the first. */
static int refuse_twins(const cJSON *object, struct error *err)
{
    char echo[SETTING_VALUE_ECHO];
    for (const cJSON *item = object->child; item; item = item->next) {
        for (const cJSON *other = item->next; other; other = other->next) {
            if (strcmp(item->string, other->string) == 0)
                return error_set(err, -EBADMSG, "\"%s\" is given twice",
                                 setting_value_echo(item->string, strlen(item->string), echo));
        }
    }
    return 0;
}

static int check_request_members(const cJSON *root, struct error *err)
{
    static const char *const names[] = {"v", "settings"};
    const char *name = "";
    char echo[SETTING_VALUE_ECHO];
    if (!cJSON_IsObject(root))
        return error_set(err, -EBADMSG, "it is not a JSON object");
    int rc = json_members(root, names, COUNT(names), &name);
    if (rc == 0)
        return 0;
    return error_set(err, -EBADMSG, "\"%s\" is %s", setting_value_echo(name, strlen(name), echo),
                     rc == -EEXIST ? "given twice" : "not a known member");
}

static int take_setting(const cJSON *item, const char *settings_root, struct kv_list *list,
                        struct error *err)
{
    char key[SETTINGS_KEY];
    char echo[SETTING_VALUE_ECHO];
    if (settings_group(item->string) != GROUP_LOG)
        return error_set(err, -EBADMSG, "\"%s\" is not the name of a LOG_ setting",
                         setting_value_echo(item->string, strlen(item->string), echo));
    if (!cJSON_IsString(item))
        return error_set(err, -EBADMSG, "a setting is not a text");
    if (settings_path(settings_root, item->string, key, NULL) < 0)
        return error_set(err, -EBADMSG, "the name of a setting is too long");
    if (kv_add(list, key, item->valuestring, strlen(item->valuestring), 0) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    return 0;
}

static int take_settings(const cJSON *root, const char *settings_root, struct kv_list *list,
                         struct error *err)
{
    const cJSON *object = NULL;
    const cJSON *item = NULL;
    int rc = json_object(root, "settings", &object, err);
    if (rc == 0)
        rc = refuse_twins(object, err);
    cJSON_ArrayForEach(item, object)
    {
        rc = rc < 0 ? rc : take_setting(item, settings_root, list, err);
    }
    return rc;
}

int apply_protocol_parse_request(const struct buffer *text, const char *settings_root,
                                 struct kv_list *list, struct error *err)
{
    cJSON *root = NULL;
    int64_t version = 0;
    struct error why = {0};
    int rc = json_parse(buffer_text(text), text->len, "request", &root, err);
    if (rc < 0)
        return rc;
    rc = check_request_members(root, &why);
    if (rc == 0)
        rc = json_integer(root, "v", &version, &why);
    if (rc == 0 && version != VERSION)
        rc = error_set(&why, -EBADMSG, "only version %d is known", VERSION);
    if (rc == 0)
        rc = take_settings(root, settings_root, list, &why);
    if (rc < 0)
        rc = error_set(err, rc, "request: %s", why.text);
    cJSON_Delete(root);
    return rc;
}

/* ---- the answer ---------------------------------------------------------- */

char *apply_protocol_format_answer(const struct apply_answer *answer)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *failed = NULL;
    if (cJSON_AddNumberToObject(root, "v", VERSION) &&
        cJSON_AddStringToObject(root, "state", answer->done ? "done" : "failed") &&
        cJSON_AddStringToObject(root, "revision", answer->revision) &&
        cJSON_AddBoolToObject(root, "changed", answer->changed) &&
        cJSON_AddBoolToObject(root, "recovered", answer->recovered) &&
        cJSON_AddStringToObject(root, "reason", answer->reason))
        failed = cJSON_AddArrayToObject(root, "rollback_failed");
    bool whole = failed != NULL;
    for (size_t i = 0; whole && i < answer->n_failed; i++)
        whole = cJSON_AddItemToArray(failed, cJSON_CreateString(answer->failed[i]));
    char *text = whole ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}

int apply_protocol_parse_answer(const char *text, size_t len, const char *revision,
                                struct apply_result *ret, struct error *err)
{
    cJSON *root = NULL;
    const cJSON *broken = NULL;
    const char *state = NULL;
    struct error ignored = {0};
    *ret = (struct apply_result){0};
    int rc = json_parse(text, len, "answer of apply-logging", &root, err);
    if (rc == 0)
        rc = json_string(root, "state", &state, err);
    if (rc == 0) {
        ret->done = strcmp(state, "done") == 0;
        if (json_array(root, "rollback_failed", &broken, &ignored) == 0)
            ret->rollback_failed = cJSON_GetArraySize(broken) > 0;
        if (json_boolean(root, "changed", &ret->changed, &ignored) < 0)
            ret->changed = true;
        text_copy(ret->reason, sizeof ret->reason, json_text(root, "reason", ""));
        if (ret->done && strcmp(json_text(root, "revision", ""), revision) != 0)
            rc = error_set(err, -EBADMSG, "apply-logging applied another revision");
    }
    cJSON_Delete(root);
    return rc;
}
