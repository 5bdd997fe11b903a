/* SPDX-License-Identifier: MIT */
/* A rolling change on three real servers: the order is kept, one refusal stops it, a dead
 * or a mute server is dealt with as designed, whatever is killed. */
#include "chain.h"
#include "settings/settings.h"

#define SOON 20000
#define CONF "shipper/shipper.conf"

/* A refusal is tried again after a resync: the limit as the programs read it, and in ms. */
#define RESYNC    "resync=4s"
#define RESYNC_MS 4000

static int setup(void **state)
{
    *state = chain_start();
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

static void break_action(struct cluster *c, int i, const char *action, const char *script)
{
    char name[64];
    (void)snprintf(name, sizeof name, "shipper/break-%s", action);
    if (script)
        server_write(c, i, name, script);
    else
        (void)unlink(server_path(c, i, name));
}

struct wanted {
    struct cluster *c;
    int server;
    const char *text;
};

static bool runs_with(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    char record[80];
    char *text = server_read(w->c, w->server, "shipper/running.conf");
    chain_record(w->c, w->server, record);
    bool is = strstr(text, w->text) && strncmp(record, "done ", 5) == 0;
    if (buffer_printf(seen, "%s, %s", record, text) < 0)
        is = false;
    free(text);
    return is;
}

/* Server i runs with this index, and its record says so. */
static void wait_index(struct cluster *c, int i, const char *index)
{
    char line[100];
    struct wanted w = {c, i, line};
    (void)snprintf(line, sizeof line, "\nINDEX=%s\n", index);
    wait_until(index, SOON, runs_with, &w);
}

static void wait_all(struct cluster *c, const char *index)
{
    for (int i = 1; i <= 3; i++)
        wait_index(c, i, index);
    for (int i = 1; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "passing", "3 of 3 servers on revision", SOON);
}

static void write_index(struct cluster *c, const char *index)
{
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_INDEX", index, "LOG_SETTLE", "0",
                 NULL);
}

/* From here every change starts: all have the same, in the order 1, 2, 3. */
static int calm(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++) {
        break_action(c, i, "validate", NULL);
        break_action(c, i, "restart", NULL);
        if (!c->server[i].pid)
            server_start(c, i);
    }
    wait_leader(c, 30000);
    setting_delete(c, "LOG_ROLLOUT");
    setting_delete(c, "LOG_ENABLED");
    settings_put(c, "CLUSTER_SERVERS", "server_1=server-1,server_2=server-2,server_3=server-3",
                 NULL);
    write_index(c, "calm");
    chain_beat(c);
    wait_all(c, "calm");
    return 0;
}

static void expect_touched(struct cluster *c, int64_t since, const char *order)
{
    char *touched = chain_touched(c, since);
    assert_string_equal(touched, order);
    free(touched);
}

static void expect_file(struct cluster *c, int i, const char *index)
{
    char line[100];
    char *text = server_read(c, i, CONF);
    (void)snprintf(line, sizeof line, "\nINDEX=%s\n", index);
    assert_non_null(strstr(text, line));
    free(text);
}

/* lictor on server 1 ends with this code and says this on stderr. */
static void run_lictor(struct cluster *c, int code, const char *said, const char *const *words)
{
    const char *argv[10] = {"lictor"};
    for (size_t i = 0; words[i]; i++)
        argv[i + 1] = words[i];
    struct outcome o = server_run(c, 1, NULL, argv);
    if (o.code != code || !strstr(o.err, said))
        fail_msg("lictor %s ended with %d: %s%s", words[0], o.code, o.out, o.err);
    outcome_release(&o);
}

#define RUN_LICTOR(c, code, said, ...)                                                             \
    run_lictor(c, code, said, (const char *const[]){__VA_ARGS__, NULL})

/* ---- records -------------------------------------------------------------- */

static bool record_begins(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    char record[80];
    chain_record(w->c, w->server, record);
    return buffer_printf(seen, "%s", record) == 0 && strncmp(record, w->text, strlen(w->text)) == 0;
}

