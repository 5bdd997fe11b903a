#include "clock/skew_verdict.h"

#include "base/limits.h"
#include "clock/figure.h"
#include "clock/name_list.h"
#include "clock/outlier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SILENT_INTERVALS 4

struct look {
    struct skew *skew;
    int64_t now_us;
    const char *names[SKEW_SERVERS];
    struct culprit_pairs warning;
    struct culprit_pairs critical;
    bool silent[SKEW_SERVERS];
    bool wrong[SKEW_SERVERS];
    int n_silent;
    int n_wrong;
    bool
        unproven; /* a pair that speaks is neither beyond nor within the warning limit */
};

static int64_t silent_us(void)
{
    return SILENT_INTERVALS * timing()->clock_interval_ms * 1000;
}

static struct skew_pair *pair_of(struct skew *skew, int i, int j)
{
    return &skew->pair[i > j ? skew_pair_at(i, j) : skew_pair_at(j, i)];
}

/* ---- looking ------------------------------------------------------------- */

/* Two successive records prove it: the later one was stamped after the earlier one was
 * heard, so that a step of all clocks at once (a leap second) cannot deceive both, and it
 * would do so also had the clocks not moved in between (all of them are being slewed). */
static void count(int *records, int64_t *end_us, int64_t limit_us,
                  const struct skew_offset *offset)
{
    const int64_t least = skew_least(offset);
    if (least <= limit_us) {
        *records = 0;
    } else if (*records == 0) {
        *records = 1;
        *end_us = offset->to_us;
    } else if (*records == 1 && offset->from_us >= *end_us) {
        *records = least - offset->moved_us > limit_us ? 2 : 1;
        *end_us = offset->to_us;
    }
}

static void mark(struct culprit_pairs *pairs, int i, int j, int records)
{
    pairs->beyond[i][j] = pairs->beyond[j][i] = records == 2;
}

/* A bound grows with its age, too: what is shown of it rises at once. */
static void raise_shown(struct skew *skew, int i, int j, int64_t most_us)
{
    struct skew_server *server = &skew->server[i == skew->self ? j : i];
    if ((i == skew->self || j == skew->self) && most_us > server->shown_bound.shown_us)
        figure_look(&server->shown_bound, most_us);
}

static void look_at_pair(struct look *look, int i, int j)
{
    struct skew *skew = look->skew;
    const struct skew_limits *limits = &skew->limits;
    struct skew_pair *pair = pair_of(skew, i, j);
    struct skew_offset offset;
    if (skew_offset(skew, i, j, look->now_us, &offset) < 0) {
        *pair = (struct skew_pair){0};
        look->unproven = true;
        return;
    }
    raise_shown(skew, i, j, skew_most(&offset));
    count(&pair->warning, &pair->warning_end_us, limits->warning_us, &offset);
    count(&pair->critical, &pair->critical_end_us, limits->critical_us, &offset);
    mark(&look->warning, i, j, pair->warning);
    mark(&look->critical, i, j, pair->critical);
    if (pair->warning < 2 && pair->critical < 2 &&
        skew_most(&offset) > limits->warning_us)
        look->unproven = true;
}

/* Its NTP servers have the word until they say that it is within the limit again. */
static void look_at_reference(struct skew_server *server, bool silent, int64_t limit_us)
{
    const struct skew_reference *reference = &server->reference;
    const struct skew_offset offset = {
        .lo_us = reference->offset_us - reference->err_us,
        .hi_us = reference->offset_us + reference->err_us,
    };
    if (!reference->known || silent || skew_most(&offset) <= limit_us)
        server->wrong = false;
    else if (skew_least(&offset) > limit_us)
        server->wrong = true;
    server->shown_reference_us =
        server->wrong
            ? figure_between(offset.lo_us, offset.hi_us, server->shown_reference_us)
            : 0;
}

static void look_at_server(struct look *look, int i)
{
    struct skew *skew = look->skew;
    struct skew_server *server = &skew->server[i];
    const bool silent =
        i != skew->self && look->now_us - server->round_us > silent_us();
    look_at_reference(server, silent, skew->limits.warning_us);
    look->names[i] = server->name;
    look->silent[i] = silent;
    look->wrong[i] = server->wrong;
    look->n_silent += silent;
    look->n_wrong += server->wrong;
}

static void look_at_all(struct skew *skew, int64_t now_us, struct look *ret)
{
    *ret = (struct look){.skew = skew, .now_us = now_us};
    for (int i = 0; i < skew->n; i++)
        look_at_server(ret, i);
    for (int i = 0; i < skew->n; i++) {
        for (int j = 0; j < i; j++) {
            if (ret->silent[i] || ret->silent[j])
                *pair_of(skew, i, j) = (struct skew_pair){0};
            else
                look_at_pair(ret, i, j);
        }
    }
    ret->warning.n = ret->critical.n = skew->n;
    memcpy(ret->warning.silent, ret->silent, sizeof ret->silent);
    memcpy(ret->critical.silent, ret->silent, sizeof ret->silent);
}

