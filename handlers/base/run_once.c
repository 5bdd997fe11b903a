/* SPDX-License-Identifier: MIT */
#include "base/run_once.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int leave_mark(const char *path, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "create", path);
    (void)close(fd);
    return 0;
}

/* Take the mark away: was there one? */
static bool take_mark(const char *path)
{
    return unlink(path) == 0;
}

/* The mark is there before the lock is tried, and is looked for again after the lock is
 * given back: a run that fails to get the lock is seen by the one who had it. */
int run_once(const char *dir, const char *name, int (*work)(void *arg, struct error *err),
             void *arg, struct error *err)
{
    char lock_path[FILE_PATH];
    char mark_path[FILE_PATH];
    int n = snprintf(lock_path, sizeof lock_path, "%s/%s.lock", dir, name);
    int m = snprintf(mark_path, sizeof mark_path, "%s/%s.again", dir, name);
    if (n >= (int)sizeof lock_path || m >= (int)sizeof mark_path)
        return error_set(err, -ENAMETOOLONG, "%s: path too long", dir);
    int rc = leave_mark(mark_path, err);
    while (rc == 0 && access(mark_path, F_OK) == 0) {
        int lock = file_lock(lock_path, 0, err);
        if (lock == -EWOULDBLOCK)
            return 0;
        if (lock < 0)
            return lock;
        while (take_mark(mark_path))
            rc = work(arg, err);
        file_unlock(lock);
        if (rc < 0)
            return rc;
    }
    return rc;
}
