/* SPDX-License-Identifier: MIT */
#include "settings/settings.h"

#include "settings/settings_print.h"
#include "test.h"

#define ROOT  "dc/home/env"
#define PLACE ROOT SETTINGS_PLACE
#define TEN   "aaaaaaaaaa"
#define FIFTY TEN TEN TEN TEN TEN

#define SIX_URLS "http://a1,http://a2,http://a3,http://a4,http://a5,http://a6,"

/* What a value should have been. */
static const char *const expected[SETTING_COUNT] = {
    [LOG_ENABLED] = "Y or N, for example N",
    [LOG_ELASTICSEARCH_URL] = "http(s)://host[:port],... (port 9200 if none) or consul:service, "
                              "for example http://es1:9200,http://es2:9200",
    [LOG_ELASTICSEARCH_CREDENTIAL] =
        "1 to 64 of A-Z a-z 0-9 _ - (first one A-Z a-z 0-9), for example log-writer",
    [LOG_INDEX] = "1 to 100 of a-z 0-9 . _ - (first one a-z 0-9), for example plossys-log",
    [LOG_LEVEL] = "debug, info, warn, error or fatal, for example warn",
    [LOG_SOURCES] = "list of names, for example seal",
    [LOG_ROLLOUT] = "rolling or parallel, for example parallel",
    [LOG_SETTLE] = "duration from 0s to 10s, for example 2s",
    [LOG_DELAY] = "duration from 0s to 1d, for example 10m",
    [CLUSTER_SERVERS] = "server_1=node,server_2=node,... (odd, 3 to 51), for example "
                        "server_1=alpha,server_2=beta,server_3=gamma",
    [CLUSTER_MANAGEMENT_SERVER] = "node name, host or address, for example management",
    [CLUSTER_GRACE] = "duration from 0s to 7d, for example 30m",
    [CLUSTER_MAINTENANCE] = "node and end in UTC, for example server-2 until 2026-11-23T18:00Z",
    [CLOCK_SKEW_WARNING] = "duration from 50ms to 10s, for example 200ms",
    [CLOCK_SKEW_CRITICAL] = "duration from 50ms to 10s, for example 1s",
    [CLOCK_REFERENCE] = "host[:port],... (port 123 if none), for example ntp1.example,ntp2.example",
    [SECURITY_ACCEPTED] = "list of names, for example acl-off,min-quorum",
    [MONGODB_URL] =
        "mongodb://host[:port],... (port 27017 if none), for example mongodb://n1,n2,n3",
    [MONGODB_CREDENTIAL] =
        "1 to 64 of A-Z a-z 0-9 _ - (first one A-Z a-z 0-9), for example mongodb-monitor",
};

static void put(struct kv_list *list, const char *key, const char *value)
{
    char path[300];
    (void)snprintf(path, sizeof path, PLACE "%s", key);
    assert_int_equal(kv_add(list, path, value, strlen(value), 7), 0);
}

