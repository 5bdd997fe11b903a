/* SPDX-License-Identifier: MIT */
#include "indexer/generations.h"
#include "test.h"

static char dir[] = "/tmp/lictor-generations-XXXXXX";
static char beside[100];

#define POINTS "................"

/* The generation that a line of this file gets, in a text; "" none. */
static const char *of(struct generations *g, const char *file, int offset, const char *hash)
{
    static char ret[8][GENERATIONS_ROOM + 1];
    static int next;
    char line[200];
    next = (next + 1) % 8;
    ret[next][0] = '\0';
    (void)snprintf(line, sizeof line, "~%s-%d-%s-" POINTS "\t{\"a\":1}", file, offset, hash);
    if (generations_complete(g, line, strlen(line)))
        (void)snprintf(ret[next], sizeof ret[next], "%.*s", GENERATIONS_ROOM,
                       strchr(line, '\t') - GENERATIONS_ROOM);
    return ret[next];
}

/* One that has been at work for a while. */
static struct generations *start(bool young)
{
    static struct complaint complaint;
    struct generations *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->complaint = &complaint;
    generations_open(g, beside);
    g->lines = young ? 0 : GENERATIONS_BATCH;
    return g;
}

static void each_file_of_a_name_has_its_own(void **state)
{
    (void)state;
    struct generations *g = start(false);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "11", 0, "7"));
    assert_int_equal(strlen(first), GENERATIONS_ROOM);
    assert_string_equal(of(g, "11", 23, "8"), first); /* the same file goes on */
    assert_string_equal(of(g, "11", 46, "8"), first);
    assert_string_not_equal(of(g, "11", 0, "7"), first); /* the next one, with the same line */
    assert_string_not_equal(of(g, "12", 0, "7"), first); /* another name */
    (void)snprintf(first, sizeof first, "%s", of(g, "-11", 0, "-7")); /* hashes have a sign */
    assert_int_equal(strlen(first), GENERATIONS_ROOM);
    assert_string_equal(of(g, "-11", 23, "-9223372036854775808"), first);
    assert_string_not_equal(of(g, "-11", 0, "-7"), first);
    free(g);
}

/* What is sent again after a restart is the same line; a new file is not. */
static void a_restart_begins_no_other(void **state)
{
    (void)state;
    struct generations *g = start(false);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "21", 0, "7"));
    free(g);
    g = start(true);
    assert_string_equal(of(g, "21", 0, "7"), first);
    assert_string_equal(of(g, "21", 23, "8"), first);
    assert_string_not_equal(of(g, "21", 0, "7"), first); /* but not twice */
    free(g);
    g = start(true);
    (void)snprintf(first, sizeof first, "%s", of(g, "21", 99, "8"));
    assert_string_not_equal(of(g, "21", 0, "9"), first); /* another first line */
    free(g);
    g = start(false);
    assert_string_not_equal(of(g, "21", 0, "9"), first);
    free(g);
}

/* In the middle, or after the state was lost: one begins, and stays. */
static void a_file_that_is_not_known_begins_one(void **state)
{
    (void)state;
    struct generations *g = start(true);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "31", 4096, "7"));
    assert_string_equal(of(g, "31", 8192, "7"), first);
    free(g);
}

static void the_names_used_last_are_kept(void **state)
{
    (void)state;
    struct generations *g = start(false);
    char name[20], first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "4000", 0, "7"));
    for (int i = 1; i < GENERATIONS_FILES; i++) {
        (void)snprintf(name, sizeof name, "%d", 4000 + i);
        (void)of(g, name, 0, "7");
    }
    assert_string_equal(of(g, "4000", 50, "8"), first);
    (void)of(g, "5000", 0, "7"); /* takes the place of the oldest */
    assert_string_not_equal(of(g, "4000", 75, "8"), first);
    free(g);
}

static const char *const others[] = {
    "",
    "~",
    "id\t{}",
    "probe-0123456789abcdef\t{}",
    "~1-2-3-" POINTS,
    "~1-2-3-...............\t{}",
    "~1-2-" POINTS "\t{}",
    "~-2-3-" POINTS "\t{}",
    "~x-2-3-" POINTS "\t{}",
    "~1-2---3-" POINTS "\t{}",
    "~--2-3-" POINTS "\t{}",
    "~123456789012345678901-2-3-" POINTS "\t{}",
    "1-2-3-" POINTS "\t{}",
};

static void what_does_not_look_so_stays_as_it_is(void **state)
{
    (void)state;
    struct generations *g = start(false);
    for (size_t i = 0; i < COUNT(others); i++) {
        char line[200];
        (void)snprintf(line, sizeof line, "%s", others[i]);
        assert_false(generations_complete(g, line, strlen(line)));
        assert_string_equal(line, others[i]);
    }
    free(g);
}

static void a_damaged_file_is_none(void **state)
{
    (void)state;
    char path[140];
    (void)snprintf(path, sizeof path, "%s.generations", beside);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("not hex at all\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct generations *g = start(true);
    assert_int_equal(g->of[0].file, 0);
    assert_int_equal(strlen(of(g, "51", 0, "7")), GENERATIONS_ROOM);
    free(g);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_of_a_name_has_its_own),
        cmocka_unit_test(a_restart_begins_no_other),
        cmocka_unit_test(a_file_that_is_not_known_begins_one),
        cmocka_unit_test(the_names_used_last_are_kept),
        cmocka_unit_test(what_does_not_look_so_stays_as_it_is),
        cmocka_unit_test(a_damaged_file_is_none),
    };
    if (!mkdtemp(dir))
        return 1;
    (void)snprintf(beside, sizeof beside, "%s/uncommitted", dir);
    int failed = cmocka_run_group_tests_name("generations", tests, NULL, NULL);
    return rmdir(dir) < 0 ? 1 : failed;
}
