/* SPDX-License-Identifier: MIT */
#include "settings/service_urls.h"

#include "base/json.h"
#include "test.h"

#define AT(node, address, service)                                                                 \
    "{\"Node\":{\"Node\":\"" node "\",\"Address\":\"" address "\"},\"Service\":{" service          \
    "},\"Checks\":[]}"
#define N(node, address) AT(node, address, "\"Port\":9200")

#define POLICY "the policy without policy.json"

static void judge(const char *text, struct service_urls *ret)
{
    cJSON *root = NULL;
    struct policy policy;
    struct error err = {0};
    *ret = (struct service_urls){.service = "es"};
    assert_int_equal(policy_parse(NULL, 0, "", &policy, &err), 0);
    assert_int_equal(json_parse(text, strlen(text), "it", &root, &err), 0);
    assert_int_equal(service_urls_judge(root, &policy, ret, &err), 0);
    cJSON_Delete(root);
    policy_release(&policy);
}

static const struct row {
    const char *name, *instances, *urls, *note;
} rows[] = {
    {"one", "[" N("n1", "10.0.0.1") "]", "http://10.0.0.1:9200", ""},
    {"sorted, whatever Consul's order", "[" N("n2", "10.0.0.2") "," N("n1", "10.0.0.1") "]",
     "http://10.0.0.1:9200,http://10.0.0.2:9200", ""},
    {"its own address comes first",
     "[" AT("n1", "10.0.0.1", "\"Address\":\"ES.Example\",\"Port\":9200") "]",
     "http://es.example:9200", ""},
    {"an empty address is none", "[" AT("n1", "10.0.0.1", "\"Address\":\"\",\"Port\":9200") "]",
     "http://10.0.0.1:9200", ""},
    {"IPv6", "[" N("n1", "fd00::1") "]", "http://[fd00::1]:9200", ""},
    {"https by tag", "[" AT("n1", "10.0.0.1", "\"Port\":9200,\"Tags\":[\"a\",\"https\"]") "]",
     "https://10.0.0.1:9200", ""},
    {"https by meta", "[" AT("n1", "10.0.0.1", "\"Port\":443,\"Meta\":{\"scheme\":\"https\"}") "]",
     "https://10.0.0.1:443", ""},
    {"http by meta, no tags, no meta",
     "[" AT("n1", "10.0.0.1", "\"Port\":9200,\"Meta\":{\"scheme\":\"http\"}") "," AT(
         "n2", "10.0.0.2", "\"Port\":9200,\"Tags\":null,\"Meta\":null") "]",
     "http://10.0.0.1:9200,http://10.0.0.2:9200", ""},
    {"the same twice is one", "[" N("n1", "10.0.0.1") "," N("n2", "10.0.0.1") "]",
     "http://10.0.0.1:9200", ""},
    {"none", "[]", "", "service es has no passing instance"},

    {"loopback", "[" N("n1", "127.0.0.1") "]", "",
     "of 1 passing instances of service es 1 cannot be used; that on n1: "
     "LOG_ELASTICSEARCH_URL: host 127.0.0.1 is not allowed by \"elasticsearch.hosts\" "
     "in " POLICY " (loopback and link-local hosts must be listed themselves)"},
    {"loopback among others", "[" N("n1", "::1") "," N("n2", "10.0.0.2") "]",
     "http://10.0.0.2:9200", "of 2 passing instances of service es 1 cannot be used; "},
    {"mapped loopback", "[" N("n1", "::ffff:127.0.0.1") "]", "", "is not allowed"},
    {"octal loopback", "[" N("n1", "0177.0.0.1") "]", "", "its address "},
    {"decimal loopback", "[" N("n1", "2130706433") "]", "",
     "its address has a host that ends in a number"},
    {"a zone", "[" N("n1", "fe80::1%eth0") "]", "", "its address "},
    {"quotes", "[" N("n1", "10.0.0.1\\\"] evil[\\\"") "]", "", "its address "},
    {"a line", "[" N("n1", "10.0.0.1\\nINDEX=evil") "]", "", "its address "},
    {"a comma", "[" N("n1", "10.0.0.1,10.0.0.2") "]", "", "its address "},
    {"a URL as address", "[" N("n1", "http://u:p@10.0.0.1") "]", "", "its address "},
    {"no address", "[" N("n1", "") "]", "", "its address "},
    {"an address that is no text",
     "[{\"Node\":{\"Node\":\"n1\",\"Address\":1},\"Service\":{\"Port\":9200}}]", "",
     "its address "},
    {"port 0", "[" AT("n1", "10.0.0.1", "\"Port\":0") "]", "", "it has no port"},
    {"no port", "[" AT("n1", "10.0.0.1", "\"Tags\":[]") "]", "", "it has no port"},
    {"port 65536", "[" AT("n1", "10.0.0.1", "\"Port\":65536") "]", "", "it has no port"},
    {"port -1", "[" AT("n1", "10.0.0.1", "\"Port\":-1") "]", "", "it has no port"},
    {"port as text", "[" AT("n1", "10.0.0.1", "\"Port\":\"9200\"") "]", "", "it has no port"},
    {"a port root did not name", "[" AT("n1", "10.0.0.1", "\"Port\":22") "]", "",
     "port 22 is not allowed by \"elasticsearch.ports\""},
    {"another scheme", "[" AT("n1", "10.0.0.1", "\"Port\":9200,\"Meta\":{\"scheme\":\"file\"}") "]",
     "", "its scheme is neither http nor https"},
    {"an evil name of a node", "[" N("\\u001b[2J\\\"", "127.0.0.1") "]", "", "that on ?[2J\": "},
    {"no objects at all", "[null,1,\"x\",[],{}]", "",
     "of 5 passing instances of service es 5 cannot be used; that on : it has no port"},
};

