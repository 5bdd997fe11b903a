#include "base/held_since.h"

#include "base/boottime.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_LIMIT 8192

static int make_path(char *ret, size_t size, const char *state_dir, const char *name,
                     struct error *err)
{
    int n = snprintf(ret, size, "%s/%s.spans", state_dir, name);
    if (n < 0 || (size_t)n >= size)
        return error_set(err, -ENAMETOOLONG, "%s: path too long", state_dir);
    return 0;
}

static void load(const cJSON *root, struct held_since *spans)
{
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    struct error ignored = {0};
    const char *boot = boottime_boot_id();
    if (!boot[0] || strcmp(json_text(root, "boot", ""), boot) != 0 ||
        json_object(root, "since_ms", &list, &ignored) < 0)
        return;
    cJSON_ArrayForEach(item, list)
    {
        int64_t since_ms = -1;
        if (spans->n == HELD_SINCE_MAX || strlen(item->string) >= HELD_SINCE_NAME ||
            json_integer(list, item->string, &since_ms, &ignored) < 0 || since_ms < 0 ||
            since_ms > spans->now_ms)
            continue;
        (void)snprintf(spans->span[spans->n].name, HELD_SINCE_NAME, "%s", item->string);
        spans->span[spans->n++].since_ms = since_ms;
    }
}

void held_since_read(const char *state_dir, const char *name, struct held_since *spans)
{
    char path[FILE_PATH];
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(FILE_LIMIT);
    cJSON *root = NULL;
    *spans = (struct held_since){.now_ms = boottime_ms()};
    if (state_dir && make_path(path, sizeof path, state_dir, name, &ignored) == 0 &&
        file_read(path, &text, &ignored) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, &ignored) == 0)
        load(root, spans);
    cJSON_Delete(root);
    buffer_release(&text);
}

static int find(const struct held_since *spans, const char *name)
{
    for (int i = 0; i < spans->n; i++) {
        if (strncmp(spans->span[i].name, name, HELD_SINCE_NAME - 1) == 0)
            return i;
    }
    return -1;
}

int64_t held_since_note(struct held_since *spans, const char *name, bool holds)
{
    int at = find(spans, name);
    if (!holds) {
        if (at >= 0)
            spans->span[at] = spans->span[--spans->n];
        return -1;
    }
    if (at < 0) {
        if (spans->n == HELD_SINCE_MAX)
            return 0;
        at = spans->n++;
        (void)snprintf(spans->span[at].name, HELD_SINCE_NAME, "%s", name);
        spans->span[at].since_ms = spans->now_ms;
    }
    return spans->now_ms - spans->span[at].since_ms;
}

void held_since_forgive(struct held_since *spans, const char *name, int64_t delta_ms)
{
    int at = find(spans, name);
    if (at < 0)
        return;
    spans->span[at].since_ms += delta_ms;
    if (spans->span[at].since_ms > spans->now_ms)
        spans->span[at].since_ms = spans->now_ms;
}

static cJSON *to_json(const struct held_since *spans)
{
    cJSON *root = cJSON_CreateObject();
    const cJSON *added = cJSON_AddStringToObject(root, "boot", boottime_boot_id());
    cJSON *list = added ? cJSON_AddObjectToObject(root, "since_ms") : NULL;
    for (int i = 0; list && i < spans->n; i++) {
        if (!cJSON_AddNumberToObject(list, spans->span[i].name, (double)spans->span[i].since_ms))
            list = NULL;
    }
    if (list)
        return root;
    cJSON_Delete(root);
    return NULL;
}

int held_since_write(const struct held_since *spans, const char *state_dir, const char *name,
                     struct error *err)
{
    char path[FILE_PATH];
    if (!state_dir)
        return 0;
    int rc = make_path(path, sizeof path, state_dir, name, err);
    if (rc < 0)
        return rc;
    cJSON *root = to_json(spans);
    char *text = root ? cJSON_PrintUnformatted(root) : NULL;
    rc = text ? file_replace(path, text, strlen(text), 0600, false, err)
              : error_set(err, -ENOMEM, "cannot write %s: out of memory", path);
    cJSON_free(text);
    cJSON_Delete(root);
    return rc;
}
