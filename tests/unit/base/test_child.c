/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include "base/boottime.h"
#include "base/file.h"
#include "test.h"

#include <poll.h>
#include <sys/resource.h>

#define SHELL(text) ((const char *const[]){"/bin/sh", "-c", (text), NULL})
#define PLENTY_MS   20000

/* Run a shell script; free with release(). */
static struct child_result run(struct child_job job, const char *script, size_t limit,
                               struct error *err)
{
    struct child_result result = {.output = BUFFER_INIT(limit), .errors = BUFFER_INIT(limit)};
    job.argv = SHELL(script);
    job.timeout_ms = job.timeout_ms ? job.timeout_ms : PLENTY_MS;
    int rc = child_run(&job, &result, err);
    assert_int_equal(rc, result.rc);
    return result;
}

static void release(struct child_result *result)
{
    buffer_release(&result->output);
    buffer_release(&result->errors);
}

/* The state letter of a process, 0 when there is none. */
static char state_of(pid_t pid)
{
    char path[64];
    char letter = '\0';
    struct buffer text = BUFFER_INIT(4096);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (file_read(path, &text, NULL) == 0)
        letter = strrchr(buffer_text(&text), ')')[2];
    buffer_release(&text);
    return letter;
}

static bool lives(pid_t pid)
{
    return state_of(pid) != '\0' && state_of(pid) != 'Z';
}

static void assert_gone(pid_t pid)
{
    int64_t end_ms = boottime_ms() + 5000;
    assert_true(pid > 1);
    while (lives(pid)) {
        if (boottime_ms() > end_ms)
            fail_msg("process %d still lives", (int)pid);
        (void)poll(NULL, 0, 10);
    }
}

static pid_t pid_of(const struct child_result *result)
{
    return (pid_t)strtol(buffer_text(&result->output), NULL, 10);
}

static void tells_how_it_ended(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int exit_code;
        int signal;
        const char *output;
        const char *errors;
    } rows[] = {
        {"exit 0", 0, 0, "", ""},
        {"exit 3", 3, 0, "", ""},
        {"exit 255", 255, 0, "", ""},
        {"kill -KILL $$", -1, SIGKILL, "", ""},
        {"kill -PIPE $$", -1, SIGPIPE, "", ""},
        {"echo out; echo err >&2; exit 1", 1, 0, "out\n", "err\n"},
        {"printf 'a\\nb'", 0, 0, "a\nb", ""},
        {"echo again >/dev/stderr; echo out >/dev/stdout", 0, 0, "out\n", "again\n"},
        {"readlink /proc/self/fd/0", 0, 0, "/dev/null\n", ""},
        {"exec >&- 2>&-; sleep 0.2; exit 4", 4, 0, "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        struct child_result r = run((struct child_job){0}, rows[i].script, 1000, &err);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.exit_code, rows[i].exit_code);
        assert_int_equal(r.signal, rows[i].signal);
        assert_string_equal(buffer_text(&r.output), rows[i].output);
        assert_string_equal(buffer_text(&r.errors), rows[i].errors);
        assert_string_equal(err.text, "");
        release(&r);
    }
}

static void starts_nothing_that_cannot_be_started(void **state)
{
    (void)state;
    static const struct {
        const char *program;
        int rc;
        const char *text;
    } rows[] = {
        {"/nowhere/x", -ENOENT, "cannot start /nowhere/x: No such file or directory"},
        {"/etc", -EACCES, "cannot start /etc: Permission denied"},
        {"/etc/passwd", -EACCES, "cannot start /etc/passwd: Permission denied"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *argv[] = {rows[i].program, NULL};
        struct child_job job = {.argv = argv, .timeout_ms = PLENTY_MS};
        struct child_result r = {.exit_code = 7, .signal = 7};
        struct error err = {0};
        assert_int_equal(child_run(&job, &r, &err), rows[i].rc);
        assert_int_equal(r.rc, rows[i].rc);
        assert_int_equal(r.exit_code, -1);
        assert_int_equal(r.signal, 0);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(child_detach(argv, &err), rows[i].rc);
        assert_string_equal(err.text, rows[i].text);
    }
}

static void sends_input_while_it_takes_output(void **state)
{
    (void)state;
    size_t size = 1000000; /* more than any pipe holds */
    char *input = malloc(size);
    assert_non_null(input);
    memset(input, 'x', size);
    struct child_job job = {.input = input, .input_len = size};
    struct child_result r = run(job, "cat; cat /dev/stdin", size, NULL);
    assert_int_equal(r.exit_code, 0);
    assert_int_equal(r.output.len, size);
    assert_memory_equal(r.output.data, input, size);
    release(&r);
    r = run(job, "exit 5", size, NULL); /* who does not read it may do so */
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.exit_code, 5);
    release(&r);
    free(input);
    r = run((struct child_job){.input = "", .input_len = 0}, "wc -c", 100, NULL);
    assert_string_equal(buffer_text(&r.output), "0\n");
    release(&r);
}

