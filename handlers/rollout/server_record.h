/* server_record.h: what the check cluster:logging says. Pure judgement, no I/O.
 *
 * Every server keeps a record lictor/logging/<node> of the revision it has in force and
 * what became of the last change; the judgement compares them with what is wanted. */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include "base/error.h"
#include "check/verdict.h"
#include "consul/kv.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define SERVER_RECORD_PREFIX "lictor/logging/"

/* What became of the last change on a server. KEPT: nothing new was applied. APPLYING:
 * announced before anything is touched, and not over yet. */
enum server_record_state {
    SERVER_RECORD_KEPT,
    SERVER_RECORD_APPLYING,
    SERVER_RECORD_DONE,
    SERVER_RECORD_FAILED
};

/* "kept", "applying", "done", "failed". */
const char *server_record_state_name(enum server_record_state state);

#define SERVER_RECORD_UUID 64 /* bytes of a cluster_uuid with NUL */

/* One server's record. revision: the one `state` speaks of (DONE: in force; FAILED: refused,
 * the one before is in force; APPLYING: on its way; KEPT: in force, "" none yet). reason:
 * printable, "" unless FAILED or KEPT. unproven: nothing has arrived yet of what is in
 * force (FAILED, KEPT; APPLYING says so itself, DONE says the contrary). cluster_uuid: of the Elasticsearch this server
 * has seen, printable, "" unknown. */
struct server_record {
    char node[SETTINGS_NAME + 1];
    char revision[KV_DIGEST];
    enum server_record_state state;
    char reason[300];
    char cluster_uuid[SERVER_RECORD_UUID];
    bool unproven;
};

/* Do both say the same? Their nodes do not count. */
bool server_record_same(const struct server_record *a, const struct server_record *b);

/* Read and write the JSON of a record. server_record_parse: 0, or -EBADMSG when it is not one;
 * everything untrusted in it is made printable. server_record_format: the caller free()s the
 * text; NULL when out of memory. */
MUST_CHECK int server_record_parse(const char *node, const char *text, size_t len,
                                   struct server_record *ret, struct error *err);
char *server_record_format(const struct server_record *record);

/* Everything the judgement needs. Borrowed for the call. */
struct logging_facts {
    const struct settings *settings;     /* as wanted, pins applied */
    const char *refusal;                 /* why the set is refused as a whole, "" if it is not */
    const char *wanted;                  /* revision of the set, "" when refused or absent */
    const char *in_force;                /* revision in force on this server, "" none */
    const struct server_record *own;     /* what became of the last change here */
    bool rollback_failed;                /* the last apply could not restore the old files */
    const char *progress;                /* how far the rollout is (rolling.h) */
    bool held;                           /* it stands still for a reason that is no wait */
    const struct server_record *records; /* of the servers that count, own too */
    size_t n;
    const char *const *missing; /* names of servers that count but have no record */
    size_t n_missing;
    int64_t differ_ms; /* how long the servers have differed, -1: they do not */
};

#define LOGGING_PATIENCE_MS 60000 /* a difference this short is a change under way */

/* How many of them have the wanted revision in force? */
size_t logging_verdict_count(const struct logging_facts *facts);

/* Do all servers that count have the wanted revision in force? */
bool logging_verdict_agree(const struct logging_facts *facts);

void logging_verdict_judge(const struct logging_facts *facts, struct verdict *ret);

#endif
