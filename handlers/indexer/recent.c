/* SPDX-License-Identifier: MIT */
#include "indexer/recent.h"

#include "indexer/bulk.h"
#include "indexer/queue_line.h"
#include "indexer/queue_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM    (2 * RECENT_MAX) /* half of it stays free */
#define AT_ONCE 1000             /* records in memory */
#define BYTES   (1U << 20)

static struct recent_id *place(const struct recent *recent, uint64_t hash)
{
    size_t i = hash % ROOM;
    while (recent->id[i].hash && recent->id[i].hash != hash)
        i = (i + 1) % ROOM;
    return &recent->id[i];
}

static uint64_t hash_of(const char *id, size_t len)
{
    const uint64_t hash = queue_line_hash(id, len);
    return hash ? hash : 1;
}

int recent_add(struct recent *recent, const char *id, size_t len, int64_t number)
{
    if (!recent->id)
        recent->id = calloc(ROOM, sizeof *recent->id);
    if (!recent->id)
        return -ENOMEM;
    struct recent_id *at = place(recent, hash_of(id, len));
    if (!at->hash && recent->n == RECENT_MAX)
        return 0;
    recent->n += !at->hash;
    *at = (struct recent_id){hash_of(id, len), number};
    return 0;
}

void recent_open(struct recent *recent, const char *dir)
{
    struct queue_reader reader = QUEUE_READER_INIT;
    struct bulk bulk = {.n = 0};
    int rc = 0;
    queue_reader_open(&reader, dir);
    queue_reader_rewind(&reader, RECENT_BYTES);
    do {
        bulk_clear(&bulk);
        rc = queue_reader_fill(&reader, &bulk, AT_ONCE, BYTES, NULL);
        for (size_t i = 0; rc == 0 && i < bulk.n; i++) {
            const char *id = bulk.text.data + bulk.record[i].at;
            rc = recent_add(recent, id, strlen(id), bulk.record[i].number);
        }
    } while (rc == 0 && bulk.n > 0);
    bulk_release(&bulk);
    queue_reader_close(&reader);
}

int64_t recent_find(const struct recent *recent, const char *id, size_t len)
{
    return recent->id ? place(recent, hash_of(id, len))->number : 0;
}

void recent_release(struct recent *recent)
{
    free(recent->id);
    *recent = (struct recent){.n = 0};
}
