/* SPDX-License-Identifier: MIT */
/* A cluster as it should be: ACLs with default deny, TLS with client certificates for RPC and HTTPS,
 * encrypted gossip. The shipped policy is enough to find nothing; then one thing after the other is
 * as it should not be, on one server, is said, and is put right. */
#include "base/file.h"
#include "harness.h"
#include "keeper.h"
#include "server.h"

#include <sys/stat.h>

#define CHECK "cluster:security"
#define SOON  20000

/* Not SEAL's, which is in no source of ours: one of HashiCorp's examples. */
#define PUBLISHED "cg8StVXbQJ0gPvMd9o7yrg=="
#define PRIVATE   "aVR0bPFSI7iPC1xvUpA2Pw=="

static char certificates[300], programs[300];

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
    char command[2000];
    const char *argv[] = {"/bin/bash", "-ec", command, NULL};
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("%s: %s%s", command, o.out, o.err);
    outcome_release(&o);
}

/* The net of the cluster is not known before it is there. */
static void make_certificates(void)
{
    (void)snprintf(certificates, sizeof certificates, "%s/tls", keeper_dir());
    shell("mkdir '%s'; cd '%s'; consul='%s'; $consul tls ca create; "
          "$consul tls cert create -server -dc dc1 -additional-ipaddress=127.0.{20..99}.{1..3}; "
          "$consul tls cert create -client -dc dc1; cp dc1-server-consul-0.pem good.crt; "
          "make() { faketime \"$2\" openssl req -x509 -newkey rsa:2048 -nodes -days 10 "
          "-subj /CN=es -keyout $1.key -out $1.crt; cat $1.key $1.crt >$1.pem; }; "
          "make soon now; make expired '20 days ago'; make early '20 days'; "
          "chmod 0640 *.key *-key.pem soon.pem expired.pem early.pem",
          certificates, certificates, consul_program());
}

/* As installed: nobody else's, wherever this tree is, and in no closed directory. */
static void install(void)
{
    static char consul[400];
    (void)snprintf(programs, sizeof programs, "%s/bin", keeper_dir());
    shell("chmod 0711 '%s'; mkdir '%s'; cp "
          "'%s'/{heartbeat,{verify,hear,reconfigure,rollout,apply}-*} "
          "'%s' '%s'; chmod 0755 '%s'/*",
          keeper_dir(), programs, TEST_BIN, consul_program(), programs, programs);
    (void)snprintf(consul, sizeof consul, "%s/consul", programs);
    assert_int_equal(setenv("CONSUL", consul, 1), 0);
}

/* What a server has in addition: "20-more.json". */
static const char *configuration(void)
{
    static char text[1500];
    (void)snprintf(text, sizeof text,
                   "{\"encrypt\": \"" PRIVATE "\", \"verify_incoming\": true, "
                   "\"verify_outgoing\": true, \"verify_server_hostname\": true, "
                   "\"ca_file\": \"%s/consul-agent-ca.pem\", "
                   "\"cert_file\": \"%s/dc1-server-consul-0.pem\", "
                   "\"key_file\": \"%s/dc1-server-consul-0-key.pem\", "
                   "\"ports\": {\"https\": 8501}, \"autopilot\": {\"min_quorum\": 3}}",
                   certificates, certificates, certificates);
    return text;
}

/* Our programs speak HTTPS, with a client certificate. */
static void speak_https(struct cluster *c, int i, int port)
{
    char text[1200];
    (void)snprintf(text, sizeof text,
                   "CONSUL_HTTP_ADDR=https://%s:%d\nCONSUL_HTTP_TOKEN=%s\n"
                   "CONSUL_CACERT=%s/consul-agent-ca.pem\n"
                   "CONSUL_CLIENT_CERT=%s/dc1-client-consul-0.pem\n"
                   "CONSUL_CLIENT_KEY=%s/dc1-client-consul-0-key.pem\n"
                   "CONSUL_TLS_SERVER_NAME=server.dc1.consul\n",
                   c->server[i].address, port, c->server[i].token, certificates, certificates,
                   certificates);
    server_write(c, i, "etc/consul.env", text);
    assert_int_equal(chmod(server_path(c, i, "etc/consul.env"), 0640), 0);
}

static int setup(void **state)
{
    install();
    make_certificates();
    struct cluster *c = cluster_start(&(struct cluster_options){
        .acl = true, .heartbeat = "5s", .limits = "confirm=0s", .consul = configuration()});
    for (int i = 1; i <= 3; i++) {
        speak_https(c, i, 8501);
        server_programs(c, i, programs);
        assert_int_equal(chmod(server_path(c, i, "consul.d/20-more.json"), 0640), 0);
    }
    *state = c;
    return 0;
}

