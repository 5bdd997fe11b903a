/* SPDX-License-Identifier: MIT */
/* fake_agent.h: an HTTP server that answers as a Consul agent is told to, for what a real
 * one cannot be made to say on command. One thread per connection; loopback only. */
#ifndef FAKE_AGENT_H
#define FAKE_AGENT_H

#include <stdbool.h>
#include <stddef.h>

struct fake_agent;

/* Listen on a free port of 127.0.0.1. Fails the test when it cannot. */
struct fake_agent *fake_agent_start(void);
void fake_agent_stop(struct fake_agent *agent);

/* "CONSUL_HTTP_ADDR=http://127.0.0.1:<port>", for an environment. Borrowed. */
const char *fake_agent_env(const struct fake_agent *agent);

/* Answer requests for "METHOD /path" (path without query, but for "?keys") so from now on; asked for
 * anything else it says 404. Texts are copied. delay_ms: wait first. Not while a
 * program is running. */
void fake_agent_answer(struct fake_agent *agent, const char *request, unsigned status,
                       const char *body);
void fake_agent_delay(struct fake_agent *agent, const char *request, int delay_ms);

/* Each request waits so long first, as at an agent that is overloaded. */
void fake_agent_slow(struct fake_agent *agent, int delay_ms);

/* The same for GET of a key; value NULL: 404. */
void fake_agent_kv(struct fake_agent *agent, const char *key, const char *value,
                   unsigned modify_index);

/* Reads with ?consistent fail when there is no leader. Default: there is one. */
void fake_agent_leader(struct fake_agent *agent, bool leader);

/* What was sent last to "METHOD /path?query", NULL: nothing so far. Borrowed until the
 * next request. fake_agent_forget() forgets all of it. */
const char *fake_agent_sent(struct fake_agent *agent, const char *request);
void fake_agent_forget(struct fake_agent *agent);

/* A raft configuration of voters n1, n2, ... with id-1, 10.0.0.1:8300, ...; n1 leads. */
void fake_agent_voters(struct fake_agent *agent, int n);

/* What was published last for this check, as "status|output"; "" nothing. Static. */
const char *fake_agent_published(struct fake_agent *agent, const char *check_id);

#endif
