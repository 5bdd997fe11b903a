/* clock.h: the two clocks of this machine, read together.
 *
 * The real clock (CLOCK_REALTIME) is stepped and slewed: no span can be measured on it.
 * The raw clock (CLOCK_MONOTONIC_RAW) never is, but starts anywhere and runs at its own
 * rate. What somebody does to the real clock is the difference real - raw. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* All in microseconds. The real clock was real_us (since 1970) at a moment when the raw
 * clock was between raw_us and raw_us + err_us, so real - raw is between
 * real_us - raw_us - err_us and real_us - raw_us. */
struct clock_reading {
    int64_t raw_us, real_us;
    int64_t err_us; /* 2 or more; above 100 only on a machine without any rest */
};

/* Read raw, real, raw, again until the raw readings are less than 100 us apart. */
struct clock_reading clock_read(void);

/* The raw clock alone, microseconds. */
int64_t clock_raw_us(void);

#endif
