/* SPDX-License-Identifier: MIT */
/* server_mapping.h: the record of the confirmed servers, KV key lictor/mapping:
 *
 *   {"v":1,"servers":[{"server":"server_1","node":"n1","id":"<node id>"},...]}
 *
 * It is written only while the cluster is whole (quorum.h) and remembers what whole
 * meant: raft forgets a server when autopilot removes it. Pure: no I/O. */
#ifndef SERVER_MAPPING_H
#define SERVER_MAPPING_H

#include "base/buffer.h"
#include "base/error.h"
#include "settings/settings.h"

#include <stddef.h>

#define SERVER_MAPPING_KEY    "lictor/mapping"
#define SERVER_MAPPING_SERVER 16 /* bytes: "server_" and at most 3 digits, with NUL */
#define SERVER_MAPPING_ID     64 /* bytes of a node ID with NUL */

/* One confirmed server. */
struct server_mapping_entry {
    char server[SERVER_MAPPING_SERVER]; /* "server_2" */
    char node[SETTINGS_NAME + 1];       /* Consul node name; case is ignored */
    char id[SERVER_MAPPING_ID];         /* Consul node ID when it was confirmed */
};

/* All-zero is empty. Holds no heap memory. Sorted by the server's number. */
struct server_mapping {
    struct server_mapping_entry entry[SETTINGS_SERVERS];
    size_t n;
};

/* Read a record (attacker-controlled: anyone who can write KV). Returns 0, or -EBADMSG with
 * a text: not JSON, another version, a bad or repeated name, none or more than
 * SETTINGS_SERVERS servers; then *ret is empty. */
MUST_CHECK int server_mapping_parse(const char *text, size_t len, struct server_mapping *ret,
                                    struct error *err);

/* Append the record as JSON. Returns 0, -EMSGSIZE or -ENOMEM. */
MUST_CHECK int server_mapping_render(const struct server_mapping *mapping, struct buffer *out);

/* Number the servers present: as CLUSTER_SERVERS (settings) says; without it who is in
 * `old` keeps the number, others get the lowest free ones in the order given.
 *
 * present  n names and IDs, sorted; `server` is ignored
 * old      may be NULL
 * Returns 0 with *ret filled in, -EINVAL when a name or ID cannot be in a record
 * or there are more than SETTINGS_SERVERS. */
MUST_CHECK int server_mapping_assign(const struct server_mapping *old,
                                     const struct settings *settings,
                                     const struct server_mapping_entry *present, size_t n,
                                     struct server_mapping *ret, struct error *err);

/* The entry of a node (case ignored), of an ID, of a server_N; NULL when there is none or
 * mapping is NULL. Borrowed. */
const struct server_mapping_entry *server_mapping_node(const struct server_mapping *mapping,
                                                       const char *node);
const struct server_mapping_entry *server_mapping_id(const struct server_mapping *mapping,
                                                     const char *id);
const struct server_mapping_entry *server_mapping_server(const struct server_mapping *mapping,
                                                         const char *server);

#endif
