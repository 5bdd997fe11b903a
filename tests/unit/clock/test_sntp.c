/* SPDX-License-Identifier: MIT */
#include "clock/sntp.h"

#include "test.h"

#define COOKIE UINT64_C(0x0123456789abcdef)

/* A good answer: version 4, mode 4, stratum 2, precision 2^-23 s, root delay 1/64 s, root
 * dispersion 1/32 s, received at .5 s, sent at .75 s. */
static const unsigned char good[SNTP_PACKET] = {
    0x24, 2,    6,    0xe9, 0,    0,    0x04, 0,    0, 0, 0x08, 0, /* header */
    10,   0,    0,    1,                                           /* its own server */
    0xee, 0xce, 0x1f, 0x00, 0,    0,    0,    0,                   /* reference */
    0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,                /* origin */
    0xee, 0xce, 0x20, 0x00, 0x80, 0,    0,    0,                   /* receive */
    0xee, 0xce, 0x20, 0x00, 0xc0, 0,    0,    0,                   /* transmit */
};
#define GOOD_S     INT64_C(1797497216) /* 0xeece2000 - 2208988800 */
#define GOOD_ERROR (7813 + 31251 + 1)

/* ---- questions ----------------------------------------------------------- */

static void a_request_holds_nothing_of_ours(void **state)
{
    (void)state;
    unsigned char packet[SNTP_PACKET];
    memset(packet, 0xaa, sizeof packet);
    sntp_request(COOKIE, packet);
    assert_int_equal(packet[0], 0x23); /* leap 0, version 4, mode 3 */
    for (size_t i = 1; i < 40; i++)
        assert_int_equal(packet[i], 0);
    assert_memory_equal(packet + 40, good + 24, 8);
}

/* ---- answers ------------------------------------------------------------- */

