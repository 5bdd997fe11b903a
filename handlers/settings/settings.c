/* SPDX-License-Identifier: MIT */
#include "settings/settings.h"

#include "base/duration.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECOND   INT64_C(1000000)
#define DAY      (86400 * SECOND)
#define SKEW_MIN (SECOND / 20)

/* ---- the table ----------------------------------------------------------- */

static const struct setting_row rows[SETTING_COUNT] = {
    [LOG_ENABLED] = {"LOG_ENABLED", GROUP_LOG, "Y or N", "Y", "N", true,
                     "N removes the shipping configuration: the only way to switch shipping off."},
    [LOG_ELASTICSEARCH_URL] = {"LOG_ELASTICSEARCH_URL", GROUP_LOG,
                               "http(s)://host[:port],... (port 9200 if none) or consul:service",
                               NULL, "http://es1:9200,http://es2:9200", true,
                               "Where every server ships to: at most 16 URLs, tried in this order; "
                               "or the passing instances of a service of Consul."},
    [LOG_ELASTICSEARCH_CREDENTIAL] =
        {"LOG_ELASTICSEARCH_CREDENTIAL", GROUP_LOG,
         "1 to 64 of A-Z a-z 0-9 _ - (first one A-Z a-z 0-9)", NULL, "log-writer", true,
         "Which of root's files `credentials/NAME.json` lets the shippers in; never a secret."},
    [LOG_INDEX] = {"LOG_INDEX", GROUP_LOG, "1 to 100 of a-z 0-9 . _ - (first one a-z 0-9)",
                   "plossys-log", "plossys-log", true,
                   "Index or alias for log records; with Filebeat also a data stream."},
    [LOG_LEVEL] = {"LOG_LEVEL", GROUP_LOG, "debug, info, warn, error or fatal", "info", "warn",
                   true,
                   "Least severe level that is shipped, however it is written (WARNING, 40)."},
    [LOG_SOURCES] = {"LOG_SOURCES", GROUP_LOG, "list of names", "seal", "seal", true,
                     "Which entries of `sources` in root's `policy.json` are shipped, at most 16."},
    [LOG_ROLLOUT] = {"LOG_ROLLOUT", GROUP_LOG, "rolling or parallel", "rolling", "parallel", false,
                     "One server after the other, stopped by the first one that refuses, or all at "
                     "once; not part of the revision."},
    [LOG_SETTLE] = {"LOG_SETTLE", GROUP_LOG, "duration from 0s to 10s", "500ms", "2s", false,
                    "Quiet time before a burst of changes is applied; not part of the revision."},
    [LOG_DELAY] = {"LOG_DELAY", GROUP_LOG, "duration from 0s to 1d", "2m", "10m", false,
                   "Records that wait longer on a server are a warning; not part of the "
                   "revision."},
    [CLUSTER_SERVERS] = {"CLUSTER_SERVERS", GROUP_CLUSTER,
                         "server_1=node,server_2=node,... (odd, 3 to 51)", NULL,
                         "server_1=alpha,server_2=beta,server_3=gamma", false,
                         "The servers of the cluster by Consul node name, and their order."},
    [CLUSTER_MANAGEMENT_SERVER] = {"CLUSTER_MANAGEMENT_SERVER", GROUP_CLUSTER,
                                   "node name, host or address", NULL, "management", false,
                                   "The management server: it must not vote."},
    [CLUSTER_GRACE] = {"CLUSTER_GRACE", GROUP_CLUSTER, "duration from 0s to 7d", "15m", "30m",
                       false, "How long \"no server may fail any more\" is only a warning."},
    [CLUSTER_MAINTENANCE] = {"CLUSTER_MAINTENANCE", GROUP_CLUSTER, "node and end in UTC", NULL,
                             "server-2 until 2026-11-23T18:00Z", false,
                             "This server is down on purpose until then; runs out by itself."},
    [CLOCK_SKEW_WARNING] = {"CLOCK_SKEW_WARNING", GROUP_CLOCK, "duration from 50ms to 10s", "100ms",
                            "200ms", false, "Clocks of two servers further apart are a warning."},
    [CLOCK_SKEW_CRITICAL] =
        {"CLOCK_SKEW_CRITICAL", GROUP_CLOCK, "duration from 50ms to 10s", "500ms", "1s", false,
         "Clocks of two servers further apart are critical; not below `CLOCK_SKEW_WARNING`."},
    [CLOCK_REFERENCE] =
        {"CLOCK_REFERENCE", GROUP_CLOCK, "host[:port],... (port 123 if none)", NULL,
         "ntp1.example,ntp2.example", false,
         "NTP servers (at most 8) which every server compares its clock with, too."},
    [SECURITY_ACCEPTED] =
        {"SECURITY_ACCEPTED", GROUP_SECURITY, "list of names", NULL, "acl-off,min-quorum", false,
         "Findings of `cluster:security` that are accepted, at most 32: they are only listed."},
    [MONGODB_URL] = {"MONGODB_URL", GROUP_MONGODB, "mongodb://host[:port],... (port 27017 if none)",
                     NULL, "mongodb://n1,n2,n3", false,
                     "The members of MongoDB's replica set, at most 16, where no server has a "
                     "`mongod.conf`."},
    [MONGODB_CREDENTIAL] =
        {"MONGODB_CREDENTIAL", GROUP_MONGODB, "1 to 64 of A-Z a-z 0-9 _ - (first one A-Z a-z 0-9)",
         NULL, "mongodb-monitor", false,
         "Which of root's files `credentials/NAME.read.json` lets `verify-mongodb` in; never a "
         "secret."},
};