/* ---- who differs, by how much -------------------------------------------- */

/* Between all lower bounds and all upper bounds of one server's offset from those of the
 * majority it is beyond with. */
static void figure_named(struct look *look, const struct culprit_pairs *pairs,
                         const struct culprit *culprit, int i)
{
    struct skew *skew = look->skew;
    struct skew_server *server = &skew->server[i];
    int64_t lo = INT64_MIN;
    int64_t hi = INT64_MAX;
    for (int j = 0; j < skew->n; j++) {
        struct skew_offset offset;
        if (culprit->named[j] || !pairs->beyond[i][j] ||
            skew_offset(skew, i, j, look->now_us, &offset) < 0)
            continue;
        lo = offset.lo_us > lo ? offset.lo_us : lo;
        hi = offset.hi_us < hi ? offset.hi_us : hi;
    }
    server->shown_us = figure_between(lo, hi, server->shown_us);
}

static int64_t figure_pair(struct look *look, int i, int j)
{
    struct skew_pair *pair = pair_of(look->skew, i, j);
    struct skew_offset offset;
    if (skew_offset(look->skew, i, j, look->now_us, &offset) == 0)
        pair->shown_us = figure_between(offset.lo_us, offset.hi_us, pair->shown_us);
    return pair->shown_us;
}

static void say_differs(struct look *look, const struct culprit_pairs *pairs,
                        const struct culprit *culprit, int64_t limit_us,
                        char ret[CULPRIT_TEXT])
{
    struct skew *skew = look->skew;
    struct culprit_words words = {.limit_us = limit_us};
    int first = 0;
    int second = 0;
    culprit_first(pairs, &first, &second);
    words.pair_us = figure_pair(look, first, second);
    for (int i = 0; i < skew->n; i++) {
        words.names[i] = look->names[i];
        if (culprit->named[i])
            figure_named(look, pairs, culprit, i);
        else
            skew->server[i].shown_us = 0;
        words.figures_us[i] = skew->server[i].shown_us;
    }
    culprit_say(pairs, culprit, &words, ret);
}

/* "server-2 is wrong by +2.0 s, say its NTP servers (limit 100 ms)" */
static void say_wrong(const struct look *look, char ret[CULPRIT_TEXT])
{
    static const struct phrase_verb is_wrong = {"is wrong", "are wrong"};
    const struct skew *skew = look->skew;
    int64_t figures_us[SKEW_SERVERS];
    char who[300];
    char limit[FIGURE_TEXT];
    for (int i = 0; i < skew->n; i++)
        figures_us[i] = skew->server[i].shown_reference_us;
    (void)phrase_by(look->names, look->wrong, skew->n, figures_us, &is_wrong, who,
                    sizeof who);
    (void)snprintf(ret, CULPRIT_TEXT, "%s, say %s NTP servers (limit %s)", who,
                   look->n_wrong > 1 ? "their" : "its",
                   figure_limit(skew->limits.warning_us, limit));
}

static void say_silent(const struct look *look, char ret[CULPRIT_TEXT])
{
    char who[300];
    const char *verb = phrase_list(look->names, look->silent, look->skew->n, " and ",
                                   who, sizeof who) > 1
                           ? "are"
                           : "is";
    (void)snprintf(ret, CULPRIT_TEXT, "%s %s silent", who, verb);
}

/* ---- what cannot be proven ----------------------------------------------- */

/* The server whose bound, as shown, is the widest; -1: all are within the limit. *ret_us
 * is 0 where there is no bound at all. */
static int widest(const struct look *look, int64_t *ret_us)
{
    const struct skew *skew = look->skew;
    int worst = -1;
    *ret_us = skew->limits.warning_us;
    for (int i = 0; i < skew->n; i++) {
        const struct skew_server *server = &skew->server[i];
        if (i == skew->self || look->silent[i])
            continue;
        if (server->rounds.n == 0) {
            *ret_us = 0;
            return i;
        }
        if (server->shown_bound.shown_us <= *ret_us)
            continue;
        worst = i;
        *ret_us = server->shown_bound.shown_us;
    }
    return worst;
}

