/* SPDX-License-Identifier: MIT */
/* Asking the NTP servers of the settings, when it is time. */
#include "clock/ntp_reference.h"

#include "fake_ntp.h"
#include "harness.h"

static struct settings settings;
static struct clock_state_reference found;

static struct local_clock_reading now(void)
{
    struct local_clock_reading reading;
    local_clock_read(&reading);
    return reading;
}

static void ask_again(void)
{
    const struct local_clock_reading at = now();
    ntp_reference_ask(&settings, &at, &found);
}

static void set_servers(struct fake_ntp *const *ntp, size_t n)
{
    settings.clock_references = n;
    for (size_t i = 0; i < n; i++)
        settings.clock_reference[i] = fake_ntp_server(ntp[i]);
}

static int begin(void **state)
{
    (void)state;
    settings = (struct settings){0};
    found = (struct clock_state_reference){0};
    return 0;
}

static struct fake_ntp *server_ahead(int64_t offset_us)
{
    const struct fake_ntp_manners manners = {.offset_us = offset_us};
    return fake_ntp_start("127.0.0.1", &manners);
}

static void nobody_set_is_nobody_asked(void **state)
{
    (void)state;
    ask_again();
    assert_false(found.found.known);
    assert_string_equal(found.notes.details, "");
}

static void the_offset_is_ours_from_theirs(void **state)
{
    (void)state;
    struct fake_ntp *ntp = server_ahead(2000000);
    set_servers(&ntp, 1);
    ask_again();
    assert_true(found.found.known);
    assert_in_range(-found.found.offset_us, 2000000 - found.found.err_us,
                    2000000 + found.found.err_us);
    assert_in_range(found.found.err_us, 1, 500000);
    assert_in_range(found.at.raw_us, found.asked_us, now().raw_us);
    assert_string_equal(found.notes.details,
                        "by its NTP servers this clock is off by at most 5 s\n");
    fake_ntp_stop(ntp);
}

static void nobody_is_asked_too_often(void **state)
{
    (void)state;
    struct fake_ntp *ntp[] = {server_ahead(0), server_ahead(0)};
    set_servers(ntp, 1);
    ask_again();
    unsigned once = fake_ntp_asked(ntp[0]);
    ask_again();
    assert_int_equal(fake_ntp_asked(ntp[0]), once);
    assert_true(found.found.known);
    set_servers(ntp, 2);
    ask_again();
    assert_int_equal(fake_ntp_asked(ntp[0]), 2 * once);
    found.asked_us -= 60000000;
    ask_again();
    assert_int_equal(fake_ntp_asked(ntp[0]), 3 * once);
    assert_int_equal(fake_ntp_asked(ntp[1]), 2 * once);
    settings.clock_references = 0;
    ask_again();
    assert_false(found.found.known);
    assert_string_equal(found.notes.details, "");
    fake_ntp_stop(ntp[0]);
    fake_ntp_stop(ntp[1]);
}

static void who_contradicts_proves_nothing(void **state)
{
    (void)state;
    struct fake_ntp *ntp[] = {server_ahead(0), server_ahead(3000000)};
    set_servers(ntp, 2);
    ask_again();
    assert_false(found.found.known);
    assert_non_null(strstr(found.notes.details, "contradict each other"));
    fake_ntp_stop(ntp[0]);
    fake_ntp_stop(ntp[1]);
}

static void keep_silent(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)ntp;
    (void)k;
    (void)answer;
}

static void who_is_silent_is_a_line(void **state)
{
    (void)state;
    const struct fake_ntp_manners silent = {.answer = keep_silent};
    struct fake_ntp *ntp[] = {fake_ntp_start("127.0.0.1", &silent), server_ahead(0)};
    set_servers(ntp, 1);
    ask_again();
    assert_false(found.found.known);
    assert_non_null(strstr(found.notes.details, "127.0.0.1 does not answer"));
    set_servers(ntp, 2);
    ask_again();
    assert_true(found.found.known);
    assert_non_null(strstr(found.notes.details, "127.0.0.1 does not answer"));
    assert_non_null(strstr(found.notes.details, "this clock is off by at most"));
    fake_ntp_stop(ntp[0]);
    fake_ntp_stop(ntp[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nobody_set_is_nobody_asked, begin),
        cmocka_unit_test_setup(the_offset_is_ours_from_theirs, begin),
        cmocka_unit_test_setup(nobody_is_asked_too_often, begin),
        cmocka_unit_test_setup(who_contradicts_proves_nothing, begin),
        cmocka_unit_test_setup(who_is_silent_is_a_line, begin),
    };
    return cmocka_run_group_tests_name("ntp_reference", tests, NULL, NULL);
}
