/* SPDX-License-Identifier: MIT */
#include "indexer/spool.h"

#include "base/boottime.h"
#include "base/file.h"
#include "test.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/time.h>

#define LARGE      (1U << 20)
#define TEXT(text) text, sizeof(text) - 1

static char dir[128]; /* a fresh one for every test */
static char path[160];

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/lictor-spool-XXXXXX", base ? base : "/tmp");
    (void)umask(022);
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof path, "%s/uncommitted", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

static void put(const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(close(fd), 0);
}

static void assert_file(const char *expected, size_t len)
{
    struct buffer buf = BUFFER_INIT(LARGE);
    assert_int_equal(file_read(path, &buf, NULL), 0);
    assert_int_equal(buf.len, len);
    assert_memory_equal(buffer_text(&buf), expected, len);
    buffer_release(&buf);
}

static void add(struct spool *spool, const char *line)
{
    struct error err = {0};
    if (spool_add(spool, line, strlen(line), &err) < 0)
        fail_msg("%s", err.text);
}

static void open_for(struct spool *ret, int64_t wait_ms, struct buffer *left)
{
    struct error err = {0};
    if (spool_open(ret, path, wait_ms, left, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(ret->fd >= 0);
}

/* `before` the path, `after` it. */
static void assert_refused(int rc, const char *before, const char *after)
{
    struct spool spool = {.fd = 77, .len = 77};
    struct buffer left = BUFFER_INIT(LARGE);
    struct error err = {0};
    char expected[sizeof err.text + sizeof path];
    (void)snprintf(expected, sizeof expected, "%s%s%s", before, path, after);
    assert_int_equal(spool_open(&spool, path, 0, &left, &err), rc);
    assert_string_equal(err.text, expected);
    assert_int_equal(spool.fd, -1);
    assert_string_equal(buffer_text(&left), "");
    spool_close(&spool); /* does no harm */
    buffer_release(&left);
}

/* ---- lines --------------------------------------------------------------- */

static const struct {
    const char *file;
    size_t len, whole; /* bytes of whole lines */
} files[] = {
    {TEXT(""), 0},           {TEXT("a\n"), 2},        {TEXT("a"), 0},    {TEXT("a\nb\n"), 4},
    {TEXT("a\nb"), 2},       {TEXT("a\nbcd\ne"), 6},  {TEXT("\n"), 1},   {TEXT("\n\n"), 2},
    {TEXT("\n\nx"), 2},      {TEXT("a\0b\n\0"), 4},   {TEXT("\0\n"), 2}, {TEXT("\0"), 0},
    {TEXT("a\tb\r\n\r"), 5}, {TEXT("\xff\n\xff"), 2},
};

/* Killed while it wrote: what was cut off was never confirmed. */
static void whole_lines_are_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct spool spool;
        struct buffer left = BUFFER_INIT(LARGE);
        put(files[i].file, files[i].len);
        assert_int_equal(buffer_append(&left, "+", 1), 0);
        open_for(&spool, 0, &left);
        assert_int_equal(spool.len, files[i].whole);
        assert_int_equal(left.len, 1 + files[i].whole);
        assert_memory_equal(left.data + 1, files[i].file, files[i].whole);
        assert_int_equal(left.data[left.len], '\0');
        assert_file(files[i].file, files[i].whole);
        add(&spool, "new\n");
        spool_close(&spool);
        buffer_clear(&left);
        open_for(&spool, 0, &left);
        assert_int_equal(left.len, files[i].whole + 4);
        assert_memory_equal(left.data, files[i].file, files[i].whole);
        assert_string_equal(left.data + files[i].whole, "new\n");
        spool_close(&spool);
        assert_int_equal(spool.fd, -1);
        buffer_release(&left);
    }
}