/* The value in force when KEY=VALUE alone stands in KV. free() it. */
static char *in_force(enum setting setting, const char *value, struct settings *s)
{
    struct kv_list list = {0};
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    put(&list, settings_row(setting)->key, value);
    settings_parse(&list, ROOT, s);
    assert_int_equal(settings_print_value(s, setting, &text), 0);
    kv_release(&list);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

/* ---- values that fit ----------------------------------------------------- */

static const struct {
    enum setting setting;
    const char *value;
    const char *spelling; /* NULL: the same */
} good[] = {
    {LOG_ENABLED, "Y"},
    {LOG_ENABLED, "N"},
    {LOG_ELASTICSEARCH_URL, "http://es1", "http://es1:9200"},
    {LOG_ELASTICSEARCH_URL, "HTTP://ES1:9200/", "http://es1:9200"},
    {LOG_ELASTICSEARCH_URL, "https://b,http://a", "https://b:9200,http://a:9200"},
    {LOG_ELASTICSEARCH_URL, "http://a,https://a", "http://a:9200,https://a:9200"},
    {LOG_ELASTICSEARCH_URL, "http://a:1,http://a:2"},
    {LOG_ELASTICSEARCH_URL, "http://[FD00::1]:80,http://10.0.0.1",
     "http://[fd00::1]:80,http://10.0.0.1:9200"},
    {LOG_ELASTICSEARCH_URL, "consul:elasticsearch"},
    {LOG_ELASTICSEARCH_URL, "consul:Es_7.logs-2"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "log-writer"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "0_A"},
    {LOG_INDEX, "plossys-log"},
    {LOG_INDEX, "0"},
    {LOG_INDEX, "a.b_c-d"},
    {LOG_INDEX, FIFTY FIFTY},
    {LOG_LEVEL, "debug"},
    {LOG_LEVEL, "info"},
    {LOG_LEVEL, "warn"},
    {LOG_LEVEL, "error"},
    {LOG_LEVEL, "fatal"},
    {LOG_SOURCES, "seal"},
    {LOG_SOURCES, "seal,Audit-2,x_y"},
    {LOG_ROLLOUT, "rolling"},
    {LOG_ROLLOUT, "parallel"},
    {LOG_SETTLE, "0", "0s"},
    {LOG_SETTLE, "0s"},
    {LOG_SETTLE, "500ms"},
    {LOG_SETTLE, "10s"},
    {LOG_SETTLE, "10000ms", "10s"},
    {LOG_SETTLE, "1s500ms"},
    {LOG_DELAY, "0s"},
    {LOG_DELAY, "24h", "1d"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b,server_3=c"},
    {CLUSTER_SERVERS, "server_3=c,server_1=a,server_2=b", "server_1=a,server_2=b,server_3=c"},
    {CLUSTER_SERVERS, "server_1=A.b_c-1,server_2=1,server_3=."},
    {CLUSTER_MANAGEMENT_SERVER, "mgmt"},
    {CLUSTER_MANAGEMENT_SERVER, "Mgmt_1.example"},
    {CLUSTER_MANAGEMENT_SERVER, "10.0.0.9"},
    {CLUSTER_MANAGEMENT_SERVER, "FD00::0:9", "fd00::9"},
    {CLUSTER_MANAGEMENT_SERVER, "[fd00::9]", "fd00::9"},
    {CLUSTER_GRACE, "0s"},
    {CLUSTER_GRACE, "15m"},
    {CLUSTER_GRACE, "7d"},
    {CLUSTER_GRACE, "1w", "7d"},
    {CLUSTER_GRACE, "90m", "1h30m"},
    {CLUSTER_MAINTENANCE, "server-2 until 2026-11-23T18:00Z"},
    {CLUSTER_MAINTENANCE, "N_2.x until 2028-02-29T23:59Z"},
    {CLUSTER_MAINTENANCE, "until until 2020-01-01T00:00Z"},
    {CLUSTER_MAINTENANCE, "a until 2099-12-31T23:59Z"},
    {CLOCK_SKEW_WARNING, "50ms"},
    {CLOCK_SKEW_WARNING, "50000us", "50ms"},
    {CLOCK_SKEW_WARNING, "500ms"},
    {CLOCK_SKEW_CRITICAL, "100ms"},
    {CLOCK_SKEW_CRITICAL, "10s"},
    {CLOCK_SKEW_CRITICAL, "1s500ms"},
    {MONGODB_URL, "mongodb://N1,n2:1,[::1]", "mongodb://n1:27017,n2:1,[::1]:27017"},
    {MONGODB_CREDENTIAL, "mongodb-monitor", "mongodb-monitor"},
    {CLOCK_REFERENCE, "ntp1", "ntp1:123"},
    {CLOCK_REFERENCE, "NTP1.Example:1123", "ntp1.example:1123"},
    {CLOCK_REFERENCE, "b,a,10.0.0.1", "b:123,a:123,10.0.0.1:123"},
    {CLOCK_REFERENCE, "a:1,a:2"},
    {CLOCK_REFERENCE, "[FD00::0:1],[::1]:65535", "[fd00::1]:123,[::1]:65535"},
    {CLOCK_REFERENCE, "a,b,c,d,e,f,g,h", "a:123,b:123,c:123,d:123,e:123,f:123,g:123,h:123"},
    {SECURITY_ACCEPTED, "acl-off"},
    {SECURITY_ACCEPTED, "acl-off,min-quorum"},
};

static void good_values_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        static struct settings s;
        struct error err = {0};
        const char *key = settings_row(good[i].setting)->key;
        char *text = in_force(good[i].setting, good[i].value, &s);
        assert_string_equal(text, good[i].spelling ? good[i].spelling : good[i].value);
        free(text);
        assert_int_equal(settings_check(key, good[i].value, &err), 0);
        assert_string_equal(err.text, "");
    }
}

/* ---- values that do not -------------------------------------------------- */

