/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "test.h"

static const char *const names[] = {"a", "bb", "ccc", "server-4", "server-5"};

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

static void other_bytes_become_question_marks(void **state)
{
    (void)state;
    char text[] = "a ~\x7f\n\t\xc3\xa4z";
    char copy[8];
    text_clean(text);
    assert_string_equal(text, "a ~?????z");
    text_copy(copy, sizeof copy, "a\x1b b\n~234");
    assert_string_equal(copy, "a? b?~2");
    text_copy(copy, sizeof copy, "");
    assert_string_equal(copy, "");
    text_copy_bytes(copy, sizeof copy, "a\0 b", 4);
    assert_string_equal(copy, "a? b");
    text_copy_bytes(copy, sizeof copy, "1234567890", 10);
    assert_string_equal(copy, "1234567");
    text_copy_word(copy, sizeof copy, "a\0 b~", 5);
    assert_string_equal(copy, "a??b~");
}

static void every_byte_is_judged(void **state)
{
    (void)state;
    static const char forbidden[] = " \"\\$%`{}'<>|;&#";
    int allowed = 0;
    for (int byte = 1; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, 'b', '\0'};
        bool printable = byte >= 32 && byte <= 126;
        bool passes = printable && !strchr(forbidden, byte);
        assert_int_equal(text_printable((char)byte), printable ? (char)byte : '?');
        assert_int_equal(text_is_printable(text), printable);
        assert_int_equal(text_is_word(text), printable && byte != ' ');
        assert_int_equal(text_passes((char)byte), passes);
        assert_int_equal(text_all_pass(text), passes);
        allowed += passes;
    }
    assert_int_equal(allowed, 94 - 14);
    assert_false(text_passes('\0'));
    assert_true(text_is_printable("") && text_is_word("") && text_all_pass(""));
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
        assert_int_equal(text_names(names, set, 5, rows[i].last, text, rows[i].size), n);
        assert_string_equal(text, rows[i].text);
    }
}

static void lists_have_a_most(void **state)
{
    (void)state;
    static const char *const wanted[] = {"a and 3 more", "a; bb and 2 more",
                                         "a; bb; ccc and 1 more", "a; bb; ccc; server-4"};
    for (int most = 1; most <= 4; most++) {
        char text[100];
        struct text_list list;
        text_list_begin(&list, text, sizeof text, 4, most);
        for (int i = 0; i < 4 && text_list_add(&list, "; ", names[i]); i++)
            continue;
        assert_int_equal(list.written, most);
        assert_string_equal(text, wanted[most - 1]);
    }
}

static void the_nearest_name_is_found(void **state)
{
    (void)state;
    static const char *const all[] = {"status", "set", "settings", "LOG_LEVEL", "LOG_INDEX"};
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"stauts", "status"},
        {"STATUS", "status"},
        {"sett", "set"},
        {"LOG_LEVLE", "LOG_LEVEL"},
        {"log_indx", "LOG_INDEX"},
        {"settngs", "settings"},
        {"anything", NULL},
        {"", NULL},
        {"x", NULL},
        {"CLUSTER_GRACE", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *nearest = text_nearest(rows[i].word, all, COUNT(all));
        assert_string_equal(nearest ? nearest : "none", rows[i].nearest ? rows[i].nearest : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_bytes_become_question_marks),
        cmocka_unit_test(every_byte_is_judged),
        cmocka_unit_test(lists_fit),
        cmocka_unit_test(the_nearest_name_is_found),
        cmocka_unit_test(lists_have_a_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
