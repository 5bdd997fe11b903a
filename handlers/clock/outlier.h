/* SPDX-License-Identifier: MIT */
/* outlier.h: pairs differ: which servers can be named for it? Pure.
 *
 * A server is named when it is beyond the limit with more than half of all others and the
 * unnamed are a majority of all. (Marzullo's intersection alone blames innocents in a third
 * to a half of healthy clusters.) Nobody is "wrong" by that: it differs from the majority. */
#ifndef OUTLIER_H
#define OUTLIER_H

#include <stdbool.h>
#include <stdint.h>

#define OUTLIER_MOST 51

struct outlier_pairs {
    int n;                                   /* participants, 0..OUTLIER_MOST */
    bool silent[OUTLIER_MOST];               /* counts as a participant, names nobody */
    bool beyond[OUTLIER_MOST][OUTLIER_MOST]; /* symmetric; never of a silent one */
};

enum outlier_kind {
    OUTLIER_NONE,   /* no pair is beyond */
    OUTLIER_NAMED,  /* named[] */
    OUTLIER_GROUPS, /* every server of one group is beyond with every one of the others */
    OUTLIER_PAIRS   /* neither: only the pairs can be said */
};

struct outlier {
    enum outlier_kind kind;
    bool named[OUTLIER_MOST];
    int group[OUTLIER_MOST]; /* 0..groups-1 in order of their first servers, -1: silent */
    int groups;
    int pairs;    /* number of pairs beyond */
    int first[2]; /* of them: the least i, then the least j > i */
};

void outlier_find(const struct outlier_pairs *pairs, struct outlier *ret);

/* Does naming exactly these (named[n]) explain every pair that is beyond, and is somebody
 * left who is neither named nor silent? */
bool outlier_explains(const struct outlier_pairs *pairs, const bool *named);

/* What the sentence is made of. Names are borrowed. */
struct outlier_words {
    const char *names[OUTLIER_MOST];
    int64_t figures_us[OUTLIER_MOST]; /* of each named: it minus the unnamed */
    int64_t pair_us;                  /* of the first pair, either sign */
    int64_t limit_us;
};

#define OUTLIER_TEXT 400

/* "server-3 differs by +2.0 s from server-1 and server-2 (limit 500 ms)",
 * "server-1 and server-2 differ by 2.0 s, and 1 more pair (limit 500 ms)",
 * "no majority: server-1, server-2 against server-3, server-4"; a group of two servers alone
 * is a pair. "" for OUTLIER_NONE. Returns ret. */
const char *outlier_text(const struct outlier_pairs *pairs, const struct outlier *outlier,
                         const struct outlier_words *words, char ret[OUTLIER_TEXT]);

#endif
