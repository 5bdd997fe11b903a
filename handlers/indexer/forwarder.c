/* SPDX-License-Identifier: MIT */
#include "indexer/forwarder.h"

#include "base/boottime.h"
#include "base/limits.h"
#include "base/program.h"
#include "indexer/account.h"
#include "indexer/bulk.h"
#include "indexer/queue_reader.h"
#include "indexer/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE  (4 * SENDER_RECORDS) /* records that are read from the queue */
#define AGAIN_MS 1000

/* ---- in the child -------------------------------------------------------- */

struct run {
    struct forwarder_shared *shared;
    int wake;
    const struct destination *to;
    struct queue_reader reader;
    struct bulk bulk;
    struct sender sender;
    struct account_file account;
    int64_t losses_told;
    struct complaint complaint;
};

static void refresh(void *arg, struct account *account)
{
    const struct run *run = arg;
    const int stopped = run->shared->stopped;
    account->lost = run->reader.state.lost + run->reader.missed;
    account->waiting = run->shared->taken - run->shared->next + 1;
    account->stopped[0] = '\0';
    if (stopped == -EFBIG)
        (void)snprintf(account->stopped, sizeof account->stopped, "the queue is full (queue_disk)");
    else if (stopped < 0)
        (void)snprintf(account->stopped, sizeof account->stopped, "%.200s: %s", run->to->queue,
                       strerror(-stopped));
}

static void begin_request(void *arg)
{
    struct run *run = arg;
    account_alive(&run->account, limits()->write_ms + ACCOUNT_ALIVE_MS);
}

/* Until that time has passed, or, with `news`, more was added. False: who started us is gone. */
static bool wait_for(const struct run *run, int64_t ms, bool news)
{
    const int64_t end = boottime_ms() + ms;
    char drain[4096];
    for (int64_t left = ms; left > 0; left = end - boottime_ms()) {
        struct pollfd input = {.fd = run->wake, .events = POLLIN};
        if (poll(&input, 1, (int)left) <= 0)
            continue;
        const ssize_t n = read(run->wake, drain, sizeof drain);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (news)
            break;
    }
    return true;
}

static void tell_losses(struct run *run)
{
    char text[400];
    if (!sender_describe(&run->sender, text, sizeof text) ||
        !complaint_is_time(&run->losses_told, COMPLAINT_AGAIN_MS))
        return;
    program_log(run->sender.losses.cut ? LOG_ERR : LOG_WARNING, "%s", text);
    run->sender.losses = (struct sender_losses){0};
}

/* Until each record is there. False: who started us is gone, or there is no memory. */
static bool send_all(struct run *run, struct error *err)
{
    char now[32];
    int64_t pause_ms = limits()->write_again_ms, most_ms = 40 * pause_ms;
    time_t t = time(NULL);
    struct tm utc;
    (void)strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    run->sender.now = now;
    run->sender.limit_ms = limits()->write_ms;
    for (;;) {
        size_t before = bulk_waiting(&run->bulk);
        int rc = sender_send(&run->sender, err);
        tell_losses(run);
        if (rc != -EAGAIN)
            return rc == 0;
        complaint_tell(&run->complaint, "records wait", err->text);
        queue_reader_note(&run->reader, run->shared->taken);
        account_note(&run->account, err->text, pause_ms + ACCOUNT_ALIVE_MS);
        if (bulk_waiting(&run->bulk) < before)
            pause_ms = limits()->write_again_ms;
        if (!wait_for(run, pause_ms, false))
            return false;
        pause_ms = pause_ms * 2 > most_ms ? most_ms : pause_ms * 2;
    }
}

/* What was read has arrived, or is lost. */
static void note_progress(struct run *run)
{
    struct error why = {0};
    if (run->reader.missed > 0)
        program_log(LOG_ERR, "%lld records are lost: they were damaged in the queue %s",
                    (long long)run->reader.missed, run->to->queue);
    run->reader.state.arrived = run->account.account.arrived;
    if (queue_reader_done(&run->reader, run->shared->taken, &why) < 0)
        complaint_tell(&run->complaint, "after a restart some records are sent again", why.text);
    run->shared->next = run->reader.state.next;
    bulk_clear(&run->bulk);
}

/* Nothing is left to be read of what was taken by then. */
static void note_missing(struct run *run, int64_t taken)
{
    queue_reader_miss(&run->reader, taken + 1);
    note_progress(run);
}

