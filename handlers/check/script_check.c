/* SPDX-License-Identifier: MIT */
#include "check/script_check.h"

#include "base/buffer.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

/* The file holds the exit code as one digit, then the text. */
int script_check_choose(const char *state_dir, const char *name, const struct verdict *v, bool led,
                        bool rested, char ret[SCRIPT_CHECK_TEXT], bool *ret_changed)
{
    char path[FILE_PATH];
    char now[SCRIPT_CHECK_TEXT + 1];
    struct error ignored = {0};
    struct buffer last = BUFFER_INIT(sizeof now);
    int n = snprintf(path, sizeof path, "%s/%s.last", state_dir, name);
    bool kept = n > 0 && n < (int)sizeof path;
    now[0] = (char)('0' + (int)v->status);
    verdict_render(v, now + 1);
    if (!kept || file_read(path, &last, &ignored) < 0 || last.len < 2)
        buffer_clear(&last);
    *ret_changed = strcmp(now, buffer_text(&last)) != 0;
    const bool may = led && (rested || buffer_text(&last)[0] != now[0]);
    const char *shown = may || last.len == 0 ? now : buffer_text(&last);
    /* A full disk costs the memory, not the verdict. */
    if (kept && may && *ret_changed &&
        file_replace(path, now, strlen(now), 0600, false, &ignored) < 0)
        *ret_changed = true;
    (void)snprintf(ret, SCRIPT_CHECK_TEXT, "%s", shown + 1);
    int code = shown[0] - '0';
    buffer_release(&last);
    return code;
}
