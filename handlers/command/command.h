/* SPDX-License-Identifier: MIT */
/* command.h: what the commands of `lictor` share: where things are, which programs they run
 * and as whom. */
#ifndef COMMAND_H
#define COMMAND_H

#include "base/error.h"
#include "base/program.h"

#include <stddef.h>

/* Become the user the Consul agent runs as, for good, when this is root: the owner of the
 * state directory; where there is none, the owner of the one running consul; else the user
 * "consul". Tokens in the environment are an admin's and are dropped then: the agent's user has
 * its own in consul.env.
 * Returns 0 when this process is that user now (or there is no other), -EPERM when it is
 * somebody else, with a text that says as whom to run it, or why it could not change. */
MUST_CHECK int command_become_agent_user(const char *state_dir, struct error *err);

/* Run a program that lies next to this one, or ../scripts/NAME in a checkout, with our own
 * stdin, stdout and stderr and the words (NULL-terminated, without the program's own name).
 * Returns its exit code, 128 + signal when one killed it, or negative errno. */
MUST_CHECK int command_run(const char *name, const char *const *words, struct error *err);

/* The path of that program. Returns 0, -ENOENT or -ENAMETOOLONG with a text. */
MUST_CHECK int command_find(const char *name, char *ret, size_t size, struct error *err);

#endif
