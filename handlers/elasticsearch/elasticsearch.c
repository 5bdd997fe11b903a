#include "elasticsearch/elasticsearch.h"

#include "base/buffer.h"
#include "base/json.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_SHARE 2 /* a connection must stand after this part of the limit */

/* Numbers of OpenSSL's X509_V_ERR_..., which CURLINFO_SSL_VERIFYRESULT gives. libcurl
 * compares the name itself, and does so before it asks for OpenSSL's own result. */
#define UNSPECIFIED   1
#define NOT_YET_VALID 9
#define HAS_EXPIRED   10

/* One question on its way. */
struct question {
    const char *url;
    const struct credential *credential; /* NULL: none */
    CURL *curl;
    struct curl_slist *headers; /* may hold an API key */
    struct buffer answer;
    CURLcode code; /* CURLE_OPERATION_TIMEDOUT until it has ended */
    long status;
    char words[CURL_ERROR_SIZE]; /* of libcurl, when it has failed */
};

bool elasticsearch_passes(enum elasticsearch_trouble trouble)
{
    switch (trouble) {
    case ELASTICSEARCH_DNS:
    case ELASTICSEARCH_REFUSED:
    case ELASTICSEARCH_UNREACHABLE:
    case ELASTICSEARCH_SLOW:
    case ELASTICSEARCH_CUT:
    case ELASTICSEARCH_429:
    case ELASTICSEARCH_5XX:
        return true;
    default:
        return false;
    }
}

bool elasticsearch_demands(enum elasticsearch_trouble trouble)
{
    return trouble == ELASTICSEARCH_401 || trouble == ELASTICSEARCH_403 ||
           trouble == ELASTICSEARCH_UNTRUSTED || trouble == ELASTICSEARCH_NO_TLS;
}

/* ---- one question -------------------------------------------------------- */

static size_t on_bytes(char *data, size_t size, size_t count, void *arg)
{
    return buffer_append(arg, data, size * count) == 0 ? size * count : 0;
}

