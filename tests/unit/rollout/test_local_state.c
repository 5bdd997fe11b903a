/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "base/limits.h"
#include "rollout/local_state.h"
#include "test.h"

static void an_attempt_begins_and_ends(void **state)
{
    (void)state;
    struct local_state l = {.state = LOCAL_STATE_DONE, .revision = "a"};
    local_state_begin(&l, "b");
    assert_int_equal(l.state, LOCAL_STATE_APPLYING);
    assert_string_equal(l.revision, "a");
    local_state_end(&l, false, true, "disk full");
    assert_int_equal(l.state, LOCAL_STATE_FAILED);
    assert_string_equal(l.revision, "a");
    assert_int_equal(l.rollback_failed, true);
    local_state_look(&l, "b", "", NULL);
    assert_int_equal(l.state, LOCAL_STATE_FAILED); /* a failure is not forgotten by looking */
    local_state_begin(&l, "c");
    local_state_end(&l, true, false, "");
    assert_int_equal(l.state, LOCAL_STATE_DONE);
    assert_string_equal(l.revision, "c");
    assert_int_equal(l.rollback_failed, false);
}

static const struct server_record at_work = {.state = SERVER_RECORD_APPLYING, .revision = "b"};

/* The local after a look at what is wanted, then after it is not our turn; and what it
 * says as a record. */
static const struct look_row {
    const char *name;
    enum local_state_state state;
    const char *in_force, *tried;
    bool rollback_failed;
    const char *wanted;
    const struct server_record *published;
    enum local_state_state looked, waited;
    enum server_record_state record;
    const char *revision, *reason;
} look_rows[] = {
    {"fresh", LOCAL_STATE_NONE, "", "", false, "b", NULL, LOCAL_STATE_WAITING, LOCAL_STATE_WAITING,
     SERVER_RECORD_KEPT, "", ""},
    {"in force", LOCAL_STATE_DONE, "a", "a", false, "a", NULL, LOCAL_STATE_DONE,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"another one wanted", LOCAL_STATE_DONE, "a", "a", false, "b", NULL, LOCAL_STATE_DONE,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"still waiting", LOCAL_STATE_WAITING, "a", "a", false, "b", NULL, LOCAL_STATE_WAITING,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"waited, and back", LOCAL_STATE_WAITING, "a", "a", false, "a", NULL, LOCAL_STATE_DONE,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"refused settings", LOCAL_STATE_DONE, "a", "a", false, "", NULL, LOCAL_STATE_REFUSED,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"refused settings, and back", LOCAL_STATE_REFUSED, "a", "a", false, "a", NULL,
     LOCAL_STATE_DONE, LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"an own refusal", LOCAL_STATE_FAILED, "a", "b", false, "b", NULL, LOCAL_STATE_FAILED,
     LOCAL_STATE_FAILED, SERVER_RECORD_FAILED, "b", "why"},
    {"A -> B refused -> A", LOCAL_STATE_FAILED, "a", "b", false, "a", NULL, LOCAL_STATE_DONE,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"A -> B refused -> C", LOCAL_STATE_FAILED, "a", "b", false, "c", NULL, LOCAL_STATE_FAILED,
     LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
    {"first one refused -> C", LOCAL_STATE_FAILED, "", "b", false, "c", NULL, LOCAL_STATE_FAILED,
     LOCAL_STATE_WAITING, SERVER_RECORD_KEPT, "", ""},
    {"rollback failed -> A", LOCAL_STATE_FAILED, "a", "b", true, "a", NULL, LOCAL_STATE_FAILED,
     LOCAL_STATE_WAITING, SERVER_RECORD_FAILED, "b", "why"},
    {"a repair failed", LOCAL_STATE_FAILED, "a", "a", false, "a", NULL, LOCAL_STATE_FAILED,
     LOCAL_STATE_FAILED, SERVER_RECORD_FAILED, "a", "why"},
    {"interrupted", LOCAL_STATE_APPLYING, "a", "b", false, "b", NULL, LOCAL_STATE_APPLYING,
     LOCAL_STATE_APPLYING, SERVER_RECORD_APPLYING, "b", ""},
    {"interrupted, then refused settings", LOCAL_STATE_APPLYING, "a", "b", false, "", NULL,
     LOCAL_STATE_APPLYING, LOCAL_STATE_APPLYING, SERVER_RECORD_APPLYING, "b", ""},
    {"interrupted, and back", LOCAL_STATE_APPLYING, "a", "b", false, "a", NULL,
     LOCAL_STATE_APPLYING, LOCAL_STATE_APPLYING, SERVER_RECORD_APPLYING, "b", ""},
    {"an interrupted repair", LOCAL_STATE_APPLYING, "a", "a", false, "a", NULL,
     LOCAL_STATE_APPLYING, LOCAL_STATE_APPLYING, SERVER_RECORD_DONE, "a", ""},
    {"interrupted behind a failed rollback", LOCAL_STATE_APPLYING, "a", "a", true, "a", NULL,
     LOCAL_STATE_APPLYING, LOCAL_STATE_APPLYING, SERVER_RECORD_APPLYING, "a", ""},
    {"lost while applying", LOCAL_STATE_NONE, "", "", false, "c", &at_work, LOCAL_STATE_APPLYING,
     LOCAL_STATE_APPLYING, SERVER_RECORD_APPLYING, "b", ""},
    {"announced, nothing touched yet", LOCAL_STATE_DONE, "a", "a", false, "b", &at_work,
     LOCAL_STATE_DONE, LOCAL_STATE_WAITING, SERVER_RECORD_DONE, "a", ""},
};

static void a_look_and_a_wait_keep_the_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(look_rows); i++) {
        const struct look_row *row = &look_rows[i];
        struct server_record record;
        struct local_state l = {
            .state = row->state, .reason = "why", .rollback_failed = row->rollback_failed};
        (void)snprintf(l.revision, sizeof l.revision, "%s", row->in_force);
        (void)snprintf(l.tried, sizeof l.tried, "%s", row->tried);
        if (l.state == LOCAL_STATE_APPLYING)
            local_state_begin(&l, row->tried);
        print_message("  %s\n", row->name);
        local_state_look(&l, row->wanted, "bad level", row->published);
        assert_int_equal(l.state, row->looked);
        if (l.state == LOCAL_STATE_REFUSED)
            assert_string_equal(l.reason, "bad level");
        local_state_wait(&l, row->wanted);
        assert_int_equal(l.state, row->waited);
        local_state_record(&l, "n1", &record);
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
    struct server_record record;
    struct local_state l = {.state = LOCAL_STATE_DONE, .revision = "a"};
    local_state_begin(&l, "b");
    local_state_look(&l, "a", "", NULL);
    local_state_begin(&l, "a");
    local_state_record(&l, "n1", &record);
    assert_int_equal(record.state, SERVER_RECORD_APPLYING);
    assert_string_equal(record.revision, "a");
    local_state_end(&l, true, false, "");
    l.unproven = false;
    local_state_begin(&l, "a");
    local_state_record(&l, "n1", &record);
    assert_int_equal(record.state, SERVER_RECORD_DONE);
}

