/* sntp_ask() against a real chronyd, which serves the clock of this machine and leaves it
 * alone: the offsets agree within their bounds, also for a program whose clock is faked. */
#include "harness.h"
#include "keeper.h"
#include "sntp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS   "127.0.0.1"
#define START_MS  20000
#define NARROW_US 5000 /* on loopback, when nobody disturbs */

static char program[400]; /* chronyd; "" there is none */

struct chronyd {
    struct ntp_server server;
    pid_t pid;
};

static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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
    (void)execl(program, program, "-x", "-d", "-U", "-u", user ? user->pw_name : "root",
                "-f", config, (char *)NULL);
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

static bool left_out(void)
{
    if (program[0])
        return false;
    (void)printf("# note: chronyd cannot be had and was left out\n");
    return true;
}

static void expect_within(const struct sntp_interval *offset, int64_t truth_us)
{
    if (offset->lo_us > truth_us || offset->hi_us < truth_us)
        fail_msg("%lld us is not in %lld..%lld", (long long)truth_us,
                 (long long)offset->lo_us, (long long)offset->hi_us);
}

/* Every interval holds 0; the machine may be busy, so one of several must be narrow. */
static void its_clock_is_ours(void **state)
{
    (void)state;
    if (left_out())
        return;
    struct chronyd chronyd = start("local stratum 8");
    int64_t least_us = INT64_MAX;
    for (int i = 0; i < 10 && (i < 2 || least_us >= NARROW_US); i++) {
        struct sntp_result r;
        ask(&chronyd, &r);
        assert_string_equal(r.answer[0].text, "");
        assert_int_equal(r.best, 0);
        const struct sntp_interval *offset = &r.answer[0].offset;
        expect_within(offset, 0);
        if (offset->hi_us - offset->lo_us < least_us)
            least_us = offset->hi_us - offset->lo_us;
    }
    (void)printf("# width of the interval: %lld us\n", (long long)least_us);
    assert_true(least_us < NARROW_US);
    stop(&chronyd);
}

/* This program again, with another real clock (main() below). */
static struct sntp_interval ask_with_clock(const struct chronyd *chronyd,
                                           const char *offset)
{
    char port[12], fake[40];
    long long lo_us = 0, hi_us = 0;
    const char *argv[] = {"/proc/self/exe", "ask", port, NULL};
    const char *env[] = {"LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
                         "FAKETIME_DONT_FAKE_MONOTONIC=1", fake,
                         /* a sanitizer wants to be the first library */
                         "ASAN_OPTIONS=exitcode=99:verify_asan_link_order=0", NULL};
    (void)snprintf(port, sizeof port, "%d", chronyd->server.port);
    (void)snprintf(fake, sizeof fake, "FAKETIME=%s", offset);
    struct outcome o = run_tool(NULL, argv, env);
    if (o.code != 0 || sscanf(o.out, "%lld %lld", &lo_us, &hi_us) != 2)
        harness_fail("with FAKETIME=%s: %d \"%s\" \"%s\"", offset, o.code, o.out,
                     o.err);
    outcome_release(&o);
    return (struct sntp_interval){lo_us, hi_us};
}

static void a_faked_clock_is_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *offset;
        int64_t truth_us;
    } rows[] = {{"+2s", -2000000}, {"-0.2s", 200000}, {"+3600s", INT64_C(-3600000000)}};
    if (left_out())
        return;
    struct chronyd chronyd = start("local stratum 8");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sntp_interval offset = ask_with_clock(&chronyd, rows[i].offset);
        expect_within(&offset, rows[i].truth_us);
        assert_true(offset.hi_us - offset.lo_us < 100000);
    }
    stop(&chronyd);
}

static void without_a_source_it_says_so(void **state)
{
    (void)state;
    if (left_out())
        return;
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
    if (left_out())
        return;
    struct sntp_result r;
    struct chronyd chronyd =
        start("local stratum 8\nratelimit interval 1 burst 1 leak 4");
    int64_t end = now_ms() + START_MS;
    do
        ask(&chronyd, &r);
    while (!r.answer[0].valid && now_ms() < end);
    expect_within(&r.answer[0].offset, 0);
    stop(&chronyd);
}

static int setup(void **state)
{
    (void)state;
    static const char *const argv[] = {SOURCE_DIR "/scripts/install-chrony", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (o.code == 0)
        (void)snprintf(program, sizeof program, "%.*s", (int)strcspn(o.out, "\n"),
                       o.out);
    outcome_release(&o);
    const char *ci = getenv("CI");
    return program[0] || !ci || strcmp(ci, "true") != 0 ? 0 : -1;
}

static int ask_and_print(int port)
{
    struct ntp_server server = {ADDRESS, port};
    struct sntp_result r;
    if (sntp_ask(&server, 1, &r, NULL) < 0 || r.best < 0)
        return 1;
    (void)printf("%lld %lld\n", (long long)r.answer[0].offset.lo_us,
                 (long long)r.answer[0].offset.hi_us);
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
