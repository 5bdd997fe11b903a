/* SPDX-License-Identifier: MIT */
#include "elasticsearch/probe.h"

#include "base/buffer.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS     (INT64_C(24) * 3600 * 1000)
#define HOUR_MS    (INT64_C(3600) * 1000)
#define NODE_BYTES 200
#define LINE_BYTES 1024
#define NEW_LINES  4                  /* a log with fewer is new */
#define LAST_MS    (INT64_C(1) << 53) /* JSON's numbers are exact up to here */

void probe_token(const struct probe_stream *stream, char ret[PROBE_TOKEN])
{
    char hex[DIGEST_TEXT];
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, stream->node, strlen(stream->node) + 1);
    digest_add(&digest, stream->shipper, strlen(stream->shipper));
    digest_end(&digest, hex);
    (void)snprintf(ret, PROBE_TOKEN, "%.*s", PROBE_TOKEN - 1, hex);
}

/* ---- the log ------------------------------------------------------------- */

/* Of a name only what a shipper lets pass as part of a probe. */
static void name_node(const char *node, char *ret, size_t size)
{
    size_t i = 0;
    for (; *node && i + 1 < size; node++, i++) {
        bool plain = (*node >= 'a' && *node <= 'z') || (*node >= 'A' && *node <= 'Z') ||
                     (*node >= '0' && *node <= '9') || strchr("_.-", *node);
        ret[i] = plain ? *node : '?';
    }
    ret[i] = '\0';
}

static char *format_line(const struct probe_stream *stream, int64_t now_ms)
{
    char name[NODE_BYTES];
    char token[PROBE_TOKEN];
    cJSON *root = cJSON_CreateObject();
    cJSON *lictor = cJSON_AddObjectToObject(root, "lictor");
    probe_token(stream, token);
    name_node(stream->node, name, sizeof name);
    return json_print(root, cJSON_AddStringToObject(lictor, "probe", token) &&
                                cJSON_AddStringToObject(lictor, "node", name) &&
                                cJSON_AddNumberToObject(lictor, "at", (double)now_ms));
}

/* May only we put something into the directory of that file? */
static int check_directory(const char *path, struct error *err)
{
    char dir[FILE_PATH];
    struct stat st;
    const char *slash = strrchr(path, '/');
    (void)snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (lstat(dir, &st) < 0)
        return error_set(err, -errno, "%s: %s (lictor enable makes it)", dir, strerror(errno));
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        return error_set(err, -EPERM,
                         "%s must be a directory of the agent's user, writable for nobody else "
                         "(lictor enable makes it so)",
                         dir);
    return 0;
}

static int open_log(const char *path, struct stat *st, struct error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, st) < 0) {
        int code = -errno;
        if (fd >= 0)
            (void)close(fd);
        return error_set(err, code, "cannot write %s: %s", path,
                         code == -ELOOP ? "it is a link: remove it" : strerror(-code));
    }
    if (S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1 &&
        fchmod(fd, 0644) == 0)
        return fd;
    (void)close(fd);
    return error_set(err, -EPERM, "%s is not a plain file of the agent's user: remove it", path);
}

/* Whole or not at all: half a line would spoil the next one. */
static int append_record(int fd, const char *path, const char *line, const struct stat *st,
                         struct error *err)
{
    size_t len = strlen(line);
    off_t before = st->st_size;
    if (before + (off_t)len > PROBE_FILE_MAX) {
        before = 0;
        if (ftruncate(fd, 0) < 0)
            return error_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
    }
    ssize_t written = write(fd, line, len);
    if (written == (ssize_t)len)
        return 0;
    int code = written < 0 ? -errno : -ENOSPC;
    if (ftruncate(fd, before) < 0)
        code = -errno;
    return error_set(err, code, "cannot write %s: %s", path, strerror(-code));
}

/* A file that is made where another was removed may get its inode number, and the imfile of
 * rsyslogd, when it looks late, then goes on with the one that is gone. A file that takes
 * the place of another has a number of its own. Twice, for a shipper may be late once more,
 * and not each time, or it could miss one and find the number it knows. */
static bool is_due(const struct stat *st, const char *line)
{
    size_t lines = (size_t)st->st_size / strlen(line);
    return lines == 1 || lines == NEW_LINES - 1;
}

static int replace(const char *path, const char *line, struct error *err)
{
    struct buffer text = BUFFER_INIT((size_t)(NEW_LINES + 1) * LINE_BYTES);
    int rc = file_read(path, &text, err);
    if (rc == 0 && buffer_append(&text, line, strlen(line)) < 0)
        rc = error_set(err, -ENOMEM, "out of memory");
    if (rc == 0)
        rc = file_replace(path, buffer_text(&text), text.len, 0644, false, err);
    buffer_release(&text);
    return rc;
}

