/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <sys/mman.h>

#define RUN_LIMIT_MS 60000

/* Files in memory instead of pipes: nobody can block on them, no descendant either. */
static int memory_file(const char *text)
{
    int fd = memfd_create("harness", MFD_CLOEXEC);
    size_t len = text ? strlen(text) : 0;
    if (fd < 0 || (len && write(fd, text, len) != (ssize_t)len) || lseek(fd, 0, SEEK_SET) < 0)
        harness_fail("no memory for a file");
    return fd;
}

static char *take_text(int fd)
{
    struct buffer text = BUFFER_INIT(64U << 20);
    if (lseek(fd, 0, SEEK_SET) < 0 || buffer_read(&text, fd) < 0)
        harness_fail("cannot read what a program has written");
    (void)close(fd);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

static void be_tool(const char *const *argv, const char *const *env, const int fds[3])
{
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fds[fd], fd) < 0)
            _exit(126);
    for (size_t i = 0; env && env[i]; i++)
        (void)putenv((char *)(uintptr_t)env[i]);
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    perror(argv[0]);
    _exit(127);
}

static int wait_end(pid_t pid, const char *program)
{
    int status = 0;
    int64_t end = now_ms() + RUN_LIMIT_MS;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() > end) {
            (void)kill(pid, SIGKILL);
            harness_fail("%s: no end after %d ms", program, RUN_LIMIT_MS);
        }
        sleep_ms(2);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

struct outcome run_tool(const char *input, const char *const *argv, const char *const *env)
{
    int fds[3] = {memory_file(input), memory_file(NULL), memory_file(NULL)};
    pid_t pid = fork();
    if (pid == 0)
        be_tool(argv, env, fds);
    if (pid < 0)
        harness_fail("cannot start %s", argv[0]);
    struct outcome o = {.code = wait_end(pid, argv[0])};
    (void)close(fds[0]);
    o.out = take_text(fds[1]);
    o.err = take_text(fds[2]);
    return o;
}

void outcome_release(struct outcome *o)
{
    free(o->out);
    free(o->err);
    *o = (struct outcome){0};
}

void outcome_expect(struct outcome o, int code, const char *out, const char *err)
{
    assert_string_equal(o.err, err);
    assert_string_equal(o.out, out);
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

void outcome_expect_failure(struct outcome o, int code, const char *text)
{
    if (!strstr(o.err, text))
        assert_string_equal(o.err, text);
    assert_ptr_equal(strchr(o.err, '\n'), o.err + strlen(o.err) - 1);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, code);
    outcome_release(&o);
}

struct outcome server_run(struct cluster *c, int i, const char *input, const char *const *argv)
{
    char program[400], config[400], state[400], limits[SERVER_LIMITS], clock[40];
    const char *full[32] = {program, "--config-dir",    config,      "--state-dir",
                            state,   "--settings-root", HARNESS_ROOT};
    const char *env[5] = {limits};
    if (c->server[i].clock[0]) {
        (void)snprintf(clock, sizeof clock, "FAKETIME=%s", c->server[i].clock);
        env[1] = SERVER_FAKETIME;
        env[2] = SERVER_RAW;
        env[3] = clock;
    }
    (void)snprintf(program, sizeof program, "%s/%s", TEST_BIN, argv[0]);
    (void)snprintf(config, sizeof config, "%s/etc", c->server[i].dir);
    (void)snprintf(state, sizeof state, "%s/state", c->server[i].dir);
    server_limits(c, limits);
    for (size_t n = 1; argv[n]; n++) {
        if (n + 7 >= COUNT(full))
            harness_fail("too many arguments for %s", argv[0]);
        full[n + 6] = argv[n];
    }
    return run_tool(input, full, env);
}
