/* SPDX-License-Identifier: MIT */
/* debounce.h: wait until the settings are quiet, and long enough after a failure. */
#ifndef DEBOUNCE_H
#define DEBOUNCE_H

#include "rollout/snapshot.h"

/* Read the settings until two readings LOG_SETTLE apart are equal; after ten the newest is
 * taken. What the local state was settled with needs no waiting. Returns as
 * snapshot_settings(). */
MUST_CHECK int debounce_read(struct snapshot *s, struct error *err);

/* Attempts are limits()->apply_again_ms apart after a failure: wait for the rest of it.
 * Returns whether it has waited: then read again. */
bool debounce_after_failure(const struct local_state *local);

#endif