static void wait_record(struct cluster *c, int i, const char *text)
{
    struct wanted w = {c, i, text};
    wait_until("its record", SOON, record_begins, &w);
}

/* An announcement can only be made on condition of records that are there. */
static void everybody_has_a_record_before_anything_is_set(void **state)
{
    struct cluster *c = *state;
    chain_beat(c);
    for (int i = 1; i <= 3; i++)
        wait_record(c, i, "kept ");
}

static void a_record_that_others_change_is_put_right(void **state)
{
    struct cluster *c = *state;
    char before[80], forged[300];
    size_t restarts = shipper_calls(c, 0, "restart");
    chain_record(c, 2, before);
    assert_memory_equal(before, "done ", 5);
    kv_delete(c, "lictor/logging/server-2");
    wait_record(c, 2, before);
    kv_put(c, "lictor/logging/server-2", "nonsense");
    wait_record(c, 2, before);
    (void)snprintf(forged, sizeof forged, "{\"v\":1,\"revision\":\"%064d\",\"state\":\"applying\"}",
                   7);
    kv_put(c, "lictor/logging/server-2", forged);
    wait_record(c, 2, before);
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts);
}

/* ---- the order ----------------------------------------------------------- */

static void one_after_the_other(void **state)
{
    struct cluster *c = *state;
    static const struct {
        const char *order, *touched;
    } rows[] = {
        {"server_1=server-1,server_2=server-2,server_3=server-3", "1 2 3"},
        {"server_1=server-3,server_2=server-1,server_3=server-2", "3 1 2"},
        {"server_1=server-2,server_2=another,server_3=SERVER-3", "2 3 1"},
    };
    for (int i = 1; i <= 3; i++)
        break_action(c, i, "restart", "sleep 0.3\n");
    for (size_t n = 0; n < COUNT(rows); n++) {
        char index[20];
        int64_t begin = chain_clock();
        struct chain *chain = chain_watch(c);
        (void)snprintf(index, sizeof index, "order-%zu", n);
        settings_put(c, "CLUSTER_SERVERS", rows[n].order, "LOG_INDEX", index, NULL);
        for (int i = 1; i <= 3; i++)
            wait_index(c, i, index);
        print_message("  %s: %lld ms\n", rows[n].touched, (long long)(chain_clock() - begin));
        expect_touched(c, begin, rows[n].touched);
        chain_unwatch(chain);
    }
}

static bool is_off(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    char *text = server_read(w->c, w->server, CONF);
    bool off = !*text && buffer_printf(seen, "%s", text) == 0;
    free(text);
    return off;
}

static void switching_off_rolls_as_well(void **state)
{
    struct cluster *c = *state;
    int64_t begin = chain_clock();
    setting_put(c, "LOG_ENABLED", "N");
    for (int i = 1; i <= 3; i++) {
        struct wanted w = {c, i, NULL};
        wait_until("no configuration", SOON, is_off, &w);
        wait_check(c, i, "cluster:logging", "passing", "(switched off)", SOON);
    }
    expect_touched(c, begin, "1 2 3");
    setting_delete(c, "LOG_ENABLED");
    wait_all(c, "calm");
}

static void all_at_once_when_parallel(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++)
        break_action(c, i, "restart", "sleep 3\n");
    setting_put(c, "LOG_ROLLOUT", "parallel");
    sleep_ms(300); /* not part of the revision: nothing to apply */
    size_t restarts = shipper_calls(c, 0, "restart");
    int64_t begin = now_ms();
    write_index(c, "at-once");
    for (int i = 1; i <= 3; i++)
        wait_index(c, i, "at-once");
    assert_in_range(now_ms() - begin, 3000, 8900); /* not 9 s */
    assert_int_equal(shipper_calls(c, 0, "restart"), restarts + 3);
}

/* ---- a refusal ----------------------------------------------------------- */

static void expect_kept(struct cluster *c, int i, const char *by, const char *why)
{
    char line[200];
    (void)snprintf(line, sizeof line, ": %s rejected ", by);
    wait_check(c, i, "cluster:logging", "warning", line, SOON);
    wait_check(c, i, "cluster:logging", "warning", "kept ", SOON);
    wait_check(c, i, "cluster:logging", "warning", why, SOON);
}

