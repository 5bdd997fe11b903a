/* SPDX-License-Identifier: MIT */
#include "settings/credential.h"

#include "base/base64.h"
#include "scratch.h"
#include "test.h"

#define FILE_NAME "/etc/lictor/credentials/x.json"
#define HOSTS     "\"hosts\":[\"es1\",\"*.a.b\",\"10.0.0.0/8\"]"
#define SECRET    "t0p-Secret"
#define KEY_ID    "VuaCfGcBCdbkQm-e5aOx"
#define KEY       "ui2lp2axTNmsyakw9tvNnw"
#define ENCODED   "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="

static int parse(const char *text, struct credential *ret, struct error *err)
{
    return credential_parse(text, strlen(text), FILE_NAME, ret, err);
}

static bool is_zero(const struct credential *c)
{
    const char *byte = (const char *)c;
    size_t n = 0;
    while (n < sizeof *c && byte[n] == 0)
        n++;
    return n == sizeof *c;
}

/* ---- parsing ------------------------------------------------------------- */

static void reads_everything(void **state)
{
    (void)state;
    struct credential c;
    struct error err = {0};
    assert_int_equal(parse("{\"user\":\"log writer\",\"password\":\"" SECRET "\","
                           "\"ca\":\"/etc/ca.pem\",\"cert\":\"/etc/c.pem\","
                           "\"key\":\"/etc/k.pem\",\"insecure_http\":true," HOSTS "}",
                           &c, &err),
                     0);
    assert_string_equal(c.path, FILE_NAME);
    assert_string_equal(c.user, "log writer");
    assert_string_equal(c.password, SECRET);
    assert_string_equal(c.api_key, "");
    assert_string_equal(c.encoded, "");
    assert_string_equal(c.ca, "/etc/ca.pem");
    assert_string_equal(c.cert, "/etc/c.pem");
    assert_string_equal(c.key, "/etc/k.pem");
    assert_int_equal(c.hosts, 3);
    assert_string_equal(c.host[1], "*.a.b");
    assert_true(c.insecure_http);
    credential_release(&c);
    assert_true(is_zero(&c));
}

static void reads_both_forms_of_an_api_key(void **state)
{
    (void)state;
    static const char *const forms[] = {KEY_ID ":" KEY, ENCODED};
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct credential c;
        struct error err = {0};
        char text[300];
        (void)snprintf(text, sizeof text, "{\"api_key\":\"%s\"," HOSTS "}", forms[i]);
        assert_int_equal(parse(text, &c, &err), 0);
        assert_string_equal(c.api_key, KEY_ID ":" KEY);
        assert_string_equal(c.encoded, ENCODED);
        assert_false(c.insecure_http);
        credential_release(&c);
    }
}

static void a_keystore_has_the_password_or_the_api_key(void **state)
{
    (void)state;
    struct credential c;
    assert_int_equal(parse("{\"user\":\"u\",\"keystore\":\"ES_PWD\"," HOSTS "}", &c, NULL), 0);
    assert_string_equal(c.user, "u");
    assert_string_equal(c.keystore, "ES_PWD");
    assert_int_equal(parse("{\"keystore\":\"es_key1\"," HOSTS "}", &c, NULL), 0);
    assert_string_equal(c.user, "");
    credential_release(&c);
}

static void a_ca_alone_is_enough(void **state)
{
    (void)state;
    struct credential c;
    assert_int_equal(parse("{\"ca\":\"/a\"," HOSTS "}", &c, NULL), 0);
    credential_release(&c);
}

