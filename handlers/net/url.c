/* SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *skip_scheme(const char *text, bool *ret_https)
{
    *ret_https = strncasecmp(text, "https://", 8) == 0;
    if (*ret_https)
        return text + 8;
    return strncasecmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

/* `text` is what comes after the host: "" or ":PORT". */
static int parse_port(const char *text, int otherwise, int *ret, struct error *err)
{
    *ret = otherwise;
    if (*text == '\0')
        return 0;
    size_t digits = strspn(text + 1, "0123456789");
    bool plain = *text == ':' && text[1] != '0' && digits > 0 && digits <= 5 &&
                 text[1 + digits] == '\0';
    long port = plain ? strtol(text + 1, NULL, 10) : 0;
    if (port < 1 || port > 65535)
        return error_set(err, -EINVAL, "has a port that is not a number from 1 to 65535");
    *ret = (int)port;
    return 0;
}

/* Cut HOST[:PORT] or [IPV6][:PORT]: host is NUL-terminated, the rest returned. */
static char *cut_host(char **authority, struct error *err)
{
    char *host = *authority;
    char *colon = strchr(host, ':');
    char *end = strchr(host, ']');
    if (*host != '[' && (!colon || colon == strrchr(host, ':')))
        return colon ? colon : host + strlen(host);
    if (*host != '[' || !end || !colon || colon > end) {
        (void)error_set(err, -EINVAL, "has no IPv6 address in brackets: [fd00::1]");
        return NULL;
    }
    *end = '\0';
    *authority = host + 1;
    return end + 1;
}

int url_parse_authority(const char *text, int port, struct url *ret, struct error *err)
{
    char copy[URL_TEXT], *authority = copy;
    if (strlen(text) >= sizeof copy)
        return error_set(err, -EINVAL, "is too long");
    (void)snprintf(copy, sizeof copy, "%s", text);
    char *rest = cut_host(&authority, err);
    if (!rest)
        return -EINVAL;
    int rc = parse_port(rest, port, &ret->port, err);
    if (rc < 0)
        return rc;
    *rest = '\0';
    return host_normalise(authority, ret->host, err);
}

int url_parse(const char *text, struct url *ret, struct error *err)
{
    char authority[URL_TEXT];
    const char *rest = skip_scheme(text, &ret->https);
    if (!rest)
        return error_set(err, -EINVAL, "does not begin with http:// or https://");
    if (strchr(rest, '@'))
        return error_set(err, -EINVAL, "holds a user or a password");
    size_t len = strcspn(rest, "/?#");
    if (rest[len] != '\0' && strcmp(rest + len, "/") != 0)
        return error_set(err, -EINVAL, "holds a path or a query");
    if (len >= sizeof authority)
        return error_set(err, -EINVAL, "is too long");
    memcpy(authority, rest, len);
    authority[len] = '\0';
    return url_parse_authority(authority, URL_PORT, ret, err);
}

const char *url_format(const struct url *url, char ret[URL_TEXT])
{
    bool ipv6 = strchr(url->host, ':') != NULL;
    (void)snprintf(ret, URL_TEXT, "%s://%s%s%s:%d", url->https ? "https" : "http", ipv6 ? "[" : "",
                   url->host, ipv6 ? "]" : "", url->port);
    return ret;
}
