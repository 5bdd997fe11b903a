#include "rollout/local_state.h"

#include "base/duration.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LEDGER_LIMIT 8192

static const char *const state_names[] = {"none",    "applying", "done",
                                          "refused", "failed",   "waiting"};

static void copy(char *to, size_t size, const cJSON *root, const char *name)
{
    (void)snprintf(to, size, "%s", json_text(root, name, ""));
}

static void load(const cJSON *root, struct ledger *ret)
{
    struct error ignored = {0};
    const char *state = json_text(root, "state", "none");
    for (int i = LEDGER_NONE; i <= LEDGER_WAITING; i++) {
        if (strcmp(state, state_names[i]) == 0)
            ret->state = (enum ledger_state)i;
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

void ledger_read(const char *state_dir, struct ledger *ret)
{
    char path[512];
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(LEDGER_LIMIT);
    cJSON *root = NULL;
    *ret = (struct ledger){0};
    if (file_path(path, sizeof path, state_dir, "logging.json", &ignored) == 0 &&
        file_read(path, &text, &ignored) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, &ignored) == 0)
        load(root, ret);
    cJSON_Delete(root);
    buffer_release(&text);
}

static cJSON *to_json(const struct ledger *ledger)
{
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddStringToObject(root, "state", state_names[ledger->state]) &&
        cJSON_AddStringToObject(root, "settings", ledger->settings) &&
        cJSON_AddStringToObject(root, "results", ledger->results) &&
        cJSON_AddStringToObject(root, "revision", ledger->revision) &&
        cJSON_AddStringToObject(root, "tried", ledger->tried) &&
        cJSON_AddStringToObject(root, "reason", ledger->reason) &&
        cJSON_AddBoolToObject(root, "rollback_failed", ledger->rollback_failed) &&
        cJSON_AddBoolToObject(root, "touched", ledger->touched) &&
        cJSON_AddBoolToObject(root, "unproven", ledger->unproven) &&
        cJSON_AddNumberToObject(root, "applied_ms", (double)ledger->applied_ms) &&
        cJSON_AddStringToObject(root, "cluster_uuid", ledger->cluster_uuid) &&
        cJSON_AddStringToObject(root, "boot", ledger->boot) &&
        cJSON_AddNumberToObject(root, "at_ms", (double)ledger->at_ms))
        return root;
    cJSON_Delete(root);
    return NULL;
}

int ledger_write(const char *state_dir, const struct ledger *ledger, struct error *err)
{
    char path[512];
    int rc = file_path(path, sizeof path, state_dir, "logging.json", err);
    if (rc < 0)
        return rc;
    cJSON *root = to_json(ledger);
    char *text = root ? cJSON_PrintUnformatted(root) : NULL;
    rc = text ? file_replace(path, text, strlen(text), 0600, false, err)
              : error_set(err, -ENOMEM, "cannot write %s: out of memory", path);
    cJSON_free(text);
    cJSON_Delete(root);
    return rc;
}

int ledger_ask_retry(const char *state_dir, struct error *err)
{
    char path[4096];
    int rc = file_path(path, sizeof path, state_dir, "rollout.retry", err);
    return rc < 0 ? rc : file_replace(path, "", 0, 0600, false, err);
}

bool ledger_take_retry(const char *state_dir)
{
    char path[4096];
    struct error ignored = {0};
    return file_path(path, sizeof path, state_dir, "rollout.retry", &ignored) == 0 &&
           unlink(path) == 0;
}

int64_t ledger_age_ms(const struct ledger *ledger)
{
    int64_t now = duration_now_ms();
    if (!ledger->boot[0] || strcmp(ledger->boot, duration_boot_id()) != 0 ||
        ledger->at_ms > now)
        return INT64_MAX;
    return now - ledger->at_ms;
}

bool ledger_settled(const struct ledger *ledger, const char *settings_digest)
{
    return ledger->state >= LEDGER_DONE &&
           strcmp(ledger->settings, settings_digest) == 0;
}

bool ledger_overdue(const struct ledger *ledger)
{
    return ledger_age_ms(ledger) >= timing()->resync_ms;
}

bool ledger_due(const struct ledger *ledger)
{
    return ledger->state == LEDGER_APPLYING || ledger->state == LEDGER_WAITING ||
           ledger->unproven || ledger_overdue(ledger);
}