static const struct {
    enum setting setting;
    const char *value;
    const char *why;
    const char *echo; /* the value as it is shown; NULL: as it is */
} bad[] = {
    {LOG_ENABLED, "", "is empty"},
    {LOG_ENABLED, "y", "is neither Y nor N"},
    {LOG_ENABLED, "Yes", "is neither Y nor N"},
    {LOG_ENABLED, "Y\n", "ends in a line break", .echo = "Y?"},
    {LOG_ENABLED, "Y ", "holds a space"},
    {LOG_ENABLED, "true", "is neither Y nor N"},
    {LOG_ELASTICSEARCH_URL, "es1:9200", "does not begin with http:// or https://"},
    {LOG_ELASTICSEARCH_URL, "http://a, http://b", "holds a space"},
    {LOG_ELASTICSEARCH_URL, "http://a,", "has an empty item (2)"},
    {LOG_ELASTICSEARCH_URL, ",http://a", "has an empty item (1)"},
    {LOG_ELASTICSEARCH_URL, ",", "has an empty item (1)"},
    {LOG_ELASTICSEARCH_URL, "http://a,b",
     "does not fit: item 2 does not begin with http:// or https://"},
    {LOG_ELASTICSEARCH_URL, "http://a,http://b,http://A:9200/", "has the same as items 1 and 3"},
    {LOG_ELASTICSEARCH_URL, "http://elastic:secret@es1", "holds a user or a password",
     .echo = "http://***@es1"},
    {LOG_ELASTICSEARCH_URL, "http://a,https://u:se,cr/et@b:1",
     "does not fit: item 2 has a port that is not a number from 1 to 65535",
     .echo = "http://***@b:1"},
    {LOG_ELASTICSEARCH_URL, "u:secret@es1", "does not begin with http:// or https://",
     .echo = "***@es1"},
    {LOG_ELASTICSEARCH_URL, "http://es1:9200/_bulk", "holds a path or a query"},
    {LOG_ELASTICSEARCH_URL, "consul:", "is empty"},
    {LOG_ELASTICSEARCH_URL, "consul:.es", "begins with ."},
    {LOG_ELASTICSEARCH_URL, "consul:a/../b", "holds the character /"},
    {LOG_ELASTICSEARCH_URL, "consul:a?dc=b", "holds the character ?"},
    {LOG_ELASTICSEARCH_URL, "consul:a,http://b", "holds the character ,"},
    {LOG_ELASTICSEARCH_URL, "http://b,consul:a",
     "does not fit: item 2 does not begin with http:// or https://"},
    {LOG_ELASTICSEARCH_URL, "CONSUL:a", "does not begin with http:// or https://"},
    {LOG_ELASTICSEARCH_URL, "http://es1\"; action(type=\"omprog\")", "holds the character \""},
    {LOG_ELASTICSEARCH_URL, "http://es1$(id)", "holds the character $"},
    {LOG_ELASTICSEARCH_URL, "http://2130706433",
     "has a host that ends in a number but is not a complete IPv4 address"},
    {LOG_ELASTICSEARCH_URL,
     SIX_URLS "http://a7,http://a8,http://a9,http://b1,http://b2,http://b3,http://b4,http://"
              "b5,http://b6,http://b7,http://b8",
     "has more than 16 items", .echo = SIX_URLS "..."},
    {LOG_ELASTICSEARCH_CREDENTIAL, "../x", "holds the character ."},
    {LOG_ELASTICSEARCH_CREDENTIAL, "/etc/lictor/credentials/x", "holds the character /"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "user:password", "holds the character :"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "-x", "begins with -"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "x.read", "holds the character ."},
    {LOG_INDEX, "Plossys", "holds the character P"},
    {LOG_INDEX, "-a", "begins with -"},
    {LOG_INDEX, "_all", "begins with _"},
    {LOG_INDEX, "..", "begins with ."},
    {LOG_INDEX, "a/b", "holds the character /"},
    {LOG_INDEX, "a,b", "holds the character ,"},
    {LOG_INDEX, "a*", "holds the character *"},
    {LOG_INDEX, "{{{x}}}", "holds the character {"},
    {LOG_INDEX, "a\nb", "holds a byte that is not printable ASCII (0x0a)", .echo = "a?b"},
    {LOG_INDEX, "\xc3\xa4", "holds a byte that is not printable ASCII (0xc3)", .echo = "??"},
    {LOG_INDEX, "\x1b[2J", "holds a byte that is not printable ASCII (0x1b)", .echo = "?[2J"},
    {LOG_INDEX, FIFTY FIFTY "a", "has 101 characters, 100 are the limit", .echo = FIFTY TEN "..."},
    {LOG_LEVEL, "INFO", "is unknown"},
    {LOG_LEVEL, "warning", "is unknown"},
    {LOG_LEVEL, "inf", "is unknown"},
    {LOG_SOURCES, "/etc/passwd", "holds the character /"},
    {LOG_SOURCES, "seal,,x", "has an empty item (2)"},
    {LOG_SOURCES, "seal,seal", "has the same as items 1 and 2"},
    {LOG_SOURCES, "seal,_x", "does not fit: item 2 begins with _"},
    {LOG_SOURCES, "x,_y", "does not fit: item 2 begins with _"},
    {LOG_SOURCES, FIFTY TEN "abcde", "has 65 characters, 64 are the limit",
     .echo = FIFTY TEN "..."},
    {LOG_ROLLOUT, "Parallel", "is unknown"},
    {LOG_ROLLOUT, "", "is empty"},
    {LOG_SETTLE, "11s", "is more than 10s"},
    {LOG_DELAY, "25h", "is more than 1d"},
    {LOG_DELAY, "soon", "is not a duration"},
    {LOG_SETTLE, "-1s", "is not a duration"},
    {LOG_SETTLE, "1", "is not a duration"},
    {LOG_SETTLE, "1.5s", "is not a duration"},
    {LOG_SETTLE, "99999999999999999999s", "is more than 10s"},
    {CLUSTER_SERVERS, "server_1=a", "has 1 server: an odd number, three or more, is needed"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b",
     "has 2 servers: an odd number, three or more, is needed"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b,server_3=c,server_4=d",
     "has 4 servers: an odd number, three or more, is needed"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b,server_4=d",
     "does not fit: item 3 has a number above 3: no gap is allowed from server_1 on"},
    {CLUSTER_SERVERS, "server_0=a,server_1=b,server_2=c",
     "does not fit: item 1 is not server_<number>=<node>"},
    {CLUSTER_SERVERS, "server_1=a,server_01=b,server_3=c",
     "does not fit: item 2 is not server_<number>=<node>"},
    {CLUSTER_SERVERS, "server_1=a,server_1=b,server_3=c",
     "does not fit: item 2 is a second server_1"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b,server_99999999999999999999=c",
     "does not fit: item 3 has a number above 3: no gap is allowed from server_1 on"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b,server_3=A",
     "has the same node as server_1 and server_3"},
    {CLUSTER_SERVERS, "server_1=a,server_2=,server_3=c", "does not fit: item 2 is empty"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b:1,server_3=c",
     "does not fit: item 2 holds the character :"},
    {CLUSTER_SERVERS, "server_1=a,server_2=b=c,server_3=c",
     "does not fit: item 2 holds the character ="},
    {CLUSTER_SERVERS, "a,b,c", "does not fit: item 1 is not server_<number>=<node>"},
    {CLUSTER_SERVERS, "server_=a,server_2=b,server_3=c",
     "does not fit: item 1 is not server_<number>=<node>"},
    {CLUSTER_MANAGEMENT_SERVER, "a:b", "has no valid IPv6 address (without zone) as host"},
    {CLUSTER_MANAGEMENT_SERVER, "a/b", "holds the character /"},
    {CLUSTER_MANAGEMENT_SERVER, "[a]", "holds the character ["},
    {CLUSTER_GRACE, "8d", "is more than 7d"},
    {CLUSTER_GRACE, "m", "is not a duration"},
    {CLUSTER_MAINTENANCE, "server-2", "is not <node> until <end>"},
    {CLUSTER_MAINTENANCE, "server-2 until", "is not <node> until <end>"},
    {CLUSTER_MAINTENANCE, "server-2  until 2026-11-23T18:00Z", "holds a space"},
    {CLUSTER_MAINTENANCE, " until 2026-11-23T18:00Z", "holds a space"},
    {CLUSTER_MAINTENANCE, "a b until 2026-11-23T18:00Z", "holds the character  "},
    {CLUSTER_MAINTENANCE, "a until 2026-11-23 18:00Z", "has no end as 2026-11-23T18:00Z (UTC)"},
    {CLUSTER_MAINTENANCE, "a until 2026-11-23T18:00", "has no end as 2026-11-23T18:00Z (UTC)"},
    {CLUSTER_MAINTENANCE, "a until 2026-11-23T18:00+01:00",
     "has no end as 2026-11-23T18:00Z (UTC)"},
    {CLUSTER_MAINTENANCE, "a until 2026-02-29T18:00Z", "has an end that is not a date and time"},
    {CLUSTER_MAINTENANCE, "a until 2026-13-01T18:00Z", "has an end that is not a date and time"},
    {CLUSTER_MAINTENANCE, "a until 2026-11-23T24:00Z", "has an end that is not a date and time"},
    {CLUSTER_MAINTENANCE, "a until 2026-11-23T18:60Z", "has an end that is not a date and time"},
    {CLUSTER_MAINTENANCE, "a until 2019-12-31T23:59Z", "has a year outside 2020 to 2099"},
    {CLUSTER_MAINTENANCE, "a until 2100-01-01T00:00Z", "has a year outside 2020 to 2099"},
    {CLUSTER_MAINTENANCE, "a/b until 2026-11-23T18:00Z", "holds the character /"},
    {CLUSTER_MAINTENANCE, "a until 0000-00-00T00:00Z", "has an end that is not a date and time"},
    {CLOCK_SKEW_WARNING, "49999us", "is less than 50ms, which cannot be proven through Consul"},
    {CLOCK_SKEW_WARNING, "0", "is less than 50ms, which cannot be proven through Consul"},
    {CLOCK_SKEW_WARNING, "10001ms", "is more than 10s"},
    {CLOCK_SKEW_WARNING, "0.1s", "is not a duration"},
    {CLOCK_SKEW_WARNING, "-100ms", "is not a duration"},
    {CLOCK_SKEW_WARNING, "100", "is not a duration"},
    {CLOCK_SKEW_WARNING, "", "is empty"},
    {CLOCK_SKEW_CRITICAL, "40ms", "is less than 50ms, which cannot be proven through Consul"},
    {CLOCK_SKEW_CRITICAL, "99999999999999999999s", "is more than 10s"},
    {CLOCK_SKEW_CRITICAL, "never", "is not a duration"},
    {SECURITY_ACCEPTED, "", "is empty"},
    {SECURITY_ACCEPTED, "acl-off,acl-off", "has the same as items 1 and 2"},
    {SECURITY_ACCEPTED, "acl-off,a b", "holds a space"},
    {MONGODB_URL, "n1:27017", "does not begin with mongodb://"},
    {MONGODB_URL, "mongodb://", "has an empty item (1)"},
    {MONGODB_URL, "mongodb://u:p@n1", "holds a user or a password", .echo = "***@n1"},
    {MONGODB_URL, "mongodb://n1/plossys", "holds a database or options"},
    {MONGODB_URL, "mongodb://n1?tls=false", "holds a database or options"},
    {MONGODB_URL, "mongodb://n1,N1:27017", "has the same as items 1 and 2"},
    {MONGODB_CREDENTIAL, "../x", "holds the character ."},
    {CLOCK_REFERENCE, "", "is empty"},
    {CLOCK_REFERENCE, "a,,b", "has an empty item (2)"},
    {CLOCK_REFERENCE, "a,A:123", "has the same as items 1 and 2"},
    {CLOCK_REFERENCE, "a:0", "has a port that is not a number from 1 to 65535"},
    {CLOCK_REFERENCE, "a,b:65536",
     "does not fit: item 2 has a port that is not a number from 1 to 65535"},
    {CLOCK_REFERENCE, "fd00::1", "has no IPv6 address in brackets: [fd00::1]"},
    {CLOCK_REFERENCE, "[fe80::1]x", "has a port that is not a number from 1 to 65535"},
    {CLOCK_REFERENCE, "127.1",
     "has a host that ends in a number but is not a complete IPv4 address"},
    {CLOCK_REFERENCE, "ntp://a", "has a port that is not a number from 1 to 65535"},
    {CLOCK_REFERENCE, "u:p@a", "has a port that is not a number from 1 to 65535", .echo = "***@a"},
    {CLOCK_REFERENCE, "a b", "holds a space"},
    {CLOCK_REFERENCE, "a;b", "holds the character ;"},
    {CLOCK_REFERENCE, "a,b,c,d,e,f,g,h,i", "has more than 8 items"},
};

