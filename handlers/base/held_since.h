/* span.h: since when something holds, across runs of a program.
 *
 * Times are CLOCK_BOOTTIME milliseconds with the boot id; a span of another boot, or a
 * lost file, begins now. One file of spans per check, <state-dir>/<name>.spans, a cache
 * without fsync. */
#ifndef SPAN_H
#define SPAN_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SPAN_MAX  16
#define SPAN_NAME 32

/* All-zero is empty. Holds no heap memory. */
struct spans {
    int64_t now_ms; /* time of this run */
    struct {
        char name[SPAN_NAME];
        int64_t since_ms;
    } span[SPAN_MAX];
    int n;
};

/* Read <state_dir>/<name>.spans as of now. A file that is missing, of another boot or does
 * not parse gives none. state_dir NULL: no memory at all. */
void span_read(const char *state_dir, const char *name, struct spans *spans);

/* Say whether a condition holds in this run. Of name the first 31 bytes count; beyond 16
 * spans nothing is remembered. Returns for how long it has held, ms: 0 in
 * the first run in which it holds, -1 when it does not (its memory is dropped). */
int64_t span_hold(struct spans *spans, const char *name, bool holds);

/* Move a running span's begin forward by delta_ms, so that this time does not count. */
void span_forgive(struct spans *spans, const char *name, int64_t delta_ms);

/* Write it back; with state_dir NULL do nothing. Returns 0 or negative errno. */
MUST_CHECK int span_write(const struct spans *spans, const char *state_dir,
                          const char *name, struct error *err);

#endif
