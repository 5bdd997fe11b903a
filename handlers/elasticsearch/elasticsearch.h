/* elastic.h: asking an Elasticsearch (or OpenSearch) who it is and what has arrived in it,
 * and writing to it, over libcurl.
 *
 * What answers is not trusted: http(s) alone, no redirect is followed, no proxy comes from
 * the environment, every request has a time limit and every answer a ceiling.
 * Of an answer nothing but its status, a cluster_uuid of allowed characters and numbers
 * leaves this module. A secret never stands in a text. */
#ifndef ELASTIC_H
#define ELASTIC_H

#include "base/error.h"
#include "settings/credential.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELASTIC_ANSWER  (256 * 1024)      /* bytes */
#define ELASTIC_WRITTEN (8 * 1024 * 1024) /* bytes of an answer to a _bulk request */
#define ELASTIC_UUID    64                /* bytes with NUL */

/* What became of a question, in the order of its way. */
enum elastic_trouble {
    ELASTIC_OK,
    ELASTIC_BARRED, /* not asked: the credential may not be sent there */
    ELASTIC_DNS,
    ELASTIC_REFUSED,     /* TCP: nobody listens */
    ELASTIC_UNREACHABLE, /* TCP: no connection in time, no route */
    ELASTIC_UNTRUSTED,   /* TLS: certificate of an unknown CA */
    ELASTIC_EXPIRED,     /* TLS: certificate expired, or not valid yet */
    ELASTIC_OTHER_NAME,  /* TLS: certificate of another host */
    ELASTIC_NO_TLS,      /* TLS: any other failure */
    ELASTIC_SLOW,        /* connected, no answer in time */
    ELASTIC_CUT,         /* the connection ended before the answer did */
    ELASTIC_401,
    ELASTIC_403,
    ELASTIC_429,
    ELASTIC_5XX, /* or not part of a cluster yet */
    ELASTIC_LARGE,
    ELASTIC_GARBAGE,      /* no JSON */
    ELASTIC_REDIRECT,     /* 3xx */
    ELASTIC_FOREIGN,      /* anything else that is no Elasticsearch */
    ELASTIC_OLD,          /* before 7 */
    ELASTIC_NO_INDEX,     /* search: 404, nothing was ever written there */
    ELASTIC_UNSEARCHABLE, /* search: 400, probe records are mapped in another way */
    ELASTIC_UNTAKEN       /* write: 400 or 413, this request will never be taken */
};

/* Can it go away by itself: is it worth asking again before an admin has changed
 * anything? DNS, TCP, time limits, 429, 5xx. */
bool elastic_passes(enum elastic_trouble trouble);

/* May a credential, or its CA, be all that is missing? */
bool elastic_demands(enum elastic_trouble trouble);

/* The answer to GET /. text: a sentence that begins with the URL and says what to do, ""
 * when OK. uuid: "" unless OK. */
struct elastic_greeting {
    enum elastic_trouble trouble;
    char uuid[ELASTIC_UUID];
    char text[400];
};

/* GET / of n URLs (scheme://host:port, of settings) side by side, each within limit_ms.
 * credential: to ask with, NULL for none. It is kept from a URL which credential_judge()
 * refuses. Returns 0 with ret[i] filled in, or -ENOMEM. */
MUST_CHECK int elastic_greet(const struct credential *credential,
                             const char *const *urls, size_t n, int64_t limit_ms,
                             struct elastic_greeting *ret, struct error *err);

/* POST /INDEX/_search with this body (JSON) within limit_ms. Partial results are refused.
 * OK: *ret_answer is the caller's, to be freed with cJSON_Delete(), and not trusted;
 * otherwise NULL, with a sentence in err. */
MUST_CHECK enum elastic_trouble elastic_search(const struct credential *credential,
                                               const char *url, const char *index,
                                               const char *body, int64_t limit_ms,
                                               cJSON **ret_answer, struct error *err);

/* A connection that is kept for the next request. All-zero is none yet. */
struct elastic_link {
    void *curl; /* private */
};

/* POST /INDEX/_bulk of len bytes within limit_ms; of the answer only each item's status and
 * error type are asked for. credential: NULL, or one that may be sent to this URL: nobody
 * judges that here. Returns and hands over as elastic_search(). */
MUST_CHECK enum elastic_trouble
elastic_write(struct elastic_link *link, const struct credential *credential,
              const char *url, const char *index, const char *body, size_t len,
              int64_t limit_ms, cJSON **ret_answer, struct error *err);

/* End the connection. All-zero is fine. */
void elastic_link_release(struct elastic_link *link);

#endif
