#include "verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_verdict_is_rendered_status_first(void **state)
{
    (void)state;
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    verdict_set(&v, VERDICT_WARNING, "%d of %d servers", 2, 3);
    verdict_note(&v, "server-3 is down");
    verdict_render(&v, text);
    assert_string_equal(text, "warning: 2 of 3 servers\nserver-3 is down\n");
}

static void status_only_rises(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_raise(&v, VERDICT_WARNING);
    assert_int_equal(v.status, VERDICT_WARNING);
    verdict_raise(&v, VERDICT_CRITICAL);
    verdict_raise(&v, VERDICT_WARNING);
    assert_int_equal(v.status, VERDICT_CRITICAL);
}

static void long_notes_are_wrapped_at_blanks(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_note(
        &v, "%s",
        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg "
        "hhhhhhhhhh iiiiiiiii");
    assert_string_equal(
        v.details,
        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee fffffffff ggggggggg "
        "hhhhhhhhhh\n  iiiiiiiii\n");
}

static void a_word_longer_than_a_line_is_cut(void **state)
{
    (void)state;
    struct verdict v = {0};
    char word[101];
    memset(word, 'x', 100);
    word[100] = '\0';
    verdict_note(&v, "%s", word);
    assert_int_equal(strlen(v.details), 100 + 2 + 2); /* two feeds, one indent */
    assert_int_equal(strchr(v.details, '\n') - v.details, 80);
}

static void control_characters_become_question_marks(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_set(&v, VERDICT_PASSING, "a\n\x1b[31mb\xc3\xa4");
    verdict_note(&v, "x\ty");
    assert_string_equal(v.summary, "a??[31mb??");
    assert_string_equal(v.details, "x?y\n");
}

static void an_argument_may_be_the_old_summary(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_set(&v, VERDICT_PASSING, "one");
    verdict_set(&v, VERDICT_WARNING, "%s and two", v.summary);
    assert_string_equal(v.summary, "one and two");
}

/* Consul keeps 4096 bytes of the END of an output: ours must never be longer. */
static void too_many_notes_end_in_a_word_and_below_the_ceiling(void **state)
{
    (void)state;
    static const char last[] = "(more, see cluster-status)\n";
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    verdict_set(&v, VERDICT_WARNING, "%400s", "x");
    for (int i = 0; i < 500; i++)
        verdict_note(&v, "server-%d is down", i);
    verdict_render(&v, text);
    assert_in_range(strlen(text), 3500, VERDICT_OUTPUT);
    assert_string_equal(text + strlen(text) - strlen(last), last);
    assert_null(strstr(strstr(text, last) + 1, last));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_is_rendered_status_first),
        cmocka_unit_test(status_only_rises),
        cmocka_unit_test(long_notes_are_wrapped_at_blanks),
        cmocka_unit_test(a_word_longer_than_a_line_is_cut),
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(an_argument_may_be_the_old_summary),
        cmocka_unit_test(too_many_notes_end_in_a_word_and_below_the_ceiling),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
