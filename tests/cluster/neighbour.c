/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>

#define REFRESH_MS 3000

struct keeper_of {
    struct neighbour *neighbour;
    int server;
    size_t expired;       /* before the start */
    atomic_llong slowest; /* ms */
    pthread_t thread;
};

struct neighbour {
    struct cluster *c;
    atomic_bool stop;
    struct keeper_of keeper[HARNESS_SERVERS + 1];
};

static void *keep_passing(void *arg)
{
    struct keeper_of *k = arg;
    int64_t next = now_ms();
    while (!atomic_load(&k->neighbour->stop)) {
        int64_t begin = now_ms();
        if (begin >= next && k->neighbour->c->server[k->server].pid) {
            next = begin + REFRESH_MS;
            (void)http(k->neighbour->c, k->server, "PUT", "/v1/agent/check/pass/service:neighbour",
                       "", NULL);
            if (now_ms() - begin > atomic_load(&k->slowest))
                atomic_store(&k->slowest, now_ms() - begin);
        }
        sleep_ms(50);
    }
    return NULL;
}

static void register_service(struct cluster *c, int i)
{
    static const char body[] =
        "{\"Name\":\"neighbour\",\"Check\":{\"TTL\":\"10s\",\"Status\":\"passing\"}}";
    if (http(c, i, "PUT", "/v1/agent/service/register", body, NULL) != 200)
        harness_fail("server %d does not take the neighbour's service", i);
}

static size_t expired(struct cluster *c, int i)
{
    return server_logged(c, i, "missed TTL, is now critical: check=service:neighbour");
}

struct neighbour *neighbour_start(struct cluster *c)
{
    struct neighbour *n = calloc(1, sizeof *n);
    if (!n)
        harness_fail("out of memory");
    n->c = c;
    for (int i = 1; i <= c->servers; i++) {
        if (!c->server[i].pid)
            continue;
        register_service(c, i);
        n->keeper[i].neighbour = n;
        n->keeper[i].server = i;
        n->keeper[i].expired = expired(c, i);
        if (pthread_create(&n->keeper[i].thread, NULL, keep_passing, &n->keeper[i]) != 0)
            harness_fail("cannot start a thread");
    }
    return n;
}

void neighbour_stop(struct neighbour *n)
{
    if (!n)
        return;
    atomic_store(&n->stop, true);
    for (int i = 1; i <= HARNESS_SERVERS; i++)
        if (n->keeper[i].neighbour)
            (void)pthread_join(n->keeper[i].thread, NULL);
    free(n);
}

size_t neighbour_expired(struct neighbour *n, int i)
{
    return expired(n->c, i) - n->keeper[i].expired;
}

int64_t neighbour_slowest(struct neighbour *n, int i)
{
    return atomic_load(&n->keeper[i].slowest);
}
