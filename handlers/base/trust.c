/* SPDX-License-Identifier: MIT */
#include "base/trust.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as in the kernel */

/* An absolute path on its way, component by component, on descriptors. */
struct walk {
    const char *path;            /* the whole of it, for texts */
    int fd;                      /* O_PATH, what has been reached */
    char todo[PATH_MAX];         /* what is left of it */
    int links;                   /* so many symbolic links may still be followed */
    uid_t user;                  /* who is trusted besides root */
    struct trust_report *report; /* NULL: what others may write is refused */
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

/* Worse than what was found before? */
static void note(const struct walk *walk, int fd, enum trust_writer writer, uid_t owner)
{
    if (writer <= walk->report->writer)
        return;
    char text[PATH_MAX];
    walk->report->writer = writer;
    walk->report->owner = owner;
    (void)snprintf(walk->report->place, sizeof walk->report->place, "%s", place(walk, fd, text));
}

/* One component of the way, judged as judge_owner() does. */
static void report_owner(const struct walk *walk, int fd, const struct stat *st, bool sticky)
{
    mode_t mode = sticky || S_ISLNK(st->st_mode) ? 0 : st->st_mode;
    if (mode & S_IWOTH)
        note(walk, fd, TRUST_EVERYBODY, st->st_uid);
    else if (mode & S_IWGRP)
        note(walk, fd, TRUST_GROUP, st->st_uid);
    else if (st->st_uid != 0 && st->st_uid != walk->user)
        note(walk, fd, TRUST_OWNER, st->st_uid);
    if (S_ISDIR(st->st_mode) && !(st->st_mode & S_IXOTH))
        walk->report->readable = false;
}

/* Nobody but root and us may be able to change it. In root's sticky directories others
 * can add names but not replace ours. The mode of a symbolic link means nothing. */
static int judge_owner(const struct walk *walk, int fd, bool *ret_link, struct error *err)
{
    char text[PATH_MAX];
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_errno(err, "look at", walk->path);
    bool sticky = S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & S_ISVTX);
    *ret_link = S_ISLNK(st.st_mode);
    if (walk->report) {
        report_owner(walk, fd, &st, sticky);
        return 0;
    }
    if (*ret_link && walk->links == 0)
        return error_set(err, -EPERM, "%s is a symbolic link: put the real path",
                         place(walk, fd, text));
    if (st.st_uid != 0 && st.st_uid != walk->user)
        return error_set(err, -EPERM,
                         "%s belongs to user %u, not to root or the running user: chown root it",
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
        return error_errno(err, "open", "/");
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = root;
    return 0;
}

static int follow(struct walk *walk, int link, struct error *err)
{
    char shipper[PATH_MAX];
    char todo[PATH_MAX];
    ssize_t len = readlinkat(link, "", shipper, sizeof shipper - 1);
    if (len < 0)
        return error_errno(err, "follow a link of", walk->path);
    shipper[len] = '\0';
    int n = snprintf(todo, sizeof todo, "%s/%s", shipper, walk->todo);
    if (n < 0 || (size_t)n >= sizeof todo || --walk->links == 0)
        return error_set(err, -ELOOP, "%s: too many symbolic links", walk->path);
    memcpy(walk->todo, todo, (size_t)n + 1);
    return shipper[0] == '/' ? begin(walk, err) : 0;
}

static int step(struct walk *walk, const char *name, struct error *err)
{
    bool link = false;
    int fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, "open", walk->path);
    int rc = judge_owner(walk, fd, &link, err);
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

/* Judge every component; gives an O_PATH fd of the last one. */
static int walk_path(struct walk walk, struct error *err)
{
    const char *path = walk.path;
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

/* links: 0 refuses any. */
static int trusted(const char *path, int links, struct error *err)
{
    return walk_path((struct walk){.path = path, .fd = -1, .links = links, .user = geteuid()}, err);
}

int trust_path(const char *path, struct error *err)
{
    int fd = trusted(path, 0, err);
    if (fd < 0)
        return fd;
    (void)close(fd);
    return 0;
}

/* Who can change one of the links chooses the program: links are judged as well. */
int trust_program(const char *path, struct error *err)
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

int trust_look(const char *path, unsigned user, struct trust_report *ret, struct error *err)
{
    struct stat st;
    *ret = (struct trust_report){.readable = true};
    int fd = walk_path(
        (struct walk){
            .path = path, .fd = -1, .links = LINKS_MAX, .user = (uid_t)user, .report = ret},
        err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || !(st.st_mode & S_IROTH))
        ret->readable = false;
    (void)close(fd);
    return 0;
}

int trust_read(const char *path, struct buffer *buf, struct error *err)
{
    char self[64];
    int fd = trusted(path, 0, err);
    if (fd < 0)
        return fd;
    /* The very file that was judged, not whatever has its name by now. */
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int in = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int rc = in < 0 ? error_errno(err, "read", path) : file_read_open(in, path, buf, err);
    (void)close(fd);
    return rc;
}

bool trust_own_directory(const char *dir)
{
    struct stat st;
    return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}