static struct outcome look(struct cluster *c, int i)
{
    char program[400], config[400], state[400];
    const char *argv[] = {program, "--config-dir", config, "--state-dir", state, NULL};
    (void)snprintf(program, sizeof program, "%s/verify-security", programs);
    (void)snprintf(config, sizeof config, "%s", server_path(c, i, "etc"));
    (void)snprintf(state, sizeof state, "%s", server_path(c, i, "state"));
    return run_tool(NULL, argv, NULL);
}

/* Now, by hand: this exit code, these words. */
static void expect(struct cluster *c, int i, int code, const char *first, const char *also)
{
    struct outcome o = look(c, i);
    if (o.code != code || strncmp(o.out, first, strlen(first)) != 0 || !output_says(o.out, also))
        harness_fail("server %d: expected %d, %s...%s, found %d, %s%s", i, code, first, also,
                     o.code, o.out, o.err);
    outcome_release(&o);
}

static void expect_nothing(struct cluster *c, int i)
{
    struct outcome o = look(c, i);
    outcome_expect(o, 0, "passing: no finding\n", "");
}

static void the_shipped_policy_finds_nothing(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++) {
        wait_check(c, i, CHECK, "passing", "no finding", SOON);
        wait_catalogue(c, 1, i, CHECK, "passing", "no finding", SOON);
        expect_nothing(c, i);
    }
    wait_check(c, 1, "cluster:heartbeat", "passing", "verifications run and report", SOON);
}

/* ---- the configuration of the agent of server 3 -------------------------- */

static const struct row {
    const char *config; /* 30-row.json; @ is the server's address */
    int code;
    const char *first;
    const char *also;
} rows[] = {
    {"{\"verify_outgoing\": false, \"verify_server_hostname\": false}", 1,
     "warning: rpc-outgoing: this agent talks to servers without TLS; 1 more\n",
     "repair: verify_outgoing = true in Consul's configuration, then restart Consul"},
    {"{\"verify_server_hostname\": false}", 1,
     "warning: rpc-hostname: a server need not prove that it is one\n",
     "repair: verify_server_hostname = true in Consul's configuration, then restart Consul"},
    {"{\"verify_incoming\": false, \"verify_incoming_https\": true}", 1,
     "warning: rpc-incoming: other agents need no certificate here\n",
     "repair: verify_incoming = true in Consul's configuration, then restart Consul"},
    {"{\"addresses\": {\"https\": \"0.0.0.0\"}, \"ports\": {\"https\": @}, "
     "\"verify_incoming\": false, \"verify_incoming_rpc\": true}",
     1, "warning: https-any-client: HTTPS at tcp://0.0.0.0:",
     "repair: verify_incoming_https = true in Consul's configuration, then restart Consul"},
    {"{\"enable_script_checks\": true, \"disable_remote_exec\": false}", 1,
     "warning: scripts-remote: checks that run programs are taken by HTTP; 1 more\n",
     "remote-exec: consul exec is answered here; who may write KV runs programs on this server "
     "(consul exec) repair: disable_remote_exec = true in Consul's configuration, then restart "
     "Consul"},
    {"{\"encrypt_verify_incoming\": false, \"enable_debug\": true}", 1,
     "warning: gossip-unverified: gossip that is not encrypted is taken too; 1 more\n",
     "debug: the agent answers /debug/pprof; its memory, which holds secrets, can be looked into"},
};

static int https_port(const struct cluster *c)
{
    return 21000 + c->net;
}

static void configure(struct cluster *c, const char *config)
{
    char text[700], port[20];
    const char *at = strchr(config, '@');
    (void)snprintf(port, sizeof port, "%d", https_port(c));
    if (at)
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - config), config, port, at + 1);
    server_write(c, 3, "consul.d/30-row.json", at ? text : config);
    server_kill(c, 3);
    server_start(c, 3);
    speak_https(c, 3, at ? https_port(c) : 8501);
}

static bool is_seen(void *arg, struct buffer *seen)
{
    void **args = arg;
    const struct row *row = args[1];
    struct outcome o = look(args[0], *(const int *)args[2]);
    bool yes = o.code == row->code && strncmp(o.out, row->first, strlen(row->first)) == 0 &&
               output_says(o.out, row->also);
    (void)!buffer_printf(seen, "%d %s%s", o.code, o.out, o.err);
    outcome_release(&o);
    return yes;
}

