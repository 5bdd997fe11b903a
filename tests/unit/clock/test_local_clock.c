/* SPDX-License-Identifier: MIT */
#include "clock/local_clock.h"

#include "base/boottime.h"
#include "scratch.h"
#include "test.h"

#include <time.h>

static void both_clocks_are_read_together(void **state)
{
    (void)state;
    struct local_clock_reading first;
    struct local_clock_reading last;
    local_clock_read(&first);
    const int64_t now_s = time(NULL);
    for (int i = 0; i < 1000; i++) {
        local_clock_read(&last);
        assert_in_range(last.err_us, 2, 1000000);
        assert_true(last.raw_us >= first.raw_us);
    }
    assert_in_range(first.real_us / 1000000, now_s - 10, now_s + 1);
    const int64_t moved = (last.real_us - last.raw_us) - (first.real_us - first.raw_us);
    /* The rate of this machine's clock, and nobody steps it now. */
    const int64_t most = first.err_us + last.err_us + (last.raw_us - first.raw_us) / 10 + 1;
    assert_in_range(llabs(moved), 0, most);
}

static void a_boot_has_one_text(void **state)
{
    (void)state;
    char one[LOCAL_CLOCK_BOOT];
    char two[LOCAL_CLOCK_BOOT];
    char *end = NULL;
    const size_t len = strlen(boottime_boot_id());
    assert_string_equal(local_clock_boot(one), local_clock_boot(two));
    assert_int_equal(strncmp(one, boottime_boot_id(), len), 0);
    assert_int_equal(one[len], '+');
    assert_true(strtoll(one + len + 1, &end, 10) >= 0);
    assert_string_equal(end, "");
}

#define PPM (1L << 16)

static void the_kernel_bounds_the_rate(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int state;
        int status;
        long freq;
        long tick;
        bool known;
        bool synced;
        int64_t ppm;
    } rows[] = {
        {"could not be asked", -1, 0, 0, 10000, false, false, 500},
        {"synchronised", TIME_OK, STA_PLL, 0, 10000, true, true, 50},
        {"a small correction", TIME_OK, STA_PLL, 20 * PPM, 10000, true, true, 50},
        {"25 ppm", TIME_OK, STA_PLL, 25 * PPM, 10000, true, true, 50},
        {"a bit more", TIME_OK, STA_PLL, 25 * PPM + 1, 10000, true, true, 51},
        {"to the other side", TIME_OK, STA_PLL, -80 * PPM, 10000, true, true, 105},
        {"475 ppm", TIME_OK, STA_PLL, 475 * PPM, 10000, true, true, 500},
        {"the most a kernel corrects", TIME_OK, STA_PLL, 500 * PPM, 10000, true, true, 500},
        {"by the tick", TIME_OK, STA_PLL, 0, 10001, true, true, 125},
        {"tick and frequency", TIME_OK, STA_PLL, -80 * PPM, 10001, true, true, 50},
        {"chronyd slews", TIME_OK, STA_PLL, 0, 10833, true, true, 500},
        {"chronyd slews back", TIME_OK, STA_PLL, 3 * PPM, 9167, true, true, 500},
        {"a leap second is due", TIME_INS, STA_PLL | STA_INS, 0, 10000, true, true, 50},
        {"not synchronised", TIME_ERROR, STA_UNSYNC, 0, 10000, true, false, 500},
        {"not synchronised, a correction", TIME_ERROR, STA_UNSYNC, 10 * PPM, 10000, true, false,
         500},
        {"an error of the clock", TIME_ERROR, STA_CLOCKERR, 0, 10000, true, false, 500},
        {"unsynchronised by the status alone", TIME_OK, STA_UNSYNC, 0, 10000, true, false, 500},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct timex timex = {
            .status = rows[i].status, .freq = rows[i].freq, .tick = rows[i].tick};
        struct local_clock_kernel kernel;
        local_clock_read_kernel(rows[i].state, &timex, &kernel);
        if (kernel.known != rows[i].known || kernel.synced != rows[i].synced ||
            kernel.ppm != rows[i].ppm)
            fail_msg("%s: %d %d %lld", rows[i].name, kernel.known, kernel.synced,
                     (long long)kernel.ppm);
    }
}

