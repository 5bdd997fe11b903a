/* SPDX-License-Identifier: MIT */
/* publish.h: bring a verdict to the agent's TTL check, without ever harming it.
 *
 * The rule (seen with Consul 1.8 to 1.18: a changed check without a leader holds the agent's check
 * lock for 7 s, and other services' TTLs expire): a changed status or text is sent
 * only after consul_prove_leader(), and a changed text under the same status only while
 * membership is at rest (rest.h); otherwise the last published status and text are sent
 * again unchanged (costs no RPC) and the truth goes to syslog and the state file.
 *
 * State: <state-dir>/<check>.verdict, a cache: lost = everything counts as changed. It is written
 * before it is sent. */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "base/error.h"
#include "check/verdict.h"
#include "consul/consul.h"

/* One look at a time for a check: take the lock before gathering, keep it until the
 * verdict is published, so that an older look never overwrites a newer verdict.
 * Returns an fd for file_unlock() or negative errno. */
MUST_CHECK int publish_lock(const char *state_dir, const char *check_id, struct error *err);

/* Publish. Every change of verdict (status or summary) against the last one seen is one line in
 * syslog ("cluster:quorum: passing -> critical: ..."), also when it must be held back.
 * consul may be NULL (no agent): then only syslog and state file. hold: it was found without a
 * leader, so it is held back even if there is one by now (it would be late, and wrong).
 * Returns 0 published, or rightly held back; -EPERM state_dir is
 * not ours (nothing done); else the agent's failure. */
MUST_CHECK int publish_verdict(struct consul *consul, const char *state_dir, const char *check_id,
                               const struct verdict *v, bool hold, struct error *err);

#endif
