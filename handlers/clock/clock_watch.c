/* SPDX-License-Identifier: MIT */
#include "clock/clock_watch.h"

#include "base/json.h"
#include "base/state.h"

#include <errno.h>

#define LARGEST (1LL << 52) /* more than any index */

static const char received[] = "clock-received", written[] = "clock-written";

static uint64_t read_index(const char *state_dir, const char *file)
{
    int64_t index = 0;
    cJSON *root = state_read(state_dir, file);
    if (json_integer(root, "index", &index, NULL) < 0 || index < 0)
        index = 0;
    cJSON_Delete(root);
    return (uint64_t)index;
}

static int write_index(const char *state_dir, const char *file, uint64_t index, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    if (cJSON_AddNumberToObject(root, "index", (double)index))
        return state_write(state_dir, file, root, false, err);
    cJSON_Delete(root);
    return error_set(err, -ENOMEM, "out of memory");
}

int clock_watch_received(const char *state_dir, const struct kv_list *list, struct error *err)
{
    uint64_t index = list ? 0 : LARGEST;
    for (size_t i = 0; list && i < list->n; i++)
        if (list->entries[i].modify_index > index)
            index = list->entries[i].modify_index;
    return write_index(state_dir, received, index, err);
}

int clock_watch_look(const char *state_dir, uint64_t index, bool *ret_deaf, struct error *err)
{
    *ret_deaf = read_index(state_dir, written) > read_index(state_dir, received);
    return write_index(state_dir, written, index, err);
}
