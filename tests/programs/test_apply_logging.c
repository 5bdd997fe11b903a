/* SPDX-License-Identifier: MIT */
/* apply-logging as a process: two shippers "a" and "b" with a shipper that runs what it was
 * started with (tests/cluster/shipper), broken on command by a file break-<action>. */
#include "apply_place.h"
#include "base/buffer.h"
#include "base/file.h"

#include <dirent.h>

static const char program[] = TEST_BIN "/apply-logging";
#define URL(host)   "{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://" host "\"}}"
#define ONE         URL("127.0.0.1")
#define TWO         URL("127.0.0.2")
#define SWITCH_OFF  "{\"v\":1,\"settings\":{\"LOG_ENABLED\":\"N\"}}"
#define BAD_REQUEST "{\"v\":2}"

/* ---- helpers ------------------------------------------------------------- */

static void shell(const char *command)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s: %s", command, o.err);
    outcome_release(&o);
}

static void put_target(const char *name, const char *reload_of, const char *more)
{
    char text[4096];
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"t.mustache\",\"destination\":\"%s/%s/shipper.conf\","
                   "\"escape\":\"yaml\",\"timeout\":\"400ms\","
                   "\"validate\":[\"%s/etc/shipper\",\"stand-in\",\"%s/%s\",\"validate\","
                   "\"{file}\"],"
                   "\"reload\":[\"%s/etc/shipper\",\"stand-in\",\"%s/%s\",\"restart\"],"
                   "\"confirm\":[\"%s/etc/shipper\",\"stand-in\",\"%s/%s\",\"alive\"],"
                   "\"stop\":[\"%s/etc/shipper\",\"stand-in\",\"%s/%s\",\"stop\"]%s}",
                   scratch_dir, name, scratch_dir, scratch_dir, name, scratch_dir, scratch_dir,
                   reload_of, scratch_dir, scratch_dir, name, scratch_dir, scratch_dir, name, more);
    scratch_put(scratch_at("etc/logging.d/%s.json", name), text, 0644);
}

static int set_up(void **state)
{
    if (place_set_up(state) < 0)
        return -1;
    scratch_mkdir("a", 0755);
    scratch_mkdir("b", 0755);
    scratch_put("etc/logging.d/t.mustache",
                "{{#LOG_ELASTICSEARCH_URLS}}\nURL={{.}}\n{{/LOG_ELASTICSEARCH_URLS}}\n", 0644);
    put_target("a", "a", "");
    put_target("b", "b", "");
    return 0;
}

static struct outcome apply_env(const char *request, const char *variable)
{
    const char *argv[] = {program,       "--config-dir",      scratch_at("etc"),
                          "--apply-dir", scratch_at("apply"), NULL};
    const char *env[] = {"LICTOR_LIMITS=confirm=20ms,lock=300ms", variable, NULL};
    return run_tool(request, argv, env);
}

/* Run and compare the result; `reason` and `failed` are what stands in the JSON. */
static void expect(const char *request, int code, const char *flags, const char *reason,
                   const char *failed)
{
    struct outcome o = apply_env(request, NULL);
    char end[4096];
    (void)snprintf(end, sizeof end, "%s,\"reason\":\"%s\",\"rollback_failed\":[%s]}\n", flags,
                   reason, failed);
    const char *begin = code ? "{\"v\":1,\"state\":\"failed\",\"revision\":\""
                             : "{\"v\":1,\"state\":\"done\",\"revision\":\"";
    assert_int_equal(strncmp(o.out, begin, strlen(begin)), 0);
    const char *changed = strstr(o.out, "\"changed\":");
    assert_non_null(changed);
    assert_string_equal(changed, end);
    assert_int_equal(o.code, code);
    if (code == 0 && !*reason)
        assert_string_equal(o.err, "");
    else
        assert_int_equal(strncmp(o.err, "apply-logging: ", 15), 0);
    outcome_release(&o);
}

#define CHANGED   "\"changed\":true,\"recovered\":false"
#define UNCHANGED "\"changed\":false,\"recovered\":false"
#define RECOVERED "\"changed\":true,\"recovered\":true"

