/* SPDX-License-Identifier: MIT */
/* resolve.h: addresses of hosts, with a deadline that holds.
 *
 * getaddrinfo(3) may take as long as resolv.conf likes. In a thread of libuv it cannot be
 * cancelled and exit(3) waits for it; so getent(1) asks in a child, which can be ended. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define RESOLVE_GETENT    "/usr/bin/getent"
#define RESOLVE_HOSTS     8  /* at most, in one call */
#define RESOLVE_ADDRESSES 4  /* that are kept of a host */
#define RESOLVE_ADDRESS   46 /* bytes with NUL (INET6_ADDRSTRLEN) */

struct resolve_result {
    char address[RESOLVE_ADDRESSES][RESOLVE_ADDRESS]; /* as inet_ntop(3) has them */
    size_t n;                                         /* 0: see text */
    char text[100]; /* after the name of the host: "cannot be resolved" */
};

/* Find the addresses of n hosts (host.h; at most RESOLVE_HOSTS) side by side, best first (RFC 6724); an address
 * is its own, without a child.
 *
 * getent  RESOLVE_GETENT, or a test's own
 * Returns 0, or negative errno when children cannot be run at all. */
MUST_CHECK int resolve_hosts(const char *getent, const char *const *hosts, size_t n,
                             int64_t timeout_ms, struct resolve_result *ret, struct error *err);

#endif
