#include "scratch.h"

#include "test.h"

#include <dirent.h>

char scratch_dir[256];

const char *scratch_at(const char *name)
{
    static char paths[8][640];
    static size_t next;
    char *path = paths[next++ % COUNT(paths)];
    (void)snprintf(path, sizeof paths[0], "%s/%s", scratch_dir, name);
    return path;
}

int scratch_set_up(void **state)
{
    (void)state;
    char made[128];
    const char *base = getenv("TMPDIR");
    (void)snprintf(made, sizeof made, "%s/lictor-file-XXXXXX", base ? base : "/tmp");
    (void)umask(022);
    char *real = mkdtemp(made) ? realpath(made, NULL) : NULL;
    int n = real ? snprintf(scratch_dir, sizeof scratch_dir, "%s", real) : -1;
    free(real);
    return n > 0 && (size_t)n < sizeof scratch_dir ? 0 : -1;
}

/* Empties it one level deep below its own directories. */
static void empty(const char *path)
{
    DIR *list = opendir(path);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list))
        (void)unlinkat(dirfd(list), e->d_name, 0);
    (void)closedir(list);
}

int scratch_tear_down(void **state)
{
    (void)state;
    DIR *list = opendir(scratch_dir);
    assert_non_null(list);
    for (struct dirent *e = readdir(list); e; e = readdir(list)) {
        if (e->d_type == DT_DIR && e->d_name[0] != '.') {
            empty(scratch_at(e->d_name));
            (void)unlinkat(dirfd(list), e->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(list);
    empty(scratch_dir);
    return rmdir(scratch_dir);
}

void scratch_put(const char *name, const char *text, mode_t mode)
{
    int fd = open(scratch_at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

void scratch_mkdir(const char *name, mode_t mode)
{
    assert_int_equal(mkdir(scratch_at(name), 0700), 0);
    assert_int_equal(chmod(scratch_at(name), mode), 0);
}

void scratch_assert_text(const struct error *err, const char *expected)
{
    char text[sizeof err->text * 2];
    const char *mark = strchr(expected, '@');
    if (mark)
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - expected), expected, scratch_dir,
                       mark + 1);
    else
        (void)snprintf(text, sizeof text, "%s", expected);
    assert_string_equal(err->text, text);
}
