/* SPDX-License-Identifier: MIT */
#include "settings/setting_value.h"

#include "base/duration.h"
#include "base/text.h"
#include "net/host.h"
#include "net/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DIGITS  "0123456789"
#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define NODE_CHARACTERS LETTERS DIGITS "_.-"

/* ---- the barrier --------------------------------------------------------- */

static int refuse_byte(const char *text, size_t len, size_t at, struct error *err)
{
    unsigned byte = (unsigned char)text[at];
    if (byte == '\n' && at + 1 == len)
        return error_set(err, -EINVAL, "ends in a line break");
    if (byte == ' ')
        return error_set(err, -EINVAL, "holds a space");
    if (byte > 0x20 && byte < 0x7f)
        return error_set(err, -EINVAL, "holds the character %c", (char)byte);
    return error_set(err, -EINVAL, "holds a byte that is not printable ASCII (0x%02x)", byte);
}

int setting_value_barrier(const char *text, size_t len, bool words, struct error *err)
{
    if (len == 0)
        return error_set(err, -EINVAL, "is empty");
    if (len > SETTING_VALUE_MAX)
        return error_set(err, -EINVAL, "has %zu bytes, %d are the limit", len, SETTING_VALUE_MAX);
    for (size_t i = 0; i < len; i++) {
        bool between = words && i > 0 && i + 1 < len && text[i - 1] != ' ';
        if (text[i] == ' ' && between)
            continue;
        if (!text_passes(text[i]))
            return refuse_byte(text, len, i, err);
    }
    return 0;
}

/* ---- words and names ----------------------------------------------------- */

int setting_value_yes_no(const char *text, bool *ret, struct error *err)
{
    if (strcmp(text, "Y") != 0 && strcmp(text, "N") != 0)
        return error_set(err, -EINVAL, "is neither Y nor N");
    *ret = *text == 'Y';
    return 0;
}

int setting_value_word(const char *text, const char *const *words, size_t n, int *ret_index,
                       struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_index = (int)i;
            return 0;
        }
    }
    return error_set(err, -EINVAL, "is unknown");
}

/* Copy text of at most size - 1 characters, all of them among `allowed`, the first one
 * among `first`. */
static int copy_name(const char *text, const char *first, const char *allowed, char *ret,
                     size_t size, struct error *err)
{
    size_t len = strlen(text), good = strspn(text, allowed);
    if (len == 0)
        return error_set(err, -EINVAL, "is empty");
    if (len >= size)
        return error_set(err, -EINVAL, "has %zu characters, %zu are the limit", len, size - 1);
    if (good < len)
        return error_set(err, -EINVAL, "holds the character %c", text[good]);
    if (!strchr(first, text[0]))
        return error_set(err, -EINVAL, "begins with %c", text[0]);
    memcpy(ret, text, len + 1);
    return 0;
}

int setting_value_index(const char *text, char ret[SETTING_VALUE_INDEX], struct error *err)
{
    return copy_name(text, LOWER DIGITS, LOWER DIGITS "._-", ret, SETTING_VALUE_INDEX, err);
}

int setting_value_source(const char *text, char ret[SETTING_VALUE_SOURCE], struct error *err)
{
    return copy_name(text, LETTERS DIGITS, LETTERS DIGITS "_-", ret, SETTING_VALUE_SOURCE, err);
}

int setting_value_service(const char *text, char ret[SETTING_VALUE_SERVICE], struct error *err)
{
    if (strncmp(text, "consul:", 7) != 0)
        return error_set(err, -EINVAL, "does not begin with consul:");
    return copy_name(text + 7, LETTERS DIGITS, NODE_CHARACTERS, ret, SETTING_VALUE_SERVICE, err);
}

static int copy_node(const char *text, char ret[SETTING_VALUE_NAME + 1], struct error *err)
{
    return copy_name(text, NODE_CHARACTERS, NODE_CHARACTERS, ret, SETTING_VALUE_NAME + 1, err);
}

int setting_value_node_or_host(const char *text, char ret[SETTING_VALUE_HOST], struct error *err)
{
    char inner[SETTING_VALUE_HOST];
    size_t len = strlen(text);
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (!strchr(text, ':'))
        return copy_name(text, NODE_CHARACTERS, NODE_CHARACTERS, ret, SETTING_VALUE_HOST, err);
    (void)snprintf(inner, sizeof inner, "%.*s", (int)(brackets ? len - 2 : len), text + brackets);
    return host_normalise(inner, ret, err);
}

int setting_value_duration(const char *text, int64_t most_us, int64_t *ret_us, struct error *err)
{
    int64_t us = 0;
    char most[DURATION_TEXT];
    int rc = duration_parse(text, &us);
    if (rc == -EINVAL)
        return error_set(err, -EINVAL, "is not a duration");
    if (rc < 0 || us > most_us)
        return error_set(err, -EINVAL, "is more than %s", duration_format(most_us, most));
    *ret_us = us;
    return 0;
}

