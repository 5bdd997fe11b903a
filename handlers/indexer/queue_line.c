/* SPDX-License-Identifier: MIT */
#include "indexer/queue_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_DIGITS 18
#define CHECK_DIGITS  16
#define BEGIN         0xcbf29ce484222325U

static uint64_t add(uint64_t sum, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * 0x100000001b3U;
    return sum;
}

uint64_t queue_line_hash(const char *bytes, size_t len)
{
    return add(BEGIN, bytes, len);
}

static uint64_t check_of(const struct queue_line *line)
{
    char text[NUMBER_DIGITS + 8];
    const int n = snprintf(text, sizeof text, "%" PRId64 " %c", line->number, (char)line->kind);
    return add(add(BEGIN, text, (size_t)n), line->record, line->len);
}

int queue_line_append(struct buffer *ret, const struct queue_line *line)
{
    const size_t before = ret->len;
    int rc = buffer_printf(ret, "%" PRId64 " %0*" PRIx64 " %c ", line->number, CHECK_DIGITS,
                           check_of(line), (char)line->kind);
    if (rc == 0)
        rc = buffer_append(ret, line->record, line->len);
    if (rc == 0)
        rc = buffer_append(ret, "\n", 1);
    if (rc < 0)
        ret->len = before;
    return rc;
}

/* A number that ends with a blank before `end`. Returns what follows, NULL when it is none. */
static const char *take(const char *at, const char *end, size_t most, int base, uint64_t *ret)
{
    static const char digits[] = "0123456789abcdef";
    char text[CHECK_DIGITS + NUMBER_DIGITS];
    const char *blank = memchr(at, ' ', (size_t)(end - at));
    const size_t n = blank ? (size_t)(blank - at) : 0;
    if (n == 0 || n > most)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (!memchr(digits, at[i], (size_t)base))
            return NULL;
        text[i] = at[i];
    }
    text[n] = '\0';
    *ret = strtoull(text, NULL, base);
    return blank + 1;
}

bool queue_line_parse(const char *text, size_t len, struct queue_line *ret)
{
    const char *end = text + len;
    uint64_t number = 0, check = 0;
    const char *at = take(text, end, NUMBER_DIGITS, 10, &number);
    at = at ? take(at, end, CHECK_DIGITS, 16, &check) : NULL;
    if (!at || end - at < 2 || at[1] != ' ')
        return false;
    switch (*at) {
    case QUEUE_LINE_NEW:
    case QUEUE_LINE_AGAIN:
    case QUEUE_LINE_OURS:
        break;
    default:
        return false;
    }
    *ret = (struct queue_line){.number = (int64_t)number,
                               .kind = (enum queue_kind) * at,
                               .record = at + 2,
                               .len = (size_t)(end - at) - 2};
    return check_of(ret) == check;
}

void queue_line_name(int64_t number, char ret[QUEUE_NAME])
{
    (void)snprintf(ret, QUEUE_NAME, "%0*" PRId64, NUMBER_DIGITS, number);
}

int64_t queue_line_number(const char *name)
{
    if (strlen(name) != NUMBER_DIGITS || strspn(name, "0123456789") != NUMBER_DIGITS)
        return -1;
    return (int64_t)strtoll(name, NULL, 10);
}
