/* SPDX-License-Identifier: MIT */
#include "base/duration.h"

#include "test.h"

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

struct row {
    const char *text;
    int rc;
    int64_t value;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t value = -1;
        int rc = duration_parse(rows[i].text, &value);
        if (rc != rows[i].rc || (rc == 0 && value != rows[i].value))
            fail_msg("\"%s\": %d, %lld instead of %d, %lld", rows[i].text, rc, (long long)value,
                     rows[i].rc, (long long)rows[i].value);
        if (rc < 0)
            assert_int_equal(value, -1);
    }
}

static void parses_durations(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"1us", 0, 1},
        {"100ms", 0, 100000},
        {"1s", 0, SECOND},
        {"1sec", 0, SECOND},
        {"2m", 0, 120 * SECOND},
        {"2min", 0, 120 * SECOND},
        {"3h", 0, 10800 * SECOND},
        {"3hr", 0, 10800 * SECOND},
        {"7d", 0, 7 * DAY},
        {"1w", 0, 7 * DAY},
        {"1wk", 0, 7 * DAY},
        {"2months", 0, 60 * DAY},
        {"1y", 0, 365 * DAY},
        {"1yr", 0, 365 * DAY},
        {"4m2s", 0, 242 * SECOND},
        {"2h30m", 0, 9000 * SECOND},
        {"2s4m", 0, 242 * SECOND},
        {"1s1s", 0, 2 * SECOND},
        {"1m1ms1months", 0, 60 * SECOND + 1000 + 30 * DAY},
        {"007s", 0, 7 * SECOND},
        {"9223372036854775807us", 0, INT64_MAX},
        {"9223372036854775806us1us", 0, INT64_MAX},
        {"9223372036854775807us1us", -ERANGE, 0},
        {"9223372036854775808us", -ERANGE, 0},
        {"99999999999999999999us", -ERANGE, 0},
        {"292472y", -ERANGE, 0},
        {"9223372036854775807s", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"1", -EINVAL, 0},
        {"00", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"1s2", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"+1s", -EINVAL, 0},
        {"1.5s", -EINVAL, 0},
        {"1,5s", -EINVAL, 0},
        {" 1s", -EINVAL, 0},
        {"1s ", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1s 2ms", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"1ns", -EINVAL, 0},
        {"1month", -EINVAL, 0},
        {"1sm", -EINVAL, 0},
        {"1days", -EINVAL, 0},
        {"1e3s", -EINVAL, 0},
        {"0x1s", -EINVAL, 0},
        {"1s\n", -EINVAL, 0},
        {"\xd9\xa1s", -EINVAL, 0}, /* an Arabic digit */
    };
    check(rows, COUNT(rows));
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1us"},
        {1500, "1500us"},
        {1000, "1ms"},
        {100000, "100ms"},
        {SECOND, "1s"},
        {90 * SECOND, "1m30s"},
        {3600 * SECOND, "1h"},
        {3601 * SECOND, "1h1s"},
        {DAY, "1d"},
        {9 * DAY + 60 * SECOND, "9d1m"},
        {SECOND + 500000, "1s500ms"},
        {SECOND + 500001, "1s500001us"},
        {INT64_MAX, "106751991d4h54s775807us"},
        {INT64_MAX - 3600 * SECOND, "106751991d3h54s775807us"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DURATION_TEXT];
        int64_t back = -1;
        assert_string_equal(duration_format(rows[i].us, text), rows[i].text);
        assert_ptr_equal(duration_format(rows[i].us, text), text);
        assert_int_equal(duration_parse(text, &back), 0);
        assert_int_equal(back, rows[i].us);
    }
}

static void the_longest_text_fits(void **state)
{
    (void)state;
    char text[DURATION_TEXT + 8];
    memset(text, '#', sizeof text);
    int64_t us = 99999999 * DAY + 23 * 3600 * SECOND + 59 * 60 * SECOND + 59 * SECOND;
    (void)duration_format(us + 999999, text);
    assert_string_equal(text, "99999999d23h59m59s999999us");
    assert_int_equal(text[DURATION_TEXT], '#');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_durations),
        cmocka_unit_test(formats),
        cmocka_unit_test(the_longest_text_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
