/* SPDX-License-Identifier: MIT */
/* claim.h: what this server says about itself in KV, lictor/logging/<node>, and whether
 * it may say that it applies. */
#ifndef CLAIM_H
#define CLAIM_H

#include "rollout/snapshot.h"

/* Write this server's record as its local state has it, when KV says otherwise, and read all of
 * them again, so that s->peers.digest covers our own word. -ESTALE: somebody wrote it
 * meanwhile. */
MUST_CHECK int claim_write_record(struct snapshot *s, struct error *err);

/* Read all records, bring the local state up to what is wanted, see that KV holds the truth about
 * this server, and judge the turn. Where nothing is wanted (refused or absent) the turn is
 * FINISHED, without words. When it may apply with LOG_ROLLOUT=parallel nothing is read:
 * that must not take longer for the sake of those who are not asked. retry: as in
 * snapshot_facts(). */
MUST_CHECK int claim_judge(struct snapshot *s, bool retry, struct rolling *ret, struct error *err);

/* Write that this server applies what is wanted, on condition that nothing the turn was judged
 * from has changed. -ESTALE: it has, or another server was earlier (then the word is
 * taken back): judge again. -E2BIG: too many servers for one transaction. s is as read
 * before, or read again. */
MUST_CHECK int claim_apply(struct snapshot *s, const struct rolling *turn, struct error *err);

#endif