static void hands_on_nothing_of_ours(void **state)
{
    (void)state;
    const char *const argv[] = {"/usr/bin/env", NULL};
    const char *const env[] = {"A=b", NULL};
    struct child_job job = {.argv = argv, .timeout_ms = PLENTY_MS};
    struct child_result r = {.output = BUFFER_INIT(1000)};
    assert_int_equal(setenv("CONSUL_HTTP_TOKEN", "secret", 1), 0);
    assert_int_equal(child_run(&job, &r, NULL), 0);
    assert_string_equal(buffer_text(&r.output),
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                        "LANG=C\n");
    buffer_clear(&r.output);
    job.env = env;
    assert_int_equal(child_run(&job, &r, NULL), 0);
    assert_string_equal(buffer_text(&r.output), "A=b\n");
    release(&r);

    int fd = open("/dev/null", O_RDONLY); // NOLINT: meant to be inherited
    assert_int_equal(dup2(fd, 50), 50);
    r = run((struct child_job){0},
            "for i in 3 4 5 6 7 8 9 10 11 12 50; do\n"
            "    [ ! -e /proc/self/fd/$i ] || echo $i is open\n"
            "done; while read -r name value; do\n"
            "    case $name in SigIgn:|SigBlk:)\n"
            "        echo $name $((0x$value & 0x7fffffff)) ;; # not the C library's own\n"
            "    esac\n"
            "done </proc/self/status",
            1000, NULL);
    assert_string_equal(buffer_text(&r.output), "SigBlk: 0\nSigIgn: 0\n");
    release(&r);
    (void)close(50);
    (void)close(fd);
}

