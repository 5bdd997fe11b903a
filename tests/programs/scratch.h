/* SPDX-License-Identifier: MIT */
/* scratch.h: a fresh directory for every test, for cmocka_unit_test_setup_teardown(). */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "base/error.h"

#include <sys/stat.h>

extern char scratch_dir[128]; /* absolute, without symbolic links */

int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* With what a program is told to use: config/, and state/, 0700. */
int scratch_set_up_program(void **state);

/* A path in it; eight of them at a time. */
const char *scratch_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A name in it, or a whole path of scratch_at(). get: "" when it is not there; free() it. */
void scratch_put(const char *name, const char *text, mode_t mode);
char *scratch_get(const char *name);
void scratch_assert_file(const char *name, const char *expected);
void scratch_mkdir(const char *name, mode_t mode);

/* err has this text; "@" in it is the directory. */
void scratch_assert_text(const struct error *err, const char *expected);

#endif
