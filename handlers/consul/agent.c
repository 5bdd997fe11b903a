/* SPDX-License-Identifier: MIT */
#include "consul/agent.h"

#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char node_rule[] = "node_prefix \"\" read";

/* Consul's own digits; anything else counts as 0. */
static int whole_number(const char *text)
{
    long number = strtol(text, NULL, 10);
    return number > 0 && number < 1000000 ? (int)number : 0;
}

/* A text of the agent's statistics; "" when it is not there. Stats are the same words in Consul
 * 1.8 and 2.x (Server.Stats, Client.Stats); the members of DebugConfig are not. */
static const char *stats_text(const struct agent *agent, const char *group, const char *name)
{
    const cJSON *stats = cJSON_GetObjectItemCaseSensitive(agent->self, "Stats");
    return json_text(cJSON_GetObjectItemCaseSensitive(stats, group), name, "");
}

int agent_read_self(struct consul *consul, struct agent *agent, struct error *err)
{
    int rc = consul_get(consul, "agent/self", "agent_prefix \"\" read", &agent->self, err);
    agent->leading = strcmp(stats_text(agent, "consul", "leader"), "true") == 0;
    agent->acl_off = strcmp(stats_text(agent, "consul", "acl"), "disabled") == 0;
    agent->unheard = strcmp(stats_text(agent, "raft", "last_contact"), "never") == 0;
    return rc;
}

int agent_node(struct consul *consul, struct agent *agent, const char **ret, struct error *err)
{
    const cJSON *config = NULL;
    int rc = agent->self ? 0 : agent_read_self(consul, agent, err);
    if (rc == 0)
        rc = json_object(agent->self, "Config", &config, err);
    if (rc == 0)
        rc = json_string(config, "NodeName", ret, err);
    if (rc == 0 && (!**ret || strlen(*ret) > AGENT_NAME))
        rc = error_set(err, -EBADMSG, "the agent's node name is empty or too long");
    return rc;
}

/* ---- members ------------------------------------------------------------- */

static void read_member(const cJSON *item, struct agent_member *ret)
{
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(item, "Tags");
    int64_t status = 0;
    if (json_integer(item, "Status", &status, NULL) < 0)
        status = 0;
    *ret = (struct agent_member){
        .name = json_text(item, "Name", ""),
        .id = json_text(tags, "id", ""),
        .address = json_text(item, "Addr", ""),
        .build = json_text(tags, "build", ""),
        .expect = json_text(tags, "bootstrap", NULL) ? 1
                                                     : whole_number(json_text(tags, "expect", "0")),
        .server = strcmp(json_text(tags, "role", ""), "consul") == 0,
        .alive = status == 1,
        .replica = json_text(tags, "read_replica", NULL) || json_text(tags, "nonvoter", NULL),
    };
}

int agent_read_members(struct consul *consul, struct agent *agent, struct error *err)
{
    const cJSON *item = NULL;
    int members = whole_number(stats_text(agent, "serf_lan", "members"));
    int rc = consul_get(consul, "agent/members", node_rule, &agent->members_json, err);
    if (rc < 0)
        return rc;
    int seen = cJSON_GetArraySize(agent->members_json);
    if (seen == 0 || seen < members)
        return error_set(err, -EACCES, "the agent shows %d of %d members (the token needs %s)",
                         seen, members, node_rule);
    agent->members = calloc((size_t)seen, sizeof *agent->members);
    if (!agent->members)
        return error_set(err, -ENOMEM, "out of memory");
    cJSON_ArrayForEach(item, agent->members_json)
        read_member(item, &agent->members[agent->n_members++]);
    return 0;
}

/* ---- raft ---------------------------------------------------------------- */

static int add_peer(struct agent *agent, struct agent_peer peer, struct error *err)
{
    if (agent->n_peers == AGENT_PEERS)
        return error_set(err, -E2BIG, "more than %d servers in raft", AGENT_PEERS);
    agent->peers[agent->n_peers++] = peer;
    return 0;
}

static int read_peer(const cJSON *item, struct agent *agent, struct error *err)
{
    struct agent_peer peer = {.id = json_text(item, "ID", ""),
                              .node = json_text(item, "Node", "(unknown)")};
    if (strcmp(peer.node, "(unknown)") == 0)
        peer.node = json_text(item, "Address", "");
    if (json_boolean(item, "Voter", &peer.voter, err) < 0)
        return -EBADMSG;
    peer.leader = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "Leader"));
    return add_peer(agent, peer, err);
}

int agent_read_peers(struct consul *consul, struct agent *agent, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *item = NULL;
    int rc = consul_get(consul, "operator/raft/configuration?stale", "operator read",
                        &agent->peers_json, err);
    if (rc == 0)
        rc = json_array(agent->peers_json, "Servers", &list, err);
    cJSON_ArrayForEach(item, list)
    {
        if (rc == 0)
            rc = read_peer(item, agent, err);
    }
    return rc;
}

/* The word after `name` in "{Suffrage:Voter ID:1-2 Address:a:8300}", cut out: what
 * comes after it is lost. */
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
int agent_recall_peers(struct agent *agent, struct error *err)
{
    char *rest = NULL;
    int rc = 0;
    agent->raft_text = strdup(stats_text(agent, "raft", "latest_configuration"));
    if (!agent->raft_text)
        return error_set(err, -ENOMEM, "out of memory");
    for (char *item = strtok_r(agent->raft_text, "{", &rest); item && rc == 0;
         item = strtok_r(NULL, "{", &rest)) {
        const char *address = take_word(item, " Address:");
        const char *id = take_word(item, " ID:");
        const char *suffrage = take_word(item, "Suffrage:");
        if (address && id && suffrage)
            rc = add_peer(agent,
                          (struct agent_peer){
                              .id = id, .node = address, .voter = strcmp(suffrage, "Voter") == 0},
                          err);
    }
    return rc;
}

/* An election or a start takes a moment: the proof waits for it, so that a short time
 * without leader is not seen at all. */
int agent_read_leader(struct consul *consul, bool *ret_known, bool *ret_agreed, struct error *err)
{
    cJSON *root = NULL;
    int rc = consul_get(consul, "status/leader", "", &root, err);
    if (rc < 0)
        return rc;
    const char *leader = cJSON_GetStringValue(root);
    *ret_agreed = consul_led(consul_prove_leader(consul, NULL));
    *ret_known = *ret_agreed || (leader && *leader != '\0');
    cJSON_Delete(root);
    return 0;
}

int agent_read_autopilot(struct consul *consul, struct agent_autopilot *ret, struct error *err)
{
    cJSON *root = NULL;
    int rc = consul_get(consul, "operator/autopilot/configuration?stale", "operator read", &root,
                        err);
    if (rc == -EAGAIN || rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    ret->known = json_boolean(root, "CleanupDeadServers", &ret->cleanup, NULL) == 0 &&
                 json_integer(root, "MinQuorum", &ret->min_quorum, NULL) == 0;
    cJSON_Delete(root);
    return 0;
}

void agent_release(struct agent *agent)
{
    free(agent->members);
    cJSON_Delete(agent->members_json);
    cJSON_Delete(agent->peers_json);
    cJSON_Delete(agent->self);
    free(agent->raft_text);
    *agent = (struct agent){0};
}
