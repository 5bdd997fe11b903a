/* SPDX-License-Identifier: MIT */
#include "rollout/debounce.h"

#include "base/boottime.h"
#include "base/limits.h"

#include <stdio.h>
#include <string.h>

#define SETTLE_TIMES 10

static int read_once(struct consul *consul, const struct place *place, struct snapshot *ret,
                     struct error *err)
{
    snapshot_release(ret);
    return snapshot_settings(consul, place, CONSUL_DEFAULT, ret, err);
}

/* Nothing that decides changes without one of these. */
static bool same(const struct snapshot *s, const char *digest, const char *urls)
{
    return strcmp(digest, s->digest) == 0 && strcmp(urls, s->service.urls) == 0;
}

/* Dealt with already? */
static bool known(const struct place *place, const struct local_state *local,
                  const struct snapshot *s)
{
    struct service_urls last;
    service_urls_read(place->state_dir, &last);
    return local_state_settled(local, s->digest) && !service_urls_news(&s->service, &last);
}

int debounce_read(struct consul *consul, const struct place *place, const struct local_state *local,
                  struct snapshot *ret, struct error *err)
{
    char before[KV_DIGEST] = "";
    char urls[SERVICE_URLS_TEXT] = "";
    int rc = read_once(consul, place, ret, err);
    for (int i = 0; rc == 0 && i < SETTLE_TIMES; i++) {
        if (same(ret, before, urls))
            return 0;
        (void)snprintf(before, sizeof before, "%s", ret->digest);
        memcpy(urls, ret->service.urls, sizeof urls);
        if (ret->settings.log_settle_us == 0 || known(place, local, ret))
            return 0;
        boottime_sleep(ret->settings.log_settle_us / 1000);
        rc = read_once(consul, place, ret, err);
    }
    return rc;
}

bool debounce_after_failure(const struct local_state *local)
{
    int64_t age = local_state_age_ms(local);
    if (local->state != LOCAL_STATE_FAILED || age >= limits()->apply_again_ms)
        return false;
    boottime_sleep(limits()->apply_again_ms - age);
    return true;
}
