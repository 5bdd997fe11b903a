/* SPDX-License-Identifier: MIT */
/* account.h: what became of the records of a log shipper, in a file that index-records writes
 * and verify-logging reads, each as a user of its own.
 *
 * The counters go on over restarts and boots. While index-records runs it writes the file again
 * before `until_ms`: a file that is older belongs to a shipper that does not run, or hangs. */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include "indexer/complaint.h"
#include "indexer/destination.h"
#include "indexer/sources.h"

#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_WHY 300 /* bytes of a reason with NUL */

struct account {
    int64_t arrived;       /* records that Elasticsearch has taken */
    int64_t as_text;       /* of these, in INDEX-refused (bulk.h) */
    int64_t cut;           /* of these, too long: the rest of them is lost */
    int64_t waiting;       /* records that wait */
    int64_t since_ms;      /* boottime.h: they have waited for that reason since then, or longer */
    int64_t until_ms;      /* boottime.h; 0 of another boot */
    char why[ACCOUNT_WHY]; /* printable; "" they do not wait for any reason */
    char unread[SOURCES_TEXT];  /* sources.h: logs that cannot be read */
    char nothing[SOURCES_TEXT]; /* a glob without a file */
    char room[SOURCES_TEXT];    /* too little for the queue */
};

/* A file that is missing or damaged is an empty account. Not trusted: numbers are not negative,
 * texts printable. */
void account_read(const char *path, struct account *ret);

/* The writer's side. All-zero is no file: then nothing is written. */
struct account_file {
    const struct destination *to; /* borrowed; NULL: no file */
    int64_t looked_ms;            /* at the sources */
    struct account account;       /* the caller counts into it */
    struct complaint *complaint;  /* a file that cannot be written is told; borrowed */
};

/* Go on with the file of this destination, which stays where it is. What waited there is not known
 * any more. */
void account_open(struct account_file *file, const struct destination *to);

/* Write it, readable for all: so many wait, for this reason ("" none), and within next_ms it is
 * written again. account_alive() leaves the first two as they are. */
void account_note(struct account_file *file, size_t waiting, const char *why, int64_t next_ms);
void account_alive(struct account_file *file, int64_t next_ms);

/* Called three times as often while nothing is to be done; file: a struct account_file. */
#define ACCOUNT_ALIVE_MS 6000
void account_idle(void *file);

#endif
