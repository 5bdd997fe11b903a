/* SPDX-License-Identifier: MIT */
/* rollout-logging: bring the LOG_ settings in KV into force on this server.
 *
 * Started by reconfigure-logging and by the heartbeat. Reads everything again, waits
 * until it is quiet, judges whose turn it is (rolling.h), asks Elasticsearch, announces, has
 * the settings applied, looks for the proof (delivery_proof.h), reports to KV and to the check
 * cluster:logging. One at a time per server: a second one leaves a mark and goes, the
 * first one looks again. Never waits for another server: when that is done, its record
 * changes, and the watch starts this again. Each round has an end (--help). */
#include "base/boottime.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/run_once.h"
#include "base/trust.h"
#include "check/publish.h"
#include "consul/consul.h"
#include "rollout/attempt.h"
#include "rollout/claim.h"
#include "rollout/debounce.h"
#include "rollout/delivery_proof.h"
#include "rollout/logging_check.h"

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
    "One run at a time. It is over, and its lock free, after at most 30 s of questions to the\n"
    "agent, 20 times LOG_SETTLE, 10 s after a failure, 30 s of questions to Elasticsearch,\n"
    "120 s for apply-logging, 16 s for the proof and 30 s to report.\n"
    "\n"
    "  --retry               apply even what is in force or failed a moment ago\n"
    "  --wait                where another run is at work, come after it\n" PLACE_HELP "\n"
    "exit codes: 0 done or nothing to do, 1 failed (with --retry also: this server has rejected\n"
    "            the settings, or was not touched, as another server or Elasticsearch is waited\n"
    "            for), 2 usage\n"
    "\n"
    "example: rollout-logging --retry (people use: lictor retry)\n";

struct rollout {
    struct place place;
    bool retry;
    bool wait;
    bool ran; /* this process, not another run that was at work */
    char untouched[DELIVERY_WHY + ROLLING_TEXT]; /* why its last round left this server as it
                                                    was, "": it did not */
    struct snapshot s;
    struct delivery_proof proof;
};

static int write_state(struct rollout *r, struct error *err)
{
    return local_state_write(r->place.state_dir, &r->s.local, err);
}

/* Call after snapshot_records(). */
static int report_state(struct rollout *r, struct error *err)
{
    struct verdict v;
    int rc = claim_write_record(&r->s, err);
    if (rc < 0)
        return rc;
    int lock = publish_lock(r->place.state_dir, CHECK_ID, err);
    if (lock < 0)
        return lock;
    logging_check_judge(&r->s, &r->proof, &v);
    rc = publish_verdict(r->s.consul, r->place.state_dir, CHECK_ID, &v, false, err);
    file_unlock(lock);
    return rc;
}

static int finish_round(struct rollout *r, struct error *err)
{
    int rc = delivery_proof_note(&r->s, &r->proof, err);
    if (rc == 0)
        rc = write_state(r, err);
    if (rc == 0)
        rc = report_state(r, err);
    return rc < 0 ? rc : snapshot_close(&r->s, err);
}

/* A moment after a failure: wait, and look again, for the newest request wins. */
static int judge_turn(struct rollout *r, struct rolling *turn, struct error *err)
{
    int rc = claim_judge(&r->s, r->retry, turn, err);
    if (rc < 0 || !rolling_may_apply(turn) || r->retry || !debounce_after_failure(&r->s.local))
        return rc;
    rc = debounce_read(&r->s, err);
    return rc < 0 ? rc : claim_judge(&r->s, r->retry, turn, err);
}

/* After an apply with LOG_ROLLOUT=parallel nobody has been looked at yet. */
static int seek_proof(struct rollout *r, int64_t limit_ms, struct error *err)
{
    int rc = snapshot_records(&r->s, err);
    return rc < 0 ? rc : delivery_proof_seek(&r->s, limit_ms, &r->proof, err);
}

/* Must what is in force be applied again? */
static bool repairs(const struct rollout *r)
{
    return r->s.wanted.revision[0] &&
           (r->retry || r->s.local.running || local_state_overdue(&r->s.local) ||
            delivery_proof_silent(&r->s));
}

/* The report has a time of its own: an apply may have taken long. */
static int apply(struct rollout *r, const struct rolling *turn, struct error *err)
{
    int rc = attempt_run(&r->s, turn, err);
    deadline_begin(limits()->ask_ms);
    return rc;
}

/* What is wanted runs, or nothing is wanted. A run that has not found the proof after the apply
 * looks once; the heartbeat comes again. */
