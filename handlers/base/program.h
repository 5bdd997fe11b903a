/* SPDX-License-Identifier: MIT */
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

#define PROGRAM_CONFIG_DIR    "/etc/lictor"
#define PROGRAM_STATE_DIR     "/var/lib/lictor"
#define PROGRAM_SETTINGS_ROOT "dc/home/env"

/* Where a program finds things; borrowed. */
struct place {
    const char *config_dir;    /* root's: policy.json, consul.env, logging.d/, credentials/ */
    const char *state_dir;     /* the agent's user's; NULL: keep no state */
    const char *settings_root; /* of the settings in KV */
};

#define PLACE_DEFAULT                                                                              \
    {                                                                                              \
        PROGRAM_CONFIG_DIR, PROGRAM_STATE_DIR, PROGRAM_SETTINGS_ROOT                               \
    }

/* An option "--name VALUE" (value set) or "--name" (flag set). */
struct program_option {
    const char *name;
    const char **value;
    bool *flag;
};

/* The rows of the three options of a place, their lines in a help text, and the words that hand
 * it on to another program. */
#define PLACE_ROWS(place)                                                                          \
    {"config-dir", &(place)->config_dir, NULL}, {"state-dir", &(place)->state_dir, NULL},          \
    {                                                                                              \
        "settings-root", &(place)->settings_root, NULL                                             \
    }
#define PLACE_HELP                                                                                 \
    "  --config-dir DIR      policy.json, logging.d/, ... (default " PROGRAM_CONFIG_DIR ")\n"      \
    "  --state-dir DIR       what the agent's user keeps (default " PROGRAM_STATE_DIR ")\n"        \
    "  --settings-root PATH  the settings in KV (default " PROGRAM_SETTINGS_ROOT ")\n"             \
    "  --help, --version\n"
#define PLACE_WORDS(place)                                                                         \
    "--config-dir", (place)->config_dir, "--state-dir", (place)->state_dir, "--settings-root",     \
        (place)->settings_root

/* How a program is called. */
struct program_usage {
    const char *help;
    const struct program_option *options; /* besides --help and --version; at most 16 */
    size_t n;
    int operands; /* at most */
    bool leading; /* reading ends at the first operand: a command with options of its own */
};

/* First call of main(): opens /dev/null on any of fds 0..2 that is closed, ignores
 * SIGPIPE, sets umask 077, opens syslog (facility daemon, with PID, tag "lictor-NAME"). `name`
 * is borrowed for the life of the process; called again it changes the name. */
void program_start(const char *name);

/* Read the options. `--help` (prints the help) and `--version` are always there; an argument
 * that is not an option (or comes after "--") is left to the caller: operands are moved after
 * the options, in their order.
 *
 * Returns the index of the first operand (argc: none), 0 when --help or --version was
 * served (the caller ends with code 0), -EINVAL with the text "unknown option ..., see
 * NAME --help", "... needs a value, ..." or "unexpected operand ...". */
MUST_CHECK int program_options(int argc, char **argv, const struct program_usage *usage,
                               struct error *err);

/* The end of a main() whose options returned rc <= 0: served, or the text and the code for wrong
 * usage. failure: as for program_end(). */
int program_not_run(int rc, int usage_code, int failure, const struct error *err);

/* Become the program `name` beside this one, with words (NULL-terminated, without its own name).
 * Comes back only when that fails: negative errno with a text. */
MUST_CHECK int program_become(const char *name, const char *const *words, struct error *err);

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
