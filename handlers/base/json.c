/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */
#define DIGITS      18                 /* of that, with sign and comma */

/* cJSON cuts a string at U+0000, so what was checked would not be what was written; and
 * it takes \u with anything but four hex digits after it for U+0000. */
static bool has_nul(const char *text, size_t len)
{
    const char *end = text + len;
    if (len == 0)
        return false;
    for (const char *at = text; (at = memchr(at, '\\', (size_t)(end - at))); at += 2) {
        char digits[5] = "";
        if (end - at < 2)
            return false;
        if (at[1] != 'u')
            continue;
        memcpy(digits, at + 2, end - at < 6 ? (size_t)(end - at - 2) : 4);
        if (strspn(digits, "0123456789abcdefABCDEF") < 4 || strcmp(digits, "0000") == 0)
            return true;
    }
    return memchr(text, '\0', len) != NULL;
}

void json_replace_nul(char *text, size_t len)
{
    char *at = text;
    for (const char *end = text + len; end - at >= 6; at += 2) {
        at = memchr(at, '\\', (size_t)(end - at));
        if (!at || end - at < 6)
            return;
        if (memcmp(at, "\\u0000", 6) == 0)
            memcpy(at, "\\ufffd", 6);
    }
}

/* Each value but the first stands after one of these. */
static int check_size(const char *text, size_t len, const char *what, struct error *err)
{
    size_t values = 1;
    long depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        else if (quoted)
            i += text[i] == '\\';
        else if (text[i] == ',')
            values++;
        else if (text[i] == '[' || text[i] == '{')
            values++, depth++;
        else if (text[i] == ']' || text[i] == '}')
            depth--;
        if (depth > JSON_DEPTH)
            return error_set(err, -EMSGSIZE, "%s: is nested deeper than %d", what, JSON_DEPTH);
        if (values > JSON_VALUES)
            return error_set(err, -EMSGSIZE, "%s: holds more than %d values", what, JSON_VALUES);
    }
    return 0;
}

int json_parse(const char *text, size_t len, const char *what, cJSON **ret_root, struct error *err)
{
    const char *end = NULL;
    *ret_root = NULL;
    if (has_nul(text, len))
        return error_set(err, -EBADMSG, "%s: holds U+0000 or no valid \\u escape", what);
    int rc = check_size(text, len, what, err);
    if (rc < 0)
        return rc;
    cJSON *root = cJSON_ParseWithLengthOpts(text, len, &end, 0);
    size_t used = root ? (size_t)(end - text) : 0;
    while (root && used < len && strchr(" \t\r\n", text[used]))
        used++;
    if (!root || used < len) {
        cJSON_Delete(root);
        return error_set(err, -EBADMSG, "%s: is not JSON", what);
    }
    *ret_root = root;
    return 0;
}

static int member(const cJSON *object, const char *name, const cJSON **ret, struct error *err)
{
    *ret = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!*ret || cJSON_IsNull(*ret))
        return error_set(err, -ENOENT, "\"%s\" is missing", name);
    return 0;
}

static int wrong(const char *name, const char *expected, struct error *err)
{
    return error_set(err, -EBADMSG, "\"%s\" is not %s", name, expected);
}

int json_string(const cJSON *object, const char *name, const char **ret, struct error *err)
{
    const cJSON *item = NULL;
    int rc = member(object, name, &item, err);
    if (rc < 0)
        return rc;
    if (!cJSON_IsString(item))
        return wrong(name, "a string", err);
    *ret = item->valuestring;
    return 0;
}

static bool take_integer(const cJSON *item, int64_t *ret)
{
    double value = cJSON_IsNumber(item) ? item->valuedouble : EXACT_LIMIT * 2;
    if (!(value >= -EXACT_LIMIT && value <= EXACT_LIMIT) || (double)(int64_t)value != value)
        return false;
    *ret = (int64_t)value;
    return true;
}

int json_integer(const cJSON *object, const char *name, int64_t *ret, struct error *err)
{
    const cJSON *item = NULL;
    int rc = member(object, name, &item, err);
    if (rc < 0)
        return rc;
    return take_integer(item, ret) ? 0 : wrong(name, "an integer", err);
}

int json_integers(const cJSON *object, const char *name, int64_t *ret, size_t most, size_t *ret_n,
                  struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    *ret_n = 0;
    int rc = json_array(object, name, &list, err);
    if (rc < 0)
        return rc;
    cJSON_ArrayForEach(item, list)
    {
        if (*ret_n == most || !take_integer(item, &ret[*ret_n]))
            return wrong(name, "a short list of integers", err);
        ++*ret_n;
    }
    return 0;
}

int json_boolean(const cJSON *object, const char *name, bool *ret, struct error *err)
{
    const cJSON *item = NULL;
    int rc = member(object, name, &item, err);
    if (rc < 0)
        return rc;
    if (!cJSON_IsBool(item))
        return wrong(name, "true or false", err);
    *ret = cJSON_IsTrue(item);
    return 0;
}

int json_array(const cJSON *object, const char *name, const cJSON **ret, struct error *err)
{
    int rc = member(object, name, ret, err);
    if (rc < 0)
        return rc;
    return cJSON_IsArray(*ret) ? 0 : wrong(name, "an array", err);
}

int json_object(const cJSON *object, const char *name, const cJSON **ret, struct error *err)
{
    int rc = member(object, name, ret, err);
    if (rc < 0)
        return rc;
    return cJSON_IsObject(*ret) ? 0 : wrong(name, "an object", err);
}

int json_members(const cJSON *object, const char *const *names, size_t n, const char **ret_name)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, object)
    {
        size_t i = 0;
        *ret_name = item->string;
        while (i < n && strcmp(item->string, names[i]) != 0)
            i++;
        if (i == n)
            return -ENOENT;
    }
    cJSON_ArrayForEach(item, object)
    {
        *ret_name = item->string;
        if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item)
            return -EEXIST;
    }
    return 0;
}

const char *json_text(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}

/* A number as text; cJSON's own writer is slow, and off by one or two near 2^52. */
static int write_integer(int64_t number, char *ret)
{
    const int64_t most = (int64_t)EXACT_LIMIT;
    return snprintf(ret, DIGITS + 1, "%lld",
                    (long long)(number > most    ? most
                                : number < -most ? -most
                                                 : number));
}

bool json_add_integer(cJSON *object, const char *name, int64_t number)
{
    char text[DIGITS + 1];
    (void)write_integer(number, text);
    return cJSON_AddRawToObject(object, name, text) != NULL;
}

bool json_add_integers(cJSON *object, const char *name, const int64_t *numbers, size_t n)
{
    char *text = malloc(n * DIGITS + sizeof "[]");
    if (!text)
        return false;
    char *at = text;
    *at++ = '[';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = ',';
        at += write_integer(numbers[i], at);
    }
    *at++ = ']';
    *at = '\0';
    bool added = cJSON_AddRawToObject(object, name, text) != NULL;
    free(text);
    return added;
}

char *json_print(cJSON *root, bool whole)
{
    char *text = whole ? cJSON_PrintUnformatted(root) : NULL;
    cJSON_Delete(root);
    return text;
}

int json_append(struct buffer *out, cJSON *root, bool whole)
{
    char *text = json_print(root, whole);
    int rc = text ? buffer_append(out, text, strlen(text)) : -ENOMEM;
    cJSON_free(text);
    return rc;
}
