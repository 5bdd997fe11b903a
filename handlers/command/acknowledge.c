/* SPDX-License-Identifier: MIT */
/* lictor acknowledge: an admin has taken note of lost lines. */
#include "command/commands.h"
#include "consul/consul.h"
#include "rollout/acknowledged.h"

#include <errno.h>
#include <stdio.h>

static const char help[] =
    "usage: lictor acknowledge [OPTION]... NODE NUMBER\n"
    "\n"
    "Says that somebody has taken note of the lost lines of a server, so that its check\n"
    "cluster:logging can be passing again. NUMBER is the one the check says: when more are\n"
    "lost, it warns again. Written to lictor/acknowledged/NODE.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed, 2 usage\n"
    "\n"
    "example: lictor acknowledge server-1 12\n";

int command_acknowledge(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    struct consul *consul = NULL;
    const struct program_option rows[] = {PLACE_ROWS(&here)};
    const struct program_usage usage = {help, rows, COUNT(rows), .operands = 2};
    int first = program_options(argc, argv, &usage, err);
    if (first <= 0)
        return first;
    if (argc - first < 2)
        return error_set(err, -EINVAL, "NODE and NUMBER are needed, as cluster:logging says them");
    int rc = consul_open(here.config_dir, &consul, err);
    if (rc == 0)
        rc = acknowledged_write(consul, argv[first], argv[first + 1], err);
    consul_close(consul);
    if (rc == 0)
        printf("%s lost lines of %s are acknowledged; the check says so within half a minute\n",
               argv[first + 1], argv[first]);
    return rc < 0 ? rc : HANDLER_DONE;
}
