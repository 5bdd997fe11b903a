/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_ask.h"

#include "base/json.h"
#include "base/text.h"
#include "net/url.h"

#include <errno.h>
#include <mongoc/mongoc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPLY_MOST (1 << 20) /* bytes of an answer */
#define STEP_MS    1500      /* one step: to connect, to answer */

/* MongoDB's numbers of errors. */
#define UNAUTHORIZED    13
#define AUTHENTICATION  18
#define NO_SUCH_COMMAND 59
#define NO_REPLICATION  76
#define NOT_INITIALIZED 94

/* ---- one connection ------------------------------------------------------ */

enum way { BY_TLS, PLAIN };

/* Where and as whom. */
struct access {
    const struct host_port *server;
    const struct credential *credential; /* NULL: as nobody, with no certificate either */
};

/* With a user the server must be the right one; else nothing is sent that could be stolen. */
static void set_tls(mongoc_client_t *client, const struct credential *c)
{
    mongoc_ssl_opt_t options = *mongoc_ssl_opt_get_default();
    bool verified = c && (c->ca[0] || c->user[0]);
    options.weak_cert_validation = !verified;
    options.allow_invalid_hostname = !verified;
    if (c && c->ca[0])
        options.ca_file = c->ca;
    if (c && c->cert[0])
        options.pem_file = c->cert;
    mongoc_client_set_ssl_opts(client, &options);
}

static void set_user(mongoc_uri_t *uri, const struct credential *c)
{
    if (c->user[0]) {
        (void)mongoc_uri_set_username(uri, c->user);
        (void)mongoc_uri_set_password(uri, c->password);
        (void)mongoc_uri_set_auth_source(uri, "admin");
    } else if (c->cert[0]) {
        (void)mongoc_uri_set_auth_mechanism(uri, "MONGODB-X509");
    }
}

static mongoc_client_t *open_client(const struct access *access, enum way way, bool as_user)
{
    char text[HOST_TEXT + 40];
    bool ipv6 = strchr(access->server->host, ':') != NULL;
    (void)snprintf(text, sizeof text, "mongodb://%s%s%s:%d/", ipv6 ? "[" : "", access->server->host,
                   ipv6 ? "]" : "", access->server->port);
    mongoc_uri_t *uri = mongoc_uri_new(text);
    if (!uri)
        return NULL;
    (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, true);
    (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
    (void)mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, STEP_MS);
    (void)mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, STEP_MS);
    (void)mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, STEP_MS);
    (void)mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, way == BY_TLS);
    if (as_user && access->credential)
        set_user(uri, access->credential);
    mongoc_client_t *client = mongoc_client_new_from_uri(uri);
    mongoc_uri_destroy(uri);
    if (client && way == BY_TLS)
        set_tls(client, access->credential);
    return client;
}

/* ---- one command --------------------------------------------------------- */

/* Of libmongoc's text the reason alone: "... set): [connection refused calling hello on '...']". */
static void say_reason(const bson_error_t *error, char *ret, size_t size)
{
    const char *begin = strchr(error->message, '[');
    begin = begin ? begin + 1 : error->message;
    const char *end = strstr(begin, " calling ");
    if (!end)
        end = begin + strcspn(begin, "]");
    text_copy_bytes(ret, size, begin, (size_t)(end - begin));
}

/* Ask {NAME: 1} of admin. The answer as JSON, to be freed, or NULL with libmongoc's error; an error
 * of MongoDB has its number in it. */
static cJSON *ask(mongoc_client_t *client, const char *name, bson_error_t *error)
{
    bson_t reply;
    cJSON *ret = NULL;
    size_t len = 0;
    bson_t *command = BCON_NEW(name, BCON_INT32(1));
    if (strcmp(name, "listDatabases") == 0)
        BSON_APPEND_BOOL(command, "nameOnly", true);
    bool good = mongoc_client_command_simple(client, "admin", command, NULL, &reply, error);
    char *text = good && reply.len <= REPLY_MOST ? bson_as_relaxed_extended_json(&reply, &len)
                                                 : NULL;
    if (good && (!text || json_parse(text, len, name, &ret, NULL) < 0))
        bson_set_error(error, MONGOC_ERROR_PROTOCOL, 0, "its answer to %s is not as expected",
                       name);
    bson_free(text);
    bson_destroy(&reply);
    bson_destroy(command);
    return ret;
}

/* ---- one server ---------------------------------------------------------- */

