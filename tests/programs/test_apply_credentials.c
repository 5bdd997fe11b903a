/* SPDX-License-Identifier: MIT */
/* apply-logging as a process, with credentials: where secrets go and where they never do,
 * and whose file a destination is. */
#include "apply_place.h"

#include <sys/xattr.h>

/* Bytes which a shell, a JSON writer and the language of the file each write in their way. */
#define SECRET      "t0p\"Se\\cr}et"
#define SECRET_JSON "t0p\\\"Se\\\\cr}et"
#define SECRET_FILE SECRET_JSON
#define OTHER       "0ther-one"
#define USER(p)     "\"user\":\"writer\",\"password\":\"" p "\""
#define API_KEY     "\"api_key\":\"an-id:the-api-key\""
#define SET(url, more)                                                                             \
    "\"LOG_ELASTICSEARCH_URL\":\"" url "\",\"LOG_ELASTICSEARCH_CREDENTIAL\":"                      \
    "\"x\"" more
#define ONE   SET("https://127.0.0.1", "")
#define TWO   SET("https://127.0.0.2", "")
#define PLAIN "\"LOG_ELASTICSEARCH_URL\":\"http://127.0.0.1\""
#define OFF   "\"LOG_ENABLED\":\"N\""

static const char template[] = "url: \"{{LOG_ELASTICSEARCH_URL}}\"\n"
                               "{{#CREDENTIAL_USER}}\n"
                               "user: \"{{CREDENTIAL_USER}}\"\n"
                               "password: \"{{CREDENTIAL_PASSWORD}}\"\n"
                               "{{/CREDENTIAL_USER}}\n"
                               "{{#CREDENTIAL_CA}}\n"
                               "ca: \"{{CREDENTIAL_CA}}\"\n"
                               "{{/CREDENTIAL_CA}}\n";

#define CONF(host, password)                                                                       \
    "url: \"https://" host ":9200\"\nuser: \"writer\"\npassword: \"" password "\"\n"

static int set_up(void **state)
{
    int rc = place_set_up(state);
    if (rc == 0)
        place_target("a", "yaml", template, "");
    return rc;
}

static void break_action(const char *action, const char *commands)
{
    scratch_put(scratch_at("a/break-%s", action), commands, 0644);
}

/* It must end with this code and text and say no secret, in whatever form. */
static void expect(const char *settings, int code, const char *text)
{
    static const char *const secrets[] = {SECRET,
                                          SECRET_JSON,
                                          "t0p\\\\\\\"Se",
                                          OTHER,
                                          "the-api-key",
                                          "dDBwIlNlXGNyfWV0",
                                          "d3JpdGVyOnQwcCJTZVxjcn1ldA",
                                          "MHRoZXItb25l"};
    char *said = place_expect(settings, code, text);
    for (size_t i = 0; i < COUNT(secrets); i++) {
        if (strstr(said, secrets[i]))
            fail_msg("a secret is said: %s", said);
    }
    free(said);
}

#define CHANGED   "\"changed\":true,\"recovered\":false,\"reason\":\"\""
#define UNCHANGED "\"changed\":false,\"recovered\":false,\"reason\":\"\""

static bool have(const char *command)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
    return o.code == 0;
}

/* ---- the straight way ---------------------------------------------------- */

