/* SPDX-License-Identifier: MIT */
/* signs.h: what shows of a server besides gossip. A server can be alive there and be none:
 *
 *   lagging  raft does not reach it, or it does not keep up (autopilot's health)
 *   mute     its programs write nothing any more (its clock record), so that what the catalogue
 *            shows of it is old: its token may be gone, and then it cannot say so itself
 *   frozen   the catalogue's entry is of its former node ID, and Consul refuses the new one
 *            ("Node name is reserved by node ..."): its checks there never move again
 *
 * Each has to hold for a while: autopilot calls a server unhealthy after 200 ms without contact. */
#ifndef SIGNS_H
#define SIGNS_H

#include "base/error.h"
#include "base/held_since.h"
#include "cluster/membership.h"
#include "consul/agent.h"
#include "consul/consul.h"

#include <stdbool.h>
#include <stdint.h>

#define SIGNS_ID 64 /* bytes of a node ID with NUL */

/* What is seen of a peer now. */
struct signs_now {
    bool unhealthy;            /* autopilot says so */
    char registered[SIGNS_ID]; /* its node ID in the catalogue, where it has our service; "" */
    uint64_t record_index;     /* of its clock record, 0 none */
};

/* All-zero is nothing seen. */
struct signs {
    struct signs_now now[AGENT_PEERS]; /* by the number of the peer */
    struct error no_right;             /* autopilot's health may not be read; "" it may */
};

/* See what the peers and members of *agent, which were read, show. What cannot be read shows
 * nothing. led: a leader that a majority follows (only it knows of health). */
void signs_gather(struct consul *consul, const struct agent *agent, bool led, struct signs *ret);

/* Is the catalogue's entry of this peer, which is alive as `member`, a former one's? Pure. */
bool signs_former(const struct signs_now *now, const struct agent_member *member);

/* Which signs have held long enough (limits()). Pure.
 *
 * spans  memory of the looks before, which this one is added to
 * led    without a leader nobody can write: the time begins anew
 * ret    by the number of the peer, AGENT_PEERS of them */
void signs_hold(const struct signs *signs, const struct membership_facts *who, bool led,
                struct held_since *spans, struct membership_sign *ret);

#endif
