/* SPDX-License-Identifier: MIT */
#include "cluster/membership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(const struct agent_peer *peer, const struct agent_member *member)
{
    if (!member->server)
        return false;
    if (peer->id[0] != '\0' && strcmp(peer->id, member->id) == 0)
        return true;
    size_t len = strlen(member->address); /* raft protocol 2: the ID is "address:port" */
    return len > 0 && strncmp(peer->id, member->address, len) == 0 && peer->id[len] == ':';
}

/* A renamed server is in gossip twice with one ID: the living one counts. */
static const struct agent_member *find_member(const struct membership_facts *facts,
                                              const struct agent_peer *peer)
{
    const struct agent_member *found = NULL;
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        if (same(peer, member) && (!found || member->alive))
            found = member;
    }
    return found;
}

const struct agent_member *membership_alive(const struct membership_facts *facts,
                                            const struct agent_peer *peer)
{
    const struct agent_member *member = find_member(facts, peer);
    return member && member->alive ? member : NULL;
}

bool membership_known(const struct membership_facts *facts, const struct agent_member *member)
{
    for (size_t i = 0; i < facts->n_peers; i++)
        if (same(&facts->peers[i], member))
            return true;
    return false;
}

void membership_count(const struct membership_facts *facts, struct membership_count *ret)
{
    *ret = (struct membership_count){0};
    for (size_t i = 0; i < facts->n_peers; i++) {
        if (!facts->peers[i].voter)
            continue;
        bool alive = membership_alive(facts, &facts->peers[i]) != NULL;
        ret->voters++;
        ret->living += alive;
        ret->following += alive && !(facts->signs && facts->signs[i].lagging);
    }
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        if (!member->server || !member->alive)
            continue;
        ret->servers++;
        ret->strangers += !membership_known(facts, member);
    }
}

/* Is `label` the first label of the longer `name`? */
static bool first_label(const char *name, const char *label)
{
    size_t len = strlen(label);
    return strcspn(name, ".") == len && strncasecmp(name, label, len) == 0;
}

bool membership_means(const char *host, const struct agent_member *member)
{
    return strcasecmp(host, member->name) == 0 || strcasecmp(host, member->address) == 0 ||
           first_label(member->name, host) || first_label(host, member->name);
}

bool membership_management(const struct membership_facts *facts, const struct agent_member *member)
{
    const char *host = facts->settings->management_server;
    return *host && membership_means(host, member);
}

static struct membership_row *row_of(struct membership *rows, const char *name)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcasecmp(rows->row[i].name, name) == 0)
            return &rows->row[i];
    struct membership_row *row = &rows->row[rows->n++];
    *row = (struct membership_row){.name = name};
    return row;
}

static const char *peer_name(const struct membership_facts *facts, const struct agent_peer *peer)
{
    const struct agent_member *member = find_member(facts, peer);
    if (member)
        return member->name;
    const struct server_mapping_entry *entry = server_mapping_id(facts->confirmed, peer->id);
    if (entry)
        return entry->node;
    return peer->node[0] != '\0' ? peer->node : peer->id;
}

static void join_peer(const struct membership_facts *facts, const struct agent_peer *peer,
                      struct membership *rows)
{
    struct membership_row *row = row_of(rows, peer_name(facts, peer));
    bool alive = membership_alive(facts, peer) != NULL;
    if (facts->signs && alive)
        row->sign = facts->signs[peer - facts->peers];
    if (peer->voter && alive)
        row->voter = peer;
    else if (peer->voter)
        row->dead = peer;
}

static void join_mappings(const struct membership_facts *facts, struct membership *rows)
{
    for (size_t i = 0; facts->confirmed && i < facts->confirmed->n; i++) {
        const struct server_mapping_entry *entry = &facts->confirmed->entry[i];
        struct membership_row *row = row_of(rows, entry->node);
        row->confirmed = entry;
        (void)snprintf(row->server, sizeof row->server, "%s", entry->server);
    }
    for (size_t i = 0; i < facts->settings->servers; i++) {
        struct membership_row *row = row_of(rows, facts->settings->server[i]);
        row->mapped = true;
        if (!row->confirmed)
            (void)snprintf(row->server, sizeof row->server, "server_%u", (unsigned)(i + 1) % 1000);
    }
}

static int by_server(const void *a, const void *b)
{
    const struct membership_row *left = a;
    const struct membership_row *right = b;
    int order = (left->server[0] == '\0') - (right->server[0] == '\0');
    if (order == 0)
        order = strverscmp(left->server, right->server);
    return order != 0 ? order : strverscmp(left->name, right->name);
}

void membership_join(const struct membership_facts *facts, struct membership *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < facts->n_peers; i++)
        join_peer(facts, &facts->peers[i], ret);
    join_mappings(facts, ret);
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        for (size_t k = 0; member->server && member->alive && k < ret->n; k++)
            if (strcasecmp(ret->row[k].name, member->name) == 0)
                ret->row[k].member = member;
    }
    qsort(ret->row, ret->n, sizeof ret->row[0], by_server);
}

static bool gossip_lost(const struct membership_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        if (member->server && !member->alive && strcasecmp(member->name, name) == 0)
            return true;
    }
    return false;
}

bool membership_was_there(const struct membership_facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_left; i++)
        if (strcasecmp(facts->left[i], name) == 0)
            return true;
    return gossip_lost(facts, name);
}

static bool votes(const struct membership *rows, const char *name)
{
    for (size_t i = 0; i < rows->n; i++)
        if (strcasecmp(rows->row[i].name, name) == 0)
            return rows->row[i].voter || rows->row[i].dead;
    return false;
}

int membership_ever(const struct membership_facts *facts, const struct membership *rows)
{
    int n = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += rows->row[i].voter || rows->row[i].dead;
    for (size_t i = 0; i < facts->n_left; i++)
        n += !votes(rows, facts->left[i]) && !gossip_lost(facts, facts->left[i]);
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct agent_member *member = &facts->members[i];
        n += member->server && !member->alive && !votes(rows, member->name);
    }
    return n;
}

const char *membership_text(const struct membership_row *row, char ret[MEMBERSHIP_TEXT])
{
    if (row->server[0] != '\0')
        (void)snprintf(ret, MEMBERSHIP_TEXT, "%s (node %s)", row->server, row->name);
    else
        (void)snprintf(ret, MEMBERSHIP_TEXT, "node %s", row->name);
    return ret;
}
