#include "shipper/file_set.h"

#include "base/buffer.h"
#include "base/file.h"
#include "scratch.h"
#include "test.h"

#include <dirent.h>
#include <sys/resource.h>

#define OLD_TEXT "old contents\n"
#define NEW_TEXT "new contents, longer than the old ones\n"
#define FILES    4

static char dir[160];

/* The set of all tests: changed, new, removed, removed though it is not there. */
static struct file_set_entry set[FILES];

/* "" = not there. */
static const char *text_of(const char *path)
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

static size_t entries_of(const char *path)
{
    size_t n = 0;
    DIR *stream = opendir(path);
    assert_non_null(stream);
    for (struct dirent *e = readdir(stream); e; e = readdir(stream))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    (void)closedir(stream);
    return n;
}

static char *dest(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/dest/%s", scratch_dir, name);
    return path;
}

static void reset_set(void)
{
    static const char *const names[FILES] = {"changed", "new", "removed", "never"};
    memset(set, 0, sizeof set);
    for (size_t i = 0; i < FILES; i++) {
        (void)snprintf(set[i].path, sizeof set[i].path, "%s/dest/%s", scratch_dir, names[i]);
        set[i].remove = i >= 2;
        set[i].data = NEW_TEXT;
        set[i].len = strlen(NEW_TEXT);
        set[i].mode = 0640;
    }
}

static void old_state(void)
{
    scratch_put(dest("changed"), OLD_TEXT, 0600);
    (void)unlink(dest("new"));
    scratch_put(dest("removed"), OLD_TEXT, 0600);
}

static int set_up(void **state)
{
    if (scratch_set_up(state) < 0)
        return -1;
    (void)snprintf(dir, sizeof dir, "%s/dir", scratch_dir);
    if (mkdir(dir, 0700) < 0 || mkdir(dest(""), 0755) < 0)
        return -1;
    reset_set();
    old_state();
    return 0;
}

static void assert_old(void)
{
    assert_string_equal(text_of(dest("changed")), OLD_TEXT);
    assert_string_equal(text_of(dest("new")), "");
    assert_string_equal(text_of(dest("removed")), OLD_TEXT);
    assert_string_equal(text_of(dest("never")), "");
    assert_int_equal(entries_of(dest("")), 2);
}

static void assert_new(void)
{
    assert_string_equal(text_of(dest("changed")), NEW_TEXT);
    assert_string_equal(text_of(dest("new")), NEW_TEXT);
    assert_string_equal(text_of(dest("removed")), "");
    assert_int_equal(entries_of(dest("")), 2);
}

/* What every instant must show: each file old or new, as a whole. */
static void assert_whole(void)
{
    const char *text = text_of(dest("changed"));
    assert_true(strcmp(text, OLD_TEXT) == 0 || strcmp(text, NEW_TEXT) == 0);
    text = text_of(dest("new"));
    assert_true(strcmp(text, "") == 0 || strcmp(text, NEW_TEXT) == 0);
    text = text_of(dest("removed"));
    assert_true(strcmp(text, OLD_TEXT) == 0 || strcmp(text, "") == 0);
}

static int stage_all(struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < FILES; i++)
        rc = file_set_stage(&set[i], err);
    return rc;
}

/* Everything a run does about files. Returns 1 when it found a journal. */
static int recover(void)
{
    struct file_set_entry *files = NULL;
    size_t n = 0;
    struct error err = {0};
    int rc = file_set_load(dir, &files, &n, &err);
    if (rc == -ENOENT) {
        file_set_clean(set, FILES);
        return 0;
    }
    if (rc < 0 || file_set_roll_back(files, n, &err) < 0 || file_set_begin(dir, NULL, 0, &err) < 0)
        abort();
    file_set_clean(set, FILES);
    free(files);
    return file_set_commit(dir, &err) < 0 ? -1 : 1;
}

