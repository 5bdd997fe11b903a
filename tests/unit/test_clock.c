#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void a_reading_is_narrow_and_true(void **state)
{
    (void)state;
    int64_t before = clock_raw_us();
    struct clock_reading r = clock_read();
    int64_t after = clock_raw_us();
    assert_true(r.raw_us >= before - 1);
    assert_true(r.raw_us + r.err_us <= after + 1);
    assert_true(r.err_us >= 2);
    int64_t wall = (int64_t)time(NULL) * 1000000;
    assert_true(r.real_us > wall - 5000000 && r.real_us < wall + 5000000);
}

/* Nobody steps the clock of the machine during the test, and NTP slews it by less than
 * 500 ppm: the bounds of real - raw of two readings overlap. */
static void readings_agree(void **state)
{
    (void)state;
    struct clock_reading first = clock_read();
    for (int i = 0; i < 1000; i++) {
        struct clock_reading r = clock_read();
        int64_t drift = (r.raw_us - first.raw_us) / 2000 + 1;
        int64_t most = first.real_us - first.raw_us, least = most - first.err_us;
        assert_true(r.real_us - r.raw_us >= least - drift);
        assert_true(r.real_us - r.raw_us - r.err_us <= most + drift);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reading_is_narrow_and_true),
        cmocka_unit_test(readings_agree),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
