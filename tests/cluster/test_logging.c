/* SPDX-License-Identifier: MIT */
/* LOG_ settings on three real servers, with a shipper that is instant: what is applied,
 * what is refused, and that nothing is ever erased or needlessly restarted. */
#include "base/file.h"
#include "harness.h"
#include "settings/settings.h"

#define CONF "shipper/shipper.conf"
#define SOON 15000

static int setup(void **state)
{
    struct cluster *c = cluster_start(
        &(struct cluster_options){.limits = "confirm=0s,apply_again=1s,mapping_stable=1s"});
    *state = c;
    for (int i = 1; i <= 3; i++)
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    return 0;
}

static void unbreak(struct cluster *c, int i, const char *action)
{
    char name[64];
    (void)snprintf(name, sizeof name, "shipper/break-%s", action);
    (void)unlink(server_path(c, i, name));
}

/* A test that fails must not take the next ones with it. */
static int calm(void **state)
{
    static const char *const odd[] = {"LOG_LEVEL", "LOG_SOURCES", "LOG_LEVLE", "LOG_ENABLED"};
    static const char *const actions[] = {"validate", "restart"};
    struct cluster *c = *state;
    for (size_t i = 0; i < COUNT(odd); i++)
        setting_delete(c, odd[i]);
    for (int i = 1; i <= 3; i++) {
        for (size_t n = 0; n < COUNT(actions); n++)
            unbreak(c, i, actions[n]);
    }
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

struct wanted {
    struct cluster *c;
    int server;
    const char *name;
    const char *text; /* NULL: the file is not there or empty */
};

static bool file_holds(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    char *text = server_read(w->c, w->server, w->name);
    bool holds = w->text ? strstr(text, w->text) != NULL : !*text;
    buffer_clear(seen);
    bool kept = buffer_printf(seen, "%s", text) == 0;
    free(text);
    return holds && kept;
}

static void wait_file(struct cluster *c, int i, const char *name, const char *text)
{
    struct wanted w = {c, i, name, text};
    wait_until(name, SOON, file_holds, &w);
}

static void revision_of(struct cluster *c, int i, char ret[SETTINGS_SHORT + 1])
{
    char *local = server_read(c, i, "state/logging.json");
    cJSON *root = cJSON_Parse(local);
    const char *revision = cJSON_GetStringValue(cJSON_GetObjectItem(root, "in_force"));
    (void)snprintf(ret, SETTINGS_SHORT + 1, "%s", revision ? revision : "none");
    cJSON_Delete(root);
    free(local);
}

/* In force, confirmed and reported on all. The order counts: the file may be new while
 * local and check still speak of what was before. */
static void wait_live(struct cluster *c, const char *text)
{
    char revision[SETTINGS_SHORT + 1], line[100];
    for (int i = 1; i <= 3; i++) {
        wait_file(c, i, "shipper/running.conf", text);
        wait_file(c, i, "state/logging.json", "\"state\":\"done\"");
    }
    revision_of(c, 1, revision);
    (void)snprintf(line, sizeof line, "3 of 3 servers on revision %s", revision);
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "passing", line, SOON);
}

static void ship_to(struct cluster *c, const char *index)
{
    char line[200];
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_INDEX", index, "LOG_SETTLE", "0",
                 NULL);
    (void)snprintf(line, sizeof line, "INDEX=%s\n", index);
    wait_live(c, line);
}

static struct outcome by_hand(struct cluster *c, int i, const char *program, const char *word,
                              const char *input)
{
    const char *argv[] = {program, word, NULL};
    return server_run(c, i, input, argv);
}

static void beat(struct cluster *c, int i)
{
    struct outcome o = by_hand(c, i, "heartbeat", NULL, NULL);
    outcome_release(&o);
}

/* ---- applied ------------------------------------------------------------- */

static void a_write_reaches_all(void **state)
{
    struct cluster *c = *state;
    char line[120];
    ship_to(c, "first");
    (void)snprintf(line, sizeof line, "URL=%s\n", cluster_sink(c));
    for (int i = 1; i <= 3; i++) {
        char *text = server_read(c, i, CONF);
        assert_non_null(strstr(text, line));
        free(text);
    }
}

