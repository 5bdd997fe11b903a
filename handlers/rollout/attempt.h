/* SPDX-License-Identifier: MIT */
/* attempt.h: one attempt to bring the wanted settings into force on this server. */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "rollout/snapshot.h"

/* Hand the wanted settings to apply-logging, and note in the local state what became of it.
 *
 * turn: announce it first (claim_apply()), unless LOG_ROLLOUT is parallel; NULL: no need to.
 * Whatever can be known before is: settings that cannot be handed over end the attempt as a
 * failure with its reason, and nothing is announced.
 *
 * The state file says that an attempt runs while apply-logging works, so that a run killed in
 * between is found by the heartbeat. Returns 0 when the outcome is known, good or bad; -ESTALE:
 * judge the turn again; otherwise negative, and running it again recovers. */
MUST_CHECK int attempt_run(struct snapshot *s, const struct rolling *turn, struct error *err);

#endif
