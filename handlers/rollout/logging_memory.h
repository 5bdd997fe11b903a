/* SPDX-License-Identifier: MIT */
/* logging_memory.h: what the check of logging remembers from one look to the next:
 * <state-dir>/logging-check.json. Written by whoever judges the check; of two at once the later one
 * stands. A cache of this boot. */
#ifndef LOGGING_MEMORY_H
#define LOGGING_MEMORY_H

#include "base/error.h"
#include "base/held_since.h"
#include "elasticsearch/elasticsearch.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/* Free with logging_memory_release(). */
struct logging_memory {
    struct held_since spans;       /* "differ", "broken", "lost", "silent" */
    int64_t done;                  /* servers that had the wanted revision */
    char uuid[ELASTICSEARCH_UUID]; /* of the Elasticsearch seen last, "" none */
    cJSON *arrivals;               /* as delivery_gather_arrivals() has them; NULL none */
};

/* Nothing is remembered where state_dir is NULL or not ours alone, or the file is damaged or of
 * another boot. */
void logging_memory_read(const char *state_dir, struct logging_memory *ret);

/* Where there is no memory that is no failure. */
MUST_CHECK int logging_memory_write(const char *state_dir, const struct logging_memory *memory,
                                    struct error *err);

void logging_memory_release(struct logging_memory *memory);

#endif
