/* SPDX-License-Identifier: MIT */
#include "check/rest.h"

#include "base/digest.h"
#include "base/held_since.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME "membership"

/* A server as gossip or raft has it: what changes when it comes or goes. */
struct seen {
    char how; /* 'a' alive, 'd' not; 'v' voter, 'n' not */
    const char *id;
};

static int by_id(const void *a, const void *b)
{
    const struct seen *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order != 0 ? order : left->how - right->how;
}

/* The agent gives them in no order. */
static size_t list_servers(const struct agent *agent, struct seen *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < agent->n_members; i++) {
        const struct agent_member *member = &agent->members[i];
        if (member->server)
            ret[n++] = (struct seen){member->alive ? 'a' : 'd', member->id};
    }
    for (size_t i = 0; i < agent->n_peers; i++)
        ret[n++] = (struct seen){agent->peers[i].voter ? 'v' : 'n', agent->peers[i].id};
    qsort(ret, n, sizeof *ret, by_id);
    return n;
}

/* Some digits that are others when membership is another one. */
static bool name_state(const struct agent *agent, char ret[HELD_SINCE_NAME])
{
    char text[DIGEST_TEXT];
    struct digest digest;
    struct seen *all = calloc(agent->n_members + agent->n_peers + 1, sizeof *all);
    if (!all)
        return false;
    size_t n = list_servers(agent, all);
    digest_begin(&digest);
    for (size_t i = 0; i < n; i++) {
        digest_add(&digest, &all[i].how, 1);
        digest_add(&digest, all[i].id, strlen(all[i].id) + 1);
    }
    digest_end(&digest, text);
    free(all);
    (void)snprintf(ret, HELD_SINCE_NAME, "%.*s", HELD_SINCE_NAME - 1, text);
    return true;
}

int64_t rest_note(const struct agent *agent, const char *state_dir)
{
    char name[HELD_SINCE_NAME];
    struct held_since spans;
    struct error ignored = {0};
    if (!name_state(agent, name))
        return 0;
    held_since_read(state_dir, FILE_NAME, &spans);
    int64_t rest_ms = held_since_ms(&spans, name);
    if (rest_ms >= 0)
        return rest_ms;
    spans.n = 0;
    (void)held_since_note(&spans, name, true);
    return held_since_write(&spans, state_dir, FILE_NAME, &ignored) < 0 ? INT64_MAX : 0;
}

int64_t rest_look(struct consul *consul, const char *state_dir)
{
    struct agent agent = {0};
    struct error ignored = {0};
    bool told = agent_read_self(consul, &agent, &ignored) == 0 &&
                agent_read_members(consul, &agent, &ignored) == 0;
    told = agent_read_peers(consul, &agent, &ignored) == 0 && told;
    (void)told; /* as far as it goes */
    int64_t rest_ms = rest_note(&agent, state_dir);
    agent_release(&agent);
    return rest_ms;
}
