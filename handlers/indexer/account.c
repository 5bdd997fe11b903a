/* SPDX-License-Identifier: MIT */
#include "indexer/account.h"

#include "base/boottime.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/state.h"
#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ACCOUNT_FILE_MAX 8192
#define LOOK_MS          10000 /* at the sources this often */

/* The last two are times of one boot. */
static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"arrived", offsetof(struct account, arrived)},
    {"as_text", offsetof(struct account, as_text)},
    {"cut", offsetof(struct account, cut)},
    {"waiting", offsetof(struct account, waiting)},
    {"lost", offsetof(struct account, lost)},
    {"unread_bytes", offsetof(struct account, unread_bytes)},
    {"since_ms", offsetof(struct account, since_ms)},
    {"until_ms", offsetof(struct account, until_ms)},
};

static int64_t *number_at(struct account *account, size_t i)
{
    return (int64_t *)(void *)((char *)account + numbers[i].offset);
}

static void load(const cJSON *root, struct account *ret)
{
    const char *boot = boottime_boot_id();
    for (size_t i = 0; i < COUNT(numbers); i++) {
        int64_t *number = number_at(ret, i);
        if (json_integer(root, numbers[i].name, number, NULL) < 0 || *number < 0)
            *number = 0;
    }
    text_copy(ret->why, sizeof ret->why, json_text(root, "why", ""));
    text_copy(ret->stopped, sizeof ret->stopped, json_text(root, "stopped", ""));
    text_copy(ret->unread, sizeof ret->unread, json_text(root, "unread", ""));
    text_copy(ret->stuck, sizeof ret->stuck, json_text(root, "stuck", ""));
    text_copy(ret->nothing, sizeof ret->nothing, json_text(root, "nothing", ""));
    text_copy(ret->room, sizeof ret->room, json_text(root, "room", ""));
    if (!*boot || strcmp(json_text(root, "boot", ""), boot) != 0)
        ret->since_ms = ret->until_ms = 0;
}

void account_read(const char *path, struct account *ret)
{
    struct buffer text = BUFFER_INIT(ACCOUNT_FILE_MAX);
    cJSON *root = NULL;
    *ret = (struct account){0};
    if (file_read(path, &text, NULL) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, NULL) == 0)
        load(root, ret);
    cJSON_Delete(root);
    buffer_release(&text);
}

void account_open(struct account_file *file, const struct destination *to)
{
    if (file->to)
        return;
    file->to = to;
    account_read(to->account, &file->account);
    file->account.waiting = 0;
    file->account.stopped[0] = '\0';
}

static void look_at_sources(struct account_file *file)
{
    struct account *a = &file->account;
    const struct destination *to = file->to;
    const int64_t now = boottime_ms();
    if (file->looked_ms && now - file->looked_ms < LOOK_MS)
        return;
    file->looked_ms = now;
    sources_look((const char *const *)to->file, to->files, (const char *const *)to->except,
                 to->excepts, a->unread, a->nothing);
    reading_look(&file->reading, to, a->stopped[0] != '\0', now, &a->unread_bytes, a->stuck);
    sources_look_at_room(to->queue, to->queue_disk, a->room);
}

static char *format(struct account *account)
{
    cJSON *root = state_begin();
    bool ok = cJSON_AddStringToObject(root, "why", account->why) &&
              cJSON_AddStringToObject(root, "stopped", account->stopped) &&
              cJSON_AddStringToObject(root, "unread", account->unread) &&
              cJSON_AddStringToObject(root, "stuck", account->stuck) &&
              cJSON_AddStringToObject(root, "nothing", account->nothing) &&
              cJSON_AddStringToObject(root, "room", account->room);
    for (size_t i = 0; ok && i < COUNT(numbers); i++)
        ok = cJSON_AddNumberToObject(root, numbers[i].name, (double)*number_at(account, i));
    char *text = ok ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}

void account_alive(struct account_file *file, int64_t next_ms)
{
    struct error why = {.text = "out of memory"};
    if (!file->to || !file->to->account[0])
        return;
    if (file->refresh)
        file->refresh(file->arg, &file->account);
    look_at_sources(file);
    file->account.until_ms = boottime_ms() + next_ms;
    char *text = format(&file->account);
    if (!text || file_replace_padded(file->to->account, text, ACCOUNT_FILE_MAX / 2, 0644, &why) < 0)
        complaint_tell(file->complaint, "nobody is told what became of the records", why.text);
    cJSON_free(text);
}

void account_note(struct account_file *file, const char *why, int64_t next_ms)
{
    struct account *a = &file->account;
    if (!why[0] || !a->why[0])
        a->since_ms = boottime_ms();
    text_copy(a->why, sizeof a->why, why);
    account_alive(file, next_ms);
}
