/* SPDX-License-Identifier: MIT */
/* settings.h: the settings admins write to KV: one table, parsing, validation.
 *
 * Settings live at ROOT/service/cluster/tag/any/<KEY> (ROOT = dc/home/env). Every
 * value is text, and attacker-controlled: the character set here is the barrier that
 * keeps it out of templates, commands and paths. Pure: no I/O, no libcurl.
 *
 * The LOG_ group is judged as one set: one rejected key refuses all of it. In the other
 * groups a rejected value means its default. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "base/buffer.h"
#include "base/error.h"
#include "consul/kv.h"
#include "net/url.h"
#include "settings/setting_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTINGS_PLACE "/service/cluster/tag/any/" /* between ROOT and KEY */
#define SETTINGS_KEY   512                         /* bytes of ROOT SETTINGS_PLACE KEY */

enum setting {
    LOG_ENABLED,
    LOG_ELASTICSEARCH_URL,
    LOG_ELASTICSEARCH_CREDENTIAL,
    LOG_INDEX,
    LOG_LEVEL,
    LOG_SOURCES,
    LOG_ROLLOUT,
    LOG_SETTLE,
    LOG_DELAY,
    CLUSTER_SERVERS,
    CLUSTER_MANAGEMENT_SERVER,
    CLUSTER_GRACE,
    CLUSTER_MAINTENANCE,
    CLOCK_SKEW_WARNING,
    CLOCK_SKEW_CRITICAL,
    CLOCK_REFERENCE,
    SECURITY_ACCEPTED,
    MONGODB_URL,
    MONGODB_CREDENTIAL,
    SETTING_COUNT
};

enum setting_group {
    GROUP_LOG,
    GROUP_CLUSTER,
    GROUP_CLOCK,
    GROUP_SECURITY,
    GROUP_MONGODB,
    GROUP_NONE
};

/* One row of the table. */
struct setting_row {
    const char *key;
    enum setting_group group;
    const char *type;      /* for people: "Y or N", "list of http(s)://host[:port]" */
    const char *otherwise; /* default as text, NULL = none */
    const char *example;   /* a value that fits */
    bool in_revision;      /* changes what is rendered */
    const char *meaning;   /* one sentence for --help and README */
};

/* Row of a setting; rows are in the order of the enum. Borrowed, static. */
const struct setting_row *settings_row(enum setting setting);

/* The setting with that key. Returns 0, or -ENOENT. */
MUST_CHECK int settings_find(const char *key, enum setting *ret);

/* The group of a key: what is not in the table belongs to the group whose settings begin so
 * ("LOG_..."), GROUP_NONE if there is none. */
enum setting_group settings_group(const char *key);

/* ROOT SETTINGS_PLACE KEY. Returns 0 or -ENAMETOOLONG. */
MUST_CHECK int settings_path(const char *root, const char *key, char ret[SETTINGS_KEY],
                             struct error *err);

#define SETTINGS_NAME       SETTING_VALUE_NAME /* bytes of a node name without NUL */
#define SETTINGS_URLS       16
#define SETTINGS_SOURCES    16
#define SETTINGS_SERVERS    51
#define SETTINGS_REFERENCES 8
#define SETTINGS_ACCEPTED   32
#define SETTINGS_MONGODB    16
#define SETTINGS_UNKNOWNS   16 /* more are not named */
#define SETTINGS_UNKNOWN    64 /* bytes of such a key as it is named */

/* Least severe level that is shipped, in order. */
enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR, LEVEL_FATAL };

/* Effective values. Filled in by settings_parse() only; settings_release() frees what is wrong. */
struct settings {
    bool log_present; /* at least one LOG_ key was readable */
    bool log_enabled;
    char log_url[SETTINGS_URLS][URL_TEXT]; /* built again: scheme://host:port, port always there */
    size_t log_urls;
    char log_service[SETTING_VALUE_SERVICE];   /* instead of URLs: whose instances; else "" */
    char log_credential[SETTING_VALUE_SOURCE]; /* name of a file of root's, "" none */
    char log_index[SETTING_VALUE_INDEX];
    int log_level; /* enum log_level */
    char log_source[SETTINGS_SOURCES][SETTING_VALUE_SOURCE];
    size_t log_sources;
    int log_parallel; /* LOG_ROLLOUT: all servers at once; 0 or 1 */
    int64_t log_settle_us;
    int64_t log_delay_us;

    char server[SETTINGS_SERVERS][SETTINGS_NAME + 1]; /* node name of server_(i+1) */
    size_t servers;                                   /* 0: no mapping set */
    char management_server[SETTING_VALUE_HOST];       /* node name, host or address (IPv6 without
                                           brackets); "" none */
    int64_t grace_us;
    char maintenance_node[SETTINGS_NAME + 1]; /* "" none */
    int64_t maintenance_until_s;              /* seconds since the epoch, UTC */

    int64_t clock_warning_us; /* 50 ms to 10 s, not above clock_critical_us */
    int64_t clock_critical_us;
    struct host_port clock_reference[SETTINGS_REFERENCES];
    size_t clock_references; /* 0: none */

    char security_accepted[SETTINGS_ACCEPTED][SETTING_VALUE_SOURCE]; /* names of findings */
    size_t security_accepts;
    struct host_port mongodb[SETTINGS_MONGODB];
    size_t mongodbs;                               /* 0: none */
    char mongodb_credential[SETTING_VALUE_SOURCE]; /* name of a file of root's, "" none */

    /* By key a sentence for people: names the key, what is wrong, at most 60 printable ASCII
     * characters of the value, never a URL's user part; what is expected, and an example. */
    struct kv_list rejects;  /* values refused, each setting at most once */
    size_t log_rejects;      /* of these, in the LOG_ group */
    struct kv_list unknowns; /* keys not in the table, in printable ASCII (else '?'), the first */
};

/* Judge what is in our place. `list` holds full keys, ROOT SETTINGS_PLACE KEY; others
 * are ignored. Missing keys get their defaults. Never fails: what is wrong is in
 * ret->rejects; with ret->log_rejects > 0 the LOG_ values must not be used. A LOG_ set
 * that is present and enabled but has no URL counts as a reject of
 * LOG_ELASTICSEARCH_URL ("incomplete"). With ret->log_service it has no URLs yet: replace
 * the entry by what service_urls.h finds, and parse again. A CLOCK_SKEW_WARNING above
 * CLOCK_SKEW_CRITICAL rejects both. *ret is all zero, or from before. */
void settings_parse(const struct kv_list *list, const char *root, struct settings *ret);

/* Was the value of that setting refused? */
bool settings_rejected(const struct settings *s, const char *key);

void settings_release(struct settings *s);

/* Judge one KEY=VALUE, as lictor set does before writing.
 * Returns 0; -EINVAL with the reject's text (unknown key or value refused). */
MUST_CHECK int settings_check(const char *key, const char *value, struct error *err);

#define SETTINGS_SHORT 6 /* hex digits of a revision shown to people */

const char *settings_level_name(int level);

#endif
