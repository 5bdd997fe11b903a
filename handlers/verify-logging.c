/* SPDX-License-Identifier: MIT */
/* verify-logging: do all servers have the same, wanted logging settings in force, and do
 * their records arrive in the same Elasticsearch?
 *
 * Gathers the settings, every server's record, this server's local state and what Elasticsearch
 * has of all servers; judges (server_record.h, delivery.h); prints, and with --publish refreshes
 * the check and writes the next probe record. Changes nothing else. */
#include "base/file.h"
#include "base/program.h"
#include "check/check_run.h"
#include "consul/consul.h"
#include "rollout/logging_check.h"
#include "rollout/logging_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

static const char help[] =
    "usage: verify-logging [OPTIONS]\n"
    "\n"
    "Compares the revision of the LOG_ settings which every server has in force with\n"
    "the one that is wanted, and asks Elasticsearch whose records arrive.\n"
    "\n"
    "  --publish CHECK_ID    also update this TTL check of the agent, and write a record\n"
    "                        to the probe logs which logging.d/ names\n" CHECK_METRICS_HELP
        PLACE_HELP "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look; with --publish\n"
    "      0 published or rightly held back, 3 could not look or publish\n"
    "example: verify-logging\n";

/* Written before anything is asked: a program that hangs must not keep it from being written. */
static void write_probe(const struct check_run *run, const char *node, struct error *why)
{
    if (run->publish && delivery_write_probes(run->place.config_dir, node, why) == 0)
        why->text[0] = '\0';
}

static void judge_logging(struct snapshot *s, const struct delivery_proof *proof,
                          const struct error *probe, struct verdict *v)
{
    logging_check_judge(s, proof, v);
    if (!probe->text[0])
        return;
    verdict_raise(v, VERDICT_WARNING);
    verdict_note(v, "%s", probe->text);
}

static int gather_logging(struct snapshot *s, struct delivery_proof *proof, struct error *err)
{
    local_state_read(s->place->state_dir, &s->local);
    int rc = snapshot_settings(s, err);
    if (rc == 0)
        rc = snapshot_records(s, err);
    return rc < 0 ? rc : delivery_proof_gather(s, proof, err);
}

static int look_at_logging(struct consul *consul, struct check_run *run, struct verdict *v,
                           struct error *err)
{
    struct snapshot s = {.place = &run->place, .consul = consul, .read = CONSUL_STALE};
    struct delivery_proof proof = {0};
    struct error probe = {0}, why = {0};
    int rc = snapshot_node(&s, err);
    if (rc == 0)
        write_probe(run, s.node, &probe);
    run->leaderless = run->publish && rc == 0 && consul_prove_leader(consul, &why) == -EAGAIN;
    if (rc == 0)
        rc = gather_logging(&s, &proof, err);
    if (rc == 0)
        judge_logging(&s, &proof, &probe, v);
    if (rc == 0 && run->metrics)
        logging_metrics_add(&s, &run->samples);
    delivery_proof_release(&proof);
    snapshot_release(&s);
    return rc;
}

static int run_check(int argc, char **argv, struct error *err)
{
    struct check_run run = {.place = PLACE_DEFAULT};
    const struct program_option table[] = {
        PLACE_ROWS(&run.place), {"publish", &run.publish, NULL}, CHECK_METRICS_ROW(&run)};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    int rc = program_options(argc, argv, &usage, err);
    return rc <= 0 ? rc : check_run(&run, look_at_logging, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-logging");
    return check_end(run_check(argc, argv, &err), &err);
}
