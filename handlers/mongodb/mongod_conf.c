/* SPDX-License-Identifier: MIT */
#include "mongodb/mongod_conf.h"

#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1 << 18)
#define LINE     512
#define DEPTH    6
#define PORT     27017

/* Where a line stands: the keys it is in, by their indentation. */
struct place_in_file {
    struct {
        size_t indent;
        char key[64];
    } in[DEPTH];
    size_t n;
};

/* Where a comment begins: '#' at the start or after a blank, not in quotes; else the end. */
static size_t find_comment(const char *line)
{
    char quote = '\0';
    size_t i = 0;
    for (; line[i]; i++) {
        bool mark = line[i] == '"' || line[i] == '\'';
        if (line[i] == '#' && !quote && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
            break;
        if (mark && (!quote || quote == line[i]))
            quote = quote ? '\0' : line[i];
    }
    return i;
}

static void cut_comment(char *line)
{
    size_t len = find_comment(line);
    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    line[len] = '\0';
}

static char *unquote(char *value)
{
    size_t len = strlen(value);
    if (len < 2 || (value[0] != '"' && value[0] != '\'') || value[len - 1] != value[0])
        return value;
    value[len - 1] = '\0';
    return value + 1;
}

/* "net.bindIp" of the line's key in its place, which then is the last one. */
static void name_of(struct place_in_file *place, size_t indent, const char *key, char ret[LINE])
{
    size_t used = 0;
    while (place->n > 0 && place->in[place->n - 1].indent >= indent)
        place->n--;
    if (place->n < DEPTH) {
        place->in[place->n].indent = indent;
        text_copy(place->in[place->n].key, sizeof place->in[0].key, key);
        place->n++;
    }
    ret[0] = '\0';
    for (size_t i = 0; i < place->n; i++)
        used += (size_t)snprintf(ret + used, LINE - used, "%s%s", i ? "." : "", place->in[i].key);
}

static bool is_everywhere(const char *bind)
{
    char copy[MONGOD_CONF_BIND];
    char *save = NULL;
    (void)snprintf(copy, sizeof copy, "%s", bind);
    for (char *word = strtok_r(copy, ", []", &save); word; word = strtok_r(NULL, ", []", &save))
        if (strcmp(word, "0.0.0.0") == 0 || strcmp(word, "::") == 0 || strcmp(word, "*") == 0)
            return true;
    return false;
}

static bool is_any(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

static void take(const char *name, const char *value, struct mongod_conf *ret)
{
    static const char *const ports[] = {"net.port", "port", NULL};
    static const char *const binds[] = {"net.bindIp", "bind_ip", "bindIp", NULL};
    static const char *const alls[] = {"net.bindIpAll", "bind_ip_all", "bindIpAll", NULL};
    static const char *const sets[] = {"replication.replSetName", "replication.replSet", "replSet",
                                       "replSetName", NULL};
    long port = is_any(name, ports) ? strtol(value, NULL, 10) : 0;
    if (port > 0 && port <= 65535)
        ret->port = (int)port;
    if (is_any(name, binds)) {
        text_copy(ret->bind, sizeof ret->bind, value);
        ret->everywhere = ret->everywhere || is_everywhere(value);
    }
    if (is_any(name, alls) && strcmp(value, "true") == 0)
        ret->everywhere = true;
    if (is_any(name, sets))
        text_copy(ret->set, sizeof ret->set, value);
}

static void read_line(char *line, struct place_in_file *place, struct mongod_conf *ret)
{
    char name[LINE];
    cut_comment(line);
    size_t indent = strspn(line, " ");
    char *key = line + indent;
    char *end = key + strcspn(key, ":=");
    if (*key == '\0' || *end == '\0' || *key == '-')
        return;
    char *value = end + 1 + strspn(end + 1, " \t");
    while (end > key && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    name_of(place, indent, unquote(key), name);
    take(name, unquote(value), ret);
}

void mongod_conf_parse(const char *text, size_t len, struct mongod_conf *ret)
{
    struct place_in_file place = {.n = 0};
    const char *end = text + len;
    *ret = (struct mongod_conf){.port = PORT};
    while (text < end) {
        char line[LINE];
        const char *feed = memchr(text, '\n', (size_t)(end - text));
        size_t here = (size_t)((feed ? feed : end) - text);
        (void)snprintf(line, sizeof line, "%.*s", (int)(here < LINE ? here : LINE - 1), text);
        read_line(line, &place, ret);
        text += here + 1;
    }
}

int mongod_conf_read(const char *path, struct mongod_conf *ret, struct error *err)
{
    struct buffer text = BUFFER_INIT(FILE_MAX);
    int rc = file_read(path, &text, err);
    mongod_conf_parse(buffer_text(&text), rc == 0 ? text.len : 0, ret);
    buffer_release(&text);
    return rc;
}