/* ---- lists --------------------------------------------------------------- */

#define ITEMS_MAX 64

struct items {
    char text[SETTING_VALUE_MAX + 1]; /* the list, commas replaced by NULs */
    char *item[ITEMS_MAX];
    size_t n;
};

static int cut_items(const char *text, size_t most, struct items *ret, struct error *err)
{
    (void)snprintf(ret->text, sizeof ret->text, "%s", text);
    ret->n = 0;
    for (char *at = ret->text, *next = at; next; at = next) {
        next = strchr(at, ',');
        if (next)
            *next++ = '\0';
        if (*at == '\0')
            return error_set(err, -EINVAL, "has an empty item (%zu)", ret->n + 1);
        if (ret->n == most || ret->n == ITEMS_MAX)
            return error_set(err, -EINVAL, "has more than %zu items", most);
        ret->item[ret->n++] = at;
    }
    return 0;
}

/* Say which item a text is about, unless there is but one. */
static int in_item(const struct items *items, size_t i, struct error *err)
{
    return items->n == 1 || !err
               ? -EINVAL
               : error_set(err, -EINVAL, "does not fit: item %zu %s", i + 1, err->text);
}

struct list_type {
    int (*parse)(const char *item, char *ret, struct error *err);
    size_t size; /* bytes of an item of ret; what parse() does not fill is zero */
};

static int parse_list(const char *text, size_t most, const struct list_type *type, char *ret,
                      size_t *ret_n, struct error *err)
{
    const size_t size = type->size;
    struct items items;
    int rc = cut_items(text, most, &items, err);
    for (size_t k = 0; rc == 0 && k < items.n; k++) {
        memset(ret + k * size, 0, size);
        if (type->parse(items.item[k], ret + k * size, err) < 0)
            return in_item(&items, k, err);
        for (size_t i = 0; i < k; i++) {
            if (memcmp(ret + i * size, ret + k * size, size) == 0)
                return error_set(err, -EINVAL, "has the same as items %zu and %zu", i + 1, k + 1);
        }
    }
    if (rc == 0)
        *ret_n = items.n;
    return rc;
}

int setting_value_sources(const char *text, char (*ret)[SETTING_VALUE_SOURCE], size_t most,
                          size_t *ret_n, struct error *err)
{
    static const struct list_type sources = {setting_value_source, sizeof *ret};
    return parse_list(text, most, &sources, *ret, ret_n, err);
}

static int parse_url(const char *text, char *ret, struct error *err)
{
    struct url url;
    int rc = url_parse(text, &url, err);
    if (rc == 0)
        (void)url_format(&url, ret);
    return rc;
}

int setting_value_urls(const char *text, char (*ret)[URL_TEXT], size_t most, size_t *ret_n,
                       struct error *err)
{
    static const struct list_type urls = {parse_url, sizeof *ret};
    return parse_list(text, most, &urls, *ret, ret_n, err);
}

static int parse_server(const char *text, int port, char *ret, struct error *err)
{
    struct host_port *server = (struct host_port *)(void *)ret;
    struct url url;
    int rc = url_parse_authority(text, port, &url, err);
    if (rc == 0) {
        (void)snprintf(server->host, sizeof server->host, "%s", url.host);
        server->port = url.port;
    }
    return rc;
}

static int parse_ntp_server(const char *text, char *ret, struct error *err)
{
    return parse_server(text, SETTING_VALUE_NTP_PORT, ret, err);
}

static int parse_mongodb_server(const char *text, char *ret, struct error *err)
{
    return parse_server(text, SETTING_VALUE_MONGODB_PORT, ret, err);
}

int setting_value_ntp_servers(const char *text, struct host_port *ret, size_t most, size_t *ret_n,
                              struct error *err)
{
    static const struct list_type servers = {parse_ntp_server, sizeof *ret};
    return parse_list(text, most, &servers, (char *)ret, ret_n, err);
}

int setting_value_mongodb(const char *text, struct host_port *ret, size_t most, size_t *ret_n,
                          struct error *err)
{
    static const struct list_type servers = {parse_mongodb_server, sizeof *ret};
    static const char scheme[] = "mongodb://";
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return error_set(err, -EINVAL, "does not begin with mongodb://");
    text += sizeof scheme - 1;
    if (strchr(text, '@'))
        return error_set(err, -EINVAL, "holds a user or a password");
    if (strpbrk(text, "/?"))
        return error_set(err, -EINVAL, "holds a database or options");
    return parse_list(text, most, &servers, (char *)ret, ret_n, err);
}

/* ---- servers ------------------------------------------------------------- */

