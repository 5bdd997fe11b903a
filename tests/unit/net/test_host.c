/* SPDX-License-Identifier: MIT */
#include "net/host.h"

#include "test.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    const char *spelling; /* NULL: refused */
    const char *why;
} hosts[] = {
    {"es1", "es1", ""},
    {"ES1.Example.COM", "es1.example.com", ""},
    {"a", "a", ""},
    {"xn--bcher-kva.example", "xn--bcher-kva.example", ""},
    {"1password.com", "1password.com", ""},
    {"10.0.0.1", "10.0.0.1", ""},
    {"255.255.255.255", "255.255.255.255", ""},
    {"0xfg", "0xfg", ""},
    {A63 ".example", A63 ".example", ""},
    {"::1", "::1", ""},
    {"FD00:0:0::0:A", "fd00::a", ""},
    {"2001:db8:0:0:0:0:0:1", "2001:db8::1", ""},
    {"::ffff:10.1.2.3", "::ffff:10.1.2.3", ""},
    {"", NULL, "has no host"},
    {".", NULL, "has an empty part in its host, between dots"},
    {"es1.", NULL, "has an empty part in its host, between dots"},
    {".es1", NULL, "has an empty part in its host, between dots"},
    {"a..b", NULL, "has an empty part in its host, between dots"},
    {"-a", NULL, "has a '-' at an end of a part of its host"},
    {"a-.b", NULL, "has a '-' at an end of a part of its host"},
    {"a.-b", NULL, "has a '-' at an end of a part of its host"},
    {"a" A63, NULL, "has a part of more than 63 characters in its host"},
    {A63 "." A63 "." A63 "." A63, NULL, "has a host of more than 253 characters"},
    {"a_b", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"b\xc3\xbc", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"127.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"2130706433", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"0x7f000001", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"0x7F.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"127.0.0x1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"0177.0.0.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"127.0.0.01", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"256.0.0.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"1.2.3.4.5", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"es.0x", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"es.1", NULL, "has a host that ends in a number but is not a complete IPv4 address"},
    {"fe80::1%eth0", NULL, "has no valid IPv6 address (without zone) as host"},
    {":::", NULL, "has no valid IPv6 address (without zone) as host"},
    {"1:2", NULL, "has no valid IPv6 address (without zone) as host"},
    {"::127.1", NULL, "has no valid IPv6 address (without zone) as host"},
};

static void hosts_have_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        char host[HOST_TEXT] = "?";
        struct error err = {0};
        int rc = host_normalise(hosts[i].text, host, &err);
        assert_string_equal(err.text, hosts[i].why);
        assert_int_equal(rc, hosts[i].spelling ? 0 : -EINVAL);
        assert_string_equal(host, hosts[i].spelling ? hosts[i].spelling : "?");
    }
}

static void every_byte_in_a_name(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'}, host[HOST_TEXT];
        bool good = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                    (byte >= 'A' && byte <= 'Z') || byte == '.' || byte == '-';
        assert_int_equal(host_normalise(text, host, NULL), good ? 0 : -EINVAL);
    }
}

static const struct {
    const char *host;
    bool local;
} locals[] = {
    {"127.0.0.1", true},
    {"127.255.1.2", true},
    {"0.0.0.0", true},
    {"0.1.2.3", true},
    {"169.254.169.254", true},
    {"128.0.0.1", false},
    {"169.253.0.1", false},
    {"126.255.255.255", false},
    {"10.0.0.1", false},
    {"::1", true},
    {"::", true},
    {"::127.0.0.1", true},
    {"::ffff:127.0.0.1", true},
    {"::ffff:0.0.0.0", true},
    {"::ffff:10.0.0.1", false},
    {"::ffff:169.254.1.1", true},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", false},
    {"fd00::1", false},
    {"2001:db8::1", false},
    {"localhost", true},
    {"a.localhost", true},
    {"localhost.localdomain", true},
    {"localhost.example", true},
    {"ip6-localhost", true},
    {"ip6-loopback", true},
    {"localhost6", true},
    {"mylocalhost", false},
    {"localhosts.example", false},
    {"localhost-a.b", false},
    {"es1.example.com", false},
};

static void local_hosts_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(locals); i++) {
        if (host_is_local(locals[i].host) != locals[i].local)
            fail_msg("%s: local is %d", locals[i].host, !locals[i].local);
    }
}

