/* SPDX-License-Identifier: MIT */
/* fake-elasticsearch: a stand-in for what the real one cannot be made to do on command.
 *
 *   fake-elasticsearch ADDRESS PORT [MODE] [OPTION VALUE]...
 *
 *   --tls FILE            https, with certificate and key in one PEM file
 *   --user NAME:PASSWORD  who asks must be this one,
 *   --api-key ID:KEY      or this one; anybody else gets 401
 *   --uuid TEXT           its cluster_uuid, at most 22 characters
 *   --stream NAME         there is a data stream of this name (the real one that tests have
 *                         comes without that module)
 *
 * It answers GET /, _bulk, _refresh, _search and _count as Elasticsearch
 * 8.6 does, as far as they are used here; test_contract.c compares. A MODE spoils that:
 *
 *   ok                    as it should be
 *   400, 401, 403, 413, 429, 503   every request is refused with this status
 *   items=STATUS          _bulk succeeds, each of its items is refused with this status
 *   some=STATUS           the same, but only for every second item
 *   search=403            only _search is refused
 *   hang                  the request is read and never answered
 *   slow                  an answer that takes for ever: a byte now and then
 *   close                 the connection ends in the middle of the answer
 *   huge                  64 MiB of white space
 *   endless               white space without an end
 *   redirect              307 to itself
 *   foreign, 404          JSON, or an error, of something that is no Elasticsearch
 *   old                   Elasticsearch 6.8
 *   starting              a node that has not found its cluster
 *   opensearch            OpenSearch 2.19
 *   garbage               bytes that are no JSON, some of them not UTF-8
 *   quotes                JSON whose texts hold quotes, backslashes, control characters
 *
 * PUT /_stand-in/MODE changes it, PUT /_stand-in/MODE?times=N for the next N requests
 * only. GET /_stand-in tells {"mode":...,"requests":N,"bulks":N,"documents":N}. */
#include "base/base64.h"
#include "base/buffer.h"
#include "base/file.h"
#include "documents.h"
#include "replies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BODY_LIMIT (100U << 20) /* bytes: http.max_content_length */

/* One request while its body arrives. */
struct request {
    struct buffer body;
    bool too_large;
};

/* The server has one thread, so nothing here needs a lock. */
struct stand_in {
    struct documents *docs;
    char *pem;              /* certificate and key, NULL: no TLS */
    char *authorization[2]; /* headers that let in; all NULL: everybody may */
    const char *stream;     /* the data stream there is, NULL none */
    char uuid[23];
    char mode[20];
    long spoil; /* so many requests yet, -1: all */
    long requests;
    long bulks;
};

/* What the URL says. */
struct call {
    struct MHD_Connection *connection;
    const char *method;
    char index[256]; /* "" when the URL names none */
    const char *api; /* "_bulk", "_search", ... or "" */
};

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static bool set_mode(struct stand_in *self, const char *mode, const char *times)
{
    static const char *const known[] = {
        "ok",     "400",      "401",     "403",   "404",      "413",        "429",
        "503",    "hang",     "slow",    "close", "huge",     "endless",    "garbage",
        "quotes", "redirect", "foreign", "old",   "starting", "opensearch", "search=403"};
    bool items = strncmp(mode, "items=", 6) == 0 || strncmp(mode, "some=", 5) == 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!items && strcmp(mode, known[i]) != 0)
            continue;
        (void)snprintf(self->mode, sizeof self->mode, "%s", mode);
        self->spoil = times ? strtol(times, NULL, 10) : -1;
        return true;
    }
    return false;
}

/* The mode of this request. */
static const char *next_mode(struct stand_in *self)
{
    if (self->spoil == 0)
        return "ok";
    if (self->spoil > 0)
        self->spoil--;
    return self->mode;
}

static enum MHD_Result control(struct stand_in *self, const char *url, const char *method,
                               struct MHD_Connection *connection)
{
    const char *mode = url + strlen("/_stand-in");
    if (strcmp(method, "PUT") == 0 &&
        !set_mode(self, *mode == '/' ? mode + 1 : mode, argument(connection, "times")))
        return reply_error(connection, 400, "illegal_argument_exception", "which mode?");
    cJSON *state = cJSON_CreateObject();
    cJSON_AddStringToObject(state, "mode", self->spoil ? self->mode : "ok");
    cJSON_AddNumberToObject(state, "requests", (double)self->requests);
    cJSON_AddNumberToObject(state, "bulks", (double)self->bulks);
    cJSON_AddNumberToObject(state, "documents", (double)documents_number(self->docs));
    return reply(connection, 200, state);
}

/* ---- Elasticsearch ------------------------------------------------------- */