int probe_write(const char *path, const struct probe_stream *stream, int64_t now_ms,
                struct error *err)
{
    char line[LINE_BYTES];
    struct stat st = {0};
    char *text = format_line(stream, now_ms);
    int n = text ? snprintf(line, sizeof line, "%s\n", text) : -1;
    cJSON_free(text);
    if (n < 0 || (size_t)n >= sizeof line)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = check_directory(path, err);
    int fd = rc < 0 ? rc : open_log(path, &st, err);
    if (fd < 0)
        return fd;
    rc = is_due(&st, line) ? replace(path, line, err) : append_record(fd, path, line, &st, err);
    (void)close(fd);
    return rc;
}

/* ---- looking for it ------------------------------------------------------ */

static cJSON *match(const char *member, const char *value)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *inner = cJSON_AddObjectToObject(root, "match");
    if (inner && cJSON_AddStringToObject(inner, member, value))
        return root;
    cJSON_Delete(root);
    return NULL;
}

/* "at": the newest time. */
static bool add_newest(cJSON *aggregations)
{
    cJSON *at = cJSON_AddObjectToObject(aggregations, "at");
    cJSON *max = cJSON_AddObjectToObject(at, "max");
    return max && cJSON_AddStringToObject(max, "field", "lictor.at");
}

/* What filters, and what is asked of the records left; NULL when out of memory. */
static cJSON *add_filter(cJSON *aggregations, const char *name, const char *member,
                         const char *value)
{
    cJSON *root = cJSON_AddObjectToObject(aggregations, name);
    cJSON *filter = match(member, value);
    if (!filter || !cJSON_AddItemToObject(root, "filter", filter)) {
        cJSON_Delete(filter);
        return NULL;
    }
    cJSON *inner = cJSON_AddObjectToObject(root, "aggs");
    return inner && add_newest(inner) ? inner : NULL;
}

static bool add_stream(cJSON *aggregations, size_t i, const struct probe_stream *stream,
                       const char *revision)
{
    char name[24];
    char token[PROBE_TOKEN];
    probe_token(stream, token);
    (void)snprintf(name, sizeof name, "%zu", i);
    cJSON *inner = add_filter(aggregations, name, "lictor.probe", token);
    return inner && add_filter(inner, "revision", "lictor.revision", revision);
}

static bool add_range(cJSON *root, int64_t now_ms)
{
    cJSON *query = cJSON_AddObjectToObject(root, "query");
    cJSON *range = cJSON_AddObjectToObject(query, "range");
    cJSON *at = cJSON_AddObjectToObject(range, "lictor.at");
    return at && cJSON_AddNumberToObject(at, "gte", (double)(now_ms - DAY_MS)) &&
           cJSON_AddNumberToObject(at, "lte", (double)(now_ms + HOUR_MS));
}

char *probe_query(const struct probe_stream *streams, size_t n, const char *revision,
                  int64_t now_ms)
{
    cJSON *root = cJSON_CreateObject();
    bool whole = cJSON_AddNumberToObject(root, "size", 0) && add_range(root, now_ms);
    cJSON *aggregations = cJSON_AddObjectToObject(root, "aggs");
    for (size_t i = 0; i < n; i++)
        whole = add_stream(aggregations, i, &streams[i], revision) && whole;
    return json_print(root, whole);
}

/* A maximum over no record is null. */
static int64_t newest(const cJSON *aggregation)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(aggregation, "at");
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(at, "value");
    double ms = cJSON_IsNumber(value) ? value->valuedouble : -1;
    return ms >= 0 && ms < (double)LAST_MS ? (int64_t)ms : -1;
}

int probe_parse(const cJSON *answer, size_t n, struct probe_found *ret, struct error *err)
{
    const cJSON *all = NULL;
    int rc = json_object(answer, "aggregations", &all, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        char name[24];
        const cJSON *stream = NULL;
        (void)snprintf(name, sizeof name, "%zu", i);
        rc = json_object(all, name, &stream, err);
        ret[i].newest_ms = newest(stream);
        ret[i].revision_ms = newest(cJSON_GetObjectItemCaseSensitive(stream, "revision"));
    }
    return rc < 0 ? error_set(err, -EBADMSG,
                              "the answer to the search for probe records is not an answer to it")
                  : 0;
}
