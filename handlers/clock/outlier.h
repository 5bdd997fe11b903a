/* culprit.h: pairs differ: which servers can be named for it? Pure.
 *
 * A server is named when it is beyond the limit with more than half of all others and the
 * unnamed are a majority of all. (Marzullo's intersection alone blames innocents in a third
 * to a half of healthy clusters.) Nobody is "wrong" by that: it differs from the majority. */
#ifndef CULPRIT_H
#define CULPRIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CULPRIT_MOST 51

struct culprit_pairs {
    int n;                                   /* participants, 0..CULPRIT_MOST */
    bool silent[CULPRIT_MOST];               /* counts as a participant, names nobody */
    bool beyond[CULPRIT_MOST][CULPRIT_MOST]; /* symmetric; never of a silent one */
};

enum culprit_kind {
    CULPRIT_NONE,  /* no pair is beyond */
    CULPRIT_NAMED, /* named[] */
    CULPRIT_GROUPS, /* every server of one group is beyond with every one of the others */
    CULPRIT_PAIRS   /* neither: only the pairs can be said */
};

struct culprit {
    enum culprit_kind kind;
    bool named[CULPRIT_MOST];
    int group
        [CULPRIT_MOST]; /* 0..groups-1 in order of their first servers, -1: silent */
    int groups;
    int pairs; /* number of pairs beyond */
};

void culprit_find(const struct culprit_pairs *pairs, struct culprit *ret);

/* Does naming exactly these (named[n]) explain every pair that is beyond, and is somebody
 * left who is neither named nor silent? */
bool culprit_explains(const struct culprit_pairs *pairs, const bool *named);

/* What the sentence is made of. Names are borrowed. */
struct culprit_words {
    const char *names[CULPRIT_MOST];
    int64_t figures_us[CULPRIT_MOST]; /* of each named: it minus the unnamed */
    int64_t pair_us;                  /* of the first pair, either sign */
    int64_t limit_us;
};

/* The first pair that is beyond: the least *ret_i, then the least *ret_j > *ret_i. Only
 * when there is one. */
void culprit_first(const struct culprit_pairs *pairs, int *ret_i, int *ret_j);

#define CULPRIT_TEXT 400

/* "server-3 differs by +2.0 s from server-1 and server-2 (limit 500 ms)",
 * "server-1 and server-2 differ by 2.0 s, and 1 more pair (limit 500 ms)",
 * "no majority: server-1, server-2 against server-3, server-4"; a group of two servers alone
 * is a pair. "" for CULPRIT_NONE. Returns ret. */
const char *culprit_say(const struct culprit_pairs *pairs,
                        const struct culprit *culprit,
                        const struct culprit_words *words, char ret[CULPRIT_TEXT]);

#endif
