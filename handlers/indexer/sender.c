#include "indexer/sender.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BODY (2U * DESTINATION_BYTES) /* what one request holds beyond `bytes` is one record */

/* What was refused. Returns 0, or -EAGAIN when the index is to blame. */
static int settle(struct sender *self, const struct destination *to, struct bulk *bulk,
                  const struct bulk_part *part, const struct bulk_answer *answer,
                  struct sender_losses *losses, struct error *err)
{
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
                         to->url[self->at], to->index, answer->why[0] ? ", " : "", answer->why);
    self->trust -= self->trust < answer->stuck ? self->trust : answer->stuck;
    losses->given_up += answer->stuck;
    bulk_give_up(bulk, part);
    return 0;
}

/* At the first URL that answers, beginning with the one that did last. */
static enum elasticsearch_trouble post(struct sender *self, const struct destination *to,
                                       const struct buffer *body, int64_t limit_ms,
                                       cJSON **ret_answer, struct error *err)
{
    enum elasticsearch_trouble trouble = ELASTICSEARCH_SLOW;
    const struct credential *c = &to->credential;
    if (!c->user[0] && !c->encoded[0] && !c->ca[0] && !c->cert[0])
        c = NULL;
    for (size_t i = 0; i < to->urls; i++) {
        self->at %= to->urls;
        self->busy();
        const struct elasticsearch_place place = {
            .url = to->url[self->at], .index = to->index, .credential = c, .limit_ms = limit_ms};
        trouble = elasticsearch_write(&self->http, &place, body, ret_answer, err);
        if (trouble == ELASTICSEARCH_OK || trouble == ELASTICSEARCH_UNTAKEN ||
            trouble == ELASTICSEARCH_LARGE)
            break;
        self->at++;
    }
    return trouble;
}

/* The answer to a request of part->records. Returns 0, -EAGAIN. */
static int judge(struct sender *self, const struct destination *to, struct bulk *bulk,
                 const struct bulk_part *part, const cJSON *root, struct sender_losses *losses,
                 struct error *err)
{
    struct bulk_answer answer;
    if (bulk_judge(bulk, part, root, &answer, err) < 0)
        return error_set(err, -EAGAIN, "%s: %.300s: what runs there?", to->url[self->at],
                         err->text);
    int rc = settle(self, to, bulk, part, &answer, losses, err);
    if (rc < 0)
        return rc;
    if (answer.again > 0)
        return error_set(err, -EAGAIN, "%s: %d%s%s for a record: it is sent again",
                         to->url[self->at], answer.status, answer.why_again[0] ? " " : "",
                         answer.why_again);
    self->most = self->most < SENDER_RECORDS / 2 ? self->most * 2 : SENDER_RECORDS;
    return 0;
}

/* Smaller requests are what helps when one is refused, or too much for who answers. */
static void shrink(struct sender *self, size_t records)
{
    self->most = records > 1 ? records / 2 : 1;
}

/* One request. Returns 0 with *ret_end where the next one begins, or -EAGAIN, -ENOMEM. */
static int send_part(struct sender *self, const struct destination *to, struct bulk *bulk,
                     size_t begin, const char *now, int64_t limit_ms, struct sender_losses *losses,
                     size_t *ret_end, struct error *err)
{
    struct buffer body = BUFFER_INIT(BODY);
    struct bulk_part part;
    struct bulk_answer refused;
    cJSON *root = NULL;
    int rc = bulk_body(bulk, begin, self->most, to->bytes, now, &body, &part, err);
    *ret_end = part.end;
    if (rc == 0 && part.records > 0) {
        enum elasticsearch_trouble trouble = post(self, to, &body, limit_ms, &root, err);
        if (trouble == ELASTICSEARCH_OK) {
            rc = judge(self, to, bulk, &part, root, losses, err);
        } else if (trouble == ELASTICSEARCH_UNTAKEN && part.records == 1) {
            bulk_refuse(bulk, &part, &refused);
            rc = settle(self, to, bulk, &part, &refused, losses, err);
        } else if ((trouble == ELASTICSEARCH_UNTAKEN || trouble == ELASTICSEARCH_LARGE) &&
                   part.records > 1) {
            *ret_end = begin;
            shrink(self, part.records);
        } else {
            rc = -EAGAIN;
        }
        if (rc == -EAGAIN)
            shrink(self, part.records);
    }
    cJSON_Delete(root);
    buffer_release(&body);
    return rc;
}

int sender_send(struct sender *sender, const struct destination *to, struct bulk *bulk,
                const char *now, int64_t limit_ms, struct sender_losses *losses, struct error *err)
{
    int rc = 0;
    if (sender->most == 0)
        sender->most = SENDER_RECORDS;
    /* Again from the beginning for what goes as text. */
    while (rc == 0 && bulk_waiting(bulk) > 0) {
        for (size_t at = 0; rc == 0 && at < bulk->n;)
            rc = send_part(sender, to, bulk, at, now, limit_ms, losses, &at, err);
    }
    return rc;
}

bool sender_describe(const struct sender_losses *losses, const char *index, char *ret, size_t size)
{
    (void)snprintf(ret, size,
                   "%s has refused %zu records (%s): written as text, see \"refused\"; "
                   "%zu were refused even so and are in their files only",
                   index, losses->as_text, losses->why[0] ? losses->why : "too large",
                   losses->given_up);
    return losses->as_text + losses->given_up > 0;
}

void sender_release(struct sender *sender)
{
    http_release(&sender->http);
}