/* {0}: place. The caller's text with the place put in. */
static const char *placed(const char *fmt)
{
    static char text[4096];
    size_t n = 0;
    for (; *fmt && n < sizeof text - sizeof scratch_dir; fmt++) {
        if (*fmt == '@')
            n += (size_t)sprintf(text + n, "%s", scratch_dir);
        else
            text[n++] = *fmt;
    }
    text[n] = '\0';
    return text;
}

/* Both destinations hold `text`, and both shippers run with it ("": neither). */
static void assert_both(const char *text)
{
    for (const char *name = "ab"; *name; name++) {
        scratch_assert_file(scratch_at("%c/shipper.conf", *name), text);
        scratch_assert_file(scratch_at("%c/running.conf", *name), text);
    }
}

/* What must never be left over. */
static void assert_clean(void)
{
    static const char *const dirs[] = {"a", "b", "apply"};
    for (size_t i = 0; i < COUNT(dirs); i++) {
        DIR *stream = opendir(scratch_at("%s", dirs[i]));
        assert_non_null(stream);
        for (struct dirent *e = readdir(stream); e; e = readdir(stream)) {
            if (strstr(e->d_name, "lictor-") || strcmp(e->d_name, "journal") == 0)
                fail_msg("left over: %s/%s", dirs[i], e->d_name);
        }
        (void)closedir(stream);
    }
}

static size_t calls(const char *name, const char *action)
{
    char *log = scratch_get(scratch_at("%s/actions.log", name));
    size_t n = 0;
    for (const char *at = strstr(log, action); at; at = strstr(at + 1, action))
        n++;
    free(log);
    return n;
}

#define CONF_ONE "URL=http://127.0.0.1:9200\n"
#define CONF_TWO "URL=http://127.0.0.2:9200\n"

static void apply_one(void)
{
    expect(ONE, 0, CHANGED, "", "");
    assert_both(CONF_ONE);
}

/* ---- usage and input ----------------------------------------------------- */

static void usage(void **state)
{
    (void)state;
    static const struct {
        const char *argv[4];
        int code;
        const char *err;
    } rows[] = {
        {{program, "--help"}, 0, ""},
        {{program, "--version"}, 0, ""},
        {{program, "--nope"},
         2,
         "apply-logging: unknown option --nope, see apply-logging --help\n"},
        {{program, "operand"},
         2,
         "apply-logging: unexpected operand 'operand', see apply-logging --help\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o = run_tool(NULL, rows[i].argv, NULL);
        assert_string_equal(o.err, rows[i].err);
        assert_int_equal(o.code, rows[i].code);
        assert_int_equal(*o.out == '\0', rows[i].code != 0);
        outcome_release(&o);
    }
}

static void bad_requests_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        const char *reason;
    } rows[] = {
        {"[]", "request: "},
        {"null", "request: "},
        {"{\"v\":2,\"settings\":{}}", "request: only version 1 is known"},
        {"{\"v\":1,\"settings\":{\"LOG_INDEX\":1}}", "request: a setting is not a text"},
        {"{\"v\":1,\"settings\":{}}", "request: no usable LOG_ settings"},
        {"{\"v\":1,\"settings\":{\"LOG_INDEX\":\"x\"}}", "LOG_ELASTICSEARCH_URL"},
        {"{\"v\":1,\"settings\":{\"LOG_INDEX\":\"UP\",\"LOG_ELASTICSEARCH_URL\":"
         "\"http://127.0.0.1\"}}",
         "LOG_INDEX"},
        {"{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://10.0.0.1\"}}",
         "LOG_ELASTICSEARCH_URL: "},
        {"{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://127.0.0.1\","
         "\"LOG_SOURCES\":\"secrets\"}}",
         "LOG_SOURCES: "},
        {"", "request: "},
        {"no json", "request: "},
        {"{\"v\":1}", "request: \\\"settings\\\" is missing"},
        {"{\"v\":1,\"settings\":[]}", "request: \\\"settings\\\""},
    };
    apply_one();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o = apply_env(rows[i].request, NULL);
        char reason[256];
        (void)snprintf(reason, sizeof reason, "\"reason\":\"%s", rows[i].reason);
        if (!strstr(o.out, reason))
            fail_msg("%s: %s", rows[i].request, o.out);
        assert_non_null(strstr(o.out, UNCHANGED));
        assert_int_equal(o.code, 1);
        outcome_release(&o);
    }
    assert_both(CONF_ONE);
    assert_int_equal(calls("a", "restart"), 1);
    assert_clean();
}

