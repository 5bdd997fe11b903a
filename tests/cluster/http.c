/* SPDX-License-Identifier: MIT */
#include "base/base64.h"
#include "harness.h"

#include "consul/kv.h"

#include <curl/curl.h>

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    struct buffer *answer = arg;
    if (answer && buffer_append(answer, bytes, size * n) < 0)
        return 0;
    return size * n;
}

static struct curl_slist *headers(const struct cluster *c)
{
    char token[80];
    (void)snprintf(token, sizeof token, "X-Consul-Token: %s", c->token);
    return curl_slist_append(NULL, token);
}

long http(struct cluster *c, int i, const char *method, const char *path, const char *body,
          struct buffer *answer)
{
    char url[1024];
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *list = headers(c);
    (void)snprintf(url, sizeof url, "http://%s:8500%s", c->server[i].address, path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (body)
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(curl) == CURLE_OK)
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    return status;
}

cJSON *http_get(struct cluster *c, int i, const char *path)
{
    char full[900];
    struct buffer answer = BUFFER_INIT(16U << 20);
    (void)snprintf(full, sizeof full, "/v1/%s", path);
    long status = http(c, i, "GET", full, NULL, &answer);
    cJSON *root = cJSON_Parse(buffer_text(&answer));
    if (status != 200 || !root)
        harness_fail("GET %s of server %d: %ld %s", full, i, status, buffer_text(&answer));
    buffer_release(&answer);
    return root;
}

static int any_running(struct cluster *c)
{
    int leader = cluster_leader(c);
    for (int i = 1; !leader && i <= c->servers; i++)
        if (c->server[i].pid)
            leader = i;
    return leader ? leader : 1;
}

static void kv_request(struct cluster *c, const char *method, const char *key, const char *query,
                       const char *value)
{
    char path[900];
    struct buffer answer = BUFFER_INIT(1U << 20);
    (void)snprintf(path, sizeof path, "/v1/kv/%s%s", key, query);
    long status = http(c, any_running(c), method, path, value, &answer);
    if (status != 200 || strncmp(buffer_text(&answer), "true", 4) != 0)
        harness_fail("%s %s: %ld %s", method, path, status, buffer_text(&answer));
    buffer_release(&answer);
}

void kv_put(struct cluster *c, const char *key, const char *value)
{
    kv_request(c, "PUT", key, "", value);
}

void kv_delete(struct cluster *c, const char *key)
{
    kv_request(c, "DELETE", key, "", NULL);
}

void kv_delete_prefix(struct cluster *c, const char *prefix)
{
    kv_request(c, "DELETE", prefix, "?recurse", NULL);
}

char *kv_get(struct cluster *c, const char *key)
{
    char path[900];
    struct buffer answer = BUFFER_INIT(1U << 20);
    (void)snprintf(path, sizeof path, "/v1/kv/%s?raw", key);
    long status = http(c, any_running(c), "GET", path, NULL, &answer);
    if (status != 200 && status != 404)
        harness_fail("GET %s: %ld %s", path, status, buffer_text(&answer));
    char *value = status == 200 ? strdup(buffer_text(&answer)) : NULL;
    buffer_release(&answer);
    return value;
}

static const char *setting_key(const char *key, char full[300])
{
    (void)snprintf(full, 300, HARNESS_ROOT "/service/cluster/tag/any/%s", key);
    return full;
}

void setting_put(struct cluster *c, const char *key, const char *value)
{
    char full[300];
    kv_put(c, setting_key(key, full), value);
}

void setting_delete(struct cluster *c, const char *key)
{
    char full[300];
    kv_delete(c, setting_key(key, full));
}

static void add_set(cJSON *ops, const char *key, const char *value)
{
    char full[300];
    char *encoded = base64_encode(value, strlen(value));
    if (!encoded)
        harness_fail("out of memory");
    cJSON *op = cJSON_CreateObject(), *kv = cJSON_AddObjectToObject(op, "KV");
    (void)cJSON_AddStringToObject(kv, "Verb", "set");
    (void)cJSON_AddStringToObject(kv, "Key", setting_key(key, full));
    (void)cJSON_AddStringToObject(kv, "Value", encoded);
    (void)cJSON_AddItemToArray(ops, op);
    free(encoded);
}

void settings_put(struct cluster *c, ...)
{
    cJSON *ops = cJSON_CreateArray();
    struct buffer answer = BUFFER_INIT(1U << 20);
    va_list args;
    va_start(args, c);
    for (const char *key = va_arg(args, const char *); key; key = va_arg(args, const char *))
        add_set(ops, key, va_arg(args, const char *));
    va_end(args);
    char *body = cJSON_PrintUnformatted(ops);
    long status = http(c, any_running(c), "PUT", "/v1/txn", body, &answer);
    if (status != 200)
        harness_fail("PUT /v1/txn: %ld %s", status, buffer_text(&answer));
    free(body);
    cJSON_Delete(ops);
    buffer_release(&answer);
}
