/* SPDX-License-Identifier: MIT */
#include "clock/skew_verdict.h"

#include "base/limits.h"
#include "base/text.h"
#include "clock/figure.h"
#include "clock/outlier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_INTERVALS 4
#define GUESS            " (slow disk or network?)"

struct look {
    struct offsets *offsets;
    int64_t now_us;
    const char *names[OFFSETS_SERVERS];
    struct outlier_pairs warning;
    struct outlier_pairs critical;
    bool silent[OFFSETS_SERVERS];
    bool wrong[OFFSETS_SERVERS];
    int n_silent;
    int n_wrong;
    bool warned, alarmed; /* a pair was proven beyond the limit not long ago */
    bool unproven;        /* a pair that speaks is neither beyond nor within the warning limit */
    struct wide {
        int i, j;
        bool own;         /* this server is one of them: the bounds of others follow from these */
        int64_t bound_us; /* as shown; INT64_MAX: there is none */
    } wide;               /* of such pairs the one with the widest bound */
};

static int64_t silent_us(void)
{
    return SILENT_INTERVALS * limits()->clock_interval_ms * 1000;
}

/* May what was proven then still be said? */
static bool is_recent(const struct look *look, int64_t proven_us)
{
    return look->now_us - proven_us <= limits()->clock_unproven_ms * 1000;
}

static struct offsets_pair *pair_of(struct offsets *offsets, int i, int j)
{
    return &offsets->pair[offsets_pair_at(i, j)];
}

/* ---- looking ------------------------------------------------------------- */

/* Two successive records prove it: the later one was stamped after the earlier one was
 * received, so that a step of all clocks at once (a leap second) cannot deceive both, and it
 * would do so also had the clocks not moved in between (all of them are being slewed). Then
 * it stands for a while, as long as it may be so by as much as was said (`possible`); and while
 * another pair is beyond (`alarm`), so that with the delays of the moment no name comes and goes. */
static bool count(const struct clock_offset *offset, int64_t limit_us, bool possible, bool alarm,
                  struct offsets_beyond *beyond)
{
    const int64_t least = clock_offset_least(offset);
    if (least > limit_us && (beyond->records == 0 || offset->from_us >= beyond->end_us)) {
        const bool again = beyond->records > 0 && least - offset->moved_us > limit_us;
        beyond->records = again || beyond->records == 2 ? 2 : 1;
        beyond->end_us = offset->to_us;
    } else if (least <= limit_us) {
        const bool stands = beyond->records == 2 && possible &&
                            clock_offset_most(offset) > limit_us && alarm;
        beyond->records = stands ? 2 : 0;
    }
    return beyond->records == 2;
}

static void note_unproven(struct look *look, int i, int j, int64_t bound_us)
{
    const bool own = i == look->offsets->self || j == look->offsets->self;
    look->unproven = true;
    if (own > look->wide.own || (own == look->wide.own && bound_us > look->wide.bound_us))
        look->wide = (struct wide){i, j, own, bound_us};
}

static void look_at_pair(struct look *look, int i, int j)
{
    struct offsets *offsets = look->offsets;
    const struct skew_limits *limits = &offsets->limits;
    struct offsets_pair *pair = pair_of(offsets, i, j);
    struct clock_offset offset;
    if (offsets_between(offsets, i, j, look->now_us, &offset) < 0) {
        *pair = (struct offsets_pair){0};
        note_unproven(look, i, j, INT64_MAX);
        return;
    }
    const int64_t most_us = clock_offset_most(&offset);
    const int64_t shown_us = figure_between(offset.lo_us, offset.hi_us, pair->shown_us);
    const bool possible = shown_us == pair->shown_us;
    const bool warning = count(&offset, limits->warning_us, possible, look->warned, &pair->warning);
    const bool critical = count(&offset, limits->critical_us, possible, look->alarmed,
                                &pair->critical);
    pair->shown_us = shown_us;
    pair->bound_us = figure_bound(most_us, pair->bound_us);
    look->warning.beyond[i][j] = look->warning.beyond[j][i] = warning;
    look->critical.beyond[i][j] = look->critical.beyond[j][i] = critical;
    if (!warning && !critical && most_us > limits->warning_us)
        note_unproven(look, i, j, pair->bound_us);
}

/* Its NTP servers have the word until they say that it is within the limit again. */
static void look_at_reference(struct offsets_server *server, bool silent, int64_t limit_us)
{
    const struct clock_reference *reference = &server->reference;
    const struct clock_offset offset = {
        .lo_us = reference->offset_us - reference->err_us,
        .hi_us = reference->offset_us + reference->err_us,
    };
    if (!reference->known || silent || clock_offset_most(&offset) <= limit_us)
        server->wrong = false;
    else if (clock_offset_least(&offset) > limit_us)
        server->wrong = true;
    if (server->wrong)
        server->shown_reference_us = figure_between(offset.lo_us, offset.hi_us,
                                                    server->shown_reference_us);
}

