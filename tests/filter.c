/* SPDX-License-Identifier: MIT */
/* What every test program has: TEST_FILTER in the environment (make check K=...) is a pattern
 * with * and ?; only tests whose name matches run. */
#include "test.h"

__attribute__((constructor)) static void choose_tests(void)
{
    cmocka_set_test_filter(getenv("TEST_FILTER"));
}
