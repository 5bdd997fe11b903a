/* SPDX-License-Identifier: MIT */
#include "check/verdict.h"

#include "test.h"

#define TEN      "123456789 "
#define NO_BLANK "1234567890"
#define SEVENTY  TEN TEN TEN TEN TEN TEN TEN
#define MORE     "(and more, which does not fit here)\n"

static void names_are_consuls(void **state)
{
    (void)state;
    assert_string_equal(verdict_status_name(VERDICT_PASSING), "passing");
    assert_string_equal(verdict_status_name(VERDICT_WARNING), "warning");
    assert_string_equal(verdict_status_name(VERDICT_CRITICAL), "critical");
}

static void renders(void **state)
{
    (void)state;
    static const struct {
        enum verdict_status status;
        enum verdict_status raise;
        const char *summary;
        const char *note;
        const char *text;
    } rows[] = {
        {VERDICT_PASSING, VERDICT_PASSING, "3 of 3 servers", NULL, "passing: 3 of 3 servers\n"},
        {VERDICT_PASSING, VERDICT_WARNING, "x", "why", "warning: x\nwhy\n"},
        {VERDICT_CRITICAL, VERDICT_WARNING, "x", "", "critical: x\n\n"},
        {VERDICT_WARNING, VERDICT_WARNING, SEVENTY TEN TEN "x", NULL,
         "warning: " SEVENTY TEN TEN "x\n"},
        {VERDICT_WARNING, VERDICT_WARNING, SEVENTY TEN TEN "12", "why",
         "warning: " SEVENTY TEN "123456789\n  12\nwhy\n"},
        {VERDICT_WARNING, VERDICT_WARNING, SEVENTY SEVENTY SEVENTY "x", NULL,
         "warning: " SEVENTY TEN "123456789\n  " TEN TEN TEN TEN TEN TEN
         "123456789\n  " TEN TEN TEN TEN TEN "x\n"},
        {VERDICT_WARNING, VERDICT_CRITICAL, "a\nb\x1b[31m\xc3\xa9", "\t\x7f~",
         "critical: a?b?[31m??\n??~\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict v = {0};
        char text[VERDICT_OUTPUT + 1];
        verdict_set(&v, rows[i].status, "%s", rows[i].summary);
        verdict_raise(&v, rows[i].raise);
        if (rows[i].note)
            verdict_note(&v, "%s", rows[i].note);
        verdict_render(&v, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void sets_again(void **state)
{
    (void)state;
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    verdict_render(&v, text);
    assert_string_equal(text, "passing: \n");
    verdict_set(&v, VERDICT_CRITICAL, "one");
    verdict_note(&v, "kept");
    verdict_set(&v, VERDICT_WARNING, "%s and %d", v.summary, 2);
    verdict_render(&v, text);
    assert_string_equal(text, "warning: one and 2\nkept\n");
}

static void wraps_at_80_columns(void **state)
{
    (void)state;
    static const struct {
        const char *note;
        const char *details;
    } rows[] = {
        {SEVENTY NO_BLANK, SEVENTY NO_BLANK "\n"},
        {SEVENTY NO_BLANK " x", SEVENTY NO_BLANK "\n  x\n"},
        {SEVENTY NO_BLANK "   x", SEVENTY NO_BLANK "\n  x\n"},
        {SEVENTY "12345678 012345", SEVENTY "12345678\n  012345\n"},
        {SEVENTY "1234567890a", TEN TEN TEN TEN TEN TEN "123456789\n  1234567890a\n"},
        {SEVENTY TEN TEN TEN TEN TEN TEN TEN TEN TEN "end",
         /* the indent counts */
         SEVENTY "123456789\n  " TEN TEN TEN TEN TEN TEN "123456789\n  123456789 end\n"},
        {NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK "xy",
         NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK NO_BLANK "\n  xy\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict v = {0};
        verdict_note(&v, "%s", rows[i].note);
        assert_string_equal(v.details, rows[i].details);
    }
}

static void says_when_it_is_full(void **state)
{
    (void)state;
    char text[VERDICT_OUTPUT + 1];
    for (int len = 0; len <= 200; len++) {
        struct verdict v = {0};
        char summary[2 * VERDICT_SUMMARY];
        memset(summary, 's', sizeof summary);
        summary[sizeof summary - 1] = '\0';
        verdict_set(&v, VERDICT_CRITICAL, "%s", summary);
        assert_int_equal(strlen(v.summary), VERDICT_SUMMARY - 1);
        for (int n = 0; n < 4000; n++)
            verdict_note(&v, "%.*s", len, summary);
        verdict_note(&v, "x"); /* a short one would still fit behind the last line */
        size_t used = strlen(v.details);
        assert_in_range(used, sizeof v.details - 200, sizeof v.details - 1);
        const char *end = v.details + used - strlen(MORE);
        assert_string_equal(end, MORE);
        assert_int_equal(end[-1], '\n');
        assert_ptr_equal(strstr(v.details, MORE), end);
        verdict_render(&v, text);
        /* The summary goes on three more lines, each two columns further to the right. */
        assert_int_equal(strcspn(text, "\n"), 100);
        assert_int_equal(strlen(text),
                         strlen("critical: \n") + strlen(v.summary) + 4 * strlen("\n  ") + used);
        assert_string_equal(text + strlen(text) - used, v.details);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_consuls),    cmocka_unit_test(renders),
        cmocka_unit_test(sets_again),           cmocka_unit_test(wraps_at_80_columns),
        cmocka_unit_test(says_when_it_is_full),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
