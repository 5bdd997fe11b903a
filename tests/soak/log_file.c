/* SPDX-License-Identifier: MIT */
#include "log_file.h"

#include "harness.h"

static void begin(struct log_file *log)
{
    log->file = fopen(log->path, "ae");
    if (!log->file)
        harness_fail("%s: %s", log->path, strerror(errno));
}

void log_file_open(struct log_file *log, const char *path, enum log_style style)
{
    *log = (struct log_file){.style = style};
    (void)snprintf(log->path, sizeof log->path, "%.480s.log", path);
    begin(log);
}

/* Without a program of its own: what is written meanwhile would be lost by the copy. */
static void copy(const char *from, const char *to)
{
    char part[65536];
    FILE *in = fopen(from, "re"), *out = fopen(to, "we");
    if (!in || !out)
        harness_fail("cannot copy %s: %s", from, strerror(errno));
    for (size_t n = fread(part, 1, sizeof part, in); n > 0; n = fread(part, 1, sizeof part, in))
        if (fwrite(part, 1, n, out) != n)
            harness_fail("cannot write %s", to);
    (void)fclose(in);
    (void)fclose(out);
}

void log_file_rotate(struct log_file *log)
{
    char to[560];
    const int stem = (int)strlen(log->path) - 4;
    log->rotated++;
    if (log->style == LOG_KEPT)
        (void)snprintf(to, sizeof to, "%.*s-%d.log", stem, log->path, log->rotated);
    else
        (void)snprintf(to, sizeof to, "%s.%d", log->path, log->rotated);
    if (log->style == LOG_COPIED) {
        assert_int_equal(fflush(log->file), 0);
        copy(log->path, to);
        assert_int_equal(ftruncate(fileno(log->file), 0), 0);
        return;
    }
    assert_int_equal(fclose(log->file), 0);
    assert_int_equal(rename(log->path, to), 0);
    begin(log);
}

void log_file_close(struct log_file *log)
{
    if (log->file)
        (void)fclose(log->file);
    log->file = NULL;
}
