/* SPDX-License-Identifier: MIT */
#include "clock/offsets.h"

#include "clock/skew_verdict.h"
#include "test.h"

#define MS     INT64_C(1000)
#define SECOND INT64_C(1000000)
#define NOW    (1000 * SECOND) /* own raw clock when a record is heard */
#define REAL   (INT64_C(1795000000) * SECOND)
#define OTHER  (500 * SECOND) /* raw clock of server-2 minus ours */

static struct offsets offsets;
static const char *const three[] = {"server-1", "server-2", "server-3"};

/* Own clocks at a raw time; the real clock is off by off_us. */
static struct local_clock_reading own_at(int64_t raw_us, int64_t off_us)
{
    return (struct local_clock_reading){
        .raw_us = raw_us, .real_us = REAL + raw_us + off_us, .err_us = 2};
}

/* A record of server-2, stamped at our raw time, of which it heard one ours of 7 s earlier,
 * 1 ms late; its real clock is off by off_us. */
static struct clock_record record_at(int64_t raw_us, int64_t off_us)
{
    return (struct clock_record){
        .boot = "boot-2",
        .clock = {.raw_us = raw_us + OTHER, .real_us = REAL + raw_us + off_us, .err_us = 3},
        .ppm = 50,
        .synced = true,
        .echo = {.known = true,
                 .boot = "boot-1",
                 .raw_us = raw_us - 7 * SECOND,
                 .at_us = raw_us - 7 * SECOND + OTHER + MS},
    };
}

static int64_t begin_at(const char *boot, int64_t raw_us, int64_t off_us, const char *const *names,
                        size_t n)
{
    const struct local_clock_reading now = own_at(raw_us, off_us);
    const struct offsets_own own = {.name = "server-1", .boot = boot, .ppm = 50};
    return offsets_begin(&offsets, &own, names, n, &now);
}

static void start(void)
{
    memset(&offsets, 0, sizeof offsets);
    assert_int_equal(begin_at("boot-1", NOW - 100 * SECOND, 0, three, 3), 0);
}

static enum offsets_received hear(const char *name, const struct clock_record *record,
                                  int64_t raw_us, int64_t *ret_jump_us)
{
    const struct local_clock_reading at = own_at(raw_us, 0);
    return offsets_receive(&offsets, name, record, &at, ret_jump_us);
}

/* ---- what makes a round -------------------------------------------------- */

/* A good record, changed: numbers are set where they are not 0. */
struct row {
    const char *name;
    enum offsets_received heard;
    const char *of;
    const char *boot;
    const char *echo_boot;
    int64_t raw, real, err, ppm;
    int64_t echo_raw, echo_at;
    int64_t offset, offset_err;
    bool no_echo;
};

#define ECHO (NOW - 7 * SECOND)