static void look_at_server(struct look *look, int i)
{
    struct offsets *offsets = look->offsets;
    struct offsets_server *server = &offsets->server[i];
    const bool silent = i != offsets->self && look->now_us - server->round_us > silent_us();
    look_at_reference(server, silent, offsets->limits.warning_us);
    look->names[i] = server->name;
    look->silent[i] = silent;
    look->wrong[i] = server->wrong;
    look->n_silent += silent;
    look->n_wrong += server->wrong;
}

/* As it was at the last look. */
static void recall_alarm(struct look *look)
{
    for (int i = 0; i < look->offsets->n; i++) {
        for (int j = 0; j < i; j++) {
            const struct offsets_pair *pair = pair_of(look->offsets, i, j);
            look->warned |= pair->warning.records == 2 && is_recent(look, pair->warning.end_us);
            look->alarmed |= pair->critical.records == 2 && is_recent(look, pair->critical.end_us);
        }
    }
}

static void look_at_all(struct offsets *offsets, int64_t now_us, struct look *ret)
{
    *ret = (struct look){.offsets = offsets, .now_us = now_us};
    recall_alarm(ret);
    for (int i = 0; i < offsets->n; i++)
        look_at_server(ret, i);
    for (int i = 0; i < offsets->n; i++) {
        for (int j = 0; j < i; j++) {
            if (ret->silent[i] || ret->silent[j])
                *pair_of(offsets, i, j) = (struct offsets_pair){0};
            else
                look_at_pair(ret, i, j);
        }
    }
    ret->warning.n = ret->critical.n = offsets->n;
    memcpy(ret->warning.silent, ret->silent, sizeof ret->silent);
    memcpy(ret->critical.silent, ret->silent, sizeof ret->silent);
}

/* ---- who differs, by how much -------------------------------------------- */

/* Between all lower bounds and all upper bounds of one server's offset from those of the
 * majority it is beyond with. */
static void figure_named(struct look *look, const struct outlier_pairs *pairs,
                         const struct outlier *outlier, int i)
{
    struct offsets *offsets = look->offsets;
    struct offsets_server *server = &offsets->server[i];
    int64_t lo = INT64_MIN;
    int64_t hi = INT64_MAX;
    for (int j = 0; j < offsets->n; j++) {
        struct clock_offset offset;
        if (outlier->named[j] || !pairs->beyond[i][j] ||
            offsets_between(offsets, i, j, look->now_us, &offset) < 0)
            continue;
        lo = offset.lo_us > lo ? offset.lo_us : lo;
        hi = offset.hi_us < hi ? offset.hi_us : hi;
    }
    server->shown_us = figure_between(lo, hi, server->shown_us);
}

static void say_differs(struct look *look, const struct outlier_pairs *pairs,
                        const struct outlier *outlier, int64_t limit_us, char ret[OUTLIER_TEXT])
{
    struct offsets *offsets = look->offsets;
    struct outlier_words words = {.limit_us = limit_us};
    words.pair_us = pair_of(offsets, outlier->first[0], outlier->first[1])->shown_us;
    for (int i = 0; i < offsets->n; i++) {
        words.names[i] = look->names[i];
        if (outlier->named[i])
            figure_named(look, pairs, outlier, i);
        words.figures_us[i] = offsets->server[i].shown_us;
    }
    outlier_text(pairs, outlier, &words, ret);
}

/* "server-2 is wrong by +2.0 s, say its NTP servers (limit 100 ms)" */
static void say_wrong(const struct look *look, char ret[OUTLIER_TEXT])
{
    static const struct figure_verb is_wrong = {"is wrong", "are wrong"};
    const struct offsets *offsets = look->offsets;
    int64_t figures_us[OFFSETS_SERVERS];
    char who[300];
    char limit[FIGURE_TEXT];
    for (int i = 0; i < offsets->n; i++)
        figures_us[i] = offsets->server[i].shown_reference_us;
    const struct figure_servers wrong = {look->names, look->wrong, figures_us, offsets->n};
    (void)figure_names(&wrong, &is_wrong, who, sizeof who);
    (void)snprintf(ret, OUTLIER_TEXT, "%s, say %s NTP servers (limit %s)", who,
                   look->n_wrong > 1 ? "their" : "its",
                   figure_limit(offsets->limits.warning_us, limit));
}

