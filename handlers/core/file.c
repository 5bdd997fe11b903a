#include "file.h"

#include "duration.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_POLL_MS  10
#define REPLACE_TIMES 5

static int fail(struct error *err, const char *verb, const char *path)
{
    int code = errno;
    return error_set(err, -code, "cannot %s %s: %s", verb, path, strerror(code));
}

int file_path(char *ret, size_t size, const char *dir, const char *name, struct error *err)
{
    int n = snprintf(ret, size, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= size)
        return error_set(err, -ENAMETOOLONG, "%s/%s: path too long", dir, name);
    return 0;
}

/* Read an open file; closes it. */
static int read_open(int fd, const char *path, struct buffer *buf, struct error *err)
{
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? fail(err, "look at", path) : 0;
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
    return fd < 0 ? fail(err, "read", path) : read_open(fd, path, buf, err);
}

/* Nobody but root and us may be able to change it. In root's sticky directories others
 * can add names but not replace ours. */
static int judge_owner(const struct stat *st, const char *path, struct error *err)
{
    bool sticky = S_ISDIR(st->st_mode) && st->st_uid == 0 && (st->st_mode & S_ISVTX);
    if (S_ISLNK(st->st_mode))
        return error_set(err, -EPERM, "%s is a symbolic link: put the real path", path);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return error_set(err, -EPERM,
                         "%s belongs to user %u, not to root or the running user: "
                         "chown root it",
                         path, st->st_uid);
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !sticky)
        return error_set(err, -EPERM, "%s can be written by others: chmod go-w it", path);
    return 0;
}

/* Walk an absolute path component by component; gives an O_PATH fd of the last one. */
static int walk(const char *path, struct error *err)
{
    char done[PATH_MAX] = "/";
    size_t used = 0;
    int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (path[0] != '/' || strlen(path) >= sizeof done) {
        (void)close(dir);
        return error_set(err, -EINVAL, "%s is not an absolute path", path);
    }
    for (const char *at = path + strspn(path, "/"); dir >= 0 && *at;) {
        size_t len = strcspn(at, "/");
        struct stat st;
        used += (size_t)snprintf(done + used, sizeof done - used, "/%.*s", (int)len, at);
        int next = openat(dir, done + used - len, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        (void)close(dir);
        dir = next;
        int rc = dir < 0 || fstat(dir, &st) < 0 ? fail(err, "open", done)
                                                : judge_owner(&st, done, err);
        if (rc < 0) {
            if (dir >= 0)
                (void)close(dir);
            return rc;
        }
        at += len;
        at += strspn(at, "/");
    }
    return dir >= 0 ? dir : fail(err, "open", "/");
}

int file_trusted(const char *path, struct error *err)
{
    int fd = walk(path, err);
    if (fd < 0)
        return fd;
    (void)close(fd);
    return 0;
}

int file_trusted_program(const char *path, struct error *err)
{
    char real[PATH_MAX];
    struct stat st;
    if (path[0] != '/')
        return error_set(err, -EINVAL, "%s is not an absolute path", path);
    if (!realpath(path, real))
        return fail(err, "find", path);
    int rc = file_trusted(real, err);
    if (rc == 0 && (stat(real, &st) < 0 || !S_ISREG(st.st_mode) || access(real, X_OK) < 0))
        rc = error_set(err, -EACCES, "%s is not an executable file", path);
    return rc;
}

int file_read_trusted(const char *path, struct buffer *buf, struct error *err)
{
    char self[64];
    int fd = walk(path, err);
    if (fd < 0)
        return fd;
    /* The very file that was judged, not whatever has its name by now. */
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int in = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc = in < 0 ? fail(err, "read", path) : read_open(in, path, buf, err);
    (void)close(fd);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int sync_parent(const char *path)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* A file without a name first, so that a killed writer leaves nothing behind but, at
 * worst, the one name .NAME.lictor-tmp, which the next writer takes over. */
static int write_temporary(const char *path, char *temp, const void *data, size_t len,
                           mode_t mode, bool durable)
{
    char copy[PATH_MAX];
    char self[64];
    (void)snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int rc = write_all(fd, data, len);
    if (rc == 0)
        rc = fchmod(fd, mode);
    if (rc == 0 && durable)
        rc = fsync(fd);
    if (rc == 0)
        rc = linkat(AT_FDCWD, self, AT_FDCWD, temp, AT_SYMLINK_FOLLOW);
    if (rc < 0 && errno == EEXIST && unlink(temp) == 0)
        rc = linkat(AT_FDCWD, self, AT_FDCWD, temp, AT_SYMLINK_FOLLOW);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, bool durable,
                 struct error *err)
{
    char temp[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash + 1 - path) : 0;
    int n = snprintf(temp, sizeof temp, "%.*s.%s.lictor-tmp", dir_len, path,
                     path + dir_len);
    if (n < 0 || (size_t)n >= sizeof temp)
        return error_set(err, -ENAMETOOLONG, "%s: path too long", path);
    /* ENOENT: another writer took the temporary name over and has renamed it. */
    int rc = -1;
    for (int i = 0; i < REPLACE_TIMES && rc < 0; i++) {
        if (write_temporary(path, temp, data, len, mode, durable) < 0)
            return fail(err, "write", path);
        rc = rename(temp, path);
        if (rc < 0 && errno != ENOENT)
            break;
    }
    if (rc < 0) {
        rc = fail(err, "replace", path);
        (void)unlink(temp);
        return rc;
    }
    if (durable && sync_parent(path) < 0)
        return fail(err, "sync the directory of", path);
    return 0;
}

int file_lock(const char *path, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = duration_now_ms() + wait_ms;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(err, "open", path);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            int rc = fail(err, "lock", path);
            (void)close(fd);
            return rc;
        }
        if (duration_now_ms() >= end_ms) {
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

bool file_own_directory(const char *dir)
{
    struct stat st;
    return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}
