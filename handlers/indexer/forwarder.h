/* SPDX-License-Identifier: MIT */
/* forwarder.h: the process that brings records from the queue into Elasticsearch, so that logs are
 * read on while it waits. A child of the process that adds to the queue; it ends with it. */
#ifndef FORWARDER_H
#define FORWARDER_H

#include "base/error.h"
#include "indexer/complaint.h"
#include "indexer/destination.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What both know. */
struct forwarder_shared {
    _Atomic int64_t taken; /* number of the last record that was added to the queue */
    _Atomic int64_t next;  /* number of the first one that waits */
    _Atomic int
        stopped; /* why nothing more can be added: negative errno as queue_add(), 0 it can */
};

/* All-zero but for wake -1: none. */
struct forwarder {
    struct forwarder_shared *shared;
    pid_t pid;
    int wake; /* the pipe that wakes it */
    const struct destination *to;
    int64_t started_ms;
    struct complaint *complaint; /* borrowed */
};

/* Start it for this destination (borrowed until it is stopped), whose queue has taken so many.
 * Returns 0 or negative errno. */
MUST_CHECK int forwarder_start(struct forwarder *forwarder, const struct destination *to,
                               int64_t taken, struct error *err);

/* More was added. */
void forwarder_wake(const struct forwarder *forwarder);

/* Start it again if it has ended, once a second at most. */
void forwarder_keep(struct forwarder *forwarder);

void forwarder_stop(struct forwarder *forwarder);

#endif
