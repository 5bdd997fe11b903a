/* SPDX-License-Identifier: MIT */
#include "cluster/server_mapping.h"

#include "base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_.-";
static const char id_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_.:[]-";

static bool made_of(const char *text, const char *bytes, size_t size)
{
    size_t len = strlen(text);
    return len > 0 && len < size && strspn(text, bytes) == len;
}

static bool server_name(const char *text)
{
    const char *digits = text + strlen("server_");
    if (strncmp(text, "server_", strlen("server_")) != 0)
        return false;
    return made_of(digits, "0123456789", 4) && digits[0] != '0';
}

static int by_number(const void *a, const void *b)
{
    const struct server_mapping_entry *left = a;
    const struct server_mapping_entry *right = b;
    return strverscmp(left->server, right->server);
}

const struct server_mapping_entry *server_mapping_node(const struct server_mapping *mapping,
                                                       const char *node)
{
    for (size_t i = 0; mapping && i < mapping->n; i++)
        if (strcasecmp(mapping->entry[i].node, node) == 0)
            return &mapping->entry[i];
    return NULL;
}

const struct server_mapping_entry *server_mapping_id(const struct server_mapping *mapping,
                                                     const char *id)
{
    for (size_t i = 0; mapping && i < mapping->n; i++)
        if (strcmp(mapping->entry[i].id, id) == 0)
            return &mapping->entry[i];
    return NULL;
}

const struct server_mapping_entry *server_mapping_server(const struct server_mapping *mapping,
                                                         const char *server)
{
    for (size_t i = 0; mapping && i < mapping->n; i++)
        if (strcmp(mapping->entry[i].server, server) == 0)
            return &mapping->entry[i];
    return NULL;
}

static int append_server(struct server_mapping *mapping, const char *server, const char *node,
                         const char *id, struct error *err)
{
    if (mapping->n == SETTINGS_SERVERS)
        return error_set(err, -EINVAL, "more than %d servers", SETTINGS_SERVERS);
    if (!server_name(server))
        return error_set(err, -EINVAL, "a server is not named server_1, server_2, ...");
    if (!made_of(node, name_bytes, sizeof mapping->entry[0].node))
        return error_set(err, -EINVAL, "%s has a node name outside [A-Za-z0-9_.-]{1,128}", server);
    if (!made_of(id, id_bytes, sizeof mapping->entry[0].id))
        return error_set(err, -EINVAL, "%s has no usable node ID", server);
    if (server_mapping_server(mapping, server) || server_mapping_node(mapping, node))
        return error_set(err, -EINVAL, "%s or its node is in it twice", server);
    struct server_mapping_entry *entry = &mapping->entry[mapping->n++];
    (void)snprintf(entry->server, sizeof entry->server, "%s", server);
    (void)snprintf(entry->node, sizeof entry->node, "%s", node);
    (void)snprintf(entry->id, sizeof entry->id, "%s", id);
    return 0;
}

static int parse_root(const cJSON *root, struct server_mapping *ret, struct error *err)
{
    const cJSON *servers = NULL;
    const cJSON *item = NULL;
    int64_t version = 0;
    int rc = json_integer(root, "v", &version, err);
    if (rc == 0 && version != 1)
        rc = error_set(err, -EBADMSG, "version %lld is not known", (long long)version);
    if (rc == 0)
        rc = json_array(root, "servers", &servers, err);
    if (rc < 0)
        return rc;
    cJSON_ArrayForEach(item, servers)
    {
        rc = append_server(ret, json_text(item, "server", ""), json_text(item, "node", ""),
                           json_text(item, "id", ""), err);
        if (rc < 0)
            return rc;
    }
    return ret->n > 0 ? 0 : error_set(err, -EBADMSG, "it names no server");
}

int server_mapping_parse(const char *text, size_t len, struct server_mapping *ret,
                         struct error *err)
{
    cJSON *root = NULL;
    *ret = (struct server_mapping){0};
    int rc = json_parse(text, len, SERVER_MAPPING_KEY, &root, err);
    if (rc == 0)
        rc = parse_root(root, ret, err);
    cJSON_Delete(root);
    if (rc == 0) {
        qsort(ret->entry, ret->n, sizeof ret->entry[0], by_number);
        return 0;
    }
    *ret = (struct server_mapping){0};
    return rc == -ENOMEM ? rc : -EBADMSG;
}

static bool add_entry(cJSON *servers, const struct server_mapping_entry *entry)
{
    cJSON *item = cJSON_CreateObject();
    return cJSON_AddItemToArray(servers, item) &&
           cJSON_AddStringToObject(item, "server", entry->server) &&
           cJSON_AddStringToObject(item, "node", entry->node) &&
           cJSON_AddStringToObject(item, "id", entry->id);
}

int server_mapping_render(const struct server_mapping *mapping, struct buffer *out)
{
    cJSON *root = cJSON_CreateObject();
    bool whole = cJSON_AddNumberToObject(root, "v", 1);
    cJSON *servers = cJSON_AddArrayToObject(root, "servers");
    for (size_t i = 0; i < mapping->n; i++)
        whole = add_entry(servers, &mapping->entry[i]) && whole;
    return json_append(out, root, whole);
}

static const char *present_id(const struct server_mapping_entry *present, size_t n,
                              const char *node)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(present[i].node, node) == 0)
            return present[i].id;
    return "";
}

static int assign_as_set(const struct settings *settings,
                         const struct server_mapping_entry *present, size_t n,
                         struct server_mapping *ret, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < settings->servers; i++) {
        const char *node = settings->server[i];
        char server[32];
        (void)snprintf(server, sizeof server, "server_%zu", i + 1);
        rc = append_server(ret, server, node, present_id(present, n, node), err);
    }
    return rc;
}

static void lowest_free(const struct server_mapping *given, const struct server_mapping *kept,
                        char ret[32])
{
    unsigned i = 0;
    do
        (void)snprintf(ret, 32, "server_%u", ++i);
    while (server_mapping_server(given, ret) || server_mapping_server(kept, ret));
}

/* A number that somebody present keeps must not be given to a newcomer before its owner
 * is reached, but a number whose owner is gone is free. */
static void keep_present(const struct server_mapping *old,
                         const struct server_mapping_entry *present, size_t n,
                         struct server_mapping *ret)
{
    for (size_t i = 0; old && i < old->n; i++)
        if (present_id(present, n, old->entry[i].node)[0] != '\0')
            ret->entry[ret->n++] = old->entry[i];
}

static int assign_by_age(const struct server_mapping *old,
                         const struct server_mapping_entry *present, size_t n,
                         struct server_mapping *ret, struct error *err)
{
    struct server_mapping kept = {0};
    int rc = 0;
    keep_present(old, present, n, &kept);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct server_mapping_entry *known = server_mapping_node(&kept, present[i].node);
        char server[32];
        if (known)
            (void)snprintf(server, sizeof server, "%s", known->server);
        else
            lowest_free(ret, &kept, server);
        rc = append_server(ret, server, present[i].node, present[i].id, err);
    }
    return rc;
}

int server_mapping_assign(const struct server_mapping *old, const struct settings *settings,
                          const struct server_mapping_entry *present, size_t n,
                          struct server_mapping *ret, struct error *err)
{
    *ret = (struct server_mapping){0};
    int rc = settings->servers > 0 ? assign_as_set(settings, present, n, ret, err)
                                   : assign_by_age(old, present, n, ret, err);
    if (rc == 0)
        qsort(ret->entry, ret->n, sizeof ret->entry[0], by_number);
    else
        *ret = (struct server_mapping){0};
    return rc;
}
