/* SPDX-License-Identifier: MIT */
/* run_once.h: one run of a program at a time, and no request lost.
 *
 * A run that finds another one at work leaves a mark and goes; the one at work looks
 * for the mark before it ends and begins again. Mark and lock are files in the state
 * directory; both may vanish. */
#ifndef RUN_ONCE_H
#define RUN_ONCE_H

#include "base/error.h"

/* Call `work` while holding <dir>/<name>.lock, again and again while somebody asks for it
 * meanwhile. Returns what the last call of work returned; 0 without a call when another
 * run holds the lock (it will look again); negative errno when dir cannot be used. */
MUST_CHECK int run_once(const char *dir, const char *name,
                        int (*work)(void *arg, struct error *err), void *arg, struct error *err);

#endif
