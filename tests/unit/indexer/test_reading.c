/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/limits.h"
#include "indexer/reading.h"
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MINUTE (limits()->still_ms)

static char dir[] = "/tmp/lictor-reading-XXXXXX";
static char glob_text[100];
static char *glob_list[] = {glob_text, glob_text}; /* twice: each file counts once */
static struct destination to = {.file = glob_list, .files = 2};
static struct reading reading;
static int64_t bytes;
static char stuck[SOURCES_TEXT];

static const char *at(const char *name)
{
    static char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static uint64_t put(const char *name, const char *text)
{
    struct stat st;
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    assert_int_equal(stat(at(name), &st), 0);
    return (uint64_t)st.st_ino;
}

static void put_position(uint64_t inode, const char *hash, const char *text)
{
    char name[100];
    (void)snprintf(name, sizeof name, "imfile-state:%llu%s", (unsigned long long)inode, hash);
    (void)put(name, text);
}

static void look(int64_t now_ms)
{
    reading_look(&reading, &to, false, now_ms, &bytes, stuck);
}

static int begin(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(strcpy(dir, "/tmp/lictor-reading-XXXXXX")));
    (void)snprintf(glob_text, sizeof glob_text, "%s/*.log", dir);
    (void)snprintf(to.positions, sizeof to.positions, "%s", dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    DIR *d = opendir(dir);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    reading_release(&reading);
    return rmdir(dir);
}

static void what_is_not_read_is_counted(void **state)
{
    (void)state;
    const uint64_t a = put("a.log", "one\ntwo\n"), b = put("b.log", "three\n");
    (void)put("c.txt", "no log\n");
    put_position(a, ":0123", "{\"curr_offs\": 4}");
    look(0);
    assert_int_equal(bytes, 4 + 6);
    put_position(b, "", "{\"curr_offs\": 6}");
    put_position(a, ":0123", "{\"curr_offs\": 8}");
    look(0);
    assert_int_equal(bytes, 0);
    (void)put("a.log", "a\n"); /* cut: it begins anew */
    look(0);
    assert_int_equal(bytes, 2);
}

static void a_file_that_is_not_read_on_is_named(void **state)
{
    (void)state;
    char text[SOURCES_TEXT];
    const uint64_t a = put("a.log", "one\ntwo\n");
    put_position(a, "", "{\"curr_offs\": 4}");
    look(0);
    assert_string_equal(stuck, "");
    look(MINUTE - 1);
    assert_string_equal(stuck, "");
    look(MINUTE);
    (void)snprintf(text, sizeof text, "4 bytes of %s", at("a.log"));
    assert_string_equal(stuck, text);
    (void)put("b.log", "x\n");
    look(MINUTE + 1);
    look(2 * MINUTE + 1);
    (void)snprintf(text, sizeof text, "4 bytes of %s (and of 1 more)", at("a.log"));
    assert_string_equal(stuck, text);
    put_position(a, "", "{\"curr_offs\": 8}");
    look(2 * MINUTE + 2);
    (void)snprintf(text, sizeof text, "2 bytes of %s", at("b.log"));
    assert_string_equal(stuck, text);
}

static void who_reads_slowly_is_not_stuck(void **state)
{
    (void)state;
    const uint64_t a = put("a.log", "one\ntwo\nthree\n");
    look(0);
    put_position(a, "", "{\"curr_offs\": 4}");
    look(MINUTE);
    put_position(a, "", "{\"curr_offs\": 8}");
    look(2 * MINUTE);
    assert_int_equal(bytes, 6);
    assert_string_equal(stuck, "");
}

static void new_lines_after_a_calm_day_are_not_stuck(void **state)
{
    (void)state;
    const uint64_t a = put("a.log", "one\n");
    put_position(a, "", "{\"curr_offs\": 4}");
    look(0);
    assert_int_equal(put("a.log", "one\ntwo\n"), a);
    look(MINUTE * 100);
    assert_string_equal(stuck, "");
}

static void half_a_line_waits_for_its_end(void **state)
{
    (void)state;
    put_position(put("a.log", "one\nhalf"), "", "{\"curr_offs\": 4}");
    look(0);
    look(MINUTE);
    assert_int_equal(bytes, 4);
    assert_string_equal(stuck, "");
}

static void what_is_halted_is_told_elsewhere(void **state)
{
    (void)state;
    (void)put("a.log", "one\n");
    look(0);
    reading_look(&reading, &to, true, MINUTE, &bytes, stuck);
    assert_string_equal(stuck, "");
    look(MINUTE + 1);
    assert_string_equal(stuck, "");
}

static void positions_that_are_wrong_are_none(void **state)
{
    static const char *const wrong[] = {
        "",     "{", "[]", "{\"curr_offs\": \"4\"}", "{\"curr_offs\": -4}", "{\"curr_offs\": 400}",
        "null",
    };
    (void)state;
    const uint64_t a = put("a.log", "one\n");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        put_position(a, "", wrong[i]);
        look(0);
        assert_int_equal(bytes, 4);
    }
    put_position(a, "x", "{\"curr_offs\": 4}");
    look(0);
    assert_int_equal(bytes, 4);
}

static void without_positions_nothing_is_said(void **state)
{
    (void)state;
    (void)put("a.log", "one\n");
    to.positions[0] = '\0';
    look(0);
    look(MINUTE);
    assert_int_equal(bytes, 0);
    assert_string_equal(stuck, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_read_is_counted),       TEST(a_file_that_is_not_read_on_is_named),
        TEST(who_reads_slowly_is_not_stuck),     TEST(new_lines_after_a_calm_day_are_not_stuck),
        TEST(half_a_line_waits_for_its_end),     TEST(what_is_halted_is_told_elsewhere),
        TEST(positions_that_are_wrong_are_none), TEST(without_positions_nothing_is_said),
    };
    return cmocka_run_group_tests_name("reading", tests, NULL, NULL);
}
