/* SPDX-License-Identifier: MIT */
#include "base/trust.h"

#include "scratch.h"
#include "test.h"

#include <limits.h>

#define STRANGER 12345

/* "own" may be written by us only, "group" and "all" by others; "f" is a good file. */
static void lay_out(void)
{
    static const struct {
        const char *name;
        mode_t mode;
    } directories[] = {{"own", 0755}, {"group", 0775}, {"all", 0777}, {"sticky", 01777}};
    for (size_t i = 0; i < COUNT(directories); i++) {
        char file[64];
        scratch_mkdir(directories[i].name, 0700);
        (void)snprintf(file, sizeof file, "%s/f", directories[i].name);
        scratch_put(file, "text", 0755);
        assert_int_equal(chmod(scratch_at("%s", directories[i].name), directories[i].mode), 0);
    }
    scratch_put("own/group-file", "text", 0664);
    scratch_put("own/all-file", "text", 0602);
    scratch_put("own/private", "text", 0600);
    assert_int_equal(symlink("f", scratch_at("own/link")), 0);
    assert_int_equal(symlink(scratch_at("own"), scratch_at("link")), 0);
    assert_int_equal(mkfifo(scratch_at("own/fifo"), 0600), 0);
}

#define LINK   " is a symbolic link: put the real path"
#define WRITER " can be written by others: chmod go-w it"

static const struct {
    const char *name;
    int rc;
    const char *error;
} paths[] = {
    {"own/f", 0, ""},
    {"own", 0, ""},
    {"own/", 0, ""},
    {"own//./f", 0, ""},
    {"own/../own/f", 0, ""},
    {"group/../own/f", -EPERM, "@/group" WRITER},
    {"own/link", -EPERM, "@/own/link" LINK},
    {"link/f", -EPERM, "@/link" LINK},
    {"link", -EPERM, "@/link" LINK},
    {"group/f", -EPERM, "@/group" WRITER},
    {"all/f", -EPERM, "@/all" WRITER},
    {"own/group-file", -EPERM, "@/own/group-file" WRITER},
    {"own/all-file", -EPERM, "@/own/all-file" WRITER},
    {"own/none", -ENOENT, "cannot open @/own/none: No such file or directory"},
    {"none/f", -ENOENT, "cannot open @/none/f: No such file or directory"},
    {"own/f/x", -ENOTDIR, "cannot open @/own/f/x: Not a directory"},
};

static void trusts_what_only_we_can_write(void **state)
{
    (void)state;
    lay_out();
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct error err = {0};
        int rc = trust_path(scratch_at("%s", paths[i].name), &err);
        if (rc != paths[i].rc)
            fail_msg("%s: %d, \"%s\"", paths[i].name, rc, err.text);
        scratch_assert_text(&err, paths[i].error);
    }
    struct error err = {0};
    assert_int_equal(trust_path("own/f", &err), -EINVAL);
    assert_string_equal(err.text, "own/f is not an absolute path");
    assert_int_equal(trust_path("", &err), -EINVAL);
    assert_int_equal(trust_path("/", &err), 0);
    char endless[PATH_MAX + 10];
    memset(endless, '/', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(trust_path(endless, &err), -EINVAL);
}

static void reads_what_it_trusts(void **state)
{
    (void)state;
    lay_out();
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct error err = {0};
        struct buffer buf = BUFFER_INIT(100);
        struct stat st;
        int rc = trust_read(scratch_at("%s", paths[i].name), &buf, &err);
        bool is_directory = stat(scratch_at("%s", paths[i].name), &st) == 0 && S_ISDIR(st.st_mode);
        assert_int_equal(rc, paths[i].rc == 0 && is_directory ? -EINVAL : paths[i].rc);
        assert_string_equal(buffer_text(&buf), rc == 0 ? "text" : "");
        buffer_release(&buf);
    }
    struct error err = {0};
    struct buffer buf = BUFFER_INIT(3);
    assert_int_equal(trust_read(scratch_at("own/fifo"), &buf, &err), -EINVAL);
    scratch_assert_text(&err, "@/own/fifo is not a regular file");
    assert_int_equal(trust_read(scratch_at("own/f"), &buf, &err), -EMSGSIZE);
    scratch_assert_text(&err, "@/own/f is larger than 3 bytes");
    buffer_release(&buf);
}

/* Only root can make files of others; as another user there is nothing to look at. */
static void trusts_no_stranger(void **state)
{
    (void)state;
    struct error err = {0};
    if (geteuid() != 0)
        skip();
    lay_out();
    assert_int_equal(trust_path(scratch_at("sticky/f"), &err), 0);
    assert_int_equal(chown(scratch_at("own/private"), STRANGER, 0), 0);
    assert_int_equal(trust_path(scratch_at("own/private"), &err), -EPERM);
    scratch_assert_text(&err, "@/own/private belongs to user 12345, not to root or the running "
                              "user: chown root it");
    assert_int_equal(chown(scratch_at("sticky"), STRANGER, 0), 0);
    assert_int_equal(trust_path(scratch_at("sticky/f"), &err), -EPERM);
    scratch_assert_text(&err, "@/sticky belongs to user 12345, not to root or the running user: "
                              "chown root it");
    assert_int_equal(lchown(scratch_at("own/link"), STRANGER, 0), 0);
    assert_int_equal(trust_program(scratch_at("own/link"), &err), -EPERM);
    scratch_assert_text(&err, "@/own/link belongs to user 12345, not to root or the running user: "
                              "chown root it");
}

