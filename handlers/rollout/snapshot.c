/* SPDX-License-Identifier: MIT */
#include "rollout/snapshot.h"

#include "base/file.h"
#include "base/held_since.h"
#include "base/json.h"
#include "base/trust.h"
#include "rollout/logging_verdict.h"
#include "settings/effective.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The instances as Consul has them now, else those of before. */
static int discover(struct consul *consul, const struct place *place, const struct policy *policy,
                    enum consul_read read, struct service_urls *ret, struct error *err)
{
    char path[128];
    char rule[128];
    cJSON *root = NULL;
    struct service_urls last = {.service = ""};
    (void)snprintf(path, sizeof path, "health/service/%s?passing%s", ret->service,
                   read == CONSUL_STALE ? "&stale" : "");
    (void)snprintf(rule, sizeof rule, "service \"%s\" read", ret->service);
    int rc = consul_get(consul, path, rule, &root, err);
    if (rc == 0)
        rc = service_urls_judge(root, policy, ret, err);
    cJSON_Delete(root);
    if (place->state_dir)
        service_urls_read(place->state_dir, &last);
    if (rc == 0)
        service_urls_keep(ret, &last);
    return rc;
}

/* Put URLs in the place of consul:SERVICE, and judge again. */
static int complete(struct consul *consul, const struct place *place, const struct policy *policy,
                    enum consul_read read, struct snapshot *s, struct effective *log,
                    struct error *err)
{
    char path[SETTINGS_KEY];
    memcpy(s->service.service, s->settings.log_service, sizeof s->service.service);
    int rc = settings_path(place->settings_root, settings_row(LOG_ELASTICSEARCH_URL)->key, path,
                           err);
    if (rc == 0)
        rc = discover(consul, place, policy, read, &s->service, err);
    if (rc < 0 || !s->service.urls[0])
        return rc;
    if (kv_set(&s->entries, path, s->service.urls) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    return effective_judge(policy, place->settings_root, &s->entries, &s->settings, log, err);
}

static int judge_settings(struct consul *consul, const struct place *place, enum consul_read read,
                          struct policy *policy, struct snapshot *s, struct error *err)
{
    struct effective log;
    int rc = effective_judge(policy, place->settings_root, &s->entries, &s->settings, &log, err);
    if (rc == 0 && effective_service(&s->settings))
        rc = complete(consul, place, policy, read, s, &log, err);
    if (rc < 0 || log.log == EFFECTIVE_NONE)
        return rc;
    if (log.log == EFFECTIVE_REJECTED)
        (void)snprintf(s->refusal, sizeof s->refusal, "a LOG_ setting is rejected");
    else if (effective_service(&s->settings))
        (void)snprintf(s->refusal, sizeof s->refusal, "LOG_ELASTICSEARCH_URL: %s", s->service.note);
    else if (log.log == EFFECTIVE_FORBIDDEN)
        (void)snprintf(s->refusal, sizeof s->refusal, "%s", log.why.text);
    else
        memcpy(s->wanted, log.revision, sizeof s->wanted);
    return 0;
}

static int read_settings(struct consul *consul, const struct place *place, enum consul_read read,
                         struct snapshot *ret, struct error *err)
{
    char prefix[256];
    (void)snprintf(prefix, sizeof prefix, "%s%sLOG_", place->settings_root, SETTINGS_PLACE);
    int rc = settings_read(consul, place->settings_root, read, &ret->entries, err);
    return rc < 0 ? rc : kv_digest(&ret->entries, prefix, ret->digest, err);
}

int snapshot_settings(struct consul *consul, const struct place *place, enum consul_read read,
                      struct snapshot *ret, struct error *err)
{
    struct policy policy = {0};
    int rc = read_settings(consul, place, read, ret, err);
    if (rc == 0)
        rc = policy_read(place->config_dir, &policy, err);
    if (rc == 0)
        rc = judge_settings(consul, place, read, &policy, ret, err);
    policy_release(&policy);
    return rc;
}

/* As spelled, else however it is spelled. */
static const struct kv_entry *find_entry(const struct kv_list *list, const char *node)
{
    const struct kv_entry *found = NULL;
    for (size_t i = 0; i < list->n; i++) {
        const struct kv_entry *entry = &list->entries[i];
        const char *name = entry->key + strlen(SERVER_RECORD_PREFIX);
        if (strcmp(name, node) == 0)
            return entry;
        if (strcasecmp(name, node) == 0)
            found = entry;
    }
    return found;
}

/* The record of one server of the order. */
static void take_record(struct snapshot *s, const char *node, bool alive)
{
    struct error ignored = {0};
    struct rolling_server *server = &s->servers[s->n + s->n_missing];
    const struct kv_entry *entry = find_entry(&s->published, node);
    *server = (struct rolling_server){.node = node, .alive = alive};
    if (entry)
        server->version = (struct kv_version){entry->key, entry->modify_index};
    if (entry &&
        server_record_parse(node, entry->value, entry->len, &s->records[s->n], &ignored) == 0)
        server->record = &s->records[s->n++];
    else
        s->missing[s->n_missing++] = node;
}

static void take_own(struct snapshot *s)
{
    struct error ignored = {0};
    const struct kv_entry *entry = find_entry(&s->published, s->node);
    s->own_index = entry ? entry->modify_index : 0;
    s->own_known = entry &&
                   server_record_parse(s->node, entry->value, entry->len, &s->own, &ignored) == 0;
    if (!s->own_known)
        s->own = (struct server_record){.state = SERVER_RECORD_KEPT};
}

static void forget_records(struct snapshot *s)
{
    free(s->servers);
    free(s->records);
    free(s->missing);
    kv_release(&s->published);
    s->servers = NULL;
    s->records = NULL;
    s->missing = NULL;
    s->n = s->n_missing = 0;
}

static int take_records(struct snapshot *s, struct error *err)
{
    size_t n = s->order.n + 1;
    s->servers = calloc(n, sizeof *s->servers);
    s->records = calloc(n, sizeof *s->records);
    s->missing = calloc(n, sizeof *s->missing);
    if (!s->servers || !s->records || !s->missing)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < s->order.n; i++)
        take_record(s, s->order.server[i].node, s->order.server[i].alive);
    take_own(s);
    return 0;
}

