/* SPDX-License-Identifier: MIT */
/* A stand-in for a member of MongoDB's replica set, on libbson:
 *
 *     fake-mongodb ADDRESS PORT FILE
 *
 * FILE says what it is, and is read again at each command:
 *
 *     set NAME             the replica set; without: a single one; "set -": not initiated
 *     version 4.4.2
 *     member HOST:PORT STATE VOTES LAG     one line each; the own state is that of ADDRESS:PORT
 *     tls require|allow    with cert.pem (and key) and ca.pem beside FILE; without: plaintext
 *     auth                 commands need a user, who logs in by certificate (MONGODB-X509)
 *     deny                 who is logged in has no right
 *     silent               takes connections, never answers
 *
 * It speaks OP_MSG, and OP_QUERY for the handshake. test_mongodb_contract.c keeps it honest. */
#include <arpa/inet.h>
#include <bson/bson.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MEMBERS  8
#define MOST     65536
#define OP_REPLY 1
#define OP_QUERY 2004
#define OP_MSG   2013

static const char *own_file;
static char own_name[80];

/* ---- what it is ---------------------------------------------------------- */

struct member {
    char name[80];
    int state, votes, lag_s;
};

struct role {
    char set[40];
    char version[20];
    struct member member[MEMBERS];
    int n;
    bool tls, plain, auth, deny, silent;
};

static void read_role(struct role *ret)
{
    char line[200], word[20];
    FILE *file = fopen(own_file, "r");
    *ret = (struct role){.version = "4.4.2", .plain = true};
    while (file && fgets(line, sizeof line, file)) {
        struct member *m = &ret->member[ret->n];
        (void)sscanf(line, "set %39s", ret->set);
        (void)sscanf(line, "version %19s", ret->version);
        if (sscanf(line, "tls %19s", word) == 1) {
            ret->tls = true;
            ret->plain = strcmp(word, "allow") == 0;
        }
        if (ret->n < MEMBERS &&
            sscanf(line, "member %79s %d %d %d", m->name, &m->state, &m->votes, &m->lag_s) == 4)
            ret->n++;
        ret->auth = ret->auth || strncmp(line, "auth", 4) == 0;
        ret->deny = ret->deny || strncmp(line, "deny", 4) == 0;
        ret->silent = ret->silent || strncmp(line, "silent", 6) == 0;
    }
    if (file)
        (void)fclose(file);
}

static int own_state(const struct role *role)
{
    for (int i = 0; i < role->n; i++)
        if (strcmp(role->member[i].name, own_name) == 0)
            return role->member[i].state;
    return 0;
}

/* ---- answers ------------------------------------------------------------- */

struct text {
    char bytes[MOST];
    size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    t->len += (size_t)vsnprintf(t->bytes + t->len, sizeof t->bytes - t->len, fmt, ap);
    va_end(ap);
}

static void add_error(struct text *t, int code, const char *name, const char *what)
{
    add(t, "{\"ok\":0.0,\"errmsg\":\"%s\",\"code\":%d,\"codeName\":\"%s\"}", what, code, name);
}

static void answer_hello(const struct role *role, const char *command, struct text *t)
{
    bool set = role->set[0] && strcmp(role->set, "-") != 0;
    int state = set ? own_state(role) : 1;
    add(t, "{\"%s\":%s,", strcmp(command, "hello") == 0 ? "isWritablePrimary" : "ismaster",
        state == 1 ? "true" : "false");
    if (strcmp(role->set, "-") == 0)
        add(t, "\"isreplicaset\":true,");
    if (set) {
        add(t, "\"setName\":\"%s\",\"secondary\":%s,\"me\":\"%s\",\"hosts\":[", role->set,
            state == 2 ? "true" : "false", own_name);
        for (int i = 0; i < role->n; i++)
            add(t, "%s\"%s\"", i ? "," : "", role->member[i].name);
        add(t, "],");
    }
    add(t,
        "\"maxBsonObjectSize\":16777216,\"maxMessageSizeBytes\":48000000,"
        "\"maxWriteBatchSize\":100000,\"localTime\":{\"$date\":{\"$numberLong\":\"%lld000\"}},"
        "\"logicalSessionTimeoutMinutes\":30,\"connectionId\":1,\"minWireVersion\":0,"
        "\"maxWireVersion\":9,\"readOnly\":false,\"ok\":1.0}",
        (long long)time(NULL));
}

static const char *state_name(int state)
{
    static const char *const names[] = {"STARTUP",    "PRIMARY", "SECONDARY",
                                        "RECOVERING", "",        "STARTUP2",
                                        "UNKNOWN",    "ARBITER", "(not reachable/healthy)",
                                        "ROLLBACK",   "REMOVED"};
    return state >= 0 && state <= 10 ? names[state] : "";
}

