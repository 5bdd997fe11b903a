/* SPDX-License-Identifier: MIT */
/* rolling.h: who may apply a revision now, and why not. Pure: facts in, answer out.
 *
 * A rollout is a chain, without sessions and locks. A server may apply revision R when
 *   - every living server before it in the order is done with R,
 *   - nobody in the order, dead or alive, has refused R ("failed"),
 *   - nobody else in the order, dead or alive, is applying anything, or has rolled back
 *     to what is not proven either.
 * Before it touches anything it announces "applying R": its record is written on condition
 * that nothing it was judged from has changed (check-and-set of its own, check-index of
 * the others). So a bad value blinds one server at most, and that one rolls back.
 *
 * handlers/README.md draws the states of a record.
 *
 * A run that was killed while applying is found by the heartbeat and rolled back or completed;
 * until then the record says "applying", and that holds the others. "failed R" is tried again
 * after limits()->resync_ms, on request, or left behind by another revision.
 *
 * A server that died while applying holds the chain on purpose: a value that kills its
 * server must not walk through the cluster. So does a living one that says nothing. The
 * hold ends with its return, with an order without it, or with LOG_ROLLOUT=parallel.
 * A courtesy between honest servers, no security boundary. */
#ifndef ROLLING_H
#define ROLLING_H

#include "consul/kv.h"
#include "rollout/server_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROLLING_TEXT    400 /* bytes of a sentence */
#define ROLLING_SERVERS 120 /* of the order; those after it are left out */

/* One server of the order. Borrowed. */
struct rolling_server {
    const char *node;
    bool alive;                         /* gossip says so */
    struct kv_version version;          /* of its record; modify_index 0: it has none */
    const struct server_record *record; /* NULL: none, or it cannot be read; of this
                                            server it is not looked at */
};

/* Everything the judgement needs. Borrowed. */
struct rolling_facts {
    const struct rolling_server *order; /* first the one who begins */
    size_t n;
    struct kv_version source;              /* the key that says the order; modify_index 0: none */
    const char *wanted;                    /* the revision R, never "" */
    const struct server_record *own;       /* the truth about this server (its node, too),
                                         whatever KV holds; APPLYING: was interrupted */
    const struct server_record *published; /* what KV holds of it, NULL: nothing, or
                                               it cannot be read */
    const char *in_force;                  /* revision in force here, "" none */
    bool again;    /* this server's own refusal of R may be tried again now */
    bool parallel; /* LOG_ROLLOUT=parallel: everybody at once, nobody else is looked at */
};

enum rolling_state {
    ROLLING_FINISHED, /* done with R, and the own record says so */
    ROLLING_PUBLISH,  /* the own record is not the truth: write it and judge again */
    ROLLING_APPLY,    /* may apply now, announcement first (unless parallel) */
    ROLLING_CANARY,   /* the same, as the first of all: whatever can be known about R
                      without touching anything should be asked first */
    ROLLING_WAIT,     /* for another server, which is at work or will be */
    ROLLING_STOPPED   /* somebody has refused R */
};

struct rolling {
    enum rolling_state state;
    char text[ROLLING_TEXT]; /* for people; the same facts, the same words */
    bool held;               /* somebody has refused R or died applying it: a warning */

    /* For the announcement: what must be as it was. Borrowed from the facts. */
    struct kv_version check[ROLLING_SERVERS + 1];
    size_t checks;
    bool unseen; /* somebody in the order had no record that could be checked: after the
                    announcement read again and ask rolling_rival() */
};

void rolling_judge(const struct rolling_facts *facts, struct rolling *ret);

/* ROLLING_APPLY or ROLLING_CANARY? */
bool rolling_may_apply(const struct rolling *turn);

/* Is somebody else in the order applying whose announcement is older than the one of this
 * server (its record's modify index)? Asked with the order read again, right after the
 * announcement. A server that announces later sees the earlier one, and must take it
 * back. Returns the name, NULL if nobody. */
const char *rolling_rival(const struct rolling_facts *facts, uint64_t announced);

#endif
