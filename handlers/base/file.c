#include "base/file.h"

#include "base/duration.h"

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
#define LINKS_MAX    40 /* as in the kernel */
#define LEFT_OVER_S  60

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

/* An absolute path on its way, component by component, on descriptors. */
struct walk {
    const char *path;    /* the whole of it, for texts */
    int fd;              /* O_PATH, what has been reached */
    char todo[PATH_MAX]; /* what is left of it */
    int links;           /* so many symbolic links may still be followed */
};

/* Where a descriptor is, for texts: with links on the way that is not walk->path. */
static const char *place(const struct walk *walk, int fd, char ret[PATH_MAX])
{
    char self[64];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(self, ret, PATH_MAX - 1);
    if (n < 0)
        return walk->path;
    ret[n] = '\0';
    return ret;
}

/* Nobody but root and us may be able to change it. In root's sticky directories others
 * can add names but not replace ours. The mode of a symbolic link means nothing. */
static int judge(const struct walk *walk, int fd, bool *ret_link, struct error *err)
{
    char text[PATH_MAX];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return fail(err, "look at", walk->path);
    bool sticky = S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & S_ISVTX);
    *ret_link = S_ISLNK(st.st_mode);
    if (*ret_link && walk->links == 0)
        return error_set(err, -EPERM, "%s is a symbolic link: put the real path",
                         place(walk, fd, text));
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return error_set(err, -EPERM,
                         "%s belongs to user %u, not to root or the running user: "
                         "chown root it",
                         place(walk, fd, text), st.st_uid);
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !*ret_link && !sticky)
        return error_set(err, -EPERM, "%s can be written by others: chmod go-w it",
                         place(walk, fd, text));
    return 0;
}

static int begin(struct walk *walk, struct error *err)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return fail(err, "open", "/");
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = root;
    return 0;
}

static int follow(struct walk *walk, int link, struct error *err)
{
    char target[PATH_MAX];
    char todo[PATH_MAX];
    ssize_t len = readlinkat(link, "", target, sizeof target - 1);
    if (len < 0)
        return fail(err, "follow a link of", walk->path);
    target[len] = '\0';
    int n = snprintf(todo, sizeof todo, "%s/%s", target, walk->todo);
    if (n < 0 || (size_t)n >= sizeof todo || --walk->links == 0)
        return error_set(err, -ELOOP, "%s: too many symbolic links", walk->path);
    memcpy(walk->todo, todo, (size_t)n + 1);
    return target[0] == '/' ? begin(walk, err) : 0;
}

static int step(struct walk *walk, const char *name, struct error *err)
{
    bool link = false;
    int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(err, "open", walk->path);
    int rc = judge(walk, fd, &link, err);
    if (rc == 0 && link)
        rc = follow(walk, fd, err);
    if (rc < 0 || link) {
        (void)close(fd);
        return rc;
    }
    (void)close(walk->fd);
    walk->fd = fd;
    return 0;
}

/* Judge every component; gives an O_PATH fd of the last one. links: 0 refuses any. */
static int trusted(const char *path, int links, struct error *err)
{
    struct walk walk = {.path = path, .fd = -1, .links = links};
    char name[PATH_MAX];
    if (path[0] != '/' || strlen(path) >= sizeof walk.todo)
        return error_set(err, -EINVAL, "%s is not an absolute path", path);
    memcpy(walk.todo, path, strlen(path) + 1);
    int rc = begin(&walk, err);
    while (rc == 0) {
        const char *at = walk.todo + strspn(walk.todo, "/");
        size_t len = strcspn(at, "/");
        if (len == 0)
            return walk.fd;
        memcpy(name, at, len);
        name[len] = '\0';
        memmove(walk.todo, at + len, strlen(at + len) + 1);
        rc = step(&walk, name, err);
    }
    if (walk.fd >= 0)
        (void)close(walk.fd);
    return rc;
}

int file_trusted(const char *path, struct error *err)
{
    int fd = trusted(path, 0, err);
    if (fd < 0)
        return fd;
    (void)close(fd);
    return 0;
}

/* Whoever can change one of the links chooses the program: they are judged as well. */
int file_trusted_program(const char *path, struct error *err)
{
    struct stat st;
    int rc = 0;
    int fd = trusted(path, LINKS_MAX, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
        rc = error_set(err, -EACCES, "%s is not an executable file", path);
    (void)close(fd);
    return rc;
}

int file_read_trusted(const char *path, struct buffer *buf, struct error *err)
{
    char self[64];
    int fd = trusted(path, 0, err);
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
    int rc = write_all(fd, data, len);
    if (rc == 0)
        rc = fchmod(fd, mode);
    if (rc == 0 && durable)
        rc = fsync(fd);
    rc = rc < 0 ? -errno : 0;
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
        return fail(err, "write", path);
    int rc = replace(dir, slash ? slash + 1 : path, data, len, mode, durable);
    (void)close(dir);
    if (rc < 0)
        return error_set(err, rc, "cannot write %s: %s", path, strerror(-rc));
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
