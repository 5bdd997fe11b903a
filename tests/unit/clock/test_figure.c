/* SPDX-License-Identifier: MIT */
#include "clock/figure.h"

#include "test.h"

#define MS     INT64_C(1000)
#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)

static const struct {
    int64_t us;
    const char *text;
} figures[] = {
    {0, "+0 ms"},
    {499, "+0 ms"},
    {500, "+1 ms"},
    {-20 * MS, "-20 ms"},
    {237 * MS, "+237 ms"},
    {999499, "+999 ms"},
    {999500, "+1.0 s"},
    {SECOND, "+1.0 s"},
    {2 * SECOND, "+2.0 s"},
    {-2049 * MS, "-2.0 s"},
    {2050 * MS, "+2.1 s"},
    {9949 * MS, "+9.9 s"},
    {9950 * MS, "+10 s"},
    {36499 * MS, "+36 s"},
    {99999 * MS, "+100 s"},
    {100 * SECOND, "+1.7 min"},
    {3599 * SECOND, "+60 min"},
    {HOUR, "+1.0 h"},
    {-HOUR, "-1.0 h"},
    {47 * HOUR, "+47 h"},
    {2 * DAY, "+2.0 d"},
    {30 * DAY, "+30 d"},
    {INT64_C(9007199254740992), "+104250 d"},
    {-INT64_C(9007199254740992), "-104250 d"},
};

static void figures_are_short(void **state)
{
    (void)state;
    char text[FIGURE_TEXT];
    for (size_t i = 0; i < COUNT(figures); i++) {
        assert_string_equal(figure_signed(figures[i].us, text), figures[i].text);
        assert_string_equal(figure_size(figures[i].us, text), figures[i].text + 1);
    }
}

static void limits_are_exact(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } limits[] = {
        {100 * MS, "100 ms"}, {2 * SECOND, "2 s"},   {1500 * MS, "1500 ms"},
        {50500, "50500 us"},  {10 * SECOND, "10 s"},
    };
    char text[FIGURE_TEXT];
    for (size_t i = 0; i < COUNT(limits); i++)
        assert_string_equal(figure_limit(limits[i].us, text), limits[i].text);
}

static const struct {
    int64_t lo;
    int64_t hi;
    int64_t shown;
    int64_t figure;
} intervals[] = {
    /* the roundest one */
    {1990 * MS, 2010 * MS, 0, 2 * SECOND},
    {1100 * MS, 2300 * MS, 0, 2 * SECOND},
    {2330 * MS, 2410 * MS, 0, 2400 * MS},
    {2310 * MS, 2390 * MS, 0, 2400 * MS},
    {2410 * MS, 2600 * MS, 0, 2500 * MS},
    {-2010 * MS, -1990 * MS, 0, -2 * SECOND},
    {180 * MS, 230 * MS, 0, 200 * MS},
    {196 * MS, 199 * MS, 0, 198 * MS},
    {202300, 202900, 0, 203 * MS},
    {3550 * SECOND, 3640 * SECOND, 0, HOUR},
    {HOUR - 40 * MS, HOUR + 40 * MS, 0, HOUR},
    {900 * MS, 1050 * MS, 0, SECOND},
    {-30 * DAY - 5, -30 * DAY + 5, 0, -30 * DAY},
    {36400 * MS, 36600 * MS, 0, 37 * SECOND},
    {2010 * MS, 1990 * MS, 0, 2 * SECOND},
    /* what was shown stays while it can be true, to the last digit */
    {2330 * MS, 2410 * MS, 2500 * MS, 2500 * MS},
    {2330 * MS, 2399 * MS, 2500 * MS, 2400 * MS},
    {2330 * MS, 2410 * MS, 2230 * MS, 2230 * MS},
    {2330 * MS, 2410 * MS, 2229 * MS, 2400 * MS},
    {190 * MS, 210 * MS, -200 * MS, 200 * MS},
    {196 * MS, 199 * MS, 200 * MS, 200 * MS},
    {196 * MS, 199 * MS, 201 * MS, 198 * MS},
    /* the largest */
    {INT64_C(9007199254740000), INT64_C(9007199254740992), 0, 104250 * DAY},
    {-INT64_C(36028797018963968), INT64_C(36028797018963968), 0, 0},
};

