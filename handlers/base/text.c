/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MORE 16 /* bytes that " and 51 more" needs */

/* ---- bytes --------------------------------------------------------------- */

char text_printable(char c)
{
    return (char)(c >= ' ' && c <= '~' ? c : '?');
}

void text_clean(char *text)
{
    for (; *text; text++)
        *text = text_printable(*text);
}

void text_copy_bytes(char *ret, size_t size, const char *from, size_t n)
{
    size_t len = n < size ? n : size - 1;
    for (size_t i = 0; i < len; i++)
        ret[i] = text_printable(from[i]);
    ret[len] = '\0';
}

void text_copy(char *ret, size_t size, const char *from)
{
    text_copy_bytes(ret, size, from, strnlen(from, size));
}

void text_copy_word(char *ret, size_t size, const char *from, size_t n)
{
    text_copy_bytes(ret, size, from, n);
    for (; *ret; ret++)
        *ret = (char)(*ret == ' ' ? '?' : *ret);
}

bool text_is_printable(const char *text)
{
    while (*text && text_printable(*text) == *text)
        text++;
    return !*text;
}

bool text_is_word(const char *text)
{
    return text_is_printable(text) && !strchr(text, ' ');
}

bool text_passes(char c)
{
    return c > ' ' && c <= '~' && !strchr("\"\\$%`{}'<>|;&#", c);
}

bool text_all_pass(const char *text)
{
    while (*text && text_passes(*text))
        text++;
    return !*text;
}

/* ---- lists --------------------------------------------------------------- */

static void append_text(struct text_list *list, const char *text)
{
    size_t left = list->size - list->len;
    int n = snprintf(list->text + list->len, left, "%s", text);
    list->len += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left - 1;
}

void text_list_begin(struct text_list *list, char *ret, size_t size, int total, int most)
{
    *list = (struct text_list){.text = ret, .size = size, .total = total, .most = most};
    ret[0] = '\0';
}

bool text_list_add(struct text_list *list, const char *between, const char *item)
{
    char more[MORE];
    size_t room = list->written + 1 < list->total ? MORE : 1;
    bool fits = list->len + strlen(between) + strlen(item) + room <= list->size;
    if (list->written > 0 && (!fits || list->written == list->most)) {
        (void)snprintf(more, sizeof more, " and %d more", (list->total - list->written) % 1000);
        append_text(list, more);
        return false;
    }
    append_text(list, list->written > 0 ? between : "");
    append_text(list, item);
    list->written++;
    return true;
}

int text_names(const char *const *names, const bool *set, int n, const char *last, char *ret,
               size_t size)
{
    struct text_list list;
    int total = 0;
    for (int i = 0; i < n; i++)
        total += set[i];
    text_list_begin(&list, ret, size, total, total);
    for (int i = 0; i < n; i++) {
        const char *between = list.written + 1 == total ? last : ", ";
        if (set[i] && !text_list_add(&list, between, names[i]))
            break;
    }
    return total;
}

/* ---- misspelt ------------------------------------------------------------ */

#define NEAREST_MAX 64 /* characters that are compared */

/* How many letters must be put in, taken out or replaced (Levenshtein), case aside. */
static size_t distance(const char *a, const char *b)
{
    size_t row[NEAREST_MAX + 1];
    size_t n = strnlen(b, NEAREST_MAX);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] && i < NEAREST_MAX; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal +
                          (toupper((unsigned char)a[i]) != toupper((unsigned char)b[j - 1]));
            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[n];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t len = strlen(word), least = len / 2 < 3 ? (len + 1) / 2 : 4;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);
        if (d < least) {
            least = d;
            nearest = names[i];
        }
    }
    return nearest;
}
