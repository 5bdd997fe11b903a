/* SPDX-License-Identifier: MIT */
/* snapshot.h: gather what logging is about: the settings as wanted, every server's record,
 * this server's own local state. Used by rollout-logging and verify-logging. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include "base/error.h"
#include "base/program.h"
#include "check/verdict.h"
#include "cluster/rollout_order.h"
#include "consul/agent.h"
#include "consul/consul.h"
#include "rollout/local_state.h"
#include "rollout/rolling.h"
#include "rollout/server_record.h"
#include "settings/service_urls.h"
#include "settings/settings.h"

/* All-zero is empty; free with snapshot_release(). */
struct snapshot {
    struct kv_list entries;   /* our place in KV, pins of the policy applied, consul:SERVICE
                                 replaced by URLs */
    char digest[KV_DIGEST];   /* of the LOG_ entries as KV has them */
    struct settings settings; /* judged; see refusal before using LOG_ */
    char refusal[sizeof(struct error)]; /* why the LOG_ set is refused, "" if not */
    struct service_urls service;        /* the service behind the URLs, if any */
    char wanted[KV_DIGEST];             /* its revision, "" when refused or absent */

    char node[SETTINGS_NAME + 1]; /* this server */
    struct agent agent;           /* private: agent/self until snapshot_records() */
    struct rollout_order order;
    struct rolling_server *servers; /* the same servers with their records */
    struct server_record *records;  /* those of them that have one, in their order */
    size_t n;
    const char **missing; /* servers that count without a readable record */
    size_t n_missing;
    struct server_record own; /* this server's, from KV; KEPT if none */
    uint64_t own_index;       /* its modify index, 0 if none */
    bool own_known;           /* KV holds a readable own record */
    char results[KV_DIGEST];  /* digest of lictor/logging/ */
    struct kv_list published; /* private: lictor/logging/, what `servers` points into */
};

/* The settings part: entries, digest, settings, refusal, service, wanted. A refused set is no
 * failure of this function. */
MUST_CHECK int snapshot_settings(struct consul *consul, const struct place *place,
                                 enum consul_read read, struct snapshot *ret, struct error *err);

/* This server's name, once. */
MUST_CHECK int snapshot_node(struct consul *consul, struct snapshot *ret, struct error *err);

/* The rest, read again: who counts, and every record; the node if it is not known yet. Call
 * after snapshot_settings(). */
MUST_CHECK int snapshot_records(struct consul *consul, const struct place *place,
                                enum consul_read read, struct snapshot *ret, struct error *err);

/* This server's record in KV, NULL if there is none that can be read. Borrowed. */
const struct server_record *snapshot_published(const struct snapshot *s);

/* What rolling.h judges; s->wanted must not be "". retry: an own refusal may be tried again
 * whatever its age. *own becomes this server's record as its local state has it; the facts
 * point to it and into s. */
void snapshot_facts(const struct snapshot *s, const struct local_state *local, bool retry,
                    struct server_record *own, struct rolling_facts *ret);

/* Judge what was gathered, with the local state. How long servers have differed is remembered
 * in the state directory, where that is ours. */
void snapshot_judge(const struct place *place, const struct snapshot *s,
                    const struct local_state *local, struct verdict *ret);

/* Is there anything that rollout-logging should look at: settings, results or instances
 * other than those the local state was settled with, an interrupted run, a resync that is due? */
MUST_CHECK int snapshot_due(struct consul *consul, const struct place *place, bool *ret_due,
                            struct error *err);

/* Write down that all of this was dealt with, which quiets the watches: done last, so that
 * a run killed before looks at everything again. */
MUST_CHECK int snapshot_close(const struct place *place, const struct snapshot *s,
                              struct local_state *local, struct error *err);

void snapshot_release(struct snapshot *s);

#endif
