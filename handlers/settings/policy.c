/* SPDX-License-Identifier: MIT */
#include "settings/policy.h"

#include "base/file.h"
#include "base/json.h"
#include "base/trust.h"
#include "net/host.h"
#include "net/url.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_MAX (1 << 18) /* bytes of policy.json */
#define PATH_MOST  1024      /* bytes of a glob or path */

static const char shipped[] =
    "{\"sources\": {\"seal\": {\"files\": [\"/var/log/seal/*.log\"], "
    "\"except\": [\"/var/log/seal/mongod.log\"]}}, \"elasticsearch\": "
    "{\"hosts\": [\"*\"], \"ports\": [443, 9200]}, \"mongodb\": {\"hosts\": "
    "[\"*\"], \"ports\": [27017], \"files\": "
    "[\"/opt/seal/etc/mongod.conf\"]}, \"pin\": {}}";

static int reject_policy(const struct policy *policy, struct error *err, const char *fmt, ...)
    FORMAT(3, 4);

static int reject_policy(const struct policy *policy, struct error *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return error_set(err, -EBADMSG, "%s: %s", policy->path, text);
}

/* ---- JSON ---------------------------------------------------------------- */

static int check_policy_members(const struct policy *policy, const cJSON *object, const char *where,
                                const char *const *names, size_t n, struct error *err)
{
    char echo[SETTING_VALUE_ECHO];
    const char *name = NULL;
    int rc = json_members(object, names, n, &name);
    if (rc == 0)
        return 0;
    (void)setting_value_echo(name, strlen(name), echo);
    if (rc == -ENOENT)
        return reject_policy(policy, err, "unknown member \"%s%s\"", where, echo);
    return reject_policy(policy, err, "\"%s%s\" is given twice", where, echo);
}

/* The member of the file, or the shipped one where the file has none; NULL and a text when it
 * has another type. */
static const cJSON *pick(const struct policy *policy, const cJSON *object, const cJSON *otherwise,
                         const char *name, cJSON_bool (*is_type)(const cJSON *item),
                         struct error *err)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!found)
        found = cJSON_GetObjectItemCaseSensitive(otherwise, name);
    if (is_type(found))
        return found;
    (void)reject_policy(policy, err, "\"%s\" is not %s", name,
                        is_type == cJSON_IsArray ? "a list" : "an object");
    return NULL;
}

/* ---- sources ------------------------------------------------------------- */

/* An absolute path of plain characters; a glob has * and ? in its last component. */
static bool is_path(const char *path, bool glob)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
    const char *last = strrchr(path, '/');
    size_t len = strlen(path);
    if (path[0] != '/' || len < 2 || len >= PATH_MOST || path[len - 1] == '/' ||
        strstr(path, "//") || strstr(path, ".."))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool wild = glob && path + i > last && (path[i] == '*' || path[i] == '?');
        if (!strchr(plain, path[i]) && !wild)
            return false;
    }
    return true;
}

static int read_paths(const struct policy *policy, const cJSON *array, const char *where,
                      char ***ret, size_t *ret_n, struct error *err)
{
    const cJSON *item = NULL;
    char echo[SETTING_VALUE_ECHO];
    bool glob = strcmp(where, "files") == 0;
    *ret = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof **ret);
    if (!*ret)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(item, array)
    {
        const char *path = cJSON_IsString(item) ? item->valuestring : "";
        if (!is_path(path, glob))
            return reject_policy(
                policy, err, "\"%s\" in \"%s\" is not an absolute path of A-Z a-z 0-9 . _ - /%s",
                setting_value_echo(path, strlen(path), echo), where,
                glob ? " (* and ? in the last component)" : "");
        (*ret)[*ret_n] = strdup(path);
        if (!(*ret)[*ret_n])
            return error_set(err, -ENOMEM, "out of memory");
        (*ret_n)++;
    }
    return 0;
}

static int read_source(struct policy *policy, const cJSON *object, struct policy_source *source,
                       struct error *err)
{
    static const char *const names[] = {"files", "except"};
    struct error why = {0};
    char echo[SETTING_VALUE_ECHO], where[sizeof source->name + 10];
    const cJSON *except = cJSON_GetObjectItemCaseSensitive(object, "except");
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(object, "files");
    if (setting_value_source(object->string, source->name, &why) < 0)
        return reject_policy(policy, err, "the name \"%s\" in \"sources\" %s",
                             setting_value_echo(object->string, strlen(object->string), echo),
                             why.text);
    if (!cJSON_IsArray(files) || cJSON_GetArraySize(files) == 0 ||
        (except && !cJSON_IsArray(except)))
        return reject_policy(
            policy, err, "source \"%s\" needs a list \"files\"; \"except\" may be a second list",
            source->name);
    (void)snprintf(where, sizeof where, "sources.%s.", source->name);
    int rc = check_policy_members(policy, object, where, names, COUNT(names), err);
    if (rc == 0)
        rc = read_paths(policy, files, "files", &source->files, &source->n_files, err);
    if (rc == 0)
        rc = read_paths(policy, except, "except", &source->except, &source->n_except, err);
    return rc;
}

