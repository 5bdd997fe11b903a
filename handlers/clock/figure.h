/* SPDX-License-Identifier: MIT */
/* figure.h: microseconds as short text for people, made so that it does not flap. Pure.
 *
 * A figure in a check's text costs a raft write whenever it changes, so it must change
 * only when the thing itself did. */
#ifndef FIGURE_H
#define FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIGURE_TEXT 24

/* "+2.0 s", "-200 ms", "+36 s", "+1.0 h": the sign always, tenths below ten. Any integer
 * of +-2^53. Returns ret. */
const char *figure_signed(int64_t us, char ret[FIGURE_TEXT]);

/* The same without sign: "2.0 s". Returns ret. */
const char *figure_size(int64_t us, char ret[FIGURE_TEXT]);

/* A limit, exactly: "100 ms", "2 s", "1500 ms", "50500 us". Returns ret. */
const char *figure_limit(int64_t us, char ret[FIGURE_TEXT]);

/* The roundest number between lo and hi (microseconds, any order): the multiple of the
 * largest 1-2-5 step that has one in there, of several the one next to the middle. shown is
 * what was shown before, 0 for nothing; it stays as long as it lies between the
 * two, give or take the last digit that is written. */
int64_t figure_between(int64_t lo, int64_t hi, int64_t shown);

/* 1, 2, 5, 10, 20, 50 ... ms: the least that is not below us (us >= 0). */
int64_t figure_step(int64_t us);

/* The same for a bound that moves: what was shown before (0 nothing) stays while it is not too
 * little, and not more than three times too much. */
int64_t figure_bound(int64_t us, int64_t shown);

/* How a sentence says it of one server and of several. */
struct figure_verb {
    const char *one;  /* "differs" */
    const char *many; /* "differ" */
};

/* "server-1 and server-2 differ by +2.0 s" where the figures (microseconds) read the same,
 * else "server-1 differs by +2.0 s, server-2 by -1.0 s". Names and result as with
 * text_names(). */
struct figure_servers {
    const char *const *names;
    const bool *set;
    const int64_t *figures_us;
    int n;
};
int figure_names(const struct figure_servers *servers, const struct figure_verb *verb, char *ret,
                 size_t size);

#endif
