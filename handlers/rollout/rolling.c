/* SPDX-License-Identifier: MIT */
#include "rollout/rolling.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_own(const struct rolling_facts *facts, const struct rolling_server *s)
{
    return strcasecmp(s->node, facts->own->node) == 0;
}

/* Its record; of this server the truth. */
static const struct server_record *record_of(const struct rolling_facts *facts,
                                             const struct rolling_server *s)
{
    return is_own(facts, s) ? facts->own : s->record;
}

static bool is_alive(const struct rolling_facts *facts, const struct rolling_server *s)
{
    return s->alive || is_own(facts, s);
}

/* revision NULL: any. */
static bool says(const struct server_record *r, enum server_record_state state,
                 const char *revision)
{
    return r && r->state == state && (!revision || strcmp(r->revision, revision) == 0);
}

/* On something of which nobody knows yet whether it works? */
static bool exposed(const struct server_record *r)
{
    return r && (r->state == SERVER_RECORD_APPLYING || r->unproven);
}

/* Place of this server in the order; after all when it has none. */
static size_t own_place(const struct rolling_facts *facts)
{
    size_t i = 0;
    while (i < facts->n && !is_own(facts, &facts->order[i]))
        i++;
    return i;
}

static const struct rolling_server *find_exposed(const struct rolling_facts *facts, bool other)
{
    for (size_t i = 0; i < facts->n; i++) {
        const struct rolling_server *s = &facts->order[i];
        if (exposed(record_of(facts, s)) && !(other && is_own(facts, s)))
            return s;
    }
    return NULL;
}

/* The first of the first n who has refused what is wanted. */
static const struct rolling_server *find_refusal(const struct rolling_facts *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rolling_server *s = &facts->order[i];
        if (says(record_of(facts, s), SERVER_RECORD_FAILED, facts->wanted))
            return s;
    }
    return NULL;
}

/* The first living one of the first n who is not done. */
static const struct rolling_server *find_next(const struct rolling_facts *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct rolling_server *s = &facts->order[i];
        if (is_alive(facts, s) && !says(record_of(facts, s), SERVER_RECORD_DONE, facts->wanted))
            return s;
    }
    return NULL;
}

static size_t count_done(const struct rolling_facts *facts, bool living)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->n; i++) {
        const struct rolling_server *s = &facts->order[i];
        n += says(record_of(facts, s), SERVER_RECORD_DONE, facts->wanted) &&
             (!living || is_alive(facts, s));
    }
    return n;
}

/* ---- words --------------------------------------------------------------- */

/* For "%.*s": the first digits, as people see a revision. */
#define SHORT(revision) SETTINGS_SHORT, (revision)

/* What the chain is waiting for. */
static void say_next(const struct rolling_facts *facts, const struct rolling_server *s, char *to,
                     size_t room)
{
    const struct server_record *r = record_of(facts, s);
    if (!r)
        (void)snprintf(to, room, ", %s has not reported", s->node);
    else if (r->state == SERVER_RECORD_APPLYING && !is_alive(facts, s))
        (void)snprintf(to, room, ", %s died applying %.*s", s->node, SHORT(r->revision));
    else if (r->state == SERVER_RECORD_APPLYING && strcmp(r->revision, facts->wanted) != 0)
        (void)snprintf(to, room, ", %s applies %.*s", s->node, SHORT(r->revision));
    else if (r->state == SERVER_RECORD_FAILED && strcmp(r->revision, facts->wanted) == 0)
        (void)snprintf(to, room, ", %s rejected it", s->node);
    else if (r->unproven)
        (void)snprintf(to, room, ", nothing of %s has arrived yet", s->node);
    else if (r->state == SERVER_RECORD_KEPT && r->reason[0])
        (void)snprintf(to, room, ", %s says: %s", s->node, r->reason);
    else
        (void)snprintf(to, room, ", %s next", s->node);
}

/* Who is missing though nothing is to be done. */
static void say_down(const struct rolling_facts *facts, char *to, size_t room)
{
    const char *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < facts->n; i++) {
        if (is_alive(facts, &facts->order[i]))
            continue;
        first = first ? first : facts->order[i].node;
        n++;
    }
    if (n == 1)
        (void)snprintf(to, room, ", %s is down", first);
    else if (n > 1)
        (void)snprintf(to, room, ", %s and %zu more are down", first, n - 1);
}