/* Read and send. Returns false when it must end. */
static bool forward(struct run *run, struct error *err)
{
    const int64_t taken = run->shared->taken;
    const int rc = queue_reader_fill(&run->reader, &run->bulk, AT_ONCE, run->to->bytes, err);
    const bool some = run->bulk.n > 0;
    if (some) {
        if (!send_all(run, err))
            return false;
        note_progress(run);
    }
    if (rc < 0) {
        complaint_tell(&run->complaint, "records wait", err->text);
        account_note(&run->account, err->text, ACCOUNT_ALIVE_MS);
        return wait_for(run, AGAIN_MS, false);
    }
    if (!some && run->reader.expected <= taken)
        note_missing(run, taken);
    account_note(&run->account, "", ACCOUNT_ALIVE_MS);
    return some || wait_for(run, ACCOUNT_ALIVE_MS / 3, true);
}

/* The state has what the account says, or a little less; when it was damaged, nothing. */
static void take_over(struct queue_state *state, struct account *account)
{
    if (state->arrived == 0)
        state->arrived = account->arrived;
    if (state->lost < account->lost)
        state->lost = account->lost;
    account->arrived = state->arrived;
}

static int be_forwarder(const struct forwarder *f, int wake)
{
    static struct run run;
    struct error err = {0};
    run = (struct run){.shared = f->shared, .wake = wake, .to = f->to, .reader = QUEUE_READER_INIT};
    run.account = (struct account_file){
        .complaint = &run.complaint, .refresh = refresh, .arg = &run};
    run.sender = (struct sender){.busy = begin_request,
                                 .arg = &run,
                                 .to = run.to,
                                 .bulk = &run.bulk,
                                 .account = &run.account.account};
    queue_reader_open(&run.reader, run.to->queue);
    run.reader.keep = queue_keep(run.to->queue_disk);
    run.shared->next = run.reader.expected;
    account_open(&run.account, run.to);
    take_over(&run.reader.state, &run.account.account);
    while (forward(&run, &err))
        continue;
    if (err.text[0])
        program_log(LOG_ERR, "%s", err.text);
    bulk_release(&run.bulk);
    sender_release(&run.sender);
    queue_reader_close(&run.reader);
    return HANDLER_FAILED;
}

/* ---- in the parent ------------------------------------------------------- */

static int start_child(struct forwarder *f, struct error *err)
{
    int ends[2];
    const pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return error_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
    f->started_ms = boottime_ms();
    f->pid = fork();
    if (f->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        (void)close(ends[1]);
        _exit(getppid() == parent ? be_forwarder(f, ends[0]) : HANDLER_FAILED);
    }
    const int rc = f->pid < 0 ? -errno : 0;
    (void)close(ends[0]);
    f->wake = ends[1];
    return rc < 0 ? error_set(err, rc, "cannot start a process: %s", strerror(-rc)) : 0;
}

int forwarder_start(struct forwarder *forwarder, const struct destination *to, int64_t taken,
                    struct error *err)
{
    if (!forwarder->shared) {
        void *page = mmap(NULL, sizeof *forwarder->shared, PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return error_set(err, -ENOMEM, "out of memory");
        forwarder->shared = page;
    }
    forwarder->shared->taken = taken;
    forwarder->to = to;
    return start_child(forwarder, err);
}

void forwarder_wake(const struct forwarder *forwarder)
{
    (void)!write(forwarder->wake, "", 1);
}

static void close_pipe(struct forwarder *f)
{
    if (f->wake >= 0)
        (void)close(f->wake);
    f->wake = -1;
}

void forwarder_keep(struct forwarder *forwarder)
{
    struct error why = {0};
    if (!forwarder->to || boottime_ms() - forwarder->started_ms < AGAIN_MS)
        return;
    if (forwarder->pid > 0 && waitpid(forwarder->pid, NULL, WNOHANG) == 0)
        return;
    close_pipe(forwarder);
    if (start_child(forwarder, &why) < 0)
        complaint_tell(forwarder->complaint, "records wait", why.text);
}

void forwarder_stop(struct forwarder *forwarder)
{
    if (forwarder->pid > 0 && kill(forwarder->pid, SIGKILL) == 0)
        (void)waitpid(forwarder->pid, NULL, 0);
    close_pipe(forwarder);
    forwarder->pid = 0;
    forwarder->to = NULL;
}
