/* SPDX-License-Identifier: MIT */
/* scripts/demo: its log shippers, and that nothing stays behind whatever crashes. */
#include "harness.h"

#include "keeper.h"

#include <time.h>

static char dir[300], net[32], answering[64];

/* An agent stands for Elasticsearch: up only waits until something answers. */
static const char *const *environment(void)
{
    static char text[100];
    static const char *env[] = {text, NULL};
    (void)snprintf(text, sizeof text, "ELASTICSEARCH_URL=%s", answering);
    return env;
}

static struct outcome demo(const char *a, const char *b, const char *c)
{
    const char *argv[] = {SOURCE_DIR "/scripts/demo", "--dir", dir, "--net", net, a, b, c, NULL};
    return run_tool(NULL, argv, environment());
}

static void expect(struct outcome o, int code, const char *err)
{
    if (o.code != code || !strstr(o.err, err))
        harness_fail("code %d, stdout \"%s\", stderr \"%s\"; wanted %d and \"%s\"", o.code, o.out,
                     o.err, code, err);
    outcome_release(&o);
}

/* How many processes have the demo's mark or directory, as /proc shows them. */
static int processes(void)
{
    char script[900];
    (void)snprintf(script, sizeof script,
                   "{ grep -lzxF 'LICTOR_DEMO=%s' /proc/[0-9]*/environ;"
                   " grep -lz '%s/[s]erver-' /proc/[0-9]*/cmdline; } 2>/dev/null |"
                   " cut -d/ -f3 | sort -u | wc -l",
                   dir, dir);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    int n = atoi(o.out);
    outcome_release(&o);
    return n;
}

/* Agent and rsyslogd; a handler of the agent may run for a moment besides. */
static bool two_are_left(void *arg, struct buffer *seen)
{
    (void)arg;
    int n = processes();
    return buffer_printf(seen, "%d processes", n) == 0 && n == 2;
}

static void write_configuration(const char *more)
{
    char path[400];
    (void)snprintf(path, sizeof path, "%s/server-1/shipper/rsyslog.conf", dir);
    FILE *f = fopen(path, "we");
    if (!f)
        harness_fail("cannot write %s", path);
    (void)fprintf(f,
                  "global(workDirectory=\"%s/server-1/shipper\")\n"
                  "module(load=\"imfile\")\n"
                  "input(type=\"imfile\" file=\"%s/server-1/log/*.log\" tag=\"seal\")\n"
                  "*.* action(type=\"omfile\" file=\"/dev/null\")\n%s",
                  dir, dir, more);
    (void)fclose(f);
}

static long alive(void)
{
    struct outcome o = demo("shipper", "alive", "1");
    long pid = o.code == 0 ? atol(o.out) : 0;
    outcome_release(&o);
    return pid;
}

static void a_second_up_says_so(void **state)
{
    (void)state;
    expect(demo("up", "--servers", "1"), 1, "a demo runs already");
}

static void a_shipper_is_one_process(void **state)
{
    (void)state;
    expect(demo("shipper", "alive", "1"), 1, "no rsyslogd runs with");
    expect(demo("shipper", "stop", "1"), 0, "");
    expect(demo("shipper", "restart", "1"), 1, "rsyslog.conf is missing");
    write_configuration("");
    expect(demo("shipper", "restart", "1"), 0, "");
    long first = alive();
    assert_int_not_equal(first, 0);
    assert_int_equal(alive(), first);
    expect(demo("shipper", "restart", "1"), 0, "");
    assert_int_not_equal(alive(), first);
    wait_until("agent and rsyslogd alone", 10000, two_are_left, NULL);
}

static void restarts_at_once_leave_one(void **state)
{
    (void)state;
    pid_t child[4];
    int status = 0;
    write_configuration("");
    for (int i = 0; i < 4; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct outcome o = demo("shipper", "restart", "1");
            _exit(o.code);
        }
    }
    for (int i = 0; i < 4; i++) {
        (void)waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_not_equal(alive(), 0);
    wait_until("agent and rsyslogd alone", 10000, two_are_left, NULL);
}

