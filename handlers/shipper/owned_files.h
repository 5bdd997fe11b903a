/* applied.h: what we have put into the destinations, to know it again: <dir>/applied.json.
 *
 * Of each file the digest of what we put there last and of what we found there then, unless
 * that was known to be somebody else's: one of the two is there, wherever a run was killed
 * or rolled back. Anything else is somebody else's. A lost record only means that nothing
 * is known. */
#ifndef APPLIED_H
#define APPLIED_H

#include "base/digest.h"
#include "base/error.h"
#include "shipper/file_set.h"

#include <stdbool.h>
#include <stddef.h>

#define APPLIED_FILE "applied.json"
#define APPLIED_MAX  32  /* files */
#define APPLIED_NONE "-" /* in the place of a digest: there is no file, or not known */

struct applied_file {
    char path[JOURNAL_PATH];
    char last[DIGEST_TEXT];
    char before[DIGEST_TEXT]; /* "" nothing of ours */
    bool secret;              /* one of the two holds secrets */
};

/* All-zero is empty. */
struct applied {
    struct applied_file file[APPLIED_MAX];
    size_t n;
};

/* What stands in the file now: its digest, or APPLIED_NONE without a regular file of at
 * most JOURNAL_OLD_MAX bytes. Returns ret. */
const char *applied_look(const char *path, char ret[DIGEST_TEXT]);

/* Missing, unreadable or not ours: empty. */
void applied_read(const char *dir, struct applied *ret);

/* durable: before something is put there; it must not be older than that after a crash. */
MUST_CHECK int applied_write(const char *dir, const struct applied *applied,
                             bool durable, struct error *err);

/* What is known of that file, or NULL. Borrowed. */
const struct applied_file *applied_find(const struct applied *applied,
                                        const char *path);

/* Is `present` (applied_look()) something else than what we put there? False where
 * nothing is known. */
bool applied_foreign(const struct applied *applied, const char *path,
                     const char *present);

/* Forget all files but those of these paths. */
void applied_keep(struct applied *applied, const struct journal_file *files, size_t n);

/* Note that `path` is going to hold `wanted` (a digest, or APPLIED_NONE), which holds
 * secrets or not, where `present` is now: before it is put there, and with `wanted` for
 * `present` once it is. Returns whether that is news (0 or 1), -ENOSPC
 * beyond APPLIED_MAX files. */
MUST_CHECK int applied_note(struct applied *applied, const char *path,
                            const char *wanted, bool secret, const char *present);

#endif
