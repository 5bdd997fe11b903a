/* SPDX-License-Identifier: MIT */
/* complaint.h: what is wrong, for syslog: the same again after a while only, and never a flood. */
#ifndef COMPLAINT_H
#define COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

#define COMPLAINT_OTHER_MS 10000  /* at least between two troubles told */
#define COMPLAINT_AGAIN_MS 600000 /* and between the same told twice */

/* All-zero: nothing was told yet. */
struct complaint {
    int64_t told_ms; /* boottime.h */
    char text[600];
};

/* Did *told_ms happen at least that long ago, or never? Then it happens now. */
bool complaint_is_time(int64_t *told_ms, int64_t distance_ms);

/* Log the warning "what: text", if it is time. */
void complaint_tell(struct complaint *complaint, const char *what, const char *text);

#endif
