/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "indexer/generations.h"
#include "test.h"

static char dir[] = "/tmp/lictor-generations-XXXXXX";
static char beside[100];

static int64_t number = 1;
static char taken[3000][120]; /* ids, the last ones */
static size_t taken_n;

#define POINTS "................"

static bool again; /* was the last line taken before? */

/* The generation that a line of this file gets, in a text; "" none. path: as it is called now. */
static const char *of_path(struct generations *g, const char *file, int offset, const char *hash,
                           const char *path)
{
    static char ret[8][GENERATIONS_ROOM + 1];
    static int next;
    char line[200], begin[100];
    next = (next + 1) % 8;
    ret[next][0] = '\0';
    (void)snprintf(begin, sizeof begin, "~%s-%d-%s-", file, offset, hash);
    size_t len = (size_t)snprintf(line, sizeof line, "%s%s-" POINTS "\t{\"a\":1}", begin, path);
    again = generations_complete(g, number++, line, &len);
    assert_int_equal(len, strlen(begin) + GENERATIONS_ROOM + strlen("\t{\"a\":1}"));
    assert_memory_equal(line, begin, strlen(begin));
    text_copy_bytes(ret[next], sizeof ret[next], line + strlen(begin), GENERATIONS_ROOM);
    (void)snprintf(taken[taken_n++ % COUNT(taken)], sizeof taken[0], "%.*s",
                   (int)(strlen(begin) + GENERATIONS_ROOM), line);
    return ret[next];
}

static const char *of(struct generations *g, const char *file, int offset, const char *hash)
{
    return of_path(g, file, offset, hash, file);
}

/* After a start, when a queue has the last so many lines. */
static struct generations *start(size_t known)
{
    static struct complaint complaint;
    struct generations *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->complaint = &complaint;
    generations_open(g, beside, number);
    for (size_t n = 1; n <= known && n <= taken_n; n++) {
        const char *id = taken[(taken_n - n) % COUNT(taken)];
        assert_int_equal(recent_add(&g->recent, id, strlen(id), number - (int64_t)n), 0);
    }
    return g;
}

static void stop(struct generations *g)
{
    generations_release(g);
    free(g);
}

static void each_file_of_a_name_has_its_own(void **state)
{
    (void)state;
    struct generations *g = start(0);
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
    stop(g);
}

/* What was taken before a restart and comes again is the same line; a new file is not. */
static void what_comes_again_is_the_same(void **state)
{
    (void)state;
    struct generations *g = start(0);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "21", 0, "7"));
    assert_false(again);
    (void)of(g, "21", 23, "8");
    stop(g);
    g = start(2);
    assert_string_equal(of(g, "21", 0, "7"), first);
    assert_true(again);
    assert_string_equal(of(g, "21", 23, "8"), first);
    assert_true(again);
    assert_string_equal(of(g, "21", 46, "8"), first);
    assert_false(again);
    assert_string_not_equal(of(g, "21", 0, "9"), first); /* another first line */
    assert_false(again);
    stop(g);
}

/* Which begins with the same line as the one before. */
static void a_new_file_after_a_restart_is_another(void **state)
{
    (void)state;
    struct generations *g = start(0);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "23", 0, "7"));
    for (int i = 0; i < GENERATIONS_BATCH; i++)
        (void)of(g, "24", i, "7");
    stop(g);
    g = start(GENERATIONS_BATCH + 1);
    assert_string_not_equal(of(g, "23", 0, "7"), first);
    assert_false(again);
    (void)snprintf(first, sizeof first, "%s", of(g, "23", 9, "7"));
    stop(g);
    g = start(2);
    assert_string_equal(of(g, "23", 18, "7"), first); /* it goes on before there is another */
    assert_string_not_equal(of(g, "23", 0, "7"), first);
    assert_false(again);
    stop(g);
}

