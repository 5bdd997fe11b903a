/* SPDX-License-Identifier: MIT */
#include "settings/policy.h"

#include "test.h"

#define ROOT   "dc/home/env"
#define PLACE  ROOT SETTINGS_PLACE
#define POLICY "/etc/lictor/policy.json"

static void put(struct kv_list *list, const char *key, const char *value)
{
    char path[300];
    (void)snprintf(path, sizeof path, PLACE "%s", key);
    assert_int_equal(kv_add(list, path, value, strlen(value), 7), 0);
}

/* ---- reading ------------------------------------------------------------- */

static void the_shipped_policy(void **state)
{
    (void)state;
    struct policy policy;
    struct error err = {0};
    assert_int_equal(policy_parse(NULL, 0, POLICY, &policy, &err), 0);
    assert_string_equal(policy.path, "");
    assert_int_equal(policy.n_sources, 1);
    const struct policy_source *seal = policy_source(&policy, "seal");
    assert_non_null(seal);
    assert_int_equal(seal->n_files, 1);
    assert_string_equal(seal->files[0], "/var/log/seal/*.log");
    assert_int_equal(seal->n_except, 1);
    assert_string_equal(seal->except[0], "/var/log/seal/mongod.log");
    assert_int_equal(policy.elasticsearch.n_hosts, 1);
    assert_string_equal(policy.elasticsearch.hosts[0], "*");
    assert_int_equal(policy.elasticsearch.n_ports, 2);
    assert_int_equal(policy.elasticsearch.ports[0], 443);
    assert_int_equal(policy.elasticsearch.ports[1], 9200);
    assert_int_equal(policy.n_mongodb_files, 1);
    assert_string_equal(policy.mongodb_files[0], "/opt/seal/etc/mongod.conf");
    assert_int_equal(policy.n_pins, 0);
    assert_null(policy_source(&policy, "other"));
    assert_null(policy_pinned(&policy, "LOG_INDEX"));
    policy_release(&policy);
    policy_release(&policy);
}

static void missing_members_are_the_default(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", " { } \n", "{\"elasticsearch\":{}}", "{\"pin\":{}}"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct policy policy;
        assert_int_equal(policy_parse(texts[i], strlen(texts[i]), POLICY, &policy, NULL), 0);
        assert_string_equal(policy.path, POLICY);
        assert_non_null(policy_source(&policy, "seal"));
        assert_string_equal(policy.elasticsearch.hosts[0], "*");
        assert_int_equal(policy.elasticsearch.n_ports, 2);
        policy_release(&policy);
    }
}

static void a_whole_policy(void **state)
{
    (void)state;
    static const char text[] = "{\"sources\":{\"audit\":{\"files\":[\"/a/b/*.l?g\",\"/c/"
                               "d\"]},\"x\":{\"files\":"
                               "[\"/x/y\"],\"except\":[\"/x/"
                               "z\"]}},\"elasticsearch\":{\"hosts\":[\"ES1\",\"*.A.b\","
                               "\"10.0.0.0/8\"],\"ports\":[9243]},\"pin\":{\"LOG_INDEX\":\"fixed\","
                               "\"CLUSTER_GRACE\":\"1h\"}}";
    struct policy policy;
    struct error err = {0};
    assert_int_equal(policy_parse(text, strlen(text), POLICY, &policy, &err), 0);
    assert_int_equal(policy.n_sources, 2);
    assert_null(policy_source(&policy, "seal"));
    assert_int_equal(policy_source(&policy, "audit")->n_files, 2);
    assert_string_equal(policy_source(&policy, "audit")->files[0], "/a/b/*.l?g");
    assert_int_equal(policy_source(&policy, "audit")->n_except, 0);
    assert_string_equal(policy_source(&policy, "x")->except[0], "/x/z");
    assert_string_equal(policy.elasticsearch.hosts[0], "es1");
    assert_string_equal(policy.elasticsearch.hosts[1], "*.a.b");
    assert_int_equal(policy.elasticsearch.n_ports, 1);
    assert_string_equal(policy_pinned(&policy, "LOG_INDEX"), "fixed");
    assert_string_equal(policy_pinned(&policy, "CLUSTER_GRACE"), "1h");
    policy_release(&policy);
}

