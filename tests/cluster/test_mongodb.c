/* SPDX-License-Identifier: MIT */
/* cluster:mongodb on three real Consul servers with three stand-ins for MongoDB, secured as they
 * should be: one fault at a time, its sentence, repaired, passing again. And with FerretDB. */
#include "harness.h"
#include "keeper.h"
#include "mongodb_peer.h"

#define PORT  27017
#define SOON  5000
#define ID    "cluster:mongodb"
#define WHOLE "rs: 3 of 3 members, 1 may fail"

/* What one stand-in is; the default is what it should be. */
struct part {
    const char *set;     /* NULL: rs */
    const char *version; /* NULL: 4.4.2 */
    const char *tls;     /* NULL: require */
    bool open;           /* no user is needed */
    bool deny;           /* the user has no right */
    bool silent;
};

/* The members as all three see them. */
struct seen {
    int state[4]; /* 0 stands for primary, secondary, secondary */
    int lag_s[4];
    int votes_no; /* this member has none */
    int left_out; /* this one is no member */
    bool fourth;  /* there is another one, on none of the servers */
};

static struct {
    struct cluster *c;
    char dir[300];
    pid_t pid[4];
    struct part part[4];
    struct seen seen;
} here;

static const char *role_file(int i)
{
    static char path[400];
    (void)snprintf(path, sizeof path, "%s/mongodb-%d/role", here.dir, i);
    return path;
}

static void write_part(FILE *file, const struct part *p)
{
    (void)fprintf(file, "set %s\nversion %s\n%s%s%s", p->set ? p->set : "rs",
                  p->version ? p->version : "4.4.2", p->open ? "" : "auth\n",
                  p->deny ? "deny\n" : "", p->silent ? "silent\n" : "");
    if (!p->tls || p->tls[0])
        (void)fprintf(file, "tls %s\n", p->tls ? p->tls : "require");
}

static void write_role(int i)
{
    const struct seen *s = &here.seen;
    char path[420];
    FILE *file;
    (void)snprintf(path, sizeof path, "%s.new", role_file(i));
    file = fopen(path, "w");
    assert_non_null(file);
    write_part(file, &here.part[i]);
    for (int k = 1; k <= 3; k++)
        if (k != s->left_out)
            (void)fprintf(file, "member %s:%d %d %d %d\n", here.c->server[k].address, PORT,
                          s->state[k] ? s->state[k]
                          : k == 1    ? 1
                                      : 2,
                          k != s->votes_no, s->lag_s[k]);
    if (s->fourth)
        (void)fprintf(file, "member 127.0.%d.77:%d 2 1 0\n", here.c->net, PORT);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(path, role_file(i)), 0);
}

static void write_roles(void)
{
    for (int i = 1; i <= 3; i++)
        write_role(i);
}

static void start_stand_in(int i)
{
    here.pid[i] = mongodb_peer_stand_in(here.c->server[i].address, PORT, role_file(i));
}

/* As verify-mongodb says it by hand on server 1. */
static bool says(void *arg, struct buffer *seen)
{
    const struct check *want = arg;
    const char *const argv[] = {"verify-mongodb", NULL};
    char summary[sizeof want->status + sizeof want->output + 4];
    struct outcome o = server_run(here.c, 1, NULL, argv);
    (void)snprintf(summary, sizeof summary, "%s: %s", want->status, want->output);
    bool ret = output_says(o.out, summary);
    (void)!buffer_printf(seen, "%d %s%s", o.code, o.out, o.err);
    outcome_release(&o);
    return ret;
}

