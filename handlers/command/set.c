/* SPDX-License-Identifier: MIT */
/* lictor set, lictor maintenance: change settings. */
#include "base/duration.h"
#include "command/commands.h"
#include "command/rollout_follow.h"
#include "command/settings_write.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define WORDS_MAX  64
#define MINUTE_US  INT64_C(60000000)
#define LONGEST_US (30 * 24 * 60 * MINUTE_US)

static const char set_help[] =
    "usage: lictor set [OPTION]... KEY=VALUE...\n"
    "\n"
    "Writes settings of the cluster to Consul's KV, where every server picks them up. A\n"
    "value that does not fit is rejected and nothing is written. Prints old and new value.\n"
    "\n"
    "  --unset KEY,...       take keys out: their defaults are in force again\n"
    "  --check               only say whether they may be written\n"
    "  --wait                wait until every living server has the change in force\n"
    "  --timeout TIME        wait at most so long (default 10m)\n" PLACE_HELP "\n"
    "The agent is found as by Consul's own tools: CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN_FILE,\n"
    "... in the environment, else in consul.env. With ACLs the token needs what\n"
    "consul.d/acl/admin.hcl.in has. lictor settings lists all settings.\n"
    "\n"
    "exit codes: 0 done, 1 failed or rejected, 2 usage\n"
    "\n"
    "example: lictor set --wait LOG_ELASTICSEARCH_URL=http://es1:9200 LOG_LEVEL=warn\n";

static const char maintenance_help[] =
    "usage: lictor maintenance NODE --for TIME\n"
    "       lictor maintenance none\n"
    "\n"
    "Says that NODE (or server_2) is down on purpose: for 30m, 2h, 1h30m, 1d, at most 30d.\n"
    "It runs out by itself; \"none\" ends it.\n"
    "\n"
    "  --for TIME            how long\n" PLACE_HELP "\n"
    "exit codes: 0 done, 1 failed or rejected, 2 usage\n"
    "\n"
    "example: lictor maintenance n2 --for 2h\n";

struct options {
    struct place place;
    const char *unset, *timeout;
    bool check, wait;
};

/* The operands, then each key of --unset. Its commas are cut out of the argument itself. */
static int collect(int argc, char **argv, char *unset, const char **words, size_t *n,
                   struct error *err)
{
    for (int i = 0; i < argc; i++) {
        if (!strchr(argv[i], '='))
            return error_set(err, -EINVAL, "\"%s\" is not KEY=VALUE, see --help", argv[i]);
        if (*n == WORDS_MAX)
            return error_set(err, -EINVAL, "more than %d changes, see --help", WORDS_MAX);
        words[(*n)++] = argv[i];
    }
    char *rest = NULL;
    for (char *key = unset ? strtok_r(unset, ",", &rest) : NULL; key;
         key = strtok_r(NULL, ",", &rest)) {
        if (strchr(key, '=') || *n == WORDS_MAX)
            return error_set(err, -EINVAL, "--unset needs keys, see --help");
        words[(*n)++] = key;
    }
    return *n > 0 ? 0 : error_set(err, -EINVAL, "nothing to do, see --help");
}

static int write_and_follow(const struct options *opt, struct consul *consul,
                            const struct settings_change *change, struct error *err)
{
    int64_t limit_us = 0;
    if (duration_parse(opt->timeout, &limit_us) < 0)
        return error_set(err, -EINVAL, "--timeout %s is not a duration, see --help", opt->timeout);
    int rc = settings_write(consul, change, err);
    (void)fflush(stdout); /* what was written is seen while it is waited for */
    if (rc == 0 && opt->wait && change->log_changes)
        rc = rollout_follow(consul, &opt->place, limit_us / 1000, err);
    return rc;
}

/* Judge, write, follow. Returns an exit code or negative errno. */
static int change_settings(const struct options *opt, const char *const *words, size_t n,
                           struct error *err)
{
    struct consul *consul = NULL;
    struct settings_change change = {0};
    int rc = consul_open(opt->place.config_dir, &consul, err);
    if (rc == 0)
        rc = settings_write_judge(consul, &opt->place, words, n, &change, err);
    if (rc == 1)
        (void)fprintf(stderr, "lictor set: nothing is written\n");
    else if (rc == 0 && opt->check)
        printf("these settings may be written; nothing is written with --check\n");
    else if (rc == 0)
        rc = write_and_follow(opt, consul, &change, err);
    settings_change_release(&change);
    consul_close(consul);
    return rc;
}

