#include "cluster/cluster_facts.h"

#include "base/json.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char node_rule[] = "node_prefix \"\" read";

/* Consul's own digits; anything else counts as 0. */
static int whole_number(const char *text)
{
    long number = strtol(text, NULL, 10);
    return number > 0 && number < 1000000 ? (int)number : 0;
}

/* A text of the agent's statistics; "" when it is not there. */
static const char *stats_text(const struct cluster_facts *servers, const char *group,
                              const char *name)
{
    const cJSON *stats = cJSON_GetObjectItemCaseSensitive(servers->self_json, "Stats");
    return json_text(cJSON_GetObjectItemCaseSensitive(stats, group), name, "");
}

/* Stats are the same words in Consul 1.8 and 2.x (Server.Stats, Client.Stats); the
 * members of DebugConfig are not. */
static int gather_self(struct consul *consul, struct cluster_facts *ret, struct error *err)
{
    int rc = consul_get(consul, "agent/self", "agent_prefix \"\" read", &ret->self_json, err);
    ret->leading = strcmp(stats_text(ret, "consul", "leader"), "true") == 0;
    ret->acl_off = strcmp(stats_text(ret, "consul", "acl"), "disabled") == 0;
    return rc;
}

static void read_member(const cJSON *item, struct membership_member *ret)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(item, "Tags");
    int64_t status = 0;
    if (json_integer(item, "Status", &status, NULL) < 0)
        status = 0;
    *ret = (struct membership_member){
        .name = json_text(item, "Name", ""),
        .id = json_text(tags, "id", ""),
        .address = json_text(item, "Addr", ""),
        .expect = json_text(tags, "bootstrap", NULL) ? 1
                                                     : whole_number(json_text(tags, "expect", "0")),
        .server = strcmp(json_text(tags, "role", ""), "consul") == 0,
        .alive = status == 1,
        .replica = json_text(tags, "read_replica", NULL) || json_text(tags, "nonvoter", NULL),
    };
}

/* ACLs filter this list without a word, down to nothing. The agent's own number tells. */
static int gather_members(struct consul *consul, struct cluster_facts *ret, struct error *err)
{
    const cJSON *item = NULL;
    int members = whole_number(stats_text(ret, "serf_lan", "members"));
    int rc = consul_get(consul, "agent/members", node_rule, &ret->members_json, err);
    if (rc < 0)
        return rc;
    int seen = cJSON_GetArraySize(ret->members_json);
    if (seen == 0 || seen < members)
        return error_set(err, -EACCES, "the agent shows %d of %d members (the token needs %s)",
                         seen, members, node_rule);
    ret->members = calloc((size_t)seen, sizeof *ret->members);
    if (!ret->members)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(item, ret->members_json)
        read_member(item, &ret->members[ret->facts.who.n_members++]);
    ret->facts.who.members = ret->members;
    return 0;
}

static int gather_peers(struct consul *consul, struct cluster_facts *ret, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    int rc = consul_get(consul, "operator/raft/configuration?stale", "operator read",
                        &ret->peers_json, err);
    if (rc < 0)
        return rc;
    rc = json_array(ret->peers_json, "Servers", &list, err);
    if (rc < 0)
        return rc;
    if (cJSON_GetArraySize(list) > MEMBERSHIP_PEERS)
        return error_set(err, -E2BIG, "more than %d servers in raft", MEMBERSHIP_PEERS);
    cJSON_ArrayForEach(item, list)
    {
        struct membership_peer *peer = &ret->peers[ret->facts.who.n_peers++];
        peer->id = json_text(item, "ID", "");
        peer->node = json_text(item, "Node", "(unknown)");
        if (strcmp(peer->node, "(unknown)") == 0)
            peer->node = json_text(item, "Address", "");
        rc = json_boolean(item, "Voter", &peer->voter, err);
        if (rc < 0)
            return -EBADMSG;
    }
    return 0;
}

/* The word behind `name` in "{Suffrage:Voter ID:1-2 Address:a:8300}", cut out: what
 * stands behind it is lost. */
static const char *take_word(char *text, const char *name)
{
    char *word = strstr(text, name);
    if (!word)
        return NULL;
    word += strlen(name);
    word[strcspn(word, " }")] = '\0';
    return word;
}

