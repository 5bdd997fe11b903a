/* SPDX-License-Identifier: MIT */
/* queue_reader.h: taking records out of a queue that another process adds to (queue.h).
 *
 * A file whose records are all there is removed; one with damaged lines is put aside
 * ("damaged-NUMBER"), the newest few of them. What is missing in the row of numbers is counted. */
#ifndef QUEUE_READER_H
#define QUEUE_READER_H

#include "base/buffer.h"
#include "base/error.h"
#include "indexer/bulk.h"
#include "indexer/queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_READER_ASIDE 4 /* files that are kept */

/* All-zero but for fd -1 and a reader's buffer: QUEUE_READER_INIT. */
struct queue_reader {
    char dir[CREDENTIAL_PATH];
    struct queue_state state; /* as it was written last */
    int64_t missed;           /* records lost since then */
    uint64_t keep;            /* bytes of files that were read which stay (recent.h), at least */
    int64_t sure;     /* private, as is all below: only what is missing from here on counts */
    int fd;           /* of the file that is read; -1 none */
    int64_t file;     /* its number, -1 before the first */
    int64_t expected; /* the number of the next record */
    bool last;        /* a newer file was seen: this one ends at its end */
    bool damaged, only_look;
    size_t at; /* in `in` */
    struct buffer in;
};

#define QUEUE_READER_INIT                                                                          \
    ((struct queue_reader){.fd = -1, .file = -1, .in = BUFFER_INIT(QUEUE_LINE)})

/* Begin where the state says. */
void queue_reader_open(struct queue_reader *reader, const char *dir);

/* Begin with the first file of those with the last `bytes`, whether they were read or not, and change nothing. */
void queue_reader_rewind(struct queue_reader *reader, uint64_t bytes);

/* Append up to `records` of them, of about `bytes`, to the bulk. Returns 0, also when there are none,
 * or -EIO, -ENOMEM, ...: then what was appended counts. */
MUST_CHECK int queue_reader_fill(struct queue_reader *reader, struct bulk *bulk, size_t records,
                                 size_t bytes, struct error *err);

/* All before this number were added, and what was not read by now is lost. */
void queue_reader_miss(struct queue_reader *reader, int64_t number);

/* So many were taken by now: remember it. */
void queue_reader_note(struct queue_reader *reader, int64_t taken);

/* All that was read has arrived; so many were taken by now. Remembers it, what
 * the caller has counted as arrived in the state, too, and removes what is not needed any more. Returns 0 or the reason why it will be read again after a restart. */
MUST_CHECK int queue_reader_done(struct queue_reader *reader, int64_t taken, struct error *err);

void queue_reader_close(struct queue_reader *reader);

#endif