/* A rotated file can be read again as a whole, when another one has begun since. */
static void a_rotated_file_comes_again(void **state)
{
    (void)state;
    struct generations *g = start(0);
    char first[GENERATIONS_ROOM + 1], second[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "25", 0, "7"));
    for (int i = 1; i < GENERATIONS_BATCH; i++)
        (void)of(g, "25", i, "7");
    (void)snprintf(second, sizeof second, "%s", of(g, "25", 0, "7"));
    assert_string_not_equal(second, first);
    stop(g);
    g = start(GENERATIONS_BATCH + 1);
    assert_string_equal(of_path(g, "25", 0, "7", "251"), first);
    assert_true(again);
    assert_string_equal(of_path(g, "25", 1, "7", "251"), first);
    assert_true(again);
    assert_string_equal(of(g, "25", 1, "8"), second); /* the present one goes on */
    assert_false(again);
    stop(g);
}

/* In the middle, or after the state was lost: one begins, and stays. */
static void a_file_that_is_not_known_begins_one(void **state)
{
    (void)state;
    struct generations *g = start(0);
    char first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "31", 4096, "7"));
    assert_string_equal(of(g, "31", 8192, "7"), first);
    stop(g);
}

static void the_names_begun_last_are_kept(void **state)
{
    (void)state;
    struct generations *g = start(0);
    char name[20], first[GENERATIONS_ROOM + 1];
    (void)snprintf(first, sizeof first, "%s", of(g, "4000", 0, "7"));
    for (int i = 1; i < GENERATIONS_FILES; i++) {
        (void)snprintf(name, sizeof name, "%d", 4000 + i);
        (void)of(g, name, 0, "7");
    }
    assert_string_equal(of(g, "4000", 50, "8"), first);
    for (int i = 0; i < 3 * GENERATIONS_SAME; i++) /* take each other's places */
        (void)of(g, "4001", 0, "7");
    assert_string_not_equal(of(g, "4000", 75, "8"), first);
    assert_string_equal(of(g, "4100", 75, "8"), of(g, "4100", 76, "8"));
    stop(g);
}

static const char *const others[] = {
    "",
    "~",
    "id\t{}",
    "probe-0123456789abcdef\t{}",
    "~1-2-3-" POINTS "\t{}",
    "~1-2-3-4-" POINTS,
    "~1-2-3-4-...............\t{}",
    "~1-2-" POINTS "\t{}",
    "~-2-3-4-" POINTS "\t{}",
    "~x-2-3-4-" POINTS "\t{}",
    "~1-2---3-4-" POINTS "\t{}",
    "~--2-3-4-" POINTS "\t{}",
    "~123456789012345678901-2-3-4-" POINTS "\t{}",
    "1-2-3-4-" POINTS "\t{}",
};

static void what_does_not_look_so_stays_as_it_is(void **state)
{
    (void)state;
    struct generations *g = start(0);
    for (size_t i = 0; i < COUNT(others); i++) {
        char line[200];
        size_t len = (size_t)snprintf(line, sizeof line, "%s", others[i]);
        assert_false(generations_complete(g, number++, line, &len));
        assert_string_equal(line, others[i]);
        assert_int_equal(len, strlen(others[i]));
    }
    stop(g);
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
    struct generations *g = start(0);
    assert_int_equal(g->of[0].file, 0);
    assert_int_equal(strlen(of(g, "51", 0, "7")), GENERATIONS_ROOM);
    stop(g);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_of_a_name_has_its_own),
        cmocka_unit_test(what_comes_again_is_the_same),
        cmocka_unit_test(a_new_file_after_a_restart_is_another),
        cmocka_unit_test(a_rotated_file_comes_again),
        cmocka_unit_test(a_file_that_is_not_known_begins_one),
        cmocka_unit_test(the_names_begun_last_are_kept),
        cmocka_unit_test(what_does_not_look_so_stays_as_it_is),
        cmocka_unit_test(a_damaged_file_is_none),
    };
    if (!mkdtemp(dir))
        return 1;
    (void)snprintf(beside, sizeof beside, "%s/queue", dir);
    int failed = cmocka_run_group_tests_name("generations", tests, NULL, NULL);
    return rmdir(dir) < 0 ? 1 : failed;
}
