/* SPDX-License-Identifier: MIT */
#include "consul/kv.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Append; takes the value over. */
static int append_entry(struct kv_list *list, const char *key, char *value, size_t len,
                        uint64_t modify_index)
{
    struct kv_entry *grown = value ? reallocarray(list->entries, list->n + 1, sizeof *grown) : NULL;
    char *copy = grown ? strdup(key) : NULL;
    if (grown)
        list->entries = grown;
    if (!copy) {
        free(value);
        return -ENOMEM;
    }
    grown[list->n++] = (struct kv_entry){copy, value, len, modify_index};
    return 0;
}

int kv_add(struct kv_list *list, const char *key, const void *value, size_t len,
           uint64_t modify_index)
{
    char *copy = malloc(len + 1);
    if (copy && len > 0)
        memcpy(copy, value, len);
    if (copy)
        copy[len] = '\0';
    return append_entry(list, key, copy, len, modify_index);
}

static int parse_entry(const cJSON *object, struct kv_list *list, struct error *err)
{
    const char *key = NULL;
    const char *text = "";
    char *value = NULL;
    size_t len = 0;
    int64_t index = 0;
    int rc = json_string(object, "Key", &key, err);
    if (rc == 0)
        rc = json_integer(object, "ModifyIndex", &index, err);
    if (rc < 0 || index < 0)
        return error_set(err, -EBADMSG, "not a KV entry as Consul writes it");
    rc = json_string(object, "Value", &text, NULL);
    if (rc == 0 || rc == -ENOENT) /* null is how Consul writes an empty value */
        rc = base64_decode(text, &value, &len);
    if (rc == 0)
        rc = append_entry(list, key, value, len, (uint64_t)index);
    return rc < 0 ? error_set(err, rc, "KV entry %s: %s", key,
                              rc == -ENOMEM ? "out of memory" : "value is not base64")
                  : 0;
}

static void cut(struct kv_list *list, size_t n)
{
    while (list->n > n) {
        free(list->entries[--list->n].key);
        free(list->entries[list->n].value);
    }
}

int kv_parse(const cJSON *root, struct kv_list *list, struct error *err)
{
    if (cJSON_IsNull(root))
        return 0;
    if (cJSON_IsObject(root))
        return parse_entry(root, list, err);
    if (!cJSON_IsArray(root))
        return error_set(err, -EBADMSG, "not a list of KV entries");
    size_t before = list->n;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, root)
    {
        int rc = parse_entry(item, list, err);
        if (rc < 0) {
            cut(list, before);
            return rc;
        }
    }
    return 0;
}

int kv_parse_text(struct buffer *text, const char *what, struct kv_list *list, struct error *err)
{
    cJSON *root = NULL;
    if (text->len > 0)
        json_replace_nul(text->data, text->len);
    int rc = json_parse(buffer_text(text), text->len, what, &root, err);
    if (rc == 0)
        rc = kv_parse(root, list, err);
    cJSON_Delete(root);
    return rc;
}

/* Neither a value, which is base64, nor a key, whose quotes are escaped, can hold the mark. */
size_t kv_largest(const char *text, size_t len, char ret[KV_NAME])
{
    static const char mark[] = "\"Key\":\"";
    const char *end = text + len;
    const char *name = memmem(text, len, mark, sizeof mark - 1);
    size_t most = 0;
    ret[0] = '\0';
    while (name) {
        name += sizeof mark - 1;
        const char *next = memmem(name, (size_t)(end - name), mark, sizeof mark - 1);
        size_t size = (size_t)((next ? next : end) - name);
        const char *quote = memchr(name, '"', size);
        if (size > most && quote) {
            text_copy_bytes(ret, KV_NAME, name, (size_t)(quote - name));
            most = size;
        }
        name = next;
    }
    return most / 4 * 3;
}

const struct kv_entry *kv_find(const struct kv_list *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->entries[i].key, key) == 0)
            return &list->entries[i];
    }
    return NULL;
}

int kv_set(struct kv_list *list, const char *key, const char *value)
{
    for (size_t i = 0; i < list->n; i++) {
        struct kv_entry *entry = &list->entries[i];
        if (strcmp(entry->key, key) != 0)
            continue;
        char *copy = strdup(value);
        if (!copy)
            return -ENOMEM;
        free(entry->value);
        entry->value = copy;
        entry->len = strlen(copy);
        return 0;
    }
    return kv_add(list, key, value, strlen(value), 0);
}

void kv_remove(struct kv_list *list, const char *key)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct kv_entry *entry = &list->entries[i];
        if (strcmp(entry->key, key) != 0) {
            list->entries[kept++] = *entry;
            continue;
        }
        free(entry->key);
        free(entry->value);
    }
    list->n = kept;
}

void kv_release(struct kv_list *list)
{
    cut(list, 0);
    free(list->entries);
    *list = (struct kv_list){0};
}

static int by_key(const void *a, const void *b)
{
    const struct kv_entry *left = a;
    const struct kv_entry *right = b;
    return strcmp(left->key, right->key);
}

static void hash_part(struct digest *digest, const void *bytes, size_t n)
{
    uint64_t len = htole64(n);
    digest_add(digest, &len, sizeof len);
    digest_add(digest, bytes, n);
}

int kv_digest(const struct kv_list *list, const char *prefix, char ret[KV_DIGEST],
              struct error *err)
{
    struct digest digest;
    size_t n = 0;
    struct kv_entry *sorted = calloc(list->n + 1, sizeof *sorted);
    if (!sorted)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < list->n; i++) {
        if (strncmp(list->entries[i].key, prefix, strlen(prefix)) == 0)
            sorted[n++] = list->entries[i];
    }
    qsort(sorted, n, sizeof *sorted, by_key);
    digest_begin(&digest);
    for (size_t i = 0; i < n; i++) {
        hash_part(&digest, sorted[i].key, strlen(sorted[i].key));
        hash_part(&digest, sorted[i].value, sorted[i].len);
    }
    digest_end(&digest, ret);
    free(sorted);
    return 0;
}
