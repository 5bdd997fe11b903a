/* SPDX-License-Identifier: MIT */
#include "cluster/rollout_order.h"

#include "base/text.h"
#include "cluster/cluster_facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct agent_member *find_member(const struct membership_facts *facts,
                                              const char *name)
{
    const struct agent_member *found = NULL;
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        if (member->server && strcasecmp(member->name, name) == 0 && (!found || member->alive))
            found = member;
    }
    return found;
}

static void add_server(const struct membership_facts *facts, const char *name,
                       struct rollout_order *ret)
{
    const struct agent_member *member = find_member(facts, name);
    for (size_t i = 0; i < ret->n; i++)
        if (strcasecmp(ret->server[i].node, name) == 0)
            return;
    if (ret->n == ROLLOUT_ORDER_SERVERS)
        return;
    const char *shown = member ? member->name : name;
    text_copy_word(ret->server[ret->n].node, sizeof ret->server->node, shown, strlen(shown));
    ret->server[ret->n++].alive = member && member->alive;
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

void rollout_order_join(const struct membership_facts *facts, struct rollout_order *ret)
{
    const char *voters[AGENT_PEERS];
    bool mapped = facts->settings->servers > 0;
    size_t n = 0;
    *ret = (struct rollout_order){.n = 0};
    for (size_t i = 0; i < facts->settings->servers; i++)
        add_server(facts, facts->settings->server[i], ret);
    for (size_t i = 0; !mapped && facts->confirmed && i < facts->confirmed->n; i++)
        add_server(facts, facts->confirmed->entry[i].node, ret);
    for (size_t i = 0; i < facts->n_peers && n < AGENT_PEERS; i++)
        if (facts->peers[i].voter)
            voters[n++] = facts->peers[i].node;
    qsort(voters, n, sizeof voters[0], by_name);
    for (size_t i = 0; i < n; i++)
        add_server(facts, voters[i], ret);
}

static void set_source(const struct cluster_facts *servers,
                       const struct rollout_order_settings *settings, struct rollout_order *ret)
{
    const struct kv_entry *entry = NULL;
    const char *key = settings_row(CLUSTER_SERVERS)->key;
    if (settings_path(settings->root, key, ret->source, NULL) == 0)
        entry = kv_find(settings->entries, ret->source);
    if (entry) {
        ret->source_index = entry->modify_index;
    } else {
        (void)snprintf(ret->source, sizeof ret->source, "%s", SERVER_MAPPING_KEY);
        ret->source_index = servers->record_index;
    }
}

int rollout_order_gather(struct consul *consul, struct agent *agent,
                         const struct rollout_order_settings *settings, enum consul_read read,
                         struct rollout_order *ret, struct error *err)
{
    struct cluster_facts *servers = calloc(1, sizeof *servers);
    if (!servers)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = cluster_facts_gather_names(consul, agent, read, servers, err);
    if (rc == 0) {
        servers->facts.who.settings = settings->settings;
        rollout_order_join(&servers->facts.who, ret);
        set_source(servers, settings, ret);
    }
    cluster_facts_release(servers);
    free(servers);
    return rc;
}
