/* SPDX-License-Identifier: MIT */
#include "settings/settings_read.h"

#include "settings/effective.h"

#include <errno.h>
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