static enum MHD_Result greet(const struct stand_in *self, struct MHD_Connection *connection)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "name", "stand-in");
    cJSON_AddStringToObject(root, "cluster_name", "stand-in");
    cJSON_AddStringToObject(root, "cluster_uuid", self->uuid);
    cJSON *version = cJSON_AddObjectToObject(root, "version");
    cJSON_AddStringToObject(version, "number", "8.6.2");
    cJSON_AddStringToObject(root, "tagline", "You Know, for Search");
    return reply(connection, 200, root);
}

/* mode: only "items=STATUS" and "some=STATUS" matter here. */
static enum MHD_Result bulk(struct stand_in *self, const struct call *call, struct buffer *body,
                            const char *mode)
{
    const char *type = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
                                                   "Content-Type");
    if (body->len > 0 && (!type || (strncmp(type, "application/json", 16) != 0 &&
                                    strncmp(type, "application/x-ndjson", 20) != 0)))
        return reply_error(call->connection, 406, "media_type_header_exception",
                           "Content-Type header is not supported");
    cJSON *result;
    bool some = strncmp(mode, "some=", 5) == 0;
    bool refused = some || strncmp(mode, "items=", 6) == 0;
    self->bulks++;
    int status = documents_bulk(
        self->docs, *call->index ? call->index : NULL, body->data, body->len,
        refused ? (int)strtol(strchr(mode, '=') + 1, NULL, 10) : 0, some ? 2 : 1, &result);
    return reply(call->connection, status, result);
}

static enum MHD_Result search(const struct stand_in *self, const struct call *call,
                              const struct buffer *body)
{
    const char *size = argument(call->connection, "size");
    bool count = strcmp(call->api, "_count") == 0;
    cJSON *result;
    int status = 0;
    if (body->len > 0 && !count)
        status = documents_aggregate(self->docs, call->index, body->data, &result);
    else
        status = documents_search(self->docs, call->index, argument(call->connection, "q"),
                                  count  ? -1
                                  : size ? (int)strtol(size, NULL, 10)
                                         : 10,
                                  &result);
    return reply(call->connection, status, result);
}

static enum MHD_Result data_stream(const struct stand_in *self, const struct call *call)
{
    const char *name = call->api + strlen("_data_stream/");
    if (!self->stream || strcmp(name, self->stream) != 0)
        return reply_error(call->connection, 404, "index_not_found_exception", "no such index");
    cJSON *answer = cJSON_CreateObject();
    cJSON *streams = cJSON_AddArrayToObject(answer, "data_streams");
    cJSON *stream = cJSON_CreateObject();
    cJSON_AddStringToObject(stream, "name", name);
    cJSON_AddItemToArray(streams, stream);
    return reply(call->connection, 200, answer);
}

/* Filebeat asks for it before it writes. */
static enum MHD_Result license(const struct call *call)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *license = cJSON_AddObjectToObject(answer, "license");
    cJSON_AddStringToObject(license, "status", "active");
    cJSON_AddStringToObject(license, "uid", "00000000-0000-0000-0000-000000000000");
    cJSON_AddStringToObject(license, "type", "basic");
    return reply(call->connection, 200, answer);
}

static enum MHD_Result refuse(const struct call *call)
{
    return reply_error(call->connection, 405, "illegal_argument_exception",
                       "not known to the stand-in");
}

/* What is asked of the whole, or of the names. */
static enum MHD_Result answer_about(struct stand_in *self, const struct call *call)
{
    if (strncmp(call->api, "_data_stream/", 13) == 0)
        return data_stream(self, call);
    if (strcmp(call->api, "_license") == 0)
        return license(call);
    return refuse(call);
}

static enum MHD_Result dispatch(struct stand_in *self, const struct call *call, struct buffer *body,
                                const char *mode)
{
    bool read_only = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    bool post = strcmp(call->method, "POST") == 0;
    if (strcmp(call->api, "") == 0 && !*call->index && read_only)
        return greet(self, call->connection);
    if (strcmp(call->api, "_bulk") == 0 && (post || strcmp(call->method, "PUT") == 0))
        return bulk(self, call, body, mode);
    if (strcmp(call->api, "_refresh") == 0 && (post || read_only))
        return reply(call->connection, 200, cJSON_CreateObject());
    if (*call->index && (read_only || post) &&
        (strcmp(call->api, "_search") == 0 || strcmp(call->api, "_count") == 0))
        return search(self, call, body);
    return read_only ? answer_about(self, call) : refuse(call);
}

static void read_url(const char *url, struct call *ret)
{
    const char *rest = url + 1;
    ret->index[0] = '\0';
    if (*rest && *rest != '_') {
        size_t len = strcspn(rest, "/");
        (void)snprintf(ret->index, sizeof ret->index, "%.*s", (int)len, rest);
        rest += len + (rest[len] == '/');
    }
    ret->api = rest;
}

static bool is_let_in(const struct stand_in *self, struct MHD_Connection *connection)
{
    const char *has = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");
    bool closed = false;
    for (size_t i = 0; i < 2; i++) {
        if (self->authorization[i] && has && strcmp(has, self->authorization[i]) == 0)
            return true;
        closed |= self->authorization[i] != NULL;
    }
    return !closed;
}

