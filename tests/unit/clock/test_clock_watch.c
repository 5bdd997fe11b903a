/* SPDX-License-Identifier: MIT */
#include "clock/clock_watch.h"

#include "scratch.h"
#include "test.h"

static const struct {
    const char *name;
    uint64_t before, now; /* of the own record, at the heartbeat before and now */
    uint64_t heard;       /* highest of what the watch has received; 0: it never ran */
    bool unreadable;      /* it ran with something that could not be read */
    bool deaf;
} rows[] = {
    {"no record yet", 0, 0, 0, .deaf = false},
    {"the first record was written just now", 0, 7, 0, .deaf = false},
    {"it was received", 7, 9, 7, .deaf = false},
    {"another server's later one was received", 7, 9, 8, .deaf = false},
    {"it was not received", 7, 9, 6, .deaf = true},
    {"it was not received, and nobody writes any more", 7, 7, 6, .deaf = true},
    {"the watch never ran", 7, 9, 0, .deaf = true},
    {"the watch ran with something unreadable", 7, 9, 0, .unreadable = true, .deaf = false},
};

static void what_was_written_must_have_been_received(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        struct kv_list list = {0};
        bool deaf = false;
        (void)unlink(scratch_at("clock-received"));
        (void)unlink(scratch_at("clock-written"));
        assert_int_equal(clock_watch_look(scratch_dir, rows[i].before, &deaf, &err), 0);
        assert_false(deaf);
        assert_int_equal(kv_add(&list, "lictor/clock/b", "", 0, 1), 0);
        assert_int_equal(kv_add(&list, "lictor/clock/a", "", 0, rows[i].heard), 0);
        if (rows[i].heard || rows[i].unreadable)
            assert_int_equal(
                clock_watch_received(scratch_dir, rows[i].unreadable ? NULL : &list, &err), 0);
        assert_int_equal(clock_watch_look(scratch_dir, rows[i].now, &deaf, &err), 0);
        if (deaf != rows[i].deaf)
            print_message("row \"%s\"\n", rows[i].name);
        assert_int_equal(deaf, rows[i].deaf);
        kv_release(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_written_must_have_been_received)};
    return cmocka_run_group_tests_name("clock_watch", tests, scratch_set_up, scratch_tear_down);
}
