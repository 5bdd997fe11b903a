/* SPDX-License-Identifier: MIT */
#include "shipper/file_set.h"

#include "base/buffer.h"
#include "base/file.h"
#include "scratch.h"
#include "swap.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <sys/resource.h>

/* ---- tests --------------------------------------------------------------- */

static void swaps_a_set(void **state)
{
    (void)state;
    swap_apply();
    swap_assert_new();
    struct stat st;
    assert_int_equal(stat(swap_dest("changed"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(swap_entries(swap_dir), 0);
    for (size_t i = 0; i < SWAP_FILES; i++)
        assert_true(file_set_is_right(&swap_set[i]));
}

static void rolls_back_a_set(void **state)
{
    (void)state;
    assert_int_equal(swap_stage_all(NULL), 0);
    assert_int_equal(file_set_begin(swap_dir, swap_set, SWAP_FILES, NULL), 0);
    assert_int_equal(file_set_swap(swap_set, SWAP_FILES, NULL), 0);
    for (int again = 0; again < 2; again++)
        assert_int_equal(file_set_roll_back(swap_set, SWAP_FILES, NULL), 0);
    assert_int_equal(swap_recover(), 1);
    swap_assert_old();
    struct stat st;
    assert_int_equal(stat(swap_dest("changed"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void knows_what_is_right(void **state)
{
    (void)state;
    struct file_set_entry file = swap_set[0];
    assert_false(file_set_is_right(&file));
    scratch_put(file.path, SWAP_NEW, 0640);
    assert_true(file_set_is_right(&file));
    assert_int_equal(chmod(file.path, 0644), 0);
    assert_false(file_set_is_right(&file));
    assert_int_equal(chmod(file.path, 0640), 0);
    assert_int_equal(link(file.path, swap_dest("second")), 0);
    assert_false(file_set_is_right(&file));
    assert_int_equal(unlink(swap_dest("second")), 0);
    scratch_put(file.path, SWAP_NEW "x", 0640);
    assert_false(file_set_is_right(&file));
    assert_false(file_set_is_right(&swap_set[2]));
    assert_true(file_set_is_right(&swap_set[3]));
}

static void assert_refused(struct file_set_entry *file, int code, const char *what)
{
    struct error err = {0};
    char expected[700];
    (void)snprintf(expected, sizeof expected, "%s %s", file->path, what);
    assert_int_equal(file_set_stage(file, &err), code);
    assert_string_equal(err.text, expected);
}

static void refuses_strange_destinations(void **state)
{
    (void)state;
    assert_int_equal(symlink("changed", swap_set[1].path), 0);
    assert_refused(&swap_set[1], -ELOOP, "is a symbolic link: refused");
    assert_int_equal(unlink(swap_set[1].path), 0);
    assert_int_equal(link(swap_set[0].path, swap_set[1].path), 0);
    assert_refused(&swap_set[1], -EMLINK, "has several names (hard links): refused");
    assert_int_equal(unlink(swap_set[1].path), 0);
    assert_int_equal(mkdir(swap_set[1].path, 0755), 0);
    assert_refused(&swap_set[1], -EINVAL, "is not a regular file: refused");
    assert_int_equal(rmdir(swap_set[1].path), 0);
    assert_int_equal(mkfifo(swap_set[1].path, 0600), 0);
    assert_refused(&swap_set[1], -EINVAL, "is not a regular file: refused");
    assert_int_equal(unlink(swap_set[1].path), 0);
    swap_assert_old();
}

static void refuses_parents_of_others(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(chmod(swap_dest(""), 0777), 0);
    assert_int_equal(file_set_stage(&swap_set[0], &err), -EPERM);
    assert_non_null(strstr(err.text, "/dest"));
    assert_int_equal(chmod(swap_dest(""), 0755), 0);
    char link_path[200];
    (void)snprintf(link_path, sizeof link_path, "%s/link", scratch_dir);
    assert_int_equal(symlink("dest", link_path), 0);
    (void)snprintf(swap_set[0].path, sizeof swap_set[0].path, "%s/changed", link_path);
    assert_int_equal(file_set_stage(&swap_set[0], &err), -EPERM);
    swap_assert_old();
}

static void does_not_overwrite_what_somebody_else_changed(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(swap_stage_all(&err), 0);
    assert_int_equal(file_set_begin(swap_dir, swap_set, SWAP_FILES, &err), 0);
    scratch_put(swap_set[1].path, "somebody else's\n", 0644);
    assert_int_equal(file_set_swap(swap_set, SWAP_FILES, &err), -ESTALE);
    assert_non_null(strstr(err.text, "/dest/new was changed by somebody else meanwhile"));
    assert_string_equal(swap_text(swap_set[0].path), SWAP_NEW);
    assert_int_equal(swap_recover(), 1);
    assert_string_equal(swap_text(swap_set[1].path), "somebody else's\n");
    assert_int_equal(unlink(swap_set[1].path), 0);
    swap_assert_old();
}

static void notices_a_change_of_the_old_file(void **state)
{
    (void)state;
    assert_int_equal(swap_stage_all(NULL), 0);
    assert_int_equal(file_set_begin(swap_dir, swap_set, SWAP_FILES, NULL), 0);
    int fd = open(swap_set[0].path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "more", 4), 4);
    (void)close(fd);
    assert_int_equal(file_set_swap(swap_set, SWAP_FILES, NULL), -ESTALE);
    assert_int_equal(swap_recover(), 1);
    assert_string_equal(swap_text(swap_set[0].path), SWAP_OLD "more");
}

static void staged_leftovers_are_refused_until_cleaned(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(file_set_stage(&swap_set[0], &err), 0);
    assert_int_equal(file_set_stage(&swap_set[0], &err), -EEXIST);
    file_set_clean(swap_set, SWAP_FILES);
    assert_int_equal(file_set_stage(&swap_set[0], &err), 0);
    file_set_clean(swap_set, SWAP_FILES);
    swap_assert_old();
}

static void names_what_cannot_be_brought_back(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(swap_stage_all(&err), 0);
    assert_int_equal(file_set_begin(swap_dir, swap_set, SWAP_FILES, &err), 0);
    assert_int_equal(file_set_swap(swap_set, SWAP_FILES, &err), 0);
    assert_int_equal(unlink(swap_set[1].path), 0);
    assert_int_equal(mkdir(swap_set[1].path, 0755), 0);
    assert_int_equal(file_set_roll_back(swap_set, SWAP_FILES, &err), -EISDIR);
    assert_false(swap_set[0].failed);
    assert_true(swap_set[1].failed);
    assert_non_null(strstr(err.text, "cannot bring back"));
    assert_int_equal(rmdir(swap_set[1].path), 0);
    assert_int_equal(swap_recover(), 1);
    swap_assert_old();
}

static void damaged_journal_is_said_and_touches_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{\"files\":[{}]}",
        "{\"files\":[{\"path\":\"relative\",\"existed\":true,\"remove\":false}]}"};
    char path[200];
    (void)snprintf(path, sizeof path, "%s/journal", swap_dir);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct file_set_entry *files = NULL;
        size_t n = 0;
        struct error err = {0};
        scratch_put(path, texts[i], 0600);
        assert_int_equal(file_set_load(swap_dir, &files, &n, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "journal is damaged"));
        assert_null(files);
    }
    swap_assert_old();
}

static void foreign_size_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(truncate(swap_set[0].path, FILE_SET_OLD_MAX + 1), 0);
    assert_int_equal(swap_stage_all(&err), 0);
    assert_int_equal(file_set_begin(swap_dir, swap_set, SWAP_FILES, &err), -EFBIG);
    file_set_clean(swap_set, SWAP_FILES);
    assert_int_equal(swap_entries(swap_dir), 0);
}

/* Every write beyond `limit` bytes of a file fails in the child, as on a full disk. */
static int begin_in_a_small_disk(rlim_t limit)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit small = {limit, limit};
        (void)signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &small) < 0)
            _exit(99);
        int rc = swap_stage_all(NULL);
        if (rc == 0)
            rc = file_set_begin(swap_dir, swap_set, SWAP_FILES, NULL);
        if (rc < 0)
            file_set_clean(swap_set, SWAP_FILES);
        _exit(-rc);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_full_disk_leaves_everything_as_it_was(void **state)
{
    (void)state;
    int failures = 0;
    for (rlim_t limit = 0; limit < 60; limit += 4) {
        failures += begin_in_a_small_disk(limit) == EFBIG;
        swap_assert_old();
        assert_int_equal(swap_entries(swap_dir), 0);
    }
    assert_int_equal(failures, 15);
}

/* Which allocation of cJSON fails, counted from 0. */
static size_t allocations, failing;

static void *fail_once(size_t size)
{
    return allocations++ == failing ? NULL : malloc(size);
}

/* Begin while one allocation fails. True when that was one of those that are made. */
static bool begin_without_memory(size_t which, int *ret)
{
    cJSON_Hooks hooks = {fail_once, free};
    allocations = 0;
    failing = which;
    cJSON_InitHooks(&hooks);
    *ret = file_set_begin(swap_dir, swap_set, SWAP_FILES, NULL);
    cJSON_InitHooks(NULL);
    return allocations > which;
}

/* Killed between two renames, whichever allocation had failed before. */
static void lack_of_memory_leaves_no_half_a_journal(void **state)
{
    (void)state;
    int rc = 0;
    size_t which = 0;
    for (bool made = true; made; which++) {
        swap_reset();
        assert_int_equal(swap_stage_all(NULL), 0);
        made = begin_without_memory(which, &rc);
        if (rc == 0)
            assert_int_equal(file_set_swap(swap_set, 1 + which % SWAP_FILES, NULL), 0);
        else
            assert_int_equal(rc, -ENOMEM);
        assert_int_equal(swap_recover(), rc == 0);
        file_set_clean(swap_set, SWAP_FILES);
        swap_assert_old();
    }
    assert_int_equal(rc, 0);
    assert_in_range(which, 20, 200);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, swap_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(swaps_a_set),
        IN_PLACE(lack_of_memory_leaves_no_half_a_journal),
        IN_PLACE(rolls_back_a_set),
        IN_PLACE(knows_what_is_right),
        IN_PLACE(refuses_strange_destinations),
        IN_PLACE(refuses_parents_of_others),
        IN_PLACE(does_not_overwrite_what_somebody_else_changed),
        IN_PLACE(notices_a_change_of_the_old_file),
        IN_PLACE(staged_leftovers_are_refused_until_cleaned),
        IN_PLACE(names_what_cannot_be_brought_back),
        IN_PLACE(damaged_journal_is_said_and_touches_nothing),
        IN_PLACE(foreign_size_is_refused),
        IN_PLACE(a_full_disk_leaves_everything_as_it_was),
    };
    return cmocka_run_group_tests_name("file_set", tests, NULL, NULL);
}
