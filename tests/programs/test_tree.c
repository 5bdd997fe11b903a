/* SPDX-License-Identifier: MIT */
/* What make and make lint must see: each row plants a fault in a copy of the tree. And what
 * scripts/version makes of what git knows. */
#include "harness.h"
#include "scratch.h"
#include "test.h"

/* A shell command in the scratch directory. */
static struct outcome shell(const char *command)
{
    char text[2000];
    (void)snprintf(text, sizeof text, "cd '%s' && { %s; } 2>&1", scratch_dir, command);
    /* What the make that runs this test was given is not for the make of the copy. */
    const char *argv[] = {"/usr/bin/env", "-u",      "MAKEFLAGS", "-u",     "SAN", "-u", "B",
                          "-u",           "GIT_DIR", "-u",        "WERROR", "-u",  "CC", "/bin/sh",
                          "-ec",          text,      NULL};
    return run_tool(NULL, argv, NULL);
}

static void expect(const char *command, bool succeeds, const char *out)
{
    struct outcome o = shell(command);
    if ((o.code == 0) != succeeds || !strstr(o.out, out))
        fail_msg("%s\nended with %d, without \"%s\":\n%s", command, o.code, out, o.out);
    outcome_release(&o);
}

static int set_up(void **state)
{
    int rc = scratch_set_up(state);
    struct outcome o = shell("cp -r " SOURCE_DIR "/Makefile " SOURCE_DIR "/handlers " SOURCE_DIR
                             "/scripts " SOURCE_DIR "/consul.d . && mkdir tests && cp " SOURCE_DIR
                             "/tests/lint tests/");
    rc = rc < 0 || o.code != 0 ? -1 : 0;
    outcome_release(&o);
    return rc;
}

#define LINT "ONLY='modules_listed folder_order folder_cycles licensed' make -s lint-now"

static void a_clean_tree_passes(void **state)
{
    (void)state;
    expect(LINT, true, "4 passed, 0 failed\n");
    expect("make -n all", true, "libcore.a");
}

static void what_is_planted_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *plant;
        const char *undo;
        const char *text;
    } rows[] = {
        {"echo '#include \"rollout/claim.h\"' >>handlers/base/file.h",
         "sed -i '$d' handlers/base/file.h",
         "base/file.h includes rollout/claim.h, a folder after its own"},
        {"echo '#include \"nowhere/x.h\"' >>handlers/net/url.c", "sed -i '$d' handlers/net/url.c",
         "net/url.c includes \"nowhere/x.h\", which is in no folder"},
        {"echo '#include \"base/file.h\"' >>handlers/base/buffer.h",
         "sed -i '$d' handlers/base/buffer.h", "tsort: base/buffer"},
        {"touch handlers/base/unlisted.c", "rm handlers/base/unlisted.c",
         "> handlers/base/unlisted.c"},
        {"mv handlers/base/digest.c kept", "mv kept handlers/base/digest.c",
         "< handlers/base/digest.c"},
        {"sed -i 1d handlers/base/text.h",
         "sed -i '1i /* SPDX-License-Identifier: MIT */' handlers/base/text.h",
         "handlers/base/text.h has no SPDX line"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(rows[i].plant, true, "");
        expect(LINT, false, rows[i].text);
        expect(rows[i].undo, true, "");
    }
    expect(LINT, true, "4 passed, 0 failed\n");
}

static void make_misses_a_listed_module(void **state)
{
    (void)state;
    expect("rm handlers/base/digest.c; make -n all", false,
           "No rule to make target 'build/obj/handlers/base/digest.o'");
}

#define GIT "git -c user.name=x -c user.email=x@x.invalid "

static void the_version_is_gits(void **state)
{
    (void)state;
    expect("scripts/version", true, "0.2.0-dev\n");
    expect(GIT "init -q . && git add -A && " GIT "commit -qm one; scripts/version", true,
           "0.2.0-dev+1.g");
    expect("git tag v0.1.7; scripts/version", true, "0.1.7\n");
    expect("make -n all", true, "LICTOR_VERSION='\"0.1.7\"'");
    expect(GIT "commit -q --allow-empty -m two; scripts/version", true, "0.2.0-dev+1.g");
    expect("mkdir out; git archive HEAD | tar -x -C out; out/scripts/version", true,
           "0.2.0-dev+1.g");
    expect("git tag v0.1.8; git archive HEAD | tar -x -C out; out/scripts/version", true,
           "0.1.8\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_clean_tree_passes, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_planted_is_found, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(make_misses_a_listed_module, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(the_version_is_gits, set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