/* Addresses in the text are written as 127.0.K. */
static void wait_says(const char *status, const char *text)
{
    struct check want = {.status = ""};
    char *out = want.output;
    (void)snprintf(want.status, sizeof want.status, "%s", status);
    for (; *text; text++) {
        if (strncmp(text, "127.0.K", 7) == 0) {
            out += sprintf(out, "127.0.%d", here.c->net);
            text += 6;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
    wait_until("verify-mongodb says it", SOON, says, &want);
}

static void wait_whole(void)
{
    memset(here.part, 0, sizeof here.part);
    memset(&here.seen, 0, sizeof here.seen);
    write_roles();
    wait_says("passing", WHOLE);
}

/* ---- the check ----------------------------------------------------------- */

static bool is_gone(void *arg, struct buffer *seen)
{
    struct check check;
    (void)arg;
    bool there = check_local(here.c, 1, ID, &check);
    (void)!buffer_printf(seen, "%s", there ? check.output : "");
    return !there;
}

static void put_settings(void)
{
    char url[200];
    (void)snprintf(url, sizeof url, "mongodb://%s,%s,%s", here.c->server[1].address,
                   here.c->server[2].address, here.c->server[3].address);
    setting_put(here.c, "MONGODB_URL", url);
    setting_put(here.c, "MONGODB_CREDENTIAL", "mongodb");
}

/* It comes with the setting, passes, is in the catalogue, and goes with the setting. */
static void the_check_is_there_where_a_mongodb_is(void **state)
{
    (void)state;
    struct check check;
    wait_check(here.c, 1, "cluster:heartbeat", "passing", "all 4 verifications", 20000);
    assert_false(check_local(here.c, 1, ID, &check));
    put_settings();
    setting_delete(here.c, "MONGODB_CREDENTIAL");
    wait_check(here.c, 1, ID, "warning", "a user is needed: set MONGODB_CREDENTIAL", 20000);
    put_settings();
    for (int i = 1; i <= 3; i++)
        wait_catalogue(here.c, 1, i, ID, "passing", WHOLE, 30000);
    wait_check(here.c, 1, "cluster:heartbeat", "passing", "all 5 verifications", 20000);
}

static void the_check_survives_a_reload_and_goes_with_the_setting(void **state)
{
    (void)state;
    wait_check(here.c, 1, ID, "passing", WHOLE, 20000);
    server_reload_now(here.c, 1);
    wait_check(here.c, 1, ID, "passing", WHOLE, 20000);
    setting_delete(here.c, "MONGODB_URL");
    wait_until("the check is gone", 20000, is_gone, NULL);
    wait_check(here.c, 1, "cluster:heartbeat", "passing", "all 4 verifications", 20000);
}

/* ---- one fault at a time ------------------------------------------------- */

static const struct {
    const char *status;
    const char *text;
    int of; /* whose part */
    struct part part;
    struct seen seen;
} faults[] = {
    {"warning", "rs: 2 of 3 members, none may fail: member 127.0.K.3:27017 is RECOVERING", 1,
     .seen = {.state = {0, 0, 0, 3}}},
    {"warning", WHOLE ": no primary", 1, .seen = {.state = {0, 2, 0, 0}}},
    {"warning", WHOLE ": member 127.0.K.2:27017 is more than 1m behind the primary", 1,
     .seen = {.lag_s = {0, 0, 90, 0}}},
    {"warning", "rs: 2 of 3 members, none may fail: even number of voting members (2), and 1 more",
     1, .seen = {.votes_no = 3}},
    {"warning", "rs: 4 of 4 members, 1 may fail: even number of voting members (4), and 1 more", 1,
     .seen = {.fourth = true}},
    {"warning",
     "rs: 3 of 3 members, 1 may fail: server_3 (node server-3) has no voting member of rs, and 2 "
     "more",
     3, .part = {.set = "p5"}, .seen = {.left_out = 3, .fourth = true}},
    {"warning",
     WHOLE ": versions differ: 4.4.2 on 127.0.K.1:27017 and 127.0.K.3:27017; 4.4.1 on "
           "127.0.K.2:27017",
     2, .part = {.version = "4.4.1"}},
    {"warning", WHOLE ": answers without a user: 127.0.K.2:27017", 2, .part = {.open = true}},
    {"warning", WHOLE ": takes connections without TLS: 127.0.K.2:27017", 2,
     .part = {.tls = "allow"}},
    {"warning", WHOLE ": 127.0.K.3:27017 is in the replica set p5, not in rs", 3,
     .part = {.set = "p5"}},
    {"warning", WHOLE ": 127.0.K.3:27017 does not answer here: socket timeout", 3,
     .part = {.silent = true}},
};

static void each_fault_has_its_sentence_and_goes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(faults); i++) {
        here.seen = faults[i].seen;
        here.part[faults[i].of] = faults[i].part;
        write_roles();
        wait_says(faults[i].status, faults[i].text);
        wait_whole();
    }
}

