/* apply_client.h: hand settings to apply-logging and read its answer (rollout's side). */
#ifndef APPLY_CLIENT_H
#define APPLY_CLIENT_H

#include "base/error.h"
#include "consul/kv.h"

#include <stdbool.h>

/* What apply-logging answered. */
struct apply_result {
    bool done; /* false: failed, the files before are back unless rollback_failed */
    bool changed;
    bool rollback_failed;
    char reason[300]; /* printable, "" when done */
};

/* The request: {"v":1,"settings":{KEY:VALUE,...}} with the LOG_ entries of our place.
 * The caller free()s the text; NULL when out of memory or a value is no text. */
char *apply_client_request(const struct kv_list *entries, const char *settings_root);

/* Parse an answer. 0, or -EBADMSG when it is none: then nothing is known. */
MUST_CHECK int apply_client_answer(const char *text, size_t len, const char *revision,
                                   struct apply_result *ret, struct error *err);

/* Hand over the request and wait at most limits()->apply_ms.
 *
 * Where <config_dir>/apply-socket is, one line with the absolute path of a Unix socket,
 * apply-logging runs behind that as another user, and never otherwise. Without that file
 * the sibling program is run directly, with <state_dir>/apply as its directory.
 *
 * 0 with *ret filled in; also when nobody listens at the socket, for then it is known that
 * nothing was done. Negative when there was no answer: the outcome is unknown, and
 * running it again recovers. */
MUST_CHECK int apply_client_run(const char *config_dir, const char *state_dir, const char *request,
                                const char *revision, struct apply_result *ret, struct error *err);

#endif
