/* SPDX-License-Identifier: MIT */
#include "settings/settings_print.h"

#include "test.h"

static void the_readme_gets_a_table(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(8192), small = BUFFER_INIT(10);
    assert_int_equal(settings_print_table(&out), 0);
    assert_memory_equal(out.data, "| key | value | default | meaning |\n|---|", 40);
    assert_non_null(strstr(out.data, "| `LOG_ENABLED` | Y or N | `Y` | N removes the "
                                     "shipping configuration: the only way to switch "
                                     "shipping off. |\n"));
    assert_non_null(strstr(out.data, "| `CLUSTER_MAINTENANCE` | node and end in UTC | none "
                                     "| This server is down"));
    size_t bars = 0, lines = 0;
    for (size_t i = 0; i < out.len; i++) {
        bars += out.data[i] == '|';
        lines += out.data[i] == '\n';
    }
    assert_int_equal(lines, SETTING_COUNT + 2);
    assert_int_equal(bars, 5 * lines);
    assert_int_equal(settings_print_table(&small), -EMSGSIZE);
    buffer_release(&out);
    buffer_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_readme_gets_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
