/* proof.h: where a server's records arrive: what rollout-logging and verify-logging do
 * with evidence.h and delivery.h.
 *
 * Before a change: may it be made (preflight)? After it: has a record of the new revision
 * arrived? All the time: which link is broken? */
#ifndef PROOF_H
#define PROOF_H

#include "base/error.h"
#include "check/verdict.h"
#include "consul/consul.h"
#include "delivery/delivery.h"
#include "delivery/delivery_gather.h"
#include "rollout/local_state.h"
#include "rollout/snapshot.h"

#include <stdbool.h>

/* All-zero is empty; free with proof_release(). */
struct proof {
    bool looked; /* false: nothing is shipped, or nothing may be (refused) */
    struct evidence evidence;
    const char *
        *nodes; /* of evidence.found: first this server, then the living ones that
                           have the wanted revision in force */
    size_t n;
};

/* Look, about the wanted revision of the survey (its settings, node and records). Returns
 * 0 or -ENOMEM; what Elasticsearch says, or does not, is no failure. */
MUST_CHECK int proof_gather(const struct survey_place *place, const struct survey *s,
                            struct proof *ret, struct error *err);

void proof_release(struct proof *proof);

/* May this server be touched for the wanted revision? Looks, and judges (delivery.h). With
 * LOG_ROLLOUT=parallel it does not look, nor for what was interrupted: that is touched
 * already. */
MUST_CHECK int proof_preflight(const struct survey_place *place, const struct survey *s,
                               const struct ledger *ledger, struct proof *proof,
                               bool *ret_go, struct error *err);

/* Is the wanted revision in force and confirmed, and nothing but its proof missing? */
bool proof_pending(const struct survey *s, const struct ledger *ledger);

/* While proof_pending(): write a probe record, look until one
 * that was written since the apply has arrived or limit_ms is over (at least once), and
 * bring the ledger up to date. Where arrival cannot be proven at all (no target carries probes, the credential to
 * ask with is missing) confirmed is done. The proof is what was seen last. */
MUST_CHECK int proof_seek(const struct survey_place *place, const struct survey *s,
                          int64_t limit_ms, struct ledger *ledger, struct proof *proof,
                          struct error *err);

/* Look, unless that was done already, and note in the ledger which Elasticsearch it is that
 * this server ships to. */
MUST_CHECK int proof_note(const struct survey_place *place, const struct survey *s,
                          struct ledger *ledger, struct proof *proof,
                          struct error *err);

/* Say what is known of delivery in a verdict of survey_judge(). How long something has been
 * broken is remembered in the state directory, where that is ours. */
void proof_judge(const struct survey_place *place, const struct survey *s,
                 const struct ledger *ledger, const struct proof *proof,
                 struct verdict *v);

/* survey_due(), or does what proof_judge() remembered call for rollout-logging: this server
 * sees another Elasticsearch than its record says, or proof_mute()? */
MUST_CHECK int proof_due(struct consul *consul, const struct survey_place *place,
                         bool *ret_due, struct error *err);

/* Has nothing of this server arrived since some moment after the last attempt? Then
 * applying what is in force again finds a log shipper that does not run. */
bool proof_mute(const char *state_dir, const struct ledger *ledger);

#endif