static void a_burst_ends_in_the_last_value(void **state)
{
    struct cluster *c = *state;
    char value[32];
    ship_to(c, "calm");
    setting_put(c, "LOG_SETTLE", "300ms");
    size_t before = shipper_calls(c, 0, "restart");
    for (int i = 1; i <= 50; i++) {
        (void)snprintf(value, sizeof value, "burst-%d", i);
        setting_put(c, "LOG_INDEX", value);
    }
    wait_live(c, "INDEX=burst-50\n");
    assert_in_range(shipper_calls(c, 0, "restart") - before, 3, 12);
}

static void off_and_on_again(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "on");
    setting_put(c, "LOG_ENABLED", "N");
    for (int i = 1; i <= 3; i++) {
        wait_file(c, i, CONF, NULL);
        wait_file(c, i, "shipper/running.conf", NULL);
        wait_check(c, i, "cluster:logging", "passing", "(switched off)", SOON);
    }
    setting_put(c, "LOG_ENABLED", "Y");
    wait_live(c, "INDEX=on\n");
    setting_delete(c, "LOG_ENABLED");
}

/* ---- refused ------------------------------------------------------------- */

static const struct refused_row {
    const char *key, *value, *text;
} refused_rows[] = {
    {"LOG_LEVEL", "loud", "LOG_LEVEL: \"loud\""},
    {"LOG_INDEX", "a\"b\n$(reboot)", "LOG_INDEX: "},
    {"LOG_ELASTICSEARCH_URL", "http://es.example:92000", "LOG_ELASTICSEARCH_URL: "},
    {"LOG_ELASTICSEARCH_URL", "http://169.254.169.254:9200", "\"elasticsearch.hosts\""},
    {"LOG_SOURCES", "shadow", "LOG_SOURCES: "},
};

static void a_bad_value_is_named_and_harmless(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "good");
    char *before[4] = {NULL};
    for (int i = 1; i <= 3; i++)
        before[i] = server_read(c, i, CONF);
    size_t restarts = shipper_calls(c, 0, "restart");
    for (size_t n = 0; n < COUNT(refused_rows); n++) {
        const struct refused_row *row = &refused_rows[n];
        print_message("  %s=%s\n", row->key, row->value);
        setting_put(c, row->key, row->value);
        for (int i = 1; i <= 3; i++) {
            char *now = NULL;
            wait_check(c, i, "cluster:logging", "warning", "settings rejected, revision", SOON);
            wait_check(c, i, "cluster:logging", "warning", row->text, SOON);
            wait_check(c, i, "cluster:logging", "warning", "in force here: index good, ", SOON);
            now = server_read(c, i, CONF);
            assert_string_equal(now, before[i]);
            free(now);
        }
        struct outcome shown = by_hand(c, 1, "lictor", "show", NULL);
        assert_non_null(strstr(shown.out, " in force: index good, level info, http://127."));
        outcome_release(&shown);
        setting_delete(c, "LOG_LEVEL");
        setting_delete(c, "LOG_SOURCES");
        ship_to(c, "good");
    }
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
    for (int i = 1; i <= 3; i++)
        free(before[i]);
}

static void an_unknown_key_is_named(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "good");
    setting_put(c, "LOG_LEVLE", "warn");
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "warning", "LOG_LEVLE", SOON);
    setting_delete(c, "LOG_LEVLE");
    wait_live(c, "INDEX=good\n");
}

/* ---- empty is not "delete" ----------------------------------------------- */

static void nothing_is_erased_on_empty(void **state)
{
    struct cluster *c = *state;
    static const char *const payloads[] = {"null\n", "[]\n", "{}", "oops", ""};
    ship_to(c, "kept");
    size_t restarts = shipper_calls(c, 0, "restart");
    for (size_t n = 0; n < COUNT(payloads); n++) {
        struct outcome o = by_hand(c, 1, "reconfigure-logging", "settings", payloads[n]);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        wait_file(c, 1, CONF, "INDEX=kept\n");
    }
    kv_delete_prefix(c, HARNESS_ROOT "/service/cluster/tag/any/LOG_");
    for (int i = 1; i <= 3; i++) {
        wait_check(c, i, "cluster:logging", "warning", "are gone or cannot be read", SOON);
        wait_file(c, i, CONF, "INDEX=kept\n");
    }
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
    ship_to(c, "kept");
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
}

/* ---- needless runs ------------------------------------------------------- */

