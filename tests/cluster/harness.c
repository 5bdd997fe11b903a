/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "keeper.h"
#include "server.h"

#include <time.h>

void harness_fail(const char *fmt, ...)
{
    char text[8192];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print_error("%s\n", text);
    _fail(__FILE__, __LINE__);
    abort();
}

int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) < 0)
        ;
}

/* Limits are written for an idle machine with a quick disk. tests/old waits for failures only. */
#ifndef PATIENCE
#define PATIENCE 3
#endif

void wait_until(const char *what, int64_t limit_ms, bool (*holds)(void *arg, struct buffer *seen),
                void *arg)
{
    struct buffer seen = BUFFER_INIT(16U << 20);
    limit_ms *= PATIENCE;
    int64_t end = now_ms() + limit_ms;
    for (;;) {
        buffer_clear(&seen);
        if (holds(arg, &seen))
            break;
        if (now_ms() > end)
            harness_fail("%s: not within %lld ms; last seen: %s", what, (long long)limit_ms,
                         buffer_text(&seen));
        sleep_ms(20);
    }
    buffer_release(&seen);
}

/* ---- cmocka under a keeper ----------------------------------------------- */

struct group {
    const char *name;
    const struct CMUnitTest *tests;
    size_t n;
    CMFixtureFunction setup, teardown;
};

/* What the caller's shell says about its own Consul is not for us. */
static void clean_environment(void)
{
    for (char **at = environ; *at;) {
        char name[100] = "";
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
        if (strncmp(name, "CONSUL_", 7) == 0 && unsetenv(name) == 0)
            at = environ;
        else
            at++;
    }
}

static int run_group(void *arg)
{
    const struct group *g = arg;
    clean_environment();
    return _cmocka_run_group_tests(g->name, g->tests, g->n, g->setup, g->teardown);
}

int harness_run(const char *name, const struct CMUnitTest *tests, size_t n, CMFixtureFunction setup,
                CMFixtureFunction teardown)
{
    struct group g = {name, tests, n, setup, teardown};
    return keeper_run(name, run_group, &g);
}

/* ---- cluster ------------------------------------------------------------- */

static bool leader_address(struct cluster *c, int i, char ret[64])
{
    struct buffer answer = BUFFER_INIT(1000);
    long status = http(c, i, "GET", "/v1/status/leader", NULL, &answer);
    (void)snprintf(ret, 64, "%s", buffer_text(&answer));
    buffer_release(&answer);
    return status == 200 && strlen(ret) > 2;
}

static int number_of(const struct cluster *c, const char *leader)
{
    for (int i = 1; i <= c->servers; i++) {
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "\"%s:8300\"", c->server[i].address);
        if (c->server[i].pid && strcmp(wanted, leader) == 0)
            return i;
    }
    return 0;
}

/* status/leader answers from what a server last heard, so an ex-leader may be named:
 * the one that is named must say so itself. */
int cluster_leader(struct cluster *c)
{
    for (int i = 1; i <= c->servers; i++) {
        char leader[64], own[64];
        if (!c->server[i].pid || !leader_address(c, i, leader))
            continue;
        int named = number_of(c, leader);
        if (named && leader_address(c, named, own) && strcmp(own, leader) == 0)
            return named;
    }
    return 0;
}

int cluster_follower(struct cluster *c)
{
    int leader = cluster_leader(c);
    for (int i = 1; i <= c->servers; i++)
        if (c->server[i].pid && i != leader)
            return i;
    harness_fail("there is no server beside the leader");
}

static bool same_leader(void *arg, struct buffer *seen)
{
    struct cluster *c = arg;
    char first[64] = "";
    for (int i = 1; i <= c->servers; i++) {
        char leader[64] = "";
        if (!c->server[i].pid)
            continue;
        server_must_run(c, i);
        bool known = leader_address(c, i, leader);
        if (buffer_printf(seen, "server %d: leader %s; ", i, leader) < 0 || !known)
            return false;
        if (!c->options.alone && first[0] && strcmp(first, leader) != 0)
            return false;
        (void)snprintf(first, sizeof first, "%s", leader);
    }
    return c->options.alone || number_of(c, first) > 0;
}

void wait_leader(struct cluster *c, int64_t limit_ms)
{
    wait_until("all servers know the same leader", limit_ms, same_leader, c);
}

static struct cluster *cluster_new(const struct cluster_options *options)
{
    static int made;
    struct cluster *c = calloc(1, sizeof *c);
    if (!c)
        harness_fail("out of memory");
    c->options = *options;
    c->servers = options->servers ? options->servers : 3;
    c->net = keeper_take_net();
    if (c->net < 0)
        harness_fail("all loopback nets are taken");
    (void)snprintf(c->dir, sizeof c->dir, "%s/%d", keeper_dir(), ++made);
    for (int i = 1; i <= c->servers; i++)
        server_name(c, i, NULL);
    return c;
}

struct cluster *cluster_start(const struct cluster_options *options)
{
    struct cluster *c = cluster_new(options);
    int running = options->running ? options->running : c->servers;
    for (int i = 1; i <= c->servers; i++) {
        server_make(c, i, options->alone ? 1 : c->servers);
        if (!options->acl)
            server_enable(c, i);
    }
    for (int i = 1; i <= running; i++)
        server_spawn(c, i);
    for (int i = 1; i <= running; i++)
        server_wait_answer(c, i);
    if (running > c->servers / 2)
        wait_leader(c, 60000);
    if (options->acl)
        acl_start(c);
    return c;
}

const char *cluster_sink(struct cluster *c)
{
    char address[40], dir[400];
    (void)snprintf(address, sizeof address, "127.0.%d.250", c->net);
    (void)snprintf(dir, sizeof dir, "%s/sink", c->dir);
    if (c->sink.pid == 0 && sink_start(&c->sink, "stand-in", address, dir) < 0)
        harness_fail("the stand-in for Elasticsearch does not start");
    return c->sink.url;
}

void cluster_stop(struct cluster *c)
{
    if (c)
        sink_kill(&c->sink);
    for (int i = 1; c && i <= c->servers; i++) {
        if (!c->server[i].pid)
            continue;
        (void)kill(c->server[i].pid, SIGKILL);
        (void)waitpid(c->server[i].pid, NULL, 0);
    }
    free(c);
}

int cluster_tear_down(void **state)
{
    cluster_stop(*state);
    return 0;
}
