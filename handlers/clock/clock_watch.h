/* SPDX-License-Identifier: MIT */
/* clock_watch.h: does Consul still run the watches of this agent?
 *
 * A broken watch in any file stops all of them at the next reload, and only the agent's log says
 * so. The watch on the clock records is the one that runs often: each server writes its record
 * every 15 s. hear-clock leaves the highest index it has received; what this server's own record
 * had at the heartbeat before must have been received by now.
 *
 * State: <state-dir>/clock-received and clock-written, caches. No libcurl in here. */
#ifndef CLOCK_WATCH_H
#define CLOCK_WATCH_H

#include "base/error.h"
#include "consul/kv.h"

#include <stdbool.h>
#include <stdint.h>

/* The watch has run with these records; NULL: with something that cannot be read, which is
 * another trouble than not to run. */
MUST_CHECK int clock_watch_received(const char *state_dir, const struct kv_list *list,
                                    struct error *err);

/* Look once a heartbeat. index: of this server's record now, 0 none. */
MUST_CHECK int clock_watch_look(const char *state_dir, uint64_t index, bool *ret_deaf,
                                struct error *err);

#endif
