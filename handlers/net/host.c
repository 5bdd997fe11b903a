/* SPDX-License-Identifier: MIT */
#include "net/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 63

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

/* Addresses that share the first `bits`. IPv4 lies in ::ffff:0:0/96, so that a mapped
 * address is the same address. */
struct range {
    uint8_t bytes[16];
    int bits; /* 0..128 */
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct range *range)
{
    return range->bits >= 96 && memcmp(range->bytes, mapped, sizeof mapped) == 0;
}

static bool parse_address(const char *text, struct range *ret)
{
    ret->bits = 128;
    if (inet_pton(AF_INET6, text, ret->bytes) == 1)
        return true;
    memcpy(ret->bytes, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, ret->bytes + sizeof mapped) == 1;
}

/* "ADDRESS/BITS" */
static bool parse_range(const char *text, struct range *ret)
{
    char address[HOST_TEXT];
    size_t len = strcspn(text, "/");
    const char *bits = text + len + 1;
    if (len >= sizeof address || text[len] != '/' || strlen(bits) > 3 || *bits == '\0' ||
        bits[strspn(bits, DIGITS)] != '\0' || (*bits == '0' && bits[1] != '\0'))
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!parse_address(address, ret))
        return false;
    int most = strchr(address, ':') ? 128 : 32;
    int n = (int)strtol(bits, NULL, 10);
    ret->bits = 128 - most + n;
    return n <= most;
}

static bool covers(const struct range *range, const struct range *part)
{
    size_t whole = (size_t)range->bits / 8;
    int rest = range->bits % 8;
    if (part->bits < range->bits || is_ipv4(range) != is_ipv4(part) ||
        memcmp(range->bytes, part->bytes, whole) != 0)
        return false;
    unsigned differing = rest ? range->bytes[whole] ^ part->bytes[whole] : 0U;
    return differing >> (8 - rest) == 0;
}

static bool is_local_range(const struct range *range)
{
    static const char *const local[] = {"127.0.0.0/8", "0.0.0.0/8", "169.254.0.0/16", "::/96",
                                        "fe80::/10"};
    for (size_t i = 0; i < COUNT(local); i++) {
        struct range known;
        if (parse_range(local[i], &known) && covers(&known, range))
            return true;
    }
    return false;
}

static bool is_local_name(const char *name)
{
    static const char *const own[] = {"localhost", "localhost4", "localhost6", "ip6-localhost",
                                      "ip6-loopback"};
    const char *dot = strrchr(name, '.');
    size_t first = strcspn(name, ".");
    for (size_t i = 0; i < COUNT(own); i++) {
        if (strlen(own[i]) == first && strncmp(name, own[i], first) == 0)
            return true;
    }
    return dot && strcmp(dot + 1, "localhost") == 0;
}

bool host_is_local(const char *host)
{
    struct range range;
    return parse_address(host, &range) ? is_local_range(&range) : is_local_name(host);
}

/* As URL parsers have it: the last label is digits, or 0x and hexadecimal digits. */
static bool ends_in_number(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    if (last[0] == '0' && last[1] == 'x')
        return last[2 + strspn(last + 2, DIGITS "abcdef")] == '\0';
    return last[strspn(last, DIGITS)] == '\0';
}

static int check_label(const char *label, size_t len, struct error *err)
{
    if (len == 0)
        return error_set(err, -EINVAL, "has an empty part in its host, between dots");
    if (len > LABEL_MAX)
        return error_set(err, -EINVAL, "has a part of more than %d characters in its host",
                         LABEL_MAX);
    if (label[0] == '-' || label[len - 1] == '-')
        return error_set(err, -EINVAL, "has a '-' at an end of a part of its host");
    return 0;
}

static int check_name(const char *name, struct error *err)
{
    if (name[strspn(name, LETTERS DIGITS ".-")] != '\0')
        return error_set(err, -EINVAL,
                         "has other characters than letters, digits, '.' and '-' in its host");
    for (const char *label = name;; label++) {
        size_t len = strcspn(label, ".");
        int rc = check_label(label, len, err);
        if (rc < 0)
            return rc;
        label += len;
        if (*label == '\0')
            break;
    }
    uint8_t address[4];
    if (ends_in_number(name) && inet_pton(AF_INET, name, address) != 1)
        return error_set(err, -EINVAL,
                         "has a host that ends in a number but is not a complete IPv4 address");
    return 0;
}

static int normalise_ipv6(const char *text, char ret[HOST_TEXT], struct error *err)
{
    uint8_t address[16];
    if (inet_pton(AF_INET6, text, address) != 1 || !inet_ntop(AF_INET6, address, ret, HOST_TEXT))
        return error_set(err, -EINVAL, "has no valid IPv6 address (without zone) as host");
    return 0;
}

int host_normalise(const char *text, char ret[HOST_TEXT], struct error *err)
{
    char lower[HOST_TEXT] = "";
    size_t len = strlen(text);
    if (len == 0)
        return error_set(err, -EINVAL, "has no host");
    if (len >= sizeof lower)
        return error_set(err, -EINVAL, "has a host of more than %d characters", HOST_TEXT - 1);
    if (strchr(text, ':'))
        return normalise_ipv6(text, ret, err);
    for (size_t i = 0; i <= len; i++)
        lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    int rc = check_name(lower, err);
    if (rc == 0)
        memcpy(ret, lower, len + 1);
    return rc;
}

static int entry_range(const char *text, char ret[HOST_TEXT], struct error *err)
{
    struct range range;
    if (strlen(text) >= HOST_TEXT || !parse_range(text, &range))
        return error_set(err, -EINVAL, "is not a range such as 10.0.0.0/8 or fd00::/8");
    memcpy(ret, text, strlen(text) + 1);
    return 0;
}

static int entry_domain(const char *domain, char ret[HOST_TEXT], struct error *err)
{
    char name[HOST_TEXT];
    struct range range;
    int rc = host_normalise(domain, name, err);
    if (rc < 0)
        return rc;
    if (parse_address(name, &range) || strlen(name) + 2 >= HOST_TEXT)
        return error_set(err, -EINVAL, "\"*.\" needs a domain name after it");
    (void)snprintf(ret, HOST_TEXT, "*.%.*s", HOST_TEXT - 3, name);
    return 0;
}

int host_entry(const char *text, char ret[HOST_TEXT], struct error *err)
{
    if (strchr(text, '/'))
        return entry_range(text, ret, err);
    if (strncmp(text, "*.", 2) == 0)
        return entry_domain(text + 2, ret, err);
    if (strcmp(text, "*") != 0)
        return host_normalise(text, ret, err);
    memcpy(ret, text, 2);
    return 0;
}

static bool name_allowed(const char *host, const char *entry)
{
    if (strncmp(entry, "*.", 2) != 0)
        return strcmp(host, entry) == 0;
    size_t len = strlen(host), tail = strlen(entry + 1);
    return len > tail && strcmp(host + len - tail, entry + 1) == 0 &&
           (!is_local_name(host) || is_local_name(entry + 2));
}

bool host_allowed(const char *host, const char *entry)
{
    struct range address, range;
    bool local = host_is_local(host);
    if (strcmp(entry, "*") == 0)
        return !local;
    bool is_range = parse_range(entry, &range) || parse_address(entry, &range);
    if (!parse_address(host, &address))
        return !is_range && name_allowed(host, entry);
    return is_range && covers(&range, &address) && (!local || is_local_range(&range));
}
