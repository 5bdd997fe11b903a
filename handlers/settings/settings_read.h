/* settings_read.h: read from the agent: the settings, its own name, who votes. */
#ifndef SETTINGS_READ_H
#define SETTINGS_READ_H

#include "base/error.h"
#include "consul/consul.h"
#include "consul/kv.h"
#include "settings/settings.h"

/* Append what stands at ROOT SETTINGS_PLACE, for settings_parse(). Keys nobody of us knows
 * may be huge: over the ceiling the keys of the table are read one by one (not at one
 * instant, and unknown keys then stay unreported).
 * read: CONSUL_DEFAULT before something is changed, CONSUL_STALE to verify.
 * Returns 0, also for nothing (which proves nothing: lost rights look the same); on
 * failure, as consul_kv_read(), *ret is released. */
MUST_CHECK int settings_read(struct consul *consul, const char *root, enum consul_read read,
                             struct kv_list *ret, struct error *err);

/* The same judged, as they are in force: under the pins of <config_dir>/policy.json. Nothing
 * at all is only believed where a single key may be read too: a list which the token may
 * not read comes back empty, a key as 403. Returns 0, -EACCES, or as settings_read() and
 * policy_read(). */
MUST_CHECK int settings_read_judged(struct consul *consul, const char *config_dir, const char *root,
                                    enum consul_read read, struct settings *ret, struct error *err);

/* The agent's node name, at most SETTING_VALUE_NAME characters. */
MUST_CHECK int settings_read_node(struct consul *consul, char ret[SETTING_VALUE_NAME + 1],
                                  struct error *err);

/* The voters of the raft configuration, dead or alive, by node name; by address where nobody
 * has that. Returns 0 with *ret_n names, -E2BIG for more than `most`, or the failure. */
MUST_CHECK int settings_read_voters(struct consul *consul, char (*ret)[SETTING_VALUE_NAME + 1],
                                    size_t most, size_t *ret_n, struct error *err);

#endif
