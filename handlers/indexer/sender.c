/* SPDX-License-Identifier: MIT */
#include "indexer/sender.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY (2U * DESTINATION_BYTES) /* what one request holds beyond `bytes` is one record */

static const char *url_now(const struct sender *self)
{
    return self->to->url[self->at];
}

/* What was refused. Returns 0, or -EAGAIN when the index is to blame. */
static int settle(struct sender *self, const struct bulk_part *part,
                  const struct bulk_answer *answer, struct error *err)
{
    struct sender_losses *losses = &self->losses;
    if (answer->done > 0)
        self->trust = SENDER_TRUST;
    losses->as_text += answer->as_text;
    if (answer->as_text + answer->stuck > 0)
        memcpy(losses->why, answer->why, sizeof losses->why);
    if (answer->stuck == 0)
        return 0;
    if (self->trust == 0)
        return error_set(err, -EAGAIN,
                         "%s: %s takes no record%s%s: is it an index, or a "
                         "data stream, for this?",
                         url_now(self), self->to->index, answer->why[0] ? ", " : "", answer->why);
    self->trust -= self->trust < answer->stuck ? self->trust : answer->stuck;
    losses->given_up += answer->stuck;
    bulk_give_up(self->bulk, part);
    return 0;
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
        self->busy();
        place.url = url_now(self);
        trouble = elasticsearch_write(&self->http, &place, body, ret_answer, err);
        if (trouble == ELASTICSEARCH_OK || trouble == ELASTICSEARCH_UNTAKEN ||
            trouble == ELASTICSEARCH_LARGE)
            break;
        self->at++;
    }
    return trouble;
}

/* The answer to a request of part->records. Returns 0, -EAGAIN. */
static int judge_answer(struct sender *self, const struct bulk_part *part, const cJSON *root,
                        struct error *err)
{
    struct bulk_answer answer;
    if (bulk_judge(self->bulk, part, root, &answer, err) < 0)
        return error_set(err, -EAGAIN, "%s: %.300s: what runs there?", url_now(self), err->text);
    int rc = settle(self, part, &answer, err);
    if (rc < 0)
        return rc;
    if (answer.again > 0)
        return error_set(err, -EAGAIN, "%s: %d%s%s for a record: it is sent again", url_now(self),
                         answer.status, answer.why_again[0] ? " " : "", answer.why_again);
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
        bulk_refuse(self->bulk, part, &refused);
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
    const struct bulk_order order = {
        .begin = *at, .records = self->most, .bytes = self->to->bytes, .now = self->now};
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
    (void)snprintf(ret, size,
                   "%s has refused %zu records (%s): written as text, see \"refused\"; "
                   "%zu were refused even so and are in their files only",
                   sender->to->index, losses->as_text, losses->why[0] ? losses->why : "too large",
                   losses->given_up);
    return losses->as_text + losses->given_up > 0;
}

void sender_release(struct sender *sender)
{
    http_release(&sender->http);
}
