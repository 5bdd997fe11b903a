/* SPDX-License-Identifier: MIT */
/* boottime.h: the clocks of this machine, and waiting.
 *
 * What lasts is measured by CLOCK_BOOTTIME: it counts while suspended and is never set. */
#ifndef BOOTTIME_H
#define BOOTTIME_H

#include <stdint.h>

/* Milliseconds since this boot began. A time of another boot is worthless: keep the boot
 * id with it (kernel's random/boot_id, "" when unreadable; borrowed). */
int64_t boottime_ms(void);
const char *boottime_boot_id(void);

/* The wall clock: CLOCK_REALTIME, milliseconds since the epoch. */
int64_t boottime_wall_ms(void);

/* Wait for all of that time, whatever signals arrive; nothing when it is not above 0. */
void boottime_sleep(int64_t ms);

#endif