#define API(key)     "{\"api_key\":\"" key "\"," HOSTS "}"
#define NO_API_KEY   "\"api_key\" is neither id:key nor the base64 of it"
#define USER(u, p)   "{\"user\":\"" u "\",\"password\":\"" p "\"," HOSTS "}"
#define WITH(member) "{\"ca\":\"/a\"," HOSTS "," member "}"
#define NO_PATH(m)   "\"" m "\" is not an absolute path of A-Z a-z 0-9 . _ - /"
#define NO_PASSWORD  "\"password\" is not a text of 6 to 256 characters"
#define FIFTY        "0123456789012345678901234567890123456789abcdefghij"
#define TWO_FIFTY    FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct {
    const char *text;
    const char *why; /* behind the path and ": " */
} broken[] = {
    {"", "is not JSON"},
    {"{", "is not JSON"},
    {"null", "is not a JSON object"},
    {"[]", "is not a JSON object"},
    {"{}", "\"hosts\" must list the hosts it may be sent to, at least one"},
    {"{" HOSTS "}", "has neither user and password nor api_key, ca or cert"},
    {"{\"ca\":\"/a\"}", "\"hosts\" must list the hosts it may be sent to, at least one"},
    {"{\"ca\":\"/a\",\"hosts\":[]}",
     "\"hosts\" must list the hosts it may be sent to, at least one"},
    {"{\"ca\":\"/a\",\"hosts\":\"es1\"}",
     "\"hosts\" must list the hosts it may be sent to, at least one"},
    {"{\"ca\":\"/a\",\"hosts\":[5]}", "\"\" in \"hosts\" has no host"},
    {"{\"ca\":\"/a\",\"hosts\":[\"es1:9200\"]}",
     "\"es1:9200\" in \"hosts\" has no valid IPv6 address (without zone) as host"},
    {WITH("\"passwort\":\"" SECRET "\""), "\"passwort\" is not a known member"},
    {WITH("\"" SECRET "-and-much-more\":1"), "\"" SECRET "-and-much-\" is not a known member"},
    {WITH("\"Ca\":\"/a\""), "\"Ca\" is not a known member"},
    {WITH("\"ca\":\"/b\""), "\"ca\" is given twice"},
    {WITH("\"user\":\"u\""), "\"user\" needs the other one of user and password"},
    {WITH("\"password\":\"" SECRET "\""), "\"password\" needs the other one of user and password"},
    {WITH("\"cert\":\"/c\""), "\"cert\" needs the other one of cert and key"},
    {WITH("\"key\":\"/c\""), "\"key\" needs the other one of cert and key"},
    {USER("", SECRET), "\"user\" is not a text of 1 to 256 characters"},
    {USER("u:v", SECRET), "\"user\" holds ':' or has a blank at an end"},
    {USER(" u", SECRET), "\"user\" holds ':' or has a blank at an end"},
    {USER("u ", SECRET), "\"user\" holds ':' or has a blank at an end"},
    {USER("\\u00fc", SECRET), "\"user\" holds a byte that is not printable ASCII"},
    {USER("u", "12345"), NO_PASSWORD},
    {USER("u", TWO_FIFTY "1234567"), NO_PASSWORD},
    {USER("u", SECRET "\\n"), "\"password\" holds a byte that is not printable ASCII"},
    {USER("u", SECRET "\\u007f"), "\"password\" holds a byte that is not printable ASCII"},
    {USER("u", SECRET "\\u0000"), "holds U+0000 or no valid \\u escape"},
    {"{\"user\":\"u\",\"password\":1234567," HOSTS "}", NO_PASSWORD},
    {"{\"user\":\"u\",\"password\":null," HOSTS "}", NO_PASSWORD},
    {"{\"user\":\"u\",\"password\":\"" SECRET "\",\"api_key\":\"a:" SECRET "\"," HOSTS "}",
     "\"api_key\" cannot be given together with user and password"},
    {API(""), "\"api_key\" is not a text of 1 to 513 characters"},
    {API("id"), NO_API_KEY},
    {API("id:"), NO_API_KEY},
    {API("id:short"), NO_API_KEY},
    {API(":" SECRET), NO_API_KEY},
    {API("a:" SECRET ":" SECRET), NO_API_KEY},
    {API("a:" SECRET "$"), NO_API_KEY},
    {API("a:" TWO_FIFTY "12345"), NO_API_KEY},
    {API("dDBwLVNlY3JldA=="), NO_API_KEY},     /* SECRET */
    {API("dDBwLVNlY3JldDoA"), NO_API_KEY},     /* SECRET:\0 */
    {API("YTp0MHAtU2VjcmV0ADo="), NO_API_KEY}, /* a:SECRET\0: */
    {API("YTp0MHAtU2VjcmV0=="), NO_API_KEY},
    {WITH("\"cert\":\"c\",\"key\":\"/k\""), "\"cert\" is not a text of 2 to 511 characters"},
    {WITH("\"cert\":\"cert\",\"key\":\"/k\""), NO_PATH("cert")},
    {WITH("\"cert\":\"/c\",\"key\":\"/a/../k\""), NO_PATH("key")},
    {WITH("\"cert\":\"/c\",\"key\":\"/a b\""), NO_PATH("key")},
    {WITH("\"cert\":\"/c\",\"key\":\"/a\\\"b\""), NO_PATH("key")},
    {WITH("\"keystore\":\"a b\""), "\"keystore\" is not a name of A-Z a-z 0-9 _"},
    {WITH("\"keystore\":\"a}${b\""), "\"keystore\" is not a name of A-Z a-z 0-9 _"},
    {WITH("\"keystore\":\"a-b\""), "\"keystore\" is not a name of A-Z a-z 0-9 _"},
    {WITH("\"keystore\":\"a.b\""), "\"keystore\" is not a name of A-Z a-z 0-9 _"},
    {WITH("\"keystore\":\"a/b\""), "\"keystore\" is not a name of A-Z a-z 0-9 _"},
    {WITH("\"keystore\":\"\""), "\"keystore\" is not a text of 1 to 64 characters"},
    {WITH("\"keystore\":\"a\",\"user\":\"u\",\"password\":\"" SECRET "\""),
     "\"keystore\" cannot be given together with password or api_key"},
    {WITH("\"keystore\":\"a\",\"api_key\":\"a:" SECRET "\""),
     "\"keystore\" cannot be given together with password or api_key"},
    {WITH("\"insecure_http\":\"true\""), "\"insecure_http\" is neither true nor false"},
    {WITH("\"insecure_http\":null"), "\"insecure_http\" is neither true nor false"},
    {WITH("\"insecure_http\":1"), "\"insecure_http\" is neither true nor false"},
};