/* The two servers whose bounds, as shown, are the widest together. */
static int64_t widest_pair(const struct look *look, int ret[2])
{
    const struct skew *skew = look->skew;
    int64_t bound[2] = {0};
    for (int i = 0; i < skew->n; i++) {
        const int64_t shown = skew->server[i].shown_bound.shown_us;
        if (i == skew->self || look->silent[i])
            continue;
        if (shown > bound[0]) {
            bound[1] = bound[0];
            ret[1] = ret[0];
            bound[0] = shown;
            ret[0] = i;
        } else if (shown > bound[1]) {
            bound[1] = shown;
            ret[1] = i;
        }
    }
    const int64_t together = bound[0] + bound[1];
    const int64_t limit = skew->limits.warning_us;
    return figure_step(together > limit ? together : limit + 1);
}

static void say_unproven(const struct look *look, char ret[CULPRIT_TEXT])
{
    char limit[FIGURE_TEXT];
    char figure[FIGURE_TEXT];
    int two[2] = {0};
    int64_t bound_us = 0;
    const int worst = widest(look, &bound_us);
    figure_limit(look->skew->limits.warning_us, limit);
    if (worst >= 0 && bound_us == 0)
        (void)snprintf(ret, CULPRIT_TEXT, "cannot prove %s: no bound with %s", limit,
                       look->names[worst]);
    else if (worst >= 0)
        (void)snprintf(ret, CULPRIT_TEXT,
                       "cannot prove %s: bound with %s is %s (slow disk or network?)",
                       limit, look->names[worst], figure_limit(bound_us, figure));
    else {
        bound_us = widest_pair(look, two);
        (void)snprintf(
            ret, CULPRIT_TEXT,
            "cannot prove %s: bound of %s with %s is %s (slow disk or network?)", limit,
            look->names[two[0]], look->names[two[1]], figure_limit(bound_us, figure));
    }
}

/* ---- details ------------------------------------------------------------- */

/* Pairs that naming servers does not explain, ten of them at most. */
static void note_pairs(struct look *look, const struct culprit_pairs *pairs,
                       const struct culprit *culprit, struct verdict *v)
{
    int left = 10;
    if (culprit->kind == CULPRIT_GROUPS)
        return;
    for (int i = 0; i < pairs->n; i++) {
        for (int j = i + 1; j < pairs->n; j++) {
            char figure[FIGURE_TEXT];
            if (!pairs->beyond[i][j] || culprit->named[i] || culprit->named[j] ||
                left-- <= 0)
                continue;
            verdict_note(v, "%s and %s differ by %s", look->names[i], look->names[j],
                         figure_size(figure_pair(look, i, j), figure));
        }
    }
}

static void note_unsynced(const struct look *look, struct verdict *v)
{
    const struct skew *skew = look->skew;
    bool unsynced[SKEW_SERVERS] = {false};
    char who[300];
    for (int i = 0; i < skew->n; i++)
        unsynced[i] = i != skew->self && !look->silent[i] &&
                      skew->server[i].rounds.n > 0 && !skew->server[i].synced;
    int n = phrase_list(look->names, unsynced, skew->n, " and ", who, sizeof who);
    if (n > 0)
        verdict_note(v, "%s: %s kernel%s say%s that the clock is not synchronised", who,
                     n > 1 ? "their" : "its", n > 1 ? "s" : "", n > 1 ? "" : "s");
}

/* Below half of the limit nobody needs to know it better, and a figure that moves there
 * with the load of the machine would be a raft write every time. */
static int64_t figure_shown(const struct look *look, int i)
{
    const int64_t least_us = figure_step(look->skew->limits.warning_us / 2);
    const int64_t shown_us = look->skew->server[i].shown_bound.shown_us;
    return shown_us > least_us ? shown_us : least_us;
}

static void note_bounds(const struct look *look, struct verdict *v)
{
    const struct skew *skew = look->skew;
    char list[1000] = "";
    size_t len = 0;
    for (int i = 0; i < skew->n && len < sizeof list; i++) {
        char figure[FIGURE_TEXT];
        if (i == skew->self || look->silent[i] || skew->server[i].rounds.n == 0)
            continue;
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s %s",
                                len > 0 ? ", " : "", look->names[i],
                                figure_limit(figure_shown(look, i), figure));
    }
    if (len > 0)
        verdict_note(v, "proven at most: %s", list);
}

/* Why: nothing new is heard of it, or it does not hear us. */
static void note_silent(const struct look *look, struct verdict *v)
{
    const struct skew *skew = look->skew;
    bool mute[SKEW_SERVERS] = {false};
    bool deaf[SKEW_SERVERS] = {false};
    char who[300];
    for (int i = 0; i < skew->n; i++) {
        const struct skew_server *server = &skew->server[i];
        const bool heard =
            server->boot[0] && look->now_us - server->heard_us <= silent_us();
        mute[i] = look->silent[i] && !heard;
        deaf[i] = look->silent[i] && heard;
    }
    if (phrase_list(look->names, mute, skew->n, " and ", who, sizeof who) > 0)
        verdict_note(v,
                     "no new record of %s: agent and heartbeat must run there, and the "
                     "token must let it write lictor/clock/<node>",
                     who);
    if (phrase_list(look->names, deaf, skew->n, " and ", who, sizeof who) > 0)
        verdict_note(v,
                     "this server's record is not heard by %s: is it written here, and "
                     "read there?",
                     who);
}

