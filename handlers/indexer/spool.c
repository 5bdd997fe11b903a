/* SPDX-License-Identifier: MIT */
#include "indexer/spool.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int fail_spool(struct error *err, const char *what)
{
    int code = -errno;
    return error_set(err, code, "cannot %s the spool: %s", what, strerror(-code));
}

/* Back to the last whole line. */
static int cut(struct spool *spool, struct error *err)
{
    if (ftruncate(spool->fd, (off_t)spool->len) < 0 ||
        lseek(spool->fd, (off_t)spool->len, SEEK_SET) < 0)
        return fail_spool(err, "cut");
    return 0;
}

/* Where the last whole line ends. */
static size_t whole(const struct buffer *buf, size_t begin)
{
    size_t len = buf->len;
    while (len > begin && buf->data[len - 1] != '\n')
        len--;
    return len;
}

static void keep_first(struct buffer *buf, size_t len)
{
    buf->len = len;
    if (buf->data)
        buf->data[len] = '\0';
}

int spool_open(struct spool *ret, const char *path, int64_t wait_ms, struct buffer *left,
               struct error *err)
{
    size_t before = left->len;
    ret->len = 0;
    ret->fd = file_lock(path, wait_ms, err);
    if (ret->fd < 0) {
        int rc = ret->fd;
        ret->fd = -1;
        return rc;
    }
    int rc = buffer_read(left, ret->fd);
    if (rc < 0)
        (void)error_set(err, rc, "cannot read the spool %s: %s", path, strerror(-rc));
    keep_first(left, rc < 0 ? before : whole(left, before));
    ret->len = left->len - before;
    if (rc == 0)
        rc = cut(ret, err);
    if (rc < 0)
        spool_close(ret);
    return rc;
}

int spool_add(struct spool *spool, const char *line, size_t len, struct error *err)
{
    int rc = file_write(spool->fd, line, len);
    if (rc < 0) {
        (void)error_set(err, rc, "cannot write to the spool: %s", strerror(-rc));
        return cut(spool, NULL) < 0 ? -EIO : rc;
    }
    spool->len += len;
    return 0;
}

int spool_clear(struct spool *spool, struct error *err)
{
    spool->len = 0;
    return cut(spool, err);
}

void spool_close(struct spool *spool)
{
    file_unlock(spool->fd);
    spool->fd = -1;
}
