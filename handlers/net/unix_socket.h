/* SPDX-License-Identifier: MIT */
/* unix_socket.h: ask a program behind a Unix socket: one request, one answer, as with a child.
 *
 * Who listens is decided by where the socket is: the caller's trust is that only root
 * (or the running user) can put one there. */
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Connect to the socket at `path`. It and every parent must belong to root or the running
 * user and be writable by nobody else; no links.
 * Returns an fd >= 0 (close-on-exec; close() it), or, and then nobody has received of us:
 * -ENOENT, -ECONNREFUSED (nobody listens), -EACCES (not for this user), -EPERM (others
 * could have put it there), -ETIMEDOUT (too many wait already), -ENAMETOOLONG. */
MUST_CHECK int unix_socket_open(const char *path, int64_t limit_ms, struct error *err);

/* Send the request and its end, append the answer to *answer until its end, all within
 * limit_ms. An end without a byte is an answer of no bytes: the other side hung up.
 * Returns 0, -ETIMEDOUT, -EMSGSIZE (ceiling of *answer), ... */
MUST_CHECK int unix_socket_ask(int fd, const char *request, size_t len, int64_t limit_ms,
                               struct buffer *answer, struct error *err);

#endif