#define FILES(list)  "{\"sources\":{\"a\":{\"files\":" list "}}}"
#define HOSTS(list)  "{\"elasticsearch\":{\"hosts\":" list "}}"
#define PORTS(list)  "{\"elasticsearch\":{\"ports\":" list "}}"
#define PATH_END(in) "\" in \"" in "\" is not an absolute path of A-Z a-z 0-9 . _ - /"
#define GLOB_END     PATH_END("files") " (* and ? in the last component)"
#define PORT_TEXT    "\"elasticsearch.ports\" holds something else than numbers from 1 to 65535"
#define LIST_TEXT    "source \"a\" needs a list \"files\"; \"except\" may be a second list"
#define TEN          "1,2,3,4,5,6,7,8,9,10,"

static const struct {
    const char *text;
    const char *why; /* behind the path and ": " */
} broken[] = {
    {"", "is not JSON"},
    {"{", "is not JSON"},
    {"{}x", "is not JSON"},
    {"null", "is not a JSON object"},
    {"[]", "is not a JSON object"},
    {"\"x\"", "is not a JSON object"},
    {"{\"source\":{}}", "unknown member \"source\""},
    {"{\"\":{}}", "unknown member \"\""},
    {"{\"Pin\":{}}", "unknown member \"Pin\""},
    {"{\"\\u001b[2J\":{}}", "unknown member \"?[2J\""},
    {"{\"pin\":{},\"pin\":{}}", "\"pin\" is given twice"},
    {"{\"sources\":[]}", "\"sources\" is not an object"},
    {"{\"sources\":null}", "\"sources\" is not an object"},
    {"{\"elasticsearch\":[]}", "\"elasticsearch\" is not an object"},
    {"{\"elasticsearch\":{\"host\":[]}}", "unknown member \"elasticsearch.host\""},
    {"{\"elasticsearch\":{\"ports\":[1],\"ports\":[2]}}", "\"elasticsearch.ports\" is given twice"},
    {"{\"pin\":\"x\"}", "\"pin\" is not an object"},
    {"{\"sources\":{\"a\":5}}", LIST_TEXT},
    {"{\"sources\":{\"a\":[\"/a\"]}}", LIST_TEXT},
    {"{\"sources\":{\"a\":{}}}", LIST_TEXT},
    {FILES("[]"), LIST_TEXT},
    {FILES("\"/a\""), LIST_TEXT},
    {"{\"sources\":{\"a\":{\"files\":[\"/a\"],\"except\":\"/b\"}}}", LIST_TEXT},
    {"{\"sources\":{\"a\":{\"files\":[\"/a\"],\"excepts\":[]}}}",
     "unknown member \"sources.a.excepts\""},
    {"{\"sources\":{\"a b\":{\"files\":[\"/a\"]}}}",
     "the name \"a b\" in \"sources\" holds the character  "},
    {"{\"sources\":{\"\":{\"files\":[\"/a\"]}}}", "the name \"\" in \"sources\" is empty"},
    {"{\"sources\":{\"a\":{\"files\":[\"/a\"]},\"a\":{\"files\":[\"/b\"]}}}",
     "source \"a\" is given twice"},
    {FILES("[5]"), "\"" GLOB_END},
    {FILES("[\"\"]"), "\"" GLOB_END},
    {FILES("[\"/\"]"), "\"/" GLOB_END},
    {FILES("[\"a.log\"]"), "\"a.log" GLOB_END},
    {FILES("[\"/a/../b\"]"), "\"/a/../b" GLOB_END},
    {FILES("[\"/a//b\"]"), "\"/a//b" GLOB_END},
    {FILES("[\"/a/\"]"), "\"/a/" GLOB_END},
    {FILES("[\"/a*/b\"]"), "\"/a*/b" GLOB_END},
    {FILES("[\"/a?/b\"]"), "\"/a?/b" GLOB_END},
    {FILES("[\"/a b\"]"), "\"/a b" GLOB_END},
    {FILES("[\"/a[b]\"]"), "\"/a[b]" GLOB_END},
    {FILES("[\"/a{b}\"]"), "\"/a{b}" GLOB_END},
    {FILES("[\"/a\\\"b\"]"), "\"/a\"b" GLOB_END},
    {"{\"sources\":{\"a\":{\"files\":[\"/a\"],\"except\":[\"/a/*\"]}}}",
     "\"/a/*" PATH_END("except")},
    {HOSTS("\"*\""), "\"hosts\" is not a list"},
    {HOSTS("[\"a b\"]"), "\"a b\" in \"elasticsearch.hosts\" has other characters than "
                         "letters, digits, '.' and '-' in its host"},
    {HOSTS("[\"10.0.0.0/40\"]"), "\"10.0.0.0/40\" in \"elasticsearch.hosts\" is not a range "
                                 "such as 10.0.0.0/8 or fd00::/8"},
    {HOSTS("[\"http://u:p@es1\"]"), "\"http://***@es1\" in \"elasticsearch.hosts\" is not a "
                                    "range such as 10.0.0.0/8 or fd00::/8"},
    {HOSTS("[1]"), "\"\" in \"elasticsearch.hosts\" has no host"},
    {HOSTS("[\"es1:9200\"]"), "\"es1:9200\" in \"elasticsearch.hosts\" has no valid IPv6 "
                              "address (without zone) as host"},
    {PORTS("9200"), "\"ports\" is not a list"},
    {PORTS("[0]"), PORT_TEXT},
    {PORTS("[65536]"), PORT_TEXT},
    {PORTS("[9200.5]"), PORT_TEXT},
    {PORTS("[-1]"), PORT_TEXT},
    {PORTS("[1e99]"), PORT_TEXT},
    {PORTS("[\"9200\"]"), PORT_TEXT},
    {PORTS("[" TEN TEN TEN "1,2,3]"), "\"elasticsearch.ports\" has more than 32 ports"},
    {"{\"mongodb\":[]}", "\"mongodb\" is not an object"},
    {"{\"mongodb\":{\"host\":[]}}", "unknown member \"mongodb.host\""},
    {"{\"mongodb\":{\"ports\":[0]}}",
     "\"mongodb.ports\" holds something else than numbers from 1 to 65535"},
    {"{\"mongodb\":{\"files\":\"/a\"}}", "\"files\" is not a list"},
    {"{\"mongodb\":{\"files\":[\"/a/*\"]}}", "\"/a/*" PATH_END("mongodb.files")},
    {"{\"pin\":{\"LOG_INDEX\":5}}", "a value in \"pin\" is not a text"},
    {"{\"pin\":{\"LOG_ELASTICSEARCH_URL\":\"consul:es\"}}",
     "in \"pin\": LOG_ELASTICSEARCH_URL can only be URLs"},
    {"{\"pin\":{\"LOG_INDX\":\"a\"}}",
     "in \"pin\": LOG_INDX: there is no setting of that name (LOG_INDEX?)"},
    {"{\"pin\":{\"LOG_ENABLED\":\"yes\"}}",
     "in \"pin\": LOG_ENABLED: \"yes\" is neither Y nor N; expected Y or N, for "
     "example N"},
    {"{\"pin\":{\"LOG_ENABLED\":\"Y\",\"LOG_ENABLED\":\"N\"}}",
     "in \"pin\": LOG_ENABLED is given twice"},
};

