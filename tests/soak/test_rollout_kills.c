/* SPDX-License-Identifier: MIT */
/* A hundred changes, good and bad ones, with programs and agents of random servers killed
 * at random moments. */
#include "chain.h"

static int setup(void **state)
{
    *state = chain_start();
    chain_set(*state);
    return 0;
}

static void a_hundred_kills(void **state)
{
    chain_kills(*state, 100, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_kills),
    };
    return HARNESS_RUN("rollout_kills", tests, setup, cluster_tear_down);
}