/* Old ones know isMaster only. */
static cJSON *ask_hello(mongoc_client_t *client, bson_error_t *error)
{
    cJSON *hello = client ? ask(client, "hello", error) : NULL;
    return hello || !client || error->code != NO_SUCH_COMMAND ? hello
                                                              : ask(client, "isMaster", error);
}

/* Is nobody logged in on this connection, and are databases listed all the same? */
static bool is_open(mongoc_client_t *client)
{
    bson_error_t error;
    cJSON *status = ask(client, "connectionStatus", &error);
    const cJSON *info = cJSON_GetObjectItemCaseSensitive(status, "authInfo");
    const cJSON *users = cJSON_GetObjectItemCaseSensitive(info, "authenticatedUsers");
    cJSON *listed = cJSON_GetArraySize(users) == 0 ? ask(client, "listDatabases", &error) : NULL;
    bool ret = listed != NULL;
    cJSON_Delete(status);
    cJSON_Delete(listed);
    return ret;
}

static void say_blind(const struct access *access, const bson_error_t *error, char *ret,
                      size_t size)
{
    char reason[120];
    const struct credential *c = access->credential;
    say_reason(error, reason, sizeof reason);
    if (error->code == UNAUTHORIZED && !c)
        (void)snprintf(ret, size, "a user is needed: set MONGODB_CREDENTIAL");
    else if (error->code == UNAUTHORIZED)
        (void)snprintf(ret, size, "the user of %s lacks the role clusterMonitor", c->path);
    else if (c &&
             (error->code == AUTHENTICATION || (error->domain == MONGOC_ERROR_CLIENT &&
                                                error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE)))
        (void)snprintf(ret, size, "the user of %s is not let in", c->path);
    else
        (void)snprintf(ret, size, "%s", reason);
}

/* Who the members are, where it is one of a set. */
static void ask_members(const struct access *access, mongoc_client_t *client,
                        struct mongodb_said *said)
{
    bson_error_t error = {0};
    said->status = ask(client, "replSetGetStatus", &error);
    if (said->status)
        said->config = ask(client, "replSetGetConfig", &error);
    if (!said->config && error.code != NO_REPLICATION && error.code != NOT_INITIALIZED)
        say_blind(access, &error, said->answer.blind, sizeof said->answer.blind);
}

/* May the credential be sent there? */
static int judge_way(const struct access *access, enum way way, struct error *err)
{
    char text[URL_TEXT];
    struct url url = {.https = true, .port = access->server->port};
    if (way == PLAIN && !access->credential->insecure_http)
        return error_set(
            err, -EPERM,
            "the user of %s is not sent without TLS (\"insecure_http\": true allows it)",
            access->credential->path);
    (void)snprintf(url.host, sizeof url.host, "%s", access->server->host);
    return credential_judge(access->credential, url_format(&url, text), err);
}

static void ask_as_user(const struct access *access, enum way way, struct mongodb_said *said)
{
    struct error why = {0};
    if (judge_way(access, way, &why) < 0) {
        text_copy(said->answer.blind, sizeof said->answer.blind, why.text);
        return;
    }
    mongoc_client_t *client = open_client(access, way, true);
    if (client)
        ask_members(access, client, said);
    mongoc_client_destroy(client);
}

static void ask_all_of_it(const struct access *access, mongoc_client_t *client, enum way way,
                          struct mongodb_said *said)
{
    struct error ignored = {0};
    bson_error_t error;
    cJSON *build = ask(client, "buildInfo", &error);
    (void)!mongodb_answer_build(build, &said->answer, &ignored);
    cJSON_Delete(build);
    said->answer.open = is_open(client);
    if (said->answer.role != MONGODB_PRIMARY && said->answer.role != MONGODB_NO_PRIMARY)
        return;
    if (access->credential && (access->credential->user[0] || access->credential->cert[0]))
        ask_as_user(access, way, said);
    else
        ask_members(access, client, said);
}

