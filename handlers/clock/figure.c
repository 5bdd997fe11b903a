/* SPDX-License-Identifier: MIT */
#include "clock/figure.h"

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLI  INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Largest last, each used from `from` on. */
static const struct unit {
    int64_t from;
    int64_t us;
    const char *name;
} units[] = {
    {0, MILLI, "ms"},  {SECOND, SECOND, "s"}, {100 * SECOND, MINUTE, "min"},
    {HOUR, HOUR, "h"}, {2 * DAY, DAY, "d"},
};

static int64_t size_of(int64_t us)
{
    return us < 0 ? -us : us;
}

/* The unit for a size, which is rounded to milliseconds first. */
static const struct unit *unit_for(int64_t us)
{
    const int64_t size = (size_of(us) + MILLI / 2) / MILLI * MILLI;
    size_t i = COUNT(units) - 1;
    while (size < units[i].from)
        i--;
    return &units[i];
}

/* Tenths are written below ten, but never of milliseconds. */
static bool has_tenths(const struct unit *unit, int64_t us)
{
    return unit->us > MILLI && (size_of(us) * 10 + unit->us / 2) / unit->us < 100;
}

static const char *write_figure(const char *sign, int64_t us, char ret[FIGURE_TEXT])
{
    const struct unit *unit = unit_for(us);
    const int64_t size = size_of(us);
    if (has_tenths(unit, us)) {
        int64_t tenths = (size * 10 + unit->us / 2) / unit->us;
        (void)snprintf(ret, FIGURE_TEXT, "%s%lld.%lld %s", sign, (long long)(tenths / 10),
                       (long long)(tenths % 10), unit->name);
    } else {
        (void)snprintf(ret, FIGURE_TEXT, "%s%lld %s", sign,
                       (long long)((size + unit->us / 2) / unit->us), unit->name);
    }
    return ret;
}

const char *figure_signed(int64_t us, char ret[FIGURE_TEXT])
{
    return write_figure(us < 0 ? "-" : "+", us, ret);
}

const char *figure_size(int64_t us, char ret[FIGURE_TEXT])
{
    return write_figure("", us, ret);
}

const char *figure_limit(int64_t us, char ret[FIGURE_TEXT])
{
    if (us % SECOND == 0)
        (void)snprintf(ret, FIGURE_TEXT, "%lld s", (long long)(us / SECOND));
    else if (us % MILLI == 0)
        (void)snprintf(ret, FIGURE_TEXT, "%lld ms", (long long)(us / MILLI));
    else
        (void)snprintf(ret, FIGURE_TEXT, "%lld us", (long long)us);
    return ret;
}

static int64_t nearest(int64_t us, int64_t step)
{
    const int64_t half = us < 0 ? -(step / 2) : step / 2;
    return (us + half) / step * step;
}

int64_t figure_between(int64_t lo, int64_t hi, int64_t shown)
{
    static const int64_t tenths[] = {5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1};
    const int64_t low = lo < hi ? lo : hi;
    const int64_t high = lo < hi ? hi : lo;
    const int64_t middle = low + (high - low) / 2;
    const struct unit *unit = unit_for(middle);
    const int64_t last = has_tenths(unit, middle) ? unit->us / 10 : unit->us;
    if (shown != 0 && low - last <= shown && shown <= high + last)
        return shown;
    for (size_t i = 0; i < COUNT(tenths); i++) {
        const int64_t step = unit->us / 10 * tenths[i];
        const int64_t round = nearest(middle, step);
        if (step >= last && round != 0 && low <= round && round <= high)
            return round;
    }
    return nearest(middle, last);
}

int64_t figure_step(int64_t us)
{
    int64_t decade = MILLI;
    while (us > 5 * decade)
        decade *= 10;
    return us <= decade ? decade : us <= 2 * decade ? 2 * decade : 5 * decade;
}

int64_t figure_bound(int64_t us, int64_t shown)
{
    return us <= shown && shown / 3 <= us ? shown : figure_step(us);
}

/* ---- of several servers -------------------------------------------------- */

/* Do all figures of the set read the same, and as what? */
static bool is_common(const struct figure_servers *servers, char ret[FIGURE_TEXT])
{
    char text[FIGURE_TEXT];
    ret[0] = '\0';
    for (int i = 0; i < servers->n; i++) {
        if (!servers->set[i])
            continue;
        figure_signed(servers->figures_us[i], text);
        if (ret[0] && strcmp(ret, text) != 0)
            return false;
        memcpy(ret, text, sizeof text);
    }
    return ret[0] != '\0';
}

/* One figure for all. */
static void write_common(const struct figure_servers *servers, const char *verb, const char *figure,
                         char *ret, size_t size)
{
    const size_t tail = strlen(verb) + strlen(figure) + 5;
    const size_t room = tail < size ? size - tail : 1;
    (void)text_names(servers->names, servers->set, servers->n, " and ", ret, room);
    const size_t len = strlen(ret);
    (void)snprintf(ret + len, size - len, " %s by %s", verb, figure);
}

int figure_names(const struct figure_servers *servers, const struct figure_verb *verb, char *ret,
                 size_t size)
{
    struct text_list list;
    char figure[FIGURE_TEXT];
    int total = 0;
    for (int i = 0; i < servers->n; i++)
        total += servers->set[i];
    text_list_begin(&list, ret, size, total, total);
    if (is_common(servers, figure)) {
        write_common(servers, total == 1 ? verb->one : verb->many, figure, ret, size);
        return total;
    }
    for (int i = 0; i < servers->n; i++) {
        char item[256];
        bool first = list.written == 0;
        (void)snprintf(item, sizeof item, "%s %s%sby %s", servers->names[i], first ? verb->one : "",
                       first ? " " : "", figure_signed(servers->figures_us[i], figure));
        if (servers->set[i] && !text_list_add(&list, ", ", item))
            break;
    }
    return total;
}