static void a_lost_leader_and_reloads_restart_nothing(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "calm");
    size_t restarts = shipper_calls(c, 0, "restart");
    size_t handlers = runs(c, 0, "reconfigure-logging");
    int old = cluster_leader(c);
    server_kill(c, old);
    wait_leader(c, 30000);
    server_start(c, old);
    server_reload_now(c, old); /* before SIGHUP, see there */
    for (int n = 0; n < 10; n++) {
        for (int i = 1; i <= 3; i++)
            server_reload(c, i);
        sleep_ms(50); /* signals that arrive together count as one */
    }
    while (runs(c, 0, "reconfigure-logging") < handlers + 6)
        sleep_ms(20);
    wait_live(c, "INDEX=calm\n");
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
}

/* ---- failures of the shipper --------------------------------------------- */

static const struct failure_row {
    const char *action, *script, *text;
} failure_rows[] = {
    {"validate", "echo 'no such module' >&2; exit 1\n", "no such module"},
    {"validate", "sleep 60\n", "no end after"},
    {"validate", "yes; exit 1\n", "no end after"},
    {"restart", "[ ! -e \"$dir/once\" ] || exit 0; touch \"$dir/once\"; exit 3\n", "ended with 3"},
};

static void a_failure_rolls_back_and_is_told(void **state)
{
    struct cluster *c = *state;
    for (size_t n = 0; n < COUNT(failure_rows); n++) {
        const struct failure_row *row = &failure_rows[n];
        char name[64];
        (void)snprintf(name, sizeof name, "shipper/break-%s", row->action);
        ship_to(c, "before");
        print_message("  %s: %s", row->action, row->script);
        server_write(c, 2, name, row->script);
        setting_put(c, "LOG_INDEX", "after");
        wait_check(c, 2, "cluster:logging", "warning", "failed here, revision", 30000);
        wait_check(c, 2, "cluster:logging", "warning", row->text, SOON);
        wait_check(c, 1, "cluster:logging", "warning", "server-2 rejected", SOON);
        wait_file(c, 2, CONF, "INDEX=before\n");
        wait_file(c, 1, CONF, "INDEX=after\n");
        char *record = kv_get(c, "lictor/logging/server-2");
        assert_non_null(strstr(record, "\"state\":\"failed\""));
        free(record);
        unbreak(c, 2, row->action);
        setting_put(c, "LOG_INDEX", "before"); /* A -> B failed -> A */
        wait_live(c, "INDEX=before\n");
        record = kv_get(c, "lictor/logging/server-2");
        assert_non_null(strstr(record, "\"state\":\"done\""));
        free(record);
    }
}

static void retry_by_hand_heals(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "before");
    server_write(c, 3, "shipper/break-validate", "exit 1\n");
    setting_put(c, "LOG_INDEX", "after");
    wait_check(c, 3, "cluster:logging", "warning", "failed here", SOON);
    unbreak(c, 3, "validate");
    struct outcome o = by_hand(c, 3, "rollout-logging", "--retry", NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    wait_live(c, "INDEX=after\n");
}

/* The one at work, or whoever comes next, does it. */
static void a_retry_asked_of_a_busy_server_is_not_lost(void **state)
{
    struct cluster *c = *state;
    struct error err = {0};
    ship_to(c, "before");
    server_write(c, 3, "shipper/break-validate", "exit 1\n");
    setting_put(c, "LOG_INDEX", "after");
    wait_check(c, 3, "cluster:logging", "warning", "failed here", SOON);
    unbreak(c, 3, "validate");
    int lock = file_lock(server_path(c, 3, "state/rollout.lock"), SOON, &err);
    assert_return_code(lock, 0);
    struct outcome o = by_hand(c, 3, "rollout-logging", "--retry", NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    file_unlock(lock);
    o = by_hand(c, 3, "rollout-logging", NULL, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    wait_live(c, "INDEX=after\n");
}

static void a_link_as_destination_is_refused_by_name(void **state)
{
    struct cluster *c = *state;
    char to[400];
    ship_to(c, "before");
    char *text = server_read(c, 2, CONF);
    (void)snprintf(to, sizeof to, "%s", server_path(c, 2, "shipper/elsewhere"));
    server_write(c, 2, "shipper/elsewhere", text);
    assert_int_equal(unlink(server_path(c, 2, CONF)), 0);
    assert_int_equal(symlink(to, server_path(c, 2, CONF)), 0);
    setting_put(c, "LOG_INDEX", "after");
    wait_check(c, 2, "cluster:logging", "warning", "shipper.conf", SOON);
    char *kept = server_read(c, 2, "shipper/elsewhere");
    assert_string_equal(kept, text);
    assert_int_equal(unlink(server_path(c, 2, CONF)), 0);
    struct outcome o = by_hand(c, 2, "rollout-logging", "--retry", NULL);
    outcome_release(&o);
    wait_live(c, "INDEX=after\n");
    free(kept);
    free(text);
}

/* ---- killed, twice at once ----------------------------------------------- */

static void a_killed_rollout_is_taken_up_again(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "before");
    server_write(c, 1, "shipper/break-restart", "sleep 30\n");
    size_t calls = shipper_calls(c, 1, "restart");
    setting_put(c, "LOG_INDEX", "after");
    while (shipper_calls(c, 1, "restart") == calls)
        sleep_ms(20);
    server_kill_program(c, 1, "rollout-logging");
    server_kill_program(c, 1, "apply-logging");
    server_kill_program(c, 1, "etc/shipper"); /* would wake in another test */
    unbreak(c, 1, "restart");
    beat(c, 1);
    wait_live(c, "INDEX=after\n");
    char *journal = server_read(c, 1, "state/apply/journal");
    assert_string_equal(journal, "");
    free(journal);
}

static void many_at_once_do_it_once(void **state)
{
    struct cluster *c = *state;
    pid_t child[6];
    int status = 0;
    ship_to(c, "calm");
    size_t restarts = shipper_calls(c, 1, "restart");
    for (int i = 0; i < 6; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct outcome o = by_hand(c, 1, "rollout-logging", NULL, NULL);
            _exit(o.code);
        }
    }
    for (int i = 0; i < 6; i++) {
        (void)waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shipper_calls(c, 1, "restart"), restarts);
}