static const struct row rows[] = {
    {"a good one", OFFSETS_ROUND, .of = "server-2"},
    {"another name", OFFSETS_KNOWN, .of = "server-4"},
    {"the own record", OFFSETS_KNOWN, .of = "server-1"},
    {"case of names is ignored", OFFSETS_ROUND, .of = "SERVER-2"},
    {"no echo", OFFSETS_RECEIVED, .no_echo = true},
    {"the echo of another boot", OFFSETS_RECEIVED, .echo_boot = "boot-0"},
    {"the echo of another waking", OFFSETS_RECEIVED, .echo_boot = "boot-1+1"},
    {"it was stamped before it heard us", OFFSETS_RECEIVED, .echo_at = NOW + OTHER + 1},
    {"it was stamped as it heard us", OFFSETS_ROUND, .echo_at = NOW + OTHER},
    {"it echoes what we have not sent", OFFSETS_RECEIVED, .echo_raw = NOW + 1},
    {"an echo of now", OFFSETS_ROUND, .echo_raw = NOW, .echo_at = NOW + OTHER},
    {"an echo of 60 s", OFFSETS_ROUND, .echo_raw = NOW - 60 * SECOND},
    {"an older one", OFFSETS_RECEIVED, .echo_raw = NOW - 60 * SECOND - 1},
    {"it contradicts itself", OFFSETS_RECEIVED, .echo_at = NOW + OTHER - 9 * SECOND},
    {"nothing but a boot", OFFSETS_NONSENSE, .boot = ""},
    {"a boot with a space", OFFSETS_NONSENSE, .boot = "boot 2"},
    {"a boot with a line feed", OFFSETS_NONSENSE, .boot = "boot\n2"},
    {"no boot in the echo", OFFSETS_NONSENSE, .echo_boot = ""},
    {"a negative raw clock", OFFSETS_NONSENSE, .raw = -1},
    {"a raw clock beyond 2^53", OFFSETS_NONSENSE, .raw = OFFSETS_MOST + 1},
    {"the least number", OFFSETS_NONSENSE, .raw = INT64_MIN},
    {"the largest", OFFSETS_NONSENSE, .raw = INT64_MAX},
    {"a negative real clock", OFFSETS_NONSENSE, .real = -1},
    {"a real clock beyond 2^53", OFFSETS_NONSENSE, .real = OFFSETS_MOST + 1},
    {"the largest that is possible", OFFSETS_ROUND, .real = OFFSETS_MOST},
    {"a negative error", OFFSETS_NONSENSE, .err = -1},
    {"an error beyond 2^53", OFFSETS_NONSENSE, .err = OFFSETS_MOST + 1},
    {"a rate that proves too much", OFFSETS_NONSENSE, .ppm = 49},
    {"a negative rate", OFFSETS_NONSENSE, .ppm = -50},
    {"a rate that is too large", OFFSETS_NONSENSE, .ppm = 501},
    {"the largest rate", OFFSETS_ROUND, .ppm = 500},
    {"an echo before our time", OFFSETS_NONSENSE, .echo_raw = -1},
    {"an echo beyond 2^53", OFFSETS_NONSENSE, .echo_raw = INT64_MAX},
    {"heard before its time", OFFSETS_NONSENSE, .echo_at = -1},
    {"heard beyond 2^53", OFFSETS_NONSENSE, .echo_at = INT64_MAX},
    {"a reference", OFFSETS_ROUND, .offset = -5, .offset_err = 7},
    {"a reference beyond 2^53", OFFSETS_NONSENSE, .offset = OFFSETS_MOST + 1},
    {"the least reference", OFFSETS_NONSENSE, .offset = INT64_MIN},
    {"a reference with a negative error", OFFSETS_NONSENSE, .offset_err = -1},
};

static void set(int64_t *number, int64_t value)
{
    if (value != 0)
        *number = value;
}

static struct clock_record changed(const struct row *row)
{
    struct clock_record record = record_at(NOW, 0);
    if (row->boot)
        (void)snprintf(record.boot, sizeof record.boot, "%s", row->boot);
    if (row->echo_boot)
        (void)snprintf(record.echo.boot, sizeof record.echo.boot, "%s", row->echo_boot);
    set(&record.clock.raw_us, row->raw);
    set(&record.clock.real_us, row->real);
    set(&record.clock.err_us, row->err);
    set(&record.ppm, row->ppm);
    set(&record.echo.raw_us, row->echo_raw);
    set(&record.echo.at_us, row->echo_at);
    record.echo.known = !row->no_echo;
    record.reference = (struct clock_reference){
        .known = row->offset != 0 || row->offset_err != 0,
        .offset_us = row->offset,
        .err_us = row->offset_err,
    };
    return record;
}

static void only_a_good_record_makes_a_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const struct clock_record record = changed(row);
        int64_t jump_us = 1;
        start();
        (void)begin_at("boot-1", NOW, 0, three, 3);
        enum offsets_received heard = hear(row->of ? row->of : "server-2", &record, NOW, &jump_us);
        if (heard != row->heard || jump_us != 0 ||
            (offsets.server[1].rounds.n == 1) != (row->heard == OFFSETS_ROUND) ||
            (offsets.server[1].boot[0] != '\0') !=
                (row->heard == OFFSETS_ROUND || row->heard == OFFSETS_RECEIVED))
            fail_msg("%s: %d", row->name, heard);
    }
}

