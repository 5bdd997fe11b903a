/* SPDX-License-Identifier: MIT */
/* settings_show.h: the settings for people: which values KV and the policy give, where they come
 * from, and which revision of the LOG_ settings each server has in force. */
#ifndef SETTINGS_SHOW_H
#define SETTINGS_SHOW_H

#include "settings/settings_change.h"

/* Print a judged set without changes: a row for each setting, then each problem, then what
 * became of the LOG_ set. Of a LOG_ set that is refused no value is in force: its rows say
 * "rejected". Returns 0 or -ENOMEM. */
MUST_CHECK int settings_show(const struct settings_change *change);

/* Print a row for each server that has a record below SERVER_RECORD_PREFIX: the revision of the LOG_
 * settings its record speaks of, and whether that is in force. Nothing when none has. */
void settings_show_records(const struct kv_list *list);

#endif
