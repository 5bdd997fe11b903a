/* rollout-logging: bring the LOG_ settings in KV into force on this server.
 *
 * Started by reconfigure-logging and by the heartbeat. Reads everything again, waits
 * until it is quiet, judges whose turn it is (turn.h), asks Elasticsearch, announces, has
 * the settings applied, looks for the proof (proof.h), reports to KV and to the check
 * cluster:logging. One at a time per server: a second one leaves a mark and goes, the
 * first one looks again. Never waits for another server: when that is done, its record
 * changes, and the watch starts this again. */
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/run_once.h"
#include "check/publish.h"
#include "consul/consul.h"
#include "rollout/claim.h"
#include "rollout/debounce.h"
#include "rollout/delivery_proof.h"
#include "shipper/apply_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define CHECK_ID "cluster:logging"
#define LOOKS    5 /* others may change what was judged, again and again */

static const char help[] =
    "usage: rollout-logging [OPTIONS]\n"
    "\n"
    "Reads the LOG_ settings from Consul's KV and, when it is its turn (LOG_ROLLOUT),\n"
    "has apply-logging bring them into force here; reports to the check and to the\n"
    "record of this server. Does nothing when all is as it should be.\n"
    "\n"
    "  --retry               apply even what is in force or failed a moment ago\n"
    "  --config-dir DIR      policy.json, logging.d/ (default " PROGRAM_CONFIG_DIR ")\n"
    "  --state-dir DIR       what was done last (default " PROGRAM_STATE_DIR ")\n"
    "  --settings-root PATH  KV root of the settings (default " PROGRAM_SETTINGS_ROOT
    ")\n"
    "  --help, --version\n"
    "\n"
    "exit: 0 done or nothing to do, 1 failed, 2 usage\n"
    "example: sudo -u consul rollout-logging --retry\n";

struct rollout {
    struct survey_place place;
    bool retry;
    struct consul *consul;
    struct survey survey;
    struct ledger ledger;
    struct proof proof;
};

/* The ledger says "applying" while apply-logging works, so that a run killed in between
 * is found by the heartbeat. */
static int apply(struct rollout *r, struct error *err)
{
    struct handover_result result = {0};
    char *request = handover_request(&r->survey.entries, r->place.settings_root);
    if (!request)
        return error_set(err, -ENOMEM, "out of memory");
    ledger_begin(&r->ledger, r->survey.wanted);
    int rc = ledger_write(r->place.state_dir, &r->ledger, err);
    if (rc == 0)
        rc = handover_run(r->place.config_dir, r->place.state_dir, request,
                          r->survey.wanted, &result, err);
    free(request);
    if (rc < 0)
        return rc;
    ledger_end(&r->ledger, result.done, result.rollback_failed, result.reason);
    program_log(result.done ? LOG_NOTICE : LOG_ERR, "revision %.*s %s%s%s",
                SETTINGS_SHORT, r->ledger.tried, result.done ? "is in force" : "failed",
                result.reason[0] ? ": " : "", result.reason);
    return ledger_write(r->place.state_dir, &r->ledger, err);
}

/* Behind survey_records(). */
static int report(struct rollout *r, struct error *err)
{
    struct verdict v;
    int rc = announce_truth(r->consul, &r->place, &r->ledger, &r->survey, err);
    if (rc < 0)
        return rc;
    int lock = publish_lock(r->place.state_dir, CHECK_ID, err);
    if (lock < 0)
        return lock;
    survey_judge(&r->place, &r->survey, &r->ledger, &v);
    proof_judge(&r->place, &r->survey, &r->ledger, &r->proof, &v);
    rc = publish_verdict(r->consul, r->place.state_dir, CHECK_ID, &v, err);
    file_unlock(lock);
    return rc;
}

static int finish(struct rollout *r, struct error *err)
{
    int rc = proof_note(&r->place, &r->survey, &r->ledger, &r->proof, err);
    if (rc == 0)
        rc = ledger_write(r->place.state_dir, &r->ledger, err);
    if (rc == 0)
        rc = report(r, err);
    return rc < 0 ? rc : survey_close(&r->place, &r->survey, &r->ledger, err);
}

static int look_once(struct rollout *r, struct turn *turn, struct error *err)
{
    return announce_look(r->consul, &r->place, &r->ledger, r->retry, &r->survey, turn,
                         err);
}

/* A moment after a failure: wait, and look again, for the newest request wins. */
static int look(struct rollout *r, struct turn *turn, struct error *err)
{
    int rc = look_once(r, turn, err);
    if (rc < 0 || !turn_may_apply(turn) || r->retry || !settle_distance(&r->ledger))
        return rc;
    rc = settle_read(r->consul, &r->place, &r->ledger, &r->survey, err);
    return rc < 0 ? rc : look_once(r, turn, err);
}

