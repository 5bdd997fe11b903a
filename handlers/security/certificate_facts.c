/* SPDX-License-Identifier: MIT */
#include "security/certificate_facts.h"

#include "base/buffer.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/limits.h"
#include "net/http.h"
#include "security/certificate.h"
#include "security/log_facts.h"
#include "settings/credential.h"
#include "settings/policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PEM_LIMIT    (1U << 20)
#define ANSWER_LIMIT 65536

static int64_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

static void judge_text(const char *pem, const char *name, const char *renew,
                       struct findings *findings)
{
    struct certificate certificate;
    struct error err = {0};
    if (certificate_read(pem, &certificate, &err) < 0)
        finding_add(findings, FINDING_CERTIFICATE_UNKNOWN, "%.150s: %s", name, err.text);
    else
        certificate_judge(&certificate, name, renew, now_s(), findings);
}

static void judge_file(const char *path, const char *renew, struct findings *findings)
{
    struct error err = {0};
    struct buffer text = BUFFER_INIT(PEM_LIMIT);
    if (file_read(path, &text, &err) < 0)
        finding_add(findings, FINDING_CERTIFICATE_UNKNOWN, "%s", err.text);
    else
        judge_text(buffer_text(&text), path, renew, findings);
    buffer_wipe(&text);
}

/* The same file may be named more than once: it is looked at once. */
static void judge_files(const char *const *paths, size_t n, const char *renew,
                        struct findings *findings)
{
    for (size_t i = 0; i < n; i++) {
        bool again = !paths[i] || paths[i][0] != '/';
        for (size_t k = 0; k < i && !again; k++)
            again = paths[k] && strcmp(paths[i], paths[k]) == 0;
        if (!again)
            judge_file(paths[i], renew, findings);
    }
}

/* ---- Elasticsearch ------------------------------------------------------- */

static void prepare(struct http *http, const char *url, const struct credential *credential)
{
    const int64_t left_ms = deadline_left();
    const int64_t limit_ms = limits()->elasticsearch_ms;
    const struct http_request request = {
        .url = url,
        .limit_ms = left_ms > limit_ms ? limit_ms
                    : left_ms > 0      ? left_ms
                                       : 1,
        .most = ANSWER_LIMIT,
        .cert = credential->cert,
        .key = credential->key,
        .unverified = true, /* of one that is not trusted the dates are of interest, too */
        .certificates = true,
    };
    if (http_prepare(http, &request) < 0)
        http_release(http);
}

static void judge_shown(const struct http *http, const char *url, struct findings *findings)
{
    struct buffer pem = BUFFER_INIT(PEM_LIMIT);
    if (http->curl && http_certificates(http, &pem) == 0 && pem.len > 0)
        judge_text(buffer_text(&pem), url, "renew it on that server", findings);
    buffer_release(&pem);
}

/* KV chooses where to only within root's policy. */
static bool is_allowed(const struct policy *policy, const char *text)
{
    struct url url;
    return url_parse(text, &url, NULL) == 0 && url.https &&
           policy_judge_url(policy, &url, NULL) == 0;
}

/* Nothing but a TLS connection is needed: no user, no password goes there. */
static void look_at_elasticsearch(const struct log_facts *logs, const struct policy *policy,
                                  const struct credential *credential, struct findings *findings)
{
    static struct http http[LOG_FACTS_URLS]; /* all-zero: none */
    for (size_t i = 0; i < logs->n; i++)
        if (is_allowed(policy, logs->url[i]))
            prepare(&http[i], logs->url[i], credential);
    if (http_perform_all(http, logs->n) == 0) {
        for (size_t i = 0; i < logs->n; i++)
            judge_shown(&http[i], logs->url[i], findings);
    }
    for (size_t i = 0; i < logs->n; i++)
        http_release(&http[i]);
}

/* ---- all of them --------------------------------------------------------- */

void certificate_facts_look(const struct consul *consul, const struct place *place,
                            const struct agent_facts *agent, const struct settings *settings,
                            struct findings *findings)
{
    struct log_facts logs;
    struct credential credential = {0};
    struct policy policy = {0};
    struct error err = {0};
    const char *own[2];
    judge_files(agent->certificates, COUNT(agent->certificates),
                "put a new one there (consul tls cert create), then consul reload", findings);
    consul_certificates(consul, &own[0], &own[1]);
    judge_files(own, COUNT(own), "put a new one there", findings);
    log_facts_read(settings, place->state_dir, &logs);
    log_facts_judge(&logs, settings, findings);
    int rc = credential_choose(place->config_dir, settings, CREDENTIAL_ASK, &credential, &err);
    if (rc == 0)
        judge_files((const char *const[]){credential.ca, credential.cert}, 2, "put a new one there",
                    findings);
    if (policy_read(place->config_dir, &policy, &err) == 0)
        look_at_elasticsearch(&logs, &policy, &credential, findings);
    policy_release(&policy);
    credential_release(&credential);
}
