/* SPDX-License-Identifier: MIT */
#include "indexer/destination.h"

#include "test.h"

/* Stands in the value of each setting that is refused, and in no text. */
#define SECRET "t0p-Secret"
#define S10    "0123456789"
#define S50    S10 S10 S10 S10 S10
#define S100   S50 S50
#define S250   S100 S100 S50
#define S500   S250 S250

#define URL         "url=http://es1:9200"
#define INDEX_FIRST "index=plossys-log"
#define INDEX       "\t" INDEX_FIRST
#define BYTES       "\tbytes=5000000"
#define QUEUE       "\tqueue=/var/lib/x/queue"
#define API         "api_key=aWQ6c2VjcmV0LWtleQ==" /* id:secret-key */
#define LOGIN       "\tuser=log writer\tpassword=" SECRET
#define NEEDED      URL INDEX BYTES QUEUE

static bool is_zero(const struct destination *to)
{
    const char *byte = (const char *)to;
    size_t n = 0;
    while (n < sizeof *to && byte[n] == 0)
        n++;
    return n == sizeof *to;
}

static void parse(const char *text, struct destination *ret)
{
    struct error err = {0};
    if (destination_parse(text, ret, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    assert_string_equal(err.text, "");
}

static void assert_refused(const char *text, const char *why)
{
    struct destination to;
    struct error err = {0};
    memset(&to, 'x', sizeof to);
    assert_int_equal(destination_parse(text, &to, &err), -EINVAL);
    assert_string_equal(err.text, why);
    assert_true(is_zero(&to));
    assert_null(strstr(err.text, SECRET));
    memset(&to, 'x', sizeof to);
    assert_int_equal(destination_parse(text, &to, NULL), -EINVAL);
    assert_true(is_zero(&to));
}

static void everything_has_its_place(void **state)
{
    (void)state;
    struct destination to;
    parse("queue_disk=300m\tqueue=/s/u\taccount=/s/a.json\tindex=logs\tbytes=12\turl=https://ES1/"
          "\turl=http://[::1]:80"
          "\tuser=log writer\tpassword=p=w\"\\$%\tca=/ca.pem\tcert=/c.pem\tkey=/k.pem",
          &to);
    assert_int_equal(to.urls, 2);
    assert_string_equal(to.url[0], "https://es1:9200");
    assert_string_equal(to.url[1], "http://[::1]:80");
    assert_string_equal(to.url[2], "");
    assert_string_equal(to.index, "logs");
    assert_int_equal(to.bytes, 12);
    assert_string_equal(to.queue, "/s/u");
    assert_string_equal(to.account, "/s/a.json");
    assert_int_equal(to.queue_disk, 300U << 20);
    assert_string_equal(to.credential.user, "log writer");
    assert_string_equal(to.credential.password, "p=w\"\\$%");
    assert_string_equal(to.credential.encoded, "");
    assert_string_equal(to.credential.ca, "/ca.pem");
    assert_string_equal(to.credential.cert, "/c.pem");
    assert_string_equal(to.credential.key, "/k.pem");
    assert_string_equal(to.credential.api_key, "");
    assert_string_equal(to.credential.path, "");
    assert_int_equal(to.credential.hosts, 0);
    parse(NEEDED "\t" API, &to);
    assert_string_equal(to.credential.encoded, "aWQ6c2VjcmV0LWtleQ==");
    assert_string_equal(to.credential.api_key, "id:secret-key");
    assert_string_equal(to.credential.user, "");
    destination_release(&to);
    assert_true(is_zero(&to));
    destination_release(&to);
}

static const struct {
    const char *text;
    const char *url; /* the last */
    size_t urls, bytes;
} good[] = {
    {NEEDED, "http://es1:9200", 1, 5000000},
    {NEEDED LOGIN, "http://es1:9200", 1, 5000000},
    {NEEDED "\turl=HTTPS://Es2:443/", "https://es2:443", 2, 5000000},
    {NEEDED "\turl=http://es1:9200", "http://es1:9200", 2, 5000000},
    /* An empty value is none. */
    {"url=\t" NEEDED "\turl=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tuser=\tpassword=\tapi_key=\tca=\tcert=\tkey=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tuser=\tpassword=\t" API, "http://es1:9200", 1, 5000000},
    {NEEDED LOGIN "\tapi_key=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tuser=" LOGIN "\tuser=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tindex=\tqueue=\tbytes=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tno_such=", "http://es1:9200", 1, 5000000},
    {NEEDED "\tcert=/c\tkey=/k" LOGIN, "http://es1:9200", 1, 5000000},
    {NEEDED "\tcert=/c\tkey=/k\t" API, "http://es1:9200", 1, 5000000},
    {URL INDEX QUEUE "\tbytes=1", "http://es1:9200", 1, 1},
    {URL INDEX QUEUE "\tbytes=9", "http://es1:9200", 1, 9},
    {URL INDEX QUEUE "\tbytes=536870911", "http://es1:9200", 1, 536870911},
    {URL INDEX QUEUE "\tbytes=536870912", "http://es1:9200", 1, 536870912},
    {URL BYTES "\tindex=i\tqueue=/", "http://es1:9200", 1, 5000000},
};

static void good_ones_are_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct destination to;
        memset(&to, 'x', sizeof to);
        parse(good[i].text, &to);
        assert_int_equal(to.urls, good[i].urls);
        assert_string_equal(to.url[to.urls - 1], good[i].url);
        assert_int_equal(to.bytes, good[i].bytes);
        destination_release(&to);
        assert_true(is_zero(&to));
    }
}

