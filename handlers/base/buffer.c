/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include "base/boottime.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int reserve(struct buffer *buf, size_t more)
{
    if (more > buf->limit - buf->len)
        return -EMSGSIZE;
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > buf->limit)
        cap = buf->limit + 1; /* need is never more */
    char *data = realloc(buf->data, cap);
    if (!data)
        return -ENOMEM;
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int buffer_append(struct buffer *buf, const void *bytes, size_t n)
{
    int rc = reserve(buf, n);
    if (rc < 0)
        return rc;
    if (n > 0)
        memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
    buf->data[buf->len] = '\0';
    return 0;
}

int buffer_printf(struct buffer *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return -EINVAL;
    int rc = reserve(buf, (size_t)n);
    if (rc < 0)
        return rc;
    va_start(ap, fmt);
    (void)vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf->len += (size_t)n;
    return 0;
}

/* One piece. Returns 1, 0 at the end, or negative errno. */
static int read_piece(struct buffer *buf, int fd)
{
    char chunk[16384];
    ssize_t n = 0;
    do
        n = read(fd, chunk, sizeof chunk);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    int rc = buffer_append(buf, chunk, (size_t)n);
    return rc < 0 ? rc : 1;
}

int buffer_read(struct buffer *buf, int fd)
{
    int rc = 1;
    while (rc > 0)
        rc = read_piece(buf, fd);
    return rc;
}

/* Returns 0 when there is something to read, or its end. */
static int wait_input(int fd, int64_t end_ms)
{
    struct pollfd input = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left_ms = end_ms - boottime_ms();
        int n = poll(&input, 1, left_ms > 0 ? (int)left_ms : 0);
        if (n >= 0)
            return n > 0 ? 0 : -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

int buffer_read_within(struct buffer *buf, int fd, int64_t limit_ms)
{
    int64_t end_ms = boottime_ms() + limit_ms;
    int rc = 1;
    while (rc > 0) {
        rc = wait_input(fd, end_ms);
        if (rc == 0)
            rc = read_piece(buf, fd);
    }
    return rc;
}

const char *buffer_text(const struct buffer *buf)
{
    return buf->data ? buf->data : "";
}

void buffer_clear(struct buffer *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buffer_detach(struct buffer *buf)
{
    char *data = buf->data;
    *buf = BUFFER_INIT(buf->limit);
    return data;
}

void buffer_release(struct buffer *buf)
{
    free(buffer_detach(buf));
}

void buffer_wipe(struct buffer *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buffer_release(buf);
}
