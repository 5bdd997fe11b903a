/* SPDX-License-Identifier: MIT */
#include "indexer/queue.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/text.h"
#include "indexer/queue_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_MAX  200        /* bytes */
#define WORTH      (1U << 20) /* bytes of a file that ends before it is full */
#define KEEP       (4U << 20)
#define PATH_LIMIT (CREDENTIAL_PATH + QUEUE_NAME)

/* ---- files --------------------------------------------------------------- */

void queue_file_path(const char *dir, int64_t number, char *ret, size_t size)
{
    char name[QUEUE_NAME];
    queue_line_name(number, name);
    (void)snprintf(ret, size, "%s/%s", dir, name);
}

/* Call `see` with each file's number and size. */
static void for_each(const char *dir, void (*see)(void *arg, int64_t number, uint64_t bytes),
                     void *arg)
{
    DIR *list = opendir(dir);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        const int64_t number = queue_line_number(entry->d_name);
        struct stat st;
        if (number >= 0 && fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            see(arg, number, (uint64_t)st.st_size);
    }
    if (list)
        (void)closedir(list);
}

struct found {
    int64_t after, end, first, last;
    uint64_t bytes;
};

static void see(void *arg, int64_t number, uint64_t bytes)
{
    struct found *found = arg;
    if (number > found->after && number < found->end)
        found->bytes += bytes;
    if (number > found->last)
        found->last = number;
    if (number > found->after && (found->first < 0 || number < found->first))
        found->first = number;
}

static struct found find(const char *dir, int64_t after)
{
    struct found found = {.after = after, .end = INT64_MAX, .first = -1, .last = -1};
    for_each(dir, see, &found);
    return found;
}

int64_t queue_last_files(const char *dir, int64_t end, uint64_t bytes, bool drop)
{
    char path[PATH_LIMIT];
    struct stat st;
    struct found found = {.after = -1, .end = end, .first = -1, .last = -1};
    for_each(dir, see, &found);
    for (int64_t file = found.first; file >= 0 && file < end; file = queue_file_after(dir, file)) {
        queue_file_path(dir, file, path, sizeof path);
        const uint64_t size = lstat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
        if (found.bytes < bytes + size)
            return file;
        found.bytes -= size;
        if (drop)
            (void)unlink(path);
    }
    return -1;
}

int64_t queue_file_after(const char *dir, int64_t number)
{
    return find(dir, number).first;
}

/* ---- state --------------------------------------------------------------- */

void queue_state_read(const char *dir, struct queue_state *ret)
{
    char path[PATH_LIMIT];
    char end = '\0';
    struct buffer text = BUFFER_INIT(STATE_MAX);
    *ret = (struct queue_state){0};
    (void)snprintf(path, sizeof path, "%s/state", dir);
    if (file_read(path, &text, NULL) < 0 ||
        sscanf(buffer_text(&text), "%18" SCNd64 " %18" SCNd64 " %18" SCNd64 " %18" SCNd64 "%c",
               &ret->next, &ret->taken, &ret->arrived, &ret->lost, &end) != 5 ||
        end != '\n' || ret->next < 0 || ret->taken < 0 || ret->arrived < 0 || ret->lost < 0)
        *ret = (struct queue_state){0};
    buffer_release(&text);
}

