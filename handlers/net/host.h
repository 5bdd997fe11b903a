/* SPDX-License-Identifier: MIT */
/* host.h: hosts as words from outside: names, addresses, ranges. Pure, asks no DNS: a
 * name that resolves to a forbidden address is not seen here. */
#ifndef HOST_H
#define HOST_H

#include "base/error.h"

#include <stdbool.h>

#define HOST_TEXT 254 /* bytes of a host with NUL (RFC 1035: 253 characters) */

/* Bring a host to its one spelling: a name in lower case, an IPv4 address as four
 * decimals, an IPv6 literal (no brackets, no zone) as inet_ntop(3) has it.
 *
 * Names are letters, digits, '-' and '.' in labels of 1..63. What ends in a number
 * (digits or 0x...) must be a full IPv4 address: resolvers take "127.1", "0x7f.1"
 * and "2130706433" for addresses as well (inet_aton(3)).
 * Returns 0, or -EINVAL with what is wrong, as the rest of a sentence: "has no host". */
MUST_CHECK int host_normalise(const char *text, char ret[HOST_TEXT], struct error *err);

/* Is it this machine or link-local: 127/8, 0/8, 169.254/16, ::/96 (so ::1), fe80::/10,
 * also as IPv4-mapped IPv6, or one of the names every system has for itself
 * (localhost, ip6-localhost, *.localhost, localhost.*, ...)? `host` is normalised. */
bool host_is_local(const char *host);

/* Check and normalise an entry of a list of allowed hosts: a host, "*.domain", a range
 * ("10.0.0.0/8", "fd00::/8"), or "*". Returns 0 or -EINVAL with what is wrong. */
MUST_CHECK int host_entry(const char *text, char ret[HOST_TEXT], struct error *err);

/* Does the entry allow the host (both normalised)? "*.domain" does not allow the domain
 * itself. A local host is only allowed by an entry that is local as a whole: neither
 * by "*" nor by "0.0.0.0/0". */
bool host_allowed(const char *host, const char *entry);

#endif
