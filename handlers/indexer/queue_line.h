/* SPDX-License-Identifier: MIT */
/* queue_line.h: how a record stands in a file of the queue (queue.h). Pure.
 *
 * A line: NUMBER CHECK KIND RECORD, RECORD being "ID<tab>JSON" without a newline, KIND one letter, CHECK
 * the 64 bits of FNV-1a (Fowler, Noll, Vo) over NUMBER, a blank, KIND and RECORD, in hex. Numbers go up by
 * one: what is missing between two can be counted, whatever became of it. A file is called by the
 * number of its first record. */
#ifndef QUEUE_LINE_H
#define QUEUE_LINE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_NAME 24 /* bytes of a file's name with NUL */

/* For counting. */
enum queue_kind {
    QUEUE_LINE_NEW = 'n',   /* a line of a log */
    QUEUE_LINE_AGAIN = 'a', /* one that was taken before: its log was read again */
    QUEUE_LINE_OURS = 'o',  /* a probe record: no line of a log */
};

struct queue_line {
    int64_t number; /* from 1 */
    enum queue_kind kind;
    const char *record; /* borrowed, not terminated by NUL */
    size_t len;
};

/* Append the line, its newline included. Returns 0, -EMSGSIZE, -ENOMEM. */
MUST_CHECK int queue_line_append(struct buffer *ret, const struct queue_line *line);

/* Read one of len bytes, without its newline. False: it is damaged. ret->record points into it. */
bool queue_line_parse(const char *text, size_t len, struct queue_line *ret);

/* FNV-1a of len bytes. */
uint64_t queue_line_hash(const char *bytes, size_t len);

/* The name of the file that begins with this record, and back: -1 for a name that is none. */
void queue_line_name(int64_t number, char ret[QUEUE_NAME]);
int64_t queue_line_number(const char *name);

#endif