/* Behind an apply with LOG_ROLLOUT=parallel nobody has been looked at yet. */
static int seek(struct rollout *r, int64_t limit_ms, struct error *err)
{
    int rc = survey_records(r->consul, &r->place, CONSUL_DEFAULT, &r->survey, err);
    if (rc < 0)
        return rc;
    return proof_seek(&r->place, &r->survey, limit_ms, &r->ledger, &r->proof, err);
}

/* The ledger is there before the announcement, see ledger_look(). */
static int attempt(struct rollout *r, const struct turn *turn, struct error *err)
{
    int rc = ledger_write(r->place.state_dir, &r->ledger, err);
    if (rc == 0 && !r->survey.settings.log_parallel)
        rc = announce_apply(r->consul, &r->place, &r->ledger, turn, &r->survey, err);
    if (rc == 0)
        rc = apply(r, err);
    return rc < 0 ? rc : seek(r, timing()->proof_ms, err);
}

/* Must what is in force be applied again? */
static bool repairs(const struct rollout *r)
{
    return r->survey.wanted[0] &&
           (r->retry || r->ledger.state == LEDGER_APPLYING ||
            ledger_overdue(&r->ledger) || proof_mute(r->place.state_dir, &r->ledger));
}

/* What is wanted runs, or nothing is wanted. Whoever has not found the proof after the apply
 * looks once; the heartbeat comes again. */
static int keep(struct rollout *r, struct error *err)
{
    int rc = repairs(r) ? apply(r, err) : 0;
    return rc < 0 || !proof_pending(&r->survey, &r->ledger) ? rc : seek(r, 0, err);
}

static int act(struct rollout *r, const struct turn *turn, struct error *err)
{
    bool go = false;
    if (turn->state == TURN_FINISHED || proof_pending(&r->survey, &r->ledger))
        return keep(r, err);
    int rc = 0;
    if (turn_may_apply(turn))
        rc = proof_preflight(&r->place, &r->survey, &r->ledger, &r->proof, &go, err);
    if (rc == 0 && go)
        return attempt(r, turn, err);
    if (rc == 0)
        ledger_wait(&r->ledger, r->survey.wanted);
    return rc;
}

static int round_once(void *arg, struct error *err)
{
    struct rollout *r = arg;
    struct turn turn;
    r->retry = ledger_take_retry(r->place.state_dir);
    ledger_read(r->place.state_dir, &r->ledger);
    proof_release(&r->proof);
    int rc = settle_read(r->consul, &r->place, &r->ledger, &r->survey, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i == 0 || (rc == -ESTALE && i < LOOKS); i++) {
        rc = look(r, &turn, err);
        if (rc == 0)
            rc = act(r, &turn, err);
    }
    return rc < 0 ? rc : finish(r, err);
}

static int run(struct rollout *r, struct error *err)
{
    if (!file_own_directory(r->place.state_dir))
        return error_set(
            err, -EPERM,
            "%s is not ours alone: run this as the user of the Consul agent "
            "(scripts/enable creates the directory)",
            r->place.state_dir);
    int rc = r->retry ? ledger_ask_retry(r->place.state_dir, err) : 0;
    if (rc == 0)
        rc = consul_open(r->place.config_dir, &r->consul, err);
    if (rc == 0)
        rc = single_run(r->place.state_dir, "rollout", round_once, r, err);
    proof_release(&r->proof);
    survey_release(&r->survey);
    consul_close(r->consul);
    return rc;
}

int main(int argc, char **argv)
{
    program_start("rollout-logging");
    struct rollout r = {.place = {.config_dir = PROGRAM_CONFIG_DIR,
                                  .state_dir = PROGRAM_STATE_DIR,
                                  .settings_root = PROGRAM_SETTINGS_ROOT}};
    const struct program_option table[] = {
        {"config-dir", &r.place.config_dir, NULL},
        {"state-dir", &r.place.state_dir, NULL},
        {"settings-root", &r.place.settings_root, NULL},
        {"retry", NULL, &r.retry},
    };
    struct error err = {0};
    int rc =
        program_options(argc, argv, help, table, sizeof table / sizeof table[0], &err);
    if (rc > 0 && rc < argc)
        rc = error_set(&err, -EINVAL, "unexpected '%s', see --help", argv[rc]);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    if (rc <= 0)
        return program_end(rc < 0 ? HANDLER_USAGE : HANDLER_DONE, HANDLER_FAILED);
    rc = run(&r, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    return program_end(rc < 0 ? HANDLER_FAILED : HANDLER_DONE, HANDLER_FAILED);
}
