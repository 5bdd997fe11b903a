/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "net/unix_socket.h"

#include "socket_server.h"
#include "test.h"

#include <sys/socket.h>

static char dir[] = "/tmp/lictor-test-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

/* ---- what the other side may do ------------------------------------------ */

static void read_all(int fd)
{
    char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

static void answer_in_order(int fd)
{
    read_all(fd);
    (void)!write(fd, "hello ", 6);
    (void)!write(fd, "there", 5);
}

static void answer_unread(int fd)
{
    (void)!write(fd, "too long", 8);
}

static void hang_up(int fd)
{
    (void)fd;
}

static void hang_up_behind_the_request(int fd)
{
    read_all(fd);
}

static void say_nothing(int fd)
{
    (void)fd;
    (void)pause();
}

static void say_nothing_more(int fd)
{
    (void)!write(fd, "hel", 3);
    (void)pause();
}

static void drip(int fd)
{
    while (write(fd, "x", 1) == 1)
        (void)usleep(10000);
}

static void flood(int fd)
{
    static const char zeros[65536];
    while (write(fd, zeros, sizeof zeros) > 0)
        ;
}

#define SMALL 100
#define LARGE (8 << 20)

static const struct row {
    const char *name;
    void (*serve)(int fd);
    size_t request;
    int rc;
    const char *answer;
    const char *text;
} rows[] = {
    {"in order", answer_in_order, SMALL, 0, "hello there", ""},
    {"in order, much", answer_in_order, LARGE, 0, "hello there", ""},
    {"answered without reading", answer_unread, SMALL, 0, "too long", ""},
    {"answered without reading much", answer_unread, LARGE, 0, "too long", ""},
    {"hung up", hang_up, SMALL, 0, "", ""},
    {"hung up while much is sent", hang_up, LARGE, 0, "", ""},
    {"hung up behind the request", hang_up_behind_the_request, SMALL, 0, "", ""},
    {"silent", say_nothing, SMALL, -ETIMEDOUT, "", "no end of the answer after 300ms"},
    {"silent, and does not read", say_nothing, LARGE, -ETIMEDOUT, "",
     "no end of the answer after 300ms"},
    {"stuck in the answer", say_nothing_more, SMALL, -ETIMEDOUT, "hel",
     "no end of the answer after 300ms"},
    {"endless by drops", drip, SMALL, -ETIMEDOUT, NULL, "no end of the answer after 300ms"},
    {"endless", flood, SMALL, -EMSGSIZE, NULL, "cannot read the answer: it is too large"},
};

static void every_answer_has_an_end(void **state)
{
    (void)state;
    char *request = calloc(1, LARGE);
    assert_non_null(request);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer answer = BUFFER_INIT(100000);
        struct error err = {0};
        print_message("  %s\n", rows[i].name);
        pid_t server = socket_server_start(path, rows[i].serve);
        int64_t begin_ms = boottime_ms();
        int fd = unix_socket_open(path, 300, &err);
        assert_true(fd >= 0);
        assert_int_equal(unix_socket_ask(fd, request, rows[i].request, 300, &answer, &err),
                         rows[i].rc);
        assert_int_equal(close(fd), 0);
        assert_string_equal(err.text, rows[i].text);
        if (rows[i].answer)
            assert_string_equal(buffer_text(&answer), rows[i].answer);
        assert_in_range(boottime_ms() - begin_ms, 0, 5000);
        buffer_release(&answer);
        socket_server_stop(server, path);
    }
    free(request);
}

/* ---- whom we ask --------------------------------------------------------- */

static void expect_no_fd(const char *where, int rc, const char *text)
{
    struct error err = {0};
    assert_int_equal(unix_socket_open(where, 100, &err), rc);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" is not in \"%s\"", text, err.text);
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    longer[0] = '/';
    expect_no_fd(path, -ENOENT, "cannot open ");
    expect_no_fd(longer, -ENAMETOOLONG, "has at most 107 bytes");
    expect_no_fd("socket", -EINVAL, "socket is not an absolute path");

    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    expect_no_fd(path, -ECONNREFUSED, "cannot connect to ");
    assert_int_equal(unlink(path), 0);

    int listener = socket_listen(path, 1);
    (void)close(listener);
    expect_no_fd(path, -ECONNREFUSED, "cannot connect to ");
    assert_int_equal(unlink(path), 0);
}

static void too_many_before_us_are_not_waited_for(void **state)
{
    (void)state;
    struct error err = {0};
    int listener = socket_listen(path, 0);
    int first = unix_socket_open(path, 100, &err);
    assert_true(first >= 0);
    expect_no_fd(path, -ETIMEDOUT, "cannot connect to ");
    (void)close(first);
    (void)close(listener);
    assert_int_equal(unlink(path), 0);
}

static void a_socket_that_others_could_have_made_is_not_used(void **state)
{
    (void)state;
    char other[80];
    (void)snprintf(other, sizeof other, "%s/link", dir);
    int listener = socket_listen(path, 1);
    assert_int_equal(chmod(path, 0622), 0);
    expect_no_fd(path, -EPERM, "can be written by others");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    expect_no_fd(path, -EPERM, "can be written by others");
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(symlink(path, other), 0);
    expect_no_fd(other, -EPERM, "is a symbolic link");
    assert_int_equal(unlink(other), 0);
    (void)close(listener);
    assert_int_equal(unlink(path), 0);
}

static void no_child_inherits_the_connection(void **state)
{
    (void)state;
    struct error err = {0};
    int listener = socket_listen(path, 1);
    int fd = unix_socket_open(path, 100, &err);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    (void)close(fd);
    (void)close(listener);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_an_end),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(too_many_before_us_are_not_waited_for),
        cmocka_unit_test(a_socket_that_others_could_have_made_is_not_used),
        cmocka_unit_test(no_child_inherits_the_connection),
    };
    return cmocka_run_group_tests_name("dial", tests, make_dir, remove_dir);
}
