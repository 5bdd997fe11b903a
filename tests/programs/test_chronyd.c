/* SPDX-License-Identifier: MIT */
/* sntp_ask() against a real chronyd, which serves the clock of this machine and leaves it
 * alone: the offsets agree within their bounds, also for a program whose clock is faked. */
#include "clock/sntp.h"
#include "harness.h"
#include "keeper.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>

#define ADDRESS   "127.0.0.1"
#define START_MS  20000
#define NARROW_US 5000 /* on loopback, when nobody disturbs */

/* What this program prints when it asks for itself, and reads: the offset and real - raw. */
#define PRINTED(number) "%" number "..%" number " with %" number "..%" number "\n"

static char program[400]; /* chronyd; "" there is none */

struct chronyd {
    struct host_port server;
    pid_t pid;
};

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        harness_fail("no free port");
    (void)close(fd);
    return ntohs(at.sin_port);
}

/* No command socket: /run/chrony may be that of the machine's own chronyd. */
static const char *write_config(int port, const char *more)
{
    static char path[400];
    (void)snprintf(path, sizeof path, "%s/chrony-%d.conf", keeper_dir(), port);
    FILE *f = fopen(path, "w");
    if (!f ||
        fprintf(f,
                "port %d\nbindaddress " ADDRESS "\nallow 127.0.0.0/8\ncmdport 0\n"
                "bindcmdaddress /\n"
                "pidfile %s/chrony-%d.pid\n%s\n",
                port, keeper_dir(), port, more) < 0 ||
        fclose(f) != 0)
        harness_fail("cannot write %s", path);
    return path;
}

/* -x: it does not touch the clock; -U -u: as whoever runs the test. */
static void be_chronyd(const char *config, pid_t parent)
{
    char log[500];
    const struct passwd *user = getpwuid(getuid());
    (void)snprintf(log, sizeof log, "%s.log", config);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    keeper_die_with(parent);
    (void)execl(program, program, "-x", "-d", "-U", "-u", user ? user->pw_name : "root", "-f",
                config, (char *)NULL);
    _exit(127);
}

static void ask(const struct chronyd *chronyd, struct sntp_result *ret)
{
    struct error err = {0};
    if (sntp_ask(&chronyd->server, 1, ret, &err) < 0)
        harness_fail("%s", err.text);
}

/* Ends when it answers whatever. */
static struct chronyd start(const char *more)
{
    struct chronyd chronyd = {.server = {ADDRESS, free_port()}};
    const char *config = write_config(chronyd.server.port, more);
    pid_t parent = getpid();
    int64_t end = now_ms() + START_MS;
    struct sntp_result r;
    chronyd.pid = fork();
    if (chronyd.pid == 0)
        be_chronyd(config, parent);
    do {
        ask(&chronyd, &r);
        if (!strstr(r.answer[0].text, "does not answer"))
            return chronyd;
    } while (chronyd.pid > 0 && now_ms() < end);
    harness_fail("chronyd: %s, see %s.log", r.answer[0].text, config);
}

static void stop(const struct chronyd *chronyd)
{
    (void)kill(chronyd->pid, SIGKILL);
    (void)waitpid(chronyd->pid, NULL, 0);
}

static void need_chronyd(void)
{
    if (program[0])
        return;
    (void)printf("# note: chronyd cannot be had and was left out\n");
    skip();
}

/* What was answered, and what tells whether it is true: real - raw while it was asked, of
 * the clock that chronyd serves and of the one that was asked about. */
struct measured {
    struct sntp_interval offset, served, own;
};

/* Real - raw from one reading to the other, slewed or stepped in between or not. */
static struct sntp_interval between(const struct local_clock_reading *a,
                                    const struct local_clock_reading *b)
{
    int64_t a_us = a->real_us - a->raw_us, b_us = b->real_us - b->raw_us;
    int64_t a_lo_us = a_us - a->err_us, b_lo_us = b_us - b->err_us;
    int64_t a_hi_us = a_us + a->err_us, b_hi_us = b_us + b->err_us;
    return (struct sntp_interval){a_lo_us < b_lo_us ? a_lo_us : b_lo_us,
                                  a_hi_us > b_hi_us ? a_hi_us : b_hi_us};
}

static struct sntp_interval truth(const struct measured *m)
{
    return (struct sntp_interval){m->served.lo_us - m->own.hi_us, m->served.hi_us - m->own.lo_us};
}

static void expect_true(const struct measured *m)
{
    struct sntp_interval is = truth(m);
    if (m->offset.lo_us > is.hi_us || m->offset.hi_us < is.lo_us)
        fail_msg("%lld us is the truth, not in %lld..%lld; "
                 "real - raw: %lld..%lld served, %lld..%lld asked about",
                 (long long)(is.lo_us + is.hi_us) / 2, (long long)m->offset.lo_us,
                 (long long)m->offset.hi_us, (long long)m->served.lo_us, (long long)m->served.hi_us,
                 (long long)m->own.lo_us, (long long)m->own.hi_us);
}

static struct measured measure(const struct chronyd *chronyd, struct sntp_result *ret)
{
    struct local_clock_reading before, after;
    local_clock_read(&before);
    ask(chronyd, ret);
    local_clock_read(&after);
    struct sntp_interval clock = between(&before, &after);
    return (struct measured){ret->answer[0].offset, clock, clock};
}