static void bad_values_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        static struct settings s;
        struct error err = {0};
        char text[512];
        const char *key = settings_row(bad[i].setting)->key;
        const char *echo = bad[i].echo ? bad[i].echo : bad[i].value;
        (void)snprintf(text, sizeof text, "%s: \"%s\" %s; expected %s", key, echo, bad[i].why,
                       expected[bad[i].setting]);
        assert_int_equal(settings_check(key, bad[i].value, &err), -EINVAL);
        assert_string_equal(err.text, text);
        free(in_force(bad[i].setting, bad[i].value, &s));
        assert_string_equal(s.rejects.entries[0].key, key);
        assert_string_equal(s.rejects.entries[0].value, text);
    }
}

static void a_rejected_value_means_its_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        static struct settings s;
        char *text = in_force(bad[i].setting, bad[i].value, &s);
        const char *otherwise = settings_row(bad[i].setting)->otherwise;
        assert_string_equal(text, otherwise ? otherwise : "");
        free(text);
    }
}

/* ---- every byte in every type -------------------------------------------- */

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const struct {
    enum setting setting;
    const char *before, *after; /* the byte stands between them */
    const char *good;
} bytes[] = {
    {LOG_ENABLED, "", "", "YN"},
    {LOG_ELASTICSEARCH_URL, "http://a", "b:9200", LETTERS DIGITS ".-"},
    {LOG_ELASTICSEARCH_URL, "http://a:9", "", DIGITS "/"},
    {LOG_ELASTICSEARCH_URL, "http://[fd00::", "a]:1", "abcdefABCDEF" DIGITS},
    {LOG_ELASTICSEARCH_URL, "http:/", "a", "/"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "a", "b", LETTERS DIGITS "_-"},
    {LOG_ELASTICSEARCH_CREDENTIAL, "", "b", LETTERS DIGITS},
    {LOG_INDEX, "a", "b", LOWER DIGITS "._-"},
    {LOG_INDEX, "", "b", LOWER DIGITS},
    {LOG_LEVEL, "inf", "", "o"},
    {LOG_SOURCES, "a", "b", LETTERS DIGITS "_-,"},
    {LOG_ROLLOUT, "rollin", "", "g"},
    {LOG_SETTLE, "1", "s", "0mu"},
    {CLUSTER_SERVERS, "server_1=a", "a,server_2=c,server_3=d", LETTERS DIGITS "_.-"},
    {CLUSTER_SERVERS, "server_1", "a,server_2=c,server_3=d", "="},
    {CLUSTER_MANAGEMENT_SERVER, "a", "b", LETTERS DIGITS "_.-"},
    {CLUSTER_GRACE, "1", "m", DIGITS},
    {CLUSTER_MAINTENANCE, "a", "b until 2026-11-23T18:00Z", LETTERS DIGITS "_.-"},
    {CLUSTER_MAINTENANCE, "a", "until 2026-11-23T18:00Z", " "},
    {CLUSTER_MAINTENANCE, "a until 2026-11-2", "T18:00Z", DIGITS},
    {CLOCK_SKEW_WARNING, "9", "ms", DIGITS},
    {CLOCK_SKEW_CRITICAL, "9", "00ms", DIGITS "s"},
    {CLOCK_REFERENCE, "a", "b", LETTERS DIGITS ".-,"},
    {CLOCK_REFERENCE, "a:1", "", DIGITS},
    {CLOCK_REFERENCE, "[fd00::", "1]", "abcdefABCDEF" DIGITS},
};