static void forget(struct curl_slist *headers)
{
    for (struct curl_slist *h = headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(headers);
}

static bool add_header(struct question *q, const char *line)
{
    struct curl_slist *longer = curl_slist_append(q->headers, line);
    if (longer)
        q->headers = longer;
    return longer != NULL;
}

static void set_file(struct question *q, CURLoption option, const char *path)
{
    if (path[0])
        (void)curl_easy_setopt(q->curl, option, path);
}

static bool set_credential(struct question *q)
{
    const struct credential *c = q->credential;
    char line[sizeof c->encoded + 32];
    bool added = true;
    if (!c)
        return true;
    set_file(q, CURLOPT_CAINFO, c->ca);
    set_file(q, CURLOPT_SSLCERT, c->cert);
    set_file(q, CURLOPT_SSLKEY, c->key);
    if (c->user[0]) {
        (void)curl_easy_setopt(q->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(q->curl, CURLOPT_USERNAME, c->user);
        (void)curl_easy_setopt(q->curl, CURLOPT_PASSWORD, c->password);
    }
    if (c->encoded[0]) {
        (void)snprintf(line, sizeof line, "Authorization: ApiKey %s", c->encoded);
        added = add_header(q, line);
        explicit_bzero(line, sizeof line);
    }
    return added;
}

static void set_limits(struct question *q, int64_t limit_ms)
{
    (void)curl_easy_setopt(q->curl, CURLOPT_TIMEOUT_MS, (long)limit_ms);
    (void)curl_easy_setopt(q->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(limit_ms / CONNECT_SHARE));
    (void)curl_easy_setopt(q->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(q->curl, CURLOPT_QUICK_EXIT, 1L); /* or DNS outlasts us */
    (void)curl_easy_setopt(q->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(q->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(q->curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(q->curl, CURLOPT_PROXY, ""); /* nor from the environment */
}

/* body NULL: GET, else len bytes, borrowed until question_end(). */
static bool question_begin(struct question *q, const char *address, const char *body, size_t len,
                           int64_t limit_ms)
{
    q->code = CURLE_OPERATION_TIMEDOUT;
    if (!q->curl && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        q->curl = curl_easy_init();
    if (!q->curl)
        return false;
    set_limits(q, limit_ms);
    (void)curl_easy_setopt(q->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    (void)curl_easy_setopt(q->curl, CURLOPT_WRITEDATA, &q->answer);
    (void)curl_easy_setopt(q->curl, CURLOPT_ERRORBUFFER, q->words);
    if (curl_easy_setopt(q->curl, CURLOPT_URL, address) != CURLE_OK)
        return false;
    if (body) {
        (void)curl_easy_setopt(q->curl, CURLOPT_POSTFIELDS, body);
        (void)curl_easy_setopt(q->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    }
    if (!set_credential(q) || !add_header(q, "Accept: application/json") ||
        !add_header(q, "Content-Type: application/json"))
        return false;
    (void)curl_easy_setopt(q->curl, CURLOPT_HTTPHEADER, q->headers);
    return true;
}

static void question_end(struct question *q)
{
    curl_easy_cleanup(q->curl);
    forget(q->headers);
    buffer_release(&q->answer);
}

/* ---- what became of it --------------------------------------------------- */

static bool has_time(const struct question *q, CURLINFO info)
{
    curl_off_t us = 0;
    return curl_easy_getinfo(q->curl, info, &us) == CURLE_OK && us > 0;
}

/* How far did it get when time was over? */
static enum elasticsearch_trouble judge_late(const struct question *q)
{
    if (has_time(q, CURLINFO_CONNECT_TIME_T))
        return ELASTICSEARCH_SLOW;
    return has_time(q, CURLINFO_NAMELOOKUP_TIME_T) ? ELASTICSEARCH_UNREACHABLE : ELASTICSEARCH_DNS;
}

static enum elasticsearch_trouble judge_certificate(const struct question *q)
{
    long found = 0;
    (void)curl_easy_getinfo(q->curl, CURLINFO_SSL_VERIFYRESULT, &found);
    if (found == HAS_EXPIRED || found == NOT_YET_VALID)
        return ELASTICSEARCH_EXPIRED;
    return found <= UNSPECIFIED ? ELASTICSEARCH_OTHER_NAME : ELASTICSEARCH_UNTRUSTED;
}

static enum elasticsearch_trouble judge_connection(const struct question *q)
{
    long number = 0;
    (void)curl_easy_getinfo(q->curl, CURLINFO_OS_ERRNO, &number);
    return number == ECONNREFUSED ? ELASTICSEARCH_REFUSED : ELASTICSEARCH_UNREACHABLE;
}

/* With TLS 1.3 a client without a certificate hears of it when it reads the answer only; libcurl
 * has no number of its own for that. */
static enum elasticsearch_trouble judge_cut(const struct question *q)
{
    return strstr(q->words, "alert certificate required") ? ELASTICSEARCH_NO_TLS
                                                          : ELASTICSEARCH_CUT;
}

static enum elasticsearch_trouble judge_transport(const struct question *q)
{
    switch (q->code) {
    case CURLE_OK:
        return ELASTICSEARCH_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
        return ELASTICSEARCH_DNS;
    case CURLE_COULDNT_CONNECT:
        return judge_connection(q);
    case CURLE_OPERATION_TIMEDOUT:
        return judge_late(q);
    case CURLE_PEER_FAILED_VERIFICATION:
        return judge_certificate(q);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
        return ELASTICSEARCH_NO_TLS;
    case CURLE_WRITE_ERROR:
        return ELASTICSEARCH_LARGE;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
        return ELASTICSEARCH_FOREIGN;
    default:
        return judge_cut(q);
    }
}

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

static enum elasticsearch_trouble judge_answer(const struct question *q, cJSON **ret_root)
{
    struct error ignored = {0};
    *ret_root = NULL;
    enum elasticsearch_trouble trouble = judge_transport(q);
    if (trouble == ELASTICSEARCH_OK)
        trouble = judge_status(q->status);
    if (trouble == ELASTICSEARCH_OK &&
        json_parse(buffer_text(&q->answer), q->answer.len, "answer", ret_root, &ignored) < 0)
        trouble = ELASTICSEARCH_GARBAGE;
    return trouble;
}

/* ---- sentences ----------------------------------------------------------- */

static const char *const sentences[] = {
    [ELASTICSEARCH_DNS] = "the name cannot be resolved (DNS): is it right, and does this "
                          "server's resolver answer?",
    [ELASTICSEARCH_REFUSED] = "connection refused (TCP): does Elasticsearch run there, and is "
                              "the port right?",
    [ELASTICSEARCH_UNREACHABLE] = "no connection (TCP): is the host up, is a firewall in "
                                  "between?",
    [ELASTICSEARCH_EXPIRED] = "its certificate has expired or is not valid yet (TLS): renew "
                              "it, compare the clocks",
    [ELASTICSEARCH_OTHER_NAME] = "its certificate is for another host (TLS): use the name in "
                                 "the certificate, or have this one added to it",
    [ELASTICSEARCH_SLOW] = "it takes the connection but does not answer in time: is it "
                           "overloaded?",
    [ELASTICSEARCH_429] = "too busy (429): it is asked again",
    [ELASTICSEARCH_5XX] = "not ready (5xx, or without a cluster): it is asked again",
    [ELASTICSEARCH_LARGE] = "its answer is larger than any of Elasticsearch: what runs there?",
    [ELASTICSEARCH_GARBAGE] = "its answer is no JSON: what runs there?",
    [ELASTICSEARCH_REDIRECT] = "it redirects, which is not followed: give the address of "
                               "Elasticsearch itself",
    [ELASTICSEARCH_FOREIGN] = "what answers there is no Elasticsearch",
    [ELASTICSEARCH_OLD] = "older than Elasticsearch 7, which is the least",
    [ELASTICSEARCH_NO_INDEX] = "nothing was ever written to the index",
    [ELASTICSEARCH_UNSEARCHABLE] = "it refuses to search for probe records (400): their "
                                   "members must not be mapped by an index template",
    [ELASTICSEARCH_UNTAKEN] = "it refuses the whole request (400 or 413)",
};

/* What depends on the credential, or on the scheme. `right`: what 403 lacks. */
static void explain(const struct question *q, enum elasticsearch_trouble trouble, const char *right,
                    char *ret, size_t size)
{
    const char *file = q->credential ? q->credential->path : NULL;
    bool https = strncmp(q->url, "https:", 6) == 0;
    if (trouble == ELASTICSEARCH_401 && file)
        (void)snprintf(ret, size, "%s: it does not know the credential in %s (401)", q->url, file);
    else if (trouble == ELASTICSEARCH_401)
        (void)snprintf(ret, size, "%s: it demands a credential (401)", q->url);
    else if (trouble == ELASTICSEARCH_403 && file)
        (void)snprintf(ret, size, "%s: the credential in %s lacks %s (403)", q->url, file, right);
    else if (trouble == ELASTICSEARCH_403)
        (void)snprintf(ret, size, "%s: without a credential nobody has %s (403)", q->url, right);
    else if (trouble == ELASTICSEARCH_UNTRUSTED)
        (void)snprintf(ret, size,
                       "%s: its certificate is of an unknown CA (TLS): name the CA's "
                       "file as \"ca\" in %s",
                       q->url, file ? file : "a credential");
    else if (trouble == ELASTICSEARCH_NO_TLS)
        (void)snprintf(ret, size,
                       "%s: no TLS connection: does it speak https, does it demand a "
                       "client certificate?",
                       q->url);
    else if (trouble == ELASTICSEARCH_CUT)
        (void)snprintf(ret, size, "%s: it ends the connection without an answer%s", q->url,
                       https ? "" : ": does it speak https only?");
    else
        (void)snprintf(ret, size, "%s: %s", q->url, sentences[trouble]);
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

static void conclude(struct question *q, struct elasticsearch_greeting *ret)
{
    cJSON *root = NULL;
    ret->trouble = judge_answer(q, &root);
    if (ret->trouble == ELASTICSEARCH_OK)
        ret->trouble = judge_greeting(root, ret->uuid);
    if (ret->trouble != ELASTICSEARCH_OK)
        explain(q, ret->trouble, "the cluster privilege \"monitor\"", ret->text, sizeof ret->text);
    cJSON_Delete(root);
}

static void note_end(struct question *questions, size_t n, const CURLMsg *end)
{
    for (size_t i = 0; i < n; i++) {
        if (questions[i].curl != end->easy_handle)
            continue;
        questions[i].code = end->data.result;
        (void)curl_easy_getinfo(end->easy_handle, CURLINFO_RESPONSE_CODE, &questions[i].status);
    }
}

/* Every handle has its own limit, so this ends. */
static void perform(CURLM *multi, struct question *questions, size_t n)
{
    int running = 1;
    while (running > 0) {
        int left = 0;
        const CURLMsg *end;
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return;
        while ((end = curl_multi_info_read(multi, &left)))
            note_end(questions, n, end);
        if (running > 0 && curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK)
            return;
    }
}

static int ask_all(struct question *questions, size_t n, struct error *err)
{
    CURLM *multi = curl_multi_init();
    bool ready = multi != NULL;
    for (size_t i = 0; ready && i < n; i++)
        ready = !questions[i].curl || curl_multi_add_handle(multi, questions[i].curl) == CURLM_OK;
    if (ready)
        perform(multi, questions, n);
    for (size_t i = 0; multi && i < n; i++)
        (void)curl_multi_remove_handle(multi, questions[i].curl);
    (void)curl_multi_cleanup(multi);
    return ready ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* A URL which the credential may not go to gets no handle. */
static int prepare(struct question *q, int64_t limit_ms, struct elasticsearch_greeting *ret,
                   struct error *err)
{
    struct error why = {0};
    *ret = (struct elasticsearch_greeting){0};
    if (q->credential && credential_judge(q->credential, q->url, &why) < 0) {
        ret->trouble = ELASTICSEARCH_BARRED;
        (void)snprintf(ret->text, sizeof ret->text, "%s: not asked: %.300s", q->url, why.text);
        return 0;
    }
    return question_begin(q, q->url, NULL, 0, limit_ms) ? 0
                                                        : error_set(err, -ENOMEM, "out of memory");
}

int elasticsearch_greet(const struct credential *credential, const char *const *urls, size_t n,
                        int64_t limit_ms, struct elasticsearch_greeting *ret, struct error *err)
{
    struct question *questions = calloc(n ? n : 1, sizeof *questions);
    int rc = 0;
    if (!questions)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        questions[i].url = urls[i];
        questions[i].credential = credential;
        questions[i].answer = BUFFER_INIT(ELASTICSEARCH_ANSWER);
        rc = prepare(&questions[i], limit_ms, &ret[i], err);
    }
    if (rc == 0)
        rc = ask_all(questions, n, err);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0 && questions[i].curl)
            conclude(&questions[i], &ret[i]);
        question_end(&questions[i]);
    }
    free(questions);
    return rc;
}

/* ---- search -------------------------------------------------------------- */

static enum elasticsearch_trouble judge_found(const struct question *q, cJSON **ret_root)
{
    enum elasticsearch_trouble trouble = judge_answer(q, ret_root);
    if (trouble == ELASTICSEARCH_FOREIGN && q->status == 404)
        return ELASTICSEARCH_NO_INDEX;
    if (trouble == ELASTICSEARCH_FOREIGN && q->status == 400)
        return ELASTICSEARCH_UNSEARCHABLE;
    return trouble;
}

/* Ask, and hand over what judge() takes. The question has URL, credential and answer. */
static enum elasticsearch_trouble
ask(struct question *q, const char *address, const char *body, size_t len, int64_t limit_ms,
    enum elasticsearch_trouble (*judge)(const struct question *, cJSON **), cJSON **ret_answer)
{
    if (!question_begin(q, address, body, len, limit_ms))
        return ELASTICSEARCH_SLOW;
    q->code = curl_easy_perform(q->curl);
    (void)curl_easy_getinfo(q->curl, CURLINFO_RESPONSE_CODE, &q->status);
    return judge(q, ret_answer);
}

/* The sentence to a trouble into err; lacking: the right on this index. */
static void complain(const struct question *q, enum elasticsearch_trouble trouble,
                     const char *lacking, const char *index, struct error *err)
{
    char right[SETTING_VALUE_INDEX + 60];
    char text[sizeof err->text];
    if (trouble == ELASTICSEARCH_OK)
        return;
    (void)snprintf(right, sizeof right, "the index privilege %s on %s", lacking, index);
    explain(q, trouble, right, text, sizeof text);
    (void)error_set(err, -EIO, "%s", text);
}

enum elasticsearch_trouble elasticsearch_search(const struct credential *credential,
                                                const char *url, const char *index,
                                                const char *body, int64_t limit_ms,
                                                cJSON **ret_answer, struct error *err)
{
    char address[URL_TEXT + SETTING_VALUE_INDEX + 60];
    struct question q = {
        .url = url, .credential = credential, .answer = BUFFER_INIT(ELASTICSEARCH_ANSWER)};
    *ret_answer = NULL;
    (void)snprintf(address, sizeof address, "%s/%s/_search?allow_partial_search_results=false", url,
                   index);
    if (credential && credential_judge(credential, url, err) < 0)
        return ELASTICSEARCH_BARRED;
    enum elasticsearch_trouble trouble = ask(&q, address, body, strlen(body), limit_ms, judge_found,
                                             ret_answer);
    complain(&q, trouble, "\"read\"", index, err);
    question_end(&q);
    return trouble;
}

/* ---- write --------------------------------------------------------------- */

static enum elasticsearch_trouble judge_written(const struct question *q, cJSON **ret_root)
{
    enum elasticsearch_trouble trouble = judge_answer(q, ret_root);
    bool never = q->status == 400 || q->status == 413;
    return trouble == ELASTICSEARCH_FOREIGN && never ? ELASTICSEARCH_UNTAKEN : trouble;
}

enum elasticsearch_trouble elasticsearch_write(struct elasticsearch_link *link,
                                               const struct credential *credential, const char *url,
                                               const char *index, const char *body, size_t len,
                                               int64_t limit_ms, cJSON **ret_answer,
                                               struct error *err)
{
    char address[URL_TEXT + SETTING_VALUE_INDEX + 80];
    struct question q = {.url = url,
                         .credential = credential,
                         .curl = link->curl,
                         .answer = BUFFER_INIT(ELASTICSEARCH_WRITTEN)};
    *ret_answer = NULL;
    (void)snprintf(address, sizeof address,
                   "%s/%s/_bulk?filter_path=items.*.status,items.*.error.type", url, index);
    enum elasticsearch_trouble trouble = ask(&q, address, body, len, limit_ms, judge_written,
                                             ret_answer);
    complain(&q, trouble, "\"index\"", index, err);
    link->curl = q.curl;
    q.curl = NULL;
    if (link->curl)
        curl_easy_reset(link->curl); /* the connection stays */
    question_end(&q);
    return trouble;
}

void elasticsearch_link_release(struct elasticsearch_link *link)
{
    curl_easy_cleanup(link->curl);
    link->curl = NULL;
}