#define NO_PAIR        "a setting without \"=\""
#define MISSING        "url, index, bytes and queue are needed"
#define OTHER(one, of) "\"" one "\" needs the other one of " of
#define LOGINS         "user and password"
#define CERTS          "cert and key"
#define NO_PATH(of)    "\"" of "\" is not an absolute path of A-Z a-z 0-9 . _ - /"
#define NO_API_KEY     "\"api_key\" is neither id:key nor the base64 of it"
#define NO_QUEUE       "queue: not absolute, too long, or given twice"
#define NO_BYTES       "bytes: a number from 1 to 536870912, once"
#define UNKNOWN(of)    of " is not a setting of a destination"
#define TWICE(of)      "\"" of "\" is given twice"
#define HOST           "url: has other characters than letters, digits, '.' and '-' in its host"
#define PATH           "url: holds a path or a query"
#define USER           "url: holds a user or a password"
#define PORT           "url: has a port that is not a number from 1 to 65535"
#define SCHEME         "url: does not begin with http:// or https://"
#define WITH_URL(u)    INDEX_FIRST BYTES QUEUE "\turl=" u
#define WITH_INDEX     URL BYTES QUEUE "\tindex="
#define NO_INDEX       "index: no name of an index, or given twice"
#define WITH_BYTES     URL INDEX QUEUE "\tbytes="

