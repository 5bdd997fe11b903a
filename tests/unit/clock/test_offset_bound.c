/* SPDX-License-Identifier: MIT */
#include "clock/offset_bound.h"

#include "test.h"

#define MOST INT64_C(9007199254740992)

/* Rounds and what they prove; now is when the last one was heard, and `age_us` later. */
struct row {
    const char *name;
    struct offset_bound_round round[3]; /* sent, got, stamped, heard */
    int n;
    int64_t k_ppm;
    int64_t age_us;
    int rc;
    int64_t lo;
    int64_t hi;
};

static const struct row rows[] = {
    {"no round", {{0}}, .n = 0, .rc = -ENODATA},
    {"no delay", {{1000, 1000, 2000, 2000}}, .n = 1, .lo = 0, .hi = 0},
    {"delays", {{1000, 1300, 2000, 2700}}, .n = 1, .lo = -300, .hi = 700},
    {"the own clock is ahead", {{6000, 1300, 2000, 7700}}, .n = 1, .lo = 4700, .hi = 5700},
    {"it is behind", {{0, 5300, 6000, 1700}}, .n = 1, .lo = -5300, .hi = -4300},
    {"the echo ages from its sending",
     {{0, 0, 10000000, 10000000}},
     .n = 1,
     .k_ppm = 100,
     .lo = -1000,
     .hi = 0},
    {"both age",
     {{0, 0, 10000000, 10000000}},
     .n = 1,
     .k_ppm = 100,
     .age_us = 5000000,
     .lo = -1500,
     .hi = 500},
    {"ageing is rounded up",
     {{10, 10, 10, 10}},
     .n = 1,
     .k_ppm = 100,
     .age_us = 1,
     .lo = -1,
     .hi = 1},
    {"the best of two",
     {{1000, 1300, 2000, 2700}, {3000, 3800, 4000, 4100}},
     .n = 2,
     .lo = -300,
     .hi = 100},
    {"the older one has aged",
     {{0, 0, 0, 0}, {10000000, 10000700, 10000900, 10001500}},
     .n = 2,
     .k_ppm = 50,
     .lo = -501,
     .hi = 501},
    {"they touch", {{0, 0, 100, 100}, {200, 200, 300, 300}}, .n = 2, .lo = 0, .hi = 0},
    {"they contradict each other", {{0, 0, 100, 100}, {200, 199, 300, 305}}, .n = 2, .rc = -ERANGE},
    {"one contradicts itself", {{0, 0, 500, 400}}, .n = 1, .rc = -ERANGE},
    {"the largest numbers",
     {{0, MOST, MOST, 0}},
     .n = 1,
     .k_ppm = 1000,
     .age_us = MOST,
     .lo = -MOST - MOST / 1000 - 1,
     .hi = -MOST + MOST / 1000 + 1},
};

static void bounds_are_as_the_rounds_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct offset_bound bound = {.n = row->n};
        int64_t lo = 0;
        int64_t hi = 0;
        memcpy(bound.round, row->round, sizeof row->round);
        int64_t now = row->age_us + (row->n ? row->round[row->n - 1].heard_us : 0);
        int rc = offset_bound_get(&bound, row->k_ppm, now, &lo, &hi);
        if (rc != row->rc || lo != row->lo || hi != row->hi)
            fail_msg("%s: %d, %lld to %lld", row->name, rc, (long long)lo, (long long)hi);
    }
}

static void keeps_the_latest_32(void **state)
{
    (void)state;
    struct offset_bound bound = {0};
    for (int64_t i = 0; i < 40; i++) {
        const struct offset_bound_round round = {i * 1000, i * 1000 + 5, i * 1000 + 10,
                                                 i * 1000 + 15};
        assert_int_equal(offset_bound_add(&bound, &round, 100), 0);
        assert_int_equal(bound.n, i < 32 ? i + 1 : 32);
    }
    assert_int_equal(bound.round[0].sent_us, 8000);
    assert_int_equal(bound.round[31].sent_us, 39000);
}

/* The peer's machine was paused: its raw clock lost 500 us. */
static void a_contradiction_leaves_the_newest(void **state)
{
    (void)state;
    struct offset_bound bound = {0};
    int64_t lo = 0;
    int64_t hi = 0;
    for (int64_t i = 0; i < 5; i++) {
        const struct offset_bound_round round = {i * 1000, i * 1000, i * 1000 + 10, i * 1000 + 10};
        assert_int_equal(offset_bound_add(&bound, &round, 100), 0);
    }
    const struct offset_bound_round later = {5000, 4500, 4510, 5010};
    assert_int_equal(offset_bound_add(&bound, &later, 100), 0);
    assert_int_equal(bound.n, 1);
    assert_int_equal(offset_bound_get(&bound, 100, 5010, &lo, &hi), 0);
    assert_int_equal(lo, 499);
    assert_int_equal(hi, 500);
}

/* The own machine was paused between sending and state. */
static void what_contradicts_itself_leaves_none(void **state)
{
    (void)state;
    struct offset_bound bound = {0};
    const struct offset_bound_round good = {0, 0, 10, 10};
    const struct offset_bound_round bad = {1000, 1000, 2000, 1500};
    assert_int_equal(offset_bound_add(&bound, &good, 100), 0);
    assert_int_equal(offset_bound_add(&bound, &bad, 100), -ERANGE);
    assert_int_equal(bound.n, 0);
    assert_int_equal(offset_bound_add(&bound, &good, 100), 0);
    assert_int_equal(bound.n, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_as_the_rounds_say),
        cmocka_unit_test(keeps_the_latest_32),
        cmocka_unit_test(a_contradiction_leaves_the_newest),
        cmocka_unit_test(what_contradicts_itself_leaves_none),
    };
    return cmocka_run_group_tests_name("bound", tests, NULL, NULL);
}
