/* SPDX-License-Identifier: MIT */
#include "rollout/local_state.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_FILE "logging.json"

static const char *const state_names[] = {"none",    "applying", "done",
                                          "refused", "failed",   "waiting"};

static void copy(char *to, size_t size, const cJSON *root, const char *name)
{
    (void)snprintf(to, size, "%s", json_text(root, name, ""));
}

static void load_members(const cJSON *root, struct local_state *ret)
{
    struct error ignored = {0};
    const char *state = json_text(root, "state", "none");
    for (int i = LOCAL_STATE_NONE; i <= LOCAL_STATE_WAITING; i++) {
        if (strcmp(state, state_names[i]) == 0)
            ret->state = (enum local_state_state)i;
    }
    copy(ret->settings, sizeof ret->settings, root, "settings");
    copy(ret->results, sizeof ret->results, root, "results");
    copy(ret->revision, sizeof ret->revision, root, "revision");
    copy(ret->tried, sizeof ret->tried, root, "tried");
    copy(ret->reason, sizeof ret->reason, root, "reason");
    copy(ret->boot, sizeof ret->boot, root, "boot");
    if (json_boolean(root, "rollback_failed", &ret->rollback_failed, &ignored) < 0)
        ret->rollback_failed = false;
    if (json_boolean(root, "touched", &ret->touched, &ignored) < 0)
        ret->touched = false;
    if (json_boolean(root, "unproven", &ret->unproven, &ignored) < 0)
        ret->unproven = false;
    if (json_integer(root, "applied_ms", &ret->applied_ms, &ignored) < 0)
        ret->applied_ms = 0;
    copy(ret->cluster_uuid, sizeof ret->cluster_uuid, root, "cluster_uuid");
    if (json_integer(root, "at_ms", &ret->at_ms, &ignored) < 0)
        ret->boot[0] = '\0';
}

void local_state_read(const char *state_dir, struct local_state *ret)
{
    cJSON *root = state_read(state_dir, STATE_FILE);
    *ret = (struct local_state){0};
    if (root)
        load_members(root, ret);
    cJSON_Delete(root);
}

static cJSON *to_json(const struct local_state *local)
{
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddStringToObject(root, "state", state_names[local->state]) &&
        cJSON_AddStringToObject(root, "settings", local->settings) &&
        cJSON_AddStringToObject(root, "results", local->results) &&
        cJSON_AddStringToObject(root, "revision", local->revision) &&
        cJSON_AddStringToObject(root, "tried", local->tried) &&
        cJSON_AddStringToObject(root, "reason", local->reason) &&
        cJSON_AddBoolToObject(root, "rollback_failed", local->rollback_failed) &&
        cJSON_AddBoolToObject(root, "touched", local->touched) &&
        cJSON_AddBoolToObject(root, "unproven", local->unproven) &&
        cJSON_AddNumberToObject(root, "applied_ms", (double)local->applied_ms) &&
        cJSON_AddStringToObject(root, "cluster_uuid", local->cluster_uuid) &&
        cJSON_AddStringToObject(root, "boot", local->boot) &&
        cJSON_AddNumberToObject(root, "at_ms", (double)local->at_ms))
        return root;
    cJSON_Delete(root);
    return NULL;
}

int local_state_write(const char *state_dir, const struct local_state *local, struct error *err)
{
    return state_write(state_dir, STATE_FILE, to_json(local), false, err);
}

int local_state_ask_retry(const char *state_dir, struct error *err)
{
    char path[FILE_PATH];
    int rc = file_path(path, sizeof path, state_dir, "rollout.retry", err);
    return rc < 0 ? rc : file_replace(path, "", 0, 0600, false, err);
}

bool local_state_take_retry(const char *state_dir)
{
    char path[FILE_PATH];
    struct error ignored = {0};
    return file_path(path, sizeof path, state_dir, "rollout.retry", &ignored) == 0 &&
           unlink(path) == 0;
}

int64_t local_state_age_ms(const struct local_state *local)
{
    int64_t now = boottime_ms();
    if (!local->boot[0] || strcmp(local->boot, boottime_boot_id()) != 0 || local->at_ms > now)
        return INT64_MAX;
    return now - local->at_ms;
}

bool local_state_settled(const struct local_state *local, const char *settings_digest)
{
    return local->state >= LOCAL_STATE_DONE && strcmp(local->settings, settings_digest) == 0;
}

