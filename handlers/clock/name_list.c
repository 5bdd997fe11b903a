#include "clock/name_list.h"

#include "clock/figure.h"

#include <stdio.h>
#include <string.h>

#define MORE 16 /* bytes that " and 51 more" needs */

static int count(const bool *set, int n)
{
    int total = 0;
    for (int i = 0; i < n; i++)
        total += set[i];
    return total;
}

/* Appends while a text fits and room for the count of those that do not is left. */
struct writer {
    char *text;
    size_t size;
    size_t len;
    int total;
    int written;
};

static void start(struct writer *w, char *ret, size_t size, int total)
{
    *w = (struct writer){.text = ret, .size = size, .total = total};
    ret[0] = '\0';
}

static void append(struct writer *w, const char *text)
{
    const size_t left = w->size - w->len;
    int n = snprintf(w->text + w->len, left, "%s", text);
    w->len += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left - 1;
}

/* Write one more item; false: it did not fit, and the sentence is ended. */
static bool write_item(struct writer *w, const char *between, const char *item)
{
    char more[MORE];
    const size_t room = w->written + 1 < w->total ? MORE : 1;
    if (w->written > 0 && w->len + strlen(between) + strlen(item) + room > w->size) {
        (void)snprintf(more, sizeof more, " and %d more", (w->total - w->written) % 1000);
        append(w, more);
        return false;
    }
    append(w, w->written > 0 ? between : "");
    append(w, item);
    w->written++;
    return true;
}

int name_list(const char *const *names, const bool *set, int n, const char *last, char *ret,
              size_t size)
{
    struct writer w;
    start(&w, ret, size, count(set, n));
    for (int i = 0; i < n; i++) {
        const char *between = w.written + 1 == w.total ? last : ", ";
        if (set[i] && !write_item(&w, between, names[i]))
            break;
    }
    return w.total;
}

/* Do all figures of the set read the same? */
static bool is_common(const bool *set, int n, const int64_t *figures_us)
{
    char first[FIGURE_TEXT] = "";
    char text[FIGURE_TEXT];
    for (int i = 0; i < n; i++) {
        if (!set[i])
            continue;
        figure_signed(figures_us[i], text);
        if (first[0] && strcmp(first, text) != 0)
            return false;
        memcpy(first, text, sizeof first);
    }
    return true;
}

static int first_of(const bool *set, int n)
{
    int i = 0;
    while (i < n - 1 && !set[i])
        i++;
    return i;
}

static void write_common(const char *const *names, const bool *set, int n, const char *verb,
                         int64_t figure_us, char *ret, size_t size)
{
    char figure[FIGURE_TEXT];
    const size_t tail = strlen(verb) + strlen(figure_signed(figure_us, figure)) + 5;
    const size_t room = tail < size ? size - tail : 1;
    (void)name_list(names, set, n, " and ", ret, room);
    const size_t len = strlen(ret);
    (void)snprintf(ret + len, size - len, " %s by %s", verb, figure);
}

int name_list_by(const char *const *names, const bool *set, int n, const int64_t *figures_us,
                 const struct name_list_verb *verb, char *ret, size_t size)
{
    struct writer w;
    start(&w, ret, size, count(set, n));
    if (w.total > 0 && is_common(set, n, figures_us)) {
        write_common(names, set, n, w.total == 1 ? verb->one : verb->many,
                     figures_us[first_of(set, n)], ret, size);
        return w.total;
    }
    for (int i = 0; i < n; i++) {
        char item[256];
        char figure[FIGURE_TEXT];
        (void)snprintf(item, sizeof item, "%s %s%sby %s", names[i], w.written == 0 ? verb->one : "",
                       w.written == 0 ? " " : "", figure_signed(figures_us[i], figure));
        if (set[i] && !write_item(&w, ", ", item))
            break;
    }
    return w.total;
}
