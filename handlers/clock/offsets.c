/* SPDX-License-Identifier: MIT */
#include "clock/offsets.h"

#include "base/limits.h"
#include "base/text.h"

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
static int64_t gap(const struct local_clock_reading *clock)
{
    return clock->real_us - clock->raw_us;
}

int offsets_pair_at(int i, int j)
{
    return i > j ? i * (i - 1) / 2 + j : j * (j - 1) / 2 + i;
}

/* ---- participants -------------------------------------------------------- */

int offsets_find(const struct offsets *offsets, const char *name)
{
    for (int i = 0; i < offsets->n; i++)
        if (strcasecmp(offsets->server[i].name, name) == 0)
            return i;
    return -1;
}

/* In its place by name; as it was, if it is not new. */
static void insert(struct offsets *offsets, const struct offsets *old, const char *name,
                   int64_t now_us)
{
    const int was = offsets_find(old, name);
    int at = offsets->n;
    while (at > 0 && strverscmp(offsets->server[at - 1].name, name) > 0)
        at--;
    memmove(&offsets->server[at + 1], &offsets->server[at],
            (size_t)(offsets->n - at) * sizeof offsets->server[0]);
    offsets->server[at] = was >= 0 ? old->server[was] : (struct offsets_server){.round_us = now_us};
    (void)snprintf(offsets->server[at].name, sizeof offsets->server[at].name, "%s", name);
    offsets->n++;
}

/* Pairs are kept by index, which another set changes. */
static void take_participants(struct offsets *offsets, const char *const *names, size_t n,
                              int64_t now_us)
{
    static struct offsets old;
    int was[OFFSETS_SERVERS];
    old = *offsets;
    offsets->n = 0;
    for (size_t i = 0; i < n; i++)
        if (offsets_find(offsets, names[i]) < 0)
            insert(offsets, &old, names[i], now_us);
    for (int i = 0; i < offsets->n; i++) {
        was[i] = offsets_find(&old, offsets->server[i].name);
        for (int j = 0; j < i; j++)
            offsets->pair[offsets_pair_at(i, j)] = was[i] >= 0 && was[j] >= 0
                                                       ? old.pair[offsets_pair_at(was[i], was[j])]
                                                       : (struct offsets_pair){0};
    }
}

/* By how much a real clock moved between two readings of one boot, beyond what its raw
 * clock's rate explains. */
static int64_t jump(const struct local_clock_reading *from, const struct local_clock_reading *to,
                    int64_t ppm)
{
    const int64_t moved = gap(to) - gap(from);
    const int64_t explained = JUMP_US + ppm * (to->raw_us - from->raw_us) / 1000000 + from->err_us +
                              to->err_us;
    return llabs(moved) > explained ? moved : 0;
}

int64_t offsets_begin(struct offsets *offsets, const struct offsets_own *own,
                      const char *const *names, size_t n, const struct local_clock_reading *now)
{
    int64_t moved = 0;
    if (offsets->version != OFFSETS_VERSION || strcmp(offsets->boot, own->boot) != 0) {
        *offsets = (struct offsets){.version = OFFSETS_VERSION, .proven_us = now->raw_us};
        (void)snprintf(offsets->boot, sizeof offsets->boot, "%s", own->boot);
    } else {
        moved = jump(&offsets->own, now, own->ppm);
    }
    offsets->own = *now;
    offsets->own_ppm = own->ppm;
    offsets->refused = n > OFFSETS_SERVERS ? n : 0;
    if (names && !offsets->refused)
        take_participants(offsets, names, n, now->raw_us);
    offsets->self = offsets_find(offsets, own->name);
    if (offsets->self >= 0)
        offsets->server[offsets->self].reference = own->reference;
    return moved;
}

/* ---- state ------------------------------------------------------------- */

static bool is_time(int64_t us)
{
    return us >= 0 && us <= OFFSETS_MOST;
}

/* 1 to LOCAL_CLOCK_BOOT - 1 printable characters. */
static bool is_boot(const char *text)
{
    return *text && strnlen(text, LOCAL_CLOCK_BOOT) < LOCAL_CLOCK_BOOT && text_is_word(text);
}

static bool is_clock(const struct local_clock_reading *clock)
{
    return is_time(clock->raw_us) && is_time(clock->real_us) && is_time(clock->err_us);
}

static bool is_ppm(int64_t ppm)
{
    return ppm >= LOCAL_CLOCK_PPM_LEAST && ppm <= LOCAL_CLOCK_PPM_MOST;
}

static bool is_reference(const struct clock_reference *reference)
{
    return reference->offset_us >= -OFFSETS_MOST && reference->offset_us <= OFFSETS_MOST &&
           is_time(reference->err_us);
}

static bool is_sane(const struct clock_record *record)
{
    const struct clock_echo *echo = &record->echo;
    return is_boot(record->boot) && is_clock(&record->clock) && is_ppm(record->ppm) &&
           is_reference(&record->reference) &&
           (!echo->known || (is_boot(echo->boot) && is_time(echo->raw_us) && is_time(echo->at_us)));
}

