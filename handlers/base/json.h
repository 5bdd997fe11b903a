/* SPDX-License-Identifier: MIT */
/* json.h: cJSON with types, limits and paths in the error text.
 *
 * Callers build JSON with cJSON's own functions and read it with these. Unknown
 * members are always accepted. Numbers are doubles: exact up to 2^53. */
#ifndef JSON_H
#define JSON_H

#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What a value costs is not what its text has: "0," becomes 80 bytes. Nothing that is read here has
 * as many values, or is nested so deep. */
#define JSON_VALUES 50000
#define JSON_DEPTH  50

/* Parse a whole document. `what` names it in the text ("watch payload", a path).
 * Returns 0 with *ret_root (free with cJSON_Delete), -EBADMSG when it is not JSON (cJSON
 * reports a lack of memory so, too), has anything but white space after it, or holds
 * U+0000, escaped or not; -EMSGSIZE when it has more values than JSON_VALUES or is nested deeper
 * than JSON_DEPTH, before anything is made of it. */
MUST_CHECK int json_parse(const char *text, size_t len, const char *what, cJSON **ret_root,
                          struct error *err);

/* Put U+FFFD in the place of every escaped U+0000, for texts in which others choose the names. */
void json_replace_nul(char *text, size_t len);

/* A member of an object, by exact name. Each returns 0, -ENOENT when missing or null,
 * -EBADMSG for another type or range; the text names the member. Strings are borrowed. */
MUST_CHECK int json_string(const cJSON *object, const char *name, const char **ret,
                           struct error *err);
MUST_CHECK int json_integer(const cJSON *object, const char *name, int64_t *ret, struct error *err);

/* An array of at most `most` integers, *ret_n of them in ret; on failure as above. */
MUST_CHECK int json_integers(const cJSON *object, const char *name, int64_t *ret, size_t most,
                             size_t *ret_n, struct error *err);
MUST_CHECK int json_boolean(const cJSON *object, const char *name, bool *ret, struct error *err);
MUST_CHECK int json_array(const cJSON *object, const char *name, const cJSON **ret,
                          struct error *err);
MUST_CHECK int json_object(const cJSON *object, const char *name, const cJSON **ret,
                           struct error *err);

/* Is every member one of names[n], and given once? A misspelt one would otherwise have no effect,
 * and cJSON finds the first of two. Returns 0, -ENOENT or -EEXIST with *ret_name, borrowed. */
MUST_CHECK int json_members(const cJSON *object, const char *const *names, size_t n,
                            const char **ret_name);

/* Print root, which is freed; whole: nothing failed while it was built. NULL: out of memory, else
 * to be freed with cJSON_free(). The second appends it to a buffer: 0, -EMSGSIZE or -ENOMEM. */
char *json_print(cJSON *root, bool whole);
MUST_CHECK int json_append(struct buffer *out, cJSON *root, bool whole);

/* Add a whole number, or an array of n, digit for digit; one beyond +-2^53, which could not be read
 * again, becomes that. False: out of memory. */
bool json_add_integer(cJSON *object, const char *name, int64_t number);
bool json_add_integers(cJSON *object, const char *name, const int64_t *numbers, size_t n);

/* The string member, or `otherwise` when it is missing or no string. Borrowed. */
const char *json_text(const cJSON *object, const char *name, const char *otherwise);

#endif