static const struct {
    const char *text;
    const char *spelling; /* NULL: refused */
    const char *why;
} entries[] = {
    {"*", "*", ""},
    {"*.Example.com", "*.example.com", ""},
    {"ES1", "es1", ""},
    {"10.0.0.0/8", "10.0.0.0/8", ""},
    {"0.0.0.0/0", "0.0.0.0/0", ""},
    {"FD00::/8", "FD00::/8", ""},
    {"::1/128", "::1/128", ""},
    {"", NULL, "has no host"},
    {"**", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"a*", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"*.", NULL, "has no host"},
    {"*.*", NULL, "has other characters than letters, digits, '.' and '-' in its host"},
    {"*.10.0.0.1", NULL, "\"*.\" needs a domain name after it"},
    {"*.::1", NULL, "\"*.\" needs a domain name after it"},
    {"10.0.0.0/33", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"10.0.0.0/", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"10.0.0.0/08", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"10.0.0.0/+8", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"10.0.0.0/8/8", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"10.0.0/8", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"/8", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"::/129", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"example.com/8", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
    {"http://es1", NULL, "is not a range such as 10.0.0.0/8 or fd00::/8"},
};

static void entries_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(entries); i++) {
        char entry[HOST_TEXT] = "?";
        struct error err = {0};
        int rc = host_entry(entries[i].text, entry, &err);
        assert_string_equal(err.text, entries[i].why);
        assert_int_equal(rc, entries[i].spelling ? 0 : -EINVAL);
        assert_string_equal(entry, entries[i].spelling ? entries[i].spelling : "?");
    }
}

static const struct {
    const char *host, *entry;
    bool allowed;
} matches[] = {
    {"es1", "*", true},
    {"10.0.0.1", "*", true},
    {"2001:db8::1", "*", true},
    {"localhost", "*", false},
    {"127.0.0.1", "*", false},
    {"::1", "*", false},
    {"::ffff:127.0.0.1", "*", false},
    {"0.0.0.0", "*", false},
    {"169.254.169.254", "*", false},
    {"es1", "es1", true},
    {"es1", "es2", false},
    {"es1.example.com", "es1", false},
    {"localhost", "localhost", true},
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1", "localhost", false},
    {"localhost", "127.0.0.0/8", false},
    {"127.9.9.9", "127.0.0.0/8", true},
    {"127.0.1.100", "127.0.1.0/24", true},
    {"127.0.2.100", "127.0.1.0/24", false},
    {"127.0.0.1", "0.0.0.0/0", false},
    {"127.0.0.1", "0.0.0.0/1", false},
    {"10.0.0.1", "0.0.0.0/0", true},
    {"::1", "::/0", false},
    {"::1", "::1", true},
    {"::1", "::1/128", true},
    {"2001:db8::1", "::/0", true},
    {"10.0.0.1", "::/0", false},
    {"::ffff:10.0.0.1", "10.0.0.0/8", true},
    {"10.0.0.1", "::ffff:10.0.0.0/104", true},
    {"::ffff:127.0.0.1", "127.0.0.0/8", true},
    {"fe80::1", "fe80::/10", true},
    {"fe80::1", "fe80::/9", false},
    {"10.1.2.3", "10.0.0.0/8", true},
    {"11.0.0.0", "10.0.0.0/8", false},
    {"10.1.2.3", "10.1.2.0/30", true},
    {"10.1.2.4", "10.1.2.0/30", false},
    {"10.1.2.3", "10.1.2.3/32", true},
    {"10.1.2.2", "10.1.2.3/32", false},
    {"fd00::1", "fd00::/8", true},
    {"fc00::1", "fd00::/8", false},
    {"2001:db8:0:1::1", "2001:db8::/63", true},
    {"2001:db8:0:2::1", "2001:db8::/63", false},
    {"a.example.com", "*.example.com", true},
    {"a.b.example.com", "*.example.com", true},
    {"example.com", "*.example.com", false},
    {"badexample.com", "*.example.com", false},
    {"localhost.example.com", "*.example.com", false},
    {"a.localhost", "*.localhost", true},
    {"a.localhost", "*", false},
    {"es1", "10.0.0.0/8", false},
};

static void entries_allow_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(matches); i++) {
        if (host_allowed(matches[i].host, matches[i].entry) != matches[i].allowed)
            fail_msg("%s by %s: allowed is %d", matches[i].host, matches[i].entry,
                     !matches[i].allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_have_one_spelling), cmocka_unit_test(every_byte_in_a_name),
        cmocka_unit_test(local_hosts_are_known),   cmocka_unit_test(entries_are_checked),
        cmocka_unit_test(entries_allow_hosts),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
