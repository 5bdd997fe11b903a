/* SPDX-License-Identifier: MIT */
#include "check/verdict.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS    80
#define FIRST_LINE 100
static const char full[] = "(and more, which does not fit here)\n";

const char *verdict_status_name(enum verdict_status status)
{
    static const char *const names[] = {"passing", "warning", "critical"};
    return names[status];
}

void verdict_set(struct verdict *v, enum verdict_status status, const char *fmt, ...)
{
    char text[VERDICT_SUMMARY]; /* an argument may be the old summary */
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean(text);
    v->status = status;
    memcpy(v->summary, text, sizeof text);
}

void verdict_raise(struct verdict *v, enum verdict_status status)
{
    if (v->status < status)
        v->status = status;
}

/* Length of the piece of text that goes on one line: up to the last blank in `width`
 * columns, or width where a word is longer. */
static size_t piece(const char *text, size_t width)
{
    size_t len = strlen(text);
    if (len <= width)
        return len;
    for (size_t i = width; i > width / 2; i--) {
        if (text[i] == ' ')
            return i;
    }
    return width;
}

static bool is_full(const struct verdict *v)
{
    size_t used = strlen(v->details);
    return used >= sizeof full - 1 && strcmp(v->details + used - (sizeof full - 1), full) == 0;
}

/* Append `line` and a line feed, or the word that there is more. */
static bool append_line(struct verdict *v, const char *indent, const char *line, size_t len)
{
    size_t used = strlen(v->details);
    if (is_full(v))
        return false;
    if (used + strlen(indent) + len + 1 + sizeof full > sizeof v->details) {
        memcpy(v->details + used, full, sizeof full);
        return false;
    }
    (void)snprintf(v->details + used, sizeof v->details - used, "%s%.*s\n", indent, (int)len, line);
    return true;
}

void verdict_note(struct verdict *v, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean(text);
    const char *indent = "";
    const char *at = text;
    do {
        size_t len = piece(at, COLUMNS - strlen(indent));
        if (!append_line(v, indent, at, len))
            return;
        at += len;
        at += strspn(at, " ");
        indent = "  ";
    } while (*at);
}

/* The first line is what lists and mails show: at most FIRST_LINE columns, the rest below it. */
void verdict_render(const struct verdict *v, char ret[VERDICT_OUTPUT + 1])
{
    char text[VERDICT_SUMMARY + 16];
    size_t used = 0, width = FIRST_LINE;
    (void)snprintf(text, sizeof text, "%s: %s", verdict_status_name(v->status), v->summary);
    const char *at = text;
    do {
        size_t len = piece(at, width);
        used += (size_t)snprintf(ret + used, VERDICT_OUTPUT + 1 - used, "%s%.*s\n",
                                 at == text ? "" : "  ", (int)len, at);
        at += len;
        at += strspn(at, " ");
        width = COLUMNS - 2;
    } while (*at);
    (void)snprintf(ret + used, VERDICT_OUTPUT + 1 - used, "%s", v->details);
}
