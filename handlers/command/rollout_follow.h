/* SPDX-License-Identifier: MIT */
/* rollout_follow.h: wait until every living server has a change of the LOG_ settings in force. */
#ifndef ROLLOUT_FOLLOW_H
#define ROLLOUT_FOLLOW_H

#include "command/command.h"
#include "consul/consul.h"
#include "rollout/rolling.h"

#include <stdint.h>

enum rollout_follow_state { ROLLOUT_FOLLOW_WAITS, ROLLOUT_FOLLOW_DONE, ROLLOUT_FOLLOW_FAILED };

#define ROLLOUT_FOLLOW_TEXT 400

/* How far is the change to revision `wanted`? servers[n] in their order; dead ones do not
 * count. A server that has rejected it decides. The same facts give the same text. Pure. */
enum rollout_follow_state rollout_follow_judge(const struct rolling_server *servers, size_t n,
                                               const char *wanted, char ret[ROLLOUT_FOLLOW_TEXT]);

/* Follow it, with a line on stderr at each step and at least every 5 s. Returns 0 when all
 * living servers are done; -ECANCELED when a server has rejected it or other settings were
 * written in the meantime; -ETIMEDOUT after limit_ms; or why it could not look. All but 0 with
 * a text. */
MUST_CHECK int rollout_follow(struct consul *consul, const struct place *place, int64_t limit_ms,
                              struct error *err);

#endif
