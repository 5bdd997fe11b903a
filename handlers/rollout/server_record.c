/* SPDX-License-Identifier: MIT */
#include "rollout/server_record.h"

#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {"kept", "applying", "done", "failed"};

const char *server_record_state_name(enum server_record_state state)
{
    return state_names[state];
}

static int parse_state(const char *name, enum server_record_state *ret)
{
    for (int i = SERVER_RECORD_KEPT; i <= SERVER_RECORD_FAILED; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *ret = (enum server_record_state)i;
            return 0;
        }
    }
    return -EBADMSG;
}

static bool is_revision(const char *text)
{
    size_t len = strlen(text);
    return (len == 0 || len == KV_DIGEST - 1) && strspn(text, "0123456789abcdef") == len;
}

int server_record_load(const cJSON *object, struct server_record *ret)
{
    const char *revision = json_text(object, "revision", "?");
    *ret = (struct server_record){0};
    if (!is_revision(revision) || parse_state(json_text(object, "state", ""), &ret->state) < 0)
        return -EBADMSG;
    text_copy(ret->revision, sizeof ret->revision, revision);
    text_copy(ret->reason, sizeof ret->reason, json_text(object, "reason", ""));
    text_copy(ret->cluster_uuid, sizeof ret->cluster_uuid, json_text(object, "cluster_uuid", ""));
    text_copy(ret->target, sizeof ret->target, json_text(object, "target", ""));
    ret->unproven = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "unproven"));
    return 0;
}

int server_record_parse(const char *node, const char *text, size_t len, struct server_record *ret,
                        struct error *err)
{
    cJSON *root = NULL;
    *ret = (struct server_record){0};
    int rc = json_parse(text, len, "record", &root, err);
    if (rc == 0)
        rc = server_record_load(root, ret);
    cJSON_Delete(root);
    if (rc < 0)
        return error_set(err, -EBADMSG, "%s%s is not a record of a server", SERVER_RECORD_PREFIX,
                         node);
    text_copy(ret->node, sizeof ret->node, node);
    return 0;
}

bool server_record_save(const struct server_record *record, cJSON *object)
{
    return cJSON_AddNumberToObject(object, "v", 1) &&
           cJSON_AddStringToObject(object, "revision", record->revision) &&
           cJSON_AddStringToObject(object, "state", server_record_state_name(record->state)) &&
           cJSON_AddStringToObject(object, "reason", record->reason) &&
           (!record->cluster_uuid[0] ||
            cJSON_AddStringToObject(object, "cluster_uuid", record->cluster_uuid)) &&
           (!record->target[0] || cJSON_AddStringToObject(object, "target", record->target)) &&
           (!record->unproven || cJSON_AddTrueToObject(object, "unproven"));
}

char *server_record_format(const struct server_record *record)
{
    cJSON *root = cJSON_CreateObject();
    return json_print(root, server_record_save(record, root));
}

bool server_record_same(const struct server_record *a, const struct server_record *b)
{
    return a->state == b->state && strcmp(a->revision, b->revision) == 0 &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->cluster_uuid, b->cluster_uuid) == 0 &&
           strcmp(a->target, b->target) == 0 && a->unproven == b->unproven;
}

static bool is_record(const struct kv_entry *entry)
{
    struct server_record ignored;
    const size_t len = sizeof SERVER_RECORD_PREFIX - 1;
    return strncmp(entry->key, SERVER_RECORD_PREFIX, len) == 0 &&
           server_record_parse(entry->key + len, entry->value, entry->len, &ignored, NULL) == 0;
}

int server_record_digest(const struct kv_list *list, char ret[KV_DIGEST], struct error *err)
{
    struct kv_list records = {calloc(list->n + 1, sizeof *records.entries), 0};
    if (!records.entries)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < list->n; i++) {
        if (is_record(&list->entries[i]))
            records.entries[records.n++] = list->entries[i];
    }
    int rc = kv_digest(&records, SERVER_RECORD_PREFIX, ret, err);
    free(records.entries);
    return rc;
}
