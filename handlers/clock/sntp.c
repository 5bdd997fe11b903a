/* SPDX-License-Identifier: MIT */
#include "clock/sntp.h"

#include "base/limits.h"
#include "base/text.h"
#include "net/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <uv.h>

#define SECOND     INT64_C(1000000)
#define SAMPLES    4
#define SPACING_MS 200

/* RFC 5905, A.5.1.1 (MAXDISP): what a server may say of itself. */
#define ERROR_MAX (16 * SECOND)

/* Rates of two clocks against each other: ours raw, the server's disciplined. */
#define RATE_PPM (500 + 15)

/* ---- the question -------------------------------------------------------- */

/* Places in a packet (RFC 5905, figure 8). */
enum {
    AT_FLAGS = 0, /* leap indicator, version, mode: 2, 3 and 3 bits */
    AT_STRATUM = 1,
    AT_PRECISION = 3,
    AT_ROOT_DELAY = 4,
    AT_ROOT_DISPERSION = 8,
    AT_REFERENCE_ID = 12,
    AT_ORIGIN = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,
};

void sntp_request(uint64_t cookie, unsigned char ret[SNTP_PACKET])
{
    memset(ret, 0, SNTP_PACKET);
    ret[AT_FLAGS] = 4 << 3 | 3;
    for (int i = 0; i < 8; i++)
        ret[AT_TRANSMIT + i] = (unsigned char)(cookie >> (56 - 8 * i));
}

/* ---- the answer ---------------------------------------------------------- */

static uint64_t get(const unsigned char *bytes, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* 32.32 bits of seconds since 1900 or 2036. */
static int64_t unix_us(uint64_t stamp)
{
    int64_t seconds = (int64_t)(stamp >> 32);
    if (seconds < INT64_C(0x80000000))
        seconds += INT64_C(0x100000000);
    int64_t fraction_us = (int64_t)((stamp & 0xffffffff) * 1000000 >> 32);
    return (seconds - INT64_C(2208988800)) * SECOND + fraction_us;
}

/* 16.16 bits of seconds. */
static int64_t short_us(const unsigned char *bytes)
{
    return (int64_t)(get(bytes, 4) * 1000000 >> 16) + 1;
}

static int64_t precision_us(unsigned char byte)
{
    int power = byte < 128 ? byte : byte - 256;
    if (power >= 4)
        return ERROR_MAX;
    if (power >= 0)
        return SECOND << power;
    return power > -20 ? (SECOND >> -power) + 1 : 1;
}

/* A server which must not be asked again (RFC 5905, section 7.4), or gives no time. */
static int read_kiss(const unsigned char *packet, struct error *err)
{
    static const struct {
        const char *code, *text;
    } known[] = {{"RATE", "wants to be asked less often"},
                 {"DENY", "does not want to be asked"},
                 {"RSTR", "does not want to be asked"},
                 {"INIT", "is not synchronised itself"},
                 {"STEP", "is not synchronised itself"}};
    char code[5] = "";
    const char *text = "refuses to answer";
    text_copy_word(code, sizeof code, (const char *)packet + AT_REFERENCE_ID, 4);
    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(code, known[i].code) == 0)
            text = known[i].text;
    }
    return error_set(err, -EACCES, "%s (%s)", text, code);
}

/* Is it an answer at all, and to this question? */
static int read_header(const unsigned char *packet, size_t len, uint64_t cookie, struct error *err)
{
    if (len < SNTP_PACKET)
        return error_set(err, -EPROTO, "sends %zu bytes, an NTP packet has %d", len, SNTP_PACKET);
    if (get(packet + AT_ORIGIN, 8) != cookie)
        return error_set(err, -EPROTO, "does not answer our question (origin time stamp)");
    unsigned version = packet[AT_FLAGS] >> 3 & 7U, mode = packet[AT_FLAGS] & 7U;
    if (version != 3 && version != 4)
        return error_set(err, -EBADMSG, "answers in NTP version %u, expected 3 or 4", version);
    if (mode != 4)
        return error_set(err, -EBADMSG, "answers in mode %u, expected 4 (server)", mode);
    return 0;
}

