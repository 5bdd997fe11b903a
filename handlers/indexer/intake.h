/* SPDX-License-Identifier: MIT */
/* intake.h: records on their way into the queue, and what belongs to it: their ids, the secrets that must not be in
 * them, and the child that sends what is there. */
#ifndef INTAKE_H
#define INTAKE_H

#include "base/error.h"
#include "indexer/complaint.h"
#include "indexer/destination.h"
#include "indexer/forwarder.h"
#include "indexer/generations.h"
#include "indexer/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* hold and arg are the caller's; all else is private, and all-zero to begin with. */
struct intake {
    bool (*hold)(void *arg, int64_t ms); /* wait; false: nobody waits for an answer any more */
    void *arg;

    char *begun; /* for which destination all below is open; secret */
    struct destination to;
    struct queue queue;
    struct forwarder forwarder;
    struct generations generations;
    struct complaint complaint;
};

/* Where records go from now on, as destination_parse() reads it. The same text again changes
 * nothing. Returns 0; else the reason, and nothing can be taken. */
MUST_CHECK int intake_begin(struct intake *intake, const char *text, struct error *err);

/* Take "ID<tab>RECORD" of len bytes (but for the id "wake": it is no record), which are changed. Returns 0 when it is in the queue, however long that takes;
 * -EBADMSG, -EPIPE (hold() was false), -EMSGSIZE, -ENOMEM. */
MUST_CHECK int intake_take(struct intake *intake, char *record, size_t len, struct error *err);

/* After some records, and (idle) QUEUE_SYNC_MS after the last of them, and from time to time. */
void intake_settle(struct intake *intake, bool idle);

/* Close all of it; the queue stays. */
void intake_end(struct intake *intake);

#endif
