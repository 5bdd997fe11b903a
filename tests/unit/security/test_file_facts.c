/* SPDX-License-Identifier: MIT */
/* Which text holds a secret, and what of files is found. */
#include "security/file_facts.h"

#include "scratch.h"
#include "test.h"

static const struct {
    const char *text;
    bool secret;
} texts[] = {
    {"encrypt = \"a\"\n", true},
    {"{\"encrypt\":\"a\"}", true},
    {"{\"server\":true,\"encrypt\" : \"a\"}", true},
    {"encrypt_verify_incoming = true\n", false},
    {"encrypt = \"\"\n", false},
    {"auto_encrypt { allow_tls = true }\n", false},
    {"# encrypt = \"a\"\n", false},
    {"  // token = \"a\"\n", false},
    {"server = true\n  token = \"a\"\n", true},
    {"acl {\n tokens {\n  default = \"a\"\n }\n}\n", true},
    {"{\"acl\":{\"tokens\":{\"agent\":\"a\"}}}", true},
    {"acl_master_token = \"a\"", true},
    {"acl { enable_token_persistence = true  token_ttl = \"30s\" }\n", false},
    {"CONSUL_HTTP_TOKEN=a\n", true},
    {"CONSUL_HTTP_TOKEN=\nCONSUL_HTTP_TOKEN_FILE=/a\n", false},
    {"CONSUL_HTTP_TOKEN_FILE=/a\nCONSUL_HTTP_TOKEN=a", true},
    {"", false},
    {"token", false},
    {"token =", false},
};

static void secrets_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        print_message("  %s\n", texts[i].text);
        assert_int_equal(file_facts_secret(texts[i].text), texts[i].secret);
    }
}

static void a_key_file_is_seen(void **state)
{
    static const struct {
        const char *text, *path;
    } rows[] = {
        {"key_file = \"/a/b\"\n", "/a/b"},
        {"{\"key_file\":\"/a\",\"x\":1}", "/a"},
        {"# key_file = \"/a\"\n", ""},
        {"key_file = 7\n", ""},
        {"cert_file = \"/a\"\n", ""},
        {"\n\nkey_file : \"/a", "/a"},
        {"key_file = \"123456789\"", "1234567"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[8];
        file_facts_key_file(rows[i].text, path, sizeof path);
        assert_string_equal(path, rows[i].path);
    }
}

/* Our own configuration; what is above it, Consul's process and our programs are others' matter. */
static void look(struct findings *findings)
{
    char config[300], state[300];
    struct place place = {config, state, "r"};
    const struct agent_facts agent = {.data_dir = "/nowhere"};
    (void)snprintf(config, sizeof config, "%s", scratch_at("config"));
    (void)snprintf(state, sizeof state, "%s", scratch_at("state"));
    *findings = (struct findings){0};
    file_facts_look(&place, &agent, "writer", findings);
}

/* The finding about that file, as "NAME: WHAT | REPAIR" without the directory; "" none. */
static const char *finding_of(const struct findings *findings, const char *file)
{
    static char text[800];
    char path[300];
    (void)snprintf(path, sizeof path, "%s", scratch_at("%s", file));
    text[0] = '\0';
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->found[i];
        const size_t len = strlen(path);
        if (strncmp(f->what, path, len) == 0 && f->what[len] == ' ') {
            assert_string_equal(text, ""); /* one for each file */
            const char *at = strstr(f->repair, path);
            assert_non_null(at);
            assert_string_equal(at + len, "");
            (void)snprintf(text, sizeof text, "%s:%s | %.*s", finding_row(f->kind)->name,
                           f->what + len, (int)(at - f->repair - 1), f->repair);
        }
    }
    return text;
}

