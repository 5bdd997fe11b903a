/* SPDX-License-Identifier: MIT */
#include "clock/offset_bound.h"

#include <errno.h>
#include <string.h>

/* By how much two raw clocks may have come apart in age_us, rounded up. */
static int64_t widening(int64_t k_ppm, int64_t age_us)
{
    return age_us > 0 ? (k_ppm * age_us + 999999) / 1000000 : 0;
}

int offset_bound_get(const struct offset_bound *bound, int64_t k_ppm, int64_t now_us,
                     int64_t *ret_lo, int64_t *ret_hi)
{
    int64_t least = INT64_MAX;
    int64_t greatest = INT64_MIN;
    if (bound->n == 0)
        return -ENODATA;
    for (int i = 0; i < bound->n; i++) {
        const struct offset_bound_round *r = &bound->round[i];
        int64_t hi = r->heard_us - r->stamped_us + widening(k_ppm, now_us - r->heard_us);
        int64_t lo = r->sent_us - r->got_us - widening(k_ppm, now_us - r->sent_us);
        least = hi < least ? hi : least;
        greatest = lo > greatest ? lo : greatest;
    }
    if (greatest > least)
        return -ERANGE;
    *ret_lo = greatest;
    *ret_hi = least;
    return 0;
}

int offset_bound_add(struct offset_bound *bound, const struct offset_bound_round *round,
                     int64_t k_ppm)
{
    int64_t lo;
    int64_t hi;
    if (bound->n == OFFSET_BOUND_ROUNDS) {
        memmove(bound->round, bound->round + 1, sizeof bound->round - sizeof bound->round[0]);
        bound->n--;
    }
    bound->round[bound->n++] = *round;
    int rc = offset_bound_get(bound, k_ppm, round->heard_us, &lo, &hi);
    if (rc < 0) {
        bound->round[0] = *round;
        bound->n = 1;
        rc = offset_bound_get(bound, k_ppm, round->heard_us, &lo, &hi);
    }
    if (rc < 0)
        bound->n = 0;
    return rc;
}
