/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include "test.h"

static void appends_up_to_its_ceiling(void **state)
{
    (void)state;
    struct buffer buf = BUFFER_INIT(5);
    assert_string_equal(buffer_text(&buf), "");
    assert_int_equal(buffer_append(&buf, "abc", 3), 0);
    assert_int_equal(buffer_append(&buf, "", 0), 0);
    assert_int_equal(buffer_append(&buf, "def", 3), -EMSGSIZE);
    assert_string_equal(buffer_text(&buf), "abc");
    assert_int_equal(buffer_append(&buf, "de", 2), 0);
    assert_int_equal(buffer_append(&buf, "f", 1), -EMSGSIZE);
    assert_string_equal(buffer_text(&buf), "abcde");
    assert_int_equal(buf.len, 5);
    buffer_release(&buf);
}

static void holds_any_byte(void **state)
{
    (void)state;
    struct buffer buf = BUFFER_INIT(100);
    assert_int_equal(buffer_append(&buf, "a\0b", 3), 0);
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.data, "a\0b", 4);
    buffer_release(&buf);
}

static void grows(void **state)
{
    (void)state;
    struct buffer buf = BUFFER_INIT(100000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(buffer_append(&buf, "0123456789", 10), 0);
    assert_int_equal(buf.len, 100000);
    assert_string_equal(buf.data + 99990, "0123456789");
    buffer_release(&buf);
}

static void formats(void **state)
{
    (void)state;
    struct buffer buf = BUFFER_INIT(12);
    assert_int_equal(buffer_printf(&buf, "%s", ""), 0);
    assert_int_equal(buffer_printf(&buf, "%d of %s", 2, "three"), 0);
    assert_int_equal(buffer_printf(&buf, "%s", "too long"), -EMSGSIZE);
    assert_string_equal(buffer_text(&buf), "2 of three");
    buffer_release(&buf);
}

static void an_all_zero_one_holds_nothing(void **state)
{
    (void)state;
    struct buffer buf = {0};
    assert_int_equal(buffer_append(&buf, "a", 1), -EMSGSIZE);
    assert_null(buffer_detach(&buf));
    buffer_clear(&buf);
    buffer_release(&buf);
    assert_string_equal(buffer_text(&buf), "");
}

static void clears_and_hands_over(void **state)
{
    (void)state;
    struct buffer buf = BUFFER_INIT(10);
    assert_int_equal(buffer_append(&buf, "0123456789", 10), 0);
    buffer_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buffer_text(&buf), "");
    assert_int_equal(buffer_append(&buf, "abc", 3), 0);
    char *text = buffer_detach(&buf);
    assert_string_equal(text, "abc");
    free(text);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.limit, 10);
    assert_int_equal(buffer_append(&buf, "new", 3), 0);
    assert_string_equal(buffer_text(&buf), "new");
    buffer_release(&buf);
}

static void reads_to_the_end(void **state)
{
    (void)state;
    struct buffer enough = BUFFER_INIT(11);
    struct buffer tight = BUFFER_INIT(10);
    for (int i = 0; i < 2; i++) {
        struct buffer *buf = i == 0 ? &enough : &tight;
        int fds[2];
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(write(fds[1], "hello world", 11), 11);
        assert_int_equal(close(fds[1]), 0);
        assert_int_equal(buffer_read(buf, fds[0]), i == 0 ? 0 : -EMSGSIZE);
        assert_int_equal(close(fds[0]), 0);
    }
    assert_string_equal(buffer_text(&enough), "hello world");
    assert_string_equal(buffer_text(&tight), "");
    assert_int_equal(buffer_read(&enough, -1), -EBADF);
    assert_string_equal(buffer_text(&enough), "hello world");
    buffer_release(&enough);
    buffer_release(&tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_up_to_its_ceiling),
        cmocka_unit_test(holds_any_byte),
        cmocka_unit_test(grows),
        cmocka_unit_test(formats),
        cmocka_unit_test(an_all_zero_one_holds_nothing),
        cmocka_unit_test(clears_and_hands_over),
        cmocka_unit_test(reads_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
