/* SPDX-License-Identifier: MIT */
/* digest.h: SHA-256 in hex, of one text or of several parts. */
#ifndef DIGEST_H
#define DIGEST_H

#include <sha2.h>
#include <stddef.h>

#define DIGEST_TEXT 65 /* bytes: 64 hex digits and NUL */

struct digest {
    SHA2_CTX sha; /* private */
};

void digest_begin(struct digest *digest);
void digest_add(struct digest *digest, const void *bytes, size_t n);
void digest_end(struct digest *digest, char ret[DIGEST_TEXT]);

/* Of n bytes, as sha256sum(1) has it. */
void digest_of(const void *bytes, size_t n, char ret[DIGEST_TEXT]);

#endif
