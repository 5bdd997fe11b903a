/* SPDX-License-Identifier: MIT */
#include "clock/local_clock.h"

#include "base/boottime.h"
#include "base/error.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRIES      32
#define NEAR_NS    100000
#define SECOND_NS  INT64_C(1000000000)
#define SAFE_RATE  25    /* ppm: how far a disciplined clock wanders from its correction */
#define USUAL_TICK 10000 /* microseconds of a tick without correction */

/* ---- reading ------------------------------------------------------------- */

static int64_t now_ns(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) < 0)
        return 0;
    return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

/* Read `inner` between two readings of `outer`, as close together as can be had. */
static void read_between(clockid_t outer, clockid_t inner, int64_t ret_ns[3])
{
    for (int i = 0; i < TRIES; i++) {
        const int64_t before = now_ns(outer);
        const int64_t between = now_ns(inner);
        const int64_t after = now_ns(outer);
        if (i > 0 && after - before >= ret_ns[2] - ret_ns[0])
            continue;
        ret_ns[0] = before;
        ret_ns[1] = between;
        ret_ns[2] = after;
        if (after - before < NEAR_NS)
            return;
    }
}

/* The error covers half the bracket and cutting three readings to microseconds. */
void local_clock_read(struct local_clock_reading *ret)
{
    int64_t ns[3] = {0};
    read_between(CLOCK_MONOTONIC_RAW, CLOCK_REALTIME, ns);
    const int64_t half = (ns[2] - ns[0]) / 2;
    *ret = (struct local_clock_reading){
        .raw_us = (ns[0] + half) / 1000,
        .real_us = ns[1] / 1000,
        .err_us = half / 1000 + 2,
    };
}

const char *local_clock_boot(char ret[LOCAL_CLOCK_BOOT])
{
    int64_t ns[3] = {0};
    const char *id = boottime_boot_id();
    read_between(CLOCK_MONOTONIC, CLOCK_BOOTTIME, ns);
    const int64_t suspended = ns[1] - (ns[0] + (ns[2] - ns[0]) / 2);
    ret[0] = '\0';
    if (id[0])
        (void)snprintf(ret, LOCAL_CLOCK_BOOT, "%.40s+%lld", id,
                       (long long)((suspended + SECOND_NS / 2) / SECOND_NS));
    return ret;
}

/* ---- the kernel ---------------------------------------------------------- */

void local_clock_ask_kernel(struct local_clock_kernel *ret)
{
    struct timex timex = {.modes = 0};
    int state = ntp_adjtime(&timex);
    local_clock_read_kernel(state, &timex, ret);
}

/* In ppm, rounded up: freq has 16 bits of fraction. */
static int64_t correction(const struct timex *timex)
{
    const int64_t scaled = (timex->tick - (int64_t)USUAL_TICK) * 100 * 65536 + timex->freq;
    return (llabs(scaled) + 65535) / 65536;
}

void local_clock_read_kernel(int state, const struct timex *timex, struct local_clock_kernel *ret)
{
    *ret = (struct local_clock_kernel){.ppm = LOCAL_CLOCK_PPM_MOST};
    if (state < 0)
        return;
    ret->known = true;
    ret->synced = state != TIME_ERROR && !(timex->status & STA_UNSYNC);
    const int64_t ppm = correction(timex) + SAFE_RATE;
    if (ret->synced && ppm < LOCAL_CLOCK_PPM_MOST)
        ret->ppm = ppm > LOCAL_CLOCK_PPM_LEAST ? ppm : LOCAL_CLOCK_PPM_LEAST;
}

/* ---- who disciplines it -------------------------------------------------- */

#define COMM 15 /* characters of a name, as /proc shows it */

static const char *const daemons[LOCAL_CLOCK_DAEMONS] = {"chronyd", "ntpd", "systemd-timesyncd"};

static bool is_installed(const char *root, const char *name)
{
    static const char *const places[] = {"/usr/sbin", "/sbin", "/usr/lib/systemd", "/lib/systemd"};
    char path[512];
    for (size_t i = 0; i < COUNT(places); i++) {
        int n = snprintf(path, sizeof path, "%s%s/%s", root, places[i], name);
        if (n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* The name of a process, "" when it is gone. */
static void read_comm(int proc, const char *pid, char *ret, size_t size)
{
    char path[64];
    ret[0] = '\0';
    int n = snprintf(path, sizeof path, "%.20s/comm", pid);
    int fd = n > 0 ? openat(proc, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    ssize_t len = read(fd, ret, size - 1);
    (void)close(fd);
    ret[len > 0 ? len : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

static void find_running(const char *root, struct local_clock_daemons *ret)
{
    char path[512];
    int n = snprintf(path, sizeof path, "%s/proc", root);
    DIR *proc = n > 0 && (size_t)n < sizeof path ? opendir(path) : NULL;
    const struct dirent *entry = NULL;
    while (proc && (entry = readdir(proc))) {
        char comm[32];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        read_comm(dirfd(proc), entry->d_name, comm, sizeof comm);
        for (int i = 0; i < LOCAL_CLOCK_DAEMONS; i++)
            ret->running[i] = ret->running[i] || strncmp(comm, daemons[i], COMM) == 0;
    }
    if (proc)
        (void)closedir(proc);
}

void local_clock_find_daemons(const char *root, struct local_clock_daemons *ret)
{
    *ret = (struct local_clock_daemons){0};
    for (int i = 0; i < LOCAL_CLOCK_DAEMONS; i++)
        ret->installed[i] = is_installed(root, daemons[i]);
    find_running(root, ret);
}

const char *local_clock_advice(const struct local_clock_kernel *kernel,
                               const struct local_clock_daemons *found,
                               char ret[LOCAL_CLOCK_ADVICE])
{
    const char *says = kernel->known ? "the kernel says its clock is not synchronised"
                                     : "the kernel does not say whether its clock is synchronised";
    char installed[64];
    char running[64];
    int n_installed = text_names(daemons, found->installed, LOCAL_CLOCK_DAEMONS, " or ", installed,
                                 sizeof installed);
    int n_running = text_names(daemons, found->running, LOCAL_CLOCK_DAEMONS, " and ", running,
                               sizeof running);
    ret[0] = '\0';
    if (n_running > 1)
        (void)snprintf(ret, LOCAL_CLOCK_ADVICE, "%s run side by side: one may set the clock",
                       running);
    else if (kernel->synced)
        return ret;
    else if (n_running == 1)
        (void)snprintf(ret, LOCAL_CLOCK_ADVICE, "%s (%s runs: does it reach its servers?)", says,
                       running);
    else if (n_installed > 0)
        (void)snprintf(ret, LOCAL_CLOCK_ADVICE, "%s (is %s running?)", says, installed);
    else
        (void)snprintf(ret, LOCAL_CLOCK_ADVICE,
                       "%s (is chronyd, ntpd or systemd-timesyncd running?)", says);
    return ret;
}
