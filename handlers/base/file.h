/* file.h: reading with a ceiling, atomic replacing, locking, and who may write. */
#ifndef FILE_H
#define FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Append the whole file to *buf. Returns 0, -ENOENT, -EMSGSIZE (ceiling), or another
 * negative errno; the text names the path. Refuses what is no regular file
 * (-EINVAL), so a FIFO cannot hang us. */
MUST_CHECK int file_read(const char *path, struct buffer *buf, struct error *err);

/* The same for a file that decides what runs as us: it and every parent directory must
 * belong to root or to the running user and must not be writable by anybody else
 * (root's sticky directories may be), and none may be a symbolic link.
 * Returns -EPERM with a text that names the offending path and what to do. */
MUST_CHECK int file_read_trusted(const char *path, struct buffer *buf, struct error *err);

/* The test alone, for a path that may be a file or a directory; and for a program: there
 * links are followed (Debian's /bin is one) and judged by their owner and the directories
 * they stand in. A program must be executable for us, else -EACCES. */
MUST_CHECK int file_trusted(const char *path, struct error *err);
MUST_CHECK int file_trusted_program(const char *path, struct error *err);

/* Replace the file at once: temporary file beside it (O_EXCL), write, fchmod, rename;
 * with `durable` also fsync of file and directory. A reader sees old or new, whole.
 * Returns 0 or negative errno (-ENOSPC, ...); then the old file is as it was, unless only
 * the fsync of the directory failed. What a killed writer left (.NAME.lictor-tmp.PID) is
 * removed by the next one a minute later. */
MUST_CHECK int file_replace(const char *path, const void *data, size_t len, mode_t mode,
                            bool durable, struct error *err);

/* Take an exclusive lock on path (created 0600), waiting at most wait_ms (0: do not).
 * Returns an fd >= 0 (close it with file_unlock), -EWOULDBLOCK when held by another
 * for all that time, or another negative errno. The lock ends with the process; the fd
 * is close-on-exec. */
MUST_CHECK int file_lock(const char *path, int64_t wait_ms, struct error *err);
void file_unlock(int fd);

/* Is dir a state directory of ours: a directory, owned by the running user, not
 * accessible by others? A program run by hand as another user gets false and then
 * keeps no state and publishes nothing. */
bool file_own_directory(const char *dir);

/* dir + "/" + name. Returns 0 or -ENAMETOOLONG. */
MUST_CHECK int file_path(char *ret, size_t size, const char *dir, const char *name,
                         struct error *err);

#endif