static const struct {
    const char *text, *why;
} bad[] = {
    {"", NO_PAIR},
    {"\t", NO_PAIR},
    {SECRET, NO_PAIR},
    {"url", NO_PAIR},
    {NEEDED "\t", NO_PAIR},
    {"\t" NEEDED, NO_PAIR},
    {URL "\t" INDEX BYTES QUEUE, NO_PAIR},
    {NEEDED "\t" SECRET, NO_PAIR},
    {NEEDED LOGIN "\tsecond part of a password", NO_PAIR},
    {NEEDED LOGIN "\t=" SECRET, UNKNOWN("")},
    {NEEDED "\tpath=" SECRET, UNKNOWN("path")},
    {NEEDED "\tURL=http://es1", UNKNOWN("URL")},
    {NEEDED "\tUser=" SECRET, UNKNOWN("User")},
    {NEEDED "\t user=" SECRET, UNKNOWN(" user")},
    {NEEDED "\tuser =" SECRET, UNKNOWN("user ")},
    {NEEDED "\tpasswords=" SECRET, UNKNOWN("passwords")},
    {NEEDED "\tpasswor=" SECRET, UNKNOWN("passwor")},
    {NEEDED "\tencoded=" SECRET, UNKNOWN("encoded")},
    {NEEDED "\tinsecure_http=true", UNKNOWN("insecure_http")},
    {NEEDED "\t" S50 "=" SECRET, UNKNOWN(S10 S10 S10)},
    {NEEDED "\t%s%n=" SECRET, UNKNOWN("%s%n")},
    /* missing */
    {"=", MISSING},
    {"url=", MISSING},
    {"nothing=", MISSING},
    {URL, MISSING},
    {INDEX_FIRST BYTES QUEUE, MISSING},
    {URL BYTES QUEUE, MISSING},
    {URL INDEX QUEUE, MISSING},
    {URL INDEX BYTES, MISSING},
    {URL INDEX BYTES "\tqueue=", MISSING},
    {NEEDED "\tqueue_disk=1x", "queue_disk: a size like 300m or 1g"},
    {NEEDED "\tqueue_disk=0", "queue_disk: a size like 300m or 1g"},
    {NEEDED "\tqueue_disk=1gg", "queue_disk: a size like 300m or 1g"},
    {NEEDED "\tqueue_disk=-1g", "queue_disk: a size like 300m or 1g"},
    {NEEDED "\tqueue_disk=99999999t", "queue_disk: a size like 300m or 1g"},
    {NEEDED "\taccount=x", "account: not absolute, too long, or given twice"},
    {NEEDED "\taccount=/x\taccount=/x", "account: not absolute, too long, or given twice"},
    {URL INDEX BYTES "\tqueue=x/" SECRET, NO_QUEUE},
    {URL INDEX BYTES "\tqueue=./x", NO_QUEUE},
    {URL INDEX BYTES "\tqueue= /x", NO_QUEUE},
    {INDEX_FIRST BYTES QUEUE LOGIN "\turl=", MISSING},
    /* halves */
    {NEEDED "\tuser=" SECRET, OTHER("user", LOGINS)},
    {NEEDED "\tpassword=" SECRET, OTHER("password", LOGINS)},
    {NEEDED "\tuser=u\tpassword=", OTHER("user", LOGINS)},
    {NEEDED "\tuser=\tpassword=" SECRET, OTHER("password", LOGINS)},
    {NEEDED "\tcert=/" SECRET, OTHER("cert", CERTS)},
    {NEEDED "\tkey=/" SECRET, OTHER("key", CERTS)},
    {NEEDED LOGIN "\tkey=/" SECRET, OTHER("key", CERTS)},
    {NEEDED LOGIN "\tapi_key=" SECRET,
     "\"api_key\" cannot be given together with user and password"},
    {NEEDED "\tapi_key=" SECRET "\tuser=u", OTHER("user", LOGINS)},
    {NEEDED "\tapi_key=" SECRET "\tpassword=" SECRET, OTHER("password", LOGINS)},
    /* what credential.h refuses */
    {NEEDED "\tuser=u\tpassword=12345", "\"password\" is not a text of 6 to 256 characters"},
    {NEEDED "\tuser=u:v\tpassword=" SECRET, "\"user\" holds ':' or has a blank at an end"},
    {NEEDED "\tuser=u\x7f\tpassword=" SECRET, "\"user\" holds a byte that is not printable ASCII"},
    {NEEDED "\tapi_key=" SECRET, NO_API_KEY},
    {NEEDED "\tapi_key=k", NO_API_KEY},
    {NEEDED "\tapi_key=aWQ6a2V5==", NO_API_KEY},
    {NEEDED "\tkeystore=" SECRET, UNKNOWN("keystore")},
    {NEEDED "\thosts=*", UNKNOWN("hosts")},
    {NEEDED "\tca=/x=y", NO_PATH("ca")},
    {NEEDED "\tca=x/" SECRET, NO_PATH("ca")},
    {NEEDED "\tca==", "\"ca\" is not a text of 2 to 511 characters"},
    /* twice, also the same */
    {NEEDED "\tindex=other", NO_INDEX},
    {NEEDED INDEX, NO_INDEX},
    {NEEDED QUEUE, NO_QUEUE},
    {NEEDED BYTES, NO_BYTES},
    {NEEDED "\tbytes=1", NO_BYTES},
    {NEEDED LOGIN LOGIN, TWICE("user")},
    {NEEDED LOGIN "\tuser=\tpassword=" SECRET, TWICE("password")},
    {NEEDED "\tapi_key=" SECRET "\tapi_key=" SECRET, TWICE("api_key")},
    {NEEDED "\tca=/" SECRET "\tca=/b", TWICE("ca")},
    {NEEDED "\tcert=/a\tcert=/" SECRET, TWICE("cert")},
    {NEEDED "\tkey=/a\tkey=/" SECRET, TWICE("key")},
    /* numbers */
    {WITH_BYTES "0", NO_BYTES},
    {WITH_BYTES "00", NO_BYTES},
    {WITH_BYTES "01", NO_BYTES},
    {WITH_BYTES "-1", NO_BYTES},
    {WITH_BYTES "+1", NO_BYTES},
    {WITH_BYTES " 1", NO_BYTES},
    {WITH_BYTES "1 ", NO_BYTES},
    {WITH_BYTES "1k", NO_BYTES},
    {WITH_BYTES "1.5", NO_BYTES},
    {WITH_BYTES "1e6", NO_BYTES},
    {WITH_BYTES "0x10", NO_BYTES},
    {WITH_BYTES SECRET, NO_BYTES},
    {WITH_BYTES "536870913", NO_BYTES},
    {WITH_BYTES "4294967296", NO_BYTES},
    {WITH_BYTES "4294967297", NO_BYTES},
    {WITH_BYTES "18446744073709551615", NO_BYTES},
    {WITH_BYTES "18446744073709551617", NO_BYTES},
    {WITH_BYTES S100, NO_BYTES},
    {WITH_BYTES "1" S100, NO_BYTES},
    /* what would lead elsewhere than to the index */
    {WITH_INDEX SECRET, NO_INDEX},
    {WITH_INDEX "a/_doc", NO_INDEX},
    {WITH_INDEX "../_all", NO_INDEX},
    {WITH_INDEX "a?pipeline=x", NO_INDEX},
    {WITH_INDEX "a#", NO_INDEX},
    {WITH_INDEX "a%2fb", NO_INDEX},
    {WITH_INDEX "a,b", NO_INDEX},
    {WITH_INDEX "*", NO_INDEX},
    {WITH_INDEX "a b", NO_INDEX},
    {WITH_INDEX "a\n", NO_INDEX},
    {WITH_INDEX "_all", NO_INDEX},
    {WITH_INDEX ".x", NO_INDEX},
    {WITH_INDEX "-x", NO_INDEX},
    {WITH_INDEX "\xc3\xa9", NO_INDEX},
    /* URLs: url.h has the other ways to be wrong */
    {WITH_URL("es1"), SCHEME},
    {WITH_URL("ftp://" SECRET), SCHEME},
    {WITH_URL("file:///etc/passwd"), SCHEME},
    {WITH_URL(" http://es1"), SCHEME},
    {WITH_URL("http://u:" SECRET "@es1"), USER},
    {WITH_URL("http://" SECRET "@es1:9200"), USER},
    {WITH_URL("http://es1/" SECRET), PATH},
    {WITH_URL("http://es1:9200/" SECRET "/_bulk"), PATH},
    {WITH_URL("http://es1?" SECRET), PATH},
    {WITH_URL("http://es1#" SECRET), PATH},
    {WITH_URL("http://es1:" SECRET), PORT},
    {WITH_URL("http://es1:0"), PORT},
    {WITH_URL("http://es1\\" SECRET), HOST},
    {WITH_URL("http://es1\""), HOST},
    {WITH_URL("http://es1 "), HOST},
    {WITH_URL("http://es1\n"), HOST},
    {WITH_URL("http://" S500), "url: is too long"},
    {WITH_URL("http://"), "url: has no host"},
    {NEEDED "\turl=http://es2/" SECRET, PATH},
    {NEEDED LOGIN "\turl=http://u:" SECRET "@es2", USER},
};

