/* SPDX-License-Identifier: MIT */
/* file_set.h: several files swapped as one.
 *
 * The claim: at every instant each file is old or new as a whole, and after
 * recovery the set is one revision, wherever and however often a run was killed.
 *
 *   file_set_stage     look at the destination, write .NAME.lictor-new next to it
 *   file_set_begin     copy every old file to .NAME.lictor-old, then the journal
 *   file_set_swap      rename .lictor-new over the destination (or remove it)
 *   file_set_commit    the journal goes away: from here on the new set counts
 *   file_set_clean     what is left next to the destinations goes away
 *
 * As long as the journal is there, file_set_roll_back() brings the old set back:
 *   .lictor-new there (to be removed: destination there)   was never swapped, stays
 *   else an old file existed, .lictor-old there             renamed back
 *   else an old file existed, no .lictor-old                was rolled back already
 *   else there was no old file                              destination is removed
 * A journal of no files says: all files are whole, but a reload is still owed. It takes
 * the place of a set that was rolled back, so that .lictor-old and .lictor-new mean
 * nothing any more.
 *
 * Copies, not hard links: a crash would leave a file with two names, and rename() of
 * two names of one file does nothing.
 *
 * The caller holds a lock on the journal's directory. */
#ifndef FILE_SET_H
#define FILE_SET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define FILE_SET_PATH     512       /* bytes of a destination's path with NUL */
#define FILE_SET_OLD_MAX  (1 << 20) /* bytes: a larger destination is none of ours */
#define FILE_SET_JOURNAL  "journal" /* its name in the journal's directory */
#define FILE_SET_MAX_SIZE 65536     /* bytes of the journal */

/* One file of the set. Set path and what it shall be; all else zero. */
struct file_set_entry {
    char path[FILE_SET_PATH]; /* destination, absolute */
    bool remove;              /* it shall not exist */
    const char *data;         /* else its contents (borrowed) ... */
    size_t len;               /* ... in bytes ... */
    mode_t mode;              /* ... and mode; it belongs to the running user */

    bool existed;     /* there is an old file (file_set_stage, file_set_load) */
    bool failed;      /* file_set_roll_back() could not bring it back */
    struct stat seen; /* the old file (private) */
};

/* Is the destination already what it shall be: contents, mode, owner, one name, no
 * extended ACL? */
bool file_set_is_right(const struct file_set_entry *file);

/* Step 2 of the swap. Every parent belongs to root or the running user and is not
 * writable by others; the new file gets the SELinux label of an old one. Returns 0, -EPERM
 * (parents, label), -ELOOP (destination is a link), -EMLINK (it has several names), -EINVAL
 * (no regular file), -ENOTSUP (it has an extended ACL, or its directory gives one), -EFBIG,
 * -ENOSPC, ... */
MUST_CHECK int file_set_stage(struct file_set_entry *file, struct error *err);

/* Where file_set_stage() has put the new contents, for a validator. Returns ret. */
#define FILE_SET_BESIDE (FILE_SET_PATH + 16)
const char *file_set_staged(const struct file_set_entry *file, char ret[FILE_SET_BESIDE]);

/* Steps 4 and 5. On failure no destination has changed, and file_set_clean() is enough: the
 * journal is the one before, or this one without meaning. n may be 0 (see above). */
MUST_CHECK int file_set_begin(const char *dir, const struct file_set_entry *files, size_t n,
                              struct error *err);

/* Step 6. Returns -ESTALE when a destination is not the file file_set_stage() saw: it is
 * somebody else's then and file_set_roll_back() leaves it alone. After any failure call
 * file_set_roll_back(). */
MUST_CHECK int file_set_swap(const struct file_set_entry *files, size_t n, struct error *err);

/* Returns 0, or negative errno of the first file that could not be brought back; all
 * are tried, and `failed` is set in those. May be repeated at any time. */
MUST_CHECK int file_set_roll_back(struct file_set_entry *files, size_t n, struct error *err);

/* Step 8, the moment that counts. No journal is no failure. */
MUST_CHECK int file_set_commit(const char *dir, struct error *err);

/* Remove .lictor-new and .lictor-old of these files. Not between
 * file_set_begin() and file_set_commit() or a journal of no files.
 */
void file_set_clean(const struct file_set_entry *files, size_t n);

/* The set of a journal that was left behind: path, remove, existed of each file.
 * Returns 0 with *ret (the caller free()s it), -ENOENT when there is none, -EBADMSG
 * when it is not a journal (the text says what to do). */
MUST_CHECK int file_set_load(const char *dir, struct file_set_entry **ret, size_t *ret_n,
                             struct error *err);

/* Between any two steps that matter. In test builds (limits.h) the environment variable
 * LICTOR_DIE_AT=<k> kills the process (SIGKILL) at the k-th of them; installed programs
 * hold no code for it. */
#ifdef TEST_LIMITS
void file_set_point(void);
#else
static inline void file_set_point(void)
{
}
#endif

#endif
