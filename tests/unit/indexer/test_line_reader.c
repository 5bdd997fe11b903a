/* SPDX-License-Identifier: MIT */
#include "indexer/line_reader.h"

#include "test.h"

#include <sys/time.h>

#define LIMIT 8 /* bytes of a line in most of these tests */

/* Write the text in pieces of `piece` bytes, each when the one before was read, and end. */
static pid_t start_writer(int fd, const char *text, size_t len, size_t piece)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        if (write(fd, text + at, n) != (ssize_t)n)
            _exit(1);
        if (piece < len)
            (void)usleep(100);
    }
    _exit(0);
}

struct stream {
    struct line_reader lines;
    pid_t writer;
};

static struct stream begin(const char *text, size_t len, size_t piece, size_t limit)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    struct stream stream = {.lines = {.fd = fds[0], .in = BUFFER_INIT(limit)}};
    stream.writer = start_writer(fds[1], text, len, piece);
    assert_int_equal(close(fds[1]), 0);
    return stream;
}

static void end(struct stream *stream)
{
    int status = 0;
    assert_int_equal(close(stream->lines.fd), 0);
    assert_int_equal(waitpid(stream->writer, &status, 0), stream->writer);
    assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGPIPE);
    buffer_release(&stream->lines.in);
}

#define TEXT(text) text, sizeof(text) - 1
static const struct {
    const char *text;
    size_t len;
    size_t lens[8]; /* of the lines, to the first 0 */
    int last;       /* what stands behind them */
} streams[] = {
    {TEXT(""), {0}, 0},
    {TEXT("\n"), {1}, 0},
    {TEXT("a\n"), {2}, 0},
    {TEXT("a\nb\n"), {2, 2}, 0},
    {TEXT("a"), {0}, 0},
    {TEXT("a\nb"), {2}, 0},
    {TEXT("a\n\n\nb\n"), {2, 1, 1, 2}, 0},
    {TEXT("\n\n\n"), {1, 1, 1}, 0},
    {TEXT("a\r\n"), {3}, 0},
    {TEXT("a\0b\n"), {4}, 0},
    {TEXT("\0\n"), {2}, 0},
    {TEXT("\0\n\0\n"), {2, 2}, 0},
    {TEXT("a\n\0"), {2}, 0},
    {TEXT("a\0\0\n\0"), {4}, 0},
    {TEXT("\xff\xfe\n"), {3}, 0},
    {TEXT("1234567\n"), {8}, 0},
    {TEXT("1234567\n1234567\n"), {8, 8}, 0},
    {TEXT("a\n1234567\n123456\n1234567\n"), {2, 8, 7, 8}, 0},
    {TEXT("1\n2\n3\n4\n5\n6\n7\n"), {2, 2, 2, 2, 2, 2, 2}, 0},
    {TEXT("1234567"), {0}, 0},
    {TEXT("12345678"), {0}, -EMSGSIZE},
    {TEXT("12345678\n"), {0}, -EMSGSIZE},
    {TEXT("123456789"), {0}, -EMSGSIZE},
    {TEXT("a\n12345678\n"), {2}, -EMSGSIZE},
    {TEXT("a\n123456789\nb\n"), {2}, -EMSGSIZE},
    {TEXT("12345678\nb\n"), {0}, -EMSGSIZE},
    {TEXT("\0\0\0\0\0\0\0\n"), {8}, 0},
    {TEXT("\0\0\0\0\0\0\0\0\n"), {0}, -EMSGSIZE},
};

static void assert_lines(size_t row, size_t piece)
{
    struct stream stream = begin(streams[row].text, streams[row].len, piece, LIMIT);
    const char *expected = streams[row].text;
    char *line = NULL;
    size_t len = 0;
    for (const size_t *n = streams[row].lens; *n; expected += *n++) {
        if (line_reader_next(&stream.lines, &line, &len) != 1 || len != *n)
            fail_msg("row %zu by %zu bytes: not %zu but %zu", row, piece, *n, len);
        assert_memory_equal(line, expected, len);
    }
    /* The end stays the end. */
    for (int i = 0; i < 2; i++)
        if (line_reader_next(&stream.lines, &line, &len) != streams[row].last)
            fail_msg("row %zu by %zu bytes: end", row, piece);
    end(&stream);
}

