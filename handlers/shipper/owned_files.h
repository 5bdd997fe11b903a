/* SPDX-License-Identifier: MIT */
/* owned_files.h: what we have put into the destinations, to know it again: <dir>/applied.json.
 *
 * Of each file the digest of what we put there last and of what we found there then, unless
 * that was known to be somebody else's: one of the two is there, wherever a run was killed
 * or rolled back. Anything else is somebody else's. A lost record only means that nothing
 * is known. */
#ifndef OWNED_FILES_H
#define OWNED_FILES_H

#include "base/digest.h"
#include "base/error.h"
#include "shipper/file_set.h"

#include <stdbool.h>
#include <stddef.h>

#define OWNED_FILES_FILE "applied.json"
#define OWNED_FILES_MAX  32  /* files */
#define OWNED_FILES_NONE "-" /* in the place of a digest: there is no file, or not known */

struct owned_file {
    char path[FILE_SET_PATH];
    char last[DIGEST_TEXT];
    char before[DIGEST_TEXT]; /* "" nothing of ours */
    bool secret;              /* one of the two holds secrets */
};

/* All-zero is empty. */
struct owned_files {
    struct owned_file file[OWNED_FILES_MAX];
    size_t n;
};

/* What is in the file now: its digest, or OWNED_FILES_NONE without a regular file of at
 * most FILE_SET_OLD_MAX bytes. Returns ret. */
const char *owned_files_look(const char *path, char ret[DIGEST_TEXT]);

/* Missing, unreadable or not ours: empty. */
void owned_files_read(const char *dir, struct owned_files *ret);

/* durable: before something is put there; it must not be older than that after a crash. */
MUST_CHECK int owned_files_write(const char *dir, const struct owned_files *applied, bool durable,
                                 struct error *err);

/* What is known of that file, or NULL. Borrowed. */
const struct owned_file *owned_files_find(const struct owned_files *applied, const char *path);

/* Is `present` (owned_files_look()) something else than what we put there? False where
 * nothing is known. */
bool owned_files_foreign(const struct owned_files *applied, const char *path, const char *present);

/* Forget all files but those of these paths. */
void owned_files_keep(struct owned_files *applied, const struct file_set_entry *files, size_t n);

/* Note that `path` is going to hold `wanted` (a digest, or OWNED_FILES_NONE), which holds
 * secrets or not, where `present` is now: before it is put there, and with `wanted` for
 * `present` once it is. Returns whether that is news (0 or 1), -ENOSPC
 * beyond OWNED_FILES_MAX files. */
MUST_CHECK int owned_files_note(struct owned_files *applied, const char *path, const char *wanted,
                                bool secret, const char *present);

#endif
