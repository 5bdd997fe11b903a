/* SPDX-License-Identifier: MIT */
/* quorum.h: how many servers may fail now, and what is wrong. Pure: facts
 * in, verdict out; the caller keeps time (held_since.h).
 *
 * Spare = how many more servers may fail = the smaller of
 *   raft reserve      living voters minus the majority of all voters
 *   expected reserve  living voters, whatever their names, minus the majority of the
 *                     smaller of the confirmed number and the length of CLUSTER_SERVERS
 * Both, because a database next to Consul does not shrink when Consul does, and because
 * autopilot removes a dead server from raft and then calls two of two healthy. */
#ifndef QUORUM_H
#define QUORUM_H

#include "base/error.h"
#include "check/verdict.h"
#include "cluster/membership.h"

#include <stdbool.h>
#include <stdint.h>

/* Spare of so many living voters out of all, where `expected` servers are meant to be there (0: not
 * known). Below 0 there is no majority, and so many more are needed. Also of a database's voters. */
int quorum_spare(int living, int voters, int expected);

/* "1 may fail", "none may fail, 1 more needed". Returns ret. */
#define QUORUM_SPARE_TEXT 64
const char *quorum_spare_text(int spare, char ret[QUORUM_SPARE_TEXT]);

/* How many servers are meant to be there: the smaller of the confirmed number and the length of
 * CLUSTER_SERVERS, or the one that is known; 0: neither is. */
int quorum_expected(const struct membership_facts *who);

/* Everything is borrowed. */
struct quorum_facts {
    struct membership_facts who;
    const char *damaged; /* why the record cannot be read; NULL when it can or is absent */
    bool has_leader;     /* this server knows a leader */
    bool agreed;         /* a ?consistent read succeeded: a majority follows it */
    bool unheard;        /* no leader since this server was started: neither record nor
                             settings can be read, so both are empty here */
    const char *blind;   /* why autopilot's health is not known, "" or NULL: it is */
    struct agent_autopilot autopilot;
    int64_t now_s; /* seconds since the epoch, for CLUSTER_MAINTENANCE */
};

/* What holds in this look. */
struct quorum_conditions {
    bool leaderless; /* no leader */
    bool split;      /* a leader, and a living server outside our raft configuration: another
                        cluster only if one was started for itself (bootstrap_expect = 1) */
    bool no_spare;   /* spare <= 0, and the cluster is not merely forming */
    bool excused;    /* CLUSTER_MAINTENANCE: spare would be 1 or more with that server,
                        so no_spare's clock stands still */
    bool whole;      /* quorum_whole() */
    int spare;       /* how many more servers may fail; below 0: no majority */
};

void quorum_conditions(const struct quorum_facts *facts, struct quorum_conditions *ret);

/* For how long conditions have held, ms; -1: they do not. */
struct quorum_held {
    int64_t leaderless_ms;
    int64_t split_ms;
    int64_t no_spare_ms;
};

/* The verdict. The limits are limits()'s and CLUSTER_GRACE. */
void quorum_judge(const struct quorum_facts *facts, const struct quorum_held *held,
                  struct verdict *ret);

/* May the servers present be confirmed: a proven leader, an odd number of at least three
 * voters, all alive, no other living server, exactly the names of CLUSTER_SERVERS if set?
 * Returns 0, or -EAGAIN with the reason. */
MUST_CHECK int quorum_whole(const struct quorum_facts *facts, struct error *err);

/* The mapping to confirm: server_mapping_assign() of the living voters, keeping the numbers of the
 * present record. Only when quorum_whole(). Returns 0 or -EINVAL. */
MUST_CHECK int quorum_mapping(const struct quorum_facts *facts, struct server_mapping *ret,
                              struct error *err);

#endif
