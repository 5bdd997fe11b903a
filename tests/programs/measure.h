/* SPDX-License-Identifier: MIT */
/* measure.h: how long something takes, for make bench. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

/* Microseconds, CLOCK_MONOTONIC. */
double measure_now_us(void);

/* Run a program with this file as stdin; fails the test unless it ends with `expected`.
 * Returns microseconds. */
double measure_process(const char *const *argv, const char *input_path, int expected);

/* Sorts values[n], n > 0. share: 0.95 for the 95th percentile. */
double measure_quantile(double *values, size_t n, double share);
double measure_median(double *values, size_t n);

#endif
