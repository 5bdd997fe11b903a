#include "indexer/sender.h"

#include "base/buffer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY (1U << 30) /* bytes; what one request holds beyond `bytes` is one record */

/* ---- where to ------------------------------------------------------------ */

static int set_text(char *to, size_t size, const char *name, const char *value, struct error *err)
{
    size_t len = strlen(value);
    if (len >= size || to[0])
        return error_set(err, -EINVAL, "%s: too long, or given twice", name);
    memcpy(to, value, len + 1);
    return 0;
}

static int add_url(struct destination *to, const char *value, struct error *err)
{
    struct url url;
    struct error why = {0};
    if (to->urls == SETTINGS_URLS)
        return error_set(err, -EINVAL, "url: more than %d", SETTINGS_URLS);
    if (url_parse(value, &url, &why) < 0)
        return error_set(err, -EINVAL, "url: %s", why.text);
    (void)url_format(&url, to->url[to->urls++]);
    return 0;
}

/* It becomes a part of the address. */
static int set_index(struct destination *to, const char *value, struct error *err)
{
    if (to->index[0] || setting_value_index(value, to->index, NULL) < 0)
        return error_set(err, -EINVAL, "index: no name of an index, or given twice");
    return 0;
}

static int set_bytes(struct destination *to, const char *value, struct error *err)
{
    char *end = NULL;
    unsigned long long bytes = strtoull(value, &end, 10);
    if (*value < '1' || *end || bytes > BODY / 2 || to->bytes)
        return error_set(err, -EINVAL, "bytes: a number from 1 to %u, once", BODY / 2);
    to->bytes = (size_t)bytes;
    return 0;
}

static int set(struct destination *to, const char *name, const char *value, struct error *err)
{
    struct credential *c = &to->credential;
    const struct {
        const char *name;
        char *text;
        size_t size;
    } texts[] = {
        {"spool", to->spool, sizeof to->spool},
        {"user", c->user, sizeof c->user},
        {"password", c->password, sizeof c->password},
        {"api_key", c->encoded, sizeof c->encoded},
        {"ca", c->ca, sizeof c->ca},
        {"cert", c->cert, sizeof c->cert},
        {"key", c->key, sizeof c->key},
    };
    if (strcmp(name, "url") == 0)
        return add_url(to, value, err);
    if (strcmp(name, "index") == 0)
        return set_index(to, value, err);
    if (strcmp(name, "bytes") == 0)
        return set_bytes(to, value, err);
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (strcmp(name, texts[i].name) == 0)
            return set_text(texts[i].text, texts[i].size, name, value, err);
    }
    return error_set(err, -EINVAL, "%.30s is no setting of a destination", name);
}

static int set_pair(struct destination *to, char *pair, struct error *err)
{
    char *value = strchr(pair, '=');
    if (!value)
        return error_set(err, -EINVAL, "a setting without \"=\"");
    *value++ = '\0';
    return *value ? set(to, pair, value, err) : 0;
}

static int check(const struct destination *to, struct error *err)
{
    const struct credential *c = &to->credential;
    if (to->urls == 0 || !to->index[0] || !to->bytes || to->spool[0] != '/')
        return error_set(err, -EINVAL, "url, index, bytes and spool are needed");
    if (!c->user[0] != !c->password[0] || !c->cert[0] != !c->key[0] ||
        (c->user[0] && c->encoded[0]))
        return error_set(err, -EINVAL, "user and password, or api_key; cert and key: both or none");
    return 0;
}

/* As a string of RainerScript or JSON has it. */
static void escape(const char *text, char *ret)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *ret++ = '\\';
        *ret++ = *text;
    }
    *ret = '\0';
}

static void find_secrets(struct destination *to)
{
    memcpy(to->secret[2], to->credential.password, sizeof to->credential.password);
    escape(to->secret[2], to->secret[1]);
    escape(to->secret[1], to->secret[0]);
    memcpy(to->secret[3], to->credential.encoded, sizeof to->credential.encoded);
}

int destination_parse(const char *text, struct destination *ret, struct error *err)
{
    char *copy = strdup(text), *rest = copy;
    *ret = (struct destination){.urls = 0};
    if (!copy)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = 0;
    for (char *pair = strsep(&rest, "\t"); rc == 0 && pair; pair = strsep(&rest, "\t"))
        rc = set_pair(ret, pair, err);
    explicit_bzero(copy, strlen(text));
    free(copy);
    if (rc == 0)
        rc = check(ret, err);
    if (rc < 0) {
        destination_release(ret);
        return rc;
    }
    find_secrets(ret);
    return 0;
}

bool destination_blank(const struct destination *to, char *record, size_t len)
{
    bool any = false;
    for (size_t i = 0; i < SENDER_FORMS; i++) {
        size_t n = strlen(to->secret[i]);
        char *at = record, *found;
        while (n > 0 && (found = memmem(at, len - (size_t)(at - record), to->secret[i], n))) {
            memset(found, '*', n);
            at = found + n;
            any = true;
        }
    }
    return any;
}

void destination_release(struct destination *destination)
{
    explicit_bzero(destination, sizeof *destination);
}

/* ---- sending ------------------------------------------------------------- */

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
