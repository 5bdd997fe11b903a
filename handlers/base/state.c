/* SPDX-License-Identifier: MIT */
#include "base/state.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>

#define STATE_MAX 65536

cJSON *state_read(const char *dir, const char *name)
{
    char path[FILE_PATH];
    struct buffer text = BUFFER_INIT(STATE_MAX);
    cJSON *root = NULL;
    if (dir && file_path(path, sizeof path, dir, name, NULL) == 0 &&
        file_read(path, &text, NULL) == 0)
        (void)!json_parse(buffer_text(&text), text.len, path, &root, NULL);
    buffer_release(&text);
    return root;
}

cJSON *state_read_boot(const char *dir, const char *name)
{
    const char *boot = boottime_boot_id();
    cJSON *root = state_read(dir, name);
    if (*boot && strcmp(json_text(root, "boot", ""), boot) == 0)
        return root;
    cJSON_Delete(root);
    return NULL;
}

cJSON *state_begin(void)
{
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddStringToObject(root, "boot", boottime_boot_id()))
        return root;
    cJSON_Delete(root);
    return NULL;
}

int state_write(const char *dir, const char *name, cJSON *root, bool durable, struct error *err)
{
    char path[FILE_PATH];
    char *text = json_print(root, root != NULL);
    if (!text)
        return error_set(err, -ENOMEM, "cannot write %s/%s: out of memory", dir, name);
    int rc = file_path(path, sizeof path, dir, name, err);
    if (rc == 0)
        rc = file_replace(path, text, strlen(text), 0600, durable, err);
    cJSON_free(text);
    return rc;
}
