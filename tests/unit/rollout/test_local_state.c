#include "base/duration.h"
#include "base/limits.h"
#include "rollout/local_state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void an_attempt_begins_and_ends(void **state)
{
    (void)state;
    struct ledger l = {.state = LEDGER_DONE, .revision = "a"};
    ledger_begin(&l, "b");
    assert_int_equal(l.state, LEDGER_APPLYING);
    assert_string_equal(l.revision, "a");
    ledger_end(&l, false, true, "disk full");
    assert_int_equal(l.state, LEDGER_FAILED);
    assert_string_equal(l.revision, "a");
    assert_int_equal(l.rollback_failed, true);
    ledger_look(&l, "b", "", NULL);
    assert_int_equal(l.state,
                     LEDGER_FAILED); /* a failure is not forgotten by looking */
    ledger_begin(&l, "c");
    ledger_end(&l, true, false, "");
    assert_int_equal(l.state, LEDGER_DONE);
    assert_string_equal(l.revision, "c");
    assert_int_equal(l.rollback_failed, false);
}

static const struct logging_record at_work = {.state = LOGGING_APPLYING,
                                              .revision = "b"};

/* The ledger after a look at what is wanted, then after it is not our turn; and what it
 * says as a record. */
static const struct look_row {
    const char *name;
    enum ledger_state state;
    const char *in_force, *tried;
    bool rollback_failed;
    const char *wanted;
    const struct logging_record *published;
    enum ledger_state looked, waited;
    enum logging_state record;
    const char *revision, *reason;
} look_rows[] = {
    {"fresh", LEDGER_NONE, "", "", false, "b", NULL, LEDGER_WAITING, LEDGER_WAITING,
     LOGGING_KEPT, "", ""},
    {"in force", LEDGER_DONE, "a", "a", false, "a", NULL, LEDGER_DONE, LEDGER_WAITING,
     LOGGING_DONE, "a", ""},
    {"another one wanted", LEDGER_DONE, "a", "a", false, "b", NULL, LEDGER_DONE,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"still waiting", LEDGER_WAITING, "a", "a", false, "b", NULL, LEDGER_WAITING,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"waited, and back", LEDGER_WAITING, "a", "a", false, "a", NULL, LEDGER_DONE,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"refused settings", LEDGER_DONE, "a", "a", false, "", NULL, LEDGER_REFUSED,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"refused settings, and back", LEDGER_REFUSED, "a", "a", false, "a", NULL,
     LEDGER_DONE, LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"an own refusal", LEDGER_FAILED, "a", "b", false, "b", NULL, LEDGER_FAILED,
     LEDGER_FAILED, LOGGING_FAILED, "b", "why"},
    {"A -> B refused -> A", LEDGER_FAILED, "a", "b", false, "a", NULL, LEDGER_DONE,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"A -> B refused -> C", LEDGER_FAILED, "a", "b", false, "c", NULL, LEDGER_FAILED,
     LEDGER_WAITING, LOGGING_DONE, "a", ""},
    {"first one refused -> C", LEDGER_FAILED, "", "b", false, "c", NULL, LEDGER_FAILED,
     LEDGER_WAITING, LOGGING_KEPT, "", ""},
    {"rollback failed -> A", LEDGER_FAILED, "a", "b", true, "a", NULL, LEDGER_FAILED,
     LEDGER_WAITING, LOGGING_FAILED, "b", "why"},
    {"a repair failed", LEDGER_FAILED, "a", "a", false, "a", NULL, LEDGER_FAILED,
     LEDGER_FAILED, LOGGING_FAILED, "a", "why"},
    {"interrupted", LEDGER_APPLYING, "a", "b", false, "b", NULL, LEDGER_APPLYING,
     LEDGER_APPLYING, LOGGING_APPLYING, "b", ""},
    {"interrupted, then refused settings", LEDGER_APPLYING, "a", "b", false, "", NULL,
     LEDGER_APPLYING, LEDGER_APPLYING, LOGGING_APPLYING, "b", ""},
    {"interrupted, and back", LEDGER_APPLYING, "a", "b", false, "a", NULL,
     LEDGER_APPLYING, LEDGER_APPLYING, LOGGING_APPLYING, "b", ""},
    {"an interrupted repair", LEDGER_APPLYING, "a", "a", false, "a", NULL,
     LEDGER_APPLYING, LEDGER_APPLYING, LOGGING_DONE, "a", ""},
    {"interrupted behind a failed rollback", LEDGER_APPLYING, "a", "a", true, "a", NULL,
     LEDGER_APPLYING, LEDGER_APPLYING, LOGGING_APPLYING, "a", ""},
    {"lost while applying", LEDGER_NONE, "", "", false, "c", &at_work, LEDGER_APPLYING,
     LEDGER_APPLYING, LOGGING_APPLYING, "b", ""},
    {"announced, nothing touched yet", LEDGER_DONE, "a", "a", false, "b", &at_work,
     LEDGER_DONE, LEDGER_WAITING, LOGGING_DONE, "a", ""},
};

