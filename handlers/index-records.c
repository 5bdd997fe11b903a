/* SPDX-License-Identifier: MIT */
/* index-records: the end of the log shipper's way; rsyslogd's omprog gives it records, it
 * brings them into Elasticsearch.
 *
 * In place of rsyslogd's own omelasticsearch, which takes every answer for a success: of what
 * is answered with 401, 403, 429 or 503, or with such an item, nothing is sent again. And in place of
 * its disk queue, which drops what it cannot write. A record is confirmed when it is in a queue of ours
 * (queue.h); one that cannot be written there is not confirmed, however long, and rsyslogd reads no
 * log on. A child sends what is in the queue (forwarder.h).
 *
 * What it is told (a line each) and answers:
 *
 *   (its start)                         OK
 *   BEGIN<tab>name=value<tab>...        OK, or what is wrong       (destination.h)
 *   +ID<tab>RECORD                      DEFER_COMMIT, after dots, which say that it lives
 *   COMMIT                              OK */
#include "base/boottime.h"
#include "base/buffer.h"
#include "base/program.h"
#include "indexer/intake.h"
#include "indexer/line_reader.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_LIMIT (16U << 20) /* bytes: rsyslogd's maxMessageSize, each escaped */
#define DOT_MS     5000        /* omprog takes 4,095 dots, then it starts us again */
#define IDLE_MS    2000

static const char help[] =
    "usage: index-records\n"
    "\n"
    "Writes records to Elasticsearch for rsyslogd (omprog with confirmMessages and\n"
    "useTransactions, see consul.d/logging/rsyslog.conf.mustache). Confirms a record when it\n"
    "is in a queue on disk, and sends from there: what is refused for now is sent again, what\n"
    "is refused for good goes as text to INDEX-refused. Says in syslog, and in the account,\n"
    "what keeps it.\n"
    "\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 end of input, 1 failed, 2 usage\n"
    "example (by hand): printf 'COMMIT\\n' | index-records\n";

struct indexer {
    struct line_reader lines;
    struct intake intake;
    int64_t dot_ms;
};

/* ---- to and from omprog -------------------------------------------------- */

/* Nobody may think that rsyslogd has heard what it has not. */
static int answer(const char *text, struct error *err)
{
    if (printf("%s\n", text) >= 0 && fflush(stdout) == 0)
        return 0;
    return error_set(err, -EPIPE, "cannot answer rsyslogd: %s", strerror(errno));
}

/* Wait, but no longer than rsyslogd lives. */
static bool hold(void *arg, int64_t ms)
{
    struct indexer *self = arg;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (complaint_is_time(&self->dot_ms, DOT_MS)) {
        (void)putchar('.');
        (void)fflush(stdout);
    }
    return poll(&input, 1, (int)ms) == 0;
}

/* ---- what it is told ----------------------------------------------------- */

/* `text` ends with a newline and holds secrets. A wrong one is answered and comes again. */
static int begin_transaction(struct indexer *self, char *text, size_t len, struct error *err)
{
    struct error why = {0};
    text[len - 1] = '\0';
    int rc = answer(intake_begin(&self->intake, text, &why) < 0 ? why.text : "OK", err);
    explicit_bzero(text, len - 1);
    return rc;
}

static int take_record(struct indexer *self, char *record, size_t len, struct error *err)
{
    int rc = intake_take(&self->intake, record, len, err);
    return rc < 0 ? rc : answer("DEFER_COMMIT", err);
}

static int end_transaction(struct indexer *self, struct error *err)
{
    intake_settle(&self->intake, false);
    self->lines.idle_ms = QUEUE_SYNC_MS;
    return answer("OK", err);
}

static void idle(void *arg)
{
    struct indexer *self = arg;
    intake_settle(&self->intake, true);
    self->lines.idle_ms = IDLE_MS;
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
    return take_record(self, line + 1, len - 2, err);
}

static int serve_all(struct indexer *self, struct error *err)
{
    char *line = NULL;
    size_t len = 0;
    int got = 0;
    int rc = answer("OK", err);
    while (rc == 0 && (got = line_reader_next(&self->lines, &line, &len)) > 0)
        rc = serve(self, line, len, err);
    buffer_wipe(&self->lines.in);
    return rc < 0 ? rc : got;
}

int main(int argc, char **argv)
{
    static struct indexer self;
    struct error err = {0};
    program_start("index-records");
    int rc = program_options(argc, argv, &(struct program_usage){.help = help}, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    /* Who asked is gone, or has been killed: its successor sends everything again. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    self.lines = (struct line_reader){.fd = STDIN_FILENO,
                                      .in = BUFFER_INIT(LINE_LIMIT),
                                      .idle_ms = IDLE_MS,
                                      .idle = idle,
                                      .arg = &self};
    self.intake.hold = hold;
    self.intake.arg = &self;
    rc = serve_all(&self, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text[0] ? err.text : strerror(-rc));
    intake_end(&self.intake);
    return rc < 0 ? HANDLER_FAILED : HANDLER_DONE;
}
