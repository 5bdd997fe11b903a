/* SPDX-License-Identifier: MIT */
#include "check/script_check.h"

#include "test.h"

static int make_dir(void **state)
{
    char *dir = strdup("/tmp/lictor-test-XXXXXX");
    *state = dir;
    return dir && mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/beat.last", (char *)*state);
    (void)unlink(path);
    (void)rmdir(*state);
    free(*state);
    return 0;
}

static const struct verdict good = {VERDICT_PASSING, "all run", ""};
static const struct verdict worse = {VERDICT_WARNING, "none", ""};
static const struct verdict bad = {VERDICT_WARNING, "not all", "verify-x: no\n"};

/* Steps in order, on one memory. */
static const struct step {
    const char *name;
    const struct verdict *v;
    bool led, rested;
    const char *text;
    int code;
    bool changed;
} steps[] = {
    {"no memory, no leader: the verdict", &good, false, true, "passing: all run\n", 0, true},
    {"with a leader: remembered", &good, true, true, "passing: all run\n", 0, true},
    {"the same again", &good, true, true, "passing: all run\n", 0, false},
    {"leader lost: the last line", &bad, false, true, "passing: all run\n", 0, true},
    {"still lost", &bad, false, true, "passing: all run\n", 0, true},
    {"leader back: the truth", &bad, true, true, "warning: not all\nverify-x: no\n", 1, true},
    {"a mere text while servers come and go: the last line", &worse, true, false,
     "warning: not all\nverify-x: no\n", 1, true},
    {"at rest: the truth", &worse, true, true, "warning: none\n", 1, true},
    {"another status goes at once", &good, true, false, "passing: all run\n", 0, true},
    {"and back", &bad, true, false, "warning: not all\nverify-x: no\n", 1, true},
    {"lost again: the last line", &good, false, true, "warning: not all\nverify-x: no\n", 1, true},
};

static void without_a_leader_the_last_line_is_repeated(void **state)
{
    for (size_t i = 0; i < COUNT(steps); i++) {
        char text[SCRIPT_CHECK_TEXT];
        bool changed = !steps[i].changed;
        print_message("  %s\n", steps[i].name);
        assert_int_equal(script_check_choose(*state, "beat", steps[i].v, steps[i].led,
                                             steps[i].rested, text, &changed),
                         steps[i].code);
        assert_string_equal(text, steps[i].text);
        assert_int_equal(changed, steps[i].changed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_leader_the_last_line_is_repeated, make_dir,
                                        remove_dir),
    };
    return cmocka_run_group_tests_name("repeat", tests, NULL, NULL);
}
