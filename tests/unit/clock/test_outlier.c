/* SPDX-License-Identifier: MIT */
#include "clock/outlier.h"

#include "test.h"

/* Pairs beyond as words "ij" (servers 0..9), silent ones as digits. */
struct row {
    const char *name;
    int n;
    const char *beyond;
    const char *silent;
    enum outlier_kind kind;
    const char *named;  /* digits */
    const char *groups; /* the group of each, '-' for none */
};

static const struct row rows[] = {
    {"none", 3, "", "", OUTLIER_NONE, "", "000"},
    {"nobody", 0, "", "", OUTLIER_NONE, "", ""},
    {"one", 1, "", "", OUTLIER_NONE, "", "0"},
    {"of two", 2, "01", "", OUTLIER_GROUPS, "", "01"},
    {"of three", 3, "02 12", "", OUTLIER_NAMED, "2", "001"},
    {"of three, the first", 3, "01 02", "", OUTLIER_NAMED, "0", "011"},
    {"a chain of three", 3, "02", "", OUTLIER_PAIRS, "", "000"},
    {"three, all different", 3, "01 02 12", "", OUTLIER_GROUPS, "", "012"},
    {"of four", 4, "03 13 23", "", OUTLIER_NAMED, "3", "0001"},
    {"of four, one not proven", 4, "03 13", "", OUTLIER_NAMED, "3", "0000"},
    {"of four, half of the others", 4, "03", "", OUTLIER_PAIRS, "", "0000"},
    {"two against two", 4, "02 03 12 13", "", OUTLIER_GROUPS, "", "0011"},
    {"two against two, one not proven", 4, "02 03 12", "", OUTLIER_PAIRS, "", "0000"},
    {"two of four, not alike", 4, "02 03 12 13 23", "", OUTLIER_GROUPS, "", "0012"},
    {"two of five", 5, "03 13 23 04 14 24", "", OUTLIER_NAMED, "34", "00011"},
    {"two of five, not alike", 5, "03 13 23 04 14 24 34", "", OUTLIER_NAMED, "34", "00012"},
    {"a chain of five", 5, "03 04 14", "", OUTLIER_PAIRS, "", "00000"},
    {"of five, two of four", 5, "04 14", "", OUTLIER_PAIRS, "", "00000"},
    {"of five, three of four", 5, "04 14 24", "", OUTLIER_NAMED, "4", "00000"},
    {"three of seven", 7, "04 14 24 34 05 15 25 35 06 16 26 36", "", OUTLIER_NAMED, "456",
     "0000111"},
    {"three against three", 6, "03 04 05 13 14 15 23 24 25", "", OUTLIER_GROUPS, "", "000111"},
    {"one of three silent", 3, "01", "2", OUTLIER_GROUPS, "", "01-"},
    {"one of four silent", 4, "02 12", "3", OUTLIER_NAMED, "2", "001-"},
    {"two of five silent", 5, "02 12", "34", OUTLIER_GROUPS, "", "001--"},
    {"one of five silent", 5, "03 13 23", "4", OUTLIER_NAMED, "3", "0001-"},
    {"all silent but one", 5, "", "1234", OUTLIER_NONE, "", "0----"},
};

static void build(const struct row *row, struct outlier_pairs *ret)
{
    *ret = (struct outlier_pairs){.n = row->n};
    for (const char *at = row->beyond; *at; at += at[2] ? 3 : 2)
        ret->beyond[at[0] - '0'][at[1] - '0'] = ret->beyond[at[1] - '0'][at[0] - '0'] = true;
    for (const char *at = row->silent; *at; at++)
        ret->silent[*at - '0'] = true;
}

static void who_can_be_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outlier_pairs pairs;
        struct outlier outlier;
        char named[16] = "";
        char groups[16] = "";
        build(&rows[i], &pairs);
        outlier_find(&pairs, &outlier);
        for (int k = 0; k < rows[i].n; k++) {
            if (outlier.named[k])
                named[strlen(named)] = (char)('0' + k);
            groups[k] = (char)(outlier.group[k] < 0 ? '-' : '0' + outlier.group[k]);
        }
        if (outlier.kind != rows[i].kind || strcmp(named, rows[i].named) != 0 ||
            strcmp(groups, rows[i].groups) != 0)
            fail_msg("%s: %d, named %s, groups %s", rows[i].name, outlier.kind, named, groups);
    }
}

static void what_others_say_must_explain_it(void **state)
{
    (void)state;
    static const struct {
        struct row row;
        const char *named;
        bool explains;
    } cases[] = {
        {{.n = 2, .beyond = "01", .silent = ""}, "1", true},
        {{.n = 2, .beyond = "01", .silent = ""}, "0", true},
        {{.n = 2, .beyond = "01", .silent = ""}, "", false},
        {{.n = 2, .beyond = "01", .silent = ""}, "01", false},
        {{.n = 4, .beyond = "02 03 12 13", .silent = ""}, "23", true},
        {{.n = 4, .beyond = "02 03 12 13", .silent = ""}, "2", false},
        {{.n = 3, .beyond = "01", .silent = "2"}, "01", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outlier_pairs pairs;
        bool named[OUTLIER_MOST] = {false};
        build(&cases[i].row, &pairs);
        for (const char *at = cases[i].named; *at; at++)
            named[*at - '0'] = true;
        assert_int_equal(outlier_explains(&pairs, named), cases[i].explains);
    }
}

/* The sentences are tested where they are said, in test_agreement.c. */
static void the_first_pair(void **state)
{
    (void)state;
    const struct row row = {.n = 4, .beyond = "23 13 12", .silent = ""};
    struct outlier_pairs pairs;
    struct outlier found;
    build(&row, &pairs);
    outlier_find(&pairs, &found);
    assert_int_equal(found.first[0], 1);
    assert_int_equal(found.first[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_can_be_named),
        cmocka_unit_test(what_others_say_must_explain_it),
        cmocka_unit_test(the_first_pair),
    };
    return cmocka_run_group_tests_name("outlier", tests, NULL, NULL);
}
