/* SPDX-License-Identifier: MIT */
#include "shipper/render.h"

#include "base/trust.h"
#include "shipper/mustache.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#define TEMPLATE_FILE (1 << 20) /* bytes of a template */
#define API_KEY       "CREDENTIAL_API_KEY"
#define FILES         "CREDENTIAL_FILES"
#define NAMES         (21 + SHIPPER_CONFIG_VARIABLES)
#define SPELLINGS     32 /* at least as many as all levels have */

struct paths {
    const char *path[RENDER_PATHS];
    size_t n;
};

/* All names of a template, and the arrays their values point to. */
struct scope {
    struct mustache_value value[NAMES];
    const char *single[NAMES]; /* the item of a value that is no list */
    size_t n;
    const char *url[SETTINGS_URLS];
    const char *below[SPELLINGS];
    const char *numbers[SPELLINGS];
    struct paths files;
    struct paths except;
};

static void add_list(struct scope *scope, const char *name, const char *const *items, size_t n)
{
    if (scope->n == NAMES) /* the template is told that there is no such name */
        return;
    scope->value[scope->n++] = (struct mustache_value){name, MUSTACHE_LIST, items, n, false};
}

static void add_one(struct scope *scope, const char *name, enum mustache_kind kind,
                    const char *text)
{
    if (scope->n == NAMES)
        return;
    scope->single[scope->n] = text;
    scope->value[scope->n] = (struct mustache_value){name, kind, &scope->single[scope->n], 1,
                                                     false};
    scope->n++;
}

static bool among(const char *path, char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(paths[i], path) == 0)
            return true;
    }
    return false;
}

static bool has(const struct policy_source *source, const char *path)
{
    for (size_t i = 0; i < source->n_files; i++) {
        if (fnmatch(source->files[i], path, FNM_PATHNAME) == 0)
            return !among(path, source->except, source->n_except);
    }
    return false;
}

static bool wanted(const struct settings *s, const struct policy *policy, const char *path)
{
    for (size_t i = 0; i < s->log_sources; i++) {
        const struct policy_source *source = policy_source(policy, s->log_source[i]);
        if (source && has(source, path))
            return true;
    }
    return false;
}

static int add_path(struct paths *paths, const char *path, struct error *err)
{
    for (size_t i = 0; i < paths->n; i++) {
        if (strcmp(paths->path[i], path) == 0)
            return 0;
    }
    if (paths->n == RENDER_PATHS)
        return error_set(err, -E2BIG, "LOG_SOURCES: more than %d files", RENDER_PATHS);
    paths->path[paths->n++] = path;
    return 0;
}

static int add_source(struct scope *scope, const struct settings *s, const struct policy *policy,
                      const struct policy_source *source, struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < source->n_files; i++)
        rc = add_path(&scope->files, source->files[i], err);
    for (size_t i = 0; rc == 0 && i < source->n_except; i++) {
        if (!wanted(s, policy, source->except[i]))
            rc = add_path(&scope->except, source->except[i], err);
    }
    return rc;
}

static int add_sources(struct scope *scope, const struct settings *s, const struct policy *policy,
                       struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < s->log_sources; i++) {
        const struct policy_source *source = policy_source(policy, s->log_source[i]);
        rc = source ? add_source(scope, s, policy, source, err)
                    : error_set(err, -ENOENT, "LOG_SOURCES: no source %s in the policy",
                                s->log_source[i]);
    }
    add_list(scope, "LOG_FILES", scope->files.path, scope->files.n);
    add_list(scope, "LOG_EXCEPT", scope->except.path, scope->except.n);
    return rc;
}

/* The ways to write a level, of what is less severe than "fatal". As numbers: pino's, which has
 * ten to a level, and syslog's, in which 7 is the least severe. */
static const char *const words[LEVEL_FATAL][8] = {
    [LEVEL_DEBUG] = {"debug", "trace", "verbose", "silly", "fine", "finer", "finest"},
    [LEVEL_INFO] = {"info", "information", "informational", "notice", "config", "http"},
    [LEVEL_WARN] = {"warn", "warning"},
    [LEVEL_ERROR] = {"error", "err", "severe"}};
static const char *const numbers[LEVEL_FATAL][8] = {[LEVEL_DEBUG] = {"7", "10", "20"},
                                                    [LEVEL_INFO] = {"5", "6", "30"},
                                                    [LEVEL_WARN] = {"4", "40"},
                                                    [LEVEL_ERROR] = {"3", "50"}};

static size_t list_below(const char *const ways[LEVEL_FATAL][8], int level,
                         const char *ret[SPELLINGS])
{
    size_t n = 0;
    for (int i = 0; i < level; i++) {
        for (size_t w = 0; w < 8 && ways[i][w]; w++)
            ret[n++] = ways[i][w];
    }
    return n;
}

