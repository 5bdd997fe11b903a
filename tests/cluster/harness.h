/* SPDX-License-Identifier: MIT */
/* harness.h: real Consul servers on loopback, for tests.
 *
 *     static void one_killed(void **state)
 *     {
 *         struct cluster *c = *state;
 *         server_kill(c, 2);
 *         wait_catalogue(c, 1, 1, "cluster:quorum", "warning", "2 of 3", 20000);
 *     }
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {cmocka_unit_test(one_killed)};
 *         return HARNESS_RUN("quorum", tests, setup, teardown);
 *     }
 *
 * Servers are numbered 1, 2, ...; server i is node "server-<i>" at 127.0.K.i, HTTP port
 * 8500 (every cluster has a net K of its own), in <run>/<cluster>/server-<i>/ with
 *
 *     consul.d/        Consul's configuration; 60-cluster.hcl rendered by scripts/enable
 *     etc/             our --config-dir: consul.env, logging.d/, policy.json
 *     state/           our --state-dir, 0700 (apply-logging works in state/apply/)
 *     log/             what server_shipper() lets be shipped: .log files
 *     probe/           shipper.log: the probe log, which a real rsyslogd carries
 *     shipper/         the log shipper's own, see server_shipper()
 *     libexec/         what Consul runs: each notes its start in runs.log and becomes the
 *                      program of the same name in TEST_BIN
 *     consul.log       the agent at level debug, with the output of its handlers
 *     data/            raft
 *
 * Nothing returns an error: what cannot be done fails the running test with a text.
 * Times are milliseconds. Strings that are returned are the caller's to free() where it
 * says so. Everything is killed and removed at the end (keeper.h); after a failure the
 * files are kept in build/test-logs/<name>. */
#ifndef HARNESS_H
#define HARNESS_H

#include "base/buffer.h"
#include "sink.h"
#include "test.h"

#include <cjson/cJSON.h>