static int read_sources(struct policy *policy, const cJSON *root, const cJSON *otherwise,
                        struct error *err)
{
    const cJSON *item = NULL;
    const cJSON *object = pick(policy, root, otherwise, "sources", cJSON_IsObject, err);
    if (!object)
        return -EBADMSG;
    policy->sources = calloc((size_t)cJSON_GetArraySize(object) + 1, sizeof *policy->sources);
    if (!policy->sources)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(item, object)
    {
        if (policy_source(policy, item->string))
            return reject_policy(policy, err, "source \"%s\" is given twice", item->string);
        int rc = read_source(policy, item, &policy->sources[policy->n_sources++], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- servers that KV may name ---------------------------------------------- */

static int read_hosts(const struct policy *policy, struct policy_servers *servers,
                      const cJSON *array, struct error *err)
{
    const cJSON *item = NULL;
    char host[HOST_TEXT], echo[SETTING_VALUE_ECHO];
    servers->hosts = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof(char *));
    if (!servers->hosts)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(item, array)
    {
        struct error why = {0};
        const char *text = cJSON_IsString(item) ? item->valuestring : "";
        if (host_entry(text, host, &why) < 0)
            return reject_policy(policy, err, "\"%s\" in \"%s.hosts\" %s",
                                 setting_value_echo(text, strlen(text), echo), servers->name,
                                 why.text);
        servers->hosts[servers->n_hosts] = strdup(host);
        if (!servers->hosts[servers->n_hosts])
            return error_set(err, -ENOMEM, "out of memory");
        servers->n_hosts++;
    }
    return 0;
}

static int read_ports(const struct policy *policy, struct policy_servers *servers,
                      const cJSON *array, struct error *err)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        double port = cJSON_IsNumber(item) ? item->valuedouble : 0;
        if (!(port >= 1 && port <= 65535) || (double)(int)port != port)
            return reject_policy(policy, err,
                                 "\"%s.ports\" holds something else than numbers from 1 to 65535",
                                 servers->name);
        if (servers->n_ports == COUNT(servers->ports))
            return reject_policy(policy, err, "\"%s.ports\" has more than %zu ports", servers->name,
                                 COUNT(servers->ports));
        servers->ports[servers->n_ports++] = (int)port;
    }
    return 0;
}

/* Hosts and ports of the member `name`, which has no others than names[n]. */
static int read_servers(const struct policy *policy, const cJSON *root, const cJSON *otherwise,
                        const char *const *names, size_t n, struct policy_servers *servers,
                        struct error *err)
{
    char where[32];
    const cJSON *other = cJSON_GetObjectItemCaseSensitive(otherwise, servers->name);
    const cJSON *object = pick(policy, root, otherwise, servers->name, cJSON_IsObject, err);
    (void)snprintf(where, sizeof where, "%s.", servers->name);
    if (!object || check_policy_members(policy, object, where, names, n, err) < 0)
        return -EBADMSG;
    const cJSON *hosts = pick(policy, object, other, "hosts", cJSON_IsArray, err);
    const cJSON *ports = hosts ? pick(policy, object, other, "ports", cJSON_IsArray, err) : NULL;
    int rc = ports ? read_hosts(policy, servers, hosts, err) : -EBADMSG;
    return rc < 0 ? rc : read_ports(policy, servers, ports, err);
}

static int read_elasticsearch(struct policy *policy, const cJSON *root, const cJSON *otherwise,
                              struct error *err)
{
    static const char *const names[] = {"hosts", "ports"};
    policy->elasticsearch.name = "elasticsearch";
    return read_servers(policy, root, otherwise, names, COUNT(names), &policy->elasticsearch, err);
}

static int read_mongodb(struct policy *policy, const cJSON *root, const cJSON *otherwise,
                        struct error *err)
{
    static const char *const names[] = {"hosts", "ports", "files"};
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "mongodb");
    const cJSON *other = cJSON_GetObjectItemCaseSensitive(otherwise, "mongodb");
    policy->mongodb.name = "mongodb";
    int rc = read_servers(policy, root, otherwise, names, COUNT(names), &policy->mongodb, err);
    if (rc < 0)
        return rc;
    const cJSON *files = pick(policy, object, other, "files", cJSON_IsArray, err);
    return files ? read_paths(policy, files, "mongodb.files", &policy->mongodb_files,
                              &policy->n_mongodb_files, err)
                 : -EBADMSG;
}

/* ---- pins ---------------------------------------------------------------- */

