/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/boottime.h"
#include "scratch.h"
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

static size_t entries(void)
{
    size_t n = 0;
    DIR *list = opendir(scratch_dir);
    assert_non_null(list);
    while (readdir(list))
        n++;
    (void)closedir(list);
    return n - 2;
}

static void assert_holds(const char *name, const char *text)
{
    struct buffer buf = BUFFER_INIT(100000);
    struct error err = {0};
    if (file_read(scratch_at("%s", name), &buf, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buffer_text(&buf), text);
    buffer_release(&buf);
}

static void reads_regular_files_only(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rc;
        const char *text; /* the contents or the error's text */
    } rows[] = {
        {"good", 0, "before contents"},
        {"link", 0, "before contents"},
        {"empty", 0, "before "},
        {"none", -ENOENT, "cannot read @/none: No such file or directory"},
        {"good/x", -ENOTDIR, "cannot read @/good/x: Not a directory"},
        {"d", -EINVAL, "@/d is not a regular file"},
        {"fifo", -EINVAL, "@/fifo is not a regular file"},
        {"large", -EMSGSIZE, "@/large is larger than 9 bytes"},
    };
    scratch_put("good", "contents", 0600);
    scratch_put("empty", "", 0600);
    scratch_put("large", "0123456789", 0600);
    scratch_mkdir("d", 0700);
    assert_int_equal(symlink("good", scratch_at("link")), 0);
    assert_int_equal(mkfifo(scratch_at("fifo"), 0600), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer buf = BUFFER_INIT(16);
        struct error err = {0};
        assert_int_equal(buffer_append(&buf, "before ", 7), 0);
        assert_int_equal(file_read(scratch_at("%s", rows[i].name), &buf, &err), rows[i].rc);
        if (rows[i].rc == 0)
            assert_string_equal(buffer_text(&buf), rows[i].text);
        else
            scratch_assert_text(&err, rows[i].text);
        buffer_release(&buf);
    }
}

/* ---- replacing ----------------------------------------------------------- */