static void the_kernel_can_be_asked(void **state)
{
    (void)state;
    struct local_clock_kernel kernel;
    local_clock_ask_kernel(&kernel);
    assert_in_range(kernel.ppm, kernel.synced ? LOCAL_CLOCK_PPM_LEAST : LOCAL_CLOCK_PPM_MOST,
                    LOCAL_CLOCK_PPM_MOST);
    assert_true(kernel.known || !kernel.synced);
}

#define UNSYNCED "the kernel says its clock is not synchronised"

static void advice_names_who_is_there(void **state)
{
    (void)state;
    static const struct {
        struct local_clock_kernel kernel;
        struct local_clock_daemons daemons;
        const char *text;
    } rows[] = {
        {{true, true, 50}, {{0}, {0}}, ""},
        {{true, true, 50}, {{1, 1, 1}, {0}}, ""},
        {{true, true, 50}, {{1, 0, 0}, {1, 0, 0}}, ""},
        {{true, true, 50},
         {{1, 1, 0}, {1, 1, 0}},
         "chronyd and ntpd run side by side: one may set the clock"},
        {{true, false, 500},
         {{0}, {1, 1, 1}},
         "chronyd, ntpd and systemd-timesyncd run side by side: one may set the "
         "clock"},
        {{true, false, 500},
         {{0}, {0}},
         UNSYNCED " (is chronyd, ntpd or systemd-timesyncd running?)"},
        {{true, false, 500}, {{0, 1, 0}, {0}}, UNSYNCED " (is ntpd running?)"},
        {{true, false, 500},
         {{1, 0, 1}, {0}},
         UNSYNCED " (is chronyd or systemd-timesyncd running?)"},
        {{true, false, 500},
         {{1, 0, 1}, {1, 0, 0}},
         UNSYNCED " (chronyd runs: does it reach its servers?)"},
        {{true, false, 500},
         {{0}, {0, 0, 1}},
         UNSYNCED " (systemd-timesyncd runs: does it reach its servers?)"},
        {{false, false, 500},
         {{0}, {0}},
         "the kernel does not say whether its clock is synchronised (is chronyd, ntpd "
         "or systemd-timesyncd running?)"},
    };
    char text[LOCAL_CLOCK_ADVICE];
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(local_clock_advice(&rows[i].kernel, &rows[i].daemons, text),
                            rows[i].text);
}

/* A file below root, with its directories. */
static void make(const char *path, const char *text, mode_t mode)
{
    char full[512];
    (void)snprintf(full, sizeof full, "%s%s", scratch_dir, path);
    for (char *at = full + strlen(scratch_dir) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        (void)mkdir(full, 0755);
        *at = '/';
    }
    scratch_put(full, text, mode);
}

static void daemons_are_found(void **state)
{
    (void)state;
    static const struct local_clock_daemons none;
    struct local_clock_daemons found;
    local_clock_find_daemons(scratch_dir, &found);
    assert_memory_equal(&found, &none, sizeof found);
    make("/usr/sbin/chronyd", "", 0755);
    make("/usr/sbin/ntpd", "", 0644);
    make("/lib/systemd/systemd-timesyncd", "", 0755);
    make("/proc/1/comm", "systemd\n", 0644);
    make("/proc/17/comm", "systemd-timesyn\n", 0644);
    make("/proc/18/comm", "ntpd-exporter\n", 0644);
    make("/proc/19/comm", "", 0644);
    make("/proc/net/comm", "chronyd\n", 0644);
    make("/proc/20/status", "Name: chronyd\n", 0644);
    local_clock_find_daemons(scratch_dir, &found);
    assert_true(found.installed[0]);
    assert_false(found.installed[1]);
    assert_true(found.installed[2]);
    assert_false(found.running[0]);
    assert_false(found.running[1]);
    assert_true(found.running[2]);
    local_clock_find_daemons("", &found); /* the machine itself: whatever it has */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_clocks_are_read_together),
        cmocka_unit_test(a_boot_has_one_text),
        cmocka_unit_test(the_kernel_bounds_the_rate),
        cmocka_unit_test(the_kernel_can_be_asked),
        cmocka_unit_test(advice_names_who_is_there),
        cmocka_unit_test_setup_teardown(daemons_are_found, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
