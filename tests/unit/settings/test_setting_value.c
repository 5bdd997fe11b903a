/* SPDX-License-Identifier: MIT */
/* setting_value.c: the types as functions; what settings make of them is in test_settings.c. */
#include "settings/setting_value.h"

#include "test.h"

#define TEN   "abcdefghij"
#define FIFTY TEN TEN TEN TEN TEN

/* Every type in one form: `ret` is the value, spelled back. */
static int yes_no(const char *text, char ret[400], struct error *err)
{
    bool value = false;
    int rc = setting_value_yes_no(text, &value, err);
    (void)snprintf(ret, 400, "%d", value);
    return rc;
}

static int word(const char *text, char ret[400], struct error *err)
{
    static const char *const words[] = {"zero", "one", "two"};
    int i = -1;
    int rc = setting_value_word(text, words, COUNT(words), &i, err);
    (void)snprintf(ret, 400, "%d", i);
    return rc;
}

static int up_to_a_second(const char *text, char ret[400], struct error *err)
{
    int64_t us = -1;
    int rc = setting_value_duration(text, 1000000, &us, err);
    (void)snprintf(ret, 400, "%lld", (long long)us);
    return rc;
}

static int index_name(const char *text, char ret[400], struct error *err)
{
    return setting_value_index(text, ret, err);
}

static int source(const char *text, char ret[400], struct error *err)
{
    return setting_value_source(text, ret, err);
}

static int service(const char *text, char ret[400], struct error *err)
{
    return setting_value_service(text, ret, err);
}

static int node_or_host(const char *text, char ret[400], struct error *err)
{
    return setting_value_node_or_host(text, ret, err);
}

static int two_sources(const char *text, char ret[400], struct error *err)
{
    char list[2][SETTING_VALUE_SOURCE];
    size_t n = 0, len = 0;
    int rc = setting_value_sources(text, list, 2, &n, err);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(ret + len, 400 - len, "%s ", list[i]);
    return rc;
}

static int two_urls(const char *text, char ret[400], struct error *err)
{
    char list[2][URL_TEXT];
    size_t n = 0, len = 0;
    int rc = setting_value_urls(text, list, 2, &n, err);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(ret + len, 400 - len, "%s ", list[i]);
    return rc;
}

static int two_ntp_servers(const char *text, char ret[400], struct error *err)
{
    struct host_port list[2];
    size_t n = 0, len = 0;
    int rc = setting_value_ntp_servers(text, list, 2, &n, err);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(ret + len, 400 - len, "%s %d ", list[i].host, list[i].port);
    return rc;
}

static int three_servers(const char *text, char ret[400], struct error *err)
{
    char list[3][SETTING_VALUE_NAME + 1];
    size_t n = 0, len = 0;
    int rc = setting_value_servers(text, list, 3, &n, err);
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(ret + len, 400 - len, "%s ", list[i]);
    return rc;
}

static int until(const char *text, char ret[400], struct error *err)
{
    char node[SETTING_VALUE_NAME + 1] = "";
    int64_t s = -1;
    int rc = setting_value_until(text, node, &s, err);
    (void)snprintf(ret, 400, "%s %lld", node, (long long)s);
    return rc;
}

