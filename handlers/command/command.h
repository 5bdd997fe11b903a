/* command.h: what the commands of `lictor` share: where things are, which programs they run
 * and as whom. */
#ifndef COMMAND_H
#define COMMAND_H

#include "base/error.h"
#include "base/program.h"

#include <stddef.h>

/* Where; borrowed. */
struct command_place {
    const char *config_dir;
    const char *state_dir;
    const char *settings_root;
};

/* The rows of the three options that every command has. */
#define COMMAND_PLACE(place)                                                                       \
    {"config-dir", &(place)->config_dir, NULL}, {"state-dir", &(place)->state_dir, NULL},          \
    {                                                                                              \
        "settings-root", &(place)->settings_root, NULL                                             \
    }

/* Their lines in a help text. */
#define COMMAND_PLACE_HELP                                                                         \
    "  --config-dir DIR      policy.json, consul.env (default " PROGRAM_CONFIG_DIR ")\n"           \
    "  --state-dir DIR       the agent's user's (default " PROGRAM_STATE_DIR ")\n"                 \
    "  --settings-root PATH  where the settings are in KV (default " PROGRAM_SETTINGS_ROOT ")\n"   \
    "  --help, --version\n"

/* Read options; a command without operands (most 0) rejects them. Returns as
 * program_options(). */
MUST_CHECK int command_options(int argc, char **argv, const char *help,
                               const struct program_option *options, size_t n, int most,
                               struct error *err);

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