static void a_record_is_heard_once(void **state)
{
    (void)state;
    const struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW + MS, &jump_us), OFFSETS_ROUND);
    assert_int_equal(hear("server-2", &record, NOW + SECOND, &jump_us), OFFSETS_KNOWN);
    assert_int_equal(offsets.server[1].heard_us, NOW + MS);
    assert_int_equal(offsets.server[1].own.raw_us, NOW + MS);
    assert_string_equal(offsets.server[1].boot, "boot-2");
    assert_int_equal(offsets.server[1].record.raw_us, NOW + OTHER);
}

/* Also without an echo: else two servers could never begin. */
static void what_proves_nothing_is_echoed(void **state)
{
    (void)state;
    struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    record.echo.known = false;
    start();
    assert_int_equal(hear("server-2", &record, NOW + MS, &jump_us), OFFSETS_RECEIVED);
    assert_int_equal(offsets.server[1].heard_us, NOW + MS);
    assert_int_equal(offsets.server[1].record.raw_us, NOW + OTHER);
    assert_int_equal(offsets.server[1].rounds.n, 0);
}

static void another_boot_begins_anew(void **state)
{
    (void)state;
    struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW, &jump_us), OFFSETS_ROUND);
    offsets.pair[offsets_pair_at(1, 0)].critical.records = 2;
    offsets.pair[offsets_pair_at(2, 1)].warning.records = 2;
    offsets.pair[offsets_pair_at(2, 0)].warning.records = 2;
    record = record_at(NOW + 15 * SECOND, 3600 * SECOND);
    (void)snprintf(record.boot, sizeof record.boot, "boot-3");
    record.echo.known = false;
    assert_int_equal(hear("server-2", &record, NOW + 15 * SECOND, &jump_us), OFFSETS_RECEIVED);
    assert_int_equal(jump_us, 0);
    assert_int_equal(offsets.server[1].rounds.n, 0);
    assert_int_equal(offsets.pair[offsets_pair_at(1, 0)].critical.records, 0);
    assert_int_equal(offsets.pair[offsets_pair_at(2, 1)].warning.records, 0);
    assert_int_equal(offsets.pair[offsets_pair_at(2, 0)].warning.records, 2);
}

/* ---- jumps --------------------------------------------------------------- */

static void a_moved_clock_is_reported(void **state)
{
    (void)state;
    static const struct {
        int64_t after_us;
        int64_t moved_us;
        int64_t ppm;
        int64_t jump_us;
    } moves[] = {
        {15 * SECOND, 0, 50, 0},
        {15 * SECOND, 10 * MS, 50, 0},
        {15 * SECOND, 10 * MS + 750 + 6, 50, 0},
        {15 * SECOND, 10 * MS + 750 + 7, 50, 10 * MS + 750 + 7},
        {15 * SECOND, -10 * MS - 750 - 7, 50, -10 * MS - 750 - 7},
        {15 * SECOND, -2 * SECOND, 50, -2 * SECOND},
        {600 * SECOND, 30 * MS, 50, 0},
        {15 * SECOND, 16 * MS, 500, 0},
        {-15 * SECOND, 2 * SECOND, 50, 0},
    };
    for (size_t i = 0; i < COUNT(moves); i++) {
        struct clock_record record = record_at(NOW, 0);
        int64_t jump_us = 1;
        start();
        (void)hear("server-2", &record, NOW, &jump_us);
        assert_int_equal(jump_us, 0);
        record = record_at(NOW + moves[i].after_us, moves[i].moved_us);
        record.ppm = moves[i].ppm;
        (void)hear("server-2", &record, NOW + llabs(moves[i].after_us), &jump_us);
        assert_int_equal(jump_us, moves[i].jump_us);
    }
}

static void the_own_clock_is_reported(void **state)
{
    (void)state;
    char text[OFFSETS_EVENT];
    start();
    assert_int_equal(begin_at("boot-1", NOW, 0, three, 3), 0);
    assert_int_equal(begin_at("boot-1", NOW + SECOND, 10 * MS, three, 3), 0);
    assert_int_equal(begin_at("boot-1", NOW + 2 * SECOND, -1990 * MS, three, 3), -2 * SECOND);
    assert_int_equal(begin_at("boot-9", NOW, 5 * SECOND, three, 3), 0);
    assert_string_equal(offsets_jump_text("server-3", -2 * SECOND, text),
                        "clock of server-3 stepped or slewed by -2.0 s");
}

