#include "buffer.h"

#include <errno.h>
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

int buffer_read(struct buffer *buf, int fd)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        int rc = n < 0 ? -errno : buffer_append(buf, chunk, (size_t)n);
        if (rc < 0)
            return rc;
    }
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