int queue_state_write(const char *dir, const struct queue_state *state, struct error *err)
{
    char path[PATH_LIMIT], text[STATE_MAX];
    (void)snprintf(path, sizeof path, "%s/state", dir);
    (void)snprintf(text, sizeof text, "%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                   state->next, state->taken, state->arrived, state->lost);
    return file_replace_padded(path, text, STATE_MAX - 1, 0600, err);
}

/* ---- opening ------------------------------------------------------------- */

/* What the last file says: how long its whole lines are, and which number comes after them. Lines that are
 * damaged count as well. */
static size_t measure(const char *text, size_t len, int64_t begin, int64_t *ret_next)
{
    size_t at = 0;
    const char *end = NULL;
    *ret_next = begin;
    while ((end = len > at ? memchr(text + at, '\n', len - at) : NULL)) {
        struct queue_line line;
        if (queue_line_parse(text + at, (size_t)(end - text) - at, &line) &&
            line.number >= *ret_next)
            *ret_next = line.number;
        (*ret_next)++;
        at = (size_t)(end - text) + 1;
    }
    return at;
}

static int look_at_last(struct queue *q, int64_t last, struct error *err)
{
    char path[PATH_LIMIT];
    struct buffer text = BUFFER_INIT(QUEUE_FILE + QUEUE_LINE);
    int64_t next = 0;
    queue_file_path(q->dir, last, path, sizeof path);
    int rc = file_read(path, &text, err);
    const size_t whole = measure(buffer_text(&text), text.len, last, &next);
    if (rc == 0 && whole < text.len && truncate(path, (off_t)whole) < 0)
        rc = error_errno(err, "shorten", path);
    if (rc == 0 && whole == 0 && unlink(path) < 0)
        rc = error_errno(err, "remove", path);
    if (rc == 0 && next > q->next)
        q->next = next;
    buffer_release(&text);
    return rc;
}

static int find_next(struct queue *q, struct error *err)
{
    struct queue_state state;
    queue_state_read(q->dir, &state);
    q->next = state.taken + 1;
    if (state.next > q->next)
        q->next = state.next;
    const struct found found = find(q->dir, -1);
    q->held = found.bytes;
    return found.last < 0 ? 0 : look_at_last(q, found.last, err);
}

int queue_open(struct queue *ret, const char *dir, uint64_t limit, int64_t wait_ms,
               struct error *err)
{
    char path[PATH_LIMIT];
    *ret = (struct queue){.limit = limit, .fd = -1, .line = BUFFER_INIT(QUEUE_LINE)};
    text_copy(ret->dir, sizeof ret->dir, dir);
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(err, "make", dir);
    ret->lock = file_lock(path, wait_ms, err);
    if (ret->lock < 0)
        return ret->lock;
    int rc = find_next(ret, err);
    if (rc < 0)
        queue_close(ret);
    return rc;
}

/* ---- adding -------------------------------------------------------------- */

static void close_file(struct queue *q)
{
    if (q->fd >= 0)
        (void)close(q->fd);
    q->fd = -1;
    q->len = 0;
    q->unsynced_ms = 0;
}

static int sync_directory(const struct queue *q, struct error *err)
{
    const int fd = open(q->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) < 0 ? error_errno(err, "sync", q->dir) : 0;
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int begin_file(struct queue *q, struct error *err)
{
    char path[PATH_LIMIT];
    q->file = q->next;
    queue_file_path(q->dir, q->file, path, sizeof path);
    q->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (q->fd < 0)
        return error_errno(err, "write", path);
    int rc = sync_directory(q, err);
    if (rc < 0) {
        close_file(q);
        (void)unlink(path);
    }
    return rc;
}

/* Is there room for so many bytes more? The reader removes files. */
static bool fits(struct queue *q, size_t bytes)
{
    if (q->limit == 0 || q->held + bytes <= q->limit)
        return true;
    q->held = find(q->dir, -1).bytes;
    return q->held + bytes <= q->limit;
}

static int write_line(struct queue *q, struct error *err)
{
    int rc = file_write(q->fd, q->line.data, q->line.len);
    if (rc < 0) {
        (void)error_set(err, rc, "cannot write to %s: %s", q->dir, strerror(-rc));
        if (ftruncate(q->fd, (off_t)q->len) < 0)
            close_file(q); /* half a line ends it */
        return rc;
    }
    q->len += q->line.len;
    q->held += q->line.len;
    q->next++;
    if (!q->unsynced_ms)
        q->unsynced_ms = boottime_ms();
    return 0;
}

int queue_add(struct queue *queue, enum queue_kind kind, const char *record, size_t len,
              struct error *err)
{
    const struct queue_line line = {queue->next, kind, record, len};
    buffer_clear(&queue->line);
    int rc = queue_line_append(&queue->line, &line);
    if (rc < 0)
        return error_set(err, rc, "a record of %zu bytes: %s", len, strerror(-rc));
    if (!fits(queue, queue->line.len))
        return error_set(err, -EFBIG, "%s holds %" PRIu64 " MiB, the most it may (queue_disk)",
                         queue->dir, queue->held >> 20);
    if (queue->len >= QUEUE_FILE || (queue->limit && queue->len >= queue->limit / 8)) {
        rc = queue_sync(queue, true, err);
        close_file(queue);
    }
    if (rc == 0 && queue->fd < 0)
        rc = begin_file(queue, err);
    return rc < 0 ? rc : write_line(queue, err);
}

int queue_sync(struct queue *queue, bool now, struct error *err)
{
    if (!queue->unsynced_ms || queue->fd < 0 ||
        (!now && boottime_ms() - queue->unsynced_ms < QUEUE_SYNC_MS))
        return 0;
    queue->unsynced_ms = 0;
    return fdatasync(queue->fd) < 0 ? error_errno(err, "sync", queue->dir) : 0;
}

uint64_t queue_keep(uint64_t limit)
{
    return limit && limit / 8 < KEEP ? limit / 8 : KEEP;
}

/* A file without a line stays: the reader may have it open, and another one would have its number. */
void queue_all_read(struct queue *queue, bool now)
{
    const uint64_t keep = queue_keep(queue->limit);
    if (queue->len >= WORTH)
        close_file(queue);
    if (!now)
        return;
    (void)queue_last_files(queue->dir, queue->next, keep, true);
    queue->held = find(queue->dir, -1).bytes;
    if (queue->held <= keep + WORTH && (!queue->limit || queue->held < queue->limit / 2))
        return;
    if (queue->len > 0)
        close_file(queue);
    (void)queue_last_files(queue->dir, queue->next, 0, true);
}

void queue_close(struct queue *queue)
{
    (void)!queue_sync(queue, true, NULL);
    close_file(queue);
    buffer_release(&queue->line);
    file_unlock(queue->lock);
    queue->lock = -1;
}