static void trusts_programs_behind_links(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rc;
        const char *error;
    } rows[] = {
        {"own/f", 0, ""},
        {"own/link", 0, ""},
        {"link/f", 0, ""},
        {"link/link", 0, ""},
        {"own/up", 0, ""},
        {"own/to-group", -EPERM, "@/group" WRITER},
        {"all/to-own", -EPERM, "@/all" WRITER},
        {"own/chain", -EPERM, "@/all" WRITER},
        {"own/dangling", -ENOENT, "cannot open @/own/dangling: No such file or directory"},
        {"own/loop", -ELOOP, "@/own/loop: too many symbolic links"},
        {"own/private", -EACCES, "@/own/private is not an executable file"},
        {"own", -EACCES, "@/own is not an executable file"},
        {"own/fifo", -EACCES, "@/own/fifo is not an executable file"},
    };
    lay_out();
    assert_int_equal(symlink("../own/f", scratch_at("own/up")), 0);
    assert_int_equal(symlink("../group/f", scratch_at("own/to-group")), 0);
    assert_int_equal(symlink(scratch_at("own/f"), scratch_at("all/to-own")), 0);
    assert_int_equal(symlink(scratch_at("all/to-own"), scratch_at("own/chain")), 0);
    assert_int_equal(symlink("nowhere", scratch_at("own/dangling")), 0);
    assert_int_equal(symlink("loop", scratch_at("own/loop")), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        int rc = trust_program(scratch_at("%s", rows[i].name), &err);
        if (rc != rows[i].rc)
            fail_msg("%s: %d, \"%s\"", rows[i].name, rc, err.text);
        scratch_assert_text(&err, rows[i].error);
    }
    assert_int_equal(trust_program("/bin/sh", NULL), 0);
    assert_int_equal(trust_program("sh", NULL), -EINVAL);
}

static void knows_its_own_directory(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool own;
    } rows[] = {{0700, true}, {0500, true}, {0710, false}, {0701, false}, {0755, false}};
    scratch_mkdir("d", 0700);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(scratch_at("d"), rows[i].mode), 0);
        assert_int_equal(trust_own_directory(scratch_at("d")), rows[i].own);
    }
    assert_int_equal(chmod(scratch_at("d"), 0700), 0);
    scratch_put("f", "", 0700);
    assert_false(trust_own_directory(scratch_at("f")));
    assert_false(trust_own_directory(scratch_at("none")));
    assert_int_equal(symlink("d", scratch_at("link")), 0);
    assert_false(trust_own_directory(scratch_at("link")));
    if (geteuid() == 0) {
        assert_int_equal(chown(scratch_at("d"), STRANGER, 0), 0);
        assert_false(trust_own_directory(scratch_at("d")));
    }
}

static void tells_who_may_write_and_read(void **state)
{
    static const struct {
        const char *name;
        enum trust_writer writer;
        const char *place; /* below the scratch directory */
        bool readable;
    } rows[] = {
        {"own/f", TRUST_NOBODY, NULL, true},
        {"own/link", TRUST_NOBODY, NULL, true},
        {"link/f", TRUST_NOBODY, NULL, true},
        {"own/private", TRUST_NOBODY, NULL, false},
        {"sticky/f", TRUST_NOBODY, NULL, true},
        {"group/f", TRUST_GROUP, "group", true},
        {"all/f", TRUST_EVERYBODY, "all", true},
        {"own/group-file", TRUST_GROUP, "own/group-file", true},
        {"own/all-file", TRUST_EVERYBODY, "own/all-file", false},
        {"group/../all/f", TRUST_EVERYBODY, "all", true},
        {"all/../group/f", TRUST_EVERYBODY, "all", true},
        {"own/to-group", TRUST_GROUP, "group", true},
    };
    struct trust_report report;
    struct error err = {0};
    (void)state;
    lay_out();
    assert_int_equal(symlink("../group/f", scratch_at("own/to-group")), 0);
    assert_int_equal(chmod(scratch_dir, 0755), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *place = rows[i].place;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(trust_look(scratch_at("%s", rows[i].name), geteuid(), &report, &err), 0);
        assert_int_equal(report.writer, rows[i].writer);
        assert_string_equal(report.place, place ? scratch_at("%s", place) : "");
        assert_int_equal(report.readable, rows[i].readable);
    }
    assert_int_equal(chmod(scratch_dir, 0710), 0);
    assert_int_equal(trust_look(scratch_at("own/f"), geteuid(), &report, &err), 0);
    assert_false(report.readable);
    assert_int_equal(trust_look(scratch_at("own/none"), 0, &report, &err), -ENOENT);
    assert_int_equal(trust_look("own/f", 0, &report, &err), -EINVAL);
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(scratch_at("own/f"), STRANGER, 0), 0);
    assert_int_equal(trust_look(scratch_at("own/f"), STRANGER, &report, &err), 0);
    assert_int_equal(report.writer, TRUST_NOBODY);
    assert_int_equal(trust_look(scratch_at("own/f"), STRANGER + 1, &report, &err), 0);
    assert_int_equal(report.writer, TRUST_OWNER);
    assert_int_equal(report.owner, STRANGER);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(trusts_what_only_we_can_write),
        TEST(reads_what_it_trusts),
        TEST(trusts_no_stranger),
        TEST(trusts_programs_behind_links),
        TEST(knows_its_own_directory),
        TEST(tells_who_may_write_and_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
