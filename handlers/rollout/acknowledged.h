/* SPDX-License-Identifier: MIT */
/* acknowledged.h: how many lost lines of a server an admin has taken note of.
 *
 * In KV at lictor/acknowledged/<node>: the number of all lines lost there, as the check says it. It is
 * the exact number: one more, or a new count, is a new loss. */
#ifndef ACKNOWLEDGED_H
#define ACKNOWLEDGED_H

#include "base/error.h"
#include "consul/consul.h"

#include <stdint.h>

#define ACKNOWLEDGED_PREFIX "lictor/acknowledged/"

/* Which number; 0 none, or what cannot be read: then the loss is said again. */
int64_t acknowledged_read(struct consul *consul, enum consul_read read, const char *node);

/* Write it. Returns 0, -ENOENT when no server of that name has a record below lictor/logging/, -EINVAL
 * when it is no number of at least 1, or as consul_kv_write(). */
MUST_CHECK int acknowledged_write(struct consul *consul, const char *node, const char *number,
                                  struct error *err);

#endif