static void ends_it_at_the_deadline(void **state)
{
    (void)state;
    static const struct {
        const char *script; /* prints the pid of something that must end, too */
        int64_t timeout_ms;
        int signal;
        int exit_code;
        int64_t least_ms;
        int64_t most_ms;
        const char *text;
    } rows[] = {
        {"echo $$; sleep 60", 200, SIGTERM, -1, 200, 1500, "/bin/sh: no end after 200ms"},
        {"trap 'exit 9' TERM; echo $$; sleep 60 & wait", 200, 0, 9, 200, 1500,
         "/bin/sh: no end after 200ms"},
        {"trap '' TERM; echo $$; sleep 60; sleep 60", 100, SIGKILL, -1, 600, 2000,
         "/bin/sh: no end after 100ms"},
        {"sleep 60 & echo $!; wait", 200, SIGTERM, -1, 200, 1500, "/bin/sh: no end after 200ms"},
        {"(trap '' TERM; exec sleep 60) & echo $!; wait", 200, SIGTERM, -1, 200, 1500,
         "/bin/sh: no end after 200ms"},
        {"kill -STOP $$; echo $$", 200, SIGKILL, -1, 700, 2200, "/bin/sh: no end after 200ms"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        int64_t begin_ms = boottime_ms();
        struct child_result r = run((struct child_job){.timeout_ms = rows[i].timeout_ms},
                                    rows[i].script, 1000, &err);
        int64_t took_ms = boottime_ms() - begin_ms;
        assert_int_equal(r.rc, -ETIMEDOUT);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(r.signal, rows[i].signal);
        assert_int_equal(r.exit_code, rows[i].exit_code);
        assert_in_range(took_ms, rows[i].least_ms - 5, rows[i].most_ms);
        if (r.output.len > 0)
            assert_gone(pid_of(&r));
        release(&r);
    }
}

/* What it started is asked to end as well, before it is killed. */
static void asks_the_whole_group_first(void **state)
{
    (void)state;
    struct child_result r = run((struct child_job){.timeout_ms = 300},
                                "(trap 'echo told; exit 0' TERM; sleep 60 & wait) &\n"
                                "trap 'sleep 0.2; exit 9' TERM\n"
                                "wait",
                                1000, NULL);
    assert_int_equal(r.rc, -ETIMEDOUT);
    assert_int_equal(r.exit_code, 9);
    assert_string_equal(buffer_text(&r.output), "told\n");
    release(&r);
}

static void is_not_held_up_by_a_daemon(void **state)
{
    (void)state;
    static const struct {
        int64_t timeout_ms;
        int64_t least_ms;
        int64_t most_ms;
    } rows[] = {{PLENTY_MS, 500, 2000}, {150, 0, 450}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        int64_t begin_ms = boottime_ms();
        struct child_result r = run((struct child_job){.timeout_ms = rows[i].timeout_ms},
                                    "setsid sleep 60 & echo $!; exit 3", 1000, &err);
        int64_t took_ms = boottime_ms() - begin_ms;
        pid_t daemon = pid_of(&r);
        assert_true(daemon > 1);
        assert_int_equal(r.rc, 0);
        assert_int_equal(r.exit_code, 3);
        assert_in_range(took_ms, rows[i].least_ms, rows[i].most_ms);
        assert_true(lives(daemon));
        assert_int_equal(kill(daemon, SIGKILL), 0);
        release(&r);
    }
}

static void keeps_to_the_ceiling(void **state)
{
    (void)state;
    struct error err = {0};
    struct child_result r = run((struct child_job){0},
                                "yes | head -c 300000; yes n | head -c 300000 >&2; "
                                "exit 2",
                                5, &err);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.exit_code, 2);
    assert_string_equal(buffer_text(&r.output), "y\ny\ny");
    assert_string_equal(buffer_text(&r.errors), "n\nn\nn");
    release(&r);

    static const char *const floods[] = {"yes", "yes >&2", "trap '' TERM; yes | cat"};
    for (size_t i = 0; i < COUNT(floods); i++) {
        int64_t begin_ms = boottime_ms();
        r = run((struct child_job){.stop_at_limit = true}, floods[i], 5, &err);
        assert_int_equal(r.rc, -EMSGSIZE);
        assert_int_equal(r.signal, SIGKILL);
        assert_string_equal(err.text, "/bin/sh: too much output");
        assert_in_range(boottime_ms() - begin_ms, 0, 1500);
        release(&r);
    }
    r = run((struct child_job){.stop_at_limit = true}, "printf 12345", 5, &err);
    assert_int_equal(r.rc, 0);
    assert_string_equal(buffer_text(&r.output), "12345");
    release(&r);
}

static void runs_side_by_side(void **state)
{
    (void)state;
    const char *const *const argv[] = {SHELL("sleep 0.5; echo a"),
                                       SHELL("sleep 0.5; echo b >&2; exit 1"),
                                       (const char *const[]){"/nowhere/x", NULL}, SHELL("sleep 60"),
                                       SHELL("sleep 0.5; cat; exit 2")};
    struct child_job jobs[COUNT(argv)] = {0};
    struct child_result results[COUNT(argv)] = {0};
    for (size_t i = 0; i < COUNT(argv); i++) {
        jobs[i].argv = argv[i];
        jobs[i].timeout_ms = i == 3 ? 500 : PLENTY_MS;
        results[i].output = results[i].errors = BUFFER_INIT(100);
    }
    jobs[4].input = "in";
    jobs[4].input_len = 2;
    int64_t begin_ms = boottime_ms();
    assert_int_equal(child_run_all(jobs, results, COUNT(argv), NULL), 0);
    assert_in_range(boottime_ms() - begin_ms, 490, 1400);
    static const struct {
        int rc;
        int exit_code;
        const char *output;
        const char *errors;
    } rows[] = {{0, 0, "a\n", ""},
                {0, 1, "", "b\n"},
                {-ENOENT, -1, "", ""},
                {-ETIMEDOUT, -1, "", ""},
                {0, 2, "in", ""}};
    for (size_t i = 0; i < COUNT(argv); i++) {
        assert_int_equal(results[i].rc, rows[i].rc);
        assert_int_equal(results[i].exit_code, rows[i].exit_code);
        assert_string_equal(buffer_text(&results[i].output), rows[i].output);
        assert_string_equal(buffer_text(&results[i].errors), rows[i].errors);
        release(&results[i]);
    }
    assert_int_equal(child_run_all(jobs, results, 0, NULL), 0);
}