static void apply(void)
{
    if (recover() < 0 || stage_all(NULL) < 0 || file_set_begin(dir, set, FILES, NULL) < 0 ||
        file_set_swap(set, FILES, NULL) < 0 || file_set_commit(dir, NULL) < 0)
        abort();
    file_set_clean(set, FILES);
}

/* Run in a process that dies at its k-th step. Returns whether it died there. */
static bool dies_at(int k)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", k);
        (void)setenv("LICTOR_DIE_AT", text, 1);
        apply();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    else
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

/* ---- tests --------------------------------------------------------------- */

static void swaps_a_set(void **state)
{
    (void)state;
    apply();
    assert_new();
    struct stat st;
    assert_int_equal(stat(dest("changed"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(entries_of(dir), 0);
    for (size_t i = 0; i < FILES; i++)
        assert_true(file_set_is_right(&set[i]));
}

static void rolls_back_a_set(void **state)
{
    (void)state;
    assert_int_equal(stage_all(NULL), 0);
    assert_int_equal(file_set_begin(dir, set, FILES, NULL), 0);
    assert_int_equal(file_set_swap(set, FILES, NULL), 0);
    for (int again = 0; again < 2; again++)
        assert_int_equal(file_set_roll_back(set, FILES, NULL), 0);
    assert_int_equal(recover(), 1);
    assert_old();
    struct stat st;
    assert_int_equal(stat(dest("changed"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void killed_at_every_step_twice_in_a_row(void **state)
{
    (void)state;
    int steps = 0;
    bool died = true;
    for (int first = 1; died; first++) {
        bool died_again = true;
        for (int second = 1; died_again; second++) {
            old_state();
            died = dies_at(first);
            assert_whole();
            died_again = died && dies_at(second);
            assert_whole();
            (void)recover();
            if (entries_of(dir) != 0)
                fail_msg("killed at %d, then %d: journal left", first, second);
            if (strcmp(text_of(dest("changed")), NEW_TEXT) == 0)
                assert_new();
            else
                assert_old();
        }
        steps = first;
    }
    print_message("%d steps\n", steps - 1);
    assert_true(steps > 30);
}

static void knows_what_is_right(void **state)
{
    (void)state;
    struct file_set_entry file = set[0];
    assert_false(file_set_is_right(&file));
    scratch_put(file.path, NEW_TEXT, 0640);
    assert_true(file_set_is_right(&file));
    assert_int_equal(chmod(file.path, 0644), 0);
    assert_false(file_set_is_right(&file));
    assert_int_equal(chmod(file.path, 0640), 0);
    assert_int_equal(link(file.path, dest("second")), 0);
    assert_false(file_set_is_right(&file));
    assert_int_equal(unlink(dest("second")), 0);
    scratch_put(file.path, NEW_TEXT "x", 0640);
    assert_false(file_set_is_right(&file));
    assert_false(file_set_is_right(&set[2]));
    assert_true(file_set_is_right(&set[3]));
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
    assert_int_equal(symlink("changed", set[1].path), 0);
    assert_refused(&set[1], -ELOOP, "is a symbolic link: refused");
    assert_int_equal(unlink(set[1].path), 0);
    assert_int_equal(link(set[0].path, set[1].path), 0);
    assert_refused(&set[1], -EMLINK, "has several names (hard links): refused");
    assert_int_equal(unlink(set[1].path), 0);
    assert_int_equal(mkdir(set[1].path, 0755), 0);
    assert_refused(&set[1], -EINVAL, "is not a regular file: refused");
    assert_int_equal(rmdir(set[1].path), 0);
    assert_int_equal(mkfifo(set[1].path, 0600), 0);
    assert_refused(&set[1], -EINVAL, "is not a regular file: refused");
    assert_int_equal(unlink(set[1].path), 0);
    assert_old();
}

static void refuses_parents_of_others(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(chmod(dest(""), 0777), 0);
    assert_int_equal(file_set_stage(&set[0], &err), -EPERM);
    assert_non_null(strstr(err.text, "/dest"));
    assert_int_equal(chmod(dest(""), 0755), 0);
    char link_path[200];
    (void)snprintf(link_path, sizeof link_path, "%s/link", scratch_dir);
    assert_int_equal(symlink("dest", link_path), 0);
    (void)snprintf(set[0].path, sizeof set[0].path, "%s/changed", link_path);
    assert_int_equal(file_set_stage(&set[0], &err), -EPERM);
    assert_old();
}

static void does_not_overwrite_what_somebody_else_changed(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(stage_all(&err), 0);
    assert_int_equal(file_set_begin(dir, set, FILES, &err), 0);
    scratch_put(set[1].path, "somebody else's\n", 0644);
    assert_int_equal(file_set_swap(set, FILES, &err), -ESTALE);
    assert_non_null(strstr(err.text, "/dest/new was changed by somebody else meanwhile"));
    assert_string_equal(text_of(set[0].path), NEW_TEXT);
    assert_int_equal(recover(), 1);
    assert_string_equal(text_of(set[1].path), "somebody else's\n");
    assert_int_equal(unlink(set[1].path), 0);
    assert_old();
}

static void notices_a_change_of_the_old_file(void **state)
{
    (void)state;
    assert_int_equal(stage_all(NULL), 0);
    assert_int_equal(file_set_begin(dir, set, FILES, NULL), 0);
    int fd = open(set[0].path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "more", 4), 4);
    (void)close(fd);
    assert_int_equal(file_set_swap(set, FILES, NULL), -ESTALE);
    assert_int_equal(recover(), 1);
    assert_string_equal(text_of(set[0].path), OLD_TEXT "more");
}

static void staged_leftovers_are_refused_until_cleaned(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(file_set_stage(&set[0], &err), 0);
    assert_int_equal(file_set_stage(&set[0], &err), -EEXIST);
    file_set_clean(set, FILES);
    assert_int_equal(file_set_stage(&set[0], &err), 0);
    file_set_clean(set, FILES);
    assert_old();
}

static void names_what_cannot_be_brought_back(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(stage_all(&err), 0);
    assert_int_equal(file_set_begin(dir, set, FILES, &err), 0);
    assert_int_equal(file_set_swap(set, FILES, &err), 0);
    assert_int_equal(unlink(set[1].path), 0);
    assert_int_equal(mkdir(set[1].path, 0755), 0);
    assert_int_equal(file_set_roll_back(set, FILES, &err), -EISDIR);
    assert_false(set[0].failed);
    assert_true(set[1].failed);
    assert_non_null(strstr(err.text, "cannot bring back"));
    assert_int_equal(rmdir(set[1].path), 0);
    assert_int_equal(recover(), 1);
    assert_old();
}

static void damaged_journal_is_said_and_touches_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{\"files\":[{}]}",
        "{\"files\":[{\"path\":\"relative\",\"existed\":true,\"remove\":false}]}"};
    char path[200];
    (void)snprintf(path, sizeof path, "%s/journal", dir);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct file_set_entry *files = NULL;
        size_t n = 0;
        struct error err = {0};
        scratch_put(path, texts[i], 0600);
        assert_int_equal(file_set_load(dir, &files, &n, &err), -EBADMSG);
        assert_non_null(strstr(err.text, "journal is damaged"));
        assert_null(files);
    }
    assert_old();
}

static void foreign_size_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(truncate(set[0].path, FILE_SET_OLD_MAX + 1), 0);
    assert_int_equal(stage_all(&err), 0);
    assert_int_equal(file_set_begin(dir, set, FILES, &err), -EFBIG);
    file_set_clean(set, FILES);
    assert_int_equal(entries_of(dir), 0);
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
        int rc = stage_all(NULL);
        if (rc == 0)
            rc = file_set_begin(dir, set, FILES, NULL);
        if (rc < 0)
            file_set_clean(set, FILES);
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
        assert_old();
        assert_int_equal(entries_of(dir), 0);
    }
    assert_int_equal(failures, 15);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(swaps_a_set),
        IN_PLACE(rolls_back_a_set),
        IN_PLACE(killed_at_every_step_twice_in_a_row),
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
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