static void the_roundest_figure_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(intervals); i++) {
        int64_t figure = figure_between(intervals[i].lo, intervals[i].hi, intervals[i].shown);
        if (figure != intervals[i].figure)
            fail_msg("%zu: %lld", i, (long long)figure);
    }
}

static void steps_are_1_2_5(void **state)
{
    (void)state;
    static const int64_t pairs[][2] = {
        {0, 1 * MS},
        {1000, 1 * MS},
        {1001, 2 * MS},
        {2001, 5 * MS},
        {5001, 10 * MS},
        {97 * MS, 100 * MS},
        {100001, 200 * MS},
        {240 * MS, 500 * MS},
        {501 * MS, SECOND},
        {3 * HOUR, 20000 * SECOND},
        {INT64_C(9007199254740992), INT64_C(10000000000000000)},
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        assert_int_equal(figure_step(pairs[i][0]), pairs[i][1]);
}

static void a_bound_rises_at_once_and_falls_late(void **state)
{
    (void)state;
    static const int64_t looks[][2] = {
        {9 * MS, 10 * MS},   {150 * MS, 200 * MS}, {200 * MS, 200 * MS}, {90 * MS, 200 * MS},
        {67 * MS, 200 * MS}, {66 * MS, 100 * MS},  {101 * MS, 200 * MS}, {9 * MS, 10 * MS},
        {10001, 20 * MS},    {7 * MS, 20 * MS},    {0, 1 * MS},
    };
    int64_t shown = 0;
    for (size_t i = 0; i < COUNT(looks); i++) {
        shown = figure_bound(looks[i][0], shown);
        assert_int_equal(shown, looks[i][1]);
    }
}

static const char *const names[] = {"a", "bb", "ccc", "server-4", "server-5"};
static const struct figure_verb differs = {"differs", "differ"};

static void figures_are_said_once_where_they_are_one(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        int64_t figures[5];
        size_t size;
        const char *text;
    } rows[] = {
        {"-----", {0}, 100, ""},
        {"-x---", {0, 2 * SECOND}, 100, "bb differs by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, 2 * SECOND}, 100, "a and ccc differ by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, 2010000}, 100, "a and ccc differ by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, -2 * SECOND}, 100, "a differs by +2.0 s, ccc by -2.0 s"},
        {"xx--x",
         {2 * SECOND, 200000, 0, 0, -3600 * SECOND},
         100,
         "a differs by +2.0 s, bb by +200 ms, server-5 by -1.0 h"},
        {"xxxxx",
         {1, 2 * SECOND, 3 * SECOND, 4 * SECOND, 5 * SECOND},
         60,
         "a differs by +0 ms, bb by +2.0 s and 3 more"},
        {"xxxxx",
         {SECOND, SECOND, SECOND, SECOND, SECOND},
         40,
         "a, bb and 3 more differ by +1.0 s"},
        {"xxxxx", {SECOND, SECOND, SECOND, SECOND, SECOND}, 10, " differ b"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool set[5];
        char text[100];
        int n = 0;
        for (int k = 0; k < 5; k++)
            n += set[k] = rows[i].set[k] == 'x';
        const struct figure_servers servers = {names, set, rows[i].figures, 5};
        assert_int_equal(figure_names(&servers, &differs, text, rows[i].size), n);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_short),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(the_roundest_figure_is_shown),
        cmocka_unit_test(steps_are_1_2_5),
        cmocka_unit_test(a_bound_rises_at_once_and_falls_late),
        cmocka_unit_test(figures_are_said_once_where_they_are_one),
    };
    return cmocka_run_group_tests_name("figure", tests, NULL, NULL);
}