int command_set(const struct place *place, int argc, char **argv, struct error *err)
{
    struct options opt = {.place = *place, .timeout = "10m"};
    const struct program_option rows[] = {
        PLACE_ROWS(&opt.place),      {"unset", &opt.unset, NULL}, {"timeout", &opt.timeout, NULL},
        {"check", NULL, &opt.check}, {"wait", NULL, &opt.wait},
    };
    const char *words[WORDS_MAX];
    size_t n = 0;
    const struct program_usage usage = {set_help, rows, COUNT(rows), .operands = argc};
    int first = program_options(argc, argv, &usage, err);
    if (first <= 0)
        return first;
    char *unset = opt.unset ? strdup(opt.unset) : NULL;
    int rc = collect(argc - first, argv + first, unset, words, &n, err);
    if (rc == 0)
        rc = change_settings(&opt, words, n, err);
    free(unset);
    return rc;
}

/* ---- maintenance --------------------------------------------------------- */

/* The node that is meant: server_2 stands for its node; without CLUSTER_SERVERS any name. */
static const char *node_of(const struct settings *s, const char *wanted)
{
    for (size_t i = 0; i < s->servers; i++) {
        char server[32];
        (void)snprintf(server, sizeof server, "server_%zu", i + 1);
        if (strcmp(server, wanted) == 0 || strcasecmp(s->server[i], wanted) == 0)
            return s->server[i];
    }
    return s->servers == 0 ? wanted : NULL;
}

/* "CLUSTER_MAINTENANCE=n2 until 2026-11-23T18:00Z", the end rounded up to a minute. */
static int maintenance_word(const struct settings *s, const char *wanted, int64_t for_us, char *ret,
                            size_t size, struct error *err)
{
    const char *node = node_of(s, wanted);
    char end[32];
    struct tm tm;
    time_t until = (time(NULL) + (time_t)(for_us / 1000000) + 59) / 60 * 60;
    if (!node)
        return error_set(err, -ENOENT, "there is no server %s in CLUSTER_SERVERS", wanted);
    if (!gmtime_r(&until, &tm) || strftime(end, sizeof end, "%Y-%m-%dT%H:%MZ", &tm) == 0)
        return error_set(err, -ERANGE, "the clock of this server is wrong");
    if (snprintf(ret, size, "CLUSTER_MAINTENANCE=%s until %s", node, end) >= (int)size)
        return error_set(err, -ENAMETOOLONG, "%s is too long for a node name", wanted);
    return 0;
}

static int begin_maintenance(const struct options *opt, const char *node, int64_t for_us,
                             struct error *err)
{
    struct consul *consul = NULL;
    static struct settings_change now;
    char word[300];
    const char *const words[] = {word};
    int rc = consul_open(opt->place.config_dir, &consul, err);
    if (rc == 0)
        rc = settings_read_judged(consul, opt->place.config_dir, opt->place.settings_root,
                                  CONSUL_DEFAULT, &now.settings, err);
    if (rc == 0)
        rc = maintenance_word(&now.settings, node, for_us, word, sizeof word, err);
    consul_close(consul);
    return rc < 0 ? rc : change_settings(opt, words, 1, err);
}

int command_maintenance(const struct place *place, int argc, char **argv, struct error *err)
{
    struct options opt = {.place = *place, .timeout = "10m"};
    const char *length = NULL;
    const char *const none[] = {"CLUSTER_MAINTENANCE"};
    const struct program_option rows[] = {PLACE_ROWS(&opt.place), {"for", &length, NULL}};
    int64_t for_us = 0;
    const struct program_usage usage = {maintenance_help, rows, COUNT(rows), .operands = 1};
    int first = program_options(argc, argv, &usage, err);
    if (first <= 0)
        return first;
    if (first == argc)
        return error_set(err, -EINVAL, "which NODE, or \"none\"? See --help");
    bool end = strcmp(argv[first], "none") == 0;
    if (end == (length != NULL))
        return error_set(err, -EINVAL,
                         end ? "none takes no --for, see --help"
                             : "NODE needs --for TIME, see --help");
    if (end)
        return change_settings(&opt, none, 1, err);
    if (duration_parse(length, &for_us) < 0 || for_us < MINUTE_US || for_us > LONGEST_US)
        return error_set(err, -EINVAL, "--for %s: expected 1m to 30d, as 2h or 1h30m", length);
    return begin_maintenance(&opt, argv[first], for_us, err);
}
