#include "clock/name_list.h"

#include "test.h"

#define SECOND INT64_C(1000000)

static const char *const names[] = {"a", "bb", "ccc", "server-4", "server-5"};
static const struct name_list_verb differs = {"differs", "differ"};

/* Which of the five, a letter each: "xx-x-". */
static int read_set(const char *text, bool ret[5])
{
    int n = 0;
    for (int i = 0; i < 5; i++) {
        ret[i] = text[i] == 'x';
        n += ret[i];
    }
    return n;
}

static void lists_fit(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        const char *last;
        size_t size;
        const char *text;
    } rows[] = {
        {"-----", " and ", 100, ""},
        {"x----", " and ", 100, "a"},
        {"--x--", " and ", 100, "ccc"},
        {"xx---", " and ", 100, "a and bb"},
        {"xxx--", " and ", 100, "a, bb and ccc"},
        {"x-xx-", ", ", 100, "a, ccc, server-4"},
        {"xxxxx", " and ", 100, "a, bb, ccc, server-4 and server-5"},
        {"xxxxx", " and ", 36, "a, bb, ccc, server-4 and server-5"},
        {"xxxxx", " and ", 35, "a, bb, ccc and 2 more"},
        {"xxxxx", " and ", 20, "a and 4 more"},
        {"xxxxx", " and ", 8, "a and 4"},
        {"---xx", " and ", 4, "ser"},
        {"---xx", " and ", 1, ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool set[5];
        char text[100];
        int n = read_set(rows[i].set, set);
        assert_int_equal(name_list(names, set, 5, rows[i].last, text, rows[i].size), n);
        assert_string_equal(text, rows[i].text);
    }
}

static void figures_are_said_once_where_they_are_one(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        int64_t figures[5];
        size_t size;
        const char *text;
    } rows[] = {
        {"-----", {0}, 100, ""},
        {"-x---", {0, 2 * SECOND}, 100, "bb differs by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, 2 * SECOND}, 100, "a and ccc differ by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, 2010000}, 100, "a and ccc differ by +2.0 s"},
        {"x-x--", {2 * SECOND, 0, -2 * SECOND}, 100, "a differs by +2.0 s, ccc by -2.0 s"},
        {"xx--x",
         {2 * SECOND, 200000, 0, 0, -3600 * SECOND},
         100,
         "a differs by +2.0 s, bb by +200 ms, server-5 by -1.0 h"},
        {"xxxxx",
         {1, 2 * SECOND, 3 * SECOND, 4 * SECOND, 5 * SECOND},
         60,
         "a differs by +0 ms, bb by +2.0 s and 3 more"},
        {"xxxxx",
         {SECOND, SECOND, SECOND, SECOND, SECOND},
         40,
         "a, bb and 3 more differ by +1.0 s"},
        {"xxxxx", {SECOND, SECOND, SECOND, SECOND, SECOND}, 10, " differ b"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool set[5];
        char text[100];
        int n = read_set(rows[i].set, set);
        assert_int_equal(name_list_by(names, set, 5, rows[i].figures, &differs, text, rows[i].size),
                         n);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_fit),
        cmocka_unit_test(figures_are_said_once_where_they_are_one),
    };
    return cmocka_run_group_tests_name("phrase", tests, NULL, NULL);
}
