/* SPDX-License-Identifier: MIT */
/* local_clock.h: this server's own clocks, and what the kernel says of them.
 *
 * CLOCK_MONOTONIC_RAW is never stepped nor slewed; what NTP does shows only in the
 * difference of the two, real - raw. It stands still while the machine is suspended,
 * so the boot text names every waking as a boot of its own. */
#ifndef LOCAL_CLOCK_H
#define LOCAL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/timex.h>

/* The two clocks at one moment, microseconds. */
struct local_clock_reading {
    int64_t raw_us;  /* CLOCK_MONOTONIC_RAW */
    int64_t real_us; /* CLOCK_REALTIME, since the epoch */
    int64_t err_us;  /* real_us - raw_us is wrong by at most this (half the bracket) */
};

/* Read raw, real, raw, again (at most 32 times) until the two raw readings are less than
 * 100 us apart; the narrowest try counts. As a send stamp: call it before the record is
 * built. As a state stamp: call it after the last byte is in memory. */
void local_clock_read(struct local_clock_reading *ret);

#define LOCAL_CLOCK_BOOT 64 /* bytes of a boot text */

/* "<boot_id>+<suspended s>": raw readings compare only under the same text. "" when the
 * kernel's boot id cannot be read. Returns ret. */
const char *local_clock_boot(char ret[LOCAL_CLOCK_BOOT]);

/* What the kernel says, ntp_adjtime(2). */
struct local_clock_kernel {
    bool known;  /* false: it could not be asked; the other two are the safe ones */
    bool synced; /* it says synchronised */
    int64_t ppm; /* bound of the raw clock's rate: when synchronised
                    min(500, max(50, |frequency correction| + 25)), else 500 */
};

#define LOCAL_CLOCK_PPM_LEAST 50
#define LOCAL_CLOCK_PPM_MOST  500

/* Ask. */
void local_clock_ask_kernel(struct local_clock_kernel *ret);

/* The same from an answer: state as returned by ntp_adjtime(), negative when it failed.
 * Pure. The correction is tick and freq together: chronyd slews with both. */
void local_clock_read_kernel(int state, const struct timex *timex, struct local_clock_kernel *ret);

/* Programs that discipline a clock, in this order: chronyd, ntpd, systemd-timesyncd. */
#define LOCAL_CLOCK_DAEMONS 3

struct local_clock_daemons {
    bool installed[LOCAL_CLOCK_DAEMONS]; /* a program of that name is in the usual places */
    bool running[LOCAL_CLOCK_DAEMONS];   /* a process of that name is visible in /proc */
};

/* Look for them below root, "" for the machine itself. */
void local_clock_find_daemons(const char *root, struct local_clock_daemons *ret);

#define LOCAL_CLOCK_ADVICE 160

/* Advice for this server, one line without line feed, "" when there is none: "the kernel
 * says its clock is not synchronised (is chronyd, ntpd or systemd-timesyncd running?)".
 * Pure. Returns ret. */
const char *local_clock_advice(const struct local_clock_kernel *kernel,
                               const struct local_clock_daemons *found,
                               char ret[LOCAL_CLOCK_ADVICE]);

#endif