/* Every interval holds the truth; the machine may be busy, so one of several must be
 * narrow. */
static void its_clock_is_ours(void **state)
{
    (void)state;
    need_chronyd();
    struct chronyd chronyd = start("local stratum 8");
    int64_t least_us = INT64_MAX;
    for (int i = 0; i < 10 && (i < 2 || least_us >= NARROW_US); i++) {
        struct sntp_result r;
        struct measured m = measure(&chronyd, &r);
        assert_string_equal(r.answer[0].text, "");
        assert_int_equal(r.best, 0);
        expect_true(&m);
        if (m.offset.hi_us - m.offset.lo_us < least_us)
            least_us = m.offset.hi_us - m.offset.lo_us;
    }
    (void)printf("# width of the interval: %lld us\n", (long long)least_us);
    assert_true(least_us < NARROW_US);
    stop(&chronyd);
}

/* This program again, with another real clock (main() below). By how much it is another one
 * it tells itself: FAKETIME is not exact. Where libfaketime is called before its constructor
 * has run and a killed process has left its semaphore under the same number, it loses the
 * time in between. */
static struct measured measure_with_clock(const struct chronyd *chronyd, const char *offset)
{
    char port[12], fake[40];
    struct local_clock_reading before, after;
    struct measured m;
    const char *argv[] = {"/proc/self/exe", "ask", port, NULL};
    const char *env[] = {"LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
                         "FAKETIME_DONT_FAKE_MONOTONIC=1", fake,
                         /* a sanitizer wants to be the first library */
                         "ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0", NULL};
    (void)snprintf(port, sizeof port, "%d", chronyd->server.port);
    (void)snprintf(fake, sizeof fake, "FAKETIME=%s", offset);
    local_clock_read(&before);
    struct outcome o = run_tool(NULL, argv, env);
    local_clock_read(&after);
    if (o.code != 0 || sscanf(o.out, PRINTED(SCNd64), &m.offset.lo_us, &m.offset.hi_us,
                              &m.own.lo_us, &m.own.hi_us) != 4)
        harness_fail("with FAKETIME=%s: %d \"%s\" \"%s\"", offset, o.code, o.out, o.err);
    outcome_release(&o);
    m.served = between(&before, &after);
    return m;
}

static void a_faked_clock_is_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *offset;
        int64_t about_us;
    } rows[] = {{"+2s", -2000000}, {"-0.2s", 200000}, {"+3600s", INT64_C(-3600000000)}};
    need_chronyd();
    struct chronyd chronyd = start("local stratum 8");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct measured m = measure_with_clock(&chronyd, rows[i].offset);
        expect_true(&m);
        assert_true(m.offset.hi_us - m.offset.lo_us < 100000);
        /* it is faked at all: nearer to that than to none */
        assert_true(llabs(truth(&m).lo_us - rows[i].about_us) < llabs(rows[i].about_us) / 2);
    }
    stop(&chronyd);
}

static void without_a_source_it_says_so(void **state)
{
    (void)state;
    need_chronyd();
    struct sntp_result r;
    struct chronyd chronyd = start("");
    ask(&chronyd, &r);
    assert_string_equal(r.answer[0].text, ADDRESS " is not synchronised itself");
    stop(&chronyd);
}

/* One every two seconds, the rest is dropped without a word. */
static void one_answer_of_four_is_enough(void **state)
{
    (void)state;
    need_chronyd();
    struct sntp_result r;
    struct measured m;
    struct chronyd chronyd = start("local stratum 8\nratelimit interval 1 burst 1 leak 4");
    int64_t end = now_ms() + START_MS;
    do
        m = measure(&chronyd, &r);
    while (!r.answer[0].valid && now_ms() < end);
    assert_true(r.answer[0].valid);
    expect_true(&m);
    stop(&chronyd);
}

static int setup(void **state)
{
    (void)state;
    static const char *const argv[] = {SOURCE_DIR "/scripts/fetch", "chronyd", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (o.code == 0)
        (void)snprintf(program, sizeof program, "%.*s", (int)strcspn(o.out, "\n"), o.out);
    outcome_release(&o);
    const char *ci = getenv("CI");
    return program[0] || !ci || strcmp(ci, "true") != 0 ? 0 : -1;
}

static int ask_and_print(int port)
{
    struct host_port server = {ADDRESS, port};
    struct sntp_result r;
    struct local_clock_reading before, after;
    local_clock_read(&before);
    if (sntp_ask(&server, 1, &r, NULL) < 0 || r.best < 0)
        return 1;
    local_clock_read(&after);
    struct sntp_interval own = between(&before, &after);
    (void)printf(PRINTED(PRId64), r.answer[0].offset.lo_us, r.answer[0].offset.hi_us, own.lo_us,
                 own.hi_us);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_clock_is_ours),
        cmocka_unit_test(a_faked_clock_is_found_out),
        cmocka_unit_test(without_a_source_it_says_so),
        cmocka_unit_test(one_answer_of_four_is_enough),
    };
    if (argc == 3)
        return ask_and_print((int)strtol(argv[2], NULL, 10));
    return HARNESS_RUN("chronyd", tests, setup, NULL);
}
