/* SPDX-License-Identifier: MIT */
#include "rollout/logging_verdict.h"

#include <stdio.h>
#include <string.h>

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

/* limits()->resync_ms */
#define AGAIN "ten minutes later, at once with: lictor retry"

static void note_rejected(const struct logging_facts *facts, const struct server_record *r,
                          struct verdict *v)
{
    verdict_note(v, "%s rejected %s: %s", r->node, shown(r->revision).text, r->reason);
    if (strcmp(r->revision, facts->wanted) == 0)
        verdict_note(v, "%s tries it again " AGAIN " there", r->node);
}

static void note_others(const struct logging_facts *facts, struct verdict *v)
{
    for (size_t i = 0; i < facts->n; i++) {
        const struct server_record *r = &facts->records[i];
        if (has_wanted(facts, r) || r == facts->own)
            continue;
        if (r->state == SERVER_RECORD_FAILED)
            note_rejected(facts, r, v);
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
    for (size_t i = 0; i < s->rejects.n; i++) {
        if (settings_group(s->rejects.entries[i].key) == GROUP_LOG)
            verdict_note(v, "%s", s->rejects.entries[i].value);
    }
    for (size_t i = 0; i < s->unknowns.n; i++)
        verdict_note(v, "%s", s->unknowns.entries[i].value);
    if (s->unknowns.n > 0)
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
    bool on = facts->settings->log_enabled;
    bool first = on && !facts->in_force[0]; /* nothing is shipped yet */
    bool late = facts->held || first || facts->differ_ms >= LOGGING_PATIENCE_MS;
    const char *off = on ? "" : " (switched off)";
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

/* It stops nothing, but it is not ours. */
static void note_large(const struct logging_facts *facts, struct verdict *v)
{
    if (!facts->large[0])
        return;
    verdict_raise(v, VERDICT_WARNING);
    verdict_note(v, "%s; only records of servers belong there", facts->large);
}

/* Here; the first line says which revision. */
static void note_failure(const struct logging_facts *facts, struct verdict *v)
{
    verdict_note(v, "%s", facts->own->reason);
    if (strcmp(facts->own->revision, facts->wanted) == 0)
        verdict_note(v, "it is tried again " AGAIN);
}

void logging_verdict_judge(const struct logging_facts *facts, struct verdict *ret)
{
    *ret = (struct verdict){0};
    judge_own(facts, ret);
    if (facts->refusal[0] && facts->settings->log_rejects == 0)
        verdict_note(ret, "%s", facts->refusal);
    if (facts->own->state == SERVER_RECORD_FAILED && !facts->rollback_failed)
        note_failure(facts, ret);
    note_rejects(facts, ret);
    note_large(facts, ret);
    if (facts->wanted[0])
        note_others(facts, ret);
    if (facts->wanted[0] && strcmp(facts->wanted, facts->in_force) == 0)
        note_target(facts, ret);
    else if (facts->own->target[0])
        verdict_note(ret, "in force here: %s", facts->own->target);
}