int snapshot_node(struct consul *consul, struct snapshot *ret, struct error *err)
{
    const char *node = NULL;
    if (ret->node[0])
        return 0;
    int rc = agent_node(consul, &ret->agent, &node, err);
    if (rc == 0)
        (void)snprintf(ret->node, sizeof ret->node, "%s", node);
    return rc;
}

int snapshot_records(struct consul *consul, const struct place *place, enum consul_read read,
                     struct snapshot *ret, struct error *err)
{
    forget_records(ret);
    const struct rollout_order_settings settings = {place->settings_root, &ret->entries,
                                                    &ret->settings};
    int rc = snapshot_node(consul, ret, err);
    if (rc == 0)
        rc = rollout_order_gather(consul, &ret->agent, &settings, read, &ret->order, err);
    if (rc == 0)
        rc = consul_kv_read(consul, SERVER_RECORD_PREFIX, true, read, &ret->published, err);
    if (rc == 0)
        rc = kv_digest(&ret->published, SERVER_RECORD_PREFIX, ret->results, err);
    return rc < 0 ? rc : take_records(ret, err);
}

const struct server_record *snapshot_published(const struct snapshot *s)
{
    return s->own_known ? &s->own : NULL;
}

void snapshot_facts(const struct snapshot *s, const struct local_state *local, bool retry,
                    struct server_record *own, struct rolling_facts *ret)
{
    local_state_record(local, s->node, own);
    *ret = (struct rolling_facts){.order = s->servers,
                                  .n = s->order.n,
                                  .source = {s->order.source, s->order.source_index},
                                  .wanted = s->wanted,
                                  .own = own,
                                  .published = snapshot_published(s),
                                  .in_force = local->revision,
                                  .again = retry || local_state_overdue(local),
                                  .parallel = s->settings.log_parallel};
}