static void a_broken_policy_is_refused_as_a_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct policy policy;
        struct error err = {0};
        char expected[600];
        (void)snprintf(expected, sizeof expected, POLICY ": %s", broken[i].why);
        int rc = policy_parse(broken[i].text, strlen(broken[i].text), POLICY, &policy, &err);
        assert_string_equal(err.text, expected);
        assert_int_equal(rc, -EBADMSG);
        assert_int_equal(
            policy.elasticsearch.n_hosts + policy.n_sources + policy.elasticsearch.n_ports, 0);
    }
}

static void a_long_pin_is_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(2000);
    struct policy policy;
    struct error err = {0};
    assert_int_equal(buffer_printf(&text, "{\"pin\":{\"LOG_ELASTICSEARCH_URL\":\""), 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(
            buffer_printf(&text, "%shttp://a%d.a-domain-of-a-long-name.example", i ? "," : "", i),
            0);
    assert_int_equal(buffer_printf(&text, "\"}}"), 0);
    assert_int_equal(policy_parse(text.data, text.len, POLICY, &policy, &err), -EBADMSG);
    buffer_release(&text);
    assert_string_equal(err.text, POLICY ": in \"pin\": LOG_ELASTICSEARCH_URL is longer than 511 "
                                         "characters");
}

/* ---- the file ------------------------------------------------------------ */

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fputs(text, f) < 0, 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void the_file_must_be_trusted(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-policy-XXXXXX", path[100];
    struct policy policy;
    struct error err = {0};
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/policy.json", dir);

    assert_int_equal(policy_read(dir, &policy, &err), 0);
    assert_string_equal(policy.path, "");
    policy_release(&policy);

    write_file(path, "{\"elasticsearch\":{\"ports\":[1]}}", 0644);
    assert_int_equal(policy_read(dir, &policy, &err), 0);
    assert_string_equal(policy.path, path);
    assert_int_equal(policy.elasticsearch.n_ports, 1);
    policy_release(&policy);

    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(policy_read(dir, &policy, &err), -EPERM);
    assert_non_null(strstr(err.text, "policy.json can be written by others: chmod go-w"));

    write_file(path, "", 0644);
    assert_int_equal(policy_read(dir, &policy, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "policy.json: is not JSON"));

    /* Who can take the file away must not get the default for it. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(policy_read(dir, &policy, &err), -EPERM);

    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(policy_read(dir, &policy, &err), -EPERM);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(policy_read(dir, &policy, &err), -EINVAL);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

/* ---- pins ---------------------------------------------------------------- */

static const char pins[] = "{\"pin\":{\"LOG_INDEX\":\"fixed\",\"CLUSTER_GRACE\":\"1h\"}}";

static void a_pin_takes_the_place_of_kv(void **state)
{
    (void)state;
    struct policy policy;
    struct kv_list list = {0};
    static struct settings s;
    assert_int_equal(policy_parse(pins, strlen(pins), POLICY, &policy, NULL), 0);
    put(&list, "LOG_ELASTICSEARCH_URL", "http://es1");
    put(&list, "LOG_INDEX", "bad value");
    assert_int_equal(policy_pin(&policy, ROOT, &list, NULL), 0);
    assert_int_equal(list.n, 3);
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.rejects.n, 0);
    assert_string_equal(s.log_index, "fixed");
    assert_int_equal(s.grace_us, INT64_C(3600000000));
    kv_release(&list);
    policy_release(&policy);
}