static const struct row {
    const char *what;
    size_t at;         /* byte from which on ... */
    const char *bytes; /* ... these replace those of the good answer */
    size_t n;
    size_t len; /* of the packet, 0: all of it */
    int rc;
    const char *text;
} rows[] = {
#define PUT(at, bytes) at, bytes, sizeof(bytes) - 1
#define NOTHING        0, "", 0
    {"good", NOTHING, 0, 0, ""},
    {"version 3", PUT(0, "\x1c"), 0, 0, ""},
    {"a second to be inserted", PUT(0, "\x64"), 0, 0, ""},
    {"a second to be taken out", PUT(0, "\xa4"), 0, 0, ""},
    {"stratum 1", PUT(1, "\x01"), 0, 0, ""},
    {"stratum 15", PUT(1, "\x0f"), 0, 0, ""},
    {"poll is not looked at", PUT(2, "\xff"), 0, 0, ""},
    {"precision 2^-128", PUT(3, "\x80"), 0, 0, ""},
    {"precision 8 s", PUT(3, "\x03"), 0, 0, ""},
    {"no root delay", PUT(4, "\0\0\0\0"), 0, 0, ""},
    {"root dispersion 15.8 s", PUT(8, "\x00\x0f\xcd\x00"), 0, 0, ""},
    {"no reference id", PUT(12, "\0\0\0\0"), 0, 0, ""},
    {"a reference id that looks like a kiss", PUT(12, "RATE"), 0, 0, ""},
    {"no reference time stamp", PUT(16, "\0\0\0\0\0\0\0\0"), 0, 0, ""},
    {"sent when received", PUT(40, "\xee\xce\x20\x00\x80\0\0\0"), 0, 0, ""},
    {"received in the last second of era 0, sent in era 1",
     PUT(32, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x01"), 0, 0, ""},
    {"received at the beginning of era 1", PUT(32, "\0\0\0\0\0\0\0\x01\0\0\0\0\0\x01\0\0"), 0, 0,
     ""},

    {"nothing", NOTHING, 1, -EPROTO, "sends 1 bytes, an NTP packet has 48"},
    {"one byte too few", NOTHING, 47, -EPROTO, "sends 47 bytes, an NTP packet has 48"},
    {"the first byte of the cookie", PUT(24, "\x00"), 0, -EPROTO,
     "does not answer our question (origin time stamp)"},
    {"the last byte of the cookie", PUT(31, "\xee"), 0, -EPROTO,
     "does not answer our question (origin time stamp)"},
    {"origin zero", PUT(24, "\0\0\0\0\0\0\0\0"), 0, -EPROTO,
     "does not answer our question (origin time stamp)"},
    {"another's origin and a kiss", PUT(0, "\xe4\0"), 31, -EPROTO,
     "sends 31 bytes, an NTP packet has 48"},
    {"version 0", PUT(0, "\x04"), 0, -EBADMSG, "answers in NTP version 0, expected 3 or 4"},
    {"version 1", PUT(0, "\x0c"), 0, -EBADMSG, "answers in NTP version 1, expected 3 or 4"},
    {"version 2", PUT(0, "\x14"), 0, -EBADMSG, "answers in NTP version 2, expected 3 or 4"},
    {"version 5", PUT(0, "\x2c"), 0, -EBADMSG, "answers in NTP version 5, expected 3 or 4"},
    {"version 7", PUT(0, "\x3c"), 0, -EBADMSG, "answers in NTP version 7, expected 3 or 4"},
    {"mode 0", PUT(0, "\x20"), 0, -EBADMSG, "answers in mode 0, expected 4 (server)"},
    {"symmetric active", PUT(0, "\x21"), 0, -EBADMSG, "answers in mode 1, expected 4 (server)"},
    {"symmetric passive", PUT(0, "\x22"), 0, -EBADMSG, "answers in mode 2, expected 4 (server)"},
    {"our own question", PUT(0, "\x23"), 0, -EBADMSG, "answers in mode 3, expected 4 (server)"},
    {"broadcast", PUT(0, "\x25"), 0, -EBADMSG, "answers in mode 5, expected 4 (server)"},
    {"control", PUT(0, "\x26"), 0, -EBADMSG, "answers in mode 6, expected 4 (server)"},
    {"private", PUT(0, "\x27"), 0, -EBADMSG, "answers in mode 7, expected 4 (server)"},
    {"leap indicator 3", PUT(0, "\xe4"), 0, -EBADMSG, "is not synchronised itself"},
    {"stratum 16", PUT(1, "\x10"), 0, -EBADMSG, "is not synchronised itself"},
    {"stratum 255", PUT(1, "\xff"), 0, -EBADMSG, "is not synchronised itself"},
    {"no stratum, no code", PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0\0\0\0\0"), 0, -EBADMSG,
     "is not synchronised itself"},
    {"RATE", PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0RATE"), 0, -EACCES,
     "wants to be asked less often (RATE)"},
    {"DENY",
     PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0"
            "DENY"),
     0, -EACCES, "does not want to be asked (DENY)"},
    {"RSTR", PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0RSTR"), 0, -EACCES,
     "does not want to be asked (RSTR)"},
    {"INIT", PUT(0, "\xe4\x00\x06\xe9\0\0\0\0\0\0\0\0INIT"), 0, -EACCES,
     "is not synchronised itself (INIT)"},
    {"STEP", PUT(0, "\xe4\x00\x06\xe9\0\0\0\0\0\0\0\0STEP"), 0, -EACCES,
     "is not synchronised itself (STEP)"},
    {"another kiss", PUT(0, "\xe4\x00\x06\xe9\0\0\0\0\0\0\0\0AUTH"), 0, -EACCES,
     "refuses to answer (AUTH)"},
    {"a kiss in small letters", PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0rate"), 0, -EACCES,
     "refuses to answer (rate)"},
    {"a kiss of control characters", PUT(1, "\x00\x06\xe9\0\0\0\0\0\0\0\0\x1b[\xff\0"), 0, -EACCES,
     "refuses to answer (?[?\?)"},
    {"no receive time stamp", PUT(32, "\0\0\0\0\0\0\0\0"), 0, -EBADMSG,
     "answers without time stamps"},
    {"no transmit time stamp", PUT(40, "\0\0\0\0\0\0\0\0"), 0, -EBADMSG,
     "answers without time stamps"},
    {"sent a microsecond before received", PUT(40, "\xee\xce\x20\x00\x7f\xff\xef\x00"), 0, -EBADMSG,
     "claims to have answered before it was asked"},
    {"sent in era 0, received in era 1", PUT(32, "\0\0\0\0\0\0\0\x01"), 0, -EBADMSG,
     "claims to have answered before it was asked"},
    {"root delay 32 s", PUT(4, "\x00\x20\0\0"), 0, -EBADMSG,
     "says that it may be wrong by 16 s or more"},
    {"root delay of all ones", PUT(4, "\xff\xff\xff\xff"), 0, -EBADMSG,
     "says that it may be wrong by 16 s or more"},
    {"root dispersion 16 s", PUT(8, "\x00\x10\0\0"), 0, -EBADMSG,
     "says that it may be wrong by 16 s or more"},
    {"root delay 20 s and root dispersion 6 s", PUT(4, "\x00\x14\0\0\x00\x06\0\0"), 0, -EBADMSG,
     "says that it may be wrong by 16 s or more"},
    {"precision 16 s", PUT(3, "\x04"), 0, -EBADMSG, "says that it may be wrong by 16 s or more"},
    {"precision 2^127 s", PUT(3, "\x7f"), 0, -EBADMSG, "says that it may be wrong by 16 s or more"},
};

static void answers_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        unsigned char packet[SNTP_PACKET];
        struct sntp_stamps stamps = {0};
        struct error err = {0};
        memcpy(packet, good, sizeof packet);
        memcpy(packet + row->at, row->bytes, row->n);
        int rc = sntp_read(packet, row->len ? row->len : sizeof packet, COOKIE, &stamps, &err);
        if (rc != row->rc || strcmp(err.text, row->text) != 0)
            fail_msg("%s: %d \"%s\"", row->what, rc, err.text);
    }
}

