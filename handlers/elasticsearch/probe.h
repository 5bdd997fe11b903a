/* SPDX-License-Identifier: MIT */
/* probe.h: the probe log: small records which every server writes all the time and its
 * shipper ships like all others, so that everybody can see that records arrive.
 *
 * A line is
 *
 *   {"lictor":{"probe":"TOKEN","node":"NODE","at":MS}}
 *
 * TOKEN stands for a stream, which is a shipper (shipper_config.h) of a node: 32 hex digits, so
 * that it is one word for every index mapping. The shipper adds "revision" to "lictor", its own:
 * a record of this revision in Elasticsearch proves that this revision runs. Everything is
 * inside "lictor": any other member could be the first of its name in an index, and decide
 * how those of the real records are mapped.
 *
 * The file lies in a directory of the writer, which others can read (0755; scripts/enable
 * makes it): nobody else can put a link in its place. It begins again at PROBE_FILE_MAX
 * bytes. A new one becomes another file twice, so that a shipper which has lost it finds it
 * again. The shipper must ship nothing but lines of this form: a writer that was taken
 * over could put a link to the shipper's own secrets there. */
#ifndef PROBE_H
#define PROBE_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_FILE_MAX 65536 /* bytes */
#define PROBE_TOKEN    33    /* bytes with NUL */

/* What ships: the shipper of this name ("rsyslog") on this node. Borrowed. */
struct probe_stream {
    const char *node;
    const char *shipper;
};

/* Append a line of that stream as of now_ms (milliseconds since the epoch); readable for
 * everybody. Returns 0; -EPERM the directory is not ours alone, or the file is no plain
 * file of ours; -ENOENT no directory; -ENOSPC, ... : then the file is as it was. */
MUST_CHECK int probe_write(const char *path, const struct probe_stream *stream, int64_t now_ms,
                           struct error *err);

/* The token of a stream. */
void probe_token(const struct probe_stream *stream, char ret[PROBE_TOKEN]);

/* What was found of one stream: times its probe records were written at, milliseconds since
 * the epoch by the node's own clock, -1 for none. */
struct probe_found {
    int64_t newest_ms;   /* of all */
    int64_t revision_ms; /* of those which a shipper with the asked revision sent */
};

/* The body of a search for the newest records of n streams. revision: 64 hex digits. Records
 * older than a day, or from the future by more than an hour, do not count. The caller
 * free()s it; NULL when out of memory. */
char *probe_query(const struct probe_stream *streams, size_t n, const char *revision,
                  int64_t now_ms);

/* Read the answer (untrusted; numbers alone are taken from it) into ret[0..n). Returns 0
 * or -EBADMSG when it does not answer that question. */
MUST_CHECK int probe_parse(const cJSON *answer, size_t n, struct probe_found *ret,
                           struct error *err);

#endif
