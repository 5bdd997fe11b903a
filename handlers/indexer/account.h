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
#include "indexer/reading.h"
#include "indexer/sources.h"

#include <stddef.h>
#include <stdint.h>

#define ACCOUNT_WHY 300 /* bytes of a reason with NUL */

struct account {
    int64_t arrived;       /* lines that Elasticsearch has taken, each once */
    int64_t as_text;       /* of these, in INDEX-refused (bulk.h) */
    int64_t cut;           /* of these, too long: the rest of them is lost */
    int64_t waiting;       /* records that wait in the queue */
    int64_t lost;          /* records that were damaged in the queue */
    int64_t unread_bytes;  /* of the logs: not read yet */
    int64_t since_ms;      /* boottime.h: they have waited for that reason since then, or longer */
    int64_t until_ms;      /* boottime.h; 0 of another boot */
    char why[ACCOUNT_WHY]; /* printable; "" they do not wait for any reason */
    char stopped[ACCOUNT_WHY];  /* why no log is read on; "" they are */
    char unread[SOURCES_TEXT];  /* sources.h: logs that cannot be read */
    char stuck[SOURCES_TEXT];   /* reading.h: logs of which nothing is read any more */
    char nothing[SOURCES_TEXT]; /* a glob without a file */
    char room[SOURCES_TEXT];    /* too little for the queue */
};

/* A file that is missing or damaged is an empty account. Not trusted: numbers are not negative,
 * texts printable. */
void account_read(const char *path, struct account *ret);

/* The writer's side. All-zero is no file: then nothing is written. */
struct account_file {
    const struct destination *to;                        /* borrowed; NULL: no file */
    void (*refresh)(void *arg, struct account *account); /* called before each write; NULL: no */
    void *arg;
    int64_t looked_ms;           /* at the sources */
    struct reading reading;      /* for the process's life */
    struct account account;      /* the caller counts into it */
    struct complaint *complaint; /* a file that cannot be written is told; borrowed */
};

/* Go on with the file of this destination, which stays where it is. How many wait there is not known
 * any more, why and since when is as before, until account_note() says otherwise. */
void account_open(struct account_file *file, const struct destination *to);

/* Write it, readable for all, within next_ms it is written again: why records wait now ("" for no
 * reason). On a full disk the file's own blocks are used. account_alive() leaves the reason as it is. */
void account_note(struct account_file *file, const char *why, int64_t next_ms);
void account_alive(struct account_file *file, int64_t next_ms);

#define ACCOUNT_ALIVE_MS 6000 /* while nothing is to be done, it is written three times as often */

#endif