/* How long the servers have differed without any progress, remembered across runs. */
static int64_t differ_for(const char *state_dir, const struct logging_facts *facts)
{
    struct error ignored = {0};
    struct held_since spans = {0};
    int64_t ms = -1;
    bool keep = state_dir && trust_own_directory(state_dir);
    bool differ = facts->wanted[0] && !logging_verdict_agree(facts);
    size_t done = logging_verdict_count(facts);
    held_since_read(keep ? state_dir : NULL, "logging", &spans);
    for (size_t i = 0; i <= facts->n; i++) {
        char name[HELD_SINCE_NAME];
        (void)snprintf(name, sizeof name, "differ %zu", i);
        int64_t held = held_since_note(&spans, name, differ && i == done);
        ms = held > ms ? held : ms;
    }
    if (keep && held_since_write(&spans, state_dir, "logging", &ignored) < 0)
        return 0; /* a full disk must not turn a change under way into a warning */
    return ms;
}

void snapshot_judge(const struct place *place, const struct snapshot *s,
                    const struct local_state *local, struct verdict *ret)
{
    struct server_record own;
    struct rolling_facts turn_facts;
    struct rolling turn = {.text = ""};
    snapshot_facts(s, local, false, &own, &turn_facts);
    if (s->wanted[0])
        rolling_judge(&turn_facts, &turn);
    for (size_t i = 0; i < s->n; i++) {
        if (strcasecmp(s->records[i].node, own.node) == 0)
            s->records[i] = own; /* the local state is fresher than its echo from KV */
    }
    struct logging_facts facts = {.settings = &s->settings,
                                  .refusal = s->refusal,
                                  .wanted = s->wanted,
                                  .in_force = local->revision,
                                  .own = &own,
                                  .rollback_failed = local->rollback_failed,
                                  .progress = turn.text,
                                  .held = turn.held,
                                  .records = s->records,
                                  .n = s->n,
                                  .missing = s->missing,
                                  .n_missing = s->n_missing};
    facts.differ_ms = differ_for(place->state_dir, &facts);
    logging_verdict_judge(&facts, ret);
    if (s->service.note[0] && !s->refusal[0]) {
        verdict_note(ret, "%s", s->service.note);
        verdict_raise(ret, VERDICT_WARNING);
    }
}

/* Other instances than those that were dealt with? A policy that cannot be read is told
 * by the verification. */
static int find_news(struct consul *consul, const struct place *place, struct snapshot *s,
                     bool *ret_news, struct error *err)
{
    struct policy policy = {0};
    struct service_urls last;
    struct error ignored = {0};
    *ret_news = false;
    if (policy_read(place->config_dir, &policy, &ignored) < 0)
        return 0;
    int rc = judge_settings(consul, place, CONSUL_DEFAULT, &policy, s, err);
    policy_release(&policy);
    service_urls_read(place->state_dir, &last);
    *ret_news = rc == 0 && service_urls_news(&s->service, &last);
    return rc;
}

int snapshot_due(struct consul *consul, const struct place *place, bool *ret_due, struct error *err)
{
    bool news = false;
    struct snapshot s = {0};
    struct local_state local;
    local_state_read(place->state_dir, &local);
    int rc = read_settings(consul, place, CONSUL_DEFAULT, &s, err);
    if (rc == 0)
        rc = find_news(consul, place, &s, &news, err);
    if (rc == 0)
        rc = consul_kv_read(consul, SERVER_RECORD_PREFIX, true, CONSUL_DEFAULT, &s.published, err);
    if (rc == 0)
        rc = kv_digest(&s.published, SERVER_RECORD_PREFIX, s.results, err);
    if (rc == 0)
        *ret_due = news || local_state_due(&local) || !local_state_settled(&local, s.digest) ||
                   strcmp(local.results, s.results) != 0;
    snapshot_release(&s);
    return rc;
}

int snapshot_close(const struct place *place, const struct snapshot *s, struct local_state *local,
                   struct error *err)
{
    (void)snprintf(local->settings, KV_DIGEST, "%s", s->digest);
    (void)snprintf(local->results, KV_DIGEST, "%s", s->results);
    int rc = service_urls_write(place->state_dir, &s->service, err);
    return rc < 0 ? rc : local_state_write(place->state_dir, local, err);
}

void snapshot_release(struct snapshot *s)
{
    kv_release(&s->entries);
    agent_release(&s->agent);
    forget_records(s);
    *s = (struct snapshot){0};
}
