/* SPDX-License-Identifier: MIT */
#include "clock/outlier.h"

#include "base/text.h"
#include "clock/figure.h"

#include <stdio.h>
#include <string.h>

static int count_beyond(const struct outlier_pairs *pairs, int i)
{
    int n = 0;
    for (int j = 0; j < pairs->n; j++)
        n += pairs->beyond[i][j];
    return n;
}

static bool name_servers(const struct outlier_pairs *pairs, struct outlier *ret)
{
    bool *named = ret->named;
    int n = 0;
    for (int i = 0; i < pairs->n; i++) {
        named[i] = 2 * count_beyond(pairs, i) > pairs->n - 1;
        n += named[i];
    }
    if (n > 0 && 2 * (pairs->n - n) > pairs->n)
        return true;
    memset(named, 0, sizeof ret->named);
    return false;
}

/* Give `i` and each one that is not beyond with it, and so on, the same group. */
static void gather(const struct outlier_pairs *pairs, int i, struct outlier *ret)
{
    int todo[OUTLIER_MOST] = {i};
    int n = 1;
    ret->group[i] = ret->groups;
    while (n > 0) {
        const int at = todo[--n];
        for (int j = 0; j < pairs->n; j++) {
            if (pairs->silent[j] || ret->group[j] >= 0 || pairs->beyond[at][j])
                continue;
            ret->group[j] = ret->groups;
            todo[n++] = j;
        }
    }
    ret->groups++;
}

/* Of `i` with those after it. */
static void count_pairs(const struct outlier_pairs *pairs, int i, struct outlier *ret)
{
    for (int j = i + 1; j < pairs->n; j++) {
        if (pairs->beyond[i][j] && ret->pairs++ == 0)
            memcpy(ret->first, (int[]){i, j}, sizeof ret->first);
    }
}

void outlier_find(const struct outlier_pairs *pairs, struct outlier *ret)
{
    *ret = (struct outlier){.kind = OUTLIER_NONE};
    for (int i = 0; i < pairs->n; i++) {
        ret->group[i] = -1;
        count_pairs(pairs, i, ret);
    }
    for (int i = 0; i < pairs->n; i++)
        if (!pairs->silent[i] && ret->group[i] < 0)
            gather(pairs, i, ret);
    if (ret->pairs == 0)
        return;
    if (name_servers(pairs, ret))
        ret->kind = OUTLIER_NAMED;
    else
        ret->kind = ret->groups > 1 ? OUTLIER_GROUPS : OUTLIER_PAIRS;
}

bool outlier_explains(const struct outlier_pairs *pairs, const bool *named)
{
    int left = 0;
    for (int i = 0; i < pairs->n; i++) {
        if (named[i] || pairs->silent[i])
            continue;
        left++;
        for (int j = 0; j < i; j++)
            if (pairs->beyond[i][j] && !named[j])
                return false;
    }
    return left > 0;
}

/* ---- the sentence -------------------------------------------------------- */

#define GROUPS_SAID 4

static void say_named(const struct outlier_pairs *pairs, const struct outlier *outlier,
                      const struct outlier_words *words, char *ret)
{
    static const struct figure_verb differs = {"differs", "differ"};
    bool from[OUTLIER_MOST] = {false};
    char who[190];
    char whom[150];
    char limit[FIGURE_TEXT];
    for (int i = 0; i < pairs->n; i++)
        for (int j = 0; j < pairs->n; j++)
            if (outlier->named[i] && !outlier->named[j] && pairs->beyond[i][j])
                from[j] = true;
    const struct figure_servers named = {words->names, outlier->named, words->figures_us, pairs->n};
    (void)figure_names(&named, &differs, who, sizeof who);
    (void)text_names(words->names, from, pairs->n, " and ", whom, sizeof whom);
    (void)snprintf(ret, OUTLIER_TEXT, "%s from %s (limit %s)", who, whom,
                   figure_limit(words->limit_us, limit));
}

static void say_pair(const struct outlier *outlier, const struct outlier_words *words, char *ret)
{
    char figure[FIGURE_TEXT];
    char limit[FIGURE_TEXT];
    char more[32] = "";
    if (outlier->pairs > 1)
        (void)snprintf(more, sizeof more, ", and %d more pair%s", outlier->pairs - 1,
                       outlier->pairs > 2 ? "s" : "");
    (void)snprintf(ret, OUTLIER_TEXT, "%s and %s differ by %s%s (limit %s)",
                   words->names[outlier->first[0]], words->names[outlier->first[1]],
                   figure_size(words->pair_us, figure), more, figure_limit(words->limit_us, limit));
}

static void say_groups(const struct outlier_pairs *pairs, const struct outlier *outlier,
                       const struct outlier_words *words, char *ret)
{
    const int said = outlier->groups > GROUPS_SAID ? GROUPS_SAID : outlier->groups;
    const size_t room = 340 / (size_t)said - strlen(" against ");
    size_t len = (size_t)snprintf(ret, OUTLIER_TEXT, "no majority: ");
    for (int g = 0; g < said; g++) {
        bool in[OUTLIER_MOST];
        char list[200];
        for (int i = 0; i < pairs->n; i++)
            in[i] = outlier->group[i] == g;
        (void)text_names(words->names, in, pairs->n, ", ", list,
                         room < sizeof list ? room : sizeof list);
        len += (size_t)snprintf(ret + len, OUTLIER_TEXT - len, "%s%s", g > 0 ? " against " : "",
                                list);
    }
    if (outlier->groups > said)
        (void)snprintf(ret + len, OUTLIER_TEXT - len, " against %d more", outlier->groups - said);
}

/* Also two groups of one server each: theirs is the only pair. */
static bool is_pair(const struct outlier *outlier)
{
    return outlier->kind == OUTLIER_PAIRS || (outlier->groups == 2 && outlier->pairs == 1);
}

const char *outlier_text(const struct outlier_pairs *pairs, const struct outlier *outlier,
                         const struct outlier_words *words, char ret[OUTLIER_TEXT])
{
    ret[0] = '\0';
    if (outlier->kind == OUTLIER_NAMED)
        say_named(pairs, outlier, words, ret);
    else if (outlier->kind != OUTLIER_NONE && is_pair(outlier))
        say_pair(outlier, words, ret);
    else if (outlier->kind != OUTLIER_NONE)
        say_groups(pairs, outlier, words, ret);
    return ret;
}