static void an_oversized_request_is_refused(void **state)
{
    (void)state;
    char *request = malloc(65538);
    assert_non_null(request);
    memset(request, ' ', 65537);
    request[65537] = '\0';
    expect(request, 1, UNCHANGED, "the request is larger than 65536 bytes", "");
    free(request);
}

static void result_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "printf '%%s' '%s' >%s/r; for out in '>/dev/full' '>&-' '>&- 2>&-'; do "
                   "eval \"%s --config-dir %s/etc --apply-dir %s/apply <%s/r $out\"; "
                   "[ $? = $(case $out in *full) echo 1;; *) echo 0;; esac) ] || exit 9; done",
                   ONE, scratch_dir, program, scratch_dir, scratch_dir, scratch_dir);
    shell(command);
    assert_both(CONF_ONE);
}

/* ---- the straight way ---------------------------------------------------- */

static void applies_a_set_once(void **state)
{
    (void)state;
    apply_one();
    expect(ONE, 0, UNCHANGED, "", "");
    assert_int_equal(calls("a", "restart"), 1);
    expect(TWO, 0, CHANGED, "", "");
    assert_both(CONF_TWO);
    assert_int_equal(calls("a", "restart"), 2);
    assert_int_equal(calls("b", "restart"), 2);
    assert_clean();
}

static void result_has_the_revision(void **state)
{
    (void)state;
    struct outcome o = apply_env(ONE, NULL);
    const char *revision = strstr(o.out, "\"revision\":\"");
    assert_non_null(revision);
    assert_int_equal(strspn(revision + 12, "0123456789abcdef"), 64);
    outcome_release(&o);
}

static void restarts_a_dead_shipper_of_a_right_file(void **state)
{
    (void)state;
    apply_one();
    assert_int_equal(unlink(scratch_at("b/pid")), 0);
    expect(ONE, 0, UNCHANGED, "", "");
    assert_int_equal(calls("a", "restart"), 1);
    assert_int_equal(calls("b", "restart"), 2);
}

static void repairs_a_file_that_was_edited(void **state)
{
    (void)state;
    apply_one();
    scratch_put("a/shipper.conf", "edited\n", 0640);
    expect(ONE, 0, CHANGED, placed("@/a/shipper.conf was changed by somebody else: replaced"), "");
    assert_both(CONF_ONE);
    assert_int_equal(calls("b", "restart"), 1);
    assert_int_equal(chmod(scratch_at("b/shipper.conf"), 0666), 0);
    expect(ONE, 0, CHANGED, "", "");
    assert_int_equal(calls("b", "restart"), 2);
}

static void equal_commands_run_once(void **state)
{
    (void)state;
    put_target("b", "a", "");
    shell(placed("cd @/b && touch running.conf pid"));
    expect(ONE, 0, CHANGED, "", "");
    assert_int_equal(calls("a", "restart"), 1);
    assert_int_equal(calls("b", "restart"), 0);
}

static void switches_off_and_on(void **state)
{
    (void)state;
    apply_one();
    expect(SWITCH_OFF, 0, CHANGED, "", "");
    assert_both("");
    assert_clean();
    expect(SWITCH_OFF, 0, UNCHANGED, "", "");
    assert_int_equal(calls("a", "stop"), 1);
    apply_one();
}

