/* SPDX-License-Identifier: MIT */
/* consul.h: the agent's HTTP API over libcurl.
 *
 * Where the agent is and with which token, as Consul's own tools read it: from
 * CONSUL_HTTP_ADDR (http://, https://, host:port, unix:///path; default
 * 127.0.0.1:8500), CONSUL_HTTP_TOKEN_FILE, CONSUL_HTTP_TOKEN, CONSUL_CACERT,
 * CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY, CONSUL_TLS_SERVER_NAME, CONSUL_HTTP_SSL,
 * CONSUL_HTTP_SSL_VERIFY in the environment, else from NAME=VALUE lines of
 * <config-dir>/consul.env, whose token or token file only counts where the environment has
 * neither (an admin's own). The token never appears in a text.
 *
 * Every error is a sentence: what could not be read or written, status, Consul's own
 * words, and for 403 the ACL rule that is missing. Numbers:
 *   -ECONNREFUSED  the agent does not answer        -ETIMEDOUT  it answers too late, or there
 *                                                               was no time left (deadline.h)
 *   -EACCES        403                               -ENOENT     404
 *   -EAGAIN        500/503: no leader, rpc error     -ESTALE     409: lost a check-and-set
 *   -EMSGSIZE      answer over its ceiling           -EBADMSG    not what Consul sends */
#ifndef CONSUL_H
#define CONSUL_H

#include "base/buffer.h"
#include "base/error.h"
#include "consul/kv.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct consul;

/* Connect lazily; the handle keeps one connection. Free with consul_close(). */
MUST_CHECK int consul_open(const char *config_dir, struct consul **ret, struct error *err);
void consul_close(struct consul *consul);

/* The files with which it reaches the agent by TLS; NULL: none. Borrowed. */
void consul_certificates(const struct consul *consul, const char **ret_ca, const char **ret_cert);

/* GET of a path below /v1/ ("agent/self", "operator/raft/configuration?stale"), an
 * answer of at most 2 MiB and JSON_VALUES values (some 2,500 agents), parsed. rule: the ACL rule it needs, for the 403 sentence.
 * 429 counts as success (autopilot/health answers so). *ret_root is the caller's. */
MUST_CHECK int consul_get(struct consul *consul, const char *path, const char *rule,
                          cJSON **ret_root, struct error *err);

/* POST body to a path below /v1/ without any token, as anybody can who reaches the agent (who then
 * has the rights of its acl.tokens.default, else of the anonymous token). Otherwise as
 * consul_get(). */
MUST_CHECK int consul_ask_anonymous(struct consul *consul, const char *path, const char *body,
                                    cJSON **ret_root, struct error *err);

/* How fresh a read must be. DEFAULT is answered by the leader within its lease. */
enum consul_read { CONSUL_DEFAULT, CONSUL_STALE, CONSUL_CONSISTENT };

/* Entries at key, or below prefix when recurse. A missing key or prefix gives an
 * empty list and 0 (Consul's 404, which is also its answer to a token without
 * rights: empty proves nothing). -EMSGSIZE over 1 MiB (the text names the largest key) or
 * JSON_VALUES values. */
MUST_CHECK int consul_kv_read(struct consul *consul, const char *key, bool recurse,
                              enum consul_read read, struct kv_list *list, struct error *err);

/* The full names of the keys below prefix, an array, of which the caller frees *ret_names; NULL when
 * there are none. -EMSGSIZE over 2 MiB or JSON_VALUES names. */
MUST_CHECK int consul_kv_names(struct consul *consul, const char *prefix, enum consul_read read,
                               cJSON **ret_names, struct error *err);

/* Write key with check-and-set: index 0 creates only, else the index it must have.
 * -ESTALE when somebody was faster. */
MUST_CHECK int consul_kv_write(struct consul *consul, const char *key, const char *value,
                               uint64_t index, struct error *err);

#define CONSUL_TXN 64 /* operations of one transaction: Consul's limit */

/* The same on condition that each of the n keys `unchanged` still has its index: all or
 * nothing, in one transaction. Needs the right to read these keys, no more; a key that
 * does not exist cannot be among them. Returns as consul_kv_write(); -ESTALE also when one
 * of them has changed, -E2BIG when there are more than fit (CONSUL_TXN - 1). */
MUST_CHECK int consul_kv_write_if(struct consul *consul, const char *key, const char *value,
                                  uint64_t index, const struct kv_version *unchanged, size_t n,
                                  struct error *err);

/* One key to change; borrowed. */
struct consul_change {
    const char *key;
    const char *value; /* NULL: take the key out */
    uint64_t index;    /* the index it must have; 0: it must not exist */
};

/* Change n keys, all or none, in one transaction. -ESTALE when one of them does not have its
 * index: the text names it; otherwise as consul_kv_write_if(). */
MUST_CHECK int consul_kv_change(struct consul *consul, const struct consul_change *changes,
                                size_t n, struct error *err);

/* One request as it is, GET or with a body PUT ("" none), path below /v1/, the answer appended (its
 * buffer has the ceiling). Returns 0 for status 200, else as consul_get(). */
MUST_CHECK int consul_request(struct consul *consul, const char *body, const char *path,
                              struct buffer *answer, struct error *err);

/* Is there a leader that a majority follows, now? A ?consistent read within
 * limits()->leader_proof_ms, more of an agent that is slow in everything. 0 yes; -EACCES yes as
 * well, but this token may not read lictor/mapping (or is not known at all): the reason says the
 * rule; -ETIMEDOUT and -ECONNREFUSED the agent does not tell; else no, with the reason. */
MUST_CHECK int consul_prove_leader(struct consul *consul, struct error *err);

/* Does this answer of consul_prove_leader() mean that there is one; that the agent does not even
 * answer? */
bool consul_led(int proof);
bool consul_gone(int proof);

/* Update a TTL check of this agent. status: "passing", "warning", "critical".
 * -ENOENT when the agent has no such check. */
MUST_CHECK int consul_check_update(struct consul *consul, const char *check_id, const char *status,
                                   const char *output, struct error *err);

#endif
