/* SPDX-License-Identifier: MIT */
#include "shipper/retired_shippers.h"

#include "base/json.h"
#include "base/state.h"

#include <errno.h>
#include <string.h>

static bool has_destination(const struct shipper_config_list *list, const char *destination)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->shipper[i].destination, destination) == 0)
            return true;
    }
    return false;
}

static int parse(const cJSON *entry, struct shipper_config *ret)
{
    struct error ignored = {0};
    char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(entry, "definition"));
    if (!text)
        return -EBADMSG;
    int rc = shipper_config_parse(text, strlen(text), json_text(entry, "path", ""), ret, &ignored);
    cJSON_free(text);
    return rc;
}

int retired_shippers_add(const char *dir, struct shipper_config_list *list, struct error *err)
{
    struct error ignored = {0};
    const cJSON *noted = NULL, *entry = NULL;
    cJSON *root = state_read(dir, RETIRED_SHIPPERS_FILE);
    int rc = 0;
    (void)!json_array(root, "shippers", &noted, &ignored);
    cJSON_ArrayForEach(entry, noted)
    {
        struct shipper_config t;
        if (rc < 0 || parse(entry, &t) < 0)
            continue;
        t.retired = true;
        if (has_destination(list, t.destination) || shipper_config_trust(&t, &ignored) < 0)
            cJSON_Delete(t.root);
        else if (list->n < SHIPPER_CONFIG_MAX)
            list->shipper[list->n++] = t;
        else
            rc = error_set(err, -E2BIG, "more than %d log shippers, with those to be stopped",
                           SHIPPER_CONFIG_MAX);
        if (rc < 0)
            cJSON_Delete(t.root);
    }
    cJSON_Delete(root);
    return rc;
}

int retired_shippers_note(const char *dir, const struct shipper_config_list *list, bool done,
                          struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *noted = cJSON_AddArrayToObject(root, "shippers");
    for (size_t i = 0; i < list->n; i++) {
        const struct shipper_config *t = &list->shipper[i];
        if (done && t->retired)
            continue;
        cJSON *entry = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(entry, "path", t->path);
        (void)cJSON_AddItemReferenceToObject(entry, "definition", t->root);
        (void)cJSON_AddItemToArray(noted, entry);
    }
    cJSON *before = state_read(dir, RETIRED_SHIPPERS_FILE);
    bool news = !cJSON_Compare(before, root, true);
    cJSON_Delete(before);
    if (news)
        return state_write(dir, RETIRED_SHIPPERS_FILE, root, !done, err);
    cJSON_Delete(root);
    return 0;
}
