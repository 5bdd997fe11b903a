/* SPDX-License-Identifier: MIT */
#include "base/digest.h"

#include <stdint.h>

void digest_begin(struct digest *digest)
{
    SHA256Init(&digest->sha);
}

void digest_add(struct digest *digest, const void *bytes, size_t n)
{
    SHA256Update(&digest->sha, (const uint8_t *)bytes, n);
}

void digest_end(struct digest *digest, char ret[DIGEST_TEXT])
{
    (void)SHA256End(&digest->sha, ret);
}

void digest_of(const void *bytes, size_t n, char ret[DIGEST_TEXT])
{
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, bytes, n);
    digest_end(&digest, ret);
}
