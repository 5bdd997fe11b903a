/* SPDX-License-Identifier: MIT */
/* fake_ntp.h: an NTP server that says what it is told to, for what a real one cannot be
 * made to say: lies, silence, garbage. One thread, one UDP socket, loopback. */
#ifndef FAKE_NTP_H
#define FAKE_NTP_H

#include "settings/setting_value.h"

#include <stddef.h>
#include <stdint.h>

struct fake_ntp;

/* How it treats question k (from 0 on): send what and as often as you like. `answer` has
 * 48 bytes, a true answer of a server of stratum 2, and may be changed. */
#define FAKE_NTP_PACKET 48
struct fake_ntp_manners {
    void (*answer)(struct fake_ntp *ntp, unsigned k, unsigned char *answer);
    int64_t offset_us; /* its clock minus ours */
};

/* Listen on a free port of this address. manners NULL: it answers with our own time;
 * copied. Fails the test when it cannot. */
struct fake_ntp *fake_ntp_start(const char *address, const struct fake_ntp_manners *manners);
void fake_ntp_stop(struct fake_ntp *ntp);

struct host_port fake_ntp_server(const struct fake_ntp *ntp);

/* How often it was asked; what was asked, FAKE_NTP_PACKET bytes, and from which port. */
unsigned fake_ntp_asked(struct fake_ntp *ntp);
const unsigned char *fake_ntp_question(struct fake_ntp *ntp, unsigned k);
int fake_ntp_from(struct fake_ntp *ntp, unsigned k);

/* For manners.answer: to whoever asked last; from another port of ours. */
void fake_ntp_send(struct fake_ntp *ntp, const void *bytes, size_t n);
void fake_ntp_send_elsewhere(struct fake_ntp *ntp, const void *bytes, size_t n);

/* This machine's real clock, microseconds since 1970. */
int64_t fake_ntp_now_us(void);

/* Write a time stamp (microseconds since 1970) to 8 bytes of a packet. */
void fake_ntp_stamp(unsigned char *bytes, int64_t us);

#endif
