/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/boottime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_POLL_MS 10
#define LEFT_OVER_S  60

int file_path(char *ret, size_t size, const char *dir, const char *name, struct error *err)
{
    int n = snprintf(ret, size, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= size)
        return error_set(err, -ENAMETOOLONG, "%s/%s: path too long", dir, name);
    return 0;
}

int file_read_open(int fd, const char *path, struct buffer *buf, struct error *err)
{
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? error_errno(err, "look at", path) : 0;
    if (rc == 0 && !S_ISREG(st.st_mode))
        rc = error_set(err, -EINVAL, "%s is not a regular file", path);
    if (rc == 0) {
        size_t ceiling = buf->limit - buf->len;
        rc = buffer_read(buf, fd);
        if (rc == -EMSGSIZE)
            (void)error_set(err, rc, "%s is larger than %zu bytes", path, ceiling);
        else if (rc < 0)
            (void)error_set(err, rc, "cannot read %s: %s", path, strerror(-rc));
    }
    (void)close(fd);
    return rc;
}

int file_read(const char *path, struct buffer *buf, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? error_errno(err, "read", path) : file_read_open(fd, path, buf, err);
}

int file_write(int fd, const void *bytes, size_t len)
{
    const char *data = bytes;
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A writer that was killed leaves its temporary file. Nobody writes for a minute. */
static void sweep(int dir, const char *prefix)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        struct stat st;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
            fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            llabs((long long)(time(NULL) - st.st_mtime)) > LEFT_OVER_S)
            (void)unlinkat(dir, entry->d_name, 0);
    }
    if (list)
        (void)closedir(list);
    else if (fd >= 0)
        (void)close(fd);
}

static int write_new(int dir, const char *name, const void *data, size_t len, mode_t mode,
                     bool durable)
{
    /* One with our number is a dead process's: we have a single thread. */
    (void)unlinkat(dir, name, 0);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int rc = file_write(fd, data, len);
    if (rc == 0 && (fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0)))
        rc = -errno;
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

static int replace(int dir, const char *name, const void *data, size_t len, mode_t mode,
                   bool durable)
{
    char prefix[NAME_MAX + 1];
    char temp[NAME_MAX + 16]; /* too long is for the kernel to say */
    int n = snprintf(prefix, sizeof prefix, ".%s.lictor-tmp.", name);
    if (n < 0 || (size_t)n >= sizeof prefix)
        return -ENAMETOOLONG;
    (void)snprintf(temp, sizeof temp, "%s%d", prefix, (int)getpid());
    sweep(dir, prefix);
    int rc = write_new(dir, temp, data, len, mode, durable);
    if (rc == 0 && renameat(dir, temp, dir, name) < 0)
        rc = -errno;
    if (rc < 0)
        (void)unlinkat(dir, temp, 0);
    else if (durable && fsync(dir) < 0)
        rc = -errno;
    return rc;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, bool durable,
                 struct error *err)
{
    char parent[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash) /* its slash stays: the parent of "/x" is "/" */
        (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash + 1 - path), path);
    int dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_errno(err, "write", path);
    int rc = replace(dir, slash ? slash + 1 : path, data, len, mode, durable);
    (void)close(dir);
    if (rc < 0)
        return error_set(err, rc, "cannot write %s: %s", path, strerror(-rc));
    return 0;
}

static int write_over(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    int rc = fd < 0 ? -errno : file_write(fd, text, len);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

int file_replace_padded(const char *path, const char *text, size_t size, mode_t mode,
                        struct error *err)
{
    const size_t len = strlen(text);
    char *padded = len <= size ? malloc(size) : NULL;
    if (!padded)
        return error_set(err, len <= size ? -ENOMEM : -EMSGSIZE, "cannot write %s: %zu bytes", path,
                         len);
    memset(padded, ' ', size);
    memcpy(padded, text, len);
    int rc = file_replace(path, padded, size, mode, false, err);
    if ((rc == -ENOSPC || rc == -EDQUOT) && write_over(path, padded, size) == 0)
        rc = 0;
    free(padded);
    return rc;
}

int file_lock(const char *path, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = boottime_ms() + wait_ms;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_errno(err, "open", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK) {
            int rc = error_errno(err, "lock", path);
            (void)close(fd);
            return rc;
        }
        if (boottime_ms() >= end_ms) {
            (void)close(fd);
            return error_set(err, -EWOULDBLOCK, "%s is locked by another run", path);
        }
        (void)poll(NULL, 0, LOCK_POLL_MS);
    }
    return fd;
}

void file_unlock(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