static int lowest_free(void)
{
    int fd = dup(0);
    (void)close(fd);
    return fd;
}

/* Fewer and fewer descriptors, down to where libuv makes no loop (and leaks one). */
static void survives_a_lack_of_descriptors(void **state)
{
    (void)state;
    struct rlimit before;
    struct error err = {0};
    int first = lowest_free();
    int ended = 0;
    int refused = 0;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int n = 24; strncmp(err.text, "cannot create", 13) != 0; n--) {
        struct rlimit few = {(rlim_t)(first + n), before.rlim_max};
        struct child_result r = {0};
        struct child_job job = {.argv = SHELL("true"), .input = ""};
        job.timeout_ms = PLENTY_MS;
        err.text[0] = '\0';
        assert_int_equal(lowest_free(), first);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        int rc = child_run(&job, &r, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        ended += rc == 0;
        if (rc == 0)
            continue;
        assert_int_equal(rc, -EMFILE);
        refused += strcmp(err.text, "cannot start /bin/sh: Too many open files") == 0;
    }
    assert_in_range(ended, 5, 24);
    assert_in_range(refused, 5, 24);
}

static void forgets_a_detached_program(void **state)
{
    (void)state;
    char path[200];
    char script[1000];
    struct buffer text = BUFFER_INIT(1000);
    const char *base = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/lictor-child-XXXXXX", base ? base : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(setenv("LICTOR_TEST", "ours", 1), 0);
    (void)snprintf(script, sizeof script,
                   "sleep 0.3\n"
                   "fds=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)\n"
                   "{ echo \"$fds\"; echo $LICTOR_TEST\n"
                   "  ps -o sid= -p $$ | grep -cw $$; } >%s.new\n"
                   "mv %s.new %s",
                   path, path, path);
    int64_t begin_ms = boottime_ms();
    assert_int_equal(child_detach(SHELL(script), NULL), 0);
    assert_in_range(boottime_ms() - begin_ms, 0, 250);
    while (text.len == 0) {
        assert_in_range(boottime_ms() - begin_ms, 0, 5000);
        (void)poll(NULL, 0, 10);
        assert_int_equal(file_read(path, &text, NULL), 0);
    }
    assert_string_equal(buffer_text(&text), "/dev/null\n/dev/null\n/dev/null\nours\n1\n");
    buffer_release(&text);
    (void)unlink(path);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_how_it_ended),
        cmocka_unit_test(starts_nothing_that_cannot_be_started),
        cmocka_unit_test(sends_input_while_it_takes_output),
        cmocka_unit_test(hands_on_nothing_of_ours),
        cmocka_unit_test(ends_it_at_the_deadline),
        cmocka_unit_test(asks_the_whole_group_first),
        cmocka_unit_test(is_not_held_up_by_a_daemon),
        cmocka_unit_test(keeps_to_the_ceiling),
        cmocka_unit_test(runs_side_by_side),
        cmocka_unit_test(survives_a_lack_of_descriptors),
        cmocka_unit_test(forgets_a_detached_program),
    };
    /* Descriptors of whoever started us would be in the way of counting ours. */
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        setenv("LICTOR_LIMITS", "kill=500ms,drain=500ms", 1) < 0 || close_range(3, ~0U, 0) < 0)
        return 1;
    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
