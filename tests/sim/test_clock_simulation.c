/* SPDX-License-Identifier: MIT */
/* Machines whose clocks are known exactly exchange records over a bad network, are
 * disturbed in every way that clocks know, and judge each other. What they state is compared
 * with what is true. */
#include "base/limits.h"
#include "clock/skew_verdict.h"
#include "seed.h"
#include "test.h"

#include <math.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
#define JUDGEMENTS 200000
#define PERSISTING 40
#else
#define JUDGEMENTS 1100000
#define PERSISTING 400
#endif

#define SEED       20261123
#define MACHINES   10 /* nine names, one of which two machines may use */
#define RECORDS    1024
#define EVENTS     4096
#define SEGMENTS   512
#define MS         INT64_C(1000)
#define SECOND     INT64_C(1000000)
#define HOUR       (3600 * SECOND)
#define EPOCH      (INT64_C(1795000000) * SECOND)
#define SCENARIO   (20 * 60 * SECOND)
#define PI         3.14159265358979323846
#define NO_MACHINE (-1)

/* ---- chance -------------------------------------------------------------- */

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014. */
static uint64_t chance_state;

static uint64_t chance(void)
{
    uint64_t z = (chance_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= x < 1 */
static double unit(void)
{
    return (double)(chance() >> 11) / 9007199254740992.0;
}

static int64_t between(int64_t lo, int64_t hi)
{
    return lo + (int64_t)(unit() * (double)(hi - lo));
}

static int64_t log_between(int64_t lo, int64_t hi)
{
    return (int64_t)((double)lo * exp(unit() * log((double)hi / (double)lo)));
}

static bool happens(double probability)
{
    return unit() < probability;
}

static int64_t either_sign(int64_t x)
{
    return happens(0.5) ? x : -x;
}

/* ---- clocks as they are -------------------------------------------------- */

/* A raw clock of one boot: its rate is off by a constant and by its temperature. */
struct raw {
    int64_t at_us; /* true time at which it read base_us */
    int64_t base_us;
    double rate;    /* up to 9e-5 */
    double wave_us; /* amplitude; up to 1e-5 of rate */
    double phase;
};

#define WAVE_US (600.0 * 1e6)

static int64_t raw_at(const struct raw *raw, int64_t t)
{
    const double dt = (double)(t - raw->at_us);
    const double wave = raw->wave_us * (sin(2 * PI * dt / WAVE_US + raw->phase) - sin(raw->phase));
    return raw->base_us + (t - raw->at_us) + (int64_t)floor(dt * raw->rate + wave);
}

/* The error of a real clock from t on. */
struct segment {
    int64_t t;
    double off_us;
    double rate;
};

/* What is true of a record: who wrote it, when, on which clocks. */
struct truth {
    int machine;
    int64_t t;
    int64_t gap_us; /* real - raw */
    struct raw raw;
};

struct heard {
    struct clock_echo echo;
    int64_t real_us; /* as the echo's raw_us and at_us, of the real clocks */
    int64_t real_at_us;
};

struct record {
    int name;
    struct truth truth;
    struct clock_record record; /* without echo */
    struct heard heard[MACHINES];
};

/* What a machine's plain variant knows: the same rounds by the real clock. */
struct plain {
    struct offset_bound rounds;
    char boot[LOCAL_CLOCK_BOOT];
    int64_t real_us;
    int64_t heard_us;
};

struct machine {
    int name;
    bool down;
    bool synced;
    int boots;
    char boot[LOCAL_CLOCK_BOOT];
    struct raw raw;
    double slew;
    struct segment segment[SEGMENTS];
    int segments;
    /* of the records behind its state, by name: */
    struct truth peer[MACHINES];
    int64_t own_gap_us[MACHINES];
    struct plain plain[MACHINES];
    int64_t first_from[MACHINES][MACHINES][2]; /* true time: a pair's first gathered */
};

static struct machine machines[MACHINES];
static struct offsets states[MACHINES];
static struct verdict said[MACHINES];
static struct record records[RECORDS];
static int n_machines;
static int n_names;
static int n_records;
static int64_t now;
static int64_t all_moved; /* clocks moved alike until then */
static bool storm;
static const char *const names[MACHINES] = {"server-1", "server-2", "server-3", "server-4",
                                            "server-5", "server-6", "server-7", "server-8",
                                            "server-9", ""};
static const struct skew_limits skew_limits = {.warning_us = 100 * MS, .critical_us = 500 * MS};

static struct {
    int64_t judgements;
    int64_t statements;
    int64_t alarms;
    int64_t passed;
    int64_t plain_statements;
    int64_t plain_false;
    int64_t width[64]; /* histogram, a quarter of a power of two each */
} seen;

static const struct segment *segment_at(const struct machine *m, int64_t t, bool before)
{
    int i = m->segments;
    do
        i--;
    while (i > 0 && i > m->segments - SEGMENTS &&
           (m->segment[i % SEGMENTS].t > t || (before && m->segment[i % SEGMENTS].t == t)));
    return &m->segment[i % SEGMENTS];
}

/* The error of its real clock, just before or from t on. */
static double error_at(const struct machine *m, int64_t t, bool before)
{
    const struct segment *s = segment_at(m, t, before);
    return s->off_us + (double)(t - s->t) * s->rate;
}

static int64_t real_at(const struct machine *m, int64_t t)
{
    return EPOCH + t + (int64_t)floor(error_at(m, t, false));
}

/* What the real clock does without anybody's doing. */
static double usual_rate(const struct machine *m)
{
    return m->synced ? 1e-6 : m->raw.rate;
}

static void move_clock(struct machine *m, double step_us)
{
    const double off_us = error_at(m, now, false) + step_us;
    m->segment[m->segments++ % SEGMENTS] = (struct segment){
        .t = now, .off_us = off_us, .rate = usual_rate(m) + m->slew};
}

/* The clocks as the machine reads them: it is held up now and then. */
static struct local_clock_reading read_clocks(const struct machine *m, int64_t *ret_gap_us)
{
    const int64_t bracket = happens(0.98) ? between(0, 90) : log_between(100, 50 * MS);
    const int64_t at = now + between(0, bracket + 1);
    const int64_t from = raw_at(&m->raw, now);
    const int64_t to = raw_at(&m->raw, now + bracket);
    *ret_gap_us = real_at(m, at) - raw_at(&m->raw, at);
    now += bracket;
    return (struct local_clock_reading){
        .raw_us = from + (to - from) / 2,
        .real_us = real_at(m, at),
        .err_us = (to - from) / 2 + 2,
    };
}

static int64_t ppm_of(const struct machine *m)
{
    const int64_t ppm = (int64_t)(fabs(m->raw.rate) * 1e6 + 1) + 25;
    return !m->synced ? 500 : ppm > 50 ? ppm : 50;
}

/* One chance after the other: the order in which arguments and members are evaluated is
 * the compiler's own. */
static void boot(struct machine *m, int id)
{
    const double rate = (unit() * 2 - 1) * 9e-5;
    const double wave = unit();
    const double phase = unit() * 2 * PI;
    (void)snprintf(m->boot, sizeof m->boot, "boot-%d-%d+0", id, ++m->boots);
    m->raw = (struct raw){
        .at_us = now,
        .base_us = log_between(10 * SECOND, 1000 * HOUR),
        .rate = m->boots > 1 ? m->raw.rate : rate,
        .wave_us = wave * 1e-5 * WAVE_US / (2 * PI),
        .phase = phase,
    };
}

/* ---- events -------------------------------------------------------------- */

enum kind { STAMP, ARRIVE, DISTURB, SLEW_ENDS, LEAP, UP, STORM_ENDS };

struct event {
    int64_t t;
    enum kind kind;
    int machine;
    int record;
};

static struct event heap[EVENTS];
static int events;

static void put(struct event event)
{
    int at = events++;
    assert_true(events < EVENTS);
    for (; at > 0 && heap[(at - 1) / 2].t > event.t; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = event;
}

static struct event take(void)
{
    const struct event first = heap[0];
    const struct event last = heap[--events];
    int at = 0;
    for (;;) {
        int child = 2 * at + 1;
        if (child >= events)
            break;
        if (child + 1 < events && heap[child + 1].t < heap[child].t)
            child++;
        if (last.t <= heap[child].t)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return first;
}

static void put_in(int64_t us, enum kind kind, int machine, int record)
{
    put((struct event){.t = now + us, .kind = kind, .machine = machine, .record = record});
}

/* 0.1 ms to 30 s, heavy-tailed. */
static int64_t delay(void)
{
    const double tail = storm ? 0.2 : 0.01;
    if (happens(tail))
        return log_between(SECOND, 30 * SECOND);
    if (happens(storm ? 0.5 : 0.09))
        return between(0, SECOND);
    return 100 + (int64_t)(-10e3 * log(1 - unit()));
}

/* ---- comparing with the truth -------------------------------------------- */

static void note_width(int64_t width_us)
{
    int i = width_us > 0 ? (int)(4 * log2((double)width_us / 100)) : 0;
    seen.width[i < 0 ? 0 : i > 63 ? 63 : i]++;
}

static int64_t width_quantile(double q)
{
    int64_t total = 0;
    int64_t sum = 0;
    int i = 0;
    for (int k = 0; k < 64; k++)
        total += seen.width[k];
    while (i < 63 && (double)(sum += seen.width[i]) < q * (double)total)
        i++;
    return (int64_t)(100 * exp2((i + 1) / 4.0));
}

/* Its real clock minus its raw clock as of its record, of which `other`'s is the newest for
 * the own machine, carried to t by its raw clock. */
static int64_t clock_as_of(const struct machine *me, int i, int other, int64_t t)
{
    if (i == me->name)
        return me->own_gap_us[other] + raw_at(&me->raw, t);
    return me->peer[i].gap_us + raw_at(&me->peer[i].raw, t);
}

static void check_statement(const struct machine *me, const struct offsets *offsets, int i, int j)
{
    struct clock_offset offset;
    const int64_t now_us = raw_at(&me->raw, now);
    if (offsets_between(offsets, i, j, now_us, &offset) < 0)
        return;
    int64_t stamp = i == me->name ? me->peer[j].t : me->peer[i].t;
    if (i != me->name && j != me->name && me->peer[j].t > stamp)
        stamp = me->peer[j].t;
    const int64_t times[] = {stamp, now};
    for (int k = 0; k < 2; k++) {
        const int64_t truth = clock_as_of(me, i, j, times[k]) - clock_as_of(me, j, i, times[k]);
        if (truth < offset.lo_us || truth > offset.hi_us)
            fail_msg("%s says %s - %s is %lld to %lld us; it is %lld at %s", names[me->name],
                     names[i], names[j], (long long)offset.lo_us, (long long)offset.hi_us,
                     (long long)truth, k ? "present" : "the stamp");
    }
    seen.statements++;
    if (i == me->name || j == me->name)
        note_width(offset.hi_us - offset.lo_us);
}

/* Were the two real clocks ever this far apart between two moments? */
static bool were_apart(const struct machine *a, const struct machine *b, int64_t from, int64_t to,
                       int64_t limit_us)
{
    const struct machine *both[] = {a, b};
    if (fabs(error_at(a, from, false) - error_at(b, from, false)) > (double)limit_us ||
        fabs(error_at(a, to, false) - error_at(b, to, false)) > (double)limit_us)
        return true;
    for (int k = 0; k < 2; k++) {
        const struct machine *m = both[k];
        for (int i = m->segments - 1; i >= 0 && i > m->segments - SEGMENTS; i--) {
            const int64_t t = m->segment[i % SEGMENTS].t;
            if (t < from)
                break;
            if (t <= to &&
                (fabs(error_at(a, t, false) - error_at(b, t, false)) > (double)limit_us ||
                 fabs(error_at(a, t, true) - error_at(b, t, true)) > (double)limit_us))
                return true;
        }
    }
    return false;
}

static const struct machine *machine_of(const struct machine *me, int i)
{
    return i == me->name ? me : &machines[me->peer[i].machine];
}

/* True time of an own raw time of this boot. */
static int64_t true_time(const struct machine *me, int64_t raw_us)
{
    const double age = (double)(raw_at(&me->raw, now) - raw_us);
    return now - (int64_t)(age * (1 + 1.1e-4));
}

/* A pair's gathered went from `before` to `after` records. */
static void check_alarm(struct machine *me, const struct offsets *offsets, int i, int j, int level,
                        int before, int after, int64_t limit_us)
{
    struct clock_offset offset;
    int64_t *from = &me->first_from[i][j][level];
    if (after == before || offsets_between(offsets, i, j, raw_at(&me->raw, now), &offset) < 0)
        return;
    if (after == 1 && before == 0)
        *from = true_time(me, offset.from_us);
    if (after < 2)
        return;
    seen.alarms++;
    if (!were_apart(machine_of(me, i), machine_of(me, j), *from, now, limit_us))
        fail_msg("%s says %s and %s differ by more than %lld us; they never did", names[me->name],
                 names[i], names[j], (long long)limit_us);
}

/* ---- runs ---------------------------------------------------------------- */

static void begin(struct machine *m, const struct local_clock_reading *reading)
{
    const struct offsets_own own = {.name = names[m->name], .boot = m->boot, .ppm = ppm_of(m)};
    (void)offsets_begin(&states[m - machines], &own, names, (size_t)n_names, reading);
}

static void judge(struct machine *m, const struct local_clock_reading *reading, struct verdict *ret)
{
    struct offsets *offsets = &states[m - machines];
    struct offsets_pair before[MACHINES * MACHINES];
    const int pairs = offsets->n * (offsets->n - 1) / 2;
    memcpy(before, offsets->pair, (size_t)pairs * sizeof before[0]);
    skew_verdict_judge(offsets, &skew_limits, reading, ret);
    said[m - machines] = *ret;
    seen.judgements++;
    seen.passed += ret->status == VERDICT_PASSING;
    for (int i = 0; i < offsets->n; i++) {
        for (int j = 0; j < i; j++) {
            const int at = offsets_pair_at(i, j);
            check_alarm(m, offsets, i, j, 0, before[at].warning.records,
                        offsets->pair[at].warning.records, skew_limits.warning_us);
            check_alarm(m, offsets, i, j, 1, before[at].critical.records,
                        offsets->pair[at].critical.records, skew_limits.critical_us);
        }
    }
}

static void check_all(struct machine *m)
{
    for (int i = 0; i < n_names; i++)
        for (int j = 0; j < i; j++)
            check_statement(m, &states[m - machines], i, j);
}

/* The variant that must fail: the same messages bound by the real clocks. */
static void hear_plain(struct machine *m, const struct record *record,
                       const struct local_clock_reading *at)
{
    struct plain *plain = &m->plain[record->name];
    const struct heard *heard = &record->heard[m->name];
    const struct offset_bound_round round = {
        .sent_us = heard->real_us,
        .got_us = heard->real_at_us,
        .stamped_us = record->record.clock.real_us,
        .heard_us = at->real_us,
    };
    const int64_t k = ppm_of(m) + record->record.ppm;
    const int64_t truth = real_at(m, now) - real_at(&machines[record->truth.machine], now);
    int64_t lo;
    int64_t hi;
    if (strcmp(plain->boot, record->record.boot) != 0) {
        plain->rounds.n = 0;
        memcpy(plain->boot, record->record.boot, sizeof plain->boot);
    }
    if (offset_bound_add(&plain->rounds, &round, k) < 0 ||
        offset_bound_get(&plain->rounds, k, at->real_us, &lo, &hi) < 0)
        return;
    seen.plain_statements++;
    seen.plain_false += truth < lo || truth > hi;
}

/* The record is the newest one: what is stated is as of it. */
static void heard_round(struct machine *m, const struct record *record,
                        const struct local_clock_reading *at, int64_t gap_us)
{
    const struct offsets *offsets = &states[m - machines];
    if (offsets->server[record->name].own.raw_us == at->raw_us) {
        m->peer[record->name] = record->truth;
        m->own_gap_us[record->name] = gap_us;
    }
    hear_plain(m, record, at);
    for (int i = 0; i < n_names; i++)
        if (i != record->name)
            check_statement(m, offsets, record->name, i);
}

static void arrive(struct machine *m, const struct record *record)
{
    struct verdict verdict;
    int64_t gap_us = 0;
    int64_t jump_us = 0;
    if (m->down)
        return;
    const struct local_clock_reading at = read_clocks(m, &gap_us);
    struct offsets *offsets = &states[m - machines];
    struct clock_record heard = record->record;
    heard.echo = record->heard[m->name].echo;
    begin(m, &at);
    const enum offsets_received how = offsets_receive(offsets, names[record->name], &heard, &at,
                                                      &jump_us);
    assert_int_not_equal(how, OFFSETS_NONSENSE);
    if (how == OFFSETS_RECEIVED || how == OFFSETS_ROUND) {
        m->plain[record->name].real_us = record->record.clock.real_us;
        m->plain[record->name].heard_us = at.real_us;
    }
    if (how == OFFSETS_ROUND)
        heard_round(m, record, &at, gap_us);
    judge(m, &at, &verdict);
}

static void build_record(struct machine *m, const struct local_clock_reading *reading,
                         int64_t gap_us, struct record *ret)
{
    const struct offsets *offsets = &states[m - machines];
    *ret = (struct record){
        .name = m->name,
        .truth = {.machine = (int)(m - machines), .t = now, .gap_us = gap_us, .raw = m->raw},
        .record = {.clock = *reading, .ppm = ppm_of(m), .synced = m->synced},
    };
    memcpy(ret->record.boot, m->boot, sizeof m->boot);
    for (int i = 0; i < n_names; i++) {
        const struct offsets_server *server = &offsets->server[i];
        if (server->boot[0] == '\0')
            continue;
        ret->heard[i].echo = (struct clock_echo){
            .known = true, .raw_us = server->record.raw_us, .at_us = server->heard_us};
        memcpy(ret->heard[i].echo.boot, server->boot, sizeof server->boot);
        ret->heard[i].real_us = m->plain[i].real_us;
        ret->heard[i].real_at_us = m->plain[i].heard_us;
    }
}

static void stamp(struct machine *m)
{
    struct verdict verdict;
    int64_t gap_us = 0;
    const int id = (int)(m - machines);
    put_in(15 * SECOND + (happens(0.95) ? between(0, 300 * MS) : between(0, 20 * SECOND)), STAMP,
           id, 0);
    if (m->down)
        return;
    const struct local_clock_reading reading = read_clocks(m, &gap_us);
    begin(m, &reading);
    judge(m, &reading, &verdict);
    check_all(m);
    build_record(m, &reading, gap_us, &records[n_records % RECORDS]);
    for (int i = 0; i < n_machines; i++)
        if (i != id && !happens(storm ? 0.2 : 0.03))
            put_in(delay(), ARRIVE, i, n_records);
    n_records++;
}

/* ---- disturbances -------------------------------------------------------- */

static void slew(struct machine *m, double rate, int64_t for_us)
{
    m->slew = rate;
    move_clock(m, 0);
    put_in(for_us, SLEW_ENDS, (int)(m - machines), 0);
}

/* All clocks alike: as they follow a time server that jumped. */
static void slew_all(void)
{
    const double rate = happens(0.5) ? 83333e-6 : 500e-6;
    const double signed_rate = happens(0.5) ? rate : -rate;
    const int64_t for_us = log_between(5 * SECOND, 120 * SECOND);
    for (int i = 0; i < n_machines; i++)
        slew(&machines[i], signed_rate, for_us + between(0, 100 * MS));
    all_moved = now + for_us;
}

static void put_right(struct machine *m)
{
    move_clock(m, -error_at(m, now, false) + (double)between(-10 * MS, 10 * MS));
}

/* Each at its own midnight, unless it is nowhere near. */
static void leap(void)
{
    for (int i = 0; i < n_machines; i++) {
        const double off = error_at(&machines[i], now, false);
        if (fabs(off) < 2e6)
            put_in(2 * SECOND - (int64_t)off, LEAP, i, 0);
    }
}

static void reboot(struct machine *m)
{
    m->down = true;
    put_in(between(5 * SECOND, 90 * SECOND), UP, (int)(m - machines), 0);
}

static void come_up(struct machine *m)
{
    m->down = false;
    boot(m, (int)(m - machines));
    move_clock(m, happens(0.5) ? 0 : (double)either_sign(log_between(MS, SECOND)));
}

/* Everybody hears old records again, within a second. */
static void restore(void)
{
    const int known = n_records < RECORDS ? n_records : RECORDS;
    const int from = n_records - (known < 200 ? known : (int)between(1, known - 100));
    for (int k = 0; k < n_names && known > 0; k++) {
        const int record = from + (int)between(0, n_records - from < 20 ? n_records - from : 20);
        for (int i = 0; i < n_machines; i++)
            if (machines[i].name != records[record % RECORDS].name)
                put_in(between(0, SECOND), ARRIVE, i, record);
    }
}

static void toggle_sync(struct machine *m)
{
    m->synced = !m->synced;
    move_clock(m, 0);
}

static void slew_one(struct machine *m)
{
    const double rate = happens(0.5) ? 83333e-6 : 500e-6;
    const double signed_rate = happens(0.5) ? rate : -rate;
    slew(m, signed_rate, log_between(100 * MS, 120 * SECOND));
}

static void disturb_one(struct machine *m)
{
    if (happens(0.3))
        move_clock(m, (double)either_sign(log_between(5 * MS, HOUR)));
    else if (happens(0.3))
        slew_one(m);
    else if (happens(0.5))
        put_right(m);
    else if (happens(0.4))
        reboot(m);
    else if (happens(0.5))
        toggle_sync(m);
    else
        memset(&states[m - machines], 0, sizeof states[0]);
}

/* Not there and back between two records: nobody could see that. */
static void disturb_all(void)
{
    if (now < all_moved + 60 * SECOND)
        return;
    all_moved = now + 4 * SECOND;
    if (happens(0.3))
        leap();
    else if (happens(0.4))
        slew_all();
    else
        for (int i = 0; i < n_machines; i++)
            put_right(&machines[i]);
}

static void disturb(void)
{
    put_in(log_between(SECOND, 120 * SECOND), DISTURB, NO_MACHINE, 0);
    if (happens(0.5)) {
        disturb_one(&machines[between(0, n_machines)]);
    } else if (happens(0.7)) {
        disturb_all();
    } else if (happens(0.5)) {
        restore();
    } else {
        storm = true;
        put_in(between(SECOND, 90 * SECOND), STORM_ENDS, NO_MACHINE, 0);
    }
}

static void run_event(const struct event *event)
{
    struct machine *m = &machines[event->machine < 0 ? 0 : event->machine];
    switch (event->kind) {
    case STAMP:
        stamp(m);
        break;
    case ARRIVE:
        if (event->record > n_records - RECORDS)
            arrive(m, &records[event->record % RECORDS]);
        break;
    case DISTURB:
        disturb();
        break;
    case SLEW_ENDS:
        m->slew = 0;
        move_clock(m, 0);
        break;
    case LEAP:
        move_clock(m, -1e6);
        break;
    case UP:
        come_up(m);
        break;
    case STORM_ENDS:
        storm = false;
        break;
    }
}

static void set_up(int n, bool same_name, double synced)
{
    memset(machines, 0, sizeof machines);
    memset(states, 0, sizeof states);
    memset(said, 0, sizeof said);
    now = HOUR;
    events = n_records = 0;
    all_moved = 0;
    storm = false;
    n_names = n;
    n_machines = n + same_name;
    for (int i = 0; i < n_machines; i++) {
        struct machine *m = &machines[i];
        m->name = i < n ? i : (int)between(0, n);
        m->synced = happens(synced);
        boot(m, i);
        m->segment[m->segments++] = (struct segment){
            .t = 0, .off_us = (double)between(-10 * MS, 10 * MS), .rate = usual_rate(m)};
        move_clock(m, 0);
        put_in(between(0, 15 * SECOND), STAMP, i, 0);
    }
}

static void run_until(int64_t end)
{
    while (events > 0 && heap[0].t <= end) {
        const struct event event = take();
        now = event.t > now ? event.t : now;
        run_event(&event);
    }
}

/* ---- the tests ----------------------------------------------------------- */

static void every_statement_is_true(void **state)
{
    (void)state;
    chance_state = seed_of_chance(SEED);
    memset(&seen, 0, sizeof seen);
    for (int scenario = 0; seen.judgements < JUDGEMENTS; scenario++) {
        set_up(2 + scenario % 8, happens(0.15), 0.8);
        put_in(60 * SECOND, DISTURB, NO_MACHINE, 0);
        run_until(now + SCENARIO);
    }
    print_message("# %lld judgements, %lld statements, %lld alarms, %lld passing\n",
                  (long long)seen.judgements, (long long)seen.statements, (long long)seen.alarms,
                  (long long)seen.passed);
    print_message("# width: median %lld us, 95 %% %lld us\n", (long long)width_quantile(0.5),
                  (long long)width_quantile(0.95));
    print_message("# by the real clocks: %lld of %lld statements false\n",
                  (long long)seen.plain_false, (long long)seen.plain_statements);
    assert_in_range(width_quantile(0.5), 1 * MS, 100 * MS);
    assert_in_range(width_quantile(0.95), 1 * MS, 3 * SECOND);
    assert_true(seen.alarms > seen.judgements / 1000);
    assert_true(seen.passed > seen.judgements / 10);
    assert_true(seen.plain_false > seen.plain_statements / 1000);
}

/* Seconds until every machine says `status` with a summary that begins with `text`;
 * -1: not within two minutes. */
static int seconds_until(enum verdict_status status, const char *text)
{
    const int64_t from = now;
    for (int s = 0; s <= 120; s++) {
        int n = 0;
        run_until(from + s * SECOND);
        for (int i = 0; i < n_names; i++)
            n += said[i].status == status && strncmp(said[i].summary, text, strlen(text)) == 0;
        if (n == n_names)
            return s;
    }
    return -1;
}

static int by_size(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;
    return (*x > *y) - (*x < *y);
}

static void note_times(const char *what, int *times, int n, int most_s)
{
    qsort(times, (size_t)n, sizeof times[0], by_size);
    print_message("# %s: median %d s, at most %d s (%d times)\n", what, times[n / 2], times[n - 1],
                  n);
    assert_in_range(times[0], 0, times[n - 1]);
    assert_in_range(times[n / 2], 15, 45);
    assert_in_range(times[n - 1], 15, most_s);
}

/* One clock of n is stepped beyond the limit: everybody names it, and nobody does any more
 * once it is put right. */
static void an_offset_that_persists_is_found(void **state)
{
    (void)state;
    static int found[PERSISTING];
    static int gone[PERSISTING];
    chance_state = seed_of_chance(SEED);
    for (int k = 0; k < PERSISTING; k++) {
        char says[64];
        char agree[64];
        const int n = 2 + k % 8;
        const int who = (int)between(0, n);
        const double step = (double)either_sign(log_between(700 * MS, HOUR));
        set_up(n, false, 1);
        (void)snprintf(agree, sizeof agree, "%d clocks agree within 100 ms", n);
        assert_int_not_equal(seconds_until(VERDICT_PASSING, agree), -1);
        move_clock(&machines[who], step);
        (void)snprintf(says, sizeof says, "%s differs by %c", names[who], step < 0 ? '-' : '+');
        found[k] = seconds_until(VERDICT_CRITICAL,
                                 n > 2 ? says : "server-1 and server-2 differ by ");
        assert_int_not_equal(found[k], -1);
        put_right(&machines[who]);
        gone[k] = seconds_until(VERDICT_PASSING, agree);
        assert_int_not_equal(gone[k], -1);
    }
    note_times("found everywhere", found, PERSISTING, 100);
    note_times("gone everywhere", gone, PERSISTING, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_is_true),
        cmocka_unit_test(an_offset_that_persists_is_found),
    };
    return cmocka_run_group_tests_name("skew simulation", tests, NULL, NULL);
}