static void a_member_that_is_killed_costs_the_spare(void **state)
{
    (void)state;
    mongodb_peer_kill(here.pid[3]);
    here.seen.state[3] = 8;
    write_roles();
    wait_check(here.c, 1, ID, "warning", "rs: 2 of 3 members, none may fail: member 127.0.", 20000);
    mongodb_peer_kill(here.pid[2]);
    here.seen.state[2] = 8;
    here.seen.state[1] = 2;
    write_roles();
    wait_catalogue(here.c, 2, 1, ID, "critical",
                   "rs: 1 of 3 members, none may fail, 1 more needed: member 127.0.", 20000);
    mongodb_peer_kill(here.pid[1]);
    wait_check(here.c, 2, ID, "critical", "no MongoDB answers: 127.0.", 20000);
    memset(&here.seen, 0, sizeof here.seen);
    write_roles();
    for (int i = 1; i <= 3; i++)
        start_stand_in(i);
    wait_check(here.c, 1, ID, "passing", WHOLE, 20000);
}

static void a_certificate_that_ends_is_named(void **state)
{
    (void)state;
    char dir[400];
    (void)snprintf(dir, sizeof dir, "%s/mongodb-2", here.dir);
    mongodb_peer_certificate(dir, "cert", here.c->server[2].address, 20);
    wait_says("warning", WHOLE ": the certificate of 127.0.K.2:27017 expires on 20");
    mongodb_peer_certificate(dir, "cert", here.c->server[2].address, 90);
    wait_whole();
}

static void a_user_without_the_right_is_named(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        here.part[i].deny = true;
    write_roles();
    wait_says("warning", "cannot look at the members: the user of ");
    wait_whole();
    setting_put(here.c, "MONGODB_CREDENTIAL", "nobody");
    wait_says("warning", "cannot look at the members: a user is needed: set MONGODB_CREDENTIAL");
    setting_put(here.c, "MONGODB_CREDENTIAL", "mongodb");
    wait_whole();
}

static void what_is_misspelt_or_forbidden_is_named(void **state)
{
    (void)state;
    char url[64], text[64];
    setting_put(here.c, "MONGODB_URI", "x");
    wait_says("warning", WHOLE ": MONGODB_URI: there is no setting of that name (MONGODB_URL?)");
    setting_delete(here.c, "MONGODB_URI");
    wait_whole();
    char *before = kv_get(here.c, HARNESS_ROOT "/service/cluster/tag/any/MONGODB_URL");
    (void)snprintf(url, sizeof url, "mongodb://%s:22", here.c->server[1].address);
    (void)snprintf(text, sizeof text, "no MongoDB answers: MONGODB_URL: port 22 is not allowed by");
    setting_put(here.c, "MONGODB_URL", url);
    wait_says("warning", text);
    setting_put(here.c, "MONGODB_URL", before);
    free(before);
    wait_whole();
}

/* ---- a mongod.conf, FerretDB --------------------------------------------- */

/* Without MONGODB_URL: the servers of Consul are asked, because a mongod.conf is here. */
static void a_mongod_conf_is_enough(void **state)
{
    (void)state;
    setting_delete(here.c, "MONGODB_URL");
    server_write(here.c, 1, "etc/mongod.conf",
                 "net:\n  bindIp: 0.0.0.0\n  port: 27017\nreplication:\n  replSetName: rs\n");
    wait_check(here.c, 1, ID, "passing", WHOLE, 20000);
    here.part[1].open = true;
    write_roles();
    wait_says("warning",
              WHOLE ": answers without a user, and is bound to all interfaces: 127.0.K.1:27017");
    wait_whole();
}