/* Every validator would refuse it; one does. */
static void a_bad_revision_touches_one_server(void **state)
{
    struct cluster *c = *state;
    for (int i = 1; i <= 3; i++)
        break_action(c, i, "validate",
                     "! grep -q INDEX=bad \"$4\" || { echo 'no such module' >&2; exit "
                     "1; }\n");
    struct chain *chain = chain_watch(c);
    int64_t begin = chain_clock();
    write_index(c, "bad");
    wait_check(c, 1, "cluster:logging", "warning", "failed here, revision", SOON);
    expect_kept(c, 2, "server-1", "no such module");
    expect_kept(c, 3, "server-1", "no such module");
    chain_beat(c); /* and it stays so */
    expect_touched(c, begin, "1");
    for (int i = 1; i <= 3; i++)
        expect_file(c, i, "calm");
    write_index(c, "good");
    wait_all(c, "good");
    chain_unwatch(chain);
}

/* The first one can, the second one cannot: the third one is not touched. */
static void a_shipper_that_refuses_is_rolled_back_in_time(void **state)
{
    struct cluster *c = *state;
    break_action(c, 2, "restart", "! grep -q INDEX=heavy \"$dir/shipper.conf\" || exit 3\n");
    struct chain *chain = chain_watch(c);
    int64_t begin = chain_clock();
    write_index(c, "heavy");
    wait_check(c, 2, "cluster:logging", "warning", "failed here, revision", 5000);
    expect_file(c, 2, "calm");
    expect_kept(c, 3, "server-2", "ended with 3");
    wait_check(c, 1, "cluster:logging", "warning", "1 of 3 servers on revision", SOON);
    wait_check(c, 1, "cluster:logging", "warning", ", server-2 rejected it", SOON);
    expect_touched(c, begin, "1 2");
    expect_file(c, 1, "heavy");
    expect_file(c, 3, "calm");
    write_index(c, "light");
    wait_all(c, "light");
    chain_unwatch(chain);
}

/* The server that refused tries again when asked; then the chain goes on. */
static void a_retry_lets_the_chain_go_on(void **state)
{
    struct cluster *c = *state;
    break_action(c, 1, "validate", "exit 1\n");
    write_index(c, "again");
    expect_kept(c, 3, "server-1", "");
    break_action(c, 1, "validate", NULL);
    int64_t begin = chain_clock();
    RUN_LICTOR(c, 0, "", "retry");
    wait_all(c, "again");
    expect_touched(c, begin, "1 2 3");
}

static void a_retry_that_fails_says_so(void **state)
{
    struct cluster *c = *state;
    break_action(c, 1, "validate", "echo 'no such module' >&2; exit 1\n");
    write_index(c, "again");
    expect_kept(c, 3, "server-1", "");
    RUN_LICTOR(c, 1, "no such module", "retry");
}

static void set_waits_for_all_or_for_the_first_refusal(void **state)
{
    struct cluster *c = *state;
    RUN_LICTOR(c, 0, "3 of 3 servers on revision ", "set", "--wait", "LOG_INDEX=waited");
    for (int i = 1; i <= 3; i++)
        expect_file(c, i, "waited");
    RUN_LICTOR(c, 0, "3 of 3 servers on revision ", "set", "--wait", "LOG_INDEX=waited");
    RUN_LICTOR(c, 1, "lictor set: not everywhere yet: ", "set", "--wait", "--timeout", "0",
               "LOG_INDEX=late");
    wait_all(c, "late");
    break_action(c, 2, "validate", "echo 'no such module' >&2; exit 1\n");
    RUN_LICTOR(c, 1, "lictor set: server-2 rejected revision ", "set", "--wait", "LOG_INDEX=bad");
    expect_file(c, 1, "bad");
    expect_file(c, 3, "late");
}

