/* SPDX-License-Identifier: MIT */
/* http.h: one HTTP request, or several side by side, over libcurl; the only module that sees it.
 *
 * What answers is not trusted: http(s) alone, no redirect is followed, no proxy comes from
 * the environment, every request has a deadline which a dead resolver does not outlast, and
 * every answer a ceiling. Headers and what else may hold a secret are wiped. */
#ifndef HTTP_H
#define HTTP_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEADERS 4

/* Borrowed until the request is over. Texts may be NULL or "" for none. */
struct http_request {
    const char *method; /* none: GET, or POST where there is a body */
    const char *url;
    const char *body; /* NULL: none */
    size_t len;
    const char *header[HTTP_HEADERS]; /* lines */
    int64_t limit_ms;                 /* all of it; half of it until it is connected */
    size_t most;                      /* bytes of an answer */

    const char *unix_socket; /* connect to this, whatever the URL's host is */
    const char *server_name; /* https: the name the certificate must have */
    const char *ca;          /* files; ca none: the system's */
    const char *cert;
    const char *key;
    bool unverified;   /* https: do not look at the certificate */
    bool certificates; /* https: keep those that the server shows, for http_certificates() */
    bool greeting;     /* connect, TLS included, and no more: also to what speaks no HTTP */
    const char *user;
    const char *password;
};

/* How far a request got, in the order of its way. */
enum http_result {
    HTTP_OK, /* answered, whatever the status is */
    HTTP_DNS,
    HTTP_REFUSED,     /* TCP: nobody listens */
    HTTP_UNREACHABLE, /* TCP: no connection in time, no route */
    HTTP_UNTRUSTED,   /* TLS: certificate of an unknown CA */
    HTTP_EXPIRED,     /* TLS: certificate expired, or not valid yet */
    HTTP_OTHER_NAME,  /* TLS: certificate of another host */
    HTTP_NO_TLS,      /* TLS: any other failure */
    HTTP_SLOW,        /* connected, no answer in time */
    HTTP_CUT,         /* the connection ended before the answer did */
    HTTP_LARGE,       /* the answer is over its ceiling */
    HTTP_FOREIGN      /* what answers does not speak HTTP */
};

/* All-zero is none yet. The connection is kept for the next request. */
struct http {
    struct buffer answer; /* of the latest request */
    enum http_result result;
    bool late; /* its time was over */
    long status;
    const char *words; /* libcurl's for the result; static */

    void *curl; /* private, as is all below */
    void *headers;
    void *connect_to;
    char detail[256];
};

/* Make the request ready. Returns 0, -ENOMEM, or -EINVAL where a URL that is to get another
 * name is not one. */
int http_prepare(struct http *http, const struct http_request *request);

/* Perform what was made ready: one; all of n side by side, but for those that are all-zero.
 * The second returns 0 or -ENOMEM. */
void http_perform(struct http *http);
int http_perform_all(struct http *https, size_t n);

/* Append the certificates that the server has shown, in PEM; none where there was no TLS. Returns 0,
 * -EMSGSIZE or -ENOMEM. Valid until the connection ends. */
MUST_CHECK int http_certificates(const struct http *http, struct buffer *pem);

/* End the connection, free the answer. All-zero is fine. */
void http_release(struct http *http);

#endif
