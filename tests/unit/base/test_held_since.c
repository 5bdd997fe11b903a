/* SPDX-License-Identifier: MIT */
#include "base/held_since.h"

#include "base/boottime.h"
#include "test.h"

static char dir[128];
static char path[160];

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/lictor-span-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof path, "%s/cluster:quorum.spans", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* An entry of a run that was `ago_ms` before this one. */
static void remember(struct held_since *spans, const char *name, int64_t ago_ms)
{
    struct held_since earlier = {.now_ms = boottime_ms() - ago_ms};
    assert_int_equal(held_since_note(&earlier, name, true), 0);
    assert_int_equal(held_since_write(&earlier, dir, "cluster:quorum", NULL), 0);
    held_since_read(dir, "cluster:quorum", spans);
}

static void grows_while_a_condition_holds(void **state)
{
    (void)state;
    struct held_since spans;
    remember(&spans, "leaderless", 500);
    int64_t ms = held_since_note(&spans, "leaderless", true);
    assert_in_range(ms, 500, 5000);
    assert_int_equal(held_since_note(&spans, "split", true), 0);
    assert_int_equal(held_since_write(&spans, dir, "cluster:quorum", NULL), 0);
    held_since_read(dir, "cluster:quorum", &spans);
    assert_int_equal(spans.n, 2);
    assert_true(held_since_note(&spans, "leaderless", true) >= ms);
}

static void forgets_what_does_not_hold(void **state)
{
    (void)state;
    struct held_since spans;
    remember(&spans, "leaderless", 500);
    assert_int_equal(held_since_note(&spans, "split", true), 0);
    assert_int_equal(held_since_note(&spans, "leaderless", false), -1);
    assert_int_equal(held_since_note(&spans, "leaderless", false), -1);
    assert_int_equal(held_since_note(&spans, "leaderless", true), 0);
    assert_int_equal(held_since_note(&spans, "leaderless", false), -1);
    assert_int_equal(held_since_write(&spans, dir, "cluster:quorum", NULL), 0);
    held_since_read(dir, "cluster:quorum", &spans);
    assert_int_equal(spans.n, 1);
    assert_string_equal(spans.span[0].name, "split");
}

static void forgives(void **state)
{
    (void)state;
    struct held_since spans = {.now_ms = 10000, .n = 1, .span = {{"down", 4000}}};
    held_since_forgive(&spans, "down", 1500);
    held_since_forgive(&spans, "other", 1500);
    assert_int_equal(held_since_note(&spans, "down", true), 4500);
    held_since_forgive(&spans, "down", 100000);
    assert_int_equal(held_since_note(&spans, "down", true), 0);
    assert_int_equal(spans.n, 1);
}

static void begins_anew_without_a_file_of_this_boot(void **state)
{
    (void)state;
    char other_boot[256];
    char array[256];
    (void)snprintf(other_boot, sizeof other_boot, "{\"boot\":\"%s\",\"since_ms\":{\"x\":1}}",
                   "00000000-0000-0000-0000-000000000000");
    (void)snprintf(array, sizeof array, "{\"boot\":\"%s\",\"since_ms\":[1]}", boottime_boot_id());
    const char *const texts[] = {
        NULL,       "",   "{", "[]", "null", "7", "{\"boot\":7}", "{\"since_ms\":{\"x\":1}}",
        other_boot, array};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct held_since spans;
        if (texts[i])
            write_text(texts[i]);
        held_since_read(dir, "cluster:quorum", &spans);
        assert_int_equal(spans.n, 0);
        assert_in_range(spans.now_ms, 1, boottime_ms());
        assert_int_equal(held_since_note(&spans, "x", true), 0);
    }
}

static void takes_no_nonsense(void **state)
{
    (void)state;
    char text[512];
    struct held_since spans;
    (void)snprintf(text, sizeof text,
                   "{\"boot\":\"%s\",\"since_ms\":{\"good\":1,\"future\":9007199254740992,"
                   "\"before\":-1,\"huge\":1e300,\"text\":\"1\",\"null\":null,"
                   "\"a name that is longer than any of ours\":1}}",
                   boottime_boot_id());
    write_text(text);
    held_since_read(dir, "cluster:quorum", &spans);
    assert_int_equal(spans.n, 1);
    assert_string_equal(spans.span[0].name, "good");
}

static void has_a_place_for_sixteen(void **state)
{
    (void)state;
    struct held_since spans = {.now_ms = 100};
    char name[HELD_SINCE_NAME];
    for (int i = 0; i < HELD_SINCE_MAX + 4; i++) {
        (void)snprintf(name, sizeof name, "condition %d", i);
        assert_int_equal(held_since_note(&spans, name, true), 0);
    }
    spans.now_ms = 150;
    assert_int_equal(held_since_note(&spans, "condition 15", true), 50);
    assert_int_equal(held_since_note(&spans, "condition 200", true), 0);
    const char *longer = "0123456789012345678901234567890 and more";
    assert_int_equal(held_since_note(&spans, "condition 0", false), -1);
    assert_int_equal(held_since_note(&spans, longer, true), 0);
    spans.now_ms = 170;
    assert_int_equal(held_since_note(&spans, longer, true), 20);
}

static void keeps_nothing_without_a_directory(void **state)
{
    (void)state;
    char text[256];
    struct held_since spans;
    struct error err = {0};
    held_since_read(NULL, "cluster:quorum", &spans);
    assert_int_equal(held_since_note(&spans, "x", true), 0);
    assert_int_equal(held_since_write(&spans, NULL, "cluster:quorum", &err), 0);
    assert_int_equal(held_since_write(&spans, path, "x", &err), -ENOENT);
    (void)snprintf(text, sizeof text, "cannot write %s/x.spans: No such file or directory", path);
    assert_string_equal(err.text, text);
}

static void writes_a_file_of_its_own(void **state)
{
    (void)state;
    struct stat st;
    struct held_since spans;
    remember(&spans, "x", 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(grows_while_a_condition_holds),
        TEST(forgets_what_does_not_hold),
        TEST(forgives),
        TEST(begins_anew_without_a_file_of_this_boot),
        TEST(takes_no_nonsense),
        TEST(has_a_place_for_sixteen),
        TEST(keeps_nothing_without_a_directory),
        TEST(writes_a_file_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
