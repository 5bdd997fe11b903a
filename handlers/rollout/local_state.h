/* SPDX-License-Identifier: MIT */
/* local_state.h: what this server has done about the logging settings: <state-dir>/logging.json.
 *
 * Holds this server's record, the truth that KV shall have, and what is nobody else's
 * business. A cache: a lost local state makes rollout-logging look and apply again, which finds
 * what is already right. Written by rollout-logging alone, under its lock; read by the watch
 * handler, which must answer "is there anything to do?" without a network. */
#ifndef LOCAL_STATE_H
#define LOCAL_STATE_H

#include "base/error.h"
#include "consul/kv.h"
#include "rollout/server_record.h"

#include <stdbool.h>
#include <stdint.h>

/* All-zero: nothing is known, or the file is lost. */
struct local_state {
    struct server_record record; /* its node is not in the file */
    bool known;                  /* false: nothing done yet, or the file is lost */
    bool running;                /* an attempt has begun; found again: it was killed */
    bool touched;  /* it is at another revision than the one in force; the record is APPLYING */
    bool waiting;  /* for the turn of this server */
    bool unproven; /* `in_force` runs, but none of its records has arrived yet
                       (delivery_proof.h) */
    bool rollback_failed;
    char in_force[KV_DIGEST]; /* revision, "" none */
    char settings[KV_DIGEST]; /* digest of the LOG_ entries dealt with */
    char results[KV_DIGEST];  /* digest of lictor/logging/ when there was nothing to do */
    int64_t applied_ms;       /* records written from then on count, ms since the epoch */
    char boot[KV_DIGEST];     /* boot the time belongs to */
    int64_t at_ms;            /* boottime.h, of the last attempt */
};

/* Read it. Missing, unreadable or not ours: all-zero. */
void local_state_read(const char *state_dir, struct local_state *ret);

MUST_CHECK int local_state_write(const char *state_dir, const struct local_state *local,
                                 struct error *err);

/* A request to try again whatever the local state says, for a run that may be at work already:
 * a file, which the run that takes it removes. */
MUST_CHECK int local_state_ask_retry(const char *state_dir, struct error *err);
bool local_state_take_retry(const char *state_dir);

/* Milliseconds since the last attempt; INT64_MAX when it was in another boot. */
int64_t local_state_age_ms(const struct local_state *local);

/* Has rollout-logging dealt with these settings (digest over the LOG_ entries)? Never while an
 * attempt is not over. */
bool local_state_settled(const struct local_state *local, const char *settings_digest);

/* Say in the record what is in force, once it is the revision `wanted` of these settings. */
void local_state_name_target(struct local_state *local, const char *wanted,
                             const struct settings *settings);

/* Begin an attempt at `wanted`, at this moment. Another revision than the one in force makes
 * the record APPLYING; a repair leaves DONE what is done. */
void local_state_begin(struct local_state *local, const char *wanted);

/* Bring the local state up to what is wanted now, before the turn is judged.
 *
 * wanted     revision, "" when the settings are refused or absent; refusal says why
 * published  this server's record in KV, NULL none: an announcement found there by
 *            somebody who has lost the local state is this server's own, not over yet
 * An interrupted attempt stays one; what is in force and wanted again is DONE; one who knows
 * nothing is then waiting, to be written before anything is announced: else a run killed then is
 * taken for one who has lost the local state. */
void local_state_look(struct local_state *local, const char *wanted, const char *refusal,
                      const struct server_record *published);

/* Note that it is not this server's turn to apply `wanted`. An own refusal of it and an
 * interrupted attempt stay what they are. */
void local_state_wait(struct local_state *local, const char *wanted);

/* Note the end of the attempt begun last. A new revision is unproven first. */
void local_state_end(struct local_state *local, bool done, bool rollback_failed,
                     const char *reason);

/* Note whether what is in force still lacks its proof. */
void local_state_prove(struct local_state *local, bool unproven);

/* Is the last attempt longer ago than limits()->resync_ms? Then what is in force is
 * applied again, and what was refused is tried again. */
bool local_state_overdue(const struct local_state *local);

/* Is a run of rollout-logging due although no watch fired: interrupted, unproven, waiting for
 * a turn (who lives is not in KV), or overdue? */
bool local_state_due(const struct local_state *local);

#endif
