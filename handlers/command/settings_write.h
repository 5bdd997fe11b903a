/* SPDX-License-Identifier: MIT */
/* settings_write.h: change settings in KV: all of them in one transaction, judged before, and
 * only when nobody else has changed them in between. */
#ifndef SETTINGS_WRITE_H
#define SETTINGS_WRITE_H

#include "command/command.h"
#include "consul/consul.h"
#include "settings/settings_change.h"

/* Read what is in KV and put the changes to it: words[n], "KEY=VALUE" or "KEY" (take it out).
 * Prints a line for each problem to stderr. Returns 0 when they may be written, 1 when they may
 * not, or negative errno; release *change in all cases. */
MUST_CHECK int settings_write_judge(struct consul *consul, const struct place *place,
                                    const char *const *words, size_t n,
                                    struct settings_change *change, struct error *err);

/* Write what was judged and print "KEY: old -> new" for each. Returns 0; -ESTALE when somebody
 * else has changed one of the keys (nothing is written); or as consul_kv_change(). */
MUST_CHECK int settings_write(struct consul *consul, const struct settings_change *change,
                              struct error *err);

#endif
