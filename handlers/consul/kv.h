/* SPDX-License-Identifier: MIT */
/* kv.h: KV entries as Consul writes them, in a watch payload and in an HTTP answer:
 * [{"Key":..,"Value":base64|null,"ModifyIndex":..,...}], null, or one such object.
 * Source: consul api/kv.go. No I/O and no libcurl in here. */
#ifndef KV_H
#define KV_H

#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* One entry. value is NUL-terminated at value[len] and may hold NULs before that. */
struct kv_entry {
    char *key;
    char *value;
    size_t len;            /* bytes of value */
    uint64_t modify_index; /* raft index, for check-and-set */
};

/* A key as it was at one moment: each change gives it another index. */
struct kv_version {
    const char *key; /* borrowed */
    uint64_t modify_index;
};

/* All-zero is a valid empty list. Entries keep Consul's order (by key). */
struct kv_list {
    struct kv_entry *entries;
    size_t n;
};

/* Append what `root` holds (array, object or null). Returns 0, -EBADMSG when it is
 * something else or a value is not base64, -ENOMEM; on failure the list is as it was. */
MUST_CHECK int kv_parse(const cJSON *root, struct kv_list *list, struct error *err);

/* The same of JSON as text, in which U+FFFD takes the place of U+0000: whoever may write a key may
 * give it such a name. what: begins the sentence about what is not JSON. */
MUST_CHECK int kv_parse_text(struct buffer *text, const char *what, struct kv_list *list,
                             struct error *err);

#define KV_NAME 100 /* bytes of a key as people see it */

/* Which entry of this text takes most of it? For an answer that is too large, so the text may end
 * anywhere. Returns the bytes of its value, about, and its key, printable and cut; 0 and "" when
 * there is no entry. */
size_t kv_largest(const char *text, size_t len, char ret[KV_NAME]);

/* Append one entry (copied). Returns 0 or -ENOMEM. */
MUST_CHECK int kv_add(struct kv_list *list, const char *key, const void *value, size_t len,
                      uint64_t modify_index);

/* Give key this value (copied), in its place or appended; take key out if it is there.
 * Returns 0 or -ENOMEM. */
MUST_CHECK int kv_set(struct kv_list *list, const char *key, const char *value);
void kv_remove(struct kv_list *list, const char *key);

/* The entry with that key, or NULL. Borrowed. */
const struct kv_entry *kv_find(const struct kv_list *list, const char *key);

void kv_release(struct kv_list *list);

#define KV_DIGEST 65 /* bytes: 64 hex digits and NUL */

/* SHA-256 in hex over key and value of all entries whose key begins with `prefix`,
 * each part with its length in front, in order of the keys (the list's own order does
 * not matter). Indexes do not count: the same words, the same digest. */
MUST_CHECK int kv_digest(const struct kv_list *list, const char *prefix, char ret[KV_DIGEST],
                         struct error *err);

#endif
