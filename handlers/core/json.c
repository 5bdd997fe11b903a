#include "json.h"

#include <errno.h>
#include <string.h>

#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

/* cJSON cuts a string at U+0000, so what was checked would not be what was written. An
 * escape is only one when an even number of backslashes stands before it. */
static bool has_nul(const char *text, size_t len)
{
    for (size_t i = 0; i + 6 <= len; i++) {
        if (text[i] != '\\')
            continue;
        if (memcmp(text + i, "\\u0000", 6) == 0)
            return true;
        i++; /* whatever is escaped does not begin an escape */
    }
    return len > 0 && memchr(text, '\0', len) != NULL;
}

int json_parse(const char *text, size_t len, const char *what, cJSON **ret_root,
               struct error *err)
{
    const char *end = NULL;
    *ret_root = NULL;
    if (has_nul(text, len))
        return error_set(err, -EBADMSG, "%s: holds a NUL character", what);
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

static int member(const cJSON *object, const char *name, const cJSON **ret,
                  struct error *err)
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

int json_integer(const cJSON *object, const char *name, int64_t *ret, struct error *err)
{
    const cJSON *item = NULL;
    int rc = member(object, name, &item, err);
    if (rc < 0)
        return rc;
    double value = cJSON_IsNumber(item) ? item->valuedouble : EXACT_LIMIT * 2;
    if (!(value >= -EXACT_LIMIT && value <= EXACT_LIMIT) ||
        (double)(int64_t)value != value)
        return wrong(name, "an integer", err);
    *ret = (int64_t)value;
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

const char *json_text(const cJSON *object, const char *name, const char *otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(item) ? item->valuestring : otherwise;
}