static struct sntp_stamps read_with(size_t at, const char *bytes, size_t n)
{
    unsigned char packet[100] = {0}; /* what stands behind is not looked at */
    struct sntp_stamps stamps;
    struct error err = {0};
    memcpy(packet, good, sizeof good);
    memcpy(packet + at, bytes, n);
    if (sntp_read(packet, sizeof packet, COOKIE, &stamps, &err) < 0)
        fail_msg("%s", err.text);
    return stamps;
}

static void stamps_are_microseconds_since_1970(void **state)
{
    (void)state;
    struct sntp_stamps s = read_with(NOTHING);
    assert_int_equal(s.received_us, GOOD_S * 1000000 + 500000);
    assert_int_equal(s.sent_us, GOOD_S * 1000000 + 750000);
    s = read_with(PUT(32, "\x80\0\0\0\0\0\0\0\x83\xaa\x7e\x80\0\0\0\0"));
    assert_int_equal(s.received_us, INT64_C(-61505152000000)); /* 1968-01-20 */
    assert_int_equal(s.sent_us, 0);
    s = read_with(PUT(32, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x01"));
    assert_int_equal(s.received_us, INT64_C(2085978495999999)); /* 2036-02-07 */
    assert_int_equal(s.sent_us, INT64_C(2085978496000000));
    s = read_with(PUT(40, "\x7f\xff\xff\xff\0\0\0\0"));
    assert_int_equal(s.sent_us, INT64_C(4233462143000000)); /* 2104-02-26 */
}

static void what_it_says_of_itself_adds_up(void **state)
{
    (void)state;
    assert_int_equal(read_with(NOTHING).error_us, GOOD_ERROR);
    assert_int_equal(read_with(PUT(4, "\0\0\0\0\0\0\0\0")).error_us, 0 + 1 + 1);
    assert_int_equal(read_with(PUT(4, "\0\x02\0\0\0\x01\0\0")).error_us, 1000000 + 1000001 + 1);
    assert_int_equal(read_with(PUT(3, "\xf6")).error_us, GOOD_ERROR - 1 + 977);
    assert_int_equal(read_with(PUT(3, "\x00")).error_us, GOOD_ERROR - 1 + 1000000);
    assert_int_equal(read_with(PUT(3, "\x03")).error_us, GOOD_ERROR - 1 + 8000000);
    assert_int_equal(read_with(PUT(3, "\x80")).error_us, GOOD_ERROR);
}

/* What is taken is in order, whatever came. */
static void check_taken(const unsigned char *packet, size_t len)
{
    struct sntp_stamps s = {0};
    struct error err = {0};
    int rc = sntp_read(packet, len, COOKIE, &s, &err);
    assert_int_equal(rc == 0, err.text[0] == '\0');
    if (rc < 0)
        return;
    assert_memory_equal(packet + 24, good + 24, 8);
    assert_int_equal(packet[0] & 7, 4);
    assert_in_range(packet[1], 1, 15);
    assert_true(s.received_us <= s.sent_us);
    assert_true(s.error_us > 0 && s.error_us < 16000000);
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < SNTP_PACKET; at++) {
        for (int byte = 0; byte < 256; byte++) {
            unsigned char packet[SNTP_PACKET];
            memcpy(packet, good, sizeof packet);
            packet[at] = (unsigned char)byte;
            check_taken(packet, sizeof packet);
        }
    }
}

static void garbage_with_the_right_cookie(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 200000; i++) {
        unsigned char packet[SNTP_PACKET];
        for (size_t k = 0; k < sizeof packet; k++)
            packet[k] = (unsigned char)random();
        memcpy(packet + 24, good + 24, 8);
        if (i % 2)
            packet[0] = 0x24, packet[1] = 3, packet[4] = packet[5] = packet[8] = 0;
        check_taken(packet, (size_t)random() % (SNTP_PACKET + 1));
        check_taken(packet, sizeof packet);
    }
}

