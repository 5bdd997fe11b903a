/* SPDX-License-Identifier: MIT */
/* offsets_json.h: what offsets.h keeps between runs, as members of a JSON object. Pure.
 *
 *   "version":1,"boot":"..","warning":W,"critical":C,"own":[raw,real,err],"standing":S,"proven":T,
 *   "agreed":"..","servers":[{"name":"n2","boot":"..","record":[raw,real,err],...,
 *   "rounds":[sent,got,stamped,heard, ...]},...],
 *   "pairs":[warning records, its end, critical records, its end, shown, bound, ...]
 *
 * Times are integers, microseconds. A member that is missing counts as 0, one that nobody knows is
 * passed by: so an older and a newer release can read each other's. */
#ifndef OFFSETS_JSON_H
#define OFFSETS_JSON_H

#include "base/json.h"
#include "clock/offsets.h"

#include <stdbool.h>

/* Add them to an object, which may be NULL. False: out of memory. */
bool offsets_json_save(const struct offsets *offsets, cJSON *object);

/* Read them, whatever they are, into *ret, which is all-zero; offsets_valid() says whether it can
 * be used. Returns 0, or -EBADMSG when a member is of another type, length or range. */
MUST_CHECK int offsets_json_load(const cJSON *object, struct offsets *ret, struct error *err);

#endif
