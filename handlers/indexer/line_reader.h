/* SPDX-License-Identifier: MIT */
/* line_reader.h: a stream line by line, as a partner writes it who waits for an answer. */
#ifndef LINE_READER_H
#define LINE_READER_H

#include "base/buffer.h"

#include <stddef.h>

struct line_reader {
    int fd;
    struct buffer in; /* BUFFER_INIT(longest line, bytes with its newline) */
    int idle_ms;      /* while nothing comes, call idle(arg) this often; idle NULL: never */
    void (*idle)(void *arg);
    void *arg;
    size_t at; /* private */
};

/* Wait for the next line. Returns 1 with *ret (valid until the next call, may be written to, not
 * terminated by NUL) of *ret_len bytes, its newline included; 0 at the end, where half a line is
 * none; -EMSGSIZE (from then on), -ENOMEM, or negative errno of read(2). */
MUST_CHECK int line_reader_next(struct line_reader *lines, char **ret, size_t *ret_len);

#endif