static void switching_off_stops_what_runs_without_a_file(void **state)
{
    (void)state;
    scratch_put("a/pid", "1", 0644);
    expect(SWITCH_OFF, 0, UNCHANGED, "", "");
    assert_int_equal(calls("a", "stop"), 1);
    assert_int_equal(calls("b", "stop"), 0);
}

/* ---- failures ------------------------------------------------------------ */

static void a_refusing_validator_changes_nothing(void **state)
{
    (void)state;
    apply_one();
    scratch_put("b/break-validate",
                "printf '\\n line 4: \\033[1m\\303\\244 bad\\nmore\\n' >&2; exit 7\n", 0644);
    expect(TWO, 1, UNCHANGED,
           placed("@/b/shipper.conf refused: @/etc/shipper ended with 7: "
                  "line 4: ?[1m?? bad; more"),
           "");
    assert_both(CONF_ONE);
    assert_int_equal(calls("a", "restart"), 1);
    assert_clean();
}

static void a_hanging_or_flooding_validator_changes_nothing(void **state)
{
    (void)state;
    apply_one();
    scratch_put("a/break-validate", "sleep 60\n", 0644);
    expect(TWO, 1, UNCHANGED, placed("@/a/shipper.conf refused: @/etc/shipper: no end after 400ms"),
           "");
    scratch_put("a/break-validate", "yes flood | head -c 3000000; exit 1\n", 0644);
    struct outcome o = apply_env(TWO, NULL);
    assert_non_null(strstr(o.out, "ended with 1: flood; flood; flood"));
    assert_true(strlen(o.out) < 1000);
    outcome_release(&o);
    assert_both(CONF_ONE);
    assert_clean();
}

#define FAIL_WITH_TWO "grep -q 127.0.0.2 \"$dir/shipper.conf\" && { echo no two; exit 3; }\n"

static void a_failing_reload_rolls_all_back(void **state)
{
    (void)state;
    apply_one();
    scratch_put("b/break-restart", FAIL_WITH_TWO, 0644);
    expect(TWO, 1, UNCHANGED, placed("reload failed: @/etc/shipper ended with 3: no two"), "");
    assert_both(CONF_ONE);
    assert_clean();
}

static void a_shipper_that_does_not_stay_rolls_all_back(void **state)
{
    (void)state;
    apply_one();
    scratch_put("b/break-alive",
                "grep -q 127.0.0.2 \"$dir/shipper.conf\" && { date +%N; exit 0; }\n", 0644);
    expect(TWO, 1, UNCHANGED,
           placed("not confirmed: @/b/shipper.conf: the shipper has died and was "
                  "started again"),
           "");
    assert_both(CONF_ONE);
    scratch_put("b/break-alive", "grep -q 127.0.0.2 \"$dir/shipper.conf\" && exit 1\n", 0644);
    expect(TWO, 1, UNCHANGED, placed("not confirmed: @/etc/shipper ended with 1"), "");
    assert_both(CONF_ONE);
    assert_clean();
}

static void a_failing_first_install_leaves_nothing(void **state)
{
    (void)state;
    scratch_put("b/break-restart", "exit 3\n", 0644);
    expect(ONE, 1, UNCHANGED, placed("reload failed: @/etc/shipper ended with 3"), "");
    assert_both("");
    assert_int_equal(calls("a", "stop"), 1);
    assert_clean();
}

static void a_failing_stop_brings_the_files_back(void **state)
{
    (void)state;
    apply_one();
    scratch_put("b/break-stop", "echo never; exit 4\n", 0644);
    expect(SWITCH_OFF, 1, UNCHANGED, placed("stop failed: @/etc/shipper ended with 4: never"), "");
    assert_both(CONF_ONE);
    scratch_put("b/break-stop", "exit 0\n", 0644);
    expect(SWITCH_OFF, 1, UNCHANGED,
           placed("stop failed: @/b/shipper.conf was stopped but still runs"), "");
    assert_both(CONF_ONE);
    assert_clean();
}

