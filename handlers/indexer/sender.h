/* SPDX-License-Identifier: MIT */
/* sender.h: bringing records into Elasticsearch, wherever the settings say. */
#ifndef SENDER_H
#define SENDER_H

#include "base/error.h"
#include "elasticsearch/elasticsearch.h"
#include "indexer/account.h"
#include "indexer/bulk.h"
#include "indexer/destination.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_RECORDS 1024 /* most in one request */

/* What became of records that cannot stay as they are, since the caller last zeroed it. */
struct sender_losses {
    size_t as_text;     /* written to INDEX-refused */
    size_t cut;         /* of these: longer than BULK_MESSAGE, the rest is lost */
    char why[BULK_WHY]; /* the error type of the last */
};

/* The first part is the caller's, borrowed; all else is all-zero to begin with. */
struct sender {
    void (*busy)(void *arg); /* called before each request, which may take limit_ms */
    void *arg;
    const struct destination *to;
    struct bulk *bulk;
    struct account *account; /* arrived, as_text and cut are counted there */
    const char *now;         /* for records without a time */
    int64_t limit_ms;

    struct sender_losses losses;
    struct http http; /* private, as is all below */
    size_t at;        /* the URL which answered last */
    size_t most;      /* records of the next request; 0: not known yet */
};

/* Send what waits in the bulk. What is refused twice, while the index takes another record of the
 * same request, or an empty one of ours, goes to INDEX-refused. When it takes none, all wait: then the index is to blame. Returns 0 when nothing waits any more; -EAGAIN with a
 * sentence when the rest is to be sent again in a while; -ENOMEM. */
MUST_CHECK int sender_send(struct sender *sender, struct error *err);

/* What became of the losses in a sentence for syslog, in ret; false: there are none. */
bool sender_describe(const struct sender *sender, char *ret, size_t size);

/* End the connection. */
void sender_release(struct sender *sender);

#endif
