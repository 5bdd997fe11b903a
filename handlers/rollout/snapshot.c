/* SPDX-License-Identifier: MIT */
#include "rollout/snapshot.h"

#include "settings/effective.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- settings ------------------------------------------------------------ */

/* The instances as Consul has them now, else those of before. */
static int discover(const struct snapshot *s, const struct policy *policy, struct service_urls *ret,
                    struct error *err)
{
    char path[128];
    char rule[128];
    cJSON *root = NULL;
    struct service_urls last = {.service = ""};
    (void)snprintf(path, sizeof path, "health/service/%s?passing%s", ret->service,
                   s->read == CONSUL_STALE ? "&stale" : "");
    (void)snprintf(rule, sizeof rule, "service \"%s\" read", ret->service);
    int rc = consul_get(s->consul, path, rule, &root, err);
    if (rc == 0)
        rc = service_urls_judge(root, policy, ret, err);
    cJSON_Delete(root);
    if (s->place->state_dir)
        service_urls_read(s->place->state_dir, &last);
    if (rc == 0)
        service_urls_keep(ret, &last);
    return rc;
}

/* Put URLs in the place of consul:SERVICE, and judge again. */
static int complete(struct snapshot *s, const struct policy *policy, struct effective *log,
                    struct error *err)
{
    char path[SETTINGS_KEY];
    struct wanted *w = &s->wanted;
    const char *root = s->place->settings_root;
    memcpy(w->service.service, w->settings.log_service, sizeof w->service.service);
    int rc = settings_path(root, settings_row(LOG_ELASTICSEARCH_URL)->key, path, err);
    if (rc == 0)
        rc = discover(s, policy, &w->service, err);
    if (rc < 0 || !w->service.urls[0])
        return rc;
    if (kv_set(&w->entries, path, w->service.urls) < 0)
        return error_set(err, -ENOMEM, "out of memory");
    return effective_judge(policy, root, &w->entries, &w->settings, log, err);
}

static int judge_settings(struct snapshot *s, const struct policy *policy, struct error *err)
{
    struct effective log;
    struct wanted *w = &s->wanted;
    int rc = effective_judge(policy, s->place->settings_root, &w->entries, &w->settings, &log, err);
    if (rc == 0 && effective_service(&w->settings))
        rc = complete(s, policy, &log, err);
    if (rc < 0 || log.log == EFFECTIVE_NONE)
        return rc;
    if (log.log == EFFECTIVE_REJECTED)
        (void)snprintf(w->refusal, sizeof w->refusal, "a LOG_ setting is rejected");
    else if (effective_service(&w->settings))
        (void)snprintf(w->refusal, sizeof w->refusal, "LOG_ELASTICSEARCH_URL: %s", w->service.note);
    else if (log.log == EFFECTIVE_FORBIDDEN)
        (void)snprintf(w->refusal, sizeof w->refusal, "%s", log.why.text);
    else
        memcpy(w->revision, log.revision, sizeof w->revision);
    return 0;
}

static int read_settings(struct snapshot *s, struct error *err)
{
    struct wanted *w = &s->wanted;
    const char *root = s->place->settings_root;
    kv_release(&w->entries);
    settings_release(&w->settings);
    *w = (struct wanted){.digest = ""};
    int rc = settings_read(s->consul, root, s->read, &w->entries, err);
    return rc < 0 ? rc : effective_digest(&w->entries, root, w->digest, err);
}

int snapshot_settings(struct snapshot *s, struct error *err)
{
    struct policy policy = {0};
    int rc = read_settings(s, err);
    if (rc == 0)
        rc = policy_read(s->place->config_dir, &policy, err);
    if (rc == 0)
        rc = judge_settings(s, &policy, err);
    policy_release(&policy);
    return rc;
}

/* ---- records ------------------------------------------------------------- */

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

static bool parse_entry(const struct kv_entry *entry, const char *node, struct server_record *ret)
{
    return entry && server_record_parse(node, entry->value, entry->len, ret, NULL) == 0;
}

/* The record of one server of the order. */
static void take_record(struct peers *p, const char *node, bool alive)
{
    struct rolling_server *server = &p->servers[p->n + p->n_missing];
    const struct kv_entry *entry = find_entry(&p->published, node);
    *server = (struct rolling_server){.node = node, .alive = alive};
    if (entry)
        server->version = (struct kv_version){entry->key, entry->modify_index};
    if (parse_entry(entry, node, &p->records[p->n]))
        server->record = &p->records[p->n++];
    else
        p->missing[p->n_missing++] = node;
}

static void take_own(struct peers *p, const char *node)
{
    const struct kv_entry *entry = find_entry(&p->published, node);
    p->own_index = entry ? entry->modify_index : 0;
    p->own = parse_entry(entry, node, &p->own_room) ? &p->own_room : NULL;
}

static void forget_records(struct peers *p)
{
    free(p->servers);
    free(p->records);
    free((void *)p->missing);
    kv_release(&p->published);
    *p = (struct peers){.n = 0};
}

static int take_records(struct peers *p, const char *node, struct error *err)
{
    size_t n = p->order.n + 1;
    p->servers = calloc(n, sizeof *p->servers);
    p->records = calloc(n, sizeof *p->records);
    p->missing = calloc(n, sizeof *p->missing);
    if (!p->servers || !p->records || !p->missing)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < p->order.n; i++)
        take_record(p, p->order.server[i].node, p->order.server[i].alive);
    take_own(p, node);
    return 0;
}

