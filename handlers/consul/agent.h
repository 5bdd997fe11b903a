/* SPDX-License-Identifier: MIT */
/* agent.h: what the agent says about itself and the servers: agent/self, members, the raft
 * configuration, leader and autopilot, each read and parsed here only.
 *
 * Texts are borrowed from *agent and never NULL. */
#ifndef AGENT_H
#define AGENT_H

#include "base/error.h"
#include "consul/consul.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_NAME  128 /* bytes of a node name without NUL */
#define AGENT_PEERS 64  /* servers of a raft configuration that are looked at */

/* A server of the raft configuration. */
struct agent_peer {
    const char *id;   /* node ID; with raft protocol 2 its address */
    const char *node; /* of who has its *address* now, so possibly a successor's name;
                         the address where nobody has it (RaftGetConfiguration) */
    bool voter;
    bool leader; /* of whom this agent takes it for */
};

/* A member of the gossip pool. */
struct agent_member {
    const char *name;
    const char *id;      /* node ID */
    const char *address; /* without port */
    const char *build;   /* Consul's version, "1.14.11:0ab36c42", "" unknown */
    int expect;          /* its bootstrap_expect as tagged, 0 = none */
    bool server;         /* else a client agent */
    bool alive;          /* serf status 1; leaving, left and failed are not */
    bool replica;        /* meant not to vote (read_replica) */
};

/* All-zero is nothing read; free with agent_release(). */
struct agent {
    cJSON *self; /* NULL: not read yet */
    bool leading;
    bool acl_off; /* it says that ACLs are disabled; false also when unknown */
    bool unheard; /* it has received no leader since it was started */
    struct agent_peer peers[AGENT_PEERS];
    size_t n_peers;
    struct agent_member *members;
    size_t n_members;

    cJSON *members_json; /* private, as is all below */
    cJSON *peers_json;
    char *raft_text;
};

/* agent/self: the four members above, and what the next three look up in it. */
MUST_CHECK int agent_read_self(struct consul *consul, struct agent *agent, struct error *err);

/* The agent's node name. Reads agent/self unless it was read. Returns 0, -EBADMSG for one that
 * is empty or longer than AGENT_NAME, or the failure. */
MUST_CHECK int agent_node(struct consul *consul, struct agent *agent, const char **ret,
                          struct error *err);

/* All members, after agent_read_self(). ACLs filter this list without a word, down to nothing:
 * -EACCES when it has fewer than the agent itself counts. */
MUST_CHECK int agent_read_members(struct consul *consul, struct agent *agent, struct error *err);

/* The raft configuration. -E2BIG for more than AGENT_PEERS servers. The second takes it out of
 * agent/self, without asking anybody. */
MUST_CHECK int agent_read_peers(struct consul *consul, struct agent *agent, struct error *err);
MUST_CHECK int agent_recall_peers(struct agent *agent, struct error *err);

/* Does the agent know a leader; and do a majority follow it (consul_prove_leader())? */
MUST_CHECK int agent_read_leader(struct consul *consul, bool *ret_known, bool *ret_agreed,
                                 struct error *err);

struct agent_autopilot {
    bool known;
    bool cleanup; /* CleanupDeadServers */
    int64_t min_quorum;
};

/* -EAGAIN and -ENOENT are no failure: it is not known then. */
MUST_CHECK int agent_read_autopilot(struct consul *consul, struct agent_autopilot *ret,
                                    struct error *err);

void agent_release(struct agent *agent);

#endif
