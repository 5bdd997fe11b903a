#include "shipped.h"

#include "harness.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST 10000

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    return buffer_append(arg, bytes, size * n) < 0 ? 0 : size * n;
}

cJSON *shipped_ask(const char *address, const char *path)
{
    char url[300];
    struct buffer answer = BUFFER_INIT(64U << 20);
    CURL *curl = curl_easy_init();
    (void)snprintf(url, sizeof url, "http://%s:9200%s", address, path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    (void)curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    cJSON *root = cJSON_Parse(buffer_text(&answer));
    buffer_release(&answer);
    return root;
}

int shipped_count(const char *address, const char *index, const char *query)
{
    char path[200];
    (void)snprintf(path, sizeof path, "/%s/_count?q=%s", index, query);
    cJSON *root = shipped_ask(address, path);
    const cJSON *number = cJSON_GetObjectItem(root, "count");
    int n = cJSON_IsNumber(number) ? number->valueint : -1;
    cJSON_Delete(root);
    return n;
}

/* How often each line is there. */
static void count_times(const cJSON *root, int times[MOST + 1])
{
    const cJSON *hits = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "hits"), "hits");
    const cJSON *hit = NULL;
    cJSON_ArrayForEach(hit, hits)
    {
        const cJSON *n = cJSON_GetObjectItem(cJSON_GetObjectItem(hit, "_source"), "n");
        if (!cJSON_IsNumber(n) || n->valueint < 1 || n->valueint > MOST)
            harness_fail("a document without a line");
        times[n->valueint]++;
    }
}

void shipped_once(const char *address, const char *index, int server, int from, int to)
{
    char path[200];
    int lost = 0, twice = 0;
    int *times = calloc(MOST + 1, sizeof *times);
    assert_non_null(times);
    assert_in_range(to, from, MOST);
    (void)snprintf(path, sizeof path, "/%s/_search?q=server:%d&size=%d", index, server,
                   MOST);
    cJSON *root = shipped_ask(address, path);
    count_times(root, times);
    cJSON_Delete(root);
    for (int n = from; n <= to; n++) {
        lost += times[n] == 0;
        twice += times[n] > 1;
    }
    free(times);
    print_message("  server %d: %d lines, %d lost, %d twice\n", server, to - from + 1,
                  lost, twice);
    if (lost || twice)
        harness_fail("server %d: %d of %d lines lost, %d twice", server, lost,
                     to - from + 1, twice);
}