static void a_pin_does_not_stand_in_for_an_unreadable_set(void **state)
{
    (void)state;
    struct policy policy;
    struct kv_list list = {0};
    static struct settings s;
    assert_int_equal(policy_parse(pins, strlen(pins), POLICY, &policy, NULL), 0);
    put(&list, "LOG_UNKNOWN", "x");
    assert_int_equal(policy_pin(&policy, ROOT, &list, NULL), 0);
    settings_parse(&list, ROOT, &s);
    assert_false(s.log_present);
    assert_int_equal(s.log_rejects, 0);
    assert_int_equal(s.grace_us, INT64_C(3600000000));
    kv_release(&list);
    policy_release(&policy);
}

/* ---- judging ------------------------------------------------------------- */

#define SHIPPED "the policy without policy.json"
#define HOST_IS "LOG_ELASTICSEARCH_URL: host "
#define PORT_IS "LOG_ELASTICSEARCH_URL: port "
#define LOCAL   " (loopback and link-local hosts must be listed themselves)"
#define BY_ROOT " (root decides which hosts may get the log)"
#define NO_HOST " is not allowed by \"elasticsearch.hosts\" in "
#define NO_PORT " is not allowed by \"elasticsearch.ports\" in "

static const struct {
    const char *policy; /* NULL: shipped */
    const char *url;
    const char *sources; /* NULL: default */
    const char *refusal; /* "" allowed */
} judged[] = {
    {NULL, "http://es1", NULL, ""},
    {NULL, "https://es1:443,http://10.0.0.1", NULL, ""},
    {NULL, "http://es1:9201", NULL, PORT_IS "9201" NO_PORT SHIPPED " (it has 443 9200)"},
    {NULL, "http://es1:22", NULL, PORT_IS "22" NO_PORT SHIPPED " (it has 443 9200)"},
    {NULL, "http://127.0.0.1", NULL, HOST_IS "127.0.0.1" NO_HOST SHIPPED LOCAL},
    {NULL, "http://es1,http://[::1]", NULL, HOST_IS "::1" NO_HOST SHIPPED LOCAL},
    {NULL, "http://LOCALHOST", NULL, HOST_IS "localhost" NO_HOST SHIPPED LOCAL},
    {NULL, "http://0.0.0.0", NULL, HOST_IS "0.0.0.0" NO_HOST SHIPPED LOCAL},
    {NULL, "http://[::]", NULL, HOST_IS "::" NO_HOST SHIPPED LOCAL},
    {NULL, "http://[::ffff:127.0.0.1]", NULL, HOST_IS "::ffff:127.0.0.1" NO_HOST SHIPPED LOCAL},
    {NULL, "http://[::ffff:7f00:1]", NULL, HOST_IS "::ffff:127.0.0.1" NO_HOST SHIPPED LOCAL},
    {NULL, "http://169.254.169.254", NULL, HOST_IS "169.254.169.254" NO_HOST SHIPPED LOCAL},
    {NULL, "http://[fe80::1]", NULL, HOST_IS "fe80::1" NO_HOST SHIPPED LOCAL},
    {NULL, "http://a.localhost", NULL, HOST_IS "a.localhost" NO_HOST SHIPPED LOCAL},
    {NULL, "http://es1", "audit",
     "LOG_SOURCES: source audit is not allowed by \"sources\" in " SHIPPED " (it has seal)"},
    {NULL, "http://es1", "seal,audit",
     "LOG_SOURCES: source audit is not allowed by \"sources\" in " SHIPPED " (it has seal)"},
    {HOSTS("[\"127.0.1.0/24\"]"), "http://127.0.1.100", NULL, ""},
    {HOSTS("[\"127.0.1.0/24\"]"), "http://127.0.2.100", NULL,
     HOST_IS "127.0.2.100" NO_HOST POLICY LOCAL},
    {HOSTS("[\"es1\",\"es2\"]"), "http://es2,http://es1", NULL, ""},
    {HOSTS("[\"es1\",\"es2\"]"), "http://es3", NULL, HOST_IS "es3" NO_HOST POLICY BY_ROOT},
    {HOSTS("[\"*\",\"localhost\"]"), "http://localhost,http://es1", NULL, ""},
    {HOSTS("[]"), "http://es1", NULL, HOST_IS "es1" NO_HOST POLICY BY_ROOT},
    {HOSTS("[\"*.es.example\"]"), "http://a.es.example", NULL, ""},
    {HOSTS("[\"*.es.example\"]"), "http://aes.example", NULL,
     HOST_IS "aes.example" NO_HOST POLICY BY_ROOT},
    {HOSTS("[\"0.0.0.0/0\",\"::/0\"]"), "http://[::1]", NULL, HOST_IS "::1" NO_HOST POLICY LOCAL},
    {PORTS("[1,65535]"), "http://es1:1,http://es1:65535", NULL, ""},
    {PORTS("[1,65535]"), "http://es1", NULL, PORT_IS "9200" NO_PORT POLICY " (it has 1 65535)"},
    {PORTS("[]"), "http://es1", NULL, PORT_IS "9200" NO_PORT POLICY " (it has)"},
    {FILES("[\"/x\"]"), "http://es1", "a", ""},
    {FILES("[\"/x\"]"), "http://es1", "seal",
     "LOG_SOURCES: source seal is not allowed by \"sources\" in " POLICY " (it has a)"},
};

