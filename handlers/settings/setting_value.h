/* SPDX-License-Identifier: MIT */
/* setting_value.h: the types of settings: text from KV to checked values. Pure.
 *
 * Every function returns 0, or -EINVAL with what is wrong as the rest of a sentence that
 * begins with the value: "is neither Y nor N". Such a text repeats nothing of a URL.
 * Nothing is written to the caller's variables on failure, but lists: their count is
 * written last, their items earlier. */
#ifndef SETTING_VALUE_H
#define SETTING_VALUE_H

#include "base/error.h"
#include "net/host.h"
#include "net/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_VALUE_MAX  8192 /* bytes of a value; 51 servers with long names have 7,100 */
#define SETTING_VALUE_NAME 128  /* characters of a node name */

/* The barrier: printable ASCII without " \ $ % ` { } ' < > | ; & # and space. What passes
 * may be in a template; every type is narrower. len counts NULs, too. words: single spaces
 * between words are allowed, for values that never reach a template. */
MUST_CHECK int setting_value_barrier(const char *text, size_t len, bool words, struct error *err);

/* "Y" or "N". */
MUST_CHECK int setting_value_yes_no(const char *text, bool *ret, struct error *err);

/* One of n words; *ret_index is its place. */
MUST_CHECK int setting_value_word(const char *text, const char *const *words, size_t n,
                                  int *ret_index, struct error *err);

/* Name of an index or a data stream: [a-z0-9][a-z0-9._-]{0,99}. */
#define SETTING_VALUE_INDEX 101
MUST_CHECK int setting_value_index(const char *text, char ret[SETTING_VALUE_INDEX],
                                   struct error *err);

/* Duration (duration.h) from 0 to most_us. */
MUST_CHECK int setting_value_duration(const char *text, int64_t most_us, int64_t *ret_us,
                                      struct error *err);

/* Name of a source in policy.json, or of a credential: [A-Za-z0-9][A-Za-z0-9_-]{0,63}. */
#define SETTING_VALUE_SOURCE 65
MUST_CHECK int setting_value_source(const char *text, char ret[SETTING_VALUE_SOURCE],
                                    struct error *err);

/* Comma-separated sources, or URLs (url.h, in their one spelling), none twice, at least
 * one, at most `most`. */
MUST_CHECK int setting_value_sources(const char *text, char (*ret)[SETTING_VALUE_SOURCE],
                                     size_t most, size_t *ret_n, struct error *err);
MUST_CHECK int setting_value_urls(const char *text, char (*ret)[URL_TEXT], size_t most,
                                  size_t *ret_n, struct error *err);

/* A server of anything, where it listens. */
struct host_port {
    char host[HOST_TEXT]; /* normalised (host.h), IPv6 without brackets */
    int port;             /* 1..65535 */
};

/* Comma-separated NTP servers, "host[:port]" (url.h), none twice, at least one, at most
 * `most`. */
#define SETTING_VALUE_NTP_PORT 123 /* where none is given */
MUST_CHECK int setting_value_ntp_servers(const char *text, struct host_port *ret, size_t most,
                                         size_t *ret_n, struct error *err);

/* "mongodb://host[:port],...", a list as above; a user, a database and options are refused. */
#define SETTING_VALUE_MONGODB_PORT 27017
MUST_CHECK int setting_value_mongodb(const char *text, struct host_port *ret, size_t most,
                                     size_t *ret_n, struct error *err);

/* "consul:NAME": the instances of that service; NAME is [A-Za-z0-9][A-Za-z0-9_.-]{0,63}. */
#define SETTING_VALUE_SERVICE 65
MUST_CHECK int setting_value_service(const char *text, char ret[SETTING_VALUE_SERVICE],
                                     struct error *err);

/* "server_1=NODE,server_2=NODE,...": numbers 1..n without a gap, in any order; n odd,
 * 3..most; nodes [A-Za-z0-9_.-]{1,128}, none twice (case ignored). ret[i] is the node of
 * server_<i+1>. */
MUST_CHECK int setting_value_servers(const char *text, char (*ret)[SETTING_VALUE_NAME + 1],
                                     size_t most, size_t *ret_n, struct error *err);

/* A node name, or a host (host.h; an IPv6 address also in brackets, which are dropped).
 */
#define SETTING_VALUE_HOST 254
MUST_CHECK int setting_value_node_or_host(const char *text, char ret[SETTING_VALUE_HOST],
                                          struct error *err);

/* "NODE until 2026-11-23T18:00Z"; years 2020 to 2099. *ret_s: seconds since the epoch. */
MUST_CHECK int setting_value_until(const char *text, char ret_node[SETTING_VALUE_NAME + 1],
                                   int64_t *ret_s, struct error *err);

/* The value as it may be echoed: at most 60 printable ASCII characters (then "..."), others
 * '?'. Whatever is before the last '@' may be a secret: all but a scheme at
 * the beginning is replaced by "***". `value` is NUL-terminated. Returns ret. */
#define SETTING_VALUE_ECHO 80
const char *setting_value_echo(const char *value, size_t len, char ret[SETTING_VALUE_ECHO]);

#endif
