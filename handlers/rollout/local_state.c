/* SPDX-License-Identifier: MIT */
#include "rollout/local_state.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/json_fields.h"
#include "base/limits.h"
#include "base/state.h"
#include "settings/settings_print.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_FILE "logging.json"

/* ---- the file ------------------------------------------------------------ */

#define AT(member) offsetof(struct local_state, member)

/* Its members beside the record. */
static const struct json_field fields[] = {
    {"in_force", JSON_FIELD_TEXT, AT(in_force), KV_DIGEST},
    {"settings", JSON_FIELD_TEXT, AT(settings), KV_DIGEST},
    {"results", JSON_FIELD_TEXT, AT(results), KV_DIGEST},
    {"boot", JSON_FIELD_TEXT, AT(boot), KV_DIGEST},
    {"running", JSON_FIELD_FLAG, AT(running), 1},
    {"touched", JSON_FIELD_FLAG, AT(touched), 1},
    {"waiting", JSON_FIELD_FLAG, AT(waiting), 1},
    {"unproven", JSON_FIELD_FLAG, AT(unproven), 1},
    {"rollback_failed", JSON_FIELD_FLAG, AT(rollback_failed), 1},
    {"applied_ms", JSON_FIELD_NUMBERS, AT(applied_ms), 1},
    {"at_ms", JSON_FIELD_NUMBERS, AT(at_ms), 1},
};

static bool save_members(const struct local_state *local, cJSON *root)
{
    return server_record_save(&local->record, cJSON_AddObjectToObject(root, "record")) &&
           json_fields_save(root, local, fields, COUNT(fields));
}

static void set_record(struct local_state *local, enum server_record_state state,
                       const char *revision, const char *reason)
{
    struct server_record *r = &local->record;
    r->state = state;
    r->unproven = local->unproven && (state == SERVER_RECORD_KEPT || state == SERVER_RECORD_FAILED);
    (void)snprintf(r->revision, sizeof r->revision, "%s", revision);
    (void)snprintf(r->reason, sizeof r->reason, "%s", reason);
}

/* The record speaks of what is in force. */
static void record_in_force(struct local_state *local)
{
    set_record(local,
               !local->in_force[0] ? SERVER_RECORD_KEPT
               : local->unproven   ? SERVER_RECORD_APPLYING
                                   : SERVER_RECORD_DONE,
               local->in_force, "");
}

/* The file of the releases that had six states and no record in it. */
static bool load_old(const cJSON *root, struct local_state *ret)
{
    const char *state = json_text(root, "state", "none");
    const char *reason = json_text(root, "reason", "");
    (void)snprintf(ret->in_force, sizeof ret->in_force, "%s", json_text(root, "revision", ""));
    (void)snprintf(ret->record.cluster_uuid, sizeof ret->record.cluster_uuid, "%s",
                   json_text(root, "cluster_uuid", ""));
    ret->running = strcmp(state, "applying") == 0;
    ret->waiting = strcmp(state, "waiting") == 0;
    ret->touched = ret->touched && ret->running;
    if (ret->touched)
        set_record(ret, SERVER_RECORD_APPLYING, json_text(root, "tried", ""), "");
    else if (ret->rollback_failed || strcmp(state, "failed") == 0)
        set_record(ret, SERVER_RECORD_FAILED, json_text(root, "tried", ""), reason);
    else if (strcmp(state, "refused") == 0)
        set_record(ret, SERVER_RECORD_KEPT, ret->in_force, reason);
    else
        record_in_force(ret);
    return strcmp(state, "none") != 0;
}

void local_state_read(const char *state_dir, struct local_state *ret)
{
    cJSON *root = state_read(state_dir, STATE_FILE);
    const cJSON *record = cJSON_GetObjectItemCaseSensitive(root, "record");
    *ret = (struct local_state){0};
    (void)!json_fields_load(root, ret, fields, COUNT(fields), NULL); /* what is wrong is as none */
    ret->known = record ? server_record_load(record, &ret->record) == 0 : load_old(root, ret);
    if (!ret->known)
        *ret = (struct local_state){0};
    cJSON_Delete(root);
}

int local_state_write(const char *state_dir, const struct local_state *local, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    if (!save_members(local, root)) {
        cJSON_Delete(root);
        root = NULL;
    }
    return state_write(state_dir, STATE_FILE, root, false, err);
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
    return file_path(path, sizeof path, state_dir, "rollout.retry", NULL) == 0 && unlink(path) == 0;
}

