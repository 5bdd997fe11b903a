/* SPDX-License-Identifier: MIT */
/* What every test includes: cmocka, which needs four headers before it, and what nearly all use. */
#ifndef TEST_H
#define TEST_H

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A row of a table writes only what differs from its default. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#endif