const struct setting_row *settings_row(enum setting setting)
{
    return &rows[setting];
}

int settings_find(const char *key, enum setting *ret)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(rows[i].key, key) == 0) {
            *ret = (enum setting)i;
            return 0;
        }
    }
    return -ENOENT;
}

enum setting_group settings_group(const char *key)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strncmp(key, rows[i].key, strcspn(rows[i].key, "_") + 1) == 0)
            return rows[i].group;
    }
    return GROUP_NONE;
}

int settings_path(const char *root, const char *key, char ret[SETTINGS_KEY], struct error *err)
{
    int len = snprintf(ret, SETTINGS_KEY, "%s%s%s", root, SETTINGS_PLACE, key);
    if (len < 0 || len >= SETTINGS_KEY)
        return error_set(err, -ENAMETOOLONG, "the place of the settings is too long");
    return 0;
}

/* ---- one value ----------------------------------------------------------- */

static const char *const rollouts[] = {"rolling", "parallel"};
static const char *const levels[] = {"debug", "info", "warn", "error", "fatal"};

const char *settings_level_name(int level)
{
    return levels[level];
}

static int parse_log_url(const char *text, struct settings *s, struct error *err)
{
    s->log_service[0] = '\0';
    if (strncmp(text, "consul:", 7) == 0)
        return setting_value_service(text, s->log_service, err);
    return setting_value_urls(text, s->log_url, SETTINGS_URLS, &s->log_urls, err);
}

static int parse_skew(const char *text, int64_t *ret_us, struct error *err)
{
    int64_t us = 0;
    int rc = setting_value_duration(text, 10 * SECOND, &us, err);
    if (rc == 0 && us < SKEW_MIN)
        rc = error_set(err, -EINVAL, "is less than 50ms, which cannot be proven through Consul");
    if (rc == 0)
        *ret_us = us;
    return rc;
}

