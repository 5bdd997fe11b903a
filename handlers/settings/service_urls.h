/* SPDX-License-Identifier: MIT */
/* service_urls.h: LOG_ELASTICSEARCH_URL=consul:SERVICE, the passing instances of a service as
 * URLs. Anyone who can register a service chooses names, addresses and numbers: an instance is
 * used only when it is one of the hosts that policy allows, as a literal URL is.
 *
 * What rollout-logging has dealt with last is kept in <state-dir>/discovered, a cache: it
 * is what counts while no instance is passing. Pure but for that file. */
#ifndef SERVICE_URLS_H
#define SERVICE_URLS_H

#include "base/error.h"
#include "settings/policy.h"
#include "settings/settings.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

#define SERVICE_URLS_TEXT ((size_t)SETTINGS_URLS * (URL_TEXT + 1))

/* All-zero: no service is followed. Holds no heap memory. */
struct service_urls {
    char service[SETTING_VALUE_SERVICE];
    char urls[SERVICE_URLS_TEXT]; /* sorted, as LOG_ELASTICSEARCH_URL has them; "" none */
    char note[480];               /* what is wrong, for people; "" */
};

/* Judge an answer of health/service/SERVICE?passing, or a watch's payload: fills in urls
 * and note of *ret, whose service is set. Address: the instance's, else its node's. Scheme:
 * http, but https with the tag "https" or "scheme": "https" in its Meta. urls is "" when
 * no instance can be used or more than SETTINGS_URLS: one cannot know which are meant.
 * Returns 0 or -EBADMSG. */
MUST_CHECK int service_urls_judge(const cJSON *instances, const struct policy *policy,
                                  struct service_urls *ret, struct error *err);

/* Take the URLs of `last` where `now` has none and it is the same service; say so. */
void service_urls_keep(struct service_urls *now, const struct service_urls *last);

/* Is there anything in `now` that was not dealt with? No instances are no news: what
 * counts then is what was dealt with. */
bool service_urls_news(const struct service_urls *now, const struct service_urls *last);

/* Missing, unreadable: all-zero. The file is removed where no service is followed. */
void service_urls_read(const char *state_dir, struct service_urls *ret);
MUST_CHECK int service_urls_write(const char *state_dir, const struct service_urls *now,
                                  struct error *err);

#endif
