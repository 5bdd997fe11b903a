/* SPDX-License-Identifier: MIT */
#include "consul/consul.h"

#include "base/base64.h"
#include "base/boottime.h"
#include "base/buffer.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/trust.h"
#include "net/http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MIB          ((size_t)1024 * 1024)
#define ANSWER_LIMIT (2 * MIB)
#define KV_LIMIT     MIB
#define ENV_LIMIT    65536
#define TOKEN_LIMIT  4096

/* The variables we know; order of the enum. */
enum variable { ADDR, TOKEN, TOKEN_FILE, CACERT, CERT, KEY, NAME, SSL, VERIFY, VARIABLES };
static const char *const names[VARIABLES] = {
    "CONSUL_HTTP_ADDR",       "CONSUL_HTTP_TOKEN",  "CONSUL_HTTP_TOKEN_FILE",
    "CONSUL_CACERT",          "CONSUL_CLIENT_CERT", "CONSUL_CLIENT_KEY",
    "CONSUL_TLS_SERVER_NAME", "CONSUL_HTTP_SSL",    "CONSUL_HTTP_SSL_VERIFY"};

struct consul {
    struct http http;
    char *base;        /* "http://host:port" */
    char *unix_socket; /* borrowed from value[ADDR], NULL none */
    char *token;       /* header line, never shown; NULL none */
    char *value[VARIABLES];
    bool own_token; /* the environment has one: none of the file counts */
};

/* One request and its answer. */
struct request {
    const char *path; /* below /v1/, encoded */
    const char *body; /* NULL: GET, else PUT */
    bool post;        /* else POST */
    bool anonymous;   /* without our token */
    int64_t limit_ms; /* 0: http_ms */
    size_t most;      /* bytes of an answer, 0: ANSWER_LIMIT */
    long good;        /* a status that is an answer as well as 200 */
    const char *what; /* for texts: "read KV x" */
    const char *rule; /* the ACL rule it needs; NULL: not said */
};

/* ---- where the agent is -------------------------------------------------- */

/* NAME=VALUE, optionally `export`, optionally in double quotes. */
static int take_line(struct consul *c, char *line)
{
    if (strncmp(line, "export ", 7) == 0)
        line += 7;
    char *value = strchr(line, '=');
    if (line[0] == '#' || !value)
        return 0;
    *value++ = '\0';
    size_t len = strlen(value);
    if (len >= 2 && value[0] == '"' && value[len - 1] == '"') {
        value[len - 1] = '\0';
        value++;
    }
    for (int i = 0; i < VARIABLES; i++) {
        bool token = i == TOKEN || i == TOKEN_FILE;
        if (strcmp(line, names[i]) != 0 || c->value[i] || (token && c->own_token))
            continue;
        c->value[i] = strdup(value);
        return c->value[i] ? 0 : -ENOMEM;
    }
    return 0;
}

/* The environment goes before the file. Empty means unset, as in Consul. */
static int read_variables(struct consul *c, const char *config_dir, struct error *err)
{
    char path[FILE_PATH];
    char *rest = NULL;
    struct buffer text = BUFFER_INIT(ENV_LIMIT);
    int rc = file_path(path, sizeof path, config_dir, "consul.env", err);
    for (int i = 0; rc == 0 && i < VARIABLES; i++) {
        const char *value = getenv(names[i]);
        if (value && *value && !(c->value[i] = strdup(value)))
            rc = error_set(err, -ENOMEM, "out of memory");
    }
    c->own_token = c->value[TOKEN] || c->value[TOKEN_FILE];
    if (rc == 0) {
        rc = trust_read(path, &text, err);
        if (rc == -ENOENT || (rc == -EACCES && c->value[ADDR]))
            rc = 0; /* no file, or run by hand by somebody who said where the agent is */
    }
    for (char *line = text.data ? strtok_r(text.data, "\r\n", &rest) : NULL; rc == 0 && line;
         line = strtok_r(NULL, "\r\n", &rest))
        rc = take_line(c, line);
    buffer_release(&text);
    return rc;
}

static bool is_true(const char *value)
{
    return value && (strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
                     strcasecmp(value, "t") == 0);
}

static bool is_false(const char *value)
{
    return value && (strcasecmp(value, "false") == 0 || strcmp(value, "0") == 0 ||
                     strcasecmp(value, "f") == 0);
}

