/* SPDX-License-Identifier: MIT */
#include "rollout/debounce.h"

#include "base/boottime.h"
#include "base/deadline.h"
#include "base/limits.h"

#include <string.h>

#define SETTLE_TIMES 10

/* Nothing that decides changes without one of these. */
static bool same(const struct wanted *w, const char *digest, const char *urls)
{
    return strcmp(digest, w->digest) == 0 && strcmp(urls, w->service.urls) == 0;
}

/* Dealt with already? */
static bool known(const struct snapshot *s)
{
    struct service_urls last;
    service_urls_read(s->place->state_dir, &last);
    return local_state_settled(&s->local, s->wanted.digest) &&
           !service_urls_news(&s->wanted.service, &last);
}

static void rest(int64_t ms)
{
    deadline_skip(ms);
    boottime_sleep(ms);
}

int debounce_read(struct snapshot *s, struct error *err)
{
    char before[KV_DIGEST] = "";
    char urls[SERVICE_URLS_TEXT] = "";
    const struct wanted *w = &s->wanted;
    int rc = snapshot_settings(s, err);
    for (int i = 0; rc == 0 && i < SETTLE_TIMES; i++) {
        if (same(w, before, urls))
            return 0;
        memcpy(before, w->digest, sizeof before);
        memcpy(urls, w->service.urls, sizeof urls);
        if (w->settings.log_settle_us == 0 || known(s))
            return 0;
        rest(w->settings.log_settle_us / 1000);
        rc = snapshot_settings(s, err);
    }
    return rc;
}

bool debounce_after_failure(const struct local_state *local)
{
    int64_t age = local_state_age_ms(local);
    if (local->record.state != SERVER_RECORD_FAILED || age >= limits()->apply_again_ms)
        return false;
    rest(limits()->apply_again_ms - age);
    return true;
}
