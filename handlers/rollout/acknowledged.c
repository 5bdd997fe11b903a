/* SPDX-License-Identifier: MIT */
#include "rollout/acknowledged.h"

#include "consul/kv.h"
#include "rollout/server_record.h"
#include "settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 15 /* of a number, at most */
#define KEY    (sizeof ACKNOWLEDGED_PREFIX + SETTINGS_NAME)

/* -1: no number. */
static int64_t parse(const char *text)
{
    const size_t len = strlen(text);
    if (len == 0 || len > DIGITS || strspn(text, "0123456789") != len)
        return -1;
    return strtoll(text, NULL, 10);
}

int64_t acknowledged_read(struct consul *consul, enum consul_read read, const char *node)
{
    char key[KEY];
    struct kv_list list = {.n = 0};
    int64_t number = -1;
    (void)snprintf(key, sizeof key, ACKNOWLEDGED_PREFIX "%s", node);
    if (consul_kv_read(consul, key, false, read, &list, NULL) == 0 && list.n == 1)
        number = parse(list.entries[0].value);
    kv_release(&list);
    return number < 0 ? 0 : number;
}

/* Only of servers that have a log shipper: who mistypes a name must learn it. */
static int check_node(struct consul *consul, const char *node, struct error *err)
{
    char key[sizeof SERVER_RECORD_PREFIX + SETTINGS_NAME];
    struct kv_list list = {.n = 0};
    if (strlen(node) > SETTINGS_NAME)
        return error_set(err, -ENOENT, "%.60s...: no server has so long a name", node);
    (void)snprintf(key, sizeof key, SERVER_RECORD_PREFIX "%s", node);
    int rc = consul_kv_read(consul, key, false, CONSUL_DEFAULT, &list, err);
    if (rc == 0 && list.n == 0)
        rc = error_set(err, -ENOENT,
                       "%s: no server of that name has a record below " SERVER_RECORD_PREFIX
                       ": take the name from the check cluster:logging",
                       node);
    kv_release(&list);
    return rc;
}

int acknowledged_write(struct consul *consul, const char *node, const char *number,
                       struct error *err)
{
    char key[KEY];
    struct kv_list list = {.n = 0};
    int rc = check_node(consul, node, err);
    if (rc == 0 && parse(number) < 1)
        rc = error_set(err, -EINVAL, "%.30s: say the number that the check cluster:logging says",
                       number);
    if (rc < 0)
        return rc;
    (void)snprintf(key, sizeof key, ACKNOWLEDGED_PREFIX "%s", node);
    rc = consul_kv_read(consul, key, false, CONSUL_DEFAULT, &list, err);
    if (rc == 0)
        rc = consul_kv_write(consul, key, number, list.n ? list.entries[0].modify_index : 0, err);
    kv_release(&list);
    return rc;
}
