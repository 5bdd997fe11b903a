/* SPDX-License-Identifier: MIT */
/* mongodb_nodes.h: which Consul server is a MongoDB on? By name, by address, or by what the name
 * leads to. */
#ifndef MONGODB_NODES_H
#define MONGODB_NODES_H

#include "base/error.h"
#include "cluster/membership.h"
#include "mongodb/mongodb_answer.h"

#include <stddef.h>

/* The node name of the server, dead or alive, that has this name (its first label will do) or
 * address; NULL: none has. host: as host.h has it, or an address. Pure. */
const char *mongodb_nodes_match(const struct membership_facts *who, const char *host);

/* Fill in the nodes of answers[n], which have their names, and of the members of view, which may be
 * NULL. Names that match none are resolved, the first RESOLVE_HOSTS of them, within
 * limits()->resolve_ms; what cannot be resolved stays "". */
void mongodb_nodes_find(const struct membership_facts *who, struct mongodb_answer *answers,
                        size_t n, struct mongodb_view *view);

/* The host of "host:port", "[::1]:port". Returns ret. */
const char *mongodb_nodes_host(const char *name, char ret[MONGODB_NAME]);

#endif
