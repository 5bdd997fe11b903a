#include "rollout/snapshot.h"

#include "base/file.h"
#include "base/held_since.h"
#include "base/json.h"
#include "settings/policy.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The instances as Consul has them now, else those of before. */
static int discover(struct consul *consul, const struct survey_place *place,
                    const struct policy *policy, enum consul_read read,
                    struct discovery *ret, struct error *err)
{
    char path[128];
    char rule[128];
    cJSON *root = NULL;
    struct discovery last = {.service = ""};
    (void)snprintf(path, sizeof path, "health/service/%s?passing%s", ret->service,
                   read == CONSUL_STALE ? "&stale" : "");
    (void)snprintf(rule, sizeof rule, "service \"%s\" read", ret->service);
    int rc = consul_get(consul, path, rule, &root, err);
    if (rc == 0)
        rc = discovery_judge(root, policy, ret, err);
    cJSON_Delete(root);
    if (place->state_dir)
        discovery_read(place->state_dir, &last);
    if (rc == 0)
        discovery_keep(ret, &last);
    return rc;
}

/* Apply the policy's pins, and put URLs in the place of consul:SERVICE. */
static int complete(struct consul *consul, const struct survey_place *place,
                    const struct policy *policy, enum consul_read read,
                    struct kv_list *list, struct discovery *ret, struct error *err)
{
    char path[SETTINGS_KEY];
    struct settings settings;
    int rc = policy_pin(policy, place->settings_root, list, err);
    if (rc < 0)
        return rc;
    settings_parse(list, place->settings_root, &settings);
    if (settings.log_rejects > 0 || !settings.log_enabled || !settings.log_service[0])
        return 0;
    memcpy(ret->service, settings.log_service, sizeof ret->service);
    rc = settings_path(place->settings_root, "LOG_ELASTICSEARCH_URL", path, err);
    if (rc == 0)
        rc = discover(consul, place, policy, read, ret, err);
    if (rc == 0 && ret->urls[0] && kv_set(list, path, ret->urls) < 0)
        rc = error_set(err, -ENOMEM, "out of memory");
    return rc;
}

static int judge_settings(struct consul *consul, const struct survey_place *place,
                          enum consul_read read, struct policy *policy,
                          struct survey *s, struct error *err)
{
    struct error why = {0};
    int rc = complete(consul, place, policy, read, &s->entries, &s->discovery, err);
    if (rc < 0)
        return rc;
    settings_parse(&s->entries, place->settings_root, &s->settings);
    if (!s->settings.log_present)
        return 0;
    if (s->settings.log_rejects > 0)
        (void)snprintf(s->refusal, sizeof s->refusal, "a LOG_ setting is refused");
    else if (s->settings.log_enabled && s->settings.log_service[0])
        (void)snprintf(s->refusal, sizeof s->refusal, "LOG_ELASTICSEARCH_URL: %s",
                       s->discovery.note);
    else if (policy_judge(policy, &s->settings, &why) < 0)
        (void)snprintf(s->refusal, sizeof s->refusal, "%s", why.text);
    else
        rc = settings_revision(&s->settings, s->wanted, err);
    return rc;
}

int survey_settings(struct consul *consul, const struct survey_place *place,
                    enum consul_read read, struct survey *ret, struct error *err)
{
    char prefix[256];
    struct policy policy = {0};
    (void)snprintf(prefix, sizeof prefix, "%s%sLOG_", place->settings_root,
                   SETTINGS_PLACE);
    int rc = gather_settings(consul, place->settings_root, read, &ret->entries, err);
    if (rc == 0)
        rc = kv_digest(&ret->entries, prefix, ret->digest, err);
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
        const char *name = entry->key + strlen(LOGGING_PREFIX);
        if (strcmp(name, node) == 0)
            return entry;
        if (strcasecmp(name, node) == 0)
            found = entry;
    }
    return found;
}

