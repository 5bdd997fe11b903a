#include "clock/outlier.h"

#include "clock/figure.h"
#include "clock/name_list.h"

#include <stdio.h>
#include <string.h>

static int count_beyond(const struct culprit_pairs *pairs, int i)
{
    int n = 0;
    for (int j = 0; j < pairs->n; j++)
        n += pairs->beyond[i][j];
    return n;
}

static bool name_servers(const struct culprit_pairs *pairs, struct culprit *ret)
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

/* Give `i` and whoever is not beyond with it, and so on, the same group. */
static void gather(const struct culprit_pairs *pairs, int i, struct culprit *ret)
{
    int todo[CULPRIT_MOST] = {i};
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

void culprit_find(const struct culprit_pairs *pairs, struct culprit *ret)
{
    *ret = (struct culprit){.kind = CULPRIT_NONE};
    for (int i = 0; i < pairs->n; i++) {
        ret->group[i] = -1;
        ret->pairs += count_beyond(pairs, i);
    }
    ret->pairs /= 2;
    for (int i = 0; i < pairs->n; i++)
        if (!pairs->silent[i] && ret->group[i] < 0)
            gather(pairs, i, ret);
    if (ret->pairs == 0)
        return;
    if (name_servers(pairs, ret))
        ret->kind = CULPRIT_NAMED;
    else
        ret->kind = ret->groups > 1 ? CULPRIT_GROUPS : CULPRIT_PAIRS;
}

bool culprit_explains(const struct culprit_pairs *pairs, const bool *named)
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

void culprit_first(const struct culprit_pairs *pairs, int *ret_i, int *ret_j)
{
    for (int i = 0; i < pairs->n; i++) {
        for (int j = i + 1; j < pairs->n; j++) {
            if (!pairs->beyond[i][j])
                continue;
            *ret_i = i;
            *ret_j = j;
            return;
        }
    }
}

static void say_named(const struct culprit_pairs *pairs, const struct culprit *culprit,
                      const struct culprit_words *words, char *ret)
{
    static const struct phrase_verb differs = {"differs", "differ"};
    bool from[CULPRIT_MOST] = {false};
    char who[190];
    char whom[150];
    char limit[FIGURE_TEXT];
    for (int i = 0; i < pairs->n; i++)
        for (int j = 0; j < pairs->n; j++)
            if (culprit->named[i] && !culprit->named[j] && pairs->beyond[i][j])
                from[j] = true;
    (void)phrase_by(words->names, culprit->named, pairs->n, words->figures_us, &differs,
                    who, sizeof who);
    (void)phrase_list(words->names, from, pairs->n, " and ", whom, sizeof whom);
    (void)snprintf(ret, CULPRIT_TEXT, "%s from %s (limit %s)", who, whom,
                   figure_limit(words->limit_us, limit));
}

static void say_pair(const struct culprit_pairs *pairs, const struct culprit *culprit,
                     const struct culprit_words *words, char *ret)
{
    int i = 0;
    int j = 0;
    char figure[FIGURE_TEXT];
    char limit[FIGURE_TEXT];
    char more[32] = "";
    culprit_first(pairs, &i, &j);
    if (culprit->pairs > 1)
        (void)snprintf(more, sizeof more, ", and %d more pair%s", culprit->pairs - 1,
                       culprit->pairs > 2 ? "s" : "");
    (void)snprintf(ret, CULPRIT_TEXT, "%s and %s differ by %s%s (limit %s)",
                   words->names[i], words->names[j],
                   figure_size(words->pair_us, figure), more,
                   figure_limit(words->limit_us, limit));
}

static void say_groups(const struct culprit_pairs *pairs, const struct culprit *culprit,
                       const struct culprit_words *words, char *ret)
{
    const int said = culprit->groups > GROUPS_SAID ? GROUPS_SAID : culprit->groups;
    const size_t room = 340 / (size_t)said - strlen(" against ");
    size_t len = (size_t)snprintf(ret, CULPRIT_TEXT, "no majority: ");
    for (int g = 0; g < said; g++) {
        bool in[CULPRIT_MOST];
        char list[200];
        for (int i = 0; i < pairs->n; i++)
            in[i] = culprit->group[i] == g;
        (void)phrase_list(words->names, in, pairs->n, ", ", list,
                          room < sizeof list ? room : sizeof list);
        len += (size_t)snprintf(ret + len, CULPRIT_TEXT - len, "%s%s",
                                g > 0 ? " against " : "", list);
    }
    if (culprit->groups > said)
        (void)snprintf(ret + len, CULPRIT_TEXT - len, " against %d more",
                       culprit->groups - said);
}

/* Also two groups of one server each: theirs is the only pair. */
static bool is_pair(const struct culprit *culprit)
{
    return culprit->kind == CULPRIT_PAIRS ||
           (culprit->groups == 2 && culprit->pairs == 1);
}

const char *culprit_say(const struct culprit_pairs *pairs,
                        const struct culprit *culprit,
                        const struct culprit_words *words, char ret[CULPRIT_TEXT])
{
    ret[0] = '\0';
    if (culprit->kind == CULPRIT_NAMED)
        say_named(pairs, culprit, words, ret);
    else if (culprit->kind != CULPRIT_NONE && is_pair(culprit))
        say_pair(pairs, culprit, words, ret);
    else if (culprit->kind != CULPRIT_NONE)
        say_groups(pairs, culprit, words, ret);
    return ret;
}
