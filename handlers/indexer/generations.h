/* SPDX-License-Identifier: MIT */
/* generations.h: an id for each line that is read, of the file it stood in: two lines with the
 * same text are two documents, and a line that is read or sent again is still one.
 *
 * A line is known by its file's name without rotation, its offset and a hash of its text. Two
 * files of one name, one after the other, may begin with the same lines: so a file has a
 * generation, a random number, which begins with the line at offset 0. Those of the last files
 * are kept over restarts.
 *
 * The program that hands the lines over sends a batch again when this one was ended: in the
 * first lines after a start, within half a minute, a known first line may come again, once. */
#ifndef GENERATIONS_H
#define GENERATIONS_H

#include "indexer/complaint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATIONS_FILES 256 /* the names used last */
#define GENERATIONS_BATCH 256 /* lines that may be sent again after a start */
#define GENERATIONS_ROOM  16  /* hex digits of a generation, in an id */

struct generation {
    uint64_t file;   /* hash of its name; 0 none */
    uint64_t first;  /* hash of its first line */
    uint64_t number; /* random */
    uint64_t used;   /* the larger, the later */
    bool kept;       /* begun before this start, and its first line has not come again */
};

/* All-zero is empty. */
struct generations {
    char path[1100]; /* where it is kept */
    struct generation of[GENERATIONS_FILES];
    uint64_t lines;   /* which have come since the start */
    int64_t start_ms; /* boottime.h */
    bool open;
    struct complaint *complaint; /* a file that cannot be written is told; borrowed */
};

/* Read what is kept in <beside>.generations, once; missing or damaged is empty. */
void generations_open(struct generations *g, const char *beside);

/* May what comes now have been taken before the start? */
bool generations_young(const struct generations *g);

/* Complete the id at the begin of a line, "~FILE-OFFSET-HASH-................<tab>": FILE and HASH
 * are decimal numbers of 64 bits, with a sign. Its points become the generation; what does not look so stays
 * as it is. Returns whether it did. */
bool generations_complete(struct generations *g, char *line, size_t len);

#endif