static void assert_record(const struct local_state *l, enum server_record_state state,
                          const char *revision)
{
    struct server_record record;
    local_state_record(l, "n1", &record);
    assert_int_equal(record.state, state);
    assert_string_equal(record.revision, revision);
    assert_string_equal(record.cluster_uuid, l->cluster_uuid);
}

/* Confirmed is not done: only its proof makes it so, whatever happens meanwhile. */
static void what_is_applied_is_unproven_first(void **state)
{
    (void)state;
    struct local_state l = {.state = LOCAL_STATE_DONE, .revision = "a", .cluster_uuid = "of a"};
    local_state_begin(&l, "b");
    local_state_end(&l, true, false, "");
    assert_true(l.unproven);
    assert_true(l.applied_ms > 0);
    assert_string_equal(l.cluster_uuid, "");
    assert_true(local_state_due(&l));
    assert_record(&l, SERVER_RECORD_APPLYING, "b");
    local_state_look(&l, "c", "", NULL); /* another one is wanted, not this server's turn */
    local_state_wait(&l, "c");
    assert_record(&l, SERVER_RECORD_APPLYING, "b");
    local_state_begin(&l, "c"); /* which fails */
    assert_record(&l, SERVER_RECORD_APPLYING, "c");
    local_state_end(&l, false, false, "no");
    assert_record(&l, SERVER_RECORD_FAILED, "c");
    local_state_look(&l, "b", "", NULL); /* back again */
    assert_record(&l, SERVER_RECORD_APPLYING, "b");
    local_state_begin(&l, "b"); /* a repair proves nothing */
    assert_record(&l, SERVER_RECORD_APPLYING, "b");
    local_state_end(&l, true, false, "");
    assert_record(&l, SERVER_RECORD_APPLYING, "b");
    l.unproven = false;
    assert_record(&l, SERVER_RECORD_DONE, "b");
    local_state_begin(&l, "b"); /* nor does it take a proof away */
    local_state_end(&l, true, false, "");
    assert_record(&l, SERVER_RECORD_DONE, "b");
    assert_false(local_state_due(&l));
}

