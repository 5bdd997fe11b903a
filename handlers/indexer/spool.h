/* SPDX-License-Identifier: MIT */
/* spool.h: the lines of a transaction that is not committed yet, on disk.
 *
 * rsyslogd forgets the first lines of a transaction when the program that takes them ends in
 * the middle of it: it begins again with the line on the way. So every line is put here
 * before it is confirmed, and the next program finds those that were not committed. It
 * need not outlive the machine (no fsync): after a crash rsyslogd begins at its own queue.
 * Source: rsyslog 8.2302, doTransaction() in action.c. */
#ifndef SPOOL_H
#define SPOOL_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

#define SPOOL_MAX (1U << 30) /* bytes */

struct spool {
    int fd;     /* -1: none */
    size_t len; /* bytes of whole lines */
};

/* Open (0600) and lock it; who had it before is waited for, wait_ms at most. Appends the
 * whole lines that are in it, a newline after each, to *left: a last one that was cut off was never
 * confirmed. Returns 0, -EWOULDBLOCK, -EMSGSIZE, -ELOOP (a link), ... and then ret->fd
 * is -1 and *left as it was. */
MUST_CHECK int spool_open(struct spool *ret, const char *path, int64_t wait_ms, struct buffer *left,
                          struct error *err);

/* Add a line, which ends with its newline. Returns 0, or -ENOSPC, -EIO, ...: then the spool
 * is as it was. */
MUST_CHECK int spool_add(struct spool *spool, const char *line, size_t len, struct error *err);

/* All lines are committed. */
MUST_CHECK int spool_clear(struct spool *spool, struct error *err);

void spool_close(struct spool *spool);

#endif