static void a_secret_is_in_the_file_alone(void **state)
{
    (void)state;
    struct stat st;
    break_action("restart", "env >\"$dir/env\"; tr '\\0' ' ' </proc/$$/cmdline "
                            "/proc/$PPID/cmdline >\"$dir/words\"\n");
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    scratch_assert_file("a/shipper.conf", CONF("127.0.0.1", SECRET_FILE));
    assert_int_equal(stat(scratch_at("a/shipper.conf"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    place_shell("! grep -rlF t0p @ | grep -v -e shipper.conf -e running.conf -e "
                "credentials/x.json");
    expect(ONE, 0, UNCHANGED);
}

static void no_credential_is_none(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    expect(PLAIN, 0, CHANGED);
    scratch_assert_file("a/shipper.conf", "url: \"http://127.0.0.1:9200\"\n");
    expect(ONE, 0, CHANGED);
    expect(PLAIN, 0, CHANGED);
    scratch_assert_file("a/shipper.conf", "url: \"http://127.0.0.1:9200\"\n");
    expect(OFF ",\"LOG_ELASTICSEARCH_CREDENTIAL\":\"missing\"", 0, CHANGED);
}

static void beats_may_have_a_keystore(void **state)
{
    (void)state;
    place_credential("x", "\"user\":\"writer\",\"keystore\":\"ES_PWD\"");
    expect(ONE, 1, "only Beats have a keystore: CREDENTIAL_PASSWORD");
    place_target("a", "beats", template, "");
    expect(ONE, 0, CHANGED);
    scratch_assert_file("a/shipper.conf", CONF("127.0.0.1", "${ES_PWD}"));
    place_credential("x", USER("${ES_PWD}"));
    expect(ONE, 0, CHANGED);
    scratch_assert_file("a/shipper.conf", CONF("127.0.0.1", "$${ES_PWD}"));
}

/* The revision is the same; the file of root's has changed. */
static void a_rotation_is_applied(void **state)
{
    (void)state;
    place_credential("x", USER(OTHER));
    expect(ONE, 0, CHANGED);
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    scratch_assert_file("a/running.conf", CONF("127.0.0.1", SECRET_FILE));
    assert_int_equal(place_calls("a", "restart"), 2);
    expect(ONE, 0, UNCHANGED);
    assert_int_equal(place_calls("a", "restart"), 2);
}

/* ---- refusals ------------------------------------------------------------ */

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *members, *settings, *reason;
    } rows[] = {
        {USER(SECRET_JSON), SET("http://127.0.0.1", ""),
         "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is reached by http://, which "},
        {USER(SECRET_JSON) ",\"insecure_http\":false", SET("http://127.0.0.1", ""),
         "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is reached by http://, which "},
        {USER(SECRET_JSON), "\"LOG_ELASTICSEARCH_CREDENTIAL\":\"../x\"",
         "LOG_ELASTICSEARCH_CREDENTIAL: \\\"../x\\\" holds the character ."},
        {USER(SECRET_JSON),
         "\"LOG_ELASTICSEARCH_URL\":\"https://127.0.0.1\","
         "\"LOG_ELASTICSEARCH_CREDENTIAL\":\"y\"",
         "LOG_ELASTICSEARCH_CREDENTIAL: there is no credential y on this server: "},
        {USER(SECRET_JSON) ",\"pasword\":\"" SECRET_JSON "\"", ONE,
         "\\\"pasword\\\" is not a known member"},
        {"\"password\":\"" SECRET_JSON "\"", ONE,
         "\\\"password\\\" needs the other one of user and password"},
        {USER(SECRET_JSON "\\n"), ONE, "\\\"password\\\" holds a byte that is not printable ASCII"},
        {USER("t0p$Secret"), ONE, "forbidden byte ($) in the secret CREDENTIAL_PASSWORD"},
        {USER(SECRET_JSON) ",\"ca\":\"/nonexistent/ca.pem\"", ONE,
         "cannot open /nonexistent/ca.pem: No such file or directory"},
        {API_KEY, ONE,
         "a.mustache does not use CREDENTIAL_API_KEY: this log shipper cannot send "
         "what "},
    };
    expect(PLAIN, 0, CHANGED);
    for (size_t i = 0; i < COUNT(rows); i++) {
        place_credential("x", rows[i].members);
        expect(rows[i].settings, 1, rows[i].reason);
    }
    scratch_assert_file("a/running.conf", "url: \"http://127.0.0.1:9200\"\n");
    assert_int_equal(place_calls("a", "restart"), 1);
}

/* KV may choose another host that policy allows: the credential does not follow. */
static void a_credential_does_not_leave_its_hosts(void **state)
{
    (void)state;
    scratch_put("etc/credentials/x.json", "{" USER(SECRET_JSON) ",\"hosts\":[\"127.0.0.1\"]}",
                0640);
    expect(ONE, 0, CHANGED);
    expect(TWO, 1, "LOG_ELASTICSEARCH_URL: host 127.0.0.2 is not among \\\"hosts\\\" in ");
    expect(SET("https://127.0.0.1,https://127.0.0.2", ""), 1,
           "LOG_ELASTICSEARCH_URL: host 127.0.0.2 is not among \\\"hosts\\\" in ");
    scratch_assert_file("a/running.conf", CONF("127.0.0.1", SECRET_FILE));
}

static void others_may_neither_read_nor_write_it(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    assert_int_equal(chmod(scratch_at("etc/credentials/x.json"), 0644), 0);
    expect(ONE, 1, "x.json can be read by everybody: chmod o-rwx it");
    assert_int_equal(chmod(scratch_at("etc/credentials/x.json"), 0660), 0);
    expect(ONE, 1, "x.json can be written by others: chmod go-w it");
    assert_int_equal(chmod(scratch_at("etc/credentials/x.json"), 0640), 0);
    place_target("a", "yaml", template, ",\"mode\":\"0644\"");
    expect(ONE, 1, "nobody else may read a file with secrets");
    expect(PLAIN, 1, "nobody else may read a file with secrets");
    scratch_assert_file("a/shipper.conf", "");
}

/* What only root may read: said, and nothing is changed. */
static void a_user_who_may_not_read_it_says_so(void **state)
{
    (void)state;
    static const char reachable[] =
        "setpriv --reuid 65534 --regid 65534 --clear-groups test -x " TEST_BIN "/apply-logging";
    const char *argv[] = {"/usr/bin/setpriv",        "--reuid=65534",
                          "--regid=65534",           "--clear-groups",
                          TEST_BIN "/apply-logging", "--config-dir",
                          scratch_at("etc"),         "--apply-dir",
                          scratch_at("apply"),       NULL};
    if (!have(reachable)) {
        print_message("# note: cannot become another user: that was left out\n");
        skip();
    }
    place_credential("x", USER(SECRET_JSON));
    place_shell("chown -R 65534:65534 @/apply @/a; chmod 0755 @");
    struct outcome o = run_tool("{\"v\":1,\"settings\":{" ONE "}}", argv, NULL);
    assert_int_equal(o.code, 1);
    assert_non_null(strstr(o.out, "LOG_ELASTICSEARCH_CREDENTIAL: cannot read "));
    assert_non_null(strstr(o.out, "x.json: Permission denied"));
    outcome_release(&o);
    place_shell("chgrp 65534 @/etc/credentials/x.json");
    o = run_tool("{\"v\":1,\"settings\":{" ONE "}}", argv, NULL);
    assert_string_equal(strstr(o.out, "\"reason\":"), "\"reason\":\"\",\"rollback_failed\":[]}\n");
    outcome_release(&o);
}

/* ---- what tools say ------------------------------------------------------ */

#define SHOW                                                                                       \
    "{ cat \"$file\"; grep -o 'password: .*' \"$file\" | cut -c12- | tr -d '\\n\"'; "              \
    "printf '%s' 't0p\"Se\\cr}et' | base64; printf 'writer:%s' 't0p\"Se\\cr}et' | "                \
    "base64; printf '%s' 't0p\"Se\\cr}et'; } "

static void validators_and_shippers_give_nothing_away(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    break_action("validate", "file=$4; " SHOW ">&2; exit 1\n");
    expect(ONE, 1, "password: \\\"***\\\"");
    break_action("validate", "file=$4; " SHOW "; exit 1\n");
    expect(ONE, 1, "password: \\\"***\\\"");
    break_action("validate", "printf '%*s' 4085 ''; printf '%s' 't0p\"Se\\cr}et'; exit 1\n");
    expect(ONE, 1, "ended with 1: ***");
    assert_int_equal(unlink(scratch_at("a/break-validate")), 0);
    break_action("restart", "file=$dir/shipper.conf; " SHOW ">&2; exit 1\n");
    expect(ONE, 1, "password: \\\"***\\\"");
    assert_int_equal(unlink(scratch_at("a/break-restart")), 0);
    break_action("alive", "file=$dir/shipper.conf; " SHOW ">&2; exit 1\n");
    expect(ONE, 1, "password: \\\"***\\\"");
}

/* A rollback speaks about the old file, whose secret nobody knows any more. */
static void a_rollback_gives_no_old_secret_away(void **state)
{
    (void)state;
    place_credential("x", USER(OTHER));
    expect(ONE, 0, CHANGED);
    place_credential("x", USER(SECRET_JSON));
    break_action("restart", "cat \"$dir/shipper.conf\"; exit 3\n");
    expect(ONE, 1, "rollback failed: reload failed: ");
    expect(ONE, 1, "(kept back: it may hold a secret)");
    scratch_assert_file("a/shipper.conf", CONF("127.0.0.1", OTHER));
    assert_int_equal(unlink(scratch_at("a/break-restart")), 0);
    expect(ONE, 0, "\"changed\":true,\"recovered\":true,\"reason\":\"\"");
    scratch_assert_file("a/running.conf", CONF("127.0.0.1", SECRET_FILE));
}

/* Killed at every step of a rotation; the shipper shows its file whenever it is called. */
static void a_recovery_gives_no_old_secret_away(void **state)
{
    (void)state;
    int k = 1;
    place_credential("x", USER(OTHER));
    expect(ONE, 0, CHANGED);
    for (bool died = true; died; k++) {
        char at[40];
        (void)snprintf(at, sizeof at, "LICTOR_DIE_AT=%d", k);
        place_credential("x", k % 2 ? USER(SECRET_JSON) : USER(OTHER));
        struct outcome o = place_apply_env(ONE, at);
        died = o.code == 128 + 9;
        outcome_release(&o);
        break_action("restart", "cat \"$dir/shipper.conf\" >&2; exit 3\n");
        struct outcome shown = place_apply(PLAIN);
        assert_null(strstr(shown.out, OTHER));
        assert_null(strstr(shown.err, OTHER));
        assert_null(strstr(shown.out, "t0p"));
        assert_null(strstr(shown.err, "t0p"));
        outcome_release(&shown);
        assert_int_equal(unlink(scratch_at("a/break-restart")), 0);
        expect(ONE, 0, "\"reason\":\"\"");
    }
    assert_true(k > 20);
}

/* ---- confirmed: this very file ------------------------------------------- */

#define ASK_WHICH                                                                                  \
    "echo \"$4\" >>\"$dir/asked\"\n"                                                               \
    "runs=$(sha256sum <\"$dir/running.conf\" | cut -d' ' -f1)\n"                                   \
    "[ \"$4\" = any ] || [ \"$4\" = \"$runs\" ] || { echo runs another; exit 1; }\n"

static void a_shipper_of_another_file_is_not_confirmed(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    break_action("alive", ASK_WHICH);
    expect(ONE, 0, CHANGED);
    expect(ONE, 0, UNCHANGED);
    break_action("restart",
                 "grep -q 127.0.0.2 \"$dir/shipper.conf\" && exit 0\n"); /* keeps the old */
    expect(TWO, 1, "not confirmed: ");
    expect(TWO, 1, "runs another");
    scratch_assert_file("a/running.conf", CONF("127.0.0.1", SECRET_FILE));
    assert_int_equal(unlink(scratch_at("a/break-restart")), 0);
    expect(TWO, 0, CHANGED);
    place_shell("echo old >@/a/running.conf");
    expect(TWO, 0, UNCHANGED); /* the right file, but it runs with another: restarted */
    scratch_assert_file("a/running.conf", CONF("127.0.0.2", SECRET_FILE));
    place_shell("! grep -q any @/a/asked");
    expect(OFF, 0, CHANGED);
    place_shell("grep -q any @/a/asked");
}

/* ---- somebody else ------------------------------------------------------- */

static void foreign_edits_are_reported_once(void **state)
{
    (void)state;
    static const struct {
        const char *before, *settings, *reason;
    } rows[] = {
        {"echo edited >@/a/shipper.conf", ONE, "was changed by somebody else: replaced"},
        {"rm @/a/shipper.conf", ONE, "was removed by somebody else: made again"},
        {"echo edited >@/a/shipper.conf", TWO, "was changed by somebody else: replaced"},
        {"echo edited >@/a/shipper.conf", OFF, "was changed by somebody else: removed"},
        {"echo edited >@/a/shipper.conf", OFF, "was changed by somebody else: removed"},
        {"echo edited >@/a/shipper.conf", PLAIN, "was changed by somebody else: replaced"},
        {"true", ONE, "\"reason\":\"\""},
        {"chmod 0600 @/a/shipper.conf", ONE, "\"reason\":\"\""},
        {"rm @/apply/applied.json; echo edited >@/a/shipper.conf", ONE, "\"reason\":\"\""},
    };
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    for (size_t i = 0; i < COUNT(rows); i++) {
        place_shell(rows[i].before);
        char *said = place_expect(rows[i].settings, 0, rows[i].reason);
        bool logged = strstr(said, "apply-logging: ") != NULL;
        assert_int_equal(logged, strstr(rows[i].reason, "somebody") != NULL);
        free(said);
        expect(rows[i].settings, 0, UNCHANGED);
    }
}

/* Even where it is a text of ours: what was there before the last change is not ours now. */
static void an_old_file_of_ours_is_an_edit(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    place_shell("cp -p @/a/shipper.conf @/old");
    expect(TWO, 0, CHANGED);
    place_shell("cp -p @/old @/a/shipper.conf");
    expect(TWO, 0, "was changed by somebody else: replaced");
}

/* Refused settings replace nothing: it is reported again, and stays until it is replaced. */
static void a_foreign_edit_outlives_a_refusal(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    scratch_put("a/shipper.conf", "edited\n", 0640);
    break_action("validate", "exit 1\n");
    expect(TWO, 1, "ended with 1");
    scratch_assert_file("a/shipper.conf", "edited\n");
    assert_int_equal(unlink(scratch_at("a/break-validate")), 0);
    break_action("restart", "grep -q 127.0.0.2 \"$dir/shipper.conf\" && exit 1\n");
    expect(TWO, 1, "reload failed");
    scratch_assert_file("a/shipper.conf", "edited\n");
    expect(ONE, 0, "was changed by somebody else: replaced");
}

/* ---- rights beyond the mode ---------------------------------------------- */

static void extended_acls_are_refused(void **state)
{
    (void)state;
    if (!have("command -v setfacl")) {
        print_message("# note: setfacl is missing: ACLs were left out\n");
        skip();
    }
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    place_shell("setfacl -m u:nobody:r @/a/shipper.conf");
    expect(ONE, 1, "/a/shipper.conf has an extended ACL: refused");
    expect(TWO, 1, "/a/shipper.conf has an extended ACL: refused");
    scratch_assert_file("a/running.conf", CONF("127.0.0.1", SECRET_FILE));
    place_shell("setfacl -b @/a/shipper.conf; setfacl -d -m u:nobody:r @/a");
    expect(TWO, 1, "/a/shipper.conf gives new files an extended ACL: refused");
    place_shell("setfacl -b @/a && ls -A @/a >@/list && ! grep lictor- @/list");
    expect(TWO, 0, CHANGED);
}

#define LABEL "security.selinux"

static void assert_label(const char *path)
{
    char label[64] = "";
    assert_int_equal(lgetxattr(path, LABEL, label, sizeof label - 1), 22);
    assert_string_equal(label, "system_u:object_r:x_t:");
}

/* Where SELinux is off, root can write labels all the same; nobody else can. */
static void selinux_labels_are_kept(void **state)
{
    (void)state;
    place_credential("x", USER(SECRET_JSON));
    expect(ONE, 0, CHANGED);
    if (lsetxattr(scratch_at("a/shipper.conf"), LABEL, "system_u:object_r:x_t:", 22, 0) < 0) {
        assert_true(errno == EPERM || errno == ENOTSUP);
        print_message("# note: only root can set labels: they were left out\n");
        skip();
    }
    expect(TWO, 0, CHANGED);
    assert_label(scratch_at("a/shipper.conf"));
    break_action("restart", "grep -q 127.0.0.1 \"$dir/shipper.conf\" && exit 1\n");
    expect(ONE, 1, "reload failed");
    scratch_assert_file("a/shipper.conf", CONF("127.0.0.2", SECRET_FILE));
    assert_label(scratch_at("a/shipper.conf"));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_secret_is_in_the_file_alone),
        IN_PLACE(no_credential_is_none),
        IN_PLACE(beats_may_have_a_keystore),
        IN_PLACE(a_rotation_is_applied),
        IN_PLACE(what_does_not_fit_is_refused),
        IN_PLACE(a_credential_does_not_leave_its_hosts),
        IN_PLACE(others_may_neither_read_nor_write_it),
        IN_PLACE(a_user_who_may_not_read_it_says_so),
        IN_PLACE(validators_and_shippers_give_nothing_away),
        IN_PLACE(a_rollback_gives_no_old_secret_away),
        IN_PLACE(a_recovery_gives_no_old_secret_away),
        IN_PLACE(a_shipper_of_another_file_is_not_confirmed),
        IN_PLACE(foreign_edits_are_reported_once),
        IN_PLACE(an_old_file_of_ours_is_an_edit),
        IN_PLACE(a_foreign_edit_outlives_a_refusal),
        IN_PLACE(extended_acls_are_refused),
        IN_PLACE(selinux_labels_are_kept),
    };
    return cmocka_run_group_tests_name("apply-credentials", tests, NULL, NULL);
}