static int parse_value(enum setting setting, const char *text, struct settings *s,
                       struct error *err)
{
    switch (setting) {
    case LOG_ENABLED:
        return setting_value_yes_no(text, &s->log_enabled, err);
    case LOG_ELASTICSEARCH_URL:
        return parse_log_url(text, s, err);
    case LOG_ELASTICSEARCH_CREDENTIAL:
        return setting_value_source(text, s->log_credential, err);
    case LOG_INDEX:
        return setting_value_index(text, s->log_index, err);
    case LOG_LEVEL:
        return setting_value_word(text, levels, COUNT(levels), &s->log_level, err);
    case LOG_SOURCES:
        return setting_value_sources(text, s->log_source, SETTINGS_SOURCES, &s->log_sources, err);
    case LOG_ROLLOUT:
        return setting_value_word(text, rollouts, COUNT(rollouts), &s->log_parallel, err);
    case LOG_SETTLE:
        return setting_value_duration(text, 10 * SECOND, &s->log_settle_us, err);
    case LOG_DELAY:
        return setting_value_duration(text, DAY, &s->log_delay_us, err);
    case CLUSTER_SERVERS:
        return setting_value_servers(text, s->server, SETTINGS_SERVERS, &s->servers, err);
    case CLUSTER_MANAGEMENT_SERVER:
        return setting_value_node_or_host(text, s->management_server, err);
    case CLUSTER_GRACE:
        return setting_value_duration(text, 7 * DAY, &s->grace_us, err);
    case CLUSTER_MAINTENANCE:
        return setting_value_until(text, s->maintenance_node, &s->maintenance_until_s, err);
    case CLOCK_SKEW_WARNING:
        return parse_skew(text, &s->clock_warning_us, err);
    case CLOCK_SKEW_CRITICAL:
        return parse_skew(text, &s->clock_critical_us, err);
    case CLOCK_REFERENCE:
        return setting_value_ntp_servers(text, s->clock_reference, SETTINGS_REFERENCES,
                                         &s->clock_references, err);
    case SECURITY_ACCEPTED:
        return setting_value_sources(text, s->security_accepted, SETTINGS_ACCEPTED,
                                     &s->security_accepts, err);
    case MONGODB_URL:
        return setting_value_mongodb(text, s->mongodb, SETTINGS_MONGODB, &s->mongodbs, err);
    case MONGODB_CREDENTIAL:
        return setting_value_source(text, s->mongodb_credential, err);
    case SETTING_COUNT:
        break;
    }
    return error_set(err, -EINVAL, "is no setting");
}

static void set_default(enum setting setting, struct settings *s)
{
    if (rows[setting].otherwise)
        (void)!parse_value(setting, rows[setting].otherwise, s, NULL);
}

/* The only value with spaces is the only one that never reaches a template. */
static int read_value(enum setting setting, const char *value, size_t len, struct settings *s,
                      struct error *err)
{
    int rc = setting_value_barrier(value, len, setting == CLUSTER_MAINTENANCE, err);
    return rc < 0 ? rc : parse_value(setting, value, s, err);
}

/* ---- texts --------------------------------------------------------------- */

/* "KEY: "value" holds a space; expected ..., for example ..." */
static int reject_value(enum setting setting, const char *value, size_t len, const char *why,
                        struct error *err)
{
    char echo[SETTING_VALUE_ECHO];
    return error_set(err, -EINVAL, "%s: \"%s\" %s; expected %s, for example %s", rows[setting].key,
                     setting_value_echo(value, len, echo), why, rows[setting].type,
                     rows[setting].example);
}

static void reject(struct settings *s, enum setting setting, const char *text)
{
    (void)!kv_add(&s->rejects, rows[setting].key, text, strlen(text), 0);
    s->log_rejects += rows[setting].group == GROUP_LOG;
}

static const char *similar_key(const char *key)
{
    const char *names[SETTING_COUNT];
    for (size_t i = 0; i < SETTING_COUNT; i++)
        names[i] = rows[i].key;
    return text_nearest(key, names, SETTING_COUNT);
}

static int reject_key(const char *key, char ret_shown[SETTINGS_UNKNOWN], struct error *err)
{
    const char *similar = similar_key(key);
    text_copy(ret_shown, SETTINGS_UNKNOWN, key);
    return error_set(err, -EINVAL, "%s: there is no setting of that name%s%s%s", ret_shown,
                     similar ? " (" : "", similar ? similar : "", similar ? "?)" : "");
}

int settings_check(const char *key, const char *value, struct error *err)
{
    enum setting setting;
    struct settings s = {0};
    struct error why = {0};
    char shown[SETTINGS_UNKNOWN];
    if (settings_find(key, &setting) < 0)
        return reject_key(key, shown, err);
    if (read_value(setting, value, strlen(value), &s, &why) < 0)
        return reject_value(setting, value, strlen(value), why.text, err);
    return 0;
}

