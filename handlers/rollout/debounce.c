#include "rollout/debounce.h"

#include "base/limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SETTLE_TIMES 10

static void sleep_ms(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        continue;
}

static int read_once(struct consul *consul, const struct survey_place *place,
                     struct survey *ret, struct error *err)
{
    survey_release(ret);
    return survey_settings(consul, place, CONSUL_DEFAULT, ret, err);
}

/* Nothing that decides changes without one of these. */
static bool same(const struct survey *s, const char *digest, const char *urls)
{
    return strcmp(digest, s->digest) == 0 && strcmp(urls, s->discovery.urls) == 0;
}

/* Dealt with already? */
static bool known(const struct survey_place *place, const struct ledger *ledger,
                  const struct survey *s)
{
    struct discovery last;
    discovery_read(place->state_dir, &last);
    return ledger_settled(ledger, s->digest) && !discovery_news(&s->discovery, &last);
}

int settle_read(struct consul *consul, const struct survey_place *place,
                const struct ledger *ledger, struct survey *ret, struct error *err)
{
    char before[KV_DIGEST] = "";
    char urls[DISCOVERY_TEXT] = "";
    int rc = read_once(consul, place, ret, err);
    for (int i = 0; rc == 0 && i < SETTLE_TIMES; i++) {
        if (same(ret, before, urls))
            return 0;
        (void)snprintf(before, sizeof before, "%s", ret->digest);
        memcpy(urls, ret->discovery.urls, sizeof urls);
        if (ret->settings.log_settle_us == 0 || known(place, ledger, ret))
            return 0;
        sleep_ms(ret->settings.log_settle_us / 1000);
        rc = read_once(consul, place, ret, err);
    }
    return rc;
}

bool settle_distance(const struct ledger *ledger)
{
    int64_t age = ledger_age_ms(ledger);
    if (ledger->state != LEDGER_FAILED || age >= timing()->apply_again_ms)
        return false;
    sleep_ms(timing()->apply_again_ms - age);
    return true;
}
