/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "test.h"

static void gives_the_number_back(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, -ENOENT, "no %s in %d places", "key", 3), -ENOENT);
    assert_string_equal(err.text, "no key in 3 places");
    assert_int_equal(error_set(NULL, -EINVAL, "dropped"), -EINVAL);
}

static void puts_a_sentence_around_a_text(void **state)
{
    (void)state;
    struct error err = {0};
    (void)error_set(&err, -EIO, "disk is gone");
    assert_int_equal(error_set(&err, -EIO, "cannot look: %s, really", err.text), -EIO);
    assert_string_equal(err.text, "cannot look: disk is gone, really");
}

static void cuts_what_is_too_long(void **state)
{
    (void)state;
    struct error err = {0};
    char many[1000];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(error_set(&err, -EIO, "%s", many), -EIO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_number_back),
        cmocka_unit_test(puts_a_sentence_around_a_text),
        cmocka_unit_test(cuts_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
