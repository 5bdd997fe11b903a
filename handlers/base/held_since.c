/* SPDX-License-Identifier: MIT */
#include "base/held_since.h"

#include "base/boottime.h"
#include "base/json.h"
#include "base/state.h"

#include <stdio.h>
#include <string.h>

#define FILE_TEXT 256 /* bytes of a file's name */

void held_since_load(const cJSON *root, struct held_since *spans)
{
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    struct error ignored = {0};
    *spans = (struct held_since){.now_ms = boottime_ms()};
    if (json_object(root, "since_ms", &list, &ignored) < 0)
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
    char file[FILE_TEXT];
    (void)snprintf(file, sizeof file, "%s.spans", name);
    cJSON *root = state_read_boot(state_dir, file);
    held_since_load(root, spans);
    cJSON_Delete(root);
}

static int find_span(const struct held_since *spans, const char *name)
{
    for (int i = 0; i < spans->n; i++) {
        if (strncmp(spans->span[i].name, name, HELD_SINCE_NAME - 1) == 0)
            return i;
    }
    return -1;
}

int64_t held_since_note(struct held_since *spans, const char *name, bool holds)
{
    int at = find_span(spans, name);
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

int64_t held_since_ms(const struct held_since *spans, const char *name)
{
    int at = find_span(spans, name);
    return at < 0 ? -1 : spans->now_ms - spans->span[at].since_ms;
}

void held_since_forgive(struct held_since *spans, const char *name, int64_t delta_ms)
{
    int at = find_span(spans, name);
    if (at < 0)
        return;
    spans->span[at].since_ms += delta_ms;
    if (spans->span[at].since_ms > spans->now_ms)
        spans->span[at].since_ms = spans->now_ms;
}

bool held_since_save(const struct held_since *spans, cJSON *root)
{
    cJSON *list = cJSON_AddObjectToObject(root, "since_ms");
    for (int i = 0; list && i < spans->n; i++) {
        if (!cJSON_AddNumberToObject(list, spans->span[i].name, (double)spans->span[i].since_ms))
            list = NULL;
    }
    return list;
}

int64_t held_since_look(struct held_since *spans)
{
    int64_t ms = held_since_note(spans, "looked", true);
    (void)held_since_note(spans, "looked", false);
    (void)held_since_note(spans, "looked", true);
    return ms;
}

int64_t held_since_excuse(struct held_since *spans, const char *name, int64_t pause_ms)
{
    int64_t held_ms = held_since_ms(spans, name);
    if (held_ms < 0)
        return held_ms;
    held_since_forgive(spans, name, pause_ms < held_ms ? pause_ms : held_ms);
    return held_since_ms(spans, name);
}

int held_since_write(const struct held_since *spans, const char *state_dir, const char *name,
                     struct error *err)
{
    char file[FILE_TEXT];
    if (!state_dir)
        return 0;
    cJSON *root = state_begin();
    if (!held_since_save(spans, root)) {
        cJSON_Delete(root);
        root = NULL;
    }
    (void)snprintf(file, sizeof file, "%s.spans", name);
    return state_write(state_dir, file, root, false, err);
}
