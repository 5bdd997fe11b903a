/* SPDX-License-Identifier: MIT */
/* settings_show.h: the settings for people: what is in force, and where it comes from. */
#ifndef SETTINGS_SHOW_H
#define SETTINGS_SHOW_H

#include "settings/settings_change.h"

/* Print a judged set without changes: a row for each setting, then each problem, then what
 * became of the LOG_ set. Of a LOG_ set that is refused no value is in force: its rows say
 * "rejected". Returns 0 or -ENOMEM. */
MUST_CHECK int settings_show(const struct settings_change *change);

#endif