static const struct row {
    const char *file;
    mode_t mode, wrong;
    const char *text, *expected;
} rows[] = {
    {"config/policy.json", 0644, 0664, "{}",
     "config-writable: can be written by its group | chmod g-w"},
    {"config/policy.json", 0644, 0646, "{}",
     "config-world-writable: can be written by everybody | chmod o-w"},
    {"config/node.token", 0640, 0644, "t", "secret-readable: can be read by everybody | chmod o-r"},
    {"config/consul.env", 0640, 0644, "CONSUL_HTTP_TOKEN=t\n",
     "secret-readable: can be read by everybody | chmod o-r"},
    {"config/consul.env", 0640, 0644, "CONSUL_HTTP_ADDR=t\n", ""},
    {"config/credentials/writer.json", 0640, 0644, "{}",
     "secret-readable: can be read by everybody | chmod o-r"},
    {"config/credentials/writer.read.json", 0640, 0644, "{}",
     "secret-readable: can be read by everybody | chmod o-r"},
    {"config/logging.d/x.json", 0644, 0666, "{}",
     "config-world-writable: can be written by everybody | chmod o-w"},
    {"config/logging.d", 0755, 0775, NULL,
     "config-writable: can be written by its group | chmod g-w"},
    {"config", 0755, 0757, NULL, "config-world-writable: can be written by everybody | chmod o-w"},
};

static void lay_out(void)
{
    scratch_mkdir("config/logging.d", 0755);
    scratch_mkdir("config/credentials", 0711);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].text)
            scratch_put(rows[i].file, rows[i].text, rows[i].mode);
    assert_int_equal(chmod(scratch_at("config"), 0755), 0);
    assert_int_equal(chmod(scratch_dir, 0755), 0);
}

static void each_mode_has_its_finding(void **state)
{
    static struct findings findings;
    (void)state;
    lay_out();
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("  %s %o\n", rows[i].file, rows[i].wrong);
        if (rows[i].text)
            scratch_put(rows[i].file, rows[i].text, rows[i].mode);
        look(&findings);
        assert_string_equal(finding_of(&findings, rows[i].file), "");
        assert_int_equal(chmod(scratch_at("%s", rows[i].file), rows[i].wrong), 0);
        look(&findings);
        assert_string_equal(finding_of(&findings, rows[i].file), rows[i].expected);
        assert_int_equal(chmod(scratch_at("%s", rows[i].file), rows[i].mode), 0);
    }
}

/* A way that is closed keeps everybody from reading. */
static void behind_a_closed_directory_nothing_is_readable(void **state)
{
    static struct findings findings;
    (void)state;
    lay_out();
    assert_int_equal(chmod(scratch_at("config/node.token"), 0644), 0);
    assert_int_equal(chmod(scratch_dir, 0700), 0);
    look(&findings);
    assert_string_equal(finding_of(&findings, "config/node.token"), "");
}

/* A link that leads to a file of another user's, and one of his own. */
static void others_files_and_links_are_found(void **state)
{
    static struct findings findings;
    (void)state;
    if (geteuid() != 0)
        skip();
    lay_out();
    scratch_put("elsewhere", "{}", 0644);
    assert_int_equal(chown(scratch_at("elsewhere"), 12345, 12345), 0);
    assert_int_equal(symlink(scratch_at("elsewhere"), scratch_at("config/logging.d/y.json")), 0);
    look(&findings);
    assert_string_equal(finding_of(&findings, "elsewhere"),
                        "config-writable: belongs to user 12345 | chown root");
    assert_int_equal(chown(scratch_at("state"), 12345, 12345), 0); /* the agent's user */
    look(&findings);
    assert_string_equal(finding_of(&findings, "elsewhere"), "");
}

static void what_cannot_be_looked_at_is_said(void **state)
{
    static struct findings findings;
    char expected[400];
    bool said = false;
    (void)state;
    scratch_put("config/logging.d", "", 0644);
    (void)snprintf(expected, sizeof expected, "cannot list %s: Not a directory",
                   scratch_at("config/logging.d"));
    look(&findings);
    for (size_t i = 0; i < findings.n; i++)
        said |= findings.found[i].kind == FINDING_FILES_UNKNOWN &&
                strcmp(findings.found[i].what, expected) == 0;
    assert_true(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_seen),
        cmocka_unit_test(a_key_file_is_seen),
        cmocka_unit_test_setup_teardown(each_mode_has_its_finding, scratch_set_up_program,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(behind_a_closed_directory_nothing_is_readable,
                                        scratch_set_up_program, scratch_tear_down),
        cmocka_unit_test_setup_teardown(others_files_and_links_are_found, scratch_set_up_program,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_looked_at_is_said, scratch_set_up_program,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests_name("file_facts", tests, NULL, NULL);
}
