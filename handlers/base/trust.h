/* SPDX-License-Identifier: MIT */
/* trust.h: may nobody but root and the running user change what a path leads to? */
#ifndef TRUST_H
#define TRUST_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>

/* Test a file or a directory: it and every parent directory must belong to root or to the
 * running user and must not be writable by anybody else (root's sticky directories may
 * be), and none may be a symbolic link. path must be absolute, else -EINVAL.
 * Returns 0, -EPERM with a text that names the offending path and what to do, or the
 * negative errno of open(2). */
MUST_CHECK int trust_path(const char *path, struct error *err);

/* Test a program: links are followed (Debian's /bin is one) and judged by their owner and
 * the directories they are in. It must be executable for us, else -EACCES. */
MUST_CHECK int trust_program(const char *path, struct error *err);

/* Test a file that decides what runs as us, and append the very file that was tested to
 * *buf. Returns as trust_path() and file_read(). */
MUST_CHECK int trust_read(const char *path, struct buffer *buf, struct error *err);

/* Who besides root and the user may change what a path leads to; in order of severity. */
enum trust_writer { TRUST_NOBODY, TRUST_OWNER, TRUST_GROUP, TRUST_EVERYBODY };

struct trust_report {
    enum trust_writer writer; /* the worst on the way, parents and links included */
    char place[4096];         /* where that is; "" with TRUST_NOBODY */
    unsigned owner;           /* whose that is */
    bool readable;            /* everybody may read the file */
};

/* Look at a path as trust_program() does, for this user instead of the running one, and tell what
 * was found instead of refusing it. Returns 0, -EINVAL for one that is not absolute, or the
 * negative errno of what could not be looked at, with a text. */
MUST_CHECK int trust_look(const char *path, unsigned user, struct trust_report *ret,
                          struct error *err);

/* Is dir a state directory of ours: a directory, owned by the running user, not
 * accessible by others? A program run by hand as another user gets false and then
 * keeps no state and publishes nothing. */
bool trust_own_directory(const char *dir);

#endif
