/* logging.h: what the check cluster:logging says. Pure judgement, no I/O.
 *
 * Every server keeps a record lictor/logging/<node> of the revision it has in force and
 * what became of the last change; the judgement compares them with what is wanted. */
#ifndef LOGGING_H
#define LOGGING_H

#include "base/error.h"
#include "check/verdict.h"
#include "consul/kv.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define LOGGING_PREFIX "lictor/logging/"

/* What became of the last change on a server. KEPT: nothing new was applied. APPLYING:
 * announced before anything is touched, and not over yet. */
enum logging_state { LOGGING_KEPT, LOGGING_APPLYING, LOGGING_DONE, LOGGING_FAILED };

/* "kept", "applying", "done", "failed". */
const char *logging_state_name(enum logging_state state);

#define LOGGING_UUID 64 /* bytes of a cluster_uuid with NUL */

/* One server's record. revision: the one `state` speaks of (DONE: in force; FAILED: refused,
 * the one before is in force; APPLYING: on its way; KEPT: in force, "" none yet). reason:
 * printable, "" unless FAILED or KEPT. unproven: nothing has arrived yet of what is in
 * force (FAILED, KEPT; APPLYING says so itself, DONE says the contrary). cluster_uuid: of the Elasticsearch this server
 * has seen, printable, "" unknown. */
struct logging_record {
    char node[SETTINGS_NAME + 1];
    char revision[KV_DIGEST];
    enum logging_state state;
    char reason[300];
    char cluster_uuid[LOGGING_UUID];
    bool unproven;
};

/* Do both say the same? Their nodes do not count. */
bool logging_same(const struct logging_record *a, const struct logging_record *b);

/* Read and write the JSON of a record. logging_parse: 0, or -EBADMSG when it is not one;
 * everything untrusted in it is made printable. logging_format: the caller free()s the
 * text; NULL when out of memory. */
MUST_CHECK int logging_parse(const char *node, const char *text, size_t len,
                             struct logging_record *ret, struct error *err);
char *logging_format(const struct logging_record *record);

/* Everything the judgement needs. Borrowed for the call. */
struct logging_facts {
    const struct settings *settings; /* as wanted, pins applied */
    const char *refusal;  /* why the set is refused as a whole, "" if it is not */
    const char *wanted;   /* revision of the set, "" when refused or absent */
    const char *in_force; /* revision in force on this server, "" none */
    const struct logging_record *own; /* what became of the last change here */
    bool rollback_failed; /* the last apply could not restore the old files */
    const char *progress; /* how far the rollout is (turn.h) */
    bool held;            /* it stands still for a reason that is no wait */
    const struct logging_record *records; /* of the servers that count, own too */
    size_t n;
    const char *const *missing; /* names of servers that count but have no record */
    size_t n_missing;
    int64_t differ_ms; /* how long the servers have differed, -1: they do not */
};

#define LOGGING_PATIENCE_MS 60000 /* a difference this short is a change under way */

/* How many of them have the wanted revision in force? */
size_t logging_count(const struct logging_facts *facts);

/* Do all servers that count have the wanted revision in force? */
bool logging_agree(const struct logging_facts *facts);

void logging_judge(const struct logging_facts *facts, struct verdict *ret);

#endif
