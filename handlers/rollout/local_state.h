/* ledger.h: what this server has done about the logging settings: <state-dir>/logging.json.
 *
 * A cache: a lost ledger makes rollout-logging look and apply again, which finds what
 * is already right. Written by rollout-logging alone, under its lock; read by the
 * watch handler, which must answer "is there anything to do?" without a network. */
#ifndef LEDGER_H
#define LEDGER_H

#include "base/error.h"
#include "consul/kv.h"
#include "rollout/server_record.h"

#include <stdbool.h>
#include <stdint.h>

enum ledger_state {
    LEDGER_NONE,     /* nothing done yet, or the ledger is lost */
    LEDGER_APPLYING, /* begun; found again: it was killed */
    LEDGER_DONE,     /* `revision` is in force and reported */
    LEDGER_REFUSED,  /* the settings are refused or absent; `revision` is in force */
    LEDGER_FAILED,   /* apply-logging failed; `revision` is in force */
    LEDGER_WAITING   /* for the turn of this server; `revision` is in force */
};

struct ledger {
    enum ledger_state state;
    char settings[KV_DIGEST]; /* digest of the LOG_ entries dealt with */
    char
        results[KV_DIGEST]; /* digest of lictor/logging/ when there was nothing to do */
    char revision[KV_DIGEST]; /* in force, "" none */
    char tried[KV_DIGEST];    /* revision of the last attempt */
    char reason[300];         /* why it failed or was refused */
    bool rollback_failed;
    bool touched; /* an attempt at another revision than the one in force is not over */
    bool
        unproven; /* `revision` runs, but none of its records has arrived yet (proof.h) */
    int64_t applied_ms; /* records written from then on count, ms since the epoch */
    char
        cluster_uuid[LOGGING_UUID]; /* of the Elasticsearch `revision` ships to, as this
                                        server sees it; "" unknown */
    char boot[64];                  /* boot the time belongs to */
    int64_t at_ms;                  /* span clock (duration.h) of the last attempt */
};

/* Read it. Missing, unreadable or not ours: LEDGER_NONE. */
void ledger_read(const char *state_dir, struct ledger *ret);

MUST_CHECK int ledger_write(const char *state_dir, const struct ledger *ledger,
                            struct error *err);

/* A request to try again whatever the ledger says, for a run that may be at work already:
 * a file, which whoever takes it removes. */
MUST_CHECK int ledger_ask_retry(const char *state_dir, struct error *err);
bool ledger_take_retry(const char *state_dir);

/* Milliseconds since the last attempt; INT64_MAX when it was in another boot. */
int64_t ledger_age_ms(const struct ledger *ledger);

/* Has rollout-logging dealt with these settings (digest over the LOG_ entries)? True
 * for DONE, REFUSED and FAILED with that digest. */
bool ledger_settled(const struct ledger *ledger, const char *settings_digest);

/* Begin an attempt at `wanted`: state APPLYING, time of now. */
void ledger_begin(struct ledger *ledger, const char *wanted);

/* Bring the ledger up to what is wanted now, before the turn is judged.
 *
 * wanted     revision, "" when the settings are refused or absent; refusal says why
 * published  this server's record in KV, NULL none: an announcement found there by
 *            somebody who has lost the ledger is this server's own, not over yet
 * An interrupted attempt stays one; what is in force and wanted again is DONE; NONE becomes
 * WAITING, to be written before anything is announced: else whoever is killed then is
 * taken for one who has lost the ledger. */
void ledger_look(struct ledger *ledger, const char *wanted, const char *refusal,
                 const struct logging_record *published);

/* Note that it is not this server's turn to apply `wanted`. An own refusal of it and an
 * interrupted attempt stay what they are. */
void ledger_wait(struct ledger *ledger, const char *wanted);

/* What the ledger says as this server's record: the truth about it. What is in force and
 * only applied again (a repair) stays DONE meanwhile; what runs but is unproven is not DONE
 * yet. */
void ledger_record(const struct ledger *ledger, const char *node,
                   struct logging_record *ret);

/* Note the end of the attempt begun last. A new revision is unproven first. */
void ledger_end(struct ledger *ledger, bool done, bool rollback_failed,
                const char *reason);

/* Is the last attempt longer ago than timing()->resync_ms? Then what is in force is
 * applied again, and what was refused is tried again. */
bool ledger_overdue(const struct ledger *ledger);

/* Is a run of rollout-logging due although no watch fired: interrupted, unproven, waiting for
 * a turn (who lives is not in KV), or overdue? */
bool ledger_due(const struct ledger *ledger);

#endif