/* ---- the set ------------------------------------------------------------- */

static void judge_entry(enum setting setting, const struct kv_entry *entry, struct settings *s)
{
    struct error why = {0}, text = {0};
    if (rows[setting].group == GROUP_LOG)
        s->log_present = true;
    if (read_value(setting, entry->value, entry->len, s, &why) == 0)
        return;
    (void)reject_value(setting, entry->value, entry->len, why.text, &text);
    reject(s, setting, text.text);
    set_default(setting, s);
}

bool settings_rejected(const struct settings *s, const char *key)
{
    return kv_find(&s->rejects, key) != NULL;
}

static void judge_completeness(struct settings *s)
{
    struct error text = {0};
    if (!s->log_present || !s->log_enabled || s->log_urls > 0 || s->log_service[0] ||
        settings_rejected(s, rows[LOG_ELASTICSEARCH_URL].key))
        return;
    (void)error_set(
        &text, -EINVAL,
        "%s: is missing, so the LOG_ settings are incomplete; expected %s, for example %s",
        rows[LOG_ELASTICSEARCH_URL].key, rows[LOG_ELASTICSEARCH_URL].type,
        rows[LOG_ELASTICSEARCH_URL].example);
    reject(s, LOG_ELASTICSEARCH_URL, text.text);
}

/* "KEY: 800ms is more than OTHER, 500ms: both are rejected; expected ..." */
static void reject_limit(struct settings *s, enum setting setting, int64_t us, const char *relation,
                         enum setting other, int64_t other_us)
{
    struct error text = {0};
    char own[DURATION_TEXT], others[DURATION_TEXT];
    if (settings_rejected(s, rows[setting].key))
        return;
    (void)error_set(&text, -EINVAL,
                    "%s: %s is %s than %s, %s: both are rejected; expected %s, for example %s",
                    rows[setting].key, duration_format(us, own), relation, rows[other].key,
                    duration_format(other_us, others), rows[setting].type, rows[setting].example);
    reject(s, setting, text.text);
}

/* One of them may be a default: it is named as well, since only both together fit. */
static void judge_limits(struct settings *s)
{
    int64_t warning = s->clock_warning_us, critical = s->clock_critical_us;
    if (warning <= critical)
        return;
    reject_limit(s, CLOCK_SKEW_WARNING, warning, "more", CLOCK_SKEW_CRITICAL, critical);
    reject_limit(s, CLOCK_SKEW_CRITICAL, critical, "less", CLOCK_SKEW_WARNING, warning);
    set_default(CLOCK_SKEW_WARNING, s);
    set_default(CLOCK_SKEW_CRITICAL, s);
}

/* The place itself may be a key ("folder" of Consul's UI): that is no setting. */
static void find_unknown(const struct kv_list *list, const char *place, struct settings *s)
{
    enum setting setting;
    size_t len = strlen(place);
    for (size_t i = 0; i < list->n && s->unknowns.n < SETTINGS_UNKNOWNS; i++) {
        const char *key = list->entries[i].key;
        char shown[SETTINGS_UNKNOWN];
        struct error text;
        if (strncmp(key, place, len) != 0 || key[len] == '\0' ||
            settings_find(key + len, &setting) == 0)
            continue;
        (void)reject_key(key + len, shown, &text);
        (void)!kv_add(&s->unknowns, shown, text.text, strlen(text.text), 0);
    }
}

void settings_parse(const struct kv_list *list, const char *root, struct settings *ret)
{
    char path[SETTINGS_KEY];
    settings_release(ret);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct kv_entry *entry = NULL;
        if (settings_path(root, rows[i].key, path, NULL) == 0)
            entry = kv_find(list, path);
        set_default((enum setting)i, ret);
        if (entry)
            judge_entry((enum setting)i, entry, ret);
    }
    judge_completeness(ret);
    judge_limits(ret);
    if (settings_path(root, "", path, NULL) == 0)
        find_unknown(list, path, ret);
}

void settings_release(struct settings *s)
{
    kv_release(&s->rejects);
    kv_release(&s->unknowns);
    *s = (struct settings){0};
}
