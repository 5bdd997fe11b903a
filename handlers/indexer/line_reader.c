/* SPDX-License-Identifier: MIT */
#include "indexer/line_reader.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536 /* bytes: what a pipe holds */

static bool take_line(struct line_reader *lines, char **ret, size_t *ret_len)
{
    if (lines->in.len == lines->at)
        return false; /* before the first byte there is no buffer to point into */
    char *begin = lines->in.data + lines->at;
    char *end = memchr(begin, '\n', lines->in.len - lines->at);
    if (!end)
        return false;
    *ret = begin;
    *ret_len = (size_t)(end + 1 - begin);
    lines->at += *ret_len;
    return true;
}

/* What was taken makes room. */
static void drop_taken(struct line_reader *lines)
{
    if (lines->at == 0)
        return;
    lines->in.len -= lines->at;
    memmove(lines->in.data, lines->in.data + lines->at, lines->in.len);
    lines->at = 0;
}

static void wait_for_input(const struct line_reader *lines)
{
    struct pollfd input = {.fd = lines->fd, .events = POLLIN};
    while (lines->idle && poll(&input, 1, lines->idle_ms) == 0)
        lines->idle(lines->arg);
}

int line_reader_next(struct line_reader *lines, char **ret, size_t *ret_len)
{
    char piece[PIECE];
    while (!take_line(lines, ret, ret_len)) {
        drop_taken(lines);
        size_t room = lines->in.limit - lines->in.len;
        if (room == 0)
            return -EMSGSIZE;
        wait_for_input(lines);
        /* What comes after the line must not count as its length. */
        ssize_t n = read(lines->fd, piece, room < sizeof piece ? room : sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int rc = buffer_append(&lines->in, piece, (size_t)n);
        if (rc < 0)
            return rc;
    }
    return 1;
}
