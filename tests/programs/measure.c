/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "harness.h"

#include <spawn.h>
#include <sys/resource.h>
#include <time.h>

double measure_now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double measure_process(const char *const *argv, const char *input_path, int expected)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, input_path, O_RDONLY, 0);
    double begin = measure_now_us();
    int rc = posix_spawn(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
    if (rc == 0)
        (void)waitpid(pid, &status, 0);
    double took = measure_now_us() - begin;
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(rc, 0);
    assert_int_equal(WEXITSTATUS(status), expected);
    return took;
}

long measure_peak_kb(const char *const *argv, const char *input, const char *out,
                     const char *errors, int *ret_code)
{
    posix_spawn_file_actions_t actions;
    struct rusage used = {{0}, {0}};
    pid_t pid = 0;
    int status = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, input ? input : "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    (void)posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int rc = posix_spawn(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
    if (rc == 0)
        (void)wait4(pid, &status, 0, &used);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(rc, 0);
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return used.ru_maxrss;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

double measure_quantile(double *values, size_t n, double share)
{
    qsort(values, n, sizeof *values, by_value);
    return values[(size_t)((double)(n - 1) * share + 0.5)];
}

double measure_median(double *values, size_t n)
{
    return measure_quantile(values, n, 0.5);
}
