/* SPDX-License-Identifier: MIT */
#include "base/version.h"

/* The Makefile defines it for this file alone. */
#ifndef LICTOR_VERSION
#define LICTOR_VERSION "test"
#endif

const char *version_text(void)
{
    return LICTOR_VERSION;
}
