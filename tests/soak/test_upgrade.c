/* SPDX-License-Identifier: MIT */
/* A cluster is upgraded server by server: with programs of an older release on some of three
 * servers, and back again, every change reaches all, in order, and no check says otherwise. */
#include "chain.h"

/* Before the record was in the state file. */
#define OLD "f7f795f"

static char old_bin[300];

/* The old programs, with the limits of tests. They are built once. */
static int build_old(void)
{
    static const char script[] =
        "set -e; cd " SOURCE_DIR "; old=" TEST_BIN "/../old-" OLD "; mkdir -p $old; "
        "git archive " OLD " | tar -x -C $old; cd $old; "
        "make -s -j2 SAN= B=build $(printf 'build/test/%s ' reconfigure-logging rollout-logging "
        "apply-logging index-records verify-quorum verify-clock hear-clock verify-logging "
        "heartbeat)";
    const char *argv[] = {"/bin/bash", "-c", script, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    const int code = o.code;
    (void)snprintf(old_bin, sizeof old_bin, TEST_BIN "/../old-" OLD "/build/test");
    outcome_release(&o);
    return code;
}

static int setup(void **state)
{
    if (build_old() != 0)
        harness_fail("the programs of " OLD " cannot be built: is this clone without history?");
    *state = chain_start();
    chain_set(*state);
    return 0;
}

/* Which servers run the old programs, one step after the other. */
static const struct step {
    const char *index;
    bool old[3];
} steps[] = {
    {"all-new", {false, false, false}},      {"second-old", {false, true, false}},
    {"two-old", {true, true, false}},        {"all-old", {true, true, true}},
    {"last-upgraded", {true, true, false}},  {"one-old", {true, false, false}},
    {"all-upgraded", {false, false, false}},
};

static void every_change_reaches_all(void **state)
{
    struct cluster *c = *state;
    for (size_t n = 0; n < COUNT(steps); n++) {
        print_message("  %s\n", steps[n].index);
        for (int i = 1; i <= 3; i++)
            server_programs(c, i, steps[n].old[i - 1] ? old_bin : TEST_BIN);
        int64_t begin = chain_clock();
        settings_put(c, "LOG_INDEX", steps[n].index, NULL);
        chain_reach(c, steps[n].index);
        char *touched = chain_touched(c, begin);
        assert_string_equal(touched, "1 2 3");
        free(touched);
        for (int i = 1; i <= 3; i++)
            wait_check(c, i, "cluster:logging", "passing", "3 of 3 servers on revision", 20000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_reaches_all),
    };
    return HARNESS_RUN("upgrade", tests, setup, cluster_tear_down);
}
