/* SPDX-License-Identifier: MIT */
/* json_fields.h: members of a struct as members of a JSON object, by a table. Pure. */
#ifndef JSON_FIELDS_H
#define JSON_FIELDS_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

enum json_field_kind {
    JSON_FIELD_FLAG,    /* bool */
    JSON_FIELD_INT,     /* int */
    JSON_FIELD_NUMBERS, /* int64_t[n]; n 1: a number, else an array of that length, at most 8 */
    JSON_FIELD_TEXT,    /* char[n] with NUL, printable */
    JSON_FIELD_LINES,   /* the same, of lines that each end in '\n' */
};

struct json_field {
    const char *name;
    enum json_field_kind kind;
    size_t offset; /* offsetof() */
    size_t n;
};

/* Add the fields of the struct `from` to an object, which may be NULL. False: out of memory. */
bool json_fields_save(cJSON *object, const void *from, const struct json_field *fields, size_t n);

/* Read them back. One that is missing or wrong stays as it is, the others are read. Returns 0, or
 * -EBADMSG when one is of another type, length or range; the text names it. */
MUST_CHECK int json_fields_load(const cJSON *object, void *to, const struct json_field *fields,
                                size_t n, struct error *err);

#endif