static void answer_status(const struct role *role, struct text *t)
{
    long long now = (long long)time(NULL);
    add(t, "{\"set\":\"%s\",\"myState\":%d,\"members\":[", role->set, own_state(role));
    for (int i = 0; i < role->n; i++) {
        const struct member *m = &role->member[i];
        add(t,
            "%s{\"_id\":%d,\"name\":\"%s\",\"health\":%d.0,\"state\":%d,\"stateStr\":\"%s\","
            "\"optimeDate\":{\"$date\":{\"$numberLong\":\"%lld000\"}}}",
            i ? "," : "", i, m->name, m->state != 8, m->state, state_name(m->state),
            m->state == 8 ? 0 : now - m->lag_s);
    }
    add(t, "],\"ok\":1.0}");
}

static void answer_config(const struct role *role, struct text *t)
{
    add(t, "{\"config\":{\"_id\":\"%s\",\"version\":1,\"members\":[", role->set);
    for (int i = 0; i < role->n; i++)
        add(t, "%s{\"_id\":%d,\"host\":\"%s\",\"votes\":%d}", i ? "," : "", i, role->member[i].name,
            role->member[i].votes);
    add(t, "]},\"ok\":1.0}");
}

static void answer_members(const struct role *role, const char *command, struct text *t)
{
    if (!role->set[0])
        add_error(t, 76, "NoReplicationEnabled", "not running with --replSet");
    else if (strcmp(role->set, "-") == 0)
        add_error(t, 94, "NotYetInitialized", "no replset config has been received");
    else if (strcmp(command, "replSetGetStatus") == 0)
        answer_status(role, t);
    else
        answer_config(role, t);
}

/* One who may talk to it. */
struct talk {
    int fd;
    SSL *tls; /* NULL: plaintext */
    bool user;
};