static int keep_in_force(struct rollout *r, struct error *err)
{
    int rc = repairs(r) ? apply(r, NULL, err) : 0;
    return rc < 0 || !delivery_proof_pending(&r->s) ? rc : seek_proof(r, 0, err);
}

/* It waits for Elasticsearch, or for another server. */
static void leave(struct rollout *r, const struct rolling *turn)
{
    char why[DELIVERY_WHY] = "";
    if (rolling_may_apply(turn))
        (void)delivery_proof_goes(&r->proof, why);
    (void)snprintf(r->untouched, sizeof r->untouched, "nothing was touched here: %s",
                   why[0] ? why : turn->text);
    local_state_wait(&r->s.local, r->s.wanted.revision);
}

static int act_on_turn(struct rollout *r, const struct rolling *turn, struct error *err)
{
    bool go = false;
    if (turn->state == ROLLING_FINISHED || delivery_proof_pending(&r->s))
        return keep_in_force(r, err);
    int rc = 0;
    if (rolling_may_apply(turn))
        rc = delivery_proof_preflight(&r->s, &r->proof, &go, err);
    if (rc == 0 && go) {
        rc = apply(r, turn, err);
        return rc < 0 ? rc : seek_proof(r, limits()->proof_ms, err);
    }
    if (rc == 0)
        leave(r, turn);
    return rc;
}

static int round_once(void *arg, struct error *err)
{
    struct rollout *r = arg;
    struct rolling turn;
    r->ran = true;
    r->untouched[0] = '\0';
    deadline_begin(limits()->ask_ms);
    r->retry = local_state_take_retry(r->place.state_dir);
    snapshot_release(&r->s);
    delivery_proof_release(&r->proof);
    local_state_read(r->place.state_dir, &r->s.local);
    int rc = debounce_read(&r->s, err);
    if (rc < 0)
        return rc;
    for (int i = 0; i == 0 || (rc == -ESTALE && i < LOOKS); i++) {
        rc = judge_turn(r, &turn, err);
        if (rc == 0)
            rc = act_on_turn(r, &turn, err);
    }
    return rc < 0 ? rc : finish_round(r, err);
}

/* Did the last attempt here fail? Its reason has been said. */
static bool failed_here(const struct rollout *r)
{
    const struct server_record *own = &r->s.local.record;
    return own->state == SERVER_RECORD_FAILED ||
           (own->state == SERVER_RECORD_KEPT && own->reason[0]);
}

/* One run at a time. A run at work takes a request over; with --wait this one comes after it. */
static int run_in_turn(struct rollout *r, struct error *err)
{
    int64_t end = boottime_ms() + limits()->apply_ms;
    int rc = run_once(r->place.state_dir, "rollout", round_once, r, err);
    while (rc == 0 && r->wait && !r->ran && boottime_ms() < end) {
        boottime_sleep(100);
        rc = run_once(r->place.state_dir, "rollout", round_once, r, err);
    }
    if (rc == 0 && r->wait && !r->ran)
        return error_set(err, -ETIMEDOUT,
                         "another run is still at work; lictor status says what it does");
    return rc;
}

static int run_rollout(struct rollout *r, struct error *err)
{
    if (!trust_own_directory(r->place.state_dir))
        return error_set(err, -EPERM,
                         "%s is not ours alone: run this as the user of the Consul agent "
                         "(lictor enable creates the directory)",
                         r->place.state_dir);
    int rc = r->retry ? local_state_ask_retry(r->place.state_dir, err) : 0;
    r->s.place = &r->place;
    if (rc == 0)
        rc = consul_open(r->place.config_dir, &r->s.consul, err);
    if (rc == 0)
        rc = run_in_turn(r, err);
    delivery_proof_release(&r->proof);
    snapshot_release(&r->s);
    consul_close(r->s.consul);
    return rc;
}

int main(int argc, char **argv)
{
    program_start("rollout-logging");
    struct rollout r = {.place = PLACE_DEFAULT};
    const struct program_option table[] = {
        PLACE_ROWS(&r.place), {"retry", NULL, &r.retry}, {"wait", NULL, &r.wait}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    struct error err = {0};
    int rc = program_options(argc, argv, &usage, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    bool asked = r.retry; /* a person waits for the result */
    rc = run_rollout(&r, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    else if (asked && r.untouched[0])
        program_log(LOG_ERR, "%s", r.untouched);
    else if (asked && !r.retry && failed_here(&r)) /* another run took the request, and said so */
        program_log(LOG_ERR, "%s", r.s.local.record.reason);
    bool undone = asked && (failed_here(&r) || r.untouched[0]);
    return program_end(rc < 0 || undone ? HANDLER_FAILED : HANDLER_DONE, HANDLER_FAILED);
}