/* A server that has just been started knows no token yet. */
static void wait_seen(struct cluster *c, int i, const struct row *row)
{
    union {
        const struct row *row;
        void *any;
    } of = {row};
    void *args[] = {c, of.any, &i};
    wait_until(row->first, SOON, is_seen, args);
}

static void each_line_that_should_not_be_there_is_named(void **state)
{
    static const struct row none = {"{}", 0, "passing: no finding\n", ""};
    struct cluster *c = *state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        configure(c, rows[i].config);
        wait_seen(c, 3, &rows[i]);
    }
    configure(c, none.config);
    wait_seen(c, 3, &none);
}

/* ---- what can be changed while it runs ----------------------------------- */

static void keyring(struct cluster *c, const char *method, const char *key)
{
    char body[100];
    struct buffer answer = BUFFER_INIT(65536);
    (void)snprintf(body, sizeof body, "{\"Key\": \"%s\"}", key);
    long status = http(c, 1, method, "/v1/operator/keyring", body, &answer);
    if (status != 200)
        harness_fail("keyring: %ld %s", status, buffer_text(&answer));
    buffer_release(&answer);
}

static void a_published_key_is_critical(void **state)
{
    static const char first[] = "critical: gossip-known-key: gossip takes a key that HashiCorp "
                                "publishes as an example\n";
    struct cluster *c = *state;
    keyring(c, "POST", PUBLISHED);
    for (int i = 1; i <= 3; i++)
        expect(c, i, 2, first, "consul keyring -install=NEW, -use=NEW, -remove=OLD");
    wait_check(c, 2, CHECK, "critical", "gossip-known-key", SOON);
    struct outcome o = look(c, 1);
    assert_null(strstr(o.out, PUBLISHED));
    outcome_release(&o);
    keyring(c, "DELETE", PUBLISHED);
    expect_nothing(c, 1);
}

/* What is left without the file: the token of the shipped policy has no right to the keys. */
static void a_keyring_that_cannot_be_read_is_said(void **state)
{
    struct cluster *c = *state;
    char path[600], aside[640];
    (void)snprintf(path, sizeof path, "%s", server_path(c, 2, "data/serf/local.keyring"));
    (void)snprintf(aside, sizeof aside, "%s.aside", path);
    assert_int_equal(rename(path, aside), 0);
    expect(c, 2, 1, "warning: gossip-key-unknown: the keyring cannot be read: cannot read\n  ",
           "the token lacks keyring = \"read\"");
    assert_int_equal(rename(aside, path), 0);
    expect_nothing(c, 2);
}

static void anonymous_policy(struct cluster *c, const char *policies)
{
    char body[300];
    struct buffer answer = BUFFER_INIT(65536);
    (void)snprintf(body, sizeof body,
                   "{\"AccessorID\": \"00000000-0000-0000-0000-000000000002\", "
                   "\"Description\": \"Anonymous Token\", \"Policies\": [%s]}",
                   policies);
    long status = http(c, 1, "PUT", "/v1/acl/token/00000000-0000-0000-0000-000000000002", body,
                       &answer);
    if (status != 200)
        harness_fail("anonymous token: %ld %s", status, buffer_text(&answer));
    buffer_release(&answer);
}

static void a_right_to_write_for_everybody_is_critical(void **state)
{
    static const struct row open = {
        "", 2,
        "critical: anonymous-write: whoever has no token may write settings, Lictor's records and "
        "services\n",
        "repair: consul acl token read -id 00000000-0000-0000-0000-000000000002 shows the rules"};
    static const struct row closed = {"", 0, "passing: no finding\n", ""};
    struct cluster *c = *state;
    char token[40];
    acl_token(c, "everybody",
              "key_prefix \"\" { policy = \"write\" } service_prefix \"\" { policy = \"write\" } "
              "node_prefix \"\" { policy = \"read\" }",
              token);
    anonymous_policy(c, "{\"Name\": \"everybody\"}");
    wait_seen(c, 3, &open);
    anonymous_policy(c, "");
    wait_seen(c, 3, &closed);
}

static void autopilot(struct cluster *c, int least)
{
    char body[100];
    (void)snprintf(body, sizeof body, "{\"CleanupDeadServers\": true, \"MinQuorum\": %d}", least);
    assert_int_equal(http(c, 1, "PUT", "/v1/operator/autopilot/configuration", body, NULL), 200);
}

