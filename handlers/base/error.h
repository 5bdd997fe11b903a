/* SPDX-License-Identifier: MIT */
/* error.h: how a failure travels from a module to main().
 *
 * A function that can fail returns int: 0, or a negative errno value (libuv uses
 * the same numbers). The number is for decisions, the text is for people: the
 * function that sees the failure writes the text, callers pass the number on,
 * and main() prints the text once. Modules never print and never exit. */
#ifndef ERROR_H
#define ERROR_H

#define FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK        __attribute__((warn_unused_result))

/* Items of an array (no pointer). */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Text of the most recent failure, "" when there was none. Holds no heap memory:
 * declare it as `struct error err = {0};` and forget it. */
struct error {
    char text[512];
};

/* Record a failure and give its number back, for `return error_set(...)`.
 *
 * err   may be NULL: the text is dropped
 * code  negative errno value
 * Returns code. Text beyond 511 bytes is cut. The arguments may point into
 * err->text itself, so that a caller can put a sentence around a text. */
int error_set(struct error *err, int code, const char *fmt, ...) FORMAT(3, 4);

/* The same for a system call that has just failed: "cannot VERB PATH: No such file or directory".
 * Returns -errno. */
int error_errno(struct error *err, const char *verb, const char *path);

#endif
