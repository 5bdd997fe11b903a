/* SPDX-License-Identifier: MIT */
#include "fake_ntp.h"

#include "clock/local_clock.h"
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define QUESTIONS 64

struct fake_ntp {
    struct fake_ntp_manners manners;
    struct host_port server;
    int fd, other; /* sockets */
    pthread_t thread;
    atomic_bool stop;
    atomic_uint asked;
    unsigned char question[QUESTIONS][FAKE_NTP_PACKET];
    struct sockaddr_storage from[QUESTIONS], last;
};

int64_t fake_ntp_now_us(void)
{
    struct local_clock_reading now;
    local_clock_read(&now);
    return now.real_us;
}

void fake_ntp_stamp(unsigned char *bytes, int64_t us)
{
    uint64_t stamp = (uint64_t)(us / 1000000 + INT64_C(2208988800)) << 32 |
                     ((uint64_t)(us % 1000000) << 32) / 1000000;
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(stamp >> (56 - 8 * i));
}

static socklen_t size_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

void fake_ntp_send(struct fake_ntp *ntp, const void *bytes, size_t n)
{
    (void)sendto(ntp->fd, bytes, n, 0, (struct sockaddr *)&ntp->last, size_of(&ntp->last));
}

void fake_ntp_send_elsewhere(struct fake_ntp *ntp, const void *bytes, size_t n)
{
    (void)sendto(ntp->other, bytes, n, 0, (struct sockaddr *)&ntp->last, size_of(&ntp->last));
}

/* Version 4, mode 4, stratum 2, precision 2^-23 s, root delay and dispersion 244 us. */
static void answer(struct fake_ntp *ntp, unsigned k)
{
    unsigned char packet[FAKE_NTP_PACKET] = {0x24, 2, 6, 0xe9, [7] = 16, [11] = 16, 10, 0, 0, 1};
    int64_t now_us = fake_ntp_now_us() + ntp->manners.offset_us;
    memcpy(packet + 24, ntp->question[k] + 40, 8);
    fake_ntp_stamp(packet + 16, now_us - 1000000);
    fake_ntp_stamp(packet + 32, now_us);
    fake_ntp_stamp(packet + 40, now_us);
    if (ntp->manners.answer)
        ntp->manners.answer(ntp, k, packet);
    else
        fake_ntp_send(ntp, packet, sizeof packet);
}

static void *serve(void *arg)
{
    struct fake_ntp *ntp = arg;
    while (!ntp->stop) {
        socklen_t len = sizeof ntp->last;
        unsigned k = ntp->asked;
        if (k == QUESTIONS || recvfrom(ntp->fd, ntp->question[k], FAKE_NTP_PACKET, 0,
                                       (struct sockaddr *)&ntp->last, &len) != FAKE_NTP_PACKET)
            continue;
        ntp->from[k] = ntp->last;
        ntp->asked++;
        answer(ntp, k);
    }
    return NULL;
}

static int port_of(const struct sockaddr_storage *address)
{
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

/* A socket on a free port. */
static int listen_at(const char *address, int *ret_port)
{
    struct sockaddr_storage at = {.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET};
    struct timeval limit = {.tv_usec = 20000}; /* serve() looks whether to stop */
    socklen_t len = size_of(&at);
    void *bytes = at.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&at)->sin6_addr
                                           : (void *)&((struct sockaddr_in *)&at)->sin_addr;
    int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || inet_pton(at.ss_family, address, bytes) != 1 ||
        bind(fd, (struct sockaddr *)&at, len) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        harness_fail("cannot listen at UDP %s", address);
    *ret_port = port_of(&at);
    return fd;
}

struct fake_ntp *fake_ntp_start(const char *address, const struct fake_ntp_manners *manners)
{
    struct fake_ntp *ntp = calloc(1, sizeof *ntp);
    int other = 0;
    if (!ntp)
        harness_fail("no memory for a fake NTP server");
    if (manners)
        ntp->manners = *manners;
    (void)snprintf(ntp->server.host, sizeof ntp->server.host, "%s", address);
    ntp->fd = listen_at(address, &ntp->server.port);
    ntp->other = listen_at(address, &other);
    if (pthread_create(&ntp->thread, NULL, serve, ntp) != 0)
        harness_fail("cannot start a thread");
    return ntp;
}

void fake_ntp_stop(struct fake_ntp *ntp)
{
    ntp->stop = true;
    (void)pthread_join(ntp->thread, NULL);
    (void)close(ntp->fd);
    (void)close(ntp->other);
    free(ntp);
}

struct host_port fake_ntp_server(const struct fake_ntp *ntp)
{
    return ntp->server;
}

unsigned fake_ntp_asked(struct fake_ntp *ntp)
{
    return ntp->asked;
}

const unsigned char *fake_ntp_question(struct fake_ntp *ntp, unsigned k)
{
    return ntp->question[k];
}

int fake_ntp_from(struct fake_ntp *ntp, unsigned k)
{
    return port_of(&ntp->from[k]);
}
