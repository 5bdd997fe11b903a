/* SPDX-License-Identifier: MIT */
/* index-records: the end of the log shipper's way; rsyslogd's omprog gives it records, it
 * brings them into Elasticsearch.
 *
 * In place of rsyslogd's own omelasticsearch, which takes every answer for a success: of what
 * is answered with 401, 403, 429 or 503, or with such an item, nothing is sent again. This
 * one confirms a transaction when each of its records is there. It waits inside the
 * transaction, however long: omprog that receives of a failure sends the records one by one.
 *
 * What it is told (a line each) and answers:
 *
 *   (its start)                         OK
 *   BEGIN<tab>name=value<tab>...        OK, or what is wrong       (sender.h)
 *   +ID<tab>RECORD                      DEFER_COMMIT
 *   COMMIT                              OK, after dots, which say that it lives */
#include "base/boottime.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "base/program.h"
#include "indexer/account.h"
#include "indexer/bulk.h"
#include "indexer/generations.h"
#include "indexer/line_reader.h"
#include "indexer/sender.h"
#include "indexer/spool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT    (16U << 20) /* bytes: rsyslogd's maxMessageSize, each escaped */
#define SPOOL_WAIT_MS 5000        /* our predecessor may be about to end */

static const char help[] =
    "usage: index-records\n"
    "\n"
    "Writes records to Elasticsearch for rsyslogd (omprog with confirmMessages and\n"
    "useTransactions, see consul.d/logging/rsyslog.conf.mustache). Confirms a transaction\n"
    "when each record is there: what is refused for now is sent again, what is refused for\n"
    "good goes as text to INDEX-refused. Says in syslog, and in the account, what keeps it.\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 end of input, 1 failed, 2 usage\n"
    "example (by hand): printf 'COMMIT\\n' | index-records\n";

struct indexer {
    struct sender sender;
    struct destination to;
    struct bulk bulk;
    struct spool spool;
    struct account_file account;
    struct generations generations;
    int64_t losses_told; /* when last */
    struct complaint complaint;
};

/* ---- to and from omprog -------------------------------------------------- */

/* Nobody may think that rsyslogd has heard what it has not. */
static int answer(const char *text, struct error *err)
{
    if (printf("%s\n", text) >= 0 && fflush(stdout) == 0)
        return 0;
    return error_set(err, -EPIPE, "cannot answer rsyslogd: %s", strerror(errno));
}

/* omprog takes 4,095 of them for one answer, then it starts us again. */
static void begin_request(void *arg)
{
    struct indexer *self = arg;
    (void)putchar('.');
    (void)fflush(stdout);
    account_alive(&self->account, limits()->write_ms + ACCOUNT_ALIVE_MS);
}

/* Wait, but no longer than rsyslogd lives. */
static bool pause_for(int64_t ms)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, (int)ms) == 0;
}

/* ---- transaction --------------------------------------------------------- */

/* Without a spool a transaction is safe as long as this process is. */
static int begin(struct indexer *self, const char *text, struct error *err)
{
    struct buffer left = BUFFER_INIT(SPOOL_MAX);
    struct error why = {0};
    destination_release(&self->to);
    int rc = destination_parse(text, &self->to, err);
    if (rc < 0)
        return rc;
    generations_open(&self->generations, self->to.spool);
    account_open(&self->account, &self->to);
    if (self->spool.fd >= 0)
        return 0;
    if (spool_open(&self->spool, self->to.spool, SPOOL_WAIT_MS, &left, &why) < 0)
        complaint_tell(&self->complaint, "goes on without it", why.text);
    else /* what a predecessor had confirmed, but not brought there */
        rc = bulk_add_lines(&self->bulk, buffer_text(&left), left.len, err);
    buffer_release(&left);
    return rc;
}

static int take_record(struct indexer *self, char *line, size_t len, struct error *err)
{
    struct error why = {0};
    if (self->to.urls == 0)
        return error_set(err, -EBADMSG, "a record before BEGIN");
    (void)generations_complete(&self->generations, line, len);
    if (redact_record(&self->to.secrets, line, len))
        complaint_tell(&self->complaint, "a log held the credential", "is a link among the logs?");
    if (self->spool.fd >= 0 && spool_add(&self->spool, line, len, &why) < 0)
        complaint_tell(&self->complaint, "goes on without it", why.text);
    return bulk_add(&self->bulk, line, len - 1, err);
}

static void tell_losses(struct indexer *self)
{
    char text[400];
    if (!sender_describe(&self->sender, text, sizeof text) ||
        !complaint_is_time(&self->losses_told, COMPLAINT_AGAIN_MS))
        return;
    program_log(self->sender.losses.cut ? LOG_ERR : LOG_WARNING, "%s", text);
    self->sender.losses = (struct sender_losses){0};
}

