/* SPDX-License-Identifier: MIT */
/* base64.h: the standard alphabet, with padding (RFC 4648 section 4). */
#ifndef BASE64_H
#define BASE64_H

#include "base/error.h"

#include <stddef.h>

/* Of n bytes; the caller free()s it. NULL when out of memory. */
char *base64_encode(const void *bytes, size_t n);

/* And back. Returns 0 with *ret, NUL-terminated, which the caller free()s, -EBADMSG when
 * it is not base64 with its padding, -ENOMEM. */
MUST_CHECK int base64_decode(const char *text, char **ret, size_t *ret_len);

#endif
