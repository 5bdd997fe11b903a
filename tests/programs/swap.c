/* SPDX-License-Identifier: MIT */
#include "swap.h"

#include "scratch.h"
#include "test.h"

#include <dirent.h>

char swap_dir[160];

/* The swap_set of all tests: changed, new, removed, removed though it is not there. */
struct file_set_entry swap_set[SWAP_FILES];

/* "" = not there. */
const char *swap_text(const char *path)
{
    static char text[256];
    memset(text, 0, sizeof text);
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0)
        return "";
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    (void)close(fd);
    return text;
}

size_t swap_entries(const char *path)
{
    size_t n = 0;
    DIR *stream = opendir(path);
    assert_non_null(stream);
    for (struct dirent *e = readdir(stream); e; e = readdir(stream))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(stream);
    return n;
}

char *swap_dest(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/dest/%s", scratch_dir, name);
    return path;
}

void swap_reset(void)
{
    static const char *const names[SWAP_FILES] = {"changed", "new", "removed", "never"};
    memset(swap_set, 0, sizeof swap_set);
    for (size_t i = 0; i < SWAP_FILES; i++) {
        (void)snprintf(swap_set[i].path, sizeof swap_set[i].path, "%s/dest/%s", scratch_dir,
                       names[i]);
        swap_set[i].remove = i >= 2;
        swap_set[i].data = SWAP_NEW;
        swap_set[i].len = strlen(SWAP_NEW);
        swap_set[i].mode = 0640;
    }
}

void swap_old_state(void)
{
    scratch_put(swap_dest("changed"), SWAP_OLD, 0600);
    (void)unlink(swap_dest("new"));
    scratch_put(swap_dest("removed"), SWAP_OLD, 0600);
}

int swap_set_up(void **state)
{
    if (scratch_set_up(state) < 0)
        return -1;
    (void)snprintf(swap_dir, sizeof swap_dir, "%s/dir", scratch_dir);
    if (mkdir(swap_dir, 0700) < 0 || mkdir(swap_dest(""), 0755) < 0)
        return -1;
    swap_reset();
    swap_old_state();
    return 0;
}

void swap_assert_old(void)
{
    assert_string_equal(swap_text(swap_dest("changed")), SWAP_OLD);
    assert_string_equal(swap_text(swap_dest("new")), "");
    assert_string_equal(swap_text(swap_dest("removed")), SWAP_OLD);
    assert_string_equal(swap_text(swap_dest("never")), "");
    assert_int_equal(swap_entries(swap_dest("")), 2);
}

void swap_assert_new(void)
{
    assert_string_equal(swap_text(swap_dest("changed")), SWAP_NEW);
    assert_string_equal(swap_text(swap_dest("new")), SWAP_NEW);
    assert_string_equal(swap_text(swap_dest("removed")), "");
    assert_int_equal(swap_entries(swap_dest("")), 2);
}

/* What every instant must show: each file old or new, as a whole. */
void swap_assert_whole(void)
{
    const char *text = swap_text(swap_dest("changed"));
    assert_true(strcmp(text, SWAP_OLD) == 0 || strcmp(text, SWAP_NEW) == 0);
    text = swap_text(swap_dest("new"));
    assert_true(strcmp(text, "") == 0 || strcmp(text, SWAP_NEW) == 0);
    text = swap_text(swap_dest("removed"));
    assert_true(strcmp(text, SWAP_OLD) == 0 || strcmp(text, "") == 0);
}

int swap_stage_all(struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < SWAP_FILES; i++)
        rc = file_set_stage(&swap_set[i], err);
    return rc;
}

/* Everything a run does about files. Returns 1 when it found a journal. */
int swap_recover(void)
{
    struct file_set_entry *files = NULL;
    size_t n = 0;
    struct error err = {0};
    int rc = file_set_load(swap_dir, &files, &n, &err);
    if (rc == -ENOENT) {
        file_set_clean(swap_set, SWAP_FILES);
        return 0;
    }
    if (rc < 0 || file_set_roll_back(files, n, &err) < 0 ||
        file_set_begin(swap_dir, NULL, 0, &err) < 0)
        abort();
    file_set_clean(swap_set, SWAP_FILES);
    free(files);
    return file_set_commit(swap_dir, &err) < 0 ? -1 : 1;
}

void swap_apply(void)
{
    if (swap_recover() < 0 || swap_stage_all(NULL) < 0 ||
        file_set_begin(swap_dir, swap_set, SWAP_FILES, NULL) < 0 ||
        file_set_swap(swap_set, SWAP_FILES, NULL) < 0 || file_set_commit(swap_dir, NULL) < 0)
        abort();
    file_set_clean(swap_set, SWAP_FILES);
}
