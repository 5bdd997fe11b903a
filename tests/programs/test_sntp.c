/* SPDX-License-Identifier: MIT */
/* sntp_ask() against servers of every kind: honest, silent, lying, forged. */
#include "clock/sntp.h"
#include "fake_ntp.h"
#include "harness.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define LIMIT_MS 1000 /* limits()->reference_ms here */
#define HOUR_US  INT64_C(3600000000)

/* Wider than what a loaded machine makes of an honest answer, narrower than what tests
 * tell apart. */
#define NARROW_US 150000

/* What "127.0.0.1" + text must be; NULL: a valid answer of this offset. */
static void expect(const struct sntp_answer *answer, const char *text, int64_t offset_us)
{
    if (text)
        assert_string_equal(answer->text, text);
    assert_int_equal(answer->valid, text == NULL);
    if (text)
        return;
    assert_string_equal(answer->text, "");
    if (answer->offset.lo_us > offset_us || answer->offset.hi_us < offset_us)
        fail_msg("%lld is not in %lld..%lld", (long long)offset_us, (long long)answer->offset.lo_us,
                 (long long)answer->offset.hi_us);
}

static int64_t width_us(const struct sntp_answer *answer)
{
    return answer->offset.hi_us - answer->offset.lo_us;
}

/* Ask one server with these manners. */
static struct sntp_result ask_one(const struct fake_ntp_manners *manners, unsigned *ret_asked)
{
    struct sntp_result r;
    struct error err = {0};
    struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", manners);
    struct host_port server = fake_ntp_server(ntp);
    if (sntp_ask(&server, 1, &r, &err) < 0)
        harness_fail("%s", err.text);
    if (ret_asked)
        *ret_asked = fake_ntp_asked(ntp);
    fake_ntp_stop(ntp);
    return r;
}

/* A kiss may come when one more is on its way. */
static void check_asked(unsigned asked, unsigned expected)
{
    assert_in_range(asked, expected, expected < 4 ? expected + 1 : 4);
}

/* ---- honest -------------------------------------------------------------- */

static void the_offset_is_found(void **state)
{
    (void)state;
    static const int64_t offsets[] = {0, 2000000, -2000000, 48 * HOUR_US, -48 * HOUR_US};
    for (size_t i = 0; i < COUNT(offsets); i++) {
        unsigned asked = 0;
        struct fake_ntp_manners manners = {.offset_us = offsets[i]};
        int64_t start = now_ms();
        struct sntp_result r = ask_one(&manners, &asked);
        expect(&r.answer[0], NULL, offsets[i]);
        assert_true(width_us(&r.answer[0]) < NARROW_US);
        assert_int_equal(r.best, 0);
        assert_string_equal(r.contradiction, "");
        assert_int_equal(asked, 4);
        assert_true(now_ms() - start >= 600);
    }
}

/* A random number for each question, and nothing else of ours. */
static void questions_tell_nothing(void **state)
{
    (void)state;
    struct sntp_result r;
    struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", NULL);
    struct host_port server = fake_ntp_server(ntp);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sntp_ask(&server, 1, &r, NULL), 0);
    assert_int_equal(fake_ntp_asked(ntp), 8);
    for (unsigned k = 0; k < 8; k++) {
        static const unsigned char zero[39];
        const unsigned char *question = fake_ntp_question(ntp, k);
        assert_int_equal(question[0], 0x23);
        assert_memory_equal(question + 1, zero, sizeof zero);
        for (unsigned i = 0; i < k; i++) {
            assert_memory_not_equal(question + 40, fake_ntp_question(ntp, i) + 40, 8);
            if (k - i < 4 && i / 4 == k / 4)
                assert_int_not_equal(fake_ntp_from(ntp, k), fake_ntp_from(ntp, i));
        }
    }
    fake_ntp_stop(ntp);
}

