/* SPDX-License-Identifier: MIT */
#include "indexer/reading.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POSITION_PREFIX "imfile-state:"
#define POSITION_MAX    8192  /* bytes of such a file */
#define PEEK            65536 /* a longer piece without an end of line is a line, too */

/* ---- the files ----------------------------------------------------------- */

static int by_inode(const void *a, const void *b)
{
    const struct reading_file *x = a, *y = b;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

static struct reading_file *find(const struct reading *r, uint64_t inode)
{
    const struct reading_file key = {.inode = inode};
    return r->n ? bsearch(&key, r->file, r->n, sizeof *r->file, by_inode) : NULL;
}

static void add_file(void *arg, const char *path)
{
    struct reading *r = arg;
    struct stat st;
    if (r->n == READING_FILES || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return;
    if ((r->n & (r->n - 1)) == 0) { /* a power of two: full */
        void *more = realloc(r->file, (r->n ? 2 * r->n : 1) * sizeof *r->file);
        if (!more)
            return;
        r->file = more;
    }
    char *name = strdup(path);
    if (name)
        r->file[r->n++] = (struct reading_file){
            .inode = (uint64_t)st.st_ino, .size = (int64_t)st.st_size, .path = name};
}

void reading_release(struct reading *reading)
{
    for (size_t i = 0; i < reading->n; i++)
        free(reading->file[i].path);
    free(reading->file);
    *reading = (struct reading){0};
}

/* ---- their positions ----------------------------------------------------- */

/* What the file says; -1 when it cannot be read, or says nothing. */
static int64_t read_position(const char *dir, const char *name)
{
    char path[FILE_PATH];
    struct buffer text = BUFFER_INIT(POSITION_MAX);
    cJSON *root = NULL;
    int64_t at = -1;
    if (file_path(path, sizeof path, dir, name, NULL) == 0 && file_read(path, &text, NULL) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, NULL) == 0 &&
        json_integer(root, "curr_offs", &at, NULL) < 0)
        at = -1;
    cJSON_Delete(root);
    buffer_release(&text);
    return at;
}

/* An inode that was used before may have two: the one that fits counts. */
static void take_position(struct reading *r, const char *dir, const char *name)
{
    char *end = NULL;
    if (strncmp(name, POSITION_PREFIX, strlen(POSITION_PREFIX)) != 0)
        return;
    errno = 0;
    const uint64_t inode = strtoull(name + strlen(POSITION_PREFIX), &end, 10);
    struct reading_file *f = errno == 0 && (!*end || *end == ':') ? find(r, inode) : NULL;
    if (!f || f->at >= f->size) /* read as a whole: the usual case */
        return;
    const int64_t at = read_position(dir, name);
    if (at > f->at && at <= f->size)
        f->at = at;
}

static void take_positions(struct reading *r, const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        take_position(r, dir, e->d_name);
    if (d)
        (void)closedir(d);
}

/* By inode, each once (two globs, two names), with what was known of it. */
static void put_in_order(struct reading *r, const struct reading *before)
{
    size_t n = 0;
    if (r->n)
        qsort(r->file, r->n, sizeof *r->file, by_inode);
    for (size_t i = 0; i < r->n; i++) {
        const struct reading_file *old = find(before, r->file[i].inode);
        if (n > 0 && r->file[n - 1].inode == r->file[i].inode) {
            free(r->file[i].path);
            continue;
        }
        r->file[n] = r->file[i];
        r->file[n++].at = old && old->at <= r->file[i].size ? old->at : 0;
    }
    r->n = n;
}

/* ---- judgement ----------------------------------------------------------- */

/* Since when nothing moved. */
static void compare(struct reading *r, const struct reading *before, bool halted, int64_t now_ms)
{
    for (size_t i = 0; i < r->n; i++) {
        struct reading_file *f = &r->file[i];
        const struct reading_file *old = find(before, f->inode);
        const bool same = old && !halted && old->at == f->at && old->size > old->at;
        f->since_ms = same ? old->since_ms : now_ms;
    }
}

/* Half a line is not read before its end is there. */
static bool has_line(const struct reading_file *f)
{
    static char piece[PEEK];
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : pread(fd, piece, sizeof piece, (off_t)f->at);
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && (n == (ssize_t)sizeof piece || memchr(piece, '\n', (size_t)n));
}

static void name_stuck(const struct reading *r, int64_t now_ms, char ret[SOURCES_TEXT])
{
    char more[40] = "";
    const struct reading_file *first = NULL;
    int n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct reading_file *f = &r->file[i];
        if (f->at >= f->size || now_ms - f->since_ms < limits()->still_ms || !has_line(f))
            continue;
        n++;
        if (!first || strcmp(f->path, first->path) < 0)
            first = f;
    }
    if (n > 1)
        (void)snprintf(more, sizeof more, " (and of %d more)", n - 1);
    if (first)
        (void)snprintf(ret, SOURCES_TEXT, "%lld bytes of %.180s%s",
                       (long long)(first->size - first->at), first->path, more);
    text_clean(ret);
}

void reading_look(struct reading *reading, const struct destination *to, bool halted,
                  int64_t now_ms, int64_t *ret_bytes, char ret_stuck[SOURCES_TEXT])
{
    struct reading now = {0};
    *ret_bytes = 0;
    ret_stuck[0] = '\0';
    if (!to->positions[0])
        return;
    for (size_t i = 0; i < to->files; i++)
        (void)sources_each(to->file[i], (const char *const *)to->except, to->excepts, add_file,
                           &now);
    put_in_order(&now, reading);
    take_positions(&now, to->positions);
    compare(&now, reading, halted, now_ms);
    for (size_t i = 0; i < now.n; i++)
        *ret_bytes += now.file[i].size - now.file[i].at;
    name_stuck(&now, now_ms, ret_stuck);
    reading_release(reading);
    *reading = now;
}
