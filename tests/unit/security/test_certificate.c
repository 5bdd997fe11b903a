/* SPDX-License-Identifier: MIT */
/* The two dates of a certificate, of every form and of damaged ones. */
#include "security/certificate.h"

#include "base/base64.h"
#include "test.h"

#include <time.h>

/* The CA of "consul tls ca create". */
static const char real[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIC7jCCApSgAwIBAgIRAMaXuU/lDNJxBM0UUf3O4+AwCgYIKoZIzj0EAwIwgbkx\n"
                           "CzAJBgNVBAYTAlVTMQswCQYDVQQIEwJDQTEWMBQGA1UEBxMNU2FuIEZyYW5jaXNj\n"
                           "bzEaMBgGA1UECRMRMTAxIFNlY29uZCBTdHJlZXQxDjAMBgNVBBETBTk0MTA1MRcw\n"
                           "FQYDVQQKEw5IYXNoaUNvcnAgSW5jLjFAMD4GA1UEAxM3Q29uc3VsIEFnZW50IENB\n"
                           "IDI2Mzk3NDkzODU2Njc0MTE4NDEzMzQ4NTgzNzM0NDE4NjQ5MTg3MjAeFw0yNjEx\n"
                           "MjgwNjE5MDFaFw0zMTExMjcwNjE5MDFaMIG5MQswCQYDVQQGEwJVUzELMAkGA1UE\n"
                           "CBMCQ0ExFjAUBgNVBAcTDVNhbiBGcmFuY2lzY28xGjAYBgNVBAkTETEwMSBTZWNv\n"
                           "bmQgU3RyZWV0MQ4wDAYDVQQREwU5NDEwNTEXMBUGA1UEChMOSGFzaGlDb3JwIElu\n"
                           "Yy4xQDA+BgNVBAMTN0NvbnN1bCBBZ2VudCBDQSAyNjM5NzQ5Mzg1NjY3NDExODQx\n"
                           "MzM0ODU4MzczNDQxODY0OTE4NzIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARQ\n"
                           "wY0on3QLC1JQho85J1d6cCqGm6eUVF8AcvxWP26YqbF+4p4bDujMwpOThX62I/cG\n"
                           "4L5w+GUSZ4iEMh/c8QiOo3sweTAOBgNVHQ8BAf8EBAMCAYYwDwYDVR0TAQH/BAUw\n"
                           "AwEB/zApBgNVHQ4EIgQg6ahJYsEzdR2MWyNx5QUvLnyR1yKWHNWEIMk3SxAv9vAw\n"
                           "KwYDVR0jBCQwIoAg6ahJYsEzdR2MWyNx5QUvLnyR1yKWHNWEIMk3SxAv9vAwCgYI\n"
                           "KoZIzj0EAwIDSAAwRQIhALSTaRQe5KJC297po9atPR0mWpEC59L+8q8tefSKCCNl\n"
                           "AiBe8OH//kp5KMgTUo/e5zeLdU2GTUpOsJayQYKtY/YMpA==\n"
                           "-----END CERTIFICATE-----\n";

/* An element: tag, length in the form that is asked for, what is in it. */
struct bytes {
    unsigned char at[800];
    size_t n;
};

static void put(struct bytes *to, unsigned char tag, const struct bytes *what, int form)
{
    struct bytes all = {.n = 0};
    all.at[all.n++] = tag;
    if (form == 0 && what->n < 128) {
        all.at[all.n++] = (unsigned char)what->n;
    } else {
        all.at[all.n++] = 0x82;
        all.at[all.n++] = (unsigned char)(what->n >> 8);
        all.at[all.n++] = (unsigned char)what->n;
    }
    assert_in_range(to->n + all.n + what->n, 0, sizeof to->at);
    memcpy(to->at + to->n, all.at, all.n);
    memcpy(to->at + to->n + all.n, what->at, what->n);
    to->n += all.n + what->n;
}

static void put_time(struct bytes *to, const char *text)
{
    struct bytes time = {.n = strlen(text)};
    memcpy(time.at, text, time.n);
    put(to, time.n == 13 ? 0x17 : 0x18, &time, 0);
}

/* As much of a certificate as is read. */
static void make(struct bytes *ret, const char *from, const char *until, bool version, int form)
{
    struct bytes none = {.n = 0}, one = {.at = {1}, .n = 1}, number = {.n = 0};
    struct bytes validity = {.n = 0}, tbs = {.n = 0}, all = {.n = 0};
    put(&number, 0x02, &one, 0);
    put_time(&validity, from);
    put_time(&validity, until);
    if (version)
        put(&tbs, 0xa0, &number, form);
    put(&tbs, 0x02, &one, form);
    put(&tbs, 0x30, &none, form);   /* signature */
    put(&tbs, 0x30, &number, form); /* issuer */
    put(&tbs, 0x30, &validity, form);
    put(&all, 0x30, &tbs, form);
    ret->n = 0;
    put(ret, 0x30, &all, form);
}

static void to_pem(const struct bytes *der, char text[1500])
{
    char *base64 = base64_encode(der->at, der->n);
    assert_non_null(base64);
    (void)snprintf(text, 1500,
                   "-----BEGIN CERTIFICATE-----\r\n%.20s\n %s\n-----END CERTIFICATE-----\n", base64,
                   strlen(base64) > 20 ? base64 + 20 : "");
    free(base64);
}

static const char *shown(int64_t s, char text[40])
{
    time_t time = (time_t)s;
    struct tm tm;
    (void)strftime(text, 40, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&time, &tm));
    return text;
}

