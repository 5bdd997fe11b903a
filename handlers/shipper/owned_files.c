/* SPDX-License-Identifier: MIT */
#include "shipper/owned_files.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *owned_files_look(const char *path, char ret[DIGEST_TEXT])
{
    struct buffer text = BUFFER_INIT(FILE_SET_OLD_MAX);
    struct error ignored = {0};
    (void)snprintf(ret, DIGEST_TEXT, "%s", OWNED_FILES_NONE);
    if (file_read(path, &text, &ignored) == 0)
        digest_of(buffer_text(&text), text.len, ret);
    buffer_wipe(&text);
    return ret;
}

/* ---- the record ---------------------------------------------------------- */

static void load_file(const cJSON *entry, struct owned_files *ret)
{
    struct owned_file *file = &ret->file[ret->n];
    struct error ignored = {0};
    const char *path = json_text(entry, "path", "");
    if (ret->n == OWNED_FILES_MAX || !*path || strlen(path) >= sizeof file->path)
        return;
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    (void)snprintf(file->last, sizeof file->last, "%s", json_text(entry, "last", ""));
    (void)snprintf(file->before, sizeof file->before, "%s", json_text(entry, "before", ""));
    if (json_boolean(entry, "secret", &file->secret, &ignored) < 0)
        file->secret = true;
    ret->n++;
}

void owned_files_read(const char *dir, struct owned_files *ret)
{
    struct error ignored = {0};
    const cJSON *list = NULL, *entry = NULL;
    cJSON *root = state_read(dir, OWNED_FILES_FILE);
    *ret = (struct owned_files){.n = 0};
    (void)!json_array(root, "files", &list, &ignored);
    cJSON_ArrayForEach(entry, list)
    {
        load_file(entry, ret);
    }
    cJSON_Delete(root);
}

int owned_files_write(const char *dir, const struct owned_files *applied, bool durable,
                      struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(root, "files");
    for (size_t i = 0; i < applied->n; i++) {
        const struct owned_file *file = &applied->file[i];
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "path", file->path);
        cJSON_AddStringToObject(entry, "last", file->last);
        cJSON_AddStringToObject(entry, "before", file->before);
        cJSON_AddBoolToObject(entry, "secret", file->secret);
        cJSON_AddItemToArray(list, entry);
    }
    return state_write(dir, OWNED_FILES_FILE, root, durable, err);
}

/* ---- what it says -------------------------------------------------------- */

static size_t place_of(const struct owned_files *applied, const char *path)
{
    size_t i = 0;
    while (i < applied->n && strcmp(applied->file[i].path, path) != 0)
        i++;
    return i;
}

const struct owned_file *owned_files_find(const struct owned_files *applied, const char *path)
{
    size_t i = place_of(applied, path);
    return i < applied->n ? &applied->file[i] : NULL;
}

void owned_files_keep(struct owned_files *applied, const struct file_set_entry *files, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < applied->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(files[k].path, applied->file[i].path) != 0)
            k++;
        if (k < n)
            applied->file[kept++] = applied->file[i];
    }
    applied->n = kept;
}

static bool is_ours(const struct owned_file *file, const char *present)
{
    return strcmp(file->last, present) == 0 || strcmp(file->before, present) == 0;
}

bool owned_files_foreign(const struct owned_files *applied, const char *path, const char *present)
{
    const struct owned_file *file = owned_files_find(applied, path);
    return file && !is_ours(file, present);
}

int owned_files_note(struct owned_files *applied, const char *path, const char *wanted, bool secret,
                     const char *present)
{
    size_t i = place_of(applied, path);
    struct owned_file *file = &applied->file[i];
    struct owned_file next = {.secret = secret};
    if (i == OWNED_FILES_MAX)
        return -ENOSPC;
    bool known = i < applied->n;
    (void)snprintf(next.path, sizeof next.path, "%s", path);
    (void)snprintf(next.last, sizeof next.last, "%s", wanted);
    if (strcmp(wanted, present) != 0) {
        if (!known || is_ours(file, present))
            (void)snprintf(next.before, sizeof next.before, "%s", present);
        next.secret = secret || (known ? file->secret : strcmp(present, OWNED_FILES_NONE) != 0);
    }
    bool same = known && strcmp(file->last, next.last) == 0 &&
                strcmp(file->before, next.before) == 0 && file->secret == next.secret;
    *file = next;
    applied->n += !known;
    return !same;
}
