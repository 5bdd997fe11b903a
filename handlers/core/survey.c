#include "survey.h"

#include "file.h"
#include "gather.h"
#include "json.h"
#include "policy.h"
#include "span.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int judge_settings(const struct survey_place *place, struct policy *policy,
                          struct survey *s, struct error *err)
{
    struct error why = {0};
    int rc = policy_pin(policy, place->settings_root, &s->entries, err);
    if (rc < 0)
        return rc;
    settings_parse(&s->entries, place->settings_root, &s->settings);
    if (!s->settings.log_present)
        return 0;
    if (s->settings.log_rejects > 0)
        (void)snprintf(s->refusal, sizeof s->refusal, "a LOG_ setting is refused");
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
        rc = judge_settings(place, &policy, ret, err);
    policy_release(&policy);
    return rc;
}

int survey_node(struct consul *consul, struct survey *ret, struct error *err)
{
    cJSON *root = NULL;
    const cJSON *config = NULL;
    const char *name = NULL;
    int rc = consul_get(consul, "agent/self", "agent_prefix \"\" read", &root, err);
    if (rc == 0)
        rc = json_object(root, "Config", &config, err);
    if (rc == 0)
        rc = json_string(config, "NodeName", &name, err);
    if (rc == 0)
        (void)snprintf(ret->node, sizeof ret->node, "%s", name);
    cJSON_Delete(root);
    return rc;
}

static int add_voter(struct survey *s, const cJSON *server)
{
    const cJSON *voter = cJSON_GetObjectItemCaseSensitive(server, "Voter");
    if (!cJSON_IsTrue(voter))
        return 0;
    void *grown = realloc(s->voters, (s->n_voters + 1) * sizeof *s->voters);
    if (!grown)
        return -ENOMEM;
    s->voters = grown;
    (void)snprintf(s->voters[s->n_voters++], sizeof *s->voters, "%s",
                   json_text(server, "Node", ""));
    return 0;
}

static int read_voters(struct consul *consul, struct survey *s)
{
    struct error ignored = {0};
    cJSON *root = NULL;
    const cJSON *servers = NULL;
    const cJSON *server = NULL;
    int rc = consul_get(consul, "operator/raft/configuration?stale", "operator read",
                        &root, &ignored);
    if (rc == 0)
        rc = json_array(root, "Servers", &servers, &ignored);
    cJSON_ArrayForEach(server, servers)
    {
        if (rc == 0)
            rc = add_voter(s, server);
    }
    cJSON_Delete(root);
    return rc == -ENOMEM ? rc
                         : 0; /* without the right: everybody with a record counts */
}

static bool counts(const struct survey *s, const char *node)
{
    for (size_t i = 0; i < s->n_voters; i++) {
        if (strcmp(s->voters[i], node) == 0)
            return true;
    }
    return s->n_voters == 0;
}

static void take_record(struct survey *s, const struct kv_entry *entry)
{
    struct error ignored = {0};
    struct logging_record record;
    const char *node = entry->key + strlen(LOGGING_PREFIX);
    bool own = strcmp(node, s->node) == 0;
    if (own)
        s->own_index = entry->modify_index;
    if (logging_parse(node, entry->value, entry->len, &record, &ignored) < 0)
        return;
    if (own) {
        s->own = record;
        s->own_known = true;
    }
    if (counts(s, node))
        s->records[s->n++] = record;
}

static void find_missing(struct survey *s)
{
    for (size_t i = 0; i < s->n_voters; i++) {
        bool found = false;
        for (size_t j = 0; j < s->n; j++)
            found = found || strcmp(s->records[j].node, s->voters[i]) == 0;
        if (!found)
            s->missing[s->n_missing++] = s->voters[i];
    }
}

static void forget_records(struct survey *s)
{
    free(s->records);
    free(s->missing);
    free(s->voters);
    s->records = NULL;
    s->missing = NULL;
    s->voters = NULL;
    s->n = s->n_missing = s->n_voters = 0;
    s->own_known = false;
    s->own_index = 0;
}

static int take_records(struct survey *s, const struct kv_list *list, struct error *err)
{
    s->records = calloc(list->n + 1, sizeof *s->records);
    s->missing = calloc(s->n_voters + 1, sizeof *s->missing);
    if (!s->records || !s->missing)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < list->n; i++)
        take_record(s, &list->entries[i]);
    find_missing(s);
    return 0;
}

