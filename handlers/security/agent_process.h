/* SPDX-License-Identifier: MIT */
/* agent_process.h: the process of the Consul agent, for what it does not say of itself: which
 * program it is, and where its configuration is. Source: proc(5). */
#ifndef AGENT_PROCESS_H
#define AGENT_PROCESS_H

#include "base/error.h"
#include "base/file.h"

#include <stdbool.h>
#include <stddef.h>

#define AGENT_PROCESS_CONFIGS 8

/* Paths are absolute. */
struct agent_process {
    char program[FILE_PATH];                       /* "" unknown */
    char config[AGENT_PROCESS_CONFIGS][FILE_PATH]; /* -config-dir and -config-file */
    size_t configs;
};

/* Take what a command line says (its words, each with a NUL; len bytes). Returns false when it is
 * not one of an agent. Pure; relative paths are left out. *ret_data_dir: borrowed from words, NULL:
 * it says none. */
bool agent_process_read(const char *words, size_t len, struct agent_process *ret,
                        const char **ret_data_dir);

/* Find it: the agent that started us, else the only one with this data_dir in its words, else the only
 * one that says none. Returns 0, or -ESRCH with a text. */
MUST_CHECK int agent_process_find(const char *data_dir, struct agent_process *ret,
                                  struct error *err);

#endif
