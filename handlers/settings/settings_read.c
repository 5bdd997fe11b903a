/* SPDX-License-Identifier: MIT */
#include "settings/settings_read.h"

#include "settings/effective.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_each(struct consul *consul, const char *root, enum consul_read read,
                     struct kv_list *ret, struct error *err)
{
    char path[SETTINGS_KEY];
    int rc = 0;
    for (int i = 0; rc == 0 && i < SETTING_COUNT; i++) {
        rc = settings_path(root, settings_row((enum setting)i)->key, path, err);
        if (rc == 0)
            rc = consul_kv_read(consul, path, false, read, ret, err);
    }
    return rc;
}

static int add_name(struct kv_list *list, const char *key, struct error *err)
{
    return kv_add(list, key, "", 0, 0) < 0 ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* Only the name counts of a value that is too large, or whose name cannot be asked for. */
static int read_unknown(struct consul *consul, const char *key, enum consul_read read,
                        struct kv_list *ret, struct error *err)
{
    size_t before = ret->n;
    int rc = consul_kv_read(consul, key, false, read, ret, err);
    return rc == -EMSGSIZE || (rc == 0 && ret->n == before) ? add_name(ret, key, err) : rc;
}

/* The first keys that nobody knows, so that they can be named. */
static int read_unknowns(struct consul *consul, const char *place, enum consul_read read,
                         struct kv_list *ret, struct error *err)
{
    cJSON *names = NULL;
    const cJSON *item = NULL;
    enum setting setting;
    size_t left = SETTINGS_UNKNOWNS;
    char flood[SETTINGS_KEY + 40];
    (void)snprintf(flood, sizeof flood, "%s(more keys than can be listed)", place);
    int rc = consul_kv_names(consul, place, read, &names, err);
    if (rc == -EMSGSIZE)
        return add_name(ret, flood, err);
    cJSON_ArrayForEach(item, names)
    {
        const char *name = cJSON_GetStringValue(item);
        if (rc == 0 && left > 0 && name && strncmp(name, place, strlen(place)) == 0 &&
            name[strlen(place)] && settings_find(name + strlen(place), &setting) < 0) {
            left--;
            rc = read_unknown(consul, name, read, ret, err);
        }
    }
    cJSON_Delete(names);
    return rc;
}

int settings_read(struct consul *consul, const char *root, enum consul_read read,
                  struct kv_list *ret, struct error *err)
{
    char path[SETTINGS_KEY];
    int rc = settings_path(root, "", path, err);
    if (rc < 0)
        return rc;
    rc = consul_kv_read(consul, path, true, read, ret, err);
    if (rc == -EMSGSIZE) {
        kv_release(ret);
        rc = read_each(consul, root, read, ret, err);
        if (rc == 0)
            rc = read_unknowns(consul, path, read, ret, err);
    }
    if (rc < 0)
        kv_release(ret);
    return rc;
}

/* A list that a token may not read comes back empty; a single key comes back as 403. */
static int prove_rights(struct consul *consul, const char *root, enum consul_read read,
                        struct error *err)
{
    struct kv_list list = {0};
    char key[SETTINGS_KEY];
    int rc = settings_path(root, settings_row(CLUSTER_SERVERS)->key, key, err);
    if (rc == 0)
        rc = consul_kv_read(consul, key, false, read, &list, err);
    kv_release(&list);
    return rc;
}

int settings_read_judged(struct consul *consul, const char *config_dir, const char *root,
                         enum consul_read read, struct settings *ret, struct error *err)
{
    struct kv_list list = {0};
    struct policy policy = {0};
    struct effective log;
    int rc = policy_read(config_dir, &policy, err);
    if (rc == 0)
        rc = settings_read(consul, root, read, &list, err);
    if (rc == 0 && list.n == 0)
        rc = prove_rights(consul, root, read, err);
    if (rc == 0)
        rc = effective_judge(&policy, root, &list, ret, &log, err);
    policy_release(&policy);
    kv_release(&list);
    return rc;
}
