#include "shipper/apply_protocol.h"

#include "base/duration.h"
#include "base/json.h"
#include "base/limits.h"
#include "settings/settings.h"

#include <errno.h>
#include <string.h>

int apply_protocol_read(int fd, struct buffer *ret, struct error *err)
{
    char limit[DURATION_TEXT];
    *ret = BUFFER_INIT(APPLY_PROTOCOL_MAX);
    int rc = buffer_read_within(ret, fd, limits()->request_ms);
    if (rc == -ETIMEDOUT)
        return error_set(err, rc, "the request has no end after %s",
                         duration_format(limits()->request_ms * 1000, limit));
    return rc < 0 ? error_set(err, rc, "cannot read the request: %s", strerror(-rc)) : 0;
}

/* cJSON keeps members of the same name, and a reader finds the first. */
static int refuse_twins(const cJSON *object, struct error *err)
{
    char echo[SETTING_VALUE_ECHO];
    for (const cJSON *item = object->child; item; item = item->next) {
        for (const cJSON *other = item->next; other; other = other->next) {
            if (strcmp(item->string, other->string) == 0)
                return error_set(err, -EBADMSG, "\"%s\" is given twice",
                                 setting_value_echo(item->string, strlen(item->string), echo));
        }
    }
    return 0;
}

static int check_members(const cJSON *root, struct error *err)
{
    char echo[SETTING_VALUE_ECHO];
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, root)
    {
        if (!item->string)
            return error_set(err, -EBADMSG, "it is not a JSON object");
        if (strcmp(item->string, "v") != 0 && strcmp(item->string, "settings") != 0)
            return error_set(err, -EBADMSG, "\"%s\" is not a known member",
                             setting_value_echo(item->string, strlen(item->string), echo));
    }
    return refuse_twins(root, err);
}

static int take_setting(const cJSON *item, const char *settings_root, struct kv_list *list,
                        struct error *err)
{
    char key[SETTINGS_KEY];
    char echo[SETTING_VALUE_ECHO];
    if (settings_group(item->string) != GROUP_LOG)
        return error_set(err, -EBADMSG, "\"%s\" is not the name of a LOG_ setting",
                         setting_value_echo(item->string, strlen(item->string), echo));
    if (!cJSON_IsString(item))
        return error_set(err, -EBADMSG, "a setting is not a text");
    if (settings_path(settings_root, item->string, key, NULL) < 0)
        return error_set(err, -EBADMSG, "the name of a setting is too long");
    if (kv_add(list, key, item->valuestring, strlen(item->valuestring), 0) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    return 0;
}

static int take_settings(const cJSON *root, const char *settings_root, struct kv_list *list,
                         struct error *err)
{
    const cJSON *object = NULL;
    const cJSON *item = NULL;
    int rc = json_object(root, "settings", &object, err);
    if (rc == 0)
        rc = refuse_twins(object, err);
    cJSON_ArrayForEach(item, object)
    {
        rc = rc < 0 ? rc : take_setting(item, settings_root, list, err);
    }
    return rc;
}

int apply_protocol_parse(const struct buffer *text, const char *settings_root, struct kv_list *list,
                         struct error *err)
{
    cJSON *root = NULL;
    int64_t version = 0;
    struct error why = {0};
    int rc = json_parse(buffer_text(text), text->len, "it", &root, &why);
    if (rc == 0)
        rc = check_members(root, &why);
    if (rc == 0)
        rc = json_integer(root, "v", &version, &why);
    if (rc == 0 && version != APPLY_PROTOCOL_VERSION)
        rc = error_set(&why, -EBADMSG, "only version %d is known", APPLY_PROTOCOL_VERSION);
    if (rc == 0)
        rc = take_settings(root, settings_root, list, &why);
    if (rc < 0)
        rc = error_set(err, rc, "request: %s", why.text);
    cJSON_Delete(root);
    return rc;
}
