/* SPDX-License-Identifier: MIT */
/* ntp_reference.h: ask the NTP servers of CLOCK_REFERENCE how far this server's clock is off. */
#ifndef NTP_REFERENCE_H
#define NTP_REFERENCE_H

#include "clock/clock_state.h"
#include "clock/local_clock.h"
#include "settings/settings.h"

/* Ask when it is time: at most every limits()->reference_again_ms, or when other servers are
 * set than were asked. Takes up to 2.5 s (sntp.h): not under a lock.
 *
 * now  own clocks
 * r    what is known; brought up to date. Servers which contradict each other prove
 *      nothing: found.known is false, and notes says which. Nobody set: empty. */
void ntp_reference_ask(const struct settings *settings, const struct local_clock_reading *now,
                       struct clock_state_reference *r);

#endif
