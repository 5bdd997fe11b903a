/* SPDX-License-Identifier: MIT */
/* sntp.h: how far is the real clock of this machine from NTP servers?
 *
 * SNTPv4 as in RFC 5905, without authentication: anyone on the path can forge an
 * answer, anyone else cannot (connected socket, a random number as time stamp). So
 * it is a witness, not a judge.
 *
 * An answer bounds the server's clock against our raw clock: it read T2 after we had asked
 * and T3 before we received. What the server says about itself (half its root delay, its
 * root dispersion, its precision) widens that, then the age of the answer; last, real - raw
 * is taken away. A step or slew of the real clock in between does no harm.
 *
 * That the server's stamps are of when it says is taken on trust. A chronyd which the kernel
 * gives no receive stamps (the first moments after its start, on a busy machine) takes for
 * T2 when it woke up, which may be before the question came: with that enforced and both
 * cores loaded, 1 answer of 30,820 was wrong, by 2 ms, and 5 contradicted themselves. */
#ifndef SNTP_H
#define SNTP_H

#include "base/error.h"
#include "clock/local_clock.h"
#include "settings/setting_value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNTP_SERVERS 8   /* at most, in one call */
#define SNTP_TEXT    400 /* bytes of a text about a server, or about two */

/* lo_us <= x <= hi_us, microseconds. */
struct sntp_interval {
    int64_t lo_us, hi_us;
};

/* One server. */
struct sntp_answer {
    bool valid;
    struct sntp_interval offset; /* its clock minus our real clock, where valid */
    char text[SNTP_TEXT];        /* where not, why: "ntp1.example does not answer
                                    (UDP 123)"; says the same as long as it is the same */
};

struct sntp_result {
    struct local_clock_reading now;          /* the intervals are as of this reading */
    struct sntp_answer answer[SNTP_SERVERS]; /* in the order of the servers */
    int best; /* the valid one with the narrowest interval; -1: there is none */
    char contradiction[SNTP_TEXT]; /* "a and b contradict each other: ...", "" none: the
                                      first two whose intervals have nothing in common */
};

/* Ask n servers (at most SNTP_SERVERS) side by side: four times each, 200 ms apart, the
 * answer with the least delay counts. Several addresses of one name are asked in turn, as
 * if they were one server. Takes 0.6 s when all answer at once, at most
 * limits()->resolve_ms + reference_ms (2.5 s); SIGPIPE must be ignored (child.h). A server
 * that sends a kiss of death is asked no more. Own servers should not be asked more than every 15
 * s, others' not more than every minute.
 * Returns 0, also when nobody answers; negative errno when nobody could be asked. */
MUST_CHECK int sntp_ask(const struct host_port *servers, size_t n, struct sntp_result *ret,
                        struct error *err);

/* ---- the pure part -------------------------------------------------------- */

#define SNTP_PACKET 48 /* bytes, without extensions */

/* The question: mode 3, version 4, nothing else but `cookie` as transmit time stamp. A
 * server gives it back as origin time stamp and does not look at it. */
void sntp_request(uint64_t cookie, unsigned char ret[SNTP_PACKET]);

/* What a server says. */
struct sntp_stamps {
    int64_t received_us, sent_us; /* T2 <= T3 by its clock, microseconds since 1970 */
    int64_t error_us;             /* root delay / 2 + root dispersion + precision, below 16 s */
};

/* Judge an answer to the question with this cookie. Time stamps are of 1968 to 2104:
 * those with the first bit clear are of the era that begins in 2036 (RFC 4330,
 * section 3).
 * Returns 0; -EPROTO when it does not carry the cookie: the answer may still come;
 * -EACCES for a kiss of death: ask no more; -EBADMSG for any other of no use. The text
 * goes on after the name of the server: "is not synchronised itself". */
MUST_CHECK int sntp_read(const unsigned char *packet, size_t len, uint64_t cookie,
                         struct sntp_stamps *ret, struct error *err);

/* Bound the server's clock minus our raw clock.
 *
 * asked_us, heard_us  raw clock before sending, after receiving
 * now_us              raw clock: the bounds are as of then, each microsecond since
 *                     asked_us costs 500 ppm for our raw clock, 15 ppm for the server's
 * Returns 0, or -EBADMSG when the server claims to have taken longer than we waited. */
MUST_CHECK int sntp_bound(const struct sntp_stamps *stamps, int64_t asked_us, int64_t heard_us,
                          int64_t now_us, struct sntp_interval *ret, struct error *err);

/* Bounds against the raw clock to bounds against the real clock. */
struct sntp_interval sntp_against_real(struct sntp_interval raw,
                                       const struct local_clock_reading *now);

/* Fill in best and contradiction from the answers. */
void sntp_compare(const struct host_port *servers, size_t n, struct sntp_result *ret);

#endif
