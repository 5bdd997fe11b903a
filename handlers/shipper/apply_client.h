/* SPDX-License-Identifier: MIT */
/* apply_client.h: run apply-logging with a request and take its answer. */
#ifndef APPLY_CLIENT_H
#define APPLY_CLIENT_H

#include "base/error.h"
#include "shipper/apply_protocol.h"

/* Hand over the request and wait at most limits()->apply_ms.
 *
 * Where <config_dir>/apply-socket is, one line with the absolute path of a Unix socket,
 * apply-logging runs behind that as another user, and never otherwise. Without that file
 * the sibling program is run directly, with <state_dir>/apply as its directory.
 *
 * 0 with *ret filled in; also when nobody listens at the socket, for then it is known that
 * nothing was done. Negative when there was no answer, or what it takes to ask was lacking here
 * (descriptors, memory): the outcome is unknown, and running it again recovers. */
MUST_CHECK int apply_client_run(const char *config_dir, const char *state_dir, const char *request,
                                const char *revision, struct apply_result *ret, struct error *err);

#endif