int sntp_read(const unsigned char *packet, size_t len, uint64_t cookie, struct sntp_stamps *ret,
              struct error *err)
{
    int rc = read_header(packet, len, cookie, err);
    if (rc < 0)
        return rc;
    unsigned stratum = packet[AT_STRATUM], leap = packet[AT_FLAGS] >> 6;
    if (stratum == 0 && get(packet + AT_REFERENCE_ID, 4) != 0)
        return read_kiss(packet, err);
    if (stratum == 0 || stratum > 15 || leap == 3)
        return error_set(err, -EBADMSG, "is not synchronised itself");
    uint64_t received = get(packet + AT_RECEIVE, 8);
    uint64_t sent = get(packet + AT_TRANSMIT, 8);
    if (received == 0 || sent == 0)
        return error_set(err, -EBADMSG, "answers without time stamps");
    ret->received_us = unix_us(received);
    ret->sent_us = unix_us(sent);
    ret->error_us = short_us(packet + AT_ROOT_DELAY) / 2 + short_us(packet + AT_ROOT_DISPERSION) +
                    precision_us(packet[AT_PRECISION]);
    if (ret->sent_us < ret->received_us)
        return error_set(err, -EBADMSG, "claims to have answered before it was asked");
    if (ret->error_us >= ERROR_MAX)
        return error_set(err, -EBADMSG, "says that it may be wrong by 16 s or more");
    return 0;
}

/* ---- bounds -------------------------------------------------------------- */

int sntp_bound(const struct sntp_stamps *stamps, int64_t asked_us, int64_t heard_us, int64_t now_us,
               struct sntp_interval *ret, struct error *err)
{
    int64_t age_us = now_us - asked_us;
    /* 2: every stamp is cut to whole microseconds. */
    int64_t more_us = stamps->error_us + age_us * RATE_PPM / SECOND + 2;
    int64_t lo_us = stamps->sent_us - heard_us - more_us;
    int64_t hi_us = stamps->received_us - asked_us + more_us;
    if (lo_us > hi_us)
        return error_set(err, -EBADMSG, "claims to have taken longer than we waited");
    *ret = (struct sntp_interval){lo_us, hi_us};
    return 0;
}

struct sntp_interval sntp_against_real(struct sntp_interval raw,
                                       const struct local_clock_reading *now)
{
    int64_t difference_us = now->real_us - now->raw_us;
    return (struct sntp_interval){raw.lo_us - difference_us - now->err_us,
                                  raw.hi_us - difference_us + now->err_us};
}

static int64_t width(const struct sntp_interval *i)
{
    return i->hi_us - i->lo_us;
}

static bool contradict(const struct sntp_answer *a, const struct sntp_answer *b)
{
    return a->valid && b->valid &&
           (a->offset.lo_us > b->offset.hi_us || b->offset.lo_us > a->offset.hi_us);
}

/* "%.*s": a host has at most 253 characters; two in one text are cut. */
static void note_contradiction(const char *a, const char *b, char ret[SNTP_TEXT])
{
    (void)snprintf(ret, SNTP_TEXT, "%.160s and %.160s contradict each other: at least one is wrong",
                   a, b);
}

void sntp_compare(const struct host_port *servers, size_t n, struct sntp_result *ret)
{
    const struct sntp_answer *answer = ret->answer;
    ret->best = -1;
    ret->contradiction[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (answer[i].valid &&
            (ret->best < 0 || width(&answer[i].offset) < width(&answer[ret->best].offset)))
            ret->best = (int)i;
        for (size_t k = 0; k < i && ret->contradiction[0] == '\0'; k++) {
            if (contradict(&answer[k], &answer[i]))
                note_contradiction(servers[k].host, servers[i].host, ret->contradiction);
        }
    }
}

/* ---- the exchange -------------------------------------------------------- */

/* One question, on a socket of its own: connected, so that the kernel drops what comes
 * from anywhere else, and with a port that nobody knows before. */
struct question {
    struct peer *peer;
    uv_udp_t udp;
    bool open; /* asked, and not answered yet */
    uint64_t cookie;
    int64_t asked_us; /* raw clock */
    char packet[512]; /* more than is looked at */
};

/* What was received with the least delay. */
struct sample {
    struct sntp_stamps stamps;
    int64_t asked_us, heard_us; /* raw clock */
    int64_t width_us;
};

struct peer {
    const struct host_port *server;
    const struct resolve_result *host;
    struct sntp_answer *answer;
    struct question question[SAMPLES];
    size_t asked; /* SAMPLES: no more */
    struct sample sample;
    bool heard; /* there is a sample */
};

struct talk {
    uv_loop_t loop;
    uv_timer_t next, limit;
    struct peer peer[SNTP_SERVERS];
    size_t n;
};