/* Nobody asks: the time for another try comes, a heartbeat notices. */
static void a_refusal_is_tried_again_in_time(void **state)
{
    (void)state;
    struct cluster *c = cluster_start(
        &(struct cluster_options){.limits = "confirm=0s,apply_again=500ms," RESYNC});
    for (int i = 1; i <= 3; i++)
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    write_index(c, "first");
    wait_all(c, "first");
    break_action(c, 1, "validate", "exit 1\n");
    write_index(c, "later");
    expect_kept(c, 2, "server-1", "");
    break_action(c, 1, "validate", NULL);
    wait_record(c, 1, "failed ");
    sleep_ms(RESYNC_MS);
    chain_beat(c);
    wait_all(c, "later");
    cluster_stop(c);
}

static void back_again_leaves_no_refusal_behind(void **state)
{
    struct cluster *c = *state;
    char record[80], before[80];
    chain_record(c, 1, before);
    break_action(c, 1, "validate", "exit 1\n");
    write_index(c, "no");
    expect_kept(c, 2, "server-1", "");
    int64_t begin = chain_clock();
    write_index(c, "calm");
    wait_all(c, "calm");
    chain_record(c, 1, record);
    assert_string_equal(record, before);
    expect_touched(c, begin, ""); /* it is in force everywhere */
}

/* ---- the first one is not there ------------------------------------------ */

static bool seen_as_dead(void *arg, struct buffer *seen)
{
    struct wanted *w = arg;
    cJSON *root = http_get(w->c, w->server, "agent/members");
    const cJSON *member = NULL;
    bool dead = true;
    cJSON_ArrayForEach(member, root)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(member, "Name"));
        const cJSON *status = cJSON_GetObjectItem(member, "Status");
        if (name && strcmp(name, w->text) == 0 && cJSON_IsNumber(status))
            dead = status->valueint != 1;
    }
    cJSON_Delete(root);
    return dead && buffer_printf(seen, "-") == 0;
}

static void wait_dead(struct cluster *c, int i)
{
    for (int via = 1; via <= 3; via++) {
        struct wanted w = {c, via, c->server[i].node};
        if (c->server[via].pid)
            wait_until("gossip knows that it is dead", 30000, seen_as_dead, &w);
    }
    wait_leader(c, 30000);
}

static void a_dead_first_one_is_skipped_and_catches_up(void **state)
{
    struct cluster *c = *state;
    server_kill(c, 1);
    wait_dead(c, 1);
    struct chain *chain = chain_watch(c);
    int64_t begin = chain_clock();
    write_index(c, "without-1");
    for (int i = 2; i <= 3; i++)
        wait_index(c, i, "without-1");
    wait_check(c, 3, "cluster:logging", "passing", "2 of 3 servers on revision", SOON);
    expect_touched(c, begin, "2 3");
    begin = chain_clock();
    server_start(c, 1);
    wait_all(c, "without-1");
    expect_touched(c, begin, "1");
    chain_unwatch(chain);
}

/* It lives, but none of our programs is run on it. */
static void mute(struct cluster *c, int i, bool yes)
{
    static const char *const programs[] = {"libexec/reconfigure-logging", "libexec/heartbeat"};
    for (size_t n = 0; n < COUNT(programs); n++) {
        char from[600], to[700];
        (void)snprintf(from, sizeof from, "%s", server_path(c, i, programs[n]));
        (void)snprintf(to, sizeof to, "%s.mute", from);
        assert_int_equal(yes ? rename(from, to) : rename(to, from), 0);
    }
}

static void a_mute_first_one_is_waited_for_by_name(void **state)
{
    struct cluster *c = *state;
    mute(c, 1, true);
    int64_t begin = chain_clock();
    write_index(c, "waited-for");
    for (int i = 2; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "passing", ", server-1 next", SOON);
    expect_touched(c, begin, "");
    mute(c, 1, false);
    chain_beat(c);
    wait_all(c, "waited-for");
    expect_touched(c, begin, "1 2 3");
}

