/* SPDX-License-Identifier: MIT */
#include "indexer/sender.h"

#include "base/buffer.h"
#include "settings/redact.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY (2U * DESTINATION_BYTES) /* what one request holds beyond `bytes` is one record */

static const char *url_now(const struct sender *self)
{
    return self->to->url[self->at];
}

/* At the first URL that answers, beginning with the one that did last. */
static enum elasticsearch_trouble post(struct sender *self, const struct buffer *body,
                                       cJSON **ret_answer, struct error *err)
{
    enum elasticsearch_trouble trouble = ELASTICSEARCH_SLOW;
    const struct credential *c = &self->to->credential;
    struct elasticsearch_place place = {.index = self->to->index, .limit_ms = self->limit_ms};
    if (c->user[0] || c->encoded[0] || c->ca[0] || c->cert[0])
        place.credential = c;
    for (size_t i = 0; i < self->to->urls; i++) {
        self->at %= self->to->urls;
        self->busy(self->arg);
        place.url = url_now(self);
        trouble = elasticsearch_write(&self->http, &place, body, ret_answer, err);
        if (trouble == ELASTICSEARCH_OK || trouble == ELASTICSEARCH_UNTAKEN ||
            trouble == ELASTICSEARCH_LARGE)
            break;
        self->at++;
    }
    return trouble;
}

/* "(TYPE: REASON)", what of it is known. They are Elasticsearch's words, and it knows what it
 * was sent: the caller redacts. */
static const char *words_of(const struct bulk_answer *answer, char ret[BULK_WHY + BULK_REASON + 8])
{
    bool both = answer->why[0] && answer->reason[0];
    ret[0] = '\0';
    if (answer->why[0] || answer->reason[0])
        (void)snprintf(ret, BULK_WHY + BULK_REASON + 8, " (%s%s%s)", answer->why, both ? ": " : "",
                       answer->reason);
    return ret;
}

/* The index, or the one for what is refused, takes nothing: its own reason, for an admin. */
static int blame(const struct sender *self, const char *end, const struct bulk_answer *answer,
                 struct error *err)
{
    char words[BULK_WHY + BULK_REASON + 8];
    (void)error_set(err, -EAGAIN, "%s: the index %s%s takes no record, %d%s", url_now(self),
                    self->to->index, end, answer->status, words_of(answer, words));
    redact_error(&self->to->credential, err);
    return -EAGAIN;
}

/* Does the index take anything? An empty record needs no mapping and conflicts with none.
 * Returns 0, or -EAGAIN with its reason. */
static int ask_index(struct sender *self, struct error *err)
{
    static const char line[] = "lictor-canary\t{}";
    struct bulk bulk = {.n = 0};
    struct bulk_part part;
    struct bulk_answer answer = {.taken = 0};
    struct buffer body = BUFFER_INIT(1000);
    cJSON *root = NULL;
    const struct bulk_order order = {.records = 1, .bytes = 1000, .index = self->to->index};
    int rc = bulk_add(&bulk, line, sizeof line - 1, err);
    if (rc == 0)
        rc = bulk_body(&bulk, &order, &body, &part, err);
    enum elasticsearch_trouble trouble = rc == 0 ? post(self, &body, &root, err)
                                                 : ELASTICSEARCH_SLOW;
    if (rc == 0 && trouble != ELASTICSEARCH_UNTAKEN)
        rc = trouble == ELASTICSEARCH_OK && bulk_judge(&bulk, &part, root, &answer, err) == 0
                 ? 0
                 : -EAGAIN;
    if (rc == 0 && answer.taken == 0) {
        answer.status = answer.status ? answer.status : (int)self->http.status;
        rc = blame(self, "", &answer, err);
    }
    cJSON_Delete(root);
    buffer_release(&body);
    bulk_release(&bulk);
    return rc;
}

/* What was refused. Returns 0, or -EAGAIN when an index is to blame. */
static int settle(struct sender *self, const struct bulk_part *part,
                  const struct bulk_answer *answer, struct error *err)
{
    struct sender_losses *losses = &self->losses;
    losses->as_text += answer->as_text;
    losses->cut += answer->cut;
    self->account->arrived += (int64_t)answer->arrived;
    self->account->as_text += (int64_t)answer->as_text;
    self->account->cut += (int64_t)answer->cut;
    if (answer->refused > 0) {
        int rc = answer->taken > 0 ? 0 : ask_index(self, err);
        if (rc < 0)
            return rc;
        (void)bulk_condemn(self->bulk, part);
        if (answer->again + answer->stuck == 0)
            memcpy(losses->why, answer->why, sizeof losses->why);
    }
    return answer->stuck > 0 ? blame(self, BULK_REFUSED, answer, err) : 0;
}