static void note(struct peer *peer, const char *text)
{
    (void)snprintf(peer->answer->text, SNTP_TEXT, "%s %.140s", peer->server->host, text);
}

/* "HOST does not answer: Connection refused (UDP 123)" */
static void note_silence(struct peer *peer, int rc)
{
    (void)snprintf(peer->answer->text, SNTP_TEXT, "%s does not answer%s%s (UDP %d)",
                   peer->server->host, rc ? ": " : "", rc ? strerror(-rc) : "", peer->server->port);
}

static void end_question(struct question *question)
{
    if (question->open)
        uv_close((uv_handle_t *)&question->udp, NULL);
    question->open = false;
}

static void end_peer(struct peer *peer)
{
    peer->asked = SAMPLES;
    for (size_t i = 0; i < SAMPLES; i++)
        end_question(&peer->question[i]);
}

static void end_talk(struct talk *talk)
{
    for (size_t i = 0; i < talk->n; i++)
        end_peer(&talk->peer[i]);
    uv_close((uv_handle_t *)&talk->next, NULL);
    uv_close((uv_handle_t *)&talk->limit, NULL);
}

static bool is_done(const struct peer *peer)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        if (peer->question[i].open)
            return false;
    }
    return peer->asked == SAMPLES;
}

static void end_when_done(struct talk *talk)
{
    for (size_t i = 0; i < talk->n; i++) {
        if (!is_done(&talk->peer[i]))
            return;
    }
    end_talk(talk);
}

static void on_limit(uv_timer_t *timer)
{
    end_talk(timer->loop->data);
}

static void keep_best(struct peer *peer, const struct sample *sample)
{
    if (!peer->heard || sample->width_us < peer->sample.width_us)
        peer->sample = *sample;
    peer->heard = true;
}

/* What does not carry the cookie is only named: a forger cannot keep an answer away. */
static void receive_answer(struct question *question, size_t len, int64_t heard_us)
{
    const unsigned char *packet = (const unsigned char *)question->packet;
    struct peer *peer = question->peer;
    struct sample sample = {.asked_us = question->asked_us, .heard_us = heard_us};
    struct sntp_interval bound = {0};
    struct error why = {0};
    int rc = sntp_read(packet, len, question->cookie, &sample.stamps, &why);
    if (rc == 0)
        rc = sntp_bound(&sample.stamps, sample.asked_us, heard_us, heard_us, &bound, &why);
    sample.width_us = width(&bound);
    if (rc == 0)
        keep_best(peer, &sample);
    else
        note(peer, why.text);
    if (rc == -EACCES)
        end_peer(peer);
    else if (rc != -EPROTO)
        end_question(question);
}

static int64_t raw_us(void)
{
    struct local_clock_reading now;
    local_clock_read(&now);
    return now.raw_us;
}

static void on_heard(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                     unsigned flags)
{
    int64_t heard_us = raw_us();
    struct question *question = udp->data;
    (void)buf;
    (void)flags;
    if (n == 0 && !from) /* nothing more to read */
        return;
    if (n >= 0) {
        receive_answer(question, (size_t)n, heard_us);
    } else {
        note_silence(question->peer, (int)n);
        end_question(question);
    }
    end_when_done(udp->loop->data);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct question *question = handle->data;
    *buf = uv_buf_init(question->packet, sizeof question->packet);
}

static int connect_to(uv_udp_t *udp, const char *address, int port)
{
    struct sockaddr_storage to = {0};
    int rc = strchr(address, ':') ? uv_ip6_addr(address, port, (struct sockaddr_in6 *)&to)
                                  : uv_ip4_addr(address, port, (struct sockaddr_in *)&to);
    if (rc == 0)
        rc = uv_udp_connect(udp, (struct sockaddr *)&to);
    return rc == 0 ? uv_udp_recv_start(udp, on_alloc, on_heard) : rc;
}

static int send_to(struct question *question)
{
    unsigned char packet[SNTP_PACKET];
    uv_buf_t buf = uv_buf_init((char *)packet, sizeof packet);
    sntp_request(question->cookie, packet);
    question->asked_us = raw_us();
    int rc = uv_udp_try_send(&question->udp, &buf, 1, NULL);
    return rc < 0 ? rc : 0;
}

/* A host with several addresses is asked at one after the other: the first may be of a
 * family that has no way there, or nobody may listen. */