/* "server_<N>=NODE": fills in ret[N-1], which must be free. */
static int place_server(const char *item, size_t n, char (*ret)[SETTING_VALUE_NAME + 1],
                        struct error *err)
{
    const char *number = item + strlen("server_");
    size_t digits = strncmp(item, "server_", 7) == 0 ? strspn(number, DIGITS) : 0;
    if (digits == 0 || number[digits] != '=' || number[0] == '0')
        return error_set(err, -EINVAL, "is not server_<number>=<node>");
    long place = digits > 3 ? 1000 : strtol(number, NULL, 10);
    if (place > (long)n)
        return error_set(err, -EINVAL, "has a number above %zu: no gap is allowed from server_1 on",
                         n);
    if (ret[place - 1][0] != '\0')
        return error_set(err, -EINVAL, "is a second server_%ld", place);
    return copy_node(number + digits + 1, ret[place - 1], err);
}

static int refuse_twins(char (*nodes)[SETTING_VALUE_NAME + 1], size_t n, struct error *err)
{
    for (size_t k = 1; k < n; k++) {
        for (size_t i = 0; i < k; i++) {
            if (strcasecmp(nodes[i], nodes[k]) == 0)
                return error_set(err, -EINVAL, "has the same node as server_%zu and server_%zu",
                                 i + 1, k + 1);
        }
    }
    return 0;
}

int setting_value_servers(const char *text, char (*ret)[SETTING_VALUE_NAME + 1], size_t most,
                          size_t *ret_n, struct error *err)
{
    struct items items;
    int rc = cut_items(text, most, &items, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < items.n; i++)
        ret[i][0] = '\0';
    for (size_t i = 0; i < items.n; i++) {
        if (place_server(items.item[i], items.n, ret, err) < 0)
            return in_item(&items, i, err);
    }
    rc = refuse_twins(ret, items.n, err);
    if (rc == 0 && (items.n < 3 || items.n % 2 == 0))
        rc = error_set(err, -EINVAL, "has %zu server%s: an odd number, three or more, is needed",
                       items.n, items.n == 1 ? "" : "s");
    if (rc == 0)
        *ret_n = items.n;
    return rc;
}

/* ---- point in time ------------------------------------------------------- */

static int number_at(const char *digits)
{
    return (int)strtol(digits, NULL, 10);
}

/* "YYYY-MM-DDThh:mmZ", every field as wide as that. */
static int parse_minute(const char *text, int64_t *ret_s, struct error *err)
{
    static const char shape[] = "dddd-dd-ddTdd:ddZ";
    struct tm tm = {0};
    bool fits = strlen(text) == strlen(shape);
    for (size_t i = 0; fits && shape[i]; i++)
        fits = shape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == shape[i];
    if (!fits)
        return error_set(err, -EINVAL, "has no end as 2026-11-23T18:00Z (UTC)");
    tm.tm_year = number_at(text) - 1900;
    tm.tm_mon = number_at(text + 5) - 1;
    tm.tm_mday = number_at(text + 8);
    tm.tm_hour = number_at(text + 11);
    tm.tm_min = number_at(text + 14);
    struct tm same = tm;
    *ret_s = (int64_t)timegm(&same);
    if (same.tm_mon != tm.tm_mon || same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min)
        return error_set(err, -EINVAL, "has an end that is not a date and time");
    if (tm.tm_year < 120 || tm.tm_year > 199)
        return error_set(err, -EINVAL, "has a year outside 2020 to 2099");
    return 0;
}

int setting_value_until(const char *text, char ret_node[SETTING_VALUE_NAME + 1], int64_t *ret_s,
                        struct error *err)
{
    char node[SETTING_VALUE_MAX + 1];
    int64_t end = 0;
    const char *until = strstr(text, " until ");
    if (!until)
        return error_set(err, -EINVAL, "is not <node> until <end>");
    (void)snprintf(node, sizeof node, "%.*s", (int)(until - text), text);
    int rc = parse_minute(until + strlen(" until "), &end, err);
    if (rc == 0)
        rc = copy_node(node, ret_node, err);
    if (rc == 0)
        *ret_s = end;
    return rc;
}

/* ---- a value in a text ---------------------------------------------------- */

static size_t scheme_length(const char *value)
{
    if (strncasecmp(value, "https://", 8) == 0)
        return 8;
    return strncasecmp(value, "http://", 7) == 0 ? 7 : 0;
}

const char *setting_value_echo(const char *value, size_t len, char ret[SETTING_VALUE_ECHO])
{
    char text[61];
    const char *at = memrchr(value, '@', len);
    const char *rest = at ? at : value;
    size_t left = len - (size_t)(rest - value);
    size_t head = at ? scheme_length(value) : 0;
    size_t room = sizeof text - 1 - head;
    text_copy_bytes(ret, SETTING_VALUE_ECHO, value, head);
    text_copy_bytes(text, sizeof text, rest, left < room ? left : room);
    (void)snprintf(ret + head, SETTING_VALUE_ECHO - head, "%s%s%s", at ? "***" : "", text,
                   left > room ? "..." : "");
    return ret;
}
