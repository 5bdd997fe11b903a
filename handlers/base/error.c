/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;
    char text[sizeof err->text]; /* the arguments may be err->text */
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    memcpy(err->text, text, sizeof text);
    return code;
}

int error_errno(struct error *err, const char *verb, const char *path)
{
    int code = errno;
    return error_set(err, -code, "cannot %s %s: %s", verb, path, strerror(code));
}
