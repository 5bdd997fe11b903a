/* SPDX-License-Identifier: MIT */
/* file.h: reading with a ceiling, atomic replacing, locking. */
#ifndef FILE_H
#define FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FILE_PATH 4096 /* bytes of a path with NUL: PATH_MAX */

/* Append the whole file to *buf. Returns 0, -ENOENT, -EMSGSIZE (ceiling), or another
 * negative errno; the text names the path. Refuses what is no regular file
 * (-EINVAL), so a FIFO cannot hang us. */
MUST_CHECK int file_read(const char *path, struct buffer *buf, struct error *err);

/* The same from an open fd, which is closed; path is for texts. */
MUST_CHECK int file_read_open(int fd, const char *path, struct buffer *buf, struct error *err);

/* Write all of it, whatever interrupts. Returns 0 or the negative errno of write(2); then a
 * part may have been written. */
MUST_CHECK int file_write(int fd, const void *bytes, size_t len);

/* Replace the file at once: temporary file next to it (O_EXCL), write, fchmod, rename;
 * with `durable` also fsync of file and directory. A reader sees old or new, whole.
 * Returns 0 or negative errno (-ENOSPC, ...); then the old file is as it was, unless only
 * the fsync of the directory failed. What a killed writer left (.NAME.lictor-tmp.PID) is
 * removed by the next one a minute later. */
MUST_CHECK int file_replace(const char *path, const void *data, size_t len, mode_t mode,
                            bool durable, struct error *err);

/* The same for a text, with blanks behind it up to size bytes, without fsync. On a full disk it is
 * written over what is there, which has as many: then a reader may see a damaged one.
 * -EMSGSIZE when it is longer. */
MUST_CHECK int file_replace_padded(const char *path, const char *text, size_t size, mode_t mode,
                                   struct error *err);

/* Take an exclusive lock on path (created 0600), waiting at most wait_ms (0: do not).
 * Returns an fd >= 0 (close it with file_unlock), -EWOULDBLOCK when held by another
 * for all that time, or another negative errno. The lock ends with the process; the fd
 * is close-on-exec. */
MUST_CHECK int file_lock(const char *path, int64_t wait_ms, struct error *err);
void file_unlock(int fd);

/* dir + "/" + name. Returns 0 or -ENAMETOOLONG. */
MUST_CHECK int file_path(char *ret, size_t size, const char *dir, const char *name,
                         struct error *err);

#endif
