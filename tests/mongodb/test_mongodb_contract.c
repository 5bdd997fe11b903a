/* SPDX-License-Identifier: MIT */
/* One contract for the stand-in and FerretDB, a real peer that speaks MongoDB's protocol: what both
 * can do. Below it what only one of them can. Asked as verify-mongodb does (mongodb_ask.h). */
#include "mongodb/mongodb_ask.h"

#include "harness.h"
#include "keeper.h"
#include "mongodb_peer.h"

#define PORT  27017
#define LIMIT 4000

enum kind { STAND_IN, FERRETDB, KINDS };

static struct {
    int net;
    char dir[300];
} here;

static const char *address(int host)
{
    static char texts[4][32];
    static unsigned next;
    char *ret = texts[next++ % 4];
    (void)snprintf(ret, sizeof texts[0], "127.0.%d.%d", here.net, host);
    return ret;
}

static const char *path(const char *name)
{
    static char texts[8][400];
    static unsigned next;
    char *ret = texts[next++ % 8];
    (void)snprintf(ret, sizeof texts[0], "%s/%s", here.dir, name);
    return ret;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static struct mongodb_said ask(int host, int port, const struct credential *credential)
{
    struct host_port server = {.port = port};
    struct mongodb_said said;
    struct error err = {0};
    (void)snprintf(server.host, sizeof server.host, "%s", address(host));
    assert_int_equal(mongodb_ask_all(&server, 1, credential, LIMIT, &said, &err), 0);
    return said;
}

/* A peer that is no replica set. tls: by TLS on that port, too. */
static pid_t start(enum kind kind, int host, bool tls)
{
    char at[80], cert[420], key[420];
    const char *const options[] = {at, cert, key, NULL};
    if (kind == STAND_IN) {
        write_file("role", tls ? "tls require\n" : "");
        return mongodb_peer_stand_in(address(host), tls ? PORT + 1 : PORT, path("role"));
    }
    (void)snprintf(at, sizeof at, "--listen-tls=%s:%d", address(host), PORT + 1);
    (void)snprintf(cert, sizeof cert, "--listen-tls-cert-file=%s", path("cert.pem"));
    (void)snprintf(key, sizeof key, "--listen-tls-key-file=%s", path("cert.pem"));
    return mongodb_peer_ferretdb(address(host), PORT, path("ferretdb"), tls ? options : NULL);
}

static void is_left_out(enum kind kind)
{
    if (kind == FERRETDB && !mongodb_peer_has_ferretdb())
        skip();
}

/* ---- the contract -------------------------------------------------------- */

static void single(enum kind kind)
{
    is_left_out(kind);
    pid_t pid = start(kind, 10 + (int)kind, false);
    struct mongodb_said said = ask(10 + (int)kind, PORT, NULL);
    assert_string_equal(said.answer.trouble, "");
    assert_string_equal(said.answer.blind, "");
    assert_int_equal(said.answer.role, MONGODB_SINGLE);
    assert_string_equal(said.answer.set, "");
    assert_int_not_equal(said.answer.version[0], '\0');
    assert_int_equal(said.answer.plain, true);
    assert_int_equal(said.answer.tls, false);
    assert_int_equal(said.answer.open, true);
    assert_null(said.status);
    mongodb_said_release(&said);
    mongodb_peer_kill(pid);
    said = ask(10 + (int)kind, PORT, NULL);
    assert_string_equal(said.answer.trouble, "connection refused");
}

static void by_tls(enum kind kind)
{
    is_left_out(kind);
    mongodb_peer_certificate(here.dir, "cert", address(12 + (int)kind), 20);
    pid_t pid = start(kind, 12 + (int)kind, true);
    struct credential c = {.hosts = 1, .host = {"127.0.0.0/8"}};
    struct mongodb_said said = ask(12 + (int)kind, PORT + 1, NULL);
    assert_string_equal(said.answer.trouble, "");
    assert_int_equal(said.answer.tls, true);
    assert_int_equal(said.answer.plain, false);
    assert_int_equal(said.answer.open, true);
    mongodb_said_release(&said);
    /* The right CA is trusted, another one is not. */
    (void)snprintf(c.ca, sizeof c.ca, "%s", path("ca.pem"));
    said = ask(12 + (int)kind, PORT + 1, &c);
    assert_string_equal(said.answer.trouble, "");
    mongodb_said_release(&said);
    (void)snprintf(c.ca, sizeof c.ca, "%s", path("cert.pem"));
    said = ask(12 + (int)kind, PORT + 1, &c);
    assert_int_not_equal(said.answer.trouble[0], '\0');
    mongodb_said_release(&said);
    mongodb_peer_kill(pid);
}

static void a_single_stand_in(void **state)
{
    (void)state;
    single(STAND_IN);
}

static void a_single_ferretdb(void **state)
{
    (void)state;
    single(FERRETDB);
}

static void a_stand_in_by_tls(void **state)
{
    (void)state;
    by_tls(STAND_IN);
}

static void a_ferretdb_by_tls(void **state)
{
    (void)state;
    by_tls(FERRETDB);
}

/* ---- a user: FerretDB ---------------------------------------------------- */

/* It lets a user in by SCRAM, and then does not know replSetGetStatus: that is said. */
static void a_user_is_let_in_or_not(void **state)
{
    (void)state;
    is_left_out(FERRETDB);
    const char *const options[] = {"--test-enable-new-auth",      "--setup-username=monitor",
                                   "--setup-password=right-word", "--setup-database=admin",
                                   "--repl-set-name=rs",          NULL};
    struct credential c = {.path = "/etc/lictor/credentials/mongodb.read.json",
                           .user = "monitor",
                           .password = "right-word",
                           .hosts = 1,
                           .host = {"127.0.0.0/8"}};
    pid_t pid = mongodb_peer_ferretdb(address(20), PORT, path("users"), options);
    struct mongodb_said said = ask(20, PORT, NULL);
    assert_string_equal(said.answer.trouble, "");
    assert_int_equal(said.answer.role, MONGODB_PRIMARY);
    assert_string_equal(said.answer.set, "rs");
    assert_int_equal(said.answer.open, false);
    assert_null(said.status);
    mongodb_said_release(&said);
    said = ask(20, PORT, &c);
    assert_string_equal(said.answer.blind,
                        "the user of /etc/lictor/credentials/mongodb.read.json is not sent "
                        "without TLS (\"insecure_http\": true allows it)");
    c.insecure_http = true;
    said = ask(20, PORT, &c);
    assert_string_equal(said.answer.blind, "no such command: 'replSetGetStatus'");
    (void)snprintf(c.password, sizeof c.password, "wrong-word");
    said = ask(20, PORT, &c);
    assert_string_equal(said.answer.blind,
                        "the user of /etc/lictor/credentials/mongodb.read.json is not let in");
    mongodb_peer_kill(pid);
}

/* ---- a replica set: the stand-in ----------------------------------------- */

static void a_member_says_who_the_others_are(void **state)
{
    (void)state;
    char role[400];
    struct mongodb_view view;
    struct error err = {0};
    (void)snprintf(role, sizeof role,
                   "set rs\nversion 3.6.17\nmember %s:27017 1 1 0\nmember b:27017 2 1 90\n"
                   "member c:27017 8 0 0\n",
                   address(30));
    write_file("member", role);
    pid_t pid = mongodb_peer_stand_in(address(30), PORT, path("member"));
    struct mongodb_said said = ask(30, PORT, NULL);
    assert_int_equal(said.answer.role, MONGODB_PRIMARY);
    assert_string_equal(said.answer.version, "3.6.17");
    assert_int_equal(mongodb_answer_members(said.status, said.config, &view, &err), 0);
    assert_string_equal(view.set, "rs");
    assert_int_equal(view.n, 3);
    assert_int_equal(view.member[0].state, MONGODB_IS_PRIMARY);
    assert_in_range(view.member[0].optime_ms - view.member[1].optime_ms, 89000, 91000);
    assert_string_equal(view.member[1].state_name, "SECONDARY");
    assert_string_equal(view.member[2].state_name, "DOWN");
    assert_int_equal(view.member[1].votes, true);
    assert_int_equal(view.member[2].votes, false);
    mongodb_said_release(&said);
    write_file("member", "set -\n");
    said = ask(30, PORT, NULL);
    assert_int_equal(said.answer.role, MONGODB_UNSTARTED);
    mongodb_said_release(&said);
    (void)strncat(role, "auth\n", sizeof role - strlen(role) - 1);
    write_file("member", role);
    said = ask(30, PORT, NULL);
    assert_int_equal(said.answer.open, false);
    assert_string_equal(said.answer.blind, "a user is needed: set MONGODB_CREDENTIAL");
    mongodb_said_release(&said);
    write_file("member", "silent\n");
    int64_t begin = now_ms();
    said = ask(30, PORT, NULL);
    assert_in_range(now_ms() - begin, 0, LIMIT + 1000);
    assert_int_not_equal(said.answer.trouble[0], '\0');
    mongodb_peer_kill(pid);
}

/* By certificate; without the right it says so. */
static void a_certificate_logs_in(void **state)
{
    (void)state;
    char role[400];
    struct credential c = {
        .path = "/etc/lictor/credentials/mongodb.read.json", .hosts = 1, .host = {"127.0.0.0/8"}};
    mongodb_peer_certificate(here.dir, "cert", address(31), 20);
    mongodb_peer_certificate(here.dir, "client", "127.0.0.1", 20);
    (void)snprintf(c.ca, sizeof c.ca, "%s", path("ca.pem"));
    (void)snprintf(c.cert, sizeof c.cert, "%s", path("client.pem"));
    (void)snprintf(c.key, sizeof c.key, "%s", path("client.pem"));
    (void)snprintf(role, sizeof role, "set rs\ntls require\nauth\nmember %s:27017 1 1 0\n",
                   address(31));
    write_file("member", role);
    pid_t pid = mongodb_peer_stand_in(address(31), PORT, path("member"));
    struct mongodb_said said = ask(31, PORT, &c);
    assert_string_equal(said.answer.blind, "");
    assert_non_null(said.config);
    assert_int_equal(said.answer.open, false);
    mongodb_said_release(&said);
    (void)strncat(role, "deny\n", sizeof role - strlen(role) - 1);
    write_file("member", role);
    said = ask(31, PORT, &c);
    assert_string_equal(said.answer.blind,
                        "the user of /etc/lictor/credentials/mongodb.read.json lacks the role "
                        "clusterMonitor");
    mongodb_peer_kill(pid);
}

static int setup(void **state)
{
    (void)state;
    here.net = keeper_take_net();
    (void)snprintf(here.dir, sizeof here.dir, "%s", keeper_dir());
    mongodb_peer_ca(here.dir);
    return here.net < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_stand_in),
        cmocka_unit_test(a_single_ferretdb),
        cmocka_unit_test(a_stand_in_by_tls),
        cmocka_unit_test(a_ferretdb_by_tls),
        cmocka_unit_test(a_user_is_let_in_or_not),
        cmocka_unit_test(a_member_says_who_the_others_are),
        cmocka_unit_test(a_certificate_logs_in),
    };
    return HARNESS_RUN("mongodb-contract", tests, setup, NULL);
}
