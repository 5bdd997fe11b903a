#include "gather.h"

#include "policy.h"

#include <errno.h>
#include <stdio.h>

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

int gather_settings(struct consul *consul, const char *root, enum consul_read read,
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
    char key[512];
    int len = snprintf(key, sizeof key, "%s%sCLUSTER_SERVERS", root, SETTINGS_PLACE);
    if (len < 0 || (size_t)len >= sizeof key)
        return error_set(err, -ENAMETOOLONG, "--settings-root is too long");
    int rc = consul_kv_read(consul, key, false, read, &list, err);
    kv_release(&list);
    return rc;
}

int gather_judged(struct consul *consul, const char *config_dir, const char *root,
                  enum consul_read read, struct settings *ret, struct error *err)
{
    struct kv_list list = {0};
    struct policy policy = {0};
    int rc = policy_read(config_dir, &policy, err);
    if (rc == 0)
        rc = gather_settings(consul, root, read, &list, err);
    if (rc == 0 && list.n == 0)
        rc = prove_rights(consul, root, read, err);
    if (rc == 0)
        rc = policy_pin(&policy, root, &list, err);
    if (rc == 0)
        settings_parse(&list, root, ret);
    policy_release(&policy);
    kv_release(&list);
    return rc;
}
