/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#include "test.h"

#include <sys/resource.h>

/* It reads its environment once: each row has a process of its own. What is different
 * from expected there is the exit code, a signal is negative. */
static int in_a_process(const char *environment, const struct limits *expected)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        (void)signal(SIGABRT, SIG_DFL);
        (void)setrlimit(RLIMIT_CORE, &none);
        if (environment ? setenv("LICTOR_LIMITS", environment, 1) : unsetenv("LICTOR_LIMITS"))
            _exit(3);
        const struct limits *t = limits();
        bool same = t == limits() && memcmp(t, expected, sizeof *t) == 0;
        _exit(same ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#define SECOND 1000
#define MINUTE (60 * SECOND)

/* What an installed program uses. */
static struct limits installed(void)
{
    return (struct limits){.kill_ms = 2 * SECOND,
                           .drain_ms = 1 * SECOND,
                           .http_ms = 10 * SECOND,
                           .leader_proof_ms = 2 * SECOND,
                           .no_leader_ms = 30 * SECOND,
                           .split_ms = 30 * SECOND,
                           .follow_ms = 25 * SECOND,
                           .mute_ms = 90 * SECOND,
                           .deaf_ms = 60 * SECOND,
                           .calm_ms = 200 * SECOND,
                           .rest_ms = 30 * SECOND,
                           .mapping_stable_ms = 1 * MINUTE,
                           .look_ms = 6 * SECOND,
                           .verify_ms = 8 * SECOND,
                           .beat_ms = 13 * SECOND,
                           .run_ms = 15 * SECOND,
                           .ask_ms = 30 * SECOND,
                           .lock_ms = 4 * SECOND,
                           .apply_again_ms = 10 * SECOND,
                           .resync_ms = 10 * MINUTE,
                           .unsynced_ms = 1 * MINUTE,
                           .apply_ms = 2 * MINUTE,
                           .request_ms = 10 * SECOND,
                           .confirm_ms = 2 * SECOND,
                           .clock_interval_ms = 15 * SECOND,
                           .clock_echo_ms = 1 * MINUTE,
                           .clock_unproven_ms = 3 * MINUTE,
                           .resolve_ms = 1 * SECOND,
                           .reference_ms = 1500,
                           .reference_again_ms = 1 * MINUTE,
                           .elasticsearch_ms = 2 * SECOND,
                           .mongodb_ms = 4 * SECOND,
                           .replication_ms = 1 * MINUTE,
                           .proof_ms = 10 * SECOND,
                           .fresh_ms = 90 * SECOND,
                           .patience_ms = 1 * MINUTE,
                           .loss_ms = 30 * MINUTE,
                           .still_ms = 1 * MINUTE,
                           .write_ms = 30 * SECOND,
                           .write_again_ms = 250};
}

static void has_the_installed_values(void **state)
{
    (void)state;
    struct limits expected = installed();
    assert_int_equal(in_a_process(NULL, &expected), 0);
    assert_int_equal(in_a_process("", &expected), 0);
}

static void a_test_changes_them_by_name(void **state)
{
    (void)state;
    struct limits one = installed();
    one.no_leader_ms = 2000;
    assert_int_equal(in_a_process("no_leader=2s", &one), 0);
    struct limits all = {27, 28, 1,  2,  3,  4,  29, 30, 31, 32, 33, 5,  34, 6,
                         35, 36, 37, 7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
                         18, 19, 20, 39, 40, 21, 22, 23, 24, 38, 25, 26};
    assert_int_equal(
        in_a_process("http=1ms,leader_proof=2ms,no_leader=3ms,split=4ms,"
                     "mapping_stable=5ms,verify=6ms,lock=7ms,apply_again=8ms,"
                     "resync=9ms,unsynced=10ms,apply=11ms,request=12ms,confirm=13ms,"
                     "clock_interval=14ms,clock_echo=15ms,clock_unproven=16ms,"
                     "resolve=17ms,reference=18ms,reference_again=19ms,"
                     "elasticsearch=20ms,proof=21ms,fresh=22ms,patience=23ms,loss=24ms,"
                     "write=25ms,write_again=26ms,kill=27ms,drain=28ms,"
                     "follow=29ms,mute=30ms,deaf=31ms,calm=32ms,rest=33ms,look=34ms,beat=35ms,run="
                     "36ms,ask=37ms,still=38ms,mongodb=39ms,replication=40ms",
                     &all),
        0);
}

static void a_wrong_word_ends_the_test(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "http",
        "http=",
        "http=1",
        "http=x",
        "htt=1s",
        "=1s",
        "http_ms=1s",
        "http=1s,apply",
        "http=1s,,apply=1s",
        ",",
        "http=11111111111111111111111111111111s",
    };
    struct limits expected = installed();
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(in_a_process(wrong[i], &expected), -SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_installed_values),
        cmocka_unit_test(a_test_changes_them_by_name),
        cmocka_unit_test(a_wrong_word_ends_the_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
