/* SPDX-License-Identifier: MIT */
/* logging_check.h: the verdict of the check cluster:logging, by what rollout-logging and
 * verify-logging have gathered: the state of the rollout (logging_verdict.h), then where the
 * records arrive (delivery.h). */
#ifndef LOGGING_CHECK_H
#define LOGGING_CHECK_H

#include "check/verdict.h"
#include "rollout/delivery_proof.h"
#include "rollout/snapshot.h"

/* Judge. How long servers have differed or a link has been broken is remembered in the state
 * directory, where that is ours. The own record in s becomes that of the local state, which is
 * fresher than its echo from KV. */
void logging_check_judge(struct snapshot *s, const struct delivery_proof *proof,
                         struct verdict *ret);

#endif