static void lines_come_whole_however_written(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 2, 3, 5, 100};
    for (size_t i = 0; i < COUNT(streams); i++)
        for (size_t k = 0; k < COUNT(pieces); k++)
            assert_lines(i, pieces[k]);
}

/* A partner who waits for an answer gets it: nothing more is read than is there. */
static void a_line_does_not_wait_for_the_next(void **state)
{
    (void)state;
    int fds[2];
    char *line = NULL;
    size_t len = 0;
    assert_int_equal(pipe(fds), 0);
    struct line_reader lines = {.fd = fds[0], .in = BUFFER_INIT(100)};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(write(fds[1], "abc\nd", 5), 5);
        assert_int_equal(line_reader_next(&lines, &line, &len), 1);
        assert_int_equal(len, 4 + (i > 0));
        assert_memory_equal(line, i > 0 ? "dabc\n" : "abc\n", len);
    }
    assert_int_equal(close(fds[1]), 0);
    assert_int_equal(line_reader_next(&lines, &line, &len), 0);
    assert_int_equal(close(fds[0]), 0);
    buffer_release(&lines.in);
}

/* Longer than what a pipe, or one read, holds; each another letter. */
static void long_lines_come_whole(void **state)
{
    (void)state;
    static const size_t lens[] = {65535, 65536, 65537, 131072, 300000, 1, 2};
    static char text[700000];
    size_t len = 0, got = 0, at = 0;
    for (size_t i = 0; i < COUNT(lens); i++) {
        memset(text + len, (int)('a' + i), lens[i] - 1);
        len += lens[i];
        text[len - 1] = '\n';
    }
    struct stream stream = begin(text, len, len, 300000);
    for (size_t i = 0; i < COUNT(lens); i++) {
        char *line = NULL;
        assert_int_equal(line_reader_next(&stream.lines, &line, &got), 1);
        assert_int_equal(got, lens[i]);
        assert_memory_equal(line, text + at, got);
        at += got;
    }
    end(&stream);
}

static void an_error_of_read_is_told(void **state)
{
    (void)state;
    char *line = NULL;
    size_t len = 0;
    struct line_reader lines = {.fd = -1, .in = BUFFER_INIT(LIMIT)};
    assert_int_equal(line_reader_next(&lines, &line, &len), -EBADF);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    lines.fd = fds[1]; /* the end to write to */
    assert_int_equal(line_reader_next(&lines, &line, &len), -EBADF);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
    buffer_release(&lines.in);
}

/* ---- signals ------------------------------------------------------------- */

static volatile sig_atomic_t rung;
static volatile sig_atomic_t answer_fd = -1;

/* The third one writes the line: read(2) was interrupted twice before. */
static void ring(int signal_number)
{
    (void)signal_number;
    if (++rung == 3)
        (void)!write(answer_fd, "a\n", 2);
}

static void a_signal_is_no_end(void **state)
{
    (void)state;
    int fds[2];
    char *line = NULL;
    size_t len = 0;
    struct sigaction before;
    const struct sigaction once = {.sa_handler = ring}; /* no SA_RESTART */
    const struct itimerval every = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
    assert_int_equal(pipe(fds), 0);
    answer_fd = fds[1];
    rung = 0;
    assert_int_equal(sigaction(SIGALRM, &once, &before), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
    struct line_reader lines = {.fd = fds[0], .in = BUFFER_INIT(LIMIT)};
    int rc = line_reader_next(&lines, &line, &len);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
    assert_int_equal(rc, 1);
    assert_true(rung >= 3);
    assert_int_equal(len, 2);
    assert_memory_equal(line, "a\n", 2);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
    buffer_release(&lines.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_however_written),
        cmocka_unit_test(a_line_does_not_wait_for_the_next),
        cmocka_unit_test(long_lines_come_whole),
        cmocka_unit_test(an_error_of_read_is_told),
        cmocka_unit_test(a_signal_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
