/* SPDX-License-Identifier: MIT */
/* lictor: the one command for people. What Consul runs are programs of their own.
 *
 * Finds the command, gives it the place and its words; says which name is nearest when there
 * is none of that name. */
#include "base/text.h"
#include "command/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 48

static const char help[] =
    "usage: lictor [OPTION]... COMMAND [ARGUMENT]...\n"
    "\n"
    "Looks after the cluster of this Consul agent.\n"
    "\n"
    "  status       judge everything, here and now\n"
    "  show         the settings, where they come from, what each server has in force\n"
    "  set          change settings\n"
    "  settings     the table of all settings\n"
    "  confirm      \"these are the servers of this cluster\"\n"
    "  maintenance  \"this server is down on purpose\"\n"
    "  retry        apply the LOG_ settings on this server again\n"
    "  acknowledge  \"the lost lines of this server are known\"\n"
    "  enable       give the agent of this server our watches and checks\n"
    "  disable      take them out again\n"
    "  help         this text; lictor help COMMAND, or lictor COMMAND --help, explains one\n"
    "  api          one request to the agent, for scripts\n"
    "\n" PLACE_HELP "\n"
    "exit codes: of the command; 2 usage\n"
    "\n"
    "example: lictor set --wait LOG_LEVEL=debug\n";

typedef int command_function(const struct place *, int, char **, struct error *);

/* run NULL: the script of that name, with the words as they are. */
static const struct command {
    const char *name;
    const char *title; /* for texts and syslog */
    command_function *run;
} commands[] = {
    {"status", "lictor status", command_status},
    {"show", "lictor show", command_show},
    {"set", "lictor set", command_set},
    {"settings", "lictor settings", command_settings},
    {"confirm", "lictor confirm", command_confirm},
    {"maintenance", "lictor maintenance", command_maintenance},
    {"retry", "lictor retry", command_retry},
    {"acknowledge", "lictor acknowledge", command_acknowledge},
    {"enable", "lictor enable", NULL},
    {"disable", "lictor disable", NULL},
    {"api", "lictor api", command_api},
};

static int find_command(const char *name, const struct command **ret, struct error *err)
{
    const char *names[COUNT(commands) + 1];
    for (size_t i = 0; i < COUNT(commands); i++) {
        names[i] = commands[i].name;
        *ret = &commands[i];
        if (strcmp(commands[i].name, name) == 0)
            return 0;
    }
    names[COUNT(commands)] = "help";
    const char *nearest = text_nearest(name, names, COUNT(names));
    return error_set(err, -EINVAL, "there is no command %s%s%s%s, see lictor --help", name,
                     nearest ? " (" : "", nearest ? nearest : "", nearest ? "?)" : "");
}

static int run_script(const char *name, const struct place *place, int argc, char **argv,
                      struct error *err)
{
    const char *words[WORDS_MAX] = {"--config-dir",   place->config_dir, "--state-dir",
                                    place->state_dir, "--settings-root", place->settings_root};
    size_t n = 6;
    if (argc > WORDS_MAX - 6)
        return error_set(err, -EINVAL, "more than %d words, see --help", WORDS_MAX - 7);
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    return command_run(name, words, err);
}

/* argv[0] is the name of the command. */
static int run_command(const struct place *place, int argc, char **argv, struct error *err)
{
    const struct command *command;
    int rc = find_command(argv[0], &command, err);
    if (rc < 0)
        return rc;
    program_start(command->title);
    return command->run ? command->run(place, argc, argv, err)
                        : run_script(command->name, place, argc, argv, err);
}

/* "help COMMAND" is "COMMAND --help". */
static int run_help(const struct place *place, char *name, struct error *err)
{
    char option[] = "--help";
    char *argv[] = {name, option, NULL};
    if (name)
        return run_command(place, 2, argv, err);
    (void)fputs(help, stdout);
    return 0;
}

static int run_lictor(int argc, char **argv, struct error *err)
{
    struct place place = PLACE_DEFAULT;
    const struct program_option rows[] = {PLACE_ROWS(&place)};
    const struct program_usage usage = {help, rows, COUNT(rows), .leading = true};
    int first = program_options(argc, argv, &usage, err);
    if (first <= 0)
        return first;
    if (first == argc)
        return error_set(err, -EINVAL, "which command? See lictor --help");
    if (strcmp(argv[first], "help") == 0)
        return run_help(&place, argv[first + 1], err);
    return run_command(&place, argc - first, argv + first, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("lictor");
    int rc = run_lictor(argc, argv, &err);
    if (rc < 0)
        program_say(err.text);
    if (rc < 0)
        rc = rc == -EINVAL ? HANDLER_USAGE : HANDLER_FAILED;
    return program_end(rc, HANDLER_FAILED);
}
