/* SPDX-License-Identifier: MIT */
/* measure.h: how long something takes, and how much memory. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stddef.h>

/* Microseconds, CLOCK_MONOTONIC. */
double measure_now_us(void);

/* Run a program with this file as stdin; fails the test unless it ends with `expected`.
 * Returns microseconds. */
double measure_process(const char *const *argv, const char *input_path, int expected);

/* Run a program to its end with /dev/null or, where input is not NULL, with this file as stdin, and
 * its output in files of these names. Returns the most memory that it had at any time, kB;
 * *ret_code: its exit code. */
long measure_peak_kb(const char *const *argv, const char *input, const char *out,
                     const char *errors, int *ret_code);

/* Sorts values[n], n > 0. share: 0.95 for the 95th percentile. */
double measure_quantile(double *values, size_t n, double share);
double measure_median(double *values, size_t n);

#endif
