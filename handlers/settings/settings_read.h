/* SPDX-License-Identifier: MIT */
/* settings_read.h: read the settings from the agent. */
#ifndef SETTINGS_READ_H
#define SETTINGS_READ_H

#include "base/error.h"
#include "consul/consul.h"
#include "consul/kv.h"
#include "settings/settings.h"

/* Append what is at ROOT SETTINGS_PLACE, for settings_parse(). Keys nobody of us knows
 * may be huge: over the ceiling the keys of the table are read one by one, and the first
 * SETTINGS_UNKNOWNS others (not at one instant).
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

#endif
