/* proof.h: where a server's records arrive: what rollout-logging and verify-logging do
 * with evidence.h and delivery.h.
 *
 * Before a change: may it be made (preflight)? After it: has a record of the new revision
 * arrived? All the time: which link is broken? */
#ifndef PROOF_H
#define PROOF_H

#include "delivery.h"
#include "error.h"
#include "evidence.h"
#include "ledger.h"
#include "survey.h"
#include "verdict.h"

#include <stdbool.h>

/* All-zero is empty; free with proof_release(). */
struct proof {
    bool looked; /* false: nothing is shipped, or nothing may be (refused) */
    struct evidence evidence;
    const char *
        *nodes; /* of evidence.found; borrowed from the survey. First this server,
                           then the living ones that have the wanted revision in force */
    size_t n;
};

/* Look, about the wanted revision of the survey (its settings, node and records). Returns
 * 0 or -ENOMEM; what Elasticsearch says, or does not, is no failure. */
MUST_CHECK int proof_gather(const struct survey_place *place, const struct survey *s,
                            struct proof *ret, struct error *err);

void proof_release(struct proof *proof);

/* Write a probe record of this server, then look until it has arrived (proof_found()),
 * cannot be proven, or limit_ms is over. *proof is what was seen last, whatever it is; it
 * need not be empty before. Returns 0 or -ENOMEM. */
MUST_CHECK int proof_wait(const struct survey_place *place, const struct survey *s,
                          int64_t since_ms, int64_t limit_ms, struct proof *proof,
                          struct error *err);

/* May this server touch anything (delivery.h)? True when nothing is to be asked. */
bool proof_preflight(const struct proof *proof, char ret_why[DELIVERY_WHY]);

/* Can arrival be proven at all? Not when no target carries probes, or the credential to
 * ask with is missing: then an apply is done once it is confirmed. */
bool proof_possible(const struct proof *proof);

/* Has a record arrived which this server wrote at since_ms or later (its clock, ms since the
 * epoch) and which a shipper with the wanted revision sent? */
bool proof_found(const struct proof *proof, int64_t since_ms);

/* The cluster_uuid this server sees; "" when none or several. Borrowed. */
const char *proof_uuid(const struct proof *proof);

/* Say what is known of delivery in a verdict of survey_judge(). How long something has been
 * broken is remembered in the state directory, where that is ours. */
void proof_judge(const struct survey_place *place, const struct survey *s,
                 const struct ledger *ledger, const struct proof *proof,
                 struct verdict *v);

#endif
