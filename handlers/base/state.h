/* SPDX-License-Identifier: MIT */
/* state.h: small JSON files in a state directory. What cannot be read is as none. */
#ifndef STATE_H
#define STATE_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The document in <dir>/<name>, to be freed with cJSON_Delete(); NULL when dir is NULL, or the
 * file is missing, larger than 64 KiB or damaged. The second gives NULL for one of another
 * boot, too. */
cJSON *state_read(const char *dir, const char *name);
cJSON *state_read_boot(const char *dir, const char *name);

/* An object that state_read_boot() takes in this boot: {"boot": ID}. NULL: out of memory. */
cJSON *state_begin(void);

/* Write root to <dir>/<name>, mode 0600, and free it; durable: as file_replace().
 * Returns 0, -ENOMEM (also for root NULL) or as file_replace(). */
MUST_CHECK int state_write(const char *dir, const char *name, cJSON *root, bool durable,
                           struct error *err);

#endif