/* ---- bounds -------------------------------------------------------------- */

static const struct {
    struct sntp_stamps stamps;
    int64_t asked_us, heard_us, now_us;
    int64_t lo_us, hi_us; /* both 0: refused */
} bounds[] = {
    /* no delay at all: what is left are the server's error and the rounding */
    {{1000, 1000, 10}, 1000, 1000, 1000, -12, 12},
    {{5000, 5000, 10}, 1000, 1000, 1000, 3988, 4012},
    /* 300 us under way, 100 us in the server */
    {{5000, 5100, 10}, 1000, 1400, 1400, 3688, 4012},
    /* an hour later: 515 ppm */
    {{5000, 5100, 10}, 1000, 1400, INT64_C(3600001000), 3688 - 1854000, 4012 + 1854000},
    /* 1 s under way */
    {{0, 0, 1}, 0, 1000000, 1000000, -1000518, 518},
    /* it ran faster than ours, within its error */
    {{1000, 1020, 10}, 1000, 1010, 1010, -2, 12},
    /* longer in the server than under way */
    {{1000, 2000, 10}, 1000, 1010, 1010, 0, 0},
    {{1000, 1035, 10}, 1000, 1010, 1010, 0, 0},
    {{1000, 1034, 10}, 1000, 1010, 1010, 12, 12},
};

static void delay_and_error_make_the_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bounds); i++) {
        struct sntp_interval b = {0};
        struct error err = {0};
        int rc = sntp_bound(&bounds[i].stamps, bounds[i].asked_us, bounds[i].heard_us,
                            bounds[i].now_us, &b, &err);
        bool refused = bounds[i].lo_us == 0 && bounds[i].hi_us == 0;
        if (b.lo_us != bounds[i].lo_us || b.hi_us != bounds[i].hi_us)
            fail_msg("row %zu: %lld..%lld", i, (long long)b.lo_us, (long long)b.hi_us);
        assert_int_equal(rc, refused ? -EBADMSG : 0);
        assert_string_equal(err.text, refused ? "claims to have taken longer than we waited" : "");
    }
}

static void the_real_clock_is_taken_away(void **state)
{
    (void)state;
    struct local_clock_reading now = {.raw_us = 100, .real_us = 5000, .err_us = 7};
    struct sntp_interval b = sntp_against_real((struct sntp_interval){4800, 5100}, &now);
    assert_int_equal(b.lo_us, -107);
    assert_int_equal(b.hi_us, 207);
}

/* A random number from 0 to most, small ones more often. */
static int64_t some(int64_t most)
{
    return (int64_t)((double)most * ((double)random() / RAND_MAX) * ((double)random() / RAND_MAX));
}

/* One exchange as it really happens: true time t, a raw clock that is up to 500 ppm off, a
 * server whose clock is wrong by at most what it says and up to 15 ppm off, a real clock
 * that is stepped in between. The interval holds the truth as of the reading. */
