/* SPDX-License-Identifier: MIT */
/* A hundred changes, good and bad ones, with programs and agents of random servers killed
 * at random moments. */
#include "chain.h"

static int setup(void **state)
{
    struct cluster *c = cluster_start(
        &(struct cluster_options){.limits = "confirm=0s,apply_again=1s"});
    *state = c;
    for (int i = 1; i <= 3; i++)
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_SETTLE", "0", "CLUSTER_SERVERS",
                 "server_1=server-1,server_2=server-2,server_3=server-3", NULL);
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
