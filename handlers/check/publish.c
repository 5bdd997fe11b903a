#include "check/publish.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define FILE_LIMIT (8 * VERDICT_OUTPUT)

/* What is remembered of a check. */
struct memory {
    char status[16]; /* last published, "" nothing yet */
    char text[VERDICT_OUTPUT + 1];
    char seen[VERDICT_SUMMARY + 32]; /* last verdict found: "status: summary" */
};

static int make_path(char *ret, size_t size, const char *state_dir, const char *check_id,
                     const char *suffix, struct error *err)
{
    int n = snprintf(ret, size, "%s/%s.%s", state_dir, check_id, suffix);
    if (n < 0 || (size_t)n >= size)
        return error_set(err, -ENAMETOOLONG, "%s: path too long", state_dir);
    return 0;
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
    char path[FILE_PATH];
    int rc = check_ours(state_dir, err);
    if (rc == 0)
        rc = make_path(path, sizeof path, state_dir, check_id, "lock", err);
    return rc < 0 ? rc : file_lock(path, limits()->lock_ms, err);
}

static void load(const char *path, struct memory *m)
{
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(FILE_LIMIT);
    cJSON *root = NULL;
    *m = (struct memory){0};
    if (file_read(path, &text, &ignored) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, &ignored) == 0) {
        (void)snprintf(m->status, sizeof m->status, "%s", json_text(root, "status", ""));
        (void)snprintf(m->text, sizeof m->text, "%s", json_text(root, "text", ""));
        (void)snprintf(m->seen, sizeof m->seen, "%s", json_text(root, "seen", ""));
    }
    cJSON_Delete(root);
    buffer_release(&text);
}

static int save(const char *path, const struct memory *m, struct error *err)
{
    char *text = NULL;
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddStringToObject(root, "status", m->status) &&
        cJSON_AddStringToObject(root, "text", m->text) &&
        cJSON_AddStringToObject(root, "seen", m->seen))
        text = cJSON_PrintUnformatted(root);
    int rc = text ? file_replace(path, text, strlen(text), 0600, false, err)
                  : error_set(err, -ENOMEM, "out of memory");
    cJSON_free(text);
    cJSON_Delete(root);
    return rc;
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

/* Send the new text, or where it must be held or no leader is proven the old one again. */
static int send(struct consul *consul, const char *check_id, const char *status, const char *text,
                bool hold, struct memory *m, bool *ret_sent, struct error *err)
{
    struct error why = {0};
    bool same = strcmp(m->status, status) == 0 && strcmp(m->text, text) == 0;
    bool led = same || (!hold && consul_prove_leader(consul, &why) == 0);
    *ret_sent = false;
    if (!led && !m->status[0])
        return 0; /* nothing published yet: any text would be a change */
    int rc = consul_check_update(consul, check_id, led ? status : m->status, led ? text : m->text,
                                 err);
    if (rc < 0 || !led || same)
        return rc;
    (void)snprintf(m->status, sizeof m->status, "%s", status);
    (void)snprintf(m->text, sizeof m->text, "%s", text);
    *ret_sent = true;
    return 0;
}

static int publish(struct consul *consul, const char *state_dir, const char *check_id,
                   const struct verdict *v, bool hold, struct error *err)
{
    char path[FILE_PATH];
    char text[VERDICT_OUTPUT + 1];
    struct memory m;
    bool sent = false;
    int rc = check_ours(state_dir, err);
    if (rc == 0)
        rc = make_path(path, sizeof path, state_dir, check_id, "verdict", err);
    if (rc < 0)
        return rc;
    load(path, &m);
    verdict_render(v, text);
    bool changed = log_change(check_id, v, &m);
    if (consul)
        rc = send(consul, check_id, verdict_status_name(v->status), text, hold, &m, &sent, err);
    if (changed || sent) {
        struct error disk = {0};
        if (save(path, &m, &disk) < 0 && rc == 0)
            rc = error_set(err, -EIO, "%s", disk.text);
    }
    return rc;
}

int publish_verdict(struct consul *consul, const char *state_dir, const char *check_id,
                    const struct verdict *v, struct error *err)
{
    return publish(consul, state_dir, check_id, v, false, err);
}

int publish_held(struct consul *consul, const char *state_dir, const char *check_id,
                 const struct verdict *v, struct error *err)
{
    return publish(consul, state_dir, check_id, v, true, err);
}

void publish_cannot_look(struct verdict *v, const char *reason)
{
    *v = (struct verdict){0};
    verdict_set(v, VERDICT_WARNING, "cannot look: %s", reason);
}