static int set_address(struct consul *c, struct error *err)
{
    const char *addr = c->value[ADDR] ? c->value[ADDR] : "127.0.0.1:8500";
    const char *scheme = is_true(c->value[SSL]) ? "https://" : "http://";
    int n = -1;
    if (strncmp(addr, "unix://", 7) == 0) {
        c->unix_socket = c->value[ADDR] + 7;
        n = asprintf(&c->base, "http://localhost");
    } else if (strncmp(addr, "https://", 8) == 0 || strncmp(addr, "http://", 7) == 0) {
        n = asprintf(&c->base, "%.*s", (int)(strlen(addr) - (addr[strlen(addr) - 1] == '/')), addr);
    } else if (strstr(addr, "://")) {
        return error_set(err, -EINVAL,
                         "CONSUL_HTTP_ADDR: expected http://, https://, unix:// or host:port");
    } else {
        n = asprintf(&c->base, "%s%s", scheme, addr);
    }
    if (n >= 0)
        return 0;
    c->base = NULL;
    return error_set(err, -ENOMEM, "out of memory");
}

/* The token file wins over the token, as in Consul. */
static int set_token(struct consul *c, struct error *err)
{
    struct buffer text = BUFFER_INIT(TOKEN_LIMIT);
    const char *token = c->value[TOKEN];
    int rc = 0;
    if (c->value[TOKEN_FILE]) {
        rc = file_read(c->value[TOKEN_FILE], &text, err);
        if (rc == 0 && text.len > 0)
            text.data[strcspn(text.data, " \t\r\n")] = '\0';
        token = buffer_text(&text);
    }
    if (rc == 0 && token && *token &&
        asprintf(&c->token, "X-Consul-Token: %.*s", TOKEN_LIMIT, token) < 0) {
        c->token = NULL;
        rc = error_set(err, -ENOMEM, "out of memory");
    }
    buffer_wipe(&text);
    return rc;
}

int consul_open(const char *config_dir, struct consul **ret, struct error *err)
{
    struct consul *c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = read_variables(c, config_dir, err);
    if (rc == 0)
        rc = set_address(c, err);
    if (rc == 0)
        rc = set_token(c, err);
    if (rc < 0)
        consul_close(c);
    else
        *ret = c;
    return rc;
}

