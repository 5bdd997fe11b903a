/* SPDX-License-Identifier: MIT */
#include "command/command.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 64

/* ---- the agent's user ---------------------------------------------------- */

/* The owner of every process called consul, if that is one; else false. */
static bool find_running_agent(uid_t *ret)
{
    bool found = false, one = true;
    DIR *proc = opendir("/proc");
    for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc)) {
        char path[300], name[16] = "";
        struct stat st;
        (void)snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
        FILE *file = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (!file)
            continue;
        if (fgets(name, sizeof name, file) && strcmp(name, "consul\n") == 0 &&
            fstat(fileno(file), &st) == 0) {
            one = one && (!found || *ret == st.st_uid);
            found = true;
            *ret = st.st_uid;
        }
        (void)fclose(file);
    }
    if (proc)
        (void)closedir(proc);
    return found && one;
}

static int find_agent_user(const char *state_dir, uid_t *ret, struct error *err)
{
    struct stat st;
    if (stat(state_dir, &st) == 0) {
        *ret = st.st_uid;
        return 0;
    }
    if (find_running_agent(ret))
        return 0;
    const struct passwd *consul = getpwnam("consul");
    if (!consul)
        return error_set(err, -ENOENT,
                         "cannot tell which user the Consul agent runs as: there is no %s (has "
                         "lictor enable run on this server?)",
                         state_dir);
    *ret = consul->pw_uid;
    return 0;
}

static int become(uid_t uid, struct error *err)
{
    const struct passwd *user = getpwuid(uid);
    gid_t gid = user ? user->pw_gid : (gid_t)uid;
    int rc = user ? initgroups(user->pw_name, gid) : setgroups(0, NULL);
    if (rc < 0 || setgid(gid) < 0 || setuid(uid) < 0)
        return error_set(err, -errno, "cannot become the agent's user (uid %u): %s", (unsigned)uid,
                         strerror(errno));
    (void)unsetenv("CONSUL_HTTP_TOKEN");
    (void)unsetenv("CONSUL_HTTP_TOKEN_FILE");
    return 0;
}

int command_become_agent_user(const char *state_dir, struct error *err)
{
    uid_t uid = 0;
    int rc = find_agent_user(state_dir, &uid, err);
    if (rc < 0 || geteuid() == uid)
        return rc;
    if (geteuid() == 0)
        return become(uid, err);
    const struct passwd *user = getpwuid(uid);
    return error_set(err, -EPERM, "this must run as root or as the agent's user (%s)",
                     user ? user->pw_name : "its uid has no name");
}

/* ---- programs ------------------------------------------------------------ */

int command_find(const char *name, char *ret, size_t size, struct error *err)
{
    char path[64];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, i == 0 ? "%s" : "../scripts/%s", name);
        int rc = program_sibling(path, ret, size, err);
        if (rc < 0 || access(ret, X_OK) == 0)
            return rc;
    }
    return error_set(err, -ENOENT, "%s is not beside lictor: install it again (make install)",
                     name);
}

int command_run(const char *name, const char *const *words, struct error *err)
{
    char path[FILE_PATH];
    char *argv[WORDS_MAX + 2] = {path};
    size_t n = 0;
    pid_t pid = 0;
    int status = 0;
    int rc = command_find(name, path, sizeof path, err);
    if (rc < 0)
        return rc;
    while (n < WORDS_MAX && words[n])
        n++;
    memcpy(argv + 1, words, n * sizeof *words);
    /* program_start() is for programs of ours; a script expects what a shell has. */
    (void)signal(SIGPIPE, SIG_DFL);
    (void)umask(022);
    rc = -posix_spawn(&pid, path, NULL, NULL, argv, environ);
    if (rc == 0 && waitpid(pid, &status, 0) < 0)
        rc = -errno;
    if (rc < 0)
        return error_set(err, rc, "cannot run %s: %s", path, strerror(-rc));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
