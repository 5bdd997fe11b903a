/* SPDX-License-Identifier: MIT */
/* delivery_gather.h: gather what delivery.h judges: ask Elasticsearch, with this server's own
 * eyes, and remember what was seen before.
 *
 * Everything together takes at most twice limits()->elasticsearch_ms. */
#ifndef DELIVERY_GATHER_H
#define DELIVERY_GATHER_H

#include "base/error.h"
#include "delivery/delivery.h"
#include "elasticsearch/probe.h"
#include "settings/settings.h"

#include <stddef.h>
#include <stdint.h>

/* What to ask. Borrowed. */
struct delivery_question {
    const char *config_dir;
    const struct settings *settings; /* judged, LOG_ENABLED=Y */
    const char *revision;            /* of these settings */
    const char *const *nodes;        /* whose records are looked for */
    size_t n;
};

/* All-zero is empty; free with delivery_gather_release(). */
struct delivery_gathered {
    struct elasticsearch_greeting url[SETTINGS_URLS]; /* in the order of the setting */
    size_t urls;
    enum delivery_sight sight;
    char sight_text[sizeof(struct error)];
    int64_t asked_ms;          /* this server's clock, ms since the epoch */
    struct probe_found *found; /* of each node, with SEEN: where several log shippers
                                  carry probes, of the one whose are oldest */
};

/* Ask. Whatever Elasticsearch says, or does not, is gathered and no failure: returns 0 or
 * -ENOMEM. */
MUST_CHECK int delivery_gather(const struct delivery_question *question,
                               struct delivery_gathered *ret, struct error *err);

void delivery_gather_release(struct delivery_gathered *gathered);

/* Write a probe record of this server for each of its shippers that names a probe log.
 * Returns 0, also when the shippers cannot be read (delivery_gather() says so), or why one
 * of the logs could not be written. */
MUST_CHECK int delivery_write_probes(const char *config_dir, const char *node, struct error *err);

/* Judge how the records of each node arrive (delivery_arrival()) by what was found and by what
 * is remembered: {NODE:{"newest":MS,"since":BOOT TIME}}, NULL nothing. Returns what to remember
 * for the next time, to be freed with cJSON_Delete(); NULL when out of memory. Only with SEEN. */
cJSON *delivery_gather_arrivals(const struct delivery_gathered *gathered, const cJSON *before,
                                const char *const *nodes, size_t n, enum delivery_arrival *ret);

#endif
