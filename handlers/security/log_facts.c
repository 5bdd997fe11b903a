/* SPDX-License-Identifier: MIT */
#include "security/log_facts.h"

#include "settings/service_urls.h"

#include <stdio.h>
#include <string.h>

static void add_url(struct log_facts *facts, const char *text, size_t len)
{
    if (facts->n == LOG_FACTS_URLS || len == 0 || len >= URL_TEXT)
        return;
    (void)snprintf(facts->url[facts->n++], URL_TEXT, "%.*s", (int)len, text);
}

void log_facts_read(const struct settings *settings, const char *state_dir, struct log_facts *ret)
{
    struct service_urls found;
    ret->n = 0;
    if (!settings->log_present || !settings->log_enabled || settings->log_rejects > 0)
        return;
    for (size_t i = 0; i < settings->log_urls; i++)
        add_url(ret, settings->log_url[i], strlen(settings->log_url[i]));
    if (!settings->log_service[0])
        return;
    service_urls_read(state_dir, &found);
    for (const char *at = found.urls; *at;
         at += at[strcspn(at, ",")] ? strcspn(at, ",") + 1 : strlen(at))
        add_url(ret, at, strcspn(at, ","));
}

/* A connection that does not leave this machine needs no TLS. */
static bool is_open(const char *text)
{
    struct url url;
    return url_parse(text, &url, NULL) == 0 && !url.https && !host_is_local(url.host);
}

void log_facts_judge(const struct log_facts *facts, const struct settings *settings,
                     struct findings *findings)
{
    const char *first = NULL;
    for (size_t i = facts->n; i-- > 0;) {
        if (is_open(facts->url[i]))
            first = facts->url[i];
    }
    if (first) {
        finding_add(findings, FINDING_ELASTICSEARCH_PLAINTEXT, "logs go to %.200s without TLS",
                    first);
        finding_repair(findings, "switch TLS on in Elasticsearch (xpack.security.http.ssl), then "
                                 "lictor set LOG_ELASTICSEARCH_URL=https://...");
    }
    if (facts->n == 0 || settings->log_credential[0])
        return;
    finding_add(findings, FINDING_ELASTICSEARCH_NO_USER,
                "logs are written to Elasticsearch "
                "without a user");
    finding_repair(findings, "make a user there and his file (consul.d/README.md, Credentials), "
                             "then lictor set LOG_ELASTICSEARCH_CREDENTIAL=NAME");
}