static void a_failing_roll_back_is_named_and_made_good_later(void **state)
{
    (void)state;
    apply_one();
    scratch_put("b/break-restart", "exit 3\n", 0644);
    char both[600];
    (void)snprintf(both, sizeof both, "\"%s/a/shipper.conf\",\"%s/b/shipper.conf\"", scratch_dir,
                   scratch_dir);
    expect(TWO, 1, UNCHANGED,
           placed("reload failed: @/etc/shipper ended with 3; rollback failed: reload "
                  "failed: @/etc/shipper ended with 3"),
           both);
    scratch_assert_file("a/shipper.conf", CONF_ONE);
    scratch_assert_file("b/shipper.conf", CONF_ONE);
    expect(ONE, 1, "\"changed\":false,\"recovered\":true",
           placed("reload failed: @/etc/shipper ended with 3; rollback failed: reload "
                  "failed: @/etc/shipper ended with 3"),
           both);
    assert_int_equal(unlink(scratch_at("b/break-restart")), 0);
    expect(TWO, 0, RECOVERED, "", "");
    assert_both(CONF_TWO);
    assert_clean();
}

/* Old settings that do not work any more must not keep new ones from being applied. */
static void new_settings_go_on_where_the_old_ones_cannot(void **state)
{
    (void)state;
    apply_one();
    struct outcome o = apply_env(TWO, "LICTOR_DIE_AT=20");
    assert_int_equal(o.code, 128 + 9);
    outcome_release(&o);
    scratch_put("b/break-restart", "grep -q 127.0.0.1 \"$dir/shipper.conf\" && exit 3\n", 0644);
    o = apply_env(TWO, NULL);
    assert_non_null(strstr(o.out, "\"state\":\"done\""));
    outcome_release(&o);
    assert_both(CONF_TWO);
    assert_clean();
}

static void strange_destinations_are_refused(void **state)
{
    (void)state;
    apply_one();
    assert_int_equal(rename(scratch_at("b/shipper.conf"), scratch_at("b/real")), 0);
    assert_int_equal(symlink("real", scratch_at("b/shipper.conf")), 0);
    expect(TWO, 1, UNCHANGED, placed("@/b/shipper.conf is a symbolic link: refused"), "");
    scratch_assert_file("b/real", CONF_ONE);
    assert_int_equal(unlink(scratch_at("b/shipper.conf")), 0);
    assert_int_equal(link(scratch_at("b/real"), scratch_at("b/shipper.conf")), 0);
    expect(TWO, 1, UNCHANGED, placed("@/b/shipper.conf has several names (hard links): refused"),
           "");
    assert_int_equal(unlink(scratch_at("b/real")), 0);
    expect(ONE, 0, UNCHANGED, "", "");
    assert_clean();
}

static void what_others_can_write_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        mode_t mode;
    } rows[] = {{"etc/policy.json", 0644},
                {"etc/logging.d/a.json", 0644},
                {"etc/logging.d/t.mustache", 0644},
                {"etc/shipper", 0755},
                {"a", 0755},
                {"etc", 0755}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(chmod(scratch_at("%s", rows[i].path), rows[i].mode | 022), 0);
        struct outcome o = apply_env(ONE, NULL);
        char expected[256];
        (void)snprintf(expected, sizeof expected, "%s/%s can be written by others", scratch_dir,
                       rows[i].path);
        if (!strstr(o.out, expected))
            fail_msg("%s: %s", rows[i].path, o.out);
        assert_int_equal(o.code, 1);
        outcome_release(&o);
        assert_int_equal(chmod(scratch_at("%s", rows[i].path), rows[i].mode), 0);
    }
    assert_both("");
    assert_clean();
}