/* The record of one server of the lineup. */
static void take_record(struct survey *s, const char *node, bool alive)
{
    struct error ignored = {0};
    struct turn_server *server = &s->order[s->n + s->n_missing];
    const struct kv_entry *entry = find_entry(&s->published, node);
    *server = (struct turn_server){.node = node, .alive = alive};
    if (entry)
        server->version = (struct kv_version){entry->key, entry->modify_index};
    if (entry &&
        logging_parse(node, entry->value, entry->len, &s->records[s->n], &ignored) == 0)
        server->record = &s->records[s->n++];
    else
        s->missing[s->n_missing++] = node;
}

static void take_own(struct survey *s)
{
    struct error ignored = {0};
    const struct kv_entry *entry = find_entry(&s->published, s->node);
    s->own_index = entry ? entry->modify_index : 0;
    s->own_known = entry && logging_parse(s->node, entry->value, entry->len, &s->own,
                                          &ignored) == 0;
    if (!s->own_known)
        s->own = (struct logging_record){.state = LOGGING_KEPT};
}

static void forget_records(struct survey *s)
{
    free(s->order);
    free(s->records);
    free(s->missing);
    kv_release(&s->published);
    s->order = NULL;
    s->records = NULL;
    s->missing = NULL;
    s->n = s->n_missing = 0;
}

static int take_records(struct survey *s, struct error *err)
{
    size_t n = s->lineup.n + 1;
    s->order = calloc(n, sizeof *s->order);
    s->records = calloc(n, sizeof *s->records);
    s->missing = calloc(n, sizeof *s->missing);
    if (!s->order || !s->records || !s->missing)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < s->lineup.n; i++)
        take_record(s, s->lineup.server[i].node, s->lineup.server[i].alive);
    take_own(s);
    return 0;
}

int survey_records(struct consul *consul, const struct survey_place *place,
                   enum consul_read read, struct survey *ret, struct error *err)
{
    forget_records(ret);
    int rc = ret->node[0] ? 0 : gather_node(consul, ret->node, err);
    if (rc == 0)
        rc = lineup_gather(consul, place->settings_root, &ret->entries, &ret->settings,
                           read, &ret->lineup, err);
    if (rc == 0)
        rc = consul_kv_read(consul, LOGGING_PREFIX, true, read, &ret->published, err);
    if (rc == 0)
        rc = kv_digest(&ret->published, LOGGING_PREFIX, ret->results, err);
    return rc < 0 ? rc : take_records(ret, err);
}

const struct logging_record *survey_published(const struct survey *s)
{
    return s->own_known ? &s->own : NULL;
}

void survey_facts(const struct survey *s, const struct ledger *ledger, bool retry,
                  struct logging_record *own, struct turn_facts *ret)
{
    ledger_record(ledger, s->node, own);
    *ret = (struct turn_facts){.order = s->order,
                               .n = s->lineup.n,
                               .source = {s->lineup.source, s->lineup.source_index},
                               .wanted = s->wanted,
                               .own = own,
                               .published = survey_published(s),
                               .in_force = ledger->revision,
                               .again = retry || ledger_overdue(ledger),
                               .parallel = s->settings.log_parallel};
}

/* How long the servers have differed without any progress, remembered across runs. */
static int64_t differ_for(const char *state_dir, const struct logging_facts *facts)
{
    struct error ignored = {0};
    struct spans spans = {0};
    int64_t ms = -1;
    bool keep = state_dir && file_own_directory(state_dir);
    bool differ = facts->wanted[0] && !logging_agree(facts);
    size_t done = logging_count(facts);
    span_read(keep ? state_dir : NULL, "logging", &spans);
    for (size_t i = 0; i <= facts->n; i++) {
        char name[SPAN_NAME];
        (void)snprintf(name, sizeof name, "differ %zu", i);
        int64_t held = span_hold(&spans, name, differ && i == done);
        ms = held > ms ? held : ms;
    }
    if (keep && span_write(&spans, state_dir, "logging", &ignored) < 0)
        return 0; /* a full disk must not turn a change under way into a warning */
    return ms;
}

