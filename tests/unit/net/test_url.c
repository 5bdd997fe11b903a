/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include "test.h"

static const struct {
    const char *text;
    const char *spelling; /* NULL: refused */
    const char *why;
} urls[] = {
    {"http://es1", "http://es1:9200", ""},
    {"https://es1", "https://es1:9200", ""},
    {"HTTPS://ES1:443/", "https://es1:443", ""},
    {"http://es1:9200/", "http://es1:9200", ""},
    {"http://10.0.0.1:1", "http://10.0.0.1:1", ""},
    {"http://a.b:65535", "http://a.b:65535", ""},
    {"http://[::1]", "http://[::1]:9200", ""},
    {"http://[FD00::0:1]:80/", "http://[fd00::1]:80", ""},
    {"", NULL, "does not begin with http:// or https://"},
    {"es1:9200", NULL, "does not begin with http:// or https://"},
    {"ftp://es1", NULL, "does not begin with http:// or https://"},
    {"http:/es1", NULL, "does not begin with http:// or https://"},
    {" http://es1", NULL, "does not begin with http:// or https://"},
    {"consul:elasticsearch", NULL, "does not begin with http:// or https://"},
    {"http://", NULL, "has no host"},
    {"http:///", NULL, "has no host"},
    {"http://:9200", NULL, "has no host"},
    {"http://u:p@es1", NULL, "holds a user or a password"},
    {"http://es1/@", NULL, "holds a user or a password"},
    {"http://es1//", NULL, "holds a path or a query"},
    {"http://es1/x", NULL, "holds a path or a query"},
    {"http://es1?x", NULL, "holds a path or a query"},
    {"http://es1#x", NULL, "holds a path or a query"},
    {"http://es1:9200/_bulk", NULL, "holds a path or a query"},
    {"http://es1:", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:0", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:09200", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:65536", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:99999999999", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:+1", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://es1:1a", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://[::1]x", NULL, "has a port that is not a number from 1 to 65535"},
    {"http://[::1", NULL, "has no IPv6 address in brackets: [fd00::1]"},
    {"http://::1", NULL, "has no IPv6 address in brackets: [fd00::1]"},
    {"http://[es1]", NULL, "has no IPv6 address in brackets: [fd00::1]"},
    {"http://[]:1", NULL, "has no IPv6 address in brackets: [fd00::1]"},
    {"http://[::g]", NULL, "has no valid IPv6 address (without zone) as host"},
    {"http://[fe80::1%1]", NULL, "has no valid IPv6 address (without zone) as host"},
    {"http://es1]", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"http://es1\\", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"http://127.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
};

static void urls_are_built_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct url url = {0};
        struct error err = {0};
        char text[URL_TEXT];
        int rc = url_parse(urls[i].text, &url, &err);
        assert_string_equal(err.text, urls[i].why);
        assert_int_equal(rc, urls[i].spelling ? 0 : -EINVAL);
        if (rc == 0)
            assert_string_equal(url_format(&url, text), urls[i].spelling);
    }
}

static void what_was_built_parses_to_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct url url = {0};
        char text[URL_TEXT];
        if (!urls[i].spelling)
            continue;
        assert_int_equal(url_parse(urls[i].spelling, &url, NULL), 0);
        assert_string_equal(url_format(&url, text), urls[i].spelling);
    }
}

static void long_hosts_stop_at_the_limit(void **state)
{
    (void)state;
    char text[2000] = "http://";
    struct url url = {0};
    struct error err = {0};
    for (size_t n = strlen(text); n < 1900; n++)
        text[n] = n % 60 == 0 ? '.' : 'a';
    assert_int_equal(url_parse(text, &url, &err), -EINVAL);
    assert_string_equal(err.text, "is too long");
    text[7 + 260] = '\0';
    assert_int_equal(url_parse(text, &url, &err), -EINVAL);
    assert_string_equal(err.text, "has a host of more than 253 characters");
    text[7 + 253] = '\0';
    assert_int_equal(url_parse(text, &url, &err), 0);
}

/* Whatever stands in a URL, what is built holds scheme, host and port only. */
static void every_byte_at_every_place(void **state)
{
    (void)state;
    static const char model[] = "https://[fd00::1]:9200/";
    for (size_t at = 0; at < strlen(model); at++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[sizeof model], built[URL_TEXT];
            struct url url = {0};
            memcpy(text, model, sizeof model);
            text[at] = (char)byte;
            if (url_parse(text, &url, NULL) < 0)
                continue;
            (void)url_format(&url, built);
            assert_int_equal(strspn(built, "abcdefhpst:/[]0123456789"), strlen(built));
            assert_memory_equal(built, "http", 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_built_again),
        cmocka_unit_test(what_was_built_parses_to_itself),
        cmocka_unit_test(long_hosts_stop_at_the_limit),
        cmocka_unit_test(every_byte_at_every_place),
    };
    return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
