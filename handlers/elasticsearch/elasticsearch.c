/* SPDX-License-Identifier: MIT */
#include "elasticsearch/elasticsearch.h"

#include "base/buffer.h"
#include "base/json.h"
#include "settings/redact.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool elasticsearch_passes(enum elasticsearch_trouble trouble)
{
    static const bool passing[ELASTICSEARCH_UNTAKEN + 1] = {
        [ELASTICSEARCH_DNS] = true,         [ELASTICSEARCH_REFUSED] = true,
        [ELASTICSEARCH_UNREACHABLE] = true, [ELASTICSEARCH_SLOW] = true,
        [ELASTICSEARCH_CUT] = true,         [ELASTICSEARCH_429] = true,
        [ELASTICSEARCH_5XX] = true,
    };
    return passing[trouble];
}

bool elasticsearch_demands(enum elasticsearch_trouble trouble)
{
    return trouble == ELASTICSEARCH_401 || trouble == ELASTICSEARCH_403 ||
           trouble == ELASTICSEARCH_UNTRUSTED || trouble == ELASTICSEARCH_NO_TLS;
}

/* ---- one question -------------------------------------------------------- */

/* body NULL: GET, else len bytes; borrowed until the answer is there. */
static int prepare(struct http *http, const struct elasticsearch_place *to, const char *address,
                   const char *body, size_t len, size_t most)
{
    static const struct credential none;
    const struct credential *c = to->credential ? to->credential : &none;
    char line[sizeof c->encoded + 32] = "";
    if (c->encoded[0])
        (void)snprintf(line, sizeof line, "Authorization: ApiKey %s", c->encoded);
    const struct http_request request = {
        .url = address,
        .body = body,
        .len = len,
        .header = {"Accept: application/json", "Content-Type: application/json", line},
        .limit_ms = to->limit_ms,
        .most = most,
        .ca = c->ca,
        .cert = c->cert,
        .key = c->key,
        .user = c->user,
        .password = c->password,
    };
    int rc = http_prepare(http, &request);
    explicit_bzero(line, sizeof line);
    return rc;
}

/* ---- what became of it --------------------------------------------------- */

static enum elasticsearch_trouble judge_status(long status)
{
    if (status == 200)
        return ELASTICSEARCH_OK;
    if (status == 401)
        return ELASTICSEARCH_401;
    if (status == 403)
        return ELASTICSEARCH_403;
    if (status == 429)
        return ELASTICSEARCH_429;
    if (status >= 500)
        return ELASTICSEARCH_5XX;
    return status >= 300 && status < 400 ? ELASTICSEARCH_REDIRECT : ELASTICSEARCH_FOREIGN;
}

static enum elasticsearch_trouble judge_answer(const struct http *http, cJSON **ret_root)
{
    const struct buffer *answer = &http->answer;
    struct error ignored = {0};
    *ret_root = NULL;
    enum elasticsearch_trouble trouble = (enum elasticsearch_trouble)http->result;
    if (trouble == ELASTICSEARCH_OK)
        trouble = judge_status(http->status);
    if (trouble != ELASTICSEARCH_OK)
        return trouble;
    int rc = json_parse(buffer_text(answer), answer->len, "answer", ret_root, &ignored);
    return rc == -EMSGSIZE ? ELASTICSEARCH_LARGE : rc < 0 ? ELASTICSEARCH_GARBAGE : trouble;
}

/* ---- sentences ----------------------------------------------------------- */

static const char *const sentences[] = {
    [ELASTICSEARCH_DNS] =
        "the name cannot be resolved (DNS): is it right, and does this server's resolver answer?",
    [ELASTICSEARCH_REFUSED] =
        "connection refused (TCP): does Elasticsearch run there, and is the port right?",
    [ELASTICSEARCH_UNREACHABLE] = "no connection (TCP): is the host up, is a firewall in between?",
    [ELASTICSEARCH_EXPIRED] =
        "its certificate has expired or is not valid yet (TLS): renew it, compare the clocks",
    [ELASTICSEARCH_OTHER_NAME] = "its certificate is for another host (TLS): use the name in the "
                                 "certificate, or have this one added to it",
    [ELASTICSEARCH_SLOW] = "it takes the connection but does not answer in time: is it overloaded?",
    [ELASTICSEARCH_429] = "too busy (429): it is asked again",
    [ELASTICSEARCH_5XX] = "not ready (5xx, or without a cluster): it is asked again",
    [ELASTICSEARCH_LARGE] = "its answer is larger than any of Elasticsearch: what runs there?",
    [ELASTICSEARCH_GARBAGE] = "its answer is not JSON: what runs there?",
    [ELASTICSEARCH_REDIRECT] =
        "it redirects, which is not followed: give the address of Elasticsearch itself",
    [ELASTICSEARCH_FOREIGN] = "the server there is not Elasticsearch",
    [ELASTICSEARCH_OLD] = "older than Elasticsearch 7, which is the least",
    [ELASTICSEARCH_NO_INDEX] = "nothing was ever written to the index",
    [ELASTICSEARCH_UNSEARCHABLE] = "it refuses to search for probe records (400): their members "
                                   "must not be mapped by an index template",
    [ELASTICSEARCH_UNTAKEN] = "it refuses the whole request (400 or 413)",
};

