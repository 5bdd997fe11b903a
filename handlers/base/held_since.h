/* SPDX-License-Identifier: MIT */
/* held_since.h: since when something holds, across runs of a program.
 *
 * Times are CLOCK_BOOTTIME milliseconds with the boot id; a span of another boot, or a
 * lost file, begins now. One file of spans per check, <state-dir>/<name>.spans, a cache
 * without fsync. */
#ifndef HELD_SINCE_H
#define HELD_SINCE_H

#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define HELD_SINCE_MAX  200
#define HELD_SINCE_NAME 32

/* All-zero is empty. Holds no heap memory. */
struct held_since {
    int64_t now_ms; /* time of this run */
    struct {
        char name[HELD_SINCE_NAME];
        int64_t since_ms;
    } span[HELD_SINCE_MAX];
    int n;
};

/* From and to the member "since_ms" of a document of this boot (state_begin()); root NULL gives
 * none. held_since_save: false when out of memory. */
void held_since_load(const cJSON *root, struct held_since *spans);
bool held_since_save(const struct held_since *spans, cJSON *root);

/* Read <state_dir>/<name>.spans as of now. A file that is missing, of another boot or does
 * not parse gives none. state_dir NULL: no memory at all. */
void held_since_read(const char *state_dir, const char *name, struct held_since *spans);

/* Say whether a condition holds in this run. Of name the first 31 bytes count; beyond 200
 * spans nothing is remembered. Returns for how long it has held, ms: 0 in
 * the first run in which it holds, -1 when it does not (its memory is dropped). */
int64_t held_since_note(struct held_since *spans, const char *name, bool holds);

/* For how long a condition has held, as of this run, ms; -1: it did not hold at the last. */
int64_t held_since_ms(const struct held_since *spans, const char *name);

/* Move a running span's begin forward by delta_ms, so that this time does not count. */
void held_since_forgive(struct held_since *spans, const char *name, int64_t delta_ms);

/* Time since the look before this one, ms, 0 where there was none; this one is remembered. */
int64_t held_since_look(struct held_since *spans);

/* Of a span that runs: what has passed since the look before (pause_ms of held_since_look()) does
 * not count. Returns for how long it has held then, ms; -1: it does not run. */
int64_t held_since_excuse(struct held_since *spans, const char *name, int64_t pause_ms);

/* Write it back; with state_dir NULL do nothing. Returns 0 or negative errno. */
MUST_CHECK int held_since_write(const struct held_since *spans, const char *state_dir,
                                const char *name, struct error *err);

#endif
