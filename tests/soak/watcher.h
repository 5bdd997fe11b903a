/* SPDX-License-Identifier: MIT */
/* watcher.h: looks every half a second whether cluster:logging of a server is green although its
 * lines cannot arrive. */
#ifndef WATCHER_H
#define WATCHER_H

#include "harness.h"

#include <pthread.h>

/* What is known of a server at one moment. Milliseconds, 0: not so. */
struct watched {
    int64_t blocked_ms; /* nothing can have arrived for so long */
    int64_t seen_ms;    /* its agent has run, with a leader, for so long */
    bool passing;       /* its check is */
    int64_t delay_ms;   /* LOG_DELAY */
};

/* Half a minute, of two heartbeats, is what a check may need to tell. */
#define WATCHER_TELLS_MS 30000

/* Is it green for longer than it may be? */
bool watcher_is_wrong(const struct watched *w);

struct watcher {
    struct cluster *c;
    int64_t delay_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    bool runs, stop;
    int64_t blocked_since[HARNESS_SERVERS + 1], seen_since[HARNESS_SERVERS + 1];
    bool told[HARNESS_SERVERS + 1]; /* the check has left passing since */
    int64_t slowest_ms;             /* until it did, at most */
    int tells;                      /* so often */
    int64_t longest_ms;             /* that it was wrong for */
    char wrong[500];                /* that time; "" never */
};

void watcher_start(struct watcher *w, struct cluster *c, int64_t delay_ms);

/* From now on nothing of server i arrives; it does again. */
void watcher_blocked(struct watcher *w, int i, bool blocked);

/* Its agent, or the leader, has just gone or come. */
void watcher_unseen(struct watcher *w, int i);

void watcher_stop(struct watcher *w);

#endif
