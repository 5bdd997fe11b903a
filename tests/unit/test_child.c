#include "child.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* One row per way a child can end; a real /bin/sh is the child. */
static const struct row {
    const char *script;
    const char *input;
    bool stop_at_limit;
    int rc, exit_code, signal;
    const char *output, *errors; /* NULL: not looked at */
} rows[] = {
    {"exit 0", NULL, false, 0, 0, 0, "", ""},
    {"exit 3", NULL, false, 0, 3, 0, "", ""},
    {"kill -KILL $$", NULL, false, 0, -1, 9, "", ""},
    {"cat", "hello", false, 0, 0, 0, "hello", ""},
    {"cat", NULL, false, 0, 0, 0, "", ""},
    {"exit 0", "nobody reads this", false, 0, 0, 0, "", ""},
    {"echo out; echo err >&2", NULL, false, 0, 0, 0, "out\n", "err\n"},
    {"sleep 60", NULL, false, -ETIMEDOUT, -1, 15, "", ""},
    {"echo before; sleep 60", NULL, false, -ETIMEDOUT, -1, 15, "before\n", ""},
    {"trap '' TERM; while :; do sleep 0.1; done", NULL, false, -ETIMEDOUT, -1, 9, "",
     NULL},
    {"sleep 60 & exit 0", NULL, false, -ETIMEDOUT, 0, 0, "", ""},
    {"setsid sleep 60 & exit 4", NULL, false, -ETIMEDOUT, 4, 0, "", ""},
    {"yes", NULL, true, -EMSGSIZE, -1, 9, NULL, ""},
    {"yes | head -c 5000; exit 2", NULL, false, 0, 2, 0, NULL, ""},
    {"head -c 5000 /dev/zero >&2; echo end", NULL, false, 0, 0, 0, "end\n", NULL},
};

static struct child_result fresh(void)
{
    return (struct child_result){.output = BUFFER_INIT(1000),
                                 .errors = BUFFER_INIT(1000)};
}

static void drop(struct child_result *result)
{
    buffer_release(&result->output);
    buffer_release(&result->errors);
}

static void every_ending_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const char *const argv[] = {"/bin/sh", "-c", row->script, NULL};
        struct child_job job = {.argv = argv,
                                .input = row->input,
                                .input_len = row->input ? strlen(row->input) : 0,
                                .timeout_ms = 400,
                                .stop_at_limit = row->stop_at_limit};
        struct child_result result = fresh();
        struct error err = {0};
        print_message("  %s\n", row->script);
        assert_int_equal(child_run(&job, &result, &err), row->rc);
        assert_int_equal(result.exit_code, row->exit_code);
        assert_int_equal(result.signal, row->signal);
        if (row->output)
            assert_string_equal(buffer_text(&result.output), row->output);
        if (row->errors)
            assert_string_equal(buffer_text(&result.errors), row->errors);
        drop(&result);
    }
}

static void failures_have_a_text(void **state)
{
    (void)state;
    const char *const missing[] = {"/no/such/program", NULL};
    const char *const slow[] = {"/bin/sleep", "60", NULL};
    struct child_job job = {.argv = missing, .timeout_ms = 200};
    struct child_result result = fresh();
    struct error err = {0};
    assert_int_equal(child_run(&job, &result, &err), -ENOENT);
    assert_string_equal(err.text,
                        "cannot start /no/such/program: No such file or directory");
    assert_int_equal(result.exit_code, -1);
    job.argv = slow;
    assert_int_equal(child_run(&job, &result, &err), -ETIMEDOUT);
    assert_string_equal(err.text, "/bin/sleep: no end after 200 ms");
    drop(&result);
}

static void the_environment_is_clean(void **state)
{
    (void)state;
    const char *const argv[] = {"/usr/bin/env", NULL};
    struct child_job job = {.argv = argv, .timeout_ms = 5000};
    struct child_result result = fresh();
    struct error err = {0};
    assert_int_equal(setenv("CONSUL_HTTP_TOKEN", "secret", 1), 0);
    assert_int_equal(child_run(&job, &result, &err), 0);
    assert_string_equal(
        buffer_text(&result.output),
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "LANG=C\n");
    drop(&result);
}

