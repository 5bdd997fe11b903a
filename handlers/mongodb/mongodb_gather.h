/* SPDX-License-Identifier: MIT */
/* mongodb_gather.h: gather the facts of mongodb_verdict.h: from the Consul agent who the servers
 * are, from each MongoDB what it says, by a TLS connection alone its certificate. Of the programs
 * verify-mongodb alone uses it, for it needs libmongoc (mongodb_ask.h). */
#ifndef MONGODB_GATHER_H
#define MONGODB_GATHER_H

#include "base/error.h"
#include "base/program.h"
#include "cluster/cluster_facts.h"
#include "consul/consul.h"
#include "mongodb/mongodb_ask.h"
#include "mongodb/mongodb_target.h"
#include "mongodb/mongodb_verdict.h"
#include "settings/credential.h"
#include "settings/policy.h"

/* All-zero is empty; free with mongodb_gather_release(). Large, and must not be moved while it is
 * used: `facts` points into it. */
struct mongodb_gathered {
    struct mongodb_facts facts;

    /* private: what facts point into */
    struct cluster_facts who;
    struct settings settings;
    struct policy policy;
    struct mongodb_target target;
    struct credential credential;
    struct error credential_why;
    struct mongodb_said said[MONGODB_ASKED];
    struct mongodb_answer answers[MONGODB_ASKED];
    struct mongodb_view view[MONGODB_ASKED];
    struct membership rows;
    struct mongodb_server servers[MONGODB_SERVERS];
    char texts[MONGODB_SERVERS][MEMBERSHIP_TEXT];
};

/* Gather, within limits()->mongodb_ms and some time for the agent. Returns 0, -ENOENT with a text
 * where there is no MongoDB, or the failure of what could not be read; release *ret in all cases. */
MUST_CHECK int mongodb_gather(struct consul *consul, const struct place *place,
                              struct mongodb_gathered *ret, struct error *err);

void mongodb_gather_release(struct mongodb_gathered *all);

#endif
