/* SPDX-License-Identifier: MIT */
/* replies.h: what the stand-in for Elasticsearch sends, good and spoiled. */
#ifndef REPLIES_H
#define REPLIES_H

#include <cjson/cJSON.h>
#include <microhttpd.h>

/* Send `json` with an HTTP status; it is freed. Returns what a handler of libmicrohttpd
 * returns. */
enum MHD_Result reply(struct MHD_Connection *connection, int status, cJSON *json);

/* Send an error as Elasticsearch words it. Returns as reply(). */
enum MHD_Result reply_error(struct MHD_Connection *connection, int status, const char *type,
                            const char *reason);

/* Send what `mode` asks for (fake_elasticsearch.c lists them), or nothing at all, ever.
 * Returns as reply(). */
enum MHD_Result reply_spoiled(struct MHD_Connection *connection, const char *mode);

#endif
