/* SPDX-License-Identifier: MIT */
#include "settings/service_urls.h"

#include "base/file.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "discovered"
#define INSTANCES 4096 /* more are not looked at */

/* ---- one instance -------------------------------------------------------- */

static int read_scheme(const cJSON *service, struct url *ret, struct error *err)
{
    const cJSON *meta = cJSON_GetObjectItemCaseSensitive(service, "Meta");
    const cJSON *tags = cJSON_GetObjectItemCaseSensitive(service, "Tags");
    const char *scheme = json_text(meta, "scheme", "");
    const cJSON *tag = NULL;
    cJSON_ArrayForEach(tag, tags)
    {
        if (cJSON_IsString(tag) && strcmp(tag->valuestring, "https") == 0)
            ret->https = true;
    }
    if (strcmp(scheme, "https") == 0)
        ret->https = true;
    if (*scheme && !ret->https && strcmp(scheme, "http") != 0)
        return error_set(err, -EINVAL, "its scheme is neither http nor https");
    return 0;
}

static int read_address(const cJSON *instance, const cJSON *service, struct url *ret,
                        struct error *err)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(instance, "Node");
    const char *address = json_text(service, "Address", "");
    struct error why = {0};
    if (!*address)
        address = json_text(node, "Address", "");
    if (host_normalise(address, ret->host, &why) < 0)
        return error_set(err, -EINVAL, "its address %s", why.text);
    return 0;
}

static int read_instance(const cJSON *instance, const struct policy *policy, char ret[URL_TEXT],
                         struct error *err)
{
    const cJSON *service = cJSON_GetObjectItemCaseSensitive(instance, "Service");
    struct url url = {.https = false};
    int64_t port = 0;
    if (json_integer(service, "Port", &port, err) < 0 || port < 1 || port > 65535)
        return error_set(err, -EINVAL, "it has no port");
    url.port = (int)port;
    int rc = read_scheme(service, &url, err);
    if (rc == 0)
        rc = read_address(instance, service, &url, err);
    if (rc == 0)
        rc = policy_judge_url(policy, &url, err);
    if (rc == 0)
        (void)url_format(&url, ret);
    return rc;
}

/* ---- all of them --------------------------------------------------------- */

struct found {
    char url[SETTINGS_URLS][URL_TEXT];
    size_t n;
    size_t all, unused;
    bool many;
    char why[300]; /* the first unused one */
};

static void add_url(struct found *found, const char *url)
{
    for (size_t i = 0; i < found->n; i++) {
        if (strcmp(found->url[i], url) == 0)
            return;
    }
    if (found->n == SETTINGS_URLS)
        found->many = true;
    else
        (void)snprintf(found->url[found->n++], URL_TEXT, "%s", url);
}

static void add_instance(struct found *found, const cJSON *instance, const struct policy *policy)
{
    char url[URL_TEXT];
    char echo[SETTING_VALUE_ECHO];
    struct error why = {0};
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(instance, "Node");
    const char *name = json_text(node, "Node", "");
    found->all++;
    if (read_instance(instance, policy, url, &why) == 0)
        add_url(found, url);
    else if (found->unused++ == 0)
        (void)snprintf(found->why, sizeof found->why, "that on %s: %.200s",
                       setting_value_echo(name, strlen(name), echo), why.text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void join(struct found *found, struct service_urls *ret)
{
    size_t used = 0;
    qsort(found->url, found->n, sizeof found->url[0], by_text);
    for (size_t i = 0; i < found->n && !found->many; i++)
        used += (size_t)snprintf(ret->urls + used, sizeof ret->urls - used, "%s%s", i ? "," : "",
                                 found->url[i]);
}

static void describe(const struct found *found, struct service_urls *ret)
{
    if (found->all == 0)
        (void)snprintf(ret->note, sizeof ret->note, "service %s has no passing instance",
                       ret->service);
    else if (found->many)
        (void)snprintf(ret->note, sizeof ret->note, "service %s has more than %d passing instances",
                       ret->service, SETTINGS_URLS);
    else if (found->unused > 0)
        (void)snprintf(ret->note, sizeof ret->note,
                       "of %zu passing instances of service %s %zu cannot be used; %s", found->all,
                       ret->service, found->unused, found->why);
}

int service_urls_judge(const cJSON *instances, const struct policy *policy,
                       struct service_urls *ret, struct error *err)
{
    struct found found = {.n = 0};
    const cJSON *instance = NULL;
    ret->urls[0] = ret->note[0] = '\0';
    if (!cJSON_IsArray(instances))
        return error_set(err, -EBADMSG, "service %s: not instances as Consul has them",
                         ret->service);
    cJSON_ArrayForEach(instance, instances)
    {
        if (found.all < INSTANCES && !found.many)
            add_instance(&found, instance, policy);
    }
    join(&found, ret);
    describe(&found, ret);
    return 0;
}

/* ---- what was before ----------------------------------------------------- */

void service_urls_keep(struct service_urls *now, const struct service_urls *last)
{
    size_t used = strlen(now->note);
    if (now->urls[0] || !last->urls[0] || strcmp(now->service, last->service) != 0)
        return;
    memcpy(now->urls, last->urls, sizeof now->urls);
    (void)snprintf(now->note + used, sizeof now->note - used, "%sthose from before are kept",
                   used ? ": " : "");
}

bool service_urls_news(const struct service_urls *now, const struct service_urls *last)
{
    return strcmp(now->service, last->service) != 0 ||
           (now->urls[0] && strcmp(now->urls, last->urls) != 0);
}

void service_urls_read(const char *state_dir, struct service_urls *ret)
{
    char path[FILE_PATH];
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(sizeof *ret);
    *ret = (struct service_urls){.service = ""};
    if (file_path(path, sizeof path, state_dir, FILE_NAME, &ignored) == 0 &&
        file_read(path, &text, &ignored) == 0) {
        const char *line = buffer_text(&text);
        size_t len = strcspn(line, "\n");
        (void)snprintf(ret->service, sizeof ret->service, "%.*s", (int)len, line);
        line += len + (line[len] == '\n');
        (void)snprintf(ret->urls, sizeof ret->urls, "%.*s", (int)strcspn(line, "\n"), line);
    }
    buffer_release(&text);
}

int service_urls_write(const char *state_dir, const struct service_urls *now, struct error *err)
{
    char path[FILE_PATH];
    char text[sizeof now->service + sizeof now->urls + 2];
    int rc = file_path(path, sizeof path, state_dir, FILE_NAME, err);
    if (rc < 0)
        return rc;
    if (!now->service[0])
        return unlink(path) == 0 || errno == ENOENT
                   ? 0
                   : error_set(err, -errno, "cannot remove %s: %s", path, strerror(errno));
    int len = snprintf(text, sizeof text, "%s\n%s\n", now->service, now->urls);
    return file_replace(path, text, (size_t)len, 0600, false, err);
}