static void a_new_one_is_empty_and_private(void **state)
{
    (void)state;
    struct stat st;
    struct spool spool;
    struct buffer left = BUFFER_INIT(LARGE);
    (void)umask(0);
    open_for(&spool, 0, &left);
    assert_int_equal(left.len, 0);
    assert_int_equal(spool.len, 0);
    assert_int_equal(fcntl(spool.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, 0);
    spool_close(&spool);
    buffer_release(&left);
}

static void lines_stay_until_they_are_committed(void **state)
{
    (void)state;
    struct spool spool;
    struct buffer left = BUFFER_INIT(LARGE);
    open_for(&spool, 0, &left);
    add(&spool, "a\n");
    add(&spool, "b\n");
    assert_int_equal(spool.len, 4);
    assert_file(TEXT("a\nb\n"));
    assert_int_equal(spool_clear(&spool, NULL), 0);
    assert_int_equal(spool.len, 0);
    assert_file(TEXT(""));
    assert_int_equal(spool_clear(&spool, NULL), 0);
    assert_int_equal(spool_add(&spool, "c\0\n", 3, NULL), 0);
    assert_file(TEXT("c\0\n"));
    add(&spool, "d\n");
    spool_close(&spool);
    open_for(&spool, 0, &left);
    assert_int_equal(left.len, 5);
    assert_memory_equal(left.data, "c\0\nd\n", 5);
    assert_int_equal(spool_clear(&spool, NULL), 0);
    spool_close(&spool);
    buffer_clear(&left);
    open_for(&spool, 0, &left);
    assert_int_equal(left.len, 0);
    spool_close(&spool);
    buffer_release(&left);
}

/* ---- failures ------------------------------------------------------------ */

static void what_is_no_file_of_ours_is_refused(void **state)
{
    (void)state;
    char shipper[200];
    (void)snprintf(shipper, sizeof shipper, "%s/target", dir);
    assert_int_equal(symlink("target", path), 0);
    assert_refused(-ELOOP, "cannot open ", ": Too many levels of symbolic links");
    assert_int_equal(access(shipper, F_OK), -1); /* nor made through a dangling one */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(-EISDIR, "cannot open ", ": Is a directory");
    assert_int_equal(rmdir(path), 0);
    (void)snprintf(path, sizeof path, "%s/none/uncommitted", dir);
    assert_refused(-ENOENT, "cannot open ", ": No such file or directory");
}

static void what_is_too_large_stays_as_it_is(void **state)
{
    (void)state;
    char expected[400];
    static const struct {
        size_t limit;
        int rc;
    } rows[] = {{0, -EMSGSIZE}, {7, -EMSGSIZE}, {8, 0}, {9, 0}};
    (void)snprintf(expected, sizeof expected, "cannot read the spool %s: Message too long", path);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct spool spool = {.fd = 77};
        struct buffer left = BUFFER_INIT(rows[i].limit);
        struct error err = {0};
        put(TEXT("abc\ndef\n"));
        assert_int_equal(spool_open(&spool, path, 0, &left, &err), rows[i].rc);
        assert_string_equal(err.text, rows[i].rc < 0 ? expected : "");
        assert_int_equal(spool.fd >= 0, rows[i].rc == 0);
        assert_file(TEXT("abc\ndef\n"));
        spool_close(&spool);
        /* Nor does it stay locked. */
        struct buffer again = BUFFER_INIT(LARGE);
        open_for(&spool, 0, &again);
        spool_close(&spool);
        buffer_release(&again);
        buffer_release(&left);
    }
}

static void what_was_read_of_a_large_one_is_dropped(void **state)
{
    (void)state;
    static char many[50000];
    struct spool spool;
    struct buffer left = BUFFER_INIT(sizeof many);
    memset(many, '\n', sizeof many);
    put(many, sizeof many);
    assert_int_equal(buffer_append(&left, "+", 1), 0);
    assert_int_equal(spool_open(&spool, path, 0, &left, NULL), -EMSGSIZE);
    assert_int_equal(left.len, 1);
    assert_string_equal(left.data, "+");
    buffer_release(&left);
}