static void every_byte_in_every_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bytes); i++) {
        for (int byte = 0; byte < 256; byte++) {
            const char *key = settings_row(bytes[i].setting)->key;
            struct kv_list list = {0};
            static struct settings s;
            char value[100], path[200];
            int len = snprintf(value, sizeof value, "%s%c%s", bytes[i].before, byte,
                               bytes[i].after);
            (void)snprintf(path, sizeof path, PLACE "%s", key);
            assert_int_equal(kv_add(&list, path, value, (size_t)len, 1), 0);
            settings_parse(&list, ROOT, &s);
            bool taken = s.rejects.n == 0 || strcmp(s.rejects.entries[0].key, key) != 0;
            if (taken != (byte && strchr(bytes[i].good, byte)))
                fail_msg("%s with byte 0x%02x: taken is %d", key, byte, taken);
            kv_release(&list);
        }
    }
}

static void the_barrier_itself(void **state)
{
    (void)state;
    static const char out[] = "\"\\$%`{}'<>|;&# ";
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b', '\0'};
        bool fine = byte > ' ' && byte < 0x7f && !strchr(out, byte);
        assert_int_equal(setting_value_barrier(text, 3, false, NULL), fine ? 0 : -EINVAL);
        assert_int_equal(setting_value_barrier(text, 3, true, NULL),
                         fine || byte == ' ' ? 0 : -EINVAL);
        text[1] = 'a';
        text[2] = (char)byte; /* the last one */
        assert_int_equal(setting_value_barrier(text, 3, true, NULL), fine ? 0 : -EINVAL);
    }
}

