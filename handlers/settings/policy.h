/* SPDX-License-Identifier: MIT */
/* policy.h: what root allows KV to choose: <config-dir>/policy.json, an object with
 *
 *   sources        named log sources: { NAME: { "files": [GLOB...], "except": [PATH...] } }
 *                  default: "seal", every .log file in /var/log/seal except mongod.log
 *   elasticsearch  { "hosts": [ENTRY...], "ports": [NUMBER...] }, default any host ("*"),
 *                  ports 443 and 9200. An entry is a name, "*.domain", an address, a
 *                  CIDR, or "*": every host that is not loopback or link-local; those
 *                  must be listed themselves ("127.0.0.0/8", "localhost"; host.h)
 *   mongodb        { "hosts": [ENTRY...], "ports": [NUMBER...], "files": [PATH...] }, what
 *                  MONGODB_URL may name, default any host ("*"), port 27017; and where a server's
 *                  own mongod.conf may be, default /opt/seal/etc/mongod.conf
 *   pin            { SETTING: VALUE }: settings KV cannot change at all; no consul:SERVICE,
 *                  for apply-logging, who decides, cannot ask Consul
 *
 * Missing file or missing member = the default. Unreadable, writable by others,
 * malformed or with an unknown member = refused, as a whole. */
#ifndef POLICY_H
#define POLICY_H

#include "base/error.h"
#include "settings/settings.h"

#include <stddef.h>

struct policy_source {
    char name[65];
    char **files; /* literal globs, absolute, last component may hold * and ? */
    size_t n_files;
    char **except; /* literal paths */
    size_t n_except;
};

/* Which servers KV may name. */
struct policy_servers {
    const char *name; /* the member, for texts */
    char **hosts;
    size_t n_hosts;
    int ports[32];
    size_t n_ports;
};

/* All-zero is empty; policy_release() accepts it. */
struct policy {
    char path[512]; /* the file, for texts; "" = shipped default */
    struct policy_source *sources;
    size_t n_sources;
    struct policy_servers elasticsearch;
    struct policy_servers mongodb;
    char **mongodb_files; /* literal paths, absolute */
    size_t n_mongodb_files;
    struct {
        char key[64];
        char value[512];
    } pin[SETTING_COUNT];
    size_t n_pins;
};

/* Read <config_dir>/policy.json. Returns 0, -EPERM (writable by others), -EBADMSG, ...
 * with a text that names the file and what to do. */
MUST_CHECK int policy_read(const char *config_dir, struct policy *ret, struct error *err);

/* Parse the text of a policy (pure; path only for texts). NULL text: the default. */
MUST_CHECK int policy_parse(const char *text, size_t len, const char *path, struct policy *ret,
                            struct error *err);

/* The pinned value of a setting, NULL when KV may choose it. Borrowed. */
const char *policy_pinned(const struct policy *policy, const char *key);

/* Put the pinned values in the place of what KV says: call before settings_parse() with
 * the same root. LOG_ pins count only where the list has a LOG_ setting: a list that
 * came back empty (lost rights) must stay empty, or the pins alone would be taken for
 * a new set. Returns 0, -ENOMEM or -ENAMETOOLONG. */
MUST_CHECK int policy_pin(const struct policy *policy, const char *root, struct kv_list *list,
                          struct error *err);

/* May these settings be used? Returns 0, or -EACCES with a text that names the key, the
 * refused word and the policy line: "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is not
 * allowed by \"elasticsearch.hosts\" in /etc/lictor/policy.json (loopback and ...)".
 * LOG_ group only; a set with LOG_ENABLED=N may always be used. */
MUST_CHECK int policy_judge(const struct policy *policy, const struct settings *s,
                            struct error *err);

/* The same for one URL, as a value of LOG_ELASTICSEARCH_URL. */
MUST_CHECK int policy_judge_url(const struct policy *policy, const struct url *url,
                                struct error *err);

/* May verify-mongodb connect to these hosts of MONGODB_URL? As policy_judge(). */
MUST_CHECK int policy_judge_mongodb(const struct policy *policy, const struct settings *s,
                                    struct error *err);

/* The source with that name, or NULL. Borrowed. */
const struct policy_source *policy_source(const struct policy *policy, const char *name);

void policy_release(struct policy *policy);

#endif
