/* SPDX-License-Identifier: MIT */
/* verify_all.h: the verifications as processes side by side, and what could not run. */
#ifndef VERIFY_ALL_H
#define VERIFY_ALL_H

#include "base/buffer.h"
#include "base/program.h"
#include "check/verdict.h"

/* A program beside this one, and the check that it publishes to. */
struct verification {
    const char *program;
    const char *check;
};

#define VERIFY_ALL_MOST 8

/* Run these n (at most VERIFY_ALL_MOST) with --publish, each for at most limits()->verify_ms. What
 * could not run or report becomes a reason in v. samples: their figures (metrics.h) are appended; NULL:
 * none are wanted. */
void verify_all(const struct place *place, const struct verification *what, size_t n,
                struct buffer *samples, struct verdict *v);

/* Why not everything could run and report: a warning; the first reason is the summary, each other
 * one a line. */
void verify_all_note(struct verdict *v, const char *fmt, ...) FORMAT(2, 3);

#endif
