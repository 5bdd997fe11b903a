/* rows.h: who the servers are, by name: what raft, gossip, the confirmed record and
 * CLUSTER_SERVERS say about each of them, joined. Pure: no I/O. */
#ifndef MEMBERSHIP_H
#define MEMBERSHIP_H

#include "cluster/server_mapping.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define MEMBERSHIP_PEERS 64 /* servers of a raft configuration that are looked at */

/* A server of the raft configuration. Texts are borrowed and never NULL. */
struct membership_peer {
    const char *id;   /* node ID; with raft protocol 2 its address */
    const char *node; /* whoever has its *address* now, so possibly a successor's name;
                         the address where nobody has it (RaftGetConfiguration) */
    bool voter;
};

/* A member of the gossip pool. Texts are borrowed and never NULL. */
struct membership_member {
    const char *name;
    const char *id;      /* node ID */
    const char *address; /* without port */
    int expect;          /* its bootstrap_expect as tagged, 0 = none */
    bool server;         /* else a client agent */
    bool alive;          /* serf status 1; leaving, left and failed are not */
    bool replica;        /* meant not to vote (read_replica) */
};

/* Everything is borrowed. */
struct membership_facts {
    const struct membership_peer *peers; /* at most MEMBERSHIP_PEERS */
    size_t n_peers;
    const struct membership_member *members;
    size_t n_members;
    const struct server_mapping *confirmed; /* NULL: none */
    const struct settings *settings;
};

/* Bare numbers. */
struct membership_count {
    int voters;    /* in the raft configuration, dead or alive */
    int living;    /* of these, alive in gossip */
    int servers;   /* living servers in gossip, voting or not */
    int strangers; /* of these, not in the raft configuration at all */
};

void membership_count(const struct membership_facts *facts, struct membership_count *ret);

/* The living member that is this peer, or NULL. */
const struct membership_member *membership_alive(const struct membership_facts *facts,
                                                 const struct membership_peer *peer);

/* Is this living server in the raft configuration? */
bool membership_known(const struct membership_facts *facts, const struct membership_member *member);

/* Does CLUSTER_MANAGEMENT_SERVER mean this member: its name, the first label of either, or its
 * address? false when it is not set. */
bool membership_management(const struct membership_facts *facts,
                           const struct membership_member *member);

/* One name in raft, in the record or in CLUSTER_SERVERS. */
struct membership_row {
    const char *name;                             /* borrowed from the facts */
    char server[SERVER_MAPPING_SERVER];           /* "server_2"; "" when no mapping names it */
    const struct server_mapping_entry *confirmed; /* NULL: not in the record */
    const struct membership_member *member;       /* the living server of that name, or NULL */
    const struct membership_peer *voter;          /* the living voter, or NULL */
    const struct membership_peer *dead;           /* a voter that is not alive, or NULL */
    bool mapped;                                  /* in CLUSTER_SERVERS */
};

struct membership {
    struct membership_row row[MEMBERSHIP_PEERS + 2 * SETTINGS_SERVERS];
    size_t n;
};

/* Join the facts. Sorted: by server number, then the others by name. */
void membership_join(const struct membership_facts *facts, struct membership *ret);

#define MEMBERSHIP_TEXT 192 /* bytes: enough for membership_text() */

/* "server_2 (node b)", or "node b" when no mapping names it. Returns ret. */
const char *membership_text(const struct membership_row *row, char ret[MEMBERSHIP_TEXT]);

#endif
