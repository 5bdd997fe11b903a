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

#define FILE_MAX (GENERATIONS_FILES * 100)
#define YOUNG_MS 30000

/* ---- the file: FILE FIRST NUMBER USED in hex, a line each ---------------- */

static void load(struct generations *g, const char *text)
{
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        struct generation *of = &g->of[i];
        int len = 0;
        if (sscanf(text, "%16" SCNx64 " %16" SCNx64 " %16" SCNx64 " %16" SCNx64 "\n%n", &of->file,
                   &of->first, &of->number, &of->used, &len) != 4) {
            *of = (struct generation){0};
            return;
        }
        of->kept = true;
        text += len;
    }
}

void generations_open(struct generations *g, const char *beside)
{
    struct buffer text = BUFFER_INIT(FILE_MAX);
    if (g->open)
        return;
    g->open = true;
    g->start_ms = boottime_ms();
    (void)snprintf(g->path, sizeof g->path, "%s.generations", beside);
    if (file_read(g->path, &text, NULL) == 0)
        load(g, buffer_text(&text));
    buffer_release(&text);
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
                               of->first, of->number, of->used);
    }
    if (rc < 0 || file_replace(g->path, buffer_text(&text), text.len, 0600, false, &why) < 0)
        complaint_tell(g->complaint, "a line may be there twice after a restart", why.text);
    buffer_release(&text);
}

/* ---- which generation ---------------------------------------------------- */

/* Of this file, else the place of the one used longest ago. */
static struct generation *find(struct generations *g, uint64_t file)
{
    struct generation *oldest = &g->of[0];
    for (size_t i = 0; i < GENERATIONS_FILES; i++) {
        if (g->of[i].file == file)
            return &g->of[i];
        if (g->of[i].used < oldest->used)
            oldest = &g->of[i];
    }
    return oldest;
}

static uint64_t last_used(const struct generations *g)
{
    uint64_t last = 0;
    for (size_t i = 0; i < GENERATIONS_FILES; i++)
        last = g->of[i].used > last ? g->of[i].used : last;
    return last;
}

static void begin(struct generations *g, struct generation *of, uint64_t file, uint64_t first)
{
    *of = (struct generation){.file = file, .first = first, .used = last_used(g) + 1};
    (void)!getrandom(&of->number, sizeof of->number, 0);
    save(g);
}

bool generations_young(const struct generations *g)
{
    return g->lines < GENERATIONS_BATCH && boottime_ms() - g->start_ms < YOUNG_MS;
}

static uint64_t number_of(struct generations *g, uint64_t file, uint64_t offset, uint64_t hash)
{
    struct generation *of = find(g, file);
    const bool known = of->file == file;
    if (known && offset > 0)
        return of->number;
    if (known && of->kept && of->first == hash && generations_young(g))
        of->kept = false;
    else
        begin(g, of, file, offset == 0 ? hash : 0);
    return of->number;
}

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

bool generations_complete(struct generations *g, char *line, size_t len)
{
    static const char points[] = "................\t";
    const char *at = line + 1, *end = line + len;
    uint64_t file = 0, offset = 0, hash = 0;
    char number[GENERATIONS_ROOM + 1];
    if (len == 0 || *line != '~' || !take_number(&at, end, &file) ||
        !take_number(&at, end, &offset) || !take_number(&at, end, &hash) ||
        (size_t)(end - at) < sizeof points - 1 || memcmp(at, points, sizeof points - 1) != 0)
        return false;
    (void)snprintf(number, sizeof number, "%016" PRIx64,
                   number_of(g, file ? file : 1, offset, hash));
    memcpy(line + (at - line), number, GENERATIONS_ROOM);
    g->lines++;
    return true;
}
