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

int server_record_parse(const char *node, const char *text, size_t len, struct server_record *ret,
                        struct error *err)
{
    cJSON *root = NULL;
    const char *revision = NULL;
    const char *state = NULL;
    *ret = (struct server_record){0};
    int rc = json_parse(text, len, "record", &root, err);
    if (rc == 0)
        rc = json_string(root, "revision", &revision, err);
    if (rc == 0)
        rc = json_string(root, "state", &state, err);
    if (rc == 0 && (!is_revision(revision) || parse_state(state, &ret->state) < 0))
        rc = -EBADMSG;
    if (rc == 0) {
        text_copy(ret->node, sizeof ret->node, node);
        text_copy(ret->revision, sizeof ret->revision, revision);
        text_copy(ret->reason, sizeof ret->reason, json_text(root, "reason", ""));
        text_copy(ret->cluster_uuid, sizeof ret->cluster_uuid, json_text(root, "cluster_uuid", ""));
        ret->unproven = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "unproven"));
    } else {
        rc = error_set(err, -EBADMSG, "%s%s is not a record of a server", SERVER_RECORD_PREFIX,
                       node);
    }
    cJSON_Delete(root);
    return rc;
}

char *server_record_format(const struct server_record *record)
{
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;
    if (cJSON_AddNumberToObject(root, "v", 1) &&
        cJSON_AddStringToObject(root, "revision", record->revision) &&
        cJSON_AddStringToObject(root, "state", server_record_state_name(record->state)) &&
        cJSON_AddStringToObject(root, "reason", record->reason) &&
        (!record->cluster_uuid[0] ||
         cJSON_AddStringToObject(root, "cluster_uuid", record->cluster_uuid)) &&
        (!record->unproven || cJSON_AddTrueToObject(root, "unproven")))
        text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

bool server_record_same(const struct server_record *a, const struct server_record *b)
{
    return a->state == b->state && strcmp(a->revision, b->revision) == 0 &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->cluster_uuid, b->cluster_uuid) == 0 &&
           a->unproven == b->unproven;
}

static bool has_wanted(const struct logging_facts *facts, const struct server_record *r)
{
    return r->state == SERVER_RECORD_DONE && strcmp(r->revision, facts->wanted) == 0;
}

size_t logging_verdict_count(const struct logging_facts *facts)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->n; i++)
        n += has_wanted(facts, &facts->records[i]);
    return n;
}

bool logging_verdict_agree(const struct logging_facts *facts)
{
    return facts->n_missing == 0 && logging_verdict_count(facts) == facts->n;
}

/* The first digits of a revision, as people see it. */
struct shown {
    char text[SETTINGS_SHORT + 1];
};

static struct shown shown(const char *revision)
{
    struct shown s = {""};
    (void)snprintf(s.text, sizeof s.text, "%.*s", SETTINGS_SHORT, revision);
    return s;
}

static void note_target(const struct logging_facts *facts, struct verdict *v)
{
    const struct settings *s = facts->settings;
    if (!s->log_enabled)
        return;
    for (size_t i = 0; i < s->log_urls; i++)
        verdict_note(v, "ships to %s", s->log_url[i]);
    verdict_note(v, "index %s, level %s and worse", s->log_index,
                 settings_level_name(s->log_level));
    for (size_t i = 0; i < s->log_sources; i++)
        verdict_note(v, "source %s", s->log_source[i]);
}

static void note_others(const struct logging_facts *facts, struct verdict *v)
{
    for (size_t i = 0; i < facts->n; i++) {
        const struct server_record *r = &facts->records[i];
        if (has_wanted(facts, r) || r == facts->own)
            continue;
        if (r->state == SERVER_RECORD_FAILED)
            verdict_note(v, "%s rejected %s: %s", r->node, shown(r->revision).text, r->reason);
        else if (r->state == SERVER_RECORD_APPLYING)
            verdict_note(v, "%s applies %s", r->node, shown(r->revision).text);
        else if (r->revision[0])
            verdict_note(v, "%s has revision %s%s%s", r->node, shown(r->revision).text,
                         r->reason[0] ? ": " : "", r->reason);
        else
            verdict_note(v, "%s has applied nothing yet", r->node);
    }
    for (size_t i = 0; i < facts->n_missing; i++)
        verdict_note(v, "%s has not reported", facts->missing[i]);
}

static void note_rejects(const struct logging_facts *facts, struct verdict *v)
{
    const struct settings *s = facts->settings;
    for (size_t i = 0; i < s->rejects; i++) {
        if (s->reject[i].group == GROUP_LOG)
            verdict_note(v, "%s", s->reject[i].text);
    }
    for (size_t i = 0; i < s->unknowns; i++)
        verdict_note(v, "%s", s->unknown[i].text);
    if (s->unknowns > 0)
        verdict_raise(v, VERDICT_WARNING);
}

/* For the sentences that say nothing was changed. */
static const char *stays(const struct logging_facts *facts, char ret[80])
{
    if (facts->in_force[0])
        (void)snprintf(ret, 80, "revision %s stays in force", shown(facts->in_force).text);
    else
        (void)snprintf(ret, 80, "nothing is shipped yet");
    return ret;
}

static void judge_agreement(const struct logging_facts *facts, struct verdict *v)
{
    bool late = facts->held || facts->differ_ms >= LOGGING_PATIENCE_MS;
    const char *off = facts->settings->log_enabled ? "" : " (switched off)";
    verdict_set(v, late ? VERDICT_WARNING : VERDICT_PASSING, "%s%s", facts->progress, off);
    for (size_t i = 0; i < facts->n; i++) {
        if (facts->records[i].state == SERVER_RECORD_FAILED)
            verdict_raise(v, VERDICT_WARNING);
    }
}

static void judge_own(const struct logging_facts *facts, struct verdict *v)
{
    char kept[80];
    if (facts->rollback_failed)
        verdict_set(v, VERDICT_CRITICAL, "rollback failed: %s", facts->own->reason);
    else if (facts->refusal[0])
        verdict_set(v, VERDICT_WARNING, "settings rejected, %s", stays(facts, kept));
    else if (!facts->wanted[0] && facts->in_force[0])
        verdict_set(v, VERDICT_WARNING, "the LOG_ settings are gone or cannot be read, %s",
                    stays(facts, kept));
    else if (!facts->wanted[0])
        verdict_set(v, VERDICT_WARNING,
                    "not set up: set LOG_ELASTICSEARCH_URL (lictor set --help)");
    else if (facts->own->state == SERVER_RECORD_FAILED)
        verdict_set(v, VERDICT_WARNING, "revision %s failed here, %s",
                    shown(facts->own->revision).text, stays(facts, kept));
    else
        judge_agreement(facts, v);
}

void logging_verdict_judge(const struct logging_facts *facts, struct verdict *ret)
{
    *ret = (struct verdict){0};
    judge_own(facts, ret);
    if (facts->refusal[0] && facts->settings->log_rejects == 0)
        verdict_note(ret, "%s", facts->refusal);
    if (facts->own->state == SERVER_RECORD_FAILED && !facts->rollback_failed)
        verdict_note(ret, "%s", facts->own->reason);
    note_rejects(facts, ret);
    if (facts->wanted[0]) {
        note_others(facts, ret);
        note_target(facts, ret);
    }
}
