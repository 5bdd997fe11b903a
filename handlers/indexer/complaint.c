/* SPDX-License-Identifier: MIT */
#include "indexer/complaint.h"

#include "base/boottime.h"
#include "base/program.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

bool complaint_is_time(int64_t *told_ms, int64_t distance_ms)
{
    int64_t now = boottime_ms();
    if (*told_ms && now - *told_ms < distance_ms)
        return false;
    *told_ms = now;
    return true;
}

void complaint_tell(struct complaint *complaint, const char *what, const char *text)
{
    char line[sizeof complaint->text];
    (void)snprintf(line, sizeof line, "%s: %s", what, text);
    bool same = strcmp(line, complaint->text) == 0;
    if (!complaint_is_time(&complaint->told_ms, same ? COMPLAINT_AGAIN_MS : COMPLAINT_OTHER_MS))
        return;
    memcpy(complaint->text, line, sizeof line);
    program_log(LOG_WARNING, "%s", line);
}
