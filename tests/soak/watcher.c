/* SPDX-License-Identifier: MIT */
#include "watcher.h"

#define LOOK_MS 500

bool watcher_is_wrong(const struct watched *w)
{
    const int64_t limit = w->delay_ms + WATCHER_TELLS_MS;
    return w->passing && w->blocked_ms > limit && w->seen_ms > limit;
}

/* The lock is held. */
static void judge(struct watcher *w, int i, const struct check *check)
{
    const int64_t now = now_ms(), since = w->blocked_since[i];
    const struct watched facts = {.blocked_ms = since ? now - since : 0,
                                  .seen_ms = now - w->seen_since[i],
                                  .passing = strcmp(check->status, "passing") == 0,
                                  .delay_ms = w->delay_ms};
    if (since && !facts.passing && !w->told[i]) {
        w->told[i] = true;
        w->tells++;
        if (facts.seen_ms >= facts.blocked_ms && facts.blocked_ms > w->slowest_ms)
            w->slowest_ms = facts.blocked_ms;
    }
    if (!watcher_is_wrong(&facts) || facts.blocked_ms <= w->longest_ms)
        return;
    w->longest_ms = facts.blocked_ms;
    (void)snprintf(w->wrong, sizeof w->wrong,
                   "server %d says passing, and nothing can have arrived for %lld ms: %.300s", i,
                   (long long)facts.blocked_ms, check->output);
}

static void look(struct watcher *w, int i)
{
    struct check check;
    const bool there = check_local(w->c, i, "cluster:logging", &check);
    (void)pthread_mutex_lock(&w->lock);
    if (there)
        judge(w, i, &check);
    (void)pthread_mutex_unlock(&w->lock);
}

static void *watch(void *arg)
{
    struct watcher *w = arg;
    for (;;) {
        (void)pthread_mutex_lock(&w->lock);
        const bool stop = w->stop;
        (void)pthread_mutex_unlock(&w->lock);
        if (stop)
            return NULL;
        for (int i = 1; i <= w->c->servers; i++)
            look(w, i);
        sleep_ms(LOOK_MS);
    }
}

void watcher_start(struct watcher *w, struct cluster *c, int64_t delay_ms)
{
    *w = (struct watcher){.c = c, .delay_ms = delay_ms, .lock = PTHREAD_MUTEX_INITIALIZER};
    for (int i = 1; i <= c->servers; i++)
        w->seen_since[i] = now_ms();
    w->runs = pthread_create(&w->thread, NULL, watch, w) == 0;
    assert_true(w->runs);
}

void watcher_blocked(struct watcher *w, int i, bool blocked)
{
    (void)pthread_mutex_lock(&w->lock);
    w->blocked_since[i] = blocked ? now_ms() : 0;
    w->told[i] = false;
    (void)pthread_mutex_unlock(&w->lock);
}

void watcher_unseen(struct watcher *w, int i)
{
    (void)pthread_mutex_lock(&w->lock);
    w->seen_since[i] = now_ms();
    (void)pthread_mutex_unlock(&w->lock);
}

void watcher_stop(struct watcher *w)
{
    if (!w->runs)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    w->runs = false;
}
