/* SPDX-License-Identifier: MIT */
/* shipper_commands.h: running a shipper's commands, and what they say when they fail.
 *
 * Every command gets the clean environment, no stdin and the shipper's timeout; texts hold
 * the first printable lines of its output, without secrets (shipper_config.h). Commands that
 * several shippers share (equal argument lists) run once. Lists are borrowed; entries may be NULL
 * and are skipped. */
#ifndef SHIPPER_COMMANDS_H
#define SHIPPER_COMMANDS_H

#include "base/error.h"
#include "shipper/shipper_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is the staged file acceptable? Returns 0 (also without a validator), -EINVAL when the
 * validator refuses it, -ETIMEDOUT, or why it could not run. */
MUST_CHECK int shipper_commands_validate(const struct shipper_config *shipper, const char *staged,
                                         struct error *err);

/* One try of confirm: exit code 0. any: whatever it runs with. */
bool shipper_commands_runs(const struct shipper_config *shipper, bool any);

/* Does it run, whatever with? In limit_ms at most: 0 it does, -EINVAL it does not,
 * -ETIMEDOUT and others: not known. */
MUST_CHECK int shipper_commands_ask(const struct shipper_config *shipper, int64_t limit_ms);

/* Reload, then confirm: each must succeed within limits()->confirm_ms, and that long
 * after it again with the same output (the same process still runs).
 * Returns 0, -EINVAL when a command refuses, -ESRCH when the process is another one,
 * -ETIMEDOUT, ... */
MUST_CHECK int shipper_commands_reload(const struct shipper_config *const *shippers, size_t n,
                                       struct error *err);

/* Stop, then wait until confirm fails, at most limits()->confirm_ms (-EBUSY). */
MUST_CHECK int shipper_commands_stop(const struct shipper_config *const *shippers, size_t n,
                                     struct error *err);

#endif
