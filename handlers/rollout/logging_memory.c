/* SPDX-License-Identifier: MIT */
#include "rollout/logging_memory.h"

#include "base/json.h"
#include "base/state.h"
#include "base/trust.h"

#include <stdio.h>

#define MEMORY_FILE "logging-check.json"

static bool is_ours(const char *state_dir)
{
    return state_dir && trust_own_directory(state_dir);
}

void logging_memory_read(const char *state_dir, struct logging_memory *ret)
{
    cJSON *root = is_ours(state_dir) ? state_read_boot(state_dir, MEMORY_FILE) : NULL;
    *ret = (struct logging_memory){.done = 0};
    held_since_load(root, &ret->spans);
    (void)!json_integer(root, "done", &ret->done, NULL);
    (void)snprintf(ret->uuid, sizeof ret->uuid, "%s", json_text(root, "uuid", ""));
    ret->arrivals = cJSON_DetachItemFromObjectCaseSensitive(root, "nodes");
    cJSON_Delete(root);
}

int logging_memory_write(const char *state_dir, const struct logging_memory *memory,
                         struct error *err)
{
    if (!is_ours(state_dir))
        return 0;
    cJSON *root = state_begin();
    bool ok = held_since_save(&memory->spans, root) &&
              cJSON_AddNumberToObject(root, "done", (double)memory->done) &&
              cJSON_AddStringToObject(root, "uuid", memory->uuid) &&
              (!memory->arrivals ||
               cJSON_AddItemReferenceToObject(root, "nodes", memory->arrivals));
    if (!ok) {
        cJSON_Delete(root);
        root = NULL;
    }
    return state_write(state_dir, MEMORY_FILE, root, false, err);
}

void logging_memory_release(struct logging_memory *memory)
{
    cJSON_Delete(memory->arrivals);
    memory->arrivals = NULL;
}
