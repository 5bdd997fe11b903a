/* SPDX-License-Identifier: MIT */
/* check_sync.h: does the catalogue know what the agent knows of our checks?
 *
 * A token without service "cluster" write leaves the checks local: everything works on
 * the server and nothing shows in the UI. */
#ifndef CHECK_SYNC_H
#define CHECK_SYNC_H

#include "base/error.h"
#include "consul/consul.h"

#include <cjson/cJSON.h>
#include <stddef.h>

#define CHECK_SYNC_SERVICE "cluster"

/* Compare. Pure.
 *
 * agent      answer of agent/checks: object of checks by id
 * catalogue  answer of health/checks/cluster: array, all nodes
 * node       this server
 * Writes the ids of our service's checks that the catalogue lacks or shows with another
 * status into ret, separated by ", ", cut at size. Returns their number, or -EBADMSG. */
MUST_CHECK int check_sync_compare(const cJSON *agent, const cJSON *catalogue, const char *node,
                                  char *ret, size_t size, struct error *err);

/* The same, asking for both. Returns their number, or the failure. */
MUST_CHECK int check_sync_look(struct consul *consul, const char *node, char *ret, size_t size,
                               struct error *err);

#endif