/* The one test that keeps out stale payloads, restored snapshots, earlier boots and
 * replays. */
static bool is_round(const struct offsets *offsets, const struct clock_record *record,
                     int64_t now_us)
{
    const struct clock_echo *echo = &record->echo;
    return echo->known && strcmp(echo->boot, offsets->boot) == 0 &&
           echo->at_us <= record->clock.raw_us && echo->raw_us <= now_us &&
           now_us - echo->raw_us <= ms_to_us(limits()->clock_echo_ms);
}

static void forget_pairs(struct offsets *offsets, int i)
{
    for (int j = 0; j < offsets->n; j++)
        if (j != i)
            offsets->pair[offsets_pair_at(i, j)] = (struct offsets_pair){0};
}

/* Keep what the own record echoes. Another boot has another raw clock. */
static int64_t keep_record(struct offsets *offsets, int i, const struct clock_record *record,
                           int64_t now_us)
{
    struct offsets_server *server = &offsets->server[i];
    int64_t moved = 0;
    if (strcmp(server->boot, record->boot) != 0) {
        server->rounds.n = 0;
        forget_pairs(offsets, i);
        (void)snprintf(server->boot, sizeof server->boot, "%s", record->boot);
    } else if (record->clock.raw_us > server->record.raw_us) {
        moved = jump(&server->record, &record->clock, record->ppm);
    }
    server->record = record->clock;
    server->heard_us = now_us;
    return moved;
}

/* What is stated from now on is as of this record. */
static void take_record(struct offsets *offsets, int i, const struct clock_record *record,
                        const struct local_clock_reading *at, bool again)
{
    struct offsets_server *server = &offsets->server[i];
    server->peer_moved_us = again ? gap(&record->clock) - gap(&server->peer) : 0;
    server->own_moved_us = again ? gap(at) - gap(&server->own) : 0;
    server->peer = record->clock;
    server->own = *at;
    server->ppm = record->ppm;
    server->synced = record->synced;
    server->reference = record->reference;
}

/* A record that was overtaken by a later one still bounds the raw clocks. */
static bool add_round(struct offsets *offsets, int i, const struct clock_record *record,
                      const struct local_clock_reading *at)
{
    struct offsets_server *server = &offsets->server[i];
    const struct offset_bound_round round = {
        .sent_us = record->echo.raw_us,
        .got_us = record->echo.at_us,
        .stamped_us = record->clock.raw_us,
        .heard_us = at->raw_us,
    };
    const bool again = server->rounds.n > 0;
    if (offset_bound_add(&server->rounds, &round, offsets->own_ppm + record->ppm) < 0)
        return false;
    server->round_us = at->raw_us;
    if (server->rounds.n == 1 || record->clock.raw_us > server->peer.raw_us)
        take_record(offsets, i, record, at, again);
    return true;
}

enum offsets_received offsets_receive(struct offsets *offsets, const char *name,
                                      const struct clock_record *record,
                                      const struct local_clock_reading *at, int64_t *ret_jump_us)
{
    const int i = offsets_find(offsets, name);
    *ret_jump_us = 0;
    if (i < 0 || i == offsets->self)
        return OFFSETS_KNOWN;
    if (!is_sane(record))
        return OFFSETS_NONSENSE;
    if (strcmp(offsets->server[i].boot, record->boot) == 0 &&
        offsets->server[i].record.raw_us == record->clock.raw_us)
        return OFFSETS_KNOWN;
    *ret_jump_us = keep_record(offsets, i, record, at->raw_us);
    if (!is_round(offsets, record, at->raw_us) || !add_round(offsets, i, record, at))
        return OFFSETS_RECEIVED;
    return OFFSETS_ROUND;
}

const char *offsets_jump_text(const char *name, int64_t jump_us, char ret[OFFSETS_EVENT])
{
    char figure[FIGURE_TEXT];
    (void)snprintf(ret, OFFSETS_EVENT, "clock of %s stepped or slewed by %s", name,
                   figure_signed(jump_us, figure));
    return ret;
}

/* ---- offsets ------------------------------------------------------------- */

/* Raw offset, own minus server i. */
static int raw_offset(const struct offsets *offsets, int i, int64_t now_us, int64_t *ret_lo,
                      int64_t *ret_hi)
{
    const struct offsets_server *server = &offsets->server[i];
    *ret_lo = 0;
    *ret_hi = 0;
    if (i == offsets->self)
        return 0;
    return offset_bound_get(&server->rounds, offsets->own_ppm + server->ppm, now_us, ret_lo,
                            ret_hi);
}

/* The moments at which the offset may have been what it is said to be: from when the record
 * of `server` was stamped, at the earliest, until it was received. */
static void span_record(const struct offsets_server *server, int64_t lo, struct clock_offset *ret)
{
    const int64_t stamped = server->peer.raw_us + lo;
    ret->from_us = stamped < ret->from_us ? stamped : ret->from_us;
    ret->to_us = server->own.raw_us > ret->to_us ? server->own.raw_us : ret->to_us;
}

