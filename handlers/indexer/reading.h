/* SPDX-License-Identifier: MIT */
/* reading.h: how far the log shipper has read its files, by the positions that rsyslogd's imfile keeps on disk
 * (one file for each log, "imfile-state:INODE" or "imfile-state:INODE:HASH", JSON with "curr_offs"). It writes them
 * when the lines before have been taken. */
#ifndef READING_H
#define READING_H

#include "indexer/destination.h"
#include "indexer/sources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READING_FILES 16384 /* at most; more are not looked at */

struct reading_file {
    uint64_t inode;
    int64_t size, at; /* bytes; at: up to here it is read */
    int64_t since_ms; /* boottime.h: there is something to read, and `at` has not moved since */
    char *path;       /* owned */
};

/* All-zero: nothing was looked at yet. */
struct reading {
    struct reading_file *file; /* by inode */
    size_t n;
};

/* Compare the files of a destination with their positions, again and again. halted: no log is read on for a reason that is
 * told elsewhere. Nothing to do where the destination names no positions.
 *
 * ret_bytes  how much is not read yet
 * ret_stuck  printable: a file which has whole lines and of which nothing was read for
 *            limits()->still_ms; "" none */
void reading_look(struct reading *reading, const struct destination *to, bool halted,
                  int64_t now_ms, int64_t *ret_bytes, char ret_stuck[SOURCES_TEXT]);
void reading_release(struct reading *reading);

#endif