static void a_single_ferretdb_is_no_replica_set(void **state)
{
    (void)state;
    char dir[400];
    if (!mongodb_peer_has_ferretdb())
        skip();
    setting_delete(here.c, "MONGODB_URL");
    server_write(here.c, 1, "etc/mongod.conf",
                 "replication:\n  replSetName: rs\nnet:\n  bindIpAll: true\n");
    for (int i = 1; i <= 3; i++)
        mongodb_peer_kill(here.pid[i]);
    (void)snprintf(dir, sizeof dir, "%s/ferretdb", here.dir);
    pid_t pid = mongodb_peer_ferretdb(here.c->server[1].address, PORT, dir, NULL);
    wait_says("warning", "not a replica set: 127.0.K.1:27017");
    wait_check(here.c, 1, ID, "warning", "takes connections without TLS: 127.0.", 20000);
    wait_check(here.c, 1, ID, "warning", "not a replica set: 127.0.", 20000);
    mongodb_peer_kill(pid);
    wait_says("critical",
              "no MongoDB answers: 127.0.K.1:27017 does not answer: connection refused");
}

/* ---- set-up -------------------------------------------------------------- */

static void set_up_server(int i)
{
    char dir[400], text[1500];
    struct cluster *c = here.c;
    (void)snprintf(dir, sizeof dir, "%s/mongodb-%d", here.dir, i);
    assert_int_equal(mkdir(dir, 0755), 0);
    const char *const copy[] = {"/bin/sh", "-c", "cp \"$1\"/ca.* \"$2\"", "sh", here.dir,
                                dir,       NULL};
    outcome_expect(run_tool(NULL, copy, NULL), 0, "", "");
    mongodb_peer_certificate(dir, "cert", c->server[i].address, 90);
    (void)snprintf(
        text, sizeof text,
        "{\"mongodb\":{\"hosts\":[\"127.0.%d.0/24\"],\"ports\":[27017],\"files\":[\"%s\"]}}",
        c->net, server_path(c, i, "etc/mongod.conf"));
    server_write(c, i, "etc/policy.json", text);
    (void)snprintf(text, sizeof text,
                   "{\"ca\":\"%s/ca.pem\",\"cert\":\"%s/client.pem\",\"key\":\"%s/client.pem\","
                   "\"hosts\":[\"127.0.%d.0/24\"]}",
                   here.dir, here.dir, here.dir, c->net);
    server_write(c, i, "etc/credentials/mongodb.read.json", text);
    assert_int_equal(chmod(server_path(c, i, "etc/credentials/mongodb.read.json"), 0640), 0);
    write_role(i);
    start_stand_in(i);
}

static int setup(void **state)
{
    (void)state;
    here.c = cluster_start(
        &(struct cluster_options){.heartbeat = "1s", .limits = "rest=0s,mongodb=2s"});
    (void)snprintf(here.dir, sizeof here.dir, "%s", keeper_dir());
    mongodb_peer_ca(here.dir);
    mongodb_peer_certificate(here.dir, "client", "127.0.0.1", 90);
    for (int i = 1; i <= 3; i++)
        set_up_server(i);
    setting_put(here.c, "CLUSTER_SERVERS", "server_1=server-1,server_2=server-2,server_3=server-3");
    *state = here.c;
    return 0;
}

/* A test that fails leaves nothing to the next one. */
static int each(void **state)
{
    (void)state;
    memset(here.part, 0, sizeof here.part);
    memset(&here.seen, 0, sizeof here.seen);
    write_roles();
    put_settings();
    for (int i = 1; i <= 3; i++)
        if (kill(here.pid[i], 0) < 0)
            start_stand_in(i);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_is_there_where_a_mongodb_is),
        cmocka_unit_test_setup(each_fault_has_its_sentence_and_goes, each),
        cmocka_unit_test_setup(a_member_that_is_killed_costs_the_spare, each),
        cmocka_unit_test_setup(a_certificate_that_ends_is_named, each),
        cmocka_unit_test_setup(a_user_without_the_right_is_named, each),
        cmocka_unit_test_setup(what_is_misspelt_or_forbidden_is_named, each),
        cmocka_unit_test_setup(the_check_survives_a_reload_and_goes_with_the_setting, each),
        cmocka_unit_test_setup(a_mongod_conf_is_enough, each),
        cmocka_unit_test_setup(a_single_ferretdb_is_no_replica_set, each),
    };
    return HARNESS_RUN("mongodb", tests, setup, cluster_tear_down);
}