static void choices_are_limited(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(judged); i++) {
        struct policy policy;
        struct kv_list list = {0};
        static struct settings s;
        struct error err = {0};
        size_t len = judged[i].policy ? strlen(judged[i].policy) : 0;
        assert_int_equal(policy_parse(judged[i].policy, len, POLICY, &policy, &err), 0);
        put(&list, "LOG_ELASTICSEARCH_URL", judged[i].url);
        if (judged[i].sources)
            put(&list, "LOG_SOURCES", judged[i].sources);
        settings_parse(&list, ROOT, &s);
        assert_int_equal(s.log_rejects, 0);
        int rc = policy_judge(&policy, &s, &err);
        assert_string_equal(err.text, judged[i].refusal);
        assert_int_equal(rc, judged[i].refusal[0] ? -EACCES : 0);
        kv_release(&list);
        policy_release(&policy);
    }
}

#define MONGODB(members) "{\"mongodb\":{" members "}}"

static const struct {
    const char *policy; /* NULL: shipped */
    const char *url;
    const char *refusal; /* "" allowed */
} asked[] = {
    {NULL, "mongodb://n1,10.0.0.1", ""},
    {NULL, "mongodb://n1,127.0.0.1",
     "MONGODB_URL: host 127.0.0.1 is not allowed by \"mongodb.hosts\" in " SHIPPED LOCAL},
    {NULL, "mongodb://n1:22",
     "MONGODB_URL: port 22 is not allowed by \"mongodb.ports\" in " SHIPPED " (it has 27017)"},
    {MONGODB("\"hosts\":[\"127.0.0.0/8\"],\"ports\":[1]"), "mongodb://127.0.0.1:1", ""},
    {MONGODB("\"hosts\":[\"n1\"]"), "mongodb://n1,n2",
     "MONGODB_URL: host n2 is not allowed by \"mongodb.hosts\" in " POLICY
     " (root decides which hosts are asked)"},
    {HOSTS("[\"n2\"]"), "mongodb://n1", ""},
};