static void wrong_places_are_said(void **state)
{
    (void)state;
    assert_int_equal(chmod(scratch_at("apply"), 0755), 0);
    expect(ONE, 1, UNCHANGED, placed("@/apply must be a directory of the running user, mode 0700"),
           "");
    assert_int_equal(chmod(scratch_at("apply"), 0700), 0);
    put_target("b", "b", ",\"relaod\":[]");
    expect(ONE, 1, UNCHANGED,
           placed("@/etc/logging.d/b.json: \\\"relaod\\\" is not a known member"), "");
    scratch_put("etc/logging.d/t.mustache", "\n{{LOG_INDX}}", 0644);
    put_target("b", "b", "");
    expect(ONE, 1, UNCHANGED, placed("@/etc/logging.d/t.mustache:2: unknown name LOG_INDX"), "");
    shell(placed("rm @/etc/logging.d/*.json"));
    expect(ONE, 1, UNCHANGED, placed("no log shipper is configured: no *.json in @/etc/logging.d"),
           "");
    assert_both("");
}

static void a_full_disk_changes_nothing(void **state)
{
    (void)state;
    apply_one();
    char filler[3000];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    scratch_put("etc/logging.d/t.mustache", filler, 0644);
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "trap '' XFSZ; ulimit -f 2; exec %s --config-dir %s/etc --apply-dir "
                   "%s/apply",
                   program, scratch_dir, scratch_dir);
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct outcome o = run_tool(ONE, argv, NULL);
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(o.out, ".shipper.conf.lictor-new: File too large"));
    outcome_release(&o);
    assert_both(CONF_ONE);
    assert_clean();
}

static void commands_get_no_token_and_no_stdin(void **state)
{
    (void)state;
    scratch_put("a/break-restart", "env >\"$dir/env\"; cat >\"$dir/stdin\"\n", 0644);
    struct outcome o = apply_env(ONE, "CONSUL_HTTP_TOKEN=secret");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    char *env = scratch_get("a/env");
    assert_non_null(strstr(env, "LANG=C"));
    assert_null(strstr(env, "secret"));
    free(env);
    scratch_assert_file("a/stdin", "");
}

/* ---- several at once, killed anywhere ------------------------------------ */

static void a_second_run_waits_for_the_lock(void **state)
{
    (void)state;
    struct error err = {0};
    int fd = file_lock(scratch_at("apply/lock"), 0, &err);
    assert_true(fd >= 0);
    struct outcome o = apply_env(ONE, NULL);
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(o.out, "/apply/lock"));
    outcome_release(&o);
    const char *argv[] = {program, "--recover", "--apply-dir", scratch_at("apply"), NULL};
    const char *env[] = {"LICTOR_LIMITS=lock=300ms", NULL};
    o = run_tool(NULL, argv, env);
    assert_string_equal(o.err, "");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    file_unlock(fd);
    apply_one();
}

static void runs_at_once_do_not_mix(void **state)
{
    (void)state;
    char command[2048];
    (void)snprintf(command, sizeof command,
                   "cd %s; printf '%%s' '%s' >r1; printf '%%s' '%s' >r2; "
                   "export LICTOR_LIMITS=confirm=5ms,lock=20s; for i in 1 2 3 4; do for r in "
                   "r1 r2; do %s --config-dir %s/etc --apply-dir %s/apply <$r >out$i$r & "
                   "done; done; wait; [ $(cat out* | grep -c done) = 8 ]",
                   scratch_dir, ONE, TWO, program, scratch_dir, scratch_dir);
    shell(command);
    char *text = scratch_get("a/shipper.conf");
    assert_both(text);
    free(text);
    assert_clean();
}

static void assert_whole(void)
{
    for (const char *name = "ab"; *name; name++) {
        char *text = scratch_get(scratch_at("%c/shipper.conf", *name));
        if (strcmp(text, CONF_ONE) != 0 && strcmp(text, CONF_TWO) != 0 && *text)
            fail_msg("half a file: %s", text);
        free(text);
    }
}

/* Only recovers: the request itself is refused. */
static void assert_recovers(void)
{
    struct outcome o = apply_env(BAD_REQUEST, NULL);
    if (!strstr(o.out, "\"reason\":\"request: ") || !strstr(o.out, "\"rollback_failed\":[]"))
        fail_msg("%s", o.out);
    outcome_release(&o);
    assert_clean();
    char *text = scratch_get("a/shipper.conf");
    assert_both(text);
    free(text);
}

