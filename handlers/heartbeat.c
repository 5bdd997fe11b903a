/* SPDX-License-Identifier: MIT */
/* heartbeat: script check cluster:heartbeat; the guarantee behind the watches.
 *
 * Every 15 s: runs the verifications side by side, each with a deadline; starts
 * rollout-logging when a watch missed something; compares the agent's checks with the
 * catalogue; says what could not be done. Its own line is published by the agent, which
 * must not happen without a leader: then it repeats its last line and exit code. An agent that does
 * not answer at all serves nobody who could be harmed: that is said at once. */
#include "base/boottime.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/metrics.h"
#include "check/rest.h"
#include "check/script_check.h"
#include "check/verdict.h"
#include "check/verify_all.h"
#include "cluster/own_agent.h"
#include "consul/consul.h"
#include "mongodb/mongodb_check.h"
#include "rollout/delivery_proof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

#define CHECK_ID    "cluster:heartbeat"
#define METRICS_MAX (1U << 20)

static const struct verification verifications[] = {
    {"verify-quorum", "cluster:quorum"},       {"verify-clock", "cluster:clock"},
    {"verify-logging", "cluster:logging"},     {"verify-security", "cluster:security"},
    {MONGODB_CHECK_PROGRAM, MONGODB_CHECK_ID}, /* the last one: not where there is no MongoDB */
};
#define VERIFICATIONS COUNT(verifications)

static const char help[] =
    "usage: heartbeat [OPTIONS]\n"
    "\n"
    "Runs every verification with --publish, repairs what a watch missed, and says\n"
    "which verification could not run. Consul runs it as check " CHECK_ID ".\n"
    "\n"
    "  --metrics-dir DIR     where figures for Prometheus' node_exporter go, in\n"
    "                        " METRICS_FILE "; only where it can be written\n"
    "                        (default " METRICS_DIR ")\n" PLACE_HELP "\n"
    "exit codes: 0 all could run and report, 1 not all, 3 could not look\n"
    "example: heartbeat --state-dir /var/lib/lictor\n";

/* Start rollout-logging, never wait for it. */
static int repair(struct consul *consul, const struct place *place, struct error *err)
{
    char path[FILE_PATH];
    bool due = false;
    struct snapshot s = {.place = place, .consul = consul};
    int rc = delivery_proof_due(&s, &due, err);
    snapshot_release(&s);
    if (rc < 0 || !due)
        return rc;
    const char *const argv[] = {path, PLACE_WORDS(place), NULL};
    rc = program_sibling("rollout-logging", path, sizeof path, err);
    return rc < 0 ? rc : child_detach(argv, err);
}

/* Say what the own agent does not do. */
static void look_at_agent(struct consul *consul, const struct place *place, bool led,
                          struct verdict *v)
{
    struct own_agent own;
    struct error err = {0};
    if (own_agent_look(consul, place->state_dir, led, &own, &err) < 0)
        verify_all_note(v, "cannot look at the agent: %s", err.text);
    if (own.unsynced[0])
        verify_all_note(v,
                        "the catalogue does not show %s as the agent does "
                        "(has the token service \"cluster\" write?)",
                        own.unsynced);
    if (own.deaf)
        verify_all_note(
            v, "Consul runs no watch here: a broken one in any of its files stops all at a reload "
               "(its log names it): correct that file, then consul reload");
}

/* The first line, of what proving the leader gave and of the reasons in v. */
static void conclude(int proof, const char *right, size_t n, struct verdict *v)
{
    char first[VERDICT_SUMMARY];
    (void)snprintf(first, sizeof first, "%s", v->summary);
    if (proof == -EACCES)
        verdict_set(v, VERDICT_WARNING, "no right: %s", right);
    else if (first[0])
        verdict_set(v, VERDICT_WARNING, "not everything could run and report: %s", first);
    else
        verdict_set(v, VERDICT_PASSING, "all %zu verifications run and report", n);
    if (proof == -EACCES && first[0])
        verdict_note(v, "%s", first);
}

/* Everything that can be done now. Without a leader only the verifications: they know
 * what they may publish, and write the truth to syslog. Without a right there is a leader: what
 * is missing is said. */
static void verify_and_repair(struct consul *consul, const struct place *place, int proof,
                              const char *right, struct buffer *samples, struct verdict *v)
{
    struct error err = {0}, why = {0};
    bool led = proof == 0, mongodb = false;
    const int rc = mongodb_check_sync(consul, place, led, &mongodb, &why);
    const size_t n = VERIFICATIONS - !mongodb;
    verify_all(place, verifications, n, samples, v);
    if (rc < 0)
        verify_all_note(v, MONGODB_CHECK_PROGRAM ": %s", why.text);
    if (led && repair(consul, place, &err) < 0)
        verify_all_note(v, "rollout-logging: %s", err.text);
    look_at_agent(consul, place, led, v);
    conclude(proof, right, n, v);
}

