/* SPDX-License-Identifier: MIT */
#include "cluster/cluster_facts.h"

#include "clock/clock_record.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int gather_record(struct consul *consul, enum consul_read read, struct cluster_facts *ret,
                         struct error *err)
{
    struct kv_list list = {0};
    int rc = consul_kv_read(consul, SERVER_MAPPING_KEY, false, read, &list, err);
    if (rc == 0 && list.n > 0) {
        const struct kv_entry *entry = &list.entries[0];
        ret->record = true;
        ret->record_index = entry->modify_index;
        rc = server_mapping_parse(entry->value, entry->len, &ret->confirmed, &ret->damaged);
        if (rc == 0)
            ret->facts.who.confirmed = &ret->confirmed;
        else if (rc == -EBADMSG)
            ret->facts.damaged = ret->damaged.text;
        rc = rc == -ENOMEM ? error_set(err, rc, "out of memory") : 0;
    }
    kv_release(&list);
    return rc;
}

/* Who has ever written a clock record: only the names, whatever the size of what is there. Its
 * loss makes a dead server of a cluster that was never confirmed one that has not joined. */
static void gather_left(struct consul *consul, struct cluster_facts *ret)
{
    struct membership_facts *who = &ret->facts.who;
    const cJSON *item = NULL;
    who->left = ret->left;
    if (consul_get(consul, "kv/" CLOCK_RECORD_PREFIX "?keys&stale", NULL, &ret->left_json, NULL) <
        0)
        return;
    cJSON_ArrayForEach(item, ret->left_json)
    {
        const char *key = cJSON_GetStringValue(item);
        if (key && who->n_left < COUNT(ret->left) && strlen(key) >= sizeof CLOCK_RECORD_PREFIX)
            ret->left[who->n_left++] = key + sizeof CLOCK_RECORD_PREFIX - 1;
    }
}

/* Everything that Consul answers from its own copy of the data. */
static int gather_data(struct consul *consul, const char *config_dir, const char *root,
                       enum consul_read read, struct cluster_facts *ret, struct error *err)
{
    int rc = agent_read_peers(consul, &ret->agent, err);
    if (rc == 0)
        rc = agent_read_autopilot(consul, &ret->facts.autopilot, err);
    if (rc == 0)
        rc = gather_record(consul, read, ret, err);
    if (rc == 0)
        rc = settings_read_judged(consul, config_dir, root, read, &ret->settings, err);
    if (rc == 0)
        gather_left(consul, ret);
    if (rc == 0)
        signs_gather(consul, &ret->agent, ret->facts.agreed, &ret->signs);
    return rc;
}

/* Who they are, for those who judge. */
static void point(struct cluster_facts *ret)
{
    struct membership_facts *who = &ret->facts.who;
    who->peers = ret->agent.peers;
    who->n_peers = ret->agent.n_peers;
    who->members = ret->agent.members;
    who->n_members = ret->agent.n_members;
}

/* A server that has received no leader since it was started holds every other read, even a
 * stale one, for 7 s and then refuses it (Server.forward; Consul 1.8.7). */
int cluster_facts_gather(struct consul *consul, const char *config_dir, const char *settings_root,
                         enum consul_read read, struct cluster_facts *ret, struct error *err)
{
    static const struct kv_list nothing;
    *ret = (struct cluster_facts){0};
    struct quorum_facts *facts = &ret->facts;
    facts->who.settings = &ret->settings;
    facts->now_s = time(NULL);
    settings_parse(&nothing, settings_root, &ret->settings);
    int rc = agent_read_self(consul, &ret->agent, err);
    if (rc == 0)
        rc = agent_read_members(consul, &ret->agent, err);
    if (rc == 0)
        rc = agent_read_leader(consul, &facts->has_leader, &facts->agreed, err);
    facts->unheard = rc == 0 && !facts->has_leader && ret->agent.unheard;
    if (rc == 0)
        rc = facts->unheard ? agent_recall_peers(&ret->agent, err)
                            : gather_data(consul, config_dir, settings_root, read, ret, err);
    point(ret);
    return rc;
}

int cluster_facts_gather_names(struct consul *consul, struct agent *agent, enum consul_read read,
                               struct cluster_facts *ret, struct error *err)
{
    *ret = (struct cluster_facts){.agent = *agent};
    *agent = (struct agent){0};
    int rc = ret->agent.self ? 0 : agent_read_self(consul, &ret->agent, err);
    if (rc == 0)
        rc = agent_read_members(consul, &ret->agent, err);
    if (rc == 0)
        rc = agent_read_peers(consul, &ret->agent, err);
    point(ret);
    return rc < 0 ? rc : gather_record(consul, read, ret, err);
}

int cluster_facts_confirm(struct consul *consul, const struct server_mapping *mapping,
                          uint64_t index, struct error *err)
{
    struct buffer json = BUFFER_INIT(65536);
    int rc = server_mapping_render(mapping, &json);
    if (rc < 0)
        (void)error_set(err, rc, "out of memory");
    else
        rc = consul_kv_write(consul, SERVER_MAPPING_KEY, buffer_text(&json), index, err);
    buffer_release(&json);
    return rc;
}

void cluster_facts_release(struct cluster_facts *servers)
{
    agent_release(&servers->agent);
    cJSON_Delete(servers->left_json);
    settings_release(&servers->settings);
    *servers = (struct cluster_facts){0};
}