static bool dies_at(const char *request, int k)
{
    char at[32];
    (void)snprintf(at, sizeof at, "LICTOR_DIE_AT=%d", k);
    struct outcome o = apply_env(request, at);
    bool died = o.code == 128 + 9;
    assert_int_equal(died || o.code == 0, true);
    outcome_release(&o);
    assert_whole();
    return died;
}

/* From ONE to `request`, killed at every step, and then in the run that recovers: at the
 * same step, and at another. (test_journal.c has all pairs.) */
static void kill_everywhere(const char *request)
{
    int k = 1;
    for (bool died = true; died; k++) {
        for (int other = 0; other < 2; other++) {
            struct outcome o = apply_env(ONE, NULL);
            assert_int_equal(o.code, 0);
            assert_non_null(strstr(o.out, "\"reason\":\"\"")); /* nobody else's */
            outcome_release(&o);
            died = dies_at(request, k);
            if (died)
                (void)dies_at(request, other ? 1 + k * 7 % 40 : k);
            assert_recovers();
        }
    }
    print_message("%d steps\n", k - 2);
    assert_true(k > 20);
}

static void killed_anywhere_while_swapping(void **state)
{
    (void)state;
    kill_everywhere(TWO);
}

static void killed_anywhere_while_switching_off(void **state)
{
    (void)state;
    kill_everywhere(SWITCH_OFF);
}

/* At boot, before the shippers start: files only, and no request is waited for. */
static void recovering_brings_back_files_and_owes_the_reload(void **state)
{
    (void)state;
    for (int k = 1;; k++) {
        struct outcome first = apply_env(ONE, NULL);
        assert_int_equal(first.code, 0);
        outcome_release(&first);
        bool died = dies_at(TWO, k);
        const char *argv[] = {program, "--recover", "--apply-dir", scratch_at("apply"), NULL};
        size_t reloads = calls("a", "restart");
        struct outcome o = run_tool(NULL, argv, NULL);
        assert_int_equal(o.code, 0);
        assert_non_null(strstr(o.out, "{\"v\":1,\"state\":\"done\""));
        bool back = strstr(o.out, "\"recovered\":true");
        outcome_release(&o);
        if (!died)
            break;
        if (back) {
            scratch_assert_file("a/shipper.conf", CONF_ONE);
            scratch_assert_file("b/shipper.conf", CONF_ONE);
        }
        assert_int_equal(calls("a", "restart"), reloads);
        o = apply_env(ONE, NULL);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        assert_both(CONF_ONE);
        assert_clean();
        assert_int_equal(!back || calls("a", "restart") > reloads, true);
    }
}

/* ---- another one in its place -------------------------------------------- */

/* Times are in milliseconds at the begin of the lines. */
static int64_t last_call(const char *name)
{
    char *log = scratch_get(scratch_at("%s/actions.log", name));
    char *at = log + strlen(log) - 1;
    while (at > log && at[-1] != '\n')
        at--;
    int64_t ms = strtoll(at, NULL, 10);
    free(log);
    return ms;
}

static void assert_runs(const char *name, const char *text)
{
    scratch_assert_file(scratch_at("%s/shipper.conf", name), text);
    scratch_assert_file(scratch_at("%s/running.conf", name), text);
}

static void replace_a_by_c(void)
{
    scratch_mkdir("c", 0755);
    put_target("c", "c", "");
    assert_int_equal(unlink(scratch_at("etc/logging.d/a.json")), 0);
}

static void a_shipper_that_is_not_configured_any_more_is_stopped_first(void **state)
{
    (void)state;
    expect(ONE, 0, CHANGED, "", "");
    replace_a_by_c();
    scratch_put("c/break-restart", placed("cp @/a/actions.log @/c/before\n"), 0644);
    expect(ONE, 0, CHANGED, "", "");
    assert_runs("a", "");
    assert_runs("b", CONF_ONE);
    assert_runs("c", CONF_ONE);
    char *before = scratch_get("c/before");
    assert_non_null(strstr(before, " stop\n"));
    free(before);
    assert_int_equal(calls("a", "stop"), 1);
    int64_t last_ms = last_call("a");
    expect(TWO, 0, CHANGED, "", "");
    assert_int_equal(last_call("a"), last_ms); /* it is forgotten */
    assert_clean();
}