static void size_has_a_limit(void **state)
{
    (void)state;
    static char text[SETTING_VALUE_MAX + 2];
    struct error err = {0};
    memset(text, 'a', SETTING_VALUE_MAX + 1);
    assert_int_equal(setting_value_barrier(text, SETTING_VALUE_MAX, false, &err), 0);
    assert_int_equal(setting_value_barrier(text, SETTING_VALUE_MAX + 1, false, &err), -EINVAL);
    assert_string_equal(err.text, "has 8193 bytes, 8192 are the limit");
}

static void fifty_one_servers_and_no_more(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    for (int i = 1; i <= 51; i++)
        assert_int_equal(
            buffer_printf(&text, "%sserver_%d=" FIFTY FIFTY TEN "%d", i > 1 ? "," : "", i, i), 0);
    assert_int_equal(settings_check("CLUSTER_SERVERS", text.data, NULL), 0);
    static struct settings s;
    free(in_force(CLUSTER_SERVERS, text.data, &s));
    assert_int_equal(s.servers, 51);
    assert_string_equal(s.server[50], FIFTY FIFTY TEN "51");
    assert_int_equal(buffer_printf(&text, ",server_52=b,server_53=c"), 0);
    struct error err = {0};
    assert_int_equal(settings_check("CLUSTER_SERVERS", text.data, &err), -EINVAL);
    assert_non_null(strstr(err.text, "...\" has more than 51 items; expected"));
    buffer_release(&text);
}

/* ---- echo ---------------------------------------------------------------- */

static void an_echo_is_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *value, *echo;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {FIFTY TEN, FIFTY TEN},
        {FIFTY TEN "b", FIFTY TEN "..."},
        {"a\x1b]0;x\x07 \x9b \xff\x7f", "a?]0;x? ? ??"},
        {"http://u:p@h:1", "http://***@h:1"},
        {"HTTPS://u:p@h", "HTTPS://***@h"},
        {"http://a:1,http://u:p,w@b", "http://***@b"},
        {"http://u:p@x@h", "http://***@h"},
        {"u:p@http://x@h", "***@h"},
        {"ftp://u:p@h", "***@h"},
        {"http:/u:p@h", "***@h"},
        {"http://u:" FIFTY TEN "@h", "http://***@h"},
        {"http://@" FIFTY TEN, "http://***@" FIFTY "aa..."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char echo[SETTING_VALUE_ECHO];
        assert_string_equal(setting_value_echo(rows[i].value, strlen(rows[i].value), echo),
                            rows[i].echo);
    }
}

static void no_text_is_cut(void **state)
{
    (void)state;
    static struct settings s;
    char value[200];
    memset(value, 'q', sizeof value - 1);
    memcpy(value + sizeof value - 2, "/", 2);
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = settings_row((enum setting)i);
        free(in_force((enum setting)i, value, &s));
        size_t len = strlen(s.rejects.entries[0].value), tail = strlen(row->example);
        assert_in_range(len, 100, 334);
        assert_string_equal(s.rejects.entries[0].value + len - tail, row->example);
    }
}

/* ---- the set ------------------------------------------------------------- */

static void nothing_means_defaults(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    settings_parse(&list, ROOT, &s);
    assert_false(s.log_present);
    assert_true(s.log_enabled);
    assert_int_equal(s.log_urls, 0);
    assert_string_equal(s.log_credential, "");
    assert_string_equal(s.log_index, "plossys-log");
    assert_int_equal(s.log_level, LEVEL_INFO);
    assert_int_equal(s.log_sources, 1);
    assert_string_equal(s.log_source[0], "seal");
    assert_int_equal(s.log_settle_us, 500000);
    assert_int_equal(s.servers, 0);
    assert_string_equal(s.management_server, "");
    assert_int_equal(s.grace_us, INT64_C(900000000));
    assert_string_equal(s.maintenance_node, "");
    assert_int_equal(s.clock_warning_us, 100000);
    assert_int_equal(s.clock_critical_us, 500000);
    assert_int_equal(s.clock_references, 0);
    assert_int_equal(s.rejects.n + s.log_rejects + s.unknowns.n, 0);
}

/* ---- limits of the clock ------------------------------------------------- */

#define REFUSED(example)                                                                           \
    ": both are rejected; expected duration from 50ms to 10s, for example " example
#define ABOVE(warning, critical)                                                                   \
    "CLOCK_SKEW_WARNING: " warning " is more than CLOCK_SKEW_CRITICAL, " critical REFUSED("200ms")
#define BELOW(critical, warning)                                                                   \
    "CLOCK_SKEW_CRITICAL: " critical " is less than CLOCK_SKEW_WARNING, " warning REFUSED("1s")

