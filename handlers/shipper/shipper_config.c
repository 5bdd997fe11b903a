/* SPDX-License-Identifier: MIT */
#include "shipper/shipper_config.h"

#include "base/buffer.h"
#include "base/duration.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/trust.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT "30s"
#define TIMEOUT_MAX_MS  300000
#define MODE_DEFAULT    "0640"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char service_set[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-";
static const char path_set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

/* ---- one member each ----------------------------------------------------- */

static int reject_member(const struct shipper_config *t, struct error *err, const char *member,
                         const char *why)
{
    return error_set(err, -EBADMSG, "%s: \"%s\" %s", t->path, member, why);
}

static int check_config_members(const struct shipper_config *t, struct error *err)
{
    static const char *const known[] = {
        "template", "destination", "escape",  "mode",  "validate", "reload",  "confirm",
        "stop",     "retire",      "timeout", "probe", "account",  "service", "variables"};
    const char *name = NULL;
    return json_members(t->root, known, COUNT(known), &name) == -ENOENT
               ? reject_member(t, err, name, "is not a known member")
               : 0;
}

static bool is_path(const char *text)
{
    size_t len = strlen(text);
    return *text == '/' && len > 1 && len < FILE_SET_PATH - 1 && text[len - 1] != '/' &&
           strspn(text, path_set) == len && !strstr(text, "/../") && !strstr(text, "//") &&
           strcmp(text + len - 2, "..") != 0;
}

static int read_destination(struct shipper_config *t, struct error *err)
{
    const char *text = json_text(t->root, "destination", "");
    if (!is_path(text))
        return reject_member(t, err, "destination", "must be an absolute path of A-Za-z0-9._/-");
    memcpy(t->destination, text, strlen(text) + 1);
    return 0;
}

static int read_service(struct shipper_config *t, struct error *err)
{
    const char *text = cJSON_HasObjectItem(t->root, "service") ? json_text(t->root, "service", "-")
                                                               : "";
    const size_t len = strlen(text);
    if (len >= sizeof t->service || *text == '-' || *text == '.' ||
        strspn(text, service_set) != len)
        return reject_member(t, err, "service", "must be the name of a service, of A-Za-z0-9@._-");
    memcpy(t->service, text, len + 1);
    return 0;
}

/* An optional one. */
static int read_path(const struct shipper_config *t, const char *name, char ret[FILE_SET_PATH],
                     struct error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(t->root, name);
    const char *text = json_text(t->root, name, "");
    if (!item)
        return 0;
    if (!is_path(text))
        return reject_member(t, err, name, "must be an absolute path of A-Za-z0-9._/-");
    memcpy(ret, text, strlen(text) + 1);
    return 0;
}

static int read_template(struct shipper_config *t, struct error *err)
{
    const char *text = json_text(t->root, "template", "");
    const char *slash = strrchr(t->path, '/');
    int dir = *text == '/' || !slash ? 0 : (int)(slash - t->path) + 1;
    int n = snprintf(t->template, sizeof t->template, "%.*s%s", dir, t->path, text);
    if (!*text || n < 0 || (size_t)n >= sizeof t->template)
        return reject_member(t, err, "template", "must be the name of a file");
    return 0;
}

static int read_escape(struct shipper_config *t, struct error *err)
{
    static const char *const known[] = {[MUSTACHE_RAINERSCRIPT] = "rainerscript",
                                        [MUSTACHE_YAML] = "yaml",
                                        [MUSTACHE_TOML] = "toml",
                                        [MUSTACHE_BEATS] = "beats"};
    const char *text = json_text(t->root, "escape", "");
    for (size_t i = 0; i < COUNT(known); i++) {
        if (strcmp(text, known[i]) == 0) {
            t->language = (enum mustache_language)i;
            return 0;
        }
    }
    return reject_member(t, err, "escape",
                         "must be \"rainerscript\", \"yaml\", \"toml\" or \"beats\"");
}

