/* SPDX-License-Identifier: MIT */
/* clock_round.h: what a server does about the clocks once an interval, through Consul: it receives
 * the others' records, whether or not the watch has, judges, and writes its own. */
#ifndef CLOCK_ROUND_H
#define CLOCK_ROUND_H

#include "base/error.h"
#include "base/program.h"
#include "check/verdict.h"
#include "clock/clock_state.h"
#include "consul/consul.h"

/* Do it; with a leader. h: room for the state, which is left as it was written; what was judged
 * is h->said, and with the notes *ret.
 * Returns 0, also when somebody else was faster to write our record or the leader was lost
 * meanwhile (there is a next time), or negative errno. */
MUST_CHECK int clock_round_run(struct consul *consul, const struct place *place,
                               struct clock_state *h, struct verdict *ret, struct error *err);

#endif
