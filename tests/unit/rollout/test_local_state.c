/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "base/file.h"
#include "rollout/local_state.h"
#include "test.h"

/* What a server has behind it. */
enum past { FRESH, DONE, REFUSED, FAILED, WAITING, APPLYING };

static enum past past_of(const struct local_state *l)
{
    if (!l->known)
        return FRESH;
    if (l->running)
        return APPLYING;
    if (l->waiting)
        return WAITING;
    if (l->record.state == SERVER_RECORD_FAILED)
        return FAILED;
    return l->record.state == SERVER_RECORD_KEPT ? REFUSED : DONE;
}

static void bring_into_force(struct local_state *l, const char *revision)
{
    local_state_begin(l, revision);
    local_state_end(l, true, false, "");
    local_state_prove(l, false);
}

static void an_attempt_begins_and_ends(void **state)
{
    (void)state;
    struct local_state l = {0};
    bring_into_force(&l, "a");
    local_state_begin(&l, "b");
    assert_int_equal(past_of(&l), APPLYING);
    assert_string_equal(l.in_force, "a");
    local_state_end(&l, false, true, "disk full");
    assert_int_equal(past_of(&l), FAILED);
    assert_string_equal(l.in_force, "a");
    assert_int_equal(l.rollback_failed, true);
    local_state_look(&l, "b", "", NULL);
    assert_int_equal(past_of(&l), FAILED); /* a failure is not forgotten by looking */
    local_state_begin(&l, "c");
    local_state_end(&l, true, false, "");
    assert_int_equal(past_of(&l), DONE);
    assert_string_equal(l.in_force, "c");
    assert_int_equal(l.rollback_failed, false);
}

static const struct server_record at_work = {.state = SERVER_RECORD_APPLYING, .revision = "b"};

/* The local state after a look at what is wanted, then after it is not our turn; and the
 * record. */
static const struct look_row {
    const char *name;
    enum past past;
    const char *in_force, *tried;
    bool rollback_failed;
    const char *wanted;
    const struct server_record *published;
    enum past looked, waited;
    enum server_record_state record;
    const char *revision, *reason;
} look_rows[] = {
    {"fresh", FRESH, "", "", false, "b", NULL, WAITING, WAITING, SERVER_RECORD_KEPT, "", ""},
    {"in force", DONE, "a", "", false, "a", NULL, DONE, WAITING, SERVER_RECORD_DONE, "a", ""},
    {"another one wanted", DONE, "a", "", false, "b", NULL, DONE, WAITING, SERVER_RECORD_DONE, "a",
     ""},
    {"still waiting", WAITING, "a", "", false, "b", NULL, WAITING, WAITING, SERVER_RECORD_DONE, "a",
     ""},
    {"waited, and back", WAITING, "a", "", false, "a", NULL, DONE, WAITING, SERVER_RECORD_DONE, "a",
     ""},
    {"refused settings", DONE, "a", "", false, "", NULL, REFUSED, WAITING, SERVER_RECORD_DONE, "a",
     ""},
    {"refused settings, and back", REFUSED, "a", "", false, "a", NULL, DONE, WAITING,
     SERVER_RECORD_DONE, "a", ""},
    {"an own refusal", FAILED, "a", "b", false, "b", NULL, FAILED, FAILED, SERVER_RECORD_FAILED,
     "b", "why"},
    {"A -> B refused -> A", FAILED, "a", "b", false, "a", NULL, DONE, WAITING, SERVER_RECORD_DONE,
     "a", ""},
    {"A -> B refused -> C", FAILED, "a", "b", false, "c", NULL, FAILED, WAITING, SERVER_RECORD_DONE,
     "a", ""},
    {"first one refused -> C", FAILED, "", "b", false, "c", NULL, FAILED, WAITING,
     SERVER_RECORD_KEPT, "", ""},
    {"rollback failed -> A", FAILED, "a", "b", true, "a", NULL, FAILED, WAITING,
     SERVER_RECORD_FAILED, "b", "why"},
    {"rollback failed, then refused settings", FAILED, "a", "b", true, "", NULL, FAILED, WAITING,
     SERVER_RECORD_FAILED, "b", "why"},
    {"a repair failed", FAILED, "a", "a", false, "a", NULL, FAILED, FAILED, SERVER_RECORD_FAILED,
     "a", "why"},
    {"interrupted", APPLYING, "a", "b", false, "b", NULL, APPLYING, APPLYING,
     SERVER_RECORD_APPLYING, "b", ""},
    {"interrupted, then refused settings", APPLYING, "a", "b", false, "", NULL, APPLYING, APPLYING,
     SERVER_RECORD_APPLYING, "b", ""},
    {"interrupted, and back", APPLYING, "a", "b", false, "a", NULL, APPLYING, APPLYING,
     SERVER_RECORD_APPLYING, "b", ""},
    {"an interrupted repair", APPLYING, "a", "a", false, "a", NULL, APPLYING, APPLYING,
     SERVER_RECORD_DONE, "a", ""},
    {"interrupted behind a failed rollback", APPLYING, "a", "a", true, "a", NULL, APPLYING,
     APPLYING, SERVER_RECORD_APPLYING, "a", ""},
    {"lost while applying", FRESH, "", "", false, "c", &at_work, APPLYING, APPLYING,
     SERVER_RECORD_APPLYING, "b", ""},
    {"announced, nothing touched yet", DONE, "a", "", false, "b", &at_work, DONE, WAITING,
     SERVER_RECORD_DONE, "a", ""},
};

