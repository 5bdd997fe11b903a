/* SPDX-License-Identifier: MIT */
/* mongodb_check.h: the check cluster:mongodb is registered with the agent where there is a MongoDB,
 * and only there: so it is not in 60-cluster.hcl, but comes and goes with MONGODB_URL and
 * mongod.conf. A reload of the agent that fails takes it away; the next heartbeat brings it again. */
#ifndef MONGODB_CHECK_H
#define MONGODB_CHECK_H

#include "base/error.h"
#include "base/program.h"
#include "consul/consul.h"

#include <stdbool.h>

#define MONGODB_CHECK_ID      "cluster:mongodb"
#define MONGODB_CHECK_PROGRAM "verify-mongodb"

/* Register or deregister it as it is wanted (mongodb_target.h), once a heartbeat.
 *
 * led        there is a leader: without one, or while servers come and go, nothing is changed
 * *ret_run   whether verify-mongodb is to run: the check is registered
 * Returns 0; -ENOENT with a text when there is a MongoDB and the program was left out of the build;
 * or the failure of what could not be read or changed. */
MUST_CHECK int mongodb_check_sync(struct consul *consul, const struct place *place, bool led,
                                  bool *ret_run, struct error *err);

#endif