static void bad_ones_leave_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_refused(bad[i].text, bad[i].why);
}

/* ---- limits -------------------------------------------------------------- */

#define RANGE(of, least, most) "\"" of "\" is not a text of " least " to " most " characters"

static const struct {
    const char *before, *name;
    const char *begin;
    size_t most; /* characters */
    const char *why;
} texts[] = {
    {URL BYTES INDEX, "queue", "/", CREDENTIAL_PATH - 1, NO_QUEUE},
    {NEEDED "\tpassword=" SECRET, "user", "", CREDENTIAL_SECRET - 1, RANGE("user", "1", "256")},
    {NEEDED "\tuser=u", "password", SECRET, CREDENTIAL_SECRET - 1, RANGE("password", "6", "256")},
    {NEEDED, "ca", "/", CREDENTIAL_PATH - 1, RANGE("ca", "2", "511")},
    {NEEDED "\tkey=/k", "cert", "/", CREDENTIAL_PATH - 1, RANGE("cert", "2", "511")},
    {NEEDED "\tcert=/c", "key", "/", CREDENTIAL_PATH - 1, RANGE("key", "2", "511")},
    {NEEDED, "api_key", "id:", CREDENTIAL_SECRET - 1, NULL},
};

/* The settings of a row with a value of `len` characters. */
static void with_length(size_t row, size_t len, char *ret, size_t size)
{
    static char many[2000];
    size_t middle = len - strlen(texts[row].begin);
    memset(many, 'v', sizeof many);
    int n = snprintf(ret, size, "%s\t%s=%s%.*s", texts[row].before, texts[row].name,
                     texts[row].begin, (int)middle, many);
    assert_in_range(n, 1, size - 1);
}