bool local_state_overdue(const struct local_state *local)
{
    return local_state_age_ms(local) >= limits()->resync_ms;
}

bool local_state_due(const struct local_state *local)
{
    return local->state == LOCAL_STATE_APPLYING || local->state == LOCAL_STATE_WAITING ||
           local->unproven || local_state_overdue(local);
}

static void stamp(struct local_state *local)
{
    (void)snprintf(local->boot, sizeof local->boot, "%s", boottime_boot_id());
    local->at_ms = boottime_ms();
}

void local_state_begin(struct local_state *local, const char *wanted)
{
    if (local->rollback_failed || strcmp(local->revision, wanted) != 0)
        local->touched = true;
    local->state = LOCAL_STATE_APPLYING;
    (void)snprintf(local->tried, sizeof local->tried, "%s", wanted);
    stamp(local);
}

static void set_reason(struct local_state *local, const char *reason)
{
    (void)snprintf(local->reason, sizeof local->reason, "%s", reason);
}

void local_state_look(struct local_state *local, const char *wanted, const char *refusal,
                      const struct server_record *published)
{
    bool refused = local->state == LOCAL_STATE_FAILED && strcmp(local->tried, wanted) == 0;
    if (local->state == LOCAL_STATE_NONE && published && published->state == SERVER_RECORD_APPLYING)
        local_state_begin(local, published->revision);
    else if (local->state == LOCAL_STATE_NONE) {
        local->state = LOCAL_STATE_WAITING;
        local->unproven = published && published->unproven;
    }
    if (local->state == LOCAL_STATE_APPLYING)
        return;
    if (!wanted[0]) {
        local->state = LOCAL_STATE_REFUSED;
        set_reason(local, refusal);
        stamp(local);
    } else if (strcmp(local->revision, wanted) == 0 && !refused && !local->rollback_failed) {
        local->state = LOCAL_STATE_DONE;
        local->reason[0] = '\0';
    }
}

void local_state_wait(struct local_state *local, const char *wanted)
{
    if (local->state == LOCAL_STATE_APPLYING ||
        (local->state == LOCAL_STATE_FAILED && strcmp(local->tried, wanted) == 0))
        return;
    local->state = LOCAL_STATE_WAITING;
    if (!local->rollback_failed)
        local->reason[0] = '\0';
}

static enum server_record_state recorded_state(const struct local_state *local)
{
    if (local->state == LOCAL_STATE_APPLYING && local->touched)
        return SERVER_RECORD_APPLYING;
    if (local->state == LOCAL_STATE_FAILED || local->rollback_failed)
        return SERVER_RECORD_FAILED;
    if (local->state == LOCAL_STATE_NONE || local->state == LOCAL_STATE_REFUSED ||
        !local->revision[0])
        return SERVER_RECORD_KEPT;
    return local->unproven ? SERVER_RECORD_APPLYING : SERVER_RECORD_DONE;
}

void local_state_record(const struct local_state *local, const char *node,
                        struct server_record *ret)
{
    *ret = (struct server_record){.state = recorded_state(local)};
    bool tried = ret->state == SERVER_RECORD_FAILED ||
                 (ret->state == SERVER_RECORD_APPLYING && local->touched);
    bool reason = ret->state == SERVER_RECORD_KEPT || ret->state == SERVER_RECORD_FAILED;
    (void)snprintf(ret->node, sizeof ret->node, "%s", node);
    (void)snprintf(ret->revision, sizeof ret->revision, "%s",
                   tried ? local->tried : local->revision);
    (void)snprintf(ret->reason, sizeof ret->reason, "%s", reason ? local->reason : "");
    (void)snprintf(ret->cluster_uuid, sizeof ret->cluster_uuid, "%s", local->cluster_uuid);
    ret->unproven = local->unproven && reason;
}

void local_state_end(struct local_state *local, bool done, bool rollback_failed, const char *reason)
{
    local->state = done ? LOCAL_STATE_DONE : LOCAL_STATE_FAILED;
    local->rollback_failed = rollback_failed;
    if (done && local->touched) {
        local->unproven = true;
        local->applied_ms = boottime_wall_ms();
        local->cluster_uuid[0] = '\0';
    }
    local->touched = false;
    (void)snprintf(local->reason, sizeof local->reason, "%s", reason);
    if (done)
        (void)snprintf(local->revision, sizeof local->revision, "%s", local->tried);
    stamp(local);
}
