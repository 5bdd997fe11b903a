/* SPDX-License-Identifier: MIT */
/* commands.h: the commands of `lictor`. Each gets its own name as argv[0].
 *
 * Each returns an exit code (0 done, 1 failed or rejected, 2 usage; status: as a check) or a
 * negative errno with a text, -EINVAL for wrong usage. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "command/command.h"

MUST_CHECK int command_status(const struct place *place, int argc, char **argv, struct error *err);
MUST_CHECK int command_set(const struct place *place, int argc, char **argv, struct error *err);
MUST_CHECK int command_maintenance(const struct place *place, int argc, char **argv,
                                   struct error *err);
MUST_CHECK int command_show(const struct place *place, int argc, char **argv, struct error *err);
MUST_CHECK int command_settings(const struct place *place, int argc, char **argv,
                                struct error *err);
MUST_CHECK int command_confirm(const struct place *place, int argc, char **argv, struct error *err);
MUST_CHECK int command_retry(const struct place *place, int argc, char **argv, struct error *err);
MUST_CHECK int command_acknowledge(const struct place *place, int argc, char **argv,
                                   struct error *err);
MUST_CHECK int command_api(const struct place *place, int argc, char **argv, struct error *err);

#endif
