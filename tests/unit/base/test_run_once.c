/* SPDX-License-Identifier: MIT */
#include "base/run_once.h"

#include "test.h"

struct context {
    char dir[32];
    int runs;
};

static int make_dir(void **state)
{
    struct context *c = calloc(1, sizeof *c);
    *state = c;
    (void)snprintf(c->dir, sizeof c->dir, "/tmp/lictor-test-XXXXXX");
    return mkdtemp(c->dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    struct context *c = *state;
    char path[64];
    (void)snprintf(path, sizeof path, "%s/job.lock", c->dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/job.again", c->dir);
    (void)unlink(path);
    int rc = rmdir(c->dir);
    free(c);
    return rc;
}

static int count(void *arg, struct error *err)
{
    (void)err;
    ((struct context *)arg)->runs++;
    return 0;
}

/* While the first run works, another process asks for the same. */
static int work_while_another_asks(void *arg, struct error *err)
{
    struct context *c = arg;
    c->runs++;
    if (c->runs > 1)
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        struct context other = *c;
        other.runs = 0;
        int rc = run_once(c->dir, "job", count, &other, err);
        _exit(rc == 0 && other.runs == 0 ? 0 : 1);
    }
    int status = -1;
    (void)waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    return 0;
}

static int break_down(void *arg, struct error *err)
{
    ((struct context *)arg)->runs++;
    return error_set(err, -EIO, "broken");
}

static void a_run_alone_runs_once(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    assert_int_equal(run_once(c->dir, "job", count, c, &err), 0);
    assert_int_equal(c->runs, 1);
}

static void a_second_one_leaves_and_the_first_looks_again(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    assert_int_equal(run_once(c->dir, "job", work_while_another_asks, c, &err), 0);
    assert_int_equal(c->runs, 2);
}

static void a_failure_is_reported_and_not_repeated(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    assert_int_equal(run_once(c->dir, "job", break_down, c, &err), -EIO);
    assert_string_equal(err.text, "broken");
    assert_int_equal(c->runs, 1);
}

static void a_missing_directory_is_named(void **state)
{
    struct context *c = *state;
    struct error err = {0};
    assert_int_equal(run_once("/nonexistent/x", "job", count, c, &err), -ENOENT);
    assert_string_equal(err.text,
                        "cannot create /nonexistent/x/job.again: No such file or directory");
    assert_int_equal(c->runs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_alone_runs_once, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_second_one_leaves_and_the_first_looks_again, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_failure_is_reported_and_not_repeated, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(a_missing_directory_is_named, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("single", tests, NULL, NULL);
}