/* A certificate that is asked for is part of the connection, not of the user. */
static void ask_server(const struct access *access, struct mongodb_said *said)
{
    mongoc_client_t *client[2] = {NULL, NULL};
    bson_error_t error[2] = {{0}, {0}};
    struct error why = {0};
    cJSON *hello[2] = {NULL, NULL};
    for (enum way way = BY_TLS; way <= PLAIN; way++) {
        client[way] = open_client(access, way, false);
        hello[way] = ask_hello(client[way], &error[way]);
    }
    /* Where neither works: a mere end of the connection says less than the other reason. */
    bool by_tls = hello[BY_TLS] || (!hello[PLAIN] && strstr(error[PLAIN].message, "closed"));
    enum way way = by_tls ? BY_TLS : PLAIN;
    said->answer.tls = hello[BY_TLS] != NULL;
    said->answer.plain = hello[PLAIN] != NULL;
    if (!hello[way] && error[way].message[0])
        say_reason(&error[way], said->answer.trouble, sizeof said->answer.trouble);
    else if (!hello[way])
        text_copy(said->answer.trouble, sizeof said->answer.trouble, "it cannot be asked");
    else if (mongodb_answer_hello(hello[way], &said->answer, &why) < 0)
        text_copy(said->answer.trouble, sizeof said->answer.trouble, why.text);
    else
        ask_all_of_it(access, client[way], way, said);
    for (way = BY_TLS; way <= PLAIN; way++) {
        cJSON_Delete(hello[way]);
        mongoc_client_destroy(client[way]);
    }
}

/* ---- all of them --------------------------------------------------------- */

/* Shared with the threads, which may outlive the call: so it is never freed then. */
struct round {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct credential credential;
    bool has_credential;
    size_t left; /* threads that have not ended */
    struct job {
        struct round *round;
        struct host_port server;
        struct mongodb_said said;
        bool done;
    } job[];
};

static void *run_job(void *arg)
{
    struct job *job = arg;
    struct round *round = job->round;
    struct mongodb_said said = {.status = NULL};
    const struct access access = {&job->server, round->has_credential ? &round->credential : NULL};
    ask_server(&access, &said);
    (void)pthread_mutex_lock(&round->lock);
    job->said = said;
    job->done = true;
    round->left--;
    (void)pthread_cond_signal(&round->ended);
    (void)pthread_mutex_unlock(&round->lock);
    return NULL;
}

static struct round *begin_round(const struct host_port *servers, size_t n,
                                 const struct credential *credential)
{
    pthread_condattr_t attributes;
    struct round *round = calloc(1, sizeof *round + n * sizeof round->job[0]);
    if (!round)
        return NULL;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&round->lock, NULL);
    (void)pthread_cond_init(&round->ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    round->has_credential = credential != NULL;
    if (credential)
        round->credential = *credential;
    for (size_t i = 0; i < n; i++)
        round->job[i] = (struct job){.round = round, .server = servers[i]};
    return round;
}

/* Wait until all have ended, or the time is over. */
static void wait_round(struct round *round, int64_t limit_ms)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(limit_ms / 1000);
    end.tv_nsec += (long)(limit_ms % 1000) * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (round->left > 0 && pthread_cond_timedwait(&round->ended, &round->lock, &end) == 0)
        continue;
}

static int start_jobs(struct round *round, size_t n)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        pthread_t thread;
        rc = pthread_create(&thread, NULL, run_job, &round->job[i]);
        if (rc == 0) {
            (void)pthread_detach(thread);
            round->left++;
        }
    }
    return rc;
}

int mongodb_ask_all(const struct host_port *servers, size_t n, const struct credential *credential,
                    int64_t limit_ms, struct mongodb_said *ret, struct error *err)
{
    mongoc_log_set_handler(NULL, NULL);
    mongoc_init();
    struct round *round = begin_round(servers, n, credential);
    if (!round)
        return error_set(err, -ENOMEM, "out of memory");
    (void)pthread_mutex_lock(&round->lock);
    int rc = start_jobs(round, n);
    if (rc == 0)
        wait_round(round, limit_ms);
    for (size_t i = 0; i < n; i++) {
        struct job *job = &round->job[i];
        ret[i] = job->done ? job->said : (struct mongodb_said){.status = NULL};
        if (!job->done)
            (void)snprintf(ret[i].answer.trouble, sizeof ret[i].answer.trouble,
                           "no answer within %g s", (double)limit_ms / 1000);
        bool ipv6 = strchr(servers[i].host, ':') != NULL;
        (void)snprintf(ret[i].answer.name, sizeof ret[i].answer.name, "%s%s%s:%d", ipv6 ? "[" : "",
                       servers[i].host, ipv6 ? "]" : "", servers[i].port);
    }
    bool over = round->left == 0;
    (void)pthread_mutex_unlock(&round->lock);
    if (over) {
        credential_release(&round->credential);
        free(round);
        mongoc_cleanup();
    }
    return rc ? error_set(err, -EAGAIN, "cannot start a thread: %s", strerror(rc)) : 0;
}

void mongodb_said_release(struct mongodb_said *said)
{
    cJSON_Delete(said->status);
    cJSON_Delete(said->config);
    *said = (struct mongodb_said){.status = NULL};
}