static void answer_login(struct talk *talk, struct text *t)
{
    X509 *certificate = talk->tls ? SSL_get_peer_certificate(talk->tls) : NULL;
    talk->user = certificate != NULL;
    X509_free(certificate);
    if (talk->user)
        add(t, "{\"dbname\":\"$external\",\"user\":\"CN=client\",\"ok\":1.0}");
    else
        add_error(t, 18, "AuthenticationFailed", "Authentication failed.");
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

/* May this one not ask that? */
static bool is_refused(const struct role *role, const struct talk *talk, const char *command)
{
    static const char *const free_ones[] = {
        "hello",        "isMaster",    "ismaster", "buildInfo", "connectionStatus",
        "authenticate", "endSessions", NULL};
    return !is_one_of(command, free_ones) && role->auth && (!talk->user || role->deny);
}

static void answer(const struct role *role, struct talk *talk, const char *command, struct text *t)
{
    static const char *const of_sets[] = {"replSetGetStatus", "replSetGetConfig", NULL};
    if (is_refused(role, talk, command))
        add_error(t, 13, "Unauthorized",
                  talk->user ? "not authorized on admin to execute command"
                             : "command requires authentication");
    else if (strcmp(command, "hello") == 0 || strcasecmp(command, "isMaster") == 0)
        answer_hello(role, command, t);
    else if (strcmp(command, "buildInfo") == 0)
        add(t, "{\"version\":\"%s\",\"ok\":1.0}", role->version);
    else if (strcmp(command, "connectionStatus") == 0)
        add(t,
            "{\"authInfo\":{\"authenticatedUsers\":[%s],\"authenticatedUserRoles\":[]},\"ok\":1.0}",
            talk->user ? "{\"user\":\"CN=client\",\"db\":\"$external\"}" : "");
    else if (strcmp(command, "listDatabases") == 0)
        add(t, "{\"databases\":[{\"name\":\"admin\"}],\"ok\":1.0}");
    else if (strcmp(command, "authenticate") == 0)
        answer_login(talk, t);
    else if (is_one_of(command, of_sets))
        answer_members(role, command, t);
    else if (strcmp(command, "endSessions") == 0)
        add(t, "{\"ok\":1.0}");
    else
        add_error(t, 59, "CommandNotFound", "no such command");
}

/* ---- the wire ------------------------------------------------------------ */

static bool transfer(struct talk *talk, void *bytes, size_t len, bool out)
{
    char *at = bytes;
    while (len > 0) {
        ssize_t n;
        if (talk->tls)
            n = out ? SSL_write(talk->tls, at, (int)len) : SSL_read(talk->tls, at, (int)len);
        else
            n = out ? write(talk->fd, at, len) : read(talk->fd, at, len);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static void put32(uint8_t *at, int32_t value)
{
    uint32_t v = (uint32_t)value;
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static int32_t get32(const uint8_t *at)
{
    return (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                     (uint32_t)at[3] << 24);
}

static bool send_document(struct talk *talk, const uint8_t *request, const bson_t *document)
{
    static _Thread_local uint8_t out[MOST + 64];
    bool query = get32(request + 12) == OP_QUERY;
    size_t head = query ? 36 : 21;
    memset(out, 0, head);
    memcpy(out + head, bson_get_data(document), document->len);
    put32(out, (int32_t)(head + document->len));
    memcpy(out + 8, request + 4, 4);
    put32(out + 12, query ? OP_REPLY : OP_MSG);
    if (query)
        put32(out + 32, 1);
    return transfer(talk, out, head + document->len, true);
}

/* One command. False: the connection ends. */
static bool serve_one(struct talk *talk)
{
    static _Thread_local uint8_t in[MOST];
    static _Thread_local struct text t;
    struct role role;
    bson_t document;
    bson_iter_t iter;
    bson_error_t error;
    if (!transfer(talk, in, 16, false) || get32(in) < 26 || get32(in) > MOST ||
        !transfer(talk, in + 16, (size_t)get32(in) - 16, false))
        return false;
    size_t head = get32(in + 12) == OP_QUERY ? 20 + strlen((const char *)in + 20) + 9 : 21;
    read_role(&role);
    while (role.silent) {
        (void)sleep(1);
        read_role(&role);
    }
    if (!bson_init_static(&document, in + head, (size_t)get32(in) - head) ||
        !bson_iter_init(&iter, &document) || !bson_iter_next(&iter))
        return false;
    t.len = 0;
    answer(&role, talk, bson_iter_key(&iter), &t);
    bson_t reply;
    if (!bson_init_from_json(&reply, t.bytes, (ssize_t)t.len, &error)) {
        (void)fprintf(stderr, "fake-mongodb: %s: %s\n", error.message, t.bytes);
        return false;
    }
    bool good = send_document(talk, in, &reply);
    bson_destroy(&reply);
    return good;
}

static SSL_CTX *make_tls(void)
{
    char path[400];
    char *slash;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    (void)snprintf(path, sizeof path, "%s", own_file);
    slash = strrchr(path, '/') + 1;
    (void)snprintf(slash, sizeof path - (size_t)(slash - path), "ca.pem");
    (void)SSL_CTX_load_verify_locations(tls, path, NULL);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    (void)snprintf(slash, sizeof path - (size_t)(slash - path), "cert.pem");
    if (SSL_CTX_use_certificate_chain_file(tls, path) == 1 &&
        SSL_CTX_use_PrivateKey_file(tls, path, SSL_FILETYPE_PEM) == 1)
        return tls;
    (void)fprintf(stderr, "fake-mongodb: %s cannot be used\n", path);
    SSL_CTX_free(tls);
    return NULL;
}

static void *serve(void *arg)
{
    struct talk talk = {.fd = *(int *)arg};
    struct role role;
    uint8_t first = 0;
    SSL_CTX *tls = NULL;
    free(arg);
    bool good = recv(talk.fd, &first, 1, MSG_PEEK) == 1;
    read_role(&role);
    if (good && first == 0x16 && role.tls) {
        tls = make_tls();
        talk.tls = tls ? SSL_new(tls) : NULL;
        good = talk.tls && SSL_set_fd(talk.tls, talk.fd) == 1 && SSL_accept(talk.tls) == 1;
    } else {
        good = good && role.plain && first != 0x16;
    }
    while (good && serve_one(&talk))
        continue;
    SSL_free(talk.tls);
    SSL_CTX_free(tls);
    (void)close(talk.fd);
    return NULL;
}

int main(int argc, char **argv)
{
    int one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET};
    if (argc != 4 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1)
        return 2;
    at.sin_port = htons((uint16_t)atoi(argv[2]));
    own_file = argv[3];
    (void)snprintf(own_name, sizeof own_name, "%s:%s", argv[1], argv[2]);
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 64) < 0) {
        perror("fake-mongodb");
        return 1;
    }
    for (;;) {
        pthread_t thread;
        int *talk = malloc(sizeof *talk);
        if (!talk)
            return 1;
        *talk = accept(fd, NULL, NULL);
        if (*talk < 0 || pthread_create(&thread, NULL, serve, talk) != 0)
            free(talk);
        else
            (void)pthread_detach(thread);
    }
}
