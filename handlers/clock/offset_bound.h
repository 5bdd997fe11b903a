/* SPDX-License-Identifier: MIT */
/* offset_bound.h: bound the offset of two raw clocks by messages that can only be late. Pure.
 *
 * "own" is the clock of the server that judges, "peer" the other one; the offset is own
 * minus peer. Raw clocks are neither stepped nor slewed: only their rates differ, by at most
 * k = ppm of the one + ppm of the other. Source: RFC 5905 section 4 (frequency tolerance).
 * Times are microseconds from 0 to 2^53. */
#ifndef OFFSET_BOUND_H
#define OFFSET_BOUND_H

#include "base/error.h"

#include <stdint.h>

#define OFFSET_BOUND_ROUNDS 32

/* A message there and one back. */
struct offset_bound_round {
    int64_t sent_us;    /* own clock: our message was stamped */
    int64_t got_us;     /* peer's clock: the peer had it in memory */
    int64_t stamped_us; /* peer's clock: its answer was stamped, got_us or later */
    int64_t heard_us;   /* own clock: we had it in memory, sent_us or later */
};

/* The latest rounds, oldest first. All-zero is empty. */
struct offset_bound {
    int n; /* 0..OFFSET_BOUND_ROUNDS */
    struct offset_bound_round round[OFFSET_BOUND_ROUNDS];
};

/* Bound the offset as of now_us (own clock; every round was received by then). The interval
 * also holds for any moment since the newest round was stamped.
 * k_ppm 0..1000
 * Returns 0 with *ret_lo <= *ret_hi (microseconds),
 *         -ENODATA without a round,
 *         -ERANGE  when the rounds contradict each other: a raw clock stood still. */
MUST_CHECK int offset_bound_get(const struct offset_bound *bound, int64_t k_ppm, int64_t now_us,
                                int64_t *ret_lo, int64_t *ret_hi);

/* Add a round; of more than OFFSET_BOUND_ROUNDS the oldest goes. When it contradicts the others
 * only it is kept.
 * Returns 0, or -ERANGE when it contradicts itself: then none is kept. */
MUST_CHECK int offset_bound_add(struct offset_bound *bound, const struct offset_bound_round *round,
                                int64_t k_ppm);

#endif