static void all_late_but_one(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    if (k != 1)
        sleep_ms(180);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void the_least_delay_counts(void **state)
{
    (void)state;
    struct fake_ntp_manners manners = {.answer = all_late_but_one};
    struct sntp_result r = ask_one(&manners, NULL);
    expect(&r.answer[0], NULL, 0);
    assert_true(width_us(&r.answer[0]) < NARROW_US);
}

static void always_late(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    sleep_ms(300);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

/* Its stamps are of the moment when the question came: all the delay is on the way back. */
static void a_huge_delay_widens_the_interval(void **state)
{
    (void)state;
    struct fake_ntp_manners manners = {.answer = always_late, .offset_us = 5000000};
    struct sntp_result r = ask_one(&manners, NULL);
    expect(&r.answer[0], NULL, 5000000);
    assert_true(width_us(&r.answer[0]) >= 300000);
}

static void too_late(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    if (k == 0)
        sleep_ms(LIMIT_MS + 100);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

/* ---- of no use ----------------------------------------------------------- */

static void silent(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)ntp;
    (void)k;
    (void)answer;
}

static void garbage(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    unsigned char bytes[3000];
    (void)k;
    (void)answer;
    memset(bytes, 0xa5, sizeof bytes);
    fake_ntp_send(ntp, bytes, sizeof bytes);
    fake_ntp_send(ntp, bytes, 48);
}

static void truncated(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    fake_ntp_send(ntp, answer, 47);
}

static void empty(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    fake_ntp_send(ntp, answer, 0);
}

static void echo(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)answer;
    fake_ntp_send(ntp, fake_ntp_question(ntp, k), FAKE_NTP_PACKET);
}

static void another_origin(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    answer[31] ^= 1;
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

/* What belongs to the question before; the first one waits in vain. */
static void replayed(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    static unsigned char before[FAKE_NTP_PACKET];
    if (k > 0)
        fake_ntp_send(ntp, before, sizeof before);
    memcpy(before, answer, sizeof before);
}

static void elsewhere(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    fake_ntp_send_elsewhere(ntp, answer, FAKE_NTP_PACKET);
}

static void unsynchronised(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    answer[0] = 0xe4;
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

/* Claims to have had the question for 10 s, so that no delay seems to be left. */
static void liar(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    fake_ntp_stamp(answer + 40, fake_ntp_now_us() + 10000000);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void kiss(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    answer[1] = 0;
    memcpy(answer + 12, "DENY", 4);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static const struct {
    void (*answer)(struct fake_ntp *ntp, unsigned k, unsigned char *answer);
    unsigned asked;   /* how often, 0: not checked */
    const char *text; /* behind the host; %d: the port */
} useless[] = {
    {silent, 4, "does not answer (UDP %d)"},
    {elsewhere, 4, "does not answer (UDP %d)"},
    {too_late, 0, "does not answer (UDP %d)"},
    {garbage, 4, "does not answer our question (origin time stamp)"},
    {another_origin, 4, "does not answer our question (origin time stamp)"},
    {replayed, 4, "does not answer our question (origin time stamp)"},
    {echo, 4, "does not answer our question (origin time stamp)"},
    {truncated, 4, "sends 47 bytes, an NTP packet has 48"},
    {empty, 4, "sends 0 bytes, an NTP packet has 48"},
    {unsynchronised, 4, "is not synchronised itself"},
    {liar, 4, "claims to have taken longer than we waited"},
    {kiss, 1, "does not want to be asked (DENY)"},
};

static void what_is_of_no_use_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(useless); i++) {
        struct fake_ntp_manners manners = {.answer = useless[i].answer};
        struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", &manners);
        struct host_port server = fake_ntp_server(ntp);
        struct sntp_result r;
        char text[SNTP_TEXT], behind[200];
        int64_t start = now_ms();
        assert_int_equal(sntp_ask(&server, 1, &r, NULL), 0);
        assert_true(now_ms() - start < LIMIT_MS + 1000);
        const char *hole = strstr(useless[i].text, "%d");
        (void)snprintf(behind, sizeof behind, "%d)", server.port);
        (void)snprintf(text, sizeof text, "127.0.0.1 %.*s%s",
                       (int)(hole ? hole - useless[i].text : (ptrdiff_t)strlen(useless[i].text)),
                       useless[i].text, hole ? behind : "");
        expect(&r.answer[0], text, 0);
        assert_int_equal(r.best, -1);
        if (useless[i].asked)
            check_asked(fake_ntp_asked(ntp), useless[i].asked);
        fake_ntp_stop(ntp);
    }
}

static void a_closed_port_is_named_at_once(void **state)
{
    (void)state;
    char text[100];
    struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", NULL);
    struct host_port server = fake_ntp_server(ntp);
    struct sntp_result r;
    fake_ntp_stop(ntp);
    assert_int_equal(sntp_ask(&server, 1, &r, NULL), 0);
    (void)snprintf(text, sizeof text, "127.0.0.1 does not answer: Connection refused (UDP %d)",
                   server.port);
    expect(&r.answer[0], text, 0);
}

static void hosts_without_a_way_are_named(void **state)
{
    (void)state;
    static const struct host_port servers[] = {{"255.255.255.255", 123}, {"name.invalid", 123}};
    struct sntp_result r;
    assert_int_equal(sntp_ask(servers, 2, &r, NULL), 0);
    /* Without a default route the kernel finds no way before it looks at the right. */
    bool routed = !strstr(r.answer[0].text, "unreachable");
    expect(&r.answer[0],
           routed ? "255.255.255.255 does not answer: Permission denied (UDP 123)"
                  : "255.255.255.255 does not answer: Network is unreachable (UDP 123)",
           0);
    assert_false(r.answer[1].valid); /* "... in time", where DNS is slow */
    assert_memory_equal(r.answer[1].text, "name.invalid cannot be resolved", 31);
}

/* ---- good and bad at once ------------------------------------------------ */

/* An hour ahead, from the same address and port, but who forges does not know the cookie. */
static void forged(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    unsigned char forgery[FAKE_NTP_PACKET];
    memcpy(forgery, answer, sizeof forgery);
    fake_ntp_stamp(forgery + 32, fake_ntp_now_us() + HOUR_US);
    fake_ntp_stamp(forgery + 40, fake_ntp_now_us() + HOUR_US);
    for (int i = 0; i < 20; i++) {
        forgery[24] = (unsigned char)(answer[24] + 1 + i);
        fake_ntp_send(ntp, forgery, k % 2 ? sizeof forgery : 20);
    }
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void twice(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    (void)k;
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
    fake_ntp_stamp(answer + 32, fake_ntp_now_us() + HOUR_US);
    fake_ntp_stamp(answer + 40, fake_ntp_now_us() + HOUR_US);
    for (int i = 0; i < 3; i++)
        fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void kiss_after_the_first(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    if (k > 0)
        answer[1] = 0;
    if (k > 0)
        memcpy(answer + 12, "RATE", 4);
    fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void only_the_last(struct fake_ntp *ntp, unsigned k, unsigned char *answer)
{
    if (k == 3)
        fake_ntp_send(ntp, answer, FAKE_NTP_PACKET);
}

static void a_true_answer_is_found_among_others(void **state)
{
    (void)state;
    static const struct {
        void (*answer)(struct fake_ntp *ntp, unsigned k, unsigned char *answer);
        unsigned asked;
    } rows[] = {{forged, 4}, {twice, 4}, {kiss_after_the_first, 2}, {only_the_last, 4}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned asked = 0;
        struct fake_ntp_manners manners = {.answer = rows[i].answer};
        struct sntp_result r = ask_one(&manners, &asked);
        expect(&r.answer[0], NULL, 0);
        assert_true(width_us(&r.answer[0]) < NARROW_US);
        check_asked(asked, rows[i].asked);
    }
}

/* ---- several ------------------------------------------------------------- */

static void all_are_asked_side_by_side(void **state)
{
    (void)state;
    static const struct fake_ntp_manners manners = {.answer = silent};
    struct fake_ntp *ntp[SNTP_SERVERS];
    struct host_port servers[SNTP_SERVERS];
    struct sntp_result r;
    for (int i = 0; i < SNTP_SERVERS; i++) {
        ntp[i] = fake_ntp_start("127.0.0.1", i == 5 ? NULL : &manners);
        servers[i] = fake_ntp_server(ntp[i]);
    }
    int64_t start = now_ms();
    assert_int_equal(sntp_ask(servers, SNTP_SERVERS, &r, NULL), 0);
    assert_true(now_ms() - start < LIMIT_MS + 1000);
    for (int i = 0; i < SNTP_SERVERS; i++) {
        assert_int_equal(r.answer[i].valid, i == 5);
        assert_int_equal(fake_ntp_asked(ntp[i]), 4);
        fake_ntp_stop(ntp[i]);
    }
    assert_int_equal(r.best, 5);
}

static void two_that_contradict_each_other_are_named(void **state)
{
    (void)state;
    static const struct fake_ntp_manners ahead = {.offset_us = HOUR_US};
    struct fake_ntp *ntp[3] = {fake_ntp_start("127.0.0.1", NULL),
                               fake_ntp_start("127.0.0.2", &ahead),
                               fake_ntp_start("127.0.0.3", NULL)};
    struct host_port servers[3];
    struct sntp_result r;
    for (int i = 0; i < 3; i++)
        servers[i] = fake_ntp_server(ntp[i]);
    assert_int_equal(sntp_ask(servers, 3, &r, NULL), 0);
    assert_string_equal(r.contradiction,
                        "127.0.0.1 and 127.0.0.2 contradict each other: at least one is wrong");
    expect(&r.answer[1], NULL, HOUR_US);
    for (int i = 0; i < 3; i++) {
        assert_true(width_us(&r.answer[r.best]) <= width_us(&r.answer[i]));
        fake_ntp_stop(ntp[i]);
    }
}

static void nobody_and_too_many(void **state)
{
    (void)state;
    static struct host_port servers[SNTP_SERVERS + 1];
    struct sntp_result r;
    struct error err = {0};
    assert_int_equal(sntp_ask(NULL, 0, &r, &err), 0);
    assert_int_equal(r.best, -1);
    assert_int_equal(sntp_ask(servers, SNTP_SERVERS + 1, &r, &err), -EINVAL);
    assert_string_equal(err.text, "9 NTP servers, 8 are the limit");
}

/* ---- ways ---------------------------------------------------------------- */

static bool has_ipv6(void)
{
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ret = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ret;
}

static void ipv6_is_a_way_as_well(void **state)
{
    (void)state;
    if (!has_ipv6()) {
        (void)printf("# note: there is no ::1 here, IPv6 was left out\n");
        skip();
    }
    struct fake_ntp *ntp = fake_ntp_start("::1", NULL);
    struct host_port server = fake_ntp_server(ntp);
    struct sntp_result r;
    assert_int_equal(sntp_ask(&server, 1, &r, NULL), 0);
    expect(&r.answer[0], NULL, 0);
    fake_ntp_stop(ntp);
}

/* localhost may be ::1 first, where nobody listens. */
static void a_name_is_resolved(void **state)
{
    (void)state;
    struct fake_ntp *ntp = fake_ntp_start("127.0.0.1", NULL);
    struct host_port server = {"localhost", fake_ntp_server(ntp).port};
    struct sntp_result r;
    assert_int_equal(sntp_ask(&server, 1, &r, NULL), 0);
    expect(&r.answer[0], NULL, 0);
    fake_ntp_stop(ntp);
}

static int open_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        harness_fail("no /proc/self/fd");
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n;
}

static void nothing_stays_open(void **state)
{
    (void)state;
    static const struct host_port servers[] = {
        {"127.0.0.1", 1}, {"255.255.255.255", 123}, {"localhost", 1}};
    struct sntp_result r;
    int before = open_files();
    assert_int_equal(sntp_ask(servers, 3, &r, NULL), 0);
    assert_int_equal(open_files(), before);
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return setenv("LICTOR_LIMITS", "reference=1s,resolve=10s", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offset_is_found),
        cmocka_unit_test(questions_tell_nothing),
        cmocka_unit_test(the_least_delay_counts),
        cmocka_unit_test(a_huge_delay_widens_the_interval),
        cmocka_unit_test(what_is_of_no_use_is_named),
        cmocka_unit_test(a_closed_port_is_named_at_once),
        cmocka_unit_test(hosts_without_a_way_are_named),
        cmocka_unit_test(a_true_answer_is_found_among_others),
        cmocka_unit_test(all_are_asked_side_by_side),
        cmocka_unit_test(two_that_contradict_each_other_are_named),
        cmocka_unit_test(nobody_and_too_many),
        cmocka_unit_test(ipv6_is_a_way_as_well),
        cmocka_unit_test(a_name_is_resolved),
        cmocka_unit_test(nothing_stays_open),
    };
    return cmocka_run_group_tests_name("sntp", tests, setup, NULL);
}
