/* SPDX-License-Identifier: MIT */
/* offsets.h: bound the offset of the real clocks of any two servers, from the records that
 * they exchange. Pure: no I/O, no heap; the caller reads records, clocks and state.
 *
 * How a run goes:
 *   1. struct offsets from the state file; offsets_valid() or all-zero
 *   2. offsets_begin() with the voters
 *   3. per record of the payload or answer: offsets_receive(), with one local_clock_read() made
 *      after its last byte was in memory; a jump it reports goes to syslog
 *   4. skew_verdict_judge() (skew_verdict.h), state back into the file
 *   5. who writes the own record: local_clock_read() first, then "heard": boot, record.raw_us
 *      ("raw") and heard_us ("at") of every server[] whose boot is not ""
 * A lost state costs some rounds, nothing else. Sensible to about 25 servers. */
#ifndef OFFSETS_H
#define OFFSETS_H

#include "base/error.h"
#include "check/verdict.h"
#include "clock/figure.h"
#include "clock/local_clock.h"
#include "clock/offset_bound.h"
#include "settings/setting_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OFFSETS_SERVERS 51 /* more are refused */

/* Largest value of any time or offset: what JSON numbers carry exactly. */
#define OFFSETS_MOST INT64_C(9007199254740992)

/* A server's clock against its NTP servers, as of the stamp of its record: who measured
 * it earlier adds the change of real - raw since then to offset_us, and ppm times the age
 * to err_us. */
struct clock_reference {
    bool known;
    int64_t offset_us; /* the server's clock minus true time */
    int64_t err_us;    /* at most this wrong, >= 0 */
};

/* What a record says it received of this server. */
struct clock_echo {
    bool known;                  /* there is an entry for this server */
    char boot[LOCAL_CLOCK_BOOT]; /* our boot, copied */
    int64_t raw_us;              /* our raw stamp, copied */
    int64_t at_us;               /* the peer's raw clock when it received it */
};

/* A record lictor/clock/<node> of another server. */
struct clock_record {
    char boot[LOCAL_CLOCK_BOOT];
    struct local_clock_reading clock;
    int64_t ppm; /* LOCAL_CLOCK_PPM_LEAST..LOCAL_CLOCK_PPM_MOST */
    bool synced;
    struct clock_echo echo;
    struct clock_reference reference;
};

/* This server. Texts are borrowed. */
struct offsets_own {
    const char *name;
    const char *boot; /* local_clock_boot() */
    int64_t ppm;      /* local_clock_ask_kernel() */
    struct clock_reference reference;
};

struct skew_limits {
    int64_t warning_us;  /* CLOCK_SKEW_WARNING */
    int64_t critical_us; /* CLOCK_SKEW_CRITICAL */
};

/* ---- state: plain data, kept between runs --------------------------------- */

#define OFFSETS_VERSION 1

/* A participant. Times are the own raw clock unless said otherwise. */
struct offsets_server {
    char name[SETTING_VALUE_NAME + 1];
    int64_t round_us; /* newest round, of any boot; at first: participant since */

    /* The record received last, whether or not it made a round: what the own record echoes.
     * boot "": none was received yet. */
    char boot[LOCAL_CLOCK_BOOT];
    struct local_clock_reading record; /* its clocks */
    int64_t heard_us;                  /* when it was first received */

    /* Rounds of that boot, and the record of the newest one: what is stated is as of it. */
    struct offset_bound rounds;
    struct local_clock_reading peer; /* its clocks by that record */
    struct local_clock_reading own;  /* own clocks when it was received */
    int64_t ppm;
    bool synced;
    struct clock_reference reference;
    int64_t peer_moved_us; /* real - raw since the round before, its and ours: */
    int64_t own_moved_us;  /* clocks that are being slewed prove less */

    bool wrong;       /* its reference was beyond the warning limit and is not within yet */
    int64_t shown_us; /* by how much it was said to differ */
    int64_t shown_reference_us; /* the same from its NTP servers */
};

enum offsets_standing { OFFSETS_NOTHING, OFFSETS_AGREED, OFFSETS_DIFFERED };

/* Two participants beyond a limit. */
struct offsets_beyond {
    int records;    /* in a row, 0..2; 2: it is proven, and not refuted since */
    int64_t end_us; /* own raw clock: no later record proves anything new */
};

/* Two participants. */
struct offsets_pair {
    struct offsets_beyond warning;
    struct offsets_beyond critical;
    int64_t shown_us; /* by how much they differ, as shown */
    int64_t bound_us; /* and at most, as shown; 0: no bound */
};

