#include "base/file.h"

#include "base/duration.h"
#include "test.h"

#include <dirent.h>
#include <limits.h>
#include <sys/resource.h>
#include <time.h>

#define STRANGER 12345

static char dir[256]; /* a fresh one for every test */

/* dir/name; several at a time. */
static const char *at(const char *name)
{
    static char paths[8][640];
    static size_t next;
    char *path = paths[next++ % COUNT(paths)];
    (void)snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    char made[128];
    const char *base = getenv("TMPDIR");
    (void)snprintf(made, sizeof made, "%s/lictor-file-XXXXXX", base ? base : "/tmp");
    (void)umask(022);
    char *real = mkdtemp(made) ? realpath(made, NULL) : NULL;
    int n = real ? snprintf(dir, sizeof dir, "%s", real) : -1;
    free(real);
    return n > 0 && (size_t)n < sizeof dir ? 0 : -1;
}

/* Empties it one level deep below dir's own directories. */
static void empty(const char *path)
{
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        (void)unlinkat(dirfd(list), e->d_name, 0);
    (void)closedir(list);
}

static int tear_down(void **state)
{
    (void)state;
    DIR *list = opendir(dir);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list)) {
        if (e->d_type == DT_DIR && e->d_name[0] != '.') {
            empty(at(e->d_name));
            (void)unlinkat(dirfd(list), e->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(list);
    empty(dir);
    return rmdir(dir);
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void put_directory(const char *name, mode_t mode)
{
    assert_int_equal(mkdir(at(name), 0700), 0);
    assert_int_equal(chmod(at(name), mode), 0);
}

static size_t entries(void)
{
    size_t n = 0;
    DIR *list = opendir(dir);
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
    if (file_read(at(name), &buf, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(buffer_text(&buf), text);
    buffer_release(&buf);
}

/* The text with "@" for the directory. */
static void assert_text(const struct error *err, const char *expected)
{
    char text[sizeof err->text * 2];
    const char *mark = strchr(expected, '@');
    if (mark)
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - expected), expected, dir,
                       mark + 1);
    else
        (void)snprintf(text, sizeof text, "%s", expected);
    assert_string_equal(err->text, text);
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
    put("good", "contents", 0600);
    put("empty", "", 0600);
    put("large", "0123456789", 0600);
    put_directory("d", 0700);
    assert_int_equal(symlink("good", at("link")), 0);
    assert_int_equal(mkfifo(at("fifo"), 0600), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer buf = BUFFER_INIT(16);
        struct error err = {0};
        assert_int_equal(buffer_append(&buf, "before ", 7), 0);
        assert_int_equal(file_read(at(rows[i].name), &buf, &err), rows[i].rc);
        if (rows[i].rc == 0)
            assert_string_equal(buffer_text(&buf), rows[i].text);
        else
            assert_text(&err, rows[i].text);
        buffer_release(&buf);
    }
}

/* ---- who may write ------------------------------------------------------- */

/* "own" may be written by us only, "group" and "all" by others; "f" is a good file. */
static void lay_out(void)
{
    static const struct {
        const char *name;
        mode_t mode;
    } directories[] = {{"own", 0755}, {"group", 0775}, {"all", 0777}, {"sticky", 01777}};
    for (size_t i = 0; i < COUNT(directories); i++) {
        char file[64];
        put_directory(directories[i].name, 0700);
        (void)snprintf(file, sizeof file, "%s/f", directories[i].name);
        put(file, "text", 0755);
        assert_int_equal(chmod(at(directories[i].name), directories[i].mode), 0);
    }
    put("own/group-file", "text", 0664);
    put("own/all-file", "text", 0602);
    put("own/private", "text", 0600);
    assert_int_equal(symlink("f", at("own/link")), 0);
    assert_int_equal(symlink(at("own"), at("link")), 0);
    assert_int_equal(mkfifo(at("own/fifo"), 0600), 0);
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
        int rc = file_trusted(at(paths[i].name), &err);
        if (rc != paths[i].rc)
            fail_msg("%s: %d, \"%s\"", paths[i].name, rc, err.text);
        assert_text(&err, paths[i].error);
    }
    struct error err = {0};
    assert_int_equal(file_trusted("own/f", &err), -EINVAL);
    assert_string_equal(err.text, "own/f is not an absolute path");
    assert_int_equal(file_trusted("", &err), -EINVAL);
    assert_int_equal(file_trusted("/", &err), 0);
    char endless[PATH_MAX + 10];
    memset(endless, '/', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(file_trusted(endless, &err), -EINVAL);
}

static void reads_what_it_trusts(void **state)
{
    (void)state;
    lay_out();
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct error err = {0};
        struct buffer buf = BUFFER_INIT(100);
        struct stat st;
        int rc = file_read_trusted(at(paths[i].name), &buf, &err);
        bool is_directory = stat(at(paths[i].name), &st) == 0 && S_ISDIR(st.st_mode);
        assert_int_equal(rc, paths[i].rc == 0 && is_directory ? -EINVAL : paths[i].rc);
        assert_string_equal(buffer_text(&buf), rc == 0 ? "text" : "");
        buffer_release(&buf);
    }
    struct error err = {0};
    struct buffer buf = BUFFER_INIT(3);
    assert_int_equal(file_read_trusted(at("own/fifo"), &buf, &err), -EINVAL);
    assert_text(&err, "@/own/fifo is not a regular file");
    assert_int_equal(file_read_trusted(at("own/f"), &buf, &err), -EMSGSIZE);
    assert_text(&err, "@/own/f is larger than 3 bytes");
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
    assert_int_equal(file_trusted(at("sticky/f"), &err), 0);
    assert_int_equal(chown(at("own/private"), STRANGER, 0), 0);
    assert_int_equal(file_trusted(at("own/private"), &err), -EPERM);
    assert_text(&err, "@/own/private belongs to user 12345, not to root or the running "
                      "user: chown root it");
    assert_int_equal(chown(at("sticky"), STRANGER, 0), 0);
    assert_int_equal(file_trusted(at("sticky/f"), &err), -EPERM);
    assert_text(&err, "@/sticky belongs to user 12345, not to root or the running user: "
                      "chown root it");
    assert_int_equal(lchown(at("own/link"), STRANGER, 0), 0);
    assert_int_equal(file_trusted_program(at("own/link"), &err), -EPERM);
    assert_text(&err, "@/own/link belongs to user 12345, not to root or the running user: "
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
    assert_int_equal(symlink("../own/f", at("own/up")), 0);
    assert_int_equal(symlink("../group/f", at("own/to-group")), 0);
    assert_int_equal(symlink(at("own/f"), at("all/to-own")), 0);
    assert_int_equal(symlink(at("all/to-own"), at("own/chain")), 0);
    assert_int_equal(symlink("nowhere", at("own/dangling")), 0);
    assert_int_equal(symlink("loop", at("own/loop")), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        int rc = file_trusted_program(at(rows[i].name), &err);
        if (rc != rows[i].rc)
            fail_msg("%s: %d, \"%s\"", rows[i].name, rc, err.text);
        assert_text(&err, rows[i].error);
    }
    assert_int_equal(file_trusted_program("/bin/sh", NULL), 0);
    assert_int_equal(file_trusted_program("sh", NULL), -EINVAL);
}

/* ---- replacing ----------------------------------------------------------- */

static void replaces_at_once(void **state)
{
    (void)state;
    struct stat st;
    struct error err = {0};
    (void)umask(077);
    for (int durable = 0; durable < 2; durable++) {
        assert_int_equal(file_replace(at("f"), "old", 3, 0600, durable, &err), 0);
        assert_holds("f", "old");
        assert_int_equal(file_replace(at("f"), "newer", 5, 0644, durable, &err), 0);
        assert_holds("f", "newer");
        assert_int_equal(stat(at("f"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        assert_int_equal(file_replace(at("f"), NULL, 0, 0600, durable, &err), 0);
        assert_holds("f", "");
        assert_int_equal(entries(), 1);
    }
}

static void replaces_here(void **state)
{
    (void)state;
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(file_replace("f", "here", 4, 0600, false, NULL), 0);
    assert_int_equal(fchdir(before), 0);
    assert_int_equal(close(before), 0);
    assert_holds("f", "here");
}

static void replaces_a_link_not_its_target(void **state)
{
    (void)state;
    struct stat st;
    put("target", "untouched", 0600);
    assert_int_equal(symlink("target", at("f")), 0);
    assert_int_equal(file_replace(at("f"), "new", 3, 0600, false, NULL), 0);
    assert_holds("target", "untouched");
    assert_int_equal(lstat(at("f"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void leaves_nothing_when_it_fails(void **state)
{
    (void)state;
    struct error err = {0};
    char name[300] = "";
    put_directory("d", 0700);
    assert_int_equal(file_replace(at("d"), "x", 1, 0600, true, &err), -EISDIR);
    assert_text(&err, "cannot write @/d: Is a directory");
    assert_int_equal(file_replace(at("none/f"), "x", 1, 0600, true, &err), -ENOENT);
    assert_text(&err, "cannot write @/none/f: No such file or directory");
    assert_int_equal(entries(), 1);
    memset(name, 'n', 250);
    assert_int_equal(file_replace(at(name), "x", 1, 0600, false, NULL), -ENAMETOOLONG);
    memset(name, 'n', 299);
    assert_int_equal(file_replace(at(name), "x", 1, 0600, false, NULL), -ENAMETOOLONG);
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
    put("f", "old", 0600);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {4096, before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = file_replace(at("f"), many, sizeof many, 0600, true, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(rc, -EFBIG);
    assert_text(&err, "cannot write @/f: File too large");
    assert_holds("f", "old");
    assert_int_equal(entries(), 1);
}

static void set_age(const char *name, time_t age_s)
{
    const struct timespec when = {.tv_sec = time(NULL) - age_s};
    const struct timespec times[2] = {when, when};
    assert_int_equal(utimensat(AT_FDCWD, at(name), times, 0), 0);
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
        put(rows[i].name, "half", 0600);
        set_age(rows[i].name, rows[i].age_s);
    }
    assert_int_equal(file_replace(at("f"), "new", 3, 0600, false, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++)
        if ((access(at(rows[i].name), F_OK) == 0) != rows[i].stays)
            fail_msg("%s", rows[i].name);
}

static void takes_over_what_has_its_own_number(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, ".f.lictor-tmp.%d", (int)getpid());
    put("target", "untouched", 0600);
    assert_int_equal(symlink("target", at(name)), 0);
    assert_int_equal(file_replace(at("f"), "new", 3, 0600, false, NULL), 0);
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
        if (file_replace(at("f"), text, sizeof text, 0600, false, NULL) < 0)
            _exit(1);
    _exit(0);
}

/* Old or new, as a whole: one letter, WHOLE times. */
static void assert_whole(void)
{
    struct buffer buf = BUFFER_INIT(WHOLE + 1);
    assert_int_equal(file_read(at("f"), &buf, NULL), 0);
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
    assert_int_equal(file_replace(at("f"), text, sizeof text, 0600, false, NULL), 0);
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
    assert_int_equal(file_replace(at("f"), text, sizeof text, 0600, false, NULL), 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid = start_writer((char)('a' + i % 26), 0);
        const struct timespec span = {.tv_nsec = 100000 + i * 40000};
        (void)nanosleep(&span, NULL);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_whole();
    }
    DIR *list = opendir(dir);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        if (strncmp(e->d_name, ".f.", 3) == 0)
            set_age(e->d_name, 61);
    (void)closedir(list);
    assert_int_equal(file_replace(at("f"), text, sizeof text, 0600, false, NULL), 0);
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
        bool held = file_lock(at("lock"), 0, NULL) >= 0;
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
    assert_int_equal(file_lock(at("lock"), 0, &err), -EWOULDBLOCK);
    assert_text(&err, "@/lock is locked by another run");
    int64_t begin_ms = duration_now_ms();
    assert_int_equal(file_lock(at("lock"), 100, &err), -EWOULDBLOCK);
    assert_in_range(duration_now_ms() - begin_ms, 100, 5000);
    assert_int_equal(close(end), 0);
    int fd = file_lock(at("lock"), 10000, &err);
    assert_true(fd >= 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(file_lock(at("lock"), 0, &err), -EWOULDBLOCK);
    file_unlock(fd);
    fd = file_lock(at("lock"), 0, &err);
    assert_true(fd >= 0);
    file_unlock(fd);
    file_unlock(-1);
}

static void a_lock_ends_with_its_process(void **state)
{
    (void)state;
    int end = -1;
    pid_t pid = start_holder(&end);
    assert_int_equal(kill(pid, SIGKILL), 0);
    int fd = file_lock(at("lock"), 10000, NULL);
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
    int fd = file_lock(at("lock"), 0, &err);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    file_unlock(fd);
    assert_int_equal(symlink("lock", at("link")), 0);
    assert_int_equal(file_lock(at("link"), 0, &err), -ELOOP);
    assert_text(&err, "cannot open @/link: Too many levels of symbolic links");
    assert_int_equal(file_lock(at("none/lock"), 0, &err), -ENOENT);
    assert_text(&err, "cannot open @/none/lock: No such file or directory");
}

/* ---- small ones ---------------------------------------------------------- */

static void knows_its_own_directory(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        bool own;
    } rows[] = {{0700, true}, {0500, true}, {0710, false}, {0701, false}, {0755, false}};
    put_directory("d", 0700);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(at("d"), rows[i].mode), 0);
        assert_int_equal(file_own_directory(at("d")), rows[i].own);
    }
    assert_int_equal(chmod(at("d"), 0700), 0);
    put("f", "", 0700);
    assert_false(file_own_directory(at("f")));
    assert_false(file_own_directory(at("none")));
    assert_int_equal(symlink("d", at("link")), 0);
    assert_false(file_own_directory(at("link")));
    if (geteuid() == 0) {
        assert_int_equal(chown(at("d"), STRANGER, 0), 0);
        assert_false(file_own_directory(at("d")));
    }
}

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

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_regular_files_only),
        TEST(trusts_what_only_we_can_write),
        TEST(reads_what_it_trusts),
        TEST(trusts_no_stranger),
        TEST(trusts_programs_behind_links),
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
        TEST(a_lock_ends_with_its_process),
        TEST(a_lock_file_is_private),
        TEST(knows_its_own_directory),
        TEST(joins_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
