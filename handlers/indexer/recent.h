/* SPDX-License-Identifier: MIT */
/* recent.h: the ids of the records which were taken last, before a start: what of them comes again was
 * read again. */
#ifndef RECENT_H
#define RECENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECENT_BYTES (32U << 20) /* of the queue, its last files: about */
#define RECENT_MAX   262144      /* ids; of more the first ones of these count */

/* All-zero is empty. */
struct recent {
    struct recent_id {
        uint64_t hash;  /* of the id; 0 free */
        int64_t number; /* of its record (queue.h) */
    } * id;
    size_t n;
};

/* Read the ids that are in the files of a queue. A queue that cannot be read gives none. */
void recent_open(struct recent *recent, const char *dir);

/* Add one (what a queue holds; for tests). Returns 0 or -ENOMEM. */
MUST_CHECK int recent_add(struct recent *recent, const char *id, size_t len, int64_t number);

/* The number under which an id of len bytes was taken; 0: it was not. */
int64_t recent_find(const struct recent *recent, const char *id, size_t len);

void recent_release(struct recent *recent);

#endif
