/* SPDX-License-Identifier: MIT */
/* own_agent.h: does this server's own agent do what it is there for: bring our checks into the
 * catalogue (check_sync.h), run our watches (clock_watch.h)? */
#ifndef OWN_AGENT_H
#define OWN_AGENT_H

#include "base/error.h"
#include "consul/consul.h"

#include <stdbool.h>

/* What has been wrong for long enough (limits()). */
struct own_agent {
    char unsynced[200]; /* checks that the catalogue does not show as the agent does; "" none */
    bool deaf;          /* it runs no watch, although there was a leader all the time */
};

/* Look, once a heartbeat. led: there is a leader; without one nothing can be said.
 * Returns 0 or the failure of what could not be read. State: <state-dir>/heartbeat.spans. */
MUST_CHECK int own_agent_look(struct consul *consul, const char *state_dir, bool led,
                              struct own_agent *ret, struct error *err);

#endif
