/* SPDX-License-Identifier: MIT */
#include "indexer/destination.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_url(struct destination *to, const char *value, struct error *err)
{
    struct url url;
    struct error why = {0};
    if (to->urls == SETTINGS_URLS)
        return error_set(err, -EINVAL, "url: more than %d", SETTINGS_URLS);
    if (url_parse(value, &url, &why) < 0)
        return error_set(err, -EINVAL, "url: %s", why.text);
    (void)url_format(&url, to->url[to->urls++]);
    return 0;
}

/* It becomes a part of the address. */
static int set_index(struct destination *to, const char *value, struct error *err)
{
    if (to->index[0] || setting_value_index(value, to->index, NULL) < 0)
        return error_set(err, -EINVAL, "index: no name of an index, or given twice");
    return 0;
}

static int set_bytes(struct destination *to, const char *value, struct error *err)
{
    char *end = NULL;
    unsigned long long bytes = strtoull(value, &end, 10);
    if (*value < '1' || *end || bytes > DESTINATION_BYTES || to->bytes)
        return error_set(err, -EINVAL, "bytes: a number from 1 to %u, once", DESTINATION_BYTES);
    to->bytes = (size_t)bytes;
    return 0;
}

static int set_path(const char *name, char path[CREDENTIAL_PATH], const char *value,
                    struct error *err)
{
    size_t len = strlen(value);
    if (len >= CREDENTIAL_PATH || path[0] || *value != '/')
        return error_set(err, -EINVAL, "%s: not absolute, too long, or given twice", name);
    memcpy(path, value, len + 1);
    return 0;
}

/* As rsyslogd reads it: "1g". */
static int set_queue_disk(struct destination *to, const char *value, struct error *err)
{
    static const char units[] = "kmgt";
    char *end = NULL;
    unsigned long long bytes = strtoull(value, &end, 10);
    const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (*value < '1' || *value > '9' || (*end && (!unit || end[1])) || bytes >> (63 - shift))
        return error_set(err, -EINVAL, "queue_disk: a size like 300m or 1g");
    to->queue_disk = bytes << shift;
    return 0;
}

static int add_path(char ***list, size_t *n, const char *value, struct error *err)
{
    char **more = realloc((void *)*list, (*n + 1) * sizeof *more);
    if (more)
        *list = more;
    char *copy = more ? strdup(value) : NULL;
    if (!copy)
        return error_set(err, -ENOMEM, "out of memory");
    (*list)[(*n)++] = copy;
    return 0;
}

static int set(struct destination *to, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "url") == 0)
        return add_url(to, value, err);
    if (strcmp(name, "index") == 0)
        return set_index(to, value, err);
    if (strcmp(name, "bytes") == 0)
        return set_bytes(to, value, err);
    if (strcmp(name, "queue") == 0)
        return set_path(name, to->queue, value, err);
    if (strcmp(name, "account") == 0)
        return set_path(name, to->account, value, err);
    if (strcmp(name, "positions") == 0)
        return set_path(name, to->positions, value, err);
    if (strcmp(name, "queue_disk") == 0)
        return set_queue_disk(to, value, err);
    if (strcmp(name, "file") == 0)
        return add_path(&to->file, &to->files, value, err);
    if (strcmp(name, "except") == 0)
        return add_path(&to->except, &to->excepts, value, err);
    int rc = strcmp(name, "keystore") == 0 ? -ENOENT
                                           : credential_set(&to->credential, name, value, err);
    if (rc == -ENOENT)
        return error_set(err, -EINVAL, "%.30s is not a setting of a destination", name);
    return rc < 0 ? -EINVAL : 0;
}

static int set_pair(struct destination *to, char *pair, struct error *err)
{
    char *value = strchr(pair, '=');
    if (!value)
        return error_set(err, -EINVAL, "a setting without \"=\"");
    *value++ = '\0';
    return *value ? set(to, pair, value, err) : 0;
}

static int check(struct destination *to, struct error *err)
{
    if (to->urls == 0 || !to->index[0] || !to->bytes || !to->queue[0])
        return error_set(err, -EINVAL, "url, index, bytes and queue are needed");
    int rc = credential_complete(&to->credential, err);
    return rc == -EBADMSG ? -EINVAL : rc;
}

int destination_parse(const char *text, struct destination *ret, struct error *err)
{
    char *copy = strdup(text), *rest = copy;
    *ret = (struct destination){.urls = 0};
    if (!copy)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = 0;
    for (char *pair = strsep(&rest, "\t"); rc == 0 && pair; pair = strsep(&rest, "\t"))
        rc = set_pair(ret, pair, err);
    explicit_bzero(copy, strlen(text));
    free(copy);
    if (rc == 0)
        rc = check(ret, err);
    if (rc < 0) {
        destination_release(ret);
        return rc;
    }
    redact_begin(&ret->secrets, &ret->credential);
    return 0;
}

static void free_paths(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free((void *)list);
}

void destination_release(struct destination *destination)
{
    free_paths(destination->file, destination->files);
    free_paths(destination->except, destination->excepts);
    explicit_bzero(destination, sizeof *destination);
}
