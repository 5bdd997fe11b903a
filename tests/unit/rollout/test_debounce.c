/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "rollout/debounce.h"
#include "test.h"

static void attempts_are_apart_after_a_failure_only(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum server_record_state is;
        int64_t age_ms;
        bool waits;
    } rows[] = {{"failed just now", SERVER_RECORD_FAILED, 0, true},
                {"failed long enough ago", SERVER_RECORD_FAILED, 200, false},
                {"done just now", SERVER_RECORD_DONE, 0, false},
                {"not set up", SERVER_RECORD_KEPT, 0, false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t begin = boottime_ms();
        struct local_state local = {.record.state = rows[i].is, .at_ms = begin - rows[i].age_ms};
        (void)snprintf(local.boot, sizeof local.boot, "%s", boottime_boot_id());
        print_message("  %s\n", rows[i].name);
        assert_int_equal(debounce_after_failure(&local), rows[i].waits);
        if (rows[i].waits)
            assert_in_range(boottime_ms() - begin, 150, 5000);
    }
}

int main(void)
{
    if (setenv("LICTOR_LIMITS", "apply_again=200ms", 1) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_are_apart_after_a_failure_only),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
