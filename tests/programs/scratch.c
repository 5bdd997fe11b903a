/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include "base/file.h"
#include "test.h"

#include <ftw.h>

char scratch_dir[128];

const char *scratch_at(const char *fmt, ...)
{
    static char paths[8][640];
    static size_t next;
    char *path = paths[next++ % COUNT(paths)];
    int n = snprintf(path, sizeof paths[0], "%s/", scratch_dir);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(path + n, sizeof paths[0] - (size_t)n, fmt, ap);
    va_end(ap);
    return path;
}

int scratch_set_up(void **state)
{
    (void)state;
    char made[128];
    const char *base = getenv("TMPDIR");
    (void)snprintf(made, sizeof made, "%s/lictor-test-XXXXXX", base ? base : "/tmp");
    (void)umask(022);
    char *real = mkdtemp(made) ? realpath(made, NULL) : NULL;
    int n = real ? snprintf(scratch_dir, sizeof scratch_dir, "%s", real) : -1;
    free(real);
    return n > 0 && (size_t)n < sizeof scratch_dir ? 0 : -1;
}

int scratch_set_up_program(void **state)
{
    if (scratch_set_up(state) < 0 || mkdir(scratch_at("config"), 0755) < 0)
        return -1;
    return mkdir(scratch_at("state"), 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *level)
{
    (void)st;
    (void)type;
    (void)level;
    return remove(path);
}

int scratch_tear_down(void **state)
{
    (void)state;
    (void)chmod(scratch_dir, 0700);
    return nftw(scratch_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* A name that is a path already is taken as it is. */
static const char *path_of(const char *name)
{
    return name[0] == '/' ? name : scratch_at("%s", name);
}

void scratch_put(const char *name, const char *text, mode_t mode)
{
    int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

char *scratch_get(const char *name)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    (void)!file_read(path_of(name), &text, NULL);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

void scratch_assert_file(const char *name, const char *expected)
{
    char *text = scratch_get(name);
    assert_string_equal(text, expected);
    free(text);
}

void scratch_mkdir(const char *name, mode_t mode)
{
    assert_int_equal(mkdir(path_of(name), 0700), 0);
    assert_int_equal(chmod(path_of(name), mode), 0);
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