static const struct {
    const char *warning, *critical;  /* NULL: not there */
    int64_t warning_us, critical_us; /* 0: the default */
    const char *text[3];             /* of the rejects, in their order */
} limits[] = {
    {"200ms", "1s", 200000, 1000000},
    {"1s", "1s", 1000000, 1000000},
    {"500ms", NULL, 500000, 500000},
    {NULL, "100ms", 100000, 100000},
    {"1s", "200ms", .text = {ABOVE("1s", "200ms"), BELOW("200ms", "1s")}},
    {"501ms", NULL, .text = {ABOVE("501ms", "500ms"), BELOW("500ms", "501ms")}},
    {NULL, "99ms", .text = {ABOVE("100ms", "99ms"), BELOW("99ms", "100ms")}},
    {"2s", "20s",
     .text = {"CLOCK_SKEW_CRITICAL: \"20s\" is more than 10s; expected duration from 50ms to 10s, "
              "for example 1s",
              ABOVE("2s", "500ms")}},
    {"1ms", "80ms",
     .text =
         {"CLOCK_SKEW_WARNING: \"1ms\" is less than 50ms, which cannot be proven through Consul; "
          "expected duration from 50ms to 10s, for example 200ms",
          BELOW("80ms", "100ms")}},
};

static void a_warning_above_critical_refuses_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct kv_list list = {0};
        static struct settings s;
        size_t n = 0;
        if (limits[i].warning)
            put(&list, "CLOCK_SKEW_WARNING", limits[i].warning);
        if (limits[i].critical)
            put(&list, "CLOCK_SKEW_CRITICAL", limits[i].critical);
        settings_parse(&list, ROOT, &s);
        assert_int_equal(s.clock_warning_us, limits[i].warning_us ? limits[i].warning_us : 100000);
        assert_int_equal(s.clock_critical_us,
                         limits[i].critical_us ? limits[i].critical_us : 500000);
        for (; limits[i].text[n]; n++)
            assert_string_equal(s.rejects.entries[n].value, limits[i].text[n]);
        assert_int_equal(s.rejects.n, n);
        assert_int_equal(s.log_rejects, 0);
        kv_release(&list);
    }
}

static void references_are_host_and_port(void **state)
{
    (void)state;
    static struct settings s;
    free(in_force(CLOCK_REFERENCE, "NTP1.example,[FD00::1]:1123", &s));
    assert_int_equal(s.clock_references, 2);
    assert_string_equal(s.clock_reference[0].host, "ntp1.example");
    assert_int_equal(s.clock_reference[0].port, 123);
    assert_string_equal(s.clock_reference[1].host, "fd00::1");
    assert_int_equal(s.clock_reference[1].port, 1123);
    free(in_force(CLOCK_REFERENCE, "a,b,:", &s));
    assert_int_equal(s.clock_references, 0);
}

static void a_set_without_url_is_incomplete(void **state)
{
    (void)state;
    static struct settings s;
    free(in_force(LOG_INDEX, "a", &s));
    assert_true(s.log_present);
    assert_int_equal(s.rejects.n, 1);
    assert_int_equal(s.log_rejects, 1);
    assert_string_equal(s.rejects.entries[0].key, "LOG_ELASTICSEARCH_URL");
    assert_string_equal(s.rejects.entries[0].value,
                        "LOG_ELASTICSEARCH_URL: is missing, so the LOG_ settings are incomplete; "
                        "expected http(s)://host[:port],... (port 9200 if none) or consul:service, "
                        "for example http://es1:9200,http://es2:9200");
}

static void without_shipping_no_url_is_needed(void **state)
{
    (void)state;
    static struct settings s;
    free(in_force(LOG_ENABLED, "N", &s));
    assert_true(s.log_present);
    assert_false(s.log_enabled);
    assert_int_equal(s.rejects.n, 0);
}

static void a_rejected_url_is_not_missing_as_well(void **state)
{
    (void)state;
    static struct settings s;
    free(in_force(LOG_ELASTICSEARCH_URL, "x", &s));
    assert_int_equal(s.rejects.n, 1);
    assert_int_equal(s.log_rejects, 1);
}

static void one_bad_key_refuses_the_set_even_when_off(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    put(&list, "LOG_ENABLED", "N");
    put(&list, "LOG_LEVEL", "loud");
    put(&list, "CLUSTER_GRACE", "soon");
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.rejects.n, 2);
    assert_int_equal(s.log_rejects, 1);
    assert_string_equal(s.rejects.entries[1].key, "CLUSTER_GRACE");
    kv_release(&list);
}

static void all_keys_may_be_wrong_at_once(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    for (int i = 0; i < SETTING_COUNT; i++)
        put(&list, settings_row((enum setting)i)->key, "#");
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.rejects.n, SETTING_COUNT);
    assert_int_equal(s.log_rejects, 9);
    kv_release(&list);
}

static void only_our_place_counts(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    static const char place[] = PLACE;
    static const char *const keys[] = {place,
                                       "dc/home/env/service/any/LOG_LEVEL",
                                       "other/service/cluster/tag/any/LOG_LEVEL",
                                       "dc/home/env/service/cluster/tag/any",
                                       "LOG_LEVEL",
                                       ""};
    for (size_t i = 0; i < COUNT(keys); i++)
        assert_int_equal(kv_add(&list, keys[i], "debug", 5, 1), 0);
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.log_level, LEVEL_INFO);
    assert_false(s.log_present);
    assert_int_equal(s.unknowns.n, 0);
    kv_release(&list);
}

