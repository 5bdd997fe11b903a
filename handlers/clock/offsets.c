#include "clock/offsets.h"

#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JUMP_US INT64_C(10000)

static int64_t ms_to_us(int64_t ms)
{
    return ms * 1000;
}

/* What NTP did to a clock: it changes only when somebody steps or slews it. */
static int64_t gap(const struct clock_reading *clock)
{
    return clock->real_us - clock->raw_us;
}

int skew_pair_at(int i, int j)
{
    return i * (i - 1) / 2 + j;
}

/* ---- participants -------------------------------------------------------- */

static int find(const struct skew *skew, const char *name)
{
    for (int i = 0; i < skew->n; i++)
        if (strcasecmp(skew->server[i].name, name) == 0)
            return i;
    return -1;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Returns how many left. */
static int drop_missing(struct skew *skew, const char *const *names, size_t n)
{
    int kept = 0;
    const int had = skew->n;
    for (int i = 0; i < had; i++) {
        if (!is_among(skew->server[i].name, names, n))
            continue;
        if (kept != i)
            skew->server[kept] = skew->server[i];
        kept++;
    }
    skew->n = kept;
    return had - kept;
}

static void insert(struct skew *skew, const char *name, int64_t now_us)
{
    int at = skew->n;
    while (at > 0 && strverscmp(skew->server[at - 1].name, name) > 0)
        at--;
    memmove(&skew->server[at + 1], &skew->server[at],
            (size_t)(skew->n - at) * sizeof skew->server[0]);
    skew->server[at] = (struct skew_server){.round_us = now_us};
    (void)snprintf(skew->server[at].name, sizeof skew->server[at].name, "%s", name);
    skew->n++;
}

/* Pairs stand by index: another set begins anew with them. */
static void take_participants(struct skew *skew, const char *const *names, size_t n,
                              int64_t now_us)
{
    const int left = drop_missing(skew, names, n);
    const int stayed = skew->n;
    for (size_t i = 0; i < n; i++)
        if (find(skew, names[i]) < 0)
            insert(skew, names[i], now_us);
    if (left > 0 || skew->n > stayed)
        memset(skew->pair, 0, sizeof skew->pair);
    if (left > 0 && skew->standing == SKEW_DIFFERED) {
        skew->standing = SKEW_NOTHING;
        skew->proven_us = now_us;
    }
}

/* By how much a real clock moved between two readings of one boot, beyond what its raw
 * clock's rate explains. */
static int64_t jump(const struct clock_reading *from, const struct clock_reading *to,
                    int64_t ppm)
{
    const int64_t moved = gap(to) - gap(from);
    const int64_t explained = JUMP_US + ppm * (to->raw_us - from->raw_us) / 1000000 +
                              from->err_us + to->err_us;
    return llabs(moved) > explained ? moved : 0;
}

int64_t skew_begin(struct skew *skew, const struct skew_own *own,
                   const char *const *names, size_t n, const struct clock_reading *now)
{
    int64_t moved = 0;
    if (skew->version != SKEW_VERSION || strcmp(skew->boot, own->boot) != 0) {
        *skew = (struct skew){.version = SKEW_VERSION, .proven_us = now->raw_us};
        (void)snprintf(skew->boot, sizeof skew->boot, "%s", own->boot);
    } else {
        moved = jump(&skew->own, now, own->ppm);
    }
    skew->own = *now;
    skew->own_ppm = own->ppm;
    skew->refused = n > SKEW_SERVERS ? n : 0;
    if (!skew->refused)
        take_participants(skew, names, n, now->raw_us);
    skew->self = find(skew, own->name);
    if (skew->self >= 0)
        skew->server[skew->self].reference = own->reference;
    return moved;
}

/* ---- hearing ------------------------------------------------------------- */

static bool is_time(int64_t us)
{
    return us >= 0 && us <= SKEW_MOST;
}

/* 1 to CLOCK_BOOT - 1 printable characters. */
static bool is_boot(const char *text)
{
    const size_t len = strnlen(text, CLOCK_BOOT);
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0 && len < CLOCK_BOOT;
}

static bool is_clock(const struct clock_reading *clock)
{
    return is_time(clock->raw_us) && is_time(clock->real_us) && is_time(clock->err_us);
}

static bool is_ppm(int64_t ppm)
{
    return ppm >= CLOCK_PPM_LEAST && ppm <= CLOCK_PPM_MOST;
}

static bool is_reference(const struct skew_reference *reference)
{
    return !reference->known ||
           (reference->offset_us >= -SKEW_MOST && is_time(reference->err_us) &&
            reference->offset_us <= SKEW_MOST);
}

static bool is_sane(const struct skew_record *record)
{
    const struct skew_echo *echo = &record->echo;
    return is_boot(record->boot) && is_clock(&record->clock) && is_ppm(record->ppm) &&
           is_reference(&record->reference) &&
           (!echo->known ||
            (is_boot(echo->boot) && is_time(echo->raw_us) && is_time(echo->at_us)));
}

/* The one test that keeps out stale payloads, restored snapshots, earlier boots and
 * replays. */
static bool is_round(const struct skew *skew, const struct skew_record *record,
                     int64_t now_us)
{
    const struct skew_echo *echo = &record->echo;
    return echo->known && strcmp(echo->boot, skew->boot) == 0 &&
           echo->at_us <= record->clock.raw_us && echo->raw_us <= now_us &&
           now_us - echo->raw_us <= ms_to_us(timing()->clock_echo_ms);
}

static void forget_pairs(struct skew *skew, int i)
{
    for (int j = 0; j < skew->n; j++)
        if (j != i)
            skew->pair[i > j ? skew_pair_at(i, j) : skew_pair_at(j, i)] =
                (struct skew_pair){0};
}

/* Keep what the own record echoes. Another boot has another raw clock. */
static int64_t keep_record(struct skew *skew, int i, const struct skew_record *record,
                           int64_t now_us)
{
    struct skew_server *server = &skew->server[i];
    int64_t moved = 0;
    if (strcmp(server->boot, record->boot) != 0) {
        server->rounds.n = 0;
        forget_pairs(skew, i);
        (void)snprintf(server->boot, sizeof server->boot, "%s", record->boot);
    } else if (record->clock.raw_us > server->record.raw_us) {
        moved = jump(&server->record, &record->clock, record->ppm);
    }
    server->record = record->clock;
    server->heard_us = now_us;
    return moved;
}

/* What is stated from now on is as of this record. */
static void take_record(struct skew *skew, int i, const struct skew_record *record,
                        const struct clock_reading *at, bool again)
{
    struct skew_server *server = &skew->server[i];
    struct skew_offset offset;
    server->peer_moved_us = again ? gap(&record->clock) - gap(&server->peer) : 0;
    server->own_moved_us = again ? gap(at) - gap(&server->own) : 0;
    server->peer = record->clock;
    server->own = *at;
    server->ppm = record->ppm;
    server->synced = record->synced;
    server->reference = record->reference;
    if (skew->self >= 0 && skew_offset(skew, skew->self, i, at->raw_us, &offset) == 0)
        figure_look(&server->shown_bound, skew_most(&offset));
}

/* A record that was overtaken by a later one still bounds the raw clocks. */
static bool add_round(struct skew *skew, int i, const struct skew_record *record,
                      const struct clock_reading *at)
{
    struct skew_server *server = &skew->server[i];
    const struct bound_round round = {
        .sent_us = record->echo.raw_us,
        .got_us = record->echo.at_us,
        .stamped_us = record->clock.raw_us,
        .heard_us = at->raw_us,
    };
    const bool again = server->rounds.n > 0;
    if (bound_add(&server->rounds, &round, skew->own_ppm + record->ppm) < 0)
        return false;
    server->round_us = at->raw_us;
    if (server->rounds.n == 1 || record->clock.raw_us > server->peer.raw_us)
        take_record(skew, i, record, at, again);
    return true;
}

enum skew_heard skew_hear(struct skew *skew, const char *name,
                          const struct skew_record *record,
                          const struct clock_reading *at, int64_t *ret_jump_us)
{
    const int i = find(skew, name);
    *ret_jump_us = 0;
    if (i < 0 || i == skew->self)
        return SKEW_KNOWN;
    if (!is_sane(record))
        return SKEW_NONSENSE;
    if (strcmp(skew->server[i].boot, record->boot) == 0 &&
        skew->server[i].record.raw_us == record->clock.raw_us)
        return SKEW_KNOWN;
    *ret_jump_us = keep_record(skew, i, record, at->raw_us);
    if (!is_round(skew, record, at->raw_us) || !add_round(skew, i, record, at))
        return SKEW_HEARD;
    return SKEW_ROUND;
}

const char *skew_jump_text(const char *name, int64_t jump_us, char ret[SKEW_EVENT])
{
    char figure[FIGURE_TEXT];
    (void)snprintf(ret, SKEW_EVENT, "clock of %s stepped or slewed by %s", name,
                   figure_signed(jump_us, figure));
    return ret;
}

/* ---- offsets ------------------------------------------------------------- */

/* Raw offset, own minus server i. */
static int raw_offset(const struct skew *skew, int i, int64_t now_us, int64_t *ret_lo,
                      int64_t *ret_hi)
{
    const struct skew_server *server = &skew->server[i];
    *ret_lo = 0;
    *ret_hi = 0;
    if (i == skew->self)
        return 0;
    return bound_offset(&server->rounds, skew->own_ppm + server->ppm, now_us, ret_lo,
                        ret_hi);
}

/* The moments at which the offset may have been what it is said to be: from when the record
 * of `server` was stamped, at the earliest, until it was heard. */
static void span_record(const struct skew_server *server, int64_t lo,
                        struct skew_offset *ret)
{
    const int64_t stamped = server->peer.raw_us + lo;
    ret->from_us = stamped < ret->from_us ? stamped : ret->from_us;
    ret->to_us = server->own.raw_us > ret->to_us ? server->own.raw_us : ret->to_us;
}

/* Between two others the own real clock takes no part: it may have been stepped between
 * the hearing of the one and of the other. */
int skew_offset(const struct skew *skew, int i, int j, int64_t now_us,
                struct skew_offset *ret)
{
    const struct skew_server *first = &skew->server[i];
    const struct skew_server *second = &skew->server[j];
    const bool first_own = i == skew->self;
    const bool second_own = j == skew->self;
    int64_t lo[2];
    int64_t hi[2];
    if (raw_offset(skew, i, now_us, &lo[0], &hi[0]) < 0 ||
        raw_offset(skew, j, now_us, &lo[1], &hi[1]) < 0)
        return -ENODATA;
    const struct clock_reading *a = first_own ? &second->own : &first->peer;
    const struct clock_reading *b = second_own ? &first->own : &second->peer;
    const int64_t err = a->err_us + b->err_us;
    *ret = (struct skew_offset){
        .lo_us = lo[1] - hi[0] + gap(a) - gap(b) - err,
        .hi_us = hi[1] - lo[0] + gap(a) - gap(b) + err,
        .from_us = INT64_MAX,
        .to_us = INT64_MIN,
        .moved_us = llabs(first_own ? second->own_moved_us : first->peer_moved_us) +
                    llabs(second_own ? first->own_moved_us : second->peer_moved_us),
    };
    if (!first_own)
        span_record(first, lo[0], ret);
    if (!second_own)
        span_record(second, lo[1], ret);
    return 0;
}

int64_t skew_least(const struct skew_offset *offset)
{
    return offset->lo_us > 0 ? offset->lo_us : offset->hi_us < 0 ? -offset->hi_us : 0;
}

int64_t skew_most(const struct skew_offset *offset)
{
    const int64_t lo = llabs(offset->lo_us);
    const int64_t hi = llabs(offset->hi_us);
    return lo > hi ? lo : hi;
}

/* ---- a state that was read ----------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
    const size_t len = strnlen(text, size);
    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len < size;
}

static bool is_past(int64_t us, int64_t now_us)
{
    return us >= 0 && us <= now_us;
}

static bool is_change(int64_t us)
{
    return us >= -2 * SKEW_MOST && us <= 2 * SKEW_MOST;
}

static bool are_rounds(const struct bound *rounds, int64_t now_us)
{
    if (rounds->n < 0 || rounds->n > BOUND_ROUNDS)
        return false;
    for (int i = 0; i < rounds->n; i++) {
        const struct bound_round *r = &rounds->round[i];
        if (!is_past(r->heard_us, now_us) || !is_past(r->sent_us, r->heard_us) ||
            !is_time(r->stamped_us) || !is_past(r->got_us, r->stamped_us))
            return false;
    }
    return true;
}

static bool is_shown(const struct figure_bound *shown)
{
    return is_change(shown->shown_us) && is_change(shown->peak_us) &&
           shown->calm >= 0 && shown->calm < FIGURE_CALM;
}

static bool is_server(const struct skew_server *s, int64_t now_us)
{
    return is_text(s->name, sizeof s->name) && s->name[0] &&
           (is_boot(s->boot) || (s->boot[0] == '\0' && s->rounds.n == 0)) &&
           is_past(s->round_us, now_us) && is_past(s->heard_us, now_us) &&
           is_clock(&s->record) && is_clock(&s->peer) && is_clock(&s->own) &&
           is_past(s->own.raw_us, now_us) && are_rounds(&s->rounds, now_us) &&
           (s->rounds.n == 0 || is_ppm(s->ppm)) && is_reference(&s->reference) &&
           is_change(s->peer_moved_us) && is_change(s->own_moved_us) &&
           is_shown(&s->shown_bound) && is_change(s->shown_us) &&
           is_change(s->shown_reference_us);
}

static bool is_pair(const struct skew_pair *pair, int64_t now_us)
{
    return pair->warning >= 0 && pair->warning <= 2 && pair->critical >= 0 &&
           pair->critical <= 2 && is_past(pair->warning_end_us, now_us) &&
           is_past(pair->critical_end_us, now_us) && is_change(pair->shown_us);
}

static bool is_last(const struct skew *skew, int64_t now_us)
{
    return skew->standing >= SKEW_NOTHING && skew->standing <= SKEW_DIFFERED &&
           skew->status >= VERDICT_PASSING && skew->status <= VERDICT_CRITICAL &&
           is_text(skew->summary, sizeof skew->summary) &&
           is_past(skew->proven_us, now_us) && is_clock(&skew->own) &&
           is_past(skew->own.raw_us, now_us) && is_time(skew->limits.warning_us) &&
           is_time(skew->limits.critical_us);
}

bool skew_valid(const struct skew *skew, const char *boot, int64_t now_us)
{
    if (skew->version != SKEW_VERSION || !is_text(skew->boot, sizeof skew->boot) ||
        strcmp(skew->boot, boot) != 0 || skew->n < 0 || skew->n > SKEW_SERVERS ||
        !is_last(skew, now_us))
        return false;
    for (int i = 0; i < skew->n; i++)
        if (!is_server(&skew->server[i], now_us) ||
            (i > 0 && strverscmp(skew->server[i - 1].name, skew->server[i].name) >= 0))
            return false;
    for (int i = 0; i < skew->n * (skew->n - 1) / 2; i++)
        if (!is_pair(&skew->pair[i], now_us))
            return false;
    return true;
}
