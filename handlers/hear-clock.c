/* SPDX-License-Identifier: MIT */
/* hear-clock: watch handler; receives the clock records of the other servers.
 *
 * What it receives bounds their clocks, and a bound is as good as the moment of state is
 * near: so this program loads no libcurl, asks nobody, and takes the time the moment the
 * payload is in memory. Who takes part and what the limits are was left in the state by
 * the heartbeat. Only when the verdict is not the one published does it become
 * verify-clock. */
#include "base/buffer.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"
#include "clock/clock_state.h"
#include "clock/clock_watch.h"
#include "clock/local_clock.h"
#include "consul/kv.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PAYLOAD_LIMIT (1024 * 1024)
#define CHECK_ID      "cluster:clock"

static const char help[] =
    "usage: hear-clock [OPTIONS] <PAYLOAD\n"
    "\n"
    "Watch handler. Reads the payload of a keyprefix watch on lictor/clock/, keeps what it\n"
    "says of the other servers' clocks, and starts verify-clock when the verdict changes.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 nothing to do or done, 1 failed, 2 usage\n"
    "example (by hand there is no payload): verify-clock\n";

/* The stamp is taken when the last byte is in memory, not before. */
static int read_payload(struct kv_list *list, struct local_clock_reading *at, struct error *err)
{
    struct buffer payload = BUFFER_INIT(PAYLOAD_LIMIT);
    int rc = buffer_read(&payload, STDIN_FILENO);
    local_clock_read(at);
    if (rc < 0)
        rc = error_set(err, rc, "watch payload: %s (the heartbeat reads the records)",
                       rc == -EMSGSIZE ? "is larger than 1 MiB" : strerror(-rc));
    if (rc == 0)
        rc = kv_parse_text(&payload, "watch payload", list, err);
    buffer_release(&payload);
    return rc;
}

static bool same_verdict(const struct verdict *a, const struct verdict *b)
{
    return a->status == b->status && strcmp(a->summary, b->summary) == 0 &&
           strcmp(a->details, b->details) == 0;
}

/* Under the lock: receive and judge. Returns 1 when that has to be published. */
static int receive_and_judge(struct clock_state *h, const char *state_dir,
                             const struct kv_list *list, const struct local_clock_reading *at,
                             struct error *err)
{
    struct local_clock_reading now;
    struct verdict clocks = {0};
    struct verdict whole = {0};
    local_clock_read(&now);
    clock_state_read(state_dir, &now, h);
    if (!h->node[0])
        return 0; /* before the first heartbeat nobody is known */
    bool jumped = clock_state_begin(h, NULL, 0, &now);
    if (clock_state_receive(h, list, at, NULL) == 0 && !jumped)
        return 0;
    const struct skew_limits limits = h->offsets.limits;
    clock_state_judge(h, &limits, &now, &clocks, &whole);
    int rc = clock_state_write(h, state_dir, err);
    return rc < 0 ? rc : !same_verdict(&clocks, &h->said);
}

static int receive_payload(const struct place *place, struct error *err)
{
    static struct clock_state state;
    struct kv_list list = {0};
    struct local_clock_reading at;
    struct error ignored = {0};
    int rc = read_payload(&list, &at, err);
    if (!trust_own_directory(place->state_dir))
        rc = rc < 0 ? rc
                    : error_set(err, -EPERM,
                                "%s is not ours alone (lictor enable creates the directory)",
                                place->state_dir);
    else if (clock_watch_received(place->state_dir, rc < 0 ? NULL : &list, &ignored) < 0)
        program_log(LOG_WARNING, "%s", ignored.text);
    int lock = rc < 0 || list.n == 0 ? rc : clock_state_lock(place->state_dir, err);
    if (lock > 0) {
        rc = receive_and_judge(&state, place->state_dir, &list, &at, err);
        file_unlock(lock);
    }
    kv_release(&list);
    return lock < 0 ? lock : rc;
}

int main(int argc, char **argv)
{
    program_start("hear-clock");
    struct place place = PLACE_DEFAULT;
    const struct program_option table[] = {PLACE_ROWS(&place)};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    struct error err = {0};
    int rc = program_options(argc, argv, &usage, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    deadline_of_process(limits()->run_ms, "hear-clock", STDERR_FILENO, HANDLER_FAILED);
    const char *const words[] = {"--publish", CHECK_ID, "--heard", PLACE_WORDS(&place), NULL};
    rc = receive_payload(&place, &err);
    if (rc > 0)
        rc = program_become("verify-clock", words, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    return program_end(rc < 0 ? HANDLER_FAILED : HANDLER_DONE, HANDLER_FAILED);
}
