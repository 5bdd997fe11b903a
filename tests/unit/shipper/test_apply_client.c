/* SPDX-License-Identifier: MIT */
#include "shipper/apply_client.h"

#include "base/file.h"
#include "socket_server.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <sys/resource.h>

#define ROOT "dc/home/env"
#define AT   ROOT "/service/cluster/tag/any/"

/* ---- behind a socket ----------------------------------------------------- */

static char dir[] = "/tmp/lictor-test-XXXXXX";
static char path[64], file[64];

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir) || setenv("LICTOR_LIMITS", "lock=300ms,apply=300ms", 1) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", dir);
    (void)snprintf(file, sizeof file, "%s/apply-socket", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    (void)unlink(file);
    return rmdir(dir);
}

static void say_where(const char *text)
{
    struct error err = {0};
    assert_int_equal(file_replace(file, text, strlen(text), 0644, false, &err), 0);
}

static int hand_over(struct apply_result *result, struct error *err)
{
    return apply_client_run(dir, "/nonexistent", "{}", "r", result, err);
}

#define DONE "{\"v\":1,\"state\":\"done\",\"revision\":\"r\",\"changed\":true}\n"

static void answer_done(int fd)
{
    char request[8] = "";
    if (read(fd, request, sizeof request) == 2 && read(fd, request, 1) == 0)
        (void)!write(fd, DONE, strlen(DONE));
}

static void answer_nonsense(int fd)
{
    (void)!write(fd, "nonsense", 8);
}

static void hang_up(int fd)
{
    (void)fd;
}

static void say_nothing(int fd)
{
    (void)fd;
    (void)pause();
}

/* The first two find somebody else at work. */
static void answer_the_third(int fd)
{
    static int asked;
    if (++asked == 3)
        answer_done(fd);
}

static const struct {
    const char *name;
    void (*serve)(int fd);
    int rc;
    const char *text; /* %s: the socket */
} servers[] = {
    {"done", answer_done, 0, ""},
    {"done after others", answer_the_third, 0, ""},
    {"nonsense", answer_nonsense, -EBADMSG, "answer of apply-logging: is not JSON"},
    {"hang up", hang_up, -EIO,
     "apply-logging at %s gave no answer: another one is at work, or journalctl -u "
     "'lictor-apply@*' says why"},
    {"silence", say_nothing, -ETIMEDOUT, "no end of the answer after 300ms"},
};

static void an_answer_is_an_answer_or_the_outcome_is_unknown(void **state)
{
    (void)state;
    char line[80], text[300];
    (void)snprintf(line, sizeof line, "%s\n", path);
    say_where(line);
    for (size_t i = 0; i < COUNT(servers); i++) {
        struct apply_result result = {0};
        struct error err = {0};
        print_message("  %s\n", servers[i].name);
        pid_t server = socket_server_start(path, servers[i].serve);
        assert_int_equal(hand_over(&result, &err), servers[i].rc);
        (void)snprintf(text, sizeof text, "%s", servers[i].text);
        if (strchr(servers[i].text, '%'))
            (void)snprintf(text, sizeof text, "%.*s%s%s", (int)strcspn(servers[i].text, "%"),
                           servers[i].text, path, strchr(servers[i].text, '%') + 2);
        assert_string_equal(err.text, text);
        assert_int_equal(result.done, servers[i].rc == 0);
        socket_server_stop(server, path);
    }
}

static void nobody_at_the_socket_is_a_failure_that_says_so(void **state)
{
    (void)state;
    struct apply_result result;
    struct error err = {0};
    char text[200];
    say_where(path);
    (void)snprintf(text, sizeof text, "nobody answers at %s: is lictor-apply.socket running?",
                   path);
    assert_int_equal(hand_over(&result, &err), 0);
    assert_false(result.done);
    assert_string_equal(result.reason, text);
    (void)close(socket_listen(path, 1));
    assert_int_equal(hand_over(&result, &err), 0);
    assert_string_equal(result.reason, text);
    assert_int_equal(unlink(path), 0);
}

static void a_socket_file_that_is_none_is_no_way_around_the_socket(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "relative\n", "/a\n/b\n", "/a\n\n"};
    struct apply_result result;
    struct error err = {0};
    for (size_t i = 0; i < COUNT(texts); i++) {
        say_where(texts[i]);
        assert_int_equal(hand_over(&result, &err), 0);
        assert_false(result.done);
        assert_non_null(strstr(result.reason, "must hold one absolute path"));
    }
    assert_int_equal(chmod(file, 0666), 0);
    assert_int_equal(hand_over(&result, &err), 0);
    assert_non_null(strstr(result.reason, "can be written by others"));
}

/* Nothing is known of the settings then, so no record may say that this server rejected them. */
static void a_lack_of_descriptors_is_no_rejection(void **state)
{
    (void)state;
    struct apply_result result = {.reason = "untouched"};
    struct error err = {0};
    struct rlimit before, few;
    assert_int_equal(chmod(file, 0644), 0);
    say_where(path);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){3, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int rc = hand_over(&result, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rc, -EMFILE);
    assert_non_null(strstr(err.text, "Too many open files"));
    assert_string_equal(result.reason, "untouched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_an_answer_or_the_outcome_is_unknown),
        cmocka_unit_test(nobody_at_the_socket_is_a_failure_that_says_so),
        cmocka_unit_test(a_socket_file_that_is_none_is_no_way_around_the_socket),
        cmocka_unit_test(a_lack_of_descriptors_is_no_rejection),
    };
    return cmocka_run_group_tests_name("handover", tests, make_dir, remove_dir);
}