static void unknown_keys_are_named(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    put(&list, "LOG_INDX", "a");
    put(&list, "log_index", "a");
    put(&list, "LOG_INDEX/x", "a");
    put(&list, "x\x1b[2J" FIFTY FIFTY, "a");
    settings_parse(&list, ROOT, &s);
    assert_false(s.log_present);
    assert_int_equal(s.rejects.n, 0);
    assert_int_equal(s.unknowns.n, 4);
    assert_string_equal(s.unknowns.entries[0].key, "LOG_INDX");
    assert_string_equal(s.unknowns.entries[0].value,
                        "LOG_INDX: there is no setting of that name (LOG_INDEX?)");
    assert_string_equal(s.unknowns.entries[1].value,
                        "log_index: there is no setting of that name (LOG_INDEX?)");
    assert_string_equal(s.unknowns.entries[2].key, "LOG_INDEX/x");
    assert_string_equal(s.unknowns.entries[3].key, "x?[2J" FIFTY "aaaaaaaa");
    assert_int_equal(settings_group(s.unknowns.entries[0].key), GROUP_LOG);
    assert_int_equal(settings_group(s.unknowns.entries[1].key), GROUP_NONE);
    assert_int_equal(settings_group(s.unknowns.entries[2].key), GROUP_LOG);
    assert_int_equal(settings_group(s.unknowns.entries[3].key), GROUP_NONE);
    kv_release(&list);
}

static void a_key_has_a_group(void **state)
{
    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = settings_row((enum setting)i);
        assert_int_equal(settings_group(row->key), row->group);
    }
    assert_int_equal(settings_group("LOG_NEW"), GROUP_LOG);
    assert_int_equal(settings_group("CLUSTER_"), GROUP_CLUSTER);
    assert_int_equal(settings_group("CLOCK_x"), GROUP_CLOCK);
    assert_int_equal(settings_group("LOG"), GROUP_NONE);
    assert_int_equal(settings_group("XLOG_LEVEL"), GROUP_NONE);
    assert_int_equal(settings_group(""), GROUP_NONE);
}

static void many_unknown_keys_stop_at_the_limit(void **state)
{
    (void)state;
    struct kv_list list = {0};
    static struct settings s;
    for (int i = 0; i < 100; i++) {
        char key[20];
        (void)snprintf(key, sizeof key, "X%d", i);
        put(&list, key, "");
    }
    settings_parse(&list, ROOT, &s);
    assert_int_equal(s.unknowns.n, SETTINGS_UNKNOWNS);
    kv_release(&list);
}

static void an_unknown_key_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(settings_check("Log_Level", "info", &err), -EINVAL);
    assert_string_equal(err.text, "Log_Level: there is no setting of that name (LOG_LEVEL?)");
}

static void a_huge_root_finds_nothing(void **state)
{
    (void)state;
    char root[600], path[SETTINGS_KEY];
    struct kv_list list = {0};
    static struct settings s;
    memset(root, 'a', sizeof root - 1);
    root[sizeof root - 1] = '\0';
    put(&list, "LOG_LEVEL", "debug");
    settings_parse(&list, root, &s);
    assert_int_equal(s.log_level, LEVEL_INFO);
    assert_int_equal(settings_path(root, "A", path, NULL), -ENAMETOOLONG);
    kv_release(&list);
}

/* ---- the table ----------------------------------------------------------- */

static void the_table_is_consistent(void **state)
{
    (void)state;
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting found;
        const struct setting_row *row = settings_row((enum setting)i);
        assert_int_equal(settings_find(row->key, &found), 0);
        assert_int_equal(found, i);
        assert_int_equal(settings_check(row->key, row->example, NULL), 0);
        if (row->otherwise)
            assert_int_equal(settings_check(row->key, row->otherwise, NULL), 0);
        static const char *const groups[] = {[GROUP_LOG] = "LOG_",
                                             [GROUP_CLUSTER] = "CLUSTER_",
                                             [GROUP_CLOCK] = "CLOCK_",
                                             [GROUP_SECURITY] = "SECURITY_",
                                             [GROUP_MONGODB] = "MONGODB_"};
        const char *group = groups[row->group];
        assert_memory_equal(row->key, group, strlen(group));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_taken),
        cmocka_unit_test(bad_values_are_named),
        cmocka_unit_test(a_rejected_value_means_its_default),
        cmocka_unit_test(every_byte_in_every_type),
        cmocka_unit_test(the_barrier_itself),
        cmocka_unit_test(size_has_a_limit),
        cmocka_unit_test(fifty_one_servers_and_no_more),
        cmocka_unit_test(an_echo_is_harmless),
        cmocka_unit_test(no_text_is_cut),
        cmocka_unit_test(nothing_means_defaults),
        cmocka_unit_test(a_warning_above_critical_refuses_both),
        cmocka_unit_test(references_are_host_and_port),
        cmocka_unit_test(a_set_without_url_is_incomplete),
        cmocka_unit_test(without_shipping_no_url_is_needed),
        cmocka_unit_test(a_rejected_url_is_not_missing_as_well),
        cmocka_unit_test(one_bad_key_refuses_the_set_even_when_off),
        cmocka_unit_test(all_keys_may_be_wrong_at_once),
        cmocka_unit_test(only_our_place_counts),
        cmocka_unit_test(unknown_keys_are_named),
        cmocka_unit_test(a_key_has_a_group),
        cmocka_unit_test(many_unknown_keys_stop_at_the_limit),
        cmocka_unit_test(an_unknown_key_is_refused),
        cmocka_unit_test(a_huge_root_finds_nothing),
        cmocka_unit_test(the_table_is_consistent),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
