/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"

#include "test.h"

#include <sys/time.h>
#include <time.h>

static void the_clock_runs_in_one_boot(void **state)
{
    (void)state;
    char id[64];
    int64_t before = boottime_ms();
    assert_true(before > 0);
    assert_true(boottime_ms() >= before);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    assert_non_null(file);
    assert_non_null(fgets(id, sizeof id, file));
    assert_int_equal(fclose(file), 0);
    id[strcspn(id, "\n")] = '\0';
    assert_int_equal(strlen(id), 36);
    assert_string_equal(boottime_boot_id(), id);
    assert_string_equal(boottime_boot_id(), id);
}

static void the_wall_clock_has_the_time_of_day(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = boottime_wall_ms();
    assert_true(now >= before && now < before + 60000);
}

static void ignore(int number)
{
    (void)number;
}

static void sleeps_on_after_a_signal(void **state)
{
    (void)state;
    const struct itimerval soon = {.it_value = {.tv_usec = 5000}};
    int64_t before = boottime_ms();
    assert_true(signal(SIGALRM, ignore) != SIG_ERR);
    boottime_sleep(-1);
    boottime_sleep(0);
    assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
    boottime_sleep(50);
    assert_true(boottime_ms() - before >= 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_runs_in_one_boot),
        cmocka_unit_test(the_wall_clock_has_the_time_of_day),
        cmocka_unit_test(sleeps_on_after_a_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