static void the_servers_of_mongodb_are_limited(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(asked); i++) {
        struct policy policy;
        struct kv_list list = {0};
        static struct settings s;
        struct error err = {0};
        size_t len = asked[i].policy ? strlen(asked[i].policy) : 0;
        assert_int_equal(policy_parse(asked[i].policy, len, POLICY, &policy, &err), 0);
        put(&list, "MONGODB_URL", asked[i].url);
        settings_parse(&list, ROOT, &s);
        int rc = policy_judge_mongodb(&policy, &s, &err);
        assert_string_equal(err.text, asked[i].refusal);
        assert_int_equal(rc, asked[i].refusal[0] ? -EACCES : 0);
        kv_release(&list);
        policy_release(&policy);
    }
}

static void switching_off_is_always_allowed(void **state)
{
    (void)state;
    struct policy policy;
    struct kv_list list = {0};
    static struct settings s;
    assert_int_equal(policy_parse(NULL, 0, POLICY, &policy, NULL), 0);
    put(&list, "LOG_ENABLED", "N");
    put(&list, "LOG_ELASTICSEARCH_URL", "http://127.0.0.1:1");
    settings_parse(&list, ROOT, &s);
    assert_int_equal(policy_judge(&policy, &s, NULL), 0);
    kv_release(&list);
    policy_release(&policy);
}

static void a_long_list_of_sources_is_cut_in_texts(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(20000);
    struct policy policy;
    struct kv_list list = {0};
    static struct settings s;
    struct error err = {0};
    assert_int_equal(buffer_printf(&text, "{\"sources\":{"), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(
            buffer_printf(&text, "%s\"source-number-%d\":{\"files\":[\"/a\"]}", i ? "," : "", i),
            0);
    assert_int_equal(buffer_printf(&text, "}}"), 0);
    assert_int_equal(policy_parse(text.data, text.len, POLICY, &policy, &err), 0);
    put(&list, "LOG_ELASTICSEARCH_URL", "http://es1");
    settings_parse(&list, ROOT, &s);
    assert_int_equal(policy_judge(&policy, &s, &err), -EACCES);
    assert_non_null(strstr(err.text, "(it has source-number-0 source-number-1 "));
    kv_release(&list);
    policy_release(&policy);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_policy),
        cmocka_unit_test(missing_members_are_the_default),
        cmocka_unit_test(a_whole_policy),
        cmocka_unit_test(a_broken_policy_is_refused_as_a_whole),
        cmocka_unit_test(a_long_pin_is_refused),
        cmocka_unit_test(the_file_must_be_trusted),
        cmocka_unit_test(a_pin_takes_the_place_of_kv),
        cmocka_unit_test(a_pin_does_not_stand_in_for_an_unreadable_set),
        cmocka_unit_test(choices_are_limited),
        cmocka_unit_test(the_servers_of_mongodb_are_limited),
        cmocka_unit_test(switching_off_is_always_allowed),
        cmocka_unit_test(a_long_list_of_sources_is_cut_in_texts),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