static void every_registration_is_used_or_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct service_urls d;
        print_message("  %s\n", rows[i].name);
        judge(rows[i].instances, &d);
        assert_string_equal(d.urls, rows[i].urls);
        if (*rows[i].note ? !strstr(d.note, rows[i].note) : *d.note)
            fail_msg("\"%s\"", d.note);
    }
}

static void what_is_used_is_a_value_of_the_setting(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct service_urls d;
        struct error err = {0};
        judge(rows[i].instances, &d);
        if (*d.urls)
            assert_int_equal(settings_check("LOG_ELASTICSEARCH_URL", d.urls, &err), 0);
    }
}

static void no_list_is_an_error(void **state)
{
    (void)state;
    static const char *const texts[] = {"null", "{}", "\"x\"", "1"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct service_urls d = {.service = "es"};
        struct policy policy = {.n_sources = 0};
        struct error err = {0};
        cJSON *root = cJSON_Parse(texts[i]);
        assert_int_equal(service_urls_judge(root, &policy, &d, &err), -EBADMSG);
        cJSON_Delete(root);
    }
}

/* `n` instances 10.0.x.y; judged as one text. */
static void judge_many(size_t n, const char *first, struct service_urls *ret)
{
    struct buffer text = BUFFER_INIT(8U << 20);
    assert_int_equal(buffer_printf(&text, "[%s", first), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buffer_printf(&text, "%s" N("x", "10.0.%zu.%zu"), i || *first ? "," : "",
                                       i / 250, i % 250 + 1),
                         0);
    assert_int_equal(buffer_printf(&text, "]"), 0);
    judge(buffer_text(&text), ret);
    buffer_release(&text);
}

static void too_many_are_none(void **state)
{
    (void)state;
    struct service_urls d;
    judge_many(16, "", &d);
    assert_string_equal(d.note, "");
    assert_true(strlen(d.urls) > 300);
    judge_many(17, "", &d);
    assert_string_equal(d.urls, "");
    assert_string_equal(d.note, "service es has more than 16 passing instances");
    judge_many(4000, N("n1", "127.0.0.1"), &d);
    assert_string_equal(d.urls, "");
    assert_string_equal(d.note, "service es has more than 16 passing instances");
}

static void long_names_fit(void **state)
{
    (void)state;
    char host[254], instance[700];
    struct service_urls d;
    memset(host, 'a', sizeof host);
    for (size_t i = 60; i < 250; i += 60)
        host[i] = '.';
    host[253] = '\0';
    (void)snprintf(instance, sizeof instance, "[" N("n1", "%s") "]", host);
    judge(instance, &d);
    assert_non_null(strstr(d.urls, host));
}

/* ---- what was before ----------------------------------------------------- */

static void the_last_ones_are_kept_for_the_same_service(void **state)
{
    (void)state;
    struct service_urls last = {.service = "es", .urls = "http://a:9200"};
    struct service_urls other = {.service = "other", .urls = "http://b:9200"};
    struct service_urls now;
    judge("[]", &now);
    service_urls_keep(&now, &last);
    assert_string_equal(now.urls, "http://a:9200");
    assert_string_equal(now.note, "service es has no passing instance: those from before are kept");
    assert_false(service_urls_news(&now, &last));
    judge("[]", &now);
    service_urls_keep(&now, &other);
    assert_string_equal(now.urls, "");
    assert_true(service_urls_news(&now, &other));
    judge("[" N("n1", "10.0.0.1") "]", &now);
    service_urls_keep(&now, &last);
    assert_string_equal(now.urls, "http://10.0.0.1:9200");
    assert_string_equal(now.note, "");
    assert_true(service_urls_news(&now, &last));
    assert_false(service_urls_news(&now, &now));
}

static void they_are_remembered(void **state)
{
    (void)state;
    char dir[] = "/tmp/lictor-test-XXXXXX";
    struct service_urls d = {.service = "es", .urls = "http://a:9200,http://b:9200"};
    struct service_urls read, none = {.service = ""};
    struct error err = {0};
    assert_non_null(mkdtemp(dir));
    service_urls_read(dir, &read);
    assert_string_equal(read.service, "");
    assert_int_equal(service_urls_write(dir, &d, &err), 0);
    service_urls_read(dir, &read);
    assert_string_equal(read.service, d.service);
    assert_string_equal(read.urls, d.urls);
    assert_int_equal(service_urls_write(dir, &none, &err), 0);
    assert_int_equal(service_urls_write(dir, &none, &err), 0);
    service_urls_read(dir, &read);
    assert_string_equal(read.service, "");
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(service_urls_write(dir, &d, &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_registration_is_used_or_told),
        cmocka_unit_test(what_is_used_is_a_value_of_the_setting),
        cmocka_unit_test(no_list_is_an_error),
        cmocka_unit_test(too_many_are_none),
        cmocka_unit_test(long_names_fit),
        cmocka_unit_test(the_last_ones_are_kept_for_the_same_service),
        cmocka_unit_test(they_are_remembered),
    };
    return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