static void exchange_once(void)
{
    double rate = 1 + ((double)random() / RAND_MAX - 0.5) * 998e-6;
    double server_rate = 1 + ((double)random() / RAND_MAX - 0.5) * 28e-6;
    int64_t there = some(700000), inside = some(100000), back = some(700000);
    int64_t age = some(3000000), offset = some(7200000000);
    offset = random() % 2 ? offset : -offset;
    int64_t error = some(1000000), wrong = error ? some(2 * error) - error : 0;
    const int64_t t0 = 1000000000, start = GOOD_S * 1000000;
#define RAW(t)    ((int64_t)((double)((t)-t0) * rate) + 77)
#define SERVER(t) ((int64_t)((double)((t)-t0) * server_rate) + start + wrong)
    int64_t t1 = t0 + there, t2 = t1 + inside, t3 = t2 + back, t4 = t3 + age;
    struct sntp_stamps stamps = {SERVER(t1), SERVER(t2), error + 1};
    struct local_clock_reading now = {RAW(t4), start + (t4 - t0) - offset, 2};
    struct sntp_interval b = {0};
    assert_int_equal(sntp_bound(&stamps, RAW(t0), RAW(t3), RAW(t4), &b, NULL), 0);
    b = sntp_against_real(b, &now);
    if (b.lo_us > offset || b.hi_us < offset)
        fail_msg("%lld is not in %lld..%lld", (long long)offset, (long long)b.lo_us,
                 (long long)b.hi_us);
    int64_t most = there + back + 2 * error + 2 * (there + inside + back + age) / 1000;
    assert_true(b.hi_us - b.lo_us <= most + 20);
}

static void the_interval_holds_the_truth(void **state)
{
    (void)state;
    srandom(2);
    for (int i = 0; i < 300000; i++)
        exchange_once();
}

/* ---- several ------------------------------------------------------------- */

static const struct {
    struct sntp_answer answer[3];
    int best;
    const char *contradiction;
} several[] = {
#define YES(lo, hi)                                                                                \
    {                                                                                              \
        .valid = true, .offset = { lo, hi }                                                        \
    }
#define NO                                                                                         \
    {                                                                                              \
        .text = "x"                                                                                \
    }
    {{NO, NO, NO}, -1, ""},
    {{NO, YES(5, 9), NO}, 1, ""},
    {{YES(0, 10), YES(5, 9), YES(3, 9)}, 1, ""},
    {{YES(0, 4), YES(2, 6), YES(4, 8)}, 0, ""},
    {{YES(0, 10), YES(10, 12), NO}, 1, ""},
    {{YES(0, 10), YES(11, 12), NO},
     1,
     "a.example and b.example contradict each other: at least one is wrong"},
    {{YES(5, 6), NO, YES(1, 4)},
     0,
     "a.example and c.example contradict each other: at least one is wrong"},
    {{YES(0, 100), YES(10, 20), YES(30, 40)},
     1,
     "b.example and c.example contradict each other: at least one is wrong"},
    {{YES(0, 1), YES(2, 3), YES(4, 5)},
     0,
     "a.example and b.example contradict each other: at least one is wrong"},
};

static void the_narrowest_counts_and_contradictions_are_named(void **state)
{
    (void)state;
    static const struct host_port servers[] = {
        {"a.example", 123}, {"b.example", 123}, {"c.example", 123}};
    for (size_t i = 0; i < COUNT(several); i++) {
        struct sntp_result r = {.best = 7, .contradiction = "x"};
        memcpy(r.answer, several[i].answer, sizeof several[i].answer);
        sntp_compare(servers, 3, &r);
        assert_int_equal(r.best, several[i].best);
        assert_string_equal(r.contradiction, several[i].contradiction);
    }
}

static void long_names_are_cut(void **state)
{
    (void)state;
    struct host_port servers[2] = {{.port = 1}, {.port = 2}};
    struct sntp_result r = {.answer = {YES(0, 1), YES(2, 3)}};
    memset(servers[0].host, 'a', HOST_TEXT - 1);
    memset(servers[1].host, 'b', HOST_TEXT - 1);
    sntp_compare(servers, 2, &r);
    assert_int_equal(strspn(r.contradiction, "a"), 160);
    const char *end = "b contradict each other: at least one is wrong";
    assert_string_equal(r.contradiction + strlen(r.contradiction) - strlen(end), end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_holds_nothing_of_ours),
        cmocka_unit_test(answers_are_judged),
        cmocka_unit_test(stamps_are_microseconds_since_1970),
        cmocka_unit_test(what_it_says_of_itself_adds_up),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(garbage_with_the_right_cookie),
        cmocka_unit_test(delay_and_error_make_the_bounds),
        cmocka_unit_test(the_real_clock_is_taken_away),
        cmocka_unit_test(the_interval_holds_the_truth),
        cmocka_unit_test(the_narrowest_counts_and_contradictions_are_named),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests_name("sntp", tests, NULL, NULL);
}
