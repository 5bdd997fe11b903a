/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "indexer/sources.h"
#include "test.h"

static char dir[] = "/tmp/lictor-sources-XXXXXX";
static char unread[SOURCES_TEXT], nothing[SOURCES_TEXT];

static const char *at(const char *name)
{
    static char path[4][200];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", dir, name);
    return path[next];
}

static void look(const char *glob, const char *except)
{
    const char *globs[] = {at(glob)}, *excepts[] = {at(except)};
    sources_look(globs, 1, excepts, 1, unread, nothing);
}

static void put(const char *name, mode_t mode)
{
    assert_int_equal(file_replace(at(name), "x\n", 2, mode, false, NULL), 0);
}

static void what_can_be_read_is_no_matter(void **state)
{
    (void)state;
    put("a.log", 0644);
    look("*.log", "none");
    assert_string_equal(unread, "");
    assert_string_equal(nothing, "");
}

static void what_matches_nothing_is_named(void **state)
{
    (void)state;
    char text[SOURCES_TEXT];
    (void)snprintf(text, sizeof text, "no file matches %s", at("*.txt"));
    look("*.txt", "none");
    assert_string_equal(unread, "");
    assert_string_equal(nothing, text);
    (void)snprintf(text, sizeof text, "no file matches %s", at("a.*"));
    look("a.*", "a.log");
    assert_string_equal(nothing, text);
}

static void a_missing_directory_is_named(void **state)
{
    (void)state;
    char text[SOURCES_TEXT];
    (void)snprintf(text, sizeof text, "%s: No such file or directory", at("gone"));
    look("gone/*.log", "none");
    assert_string_equal(unread, text);
    assert_string_equal(nothing, "");
}

/* As somebody else than root, who reads everything. */
static void look_as_nobody(const char *glob)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (getuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(1);
        look(glob, "none");
        _exit(write(fds[1], unread, sizeof unread) != sizeof unread);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(fds[0], unread, sizeof unread), sizeof unread);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void what_cannot_be_read_is_named_with_what_helps(void **state)
{
    (void)state;
    put("b.log", 0640);
    put("c.log", 0600);
    assert_int_equal(chmod(dir, 0755), 0);
    look_as_nobody("b.log");
    assert_non_null(strstr(unread, "/b.log: Permission denied: "));
    assert_non_null(strstr(unread, getuid() == 0 ? "usermod -aG root nobody, then restart" : ""));
    look_as_nobody("*.log");
    assert_non_null(strstr(unread, " (and 1 more): Permission denied"));
    assert_int_equal(chmod(dir, 0700), 0);
    look_as_nobody("*.log");
    char begin[SOURCES_TEXT];
    (void)snprintf(begin, sizeof begin, "%s: Permission denied: let the user", dir);
    assert_memory_equal(unread, begin, getuid() == 0 ? strlen(begin) : 0);
}

static void room_is_compared_with_the_queue(void **state)
{
    (void)state;
    char text[SOURCES_TEXT];
    sources_look_at_room(dir, 1, text);
    assert_string_equal(text, "");
    sources_look_at_room(dir, 0, text);
    assert_string_equal(text, "");
    sources_look_at_room("/nowhere", UINT64_MAX, text);
    assert_string_equal(text, "");
    sources_look_at_room(dir, UINT64_C(1) << 60, text);
    assert_non_null(strstr(text, " has less room than the queue may need (1099511627776 MiB in "));
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(at("a.log"));
    (void)unlink(at("b.log"));
    (void)unlink(at("c.log"));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_read_is_no_matter),
        cmocka_unit_test(what_matches_nothing_is_named),
        cmocka_unit_test(a_missing_directory_is_named),
        cmocka_unit_test(what_cannot_be_read_is_named_with_what_helps),
        cmocka_unit_test(room_is_compared_with_the_queue),
    };
    return cmocka_run_group_tests_name("sources", tests, setup, teardown);
}