/* 401 and 403. `right`: what 403 lacks. */
static void explain_rights(const struct elasticsearch_place *to, enum elasticsearch_trouble trouble,
                           const char *right, char *ret, size_t size)
{
    const struct credential *c = to->credential;
    const char *where = c && c->path[0] ? c->path : "use";
    if (trouble == ELASTICSEARCH_401 && c)
        (void)snprintf(ret, size, "%s: it does not know the credential in %.400s (401)", to->url,
                       where);
    else if (trouble == ELASTICSEARCH_401)
        (void)snprintf(ret, size, "%s: it demands a credential (401)", to->url);
    else if (c)
        (void)snprintf(ret, size, "%s: the credential in %.400s lacks %s (403)", to->url, where,
                       right);
    else
        (void)snprintf(ret, size, "%s: without a credential nobody has %s (403)", to->url, right);
}

/* What depends on the credential, or on the scheme. */
static void explain(const struct elasticsearch_place *to, enum elasticsearch_trouble trouble,
                    const char *right, char *ret, size_t size)
{
    const struct credential *c = to->credential;
    bool https = strncmp(to->url, "https:", 6) == 0;
    if (trouble == ELASTICSEARCH_401 || trouble == ELASTICSEARCH_403)
        explain_rights(to, trouble, right, ret, size);
    else if (trouble == ELASTICSEARCH_UNTRUSTED)
        (void)snprintf(
            ret, size,
            "%s: its certificate is of an unknown CA (TLS): name the CA's file as \"ca\" in %.400s",
            to->url, c && c->path[0] ? c->path : "a credential");
    else if (trouble == ELASTICSEARCH_NO_TLS)
        (void)snprintf(
            ret, size,
            "%s: no TLS connection: does it speak https, does it demand a client certificate?",
            to->url);
    else if (trouble == ELASTICSEARCH_CUT)
        (void)snprintf(ret, size, "%s: it ends the connection without an answer%s", to->url,
                       https ? "" : ": does it speak https only?");
    else
        (void)snprintf(ret, size, "%s: %s", to->url, sentences[trouble]);
}

/* ---- GET / --------------------------------------------------------------- */

static bool is_uuid(const char *text)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = strlen(text);
    return len >= 8 && len < ELASTICSEARCH_UUID && strspn(text, set) == len;
}

/* OpenSearch counts its versions from 1 again. */
static enum elasticsearch_trouble judge_greeting(const cJSON *root, char uuid[ELASTICSEARCH_UUID])
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    const char *number = json_text(version, "number", "");
    const char *found = json_text(root, "cluster_uuid", "");
    long major = strtol(number, NULL, 10);
    bool other = strcmp(json_text(version, "distribution", ""), "opensearch") == 0;
    if (number[0] < '0' || number[0] > '9')
        return ELASTICSEARCH_FOREIGN;
    if (!other && major < 7)
        return ELASTICSEARCH_OLD;
    if (strcmp(found, "_na_") == 0) /* has not found its cluster yet */
        return ELASTICSEARCH_5XX;
    if (!is_uuid(found))
        return ELASTICSEARCH_FOREIGN;
    (void)snprintf(uuid, ELASTICSEARCH_UUID, "%s", found);
    return ELASTICSEARCH_OK;
}

/* What answers knows what it was sent: a secret must not come back as its name, which is shown. */
static bool holds_secret(const struct credential *credential, const char *uuid)
{
    struct buffer text = BUFFER_INIT(ELASTICSEARCH_UUID * 4);
    if (!credential || buffer_append(&text, uuid, strlen(uuid)) < 0)
        return credential != NULL;
    redact_text(credential, &text);
    bool holds = strcmp(buffer_text(&text), uuid) != 0;
    buffer_wipe(&text);
    return holds;
}

static void conclude(const struct elasticsearch_place *to, const struct http *http,
                     struct elasticsearch_greeting *ret)
{
    cJSON *root = NULL;
    ret->trouble = judge_answer(http, &root);
    if (ret->trouble == ELASTICSEARCH_OK)
        ret->trouble = judge_greeting(root, ret->uuid);
    if (ret->trouble == ELASTICSEARCH_OK && holds_secret(to->credential, ret->uuid)) {
        ret->trouble = ELASTICSEARCH_FOREIGN;
        ret->uuid[0] = '\0';
    }
    if (ret->trouble != ELASTICSEARCH_OK)
        explain(to, ret->trouble, "the cluster privilege \"monitor\"", ret->text, sizeof ret->text);
    cJSON_Delete(root);
}

/* A URL which the credential may not go to is not asked. */
static bool is_barred(const struct elasticsearch_place *to, struct elasticsearch_greeting *ret)
{
    struct error why = {0};
    *ret = (struct elasticsearch_greeting){0};
    if (!to->credential || credential_judge(to->credential, to->url, &why) == 0)
        return false;
    ret->trouble = ELASTICSEARCH_BARRED;
    (void)snprintf(ret->text, sizeof ret->text, "%s: not asked: %.300s", to->url, why.text);
    return true;
}