static const struct row {
    const char *from, *until;
    bool version;
    int form;
    const char *expected; /* "" damaged */
} rows[] = {
    {"261128061908Z", "311127061908Z", true, 0, "2026-11-28T06:19:08Z 2031-11-27T06:19:08Z"},
    {"261128061908Z", "311127061908Z", false, 0, "2026-11-28T06:19:08Z 2031-11-27T06:19:08Z"},
    {"261128061908Z", "311127061908Z", true, 1, "2026-11-28T06:19:08Z 2031-11-27T06:19:08Z"},
    {"500101000000Z", "491231235959Z", true, 0, "1950-01-01T00:00:00Z 2049-12-31T23:59:59Z"},
    {"20260101000000Z", "99991231235959Z", true, 0, "2026-01-01T00:00:00Z 9999-12-31T23:59:59Z"},
    {"2611280619080", "311127061908Z", true, 0, ""},
    {"26112806190 Z", "311127061908Z", true, 0, ""},
    {"-61128061908Z", "311127061908Z", true, 0, ""},
    {"20260101000000Z", "2026010100000Z", true, 0, ""},
};

static void dates_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes der;
        struct certificate c = {0};
        char pem[1500], from[40], until[40], text[90] = "";
        print_message("  %s %s\n", rows[i].from, rows[i].until);
        make(&der, rows[i].from, rows[i].until, rows[i].version, rows[i].form);
        to_pem(&der, pem);
        int rc = certificate_read(pem, &c, NULL);
        assert_int_equal(rc, *rows[i].expected ? 0 : -EBADMSG);
        if (rc == 0)
            (void)snprintf(text, sizeof text, "%s %s", shown(c.from_s, from),
                           shown(c.until_s, until));
        assert_string_equal(text, rows[i].expected);
    }
}

static void a_real_one_is_read(void **state)
{
    struct certificate c = {0};
    char from[40], until[40];
    (void)state;
    assert_int_equal(certificate_read(real, &c, NULL), 0);
    assert_string_equal(shown(c.from_s, from), "2026-11-28T06:19:01Z");
    assert_string_equal(shown(c.until_s, until), "2031-11-27T06:19:01Z");
}

/* Whatever is cut off or changed: no crash, no byte read beyond the end (make SAN=1). */
static void damaged_ones_are_refused(void **state)
{
    struct bytes der;
    struct certificate c = {0};
    char pem[1500];
    (void)state;
    make(&der, "261128061908Z", "311127061908Z", true, 1);
    const size_t whole = der.n;
    for (der.n = 0; der.n < whole; der.n++) {
        to_pem(&der, pem);
        assert_int_equal(certificate_read(pem, &c, NULL), -EBADMSG);
    }
    for (size_t i = 0; i < whole; i++)
        for (int bit = 0; bit < 8; bit++) {
            der.at[i] ^= (unsigned char)(1 << bit);
            to_pem(&der, pem);
            (void)!certificate_read(pem, &c, NULL);
            der.at[i] ^= (unsigned char)(1 << bit);
        }
}

static void the_time_in_which_all_are_valid_counts(void **state)
{
    struct bytes der;
    struct certificate c = {0};
    struct error err = {0};
    char first[1500], second[1500], both[3200], from[40], until[40];
    (void)state;
    make(&der, "250101000000Z", "300101000000Z", true, 0);
    to_pem(&der, first);
    make(&der, "260101000000Z", "270101000000Z", true, 0);
    to_pem(&der, second);
    (void)snprintf(both, sizeof both, "words\n%s# more\n%s", first, second);
    assert_int_equal(certificate_read(both, &c, &err), 0);
    assert_string_equal(shown(c.from_s, from), "2026-01-01T00:00:00Z");
    assert_string_equal(shown(c.until_s, until), "2027-01-01T00:00:00Z");
    assert_int_equal(certificate_read("", &c, &err), -ENOENT);
    assert_string_equal(err.text, "there is no certificate in it");
    assert_int_equal(certificate_read("-----BEGIN CERTIFICATE-----\nMA", &c, &err), -EBADMSG);
    assert_string_equal(err.text, "there is a damaged certificate in it");
}

/* 100 to 200 days after the epoch. */
static void each_time_has_its_finding(void **state)
{
    static const struct {
        int64_t now_s;
        const char *expected; /* "NAME: WHAT | REPAIR" */
    } times[] = {
        {100 * 86400 - 1,
         "certificate-early: /f is valid from 1970-04-11 on | is the clock of this server right "
         "(cluster:clock)? Else put one there that is valid"},
        {100 * 86400, ""},
        {170 * 86400, ""},
        {170 * 86400 + 1, "certificate-expires: /f expires on 1970-07-20 | renew"},
        {200 * 86400 - 1, "certificate-expires: /f expires on 1970-07-20 | renew"},
        {200 * 86400, "certificate-expired: /f has expired on 1970-07-20 | renew"},
    };
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        const struct certificate c = {100 * 86400, 200 * 86400};
        char text[700] = "";
        findings = (struct findings){0};
        certificate_judge(&c, "/f", "renew", times[i].now_s, &findings);
        if (findings.n > 0)
            (void)snprintf(text, sizeof text, "%s: %s | %s",
                           finding_row(findings.found[0].kind)->name, findings.found[0].what,
                           findings.found[0].repair);
        assert_string_equal(text, times[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(a_real_one_is_read),
        cmocka_unit_test(damaged_ones_are_refused),
        cmocka_unit_test(the_time_in_which_all_are_valid_counts),
        cmocka_unit_test(each_time_has_its_finding),
    };
    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