int survey_records(struct consul *consul, enum consul_read read, struct survey *ret,
                   struct error *err)
{
    struct kv_list list = {0};
    forget_records(ret);
    int rc = consul_kv_read(consul, LOGGING_PREFIX, true, read, &list, err);
    if (rc == 0)
        rc = kv_digest(&list, LOGGING_PREFIX, ret->results, err);
    if (rc == 0)
        rc = read_voters(consul, ret);
    if (rc == 0)
        rc = take_records(ret, &list, err);
    kv_release(&list);
    return rc;
}

struct logging_record survey_own(const struct survey *s, const struct ledger *ledger)
{
    struct logging_record own = {.state = LOGGING_KEPT};
    (void)snprintf(own.node, sizeof own.node, "%s", s->node);
    (void)snprintf(own.revision, sizeof own.revision, "%s", ledger->revision);
    (void)snprintf(own.reason, sizeof own.reason, "%s", ledger->reason);
    if (ledger->state == LEDGER_DONE)
        own.state = LOGGING_DONE;
    if (ledger->state == LEDGER_FAILED) {
        own.state = LOGGING_FAILED;
        (void)snprintf(own.revision, sizeof own.revision, "%s", ledger->tried);
    }
    return own;
}

int survey_write_own(struct consul *consul, const struct ledger *ledger,
                     struct survey *s, struct error *err)
{
    char key[sizeof LOGGING_PREFIX + SETTINGS_NAME];
    struct logging_record own = survey_own(s, ledger);
    if (s->own_known && logging_same(&own, &s->own))
        return 0;
    char *text = logging_format(&own);
    if (!text)
        return error_set(err, -ENOMEM, "out of memory");
    (void)snprintf(key, sizeof key, "%s%s", LOGGING_PREFIX, s->node);
    int rc = consul_kv_write(consul, key, text, s->own_index, err);
    cJSON_free(text);
    return rc < 0 ? rc : survey_records(consul, CONSUL_DEFAULT, s, err);
}

/* How long the servers have differed, remembered across runs. */
static int64_t differ_for(const char *state_dir, const struct logging_facts *facts)
{
    struct error ignored = {0};
    struct spans spans = {0};
    bool keep = state_dir && file_own_directory(state_dir);
    span_read(keep ? state_dir : NULL, "logging", &spans);
    int64_t ms = span_hold(&spans, "differ", facts->wanted[0] && !logging_agree(facts));
    if (keep && span_write(&spans, state_dir, "logging", &ignored) < 0)
        return 0; /* a full disk must not turn a change under way into a warning */
    return ms;
}

void survey_judge(const struct survey_place *place, const struct survey *s,
                  const struct ledger *ledger, struct verdict *ret)
{
    struct logging_record own = survey_own(s, ledger);
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->records[i].node, own.node) == 0)
            s->records[i] = own; /* the ledger is fresher than its echo from KV */
    }
    struct logging_facts facts = {.settings = &s->settings,
                                  .refusal = s->refusal,
                                  .wanted = s->wanted,
                                  .in_force = ledger->revision,
                                  .own = &own,
                                  .rollback_failed = ledger->rollback_failed,
                                  .records = s->records,
                                  .n = s->n,
                                  .missing = s->missing,
                                  .n_missing = s->n_missing};
    facts.differ_ms = differ_for(place->state_dir, &facts);
    logging_judge(&facts, ret);
}

int survey_due(struct consul *consul, const struct survey_place *place, bool *ret_due,
               struct error *err)
{
    char prefix[256];
    char settings[KV_DIGEST];
    char results[KV_DIGEST];
    struct kv_list list = {0};
    struct ledger ledger;
    ledger_read(place->state_dir, &ledger);
    (void)snprintf(prefix, sizeof prefix, "%s%sLOG_", place->settings_root,
                   SETTINGS_PLACE);
    int rc = gather_settings(consul, place->settings_root, CONSUL_DEFAULT, &list, err);
    if (rc == 0)
        rc = kv_digest(&list, prefix, settings, err);
    kv_release(&list);
    if (rc == 0)
        rc = consul_kv_read(consul, LOGGING_PREFIX, true, CONSUL_DEFAULT, &list, err);
    if (rc == 0)
        rc = kv_digest(&list, LOGGING_PREFIX, results, err);
    kv_release(&list);
    if (rc == 0)
        *ret_due = ledger_due(&ledger) || !ledger_settled(&ledger, settings) ||
                   strcmp(ledger.results, results) != 0;
    return rc;
}

void survey_release(struct survey *s)
{
    kv_release(&s->entries);
    forget_records(s);
    *s = (struct survey){0};
}
