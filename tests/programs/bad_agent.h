/* SPDX-License-Identifier: MIT */
/* bad_agent.h: a stand-in for a Consul agent, for what a real one cannot be made to do on
 * command: hang, answer nonsense, lose its leader between two requests. One thread, one
 * connection at a time, loopback. What a real agent does is tested on real clusters. */
#ifndef BAD_AGENT_H
#define BAD_AGENT_H

#include <stddef.h>

/* How it treats requests whose first line contains `match` ("PUT /v1/agent/check"); the
 * first rule that fits counts. status 0: close the connection; -1: never answer. */
struct bad_agent_rule {
    const char *match;
    int status;
    const char *body;  /* NULL: "" */
    size_t body_bytes; /* > 0: that many bytes, body (NULL: 'x') again and again */
};

struct bad_agent;

/* Start on a free port, or on a unix socket where path is not NULL, and point
 * CONSUL_HTTP_ADDR to it. rules end with match NULL; borrowed. */
struct bad_agent *bad_agent_start(const char *path, const struct bad_agent_rule *rules);

/* Other rules from the next request on. */
void bad_agent_rules(struct bad_agent *agent, const struct bad_agent_rule *rules);

/* Everything received since the start or the last bad_agent_forget(): request lines,
 * headers and bodies. Borrowed. */
const char *bad_agent_heard(struct bad_agent *agent);
void bad_agent_forget(struct bad_agent *agent);

void bad_agent_stop(struct bad_agent *agent);

#endif
