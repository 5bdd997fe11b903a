/* SPDX-License-Identifier: MIT */
/* apply_protocol.h: what rollout-logging and apply-logging say to each other. Both directions.
 *
 *   request  {"v":1,"settings":{"LOG_...":"text",...}}
 *   answer   {"v":1,"state":"done"|"failed","revision":R,"changed":B,"recovered":B,
 *             "reason":"text","rollback_failed":[PATH...]}
 *
 * The request may come from anybody who can reach apply-logging, so nothing but settings is taken:
 * no other member, no other name, no name twice. */
#ifndef APPLY_PROTOCOL_H
#define APPLY_PROTOCOL_H

#include "base/buffer.h"
#include "base/error.h"
#include "consul/kv.h"

#include <stdbool.h>
#include <stddef.h>

#define APPLY_PROTOCOL_MAX 65536 /* bytes of a request, and of an answer */

/* Format a request with those LOG_ settings of the table that are among the entries; other keys
 * are not handed over. The caller cJSON_free()s *ret. Returns 0, -ENOMEM, -ENAMETOOLONG, or what
 * no second attempt changes: -EBADMSG (a value holds a NUL), -EMSGSIZE. */
MUST_CHECK int apply_protocol_format_request(const struct kv_list *entries,
                                             const char *settings_root, char **ret,
                                             struct error *err);

/* Read a request from fd to its end, within limits()->request_ms.
 * Returns 0, -EMSGSIZE, -ETIMEDOUT, or the negative errno of read(2). */
MUST_CHECK int apply_protocol_read(int fd, struct buffer *ret, struct error *err);

/* Append its settings to *list, keys as KV has them below settings_root. Returns 0,
 * -EBADMSG, -ENOENT (a member is missing), -ENOMEM; texts begin with "request: ". */
MUST_CHECK int apply_protocol_parse_request(const struct buffer *text, const char *settings_root,
                                            struct kv_list *list, struct error *err);

/* What apply-logging has to say; borrowed. */
struct apply_answer {
    bool done;                 /* the settings are in force */
    const char *revision;      /* of them */
    bool changed;              /* a file was replaced or removed */
    bool recovered;            /* a run that was killed was rolled back first */
    const char *reason;        /* why not; done: a remark, "" none */
    const char *const *failed; /* files that could not be brought back */
    size_t n_failed;
};

/* The caller free()s the text; NULL when out of memory. */
char *apply_protocol_format_answer(const struct apply_answer *answer);

/* What rollout-logging takes of an answer. */
struct apply_result {
    bool done; /* false: failed, the files before are back unless rollback_failed */
    bool changed;
    bool rollback_failed;
    char reason[300]; /* printable, "" when done */
};

/* Parse an answer about `revision`. 0, or -EBADMSG or -ENOENT when it is none: then nothing is
 * known. */
MUST_CHECK int apply_protocol_parse_answer(const char *text, size_t len, const char *revision,
                                           struct apply_result *ret, struct error *err);

#endif
