/* SPDX-License-Identifier: MIT */
/* certificate.h: from when to when a certificate is valid. Pure. Of X.509 only the way to these two
 * dates is read (RFC 5280 section 4.1); what signs it is libcurl's and Consul's matter. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include "base/error.h"
#include "security/finding.h"

#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_SOON_S (30 * INT64_C(86400)) /* one that expires within this is a finding */

/* Seconds since the epoch. Of several: the time in which all are valid. */
struct certificate {
    int64_t from_s;
    int64_t until_s;
};

/* Of all certificates in a text in PEM (RFC 7468); what is between them does not count. Returns 0,
 * -ENOENT where there is none, -EBADMSG for one that is damaged. */
MUST_CHECK int certificate_read(const char *pem, struct certificate *ret, struct error *err);

/* Judge: expired, not valid yet, soon to expire? name: a file or a URL; renew: what repairs it. */
void certificate_judge(const struct certificate *certificate, const char *name, const char *renew,
                       int64_t now_s, struct findings *findings);

#endif
