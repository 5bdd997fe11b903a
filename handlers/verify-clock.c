/* verify-clock: do the clocks of all servers agree, and who differs?
 *
 * The heartbeat runs it with --publish: it tells the others of this server's clocks and
 * receives them where the watch is deaf (state.c), judges (agreement.c) and publishes.
 * hear-clock becomes it with --received when the verdict has changed. By hand it judges what
 * was received and asks nobody. */
#include "base/file.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/publish.h"
#include "check/verdict.h"
#include "clock/clock_round.h"
#include "clock/clock_state.h"
#include "clock/local_clock.h"
#include "consul/consul.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

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
    "  --heard               with --publish: judge and publish only\n"
    "  --config-dir DIR      default " PROGRAM_CONFIG_DIR "\n"
    "  --state-dir DIR       default " PROGRAM_STATE_DIR "\n"
    "  --settings-root KEY   default " PROGRAM_SETTINGS_ROOT "\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "\n"
    "example: verify-clock; echo $?\n";

struct options {
    const char *publish; /* NULL: by hand */
    bool heard;
    const char *config_dir;
    const char *state_dir;
    const char *settings_root;
};

static int read_options(int argc, char **argv, struct options *opt, struct error *err)
{
    const struct program_option table[] = {
        {"publish", &opt->publish, NULL},
        {"heard", NULL, &opt->heard},
        {"config-dir", &opt->config_dir, NULL},
        {"state-dir", &opt->state_dir, NULL},
        {"settings-root", &opt->settings_root, NULL},
    };
    int rc = program_options(argc, argv, help, table, COUNT(table), err);
    if (rc > 0 && rc < argc)
        return error_set(err, -EINVAL, "unexpected argument, see verify-clock --help");
    if (rc > 0 && opt->heard && !opt->publish)
        return error_set(err, -EINVAL, "--heard is only for --publish");
    return rc;
}

/* ---- the verdict --------------------------------------------------------- */

/* From what was received before. keep: go on from here next time. */
static int judge(const struct options *opt, struct clock_state *h, bool keep, struct verdict *v,
                 struct error *err)
{
    struct local_clock_reading now;
    struct verdict clocks = {0};
    int lock = keep ? clock_state_lock(opt->state_dir, err) : 0;
    if (lock < 0)
        return lock;
    local_clock_read(&now);
    clock_state_read(opt->state_dir, &now, h);
    int rc = h->node[0] ? 0
                        : error_set(err, -ENODATA,
                                    "nothing was received of the other clocks yet (the "
                                    "heartbeat begins with it)");
    if (rc == 0) {
        const struct skew_limits limits = h->offsets.limits;
        (void)clock_state_continue(h, &now);
        clock_state_judge(h, &limits, &now, &clocks, v);
    }
    if (rc == 0 && opt->heard)
        h->said = clocks;
    if (rc == 0 && keep)
        rc = clock_state_write(h, opt->state_dir, err);
    if (keep)
        file_unlock(lock);
    return rc;
}

static int tell(struct consul *consul, const struct options *opt, struct clock_state *h,
                struct verdict *v, struct error *err)
{
    const struct clock_round_place place = {opt->config_dir, opt->state_dir, opt->settings_root};
    return clock_round_run(consul, &place, h, v, err);
}

/* Without a leader nothing can be told or received, and an agent that never had one holds
 * every read for 7 s. A missing right shows better in what needs it. */
static int look(struct consul *consul, const struct options *opt, struct clock_state *h,
                bool *ret_led, struct verdict *v, struct error *err)
{
    int proof = opt->heard ? 0 : consul_prove_leader(consul, err);
    if (proof == -ECONNREFUSED)
        return proof;
    *ret_led = proof == 0 || proof == -EACCES;
    return opt->heard || !*ret_led ? judge(opt, h, true, v, err) : tell(consul, opt, h, v, err);
}

static int publish(const struct options *opt, struct clock_state *h, struct error *err)
{
    struct consul *consul = NULL;
    struct verdict v = {0};
    struct error why = {0};
    bool led = false;
    int lock = publish_lock(opt->state_dir, opt->publish, err);
    if (lock < 0)
        return lock;
    int looked = consul_open(opt->config_dir, &consul, &why);
    if (looked == 0)
        looked = look(consul, opt, h, &led, &v, &why);
    if (looked < 0)
        publish_cannot_look(&v, why.text);
    int rc = looked == 0 && !led ? publish_held(consul, opt->state_dir, opt->publish, &v, err)
                                 : publish_verdict(consul, opt->state_dir, opt->publish, &v, err);
    if (looked < 0)
        rc = error_set(err, looked, "%s", why.text);
    consul_close(consul);
    file_unlock(lock);
    return rc < 0 ? rc : CHECK_PASSING;
}

static int by_hand(const struct options *opt, struct clock_state *h, struct error *err)
{
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    if (!trust_own_directory(opt->state_dir))
        return error_set(err, -EPERM,
                         "%s is not yours: what was received of the clocks is kept there "
                         "for the user of the Consul agent, run this as that user",
                         opt->state_dir);
    int rc = judge(opt, h, false, &v, err);
    if (rc < 0)
        return rc;
    verdict_render(&v, text);
    (void)fputs(text, stdout);
    return (int)v.status;
}

/* Returns an exit code, or negative errno with a text. */
static int run(int argc, char **argv, struct error *err)
{
    static struct clock_state state;
    struct options opt = {
        .config_dir = PROGRAM_CONFIG_DIR,
        .state_dir = PROGRAM_STATE_DIR,
        .settings_root = PROGRAM_SETTINGS_ROOT,
    };
    int rc = read_options(argc, argv, &opt, err);
    if (rc <= 0)
        return rc;
    return opt.publish ? publish(&opt, &state, err) : by_hand(&opt, &state, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-clock");
    int rc = run(argc, argv, &err);
    if (rc < 0) {
        program_log(LOG_ERR, "%s", err.text);
        rc = CHECK_UNKNOWN;
    }
    return program_end(rc, CHECK_UNKNOWN);
}
