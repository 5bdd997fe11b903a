/* SPDX-License-Identifier: MIT */
/* retired_shippers.h: how to stop a log shipper whose definition is not there any more, because
 * another one was put in its place: <dir>/shippers.json holds the definitions that were applied.
 *
 * A retired shipper is one of the list like all others, but its file is to be removed: then what
 * replaces it and what is stopped is one set, which succeeds or is rolled back as a whole. */
#ifndef RETIRED_SHIPPERS_H
#define RETIRED_SHIPPERS_H

#include "base/error.h"
#include "shipper/shipper_config.h"

#define RETIRED_SHIPPERS_FILE "shippers.json"

/* Append those that were noted and whose destination none of the list has, with `retired` set. A
 * record that is missing or damaged, or names a program which others can write or is gone, is as
 * none. Returns 0, -E2BIG beyond SHIPPER_CONFIG_MAX. */
MUST_CHECK int retired_shippers_add(const char *dir, struct shipper_config_list *list,
                                    struct error *err);

/* Note the list before anything of it is applied, durably; done: after that, without the retired
 * ones. Writes when it is news. */
MUST_CHECK int retired_shippers_note(const char *dir, const struct shipper_config_list *list,
                                     bool done, struct error *err);

#endif