int elasticsearch_greet(const struct credential *credential, const char *const *urls, size_t n,
                        int64_t limit_ms, struct elasticsearch_greeting *ret, struct error *err)
{
    struct elasticsearch_place to = {.credential = credential, .limit_ms = limit_ms};
    struct http *https = calloc(n ? n : 1, sizeof *https);
    int rc = https ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        to.url = urls[i];
        if (!is_barred(&to, &ret[i]))
            rc = prepare(&https[i], &to, to.url, NULL, 0, ELASTICSEARCH_ANSWER);
    }
    if (rc == 0)
        rc = http_perform_all(https, n);
    for (size_t i = 0; https && i < n; i++) {
        to.url = urls[i];
        if (rc == 0 && ret[i].trouble != ELASTICSEARCH_BARRED)
            conclude(&to, &https[i], &ret[i]);
        http_release(&https[i]);
    }
    free(https);
    return rc < 0 ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* ---- search -------------------------------------------------------------- */

static enum elasticsearch_trouble judge_found(const struct http *http, cJSON **ret_root)
{
    enum elasticsearch_trouble trouble = judge_answer(http, ret_root);
    if (trouble == ELASTICSEARCH_FOREIGN && http->status == 404)
        return ELASTICSEARCH_NO_INDEX;
    if (trouble == ELASTICSEARCH_FOREIGN && http->status == 400)
        return ELASTICSEARCH_UNSEARCHABLE;
    return trouble;
}

/* The sentence to a trouble into err; lacking: the right on this index. */
static void complain(const struct elasticsearch_place *to, enum elasticsearch_trouble trouble,
                     const char *lacking, struct error *err)
{
    char right[SETTING_VALUE_INDEX + 60];
    char text[sizeof err->text];
    if (trouble == ELASTICSEARCH_OK)
        return;
    (void)snprintf(right, sizeof right, "the index privilege %s on %s", lacking, to->index);
    explain(to, trouble, right, text, sizeof text);
    (void)error_set(err, -EIO, "%s", text);
}

enum elasticsearch_trouble elasticsearch_search(const struct elasticsearch_place *to,
                                                const char *body, cJSON **ret_answer,
                                                struct error *err)
{
    char address[URL_TEXT + SETTING_VALUE_INDEX + 60];
    struct http http = {0};
    enum elasticsearch_trouble trouble = ELASTICSEARCH_SLOW;
    *ret_answer = NULL;
    (void)snprintf(address, sizeof address, "%s/%s/_search?allow_partial_search_results=false",
                   to->url, to->index);
    if (to->credential && credential_judge(to->credential, to->url, err) < 0)
        return ELASTICSEARCH_BARRED;
    if (prepare(&http, to, address, body, strlen(body), ELASTICSEARCH_ANSWER) == 0) {
        http_perform(&http);
        trouble = judge_found(&http, ret_answer);
    }
    complain(to, trouble, "\"read\"", err);
    http_release(&http);
    return trouble;
}

bool elasticsearch_is_stream(const struct elasticsearch_place *to)
{
    char address[URL_TEXT + SETTING_VALUE_INDEX + 60];
    struct http http = {0};
    cJSON *root = NULL;
    bool is = false;
    (void)snprintf(address, sizeof address, "%s/_data_stream/%s?filter_path=data_streams.name",
                   to->url, to->index);
    if (to->credential && credential_judge(to->credential, to->url, NULL) < 0)
        return false;
    if (prepare(&http, to, address, NULL, 0, ELASTICSEARCH_ANSWER) == 0) {
        http_perform(&http);
        is = judge_answer(&http, &root) == ELASTICSEARCH_OK &&
             cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "data_streams")) > 0;
    }
    cJSON_Delete(root);
    http_release(&http);
    return is;
}

/* ---- write --------------------------------------------------------------- */

static enum elasticsearch_trouble judge_written(const struct http *http, cJSON **ret_root)
{
    enum elasticsearch_trouble trouble = judge_answer(http, ret_root);
    bool never = http->status == 400 || http->status == 413;
    return trouble == ELASTICSEARCH_FOREIGN && never ? ELASTICSEARCH_UNTAKEN : trouble;
}

enum elasticsearch_trouble elasticsearch_write(struct http *http,
                                               const struct elasticsearch_place *to,
                                               const struct buffer *body, cJSON **ret_answer,
                                               struct error *err)
{
    char address[URL_TEXT + SETTING_VALUE_INDEX + 100];
    enum elasticsearch_trouble trouble = ELASTICSEARCH_SLOW;
    *ret_answer = NULL;
    (void)snprintf(address, sizeof address,
                   "%s/%s/_bulk?filter_path=items.*.status,"
                   "items.*.error.type,items.*.error.reason",
                   to->url, to->index);
    if (prepare(http, to, address, body->data, body->len, ELASTICSEARCH_WRITTEN) == 0) {
        http_perform(http);
        trouble = judge_written(http, ret_answer);
    }
    complain(to, trouble, "\"index\"", err);
    buffer_release(&http->answer); /* the connection stays */
    return trouble;
}
