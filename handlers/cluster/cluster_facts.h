/* SPDX-License-Identifier: MIT */
/* cluster_facts.h: gather the facts of quorum.h from the agent, in some 2 s at most also without
 * a leader. An answer that ACLs may have filtered is a failure, never "no servers". */
#ifndef CLUSTER_FACTS_H
#define CLUSTER_FACTS_H

#include "base/error.h"
#include "cluster/quorum.h"
#include "cluster/signs.h"
#include "consul/agent.h"
#include "consul/consul.h"

#include <stdbool.h>
#include <stdint.h>

/* All-zero is empty; free with cluster_facts_release(). Must not be moved while it is used:
 * `facts` points into it. */
struct cluster_facts {
    struct quorum_facts facts;
    struct agent agent;
    bool record;           /* lictor/mapping exists, readable or not */
    uint64_t record_index; /* its modify index, 0 when it does not exist */
    struct signs signs;    /* as seen now: signs_hold() makes facts.who.signs of it */

    /* private: what facts point into */
    struct settings settings;
    struct server_mapping confirmed;
    cJSON *left_json;
    const char *left[2 * AGENT_PEERS];
    struct error damaged;
};

/* Gather. read: how fresh record and settings must be; CONSUL_STALE to look,
 * CONSUL_DEFAULT before writing the record. config_dir holds policy.json.
 * Returns 0, or the failure of whatever could not be read, with a text; release *ret in
 * both cases. */
MUST_CHECK int cluster_facts_gather(struct consul *consul, const char *config_dir,
                                    const char *settings_root, enum consul_read read,
                                    struct cluster_facts *ret, struct error *err);

/* Only who the servers are (facts.who), for somebody who has the settings already:
 * facts.who.settings is left to the caller. agent: all-zero, or agent/self read a moment ago; it
 * goes over to *ret. Otherwise as cluster_facts_gather(). */
MUST_CHECK int cluster_facts_gather_names(struct consul *consul, struct agent *agent,
                                          enum consul_read read, struct cluster_facts *ret,
                                          struct error *err);

/* Write the record with check-and-set: index 0 only creates it. Returns as
 * consul_kv_write(). */
MUST_CHECK int cluster_facts_confirm(struct consul *consul, const struct server_mapping *mapping,
                                     uint64_t index, struct error *err);

void cluster_facts_release(struct cluster_facts *servers);

#endif
