/* SPDX-License-Identifier: MIT */
/* delivery_proof.h: where a server's records arrive: before a change, may it be made
 * (preflight)? After it, has a record of the new revision arrived? logging_check.h says what is
 * known of it. */
#ifndef DELIVERY_PROOF_H
#define DELIVERY_PROOF_H

#include "base/error.h"
#include "delivery/delivery.h"
#include "delivery/delivery_gather.h"
#include "rollout/snapshot.h"

#include <stdbool.h>

/* All-zero is empty; free with delivery_proof_release(). */
struct delivery_proof {
    bool looked; /* false: nothing is shipped, or nothing may be (refused) */
    struct delivery_gathered gathered;
    const char **nodes; /* of gathered.found: first this server, then the living ones that
                           have the wanted revision in force */
    size_t n;
};

/* Look, about the wanted revision of the snapshot (its settings, node and records). Returns
 * 0 or -ENOMEM; what Elasticsearch says, or does not, is no failure. */
MUST_CHECK int delivery_proof_gather(const struct snapshot *s, struct delivery_proof *ret,
                                     struct error *err);

void delivery_proof_release(struct delivery_proof *proof);

/* What was seen, as facts about the addresses (delivery.h). Borrowed. */
void delivery_proof_addresses(const struct delivery_proof *proof, struct delivery_facts *ret);

/* Does nothing that was seen speak against touching a server? Else why, for people; ret_why
 * may be NULL. */
bool delivery_proof_goes(const struct delivery_proof *proof, char ret_why[DELIVERY_WHY]);

/* May this server be touched for the wanted revision? Looks, and judges. With
 * LOG_ROLLOUT=parallel it does not look, nor for what was interrupted: that is touched
 * already. */
MUST_CHECK int delivery_proof_preflight(const struct snapshot *s, struct delivery_proof *proof,
                                        bool *ret_go, struct error *err);

/* Is the wanted revision in force here? And nothing but its proof missing? */
bool delivery_proof_in_force(const struct snapshot *s);
bool delivery_proof_pending(const struct snapshot *s);

/* While delivery_proof_pending(): write a probe record, look until one
 * that was written since the apply has arrived or limit_ms is over (at least once), and
 * bring the local state up to date. Where arrival cannot be proven at all (no shipper carries
 * probes, the credential to ask with is missing) confirmed is done. The proof is what was seen
 * last. */
MUST_CHECK int delivery_proof_seek(struct snapshot *s, int64_t limit_ms,
                                   struct delivery_proof *proof, struct error *err);

/* Look, unless that was done already, and note in the local state which Elasticsearch it is that
 * this server ships to. */
MUST_CHECK int delivery_proof_note(struct snapshot *s, struct delivery_proof *proof,
                                   struct error *err);

/* snapshot_due(), or does what the check has seen call for rollout-logging: this server sees
 * another Elasticsearch than its record says, or delivery_proof_silent()? */
MUST_CHECK int delivery_proof_due(struct snapshot *s, bool *ret_due, struct error *err);

/* Has nothing of this server arrived since some moment after the last attempt? Then
 * applying what is in force again finds a log shipper that does not run. */
bool delivery_proof_silent(const struct snapshot *s);

#endif