static enum MHD_Result serve(struct stand_in *self, const char *url, const char *method,
                             struct MHD_Connection *connection, struct request *request)
{
    struct call call = {.connection = connection, .method = method};
    if (strncmp(url, "/_stand-in", strlen("/_stand-in")) == 0)
        return control(self, url, method, connection);
    self->requests++;
    const char *mode = next_mode(self);
    if (strcmp(mode, "ok") != 0 && !strchr(mode, '='))
        return reply_spoiled(connection, mode);
    if (!is_let_in(self, connection))
        return reply_spoiled(connection, "401");
    if (request->too_large)
        return reply_error(connection, 413, "content_too_long", "over 100 MB");
    read_url(url, &call);
    if (strncmp(mode, "search=", 7) == 0 && strcmp(call.api, "_search") == 0)
        return reply_spoiled(connection, mode + 7);
    return dispatch(self, &call, &request->body, mode);
}

/* ---- server -------------------------------------------------------------- */

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)version;
    struct request *request = *state;
    if (!request) {
        request = calloc(1, sizeof *request);
        *state = request;
        if (request)
            request->body = BUFFER_INIT(BODY_LIMIT);
        return request ? MHD_YES : MHD_NO;
    }
    if (*size > 0) {
        if (buffer_append(&request->body, data, *size) < 0)
            request->too_large = true;
        *size = 0;
        return MHD_YES;
    }
    return serve(context, url, method, connection, request);
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct request *request = *state;
    if (request)
        buffer_release(&request->body);
    free(request);
    *state = NULL;
}

/* 22 characters, different in every run, as Elasticsearch has it. */
static bool make_uuid(char uuid[23])
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[22];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        uuid[i] = set[bytes[i] % 64];
    uuid[22] = '\0';
    return true;
}

static struct MHD_Daemon *listen_at(const char *address, const char *port, struct stand_in *self)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, self->pem},
                                   {MHD_OPTION_HTTPS_MEM_CERT, 0, self->pem},
                                   {MHD_OPTION_END, 0, NULL}};
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
        return NULL;
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                                MHD_ALLOW_SUSPEND_RESUME | (self->pem ? MHD_USE_TLS : 0),
                            0, NULL, NULL, on_request, self, MHD_OPTION_SOCK_ADDR, &at,
                            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_NOTIFY_COMPLETED,
                            on_end, NULL, MHD_OPTION_ARRAY, self->pem ? tls : tls + 2,
                            MHD_OPTION_END);
}

static char *authorization(const char *scheme, const char *secret)
{
    char *header = NULL;
    char *encoded = base64_encode(secret, strlen(secret));
    if (!encoded || asprintf(&header, "%s %s", scheme, encoded) < 0)
        abort();
    free(encoded);
    return header;
}

/* What follows ADDRESS PORT. */
static bool take_options(struct stand_in *self, char **argv)
{
    struct buffer pem = BUFFER_INIT(65536);
    struct error err = {0};
    if (*argv && **argv != '-' && !set_mode(self, *argv++, NULL))
        return false;
    for (; argv[0] && argv[1]; argv += 2) {
        if (strcmp(argv[0], "--user") == 0)
            self->authorization[0] = authorization("Basic", argv[1]);
        else if (strcmp(argv[0], "--api-key") == 0)
            self->authorization[1] = authorization("ApiKey", argv[1]);
        else if (strcmp(argv[0], "--uuid") == 0)
            (void)snprintf(self->uuid, sizeof self->uuid, "%s", argv[1]);
        else if (strcmp(argv[0], "--stream") == 0)
            self->stream = argv[1];
        else if (strcmp(argv[0], "--tls") == 0 && file_read(argv[1], &pem, &err) == 0)
            self->pem = buffer_detach(&pem);
        else
            return false;
    }
    return !argv[0];
}

int main(int argc, char **argv)
{
    struct stand_in self = {.docs = documents_new()};
    if (argc < 3 || !make_uuid(self.uuid) || !set_mode(&self, "ok", NULL) ||
        !take_options(&self, argv + 3)) {
        (void)fprintf(stderr, "usage: fake-elasticsearch ADDRESS PORT [MODE] "
                              "[--tls FILE] [--user NAME:PASSWORD] [--api-key ID:KEY]\n");
        return 2;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    struct MHD_Daemon *daemon = listen_at(argv[1], argv[2], &self);
    if (!daemon) {
        (void)fprintf(stderr, "fake-elasticsearch: cannot listen at %s:%s: %s\n", argv[1], argv[2],
                      strerror(errno));
        return 1;
    }
    int caught;
    sigwait(&ends, &caught);
    /* Hanging requests would keep the server's thread from ending; the kernel ends both. */
    _exit(0);
}
