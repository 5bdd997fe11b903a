/* SPDX-License-Identifier: MIT */
#include "check/publish.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/state.h"
#include "base/trust.h"
#include "check/rest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* What is remembered of a check. */
struct memory {
    char status[16]; /* last published, "" nothing yet */
    char text[VERDICT_OUTPUT + 1];
    char seen[VERDICT_SUMMARY + 32]; /* last verdict found: "status: summary" */
};

#define FILE_TEXT 256 /* bytes of a file's name */

static const char *file_of(const char *check_id, const char *suffix, char ret[FILE_TEXT])
{
    (void)snprintf(ret, FILE_TEXT, "%s.%s", check_id, suffix);
    return ret;
}

static int check_ours(const char *state_dir, struct error *err)
{
    if (trust_own_directory(state_dir))
        return 0;
    return error_set(err, -EPERM,
                     "%s is not ours alone: --publish is for the user of the Consul agent "
                     "(lictor enable creates the directory)",
                     state_dir);
}

int publish_lock(const char *state_dir, const char *check_id, struct error *err)
{
    char path[FILE_PATH], file[FILE_TEXT];
    int rc = check_ours(state_dir, err);
    if (rc == 0)
        rc = file_path(path, sizeof path, state_dir, file_of(check_id, "lock", file), err);
    return rc < 0 ? rc : file_lock(path, limits()->lock_ms, err);
}

static void load_memory(const char *state_dir, const char *file, struct memory *m)
{
    cJSON *root = state_read(state_dir, file);
    (void)snprintf(m->status, sizeof m->status, "%s", json_text(root, "status", ""));
    (void)snprintf(m->text, sizeof m->text, "%s", json_text(root, "text", ""));
    (void)snprintf(m->seen, sizeof m->seen, "%s", json_text(root, "seen", ""));
    cJSON_Delete(root);
}

static int save(const char *state_dir, const char *file, const struct memory *m, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddStringToObject(root, "status", m->status) &&
        cJSON_AddStringToObject(root, "text", m->text) &&
        cJSON_AddStringToObject(root, "seen", m->seen))
        return state_write(state_dir, file, root, false, err);
    cJSON_Delete(root);
    return error_set(err, -ENOMEM, "out of memory");
}

/* One line in syslog for every change of what was found, published or not. */
static bool log_change(const char *check_id, const struct verdict *v, struct memory *m)
{
    char now[sizeof m->seen];
    char before[16];
    (void)snprintf(now, sizeof now, "%s: %s", verdict_status_name(v->status), v->summary);
    if (strcmp(now, m->seen) == 0)
        return false;
    (void)snprintf(before, sizeof before, "%.*s", (int)strcspn(m->seen, ":"), m->seen);
    program_log(v->status == VERDICT_PASSING ? LOG_NOTICE : LOG_WARNING, "%s: %s -> %s", check_id,
                before[0] ? before : "unknown", now);
    (void)snprintf(m->seen, sizeof m->seen, "%s", now);
    return true;
}

/* May what is shown change now? The agent brings a changed status to the catalogue at once, but a
 * mere text later, when there may be no leader any more (rest.h). */
static bool may_change(struct consul *consul, const char *state_dir, const struct memory *shown,
                       const struct memory *new)
{
    if (!consul_led(consul_prove_leader(consul, NULL)))
        return false;
    return strcmp(shown->status, new->status) != 0 ||
           rest_look(consul, state_dir) >= limits()->rest_ms;
}

/* What to send: the new text, or where it must be held the old one again, "" where there is none
 * (any text would be a change). */
static const struct memory *choose(struct consul *consul, const char *state_dir, bool hold,
                                   const struct memory *shown, const struct memory *new)
{
    bool same = strcmp(shown->status, new->status) == 0 && strcmp(shown->text, new->text) == 0;
    return !same && !hold && may_change(consul, state_dir, shown, new) ? new : shown;
}

/* Saved before it is sent: an agent that is asked for a change answers late where its lock is held,
 * and takes the change even when we have been killed meanwhile. What it did not get is taken
 * back. */
static int send(struct consul *consul, const char *state_dir, const char *check_id,
                const struct memory *new, const struct memory *shown, bool changed,
                struct error *err)
{
    char file[FILE_TEXT];
    struct error disk = {0};
    int rc = 0, saved = 0;
    (void)file_of(check_id, "verdict", file);
    if (changed || new != shown)
        saved = save(state_dir, file, new, &disk);
    if (consul && new->status[0])
        rc = consul_check_update(consul, check_id, new->status, new->text, err);
    if (rc < 0 && rc != -ETIMEDOUT && new != shown)
        saved = save(state_dir, file, shown, &disk);
    return rc == 0 && saved < 0 ? error_set(err, -EIO, "%s", disk.text) : rc;
}

int publish_verdict(struct consul *consul, const char *state_dir, const char *check_id,
                    const struct verdict *v, bool hold, struct error *err)
{
    char file[FILE_TEXT];
    struct memory shown, new;
    int rc = check_ours(state_dir, err);
    if (rc < 0)
        return rc;
    load_memory(state_dir, file_of(check_id, "verdict", file), &shown);
    bool changed = log_change(check_id, v, &shown);
    new = shown;
    (void)snprintf(new.status, sizeof new.status, "%s", verdict_status_name(v->status));
    verdict_render(v, new.text);
    const struct memory *sent = consul ? choose(consul, state_dir, hold, &shown, &new) : &shown;
    return send(consul, state_dir, check_id, sent, &shown, changed, err);
}