void survey_judge(const struct survey_place *place, const struct survey *s,
                  const struct ledger *ledger, struct verdict *ret)
{
    struct logging_record own;
    struct turn_facts turn_facts;
    struct turn turn = {.text = ""};
    survey_facts(s, ledger, false, &own, &turn_facts);
    if (s->wanted[0])
        turn_judge(&turn_facts, &turn);
    for (size_t i = 0; i < s->n; i++) {
        if (strcasecmp(s->records[i].node, own.node) == 0)
            s->records[i] = own; /* the ledger is fresher than its echo from KV */
    }
    struct logging_facts facts = {.settings = &s->settings,
                                  .refusal = s->refusal,
                                  .wanted = s->wanted,
                                  .in_force = ledger->revision,
                                  .own = &own,
                                  .rollback_failed = ledger->rollback_failed,
                                  .progress = turn.text,
                                  .held = turn.held,
                                  .records = s->records,
                                  .n = s->n,
                                  .missing = s->missing,
                                  .n_missing = s->n_missing};
    facts.differ_ms = differ_for(place->state_dir, &facts);
    logging_judge(&facts, ret);
    if (s->discovery.note[0] && !s->refusal[0]) {
        verdict_note(ret, "%s", s->discovery.note);
        verdict_raise(ret, VERDICT_WARNING);
    }
}

/* Other instances than those that were dealt with? A policy that cannot be read is told
 * by the verification. */
static int find_news(struct consul *consul, const struct survey_place *place,
                     struct kv_list *list, bool *ret_news, struct error *err)
{
    struct policy policy = {0};
    struct discovery now = {.service = ""};
    struct discovery last;
    struct error ignored = {0};
    *ret_news = false;
    if (policy_read(place->config_dir, &policy, &ignored) < 0)
        return 0;
    int rc = complete(consul, place, &policy, CONSUL_DEFAULT, list, &now, err);
    policy_release(&policy);
    discovery_read(place->state_dir, &last);
    *ret_news = rc == 0 && discovery_news(&now, &last);
    return rc;
}

int survey_due(struct consul *consul, const struct survey_place *place, bool *ret_due,
               struct error *err)
{
    char prefix[256];
    char settings[KV_DIGEST];
    char results[KV_DIGEST];
    bool news = false;
    struct kv_list list = {0};
    struct ledger ledger;
    ledger_read(place->state_dir, &ledger);
    (void)snprintf(prefix, sizeof prefix, "%s%sLOG_", place->settings_root,
                   SETTINGS_PLACE);
    int rc = gather_settings(consul, place->settings_root, CONSUL_DEFAULT, &list, err);
    if (rc == 0)
        rc = kv_digest(&list, prefix, settings, err);
    if (rc == 0)
        rc = find_news(consul, place, &list, &news, err);
    kv_release(&list);
    if (rc == 0)
        rc = consul_kv_read(consul, LOGGING_PREFIX, true, CONSUL_DEFAULT, &list, err);
    if (rc == 0)
        rc = kv_digest(&list, LOGGING_PREFIX, results, err);
    kv_release(&list);
    if (rc == 0)
        *ret_due = news || ledger_due(&ledger) || !ledger_settled(&ledger, settings) ||
                   strcmp(ledger.results, results) != 0;
    return rc;
}

int survey_close(const struct survey_place *place, const struct survey *s,
                 struct ledger *ledger, struct error *err)
{
    (void)snprintf(ledger->settings, KV_DIGEST, "%s", s->digest);
    (void)snprintf(ledger->results, KV_DIGEST, "%s", s->results);
    int rc = discovery_write(place->state_dir, &s->discovery, err);
    return rc < 0 ? rc : ledger_write(place->state_dir, ledger, err);
}

void survey_release(struct survey *s)
{
    kv_release(&s->entries);
    forget_records(s);
    *s = (struct survey){0};
}