static int64_t wall_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void stamp(struct ledger *ledger)
{
    (void)snprintf(ledger->boot, sizeof ledger->boot, "%s", duration_boot_id());
    ledger->at_ms = duration_now_ms();
}

void ledger_begin(struct ledger *ledger, const char *wanted)
{
    if (ledger->rollback_failed || strcmp(ledger->revision, wanted) != 0)
        ledger->touched = true;
    ledger->state = LEDGER_APPLYING;
    (void)snprintf(ledger->tried, sizeof ledger->tried, "%s", wanted);
    stamp(ledger);
}

static void set_reason(struct ledger *ledger, const char *reason)
{
    (void)snprintf(ledger->reason, sizeof ledger->reason, "%s", reason);
}

void ledger_look(struct ledger *ledger, const char *wanted, const char *refusal,
                 const struct logging_record *published)
{
    bool refused = ledger->state == LEDGER_FAILED && strcmp(ledger->tried, wanted) == 0;
    if (ledger->state == LEDGER_NONE && published &&
        published->state == LOGGING_APPLYING)
        ledger_begin(ledger, published->revision);
    else if (ledger->state == LEDGER_NONE) {
        ledger->state = LEDGER_WAITING;
        ledger->unproven = published && published->unproven;
    }
    if (ledger->state == LEDGER_APPLYING)
        return;
    if (!wanted[0]) {
        ledger->state = LEDGER_REFUSED;
        set_reason(ledger, refusal);
        stamp(ledger);
    } else if (strcmp(ledger->revision, wanted) == 0 && !refused &&
               !ledger->rollback_failed) {
        ledger->state = LEDGER_DONE;
        ledger->reason[0] = '\0';
    }
}

void ledger_wait(struct ledger *ledger, const char *wanted)
{
    if (ledger->state == LEDGER_APPLYING ||
        (ledger->state == LEDGER_FAILED && strcmp(ledger->tried, wanted) == 0))
        return;
    ledger->state = LEDGER_WAITING;
    if (!ledger->rollback_failed)
        ledger->reason[0] = '\0';
}

static enum logging_state recorded_state(const struct ledger *ledger)
{
    if (ledger->state == LEDGER_APPLYING && ledger->touched)
        return LOGGING_APPLYING;
    if (ledger->state == LEDGER_FAILED || ledger->rollback_failed)
        return LOGGING_FAILED;
    if (ledger->state == LEDGER_NONE || ledger->state == LEDGER_REFUSED ||
        !ledger->revision[0])
        return LOGGING_KEPT;
    return ledger->unproven ? LOGGING_APPLYING : LOGGING_DONE;
}

void ledger_record(const struct ledger *ledger, const char *node,
                   struct logging_record *ret)
{
    *ret = (struct logging_record){.state = recorded_state(ledger)};
    bool tried = ret->state == LOGGING_FAILED ||
                 (ret->state == LOGGING_APPLYING && ledger->touched);
    bool reason = ret->state == LOGGING_KEPT || ret->state == LOGGING_FAILED;
    (void)snprintf(ret->node, sizeof ret->node, "%s", node);
    (void)snprintf(ret->revision, sizeof ret->revision, "%s",
                   tried ? ledger->tried : ledger->revision);
    (void)snprintf(ret->reason, sizeof ret->reason, "%s", reason ? ledger->reason : "");
    (void)snprintf(ret->cluster_uuid, sizeof ret->cluster_uuid, "%s",
                   ledger->cluster_uuid);
    ret->unproven = ledger->unproven && reason;
}

void ledger_end(struct ledger *ledger, bool done, bool rollback_failed,
                const char *reason)
{
    ledger->state = done ? LEDGER_DONE : LEDGER_FAILED;
    ledger->rollback_failed = rollback_failed;
    if (done && ledger->touched) {
        ledger->unproven = true;
        ledger->applied_ms = wall_ms();
        ledger->cluster_uuid[0] = '\0';
    }
    ledger->touched = false;
    (void)snprintf(ledger->reason, sizeof ledger->reason, "%s", reason);
    if (done)
        (void)snprintf(ledger->revision, sizeof ledger->revision, "%s", ledger->tried);
    stamp(ledger);
}
