/* SPDX-License-Identifier: MIT */
/* anonymous.h: what may whoever reaches the agent write without a token? Consul is asked what it
 * would allow; nothing is written. Source: internal/acl/authorize (Consul 1.8 and newer; its own
 * UI asks there). */
#ifndef ANONYMOUS_H
#define ANONYMOUS_H

#include "consul/consul.h"
#include "security/finding.h"

#include <cjson/cJSON.h>

/* The question about the keys below settings_root, the node and the rest; NULL: out of memory. Free
 * with cJSON_free(). */
char *anonymous_question(const char *settings_root, const char *node);

/* Judge the answer. Pure. */
void anonymous_judge(const cJSON *answer, struct findings *findings);

/* Ask and judge; where ACLs are on. What cannot be asked is a finding as well. */
void anonymous_look(struct consul *consul, const char *settings_root, const char *node,
                    struct findings *findings);

#endif
