/* SPDX-License-Identifier: MIT */
/* verify-clock: do the clocks of all servers agree, and who differs?
 *
 * The heartbeat runs it with --publish: it tells the others of this server's clocks and
 * receives them where the watch is deaf (state.c), judges (agreement.c) and publishes.
 * hear-clock becomes it with --heard when the verdict has changed. By hand it judges what was
 * received, and asks only whether there is an agent at all. */
#include "base/file.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/check_run.h"
#include "check/metrics.h"
#include "check/verdict.h"
#include "clock/clock_round.h"
#include "clock/clock_state.h"
#include "clock/local_clock.h"
#include "consul/consul.h"

#include <errno.h>
#include <string.h>

static const char help[] =
    "usage: verify-clock [--publish CHECK_ID] [OPTION...]\n"
    "\n"
    "Do the clocks of all servers agree within CLOCK_SKEW_WARNING, and who differs? "
    "From\n"
    "what the servers' records below lictor/clock/ prove; this server's memory of them "
    "is\n"
    "in the state directory, so by hand run it as the user of the Consul agent.\n"
    "\n"
    "  --publish CHECK_ID    write this server's record, hear the others', bring the\n"
    "                        verdict to this TTL check of the agent\n"
    "  --heard               with --publish: judge and publish only\n" CHECK_METRICS_HELP PLACE_HELP
    "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "\n"
    "example: verify-clock; echo $?\n";

/* What this run is about: struct check_run's arg. */
struct clock_run {
    bool heard; /* --heard: judge and publish only */
    struct clock_state state;
};

static int read_options(int argc, char **argv, struct check_run *run, bool *heard,
                        struct error *err)
{
    const struct program_option table[] = {PLACE_ROWS(&run->place),
                                           {"publish", &run->publish, NULL},
                                           CHECK_METRICS_ROW(run),
                                           {"heard", NULL, heard}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    int rc = program_options(argc, argv, &usage, err);
    if (rc > 0 && *heard && !run->publish)
        return error_set(err, -EINVAL, "--heard is only for --publish");
    return rc;
}

/* ---- the verdict --------------------------------------------------------- */

/* From what was received before; published, go on from here next time. */
static int judge_clocks(const struct check_run *run, struct verdict *v, struct error *err)
{
    struct clock_run *clock = run->arg;
    struct clock_state *h = &clock->state;
    const char *dir = run->place.state_dir;
    struct local_clock_reading now;
    struct verdict clocks = {0};
    int lock = run->publish ? clock_state_lock(dir, err) : 0;
    if (lock < 0)
        return lock;
    local_clock_read(&now);
    clock_state_read(dir, &now, h);
    int rc = h->node[0] ? 0
                        : error_set(err, -ENODATA,
                                    "nothing was received of the other clocks yet (the "
                                    "heartbeat begins with it)");
    if (rc == 0) {
        const struct skew_limits limits = h->offsets.limits;
        (void)clock_state_begin(h, NULL, 0, &now);
        clock_state_judge(h, &limits, &now, &clocks, v);
    }
    if (rc == 0 && clock->heard)
        h->said = clocks;
    if (rc == 0 && run->publish)
        rc = clock_state_write(h, dir, err);
    if (run->publish)
        file_unlock(lock);
    return rc;
}

/* What is proven between this server and each other one. */
static void add_samples(const struct offsets *offsets, struct buffer *samples)
{
    for (int i = 0; i < offsets->n && offsets->self >= 0; i++) {
        const char *const labels[] = {"node", offsets->server[offsets->self].name, "other",
                                      offsets->server[i].name, NULL};
        const struct offsets_pair *pair = &offsets->pair[offsets_pair_at(offsets->self, i)];
        if (i != offsets->self && pair->bound_us > 0)
            metrics_add(samples, METRIC_CLOCK_OFFSET_BOUND, (double)pair->bound_us / 1e6, labels);
    }
}

/* Without a leader nothing can be sent or received, and an agent that never had one holds
 * every read for 7 s. A missing right shows better in what needs it. */
static int look_at_clocks(struct consul *consul, struct check_run *run, struct verdict *v,
                          struct error *err)
{
    struct clock_run *clock = run->arg;
    int proof = clock->heard ? 0 : consul_prove_leader(consul, err);
    if (consul_gone(proof))
        return proof;
    if (!run->publish && !trust_own_directory(run->place.state_dir))
        return error_set(err, -EPERM,
                         "%s is not yours: what was received of the clocks is kept there "
                         "for the user of the Consul agent, run this as that user",
                         run->place.state_dir);
    run->leaderless = !consul_led(proof);
    int rc = clock->heard || !run->publish || run->leaderless
                 ? judge_clocks(run, v, err)
                 : clock_round_run(consul, &run->place, &clock->state, v, err);
    if (rc == 0)
        add_samples(&clock->state.offsets, &run->samples);
    return rc;
}

/* Returns an exit code, or negative errno with a text. */
static int run_check(int argc, char **argv, struct error *err)
{
    static struct clock_run clock;
    struct check_run run = {.place = PLACE_DEFAULT, .arg = &clock};
    int rc = read_options(argc, argv, &run, &clock.heard, err);
    return rc <= 0 ? rc : check_run(&run, look_at_clocks, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-clock");
    return check_end(run_check(argc, argv, &err), &err);
}
