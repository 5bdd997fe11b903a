/* SPDX-License-Identifier: MIT */
#include "shipper/owned_files.h"

#include "base/file.h"
#include "scratch.h"
#include "test.h"

#define PATH "/d/x.conf"
#define NONE OWNED_FILES_NONE

/* Every sequence of what happens to one file: "w" our run wants the text, puts it there
 * ("k" and is killed then); "f" it wants it, but rolls back; "e" somebody else writes it; "r"
 * somebody removes it. The last step is a run; was what it found somebody else's? */
static const struct {
    const char *steps; /* pairs of step and text */
    bool foreign;
} histories[] = {
    {"wA", false},        {"wAwA", false},       {"wAwB", false},     {"wAwBwA", false},
    {"fA", false},        {"fAfA", false},       {"fAfBwC", false},   {"wAfBwA", false},
    {"wAfBfCwD", false},  {"wAfBfBfCwA", false}, {"eXwA", false}, /* nothing is known of the first one: an older program's */
    {"eXfAwA", false},    {"eXfAfBwA", false},   {"eXwAwB", false},   {"wAeXwA", true},
    {"wAeXwB", true},     {"wAeXfBwB", true}, /* rolled back to somebody else's: reported again */
    {"wAeXfBfCwB", true}, {"wAeXwBwC", false},   {"wAr-wA", true},    {"wAr-wB", true},
    {"wAr-wAwB", false},  {"wAw-wB", false}, /* switched off and on */
    {"wAw-eXwB", true},   {"wAf-wB", false},     {"wAw-f-wB", false}, {"wAwBeAwC", true},
    {"wAkBwC", false},    {"wAkBkCkA", false},   {"wAkBfAwC", false}, {"fAeXwB", true},
    {"wAfBeXwB", true},
};

static bool play(const char *steps)
{
    struct owned_files applied = {.n = 0};
    char present[2] = NONE;
    bool foreign = false;
    for (const char *s = steps; *s; s += 2) {
        char text[2] = {s[1], '\0'};
        if (strchr("wkf", *s)) {
            foreign = owned_files_foreign(&applied, PATH, present);
            assert_true(owned_files_note(&applied, PATH, text, false, present) >= 0);
            assert_false(owned_files_foreign(&applied, PATH, text));
        }
        if (*s != 'f')
            present[0] = s[1];
        if (*s == 'w')
            assert_true(owned_files_note(&applied, PATH, text, false, present) >= 0);
    }
    return foreign;
}

static void knows_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(histories); i++) {
        if (play(histories[i].steps) != histories[i].foreign)
            fail_msg("%s: foreign should be %d", histories[i].steps, histories[i].foreign);
    }
}

static void says_what_is_news(void **state)
{
    (void)state;
    struct owned_files applied = {.n = 0};
    assert_int_equal(owned_files_note(&applied, PATH, "A", true, NONE), 1);
    assert_int_equal(owned_files_note(&applied, PATH, "A", true, NONE), 0);
    assert_int_equal(owned_files_note(&applied, PATH, "A", true, "A"), 1);
    assert_int_equal(owned_files_note(&applied, PATH, "A", true, "A"), 0);
    assert_int_equal(owned_files_note(&applied, PATH, "A", false, "A"), 1);
}

/* As long as one of the two texts may hold secrets. */
static void remembers_secrets(void **state)
{
    (void)state;
    struct owned_files applied = {.n = 0};
    assert_null(owned_files_find(&applied, PATH));
    assert_int_equal(owned_files_note(&applied, PATH, "A", false, NONE), 1);
    assert_false(owned_files_find(&applied, PATH)->secret);
    assert_int_equal(owned_files_note(&applied, PATH, "B", true, "A"), 1);
    assert_true(owned_files_find(&applied, PATH)->secret);
    assert_int_equal(owned_files_note(&applied, PATH, "C", false, "B"), 1);
    assert_true(owned_files_find(&applied, PATH)->secret);
    assert_int_equal(owned_files_note(&applied, PATH, "C", false, "C"), 1);
    assert_false(owned_files_find(&applied, PATH)->secret);
    assert_int_equal(owned_files_note(&applied, "/d/unknown", "C", false, "X"), 1);
    assert_true(owned_files_find(&applied, "/d/unknown")->secret);
}

static void is_written_and_read(void **state)
{
    (void)state;
    struct owned_files applied = {.n = 0}, back;
    struct error err = {0};
    struct stat st;
    assert_int_equal(owned_files_note(&applied, PATH, "A", false, NONE), 1);
    assert_int_equal(owned_files_note(&applied, PATH, "B", false, "A"), 1);
    assert_int_equal(owned_files_note(&applied, "/d/y", "C", true, NONE), 1);
    assert_int_equal(owned_files_write(scratch_dir, &applied, true, &err), 0);
    assert_int_equal(stat(scratch_at("%s", OWNED_FILES_FILE), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    owned_files_read(scratch_dir, &back);
    assert_int_equal(back.n, 2);
    const struct owned_file *file = owned_files_find(&back, PATH);
    assert_non_null(file);
    assert_string_equal(file->last, "B");
    assert_string_equal(file->before, "A");
    assert_false(file->secret);
    assert_true(owned_files_find(&back, "/d/y")->secret);
    struct file_set_entry kept = {.path = "/d/y"};
    owned_files_keep(&back, &kept, 1);
    assert_int_equal(back.n, 1);
    assert_null(owned_files_find(&back, PATH));
}

static void a_damaged_record_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{\"files\":{}}", "{\"files\":[{}]}", "{\"files\":[5,null]}"};
    struct owned_files applied;
    owned_files_read(scratch_dir, &applied);
    assert_int_equal(applied.n, 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        scratch_put(OWNED_FILES_FILE, texts[i], 0600);
        owned_files_read(scratch_dir, &applied);
        assert_int_equal(applied.n, 0);
    }
}

static void has_room_for_every_target(void **state)
{
    (void)state;
    struct owned_files applied = {.n = 0};
    char path[20];
    for (int i = 0; i <= OWNED_FILES_MAX; i++) {
        (void)snprintf(path, sizeof path, "/d/%d", i);
        assert_int_equal(owned_files_note(&applied, path, "A", false, NONE),
                         i < OWNED_FILES_MAX ? 1 : -ENOSPC);
    }
}

static void looks_at_files(void **state)
{
    (void)state;
    char text[DIGEST_TEXT], expected[DIGEST_TEXT];
    assert_string_equal(owned_files_look(scratch_at("x"), text), NONE);
    assert_string_equal(owned_files_look(scratch_dir, text), NONE);
    scratch_put("x", "abc", 0600);
    digest_of("abc", 3, expected);
    assert_string_equal(owned_files_look(scratch_at("x"), text), expected);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(says_what_is_news),
        cmocka_unit_test(remembers_secrets),
        IN_PLACE(is_written_and_read),
        IN_PLACE(a_damaged_record_is_none),
        cmocka_unit_test(has_room_for_every_target),
        IN_PLACE(looks_at_files),
    };
    return cmocka_run_group_tests_name("applied", tests, NULL, NULL);
}
