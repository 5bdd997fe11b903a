/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

/* One thing the catalogue showed. */
struct event {
    int64_t at_ms;
    char node[64], id[80], status[16];
    char *output;
};

struct recorder {
    pthread_t thread;
    pthread_mutex_t lock; /* guards events, n */
    atomic_bool stop;
    struct event *events;
    size_t n;
    char url[200], token[80];
    unsigned long long index;
};

/* ---- what was seen ------------------------------------------------------- */

static const struct event *latest(const struct recorder *r, const char *node, const char *id)
{
    for (size_t i = r->n; i > 0; i--) {
        const struct event *e = &r->events[i - 1];
        if (strcmp(e->node, node) == 0 && strcmp(e->id, id) == 0)
            return e;
    }
    return NULL;
}

static void note(struct recorder *r, const char *node, const char *id, const char *status,
                 const char *output)
{
    const struct event *last = latest(r, node, id);
    if (last && strcmp(last->status, status) == 0 && strcmp(last->output, output) == 0)
        return;
    struct event *grown = realloc(r->events, (r->n + 1) * sizeof *grown);
    if (!grown)
        abort();
    r->events = grown;
    struct event *e = &r->events[r->n++];
    *e = (struct event){.at_ms = now_ms(), .output = strdup(output)};
    (void)snprintf(e->node, sizeof e->node, "%s", node);
    (void)snprintf(e->id, sizeof e->id, "%s", id);
    (void)snprintf(e->status, sizeof e->status, "%s", status);
}

static const char *member(const cJSON *object, const char *name)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    return value ? value : "";
}

static void note_all(struct recorder *r, const char *answer)
{
    cJSON *root = cJSON_Parse(answer);
    const cJSON *check = NULL;
    (void)pthread_mutex_lock(&r->lock);
    cJSON_ArrayForEach(check, root)
    {
        note(r, member(check, "Node"), member(check, "CheckID"), member(check, "Status"),
             member(check, "Output"));
    }
    (void)pthread_mutex_unlock(&r->lock);
    cJSON_Delete(root);
}

/* ---- the thread ---------------------------------------------------------- */

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    return buffer_append(arg, bytes, size * n) == 0 ? size * n : 0;
}

static size_t take_index(char *line, size_t size, size_t n, void *arg)
{
    struct recorder *r = arg;
    char text[100];
    (void)snprintf(text, sizeof text, "%.*s", (int)(size * n), line);
    if (strncasecmp(text, "X-Consul-Index:", 15) == 0)
        r->index = strtoull(text + 15, NULL, 10);
    return size * n;
}

static int keep_going(void *arg, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
    (void)a, (void)b, (void)d, (void)e;
    struct recorder *r = arg;
    return atomic_load(&r->stop);
}

static void look(struct recorder *r, CURL *curl)
{
    char url[300];
    struct buffer answer = BUFFER_INIT(16U << 20);
    (void)snprintf(url, sizeof url, "%s&index=%llu", r->url, r->index);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    long status = 0;
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) {
        note_all(r, buffer_text(&answer));
    } else {
        r->index = 0;
        sleep_ms(100);
    }
    buffer_release(&answer);
}

static void *follow(void *arg)
{
    struct recorder *r = arg;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, r->token);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_index);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, r);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, keep_going);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, r);
    while (!atomic_load(&r->stop))
        look(r, curl);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return NULL;
}

struct recorder *recorder_start(struct cluster *c, int via)
{
    struct recorder *r = calloc(1, sizeof *r);
    if (!r)
        harness_fail("out of memory");
    (void)snprintf(r->url, sizeof r->url, "http://%s:8500/v1/health/state/any?stale&wait=60s",
                   c->server[via].address);
    (void)snprintf(r->token, sizeof r->token, "X-Consul-Token: %s", c->token);
    if (pthread_mutex_init(&r->lock, NULL) != 0 || pthread_create(&r->thread, NULL, follow, r) != 0)
        harness_fail("cannot start a thread");
    return r;
}

void recorder_stop(struct recorder *r)
{
    if (!r)
        return;
    atomic_store(&r->stop, true);
    (void)pthread_join(r->thread, NULL);
    for (size_t i = 0; i < r->n; i++)
        free(r->events[i].output);
    free(r->events);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

int64_t recorder_when(struct recorder *r, int64_t since, const char *node, const char *id,
                      const char *status, const char *text)
{
    int64_t at = -1;
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; at < 0 && i < r->n; i++) {
        const struct event *e = &r->events[i];
        if (e->at_ms >= since && (!node || strcmp(e->node, node) == 0) && strcmp(e->id, id) == 0 &&
            strcmp(e->status, status) == 0 && strstr(e->output, text))
            at = e->at_ms;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return at;
}

size_t recorder_changes(struct recorder *r, int64_t since, const char *id)
{
    size_t n = 0;
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n; i++)
        n += r->events[i].at_ms > since && strcmp(r->events[i].id, id) == 0;
    (void)pthread_mutex_unlock(&r->lock);
    return n;
}

char *recorder_text(struct recorder *r, const char *id)
{
    struct buffer text = BUFFER_INIT(16U << 20);
    int rc = 0;
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; rc == 0 && i < r->n; i++) {
        const struct event *e = &r->events[i];
        if (strcmp(e->id, id) == 0)
            rc = buffer_printf(&text, "%lld %s %s: %s\n", (long long)e->at_ms, e->node, e->status,
                               e->output);
    }
    (void)pthread_mutex_unlock(&r->lock);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}
