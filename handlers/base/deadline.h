/* SPDX-License-Identifier: MIT */
/* deadline.h: the end of a run, whatever it meets. Consul waits for each program that it starts, and
 * for its locks so do the next runs.
 *
 * Two ends: the first is of all that is asked of the agent (consul.c gives no request longer than
 * what is left of it); the second, of the process, is for everything that hangs elsewhere. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>

/* From now on the agent may be asked for so long, ms. */
void deadline_begin(int64_t ms);

/* A time that is slept does not count. */
void deadline_skip(int64_t ms);

/* What is left, ms, 0 nothing; INT64_MAX before the first deadline_begin(). */
int64_t deadline_left(void);

/* How long it was to be in all, ms. */
int64_t deadline_length(void);

/* The process ends after this time with `code`, and writes "<text>: no end within 15 s" to fd.
 * Another program that it becomes begins without. ms 0: not any more. */
void deadline_of_process(int64_t ms, const char *text, int fd, int code);

#endif