/* The answer to a request of part->records. Returns 0, -EAGAIN. */
static int judge_answer(struct sender *self, const struct bulk_part *part, const cJSON *root,
                        struct error *err)
{
    struct bulk_answer answer;
    char words[BULK_WHY + BULK_REASON + 8];
    if (bulk_judge(self->bulk, part, root, &answer, err) < 0)
        return error_set(err, -EAGAIN, "%s: %.300s: what runs there?", url_now(self), err->text);
    int rc = settle(self, part, &answer, err);
    if (rc < 0)
        return rc;
    if (answer.again > 0) {
        (void)error_set(err, -EAGAIN, "%s: %d for a record%s: it is sent again", url_now(self),
                        answer.status, words_of(&answer, words));
        redact_error(&self->to->credential, err);
        return -EAGAIN;
    }
    self->most = self->most < SENDER_RECORDS / 2 ? self->most * 2 : SENDER_RECORDS;
    return 0;
}

/* Smaller requests are what helps when one is refused, or too much for who answers. */
static void shrink(struct sender *self, size_t records)
{
    self->most = records > 1 ? records / 2 : 1;
}

/* Send a part that has records. Returns as send_part(). */
static int send_records(struct sender *self, const struct bulk_part *part,
                        const struct buffer *body, size_t *at, struct error *err)
{
    struct bulk_answer refused;
    cJSON *root = NULL;
    int rc = -EAGAIN;
    enum elasticsearch_trouble trouble = post(self, body, &root, err);
    if (trouble == ELASTICSEARCH_OK) {
        rc = judge_answer(self, part, root, err);
    } else if (trouble == ELASTICSEARCH_UNTAKEN && part->records == 1) {
        bulk_refuse(self->bulk, part, (int)self->http.status, &refused);
        rc = settle(self, part, &refused, err);
    } else if ((trouble == ELASTICSEARCH_UNTAKEN || trouble == ELASTICSEARCH_LARGE) &&
               part->records > 1) {
        shrink(self, part->records);
        cJSON_Delete(root);
        return 0; /* the same again, in smaller requests */
    }
    if (rc == -EAGAIN)
        shrink(self, part->records);
    *at = part->end;
    cJSON_Delete(root);
    return rc;
}

/* One request from *at on. Returns 0 with *at where the next one begins, or -EAGAIN, -ENOMEM. */
static int send_part(struct sender *self, size_t *at, struct error *err)
{
    struct buffer body = BUFFER_INIT(BODY);
    const struct bulk_order order = {.begin = *at,
                                     .records = self->most,
                                     .bytes = self->to->bytes,
                                     .now = self->now,
                                     .index = self->to->index};
    struct bulk_part part;
    int rc = bulk_body(self->bulk, &order, &body, &part, err);
    if (rc == 0 && part.records > 0)
        rc = send_records(self, &part, &body, at, err);
    else
        *at = part.end;
    buffer_release(&body);
    return rc;
}

int sender_send(struct sender *sender, struct error *err)
{
    int rc = 0;
    if (sender->most == 0)
        sender->most = SENDER_RECORDS;
    /* Again from the beginning for what goes as text. */
    while (rc == 0 && bulk_waiting(sender->bulk) > 0) {
        for (size_t at = 0; rc == 0 && at < sender->bulk->n;)
            rc = send_part(sender, &at, err);
    }
    return rc;
}

bool sender_describe(const struct sender *sender, char *ret, size_t size)
{
    const struct sender_losses *losses = &sender->losses;
    int len = snprintf(ret, size, "%s has refused %zu records (%s): they are in %s" BULK_REFUSED,
                       sender->to->index, losses->as_text,
                       losses->why[0] ? losses->why : "too large", sender->to->index);
    if (losses->cut > 0)
        (void)snprintf(ret + len, size - (size_t)len,
                       ", of %zu the first %d KiB; the rest is in their files only", losses->cut,
                       BULK_MESSAGE / 1024);
    return losses->as_text > 0;
}

void sender_release(struct sender *sender)
{
    http_release(&sender->http);
}
