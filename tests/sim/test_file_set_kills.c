/* SPDX-License-Identifier: MIT */
/* A swap of files that is killed at every step, and killed again while it recovers. */
#include "scratch.h"
#include "swap.h"
#include "test.h"

/* Run in a process that dies at its k-th step. Returns whether it died there. */
static bool dies_at(int k)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", k);
        (void)setenv("LICTOR_DIE_AT", text, 1);
        swap_apply();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

static void killed_at_every_step_twice_in_a_row(void **state)
{
    (void)state;
    int steps = 0;
    bool died = true;
    for (int first = 1; died; first++) {
        bool died_again = true;
        for (int second = 1; died_again; second++) {
            swap_old_state();
            died = dies_at(first);
            swap_assert_whole();
            died_again = died && dies_at(second);
            swap_assert_whole();
            (void)swap_recover();
            if (swap_entries(swap_dir) != 0)
                fail_msg("killed at %d, then %d: journal left", first, second);
            if (strcmp(swap_text(swap_dest("changed")), SWAP_NEW) == 0)
                swap_assert_new();
            else
                swap_assert_old();
        }
        steps = first;
    }
    print_message("%d steps\n", steps - 1);
    assert_true(steps > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_every_step_twice_in_a_row, swap_set_up,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests_name("file_set_kills", tests, NULL, NULL);
}