static void what_is_accepted_is_listed(void **state)
{
    static const struct row found = {"", 1, "warning: min-quorum: min_quorum is 0\n",
                                     "repair: consul operator autopilot set-config -min-quorum=3"};
    static const struct row accepted = {"", 0, "passing: no finding that is not accepted\n",
                                        "accepted (SECURITY_ACCEPTED): min-quorum"};
    static const struct row misspelt = {
        "", 1, "warning: min-quorum: min_quorum is 0\n",
        "SECURITY_ACCEPTED: there is no finding min-quorun (min-quorum?)"};
    static const struct row rejected = {"", 1, "warning: min-quorum: min_quorum is 0\n",
                                        "(nothing is accepted)"};
    static const struct row none = {"", 0, "passing: no finding\n", ""};
    struct cluster *c = *state;
    autopilot(c, 0);
    wait_seen(c, 3, &found);
    setting_put(c, "SECURITY_ACCEPTED", "acl-off,min-quorum");
    wait_seen(c, 3, &accepted);
    setting_put(c, "SECURITY_ACCEPTED", "min-quorun");
    wait_seen(c, 3, &misspelt);
    setting_put(c, "SECURITY_ACCEPTED", "min-quorum,,x");
    wait_seen(c, 3, &rejected);
    setting_delete(c, "SECURITY_ACCEPTED");
    autopilot(c, 3);
    for (int i = 1; i <= 3; i++)
        wait_seen(c, i, &none);
}

/* ---- files of server 2 ---------------------------------------------------- */

static const struct mode_row {
    const char *file; /* '/': of the programs, '#': of the certificates, else the server's */
    mode_t right, wrong;
    int code;
    const char *finding; /* what follows the path is the next */
    const char *also;
} mode_rows[] = {
    {"/verify-quorum", 0755, 0757, 2,
     "critical: program-world-writable: ", " can be written by everybody"},
    {"/consul", 0755, 0757, 2,
     "critical: program-world-writable: ", " can be written by everybody"},
    {"/", 0755, 0775, 1, "warning: program-writable: ", " can be written by its group"},
    {"consul.d/10-server.json", 0644, 0646, 2,
     "critical: config-world-writable: ", " can be written by everybody"},
    {"consul.d/20-more.json", 0640, 0644, 1,
     "warning: secret-readable: ", " can be read by everybody"},
    {"etc/consul.env", 0640, 0644, 1, "warning: secret-readable: ", " can be read by everybody"},
    {"#/dc1-server-consul-0-key.pem", 0640, 0644, 1,
     "warning: secret-readable: ", " can be read by everybody"},
    {"data", 0755, 0775, 1, "warning: config-writable: ", " can be written by its group"},
};

static void each_mode_that_is_wrong_is_named(void **state)
{
    struct cluster *c = *state;
    for (size_t i = 0; i < COUNT(mode_rows); i++) {
        const struct mode_row *row = &mode_rows[i];
        char path[600], first[900], repair[700];
        if (row->file[0] == '/' || row->file[0] == '#')
            (void)snprintf(path, sizeof path, "%s%s", row->file[0] == '/' ? programs : certificates,
                           row->file[0] == '/' ? row->file : row->file + 1);
        else
            (void)snprintf(path, sizeof path, "%s", server_path(c, 2, row->file));
        path[strlen(path) - (path[strlen(path) - 1] == '/')] = '\0';
        (void)snprintf(first, sizeof first, "%s%s%s", row->finding, path, row->also);
        (void)snprintf(repair, sizeof repair, "repair: chmod ");
        assert_int_equal(chmod(path, row->wrong), 0);
        struct outcome o = look(c, 2);
        if (o.code != row->code || !output_says(o.out, first) || !output_says(o.out, repair))
            harness_fail("expected %d, %s, found %d, %s%s", row->code, first, o.code, o.out, o.err);
        outcome_release(&o);
        assert_int_equal(chmod(path, row->right), 0);
        expect_nothing(c, 2);
    }
}

/* ---- certificates, the way to Elasticsearch ------------------------------- */

/* The certificate of the agents, on disk; what is in memory stays. */
static void put_certificate(const char *name)
{
    shell("cd '%s'; cp %s dc1-server-consul-0.pem", certificates, name);
}

