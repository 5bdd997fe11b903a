/* SPDX-License-Identifier: MIT */
#include "base/state.h"

#include "base/boottime.h"
#include "base/json.h"
#include "scratch.h"
#include "test.h"

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct stat st;
    cJSON *root = state_begin();
    assert_non_null(cJSON_AddNumberToObject(root, "n", 7));
    assert_int_equal(state_write(scratch_dir, "s.json", root, true, NULL), 0);
    assert_int_equal(stat(scratch_at("s.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    root = state_read_boot(scratch_dir, "s.json");
    int64_t n = 0;
    assert_int_equal(json_integer(root, "n", &n, NULL), 0);
    assert_int_equal(n, 7);
    assert_string_equal(json_text(root, "boot", ""), boottime_boot_id());
    cJSON_Delete(root);
}

static void what_cannot_be_read_is_as_none(void **state)
{
    (void)state;
    static char large[70000];
    memset(large, ' ', sizeof large - 3);
    memcpy(large + sizeof large - 3, "{}", 3);
    scratch_put("damaged", "{\"boot\":", 0600);
    scratch_put("large", large, 0600);
    scratch_put("other", "{\"boot\":\"x\",\"n\":1}", 0600);
    assert_null(state_read(NULL, "other"));
    assert_null(state_read(scratch_dir, "none"));
    assert_null(state_read(scratch_dir, "damaged"));
    assert_null(state_read(scratch_dir, "large"));
    assert_null(state_read_boot(scratch_dir, "other"));
    assert_null(state_read_boot(scratch_dir, "none"));
    cJSON *root = state_read(scratch_dir, "other");
    assert_non_null(root);
    cJSON_Delete(root);
}

static void a_failure_is_told(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(state_write("/d", "n", NULL, false, &err), -ENOMEM);
    assert_string_equal(err.text, "cannot write /d/n: out of memory");
    assert_int_equal(state_write(scratch_at("none"), "n", state_begin(), false, &err), -ENOENT);
    scratch_assert_text(&err, "cannot write @/none/n: No such file or directory");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(what_cannot_be_read_is_as_none),
        TEST(a_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
