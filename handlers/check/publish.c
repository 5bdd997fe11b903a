/* SPDX-License-Identifier: MIT */
#include "check/publish.h"

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/state.h"
#include "base/trust.h"

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

/* Send the new text, or where it must be held or no leader is proven the old one again. m: what
 * was published last, and is now. */
static int send(struct consul *consul, const char *check_id, const struct memory *new, bool hold,
                struct memory *m, struct error *err)
{
    bool same = strcmp(m->status, new->status) == 0 && strcmp(m->text, new->text) == 0;
    bool led = same || (!hold && consul_led(consul_prove_leader(consul, NULL)));
    if (!led && !m->status[0])
        return 0; /* nothing published yet: any text would be a change */
    const struct memory *sent = led ? new : m;
    int rc = consul_check_update(consul, check_id, sent->status, sent->text, err);
    if (rc == 0)
        *m = *sent;
    return rc;
}

int publish_verdict(struct consul *consul, const char *state_dir, const char *check_id,
                    const struct verdict *v, bool hold, struct error *err)
{
    char file[FILE_TEXT];
    struct memory before, now, m;
    int rc = check_ours(state_dir, err);
    if (rc < 0)
        return rc;
    load_memory(state_dir, file_of(check_id, "verdict", file), &before);
    m = now = before;
    (void)snprintf(now.status, sizeof now.status, "%s", verdict_status_name(v->status));
    verdict_render(v, now.text);
    bool changed = log_change(check_id, v, &m);
    memcpy(now.seen, m.seen, sizeof now.seen);
    if (consul)
        rc = send(consul, check_id, &now, hold, &m, err);
    if (changed || strcmp(m.status, before.status) != 0 || strcmp(m.text, before.text) != 0) {
        struct error disk = {0};
        if (save(state_dir, file, &m, &disk) < 0 && rc == 0)
            rc = error_set(err, -EIO, "%s", disk.text);
    }
    return rc;
}
