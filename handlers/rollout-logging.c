/* rollout-logging: bring the LOG_ settings in KV into force on this server.
 *
 * Started by reconfigure-logging and by the heartbeat. Reads everything again, waits
 * until it is quiet, has the settings applied, reports to KV and to the check
 * cluster:logging. One at a time per server: a second one leaves a mark and goes, the
 * first one looks again. Never waits for another server. */
#include "consul.h"
#include "file.h"
#include "handover.h"
#include "program.h"
#include "publish.h"
#include "single.h"
#include "survey.h"
#include "timing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define CHECK_ID     "cluster:logging"
#define SETTLE_TIMES 10

static const char help[] =
    "usage: rollout-logging [OPTIONS]\n"
    "\n"
    "Reads the LOG_ settings from Consul's KV and has apply-logging bring them into\n"
    "force on this server; reports to the check " CHECK_ID " and to\n" LOGGING_PREFIX
    "<node>. Does nothing when all is as it should be.\n"
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
};

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        continue;
}

static int read_settings(struct rollout *r, struct error *err)
{
    survey_release(&r->survey);
    return survey_settings(r->consul, &r->place, CONSUL_DEFAULT, &r->survey, err);
}

/* Read until two readings LOG_SETTLE apart are equal; after ten the newest is taken. */
static int read_settled(struct rollout *r, struct error *err)
{
    char before[KV_DIGEST] = "";
    int rc = read_settings(r, err);
    for (int i = 0; rc == 0 && i < SETTLE_TIMES; i++) {
        if (strcmp(before, r->survey.digest) == 0)
            return 0;
        (void)snprintf(before, sizeof before, "%s", r->survey.digest);
        if (r->survey.settings.log_settle_us == 0 ||
            ledger_settled(&r->ledger, r->survey.digest))
            return 0;
        sleep_ms(r->survey.settings.log_settle_us / 1000);
        rc = read_settings(r, err);
    }
    return rc;
}

/* Applies are apply_again_ms apart after a failure. Having waited, read again: the
 * newest request wins. */
static int keep_distance(struct rollout *r, struct error *err)
{
    int64_t age = ledger_age_ms(&r->ledger);
    if (r->ledger.state != LEDGER_FAILED || r->retry || age >= timing()->apply_again_ms)
        return 0;
    sleep_ms(timing()->apply_again_ms - age);
    return read_settings(r, err);
}

static bool must_apply(const struct rollout *r)
{
    return ledger_must_apply(&r->ledger, r->survey.wanted, r->retry);
}

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
    return 0;
}

static int report(struct rollout *r, struct error *err)
{
    struct verdict v;
    int rc = survey_node(r->consul, &r->survey, err);
    if (rc == 0)
        rc = survey_records(r->consul, CONSUL_DEFAULT, &r->survey, err);
    if (rc == 0)
        rc = survey_write_own(r->consul, &r->ledger, &r->survey, err);
    if (rc < 0)
        return rc;
    int lock = publish_lock(r->place.state_dir, CHECK_ID, err);
    if (lock < 0)
        return lock;
    survey_judge(&r->place, &r->survey, &r->ledger, &v);
    rc = publish_verdict(r->consul, r->place.state_dir, CHECK_ID, &v, err);
    file_unlock(lock);
    return rc;
}

/* The digests that stop the watches are written last: killed before that, everything is
 * looked at again. */
static int finish(struct rollout *r, struct error *err)
{
    int rc = ledger_write(r->place.state_dir, &r->ledger, err);
    if (rc == 0)
        rc = report(r, err);
    if (rc < 0)
        return rc;
    (void)snprintf(r->ledger.settings, KV_DIGEST, "%s", r->survey.digest);
    (void)snprintf(r->ledger.results, KV_DIGEST, "%s", r->survey.results);
    return ledger_write(r->place.state_dir, &r->ledger, err);
}

/* --retry is a file: the run at work must see it when this one finds the lock taken. */
static int ask_retry(const struct rollout *r, struct error *err)
{
    char path[4096];
    int rc = file_path(path, sizeof path, r->place.state_dir, "rollout.retry", err);
    return rc < 0 ? rc : file_replace(path, "", 0, 0600, false, err);
}

static bool take_retry(const struct rollout *r)
{
    char path[4096];
    struct error ignored = {0};
    return file_path(path, sizeof path, r->place.state_dir, "rollout.retry",
                     &ignored) == 0 &&
           unlink(path) == 0;
}

static int round_once(void *arg, struct error *err)
{
    struct rollout *r = arg;
    r->retry = take_retry(r);
    ledger_read(r->place.state_dir, &r->ledger);
    int rc = read_settled(r, err);
    if (rc == 0 && must_apply(r))
        rc = keep_distance(r, err);
    if (rc < 0)
        return rc;
    if (must_apply(r))
        rc = apply(r, err);
    else
        ledger_settle(&r->ledger, r->survey.wanted[0] ? NULL : r->survey.refusal);
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
    int rc = r->retry ? ask_retry(r, err) : 0;
    if (rc == 0)
        rc = consul_open(r->place.config_dir, &r->consul, err);
    if (rc == 0)
        rc = single_run(r->place.state_dir, "rollout", round_once, r, err);
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
