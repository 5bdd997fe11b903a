/* SPDX-License-Identifier: MIT */
/* rest.h: for how long has membership been at rest: which servers are alive in gossip, and which
 * are in raft and vote there?
 *
 * A changed text under an unchanged status is sent to the catalogue by the agent 5 to 15 s later
 * (check_update_interval). Where the leader is lost before that, each attempt holds the agent's
 * check lock for 7 s, for as long as the outage lasts, and other services' TTLs expire. So while
 * servers come and go only a changed status is published (it is sent at once, while there is still
 * a leader); a mere text when membership has been at rest for limits()->rest_ms.
 *
 * Memory: <state-dir>/membership.spans, a cache; lost = the time begins anew. */
#ifndef REST_H
#define REST_H

#include "consul/agent.h"
#include "consul/consul.h"

#include <stdint.h>

/* For how long, ms, is it as *agent now shows it (members and peers as far as they were read)? 0
 * where it has just changed. Where that cannot be remembered (a full disk) a text must not wait for
 * ever: INT64_MAX. */
int64_t rest_note(const struct agent *agent, const char *state_dir);

/* The same, asking the agent. What it does not tell counts as one that does not change. */
int64_t rest_look(struct consul *consul, const char *state_dir);

#endif
