/* SPDX-License-Identifier: MIT */
/* server_record.h: a server's record in KV, lictor/logging/<node>: the revision it has in force
 * and what became of the last change. Every server writes its own and judges by all of them. */
#ifndef SERVER_RECORD_H
#define SERVER_RECORD_H

#include "base/error.h"
#include "consul/kv.h"
#include "settings/settings.h"

#include <cjson/cJSON.h>
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

#define SERVER_RECORD_UUID   64  /* bytes of a cluster_uuid with NUL */
#define SERVER_RECORD_TARGET 200 /* bytes of the target with NUL */

/* One server's record. revision: the one `state` speaks of (DONE: in force; FAILED: refused,
 * the one before is in force; APPLYING: on its way; KEPT: in force, "" none yet). reason:
 * printable, "" unless FAILED or KEPT. unproven: nothing has arrived yet of what is in
 * force (FAILED, KEPT; APPLYING says so itself, DONE says the contrary). cluster_uuid: of the
 * Elasticsearch this server has seen, printable, "" unknown. target: what it has in force, in words
 * for people, printable, "" unknown or nothing. */
struct server_record {
    char node[SETTINGS_NAME + 1];
    char revision[KV_DIGEST];
    enum server_record_state state;
    char reason[300];
    char cluster_uuid[SERVER_RECORD_UUID];
    char target[SERVER_RECORD_TARGET];
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

/* The same as members of an object. server_record_load: 0 or -EBADMSG. server_record_save:
 * false when out of memory. */
MUST_CHECK int server_record_load(const cJSON *object, struct server_record *ret);
bool server_record_save(const struct server_record *record, cJSON *object);

/* SHA-256 in hex over the records of servers among the entries, as kv_digest(). What is below the
 * prefix and no record does not count: it decides nothing, so it starts nothing. */
MUST_CHECK int server_record_digest(const struct kv_list *list, char ret[KV_DIGEST],
                                    struct error *err);

#endif