/* main() of a cluster test: cmocka's group under a keeper. */
#define HARNESS_RUN(name, tests, setup, teardown)                                                  \
    harness_run(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
int harness_run(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
                CMFixtureFunction teardown);

/* Fail the running test. */
void harness_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#define HARNESS_ROOT    "dc/home/env"
#define HARNESS_SERVERS 9

/* What cluster_start() makes. All-zero: three servers, fast, no ACLs. */
struct cluster_options {
    int servers;             /* how many; 0 = 3 */
    int running;             /* how many of them to start; 0 = all */
    bool consul_timing;      /* Consul's own raft, gossip and autopilot times: election
                           12 to 17 s, not 3 s; a failed server seen after 6 s, not 2 */
    bool alone;              /* bootstrap_expect = 1, nobody joins anybody */
    bool acl;                /* ACLs on, default deny; each server's snippet and consul.env
                           hold a token with the shipped policy */
    const char *node_policy; /* instead of the shipped one; "" = a token without rights */
    bool no_snippet;         /* without our 60-cluster.hcl */
    const char *heartbeat;   /* its interval instead of "15s" */
    const char *limits;      /* LICTOR_LIMITS for everything that runs (limits.h); without
                           consul_timing membership is at rest after 2 s */
    const char *discover;    /* enable --discover: a watch on that service; NULL: none */
    uid_t user;              /* who runs agents and what they run, with no-new-privileges; what is
                   root's on a real server stays ours. 0: as the test. Needs root */
    const char *consul;      /* more Consul configuration of every server: JSON */
};

struct server {
    char node[64];
    char address[16];
    char dir[300];
    pid_t pid;      /* 0: not running */
    char token[40]; /* "" without ACLs */
    char clock[16]; /* see server_clock(); "" right */
};

struct cluster {
    struct cluster_options options;
    struct server server[HARNESS_SERVERS + 1]; /* by number; [0] is unused */
    int servers;                               /* made so far, running or not */
    int net;                                   /* K of 127.0.K.0/24 */
    char dir[280];
    char token[40];   /* ACL management token, "" without */
    struct sink sink; /* see cluster_sink() */
};

/* Start servers and wait until all have the same leader (none when alone) and answer.
 * cluster_stop() kills the agents and forgets the cluster; NULL is accepted. */
struct cluster *cluster_start(const struct cluster_options *options);
void cluster_stop(struct cluster *c);

/* Tear-down of a group whose state is a cluster. */
int cluster_tear_down(void **state);

/* The Consul under test: $CONSUL, else the one scripts/fetch has found. */
const char *consul_program(void);

/* The number of a running server that is the leader, 0 when there is none; of one that
 * runs and is not the leader. */
int cluster_leader(struct cluster *c);
int cluster_follower(struct cluster *c);
void wait_leader(struct cluster *c, int64_t limit_ms);

/* ---- agents -------------------------------------------------------------- */

/* One more server which joins the others; returns its number. No node: "server-<i>". */
int server_add(struct cluster *c, const char *node);

void server_kill(struct cluster *c, int i);    /* SIGKILL, as a crash */
void server_leave(struct cluster *c, int i);   /* "consul leave", waits for its end */
void server_freeze(struct cluster *c, int i);  /* SIGSTOP */
void server_thaw(struct cluster *c, int i);    /* SIGCONT */
void server_start(struct cluster *c, int i);   /* again; waits until HTTP answers */
void server_restart(struct cluster *c, int i); /* SIGTERM, end, start */
void server_wipe(struct cluster *c, int i);    /* its raft data; it must not run */
void server_reload(struct cluster *c, int i);  /* SIGHUP; does not wait */
/* To 127.0.K.host; it must not run. */
void server_move(struct cluster *c, int i, int host);
/* By the API: has reloaded when it returns. It is answered by the loop that takes signals:
 * an agent that has not come so far yet is ended by a SIGHUP. */
void server_reload_now(struct cluster *c, int i);
void server_join(struct cluster *c, int i, int to); /* PUT agent/join */
/* SIGKILL to its programs whose command line matches (pkill's pattern); there must be one. */
void server_kill_program(struct cluster *c, int i, const char *pattern);

/* <dir of server i>/<name>, in one of four static buffers. */
const char *server_path(struct cluster *c, int i, const char *name);

/* Write a file below the server's directory, mode 0644, directories made. */
void server_write(struct cluster *c, int i, const char *name, const char *text);

/* A file below the server's directory; "" when missing. free() it. */
char *server_read(struct cluster *c, int i, const char *name);

/* How many lines of the server's consul.log contain `text`. */
size_t server_logged(struct cluster *c, int i, const char *text);

/* Everything that runs on server i from now on, also by hand, sees CLOCK_REALTIME this
 * much ahead or behind: "+2s", "-0.02s", "+3600s"; NULL: as it is. */
void server_clock(struct cluster *c, int i, const char *offset);

/* How often Consul has started `program` on server i so far; i = 0: on all. Starts by
 * the heartbeat are not among them: it runs its siblings from TEST_BIN. */
size_t runs(struct cluster *c, int i, const char *program);

/* The URL of a stand-in for Elasticsearch at 127.0.K.250, started at the first call. */
const char *cluster_sink(struct cluster *c);

/* ---- HTTP and KV --------------------------------------------------------- */

/* One request to server i, with the management token; body NULL: none. Returns the HTTP
 * status, 0 when there was no answer within 10 s. answer may be NULL. */
long http(struct cluster *c, int i, const char *method, const char *path, const char *body,
          struct buffer *answer);

/* GET of "/v1/<path>" which must be 200 and JSON. cJSON_Delete() it. */
cJSON *http_get(struct cluster *c, int i, const char *path);

/* KV through any running server. kv_get() gives NULL when the key is missing; free()
 * it. setting: key below HARNESS_ROOT/service/cluster/tag/any/. */
void kv_put(struct cluster *c, const char *key, const char *value);
char *kv_get(struct cluster *c, const char *key);
void kv_delete(struct cluster *c, const char *key);
void kv_delete_prefix(struct cluster *c, const char *prefix);
void setting_put(struct cluster *c, const char *key, const char *value);
void setting_delete(struct cluster *c, const char *key);

/* Several settings in one transaction: "KEY", "VALUE", ..., NULL. */
void settings_put(struct cluster *c, ...) __attribute__((sentinel));

/* ---- checks -------------------------------------------------------------- */

struct check {
    char status[16]; /* "" when there is no such check */
    char output[4300];
};

/* The check as server i's agent has it, and of node `node` as the catalogue of server
 * `via` shows it. False when it cannot be read or is not there. */
bool check_local(struct cluster *c, int i, const char *id, struct check *ret);
bool check_catalogue(struct cluster *c, int via, const char *node, const char *id,
                     struct check *ret);

/* Does the output of a check say this, wherever its lines were wrapped? */
bool output_says(const char *output, const char *text);

/* Wait until the check has this status and its output contains `text`. The failure text
 * shows what was last seen. */
void wait_check(struct cluster *c, int i, const char *id, const char *status, const char *text,
                int64_t limit_ms);
void wait_catalogue(struct cluster *c, int via, int i, const char *id, const char *status,
                    const char *text, int64_t limit_ms);

/* ---- waiting ------------------------------------------------------------- */

int64_t now_ms(void);
void sleep_ms(int64_t ms);

/* Try every 20 ms until it holds. The limit is for an idle machine: three times as long
 * is waited before the test fails. On timeout the test fails with
 * "<what>: not within 5000 ms; last seen: <seen>". */
void wait_until(const char *what, int64_t limit_ms, bool (*holds)(void *arg, struct buffer *seen),
                void *arg);

/* ---- a recorder: what the catalogue showed, and when --------------------- */

/* Follows all checks of the cluster as server `via` shows them, by long polls (stale
 * reads, so also without a leader), in a thread of its own. */
struct recorder;
struct recorder *recorder_start(struct cluster *c, int via);
void recorder_stop(struct recorder *r);

/* When (now_ms) after `since` check `id` of `node` was first seen with this status and
 * `text` in its output; -1 when it was not. NULL node: of any node. */
int64_t recorder_when(struct recorder *r, int64_t since, const char *node, const char *id,
                      const char *status, const char *text);

/* How often check `id` of any node was seen to change, status or text, after `since`. */
size_t recorder_changes(struct recorder *r, int64_t since, const char *id);

/* All that was seen of check `id`, a line each, for a failure text. free() it. */
char *recorder_text(struct recorder *r, const char *id);

/* ---- a neighbour: what must not suffer from us --------------------------- */

/* A service "neighbour" on every running server, as other products have theirs: registered
 * over HTTP with a TTL check of 10 s, which a thread per server refreshes every 3 s. */
struct neighbour;
struct neighbour *neighbour_start(struct cluster *c);
void neighbour_stop(struct neighbour *n);

/* How often that check has expired on server i since the start, also when it recovered at
 * once. */
size_t neighbour_expired(struct neighbour *n, int i);

/* The longest time that one of its updates took on server i, ms. */
int64_t neighbour_slowest(struct neighbour *n, int i);

/* ---- programs by hand ---------------------------------------------------- */

struct outcome {
    int code;  /* exit code; 128 + number when ended by a signal */
    char *out; /* stdout; outcome_release() frees */
    char *err; /* stderr */
};

/* Run TEST_BIN/<argv[0]> with server i's --config-dir, --state-dir and --settings-root
 * behind the name, then the rest of argv (NULL-terminated); input NULL: /dev/null.
 * Fails the test after 60 s. */
struct outcome server_run(struct cluster *c, int i, const char *input, const char *const *argv);

/* Any program (absolute path in argv[0]) with these NAME=VALUE in its environment. */
struct outcome run_tool(const char *input, const char *const *argv, const char *const *env);
void outcome_release(struct outcome *o);

/* It must be this; releases it. failure: nothing on stdout, one line with `text` on stderr. */
void outcome_expect(struct outcome o, int code, const char *out, const char *err);
void outcome_expect_failure(struct outcome o, int code, const char *text);

/* ---- log shipper --------------------------------------------------------- */

enum shipper {
    SHIPPER_STAND_IN, /* instant: "runs" what it was started with, nothing else */
    SHIPPER_RSYSLOG   /* a real rsyslogd -n, restarted by SIGKILL */
};

/* Give server i a policy (source "seal": all .log files in log/; loopback is allowed, ports 443 and
 * 9200) and a shipper: etc/logging.d/shipper.json, whose commands are
 * tests/cluster/shipper, with everything in shipper/:
 *
 *     shipper.conf     the destination          running.conf  what it was last started with
 *     actions.log      a line per call: "<ms> validate|restart|alive|stop"
 *     pid              of the rsyslogd, or the count of starts of the stand-in
 *     break-<action>   shell commands run before the action while the file exists
 *                      (server_write it: "exit 1\n", "sleep 60\n", "yes\n")
 *
 * template NULL: for the stand-in a few lines NAME=VALUE, for rsyslogd the shipped one,
 * which carries the probe log. The stand-in carries none, so an apply of it is done once it is
 * confirmed; with LOG_ROLLOUT=rolling an Elasticsearch must answer even so. */
void server_shipper(struct cluster *c, int i, enum shipper kind, const char *template);

/* From now on Consul runs the programs in this directory on server i; first TEST_BIN. */
void server_programs(struct cluster *c, int i, const char *dir);

/* How often the action was called so far on server i; i = 0: on all. */
size_t shipper_calls(struct cluster *c, int i, const char *action);

/* ACLs on: a new token with these rules, under a name that was not given yet; the rules of
 * consul.d/acl/node.hcl.in for a node, to be freed. */
void acl_token(struct cluster *c, const char *name, const char *rules, char ret[40]);
char *acl_shipped_policy(const char *node);

#endif
