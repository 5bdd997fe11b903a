/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_nodes.h"

#include "base/limits.h"
#include "net/resolve.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *mongodb_nodes_host(const char *name, char ret[MONGODB_NAME])
{
    const char *begin = name + (*name == '[');
    const char *end = *name == '[' ? strchr(name, ']') : strrchr(name, ':');
    (void)snprintf(ret, MONGODB_NAME, "%.*s", end ? (int)(end - begin) : MONGODB_NAME - 1, begin);
    return ret;
}

const char *mongodb_nodes_match(const struct membership_facts *who, const char *host)
{
    for (size_t i = 0; i < who->n_members; i++) {
        const struct agent_member *member = &who->members[i];
        if (host[0] && member->server && membership_means(host, member))
            return member->name;
    }
    return NULL;
}

/* A name for which a node is wanted. */
struct wanted {
    char host[MONGODB_NAME];
    char *node; /* AGENT_NAME + 1 bytes */
};

static void set_node(const struct wanted *w, const char *node)
{
    if (node)
        (void)snprintf(w->node, AGENT_NAME + 1, "%s", node);
}

/* By what the names lead to. */
static void resolve(const struct membership_facts *who, const struct wanted *all, size_t n)
{
    const char *hosts[RESOLVE_HOSTS];
    struct resolve_result results[RESOLVE_HOSTS];
    struct error ignored = {0};
    for (size_t i = 0; i < n; i++)
        hosts[i] = all[i].host;
    if (n == 0 ||
        resolve_hosts(RESOLVE_GETENT, hosts, n, limits()->resolve_ms, results, &ignored) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < results[i].n && !all[i].node[0]; k++)
            set_node(&all[i], mongodb_nodes_match(who, results[i].address[k]));
}

static void match(const struct membership_facts *who, const char *name, char *node,
                  struct wanted *left, size_t *n)
{
    struct wanted w = {.node = node};
    (void)mongodb_nodes_host(name, w.host);
    set_node(&w, mongodb_nodes_match(who, w.host));
    if (!node[0] && *n < RESOLVE_HOSTS)
        left[(*n)++] = w;
}

void mongodb_nodes_find(const struct membership_facts *who, struct mongodb_answer *answers,
                        size_t n, struct mongodb_view *view)
{
    struct wanted left[RESOLVE_HOSTS];
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++)
        if (!answers[i].node[0])
            match(who, answers[i].name, answers[i].node, left, &n_left);
    for (size_t i = 0; view && i < view->n; i++)
        match(who, view->member[i].name, view->member[i].node, left, &n_left);
    resolve(who, left, n_left);
}
