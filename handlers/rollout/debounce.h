/* settle.h: wait until the settings are quiet, and long enough after a failure. */
#ifndef SETTLE_H
#define SETTLE_H

#include "rollout/snapshot.h"

/* Read the settings until two readings LOG_SETTLE apart are equal; after ten the newest is
 * taken. What the ledger was settled with needs no waiting. Returns as
 * survey_settings(); *ret is released before every reading. */
MUST_CHECK int settle_read(struct consul *consul, const struct survey_place *place,
                           const struct ledger *ledger, struct survey *ret,
                           struct error *err);

/* Attempts are timing()->apply_again_ms apart after a failure: wait for the rest of it.
 * Returns whether it has waited: then read again. */
bool settle_distance(const struct ledger *ledger);

#endif
