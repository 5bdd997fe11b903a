/* SPDX-License-Identifier: MIT */
/* problems.h: what is wrong, as a verification finds it: the first one is part of the verdict's
 * first line, each is a line of its own with what to do about it. */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include "check/verdict.h"

#include <stddef.h>

#define PROBLEMS_FIRST 200 /* bytes of a problem */

/* Begin with the verdict that gets the lines: {.v = v}. */
struct problems {
    struct verdict *v;
    int n;
    char first[PROBLEMS_FIRST];
};

/* Add "WHAT: todo". */
void problems_add(struct problems *p, const char *todo, const char *fmt, ...) FORMAT(3, 4);

/* For the end of the first line: ": FIRST, and 2 more", "" for none. Returns ret. */
const char *problems_say(const struct problems *p, char *ret, size_t size);

#endif
