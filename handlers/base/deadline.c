/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include "base/boottime.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

static int64_t begin_ms, end_ms; /* end_ms 0: none */

void deadline_begin(int64_t ms)
{
    begin_ms = boottime_ms();
    end_ms = begin_ms + ms;
}

void deadline_skip(int64_t ms)
{
    if (end_ms == 0)
        return;
    begin_ms += ms;
    end_ms += ms;
}

int64_t deadline_left(void)
{
    int64_t now = boottime_ms();
    if (end_ms == 0)
        return INT64_MAX;
    return end_ms > now ? end_ms - now : 0;
}

int64_t deadline_length(void)
{
    return end_ms - begin_ms;
}

/* ---- of the process ------------------------------------------------------ */

/* All that the signal handler needs, made before: it may call next to nothing. */
static struct {
    char text[200];
    size_t len;
    int fd, code;
} last;

static void end_process(int number)
{
    (void)number;
    ssize_t ignored = write(last.fd, last.text, last.len);
    (void)ignored;
    _exit(last.code);
}

void deadline_of_process(int64_t ms, const char *text, int fd, int code)
{
    const struct itimerval when = {
        .it_value = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)}};
    (void)snprintf(last.text, sizeof last.text, "%s: no end within %g s\n", text,
                   (double)ms / 1000);
    last.len = strlen(last.text);
    last.fd = fd;
    last.code = code;
    (void)signal(SIGALRM, end_process);
    (void)setitimer(ITIMER_REAL, &when, NULL);
}
