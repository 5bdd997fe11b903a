/* SPDX-License-Identifier: MIT */
#include "base/json_fields.h"

#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

#define NUMBERS_MOST 8

static bool save_field(cJSON *object, const char *from, const struct json_field *field)
{
    const void *at = from + field->offset;
    switch (field->kind) {
    case JSON_FIELD_FLAG:
        return cJSON_AddBoolToObject(object, field->name, *(const bool *)at) != NULL;
    case JSON_FIELD_INT:
        return json_add_integer(object, field->name, *(const int *)at);
    case JSON_FIELD_NUMBERS:
        return field->n == 1 ? json_add_integer(object, field->name, *(const int64_t *)at)
                             : json_add_integers(object, field->name, at, field->n);
    case JSON_FIELD_TEXT:
    case JSON_FIELD_LINES:
        return cJSON_AddStringToObject(object, field->name, at) != NULL;
    }
    return false;
}

bool json_fields_save(cJSON *object, const void *from, const struct json_field *fields, size_t n)
{
    bool whole = true;
    for (size_t i = 0; whole && i < n; i++)
        whole = save_field(object, from, &fields[i]);
    return whole;
}

static bool are_lines(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\n' && text_printable(text[i]) != text[i])
            return false;
    return len == 0 || text[len - 1] == '\n';
}

static int load_text(const cJSON *object, char *to, const struct json_field *field,
                     struct error *err)
{
    const char *text = NULL;
    int rc = json_string(object, field->name, &text, err);
    if (rc < 0)
        return rc;
    if (strlen(text) >= field->n ||
        !(field->kind == JSON_FIELD_TEXT ? text_is_printable(text) : are_lines(text)))
        return error_set(err, -EBADMSG, "\"%s\" is too long or not printable", field->name);
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int load_numbers(const cJSON *object, int64_t *to, const struct json_field *field,
                        struct error *err)
{
    int64_t numbers[NUMBERS_MOST];
    size_t n = 1;
    int rc = field->n == 1 ? json_integer(object, field->name, numbers, err)
                           : json_integers(object, field->name, numbers, NUMBERS_MOST, &n, err);
    if (rc == 0 && n != field->n)
        rc = error_set(err, -EBADMSG, "\"%s\" does not have %zu numbers", field->name, field->n);
    if (rc == 0)
        memcpy(to, numbers, n * sizeof numbers[0]);
    return rc;
}

static int load_int(const cJSON *object, int *to, const struct json_field *field, struct error *err)
{
    int64_t number = 0;
    int rc = json_integer(object, field->name, &number, err);
    if (rc == 0 && (number < INT_MIN || number > INT_MAX))
        rc = error_set(err, -EBADMSG, "\"%s\" is out of its range", field->name);
    if (rc == 0)
        *to = (int)number;
    return rc;
}

static int load_field(const cJSON *object, char *to, const struct json_field *field,
                      struct error *err)
{
    void *at = to + field->offset;
    switch (field->kind) {
    case JSON_FIELD_FLAG:
        return json_boolean(object, field->name, at, err);
    case JSON_FIELD_INT:
        return load_int(object, at, field, err);
    case JSON_FIELD_NUMBERS:
        return load_numbers(object, at, field, err);
    case JSON_FIELD_TEXT:
    case JSON_FIELD_LINES:
        return load_text(object, at, field, err);
    }
    return 0;
}

int json_fields_load(const cJSON *object, void *to, const struct json_field *fields, size_t n,
                     struct error *err)
{
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        struct error why = {0};
        int one = load_field(object, to, &fields[i], &why);
        if (one < 0 && one != -ENOENT && rc == 0)
            rc = error_set(err, one, "%s", why.text);
    }
    return rc;
}