static void note_others(struct look *look, struct verdict *v)
{
    char text[CULPRIT_TEXT];
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
static bool judge_alone(const struct skew *skew, struct verdict *ret)
{
    if (skew->refused)
        verdict_set(ret, VERDICT_WARNING,
                    "%zu servers: the clocks of at most %d are compared", skew->refused,
                    SKEW_SERVERS);
    else if (skew->self < 0)
        verdict_set(ret, VERDICT_PASSING,
                    "this server does not vote: the voters compare their clocks");
    else if (skew->n == 1)
        verdict_set(ret, VERDICT_PASSING,
                    "1 clock: there is no other to compare it with");
    else
        return false;
    return true;
}

/* Something proven, which stands until something else is. */
static void prove(struct look *look, enum skew_standing standing,
                  enum verdict_status status, const char *text, struct verdict *ret)
{
    struct skew *skew = look->skew;
    verdict_set(ret, status, "%s", text);
    skew->standing = standing;
    skew->status = status;
    (void)snprintf(skew->summary, sizeof skew->summary, "%s", ret->summary);
}

static bool judge_differs(struct look *look, const struct culprit_pairs *pairs,
                          int64_t limit_us, enum verdict_status status,
                          struct verdict *ret)
{
    struct culprit culprit;
    char text[CULPRIT_TEXT];
    culprit_find(pairs, &culprit);
    if (culprit.kind == CULPRIT_NONE)
        return false;
    say_differs(look, pairs, &culprit, limit_us, text);
    if (culprit.kind != CULPRIT_NAMED && look->n_wrong > 0 &&
        culprit_explains(pairs, look->wrong))
        say_wrong(look, text);
    prove(look, SKEW_DIFFERED, status, text, ret);
    look->skew->proven_us = look->now_us;
    if (culprit.kind == CULPRIT_NAMED || culprit.pairs > 1)
        note_pairs(look, pairs, &culprit, ret);
    return true;
}

static void judge_agreement(struct look *look, struct verdict *ret)
{
    struct skew *skew = look->skew;
    char text[CULPRIT_TEXT];
    char limit[FIGURE_TEXT];
    (void)snprintf(text, sizeof text, "%d clocks agree within %s", skew->n,
                   figure_limit(skew->limits.warning_us, limit));
    prove(look, SKEW_AGREED, VERDICT_PASSING, text, ret);
}

/* No pair is beyond. That servers differed stands above what else may be said, for as long
 * as it is neither confirmed nor refuted. */
static void judge_others(struct look *look, struct verdict *ret)
{
    struct skew *skew = look->skew;
    char text[CULPRIT_TEXT] = "";
    if (!look->unproven)
        skew->proven_us = look->now_us;
    if (!look->unproven && look->n_silent > 0)
        skew->standing = SKEW_NOTHING; /* it was about one who says nothing now */
    const bool stands =
        look->now_us - skew->proven_us <= timing()->clock_unproven_ms * 1000;
    if (look->unproven && stands && skew->standing == SKEW_DIFFERED) {
        verdict_set(ret, skew->status, "%s", skew->summary);
        return;
    }
    if (look->n_wrong > 0)
        say_wrong(look, text);
    else if (look->n_silent > 0)
        say_silent(look, text);
    else if (look->unproven && !stands)
        say_unproven(look, text);
    else if (look->unproven && skew->standing == SKEW_NOTHING)
        (void)snprintf(text, sizeof text, "waiting for the clocks of %d servers",
                       skew->n);
    if (text[0])
        verdict_set(ret, VERDICT_WARNING, "%s", text);
    else if (look->unproven)
        verdict_set(ret, skew->status, "%s", skew->summary);
    else
        judge_agreement(look, ret);
}

void agreement_judge(struct skew *skew, const struct skew_limits *limits,
                     const struct clock_reading *now, struct verdict *ret)
{
    struct look look;
    *ret = (struct verdict){0};
    if (judge_alone(skew, ret))
        return;
    if (memcmp(&skew->limits, limits, sizeof *limits) != 0)
        memset(skew->pair, 0, sizeof skew->pair);
    skew->limits = *limits;
    look_at_all(skew, now->raw_us, &look);
    if (!judge_differs(&look, &look.critical, limits->critical_us, VERDICT_CRITICAL,
                       ret) &&
        !judge_differs(&look, &look.warning, limits->warning_us, VERDICT_WARNING, ret))
        judge_others(&look, ret);
    note_others(&look, ret);
}
