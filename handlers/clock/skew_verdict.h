/* SPDX-License-Identifier: MIT */
/* skew_verdict.h: do the clocks of all servers agree, and who differs? Pure: the state of
 * offsets.h in, verdict out. */
#ifndef SKEW_VERDICT_H
#define SKEW_VERDICT_H

#include "check/verdict.h"
#include "clock/local_clock.h"
#include "clock/offsets.h"

/* Judge, after offsets_begin() and offsets_receive(); keeps in the state what the next judgement
 * needs. now: own clocks, not before the latest state.
 *   passing   "3 clocks agree within 100 ms": every pair, the warning limit
 *             "1 clock: there is no other to compare it with"
 *             "this server does not vote: the voters compare their clocks"
 *   critical, warning: a pair is beyond that limit in two successive records, and may still
 *             be so by as much as is said, for limits()->clock_unproven_ms at most
 *             "server-3 differs by +2.0 s from server-1 and server-2 (limit 500 ms)"
 *             "server-1 and server-2 differ by 2.0 s (limit 500 ms)"
 *             "no majority: server-1, server-2 against server-3, server-4"
 *             "server-2 is wrong by +2.0 s, say its NTP servers (limit 100 ms)": where
 *             only they can tell who it is
 *   warning   that, of a server that is beyond against its NTP servers alone
 *             "server-2 is silent": no round for four intervals
 *             "waiting for the clocks of 3 servers": nothing was proven yet
 *             "cannot prove 100 ms: bound with server-2 is 500 ms (slow disk or network?)":
 *             not proven for limits()->clock_unproven_ms, or since some differed
 *             "52 servers: the clocks of at most 51 are compared"
 * The caller may add lines (local_clock_advice()) with verdict_note(). */
void skew_verdict_judge(struct offsets *offsets, const struct skew_limits *limits,
                        const struct local_clock_reading *now, struct verdict *ret);

/* The bytes of a summary without the guess at its end, "(slow disk or network?)", which has no
 * place beside a trouble that is known. */
size_t skew_verdict_known(const char *summary);

#endif