static void live_through(struct local_state *l, const struct look_row *row)
{
    if (row->in_force[0])
        bring_into_force(l, row->in_force);
    if (row->past == REFUSED)
        local_state_look(l, "", "bad level", NULL);
    if (row->past == WAITING)
        local_state_wait(l, "b");
    if (row->past == FAILED || row->rollback_failed) {
        local_state_begin(l, row->tried);
        local_state_end(l, false, row->rollback_failed, "why");
    }
    if (row->past == APPLYING)
        local_state_begin(l, row->tried);
    assert_int_equal(past_of(l), row->past);
}

static void a_look_and_a_wait_keep_the_truth(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(look_rows); i++) {
        const struct look_row *row = &look_rows[i];
        struct local_state l = {0};
        print_message("  %s\n", row->name);
        live_through(&l, row);
        local_state_look(&l, row->wanted, "bad level", row->published);
        assert_int_equal(past_of(&l), row->looked);
        if (row->looked == REFUSED)
            assert_string_equal(l.record.reason, "bad level");
        local_state_wait(&l, row->wanted);
        assert_int_equal(past_of(&l), row->waited);
        assert_int_equal(l.record.state, row->record);
        assert_string_equal(l.record.revision, row->revision);
        assert_string_equal(l.record.reason, row->reason);
    }
}

/* A -> B, killed -> A, killed: nobody knows which of them is in force. */
static void a_repair_is_none_while_another_attempt_is_not_over(void **state)
{
    (void)state;
    struct local_state l = {0};
    bring_into_force(&l, "a");
    local_state_begin(&l, "b");
    local_state_look(&l, "a", "", NULL);
    local_state_begin(&l, "a");
    assert_int_equal(l.record.state, SERVER_RECORD_APPLYING);
    assert_string_equal(l.record.revision, "a");
    local_state_end(&l, true, false, "");
    local_state_prove(&l, false);
    local_state_begin(&l, "a");
    assert_int_equal(l.record.state, SERVER_RECORD_DONE);
}

static void assert_record(const struct local_state *l, enum server_record_state state,
                          const char *revision)
{
    assert_int_equal(l->record.state, state);
    assert_string_equal(l->record.revision, revision);
}

/* Confirmed is not done: only its proof makes it so, whatever happens meanwhile. */
static void what_is_applied_is_unproven_first(void **state)
{
    (void)state;
    struct local_state l = {.record.cluster_uuid = "of a"};
    bring_into_force(&l, "a");
    local_state_begin(&l, "b");
    local_state_end(&l, true, false, "");
    assert_true(l.unproven);
    assert_true(l.applied_ms > 0);
    assert_string_equal(l.record.cluster_uuid, "");
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
    local_state_prove(&l, false);
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
    (void)state;
    local_state_begin(&l, "aa");
    local_state_end(&l, true, false, "");
    local_state_begin(&l, "bb");
    local_state_end(&l, false, false, "no");
    assert_int_equal(l.record.state, SERVER_RECORD_FAILED);
    assert_true(l.record.unproven);
    struct local_state lost = {0};
    local_state_look(&lost, "cc", "", &l.record);
    assert_int_equal(lost.record.state, SERVER_RECORD_KEPT);
    assert_true(lost.record.unproven);
}

