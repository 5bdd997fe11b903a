/* program.h: what every main() does first and last, and what exit codes mean. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes of a verification.
 * Source: Consul script checks (0 passing, 1 warning, other critical); 2 and 3 as in
 * the Monitoring Plugins guidelines. EXIT_FAILURE is 1, "warning": never use it. */
enum program_check_exit {
    CHECK_PASSING = 0,
    CHECK_WARNING = 1,
    CHECK_CRITICAL = 2,
    CHECK_UNKNOWN = 3 /* could not look, could not publish, usage */
};

/* Exit codes of a handler (reconfigure-, rollout-, apply-logging). */
enum program_handler_exit { HANDLER_DONE = 0, HANDLER_FAILED = 1, HANDLER_USAGE = 2 };

/* An option "--name VALUE" (value set) or "--name" (flag set). */
struct program_option {
    const char *name;
    const char **value;
    bool *flag;
};

#define PROGRAM_CONFIG_DIR    "/etc/lictor"
#define PROGRAM_STATE_DIR     "/var/lib/lictor"
#define PROGRAM_SETTINGS_ROOT "dc/home/env"

/* First call of main(): opens /dev/null on any of fds 0..2 that is closed, ignores
 * SIGPIPE, sets umask 077, opens syslog (facility daemon, with PID, tag "lictor-NAME"). `name`
 * is borrowed for the life of the process; called again it changes the name. */
void program_start(const char *name);

/* Read the options. `--help` (prints `help`) and `--version` are always there; an
 * argument that is no option (or comes after "--") is left to the caller: operands
 * are moved after the options, in their order. At most 16 options.
 *
 * Returns the index of the first operand (argc: none), 0 when --help or --version was
 * served (the caller ends with code 0), -EINVAL with the text "unknown option ..., see
 * NAME --help" or "... needs a value, see NAME --help". */
MUST_CHECK int program_options(int argc, char **argv, const char *help,
                               const struct program_option *options, size_t n, struct error *err);

/* The same for a program whose first operand is a command with options of its own: reading
 * ends there. */
MUST_CHECK int program_leading_options(int argc, char **argv, const char *help,
                                       const struct program_option *options, size_t n,
                                       struct error *err);

/* Path of the program `name` in the directory of the running one.
 * Returns 0, -ENOENT, -ENAMETOOLONG. */
MUST_CHECK int program_sibling(const char *name, char *ret, size_t size, struct error *err);

/* One line to syslog and to stderr: "NAME: text". priority: LOG_ERR, LOG_WARNING,
 * LOG_NOTICE, LOG_INFO of syslog(3). What is not printable ASCII becomes '?'. Keeps
 * errno. */
void program_log(int priority, const char *fmt, ...) FORMAT(2, 3);

/* The same to stderr alone: for what people get wrong at a terminal. */
void program_say(const char *text);

/* Last call of main(): `return program_end(code, failure);`. Flushes stdout.
 * Returns code, or failure (with a line by program_log) when the result could not be
 * written. */
int program_end(int code, int failure);

#endif
