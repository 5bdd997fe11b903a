/* SPDX-License-Identifier: MIT */
/* gossip_key.h: does gossip take a key that was published? Keys are compared by their digest and
 * never shown. */
#ifndef GOSSIP_KEY_H
#define GOSSIP_KEY_H

#include "consul/consul.h"
#include "security/finding.h"

#include <cjson/cJSON.h>

/* Judge keys, base64 as consul keygen makes them. Pure. `keys` is an array of texts (the agent's
 * serf/local.keyring), or what operator/keyring answers: an array of objects whose Keys have them
 * as names. -EBADMSG for anything else, and for none. */
MUST_CHECK int gossip_key_judge(const cJSON *keys, struct findings *findings, struct error *err);

/* Look: in <data_dir>/serf/local.keyring, which is the agent's user's, else ask the agent, for which
 * the token needs keyring read. Neither: a finding. */
void gossip_key_look(struct consul *consul, const char *data_dir, struct findings *findings);

#endif
