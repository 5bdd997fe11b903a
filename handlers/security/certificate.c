/* SPDX-License-Identifier: MIT */
#include "security/certificate.h"

#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Tags of DER (ITU-T X.690). */
#define DER_INTEGER     0x02
#define DER_UTC_TIME    0x17
#define DER_TIME        0x18
#define DER_SEQUENCE    0x30
#define DER_VERSION     0xa0
#define CERTIFICATE_MAX 65536 /* bytes of one in PEM */

/* Bytes that are still to be read. */
struct der {
    const unsigned char *at, *end;
};

/* The next element: what is in it, and whether it has that tag. It is passed over. */
static bool next(struct der *der, unsigned char tag, struct der *ret)
{
    size_t len = 0;
    if (der->end - der->at < 2 || der->at[0] != tag)
        return false;
    size_t first = der->at[1];
    der->at += 2;
    if (first < 0x80) {
        len = first;
    } else {
        size_t bytes = first & 0x7f;
        if (bytes == 0 || bytes > 3 || (size_t)(der->end - der->at) < bytes)
            return false;
        while (bytes-- > 0)
            len = len << 8 | *der->at++;
    }
    if ((size_t)(der->end - der->at) < len)
        return false;
    *ret = (struct der){der->at, der->at + len};
    der->at += len;
    return true;
}

/* "YYMMDDhhmmssZ", from 1950 on, or "YYYYMMDDhhmmssZ" (RFC 5280 section 4.1.2.5). */
static bool read_time(struct der *der, int64_t *ret_s)
{
    char text[20];
    int year = 0;
    struct tm tm = {0};
    struct der time;
    bool two = next(der, DER_UTC_TIME, &time);
    if (!two && !next(der, DER_TIME, &time))
        return false;
    size_t len = (size_t)(time.end - time.at);
    if (len != (two ? 13 : 15))
        return false;
    memcpy(text, time.at, len);
    text[len] = '\0';
    if (strspn(text, "0123456789") != len - 1 || text[len - 1] != 'Z' ||
        sscanf(text, two ? "%2d%2d%2d%2d%2d%2d" : "%4d%2d%2d%2d%2d%2d", &year, &tm.tm_mon,
               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return false;
    tm.tm_year = two ? year + (year < 50 ? 100 : 0) : year - 1900;
    tm.tm_mon--;
    *ret_s = timegm(&tm);
    return true;
}

/* Certificate, in it tbsCertificate, in it [version,] serialNumber, signature, issuer, validity. */
static bool read_der(const unsigned char *bytes, size_t len, struct certificate *ret)
{
    struct der der = {bytes, bytes + len}, all, tbs, part;
    if (!next(&der, DER_SEQUENCE, &all) || !next(&all, DER_SEQUENCE, &tbs))
        return false;
    (void)next(&tbs, DER_VERSION, &part);
    return next(&tbs, DER_INTEGER, &part) && next(&tbs, DER_SEQUENCE, &part) &&
           next(&tbs, DER_SEQUENCE, &part) && next(&tbs, DER_SEQUENCE, &part) &&
           read_time(&part, &ret->from_s) && read_time(&part, &ret->until_s);
}

/* len bytes of base64 with line feeds. */
static bool read_one(const char *text, size_t len, struct certificate *ret)
{
    char *bytes = NULL;
    size_t n = 0;
    char *base64 = malloc(len + 1);
    if (!base64)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]))
            base64[n++] = text[i];
    base64[n] = '\0';
    bool good = base64_decode(base64, &bytes, &n) == 0 &&
                read_der((const unsigned char *)bytes, n, ret);
    free(base64);
    free(bytes);
    return good;
}

int certificate_read(const char *pem, struct certificate *ret, struct error *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    bool any = false;
    for (const char *at = pem; (at = strstr(at, begin)); any = true) {
        struct certificate one;
        at += sizeof begin - 1;
        const char *stop = strstr(at, end);
        if (!stop || stop - at > CERTIFICATE_MAX || !read_one(at, (size_t)(stop - at), &one))
            return error_set(err, -EBADMSG, "there is a damaged certificate in it");
        if (!any || one.from_s > ret->from_s)
            ret->from_s = one.from_s;
        if (!any || one.until_s < ret->until_s)
            ret->until_s = one.until_s;
    }
    return any ? 0 : error_set(err, -ENOENT, "there is no certificate in it");
}

/* The day alone: the text is the same until then. */
static const char *day(int64_t s, char ret[20])
{
    time_t time = (time_t)s;
    struct tm tm = {0};
    (void)gmtime_r(&time, &tm);
    (void)strftime(ret, 20, "%Y-%m-%d", &tm);
    return ret;
}

void certificate_judge(const struct certificate *certificate, const char *name, const char *renew,
                       int64_t now_s, struct findings *findings)
{
    char date[20];
    if (now_s < certificate->from_s)
        finding_add(findings, FINDING_CERTIFICATE_EARLY, "%.180s is valid from %s on", name,
                    day(certificate->from_s, date));
    else if (now_s >= certificate->until_s)
        finding_add(findings, FINDING_CERTIFICATE_EXPIRED, "%.180s has expired on %s", name,
                    day(certificate->until_s, date));
    else if (certificate->until_s - now_s < CERTIFICATE_SOON_S)
        finding_add(findings, FINDING_CERTIFICATE_EXPIRES, "%.180s expires on %s", name,
                    day(certificate->until_s, date));
    else
        return;
    finding_repair(findings, "%s",
                   now_s < certificate->from_s
                       ? "is the clock of this server right (cluster:clock)? Else "
                         "put one there that is valid"
                       : renew);
}
