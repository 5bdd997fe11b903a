/* SPDX-License-Identifier: MIT */
/* check_run.h: the skeleton of every verify program: gather and judge, then publish the verdict
 * to the agent's check, or print it where the program is run by hand. */
#ifndef CHECK_RUN_H
#define CHECK_RUN_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/program.h"
#include "check/verdict.h"
#include "consul/consul.h"

#include <stdbool.h>

struct check_run {
    struct place place;
    const char *publish;   /* the check's ID; NULL: by hand */
    void *arg;             /* the program's own */
    bool leaderless;       /* set by look(): it was found without a leader */
    bool metrics;          /* with publish: samples (metrics.h) to stdout */
    struct buffer samples; /* look() adds its own; private otherwise */
};

/* The option that the heartbeat gives where the samples are wanted. */
#define CHECK_METRICS_ROW(run)                                                                     \
    {                                                                                              \
        "metrics", NULL, &(run)->metrics                                                           \
    }
#define CHECK_METRICS_HELP                                                                         \
    "  --metrics             with --publish: figures for Prometheus to stdout\n"

/* Gather and judge. Returns 0 with *v filled in, or why it could not look. */
typedef int check_look(struct consul *consul, struct check_run *run, struct verdict *v,
                       struct error *err);

/* Look, and bring the verdict to where it belongs.
 *
 * To publish: one look at a time (publish_lock); what could not be looked at is published as
 * "cannot look: <reason>"; what was found without a leader is held back, the
 * truth goes to syslog. By hand: the verdict to stdout. The agent is asked for at most
 * limits()->look_ms and published to until limits()->verify_ms; by hand asked for limits()->run_ms.
 * What hangs elsewhere ends with the process, after limits()->run_ms.
 * Returns an exit code (published or rightly held back: CHECK_PASSING), or negative errno with a
 * text: could not look, or could not publish. */
MUST_CHECK int check_run(struct check_run *run, check_look *look, struct error *err);

/* The end of main(): logs a failure, "could not look". */
int check_end(int rc, const struct error *err);

#endif
