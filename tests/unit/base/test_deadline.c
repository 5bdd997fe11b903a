/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include "base/boottime.h"
#include "test.h"

#include <sys/wait.h>

static void time_is_over_once(void **state)
{
    (void)state;
    assert_true(deadline_left() == INT64_MAX);
    deadline_skip(1000);
    assert_true(deadline_left() == INT64_MAX);
    deadline_begin(60);
    assert_in_range(deadline_left(), 1, 60);
    assert_int_equal(deadline_length(), 60);
    boottime_sleep(70);
    assert_int_equal(deadline_left(), 0);
    assert_int_equal(deadline_length(), 60);
    deadline_skip(1000);
    assert_in_range(deadline_left(), 1, 1000);
    assert_int_equal(deadline_length(), 60);
    deadline_begin(10000);
    assert_in_range(deadline_left(), 9000, 10000);
}

/* A process that hangs, and what became of it. */
static int hang(bool taken_back, int fd)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        deadline_of_process(50, "hanging", fd, 7);
        if (taken_back)
            deadline_of_process(0, "hanging", fd, 7);
        boottime_sleep(taken_back ? 200 : 20000);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_process_ends_and_says_so(void **state)
{
    int fds[2];
    char text[100] = "";
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(hang(false, fds[1]), 7);
    assert_int_equal(hang(true, fds[1]), 0);
    (void)close(fds[1]);
    assert_int_equal(read(fds[0], text, sizeof text - 1),
                     strlen("hanging: no end within 0.05 s\n"));
    assert_string_equal(text, "hanging: no end within 0.05 s\n");
    (void)close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_is_over_once),
        cmocka_unit_test(a_process_ends_and_says_so),
    };
    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