static int read_pin(struct policy *policy, const cJSON *item, struct error *err)
{
    struct error why = {0};
    const char *value = cJSON_IsString(item) ? item->valuestring : NULL;
    if (!value)
        return reject_policy(policy, err, "a value in \"pin\" is not a text");
    if (settings_check(item->string, value, &why) < 0)
        return reject_policy(policy, err, "in \"pin\": %s", why.text);
    if (strncmp(value, "consul:", 7) == 0)
        return reject_policy(policy, err, "in \"pin\": %s can only be URLs", item->string);
    if (strlen(value) >= sizeof policy->pin[0].value)
        return reject_policy(policy, err, "in \"pin\": %s is longer than %zu characters",
                             item->string, sizeof policy->pin[0].value - 1);
    for (size_t i = 0; i < policy->n_pins; i++) {
        if (strcmp(policy->pin[i].key, item->string) == 0)
            return reject_policy(policy, err, "in \"pin\": %s is given twice", item->string);
    }
    (void)snprintf(policy->pin[policy->n_pins].key, sizeof policy->pin[0].key, "%s", item->string);
    (void)snprintf(policy->pin[policy->n_pins].value, sizeof policy->pin[0].value, "%s", value);
    policy->n_pins++;
    return 0;
}

static int read_pins(struct policy *policy, const cJSON *root, const cJSON *otherwise,
                     struct error *err)
{
    const cJSON *item = NULL;
    const cJSON *object = pick(policy, root, otherwise, "pin", cJSON_IsObject, err);
    if (!object)
        return -EBADMSG;
    cJSON_ArrayForEach(item, object)
    {
        int rc = read_pin(policy, item, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- the whole ----------------------------------------------------------- */

static int read_members(struct policy *policy, const cJSON *root, const cJSON *otherwise,
                        struct error *err)
{
    static const char *const names[] = {"sources", "elasticsearch", "mongodb", "pin"};
    if (!cJSON_IsObject(root))
        return reject_policy(policy, err, "is not a JSON object");
    int rc = check_policy_members(policy, root, "", names, COUNT(names), err);
    if (rc == 0)
        rc = read_sources(policy, root, otherwise, err);
    if (rc == 0)
        rc = read_elasticsearch(policy, root, otherwise, err);
    if (rc == 0)
        rc = read_mongodb(policy, root, otherwise, err);
    return rc < 0 ? rc : read_pins(policy, root, otherwise, err);
}

int policy_parse(const char *text, size_t len, const char *path, struct policy *ret,
                 struct error *err)
{
    cJSON *root = NULL, *otherwise = NULL;
    *ret = (struct policy){0};
    (void)snprintf(ret->path, sizeof ret->path, "%s", text ? path : "");
    int rc = json_parse(shipped, strlen(shipped), "shipped policy", &otherwise, err);
    if (rc == 0 && text)
        rc = json_parse(text, len, path, &root, err);
    if (rc == 0)
        rc = read_members(ret, text ? root : otherwise, otherwise, err);
    if (rc < 0)
        policy_release(ret);
    cJSON_Delete(root);
    cJSON_Delete(otherwise);
    return rc;
}

int policy_read(const char *config_dir, struct policy *ret, struct error *err)
{
    char path[sizeof ret->path];
    struct buffer text = BUFFER_INIT(POLICY_MAX);
    *ret = (struct policy){0};
    int rc = file_path(path, sizeof path, config_dir, "policy.json", err);
    if (rc == 0)
        rc = trust_read(path, &text, err);
    if (rc == 0)
        rc = policy_parse(buffer_text(&text), text.len, path, ret, err);
    else if (rc == -ENOENT) /* nobody else could have taken it away: parents are judged */
        rc = policy_parse(NULL, 0, path, ret, err);
    buffer_release(&text);
    return rc;
}

const struct policy_source *policy_source(const struct policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->n_sources; i++) {
        if (strcmp(policy->sources[i].name, name) == 0)
            return &policy->sources[i];
    }
    return NULL;
}

const char *policy_pinned(const struct policy *policy, const char *key)
{
    for (size_t i = 0; i < policy->n_pins; i++) {
        if (strcmp(policy->pin[i].key, key) == 0)
            return policy->pin[i].value;
    }
    return NULL;
}

/* ---- pinning ------------------------------------------------------------- */

static bool has_group(const struct kv_list *list, const char *root, enum setting_group group)
{
    char path[SETTINGS_KEY];
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = settings_row((enum setting)i);
        if (row->group == group && settings_path(root, row->key, path, NULL) == 0 &&
            kv_find(list, path))
            return true;
    }
    return false;
}

int policy_pin(const struct policy *policy, const char *root, struct kv_list *list,
               struct error *err)
{
    char path[SETTINGS_KEY];
    bool log_readable = has_group(list, root, GROUP_LOG);
    for (size_t i = 0; i < policy->n_pins; i++) {
        enum setting setting;
        if (settings_find(policy->pin[i].key, &setting) < 0 ||
            (settings_row(setting)->group == GROUP_LOG && !log_readable))
            continue;
        int rc = settings_path(root, policy->pin[i].key, path, err);
        if (rc == 0 && kv_set(list, path, policy->pin[i].value) < 0)
            rc = error_set(err, -ENOMEM, "out of memory");
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* ---- judging ------------------------------------------------------------- */

/* KEY: WORD is not allowed by "LINE" in FILE (ADVICE) */
static int forbid(const struct policy *policy, enum setting setting, const char *word,
                  const char *line, const char *advice, struct error *err)
{
    return error_set(err, -EACCES, "%s: %s is not allowed by \"%s\" in %s (%s)",
                     settings_row(setting)->key, word, line,
                     policy->path[0] ? policy->path : "the policy without policy.json", advice);
}

static int judge_source(const struct policy *policy, const char *name, struct error *err)
{
    char word[SETTING_VALUE_SOURCE + 16], advice[200] = "it has";
    size_t used = strlen(advice);
    if (policy_source(policy, name))
        return 0;
    for (size_t i = 0; i < policy->n_sources && used < sizeof advice; i++)
        used += (size_t)snprintf(advice + used, sizeof advice - used, " %s",
                                 policy->sources[i].name);
    (void)snprintf(word, sizeof word, "source %s", name);
    return forbid(policy, LOG_SOURCES, word, "sources", advice, err);
}

static int judge_host(const struct policy *policy, const struct policy_servers *servers,
                      enum setting setting, const char *host, struct error *err)
{
    char word[HOST_TEXT + 16], line[32];
    for (size_t i = 0; i < servers->n_hosts; i++) {
        if (host_allowed(host, servers->hosts[i]))
            return 0;
    }
    (void)snprintf(word, sizeof word, "host %s", host);
    (void)snprintf(line, sizeof line, "%s.hosts", servers->name);
    return forbid(policy, setting, word, line,
                  host_is_local(host) ? "loopback and link-local hosts must be listed themselves"
                  : setting == MONGODB_URL ? "root decides which hosts are asked"
                                           : "root decides which hosts may get the log",
                  err);
}

static int judge_port(const struct policy *policy, const struct policy_servers *servers,
                      enum setting setting, int port, struct error *err)
{
    char word[32], line[32], advice[256] = "it has";
    size_t used = strlen(advice);
    for (size_t i = 0; i < servers->n_ports; i++) {
        if (servers->ports[i] == port)
            return 0;
        used += (size_t)snprintf(advice + used, sizeof advice - used, " %d", servers->ports[i]);
    }
    (void)snprintf(word, sizeof word, "port %d", port);
    (void)snprintf(line, sizeof line, "%s.ports", servers->name);
    return forbid(policy, setting, word, line, advice, err);
}

int policy_judge_url(const struct policy *policy, const struct url *url, struct error *err)
{
    const struct policy_servers *servers = &policy->elasticsearch;
    int rc = judge_host(policy, servers, LOG_ELASTICSEARCH_URL, url->host, err);
    return rc < 0 ? rc : judge_port(policy, servers, LOG_ELASTICSEARCH_URL, url->port, err);
}

int policy_judge(const struct policy *policy, const struct settings *s, struct error *err)
{
    int rc = 0;
    if (!s->log_enabled)
        return 0;
    for (size_t i = 0; rc == 0 && i < s->log_sources; i++)
        rc = judge_source(policy, s->log_source[i], err);
    for (size_t i = 0; rc == 0 && i < s->log_urls; i++) {
        struct url url;
        rc = url_parse(s->log_url[i], &url, err);
        if (rc == 0)
            rc = policy_judge_url(policy, &url, err);
    }
    return rc;
}

int policy_judge_mongodb(const struct policy *policy, const struct settings *s, struct error *err)
{
    const struct policy_servers *servers = &policy->mongodb;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->mongodbs; i++) {
        rc = judge_host(policy, servers, MONGODB_URL, s->mongodb[i].host, err);
        if (rc == 0)
            rc = judge_port(policy, servers, MONGODB_URL, s->mongodb[i].port, err);
    }
    return rc;
}

static void free_list(char **list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(list[i]);
    free(list);
}

void policy_release(struct policy *policy)
{
    for (size_t i = 0; i < policy->n_sources; i++) {
        free_list(policy->sources[i].files, policy->sources[i].n_files);
        free_list(policy->sources[i].except, policy->sources[i].n_except);
    }
    free(policy->sources);
    free_list(policy->elasticsearch.hosts, policy->elasticsearch.n_hosts);
    free_list(policy->mongodb.hosts, policy->mongodb.n_hosts);
    free_list(policy->mongodb_files, policy->n_mongodb_files);
    *policy = (struct policy){0};
}