/* Until each record is there. Returns 0, or negative errno when it must end. */
static int commit(struct indexer *self, struct error *err)
{
    char now[32];
    int64_t pause_ms = limits()->write_again_ms, most_ms = 40 * pause_ms;
    time_t t = time(NULL);
    struct tm utc;
    (void)strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
    self->sender.now = now;
    self->sender.limit_ms = limits()->write_ms;
    for (;;) {
        size_t before = bulk_waiting(&self->bulk);
        int rc = sender_send(&self->sender, err);
        tell_losses(self);
        if (rc != -EAGAIN)
            return rc;
        complaint_tell(&self->complaint, "records wait", err->text);
        account_note(&self->account, bulk_waiting(&self->bulk), err->text,
                     pause_ms + ACCOUNT_ALIVE_MS);
        if (bulk_waiting(&self->bulk) < before)
            pause_ms = limits()->write_again_ms;
        if (!pause_for(pause_ms))
            return error_set(err, -EPIPE, "ends; the records are sent again");
        pause_ms = pause_ms * 2 > most_ms ? most_ms : pause_ms * 2;
    }
}

static int end_transaction(struct indexer *self, struct error *err)
{
    struct error why = {0};
    if (commit(self, err) < 0)
        return -EPIPE;
    self->account.account.arrived += (int64_t)self->bulk.n;
    bulk_clear(&self->bulk);
    account_note(&self->account, 0, "", ACCOUNT_ALIVE_MS);
    if (self->spool.fd >= 0 && spool_clear(&self->spool, &why) < 0)
        complaint_tell(&self->complaint, "what is in it comes again", why.text);
    return answer("OK", err);
}

/* `text` ends with a newline and holds secrets. A wrong one is answered and comes again. */
static int begin_transaction(struct indexer *self, const char *text, size_t len, struct error *err)
{
    char *copy = strndup(text, len - 1);
    if (!copy)
        return error_set(err, -ENOMEM, "out of memory");
    struct error why = {0};
    int rc = answer(begin(self, copy, &why) < 0 ? why.text : "OK", err);
    explicit_bzero(copy, len - 1);
    free(copy);
    return rc;
}

static int serve(struct indexer *self, char *line, size_t len, struct error *err)
{
    static const char begins[] = "BEGIN\t", commits[] = "COMMIT\n";
    size_t word = sizeof begins - 1;
    if (len == 1) /* after a record that ends with a newline of its own */
        return 0;
    if (len > word && memcmp(line, begins, word) == 0)
        return begin_transaction(self, line + word, len - word, err);
    if (len == sizeof commits - 1 && memcmp(line, commits, len) == 0)
        return end_transaction(self, err);
    if (line[0] != '+')
        return error_set(err, -EBADMSG, "neither BEGIN, +ID nor COMMIT");
    int rc = take_record(self, line + 1, len - 1, err);
    return rc < 0 ? rc : answer("DEFER_COMMIT", err);
}

static int serve_all(struct indexer *self, struct error *err)
{
    struct line_reader lines = {.fd = STDIN_FILENO,
                                .in = BUFFER_INIT(LINE_LIMIT),
                                .idle_ms = ACCOUNT_ALIVE_MS / 3,
                                .idle = account_idle,
                                .arg = &self->account};
    char *line = NULL;
    size_t len = 0;
    int got = 0;
    int rc = answer("OK", err);
    while (rc == 0 && (got = line_reader_next(&lines, &line, &len)) > 0)
        rc = serve(self, line, len, err);
    buffer_wipe(&lines.in);
    return rc < 0 ? rc : got;
}

int main(int argc, char **argv)
{
    static struct indexer self = {.sender = {.busy = begin_request,
                                             .arg = &self,
                                             .to = &self.to,
                                             .bulk = &self.bulk,
                                             .account = &self.account.account},
                                  .account = {.complaint = &self.complaint},
                                  .generations = {.complaint = &self.complaint},
                                  .spool = {.fd = -1}};
    struct error err = {0};
    program_start("index-records");
    int rc = program_options(argc, argv, &(struct program_usage){.help = help}, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    /* Who asked is gone, or has been killed: its successor sends everything again. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    rc = serve_all(&self, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text[0] ? err.text : strerror(-rc));
    spool_close(&self.spool);
    bulk_release(&self.bulk);
    sender_release(&self.sender);
    destination_release(&self.to);
    return rc < 0 ? HANDLER_FAILED : HANDLER_DONE;
}