/* ---- participants -------------------------------------------------------- */

static void check_names(const char *expected)
{
    char names[256] = "";
    for (int i = 0; i < offsets.n; i++) {
        const size_t len = strlen(names);
        (void)snprintf(names + len, sizeof names - len, "%s ", offsets.server[i].name);
    }
    assert_string_equal(names, expected);
}

static void participants_come_and_go(void **state)
{
    (void)state;
    static const char *const more[] = {"server-10", "server-3", "server-1", "Server-3", "server-2"};
    static const char *const less[] = {"server-3", "server-1"};
    static const char *const before[] = {"server-3", "server-1", "server-0"};
    const struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW, &jump_us), OFFSETS_ROUND);
    offsets.pair[offsets_pair_at(1, 0)].warning.records = 2;
    offsets.pair[offsets_pair_at(2, 0)].warning.records = 1;
    (void)begin_at("boot-1", NOW + 1, 0, three, 3);
    assert_int_equal(offsets.pair[offsets_pair_at(1, 0)].warning.records, 2);
    (void)begin_at("boot-1", NOW + 2, 0, more, 5);
    check_names("server-1 server-2 server-3 server-10 ");
    assert_int_equal(offsets.self, 0);
    assert_int_equal(offsets.server[1].rounds.n, 1);
    assert_int_equal(offsets.server[3].round_us, NOW + 2);
    assert_int_equal(offsets.pair[offsets_pair_at(1, 0)].warning.records, 2);
    assert_int_equal(offsets.pair[offsets_pair_at(0, 2)].warning.records, 1);
    assert_int_equal(offsets.pair[offsets_pair_at(3, 0)].warning.records, 0);
    (void)begin_at("boot-1", NOW + 3, 0, less, 2);
    check_names("server-1 server-3 ");
    assert_int_equal(offsets.pair[offsets_pair_at(1, 0)].warning.records, 1);
    (void)begin_at("boot-1", NOW + 3, 0, before, 3);
    check_names("server-0 server-1 server-3 ");
    assert_int_equal(offsets.pair[offsets_pair_at(1, 0)].warning.records, 0);
    assert_int_equal(offsets.pair[offsets_pair_at(2, 1)].warning.records, 1);
    (void)begin_at("boot-1", NOW + 4, 0, less, 1);
    check_names("server-3 ");
    assert_int_equal(offsets.self, -1);
    (void)begin_at("boot-1", NOW + 5, 0, three, 3);
    assert_int_equal(offsets.server[1].rounds.n, 0);
}

static void another_own_boot_drops_everything(void **state)
{
    (void)state;
    const struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW, &jump_us), OFFSETS_ROUND);
    (void)begin_at("boot-1+7", 5, 0, three, 3);
    assert_int_equal(offsets.server[1].rounds.n, 0);
    assert_string_equal(offsets.server[1].boot, "");
    assert_int_equal(offsets.proven_us, 5);
    assert_int_equal(hear("server-2", &record, NOW + SECOND, &jump_us), OFFSETS_RECEIVED);
}

/* ---- offsets ------------------------------------------------------------- */

static void check_offset(int i, int j, int64_t lo, int64_t hi)
{
    struct clock_offset offset;
    assert_int_equal(offsets_between(&offsets, i, j, NOW + 3 * MS, &offset), 0);
    assert_int_equal(offset.lo_us, lo);
    assert_int_equal(offset.hi_us, hi);
    assert_int_equal(clock_offset_least(&offset), lo > 0 ? lo : hi < 0 ? -hi : 0);
    assert_int_equal(clock_offset_most(&offset), llabs(lo) > llabs(hi) ? llabs(lo) : llabs(hi));
}

