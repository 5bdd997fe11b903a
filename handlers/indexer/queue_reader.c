/* SPDX-License-Identifier: MIT */
#include "indexer/queue_reader.h"

#include "base/text.h"
#include "indexer/queue_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE      65536
#define ASIDE      "damaged-"
#define PATH_LIMIT (CREDENTIAL_PATH + QUEUE_NAME)

void queue_reader_open(struct queue_reader *reader, const char *dir)
{
    text_copy(reader->dir, sizeof reader->dir, dir);
    queue_state_read(dir, &reader->state);
    if (reader->state.next == 0) { /* not known: what is missing so far may be counted already */
        reader->state.next = 1;
        for (int64_t file = 0; file >= 0; file = queue_file_after(dir, file))
            reader->sure = file;
    }
    reader->expected = reader->state.next;
}

void queue_reader_rewind(struct queue_reader *reader, uint64_t bytes)
{
    reader->file = queue_last_files(reader->dir, INT64_MAX, bytes, false) - 1;
    reader->expected = 1;
    reader->only_look = true;
}

/* ---- files that were read ------------------------------------------------ */

/* Of those put aside only the newest stay. */
static void drop_oldest_aside(const char *dir)
{
    char oldest[NAME_MAX + 1] = "", path[PATH_LIMIT + NAME_MAX];
    int n = 0;
    DIR *list = opendir(dir);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (strncmp(entry->d_name, ASIDE, sizeof ASIDE - 1) != 0)
            continue;
        n++;
        if (!oldest[0] || strcmp(entry->d_name, oldest) < 0)
            (void)snprintf(oldest, sizeof oldest, "%s", entry->d_name);
    }
    if (list)
        (void)closedir(list);
    (void)snprintf(path, sizeof path, "%s/%s", dir, oldest);
    if (n > QUEUE_READER_ASIDE)
        (void)unlink(path);
}

static void put_aside(const struct queue_reader *r)
{
    char from[PATH_LIMIT], to[PATH_LIMIT + sizeof ASIDE], name[QUEUE_NAME];
    queue_file_path(r->dir, r->file, from, sizeof from);
    queue_line_name(r->file, name);
    (void)snprintf(to, sizeof to, "%s/" ASIDE "%s", r->dir, name);
    if (rename(from, to) == 0)
        drop_oldest_aside(r->dir);
}

static void end_file(struct queue_reader *r)
{
    if (r->fd >= 0)
        (void)close(r->fd);
    r->fd = -1;
    r->last = false;
    if (!r->only_look && (r->damaged || buffer_text(&r->in)[0]))
        put_aside(r);
    r->damaged = false;
    r->at = 0;
    buffer_clear(&r->in);
}

/* Returns 1 when a file is open, 0 when there is none. */
static int open_file(struct queue_reader *r, struct error *err)
{
    char path[PATH_LIMIT];
    if (r->fd >= 0)
        return 1;
    const int64_t next = queue_file_after(r->dir, r->file);
    if (next < 0)
        return 0;
    queue_file_path(r->dir, next, path, sizeof path);
    r->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (r->fd < 0)
        return error_errno(err, "read", path);
    r->file = next;
    return 1;
}

void queue_reader_miss(struct queue_reader *reader, int64_t number)
{
    if (number <= reader->expected)
        return;
    const int64_t first = reader->expected > reader->sure ? reader->expected : reader->sure;
    reader->missed += number > first ? number - first : 0;
    reader->expected = number;
}

/* ---- lines --------------------------------------------------------------- */

static bool next_line(struct queue_reader *r, const char **ret, size_t *ret_len)
{
    const char *begin = buffer_text(&r->in) + r->at;
    const char *end = memchr(begin, '\n', r->in.len - r->at);
    if (!end)
        return false;
    *ret = begin;
    *ret_len = (size_t)(end - begin);
    r->at += *ret_len + 1;
    return true;
}

static int take_line(struct queue_reader *r, const char *text, size_t len, struct bulk *bulk,
                     struct error *err)
{
    struct queue_line line;
    if (!queue_line_parse(text, len, &line)) {
        r->damaged = true;
        return 0;
    }
    if (line.number < r->expected)
        return 0;
    int rc = bulk_add(bulk, line.record, line.len, err);
    if (rc < 0)
        return rc;
    bulk->record[bulk->n - 1].kind = line.kind;
    bulk->record[bulk->n - 1].number = line.number;
    queue_reader_miss(r, line.number);
    r->expected = line.number + 1;
    return 0;
}

/* Returns 1 when something was read, 0 at the end of the file. A line longer than any of ours is
 * damaged. */
static int read_more(struct queue_reader *r, struct error *err)
{
    char piece[PIECE];
    if (r->at > 0) {
        r->in.len -= r->at;
        memmove(r->in.data, r->in.data + r->at, r->in.len + 1);
        r->at = 0;
    }
    if (r->in.limit - r->in.len < sizeof piece) {
        r->damaged = true;
        buffer_clear(&r->in);
    }
    const ssize_t n = read(r->fd, piece, sizeof piece);
    if (n < 0)
        return error_errno(err, "read", r->dir);
    const int rc = n > 0 ? buffer_append(&r->in, piece, (size_t)n) : 0;
    return rc < 0 ? error_set(err, rc, "no memory to read %s", r->dir) : n > 0;
}

/* A newer file may have been begun after this one's end was seen: then it is read once more. Returns 1 to go on,
 * 0 when there is nothing more now. */
static int at_end(struct queue_reader *r)
{
    if (r->last) {
        end_file(r);
        return 1;
    }
    r->last = queue_file_after(r->dir, r->file) >= 0;
    return r->last;
}

/* Returns 1 to go on, 0 when there is nothing more now. */
static int step(struct queue_reader *r, struct bulk *bulk, struct error *err)
{
    const char *line = NULL;
    size_t len = 0;
    if (next_line(r, &line, &len)) {
        int rc = take_line(r, line, len, bulk, err);
        return rc < 0 ? rc : 1;
    }
    int rc = open_file(r, err);
    if (rc <= 0)
        return rc;
    rc = read_more(r, err);
    return rc != 0 ? rc : at_end(r);
}

int queue_reader_fill(struct queue_reader *reader, struct bulk *bulk, size_t records, size_t bytes,
                      struct error *err)
{
    int rc = 1;
    while (rc > 0 && bulk->n < records && bulk->text.len < bytes)
        rc = step(reader, bulk, err);
    return rc < 0 ? rc : 0;
}

void queue_reader_note(struct queue_reader *reader, int64_t taken)
{
    if (taken == reader->state.taken)
        return;
    reader->state.taken = taken;
    if (queue_state_write(reader->dir, &reader->state, NULL) < 0)
        reader->state.taken = 0; /* again */
}

int queue_reader_done(struct queue_reader *reader, int64_t taken, struct error *err)
{
    struct queue_state state = reader->state;
    state.next = reader->expected;
    state.taken = taken;
    state.lost += reader->missed;
    int rc = queue_state_write(reader->dir, &state, err);
    if (rc < 0)
        return rc;
    reader->state = state;
    reader->missed = 0;
    (void)queue_last_files(reader->dir, reader->file, reader->keep, true);
    return 0;
}

void queue_reader_close(struct queue_reader *reader)
{
    if (reader->fd >= 0)
        (void)close(reader->fd);
    reader->fd = -1;
    buffer_release(&reader->in);
}