static void refused_settings_are_a_reason_to_keep(void **state)
{
    (void)state;
    struct local_state l = {0};
    bring_into_force(&l, "a");
    local_state_look(&l, "", "bad level", NULL);
    assert_int_equal(l.record.state, SERVER_RECORD_KEPT);
    assert_string_equal(l.record.revision, "a");
    assert_string_equal(l.record.reason, "bad level");
}

static const struct look_row ways[] = {
    [DONE] = {.past = DONE, .in_force = "a"},
    [REFUSED] = {.past = REFUSED, .in_force = "a"},
    [FAILED] = {.past = FAILED, .in_force = "a", .tried = "b"},
    [WAITING] = {.past = WAITING, .in_force = "a"},
    [APPLYING] = {.past = APPLYING, .in_force = "a", .tried = "b"},
};

static void who_waits_or_was_interrupted_looks_again_soon(void **state)
{
    (void)state;
    for (int i = DONE; i <= APPLYING; i++) {
        struct local_state l = {0};
        live_through(&l, &ways[i]);
        assert_int_equal(local_state_due(&l), i == WAITING || i == APPLYING);
        l.at_ms -= 600000;
        assert_int_equal(local_state_due(&l), true);
    }
}

static void only_finished_work_is_settled(void **state)
{
    (void)state;
    struct local_state fresh = {.settings = "d"};
    assert_int_equal(local_state_settled(&fresh, "d"), false);
    for (int i = DONE; i <= APPLYING; i++) {
        struct local_state l = {.settings = "d"};
        live_through(&l, &ways[i]);
        assert_int_equal(local_state_settled(&l, "d"), i != APPLYING);
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

#define REVISION(digit) digit digit digit digit digit digit digit digit
#define A64             REVISION("aaaaaaaa")
#define B64             REVISION("bbbbbbbb")

static void it_survives_writing_and_reading(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    char path[64];
    struct error err = {0};
    struct local_state out;
    struct local_state in = {.record = {.state = SERVER_RECORD_FAILED,
                                        .revision = B64,
                                        .reason = "why \"so\"",
                                        .cluster_uuid = "yVzQkXGLSEStZ7tqOXlNcw",
                                        .unproven = true},
                             .known = true,
                             .touched = true,
                             .waiting = true,
                             .unproven = true,
                             .rollback_failed = true,
                             .in_force = A64,
                             .settings = "s",
                             .results = "r",
                             .applied_ms = 1764028800123,
                             .boot = "boot",
                             .at_ms = 12345};
    assert_non_null(mkdtemp(dir));
    local_state_read(dir, &out);
    assert_false(out.known);
    assert_int_equal(local_state_write(dir, &in, &err), 0);
    local_state_read(dir, &out);
    assert_memory_equal(&in, &out, sizeof in);
    (void)snprintf(path, sizeof path, "%s/logging.json", dir);
    assert_int_equal(truncate(path, 20), 0);
    local_state_read(dir, &out);
    assert_false(out.known);
    (void)unlink(path);
    (void)rmdir(dir);
}

/* What releases before wrote, byte by byte but for the state: an upgrade loses nothing, and
 * nothing is misread. */
#define OLD                                                                                        \
    "{\"state\":\"%s\",\"settings\":\"s1\",\"results\":\"r1\",\"revision\":\"%s\",\"tried\":"      \
    "\"%s\",\"reason\":\"x refused: y\",\"rollback_failed\":%s,\"touched\":%s,\"unproven\":"       \
    "%s,\"applied_ms\":1795811879319,\"cluster_uuid\":\"u\",\"boot\":\"b\",\"at_ms\":10933113}"

static const struct old_row {
    const char *state, *revision, *tried, *rollback_failed, *touched, *unproven;
    enum past past;
    enum server_record_state record;
    const char *of, *reason;
} old_rows[] = {
    {"none", "", "", "false", "false", "false", FRESH, SERVER_RECORD_KEPT, "", ""},
    {"nonsense", "a1", "a1", "false", "false", "false", DONE, SERVER_RECORD_DONE, "a1", ""},
    {"done", "a1", "a1", "false", "false", "false", DONE, SERVER_RECORD_DONE, "a1", ""},
    {"done", "a1", "a1", "false", "false", "true", DONE, SERVER_RECORD_APPLYING, "a1", ""},
    {"waiting", "a1", "a1", "false", "false", "false", WAITING, SERVER_RECORD_DONE, "a1", ""},
    {"waiting", "", "", "false", "false", "false", WAITING, SERVER_RECORD_KEPT, "", ""},
    {"refused", "a1", "a1", "false", "false", "false", REFUSED, SERVER_RECORD_KEPT, "a1",
     "x refused: y"},
    {"failed", "a1", "b2", "false", "false", "true", FAILED, SERVER_RECORD_FAILED, "b2",
     "x refused: y"},
    {"waiting", "a1", "b2", "true", "false", "false", WAITING, SERVER_RECORD_FAILED, "b2",
     "x refused: y"},
    {"applying", "a1", "b2", "false", "true", "false", APPLYING, SERVER_RECORD_APPLYING, "b2", ""},
    {"applying", "a1", "a1", "false", "false", "false", APPLYING, SERVER_RECORD_DONE, "a1", ""},
};

static void the_file_of_an_older_program_is_understood(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-local-state-XXXXXX";
    char path[100], text[600];
    struct local_state out;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/logging.json", dir);
    for (size_t i = 0; i < COUNT(old_rows); i++) {
        const struct old_row *row = &old_rows[i];
        (void)snprintf(text, sizeof text, OLD, row->state, row->revision, row->tried,
                       row->rollback_failed, row->touched, row->unproven);
        assert_int_equal(file_replace(path, text, strlen(text), 0600, false, NULL), 0);
        local_state_read(dir, &out);
        print_message("  %s %s\n", row->state, row->of);
        assert_int_equal(past_of(&out), row->past);
        assert_record(&out, row->record, row->of);
        assert_string_equal(out.record.reason, row->reason);
        if (row->past == FRESH)
            continue;
        assert_string_equal(out.in_force, row->revision);
        assert_string_equal(out.settings, "s1");
        assert_string_equal(out.results, "r1");
        assert_string_equal(out.record.cluster_uuid, "u");
        assert_int_equal(out.applied_ms, 1795811879319);
        assert_int_equal(out.at_ms, 10933113);
    }
    (void)unlink(path);
    (void)rmdir(dir);
}

/* Only of what is in force; it stays through what fails, and on disk. */
static void the_target_is_what_is_in_force(void **state)
{
    (void)state;
    struct local_state l = {0};
    struct settings s = {.log_enabled = true, .log_urls = 2, .log_level = 1};
    (void)snprintf(s.log_url[0], sizeof s.log_url[0], "http://es1:9200");
    (void)snprintf(s.log_url[1], sizeof s.log_url[1], "http://es2:9200");
    (void)snprintf(s.log_index, sizeof s.log_index, "a");
    local_state_name_target(&l, "", &s);
    assert_string_equal(l.record.target, "");
    local_state_begin(&l, "a");
    local_state_name_target(&l, "a", &s);
    assert_string_equal(l.record.target, "");
    local_state_end(&l, true, false, "");
    local_state_name_target(&l, "a", &s);
    assert_string_equal(l.record.target, "index a, level info, http://es1:9200,http://es2:9200");
    (void)snprintf(s.log_index, sizeof s.log_index, "b");
    local_state_begin(&l, "b");
    local_state_name_target(&l, "b", &s);
    local_state_end(&l, false, false, "no");
    local_state_name_target(&l, "b", &s);
    local_state_look(&l, "", "refused", NULL);
    assert_string_equal(l.record.target, "index a, level info, http://es1:9200,http://es2:9200");
    s.log_enabled = false;
    local_state_name_target(&l, "a", &s);
    assert_string_equal(l.record.target, "switched off");
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
        cmocka_unit_test(the_target_is_what_is_in_force),
        cmocka_unit_test(the_file_of_an_older_program_is_understood),
    };
    return cmocka_run_group_tests_name("local_state", tests, NULL, NULL);
}
