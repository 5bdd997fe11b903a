/* SPDX-License-Identifier: MIT */
/* mongodb_verdict.h: how many members of MongoDB's replica set may fail now, and what is wrong with
 * it. Pure: facts in, verdict out; the caller keeps time (held_since.h).
 *
 * The spare is quorum_spare()'s, with the number of Consul servers as what is meant to be there: a
 * cluster that loses MongoDB's majority prints nothing, although Consul is fine. */
#ifndef MONGODB_VERDICT_H
#define MONGODB_VERDICT_H

#include "check/verdict.h"
#include "mongodb/mongodb_answer.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONGODB_ASKED   64 /* servers that are asked at most */
#define MONGODB_SERVERS 166

/* A Consul server that is meant to be there. */
struct mongodb_server {
    const char *node;
    const char *text; /* "server_2 (node b)" */
};

/* Everything is borrowed. */
struct mongodb_facts {
    const struct mongodb_answer *answers; /* at most MONGODB_ASKED */
    size_t n;
    const struct mongodb_view *view;      /* NULL: nobody says who the members are */
    const struct mongodb_server *servers; /* at most MONGODB_SERVERS */
    size_t n_servers;
    int expected;           /* how many are meant to be there (quorum_expected()), or voters */
    bool everywhere;        /* this server's mongod.conf: bound to all interfaces */
    const char *conf;       /* why mongod.conf cannot be read; "" or NULL: it can */
    const char *refusal;    /* why MONGODB_URL may not be asked; "" or NULL: it may */
    const char *credential; /* why the credential cannot be used; "" or NULL: it can */
    const struct settings *settings; /* CLUSTER_GRACE, CLUSTER_MAINTENANCE, what is rejected */
    int64_t now_s;                   /* seconds since the epoch */
};

/* What holds in this look. */
struct mongodb_conditions {
    bool no_primary; /* none, or more than one */
    bool no_spare;   /* spare <= 0 */
    bool excused; /* CLUSTER_MAINTENANCE: with that server spare would be 1 or more, so no_spare's
                        clock stands still */
};

void mongodb_conditions(const struct mongodb_facts *facts, struct mongodb_conditions *ret);

/* For how long conditions have held, ms; -1: they do not. */
struct mongodb_held {
    int64_t no_primary_ms;
    int64_t no_spare_ms;
};

/* The verdict. The limits are limits()'s and CLUSTER_GRACE. */
void mongodb_judge(const struct mongodb_facts *facts, const struct mongodb_held *held,
                   struct verdict *ret);

#endif
