/* journal.h: several files swapped as one.
 *
 * The claim: at every instant each file is old or new as a whole, and after
 * recovery the set is one revision, wherever and however often a run was killed.
 *
 *   journal_stage     look at the destination, write .NAME.lictor-new beside it
 *   journal_begin     copy every old file to .NAME.lictor-old, then the journal
 *   journal_swap      rename .lictor-new over the destination (or remove it)
 *   journal_commit    the journal goes away: from here on the new set counts
 *   journal_clean     what is left beside the destinations goes away
 *
 * As long as the journal is there, journal_roll_back() brings the old set back:
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
#ifndef JOURNAL_H
#define JOURNAL_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define JOURNAL_PATH     512       /* bytes of a destination's path with NUL */
#define JOURNAL_OLD_MAX  (1 << 20) /* bytes: a larger destination is none of ours */
#define JOURNAL_FILE     "journal" /* its name in the journal's directory */
#define JOURNAL_MAX_SIZE 65536     /* bytes of the journal */

/* One file of the set. Set path and what it shall be; all else zero. */
struct journal_file {
    char path[JOURNAL_PATH]; /* destination, absolute */
    bool remove;             /* it shall not exist */
    const char *data;        /* else its contents (borrowed) ... */
    size_t len;              /* ... in bytes ... */
    mode_t mode;             /* ... and mode; it belongs to the running user */

    bool existed;     /* there is an old file (journal_stage, journal_load) */
    bool failed;      /* journal_roll_back() could not bring it back */
    struct stat seen; /* the old file (private) */
};

/* Is the destination already what it shall be: contents, mode, owner, one name, no
 * extended ACL? */
bool journal_is_right(const struct journal_file *file);

/* Step 2 of the swap. Every parent belongs to root or the running user and is not
 * writable by others; the new file gets the SELinux label of an old one. Returns 0, -EPERM
 * (parents, label), -ELOOP (destination is a link), -EMLINK (it has several names), -EINVAL
 * (no regular file), -ENOTSUP (it has an extended ACL, or its directory gives one), -EFBIG,
 * -ENOSPC, ... */
MUST_CHECK int journal_stage(struct journal_file *file, struct error *err);

/* Where journal_stage() has put the new contents, for a validator. Returns ret. */
#define JOURNAL_BESIDE (JOURNAL_PATH + 16)
const char *journal_staged(const struct journal_file *file, char ret[JOURNAL_BESIDE]);

/* Steps 4 and 5. On failure no destination has changed, and journal_clean() is enough: the
 * journal is the one before, or this one without meaning. n may be 0 (see above). */
MUST_CHECK int journal_begin(const char *dir, const struct journal_file *files,
                             size_t n, struct error *err);

/* Step 6. Returns -ESTALE when a destination is not the file journal_stage() saw: it is
 * somebody else's then and journal_roll_back() leaves it alone. After any failure call
 * journal_roll_back(). */
MUST_CHECK int journal_swap(const struct journal_file *files, size_t n,
                            struct error *err);

/* Returns 0, or negative errno of the first file that could not be brought back; all
 * are tried, and `failed` is set in those. May be repeated at any time. */
MUST_CHECK int journal_roll_back(struct journal_file *files, size_t n,
                                 struct error *err);

/* Step 8, the moment that counts. No journal is no failure. */
MUST_CHECK int journal_commit(const char *dir, struct error *err);

/* Remove .lictor-new and .lictor-old of these files. Not between
 * journal_begin() and journal_commit() or a journal of no files.
 */
void journal_clean(const struct journal_file *files, size_t n);

/* The set of a journal that was left behind: path, remove, existed of each file.
 * Returns 0 with *ret (the caller free()s it), -ENOENT when there is none, -EBADMSG
 * when it is not a journal (the text says what to do). */
MUST_CHECK int journal_load(const char *dir, struct journal_file **ret, size_t *ret_n,
                            struct error *err);

/* Between any two steps that matter. In test builds (timing.h) the environment variable
 * LICTOR_DIE_AT=<k> kills the process (SIGKILL) at the k-th of them; installed programs
 * hold no code for it. */
#ifdef TEST_TIMING
void journal_point(void);
#else
static inline void journal_point(void)
{
}
#endif

#endif
