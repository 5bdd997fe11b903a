/* SPDX-License-Identifier: MIT */
#include "indexer/sources.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What cannot be read so far. */
struct found {
    int unread;
    char path[SOURCES_TEXT / 2]; /* the first of them */
    char why[SOURCES_TEXT / 2];
};

/* How this user gets at it. */
static void advise(const char *path, char *ret, size_t size)
{
    struct stat st;
    const struct passwd *user = getpwuid(geteuid());
    const struct group *group = stat(path, &st) == 0 ? getgrgid(st.st_gid) : NULL;
    const mode_t needed = group && S_ISDIR(st.st_mode) ? S_IXGRP : S_IRGRP;
    if (user && group && (st.st_mode & needed))
        (void)snprintf(ret, size, "usermod -aG %s %s, then restart the shipper", group->gr_name,
                       user->pw_name);
    else
        (void)snprintf(ret, size, "let the user %s read it",
                       user ? user->pw_name : "of the shipper");
}

static void note_unread(struct found *found, const char *path, int error)
{
    char advice[100];
    if (found->unread++ > 0)
        return;
    advise(path, advice, sizeof advice);
    text_copy(found->path, sizeof found->path, path);
    (void)snprintf(found->why, sizeof found->why, "%s%s%s", strerror(error),
                   error == EACCES ? ": " : "", error == EACCES ? advice : "");
}

/* Bytes of the regular files in it. */
static uint64_t size_of(const char *dir)
{
    struct stat st;
    uint64_t size = 0;
    DIR *d = opendir(dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            size += (uint64_t)st.st_size;
    }
    if (d)
        (void)closedir(d);
    return size;
}

void sources_look_at_room(const char *dir, uint64_t most, char ret[SOURCES_TEXT])
{
    struct statvfs fs;
    const uint64_t used = size_of(dir);
    ret[0] = '\0';
    if (most <= used || statvfs(dir, &fs) < 0 || (uint64_t)fs.f_bavail * fs.f_frsize >= most - used)
        return;
    (void)snprintf(ret, SOURCES_TEXT,
                   "the disk of %.150s has less room than the queue may need (%" PRIu64
                   " MiB in all): no log is read on when it is full",
                   dir, most >> 20);
    text_clean(ret);
}

static bool among(const char *path, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(paths[i], path) == 0)
            return true;
    }
    return false;
}

/* The directory of a glob must be there and searchable. */
static bool look_at_directory(struct found *found, const char *pattern)
{
    char *dir = strdup(pattern);
    char *slash = dir ? strrchr(dir, '/') : NULL;
    if (slash)
        *slash = '\0';
    bool ok = !slash || !*dir || access(dir, R_OK | X_OK) == 0;
    if (!ok)
        note_unread(found, dir, errno);
    free(dir);
    return ok;
}

size_t sources_each(const char *glob_pattern, const char *const *except, size_t n_except,
                    sources_fn *fn, void *arg)
{
    glob_t matches = {0};
    size_t n = 0;
    int rc = glob(glob_pattern, GLOB_NOSORT, NULL, &matches);
    for (size_t i = 0; rc == 0 && i < matches.gl_pathc; i++) {
        if (among(matches.gl_pathv[i], except, n_except))
            continue;
        n++;
        if (fn)
            fn(arg, matches.gl_pathv[i]);
    }
    globfree(&matches);
    return n;
}

static void look_at_file(void *arg, const char *path)
{
    struct found *found = arg;
    if (access(path, R_OK) < 0 && errno != ENOENT) /* it may be rotated away just now */
        note_unread(found, path, errno);
}

void sources_look(const char *const *globs, size_t n, const char *const *except, size_t n_except,
                  char ret_unread[SOURCES_TEXT], char ret_nothing[SOURCES_TEXT])
{
    struct found found = {.unread = 0};
    char more[40] = "";
    ret_unread[0] = ret_nothing[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        bool searched = look_at_directory(&found, globs[i]);
        if (searched && sources_each(globs[i], except, n_except, look_at_file, &found) == 0 &&
            !ret_nothing[0])
            (void)snprintf(ret_nothing, SOURCES_TEXT, "no file matches %.250s", globs[i]);
    }
    if (found.unread > 1)
        (void)snprintf(more, sizeof more, " (and %d more)", found.unread - 1);
    if (found.unread > 0)
        (void)snprintf(ret_unread, SOURCES_TEXT, "%.140s%s: %.110s", found.path, more, found.why);
    text_clean(ret_unread);
    text_clean(ret_nothing);
}
