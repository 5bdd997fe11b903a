/* SPDX-License-Identifier: MIT */
/* snapshot.h: gather what logging is about: the settings as wanted, every server's record,
 * this server's own local state. Used by rollout-logging and verify-logging. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "base/error.h"
#include "base/program.h"
#include "cluster/rollout_order.h"
#include "consul/agent.h"
#include "consul/consul.h"
#include "rollout/local_state.h"
#include "rollout/rolling.h"
#include "rollout/server_record.h"
#include "settings/service_urls.h"
#include "settings/settings.h"

/* What the settings in KV ask for. */
struct wanted {
    struct kv_list entries;   /* our place in KV, pins of the policy applied, consul:SERVICE
                                 replaced by URLs */
    char digest[KV_DIGEST];   /* as effective_digest() has it */
    struct settings settings; /* judged; see refusal before using LOG_ */
    char refusal[sizeof(struct error)]; /* why the LOG_ set is refused, "" if not */
    struct service_urls service;        /* the service behind the URLs, if any */
    char revision[KV_DIGEST];           /* "" when refused or absent */
};

/* The servers that count, and every record. */
struct peers {
    struct rollout_order order;
    struct rolling_server *servers; /* the same servers with their records */
    struct server_record *records;  /* those of them that have one, in their order */
    size_t n;
    const char **missing; /* servers that count without a readable record */
    size_t n_missing;
    const struct server_record *own; /* this server's, from KV; NULL none that can be read */
    uint64_t own_index;              /* its modify index, 0 if none */
    struct error large;              /* the prefix holds more than can be read, so that only the
                                        records of servers that count were: which key; else "" */
    char digest[KV_DIGEST];          /* of the records that were read */
    struct server_record own_room;   /* private: where `own` is */
    struct kv_list published;        /* private: what `servers` points into */
};

/* Begin with place, consul and read, the rest all-zero; free with snapshot_release(). */
struct snapshot {
    const struct place *place;
    struct consul *consul;
    enum consul_read read;
    char node[SETTINGS_NAME + 1]; /* this server */
    struct agent agent;           /* private: agent/self until snapshot_records() */
    struct wanted wanted;
    struct peers peers;
    struct local_state local; /* the caller reads and writes it; snapshot_records() puts the
                                 node into its record */
};

/* The settings, read again. A refused set is no failure of this function. */
MUST_CHECK int snapshot_settings(struct snapshot *s, struct error *err);

/* This server's name, once. */
MUST_CHECK int snapshot_node(struct snapshot *s, struct error *err);

/* Who counts and every record, read again; the node if it is not known yet. Call after
 * snapshot_settings(). */
MUST_CHECK int snapshot_records(struct snapshot *s, struct error *err);

/* What rolling.h judges; a revision must be wanted. retry: an own refusal may be tried again
 * whatever its age. The facts point into s. */
void snapshot_facts(const struct snapshot *s, bool retry, struct rolling_facts *ret);

/* Is there anything that rollout-logging should look at: settings, results or instances
 * other than those the local state was settled with, an interrupted run, a resync that is due?
 * Reads the local state. */
MUST_CHECK int snapshot_due(struct snapshot *s, bool *ret_due, struct error *err);

/* Write down that all of this was dealt with, which quiets the watches: done last, so that
 * a run killed before looks at everything again. */
MUST_CHECK int snapshot_close(struct snapshot *s, struct error *err);

/* Free what was read; place, consul, read and the local state stay. */
void snapshot_release(struct snapshot *s);

#endif