static void ask(struct talk *talk, struct peer *peer)
{
    struct question *question = &peer->question[peer->asked];
    const char *address = peer->host->address[peer->asked % peer->host->n];
    peer->asked++;
    question->peer = peer;
    question->udp.data = question;
    question->open = true;
    (void)uv_udp_init(&talk->loop, &question->udp);
    int rc = connect_to(&question->udp, address, peer->server->port);
    if (rc == 0)
        rc = send_to(question);
    if (rc == 0)
        return;
    note_silence(peer, rc);
    end_question(question);
}

static void on_next(uv_timer_t *timer)
{
    struct talk *talk = timer->loop->data;
    for (size_t i = 0; i < talk->n; i++) {
        if (talk->peer[i].asked < SAMPLES)
            ask(talk, &talk->peer[i]);
    }
    end_when_done(talk);
}

static void start_peer(struct peer *peer, const struct resolve_result *host)
{
    peer->host = host;
    note_silence(peer, 0);
    if (host->n > 0)
        return;
    note(peer, host->text);
    peer->asked = SAMPLES;
}

static int exchange(struct talk *talk, const struct resolve_result *hosts, struct error *err)
{
    int rc = uv_loop_init(&talk->loop);
    if (rc < 0)
        return error_set(err, rc, "cannot create an event loop: %s", strerror(-rc));
    talk->loop.data = talk;
    for (size_t i = 0; i < talk->n; i++)
        start_peer(&talk->peer[i], &hosts[i]);
    (void)uv_timer_init(&talk->loop, &talk->next);
    (void)uv_timer_init(&talk->loop, &talk->limit);
    (void)uv_timer_start(&talk->next, on_next, 0, SPACING_MS);
    (void)uv_timer_start(&talk->limit, on_limit, (uint64_t)limits()->reference_ms, 0);
    (void)uv_run(&talk->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&talk->loop);
    return 0;
}

/* ---- all of it ----------------------------------------------------------- */

static int init_talk(struct talk *talk, const struct host_port *servers, size_t n,
                     struct sntp_result *ret, struct error *err)
{
    uint64_t cookies[SNTP_SERVERS][SAMPLES];
    if (n > SNTP_SERVERS)
        return error_set(err, -EINVAL, "%zu NTP servers, %d are the limit", n, SNTP_SERVERS);
    if (getrandom(cookies, sizeof cookies, 0) != (ssize_t)sizeof cookies)
        return error_set(err, -errno, "no random numbers: %s", strerror(errno));
    talk->n = n;
    for (size_t i = 0; i < n; i++) {
        talk->peer[i].server = &servers[i];
        talk->peer[i].answer = &ret->answer[i];
        for (size_t k = 0; k < SAMPLES; k++)
            talk->peer[i].question[k].cookie = cookies[i][k];
    }
    return 0;
}

static int resolve_all(const struct host_port *servers, size_t n, struct resolve_result *ret,
                       struct error *err)
{
    const char *hosts[SNTP_SERVERS];
    for (size_t i = 0; i < n; i++)
        hosts[i] = servers[i].host;
    return resolve_hosts(RESOLVE_GETENT, hosts, n, limits()->resolve_ms, ret, err);
}

/* The intervals of all of them as of one reading. */
static void conclude(const struct peer *peers, size_t n, struct sntp_result *ret)
{
    local_clock_read(&ret->now);
    for (size_t i = 0; i < n; i++) {
        const struct sample *s = &peers[i].sample;
        struct sntp_interval raw = {0};
        if (!peers[i].heard ||
            sntp_bound(&s->stamps, s->asked_us, s->heard_us, ret->now.raw_us, &raw, NULL) < 0)
            continue;
        ret->answer[i].valid = true;
        ret->answer[i].offset = sntp_against_real(raw, &ret->now);
        ret->answer[i].text[0] = '\0';
    }
}

int sntp_ask(const struct host_port *servers, size_t n, struct sntp_result *ret, struct error *err)
{
    struct resolve_result hosts[SNTP_SERVERS];
    struct talk *talk = calloc(1, sizeof *talk);
    *ret = (struct sntp_result){.best = -1};
    if (!talk)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = init_talk(talk, servers, n, ret, err);
    if (rc == 0)
        rc = resolve_all(servers, n, hosts, err);
    if (rc == 0)
        rc = exchange(talk, hosts, err);
    if (rc == 0) {
        conclude(talk->peer, n, ret);
        sntp_compare(servers, n, ret);
    }
    free(talk);
    return rc;
}
