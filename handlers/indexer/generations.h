/* SPDX-License-Identifier: MIT */
/* generations.h: an id for each line that is read, of the file it stood in: two lines with the
 * same text are two documents, and a line that is read or sent again is still one.
 *
 * A line is known by its file's name without rotation, its offset and a hash of its text. Two
 * files of one name, one after the other, may begin with the same lines: so a file has a
 * generation, a random number, which begins with the line at offset 0. Those of the last files
 * are kept over restarts.
 *
 * After a kill the program that hands the lines over reads again what it had not noted as read: as a rule
 * the last lines, at times a rotated file as a whole. A line that was taken before (recent.h) is the same
 * one. A first line among them may be that of a new file, though, which begins with the same words: so it
 * must be one of the last GENERATIONS_BATCH, and no new line of its file may have come before it; or it
 * stands in a file which has another name by now.
 */
#ifndef GENERATIONS_H
#define GENERATIONS_H

#include "indexer/complaint.h"
#include "indexer/recent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATIONS_FILES 256  /* those begun last */
#define GENERATIONS_SAME  8    /* of one name, at most */
#define GENERATIONS_BATCH 1024 /* lines of a file that rsyslogd reads before it notes them */
#define GENERATIONS_ROOM  16   /* hex digits of a generation, in an id */

struct generation {
    uint64_t file;   /* hash of its name; 0 none */
    uint64_t path;   /* hash of the path it had at its first line */
    uint64_t number; /* random */
    uint64_t begun;  /* number of its first line (queue.h) */
    bool goes_on;    /* a new line of it has come since the start */
};

/* All-zero is empty. */
struct generations {
    char path[1100]; /* where it is kept */
    struct generation of[GENERATIONS_FILES];
    int64_t start_ms; /* boottime.h */
    uint64_t next;    /* number of the first line after the start */
    struct recent recent;
    bool open;
    struct complaint *complaint; /* a file that cannot be written is told; borrowed */
};

/* Read what is kept in <queue>.generations, once, and which ids the queue has; missing or damaged is empty.
 * next: the number of the next line. */
void generations_open(struct generations *g, const char *queue, int64_t next);
void generations_release(struct generations *g);

/* Complete the id at the begin of a line, "~FILE-OFFSET-HASH-PATH-................<tab>": the first four are
 * decimal numbers of 64 bits, with a sign. PATH goes, the points become the generation; what does
 * not look so stays as it is. number: of the line. Returns whether it was taken before the start. */
bool generations_complete(struct generations *g, int64_t number, char *line, size_t *len);

#endif