static int read_mode(struct shipper_config *t, struct error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(t->root, "mode");
    const char *text = json_text(t->root, "mode", item ? "" : MODE_DEFAULT);
    char *end = NULL;
    unsigned long mode = strtoul(text, &end, 8);
    if (*text != '0' || *end || mode > 0777 || (mode & 0400) == 0 || (mode & 0133) != 0)
        return reject_member(t, err, "mode",
                             "must be octal text like \"0640\", readable by the owner, writable "
                             "by nobody else, not executable");
    t->mode = (mode_t)mode;
    return 0;
}

static int read_timeout(struct shipper_config *t, struct error *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(t->root, "timeout");
    const char *text = json_text(t->root, "timeout", item ? "" : TIMEOUT_DEFAULT);
    int64_t us = 0;
    if (duration_parse(text, &us) < 0 || us < 100000 || us > TIMEOUT_MAX_MS * 1000LL)
        return reject_member(t, err, "timeout", "must be a duration from 100ms to 5m");
    t->timeout_ms = us / 1000;
    return 0;
}

static int read_arguments(const struct shipper_config *t, const char *name, bool required,
                          const char *argv[SHIPPER_CONFIG_ARGUMENTS + 1], struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(t->root, name);
    const cJSON *item = NULL;
    size_t n = 0;
    if (!list && !required)
        return 0;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || n == SHIPPER_CONFIG_ARGUMENTS)
            return reject_member(t, err, name, "must be a list of at most 16 texts");
        argv[n++] = item->valuestring;
    }
    if (!cJSON_IsArray(list) || n == 0 || *argv[0] != '/')
        return reject_member(t, err, name, "must be a list that begins with an absolute program");
    return 0;
}

static int read_validate(struct shipper_config *t, struct error *err)
{
    int rc = read_arguments(t, "validate", false, t->validate, err);
    if (rc < 0 || !t->validate[0])
        return rc;
    for (size_t i = 1; t->validate[i]; i++) {
        if (strcmp(t->validate[i], "{file}") == 0)
            return 0;
    }
    return reject_member(t, err, "validate", "must have an argument \"{file}\"");
}

static int read_variables(struct shipper_config *t, struct error *err)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(t->root, "variables");
    const cJSON *item = NULL;
    if (object && !cJSON_IsObject(object))
        return reject_member(t, err, "variables", "must be an object of texts");
    cJSON_ArrayForEach(item, object)
    {
        const char *name = item->string;
        if (!memchr(lower, *name ? *name : '-', sizeof lower - 1) ||
            name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
            return reject_member(t, err, "variables", "has a name that is not [a-z][a-z0-9_]*");
        if (!cJSON_IsString(item) || !text_all_pass(item->valuestring))
            return reject_member(t, err, name,
                                 "must be printable ASCII without blanks and "
                                 "\"\\$%`{}'<>|;&#");
        if (t->variables == SHIPPER_CONFIG_VARIABLES)
            return reject_member(t, err, "variables", "has more than 32 entries");
        t->variable[t->variables].name = name;
        t->variable[t->variables++].text = item->valuestring;
    }
    return 0;
}

/* ---- a definition -------------------------------------------------------- */

static int read_members(struct shipper_config *t, struct error *err)
{
    int rc = check_config_members(t, err);
    if (rc == 0)
        rc = read_template(t, err);
    if (rc == 0)
        rc = read_destination(t, err);
    if (rc == 0)
        rc = read_path(t, "probe", t->probe, err);
    if (rc == 0)
        rc = read_path(t, "account", t->account, err);
    if (rc == 0)
        rc = read_service(t, err);
    if (rc == 0)
        rc = read_escape(t, err);
    if (rc == 0)
        rc = read_mode(t, err);
    if (rc == 0)
        rc = read_validate(t, err);
    if (rc == 0)
        rc = read_arguments(t, "reload", true, t->reload, err);
    if (rc == 0)
        rc = read_arguments(t, "confirm", true, t->confirm, err);
    if (rc == 0)
        rc = read_arguments(t, "stop", true, t->stop, err);
    if (rc == 0)
        rc = read_arguments(t, "retire", false, t->retire, err);
    if (rc == 0)
        rc = read_timeout(t, err);
    return rc < 0 ? rc : read_variables(t, err);
}

