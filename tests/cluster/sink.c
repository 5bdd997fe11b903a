/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include "harness.h"
#include "keeper.h"

#include <curl/curl.h>
#include <poll.h>

#define START_MS 120000
#define MOST     10000 /* lines of a server */

static const char installer[] = SOURCE_DIR "/scripts/fetch";
static const char runner[] = SOURCE_DIR "/tests/elasticsearch/run";

/* Start `argv`, its standard output going to *ret_out where that is not NULL. */
static pid_t start(const char *const *argv, int *ret_out)
{
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        keeper_die_with(parent);
        (void)dup2(ret_out ? ends[1] : STDERR_FILENO, STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execv(argv[0], (char **)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(ends[1]);
    if (ret_out)
        *ret_out = ends[0];
    else
        (void)close(ends[0]);
    return pid;
}

bool sink_available(const char *name)
{
    const char *argv[] = {installer, "elasticsearch", name, NULL};
    int status = -1;
    pid_t pid = start(argv, NULL);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
        return true;
    (void)printf("# note: Elasticsearch %s cannot be had and was left out\n", name);
    return false;
}

/* Start `argv` and wait until it says that it answers. */
static int start_ready(struct sink *s, const char *const *argv, const char *dir)
{
    char line[200] = "";
    int out = -1;
    if (setenv("STAND_IN", TEST_BIN "/fake-elasticsearch", 1) < 0)
        return -1;
    s->pid = start(argv, &out);
    struct pollfd ready = {.fd = out, .events = POLLIN};
    bool answers = s->pid > 0 && poll(&ready, 1, START_MS) == 1 &&
                   read(out, line, sizeof line - 1) > 0 && sscanf(line, "ready %99s", s->url) == 1;
    if (out >= 0)
        (void)close(out);
    if (answers)
        return 0;
    static bool said;
    (void)snprintf(line, sizeof line, "%.180s/output.log", dir);
    if (!said)
        (void)fprintf(stderr, "Elasticsearch was not up within %d s, see %s\n", START_MS / 1000,
                      keeper_kept(line));
    said = true;
    sink_kill(s);
    return -1;
}

int sink_start(struct sink *s, const char *name, const char *address, const char *dir)
{
    const char *argv[] = {runner, "--tied", name, address, dir, NULL};
    return start_ready(s, argv, dir);
}

int sink_start_stand_in(struct sink *s, const char *address, const char *dir,
                        const char *const *options)
{
    const char *argv[16] = {runner, "--tied", "stand-in", address, dir};
    for (size_t i = 0; options[i] && i + 6 < COUNT(argv); i++)
        argv[i + 5] = options[i];
    return start_ready(s, argv, dir);
}

int sink_start_secure(struct sink *s, const char *name, const char *address, const char *dir,
                      const char *password)
{
    const char *argv[] = {runner, "--tied", "--secure", name, address, dir, NULL};
    if (setenv("SINK_PASSWORD", password, 1) < 0)
        return -1;
    int rc = start_ready(s, argv, dir);
    (void)unsetenv("SINK_PASSWORD");
    return rc;
}

void sink_kill(struct sink *s)
{
    if (s->pid > 0) {
        (void)kill(s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
}

int sink_tear_down(void **state)
{
    sink_kill(*state);
    return 0;
}

/* ---- what is in it ------------------------------------------------------- */

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    return buffer_append(arg, bytes, size * n) < 0 ? 0 : size * n;
}

cJSON *sink_ask(const struct sink *s, const char *path)
{
    char *url = NULL;
    struct buffer answer = BUFFER_INIT(128U << 20);
    CURL *curl = curl_easy_init();
    if (asprintf(&url, "%s%s", s->url, path) < 0)
        harness_fail("out of memory");
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    (void)curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    free(url);
    cJSON *root = cJSON_Parse(buffer_text(&answer));
    buffer_release(&answer);
    return root;
}

static int number_at(const struct sink *s, const char *path, const char *name)
{
    cJSON *root = sink_ask(s, path);
    const cJSON *number = cJSON_GetObjectItem(root, name);
    int n = cJSON_IsNumber(number) ? number->valueint : -1;
    cJSON_Delete(root);
    return n;
}

int sink_documents(const struct sink *s, const char *index, const char *query)
{
    char path[200];
    (void)snprintf(path, sizeof path, "/%s/_count?q=%s", index, query);
    return number_at(s, path, "count");
}

struct wanted {
    const struct sink *sink;
    const char *index, *query;
    int n;
};

static bool are_there(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    int n = sink_documents(w->sink, w->index, w->query);
    return buffer_printf(seen, "%d of %d in %s", n, w->n, w->index) == 0 && n == w->n;
}

void sink_wait_documents(const struct sink *s, const char *index, const char *query, int n,
                         int limit_ms)
{
    struct wanted w = {s, index, query, n};
    wait_until(query, limit_ms, are_there, &w);
}

/* The documents of one page of a scroll. Returns their number; -1 when it is no page. */
static int each_of(const cJSON *page, void (*found)(void *arg, const cJSON *hit), void *arg)
{
    const cJSON *hits = cJSON_GetObjectItem(cJSON_GetObjectItem(page, "hits"), "hits");
    const cJSON *hit = NULL;
    cJSON_ArrayForEach(hit, hits) found(arg, hit);
    return cJSON_IsArray(hits) ? cJSON_GetArraySize(hits) : -1;
}

int sink_each(const struct sink *s, const char *index, const char *query,
              void (*found)(void *arg, const cJSON *hit), void *arg)
{
    int n = 0, all = 0;
    char *path = NULL;
    if (asprintf(&path, "/%s/_search?q=%s&size=1000&scroll=2m", index, query) < 0)
        harness_fail("out of memory");
    do {
        cJSON *page = sink_ask(s, path);
        const char *next = cJSON_GetStringValue(cJSON_GetObjectItem(page, "_scroll_id"));
        free(path);
        if (asprintf(&path, "/_search/scroll?scroll=2m&scroll_id=%s", next ? next : "") < 0)
            harness_fail("out of memory");
        n = each_of(page, found, arg);
        all += n;
        cJSON_Delete(page);
    } while (n > 0);
    free(path);
    return n < 0 ? -1 : all;
}

/* How often each line is there. */
static void count_time(void *arg, const cJSON *hit)
{
    int *times = arg;
    const cJSON *n = cJSON_GetObjectItem(cJSON_GetObjectItem(hit, "_source"), "n");
    if (!cJSON_IsNumber(n) || n->valueint < 1 || n->valueint > MOST)
        harness_fail("a document without a line");
    times[n->valueint]++;
}

void sink_once(const struct sink *s, const char *index, int server, int from, int to)
{
    char path[200];
    int lost = 0, twice = 0;
    int *times = calloc(MOST + 1, sizeof *times);
    assert_non_null(times);
    assert_in_range(to, from, MOST);
    (void)snprintf(path, sizeof path, "/%s/_search?q=server:%d&size=%d", index, server, MOST);
    cJSON *root = sink_ask(s, path);
    (void)each_of(root, count_time, times);
    cJSON_Delete(root);
    for (int n = from; n <= to; n++) {
        lost += times[n] == 0;
        twice += times[n] > 1;
    }
    free(times);
    print_message("  server %d: %d lines, %d lost, %d twice\n", server, to - from + 1, lost, twice);
    if (lost || twice)
        harness_fail("server %d: %d of %d lines lost, %d twice", server, lost, to - from + 1,
                     twice);
}

void sink_send(const struct sink *s, const char *method, const char *path, const char *body)
{
    char url[300];
    (void)snprintf(url, sizeof url, "%s/%s", s->url, path);
    const char *argv[] = {"/usr/bin/curl",
                          "-sS",
                          "--noproxy",
                          "*",
                          "-X",
                          method,
                          url,
                          "-H",
                          "Content-Type: application/json",
                          body ? "-d" : NULL,
                          body,
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0 || strstr(o.out, "\"error\""))
        harness_fail("%s %s: %s%s", method, path, o.out, o.err);
    outcome_release(&o);
}

/* ---- what the stand-in is told ------------------------------------------- */

void sink_mode(const struct sink *s, const char *mode, int times)
{
    char url[200], count[30] = "";
    if (times > 0)
        (void)snprintf(count, sizeof count, "?times=%d", times);
    (void)snprintf(url, sizeof url, "%s/_stand-in/%s%s", s->url, mode, count);
    const char *argv[] = {"/usr/bin/curl", "-sf", "-X", "PUT", url, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("%s is no mode of the stand-in, or it does not run", mode);
    outcome_release(&o);
}

int sink_number(const struct sink *s, const char *name)
{
    int n = number_at(s, "/_stand-in", name);
    if (n < 0)
        harness_fail("the stand-in does not tell its %s", name);
    return n;
}