/* stdout is the check's text and nothing else may go there: the reasons go to syslog. There is one
 * text for passing, so it cannot change without its status. */
static int print_verdict(struct consul *consul, const struct place *place, const struct verdict *v,
                         bool led)
{
    char text[SCRIPT_CHECK_TEXT];
    char truth[VERDICT_OUTPUT + 1];
    bool changed = false;
    bool rested = v->status == VERDICT_PASSING ||
                  (led && rest_look(consul, place->state_dir) >= limits()->rest_ms);
    int code = script_check_choose(place->state_dir, "heartbeat", v, led, rested, text, &changed);
    verdict_render(v, truth);
    if (changed)
        syslog(v->status == VERDICT_PASSING ? LOG_NOTICE : LOG_WARNING, "%s%s",
               strcmp(text, truth) == 0 ? ""
               : led                    ? "(not published yet: servers come or go) "
                                        : "(not published: no leader) ",
               truth);
    printf("%s", text);
    return code;
}

/* Nothing can be done without an agent, and nothing well with one that is slow. */
static int look_and_print(struct consul *consul, const struct place *place, struct buffer *samples,
                          struct error *err)
{
    struct error why = {0};
    struct verdict v = {0};
    int64_t begin = boottime_ms();
    int proof = consul_prove_leader(consul, &why);
    if (consul_gone(proof))
        return error_set(err, proof, "%s", why.text);
    bool led = consul_led(proof);
    if (led && boottime_ms() - begin > limits()->leader_proof_ms) {
        verdict_set(&v, VERDICT_WARNING,
                    "cannot look: the Consul agent needs more than %g s for an answer",
                    (double)limits()->leader_proof_ms / 1000);
        return print_verdict(consul, place, &v, led);
    }
    verify_and_repair(consul, place, proof, why.text, samples, &v);
    return print_verdict(consul, place, &v, consul_led(consul_prove_leader(consul, NULL)));
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* What this run has cost comes last. */
static void write_metrics(const char *dir, int64_t begin_ms, struct buffer *samples)
{
    char path[FILE_PATH];
    struct rusage own, children;
    struct error err = {0};
    struct buffer text = BUFFER_INIT(METRICS_MAX);
    (void)getrusage(RUSAGE_SELF, &own);
    (void)getrusage(RUSAGE_CHILDREN, &children);
    metrics_add(samples, METRIC_HEARTBEAT_DURATION, (double)(boottime_ms() - begin_ms) / 1000,
                NULL);
    metrics_add(samples, METRIC_HEARTBEAT_CPU,
                seconds(&own.ru_utime) + seconds(&own.ru_stime) + seconds(&children.ru_utime) +
                    seconds(&children.ru_stime),
                NULL);
    int rc = metrics_render(buffer_text(samples), &text);
    if (rc == 0)
        rc = file_path(path, sizeof path, dir, METRICS_FILE, &err);
    if (rc == 0)
        rc = file_replace(path, buffer_text(&text), text.len, 0644, false, &err);
    if (rc < 0)
        program_log(LOG_WARNING, "no figures for Prometheus: %s", err.text);
    buffer_release(&text);
}

static int run_heartbeat(const struct place *place, const char *metrics_dir, struct error *err)
{
    struct buffer samples = BUFFER_INIT(METRICS_MAX);
    const int64_t begin_ms = boottime_ms();
    const bool wanted = access(metrics_dir, W_OK | X_OK) == 0;
    struct consul *consul = NULL;
    if (!trust_own_directory(place->state_dir))
        return error_set(err, -EPERM,
                         "%s is not ours alone: run this as the user of the Consul agent "
                         "(lictor enable creates the directory)",
                         place->state_dir);
    deadline_begin(limits()->beat_ms - limits()->drain_ms);
    int rc = consul_open(place->config_dir, &consul, err);
    if (rc == 0)
        rc = look_and_print(consul, place, wanted ? &samples : NULL, err);
    consul_close(consul);
    if (wanted)
        write_metrics(metrics_dir, begin_ms, &samples);
    buffer_release(&samples);
    return rc;
}

int main(int argc, char **argv)
{
    program_start("heartbeat");
    struct place place = PLACE_DEFAULT;
    const char *metrics_dir = METRICS_DIR;
    const struct program_option table[] = {PLACE_ROWS(&place), {"metrics-dir", &metrics_dir, NULL}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    struct error err = {0};
    int rc = program_options(argc, argv, &usage, &err);
    if (rc <= 0)
        return program_not_run(rc, CHECK_UNKNOWN, CHECK_UNKNOWN, &err);
    deadline_of_process(limits()->beat_ms, "cannot look", STDOUT_FILENO, CHECK_UNKNOWN);
    rc = run_heartbeat(&place, metrics_dir, &err);
    if (rc < 0) {
        printf("cannot look: %s\n", err.text);
        rc = CHECK_UNKNOWN;
    }
    return program_end(rc, CHECK_UNKNOWN);
}