int shipper_config_parse(const char *text, size_t len, const char *path, struct shipper_config *ret,
                         struct error *err)
{
    *ret = (struct shipper_config){0};
    (void)snprintf(ret->path, sizeof ret->path, "%s", path);
    int rc = json_parse(text, len, path, &ret->root, err);
    if (rc == 0 && !cJSON_IsObject(ret->root))
        rc = error_set(err, -EBADMSG, "%s: not a JSON object", path);
    if (rc == 0)
        rc = read_members(ret, err);
    if (rc < 0) {
        cJSON_Delete(ret->root);
        *ret = (struct shipper_config){0};
    }
    return rc;
}

/* ---- the directory ------------------------------------------------------- */

int shipper_config_trust(const struct shipper_config *shipper, struct error *err)
{
    const char *const programs[] = {shipper->validate[0], shipper->reload[0], shipper->confirm[0],
                                    shipper->stop[0], shipper->retire[0]};
    for (size_t i = 0; i < COUNT(programs); i++) {
        struct error why = {0};
        int rc = programs[i] ? trust_program(programs[i], &why) : 0;
        if (rc < 0)
            return error_set(err, rc, "%s: %s", shipper->path, why.text);
    }
    return 0;
}

static int check_files(const struct shipper_config_list *list, const struct shipper_config *t,
                       struct error *err)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct shipper_config *other = &list->shipper[i];
        if (strcmp(other->destination, t->destination) == 0)
            return error_set(err, -EEXIST, "%s and %s have the same destination", other->path,
                             t->path);
        if (t->probe[0] && strcmp(other->probe, t->probe) == 0)
            return error_set(err, -EEXIST, "%s and %s have the same probe log", other->path,
                             t->path);
    }
    return 0;
}

static int read_one(const char *dir, const char *name, struct shipper_config_list *list,
                    struct error *err)
{
    char path[FILE_SET_PATH];
    struct buffer buf = BUFFER_INIT(SHIPPER_CONFIG_FILE);
    struct shipper_config *t = &list->shipper[list->n];
    if (list->n == SHIPPER_CONFIG_MAX)
        return error_set(err, -E2BIG, "more than %d log shippers in %s", SHIPPER_CONFIG_MAX, dir);
    int rc = file_path(path, sizeof path, dir, name, err);
    if (rc == 0)
        rc = trust_read(path, &buf, err);
    if (rc == 0)
        rc = shipper_config_parse(buffer_text(&buf), buf.len, path, t, err);
    buffer_release(&buf);
    if (rc < 0)
        return rc;
    rc = shipper_config_trust(t, err);
    if (rc == 0)
        rc = check_files(list, t, err);
    list->n++;
    return rc;
}

static int is_definition(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return *entry->d_name != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

int shipper_config_read(const char *config_dir, struct shipper_config_list *ret, struct error *err)
{
    char dir[FILE_SET_PATH];
    struct dirent **names = NULL;
    *ret = (struct shipper_config_list){0};
    int rc = file_path(dir, sizeof dir, config_dir, "logging.d", err);
    if (rc < 0)
        return rc;
    int n = scandir(dir, &names, is_definition, alphasort);
    if (n <= 0) {
        rc = n < 0 ? -errno : -ENOENT;
        free((void *)names);
        return error_set(err, rc, "no log shipper is configured: no *.json in %s", dir);
    }
    for (int i = 0; i < n; i++) {
        if (rc == 0)
            rc = read_one(dir, names[i]->d_name, ret, err);
        free(names[i]);
    }
    free((void *)names);
    if (rc < 0)
        shipper_config_release(ret);
    return rc;
}

const char *shipper_config_name(const struct shipper_config *shipper, char ret[FILE_SET_PATH])
{
    const char *slash = strrchr(shipper->path, '/');
    const char *name = slash ? slash + 1 : shipper->path;
    (void)snprintf(ret, FILE_SET_PATH, "%s", name);
    char *dot = strrchr(ret, '.');
    if (dot)
        *dot = '\0';
    return ret;
}

void shipper_config_release(struct shipper_config_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        cJSON_Delete(list->shipper[i].root);
    *list = (struct shipper_config_list){0};
}
