/* SPDX-License-Identifier: MIT */
#include "cluster/signs.h"

#include "base/json.h"
#include "base/limits.h"
#include "clock/clock_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- now ----------------------------------------------------------------- */

/* What is seen of the peer of this node ID, or of this name; NULL: there is none. */
static struct signs_now *now_of(const struct agent *agent, const char *id, const char *name,
                                struct signs *signs)
{
    for (size_t i = 0; i < agent->n_peers; i++)
        if (strcmp(agent->peers[i].id, id) == 0 || strcasecmp(agent->peers[i].node, name) == 0)
            return &signs->now[i];
    return NULL;
}

static void see_health(struct consul *consul, const struct agent *agent, struct signs *ret)
{
    cJSON *root = NULL;
    const cJSON *item = NULL;
    struct error err = {0};
    int rc = consul_get(consul, "operator/autopilot/health", "operator read", &root, &err);
    if (rc == -EACCES)
        ret->no_right = err;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "Servers"))
    {
        struct signs_now *now = now_of(agent, json_text(item, "ID", ""), "", ret);
        bool healthy = true;
        if (now && json_boolean(item, "Healthy", &healthy, NULL) == 0)
            now->unhealthy = !healthy;
    }
    cJSON_Delete(root);
}

static void see_catalogue(struct consul *consul, const struct agent *agent, struct signs *ret)
{
    cJSON *root = NULL;
    const cJSON *item = NULL;
    int rc = consul_get(consul, "catalog/service/cluster?stale", NULL, &root, NULL);
    if (rc < 0)
        return;
    cJSON_ArrayForEach(item, root)
    {
        struct signs_now *now = now_of(agent, "", json_text(item, "Node", ""), ret);
        if (now)
            (void)snprintf(now->registered, SIGNS_ID, "%s", json_text(item, "ID", ""));
    }
    cJSON_Delete(root);
}

/* Key by key: what others put below the prefix can be of any size. */
static void see_record(struct consul *consul, const char *node, struct signs_now *ret)
{
    char key[CLOCK_RECORD_KEY];
    struct kv_list list = {0};
    if (strlen(node) > SETTING_VALUE_NAME)
        return;
    int rc = consul_kv_read(consul, clock_record_key(node, key), false, CONSUL_STALE, &list, NULL);
    if (rc == 0 && list.n > 0)
        ret->record_index = list.entries[0].modify_index;
    kv_release(&list);
}

void signs_gather(struct consul *consul, const struct agent *agent, bool led, struct signs *ret)
{
    *ret = (struct signs){0};
    if (!led)
        return;
    see_health(consul, agent, ret);
    see_catalogue(consul, agent, ret);
    for (size_t i = 0; i < agent->n_peers; i++)
        see_record(consul, agent->peers[i].node, &ret->now[i]);
}

/* ---- for how long -------------------------------------------------------- */

bool signs_former(const struct signs_now *now, const struct agent_member *member)
{
    return now->registered[0] && member->id[0] && strcasecmp(now->registered, member->id) != 0;
}

static const char lagging[] = "lag ", frozen[] = "old ", record[] = "rec ";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Drop what this look has not noted: other servers', and records with another index. */
static void drop_others(struct held_since *spans, char (*noted)[HELD_SINCE_NAME], size_t n)
{
    for (int i = spans->n - 1; i >= 0; i--) {
        char name[HELD_SINCE_NAME];
        bool keep = false;
        memcpy(name, spans->span[i].name, sizeof name);
        if (!begins(name, lagging) && !begins(name, frozen) && !begins(name, record))
            continue;
        for (size_t k = 0; k < n && !keep; k++)
            keep = strcmp(noted[k], name) == 0;
        if (!keep)
            (void)held_since_note(spans, name, false);
    }
}

/* Note that this holds of the peer; for how long it has. An ID's first digits tell servers
 * apart. */
static int64_t note_sign(struct held_since *spans, char *noted, const char *kind, const char *id,
                         uint64_t index)
{
    (void)snprintf(noted, HELD_SINCE_NAME, "%s%.14s %u", kind, id, (unsigned)index);
    return held_since_note(spans, noted, true);
}

void signs_hold(const struct signs *signs, const struct membership_facts *who, bool led,
                struct held_since *spans, struct membership_sign *ret)
{
    char noted[3 * AGENT_PEERS][HELD_SINCE_NAME];
    size_t n = 0;
    memset(ret, 0, AGENT_PEERS * sizeof *ret);
    for (size_t i = 0; led && i < who->n_peers; i++) {
        const struct signs_now *now = &signs->now[i];
        const struct agent_peer *peer = &who->peers[i];
        const struct agent_member *member = membership_alive(who, peer);
        if (!member)
            continue;
        if (now->unhealthy)
            ret[i].lagging = note_sign(spans, noted[n++], lagging, peer->id, 0) >=
                             limits()->follow_ms;
        ret[i].former = signs_former(now, member);
        if (ret[i].former)
            ret[i].frozen = note_sign(spans, noted[n++], frozen, peer->id, 0) >=
                            limits()->follow_ms;
        if (now->registered[0] && now->record_index)
            ret[i].mute = note_sign(spans, noted[n++], record, peer->id, now->record_index) >=
                          limits()->mute_ms;
    }
    drop_others(spans, noted, n);
}