static void say_silent(const struct look *look, char ret[OUTLIER_TEXT])
{
    char who[300];
    const char *verb = text_names(look->names, look->silent, look->offsets->n, " and ", who,
                                  sizeof who) > 1
                           ? "are"
                           : "is";
    (void)snprintf(ret, OUTLIER_TEXT, "%s %s silent", who, verb);
}

/* ---- what cannot be proven ----------------------------------------------- */

static void say_unproven(const struct look *look, char ret[OUTLIER_TEXT])
{
    const struct wide *wide = &look->wide;
    const char *peer = look->names[wide->i == look->offsets->self ? wide->j : wide->i];
    char limit[FIGURE_TEXT];
    char figure[FIGURE_TEXT];
    figure_limit(look->offsets->limits.warning_us, limit);
    figure_limit(wide->bound_us, figure);
    if (wide->bound_us == INT64_MAX)
        (void)snprintf(ret, OUTLIER_TEXT, "cannot prove %s: no bound with %s", limit, peer);
    else
        (void)snprintf(ret, OUTLIER_TEXT, "cannot prove %s: bound %s%s%swith %s is %s" GUESS, limit,
                       wide->own ? "" : "of ", wide->own ? "" : look->names[wide->j],
                       wide->own ? "" : " ", peer, figure);
}

/* ---- details ------------------------------------------------------------- */

/* Pairs that naming servers does not explain, ten of them at most. */
static void note_pairs(struct look *look, const struct outlier_pairs *pairs,
                       const struct outlier *outlier, struct verdict *v)
{
    int left = 10;
    if (outlier->kind == OUTLIER_GROUPS)
        return;
    for (int i = 0; i < pairs->n; i++) {
        for (int j = i + 1; j < pairs->n; j++) {
            char figure[FIGURE_TEXT];
            if (!pairs->beyond[i][j] || outlier->named[i] || outlier->named[j] || left-- <= 0)
                continue;
            verdict_note(v, "%s and %s differ by %s", look->names[i], look->names[j],
                         figure_size(pair_of(look->offsets, i, j)->shown_us, figure));
        }
    }
}

static void note_unsynced(const struct look *look, struct verdict *v)
{
    const struct offsets *offsets = look->offsets;
    bool unsynced[OFFSETS_SERVERS] = {false};
    char who[300];
    for (int i = 0; i < offsets->n; i++)
        unsynced[i] = i != offsets->self && !look->silent[i] && offsets->server[i].rounds.n > 0 &&
                      !offsets->server[i].synced;
    int n = text_names(look->names, unsynced, offsets->n, " and ", who, sizeof who);
    if (n > 0)
        verdict_note(v, "%s: %s kernel%s say%s that the clock is not synchronised", who,
                     n > 1 ? "their" : "its", n > 1 ? "s" : "", n > 1 ? "" : "s");
}

/* Below half of the limit nobody needs to know it better, and a figure that moves there
 * with the load of the machine would be a raft write every time. That all agree says more
 * than a bound which has become wider since. */
static int64_t figure_proven(const struct look *look, int i, enum verdict_status status)
{
    const int64_t limit_us = look->offsets->limits.warning_us;
    const int64_t least_us = figure_step(limit_us / 2);
    const int64_t shown_us = pair_of(look->offsets, look->offsets->self, i)->bound_us;
    if (status == VERDICT_PASSING && shown_us > limit_us)
        return limit_us;
    return shown_us > least_us ? shown_us : least_us;
}

static void note_bounds(const struct look *look, struct verdict *v)
{
    const struct offsets *offsets = look->offsets;
    char list[1000] = "";
    size_t len = 0;
    for (int i = 0; i < offsets->n && len < sizeof list; i++) {
        char figure[FIGURE_TEXT];
        if (i == offsets->self || look->silent[i] || offsets->server[i].rounds.n == 0)
            continue;
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s %s", len > 0 ? ", " : "",
                                look->names[i],
                                figure_limit(figure_proven(look, i, v->status), figure));
    }
    if (len > 0)
        verdict_note(v, "proven at most: %s", list);
}

/* Why: nothing new is received of it, or it does not receive us. */
static void note_silent(const struct look *look, struct verdict *v)
{
    const struct offsets *offsets = look->offsets;
    bool mute[OFFSETS_SERVERS] = {false};
    bool deaf[OFFSETS_SERVERS] = {false};
    char who[300];
    for (int i = 0; i < offsets->n; i++) {
        const struct offsets_server *server = &offsets->server[i];
        const bool heard = server->boot[0] && look->now_us - server->heard_us <= silent_us();
        mute[i] = look->silent[i] && !heard;
        deaf[i] = look->silent[i] && heard;
    }
    if (text_names(look->names, mute, offsets->n, " and ", who, sizeof who) > 0)
        verdict_note(v,
                     "no new record of %s: agent and heartbeat must run there, and the token must "
                     "let it write lictor/clock/<node>",
                     who);
    if (text_names(look->names, deaf, offsets->n, " and ", who, sizeof who) > 0)
        verdict_note(
            v, "this server's record is not received by %s: is it written here, and read there?",
            who);
}