/* ---- what is due --------------------------------------------------------- */

int64_t local_state_age_ms(const struct local_state *local)
{
    int64_t now = boottime_ms();
    if (!local->boot[0] || strcmp(local->boot, boottime_boot_id()) != 0 || local->at_ms > now)
        return INT64_MAX;
    return now - local->at_ms;
}

bool local_state_settled(const struct local_state *local, const char *settings_digest)
{
    return local->known && !local->running && strcmp(local->settings, settings_digest) == 0;
}

bool local_state_overdue(const struct local_state *local)
{
    return local_state_age_ms(local) >= limits()->resync_ms;
}

bool local_state_due(const struct local_state *local)
{
    return local->running || local->waiting || local->unproven || local_state_overdue(local);
}

/* ---- in words ------------------------------------------------------------- */

/* "index plossys-log, level info, http://es1:9200,http://es2:9200", cut where it is too long. */
static void write_target(const struct settings *s, char ret[SERVER_RECORD_TARGET])
{
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    if (!s->log_enabled)
        (void)snprintf(ret, SERVER_RECORD_TARGET, "switched off");
    else if (settings_print_value(s, LOG_ELASTICSEARCH_URL, &text) == 0)
        (void)snprintf(ret, SERVER_RECORD_TARGET, "index %s, level %s, %s", s->log_index,
                       settings_level_name(s->log_level), buffer_text(&text));
    buffer_release(&text);
}

void local_state_name_target(struct local_state *local, const char *wanted,
                             const struct settings *settings)
{
    if (wanted[0] && strcmp(local->in_force, wanted) == 0)
        write_target(settings, local->record.target);
}

/* ---- as it goes on ------------------------------------------------------- */

static void stamp(struct local_state *local)
{
    (void)snprintf(local->boot, sizeof local->boot, "%s", boottime_boot_id());
    local->at_ms = boottime_ms();
}

void local_state_begin(struct local_state *local, const char *wanted)
{
    if (local->rollback_failed || strcmp(local->in_force, wanted) != 0)
        local->touched = true;
    local->known = local->running = true;
    local->waiting = false;
    if (local->touched)
        set_record(local, SERVER_RECORD_APPLYING, wanted, "");
    else
        record_in_force(local);
    stamp(local);
}

static bool has_refused(const struct local_state *local, const char *wanted)
{
    return local->record.state == SERVER_RECORD_FAILED &&
           strcmp(local->record.revision, wanted) == 0;
}

static void find_work(struct local_state *local, const struct server_record *published)
{
    if (published && published->state == SERVER_RECORD_APPLYING) {
        local_state_begin(local, published->revision);
        return;
    }
    local->known = local->waiting = true;
    local->unproven = published && published->unproven;
    record_in_force(local);
}

void local_state_look(struct local_state *local, const char *wanted, const char *refusal,
                      const struct server_record *published)
{
    if (!local->known)
        find_work(local, published);
    if (local->running)
        return;
    if (!wanted[0]) {
        local->waiting = false;
        if (!local->rollback_failed)
            set_record(local, SERVER_RECORD_KEPT, local->in_force, refusal);
        stamp(local);
    } else if (strcmp(local->in_force, wanted) == 0 && !has_refused(local, wanted) &&
               !local->rollback_failed) {
        local->waiting = false;
        record_in_force(local);
    }
}

void local_state_wait(struct local_state *local, const char *wanted)
{
    if (local->running || has_refused(local, wanted))
        return;
    local->waiting = true;
    if (!local->rollback_failed)
        record_in_force(local);
}

void local_state_end(struct local_state *local, bool done, bool rollback_failed, const char *reason)
{
    char attempted[KV_DIGEST];
    (void)snprintf(attempted, sizeof attempted, "%s",
                   local->touched ? local->record.revision : local->in_force);
    if (done && local->touched) {
        local->unproven = true;
        local->applied_ms = boottime_wall_ms();
        local->record.cluster_uuid[0] = '\0';
    }
    local->running = local->touched = false;
    local->rollback_failed = !done && rollback_failed;
    if (done) {
        memcpy(local->in_force, attempted, sizeof attempted);
        record_in_force(local);
    } else {
        set_record(local, SERVER_RECORD_FAILED, attempted, reason);
    }
    stamp(local);
}

void local_state_prove(struct local_state *local, bool unproven)
{
    local->unproven = unproven;
    if (!local->touched && local->record.state != SERVER_RECORD_FAILED)
        record_in_force(local);
}
