/* SPDX-License-Identifier: MIT */
#include "indexer/generations.h"

#include "base/boottime.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define FILE_MAX (GENERATIONS_FILES * 120)
#define YOUNG_MS 30000
#define ID_MAX   120

/* ---- the file: FILE PATH NUMBER BEGUN in hex, a line each ---------------- */

static void load(struct generations *g, const char *text)
{
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        struct generation *of = &g->of[i];
        int len = 0;
        if (sscanf(text, "%16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64 "\n%n", &of->file,
                   &of->path, &of->number, &of->begun, &len) != 4) {
            *of = (struct generation){0};
            return;
        }
        text += len;
    }
}

void generations_open(struct generations *g, const char *queue, int64_t next)
{
    struct buffer text = BUFFER_INIT(FILE_MAX);
    if (g->open)
        return;
    g->open = true;
    g->start_ms = boottime_ms();
    g->next = (uint64_t)next;
    recent_open(&g->recent, queue);
    (void)snprintf(g->path, sizeof g->path, "%s.generations", queue);
    if (file_read(g->path, &text, NULL) == 0)
        load(g, buffer_text(&text));
    buffer_release(&text);
}

void generations_release(struct generations *g)
{
    recent_release(&g->recent);
    g->open = false;
}

static void save(struct generations *g)
{
    struct error why = {.text = "out of memory"};
    struct buffer text = BUFFER_INIT(FILE_MAX);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < GENERATIONS_FILES; i++) {
        const struct generation *of = &g->of[i];
        if (of->file)
            rc = buffer_printf(&text, "%" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", of->file,
                               of->path, of->number, of->begun);
    }
    if (rc < 0 || file_replace(g->path, buffer_text(&text), text.len, 0600, false, &why) < 0)
        complaint_tell(g->complaint, "a line may be there twice after a restart", why.text);
    buffer_release(&text);
}

/* ---- which generation ---------------------------------------------------- */

/* What an id says. */
struct line {
    uint64_t file, offset, hash, path, number;
};

/* As it is in Elasticsearch, with a sign where rsyslogd writes one. */
static size_t format(const char *begin, size_t len, uint64_t generation, char ret[ID_MAX])
{
    const int n = snprintf(ret, ID_MAX, "%.*s%0*" PRIx64, (int)len, begin, GENERATIONS_ROOM,
                           generation);
    return (size_t)n;
}

/* May the first line of this generation, taken as `number`, come again under that path? */
static bool comes_again(const struct generations *g, const struct generation *of,
                        const struct line *line, int64_t number)
{
    if (line->offset > 0)
        return true;
    if (boottime_ms() - g->start_ms > YOUNG_MS)
        return false;
    return line->path != of->path ||
           (!of->goes_on && (uint64_t)number + GENERATIONS_BATCH >= g->next);
}

/* The generation under which this very line was taken before the start; NULL: it was not. */
static const struct generation *find_taken(const struct generations *g, const struct line *line,
                                           const char *begin, size_t len)
{
    char id[ID_MAX];
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        const struct generation *of = &g->of[i];
        if (of->file != line->file)
            continue;
        const int64_t number = recent_find(&g->recent, id, format(begin, len, of->number, id));
        if (number > 0 && comes_again(g, of, line, number))
            return of;
    }
    return NULL;
}

/* The last one that was begun of this name; NULL none. */
static struct generation *last_of(struct generations *g, uint64_t file)
{
    struct generation *last = NULL;
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        if (g->of[i].file == file && (!last || g->of[i].begun >= last->begun))
            last = &g->of[i];
    }
    return last;
}

/* Where a new one goes: the oldest of this name when there are enough of it, else the oldest. */
static struct generation *room_for(struct generations *g, uint64_t file)
{
    struct generation *oldest = &g->of[0], *same = NULL;
    size_t n = 0;
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        struct generation *of = &g->of[i];
        if (of->begun < oldest->begun)
            oldest = of;
        if (of->file != file)
            continue;
        n++;
        if (!same || of->begun < same->begun)
            same = of;
    }
    return n >= GENERATIONS_SAME ? same : oldest;
}

static struct generation *begin_one(struct generations *g, const struct line *line)
{
    struct generation *of = room_for(g, line->file);
    *of = (struct generation){.file = line->file, .path = line->path, .begun = line->number};
    (void)!getrandom(&of->number, sizeof of->number, 0);
    save(g);
    return of;
}

/* ---- the id -------------------------------------------------------------- */

/* One number that ends with '-'; false when it is none. */
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
    char digits[22];
    const size_t sign = *at < end && **at == '-';
    const char *begin = *at + sign;
    const char *dash = begin < end ? memchr(begin, '-', (size_t)(end - begin)) : NULL;
    const size_t len = dash ? (size_t)(dash - begin) : 0;
    if (len == 0 || len >= sizeof digits - 1)
        return false;
    text_copy_bytes(digits, sizeof digits, *at, len + sign);
    if (digits[sign + strspn(digits + sign, "0123456789")])
        return false;
    *ret = sign ? (uint64_t)strtoll(digits, NULL, 10) : strtoull(digits, NULL, 10);
    *at = dash + 1;
    return true;
}

/* Where PATH begins; NULL when the line does not begin with such an id. */
static const char *parse(const char *line, size_t len, struct line *ret)
{
    static const char points[] = "................\t";
    const char *at = line + 1, *end = line + len, *path = NULL;
    if (len == 0 || *line != '~' || !take_number(&at, end, &ret->file) ||
        !take_number(&at, end, &ret->offset) || !take_number(&at, end, &ret->hash))
        return NULL;
    path = at;
    if (!take_number(&at, end, &ret->path) || (size_t)(end - at) < sizeof points - 1 ||
        memcmp(at, points, sizeof points - 1) != 0)
        return NULL;
    ret->file = ret->file ? ret->file : 1;
    return path;
}

bool generations_complete(struct generations *g, int64_t number, char *line, size_t *len)
{
    struct line of = {.number = (uint64_t)number};
    char id[ID_MAX];
    const char *path = parse(line, *len, &of);
    if (!path)
        return false;
    const size_t begin = (size_t)(path - line);
    const struct generation *taken = find_taken(g, &of, line, begin), *now = taken;
    if (!taken) {
        struct generation *last = of.offset > 0 ? last_of(g, of.file) : NULL;
        last = last ? last : begin_one(g, &of);
        last->goes_on = true;
        now = last;
    }
    const size_t n = format(line, begin, now->number, id);
    const char *tab = memchr(line, '\t', *len);
    const size_t rest = *len - (size_t)(tab - line);
    memmove(line + n, tab, rest);
    memcpy(line, id, n);
    *len = n + rest;
    return taken != NULL;
}
