/* apply_protocol.h: what apply-logging is asked to do: {"v":1,"settings":{"LOG_...":"text",...}}.
 *
 * It may come from anybody who can reach apply-logging, so nothing but settings is taken:
 * no other member, no other name, no name twice. */
#ifndef APPLY_PROTOCOL_H
#define APPLY_PROTOCOL_H

#include "base/buffer.h"
#include "base/error.h"
#include "consul/kv.h"

#include <stddef.h>

#define APPLY_PROTOCOL_MAX     65536 /* bytes */
#define APPLY_PROTOCOL_VERSION 1

/* Read it from fd to its end, at most APPLY_PROTOCOL_MAX bytes, within limits()->request_ms.
 * Returns 0, -EMSGSIZE, -ETIMEDOUT, or the negative errno of read(2). */
MUST_CHECK int apply_protocol_read(int fd, struct buffer *ret, struct error *err);

/* Append its settings to *list, keys as KV has them below settings_root. Returns 0,
 * -EBADMSG, -ENOENT (a member is missing), -ENOMEM; texts begin with "request: ". */
MUST_CHECK int apply_protocol_parse(const struct buffer *text, const char *settings_root,
                                    struct kv_list *list, struct error *err);

#endif
