/* SPDX-License-Identifier: MIT */
/* clock_state.h: what this server has received of the others' clocks, kept between runs in
 * <state-dir>/clock, and how it goes on: used by hear-clock and by verify-clock.
 *
 * The file is a cache without fsync, written by both programs under one lock: a JSON object,
 * its members are in the tables of clock_state.c and in offsets_json.h. Another release reads it,
 * too; it is dropped when it is damaged, of another boot, larger than 512 KiB or of a release that
 * wrote its memory there (0.1.0 and before): that costs some rounds. */
#ifndef CLOCK_STATE_H
#define CLOCK_STATE_H

#include "base/error.h"
#include "check/verdict.h"
#include "clock/figure.h"
#include "clock/local_clock.h"
#include "clock/offsets.h"
#include "consul/kv.h"
#include "settings/setting_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_STATE_REFERENCES 2400 /* bytes of CLOCK_REFERENCE as text */

/* What NTP servers said last; set by verify-clock. */
struct clock_state_reference {
    char servers[CLOCK_STATE_REFERENCES]; /* who was asked, "" nobody */
    int64_t asked_us;                     /* own raw clock */
    struct clock_reference found;         /* as of `at` */
    struct local_clock_reading at;
    int64_t shown_us;     /* by how much the clock is off at most, as shown */
    struct verdict notes; /* that, and who did not answer */
};

/* All-zero is empty. Some 160 KB: static, not on the stack. Holds no heap memory. */
struct clock_state {
    char node[SETTING_VALUE_NAME + 1]; /* this server; "" before the first heartbeat */
    int64_t at_us;                     /* when records were received last, own raw clock */
    int64_t sent_us[2];                /* raw stamps of its latest records, 0 none */
    int foreign;                       /* see clock_state_check_own() */
    struct clock_state_reference reference;
    struct verdict notes; /* what the heartbeat has to say besides the clocks: lines, and
                             a status to raise to with its reason as summary */
    struct verdict said;  /* what skew_verdict_judge() said when it was published last */

    /* Of this run, not kept. */
    char boot[LOCAL_CLOCK_BOOT];
    struct local_clock_kernel kernel;

    struct offsets offsets;
};

/* Take the lock for reading, changing, writing. Returns an fd for file_unlock() or negative
 * errno as file_lock(). */
MUST_CHECK int clock_state_lock(const char *state_dir, struct error *err);

/* Read the state; all-zero when there is none that can be used, but for boot and kernel,
 * which are asked. now: own clocks. */
void clock_state_read(const char *state_dir, const struct local_clock_reading *now,
                      struct clock_state *ret);

/* Write it; under the lock. Returns 0 or negative errno. */
MUST_CHECK int clock_state_write(const struct clock_state *h, const char *state_dir,
                                 struct error *err);

/* Begin a run: h->node and the participants are known; names NULL: those of the run before. A jump of the own clock goes to
 * syslog; returns whether there was one, so that the state must be written. */
bool clock_state_begin(struct clock_state *h, const char *const *names, size_t n,
                       const struct local_clock_reading *now);

/* Receive the records of participants in a list of KV entries.
 *
 * at       own clocks, read when the list was in memory
 * damaged  a line for each that cannot be used; may be NULL
 * A jump of somebody's clock goes to syslog. Returns how many were new. */
int clock_state_receive(struct clock_state *h, const struct kv_list *list,
                        const struct local_clock_reading *at, struct verdict *damaged);

/* Look whether the own record is the one this server has written. Somebody else's once may
 * be a snapshot that was restored; twice in a row is somebody else who writes under our name.
 * Returns whether that has to be said: until it was right some times. */
bool clock_state_check_own(struct clock_state *h, const struct kv_list *list);

/* The own clock against its NTP servers as of a stamp. */
struct clock_reference clock_state_reference(const struct clock_state *h,
                                             const struct local_clock_reading *stamp);

/* Judge. clocks: what skew_verdict_judge() says, the same for every run which knows the same;
 * whole: with what is kept in h->notes. */
void clock_state_judge(struct clock_state *h, const struct skew_limits *limits,
                       const struct local_clock_reading *now, struct verdict *clocks,
                       struct verdict *whole);

#endif