/* The same on every server that knows the same. */
static void say_progress(const struct rolling_facts *facts, struct rolling *ret)
{
    const struct rolling_server *applying = find_exposed(facts, false);
    const struct rolling_server *refusal = find_refusal(facts, facts->n);
    const struct rolling_server *cause = applying ? applying : refusal;
    int used = snprintf(ret->text, sizeof ret->text, "%zu of %zu servers on revision %.*s",
                        count_done(facts, true), facts->n, SHORT(facts->wanted));
    ret->held = refusal || (applying && !is_alive(facts, applying));
    if (!cause)
        cause = find_next(facts, facts->n);
    if (cause)
        say_next(facts, cause, ret->text + used, sizeof ret->text - (size_t)used);
    else
        say_down(facts, ret->text + used, sizeof ret->text - (size_t)used);
}

static void say_kept(const struct rolling_facts *facts, const struct rolling_server *refusal,
                     struct rolling *ret)
{
    char kept[40] = "nothing is shipped yet";
    if (facts->in_force[0])
        (void)snprintf(kept, sizeof kept, "kept %.*s", SHORT(facts->in_force));
    (void)snprintf(ret->text, sizeof ret->text, "%s: %s rejected %.*s: %s", kept, refusal->node,
                   SHORT(facts->wanted), refusal->record->reason);
}

/* ---- judgement ----------------------------------------------------------- */

/* May this server, whose record is the truth and which is not done, begin? */
static enum rolling_state judge_chain(const struct rolling_facts *facts, struct rolling *ret)
{
    size_t place = own_place(facts);
    bool refused = says(facts->own, SERVER_RECORD_FAILED, facts->wanted);
    /* Of several that have refused, the first one tries again. */
    const struct rolling_server *refusal = find_refusal(facts, refused ? place : facts->n);
    const struct rolling_server *other = find_exposed(facts, true);
    if (other && other != refusal)
        return ROLLING_WAIT;
    if (refusal && !refused)
        say_kept(facts, refusal, ret);
    if (refusal)
        return ROLLING_STOPPED;
    if (find_next(facts, place))
        return ROLLING_WAIT;
    return count_done(facts, false) == 0 ? ROLLING_CANARY : ROLLING_APPLY;
}

static enum rolling_state judge_state(const struct rolling_facts *facts, struct rolling *ret)
{
    const struct server_record *own = facts->own;
    /* Touched already, and its announcement still stands: waiting would help nobody. */
    if (own->state == SERVER_RECORD_APPLYING)
        return ROLLING_APPLY;
    if (!facts->parallel && (!facts->published || !server_record_same(own, facts->published)))
        return ROLLING_PUBLISH;
    if (says(own, SERVER_RECORD_DONE, facts->wanted))
        return ROLLING_FINISHED;
    if (says(own, SERVER_RECORD_FAILED, facts->wanted) && !facts->again)
        return ROLLING_STOPPED;
    /* The others wait for this server, so it must not wait for them. */
    if (own->unproven && !says(own, SERVER_RECORD_FAILED, facts->wanted))
        return ROLLING_APPLY;
    return facts->parallel ? ROLLING_APPLY : judge_chain(facts, ret);
}

static void collect_checks(const struct rolling_facts *facts, struct rolling *ret)
{
    if (facts->source.modify_index > 0)
        ret->check[ret->checks++] = facts->source;
    for (size_t i = 0; i < facts->n && i < ROLLING_SERVERS; i++) {
        const struct rolling_server *s = &facts->order[i];
        if (is_own(facts, s))
            continue;
        if (s->version.modify_index > 0)
            ret->check[ret->checks++] = s->version;
        else if (!exposed(facts->own))
            ret->unseen = true;
    }
}

void rolling_judge(const struct rolling_facts *facts, struct rolling *ret)
{
    *ret = (struct rolling){.state = ROLLING_WAIT};
    say_progress(facts, ret);
    ret->state = judge_state(facts, ret);
    if (rolling_may_apply(ret) && !facts->parallel)
        collect_checks(facts, ret);
}

bool rolling_may_apply(const struct rolling *turn)
{
    return turn->state == ROLLING_APPLY || turn->state == ROLLING_CANARY;
}

const char *rolling_rival(const struct rolling_facts *facts, uint64_t announced)
{
    for (size_t i = 0; i < facts->n; i++) {
        const struct rolling_server *s = &facts->order[i];
        if (!is_own(facts, s) && exposed(s->record) && s->version.modify_index < announced)
            return s->node;
    }
    return NULL;
}