static void a_look_and_a_wait_keep_the_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof look_rows / sizeof look_rows[0]; i++) {
        const struct look_row *row = &look_rows[i];
        struct logging_record record;
        struct ledger l = {.state = row->state,
                           .reason = "why",
                           .rollback_failed = row->rollback_failed};
        (void)snprintf(l.revision, sizeof l.revision, "%s", row->in_force);
        (void)snprintf(l.tried, sizeof l.tried, "%s", row->tried);
        if (l.state == LEDGER_APPLYING)
            ledger_begin(&l, row->tried);
        print_message("  %s\n", row->name);
        ledger_look(&l, row->wanted, "bad level", row->published);
        assert_int_equal(l.state, row->looked);
        if (l.state == LEDGER_REFUSED)
            assert_string_equal(l.reason, "bad level");
        ledger_wait(&l, row->wanted);
        assert_int_equal(l.state, row->waited);
        ledger_record(&l, "n1", &record);
        assert_string_equal(record.node, "n1");
        assert_int_equal(record.state, row->record);
        assert_string_equal(record.revision, row->revision);
        assert_string_equal(record.reason, row->reason);
    }
}

/* A -> B, killed -> A, killed: nobody knows which of them is in force. */
static void a_repair_is_none_while_another_attempt_is_not_over(void **state)
{
    (void)state;
    struct logging_record record;
    struct ledger l = {.state = LEDGER_DONE, .revision = "a"};
    ledger_begin(&l, "b");
    ledger_look(&l, "a", "", NULL);
    ledger_begin(&l, "a");
    ledger_record(&l, "n1", &record);
    assert_int_equal(record.state, LOGGING_APPLYING);
    assert_string_equal(record.revision, "a");
    ledger_end(&l, true, false, "");
    l.unproven = false;
    ledger_begin(&l, "a");
    ledger_record(&l, "n1", &record);
    assert_int_equal(record.state, LOGGING_DONE);
}

static void assert_record(const struct ledger *l, enum logging_state state,
                          const char *revision)
{
    struct logging_record record;
    ledger_record(l, "n1", &record);
    assert_int_equal(record.state, state);
    assert_string_equal(record.revision, revision);
    assert_string_equal(record.cluster_uuid, l->cluster_uuid);
}

/* Confirmed is not done: only its proof makes it so, whatever happens meanwhile. */
static void what_is_applied_is_unproven_first(void **state)
{
    (void)state;
    struct ledger l = {.state = LEDGER_DONE, .revision = "a", .cluster_uuid = "of a"};
    ledger_begin(&l, "b");
    ledger_end(&l, true, false, "");
    assert_true(l.unproven);
    assert_true(l.applied_ms > 0);
    assert_string_equal(l.cluster_uuid, "");
    assert_true(ledger_due(&l));
    assert_record(&l, LOGGING_APPLYING, "b");
    ledger_look(&l, "c", "", NULL); /* another one is wanted, not this server's turn */
    ledger_wait(&l, "c");
    assert_record(&l, LOGGING_APPLYING, "b");
    ledger_begin(&l, "c"); /* which fails */
    assert_record(&l, LOGGING_APPLYING, "c");
    ledger_end(&l, false, false, "no");
    assert_record(&l, LOGGING_FAILED, "c");
    ledger_look(&l, "b", "", NULL); /* back again */
    assert_record(&l, LOGGING_APPLYING, "b");
    ledger_begin(&l, "b"); /* a repair proves nothing */
    assert_record(&l, LOGGING_APPLYING, "b");
    ledger_end(&l, true, false, "");
    assert_record(&l, LOGGING_APPLYING, "b");
    l.unproven = false;
    assert_record(&l, LOGGING_DONE, "b");
    ledger_begin(&l, "b"); /* nor does it take a proof away */
    ledger_end(&l, true, false, "");
    assert_record(&l, LOGGING_DONE, "b");
    assert_false(ledger_due(&l));
}