/* Never with the secret in it, unless it stands where a name should. */
static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct credential c;
        struct error err = {0};
        char expected[512];
        (void)snprintf(expected, sizeof expected, "%s: %s", FILE_NAME, broken[i].why);
        assert_int_equal(parse(broken[i].text, &c, &err), -EBADMSG);
        assert_string_equal(err.text, expected);
        assert_true(is_zero(&c));
    }
}

static void lists_have_a_limit(void **state)
{
    (void)state;
    struct credential c;
    char text[1000] = "{\"ca\":\"/a\",\"hosts\":[\"h\"";
    for (int n = 2; n <= CREDENTIAL_HOSTS + 1; n++) {
        size_t len = strlen(text);
        (void)snprintf(text + len, sizeof text - len, ",\"h\"");
        char closed[1010];
        (void)snprintf(closed, sizeof closed, "%s]}", text);
        int rc = parse(closed, &c, NULL);
        assert_int_equal(rc, n > CREDENTIAL_HOSTS ? -EBADMSG : 0);
    }
}

/* ---- where it may go ----------------------------------------------------- */

static void judges_where_it_may_go(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool insecure;
        const char *why;
    } rows[] = {
        {"https://es1:9200", false, ""},
        {"https://ES1", false, ""},
        {"https://x.a.b:443", false, ""},
        {"https://10.9.8.7:9200", false, ""},
        {"http://es1:9200", true, ""},
        {"http://es1:9200", false,
         "host es1 is reached by http://, which " FILE_NAME
         " forbids (https://, or \"insecure_http\": true)"},
        {"https://es2:9200", false, "host es2 is not among \"hosts\" in " FILE_NAME},
        {"https://a.b", false, "host a.b is not among \"hosts\" in " FILE_NAME},
        {"https://11.0.0.1", false, "host 11.0.0.1 is not among \"hosts\" in " FILE_NAME},
        {"https://127.0.0.1", false, "host 127.0.0.1 is not among \"hosts\" in " FILE_NAME},
        {"https://es1.evil", true, "host es1.evil is not among \"hosts\" in " FILE_NAME},
    };
    struct credential c;
    assert_int_equal(parse("{\"ca\":\"/a\"," HOSTS "}", &c, NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        c.insecure_http = rows[i].insecure;
        int rc = credential_judge(&c, rows[i].url, &err);
        assert_string_equal(err.text, rows[i].why);
        assert_int_equal(rc, rows[i].why[0] ? -EPERM : 0);
    }
    struct error err = {0};
    assert_int_equal(credential_judge(&c, "https://u:p@es1", &err), -EINVAL);
    assert_null(strstr(err.text, "u:p"));
    credential_release(&c);
}

static void a_set_has_the_credential_it_names(void **state)
{
    (void)state;
    struct credential c;
    struct error err = {0};
    struct settings s = {.log_enabled = true, .log_urls = 1};
    assert_int_equal(credential_choose("/nonexistent", &s, CREDENTIAL_SHIP, &c, &err), 0);
    assert_true(is_zero(&c));
    (void)snprintf(s.log_credential, sizeof s.log_credential, "x");
    s.log_enabled = false;
    assert_int_equal(credential_choose("/nonexistent", &s, CREDENTIAL_SHIP, &c, &err), 0);
    assert_true(is_zero(&c));
    s.log_enabled = true;
    assert_int_equal(credential_choose("/nonexistent", &s, CREDENTIAL_SHIP, &c, &err), -ENOENT);
    assert_string_equal(err.text, "LOG_ELASTICSEARCH_CREDENTIAL: there is no credential x on this "
                                  "server: /nonexistent/credentials/x.json is missing");
}