static void add_settings(struct scope *scope, const struct settings *s, const char *revision)
{
    for (size_t i = 0; i < s->log_urls; i++)
        scope->url[i] = s->log_url[i];
    size_t below = list_below(words, s->log_level, scope->below);
    size_t numbers_below = list_below(numbers, s->log_level, scope->numbers);
    size_t more = s->log_urls > 0 ? s->log_urls - 1 : 0;
    add_one(scope, "REVISION", MUSTACHE_TEXT, revision);
    add_one(scope, "LOG_INDEX", MUSTACHE_TEXT, s->log_index);
    add_one(scope, "LOG_LEVEL", MUSTACHE_WORD, settings_level_name(s->log_level));
    add_list(scope, "LOG_LEVELS_BELOW", scope->below, below);
    add_list(scope, "LOG_NUMBERS_BELOW", scope->numbers, numbers_below);
    add_list(scope, "LOG_ELASTICSEARCH_URLS", scope->url, s->log_urls);
    add_one(scope, "LOG_ELASTICSEARCH_URL", MUSTACHE_TEXT, s->log_urls > 0 ? scope->url[0] : "");
    add_list(scope, "LOG_ELASTICSEARCH_MORE", scope->url + 1, more);
}

/* What is secret is in the file, or in the shipper's keystore under a name. */
static void add_credential(struct scope *scope, const struct credential *c)
{
    bool stored = c->keystore[0];
    const char *password = stored && c->user[0] ? c->keystore : c->password;
    const char *api_key = stored && !c->user[0] ? c->keystore : c->api_key;
    enum mustache_kind kind = stored ? MUSTACHE_STORED : MUSTACHE_SECRET;
    add_one(scope, "CREDENTIAL_USER", MUSTACHE_SECRET, c->user);
    add_one(scope, "CREDENTIAL_PASSWORD", kind, password);
    add_one(scope, API_KEY, kind, api_key);
    add_one(scope, API_KEY "_BASE64", MUSTACHE_SECRET, c->encoded);
    add_one(scope, "CREDENTIAL_CA", MUSTACHE_TEXT, c->ca);
    add_one(scope, "CREDENTIAL_CERT", MUSTACHE_TEXT, c->cert);
    add_one(scope, "CREDENTIAL_KEY", MUSTACHE_TEXT, c->key);
    add_one(scope, FILES, MUSTACHE_TEXT, c->files);
}

static bool used(const struct scope *scope, const char *name)
{
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->value[i].name, name) == 0)
            return scope->value[i].used;
    }
    return false;
}

/* An API key is used in one of its forms. */
static int check_used(const struct scope *scope, const struct shipper_config *shipper,
                      const struct credential *c, struct error *err)
{
    bool api_key = used(scope, API_KEY) || used(scope, API_KEY "_BASE64");
    for (size_t i = 0; i < scope->n; i++) {
        const struct mustache_value *value = &scope->value[i];
        if (strncmp(value->name, "CREDENTIAL_", 11) == 0 && *value->items[0] && !value->used &&
            strcmp(value->name, FILES) != 0 && !(api_key && strncmp(value->name, API_KEY, 18) == 0))
            return error_set(err, -ENOTSUP,
                             "%s does not use %s: this log shipper cannot send what %s "
                             "holds",
                             shipper->template, value->name, c->path);
    }
    return 0;
}

int render_shipper(const struct shipper_config *shipper, const struct render_input *input,
                   struct buffer *out, struct error *err)
{
    struct scope scope = {.n = 0};
    struct buffer text = BUFFER_INIT(TEMPLATE_FILE);
    add_settings(&scope, input->settings, input->revision);
    add_credential(&scope, input->credential);
    int rc = add_sources(&scope, input->settings, input->policy, err);
    add_one(&scope, "PROBE_FILE", MUSTACHE_TEXT, shipper->probe);
    add_one(&scope, "ACCOUNT_FILE", MUSTACHE_TEXT, shipper->account);
    for (size_t i = 0; i < shipper->variables; i++)
        add_one(&scope, shipper->variable[i].name, MUSTACHE_TEXT, shipper->variable[i].text);
    if (rc == 0)
        rc = trust_read(shipper->template, &text, err);
    const struct mustache_template template = {.text = buffer_text(&text),
                                               .len = text.len,
                                               .file = shipper->template,
                                               .language = shipper->language,
                                               .private = (shipper->mode & S_IRWXO) == 0};
    if (rc == 0)
        rc = mustache_render(&template, scope.value, scope.n, out, err);
    if (rc == 0)
        rc = check_used(&scope, shipper, input->credential, err);
    buffer_release(&text);
    return rc;
}
