/* SPDX-License-Identifier: MIT */
/* verdict.h: what a verification found, as data; rendering; publishing. */
#ifndef VERDICT_H
#define VERDICT_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>

/* In order of severity; the numbers are the exit codes (program.h). */
enum verdict_status { VERDICT_PASSING, VERDICT_WARNING, VERDICT_CRITICAL };

/* "passing", "warning", "critical". */
const char *verdict_status_name(enum verdict_status status);

#define VERDICT_SUMMARY 400
#define VERDICT_OUTPUT  4000 /* bytes: Consul keeps 4096 of a check's output */

/* A verdict. All-zero is an empty passing one. Holds no heap memory. Texts must be
 * deterministic: no ages, counters or time stamps that change when nothing changed
 * (each change is a raft write). */
struct verdict {
    enum verdict_status status;
    char summary[VERDICT_SUMMARY]; /* the first line, without the status word */
    char details[3500];            /* lines, each ending in '\n' */
};

/* Set status and summary. */
void verdict_set(struct verdict *v, enum verdict_status status, const char *fmt, ...) FORMAT(3, 4);

/* Add a line to the details, wrapped at 80 columns; when they are full the last line
 * says so. Non-printables become '?'. */
void verdict_note(struct verdict *v, const char *fmt, ...) FORMAT(2, 3);

/* Raise the status to at least this. */
void verdict_raise(struct verdict *v, enum verdict_status status);

/* The text as shown: "warning: summary\ndetails", at most VERDICT_OUTPUT bytes. Of a summary that
 * is longer than the first line may be, 100 columns, the rest follows below it. */
void verdict_render(const struct verdict *v, char ret[VERDICT_OUTPUT + 1]);

#endif