/* ---- files --------------------------------------------------------------- */

static int set_up(void **state)
{
    int rc = scratch_set_up(state);
    scratch_mkdir("credentials", 0755);
    return rc;
}

static void put_with_files(const char *files)
{
    char text[1000];
    (void)snprintf(text, sizeof text, "{" HOSTS "%s}", files);
    scratch_put("credentials/x.json", text, 0640);
}

static int read_x(struct error *err)
{
    struct credential c;
    int rc = credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, err);
    if (rc < 0)
        assert_true(is_zero(&c));
    credential_release(&c);
    return rc;
}

static void reads_each_use_its_file(void **state)
{
    (void)state;
    struct credential c;
    scratch_put("credentials/x.json", USER("writer", SECRET), 0640);
    scratch_put("credentials/x.read.json", USER("reader", SECRET), 0600);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, NULL), 0);
    assert_string_equal(c.user, "writer");
    assert_string_equal(c.path, scratch_at("credentials/x.json"));
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_ASK, &c, NULL), 0);
    assert_string_equal(c.user, "reader");
    credential_release(&c);
    struct error err = {0};
    scratch_put("credentials/x.read.json", "{\"keystore\":\"a\"," HOSTS "}", 0600);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_ASK, &c, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "\"keystore\" is for a log shipper"));
}

static void its_files_stand_elsewhere(void **state)
{
    (void)state;
    struct error err = {0};
    char member[400];
    scratch_put("credentials/ca.pem", "x", 0644);
    (void)snprintf(member, sizeof member, ",\"ca\":\"%s\"", scratch_at("credentials/ca.pem"));
    put_with_files(member);
    assert_int_equal(read_x(&err), -EBADMSG);
    assert_non_null(strstr(err.text, "credentials/ca.pem stands among the credentials, "
                                     "which a log shipper does not see"));
    scratch_put("credentials.pem", "x", 0644);
    (void)snprintf(member, sizeof member, ",\"ca\":\"%s\"", scratch_at("credentials.pem"));
    put_with_files(member);
    assert_int_equal(read_x(&err), 0);
}

static void all_urls_of_a_set_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *second, *why;
    } rows[] = {{"https://x.a.b:9200", NULL},
                {"https://x.evil:9200", "host x.evil is not among"},
                {"http://es1:9200", "host es1 is reached by http://"}};
    scratch_put("credentials/x.json", USER("writer", SECRET), 0640);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct credential c;
        struct error err = {0};
        struct settings s = {.log_enabled = true,
                             .log_urls = 2,
                             .log_url = {"https://es1:9200"},
                             .log_credential = "x"};
        (void)snprintf(s.log_url[1], sizeof s.log_url[1], "%s", rows[i].second);
        int rc = credential_choose(scratch_dir, &s, CREDENTIAL_SHIP, &c, &err);
        assert_int_equal(rc, rows[i].why ? -EPERM : 0);
        assert_string_equal(c.user, rows[i].why ? "" : "writer");
        if (rows[i].why) {
            assert_non_null(strstr(err.text, rows[i].why));
            assert_memory_equal(err.text, "LOG_ELASTICSEARCH_URL: ", 23);
        }
        credential_release(&c);
    }
}

static void says_which_is_missing(void **state)
{
    (void)state;
    struct error err = {0};
    char expected[512];
    (void)snprintf(expected, sizeof expected,
                   "there is no credential x on this server: %s is missing",
                   scratch_at("credentials/x.json"));
    assert_int_equal(read_x(&err), -ENOENT);
    assert_string_equal(err.text, expected);
}

static void names_are_no_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"", "../x", "a/b", ".x", "x.read", "-x", "a b"};
    scratch_put("credentials/x.json", USER("writer", SECRET), 0640);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct credential c;
        struct error err = {0};
        assert_int_equal(credential_read(scratch_dir, names[i], CREDENTIAL_SHIP, &c, &err),
                         -EINVAL);
        assert_int_equal(strncmp(err.text, "the name of the credential ", 27), 0);
    }
}

