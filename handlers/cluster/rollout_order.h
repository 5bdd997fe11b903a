/* SPDX-License-Identifier: MIT */
/* rollout_order.h: the servers that count, in their order, and which of them live.
 *
 * The order is CLUSTER_SERVERS, or where that is not set the confirmed servers
 * (lictor/mapping): Consul itself forgets a dead server within seconds, and a server
 * that died must be able to hold a rollout. Then the other voters, by name. */
#ifndef ROLLOUT_ORDER_H
#define ROLLOUT_ORDER_H

#include "base/error.h"
#include "cluster/membership.h"
#include "consul/consul.h"
#include "consul/kv.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROLLOUT_ORDER_SERVERS (AGENT_PEERS + SETTINGS_SERVERS)

/* All-zero is empty. Holds no heap memory. */
struct rollout_order {
    struct {
        char node[SETTINGS_NAME + 1]; /* printable; as Consul spells it, if it knows it */
        bool alive;                   /* gossip says so */
    } server[ROLLOUT_ORDER_SERVERS];
    size_t n;
    char source[SETTINGS_KEY]; /* the key that says the order, "" if none */
    uint64_t source_index;     /* its modify index, 0: it does not exist in KV */
};

/* Join what is known. Pure; `source` is left empty. */
void rollout_order_join(const struct membership_facts *facts, struct rollout_order *ret);

/* The settings as read from KV at root, and parsed. Borrowed. */
struct rollout_order_settings {
    const char *root;
    const struct kv_list *entries;
    const struct settings *settings;
};

/* Gather and join. agent: as for cluster_facts_gather_names().
 *
 * Returns 0, or as consul_get(): raft, gossip or the confirmed record could not be read, or
 * not in full because the token lacks a right. */
MUST_CHECK int rollout_order_gather(struct consul *consul, struct agent *agent,
                                    const struct rollout_order_settings *settings,
                                    enum consul_read read, struct rollout_order *ret,
                                    struct error *err);

#endif