static void a_mute_first_one_is_released(void **state)
{
    struct cluster *c = *state;
    static const struct {
        const char *key, *value;
    } ways[] = {
        {"CLUSTER_SERVERS", "server_1=server-2,server_2=server-3,server_3=another"},
        {"LOG_ROLLOUT", "parallel"},
    };
    for (size_t n = 0; n < COUNT(ways); n++) {
        char index[20];
        (void)snprintf(index, sizeof index, "released-%zu", n);
        mute(c, 1, true);
        write_index(c, index);
        wait_check(c, 2, "cluster:logging", "passing", ", server-1 next", SOON);
        setting_put(c, ways[n].key, ways[n].value);
        for (int i = 2; i <= 3; i++) {
            const char *argv[] = {"heartbeat", NULL};
            struct outcome o = server_run(c, i, NULL, argv);
            outcome_release(&o);
            wait_index(c, i, index);
        }
        expect_file(c, 1, "calm");
        mute(c, 1, false);
        assert_int_equal(calm(state), 0);
    }
}

/* ---- died applying ------------------------------------------------------- */

/* With the shipper's command that it waits for: one that sleeps would go on much later, in
 * the middle of another test. */
static void kill_at_work(struct cluster *c, int i)
{
    server_kill_program(c, i, "(rollout|apply)-logging");
    server_kill_program(c, i, "etc/shipper");
}

static bool is_applying(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    char record[80];
    chain_record(w->c, w->server, record);
    return buffer_printf(seen, "%s", record) == 0 && strncmp(record, "applying", 8) == 0 &&
           shipper_calls(w->c, w->server, "restart") > (size_t)strtoul(w->text, NULL, 10);
}

static void wait_applying(struct cluster *c, int i, size_t restarts)
{
    char text[20];
    struct wanted w = {c, i, text};
    (void)snprintf(text, sizeof text, "%zu", restarts);
    wait_until("it is applying", SOON, is_applying, &w);
}

static void who_died_applying_holds_the_others(void **state)
{
    struct cluster *c = *state;
    struct chain *chain = chain_watch(c);
    int64_t begin = chain_clock();
    size_t restarts = shipper_calls(c, 1, "restart");
    break_action(c, 1, "restart", "sleep 30\n");
    write_index(c, "deadly");
    wait_applying(c, 1, restarts);
    server_kill(c, 1);
    kill_at_work(c, 1);
    break_action(c, 1, "restart", NULL);
    wait_dead(c, 1);
    for (int n = 0; n < 2; n++)
        chain_beat(c);
    for (int i = 2; i <= 3; i++)
        wait_check(c, i, "cluster:logging", "warning", ", server-1 died applying ", SOON);
    expect_touched(c, begin, "1");
    begin = chain_clock();
    server_start(c, 1);
    wait_leader(c, 30000);
    chain_beat(c);
    wait_all(c, "deadly");
    expect_touched(c, begin, "1 2 3");
    chain_unwatch(chain);
}

static void only_its_programs_were_killed(void **state)
{
    struct cluster *c = *state;
    struct chain *chain = chain_watch(c);
    size_t restarts = shipper_calls(c, 2, "restart");
    break_action(c, 2, "restart", "sleep 30\n");
    write_index(c, "killed");
    wait_applying(c, 2, restarts);
    kill_at_work(c, 2);
    break_action(c, 2, "restart", NULL);
    chain_beat(c);
    wait_all(c, "killed");
    chain_unwatch(chain);
}

/* ---- while it is under way ----------------------------------------------- */

static void another_order_under_way(void **state)
{
    struct cluster *c = *state;
    struct chain *chain = chain_watch(c);
    size_t restarts = shipper_calls(c, 1, "restart");
    int64_t begin = chain_clock();
    for (int i = 1; i <= 3; i++)
        break_action(c, i, "restart", "sleep 1\n");
    write_index(c, "reordered");
    wait_applying(c, 1, restarts);
    setting_put(c, "CLUSTER_SERVERS", "server_1=server-3,server_2=server-2,server_3=server-1");
    for (int i = 1; i <= 3; i++)
        wait_index(c, i, "reordered");
    expect_touched(c, begin, "1 3 2");
    chain_unwatch(chain);
}