/* Between two others the own real clock takes no part: it may have been stepped between
 * the state of the one and of the other. */
int offsets_between(const struct offsets *offsets, int i, int j, int64_t now_us,
                    struct clock_offset *ret)
{
    const struct offsets_server *first = &offsets->server[i];
    const struct offsets_server *second = &offsets->server[j];
    const bool first_own = i == offsets->self;
    const bool second_own = j == offsets->self;
    int64_t lo[2];
    int64_t hi[2];
    if (raw_offset(offsets, i, now_us, &lo[0], &hi[0]) < 0 ||
        raw_offset(offsets, j, now_us, &lo[1], &hi[1]) < 0)
        return -ENODATA;
    const struct local_clock_reading *a = first_own ? &second->own : &first->peer;
    const struct local_clock_reading *b = second_own ? &first->own : &second->peer;
    const int64_t err = a->err_us + b->err_us;
    *ret = (struct clock_offset){
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

int64_t clock_offset_least(const struct clock_offset *offset)
{
    return offset->lo_us > 0 ? offset->lo_us : offset->hi_us < 0 ? -offset->hi_us : 0;
}

int64_t clock_offset_most(const struct clock_offset *offset)
{
    const int64_t lo = llabs(offset->lo_us);
    const int64_t hi = llabs(offset->hi_us);
    return lo > hi ? lo : hi;
}

/* ---- a state that was read ----------------------------------------------- */

static bool is_text(const char *text, size_t size)
{
    return strnlen(text, size) < size && text_is_printable(text);
}

static bool is_past(int64_t us, int64_t now_us)
{
    return us >= 0 && us <= now_us;
}

static bool is_change(int64_t us)
{
    return us >= -2 * OFFSETS_MOST && us <= 2 * OFFSETS_MOST;
}

static bool are_rounds(const struct offset_bound *rounds, int64_t now_us)
{
    if (rounds->n < 0 || rounds->n > OFFSET_BOUND_ROUNDS)
        return false;
    for (int i = 0; i < rounds->n; i++) {
        const struct offset_bound_round *r = &rounds->round[i];
        if (!is_past(r->heard_us, now_us) || !is_past(r->sent_us, r->heard_us) ||
            !is_time(r->stamped_us) || !is_past(r->got_us, r->stamped_us))
            return false;
    }
    return true;
}

static bool is_server(const struct offsets_server *s, int64_t now_us)
{
    return is_text(s->name, sizeof s->name) && s->name[0] &&
           (is_boot(s->boot) || (s->boot[0] == '\0' && s->rounds.n == 0)) &&
           is_past(s->round_us, now_us) && is_past(s->heard_us, now_us) && is_clock(&s->record) &&
           is_clock(&s->peer) && is_clock(&s->own) && is_past(s->own.raw_us, now_us) &&
           are_rounds(&s->rounds, now_us) && (s->rounds.n == 0 || is_ppm(s->ppm)) &&
           is_reference(&s->reference) && is_change(s->peer_moved_us) &&
           is_change(s->own_moved_us) && is_change(s->shown_us) && is_change(s->shown_reference_us);
}

static bool is_beyond(const struct offsets_beyond *beyond, int64_t now_us)
{
    return beyond->records >= 0 && beyond->records <= 2 && is_past(beyond->end_us, now_us);
}

static bool is_pair(const struct offsets_pair *pair, int64_t now_us)
{
    return is_beyond(&pair->warning, now_us) && is_beyond(&pair->critical, now_us) &&
           is_change(pair->shown_us) && pair->bound_us >= 0;
}

static bool is_last(const struct offsets *offsets, int64_t now_us)
{
    return offsets->standing >= OFFSETS_NOTHING && offsets->standing <= OFFSETS_DIFFERED &&
           is_text(offsets->agreed, sizeof offsets->agreed) &&
           is_past(offsets->proven_us, now_us) && is_clock(&offsets->own) &&
           is_past(offsets->own.raw_us, now_us) && is_time(offsets->limits.warning_us) &&
           is_time(offsets->limits.critical_us);
}

bool offsets_valid(const struct offsets *offsets, const char *boot, int64_t now_us)
{
    if (offsets->version != OFFSETS_VERSION || !is_text(offsets->boot, sizeof offsets->boot) ||
        strcmp(offsets->boot, boot) != 0 || offsets->n < 0 || offsets->n > OFFSETS_SERVERS ||
        !is_last(offsets, now_us))
        return false;
    for (int i = 0; i < offsets->n; i++)
        if (!is_server(&offsets->server[i], now_us) ||
            (i > 0 && strverscmp(offsets->server[i - 1].name, offsets->server[i].name) >= 0))
            return false;
    for (int i = 0; i < offsets->n * (offsets->n - 1) / 2; i++)
        if (!is_pair(&offsets->pair[i], now_us))
            return false;
    return true;
}
