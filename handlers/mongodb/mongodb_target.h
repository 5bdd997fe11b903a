/* SPDX-License-Identifier: MIT */
/* mongodb_target.h: is there a MongoDB, and which servers are asked? MONGODB_URL says so, or a
 * mongod.conf on this server, where root's policy.json has it ("mongodb.files"): then each Consul
 * server is asked on its port. */
#ifndef MONGODB_TARGET_H
#define MONGODB_TARGET_H

#include "base/error.h"
#include "base/program.h"
#include "cluster/membership.h"
#include "consul/consul.h"
#include "mongodb/mongod_conf.h"
#include "mongodb/mongodb_verdict.h"
#include "settings/policy.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

/* Holds no heap memory. */
struct mongodb_target {
    bool wanted;          /* there is one, or somebody says so in words that are rejected */
    bool found;           /* a mongod.conf is here */
    bool by_url;          /* MONGODB_URL counts */
    struct error refusal; /* why MONGODB_URL may not be asked; "" it may */
    struct error unread;  /* why the mongod.conf cannot be read; "" it can */
    struct mongod_conf conf;
    struct host_port server[MONGODB_ASKED];
    bool local[MONGODB_ASKED]; /* this server's own */
    size_t n;
};

/* Find out from settings and files. With MONGODB_URL the servers are filled in. */
void mongodb_target_find(const struct policy *policy, const struct settings *settings,
                         struct mongodb_target *ret);

/* Without MONGODB_URL: this server and the others of Consul. node: this one's name. Pure. */
void mongodb_target_servers(const struct membership_facts *who, const char *node,
                            struct mongodb_target *target);

/* Is there a MongoDB here? Reads policy and settings. Returns 0 or the failure. */
MUST_CHECK int mongodb_target_wanted(struct consul *consul, const struct place *place,
                                     bool *ret_wanted, struct error *err);

#endif