static void refuses_what_others_can_reach(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        mode_t mode;
        const char *why;
    } rows[] = {
        {"credentials/x.json", 0644, "can be read by everybody: chmod o-rwx it"},
        {"credentials/x.json", 0660, "can be written by others: chmod go-w it"},
        {"credentials", 0777, "can be written by others: chmod go-w it"},
        {"ca.pem", 0666, "can be written by others: chmod go-w it"},
        {"key.pem", 0644, "can be read by everybody: chmod o-rwx it"},
        {"key.pem", 0620, "can be written by others: chmod go-w it"},
    };
    char files[600];
    scratch_put("ca.pem", "", 0644);
    scratch_put("key.pem", "", 0640);
    (void)snprintf(files, sizeof files, ",\"ca\":\"%s\",\"cert\":\"%s\",\"key\":\"%s\"",
                   scratch_at("ca.pem"), scratch_at("ca.pem"), scratch_at("key.pem"));
    put_with_files(files);
    assert_int_equal(read_x(NULL), 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error err = {0};
        struct stat st;
        assert_int_equal(stat(scratch_at("%s", rows[i].path), &st), 0);
        assert_int_equal(chmod(scratch_at("%s", rows[i].path), rows[i].mode), 0);
        assert_int_equal(read_x(&err), -EPERM);
        assert_non_null(strstr(err.text, rows[i].path));
        assert_non_null(strstr(err.text, rows[i].why));
        assert_int_equal(chmod(scratch_at("%s", rows[i].path), st.st_mode & 07777), 0);
    }
}

static void knows_what_is_in_the_files(void **state)
{
    (void)state;
    char files[600], first[DIGEST_TEXT];
    struct credential c;
    scratch_put("ca.pem", "a", 0644);
    scratch_put("key.pem", "k", 0640);
    (void)snprintf(files, sizeof files, ",\"ca\":\"%s\",\"cert\":\"%s\",\"key\":\"%s\"",
                   scratch_at("ca.pem"), scratch_at("ca.pem"), scratch_at("key.pem"));
    put_with_files(files);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, NULL), 0);
    memcpy(first, c.files, sizeof first);
    assert_int_equal(strspn(first, "0123456789abcdef"), 64);
    scratch_put("key.pem", "l", 0640);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, NULL), 0);
    assert_string_not_equal(c.files, first);
    scratch_put("key.pem", "k", 0640);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, NULL), 0);
    assert_string_equal(c.files, first);
    scratch_put("credentials/x.json", USER("writer", SECRET), 0640);
    assert_int_equal(credential_read(scratch_dir, "x", CREDENTIAL_SHIP, &c, NULL), 0);
    assert_string_equal(c.files, "");
    credential_release(&c);
}

static void files_must_be_there(void **state)
{
    (void)state;
    struct error err = {0};
    put_with_files(",\"ca\":\"/nonexistent/ca.pem\"");
    assert_int_equal(read_x(&err), -EBADMSG);
    assert_non_null(strstr(err.text, "credentials/x.json: "));
    assert_non_null(strstr(err.text, "/nonexistent/ca.pem: No such file"));
}

static void links_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    scratch_put("real.json", USER("writer", SECRET), 0640);
    assert_int_equal(symlink("../real.json", scratch_at("credentials/x.json")), 0);
    assert_int_equal(read_x(&err), -EPERM);
    assert_non_null(strstr(err.text, "symbolic link"));
}

static void a_large_file_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    scratch_put("credentials/x.json", "", 0640);
    assert_int_equal(truncate(scratch_at("credentials/x.json"), 16385), 0);
    assert_int_equal(read_x(&err), -EMSGSIZE);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_everything),
        cmocka_unit_test(reads_both_forms_of_an_api_key),
        cmocka_unit_test(a_keystore_has_the_password_or_the_api_key),
        cmocka_unit_test(a_ca_alone_is_enough),
        cmocka_unit_test(refuses),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(judges_where_it_may_go),
        cmocka_unit_test(a_set_has_the_credential_it_names),
        IN_PLACE(its_files_stand_elsewhere),
        cmocka_unit_test(a_set_has_the_credential_it_names),
        IN_PLACE(all_urls_of_a_set_are_judged),
        IN_PLACE(reads_each_use_its_file),
        IN_PLACE(says_which_is_missing),
        IN_PLACE(names_are_no_paths),
        IN_PLACE(refuses_what_others_can_reach),
        IN_PLACE(knows_what_is_in_the_files),
        IN_PLACE(files_must_be_there),
        IN_PLACE(links_are_refused),
        IN_PLACE(a_large_file_is_refused),
    };
    return cmocka_run_group_tests_name("credential", tests, NULL, NULL);
}