static void two_changes_in_quick_succession(void **state)
{
    struct cluster *c = *state;
    static const char *const pauses[] = {"sleep 0.5\n", "sleep 0.1\n"};
    struct chain *chain = chain_watch(c);
    for (size_t n = 0; n < COUNT(pauses); n++) {
        char index[20];
        for (int i = 1; i <= 3; i++)
            break_action(c, i, "restart", pauses[n]);
        (void)snprintf(index, sizeof index, "first-%zu", n);
        write_index(c, index);
        sleep_ms(250);
        (void)snprintf(index, sizeof index, "second-%zu", n);
        write_index(c, index);
        for (int i = 1; i <= 3; i++)
            wait_index(c, i, index);
    }
    wait_all(c, "second-1");
    chain_unwatch(chain);
}

/* The heartbeat comes again and again. */
static bool beats_until_it_runs(void *arg, struct buffer *seen)
{
    static int64_t beaten_ms;
    static char said[300];
    const struct wanted *w = arg;
    const char *argv[] = {"heartbeat", NULL};
    if (now_ms() - beaten_ms > 2000) {
        struct outcome o = server_run(w->c, w->server, NULL, argv);
        (void)snprintf(said, sizeof said, "%d: %s%s", o.code, o.out, o.err);
        outcome_release(&o);
        beaten_ms = now_ms();
    }
    char *state = server_read(w->c, w->server, "state/logging.json");
    bool is = runs_with(arg, seen);
    if (buffer_printf(seen, "; heartbeat %s; state %s", said, state) < 0)
        is = false;
    free(state);
    return is;
}

/* No voter yet, then the last of all. */
static void a_new_server_gets_it_as_well(void **state)
{
    struct cluster *c = *state;
    int i = server_add(c, NULL);
    server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    struct wanted w = {c, i, "\nINDEX=calm\n"};
    wait_until("calm", SOON, beats_until_it_runs, &w);
    int64_t begin = chain_clock();
    for (int n = 1; n <= i; n++)
        wait_check(c, n, "cluster:logging", "passing", "4 of 4 servers on revision", 30000);
    write_index(c, "four");
    for (int n = 1; n <= i; n++)
        wait_index(c, n, "four");
    expect_touched(c, begin, "1 2 3 4");
}

static void kills_at_random_moments(void **state)
{
    chain_kills(*state, 10, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_has_a_record_before_anything_is_set),
        cmocka_unit_test_setup(a_record_that_others_change_is_put_right, calm),
        cmocka_unit_test_setup(one_after_the_other, calm),
        cmocka_unit_test_setup(switching_off_rolls_as_well, calm),
        cmocka_unit_test_setup(all_at_once_when_parallel, calm),
        cmocka_unit_test_setup(a_bad_revision_touches_one_server, calm),
        cmocka_unit_test_setup(a_shipper_that_refuses_is_rolled_back_in_time, calm),
        cmocka_unit_test_setup(a_retry_lets_the_chain_go_on, calm),
        cmocka_unit_test_setup(a_retry_that_fails_says_so, calm),
        cmocka_unit_test_setup(set_waits_for_all_or_for_the_first_refusal, calm),
        cmocka_unit_test(a_refusal_is_tried_again_in_time),
        cmocka_unit_test_setup(back_again_leaves_no_refusal_behind, calm),
        cmocka_unit_test_setup(a_dead_first_one_is_skipped_and_catches_up, calm),
        cmocka_unit_test_setup(a_mute_first_one_is_waited_for_by_name, calm),
        cmocka_unit_test_setup(a_mute_first_one_is_released, calm),
        cmocka_unit_test_setup(who_died_applying_holds_the_others, calm),
        cmocka_unit_test_setup(only_its_programs_were_killed, calm),
        cmocka_unit_test_setup(another_order_under_way, calm),
        cmocka_unit_test_setup(two_changes_in_quick_succession, calm),
        cmocka_unit_test_setup(kills_at_random_moments, calm),
        cmocka_unit_test_setup(a_new_server_gets_it_as_well, calm),
    };
    return HARNESS_RUN("rollout", tests, setup, cluster_tear_down);
}
