/* roster.h: who the servers are, by name: what raft, gossip, the confirmed record and
 * CLUSTER_SERVERS say about each of them, joined. Pure: no I/O. */
#ifndef ROSTER_H
#define ROSTER_H

#include "cluster/server_mapping.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define ROSTER_PEERS 64 /* servers of a raft configuration that are looked at */

/* A server of the raft configuration. Texts are borrowed and never NULL. */
struct roster_peer {
    const char *id;   /* node ID; with raft protocol 2 its address */
    const char *node; /* whoever has its *address* now, so possibly a successor's name;
                         the address where nobody has it (RaftGetConfiguration) */
    bool voter;
};

/* A member of the gossip pool. Texts are borrowed and never NULL. */
struct roster_member {
    const char *name;
    const char *id;      /* node ID */
    const char *address; /* without port */
    int expect;          /* its bootstrap_expect as tagged, 0 = none */
    bool server;         /* else a client agent */
    bool alive;          /* serf status 1; leaving, left and failed are not */
    bool replica;        /* meant not to vote (read_replica) */
};

/* Everything is borrowed. */
struct roster_facts {
    const struct roster_peer *peers; /* at most ROSTER_PEERS */
    size_t n_peers;
    const struct roster_member *members;
    size_t n_members;
    const struct mapping *confirmed; /* NULL: none */
    const struct settings *settings;
};

/* Bare numbers. */
struct roster_count {
    int voters;    /* in the raft configuration, dead or alive */
    int living;    /* of these, alive in gossip */
    int servers;   /* living servers in gossip, voting or not */
    int strangers; /* of these, not in the raft configuration at all */
};

void roster_count(const struct roster_facts *facts, struct roster_count *ret);

/* The living member that is this peer, or NULL. */
const struct roster_member *roster_alive(const struct roster_facts *facts,
                                         const struct roster_peer *peer);

/* Is this living server in the raft configuration? */
bool roster_known(const struct roster_facts *facts, const struct roster_member *member);

/* Does CLUSTER_MANAGEMENT_SERVER mean this member: its name, the first label of either, or its
 * address? false when it is not set. */
bool roster_management(const struct roster_facts *facts,
                       const struct roster_member *member);

/* One name in raft, in the record or in CLUSTER_SERVERS. */
struct roster_row {
    const char *name;                      /* borrowed from the facts */
    char server[MAPPING_SERVER];           /* "server_2"; "" when no mapping names it */
    const struct mapping_entry *confirmed; /* NULL: not in the record */
    const struct roster_member *member;    /* the living server of that name, or NULL */
    const struct roster_peer *voter;       /* the living voter, or NULL */
    const struct roster_peer *dead;        /* a voter that is not alive, or NULL */
    bool mapped;                           /* in CLUSTER_SERVERS */
};

struct roster {
    struct roster_row row[ROSTER_PEERS + 2 * SETTINGS_SERVERS];
    size_t n;
};

/* Join the facts. Sorted: by server number, then the others by name. */
void roster_join(const struct roster_facts *facts, struct roster *ret);

#define ROSTER_TEXT 192 /* bytes: enough for roster_text() */

/* "server_2 (node b)", or "node b" when no mapping names it. Returns ret. */
const char *roster_text(const struct roster_row *row, char ret[ROSTER_TEXT]);

#endif
