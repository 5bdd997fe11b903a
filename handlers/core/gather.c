#include "gather.h"

#include "settings.h"

#include <errno.h>

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