static void free_secret(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void consul_close(struct consul *consul)
{
    if (!consul)
        return;
    http_release(&consul->http);
    free_secret(consul->token);
    for (int i = 0; i < VARIABLES; i++)
        free_secret(consul->value[i]);
    free(consul->base);
    free(consul);
}

void consul_certificates(const struct consul *consul, const char **ret_ca, const char **ret_cert)
{
    *ret_ca = consul->value[CACERT];
    *ret_cert = consul->value[CERT];
}

/* ---- one request --------------------------------------------------------- */

/* Bytes of an answer. */
static size_t ceiling(const struct request *request)
{
    return request->most ? request->most : ANSWER_LIMIT;
}

static int transport_error(const struct consul *c, const struct request *request, struct error *err)
{
    if (c->http.late && deadline_left() == 0)
        return error_set(err, -ETIMEDOUT,
                         "the Consul agent at %s needs more than %g s for what it is asked",
                         c->base, (double)deadline_length() / 1000);
    if (c->http.late)
        return error_set(err, -ETIMEDOUT, "the Consul agent at %s does not answer in time",
                         c->base);
    if (c->http.result == HTTP_LARGE)
        return error_set(err, -EMSGSIZE,
                         "the Consul agent's answer to %.*s is too large: more than %zu MiB",
                         (int)strcspn(request->path, "?"), request->path, ceiling(request) / MIB);
    return error_set(
        err, -ECONNREFUSED,
        "cannot reach the Consul agent at %s: %s (is it running? CONSUL_HTTP_ADDR says where)",
        c->base, c->http.words);
}

/* A run has an end as well. */
static int64_t limit_of(const struct request *request)
{
    int64_t limit_ms = request->limit_ms ? request->limit_ms : limits()->http_ms;
    int64_t left_ms = deadline_left();
    return left_ms > limit_ms ? limit_ms : left_ms > 0 ? left_ms : 1;
}

/* Perform; status and answer are in c->http until the next one. */
static int perform(struct consul *c, const struct request *request, struct error *err)
{
    char *url = NULL;
    if (asprintf(&url, "%s/v1/%s", c->base, request->path) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    const struct http_request http = {
        .method = request->body && !request->post ? "PUT" : NULL,
        .url = url,
        .body = request->body,
        .len = request->body ? strlen(request->body) : 0,
        .header = {request->anonymous ? NULL : c->token},
        .limit_ms = limit_of(request),
        .most = ceiling(request),
        .unix_socket = c->unix_socket,
        .server_name = c->value[NAME],
        .ca = c->value[CACERT],
        .cert = c->value[CERT],
        .key = c->value[KEY],
        .unverified = is_false(c->value[VERIFY]),
    };
    int rc = http_prepare(&c->http, &http);
    if (rc == 0)
        http_perform(&c->http);
    free(url);
    if (rc < 0)
        return error_set(err, rc, "cannot ask the Consul agent at %s: %s", c->base, strerror(-rc));
    return c->http.result == HTTP_OK ? 0 : transport_error(c, request, err);
}

static int number_of(long status)
{
    static const struct {
        long status;
        int code;
    } known[] = {{403, -EACCES}, {404, -ENOENT}, {409, -ESTALE}, {413, -EMSGSIZE},
                 {429, -EAGAIN}, {500, -EAGAIN}, {503, -EAGAIN}};
    for (size_t i = 0; i < COUNT(known); i++) {
        if (known[i].status == status)
            return known[i].code;
    }
    return -EBADMSG;
}

/* The sentence for a status that is no success, the same whoever leads. */
static int refuse_status(const struct consul *c, const struct request *request, struct error *err)
{
    static const char forwarded[] = "rpc error making call: ";
    char words[240];
    const char *body = buffer_text(&c->http.answer);
    if (strncmp(body, forwarded, sizeof forwarded - 1) == 0)
        body += sizeof forwarded - 1;
    text_copy_bytes(words, sizeof words, body, strcspn(body, "\n"));
    if (c->http.status == 403 && strstr(words, "ACL not found"))
        return error_set(
            err, -EACCES,
            "cannot %s: 403 %s (Consul does not know this token: give lictor enable another one)",
            request->what, words);
    if (c->http.status == 403 && request->rule)
        return error_set(err, -EACCES, "cannot %s: 403 %s (the token needs %s)", request->what,
                         words, request->rule);
    return error_set(err, number_of(c->http.status), "cannot %s: %ld %s", request->what,
                     c->http.status, words);
}

/* Perform, and refuse every status but those that are an answer. */
static int ask(struct consul *c, const struct request *request, struct error *err)
{
    int rc = perform(c, request, err);
    if (rc < 0 || c->http.status == 200 || c->http.status == request->good)
        return rc;
    return refuse_status(c, request, err);
}

/* ---- reads and writes ---------------------------------------------------- */

/* what: "read agent/self" */
static int parse_answer(const struct consul *consul, const char *what, cJSON **ret_root,
                        struct error *err)
{
    const struct buffer *answer = &consul->http.answer;
    struct error why = {0};
    int rc = json_parse(buffer_text(answer), answer->len, what, ret_root, &why);
    if (rc == -EMSGSIZE)
        return error_set(err, rc, "the Consul agent's answer to %s%s", strchr(what, ' ') + 1,
                         strchr(why.text, ':') + 1);
    return rc < 0 ? error_set(err, rc, "%s", why.text) : 0;
}

int consul_get(struct consul *consul, const char *path, const char *rule, cJSON **ret_root,
               struct error *err)
{
    char what[300];
    const struct request request = {.path = path, .good = 429, .what = what, .rule = rule};
    *ret_root = NULL;
    (void)snprintf(what, sizeof what, "read %.*s", (int)strcspn(path, "?"), path);
    int rc = ask(consul, &request, err);
    return rc < 0 ? rc : parse_answer(consul, what, ret_root, err);
}

int consul_ask_anonymous(struct consul *consul, const char *path, const char *body,
                         cJSON **ret_root, struct error *err)
{
    char what[300];
    const struct request request = {
        .path = path, .body = body, .post = true, .anonymous = true, .what = what};
    *ret_root = NULL;
    (void)snprintf(what, sizeof what, "ask %s without a token", path);
    int rc = ask(consul, &request, err);
    return rc < 0 ? rc : parse_answer(consul, what, ret_root, err);
}

/* A key as it is in a URL. The caller free()s it. */
static char *encode_key(const char *key)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    char *text = malloc(strlen(key) * 3 + 1);
    char *out = text;
    for (const char *p = key; text && *p; p++)
        out += strchr(plain, *p) ? sprintf(out, "%c", *p)
                                 : sprintf(out, "%%%02X", (unsigned char)*p);
    if (text)
        *out = '\0';
    return text;
}

static int kv_path(const char *key, const char *query, char **ret, struct error *err)
{
    char *encoded = encode_key(key);
    int n = encoded ? asprintf(ret, "kv/%s%s", encoded, query) : -1;
    free(encoded);
    return n < 0 ? error_set(err, -ENOMEM, "out of memory") : 0;
}

/* What is to be read at a key, or below it. */
struct kv_question {
    const char *key, *word; /* "": the key alone, "recurse" or "keys" */
    enum consul_read read;
    size_t most;    /* bytes of the answer */
    char what[300]; /* filled in: "read KV x" */
};

/* A prefix is nobody's own: what others put below it is named. */
static int refuse_large(const struct consul *c, const struct kv_question *q, struct error *err)
{
    char name[KV_NAME];
    const char *text = buffer_text(&c->http.answer);
    size_t bytes = kv_largest(text, c->http.answer.len, name);
    if (!*q->word || bytes == 0)
        return error_set(err, -EMSGSIZE, "KV %s holds more than %zu MiB", q->key, q->most / MIB);
    return error_set(err, -EMSGSIZE, "KV %s holds more than %zu MiB: %s has %zu kB", q->key,
                     q->most / MIB, name, bytes / 1000);
}

/* The answer is in c->http, status 200 or 404. */
static int kv_ask(struct consul *consul, struct kv_question *q, struct error *err)
{
    static const char *const modes[] = {"", "&stale", "&consistent"};
    char query[40];
    char rule[300];
    char *path = NULL;
    (void)snprintf(query, sizeof query, "?%s%s", q->word, modes[q->read]);
    (void)snprintf(q->what, sizeof q->what, "read KV %s", q->key);
    (void)snprintf(rule, sizeof rule, "key%s \"%s\" read", *q->word ? "_prefix" : "", q->key);
    int rc = kv_path(q->key, query, &path, err);
    if (rc < 0)
        return rc;
    const struct request request = {
        .path = path, .most = q->most, .good = 404, .what = q->what, .rule = rule};
    rc = ask(consul, &request, err);
    if (rc == -EMSGSIZE)
        rc = refuse_large(consul, q, err);
    free(path);
    return rc;
}

int consul_kv_read(struct consul *consul, const char *key, bool recurse, enum consul_read read,
                   struct kv_list *list, struct error *err)
{
    struct kv_question q = {key, recurse ? "recurse" : "", read, KV_LIMIT, ""};
    int rc = kv_ask(consul, &q, err);
    return rc < 0 || consul->http.status == 404
               ? rc
               : kv_parse_text(&consul->http.answer, q.what, list, err);
}

int consul_kv_names(struct consul *consul, const char *prefix, enum consul_read read,
                    cJSON **ret_names, struct error *err)
{
    struct kv_question q = {prefix, "keys", read, ANSWER_LIMIT, ""};
    struct buffer *answer = &consul->http.answer;
    *ret_names = NULL;
    int rc = kv_ask(consul, &q, err);
    if (rc < 0 || consul->http.status == 404)
        return rc;
    if (answer->len > 0)
        json_replace_nul(answer->data, answer->len);
    return json_parse(buffer_text(answer), answer->len, q.what, ret_names, err);
}

int consul_kv_write(struct consul *consul, const char *key, const char *value, uint64_t index,
                    struct error *err)
{
    char query[40];
    char what[300];
    char rule[300];
    char *path = NULL;
    (void)snprintf(query, sizeof query, "?cas=%llu", (unsigned long long)index);
    (void)snprintf(what, sizeof what, "write KV %s", key);
    (void)snprintf(rule, sizeof rule, "key \"%s\" write", key);
    int rc = kv_path(key, query, &path, err);
    if (rc < 0)
        return rc;
    const struct request request = {.path = path, .body = value, .what = what, .rule = rule};
    rc = ask(consul, &request, err);
    if (rc == 0 && strncmp(buffer_text(&consul->http.answer), "true", 4) != 0)
        rc = error_set(err, -ESTALE, "%s was changed by somebody else meanwhile", key);
    free(path);
    return rc;
}

/* ---- transactions -------------------------------------------------------- */

struct operation {
    const char *verb, *key;
    const char *value; /* NULL: none */
    uint64_t index;
};

static int add_operation(cJSON *list, const struct operation *o)
{
    cJSON *item = cJSON_CreateObject();
    cJSON *kv = cJSON_AddObjectToObject(item, "KV");
    char *base64 = o->value ? base64_encode(o->value, strlen(o->value)) : NULL;
    bool whole = cJSON_AddStringToObject(kv, "Verb", o->verb) &&
                 cJSON_AddStringToObject(kv, "Key", o->key) &&
                 cJSON_AddNumberToObject(kv, "Index", (double)o->index) &&
                 (!o->value || (base64 && cJSON_AddStringToObject(kv, "Value", base64)));
    free(base64);
    if (whole && cJSON_AddItemToArray(list, item))
        return 0;
    cJSON_Delete(item);
    return -ENOMEM;
}

static char *transaction(const struct operation *operations, size_t n)
{
    cJSON *list = cJSON_CreateArray();
    int rc = list ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_operation(list, &operations[i]);
    return json_print(list, rc == 0);
}

/* Which of the n operations failed, and why: the first that Consul names, else the last. */
static size_t failed_operation(const cJSON *root, size_t n, const char **ret_why)
{
    const cJSON *errors = NULL;
    int64_t at = -1;
    if (json_array(root, "Errors", &errors, NULL) < 0)
        return n - 1;
    const cJSON *first = cJSON_GetArrayItem(errors, 0);
    *ret_why = json_text(first, "What", "");
    if (json_integer(first, "OpIndex", &at, NULL) < 0 || at < 0 || at >= (int64_t)n)
        return n - 1;
    return (size_t)at;
}

/* 409 is the answer to a lost condition and to a missing right alike. */
static int transaction_failed(const struct consul *consul, const struct operation *operations,
                              size_t n, struct error *err)
{
    char what[300], rule[300];
    const char *why = "";
    cJSON *root = NULL;
    int rc = json_parse(buffer_text(&consul->http.answer), consul->http.answer.len, "it", &root,
                        NULL);
    const struct operation *o = &operations[rc == 0 ? failed_operation(root, n, &why) : n - 1];
    bool read = strcmp(o->verb, "check-index") == 0;
    (void)snprintf(what, sizeof what, "write KV %s in a transaction", operations[n - 1].key);
    (void)snprintf(rule, sizeof rule, "key \"%s\" %s", o->key, read ? "read" : "write");
    if (consul->http.status != 409)
        rc = refuse_status(consul, &(struct request){.what = what, .rule = rule}, err);
    else if (strstr(why, "ermission denied"))
        rc = error_set(err, -EACCES, "cannot %s: permission denied (the token needs %s)", what,
                       rule);
    else
        rc = error_set(err, -ESTALE, "%s was changed by somebody else meanwhile", o->key);
    cJSON_Delete(root);
    return rc;
}

static int transact(struct consul *consul, const struct operation *operations, size_t n,
                    struct error *err)
{
    char *body = transaction(operations, n);
    const struct request request = {.path = "txn", .body = body};
    int rc = body ? perform(consul, &request, err) : error_set(err, -ENOMEM, "out of memory");
    if (rc == 0 && consul->http.status != 200)
        rc = transaction_failed(consul, operations, n, err);
    cJSON_free(body);
    return rc;
}

int consul_kv_write_if(struct consul *consul, const char *key, const char *value, uint64_t index,
                       const struct kv_version *unchanged, size_t n, struct error *err)
{
    struct operation operations[CONSUL_TXN];
    if (n >= CONSUL_TXN)
        return error_set(err, -E2BIG, "%zu keys are more than one transaction can check (%d)", n,
                         CONSUL_TXN - 1);
    for (size_t i = 0; i < n; i++)
        operations[i] = (struct operation){
            .verb = "check-index", .key = unchanged[i].key, .index = unchanged[i].modify_index};
    operations[n] = (struct operation){.verb = "cas", .key = key, .value = value, .index = index};
    return transact(consul, operations, n + 1, err);
}

int consul_kv_change(struct consul *consul, const struct consul_change *changes, size_t n,
                     struct error *err)
{
    struct operation operations[CONSUL_TXN];
    if (n == 0 || n > CONSUL_TXN)
        return error_set(err, -E2BIG, "%zu keys are not 1 to %d, the limit of one transaction", n,
                         CONSUL_TXN);
    for (size_t i = 0; i < n; i++)
        operations[i] = (struct operation){.verb = changes[i].value ? "cas" : "delete-cas",
                                           .key = changes[i].key,
                                           .value = changes[i].value,
                                           .index = changes[i].index};
    return transact(consul, operations, n, err);
}

int consul_request(struct consul *consul, const char *body, const char *path, struct buffer *answer,
                   struct error *err)
{
    char what[300];
    const struct request request = {
        .path = path, .body = body, .most = answer->limit, .what = what};
    (void)snprintf(what, sizeof what, "%s %.*s", body ? "PUT" : "GET", (int)strcspn(path, "?"),
                   path);
    int rc = ask(consul, &request, err);
    if (rc == 0)
        rc = buffer_append(answer, consul->http.answer.data, consul->http.answer.len);
    return rc;
}

/* No answer in time: an agent without a leader holds the read, and a slow one has not come to it
 * yet. What needs nobody else tells them apart. Of a slow one, wait for the answer. */
static int judge_silence(struct consul *consul, struct request *proof, struct error *err)
{
    const struct request local = {
        .path = "status/leader", .anonymous = true, .what = "read status/leader"};
    const int64_t limit_ms = proof->limit_ms;
    int64_t begin = boottime_ms();
    int rc = perform(consul, &local, err);
    if (rc < 0)
        return rc;
    if (boottime_ms() - begin < limit_ms)
        return error_set(err, -EAGAIN, "there is no leader that a majority follows");
    proof->limit_ms = 0;
    return ask(consul, proof, err);
}

static int ask_proof(struct consul *consul, struct request *proof, struct error *err)
{
    int rc = ask(consul, proof, err);
    return rc == -ETIMEDOUT ? judge_silence(consul, proof, err) : rc;
}

/* Rights are looked at before the majority is asked. Without a token a list is filtered, not
 * refused (the agent's own default token may be as dead as ours: then 403 is what we have, said by
 * the leader itself). Source: Catalog.ServiceNodes, KVS.Get, ACLResolver (Consul 1.8.7). */
static int prove_without_rights(struct consul *consul, struct error *err)
{
    struct request request = {.path = "catalog/service/cluster?consistent",
                              .anonymous = true,
                              .limit_ms = limits()->leader_proof_ms,
                              .good = 403,
                              .what = "prove a leader"};
    return ask_proof(consul, &request, err);
}

int consul_prove_leader(struct consul *consul, struct error *err)
{
    struct error ignored = {0};
    struct request request = {.path = "kv/lictor/mapping?consistent",
                              .limit_ms = limits()->leader_proof_ms,
                              .most = KV_LIMIT,
                              .good = 404,
                              .what = "read KV lictor/mapping",
                              .rule = "key \"lictor/mapping\" read"};
    int rc = ask_proof(consul, &request, err);
    if (rc != -EACCES)
        return rc;
    int led = prove_without_rights(consul, &ignored);
    return led < 0 ? error_set(err, led, "%s", ignored.text) : rc;
}

bool consul_led(int proof)
{
    return proof == 0 || proof == -EACCES;
}

bool consul_gone(int proof)
{
    return proof == -ECONNREFUSED || proof == -ETIMEDOUT;
}

/* 1.8 answers 500 for a check it does not have, newer ones 404. */
static bool no_such_check(const struct consul *consul)
{
    return consul->http.status == 404 ||
           (consul->http.status == 500 &&
            strstr(buffer_text(&consul->http.answer), "does not have associated TTL"));
}

static int send_update(struct consul *consul, const struct request *request, const char *check_id,
                       struct error *err)
{
    int rc = perform(consul, request, err);
    if (rc < 0 || consul->http.status == 200)
        return rc;
    if (no_such_check(consul))
        return error_set(err, -ENOENT,
                         "the agent has no check %s: is the snippet of lictor enable loaded?",
                         check_id);
    return refuse_status(consul, request, err);
}

int consul_check_update(struct consul *consul, const char *check_id, const char *status,
                        const char *output, struct error *err)
{
    char what[200];
    char *path = NULL;
    char *id = encode_key(check_id);
    cJSON *root = cJSON_CreateObject();
    bool whole = cJSON_AddStringToObject(root, "Status", status) &&
                 cJSON_AddStringToObject(root, "Output", output);
    char *body = json_print(root, whole);
    bool ready = id && body && asprintf(&path, "agent/check/update/%s", id) >= 0;
    (void)snprintf(what, sizeof what, "update check %s", check_id);
    const struct request request = {
        .path = path, .body = body, .what = what, .rule = "service \"cluster\" write"};
    int rc = ready ? send_update(consul, &request, check_id, err)
                   : error_set(err, -ENOMEM, "out of memory");
    free(path);
    free(id);
    cJSON_free(body);
    return rc;
}