/* A -> B refused -> back on A, of which nothing has arrived: the record says both. */
static void rolled_back_to_the_unproven_is_said(void **state)
{
    struct ledger l = {0};
    struct logging_record r;
    (void)state;
    ledger_begin(&l, "aa");
    ledger_end(&l, true, false, "");
    ledger_begin(&l, "bb");
    ledger_end(&l, false, false, "no");
    ledger_record(&l, "n1", &r);
    assert_int_equal(r.state, LOGGING_FAILED);
    assert_true(r.unproven);
    struct ledger lost = {0};
    ledger_look(&lost, "cc", "", &r);
    ledger_record(&lost, "n1", &r);
    assert_int_equal(r.state, LOGGING_KEPT);
    assert_true(r.unproven);
}

static void refused_settings_are_a_reason_to_keep(void **state)
{
    (void)state;
    struct logging_record record;
    struct ledger l = {.state = LEDGER_DONE, .revision = "a"};
    ledger_look(&l, "", "bad level", NULL);
    ledger_record(&l, "n1", &record);
    assert_int_equal(record.state, LOGGING_KEPT);
    assert_string_equal(record.revision, "a");
    assert_string_equal(record.reason, "bad level");
}

static void who_waits_or_was_interrupted_looks_again_soon(void **state)
{
    (void)state;
    static const bool due[] = {false, true, false, false, false, true};
    for (int i = LEDGER_NONE; i <= LEDGER_WAITING; i++) {
        struct ledger l = {.state = (enum ledger_state)i, .at_ms = duration_now_ms()};
        (void)snprintf(l.boot, sizeof l.boot, "%s", duration_boot_id());
        assert_int_equal(ledger_due(&l), due[i]);
        l.at_ms -= 600000;
        assert_int_equal(ledger_due(&l), true);
    }
}

static void only_finished_work_is_settled(void **state)
{
    (void)state;
    static const bool settled[] = {false, false, true, true, true, true};
    for (int i = LEDGER_NONE; i <= LEDGER_WAITING; i++) {
        struct ledger l = {.state = (enum ledger_state)i, .settings = "d"};
        assert_int_equal(ledger_settled(&l, "d"), settled[i]);
        assert_int_equal(ledger_settled(&l, "e"), false);
    }
}

static void a_retry_is_asked_once_and_taken_once(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    struct error err = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(ledger_take_retry(dir), false);
    assert_int_equal(ledger_ask_retry(dir, &err), 0);
    assert_int_equal(ledger_ask_retry(dir, &err), 0);
    assert_int_equal(ledger_take_retry(dir), true);
    assert_int_equal(ledger_take_retry(dir), false);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(ledger_ask_retry(dir, &err), -ENOENT);
}

static void it_survives_writing_and_reading(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    char path[64];
    struct error err = {0};
    struct ledger out;
    struct ledger in = {.state = LEDGER_FAILED,
                        .settings = "s",
                        .results = "r",
                        .revision = "a",
                        .tried = "b",
                        .reason = "why \"so\"",
                        .rollback_failed = true,
                        .touched = true,
                        .unproven = true,
                        .applied_ms = 1764028800123,
                        .cluster_uuid = "yVzQkXGLSEStZ7tqOXlNcw",
                        .boot = "boot",
                        .at_ms = 12345};
    assert_non_null(mkdtemp(dir));
    ledger_read(dir, &out);
    assert_int_equal(out.state, LEDGER_NONE);
    assert_int_equal(ledger_write(dir, &in, &err), 0);
    ledger_read(dir, &out);
    assert_memory_equal(&in, &out, sizeof in);
    (void)snprintf(path, sizeof path, "%s/logging.json", dir);
    assert_int_equal(truncate(path, 20), 0);
    ledger_read(dir, &out);
    assert_int_equal(out.state, LEDGER_NONE);
    (void)unlink(path);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_begins_and_ends),
        cmocka_unit_test(a_look_and_a_wait_keep_the_truth),
        cmocka_unit_test(a_repair_is_none_while_another_attempt_is_not_over),
        cmocka_unit_test(what_is_applied_is_unproven_first),
        cmocka_unit_test(rolled_back_to_the_unproven_is_said),
        cmocka_unit_test(refused_settings_are_a_reason_to_keep),
        cmocka_unit_test(who_waits_or_was_interrupted_looks_again_soon),
        cmocka_unit_test(only_finished_work_is_settled),
        cmocka_unit_test(a_retry_is_asked_once_and_taken_once),
        cmocka_unit_test(it_survives_writing_and_reading),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