/* A limit on the size of files stands for a full disk: write(2) fails half-way. */
static int add_within(struct spool *spool, rlim_t most, const char *line, size_t len,
                      struct error *err)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {most, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = spool_add(spool, line, len, err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    return rc;
}

static void a_full_disk_keeps_whole_lines(void **state)
{
    (void)state;
    struct spool spool;
    struct buffer left = BUFFER_INIT(LARGE);
    open_for(&spool, 0, &left);
    add(&spool, "first\n");
    for (rlim_t most = 6; most <= 12; most++) {
        struct error err = {0};
        int rc = add_within(&spool, most, TEXT("second\n"), &err);
        assert_int_equal(rc, -EFBIG);
        assert_string_equal(err.text, "cannot write to the spool: File too large");
        assert_int_equal(spool.len, 6);
        assert_file(TEXT("first\n"));
    }
    assert_int_equal(add_within(&spool, 13, TEXT("second\n"), NULL), 0);
    assert_int_equal(add_within(&spool, 15, TEXT("third\n"), NULL), -EFBIG);
    add(&spool, "fourth\n");
    assert_file(TEXT("first\nsecond\nfourth\n"));
    spool_close(&spool);
    buffer_release(&left);
}

static void a_spool_that_cannot_be_cut_says_so(void **state)
{
    (void)state;
    struct error err = {0};
    put(TEXT("a\nb\n"));
    struct spool spool = {.fd = open(path, O_RDONLY | O_CLOEXEC), .len = 2};
    assert_true(spool.fd >= 0);
    assert_int_equal(spool_add(&spool, TEXT("c\n"), &err), -EIO);
    assert_string_equal(err.text, "cannot write to the spool: Bad file descriptor");
    assert_int_equal(spool_clear(&spool, &err), -EINVAL);
    assert_string_equal(err.text, "cannot cut the spool: Invalid argument");
    spool_close(&spool);
    assert_file(TEXT("a\nb\n"));
}

static void tick(int signal_number)
{
    (void)signal_number;
}

/* Ends with 0 when exactly this came, slowly read. */
static pid_t start_reader(const int fds[2], const char *expected, size_t len)
{
    size_t got = 0;
    char piece[4096];
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    (void)close(fds[1]);
    (void)poll(NULL, 0, 50); /* meanwhile the pipe is full: nothing is taken at all */
    for (ssize_t n; (n = read(fds[0], piece, sizeof piece)) > 0; got += (size_t)n) {
        if (got + (size_t)n > len || memcmp(piece, expected + got, (size_t)n) != 0)
            _exit(1);
        (void)poll(NULL, 0, 1);
    }
    _exit(got != len);
}

/* A pipe stands for a file system that takes a part of it: signals interrupt write(2). */
static void a_part_written_is_continued(void **state)
{
    (void)state;
    static char line[300000];
    int fds[2], status = 0;
    struct sigaction before;
    const struct sigaction once = {.sa_handler = tick}; /* no SA_RESTART */
    const struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (char)(i * 7 + i / 251);
    assert_int_equal(pipe(fds), 0);
    pid_t pid = start_reader(fds, line, sizeof line);
    struct spool spool = {.fd = fds[1]};
    assert_int_equal(sigaction(SIGALRM, &once, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    int rc = spool_add(&spool, line, sizeof line, NULL);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(spool.len, sizeof line);
    spool_close(&spool);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(close(fds[0]), 0);
}

/* ---- two at once --------------------------------------------------------- */

/* Another process that has the spool, with one line in it and half of another. It adds a
 * whole one, and ends, when *ret_end is closed. */
static pid_t start_holder(int *ret_end)
{
    int go[2], ready[2];
    char byte = 0;
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct spool spool;
        struct buffer left = BUFFER_INIT(LARGE);
        (void)close(go[1]);
        bool held = spool_open(&spool, path, 0, &left, NULL) == 0 &&
                    spool_add(&spool, "early\n", 6, NULL) == 0;
        if (!held || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)!read(go[0], &byte, 1);
        (void)poll(NULL, 0, 100); /* the other one waits by now */
        _exit(spool_add(&spool, "late\nhal", 8, NULL) < 0);
    }
    (void)close(go[0]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    *ret_end = go[1];
    return pid;
}

static void a_successor_waits_for_who_has_it(void **state)
{
    (void)state;
    int end = -1, status = 0;
    struct spool spool = {.fd = 77};
    struct error err = {0};
    struct buffer left = BUFFER_INIT(LARGE);
    pid_t pid = start_holder(&end);
    assert_refused(-EWOULDBLOCK, "", " is locked by another run");
    int64_t begin_ms = boottime_ms();
    assert_int_equal(spool_open(&spool, path, 150, &left, &err), -EWOULDBLOCK);
    assert_in_range(boottime_ms() - begin_ms, 150, 5000);
    assert_int_equal(spool.fd, -1);
    assert_file(TEXT("early\n"));
    assert_int_equal(close(end), 0);
    open_for(&spool, 10000, &left);
    assert_int_equal(left.len, 11);
    assert_memory_equal(left.data, "early\nlate\n", 11);
    assert_file(TEXT("early\nlate\n"));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    spool_close(&spool);
    buffer_release(&left);
}

static void a_killed_one_leaves_its_lines(void **state)
{
    (void)state;
    int end = -1;
    struct spool spool;
    struct buffer left = BUFFER_INIT(LARGE);
    pid_t pid = start_holder(&end);
    assert_int_equal(kill(pid, SIGKILL), 0);
    open_for(&spool, 10000, &left);
    assert_int_equal(left.len, 6);
    assert_memory_equal(left.data, "early\n", 6);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(close(end), 0);
    spool_close(&spool);
    buffer_release(&left);
}

/* Killed anywhere: what was confirmed stands there whole and once, and nothing cut off. */
static void kills_leave_whole_lines(void **state)
{
    (void)state;
    static char line[20000];
    size_t least = 0;
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 20; i++) {
        struct spool spool;
        struct buffer left = BUFFER_INIT(SPOOL_MAX);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            bool good = spool_open(&spool, path, 5000, &left, NULL) == 0;
            for (int k = 0; good && k < 2000; k++)
                good = spool_add(&spool, line, sizeof line, NULL) == 0;
            _exit(!good);
        }
        (void)usleep((useconds_t)(i * 500));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        open_for(&spool, 0, &left);
        assert_int_equal(left.len % sizeof line, 0);
        assert_in_range(left.len, least, SPOOL_MAX);
        for (size_t at = 0; at < left.len; at += sizeof line)
            assert_memory_equal(left.data + at, line, sizeof line);
        least = left.len;
        spool_close(&spool);
        buffer_release(&left);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(whole_lines_are_left),
        TEST(a_new_one_is_empty_and_private),
        TEST(lines_stay_until_they_are_committed),
        TEST(what_is_no_file_of_ours_is_refused),
        TEST(what_is_too_large_stays_as_it_is),
        TEST(what_was_read_of_a_large_one_is_dropped),
        TEST(a_full_disk_keeps_whole_lines),
        TEST(a_spool_that_cannot_be_cut_says_so),
        TEST(a_part_written_is_continued),
        TEST(a_successor_waits_for_who_has_it),
        TEST(a_killed_one_leaves_its_lines),
        TEST(kills_leave_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
