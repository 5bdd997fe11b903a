/* gather.h: read the settings from the agent. */
#ifndef GATHER_H
#define GATHER_H

#include "consul.h"
#include "error.h"
#include "kv.h"

/* Append what stands at ROOT SETTINGS_PLACE, for settings_parse(). Keys nobody of us knows
 * may be huge: over the ceiling the keys of the table are read one by one (not at one
 * instant, and unknown keys then stay unreported).
 * read: CONSUL_DEFAULT before something is changed, CONSUL_STALE to verify.
 * Returns 0, also for nothing (which proves nothing: lost rights look the same); on
 * failure, as consul_kv_read(), *ret is released. */
MUST_CHECK int gather_settings(struct consul *consul, const char *root,
                               enum consul_read read, struct kv_list *ret,
                               struct error *err);

#endif
