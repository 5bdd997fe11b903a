/* SPDX-License-Identifier: MIT */
/* agent_facts.h: what agent/self shows of how safely the agent runs. Pure.
 *
 * Consul 1.8 has all members at the top of DebugConfig, newer ones in its TLS (from 1.12),
 * ACLResolverSettings and StaticRuntimeConfig. Secrets are "hidden" there, set or not.
 * Source: agent/self of 1.8.7; agent/config/testdata/TestRuntimeConfig_Sanitize.golden. */
#ifndef AGENT_FACTS_H
#define AGENT_FACTS_H

#include "security/finding.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum fact { FACT_UNKNOWN, FACT_NO, FACT_YES };

/* Texts are borrowed from the answer, "" when it does not have them. */
struct agent_facts {
    enum fact gossip_encrypted;
    enum fact gossip_incoming; /* encrypt_verify_incoming */
    enum fact gossip_outgoing;
    enum fact acl;
    const char *acl_default;
    enum fact rpc_incoming; /* verify_incoming, for RPC */
    enum fact rpc_outgoing;
    enum fact rpc_hostname;
    enum fact https_incoming;
    enum fact scripts_remote;
    enum fact no_remote_exec;
    enum fact dev_mode;
    enum fact debug;
    bool tls_stanza;   /* it is configured by tls {}, not by verify_... at the top */
    bool writes_some;  /* http_config.allow_write_http_from names who may write */
    const char *http;  /* the first address beyond loopback where HTTP is answered, "tcp://..." */
    const char *https; /* the same of HTTPS */
    const char *data_dir;
    const char *certificates[4]; /* its files: cert_file and ca_file of RPC, of HTTPS */
    const char *node;
};

/* From the answer of agent/self. Never fails: what is not there is FACT_UNKNOWN or "". */
void agent_facts_read(const cJSON *self, struct agent_facts *ret);

/* What of it is a finding. What anybody may do where ACLs are on is another module's
 * (anonymous.h). */
void agent_facts_judge(const struct agent_facts *facts, struct findings *findings);

#endif