static void replaces_at_once(void **state)
{
    (void)state;
    struct stat st;
    struct error err = {0};
    (void)umask(077);
    for (int durable = 0; durable < 2; durable++) {
        assert_int_equal(file_replace(scratch_at("f"), "old", 3, 0600, durable, &err), 0);
        assert_holds("f", "old");
        assert_int_equal(file_replace(scratch_at("f"), "newer", 5, 0644, durable, &err), 0);
        assert_holds("f", "newer");
        assert_int_equal(stat(scratch_at("f"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(file_replace(scratch_at("f"), NULL, 0, 0600, durable, &err), 0);
        assert_holds("f", "");
        assert_int_equal(entries(), 1);
    }
}

static void replaces_here(void **state)
{
    (void)state;
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(scratch_dir), 0);
    assert_int_equal(file_replace("f", "here", 4, 0600, false, NULL), 0);
    assert_int_equal(fchdir(before), 0);
    assert_int_equal(close(before), 0);
    assert_holds("f", "here");
}

static void replaces_a_link_not_its_target(void **state)
{
    (void)state;
    struct stat st;
    scratch_put("target", "untouched", 0600);
    assert_int_equal(symlink("target", scratch_at("f")), 0);
    assert_int_equal(file_replace(scratch_at("f"), "new", 3, 0600, false, NULL), 0);
    assert_holds("target", "untouched");
    assert_int_equal(lstat(scratch_at("f"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void leaves_nothing_when_it_fails(void **state)
{
    (void)state;
    struct error err = {0};
    char name[300] = "";
    scratch_mkdir("d", 0700);
    assert_int_equal(file_replace(scratch_at("d"), "x", 1, 0600, true, &err), -EISDIR);
    scratch_assert_text(&err, "cannot write @/d: Is a directory");
    assert_int_equal(file_replace(scratch_at("none/f"), "x", 1, 0600, true, &err), -ENOENT);
    scratch_assert_text(&err, "cannot write @/none/f: No such file or directory");
    assert_int_equal(entries(), 1);
    memset(name, 'n', 250);
    assert_int_equal(file_replace(scratch_at("%s", name), "x", 1, 0600, false, NULL),
                     -ENAMETOOLONG);
    memset(name, 'n', 299);
    assert_int_equal(file_replace(scratch_at("%s", name), "x", 1, 0600, false, NULL),
                     -ENAMETOOLONG);
    assert_int_equal(entries(), 1);
}

/* A limit on the size of files stands for a full disk: write(2) fails half-way. */
static void keeps_the_old_file_on_a_full_disk(void **state)
{
    (void)state;
    static char many[100000];
    struct rlimit before;
    struct error err = {0};
    memset(many, 'x', sizeof many);
    scratch_put("f", "old", 0600);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {4096, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = file_replace(scratch_at("f"), many, sizeof many, 0600, true, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -EFBIG);
    scratch_assert_text(&err, "cannot write @/f: File too large");
    assert_holds("f", "old");
    assert_int_equal(entries(), 1);
}

static void set_age(const char *name, time_t age_s)
{
    const struct timespec when = {.tv_sec = time(NULL) - age_s};
    const struct timespec times[2] = {when, when};
    assert_int_equal(utimensat(AT_FDCWD, scratch_at("%s", name), times, 0), 0);
}

static void sweeps_what_killed_writers_left(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        time_t age_s;
        bool stays;
    } rows[] =
        {
            {".f.lictor-tmp.1", 61, false},
            {".f.lictor-tmp.2", -3600, false}, /* written before the clock was put back */
            {".f.lictor-tmp.3", 30, true},
            {".g.lictor-tmp.4", 3600, true},
            {".f.other", 3600, true},
            {"f.lictor-tmp.5", 3600, true},
        };
    for (size_t i = 0; i < COUNT(rows); i++) {
        scratch_put(rows[i].name, "half", 0600);
        set_age(rows[i].name, rows[i].age_s);
    }
    assert_int_equal(file_replace(scratch_at("f"), "new", 3, 0600, false, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        if ((access(scratch_at("%s", rows[i].name), F_OK) == 0) != rows[i].stays)
            fail_msg("%s", rows[i].name);
}

static void takes_over_what_has_its_own_number(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, ".f.lictor-tmp.%d", (int)getpid());
    scratch_put("target", "untouched", 0600);
    assert_int_equal(symlink("target", scratch_at("%s", name)), 0);
    assert_int_equal(file_replace(scratch_at("f"), "new", 3, 0600, false, NULL), 0);
    assert_holds("target", "untouched");
    assert_holds("f", "new");
    assert_int_equal(entries(), 2);
}

#define WRITERS 3
#define WHOLE   20000

/* Writes the file again and again, a different letter in each; ends with 1 on failure. */
static pid_t start_writer(char letter, int times)
{
    static char text[WHOLE];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    memset(text, letter, sizeof text);
    for (int i = 0; times == 0 || i < times; i++)
        if (file_replace(scratch_at("f"), text, sizeof text, 0600, false, NULL) < 0)
            _exit(1);
    _exit(0);
}

/* Old or new, as a whole: one letter, WHOLE times. */
static void assert_whole(void)
{
    struct buffer buf = BUFFER_INIT(WHOLE + 1);
    assert_int_equal(file_read(scratch_at("f"), &buf, NULL), 0);
    assert_int_equal(buf.len, WHOLE);
    assert_int_equal(strspn(buf.data, (char[]){buf.data[0], '\0'}), WHOLE);
    buffer_release(&buf);
}

static void a_reader_never_sees_half(void **state)
{
    (void)state;
    pid_t pids[WRITERS];
    static char text[WHOLE];
    memset(text, 'x', sizeof text);
    assert_int_equal(file_replace(scratch_at("f"), text, sizeof text, 0600, false, NULL), 0);
    for (int i = 0; i < WRITERS; i++)
        pids[i] = start_writer((char)('a' + i), 300);
    for (int left = WRITERS; left > 0;) {
        int status = 0;
        assert_whole();
        if (waitpid(pids[left - 1], &status, WNOHANG) == pids[left - 1]) {
            assert_int_equal(status, 0);
            left--;
        }
    }
    assert_whole();
    assert_int_equal(entries(), 1);
}

static void a_killed_writer_leaves_old_or_new(void **state)
{
    (void)state;
    static char text[WHOLE];
    memset(text, 'x', sizeof text);
    assert_int_equal(file_replace(scratch_at("f"), text, sizeof text, 0600, false, NULL), 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid = start_writer((char)('a' + i % 26), 0);
        const struct timespec span = {.tv_nsec = 100000 + i * 40000};
        (void)nanosleep(&span, NULL);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_whole();
    }
    DIR *list = opendir(scratch_dir);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        if (strncmp(e->d_name, ".f.", 3) == 0)
            set_age(e->d_name, 61);
    (void)closedir(list);
    assert_int_equal(file_replace(scratch_at("f"), text, sizeof text, 0600, false, NULL), 0);
    assert_int_equal(entries(), 1);
}

/* ---- locking ------------------------------------------------------------- */

/* A process that holds the lock until something is written to *ret_end. */
static pid_t start_holder(int *ret_end)
{
    int go[2];
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(go[1]);
        bool held = file_lock(scratch_at("lock"), 0, NULL) >= 0;
        if (!held || write(ready[1], "x", 1) != 1)
            _exit(1);
        _exit(read(go[0], &byte, 1) < 0);
    }
    (void)close(go[0]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    *ret_end = go[1];
    return pid;
}

static void a_lock_has_one_holder(void **state)
{
    (void)state;
    int end = -1;
    struct error err = {0};
    pid_t pid = start_holder(&end);
    assert_int_equal(file_lock(scratch_at("lock"), 0, &err), -EWOULDBLOCK);
    scratch_assert_text(&err, "@/lock is locked by another run");
    int64_t begin_ms = boottime_ms();
    assert_int_equal(file_lock(scratch_at("lock"), 100, &err), -EWOULDBLOCK);
    assert_in_range(boottime_ms() - begin_ms, 100, 5000);
    assert_int_equal(close(end), 0);
    int fd = file_lock(scratch_at("lock"), 10000, &err);
    assert_true(fd >= 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(file_lock(scratch_at("lock"), 0, &err), -EWOULDBLOCK);
    file_unlock(fd);
    fd = file_lock(scratch_at("lock"), 0, &err);
    assert_true(fd >= 0);
    file_unlock(fd);
    file_unlock(-1);
}

/* How often the next flock() is interrupted before it comes to something. */
static int interruptions;

int flock(int fd, int operation)
{
    if (interruptions > 0) {
        interruptions--;
        errno = EINTR;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void an_interruption_is_not_another_holder(void **state)
{
    (void)state;
    struct error err = {0};
    interruptions = 2;
    int fd = file_lock(scratch_at("lock"), 0, &err);
    assert_string_equal(err.text, "");
    assert_return_code(fd, -fd);
    assert_int_equal(interruptions, 0);
    file_unlock(fd);
}

static void a_lock_ends_with_its_process(void **state)
{
    (void)state;
    int end = -1;
    pid_t pid = start_holder(&end);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int fd = file_lock(scratch_at("lock"), 10000, NULL);
    assert_true(fd >= 0);
    file_unlock(fd);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(close(end), 0);
}

static void a_lock_file_is_private(void **state)
{
    (void)state;
    struct stat st;
    struct error err = {0};
    int fd = file_lock(scratch_at("lock"), 0, &err);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    file_unlock(fd);
    assert_int_equal(symlink("lock", scratch_at("link")), 0);
    assert_int_equal(file_lock(scratch_at("link"), 0, &err), -ELOOP);
    scratch_assert_text(&err, "cannot open @/link: Too many levels of symbolic links");
    assert_int_equal(file_lock(scratch_at("none/lock"), 0, &err), -ENOENT);
    scratch_assert_text(&err, "cannot open @/none/lock: No such file or directory");
}

/* ---- small ones ---------------------------------------------------------- */

static void joins_paths(void **state)
{
    (void)state;
    char path[8];
    struct error err = {0};
    assert_int_equal(file_path(path, sizeof path, "/ab", "cde", &err), 0);
    assert_string_equal(path, "/ab/cde");
    assert_int_equal(file_path(path, sizeof path, "/ab", "cdef", &err), -ENAMETOOLONG);
    assert_string_equal(err.text, "/ab/cdef: path too long");
}

static void a_padded_file_is_always_as_long(void **state)
{
    (void)state;
    const char *path = scratch_at("padded");
    assert_int_equal(file_replace_padded(path, "12", 5, 0600, NULL), 0);
    assert_holds("padded", "12   ");
    assert_int_equal(file_replace_padded(path, "12345", 5, 0600, NULL), 0);
    assert_holds("padded", "12345");
    assert_int_equal(file_replace_padded(path, "123456", 5, 0600, NULL), -EMSGSIZE);
    assert_holds("padded", "12345");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_padded_file_is_always_as_long),
        TEST(reads_regular_files_only),
        TEST(replaces_at_once),
        TEST(replaces_here),
        TEST(replaces_a_link_not_its_target),
        TEST(leaves_nothing_when_it_fails),
        TEST(keeps_the_old_file_on_a_full_disk),
        TEST(sweeps_what_killed_writers_left),
        TEST(takes_over_what_has_its_own_number),
        TEST(a_reader_never_sees_half),
        TEST(a_killed_writer_leaves_old_or_new),
        TEST(a_lock_has_one_holder),
        TEST(an_interruption_is_not_another_holder),
        TEST(a_lock_ends_with_its_process),
        TEST(a_lock_file_is_private),
        TEST(joins_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