static void no_other_descriptor_is_inherited(void **state)
{
    (void)state;
    const char *const argv[] = {"/bin/ls", "/proc/self/fd", NULL};
    struct child_job job = {.argv = argv, .timeout_ms = 5000};
    struct child_result result = fresh();
    struct error err = {0};
    int open_fd = open("/dev/null", O_RDONLY); /* without close-on-exec */
    assert_int_equal(child_run(&job, &result, &err), 0);
    assert_string_equal(buffer_text(&result.output), "0\n1\n2\n3\n"); /* 3: ls reads */
    (void)close(open_fd);
    drop(&result);
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void several_run_side_by_side(void **state)
{
    (void)state;
    const char *const slow[] = {"/bin/sh", "-c", "sleep 0.5; echo slow", NULL};
    const char *const quick[] = {"/bin/sh", "-c", "echo quick; exit 1", NULL};
    const char *const missing[] = {"/no/such/program", NULL};
    struct child_job jobs[] = {{.argv = slow, .timeout_ms = 5000},
                               {.argv = slow, .timeout_ms = 5000},
                               {.argv = quick, .timeout_ms = 5000},
                               {.argv = missing, .timeout_ms = 5000}};
    struct child_result results[] = {fresh(), fresh(), fresh(), fresh()};
    struct error err = {0};
    int64_t begin = now_ms();
    assert_int_equal(child_run_all(jobs, results, 4, &err), 0);
    assert_in_range(now_ms() - begin, 500, 950);
    assert_string_equal(buffer_text(&results[0].output), "slow\n");
    assert_string_equal(buffer_text(&results[1].output), "slow\n");
    assert_string_equal(buffer_text(&results[2].output), "quick\n");
    assert_int_equal(results[2].exit_code, 1);
    assert_int_equal(results[3].rc, -ENOENT);
    for (int i = 0; i < 4; i++)
        drop(&results[i]);
}

/* Consul waits for everybody who holds its pipe. */
static void a_detached_program_holds_no_pipe_of_ours(void **state)
{
    (void)state;
    char name[] = "/tmp/lictor-test-XXXXXX";
    char script[200];
    int file = mkstemp(name);
    (void)snprintf(
        script, sizeof script,
        "{ ls -l /proc/$$/fd | grep -c /dev/null; ps -o sid= -p $$; echo $$; } "
        ">%s.new; mv %s.new %s; sleep 2",
        name, name, name);
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct error err = {0};
    int null_fds = 0;
    int session = 0;
    int pid = -1;
    int fields = 0;
    assert_int_equal(child_detach(argv, &err), 0);
    for (int64_t end = now_ms() + 5000; now_ms() < end && fields != 3;) {
        FILE *f = fopen(name, "r");
        fields = f ? fscanf(f, "%d %d %d", &null_fds, &session, &pid) : 0;
        if (f)
            (void)fclose(f);
        (void)usleep(10000);
    }
    assert_int_equal(fields, 3);
    assert_int_equal(null_fds, 3); /* 0, 2, and 1, which the shell put aside */
    assert_int_equal(session, pid);
    (void)close(file);
    (void)unlink(name);
}

static void a_missing_program_cannot_be_detached(void **state)
{
    (void)state;
    const char *const argv[] = {"/no/such/program", NULL};
    struct error err = {0};
    assert_int_equal(child_detach(argv, &err), -ENOENT);
    assert_string_equal(err.text,
                        "cannot start /no/such/program: No such file or directory");
}

int main(void)
{
    program_start("test_child"); /* SIGPIPE, as in every program */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ending_is_reported),
        cmocka_unit_test(failures_have_a_text),
        cmocka_unit_test(the_environment_is_clean),
        cmocka_unit_test(no_other_descriptor_is_inherited),
        cmocka_unit_test(several_run_side_by_side),
        cmocka_unit_test(a_detached_program_holds_no_pipe_of_ours),
        cmocka_unit_test(a_missing_program_cannot_be_detached),
    };
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
