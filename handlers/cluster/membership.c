#include "cluster/membership.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same(const struct roster_peer *peer, const struct roster_member *member)
{
    if (!member->server)
        return false;
    if (peer->id[0] != '\0' && strcmp(peer->id, member->id) == 0)
        return true;
    size_t len =
        strlen(member->address); /* raft protocol 2: the ID is "address:port" */
    return len > 0 && strncmp(peer->id, member->address, len) == 0 &&
           peer->id[len] == ':';
}

/* A renamed server is in gossip twice with one ID: the living one counts. */
static const struct roster_member *find(const struct roster_facts *facts,
                                        const struct roster_peer *peer)
{
    const struct roster_member *found = NULL;
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct roster_member *member = &facts->members[i];
        if (same(peer, member) && (!found || member->alive))
            found = member;
    }
    return found;
}

const struct roster_member *roster_alive(const struct roster_facts *facts,
                                         const struct roster_peer *peer)
{
    const struct roster_member *member = find(facts, peer);
    return member && member->alive ? member : NULL;
}

bool roster_known(const struct roster_facts *facts, const struct roster_member *member)
{
    for (size_t i = 0; i < facts->n_peers; i++)
        if (same(&facts->peers[i], member))
            return true;
    return false;
}

void roster_count(const struct roster_facts *facts, struct roster_count *ret)
{
    *ret = (struct roster_count){0};
    for (size_t i = 0; i < facts->n_peers; i++) {
        if (!facts->peers[i].voter)
            continue;
        ret->voters++;
        ret->living += roster_alive(facts, &facts->peers[i]) != NULL;
    }
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct roster_member *member = &facts->members[i];
        if (!member->server || !member->alive)
            continue;
        ret->servers++;
        ret->strangers += !roster_known(facts, member);
    }
}

/* Is `label` the first label of the longer `name`? */
static bool first_label(const char *name, const char *label)
{
    size_t len = strlen(label);
    return strcspn(name, ".") == len && strncasecmp(name, label, len) == 0;
}

bool roster_management(const struct roster_facts *facts,
                       const struct roster_member *member)
{
    const char *host = facts->settings->management_server;
    if (*host == '\0')
        return false;
    return strcasecmp(host, member->name) == 0 ||
           strcasecmp(host, member->address) == 0 || first_label(member->name, host) ||
           first_label(host, member->name);
}

static struct roster_row *row_of(struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->n; i++)
        if (strcasecmp(roster->row[i].name, name) == 0)
            return &roster->row[i];
    struct roster_row *row = &roster->row[roster->n++];
    *row = (struct roster_row){.name = name};
    return row;
}

static const char *peer_name(const struct roster_facts *facts,
                             const struct roster_peer *peer)
{
    const struct roster_member *member = find(facts, peer);
    if (member)
        return member->name;
    const struct mapping_entry *entry = mapping_id(facts->confirmed, peer->id);
    if (entry)
        return entry->node;
    return peer->node[0] != '\0' ? peer->node : peer->id;
}

static void join_peer(const struct roster_facts *facts, const struct roster_peer *peer,
                      struct roster *roster)
{
    struct roster_row *row = row_of(roster, peer_name(facts, peer));
    bool alive = roster_alive(facts, peer) != NULL;
    if (peer->voter && alive)
        row->voter = peer;
    else if (peer->voter)
        row->dead = peer;
}

static void join_mappings(const struct roster_facts *facts, struct roster *roster)
{
    for (size_t i = 0; facts->confirmed && i < facts->confirmed->n; i++) {
        const struct mapping_entry *entry = &facts->confirmed->entry[i];
        struct roster_row *row = row_of(roster, entry->node);
        row->confirmed = entry;
        (void)snprintf(row->server, sizeof row->server, "%s", entry->server);
    }
    for (size_t i = 0; i < facts->settings->servers; i++) {
        struct roster_row *row = row_of(roster, facts->settings->server[i]);
        row->mapped = true;
        if (!row->confirmed)
            (void)snprintf(row->server, sizeof row->server, "server_%u",
                           (unsigned)(i + 1) % 1000);
    }
}

static int by_server(const void *a, const void *b)
{
    const struct roster_row *left = a;
    const struct roster_row *right = b;
    int order = (left->server[0] == '\0') - (right->server[0] == '\0');
    if (order == 0)
        order = strverscmp(left->server, right->server);
    return order != 0 ? order : strverscmp(left->name, right->name);
}

void roster_join(const struct roster_facts *facts, struct roster *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < facts->n_peers; i++)
        join_peer(facts, &facts->peers[i], ret);
    join_mappings(facts, ret);
    for (size_t i = 0; i < facts->n_members; i++) {
        const struct roster_member *member = &facts->members[i];
        for (size_t k = 0; member->server && member->alive && k < ret->n; k++)
            if (strcasecmp(ret->row[k].name, member->name) == 0)
                ret->row[k].member = member;
    }
    qsort(ret->row, ret->n, sizeof ret->row[0], by_server);
}

const char *roster_text(const struct roster_row *row, char ret[ROSTER_TEXT])
{
    if (row->server[0] != '\0')
        (void)snprintf(ret, ROSTER_TEXT, "%s (node %s)", row->server, row->name);
    else
        (void)snprintf(ret, ROSTER_TEXT, "node %s", row->name);
    return ret;
}