/* server-2 is 40 ms ahead, server-3 60 ms behind; our clock is stepped by a second between
 * the state of the one and of the other. Delays: there 1 ms, back 2 ms and 3 ms; 7.003 s
 * widen the way there by 701 us, the way back of server-2 by 1 us. */
static void offsets_are_as_of_the_records(void **state)
{
    (void)state;
    struct clock_record two = record_at(NOW, 40 * MS);
    struct clock_record third = record_at(NOW, -60 * MS);
    struct clock_offset offset;
    struct local_clock_reading at = own_at(NOW + 2 * MS, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(offsets_between(&offsets, 1, 0, NOW, &offset), -ENODATA);
    assert_int_equal(offsets_receive(&offsets, "server-2", &two, &at, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets_between(&offsets, 2, 1, NOW, &offset), -ENODATA);
    at = own_at(NOW + 3 * MS, SECOND);
    assert_int_equal(offsets_receive(&offsets, "server-3", &third, &at, &jump_us), OFFSETS_ROUND);
    check_offset(1, 0, 40 * MS - 2 * MS - 1 - 5, 40 * MS + MS + 701 + 5);
    check_offset(0, 1, -40 * MS - MS - 701 - 5, -40 * MS + 2 * MS + 1 + 5);
    check_offset(0, 2, 1060 * MS - MS - 701 - 5, 1060 * MS + 3 * MS + 5);
    check_offset(1, 2, 100 * MS - MS - 701 - 2 * MS - 1 - 6, 100 * MS + 3 * MS + MS + 701 + 6);
    assert_int_equal(offsets_between(&offsets, 1, 2, NOW + 3 * MS, &offset), 0);
    assert_int_equal(offset.from_us, NOW - MS - 701);
    assert_int_equal(offset.to_us, NOW + 3 * MS);
}

static void it_knows_how_far_clocks_moved(void **state)
{
    (void)state;
    struct clock_record record = record_at(NOW, 0);
    struct local_clock_reading at = own_at(NOW, 0);
    struct clock_offset offset;
    int64_t jump_us = 0;
    start();
    assert_int_equal(offsets_receive(&offsets, "server-2", &record, &at, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets_between(&offsets, 1, 0, NOW, &offset), 0);
    assert_int_equal(offset.moved_us, 0);
    record = record_at(NOW + 15 * SECOND, -30 * MS);
    at = own_at(NOW + 15 * SECOND, 7 * MS);
    assert_int_equal(offsets_receive(&offsets, "server-2", &record, &at, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets_between(&offsets, 0, 1, NOW + 15 * SECOND, &offset), 0);
    assert_int_equal(offset.moved_us, 37 * MS);
}

/* Overtaken on its way: it bounds the raw clocks, but says nothing new of the real ones. */
static void what_is_stated_is_the_latest_record(void **state)
{
    (void)state;
    const struct clock_record late = record_at(NOW, 999 * MS);
    const struct clock_record record = record_at(NOW + 15 * SECOND, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW + 15 * SECOND, &jump_us), OFFSETS_ROUND);
    assert_int_equal(hear("server-2", &late, NOW + 16 * SECOND, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets.server[1].rounds.n, 2);
    assert_int_equal(offsets.server[1].peer.raw_us, record.clock.raw_us);
    assert_int_equal(offsets.server[1].own.raw_us, NOW + 15 * SECOND);
}

/* Whoever can write its record can stop nobody from state the next true one. */
static void a_forged_stamp_does_not_stay(void **state)
{
    (void)state;
    struct clock_record record = record_at(NOW, 0);
    int64_t jump_us = 0;
    start();
    assert_int_equal(hear("server-2", &record, NOW, &jump_us), OFFSETS_ROUND);
    record = record_at(NOW + SECOND, 0);
    record.clock.raw_us = OFFSETS_MOST;
    record.echo.at_us = OFFSETS_MOST;
    assert_int_equal(hear("server-2", &record, NOW + SECOND, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets.server[1].rounds.n, 1);
    record = record_at(NOW + 15 * SECOND, 0);
    assert_int_equal(hear("server-2", &record, NOW + 15 * SECOND, &jump_us), OFFSETS_ROUND);
    assert_int_equal(offsets.server[1].rounds.n, 1);
    assert_int_equal(offsets.server[1].peer.raw_us, record.clock.raw_us);
}

/* ---- a state that was read ----------------------------------------------- */

static const struct skew_limits limits = {.warning_us = 100 * MS, .critical_us = 500 * MS};

/* A state with everything in it: server-2 differs. */
static void fill(void)
{
    struct verdict verdict;
    int64_t jump_us = 0;
    start();
    for (int64_t at = NOW; at < NOW + 50 * SECOND; at += 15 * SECOND) {
        const struct local_clock_reading own = own_at(at, 0);
        struct clock_record record = record_at(at, 2 * SECOND);
        record.reference = (struct clock_reference){true, 2 * SECOND, MS};
        (void)begin_at("boot-1", at, 0, three, 3);
        (void)hear("server-2", &record, at, &jump_us);
        record = record_at(at, 0);
        (void)hear("server-3", &record, at, &jump_us);
        skew_verdict_judge(&offsets, &limits, &own, &verdict);
    }
    assert_string_equal(verdict.summary,
                        "server-2 differs by +2.0 s from server-1 and server-3 (limit 500 ms)");
}

#define LATER (NOW + 60 * SECOND)

/* Damage number k; false: there is no such. */
static bool damage(int k)
{
    struct offsets_server *two = &offsets.server[1];
    const struct {
        int64_t *number;
        int64_t value;
    } numbers[] = {
        {&two->round_us, LATER + 1},
        {&two->round_us, -1},
        {&two->heard_us, LATER + 1},
        {&two->record.raw_us, -1},
        {&two->record.real_us, INT64_MAX},
        {&two->record.err_us, -1},
        {&two->peer.raw_us, INT64_MIN},
        {&two->peer.real_us, -1},
        {&two->own.raw_us, LATER + 1},
        {&two->own.err_us, -1},
        {&two->ppm, 49},
        {&two->ppm, 501},
        {&two->peer_moved_us, INT64_MIN},
        {&two->own_moved_us, INT64_MAX},
        {&two->reference.offset_us, INT64_MIN},
        {&two->reference.err_us, -1},
        {&two->rounds.round[0].heard_us, LATER + 1},
        {&two->rounds.round[0].sent_us, -1},
        {&two->rounds.round[1].sent_us, two->rounds.round[1].heard_us + 1},
        {&two->rounds.round[1].got_us, two->rounds.round[1].stamped_us + 1},
        {&two->rounds.round[1].stamped_us, OFFSETS_MOST + 1},
        {&two->shown_us, INT64_MIN},
        {&two->shown_reference_us, INT64_MAX},
        {&offsets.pair[0].warning.end_us, LATER + 1},
        {&offsets.pair[2].critical.end_us, -1},
        {&offsets.pair[1].shown_us, INT64_MIN},
        {&offsets.pair[1].bound_us, -1},
        {&offsets.own.raw_us, LATER + 1},
        {&offsets.own.real_us, -1},
        {&offsets.proven_us, LATER + 1},
        {&offsets.limits.warning_us, -1},
        {&offsets.limits.critical_us, INT64_MAX},
    };
    const struct {
        int *number;
        int value;
    } counts[] = {
        {&offsets.version, OFFSETS_VERSION + 1},   {&offsets.n, -1},
        {&offsets.n, OFFSETS_SERVERS + 1},         {&two->rounds.n, -1},
        {&two->rounds.n, OFFSET_BOUND_ROUNDS + 1}, {&offsets.pair[0].warning.records, 3},
        {&offsets.pair[1].critical.records, -1},
    };
    const int n_numbers = COUNT(numbers);
    const int n_counts = COUNT(counts);
    if (k < n_numbers)
        *numbers[k].number = numbers[k].value;
    else if (k < n_numbers + n_counts)
        *counts[k - n_numbers].number = counts[k - n_numbers].value;
    return k < n_numbers + n_counts;
}

/* The same for texts and enumerations. */
static bool damage_text(int k)
{
    struct offsets_server *two = &offsets.server[1];
    switch (k) {
    case 0:
        memset(offsets.boot, 'b', sizeof offsets.boot);
        break;
    case 1:
        memset(two->name, 'n', sizeof two->name);
        break;
    case 2:
        two->name[0] = '\0';
        break;
    case 3:
        two->name[3] = '\n';
        break;
    case 4:
        (void)snprintf(two->name, sizeof two->name, "server-3");
        break;
    case 5:
        (void)snprintf(two->name, sizeof two->name, "server-4");
        break;
    case 6:
        memset(two->boot, 'b', sizeof two->boot);
        break;
    case 7:
        two->boot[0] = '\0'; /* with rounds */
        break;
    case 8:
        memset(offsets.agreed, 's', sizeof offsets.agreed);
        break;
    case 9:
        offsets.agreed[0] = '\033';
        break;
    case 10:
        offsets.standing = (enum offsets_standing)3;
        break;
    default:
        return false;
    }
    return true;
}

static void a_damaged_state_is_refused(void **state)
{
    (void)state;
    fill();
    assert_true(offsets_valid(&offsets, "boot-1", LATER));
    assert_true(offsets_valid(&offsets, "boot-1", NOW + 50 * SECOND));
    assert_false(offsets_valid(&offsets, "boot-2", LATER));
    assert_false(offsets_valid(&offsets, "boot-1", NOW));
    for (int k = 0; damage(k); k++, fill())
        if (offsets_valid(&offsets, "boot-1", LATER))
            fail_msg("damage %d", k);
    fill();
    for (int k = 0; damage_text(k); k++, fill())
        if (offsets_valid(&offsets, "boot-1", LATER))
            fail_msg("damaged text %d", k);
    memset(&offsets, 0, sizeof offsets);
    assert_false(offsets_valid(&offsets, "boot-1", LATER));
}

/* What passes does no harm, whatever it says: a sanitizer has the word. */
static void what_passes_can_be_judged(void **state)
{
    (void)state;
    static struct offsets good;
    unsigned random = 7;
    int passed = 0;
    fill();
    good = offsets;
    for (int i = 0; i < 20000; i++) {
        const size_t near = offsetof(struct offsets, server[3]);
        for (int k = 0; k < 3; k++) {
            random = random * 1103515245U + 12345U;
            size_t at = (random >> 8) % near;
            random = random * 1103515245U + 12345U;
            ((unsigned char *)&offsets)[at] ^= (unsigned char)(1U << ((random >> 16) % 8));
        }
        for (int k = 0; k < 3; k++) { /* no value of a bool but these two */
            offsets.server[k].synced = offsets.server[k].wrong = i % 2;
            offsets.server[k].reference.known = i % 3 == 0;
        }
        if (offsets_valid(&offsets, "boot-1", LATER)) {
            struct verdict verdict;
            const struct clock_record record = record_at(LATER, 0);
            const struct local_clock_reading own = own_at(LATER, 0);
            int64_t jump_us = 0;
            passed++;
            (void)begin_at("boot-1", LATER, 0, three, 3);
            (void)hear("server-2", &record, LATER, &jump_us);
            skew_verdict_judge(&offsets, &limits, &own, &verdict);
        }
        offsets = good;
    }
    assert_in_range(passed, 1000, 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_good_record_makes_a_round),
        cmocka_unit_test(a_record_is_heard_once),
        cmocka_unit_test(what_proves_nothing_is_echoed),
        cmocka_unit_test(another_boot_begins_anew),
        cmocka_unit_test(a_moved_clock_is_reported),
        cmocka_unit_test(the_own_clock_is_reported),
        cmocka_unit_test(participants_come_and_go),
        cmocka_unit_test(another_own_boot_drops_everything),
        cmocka_unit_test(offsets_are_as_of_the_records),
        cmocka_unit_test(it_knows_how_far_clocks_moved),
        cmocka_unit_test(what_is_stated_is_the_latest_record),
        cmocka_unit_test(a_forged_stamp_does_not_stay),
        cmocka_unit_test(a_damaged_state_is_refused),
        cmocka_unit_test(what_passes_can_be_judged),
    };
    return cmocka_run_group_tests_name("skew", tests, NULL, NULL);
}
