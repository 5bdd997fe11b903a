/* SPDX-License-Identifier: MIT */
#include "indexer/intake.h"

#include "base/text.h"
#include "indexer/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_WAIT_MS 5000 /* our predecessor may be about to end */
#define AGAIN_MS      250  /* before a record is written again */

/* ---- where to ----------------------------------------------------------- */

void intake_end(struct intake *intake)
{
    if (!intake->begun)
        return;
    forwarder_stop(&intake->forwarder);
    queue_close(&intake->queue);
    generations_release(&intake->generations);
    destination_release(&intake->to);
    explicit_bzero(intake->begun, strlen(intake->begun));
    free(intake->begun);
    intake->begun = NULL;
}

/* Without a queue nothing is taken, and there is nobody else to say it. */
static void tell_no_queue(struct intake *intake, const char *why)
{
    struct account_file file = {.complaint = &intake->complaint};
    complaint_tell(&intake->complaint, "no log is read on", why);
    account_open(&file, &intake->to);
    text_copy(file.account.stopped, sizeof file.account.stopped, why);
    account_note(&file, "", 2 * ACCOUNT_ALIVE_MS);
}

static int open_queue(struct intake *intake, struct error *err)
{
    const struct destination *to = &intake->to;
    int rc = queue_open(&intake->queue, to->queue, to->queue_disk, QUEUE_WAIT_MS, err);
    if (rc < 0) {
        tell_no_queue(intake, err->text);
        return rc;
    }
    intake->forwarder.complaint = intake->generations.complaint = &intake->complaint;
    generations_open(&intake->generations, to->queue, intake->queue.next);
    rc = forwarder_start(&intake->forwarder, to, intake->queue.next - 1, err);
    if (rc < 0)
        queue_close(&intake->queue);
    return rc;
}

/* The same text comes with each transaction. */
int intake_begin(struct intake *intake, const char *text, struct error *err)
{
    if (intake->begun && strcmp(intake->begun, text) == 0)
        return 0;
    intake_end(intake);
    int rc = destination_parse(text, &intake->to, err);
    if (rc == 0)
        rc = open_queue(intake, err);
    if (rc == 0) {
        intake->begun = strdup(text);
        if (intake->begun)
            return 0;
        forwarder_stop(&intake->forwarder);
        queue_close(&intake->queue);
        rc = error_set(err, -ENOMEM, "out of memory");
    }
    destination_release(&intake->to);
    return rc;
}

/* ---- records ------------------------------------------------------------- */

/* What has arrived makes room: now, or when it is worth it. */
static void settle(struct intake *intake, bool now)
{
    forwarder_keep(&intake->forwarder);
    if (intake->forwarder.shared->next == intake->queue.next)
        queue_all_read(&intake->queue, now);
}

/* A record that cannot be written is not confirmed, and rsyslogd reads nothing more. */
static int add(struct intake *intake, enum queue_kind kind, const char *record, size_t len,
               struct error *err)
{
    for (;;) {
        struct error why = {0};
        const int rc = queue_add(&intake->queue, kind, record, len, &why);
        intake->forwarder.shared->stopped = rc;
        if (rc == 0 || rc == -EMSGSIZE || rc == -ENOMEM)
            return rc == 0 ? 0 : error_set(err, rc, "%s", why.text);
        complaint_tell(&intake->complaint, "no log is read on", why.text);
        settle(intake, true);
        if (!intake->hold(intake->arg, AGAIN_MS))
            return error_set(err, -EPIPE, "ends; the record is sent again");
    }
}

/* "ID<tab>RECORD" */
int intake_take(struct intake *intake, char *record, size_t len, struct error *err)
{
    static const char probe[] = "probe-", wake[] = "wake\t"; /* rsyslog.conf.mustache */
    enum queue_kind kind = QUEUE_LINE_NEW;
    if (!intake->begun)
        return error_set(err, -EBADMSG, "a record before BEGIN");
    if (!memchr(record, '\t', len) || memchr(record, '\0', len))
        return error_set(err, -EBADMSG, "a record is not ID<tab>RECORD");
    if (len > sizeof wake - 1 && memcmp(record, wake, sizeof wake - 1) == 0)
        return 0;
    if (len > sizeof probe && memcmp(record, probe, sizeof probe - 1) == 0)
        kind = QUEUE_LINE_OURS;
    if (generations_complete(&intake->generations, intake->queue.next, record, &len))
        kind = QUEUE_LINE_AGAIN;
    if (redact_record(&intake->to.secrets, record, len))
        complaint_tell(&intake->complaint, "a log held the credential",
                       "is a link among the logs?");
    int rc = add(intake, kind, record, len, err);
    if (rc < 0)
        return rc;
    intake->forwarder.shared->taken = intake->queue.next - 1;
    forwarder_wake(&intake->forwarder);
    return 0;
}

void intake_settle(struct intake *intake, bool idle)
{
    struct error why = {0};
    if (!intake->begun)
        return;
    if (queue_sync(&intake->queue, idle, &why) < 0)
        complaint_tell(&intake->complaint, "a power cut may cost records", why.text);
    settle(intake, false);
}