/* What the agent says of raft without asking anybody: Go's %+v of a list of raft.Server. */
static int parse_peers(struct cluster_facts *ret, struct error *err)
{
    char *rest = NULL;
    ret->raft_text = strdup(stats_text(ret, "raft", "latest_configuration"));
    if (!ret->raft_text)
        return error_set(err, -ENOMEM, "out of memory");
    for (char *item = strtok_r(ret->raft_text, "{", &rest); item;
         item = strtok_r(NULL, "{", &rest)) {
        const char *address = take_word(item, " Address:");
        const char *id = take_word(item, " ID:");
        const char *suffrage = take_word(item, "Suffrage:");
        if (!address || !id || !suffrage)
            continue;
        if (ret->facts.who.n_peers == MEMBERSHIP_PEERS)
            return error_set(err, -E2BIG, "more than %d servers in raft", MEMBERSHIP_PEERS);
        ret->peers[ret->facts.who.n_peers++] = (struct membership_peer){
            .id = id, .node = address, .voter = strcmp(suffrage, "Voter") == 0};
    }
    return 0;
}

/* An election or a start takes a moment: the proof waits for it, so that a short time
 * without leader is not seen at all. */
static int gather_leader(struct consul *consul, struct cluster_facts *ret, struct error *err)
{
    cJSON *root = NULL;
    int rc = consul_get(consul, "status/leader", "", &root, err);
    if (rc < 0)
        return rc;
    const char *leader = cJSON_GetStringValue(root);
    ret->facts.agreed = consul_prove_leader(consul, NULL) == 0;
    ret->facts.has_leader = ret->facts.agreed || (leader && *leader != '\0');
    cJSON_Delete(root);
    return 0;
}

/* Its loss costs a line of advice, nothing else. */
static int gather_autopilot(struct consul *consul, struct cluster_facts *ret, struct error *err)
{
    cJSON *root = NULL;
    int rc = consul_get(consul, "operator/autopilot/configuration?stale", "operator read", &root,
                        err);
    if (rc == -EAGAIN || rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    ret->facts.autopilot_known = json_boolean(root, "CleanupDeadServers", &ret->facts.cleanup,
                                              NULL) == 0 &&
                                 json_integer(root, "MinQuorum", &ret->facts.min_quorum, NULL) == 0;
    cJSON_Delete(root);
    return 0;
}

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

/* Everything that Consul answers from its own copy of the data. */
static int gather_data(struct consul *consul, const char *config_dir, const char *root,
                       enum consul_read read, struct cluster_facts *ret, struct error *err)
{
    int rc = gather_peers(consul, ret, err);
    if (rc == 0)
        rc = gather_autopilot(consul, ret, err);
    if (rc == 0)
        rc = gather_record(consul, read, ret, err);
    if (rc == 0)
        rc = settings_read_judged(consul, config_dir, root, read, &ret->settings, err);
    return rc;
}

/* A server that has heard no leader since it was started holds every other read, even a
 * stale one, for 7 s and then refuses it (Server.forward; Consul 1.8.7). */
static bool unheard(const struct cluster_facts *servers)
{
    return !servers->facts.has_leader &&
           strcmp(stats_text(servers, "raft", "last_contact"), "never") == 0;
}

int cluster_facts_gather(struct consul *consul, const char *config_dir, const char *settings_root,
                         enum consul_read read, struct cluster_facts *ret, struct error *err)
{
    static const struct kv_list nothing;
    *ret = (struct cluster_facts){0};
    ret->facts.who.settings = &ret->settings;
    ret->facts.who.peers = ret->peers;
    ret->facts.now_s = time(NULL);
    settings_parse(&nothing, settings_root, &ret->settings);
    int rc = gather_self(consul, ret, err);
    if (rc == 0)
        rc = gather_members(consul, ret, err);
    if (rc == 0)
        rc = gather_leader(consul, ret, err);
    if (rc < 0)
        return rc;
    ret->facts.unheard = unheard(ret);
    return ret->facts.unheard ? parse_peers(ret, err)
                              : gather_data(consul, config_dir, settings_root, read, ret, err);
}

int cluster_facts_gather_names(struct consul *consul, enum consul_read read,
                               struct cluster_facts *ret, struct error *err)
{
    *ret = (struct cluster_facts){0};
    ret->facts.who.peers = ret->peers;
    int rc = gather_self(consul, ret, err);
    if (rc == 0)
        rc = gather_members(consul, ret, err);
    if (rc == 0)
        rc = gather_peers(consul, ret, err);
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
    free(servers->members);
    cJSON_Delete(servers->members_json);
    cJSON_Delete(servers->peers_json);
    cJSON_Delete(servers->self_json);
    free(servers->raft_text);
    *servers = (struct cluster_facts){0};
}
