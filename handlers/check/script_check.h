/* SPDX-License-Identifier: MIT */
/* script_check.h: the text of a script check, which Consul's agent publishes by itself.
 *
 * A changed text or status published without a leader blocks the agent's checks for
 * seconds (publish.h). So a script check without a proven leader must print exactly what
 * it printed last, with the same exit code; with one, but while membership is in motion (rest.h), a
 * mere text waits as well. Memory: <state-dir>/<name>.last, a cache. */
#ifndef SCRIPT_CHECK_H
#define SCRIPT_CHECK_H

#include "base/error.h"
#include "check/verdict.h"

#include <stdbool.h>

#define SCRIPT_CHECK_TEXT (VERDICT_OUTPUT + 2) /* bytes */

/* Choose what to print.
 *
 * led     a leader was proven just now: the verdict may be shown and is remembered
 * rested  membership is at rest: so may a changed text under the same exit code
 * Writes the text to ret and returns the exit code; *ret_changed says whether the
 * verdict differs from what was remembered (worth a line in syslog). Without a leader
 * and without memory the verdict itself is shown. */
int script_check_choose(const char *state_dir, const char *name, const struct verdict *v, bool led,
                        bool rested, char ret[SCRIPT_CHECK_TEXT], bool *ret_changed);

#endif