/* A -> B refused -> back on A, of which nothing has arrived: the record says both. */
static void rolled_back_to_the_unproven_is_said(void **state)
{
    struct local_state l = {0};
    struct server_record r;
    (void)state;
    local_state_begin(&l, "aa");
    local_state_end(&l, true, false, "");
    local_state_begin(&l, "bb");
    local_state_end(&l, false, false, "no");
    local_state_record(&l, "n1", &r);
    assert_int_equal(r.state, SERVER_RECORD_FAILED);
    assert_true(r.unproven);
    struct local_state lost = {0};
    local_state_look(&lost, "cc", "", &r);
    local_state_record(&lost, "n1", &r);
    assert_int_equal(r.state, SERVER_RECORD_KEPT);
    assert_true(r.unproven);
}

static void refused_settings_are_a_reason_to_keep(void **state)
{
    (void)state;
    struct server_record record;
    struct local_state l = {.state = LOCAL_STATE_DONE, .revision = "a"};
    local_state_look(&l, "", "bad level", NULL);
    local_state_record(&l, "n1", &record);
    assert_int_equal(record.state, SERVER_RECORD_KEPT);
    assert_string_equal(record.revision, "a");
    assert_string_equal(record.reason, "bad level");
}

static void who_waits_or_was_interrupted_looks_again_soon(void **state)
{
    (void)state;
    static const bool due[] = {false, true, false, false, false, true};
    for (int i = LOCAL_STATE_NONE; i <= LOCAL_STATE_WAITING; i++) {
        struct local_state l = {.state = (enum local_state_state)i, .at_ms = boottime_ms()};
        (void)snprintf(l.boot, sizeof l.boot, "%s", boottime_boot_id());
        assert_int_equal(local_state_due(&l), due[i]);
        l.at_ms -= 600000;
        assert_int_equal(local_state_due(&l), true);
    }
}

static void only_finished_work_is_settled(void **state)
{
    (void)state;
    static const bool settled[] = {false, false, true, true, true, true};
    for (int i = LOCAL_STATE_NONE; i <= LOCAL_STATE_WAITING; i++) {
        struct local_state l = {.state = (enum local_state_state)i, .settings = "d"};
        assert_int_equal(local_state_settled(&l, "d"), settled[i]);
        assert_int_equal(local_state_settled(&l, "e"), false);
    }
}

static void a_retry_is_asked_once_and_taken_once(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    struct error err = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(local_state_take_retry(dir), false);
    assert_int_equal(local_state_ask_retry(dir, &err), 0);
    assert_int_equal(local_state_ask_retry(dir, &err), 0);
    assert_int_equal(local_state_take_retry(dir), true);
    assert_int_equal(local_state_take_retry(dir), false);
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(local_state_ask_retry(dir, &err), -ENOENT);
}

static void it_survives_writing_and_reading(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    char path[64];
    struct error err = {0};
    struct local_state out;
    struct local_state in = {.state = LOCAL_STATE_FAILED,
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
    local_state_read(dir, &out);
    assert_int_equal(out.state, LOCAL_STATE_NONE);
    assert_int_equal(local_state_write(dir, &in, &err), 0);
    local_state_read(dir, &out);
    assert_memory_equal(&in, &out, sizeof in);
    (void)snprintf(path, sizeof path, "%s/logging.json", dir);
    assert_int_equal(truncate(path, 20), 0);
    local_state_read(dir, &out);
    assert_int_equal(out.state, LOCAL_STATE_NONE);
    (void)unlink(path);
    (void)rmdir(dir);
}

/* What the program of before the folders wrote, byte by byte: an upgrade loses nothing. */
static void the_file_of_an_older_program_is_understood(void **state)
{
    (void)state;
    static const char old[] = "{\"state\":\"failed\",\"settings\":\"s1\",\"results\":\"r1\","
                              "\"revision\":\"a1\",\"tried\":"
                              "\"b2\",\"reason\":\"x refused: "
                              "y\",\"rollback_failed\":false,\"touched\":true,\"unproven\":"
                              "true,\"applied_ms\":1795811879319,\"cluster_uuid\":\"u\",\"boot\":"
                              "\"b\",\"at_ms\":10933113}";
    char dir[] = "/tmp/lictor-local-state-XXXXXX";
    char path[100];
    struct local_state out;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/logging.json", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(old, file) >= 0);
    assert_int_equal(fclose(file), 0);
    local_state_read(dir, &out);
    assert_int_equal(out.state, LOCAL_STATE_FAILED);
    assert_string_equal(out.settings, "s1");
    assert_string_equal(out.results, "r1");
    assert_string_equal(out.revision, "a1");
    assert_string_equal(out.tried, "b2");
    assert_string_equal(out.reason, "x refused: y");
    assert_true(out.touched && out.unproven && !out.rollback_failed);
    assert_int_equal(out.applied_ms, 1795811879319);
    assert_int_equal(out.at_ms, 10933113);
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
        cmocka_unit_test(the_file_of_an_older_program_is_understood),
    };
    return cmocka_run_group_tests_name("local_state", tests, NULL, NULL);
}
