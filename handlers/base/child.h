/* SPDX-License-Identifier: MIT */
/* child.h: run programs to their end, with a deadline. SIGPIPE must be ignored, as
 * program_start() does: a child need not read its input. */
#ifndef CHILD_H
#define CHILD_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* What to run. Everything is borrowed for the duration of the call. */
struct child_job {
    const char *const *argv; /* NULL-terminated; argv[0] an absolute path */
    const char *const *env;  /* NULL-terminated; NULL = the clean environment:
                                PATH, LANG=C, nothing of ours (it holds tokens) */
    const char *input;       /* sent to stdin and closed; NULL: stdin is /dev/null */
    size_t input_len;        /* bytes */
    int64_t timeout_ms;      /* > 0; then SIGTERM to the group, 2000 ms later SIGKILL,
                                2000 ms later it is given up (hangs in the kernel) */
    bool stop_at_limit;      /* output over its ceiling: kill (true) or drop the rest */
};

/* How it ended. Set the ceilings first; release both buffers afterwards. */
struct child_result {
    int rc;               /* 0 it ended by itself; -ETIMEDOUT; -EMSGSIZE (stop_at_limit);
                             otherwise it could not be started: negative errno */
    int exit_code;        /* 0..255; -1 when killed by a signal or not started */
    int signal;           /* 0 when it ended by itself */
    struct buffer output; /* its stdout */
    struct buffer errors; /* its stderr */
};

/* Run one; returns result->rc, with a text unless 0: "PROGRAM: no end after 30s",
 * "PROGRAM: too much output", "cannot start PROGRAM: No such file or directory". An exit
 * code is no failure. The child has its own process group and only fds 0, 1, 2, which are
 * pipes. Its own end counts: from a daemon it started, which still holds the pipes, output
 * is taken for at most 1000 ms more, and the daemon lives on. */
MUST_CHECK int child_run(const struct child_job *job, struct child_result *result,
                         struct error *err);

/* Run n side by side on one loop. Returns 0, or negative errno when the loop itself
 * failed; how each ended is in results[i]. */
MUST_CHECK int child_run_all(const struct child_job *jobs, struct child_result *results, size_t n,
                             struct error *err);

/* Start and forget: new session, fds 0..2 on /dev/null, our own environment. Consul
 * waits for everybody who holds its pipe, so nothing long may inherit it.
 * Returns 0 or negative errno when it could not be started. */
MUST_CHECK int child_detach(const char *const *argv, struct error *err);

#endif
