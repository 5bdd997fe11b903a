/* SPDX-License-Identifier: MIT */
/* url.h: the URL of a server: scheme, host and port, nothing else.
 *
 * A URL is never passed on as it came: it is taken apart here and built again, so that
 * nothing gets through that has no place in one. Libraries that parse URLs let quotes,
 * backslashes, '$' and user parts pass: they parse, they do not protect. */
#ifndef URL_H
#define URL_H

#include "base/error.h"
#include "net/host.h"

#include <stdbool.h>

#define URL_PORT 9200 /* where none is given, as Elasticsearch's clients have it */
#define URL_TEXT 300  /* bytes of a URL with NUL */

struct url {
    bool https;
    char host[HOST_TEXT]; /* normalised (host.h), IPv6 without brackets */
    int port;             /* 1..65535 */
};

/* Parse "http(s)://host[:port]"; one "/" at the end is dropped, anything else after the
 * host refused. Returns 0, or -EINVAL with what is wrong; the text repeats nothing of
 * the URL, whose user part may be a secret. */
MUST_CHECK int url_parse(const char *text, struct url *ret, struct error *err);

/* Parse "host[:port]", an IPv6 address in brackets; `port` is meant where none is given.
 * Returns and refuses as url_parse(); ret->https is left alone. */
MUST_CHECK int url_parse_authority(const char *text, int port, struct url *ret, struct error *err);

/* "scheme://host:port" in its one spelling. Returns ret. */
const char *url_format(const struct url *url, char ret[URL_TEXT]);

#endif