#define OFFSETS_PAIRS (OFFSETS_SERVERS * (OFFSETS_SERVERS - 1) / 2)

/* All-zero is empty. Some 140 KB: better static than on the stack. A file needs only the
 * first n servers, their first rounds.n rounds and the first n (n - 1) / 2 pairs. */
struct offsets {
    int version;                 /* OFFSETS_VERSION */
    char boot[LOCAL_CLOCK_BOOT]; /* of this server */
    struct skew_limits limits;
    int n;                                         /* participants, 0..OFFSETS_SERVERS */
    struct offsets_server server[OFFSETS_SERVERS]; /* by name (strverscmp) */
    struct offsets_pair pair[OFFSETS_PAIRS];       /* offsets_pair_at() */
    struct local_clock_reading own;                /* own clocks last seen, for jumps */

    enum offsets_standing standing; /* what was proven last ... */
    int64_t proven_us;              /* ... and since when it is not proven any more */
    char agreed[VERDICT_SUMMARY];   /* OFFSETS_AGREED: in words */

    /* not kept: of this run, set by offsets_begin() */
    int self;       /* index of this server, -1: does not take part */
    size_t refused; /* number of participants when there are too many, else 0 */
    int64_t own_ppm;
};

/* Where the pair of i and j is, in either order; its offset is the larger one minus the other. */
int offsets_pair_at(int i, int j);

/* May a state that was read be used: version, boot, every number in its range, every text
 * printable and ended, no time after now_us? */
bool offsets_valid(const struct offsets *offsets, const char *boot, int64_t now_us);

/* ---- a run ---------------------------------------------------------------- */

/* The index of a participant; -1: it is none. */
int offsets_find(const struct offsets *offsets, const char *name);

/* Take the participants of this run: names[n], any order, node names, this server among them
 * when it votes; NULL: as before. Who is new begins without rounds, who left is forgotten, what was proven of the
 * others stays. More than OFFSETS_SERVERS are refused (skew_verdict_judge() says so).
 * Another boot or version empties the state. now: own clocks.
 * Returns by how much the own real clock was stepped or slewed since the run before, beyond
 * 10 ms, microseconds; 0 for less. */
int64_t offsets_begin(struct offsets *offsets, const struct offsets_own *own,
                      const char *const *names, size_t n, const struct local_clock_reading *now);

enum offsets_received {
    OFFSETS_KNOWN,    /* the same record again, a stranger's or the own one: nothing done */
    OFFSETS_RECEIVED, /* new, but it proves nothing: no echo, or one that does not count */
    OFFSETS_ROUND,    /* made a round */
    OFFSETS_NONSENSE, /* refused: a value out of its range */
};

/* Receive a record of a participant.
 *
 * at           own clocks, read after the record was in memory
 * ret_jump_us  by how much its real clock was stepped or slewed since the record before, beyond
 *              10 ms and what the rate of its raw clock explains; else 0
 * A record counts as a round only when it echoes our present boot, was received before it was
 * stamped and the echoed stamp is at most limits()->clock_echo_ms old. */
enum offsets_received offsets_receive(struct offsets *offsets, const char *name,
                                      const struct clock_record *record,
                                      const struct local_clock_reading *at, int64_t *ret_jump_us);

#define OFFSETS_EVENT 192

/* "clock of server-3 stepped or slewed by -2.0 s", for syslog. Returns ret. */
const char *offsets_jump_text(const char *name, int64_t jump_us, char ret[OFFSETS_EVENT]);

/* The offset of two real clocks, and when it was so (own raw clock). */
struct clock_offset {
    int64_t lo_us, hi_us; /* it lies between */
    int64_t from_us;      /* not before: the earlier record was stamped then, or later */
    int64_t to_us;        /* not after: both were received by then */
    int64_t moved_us;     /* how far both moved against their raw clocks since the round
                             before */
};

/* The offset of servers i and j (i minus j, indices into server[]) as of their latest
 * rounds: every clock counts as it was at the stamp of its record, the own one as it was when
 * the other one's record was received. now_us: own raw clock.
 * Returns 0, or -ENODATA when one of them has no round. */
MUST_CHECK int offsets_between(const struct offsets *offsets, int i, int j, int64_t now_us,
                               struct clock_offset *ret);

/* Lower and upper bound of the offset without its sign. */
int64_t clock_offset_least(const struct clock_offset *offset);
int64_t clock_offset_most(const struct clock_offset *offset);

#endif
