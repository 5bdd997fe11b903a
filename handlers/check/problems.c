/* SPDX-License-Identifier: MIT */
#include "check/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void problems_add(struct problems *p, const char *todo, const char *fmt, ...)
{
    char what[sizeof p->first];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (p->n++ == 0)
        memcpy(p->first, what, sizeof what);
    verdict_note(p->v, "%s: %s", what, todo);
}

const char *problems_say(const struct problems *p, char *ret, size_t size)
{
    ret[0] = '\0';
    if (p->n > 1)
        (void)snprintf(ret, size, ": %s, and %d more", p->first, p->n - 1);
    else if (p->n == 1)
        (void)snprintf(ret, size, ": %s", p->first);
    return ret;
}
