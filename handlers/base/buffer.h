/* SPDX-License-Identifier: MIT */
/* buffer.h: growing bytes with a ceiling.
 *
 * Every byte that enters a program from outside (stdin, HTTP body, file, output
 * of a child) is collected in one of these, so that the ceiling is always set. */
#ifndef BUFFER_H
#define BUFFER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* All-zero is a valid empty buffer with ceiling 0; use BUFFER_INIT(limit).
 * `data` is NULL or NUL-terminated at data[len]: read it, never free it. */
struct buffer {
    char *data;   /* owned by the buffer, invalid after the next append */
    size_t len;   /* bytes, without the terminating NUL */
    size_t limit; /* bytes; len never exceeds it */
    size_t cap;   /* private */
};

#define BUFFER_INIT(max) ((struct buffer){.limit = (max)})

/* Append n bytes (borrowed for the call).
 * Returns 0, -EMSGSIZE when the ceiling would be passed, -ENOMEM; on failure the
 * contents are unchanged. */
MUST_CHECK int buffer_append(struct buffer *buf, const void *bytes, size_t n);

/* Append formatted text. Returns as buffer_append(). */
MUST_CHECK int buffer_printf(struct buffer *buf, const char *fmt, ...) FORMAT(2, 3);

/* Append what can be read from fd until its end.
 * Returns 0, -EMSGSIZE, -ENOMEM or the negative errno of read(2). */
MUST_CHECK int buffer_read(struct buffer *buf, int fd);

/* The same, but the end must come within limit_ms (at most INT_MAX), however slowly the
 * bytes do: else -ETIMEDOUT. For a pipe or socket that nobody else reads. */
MUST_CHECK int buffer_read_within(struct buffer *buf, int fd, int64_t limit_ms);

/* The contents as a string: never NULL, "" when empty. Borrowed. */
const char *buffer_text(const struct buffer *buf);

/* Forget the contents, keep memory and ceiling. */
void buffer_clear(struct buffer *buf);

/* Hand the string to the caller, who free()s it; the buffer becomes empty.
 * NULL when the buffer never held a byte. */
char *buffer_detach(struct buffer *buf);

/* Free the contents and become empty. Safe on an all-zero buffer. */
void buffer_release(struct buffer *buf);

/* The same, the contents overwritten first: for what holds secrets. What has grown has
 * left copies behind: where that matters, append the ceiling and clear before the first. */
void buffer_wipe(struct buffer *buf);

#endif
