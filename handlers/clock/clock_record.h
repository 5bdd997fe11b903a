/* SPDX-License-Identifier: MIT */
/* clock_record.h: what a server tells the others about its clocks, KV key lictor/clock/<node>:
 *
 *   {"v":1,"boot":"<boot_id>+<suspended s>","raw":R,"real":R,"err":E,"ppm":P,
 *    "synced":true,"heard":{"n2":{"boot":"..","raw":R,"at":R}},
 *    "reference":{"offset":O,"err":E}}
 *
 * Integers, microseconds. "heard" says of each other server which of its records was received
 * last (its boot and raw, copied) and when (own raw clock). "reference" is only there where
 * NTP servers were asked. Pure: no I/O. */
#ifndef CLOCK_RECORD_H
#define CLOCK_RECORD_H

#include "base/buffer.h"
#include "base/error.h"
#include "clock/local_clock.h"
#include "clock/offsets.h"

#include <stddef.h>

#define CLOCK_RECORD_PREFIX "lictor/clock/"
#define CLOCK_RECORD_LIMIT  32768 /* bytes of a record; 51 servers need some 14,000 */
#define CLOCK_RECORD_KEY    (sizeof CLOCK_RECORD_PREFIX + SETTING_VALUE_NAME)

/* The key of a node's record. Returns ret. */
const char *clock_record_key(const char *node, char ret[CLOCK_RECORD_KEY]);

/* Read a record (attacker-controlled: anyone who can write KV), with what it says of `own`, a
 * node name. Unknown members are ignored; times are from 0 to OFFSETS_MOST, whether they make
 * sense together is offsets_receive()'s to judge. Returns 0, or -EBADMSG with a text that goes on
 * after the key: "is not JSON", "\"raw\" is not an integer". */
MUST_CHECK int clock_record_parse(const char *text, size_t len, const char *own,
                                  struct clock_record *ret, struct error *err);

/* Append this server's record.
 *
 * skew       what it has received; offsets_begin() was called
 * stamp      own clocks, read before anything of this
 * reference  as of the stamp
 * Returns 0, -EMSGSIZE or -ENOMEM. */
MUST_CHECK int clock_record_format(const struct offsets *offsets,
                                   const struct local_clock_reading *stamp,
                                   const struct local_clock_kernel *kernel,
                                   const struct clock_reference *reference, struct buffer *out);

#endif