static void note_others(struct look *look, struct verdict *v)
{
    char text[OUTLIER_TEXT];
    if (look->n_wrong > 0) {
        say_wrong(look, text);
        if (strcmp(text, v->summary) != 0)
            verdict_note(v, "%s", text);
    }
    if (look->n_silent > 0) {
        say_silent(look, text);
        if (strcmp(text, v->summary) != 0)
            verdict_note(v, "%s", text);
        note_silent(look, v);
    }
    note_unsynced(look, v);
    note_bounds(look, v);
}

/* ---- the verdict --------------------------------------------------------- */

/* What needs no look. */
static bool judge_alone(const struct offsets *offsets, struct verdict *ret)
{
    if (offsets->refused)
        verdict_set(ret, VERDICT_WARNING, "%zu servers: the clocks of at most %d are compared",
                    offsets->refused, OFFSETS_SERVERS);
    else if (offsets->self < 0)
        verdict_set(ret, VERDICT_PASSING,
                    "this server does not vote: the voters compare their clocks");
    else if (offsets->n == 1)
        verdict_set(ret, VERDICT_PASSING, "1 clock: there is no other to compare it with");
    else
        return false;
    return true;
}

static bool judge_differs(struct look *look, const struct outlier_pairs *pairs, int64_t limit_us,
                          enum verdict_status status, struct verdict *ret)
{
    struct outlier outlier;
    char text[OUTLIER_TEXT];
    outlier_find(pairs, &outlier);
    if (outlier.kind == OUTLIER_NONE)
        return false;
    say_differs(look, pairs, &outlier, limit_us, text);
    if (outlier.kind != OUTLIER_NAMED && look->n_wrong > 0 && outlier_explains(pairs, look->wrong))
        say_wrong(look, text);
    verdict_set(ret, status, "%s", text);
    look->offsets->standing = OFFSETS_DIFFERED;
    if (outlier.kind == OUTLIER_NAMED || outlier.pairs > 1)
        note_pairs(look, pairs, &outlier, ret);
    return true;
}

/* No pair is beyond. That all agreed stands for a while; that some differed has just been
 * refuted. */
static void judge_others(struct look *look, struct verdict *ret)
{
    struct offsets *offsets = look->offsets;
    char text[OUTLIER_TEXT] = "";
    char limit[FIGURE_TEXT];
    if (!look->unproven) {
        offsets->proven_us = look->now_us;
        offsets->standing = look->n_silent > 0 ? OFFSETS_NOTHING : OFFSETS_AGREED;
        (void)snprintf(offsets->agreed, sizeof offsets->agreed, "%d clocks agree within %s",
                       offsets->n, figure_limit(offsets->limits.warning_us, limit));
    }
    if (look->n_wrong > 0)
        say_wrong(look, text);
    else if (look->n_silent > 0)
        say_silent(look, text);
    else if (offsets->standing == OFFSETS_DIFFERED || !is_recent(look, offsets->proven_us))
        say_unproven(look, text);
    else if (offsets->standing == OFFSETS_NOTHING)
        (void)snprintf(text, sizeof text, "waiting for the clocks of %d servers", offsets->n);
    if (text[0])
        verdict_set(ret, VERDICT_WARNING, "%s", text);
    else
        verdict_set(ret, VERDICT_PASSING, "%s", offsets->agreed);
}

void skew_verdict_judge(struct offsets *offsets, const struct skew_limits *limits,
                        const struct local_clock_reading *now, struct verdict *ret)
{
    struct look look;
    *ret = (struct verdict){0};
    if (judge_alone(offsets, ret))
        return;
    offsets->limits = *limits;
    look_at_all(offsets, now->raw_us, &look);
    if (!judge_differs(&look, &look.critical, limits->critical_us, VERDICT_CRITICAL, ret) &&
        !judge_differs(&look, &look.warning, limits->warning_us, VERDICT_WARNING, ret))
        judge_others(&look, ret);
    note_others(&look, ret);
}

size_t skew_verdict_known(const char *summary)
{
    const size_t len = strlen(summary), guess = sizeof GUESS - 1;
    const bool guessed = len >= guess && strcmp(summary + len - guess, GUESS) == 0;
    return guessed ? len - guess : len;
}
