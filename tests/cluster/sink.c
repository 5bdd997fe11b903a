#include "sink.h"

#include "keeper.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS 120000

static const char installer[] = SOURCE_DIR "/scripts/install-elasticsearch";
static const char runner[] = SOURCE_DIR "/tests/elasticsearch/run";

/* Start `argv`, its standard output going to *ret_out where that is not NULL. */
static pid_t start(const char *const *argv, int *ret_out)
{
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        keeper_die_with(parent);
        (void)dup2(ret_out ? ends[1] : STDERR_FILENO, STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execv(argv[0], (char **)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(ends[1]);
    if (ret_out)
        *ret_out = ends[0];
    else
        (void)close(ends[0]);
    return pid;
}

bool sink_available(const char *name)
{
    const char *argv[] = {installer, name, NULL};
    int status = -1;
    pid_t pid = start(argv, NULL);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return true;
    (void)printf("# note: Elasticsearch %s cannot be had and was left out\n", name);
    return false;
}

/* Start `argv` and wait until it says that it answers. */
static int start_ready(struct sink *s, const char *const *argv, const char *dir)
{
    char line[200] = "";
    int out = -1;
    s->pid = start(argv, &out);
    struct pollfd ready = {.fd = out, .events = POLLIN};
    bool answers = s->pid > 0 && poll(&ready, 1, START_MS) == 1 &&
                   read(out, line, sizeof line - 1) > 0 &&
                   sscanf(line, "ready %99s", s->url) == 1;
    if (out >= 0)
        (void)close(out);
    if (answers)
        return 0;
    (void)fprintf(stderr, "Elasticsearch did not start, see %s/output.log\n", dir);
    sink_kill(s);
    return -1;
}

int sink_start(struct sink *s, const char *name, const char *address, const char *dir)
{
    const char *argv[] = {runner, "--tied", name, address, dir, NULL};
    return start_ready(s, argv, dir);
}

int sink_start_stand_in(struct sink *s, const char *address, const char *dir,
                        const char *const *options)
{
    const char *argv[16] = {runner, "--tied", "stand-in", address, dir};
    for (size_t i = 0; options[i] && i + 6 < sizeof argv / sizeof *argv; i++)
        argv[i + 5] = options[i];
    return start_ready(s, argv, dir);
}

int sink_start_secure(struct sink *s, const char *name, const char *address,
                      const char *dir, const char *password)
{
    const char *argv[] = {runner, "--tied", "--secure", name, address, dir, NULL};
    if (setenv("SINK_PASSWORD", password, 1) < 0)
        return -1;
    int rc = start_ready(s, argv, dir);
    (void)unsetenv("SINK_PASSWORD");
    return rc;
}

void sink_kill(struct sink *s)
{
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}
