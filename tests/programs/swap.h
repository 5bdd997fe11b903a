/* SPDX-License-Identifier: MIT */
/* swap.h: a set of four files to be swapped by file_set, for its tests. In a fresh directory each
 * (scratch.h): dir/ for the journal, dest/ for the files. */
#ifndef SWAP_H
#define SWAP_H

#include "shipper/file_set.h"

#include <stddef.h>

#define SWAP_OLD   "old contents\n"
#define SWAP_NEW   "new contents, longer than the old ones\n"
#define SWAP_FILES 4

extern char swap_dir[160];

/* Changed, new, removed, removed though it is not there. */
extern struct file_set_entry swap_set[SWAP_FILES];

int swap_set_up(void **state);

/* The set, and the files, as they are at the beginning. */
void swap_reset(void);
void swap_old_state(void);

/* The text of a file, "" when it is not there; static. How many entries a directory has. The path
 * of a file of the set; static. */
const char *swap_text(const char *path);
size_t swap_entries(const char *path);
char *swap_dest(const char *name);

/* All old, all new; each one old or new, as a whole. */
void swap_assert_old(void);
void swap_assert_new(void);
void swap_assert_whole(void);

/* What a run does about files; recover returns 1 when it found a journal. */
MUST_CHECK int swap_stage_all(struct error *err);
int swap_recover(void);
void swap_apply(void);

#endif
