/* SPDX-License-Identifier: MIT */
/* membership.h: who the servers are, by name: what raft, gossip, the confirmed record and
 * CLUSTER_SERVERS say about each of them, joined. Pure: no I/O. */
#ifndef MEMBERSHIP_H
#define MEMBERSHIP_H

#include "cluster/server_mapping.h"
#include "consul/agent.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

/* What shows of a living peer besides gossip (signs.h), and has for long enough. */
struct membership_sign {
    bool lagging; /* it does not follow the leader */
    bool mute;    /* its programs write nothing any more */
    bool frozen;  /* the catalogue's entry is of its former node ID */
    bool former;  /* the same, now, for however short */
};

/* Everything is borrowed. */
struct membership_facts {
    const struct agent_peer *peers; /* at most AGENT_PEERS */
    size_t n_peers;
    const struct membership_sign *signs; /* by the number of the peer; NULL: nothing shows */
    const struct agent_member *members;
    size_t n_members;
    const struct server_mapping *confirmed; /* NULL: none */
    const char *const *left; /* names of whom a clock record is there, alive or not */
    size_t n_left;
    const struct settings *settings;
};

/* Bare numbers. */
struct membership_count {
    int voters;    /* in the raft configuration, dead or alive */
    int living;    /* of these, alive in gossip */
    int following; /* of these, not lagging */
    int servers;   /* living servers in gossip, voting or not */
    int strangers; /* of these, not in the raft configuration at all */
};

void membership_count(const struct membership_facts *facts, struct membership_count *ret);

/* Is this living server in the raft configuration? */
bool membership_known(const struct membership_facts *facts, const struct agent_member *member);

/* Does a host, not empty, mean this member: its name, the first label of either, or its address? */
bool membership_means(const char *host, const struct agent_member *member);

/* Does CLUSTER_MANAGEMENT_SERVER mean this member? false when it is not set. */
bool membership_management(const struct membership_facts *facts, const struct agent_member *member);

/* The living member that is this peer, or NULL. */
const struct agent_member *membership_alive(const struct membership_facts *facts,
                                            const struct agent_peer *peer);

/* One name in raft, in the record or in CLUSTER_SERVERS. */
struct membership_row {
    const char *name;                             /* borrowed from the facts */
    char server[SERVER_MAPPING_SERVER];           /* "server_2"; "" when no mapping names it */
    const struct server_mapping_entry *confirmed; /* NULL: not in the record */
    const struct agent_member *member;            /* the living server of that name, or NULL */
    const struct agent_peer *voter;               /* the living voter, or NULL */
    const struct agent_peer *dead;                /* a voter that is not alive, or NULL */
    struct membership_sign sign;                  /* of the living peer */
    bool mapped;                                  /* in CLUSTER_SERVERS */
};

struct membership {
    struct membership_row row[AGENT_PEERS + 2 * SETTINGS_SERVERS];
    size_t n;
};

/* Join the facts. Sorted: by server number, then the others by name. */
void membership_join(const struct membership_facts *facts, struct membership *ret);

/* Was a server of this name there before, as far as anything left of it shows: gossip remembers it
 * as failed or left, or there is a clock record? */
bool membership_was_there(const struct membership_facts *facts, const char *name);

/* How many servers there ever were, as far as that shows; rows: the facts joined. */
int membership_ever(const struct membership_facts *facts, const struct membership *rows);

#define MEMBERSHIP_TEXT 192 /* bytes: enough for membership_text() */

/* "server_2 (node b)", or "node b" when no mapping names it. Returns ret. */
const char *membership_text(const struct membership_row *row, char ret[MEMBERSHIP_TEXT]);

#endif