/* ---- what watches miss --------------------------------------------------- */

static void the_heartbeat_repairs_a_lost_state(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "before");
    size_t restarts = shipper_calls(c, 0, "restart");
    const char *argv[] = {"/bin/sh", "-c", NULL, NULL};
    char script[400];
    (void)snprintf(script, sizeof script, "rm -rf --one-file-system '%s'/*",
                   server_path(c, 2, "state"));
    argv[2] = script;
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    beat(c, 2);
    wait_file(c, 2, "state/logging.json", "\"state\":\"done\"");
    wait_live(c, "INDEX=before\n");
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
}

/* After a restored snapshot no watch fires (the index went back). */
static void a_restored_snapshot_is_brought_into_force(void **state)
{
    struct cluster *c = *state;
    struct buffer snapshot = BUFFER_INIT(16U << 20);
    char file[400];
    char address[40];
    ship_to(c, "old");
    assert_int_equal(http(c, 1, "GET", "/v1/snapshot", NULL, &snapshot), 200);
    (void)snprintf(file, sizeof file, "%s", server_path(c, 1, "snapshot"));
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(snapshot.data, 1, snapshot.len, f), snapshot.len);
    assert_int_equal(fclose(f), 0);
    buffer_release(&snapshot);
    ship_to(c, "new");
    (void)snprintf(address, sizeof address, "-http-addr=%s:8500", c->server[1].address);
    const char *restore[] = {consul_program(), "snapshot", "restore", address, file, NULL};
    struct outcome o = run_tool(NULL, restore, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    for (int i = 1; i <= 3; i++)
        beat(c, i);
    wait_live(c, "INDEX=old\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_write_reaches_all, calm),
        cmocka_unit_test_setup(a_burst_ends_in_the_last_value, calm),
        cmocka_unit_test_setup(off_and_on_again, calm),
        cmocka_unit_test_setup(a_bad_value_is_named_and_harmless, calm),
        cmocka_unit_test_setup(an_unknown_key_is_named, calm),
        cmocka_unit_test_setup(nothing_is_erased_on_empty, calm),
        cmocka_unit_test_setup(a_lost_leader_and_reloads_restart_nothing, calm),
        cmocka_unit_test_setup(a_failure_rolls_back_and_is_told, calm),
        cmocka_unit_test_setup(retry_by_hand_heals, calm),
        cmocka_unit_test_setup(a_retry_asked_of_a_busy_server_is_not_lost, calm),
        cmocka_unit_test_setup(a_link_as_destination_is_refused_by_name, calm),
        cmocka_unit_test_setup(a_killed_rollout_is_taken_up_again, calm),
        cmocka_unit_test_setup(many_at_once_do_it_once, calm),
        cmocka_unit_test_setup(the_heartbeat_repairs_a_lost_state, calm),
        cmocka_unit_test_setup(a_restored_snapshot_is_brought_into_force, calm),
    };
    return HARNESS_RUN("logging", tests, setup, cluster_tear_down);
}
