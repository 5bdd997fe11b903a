/* SPDX-License-Identifier: MIT */
#include "keeper.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NET_FIRST 20
#define NET_LAST  99

static char dir[256];
static const char *run_name;

const char *keeper_dir(void)
{
    return dir;
}

void keeper_die_with(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
}

/* A name in the abstract namespace: it belongs to the network namespace, as loopback
 * does, ends with us and leaves no file. The socket stays open until then. */
static int take_net(int net)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "lictor-net-%d", net);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t)len;
    if (bind(fd, (struct sockaddr *)&name, size) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int keeper_take_net(void)
{
    const int nets = NET_LAST - NET_FIRST + 1;
    for (int i = 0; i < nets; i++) {
        int net = NET_FIRST + (getpid() + i) % nets;
        if (take_net(net) >= 0)
            return net;
    }
    return -1;
}

static int make_dir(const char *name)
{
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/lictor-%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", name);
    if (mkdtemp(dir))
        return 0;
    perror(dir);
    return -1;
}

static pid_t parent_of(const char *pid)
{
    char path[300], stat[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return -1;
    size_t n = fread(stat, 1, sizeof stat - 1, f);
    (void)fclose(f);
    stat[n] = '\0';
    const char *behind_name = strrchr(stat, ')');
    /* ") S 123": state, then the parent */
    return behind_name && strlen(behind_name) > 4 ? (pid_t)strtol(behind_name + 4, NULL, 10) : -1;
}

/* Children of a killed child become ours, so this ends only when nobody is left. */
static void kill_descendants(void)
{
    do {
        DIR *proc = opendir("/proc");
        if (!proc)
            return;
        for (struct dirent *e = readdir(proc); e; e = readdir(proc))
            if (isdigit((unsigned char)e->d_name[0]) && parent_of(e->d_name) == getpid())
                (void)kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL);
        (void)closedir(proc);
    } while (waitpid(-1, NULL, 0) > 0 || errno != ECHILD);
}

static void run_tool(const char *script, const char *a, const char *b)
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/sh", "sh", "-c", script, "sh", a, b, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
}

static void kept_dir(char *to, size_t size)
{
    (void)snprintf(to, size, "%s/build/test-logs/%s", SOURCE_DIR, run_name);
}

const char *keeper_kept(const char *path)
{
    static char to[1024];
    char logs[512];
    if (dir[0] == '\0' || strncmp(path, dir, strlen(dir)) != 0)
        return path;
    kept_dir(logs, sizeof logs);
    (void)snprintf(to, sizeof to, "%s%s", logs, path + strlen(dir));
    return to;
}

static void keep_logs(void)
{
    char to[512];
    kept_dir(to, sizeof to);
    run_tool(
        "rm -rf --one-file-system \"$2\"; mkdir -p \"$2\"; rm -rf --one-file-system \"$1\"/*/data; "
        "cp -r --one-file-system \"$1\"/. \"$2\"",
        dir, to);
    (void)fprintf(stderr, "logs of the failed run are kept in %s\n", to);
}

/* Wait for the test, or for the end of the process that was started (its end of the
 * pipe closes). Returns the test's wait status, SIGKILL's when it was cut short. */
static int watch_over(pid_t test, int starter)
{
    struct pollfd gone = {.fd = starter, .events = POLLIN};
    for (;;) {
        int status = 0;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended == test)
            return status;
        if (ended <= 0 && poll(&gone, 1, 20) > 0)
            return SIGKILL;
    }
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int be_keeper(const char *name, int starter, int (*test)(void *), void *arg)
{
    (void)setsid();
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    run_name = name;
    if (make_dir(name) < 0)
        return 99;
    pid_t keeper = getpid(), pid = fork();
    if (pid == 0) {
        (void)close(starter);
        keeper_die_with(keeper);
        exit(test(arg));
    }
    int code = code_of(watch_over(pid, starter));
    kill_descendants();
    if (code != 0)
        keep_logs();
    /* What is mounted below is not ours to remove. */
    run_tool("rm -rf --one-file-system \"$1\"", dir, "");
    return code;
}

int keeper_run(const char *name, int (*test)(void *arg), void *arg)
{
    int ends[2];
    if (pipe(ends) < 0)
        return 99;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[1]);
        int code = be_keeper(name, ends[0], test, arg);
        exit(code);
    }
    (void)close(ends[0]);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return 99;
    return code_of(status);
}
