/* SPDX-License-Identifier: MIT */
/* verify-mongodb: how many members of MongoDB's replica set may fail now, and is it secured?
 *
 * gather (mongodb_gather.c), judge (mongodb_verdict.c), report. Here are the clocks of what must hold for a
 * while. Built where libmongoc is installed, and the only program that links it. */
#include "base/held_since.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/check_run.h"
#include "mongodb/mongodb_gather.h"
#include "mongodb/mongodb_verdict.h"

#include <errno.h>
#include <syslog.h>

static const char help[] =
    "usage: verify-mongodb [--publish CHECK_ID] [OPTION...]\n"
    "\n"
    "How many members of MongoDB's replica set may fail now, and what is not as it should\n"
    "be: their states, primary and delay, one on each Consul server, one version; who is\n"
    "let in without a user or without TLS, and until when certificates are valid. Asked are\n"
    "the servers of MONGODB_URL, else those of Consul where mongod.conf is on this server.\n"
    "\n"
    "  --publish CHECK_ID    bring the verdict to this TTL check of the agent\n" PLACE_HELP "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "\n"
    "example: verify-mongodb; echo $?\n";

/* What must hold for a while. */
static void hold(const struct check_run *run, const struct mongodb_facts *facts,
                 struct mongodb_held *ret)
{
    const char *dir = trust_own_directory(run->place.state_dir) ? run->place.state_dir : NULL;
    struct mongodb_conditions now;
    struct held_since spans;
    struct error why = {0};
    mongodb_conditions(facts, &now);
    held_since_read(dir, "mongodb", &spans);
    int64_t pause_ms = held_since_look(&spans);
    ret->no_primary_ms = held_since_note(&spans, "no-primary", now.no_primary);
    ret->no_spare_ms = held_since_note(&spans, "no-spare", now.no_spare);
    if (now.excused)
        ret->no_spare_ms = held_since_excuse(&spans, "no-spare", pause_ms);
    if (run->publish && held_since_write(&spans, dir, "mongodb", &why) < 0)
        program_log(LOG_WARNING, "%s", why.text);
}

static int look_at_mongodb(struct consul *consul, struct check_run *run, struct verdict *v,
                           struct error *err)
{
    struct mongodb_gathered *all = run->arg;
    struct mongodb_held held;
    struct error why = {0};
    run->leaderless = run->publish && consul_prove_leader(consul, &why) == -EAGAIN;
    int rc = mongodb_gather(consul, &run->place, all, err);
    if (rc < 0)
        return rc;
    hold(run, &all->facts, &held);
    mongodb_judge(&all->facts, &held, v);
    return 0;
}

static int run_check(int argc, char **argv, struct error *err)
{
    static struct mongodb_gathered all;
    struct check_run run = {.place = PLACE_DEFAULT, .arg = &all};
    const struct program_option table[] = {PLACE_ROWS(&run.place), {"publish", &run.publish, NULL}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    int rc = program_options(argc, argv, &usage, err);
    if (rc <= 0)
        return rc;
    rc = check_run(&run, look_at_mongodb, err);
    mongodb_gather_release(&all);
    return rc;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-mongodb");
    return check_end(run_check(argc, argv, &err), &err);
}