int snapshot_node(struct snapshot *s, struct error *err)
{
    const char *node = NULL;
    if (s->node[0])
        return 0;
    int rc = agent_node(s->consul, &s->agent, &node, err);
    if (rc == 0)
        (void)snprintf(s->node, sizeof s->node, "%s", node);
    return rc;
}

static int read_all_records(struct snapshot *s, struct error *err)
{
    struct kv_list *list = &s->peers.published;
    kv_release(list);
    return consul_kv_read(s->consul, SERVER_RECORD_PREFIX, true, s->read, list, err);
}

static int read_record(struct snapshot *s, const char *node, struct error *err)
{
    char key[sizeof SERVER_RECORD_PREFIX + SETTINGS_NAME];
    (void)snprintf(key, sizeof key, "%s%s", SERVER_RECORD_PREFIX, node);
    int rc = kv_find(&s->peers.published, key)
                 ? 0
                 : consul_kv_read(s->consul, key, false, s->read, &s->peers.published, err);
    return rc == -EMSGSIZE ? 0 : rc; /* as none */
}

/* Those that count: others may have put below the prefix what no answer can hold. */
static int read_records_that_count(struct snapshot *s, struct error *err)
{
    int rc = read_record(s, s->node, err);
    for (size_t i = 0; rc == 0 && i < s->peers.order.n; i++)
        rc = read_record(s, s->peers.order.server[i].node, err);
    return rc;
}

static int digest_records(struct snapshot *s, struct error *err)
{
    return server_record_digest(&s->peers.published, s->peers.digest, err);
}

/* The order must be known. */
static int read_records(struct snapshot *s, struct error *err)
{
    struct error large = {0};
    int rc = read_all_records(s, &large);
    if (rc == -EMSGSIZE) {
        s->peers.large = large;
        rc = read_records_that_count(s, err);
    } else if (rc < 0) {
        rc = error_set(err, rc, "%s", large.text);
    }
    return rc < 0 ? rc : digest_records(s, err);
}

int snapshot_records(struct snapshot *s, struct error *err)
{
    forget_records(&s->peers);
    const struct rollout_order_settings settings = {s->place->settings_root, &s->wanted.entries,
                                                    &s->wanted.settings};
    int rc = snapshot_node(s, err);
    if (rc == 0)
        rc = rollout_order_gather(s->consul, &s->agent, &settings, s->read, &s->peers.order, err);
    if (rc == 0)
        rc = read_records(s, err);
    (void)snprintf(s->local.record.node, sizeof s->local.record.node, "%s", s->node);
    return rc < 0 ? rc : take_records(&s->peers, s->node, err);
}

void snapshot_facts(const struct snapshot *s, bool retry, struct rolling_facts *ret)
{
    const struct peers *p = &s->peers;
    *ret = (struct rolling_facts){.order = p->servers,
                                  .n = p->order.n,
                                  .source = {p->order.source, p->order.source_index},
                                  .wanted = s->wanted.revision,
                                  .own = &s->local.record,
                                  .published = p->own,
                                  .in_force = s->local.in_force,
                                  .again = retry || local_state_overdue(&s->local),
                                  .parallel = s->wanted.settings.log_parallel};
}

/* ---- is there anything to do? -------------------------------------------- */

/* Other instances than those that were dealt with? A policy that cannot be read is told
 * by the verification. */
static int find_news(struct snapshot *s, bool *ret_news, struct error *err)
{
    struct policy policy = {0};
    struct service_urls last;
    *ret_news = false;
    if (policy_read(s->place->config_dir, &policy, NULL) < 0)
        return 0;
    int rc = judge_settings(s, &policy, err);
    policy_release(&policy);
    service_urls_read(s->place->state_dir, &last);
    *ret_news = rc == 0 && service_urls_news(&s->wanted.service, &last);
    return rc;
}

/* Without asking who counts, where that is not needed. */
static int read_digest(struct snapshot *s, struct error *err)
{
    int rc = read_all_records(s, err);
    if (rc == -EMSGSIZE)
        return snapshot_records(s, err);
    return rc < 0 ? rc : digest_records(s, err);
}

int snapshot_due(struct snapshot *s, bool *ret_due, struct error *err)
{
    bool news = false;
    local_state_read(s->place->state_dir, &s->local);
    int rc = read_settings(s, err);
    if (rc == 0)
        rc = find_news(s, &news, err);
    if (rc == 0)
        rc = read_digest(s, err);
    if (rc == 0)
        *ret_due = news || local_state_due(&s->local) ||
                   !local_state_settled(&s->local, s->wanted.digest) ||
                   strcmp(s->local.results, s->peers.digest) != 0;
    return rc;
}

int snapshot_close(struct snapshot *s, struct error *err)
{
    const char *dir = s->place->state_dir;
    memcpy(s->local.settings, s->wanted.digest, sizeof s->local.settings);
    memcpy(s->local.results, s->peers.digest, sizeof s->local.results);
    int rc = service_urls_write(dir, &s->wanted.service, err);
    return rc < 0 ? rc : local_state_write(dir, &s->local, err);
}

void snapshot_release(struct snapshot *s)
{
    kv_release(&s->wanted.entries);
    settings_release(&s->wanted.settings);
    s->wanted = (struct wanted){.digest = ""};
    agent_release(&s->agent);
    forget_records(&s->peers);
    s->node[0] = '\0';
}
