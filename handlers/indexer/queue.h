/* SPDX-License-Identifier: MIT */
/* queue.h: records that wait for Elasticsearch, on disk: a directory of files of lines
 * (queue_line.h), one process that adds to it, and one that reads it (queue_reader.h).
 *
 * What was added and synced outlives a kill and a power cut. A record that cannot be written is not
 * taken: then its log is not read on. */
#ifndef QUEUE_H
#define QUEUE_H

#include "base/buffer.h"
#include "base/error.h"
#include "indexer/queue_line.h"
#include "settings/credential.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_FILE    (16U << 20) /* bytes of a file, about, before the next one is begun */
#define QUEUE_LINE    (17U << 20) /* most bytes of a line */
#define QUEUE_SYNC_MS 200         /* how long what was added may not be synced */

struct queue {
    char dir[CREDENTIAL_PATH];
    int64_t next; /* number of the next record; all before it were taken, ever */
    /* private */
    int lock, fd;         /* of the file that is added to; -1 none */
    int64_t file;         /* its number */
    size_t len;           /* bytes of whole lines in it */
    uint64_t limit, held; /* bytes of all files: most (0: no limit), and now, or less */
    int64_t unsynced_ms;  /* boottime.h: since when something is not synced, 0 nothing is */
    struct buffer line;
};

/* Make the directory (0700; its parent is there), lock it (who had it before is waited for, wait_ms
 * at most), and find out what was taken already. Half a line at the end was never confirmed, and
 * goes. Returns 0, -EWOULDBLOCK, -ENOTDIR, -EACCES, ... and then there is nothing to close. */
MUST_CHECK int queue_open(struct queue *ret, const char *dir, uint64_t limit, int64_t wait_ms,
                          struct error *err);

/* Add "ID<tab>JSON" of len bytes. Returns 0; -EFBIG: the limit is reached; -ENOSPC, -EIO, ...: then the
 * queue is as it was. */
MUST_CHECK int queue_add(struct queue *queue, enum queue_kind kind, const char *record, size_t len,
                         struct error *err);

/* Sync what was added at least QUEUE_SYNC_MS ago; now: all. Returns 0 or negative errno. */
MUST_CHECK int queue_sync(struct queue *queue, bool now, struct error *err);

/* All that was taken has arrived: go on in a new file, when this one is worth it, so that older ones can
 * go; now: for their room they do, but for the last (queue_keep()), and these, too, when they are much more. */
void queue_all_read(struct queue *queue, bool now);

void queue_close(struct queue *queue);

/* What the reader knows, in the file "state" of the directory: these in decimal. */
struct queue_state {
    int64_t next;    /* number of the first record that waits */
    int64_t taken;   /* the last one that was added, or an earlier one */
    int64_t arrived; /* lines, each once */
    int64_t lost;    /* records which were damaged, ever */
};

/* Missing or damaged is all 0. It is not synced: after a power cut an older one, or none, sends some again. */
void queue_state_read(const char *dir, struct queue_state *ret);
MUST_CHECK int queue_state_write(const char *dir, const struct queue_state *state,
                                 struct error *err);

/* The first file of the directory that begins behind this record; -1: there is none. */
int64_t queue_file_after(const char *dir, int64_t number);

/* Of the files before `end`, the first that is needed to have the last `bytes` of them; its number, -1 none. drop: remove
 * those before it. */
int64_t queue_last_files(const char *dir, int64_t end, uint64_t bytes, bool drop);

/* How many bytes of files that were read stay in a queue of that limit, to know lines when they come again: each start
 * begins a file, so the last one alone may have a few lines only. */
uint64_t queue_keep(uint64_t limit);

/* Its path. */
void queue_file_path(const char *dir, int64_t number, char *ret, size_t size);

#endif