static const struct {
    int (*parse)(const char *text, char ret[400], struct error *err);
    const char *text;
    const char *value; /* NULL: refused */
    const char *why;
} rows[] = {
    {yes_no, "Y", "1"},
    {yes_no, "N", "0"},
    {yes_no, "YN", .why = "is neither Y nor N"},

    {word, "zero", "0"},
    {word, "two", "2"},
    {word, "tw", .why = "is unknown"},
    {word, "twoo", .why = "is unknown"},

    {up_to_a_second, "0", "0"},
    {up_to_a_second, "1s", "1000000"},
    {up_to_a_second, "999ms1000us", "1000000"},
    {up_to_a_second, "1s1us", .why = "is more than 1s"},
    {up_to_a_second, "s", .why = "is not a duration"},

    {index_name, "0.a_b-", "0.a_b-"},
    {index_name, FIFTY FIFTY, FIFTY FIFTY},
    {index_name, FIFTY FIFTY "a", .why = "has 101 characters, 100 are the limit"},
    {index_name, "", .why = "is empty"},
    {index_name, "_a", .why = "begins with _"},
    {index_name, "aB", .why = "holds the character B"},

    {source, "A-_9", "A-_9"},
    {source, FIFTY TEN "abcd", FIFTY TEN "abcd"},
    {source, FIFTY TEN "abcde", .why = "has 65 characters, 64 are the limit"},
    {source, "a.b", .why = "holds the character ."},

    {service, "consul:es.7", "es.7"},
    {service, "consul:", .why = "is empty"},
    {service, "consul:-", .why = "begins with -"},

    {node_or_host, "Node_1", "Node_1"},
    {node_or_host, "[FD00::1]", "fd00::1"},
    {node_or_host, "a/b", .why = "holds the character /"},

    {two_sources, "b,a", "b a "},
    {two_sources, "a", "a "},
    {two_sources, "a,b,c", .why = "has more than 2 items"},
    {two_sources, "a,a", .why = "has the same as items 1 and 2"},
    {two_sources, "a,", .why = "has an empty item (2)"},
    {two_sources, "a,-", .why = "does not fit: item 2 begins with -"},

    {two_urls, "http://B,https://b", "http://b:9200 https://b:9200 "},
    {two_urls, "http://a,HTTP://A:9200/", .why = "has the same as items 1 and 2"},
    {two_urls, "http://u:secret@a", .why = "holds a user or a password"},
    {two_urls, "http://a,http://b,http://c", .why = "has more than 2 items"},

    {two_ntp_servers, "A,[FD00::1]:1", "a 123 fd00::1 1 "},
    {two_ntp_servers, "a,a:123", .why = "has the same as items 1 and 2"},
    {two_ntp_servers, "a,b,c", .why = "has more than 2 items"},

    {three_servers, "server_3=c,server_1=A,server_2=b", "A b c "},
    {three_servers, "server_1=a,server_2=b,server_3=B",
     .why = "has the same node as server_2 and server_3"},
    {three_servers, "server_1=a,server_2=b,server_3=c,server_4=d,server_5=e",
     .why = "has more than 3 items"},

    {until, "a until 2020-01-01T00:00Z", "a 1577836800"},
    {until, "until until 2028-02-29T23:59Z", "until 1835481540"},
    {until, "a until 2027-02-29T00:00Z", .why = "has an end that is not a date and time"},
    {until, "a until 2019-12-31T23:59Z", .why = "has a year outside 2020 to 2099"},
};

static void each_type_takes_its_values_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char value[400] = "";
        struct error err = {0};
        int rc = rows[i].parse(rows[i].text, value, &err);
        if (rc != (rows[i].value ? 0 : -EINVAL))
            fail_msg("row %zu, \"%s\": %d %s", i, rows[i].text, rc, err.text);
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
        assert_string_equal(err.text, rows[i].value ? "" : rows[i].why);
    }
}

/* NULs end the text of a C string, not the value. */
static void a_nul_does_not_hide_what_follows(void **state)
{
    (void)state;
    static const char text[] = "a\0$";
    assert_int_equal(setting_value_barrier(text, 1, false, NULL), 0);
    assert_int_equal(setting_value_barrier(text, sizeof text - 1, false, NULL), -EINVAL);
    assert_int_equal(setting_value_barrier(text, sizeof text - 1, true, NULL), -EINVAL);
}

static void a_failure_leaves_the_variables_alone(void **state)
{
    (void)state;
    bool yes = true;
    int place = 7;
    int64_t us = 7;
    size_t n = 7;
    char list[2][SETTING_VALUE_SOURCE];
    static const char *const words[] = {"one"};
    assert_int_equal(setting_value_yes_no("x", &yes, NULL), -EINVAL);
    assert_int_equal(setting_value_word("x", words, 1, &place, NULL), -EINVAL);
    assert_int_equal(setting_value_duration("2s", 1, &us, NULL), -EINVAL);
    assert_int_equal(setting_value_sources("a,a", list, 2, &n, NULL), -EINVAL);
    assert_true(yes);
    assert_int_equal(place, 7);
    assert_int_equal(us, 7);
    assert_int_equal(n, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_takes_its_values_only),
        cmocka_unit_test(a_nul_does_not_hide_what_follows),
        cmocka_unit_test(a_failure_leaves_the_variables_alone),
    };
    return cmocka_run_group_tests_name("setting_value", tests, NULL, NULL);
}