static void alive_means_the_present_file(void **state)
{
    (void)state;
    write_configuration("");
    expect(demo("shipper", "restart", "1"), 0, "");
    write_configuration("# another one\n");
    expect(demo("shipper", "alive", "1"), 1, "was started with another");
    expect(demo("shipper", "stop", "1"), 0, "");
    expect(demo("shipper", "stop", "1"), 0, "");
    assert_int_equal(alive(), 0);
}

static void an_agent_is_killed_and_started(void **state)
{
    (void)state;
    expect(demo("kill", "1", NULL), 0, "");
    expect(demo("kill", "1", NULL), 1, "server 1 does not run");
    expect(demo("start", "1", NULL), 0, "");
    expect(demo("start", "1", NULL), 1, "server 1 runs already");
}

/* What runs on that server sees it from then on, and the raw clock is left alone. */
static void a_clock_is_set_and_put_right(void **state)
{
    (void)state;
    char script[700];
    (void)snprintf(script, sizeof script, ". '%s/server-1/clock' && date +%%s", dir);
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    expect(demo("clock", "1", "+3600s"), 0, "");
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_in_range(atol(o.out) - (long)time(NULL), 3590, 3610);
    outcome_release(&o);
    expect(demo("clock", "1", "right"), 0, "");
    o = run_tool(NULL, argv, NULL);
    assert_in_range(atol(o.out) - (long)time(NULL) + 10, 0, 20);
    outcome_release(&o);
    expect(demo("clock", "1", "fast"), 2, "clock N +2s");
    expect(demo("clock", "2", "+2s"), 2, "N from 1 to 1");
}

static void nothing_stays_behind(void **state)
{
    (void)state;
    write_configuration("");
    expect(demo("shipper", "restart", "1"), 0, "");
    expect(demo("down", NULL, NULL), 0, "");
    assert_int_equal(processes(), 0);
    expect(demo("shipper", "restart", "1"), 1, "the demo is down");
    expect(demo("down", NULL, NULL), 0, "");
}

static bool agent_runs(void *arg, struct buffer *seen)
{
    (void)arg;
    struct outcome o = demo("status", NULL, NULL);
    bool runs = buffer_printf(seen, "%s%s", o.out, o.err) == 0 && strstr(o.out, ", leader");
    outcome_release(&o);
    return runs;
}

static void nor_after_a_crash(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        (void)setsid();
        (void)setenv("ELASTICSEARCH_URL", "http://127.0.0.1:1", 1); /* waits for ever */
        (void)execl(SOURCE_DIR "/scripts/demo", "demo", "--dir", dir, "--net", net, "up",
                    "--servers", "1", (char *)NULL);
        _exit(127);
    }
    wait_until("the agent runs", 20000, agent_runs, NULL);
    (void)kill(-child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    assert_int_not_equal(processes(), 0);
    expect(demo("up", NULL, NULL), 1, "or what is left of one");
    expect(demo("down", NULL, NULL), 0, "");
    assert_int_equal(processes(), 0);
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    expect(demo("up", "--servers", "2"), 2, "1, 3, 5 or 7");
    expect(demo("shipper", "reload", "1"), 2, "shipper restart|alive|stop");
    expect(demo("sideways", NULL, NULL), 2, "unknown command");
}

static int setup(void **state)
{
    (void)state;
    int k = keeper_take_net();
    (void)snprintf(dir, sizeof dir, "%s/demo", keeper_dir());
    (void)snprintf(net, sizeof net, "127.0.%d", k);
    (void)snprintf(answering, sizeof answering, "http://%s.1:8500", net);
    struct outcome o = demo("up", "--servers", "1");
    if (o.code != 0)
        print_error("up: %d %s%s\n", o.code, o.out, o.err);
    int code = o.code;
    outcome_release(&o);
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_up_says_so),
        cmocka_unit_test(a_shipper_is_one_process),
        cmocka_unit_test(restarts_at_once_leave_one),
        cmocka_unit_test(alive_means_the_present_file),
        cmocka_unit_test(an_agent_is_killed_and_started),
        cmocka_unit_test(a_clock_is_set_and_put_right),
        cmocka_unit_test(nothing_stays_behind),
        cmocka_unit_test(nor_after_a_crash),
        cmocka_unit_test(wrong_words_are_refused),
    };
    return HARNESS_RUN("demo", tests, setup, NULL);
}