static void values_end_at_their_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        static const size_t over[] = {1, 2, 255, 1000};
        char text[3000];
        struct destination to;
        with_length(i, texts[i].most, text, sizeof text);
        parse(text, &to);
        destination_release(&to);
        for (size_t k = 0; k < COUNT(over); k++) {
            with_length(i, texts[i].most + over[k], text, sizeof text);
            bool encoded = !texts[i].why && texts[i].most + over[k] < CREDENTIAL_SECRET * 2;
            assert_refused(text, texts[i].why ? texts[i].why
                                 : encoded    ? NO_API_KEY
                                              : RANGE("api_key", "1", "513"));
        }
    }
}

static void an_index_has_a_hundred_characters(void **state)
{
    (void)state;
    struct destination to;
    parse(WITH_INDEX S100, &to);
    assert_string_equal(to.index, S100);
    destination_release(&to);
    assert_refused(WITH_INDEX S100 "0", NO_INDEX);
    assert_refused(WITH_INDEX S500, NO_INDEX);
}

static void url_list(size_t n, char *ret, size_t size)
{
    size_t len = (size_t)snprintf(ret, size, "%s", INDEX_FIRST BYTES QUEUE);
    for (size_t i = 1; i <= n; i++)
        len += (size_t)snprintf(ret + len, size - len, "\turl=https://es%zu/", i);
    assert_in_range(len, 1, size - 1);
}

static void sixteen_urls_are_the_most(void **state)
{
    (void)state;
    struct destination to;
    char text[3000];
    url_list(16, text, sizeof text);
    parse(text, &to);
    assert_int_equal(to.urls, 16);
    assert_string_equal(to.url[0], "https://es1:9200");
    assert_string_equal(to.url[15], "https://es16:9200");
    assert_string_equal(to.index, "plossys-log");
    destination_release(&to);
    url_list(17, text, sizeof text);
    assert_refused(text, "url: more than 16");
    url_list(100, text, sizeof text);
    assert_refused(text, "url: more than 16");
}

static void the_longest_host_has_its_room(void **state)
{
    (void)state;
    struct destination to;
    char host[254], text[600], url[URL_TEXT];
    for (size_t i = 0; i < sizeof host - 1; i++)
        host[i] = i % 60 == 59 ? '.' : 'a';
    host[sizeof host - 1] = '\0';
    (void)snprintf(url, sizeof url, "https://%s:65535", host);
    (void)snprintf(text, sizeof text, "%s\turl=%s/", NEEDED, url);
    parse(text, &to);
    assert_string_equal(to.url[1], url);
    destination_release(&to);
}

/* Whatever byte is changed: all or nothing, and the secret never told. */
static void every_byte_at_every_place(void **state)
{
    (void)state;
    static const char model[] = NEEDED LOGIN "\tca=/ca.pem\tcert=/c\tkey=/k";
    for (size_t at = 0; at < strlen(model); at++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[sizeof model];
            struct destination to;
            struct error err = {0};
            memcpy(text, model, sizeof model);
            text[at] = (char)byte;
            int rc = destination_parse(text, &to, &err);
            assert_true(rc == 0 || rc == -EINVAL);
            assert_int_equal(is_zero(&to), rc < 0);
            assert_int_equal(err.text[0] == '\0', rc == 0);
            assert_null(strstr(err.text, SECRET));
            destination_release(&to);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_its_place),
        cmocka_unit_test(good_ones_are_taken),
        cmocka_unit_test(bad_ones_leave_nothing),
        cmocka_unit_test(values_end_at_their_limits),
        cmocka_unit_test(an_index_has_a_hundred_characters),
        cmocka_unit_test(sixteen_urls_are_the_most),
        cmocka_unit_test(the_longest_host_has_its_room),
        cmocka_unit_test(every_byte_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
