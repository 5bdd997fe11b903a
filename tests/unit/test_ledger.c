#include "duration.h"
#include "ledger.h"
#include "timing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* age_ms < 0: the last attempt was in another boot. */
static const struct row {
    const char *name;
    enum ledger_state state;
    const char *in_force, *tried, *wanted;
    bool retry;
    int64_t age_ms;
    bool must;
} rows[] = {
    {"nothing done yet", LEDGER_NONE, "", "", "a", false, -1, true},
    {"nothing wanted", LEDGER_NONE, "", "", "", false, -1, false},
    {"nothing wanted, not even with --retry", LEDGER_DONE, "a", "a", "", true, 0,
     false},
    {"in force", LEDGER_DONE, "a", "a", "a", false, 0, false},
    {"in force, --retry", LEDGER_DONE, "a", "a", "a", true, 0, true},
    {"in force, resync due", LEDGER_DONE, "a", "a", "a", false, 600000, true},
    {"in force, resync not yet due", LEDGER_DONE, "a", "a", "a", false, 590000, false},
    {"in force since another boot", LEDGER_DONE, "a", "a", "a", false, -1, true},
    {"another one wanted", LEDGER_DONE, "a", "a", "b", false, 0, true},
    {"the same failed just now", LEDGER_FAILED, "a", "b", "b", false, 0, false},
    {"the same failed long ago", LEDGER_FAILED, "a", "b", "b", false, 600000, true},
    {"the same failed, --retry", LEDGER_FAILED, "a", "b", "b", true, 0, true},
    {"A again after failed B", LEDGER_FAILED, "a", "b", "a", false, 0, true},
    {"C after failed B", LEDGER_FAILED, "a", "b", "c", false, 0, true},
    {"interrupted", LEDGER_APPLYING, "a", "b", "b", false, 0, true},
    {"interrupted, A again", LEDGER_APPLYING, "a", "b", "a", false, 0, true},
    {"refused, then A again", LEDGER_REFUSED, "a", "a", "a", false, 0, false},
    {"refused, then B", LEDGER_REFUSED, "a", "a", "b", false, 0, true},
};

static void what_must_be_applied(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct ledger l = {.state = row->state,
                           .at_ms = duration_now_ms() - row->age_ms};
        (void)snprintf(l.revision, sizeof l.revision, "%s", row->in_force);
        (void)snprintf(l.tried, sizeof l.tried, "%s", row->tried);
        (void)snprintf(l.boot, sizeof l.boot, "%s",
                       row->age_ms < 0 ? "another" : duration_boot_id());
        print_message("  %s\n", row->name);
        assert_int_equal(ledger_must_apply(&l, row->wanted, row->retry), row->must);
    }
}

static void going_back_after_a_refusal_is_done_again(void **state)
{
    (void)state;
    struct ledger l = {.state = LEDGER_DONE, .revision = "a"};
    ledger_settle(&l, "bad level");
    assert_int_equal(l.state, LEDGER_REFUSED);
    assert_string_equal(l.reason, "bad level");
    ledger_settle(&l, NULL);
    assert_int_equal(l.state, LEDGER_DONE);
    assert_string_equal(l.reason, "");
    assert_string_equal(l.revision, "a");
}

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
    ledger_settle(&l, NULL);
    assert_int_equal(l.state,
                     LEDGER_FAILED); /* a failure is not forgotten by looking */
    ledger_begin(&l, "c");
    ledger_end(&l, true, false, "");
    assert_int_equal(l.state, LEDGER_DONE);
    assert_string_equal(l.revision, "c");
    assert_int_equal(l.rollback_failed, false);
}

static void only_finished_work_is_settled(void **state)
{
    (void)state;
    static const bool settled[] = {false, false, true, true, true};
    for (int i = LEDGER_NONE; i <= LEDGER_FAILED; i++) {
        struct ledger l = {.state = (enum ledger_state)i, .settings = "d"};
        assert_int_equal(ledger_settled(&l, "d"), settled[i]);
        assert_int_equal(ledger_settled(&l, "e"), false);
    }
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
        cmocka_unit_test(what_must_be_applied),
        cmocka_unit_test(going_back_after_a_refusal_is_done_again),
        cmocka_unit_test(an_attempt_begins_and_ends),
        cmocka_unit_test(only_finished_work_is_settled),
        cmocka_unit_test(it_survives_writing_and_reading),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
