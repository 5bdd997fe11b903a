/* SPDX-License-Identifier: MIT */
/* file_facts.h: who may write programs and configuration, ours and Consul's, and read what is
 * secret in it? Each path with its parents and links (trust.h); root and the agent's user may. */
#ifndef FILE_FACTS_H
#define FILE_FACTS_H

#include "base/program.h"
#include "security/agent_facts.h"
#include "security/finding.h"

#include <stdbool.h>

/* Does a text of Consul's configuration, or of consul.env, hold a key of gossip or a token? Pure;
 * lines of comment do not count. */
bool file_facts_secret(const char *text);

/* The value of key_file, copied to ret, of a text of Consul's configuration: it shows it nowhere
 * else. "" none. Pure. */
void file_facts_key_file(const char *text, char *ret, size_t size);

/* Look at all of them; of the credentials, whose directory the agent's user may not list, at the one
 * of that name (NULL or "": none). What cannot be looked at is a finding as well. */
void file_facts_look(const struct place *place, const struct agent_facts *agent,
                     const char *credential, struct findings *findings);

#endif