static void one_that_cannot_take_its_place_leaves_it_running(void **state)
{
    (void)state;
    expect(ONE, 0, CHANGED, "", "");
    replace_a_by_c();
    scratch_put("c/break-restart", "exit 3\n", 0644);
    expect(ONE, 1, UNCHANGED, placed("reload failed: @/etc/shipper ended with 3"), "");
    assert_both(CONF_ONE);
    assert_runs("c", "");
    assert_int_equal(unlink(scratch_at("c/break-restart")), 0);
    scratch_put("a/break-stop", "exit 4\n", 0644);
    expect(ONE, 1, UNCHANGED, placed("stop failed: @/etc/shipper ended with 4"), "");
    assert_both(CONF_ONE);
    assert_int_equal(unlink(scratch_at("a/break-stop")), 0);
    expect(ONE, 0, CHANGED, "", "");
    assert_runs("a", "");
    assert_runs("c", CONF_ONE);
    assert_clean();
}

/* Whichever instant: the next run ends it, and there are never two in its place for good. */
static void killed_anywhere_while_another_takes_its_place(void **state)
{
    for (int k = 1;; k++) {
        (void)scratch_tear_down(state);
        assert_int_equal(set_up(state), 0);
        expect(ONE, 0, CHANGED, "", "");
        replace_a_by_c();
        bool died = dies_at(ONE, k);
        struct outcome o = apply_env(ONE, NULL);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        assert_runs("a", "");
        assert_runs("b", CONF_ONE);
        assert_runs("c", CONF_ONE);
        assert_clean();
        if (!died)
            break;
    }
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(usage),
        IN_PLACE(bad_requests_change_nothing),
        IN_PLACE(an_oversized_request_is_refused),
        IN_PLACE(result_that_cannot_be_written_is_a_failure),
        IN_PLACE(applies_a_set_once),
        IN_PLACE(result_has_the_revision),
        IN_PLACE(restarts_a_dead_shipper_of_a_right_file),
        IN_PLACE(repairs_a_file_that_was_edited),
        IN_PLACE(equal_commands_run_once),
        IN_PLACE(switches_off_and_on),
        IN_PLACE(switching_off_stops_what_runs_without_a_file),
        IN_PLACE(a_refusing_validator_changes_nothing),
        IN_PLACE(a_hanging_or_flooding_validator_changes_nothing),
        IN_PLACE(a_failing_reload_rolls_all_back),
        IN_PLACE(a_shipper_that_does_not_stay_rolls_all_back),
        IN_PLACE(a_failing_first_install_leaves_nothing),
        IN_PLACE(a_failing_stop_brings_the_files_back),
        IN_PLACE(a_failing_roll_back_is_named_and_made_good_later),
        IN_PLACE(new_settings_go_on_where_the_old_ones_cannot),
        IN_PLACE(strange_destinations_are_refused),
        IN_PLACE(what_others_can_write_is_refused),
        IN_PLACE(wrong_places_are_said),
        IN_PLACE(a_full_disk_changes_nothing),
        IN_PLACE(commands_get_no_token_and_no_stdin),
        IN_PLACE(a_second_run_waits_for_the_lock),
        IN_PLACE(runs_at_once_do_not_mix),
        IN_PLACE(killed_anywhere_while_swapping),
        IN_PLACE(killed_anywhere_while_switching_off),
        IN_PLACE(recovering_brings_back_files_and_owes_the_reload),
        IN_PLACE(a_shipper_that_is_not_configured_any_more_is_stopped_first),
        IN_PLACE(one_that_cannot_take_its_place_leaves_it_running),
        IN_PLACE(killed_anywhere_while_another_takes_its_place),
    };
    return cmocka_run_group_tests_name("apply-logging", tests, NULL, NULL);
}
