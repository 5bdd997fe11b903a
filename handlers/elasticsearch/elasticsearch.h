/* SPDX-License-Identifier: MIT */
/* elasticsearch.h: asking an Elasticsearch (or OpenSearch) who it is and what has arrived in it,
 * and writing to it.
 *
 * What answers is not trusted (http.h). Of an answer nothing but its status, a cluster_uuid of
 * allowed characters and numbers leaves this module. A secret is never in a text. */
#ifndef ELASTICSEARCH_H
#define ELASTICSEARCH_H

#include "base/error.h"
#include "net/http.h"
#include "settings/credential.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELASTICSEARCH_ANSWER  (256 * 1024)      /* bytes */
#define ELASTICSEARCH_WRITTEN (8 * 1024 * 1024) /* bytes of an answer to a _bulk request */
#define ELASTICSEARCH_UUID    64                /* bytes with NUL */

/* What became of a question, in the order of its way. */
enum elasticsearch_trouble {
    ELASTICSEARCH_OK, /* from here to FOREIGN as enum http_result */
    ELASTICSEARCH_DNS,
    ELASTICSEARCH_REFUSED,     /* TCP: nobody listens */
    ELASTICSEARCH_UNREACHABLE, /* TCP: no connection in time, no route */
    ELASTICSEARCH_UNTRUSTED,   /* TLS: certificate of an unknown CA */
    ELASTICSEARCH_EXPIRED,     /* TLS: certificate expired, or not valid yet */
    ELASTICSEARCH_OTHER_NAME,  /* TLS: certificate of another host */
    ELASTICSEARCH_NO_TLS,      /* TLS: any other failure */
    ELASTICSEARCH_SLOW,        /* connected, no answer in time */
    ELASTICSEARCH_CUT,         /* the connection ended before the answer did */
    ELASTICSEARCH_LARGE,
    ELASTICSEARCH_FOREIGN, /* anything else that is no Elasticsearch */
    ELASTICSEARCH_BARRED,  /* not asked: the credential may not be sent there */
    ELASTICSEARCH_401,
    ELASTICSEARCH_403,
    ELASTICSEARCH_429,
    ELASTICSEARCH_5XX,          /* or not part of a cluster yet */
    ELASTICSEARCH_GARBAGE,      /* no JSON */
    ELASTICSEARCH_REDIRECT,     /* 3xx */
    ELASTICSEARCH_OLD,          /* before 7 */
    ELASTICSEARCH_NO_INDEX,     /* search: 404, nothing was ever written there */
    ELASTICSEARCH_UNSEARCHABLE, /* search: 400, probe records are mapped in another way */
    ELASTICSEARCH_UNTAKEN       /* write: 400 or 413, this request will never be taken */
};
_Static_assert(ELASTICSEARCH_FOREIGN == (int)HTTP_FOREIGN, "the same order");

/* Can it go away by itself: is it worth asking again before an admin has changed
 * anything? DNS, TCP, time limits, 429, 5xx. */
bool elasticsearch_passes(enum elasticsearch_trouble trouble);

/* May a credential, or its CA, be all that is missing? */
bool elasticsearch_demands(enum elasticsearch_trouble trouble);

/* The answer to GET /. text: a sentence that begins with the URL and says what to do, ""
 * when OK. uuid: "" unless OK. */
struct elasticsearch_greeting {
    enum elasticsearch_trouble trouble;
    char uuid[ELASTICSEARCH_UUID];
    char text[400];
};

/* GET / of n URLs (scheme://host:port, of settings) side by side, each within limit_ms.
 * credential: to ask with, NULL for none. It is kept from a URL which credential_judge()
 * refuses. Returns 0 with ret[i] filled in, or -ENOMEM. */
MUST_CHECK int elasticsearch_greet(const struct credential *credential, const char *const *urls,
                                   size_t n, int64_t limit_ms, struct elasticsearch_greeting *ret,
                                   struct error *err);

/* Where an index is, and how long one request may take. Borrowed. */
struct elasticsearch_place {
    const char *url; /* scheme://host:port */
    const char *index;
    const struct credential *credential; /* NULL: none; without a path, texts say "in use" */
    int64_t limit_ms;
};

/* POST /INDEX/_search with this body (JSON). Partial results are refused.
 * OK: *ret_answer is the caller's, to be freed with cJSON_Delete(), and not trusted;
 * otherwise NULL, with a sentence in err. */
MUST_CHECK enum elasticsearch_trouble elasticsearch_search(const struct elasticsearch_place *to,
                                                           const char *body, cJSON **ret_answer,
                                                           struct error *err);

/* Is to->index a data stream? False also when that cannot be known: to ask needs the index
 * privilege "view_index_metadata". */
bool elasticsearch_is_stream(const struct elasticsearch_place *to);

/* POST /INDEX/_bulk; of the answer only each item's status and error are asked for. http:
 * all-zero, or kept since the last request. The credential may be sent to this URL: nobody
 * judges that here. Returns and hands over as elasticsearch_search(). */
MUST_CHECK enum elasticsearch_trouble elasticsearch_write(struct http *http,
                                                          const struct elasticsearch_place *to,
                                                          const struct buffer *body,
                                                          cJSON **ret_answer, struct error *err);

#endif
