/* SPDX-License-Identifier: MIT */
/* duration.h: "2h30m", "100ms" to numbers and back.
 *
 * Units are those SEAL documents for its service keys (s|sec, m|min, h|hr, d,
 * w|wk, months, y|yr; concatenable: "4m2s"), plus ms and us. A month is 30 days, a year
 * 365 days. */
#ifndef DURATION_H
#define DURATION_H

#include "base/error.h"

#include <stdint.h>

/* Parse a duration. No sign, no fraction, no blanks; "0" alone needs no unit.
 * Returns 0 with *ret_us in microseconds (0..INT64_MAX), -EINVAL when it is not
 * a duration, -ERANGE when it does not fit. */
MUST_CHECK int duration_parse(const char *text, int64_t *ret_us);

#define DURATION_TEXT 32 /* bytes: enough for any text duration_format() makes */

/* Write the shortest exact text: 90000000 -> "1m30s", 1500 -> "1500us", 0 -> "0s",
 * 100000 -> "100ms". Uses d, h, m, s, ms, us. us >= 0. Returns text. */
const char *duration_format(int64_t us, char text[DURATION_TEXT]);

#endif
