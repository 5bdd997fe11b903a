/* SPDX-License-Identifier: MIT */
/* logging_metrics.h: figures of this server's log shippers, for alerting. */
#ifndef LOGGING_METRICS_H
#define LOGGING_METRICS_H

#include "base/buffer.h"
#include "rollout/snapshot.h"

/* Append samples (metrics.h): the revision in force, and of each shipper what its account says. What
 * cannot be read has none. */
void logging_metrics_add(const struct snapshot *s, struct buffer *samples);

#endif
