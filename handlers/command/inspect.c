/* SPDX-License-Identifier: MIT */
/* lictor show, settings, confirm, retry: look, and run a program of ours. */
#include "base/child.h"
#include "base/file.h"
#include "command/commands.h"
#include "command/settings_show.h"
#include "command/settings_write.h"
#include "rollout/server_record.h"
#include "settings/settings_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_MAX (1U << 20)

static const char show_help[] =
    "usage: lictor show [OPTION]...\n"
    "\n"
    "Prints all settings: the value, where it comes from, and what in KV is wrong; then which\n"
    "revision of the LOG_ settings each server has in force.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed, 2 usage\n"
    "\n"
    "example: lictor show\n";

static const char settings_help[] =
    "usage: lictor settings\n"
    "\n"
    "Prints the table of all settings: key, value, default, meaning (Markdown).\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed, 2 usage\n"
    "\n"
    "example: lictor settings | grep CLOCK\n";

static const char confirm_help[] =
    "usage: lictor confirm [OPTION]...\n"
    "\n"
    "Says that the servers of now are the servers of this cluster. Needs a leader and an\n"
    "odd number of at least three living servers, those of CLUSTER_SERVERS where it is set.\n"
    "Prints the old and the new mapping.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 confirmed, 1 failed or not confirmed, 2 usage\n"
    "\n"
    "example: lictor confirm\n";

static const char retry_help[] =
    "usage: lictor retry [OPTION]...\n"
    "\n"
    "Applies the LOG_ settings on this server again: what is in force, or what failed here a\n"
    "moment ago. Run as root it becomes the agent's user. It touches nothing while another\n"
    "server or Elasticsearch is waited for: it says so, and the change goes on by itself.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed, rejected or nothing was touched, 2 usage\n"
    "\n"
    "example: lictor retry\n";

static int place_options(int argc, char **argv, const char *help, struct place *place,
                         struct error *err)
{
    const struct program_option rows[] = {PLACE_ROWS(place)};
    const struct program_usage usage = {.help = help, .options = rows, .n = COUNT(rows)};
    return program_options(argc, argv, &usage, err);
}

/* ---- the settings -------------------------------------------------------- */

/* Somebody else's large key must not hide the settings. */
static void show_records(struct consul *consul)
{
    struct kv_list list = {0};
    struct error err = {0};
    if (consul_kv_read(consul, SERVER_RECORD_PREFIX, true, CONSUL_DEFAULT, &list, &err) < 0)
        printf("\nWhat the servers have in force cannot be read: %s\n", err.text);
    else
        settings_show_records(&list);
    kv_release(&list);
}

int command_show(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    struct consul *consul = NULL;
    struct buffer problems = BUFFER_INIT(OUTPUT_MAX);
    int rc = place_options(argc, argv, show_help, &here, err);
    if (rc <= 0)
        return rc;
    struct settings_change change = {.root = here.settings_root};
    rc = consul_open(here.config_dir, &consul, err);
    if (rc == 0)
        rc = settings_change_read(consul, &change, err);
    if (rc == 0)
        rc = settings_change_judge(&change, here.config_dir, &problems, err);
    if (rc == 0)
        rc = settings_show(&change);
    if (rc == 0)
        show_records(consul);
    buffer_release(&problems);
    settings_change_release(&change);
    consul_close(consul);
    return rc;
}

int command_settings(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    struct buffer text = BUFFER_INIT(OUTPUT_MAX);
    int rc = place_options(argc, argv, settings_help, &here, err);
    if (rc <= 0)
        return rc;
    rc = settings_print_table(&text);
    (void)fputs(buffer_text(&text), stdout);
    buffer_release(&text);
    return rc;
}

/* ---- programs that do it ------------------------------------------------- */

int command_confirm(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    int rc = place_options(argc, argv, confirm_help, &here, err);
    if (rc <= 0)
        return rc;
    const char *const words[] = {"--confirm-mapping", PLACE_WORDS(&here), NULL};
    rc = command_run("verify-quorum", words, err);
    return rc > 0 ? HANDLER_FAILED : rc;
}

static int retry(const struct place *place, struct error *err)
{
    const char *const words[] = {"--retry", "--wait", PLACE_WORDS(place), NULL};
    return command_run("rollout-logging", words, err);
}

int command_retry(const struct place *place, int argc, char **argv, struct error *err)
{
    struct place here = *place;
    int rc = place_options(argc, argv, retry_help, &here, err);
    if (rc <= 0)
        return rc;
    rc = command_become_agent_user(here.state_dir, err);
    return rc < 0 ? rc : retry(&here, err);
}