static void a_certificate_that_is_not_valid_for_long_is_named(void **state)
{
    static const struct {
        const char *file, *first, *also;
    } certificate_rows[] = {
        {"soon.crt", "warning: certificate-expires: ", "/dc1-server-consul-0.pem expires on 20"},
        {"expired.crt",
         "warning: certificate-expired: ", "/dc1-server-consul-0.pem has expired on 20"},
        {"early.crt", "warning: certificate-early: ", "/dc1-server-consul-0.pem is valid from 20"},
        {"/dev/null", "warning: certificate-unknown: ", "there is no certificate in it"},
    };
    struct cluster *c = *state;
    for (size_t i = 0; i < COUNT(certificate_rows); i++) {
        put_certificate(certificate_rows[i].file);
        expect(c, 2, 1, certificate_rows[i].first, certificate_rows[i].also);
    }
    expect(c, 2, 1, "warning: certificate-unknown: ", "not looked at: is it valid");
    put_certificate("soon.crt");
    expect(c, 2, 1,
           "warning: ", "repair: put a new one there (consul tls cert create), then consul reload");
    put_certificate("good.crt");
    expect_nothing(c, 2);
}

static pid_t start_elasticsearch(const struct cluster *c, char url[60])
{
    char address[40], file[400];
    (void)snprintf(address, sizeof address, "127.0.%d.250", c->net);
    (void)snprintf(url, 60, "https://%s:9200", address);
    (void)snprintf(file, sizeof file, "%s/soon.pem", certificates);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        keeper_die_with(parent);
        (void)execl(TEST_BIN "/fake-elasticsearch", "fake-elasticsearch", address, "9200", "--tls",
                    file, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void the_way_to_elasticsearch_is_judged(void **state)
{
    static const struct row open = {
        "", 1,
        "warning: elasticsearch-plaintext: logs go to http://es.example:9200 without TLS; 1 more\n",
        "elasticsearch-no-user: logs are written to Elasticsearch without a user; whoever reaches "
        "it "
        "can read, forge and delete logs repair: make a user there and his file"};
    static const struct row none = {"", 0, "passing: no finding\n", ""};
    char url[60], also[200];
    struct cluster *c = *state;
    struct row soon = {"", 1, "warning: elasticsearch-no-user: ", also};
    server_write(c, 2, "etc/policy.json", "{\"elasticsearch\": {\"hosts\": [\"127.0.0.0/8\"]}}");
    setting_put(c, "LOG_ELASTICSEARCH_URL", "http://es.example:9200");
    wait_seen(c, 2, &open);
    pid_t pid = start_elasticsearch(c, url);
    (void)snprintf(also, sizeof also, "certificate-expires: %s expires on 20", url);
    setting_put(c, "LOG_ELASTICSEARCH_URL", url);
    wait_seen(c, 2, &soon);
    setting_delete(c, "LOG_ELASTICSEARCH_URL");
    wait_seen(c, 2, &none);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    assert_int_equal(unlink(server_path(c, 2, "etc/policy.json")), 0);
}

/* ---- a cluster as Consul is without a word ------------------------------- */

static void nothing_is_overlooked_where_nothing_is_set(void **state)
{
    static const char *const names[] = {"gossip-plaintext: gossip is not encrypted",
                                        "acl-off: ACLs are off",
                                        "rpc-outgoing: ",
                                        "rpc-incoming: ",
                                        "rpc-hostname: ",
                                        "min-quorum: "};
    (void)state;
    struct cluster *c = cluster_start(&(struct cluster_options){.servers = 1, .no_snippet = true});
    struct outcome o = look(c, 1);
    assert_int_equal(o.code, 1);
    assert_int_equal(
        strncmp(o.out, "warning: gossip-plaintext: gossip is not encrypted; 5 more\n", 59), 0);
    for (size_t i = 1; i < COUNT(names); i++)
        assert_true(output_says(o.out, names[i]));
    outcome_release(&o);
    cluster_stop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_policy_finds_nothing),
        cmocka_unit_test(a_published_key_is_critical),
        cmocka_unit_test(a_keyring_that_cannot_be_read_is_said),
        cmocka_unit_test(a_right_to_write_for_everybody_is_critical),
        cmocka_unit_test(what_is_accepted_is_listed),
        cmocka_unit_test(each_mode_that_is_wrong_is_named),
        cmocka_unit_test(a_certificate_that_is_not_valid_for_long_is_named),
        cmocka_unit_test(the_way_to_elasticsearch_is_judged),
        cmocka_unit_test(each_line_that_should_not_be_there_is_named),
        cmocka_unit_test(nothing_is_overlooked_where_nothing_is_set),
    };
    return HARNESS_RUN("security", tests, setup, cluster_tear_down);
}
