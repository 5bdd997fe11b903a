/* SPDX-License-Identifier: MIT */
#include "clock/clock_record.h"

#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A member that is a whole number. */
struct number {
    const char *name;
    int64_t least, most;
    int64_t *ret;
};

static int read_numbers(const cJSON *object, const struct number *numbers, size_t n,
                        struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct number *number = &numbers[i];
        int rc = json_integer(object, number->name, number->ret, err);
        if (rc == 0 && (*number->ret < number->least || *number->ret > number->most))
            rc = error_set(err, -EBADMSG, "\"%s\" is out of its range", number->name);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_boot(const cJSON *object, char ret[LOCAL_CLOCK_BOOT], struct error *err)
{
    const char *text = NULL;
    int rc = json_string(object, "boot", &text, err);
    if (rc < 0)
        return rc;
    if (!*text || strlen(text) >= LOCAL_CLOCK_BOOT || !text_is_word(text))
        return error_set(err, -EBADMSG, "\"boot\" is not a boot ID");
    (void)snprintf(ret, LOCAL_CLOCK_BOOT, "%s", text);
    return 0;
}

static int read_clocks(const cJSON *root, struct clock_record *ret, struct error *err)
{
    const struct number numbers[] = {
        {"raw", 0, OFFSETS_MOST, &ret->clock.raw_us},
        {"real", 0, OFFSETS_MOST, &ret->clock.real_us},
        {"err", 0, OFFSETS_MOST, &ret->clock.err_us},
        {"ppm", LOCAL_CLOCK_PPM_LEAST, LOCAL_CLOCK_PPM_MOST, &ret->ppm},
    };
    int rc = read_boot(root, ret->boot, err);
    if (rc == 0)
        rc = read_numbers(root, numbers, COUNT(numbers), err);
    if (rc == 0)
        rc = json_boolean(root, "synced", &ret->synced, err);
    return rc;
}

/* What it says of us; nothing, when it has not received us yet. */
static int read_echo(const cJSON *root, const char *own, struct clock_echo *ret, struct error *err)
{
    const struct number numbers[] = {{"raw", 0, OFFSETS_MOST, &ret->raw_us},
                                     {"at", 0, OFFSETS_MOST, &ret->at_us}};
    const cJSON *heard = NULL;
    const cJSON *entry = NULL;
    int rc = json_object(root, "heard", &heard, err);
    if (rc < 0)
        return rc;
    rc = json_object(heard, own, &entry, err);
    if (rc == -ENOENT)
        return 0;
    if (rc == 0)
        rc = read_boot(entry, ret->boot, err);
    if (rc == 0)
        rc = read_numbers(entry, numbers, COUNT(numbers), err);
    ret->known = rc == 0;
    return rc;
}

static int read_reference(const cJSON *root, struct clock_reference *ret, struct error *err)
{
    const struct number numbers[] = {{"offset", -OFFSETS_MOST, OFFSETS_MOST, &ret->offset_us},
                                     {"err", 0, OFFSETS_MOST, &ret->err_us}};
    const cJSON *entry = NULL;
    int rc = json_object(root, "reference", &entry, err);
    if (rc == -ENOENT)
        return 0;
    if (rc == 0)
        rc = read_numbers(entry, numbers, COUNT(numbers), err);
    ret->known = rc == 0;
    return rc;
}

int clock_record_parse(const char *text, size_t len, const char *own, struct clock_record *ret,
                       struct error *err)
{
    cJSON *root = NULL;
    int64_t version = 0;
    struct error why = {0};
    *ret = (struct clock_record){0};
    if (len > CLOCK_RECORD_LIMIT)
        return error_set(err, -EBADMSG, "is too large");
    if (json_parse(text, len, "record", &root, &why) < 0)
        return error_set(err, -EBADMSG, "is not JSON");
    int rc = json_integer(root, "v", &version, err);
    if (rc == 0 && version != 1)
        rc = error_set(err, -EBADMSG, "\"v\" is not 1");
    if (rc == 0)
        rc = read_clocks(root, ret, err);
    if (rc == 0)
        rc = read_echo(root, own, &ret->echo, err);
    if (rc == 0)
        rc = read_reference(root, &ret->reference, err);
    cJSON_Delete(root);
    return rc < 0 ? -EBADMSG : 0;
}

/* ---- writing ------------------------------------------------------------- */

static bool add_heard(cJSON *root, const struct offsets *offsets)
{
    cJSON *heard = cJSON_AddObjectToObject(root, "heard");
    bool good = heard != NULL;
    for (int i = 0; good && i < offsets->n; i++) {
        const struct offsets_server *server = &offsets->server[i];
        if (i == offsets->self || !server->boot[0])
            continue;
        cJSON *entry = cJSON_AddObjectToObject(heard, server->name);
        good = cJSON_AddStringToObject(entry, "boot", server->boot) &&
               json_add_integer(entry, "raw", server->record.raw_us) &&
               json_add_integer(entry, "at", server->heard_us);
    }
    return good;
}

static bool add_reference(cJSON *root, const struct clock_reference *reference)
{
    cJSON *entry = cJSON_AddObjectToObject(root, "reference");
    return json_add_integer(entry, "offset", reference->offset_us) &&
           json_add_integer(entry, "err", reference->err_us);
}

int clock_record_format(const struct offsets *offsets, const struct local_clock_reading *stamp,
                        const struct local_clock_kernel *kernel,
                        const struct clock_reference *reference, struct buffer *out)
{
    cJSON *root = cJSON_CreateObject();
    bool whole = json_add_integer(root, "v", 1) &&
                 cJSON_AddStringToObject(root, "boot", offsets->boot) &&
                 json_add_integer(root, "raw", stamp->raw_us) &&
                 json_add_integer(root, "real", stamp->real_us) &&
                 json_add_integer(root, "err", stamp->err_us) &&
                 json_add_integer(root, "ppm", kernel->ppm) &&
                 cJSON_AddBoolToObject(root, "synced", kernel->synced) &&
                 add_heard(root, offsets) && (!reference->known || add_reference(root, reference));
    return json_append(out, root, whole);
}

const char *clock_record_key(const char *node, char ret[CLOCK_RECORD_KEY])
{
    (void)snprintf(ret, CLOCK_RECORD_KEY, "%s%s", CLOCK_RECORD_PREFIX, node);
    return ret;
}
