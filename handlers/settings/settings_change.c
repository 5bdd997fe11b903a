#include "settings/settings_change.h"

#include "settings/credential.h"
#include "settings/effective.h"
#include "settings/settings_print.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct kv_entry *stored(const struct settings_change *p, const char *key)
{
    char path[SETTINGS_KEY];
    return settings_path(p->root, key, path, NULL) == 0 ? kv_find(&p->list, path) : NULL;
}

int settings_change_add(struct settings_change *p, const char *word, bool removal,
                        struct error *err)
{
    char key[64], path[SETTINGS_KEY], echo[SETTING_VALUE_ECHO];
    size_t len = strcspn(word, "=");
    if (len == 0 || len >= sizeof key || (word[len] == '\0' && !removal))
        return error_set(err, -EINVAL, "\"%s\" is not KEY=VALUE",
                         setting_value_echo(word, strlen(word), echo));
    (void)snprintf(key, sizeof key, "%.*s", (int)len, word);
    if (kv_find(&p->names, key))
        return error_set(err, -EINVAL, "%s stands there twice", key);
    int rc = settings_path(p->root, key, path, err);
    if (rc == 0)
        rc = kv_add(&p->names, key, "", 0, 0);
    if (rc == 0 && word[len] == '=')
        rc = kv_set(&p->list, path, word + len + 1);
    else if (rc == 0)
        kv_remove(&p->list, path);
    p->log_changes = p->log_changes || settings_group(key) == GROUP_LOG;
    return rc;
}

/* ---- judgement ----------------------------------------------------------- */

/* A new value of a key that no setting has, or that KV cannot choose. */
static int name_change(const struct settings_change *p, const char *key, struct buffer *problems)
{
    enum setting setting;
    struct error why = {0};
    const char *pinned = policy_pinned(&p->policy, key);
    const struct kv_entry *entry = stored(p, key);
    if (!entry) /* whatever it is, it may be taken out */
        return 0;
    if (settings_find(key, &setting) < 0 && settings_check(key, "", &why) < 0)
        return buffer_printf(problems, "%s\n", why.text);
    if (!pinned || strcmp(entry->value, pinned) == 0)
        return 0;
    return buffer_printf(problems,
                         "%s: is pinned to \"%s\" by \"pin\" in %s: KV cannot change it\n", key,
                         pinned, p->policy.path);
}

/* Does a problem of this setting concern what is asked? */
static bool asked(const struct settings_change *p, const char *key)
{
    return p->names.n == 0 || kv_find(&p->names, key) ||
           (p->log_changes && settings_group(key) == GROUP_LOG);
}

static int name_problems(const struct settings_change *p, struct buffer *problems)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->names.n; i++)
        rc = name_change(p, p->names.entries[i].key, problems);
    for (size_t i = 0; rc == 0 && i < p->settings.rejects; i++) {
        if (asked(p, p->settings.reject[i].key))
            rc = buffer_printf(problems, "%s\n", p->settings.reject[i].text);
    }
    for (size_t i = 0; rc == 0 && p->names.n == 0 && i < p->settings.unknowns; i++)
        rc = buffer_printf(problems, "%s\n", p->settings.unknown[i].text);
    if (rc == 0 && p->log.log == EFFECTIVE_FORBIDDEN && (p->names.n == 0 || p->log_changes))
        rc = buffer_printf(problems, "%s\n", p->log.why.text);
    return rc;
}

/* With the pinned values, in a list of its own: `list` stays what KV would hold. */
static int judge_copy(struct settings_change *p, struct error *err)
{
    struct kv_list list = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < p->list.n; i++) {
        const struct kv_entry *e = &p->list.entries[i];
        rc = kv_add(&list, e->key, e->value, e->len, e->modify_index);
    }
    if (rc == 0)
        rc = effective_judge(&p->policy, p->root, &list, &p->settings, &p->log, err);
    kv_release(&list);
    return rc;
}

/* Only root and the log shipper's user can read the credential: for others this is left to
 * apply-logging. */
static bool lacks_credential(const struct settings_change *p, const char *config_dir,
                             struct error *why)
{
    struct credential credential;
    int rc = credential_choose(config_dir, &p->settings, CREDENTIAL_SHIP, &credential, why);
    credential_release(&credential);
    return rc < 0 && rc != -EACCES;
}

int settings_change_judge(struct settings_change *p, const char *config_dir,
                          struct buffer *problems, struct error *err)
{
    struct error why = {0};
    int rc = policy_read(config_dir, &p->policy, err);
    if (rc == 0)
        rc = judge_copy(p, err);
    if (rc < 0)
        return rc;
    if (p->log.log == EFFECTIVE_ALLOWED && lacks_credential(p, config_dir, &why)) {
        p->log.log = EFFECTIVE_FORBIDDEN;
        p->log.why = why;
    }
    return name_problems(p, problems);
}

/* ---- JSON ---------------------------------------------------------------- */

static const char *origin(const struct settings_change *p, const struct setting_row *row)
{
    bool in_kv = stored(p, row->key) && !settings_rejected(&p->settings, row->key);
    bool counts = row->group != GROUP_LOG || p->settings.log_present;
    if (policy_pinned(&p->policy, row->key) && counts)
        return "policy";
    if (in_kv)
        return "KV";
    return row->otherwise ? "default" : "none";
}

static bool add_setting(const struct settings_change *p, enum setting setting, cJSON *array)
{
    const struct setting_row *row = settings_row(setting);
    const struct kv_entry *entry = stored(p, row->key);
    char echo[SETTING_VALUE_ECHO];
    const char *problem = settings_rejected(&p->settings, row->key);
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    cJSON *object = cJSON_CreateObject();
    bool ok = cJSON_AddItemToArray(array, object) &&
              settings_print_value(&p->settings, setting, &text) == 0 &&
              cJSON_AddStringToObject(object, "key", row->key) &&
              cJSON_AddStringToObject(object, "value", buffer_text(&text)) &&
              cJSON_AddStringToObject(object, "from", origin(p, row)) &&
              cJSON_AddStringToObject(object, "problem", problem ? problem : "");
    if (ok && entry)
        ok = cJSON_AddStringToObject(object, "stored",
                                     setting_value_echo(entry->value, entry->len, echo));
    else if (ok)
        ok = cJSON_AddNullToObject(object, "stored");
    buffer_release(&text);
    return ok;
}

/* The revision of a service is that of what Consul finds: none here. */
static bool add_log(const struct settings_change *p, cJSON *root)
{
    bool allowed = p->log.log == EFFECTIVE_ALLOWED;
    const char *state = p->settings.log_enabled ? "on" : "off";
    char revision[SETTINGS_SHORT + 1] = "";
    if (p->log.log == EFFECTIVE_NONE)
        state = "none";
    else if (!allowed)
        state = "refused";
    if (allowed && !effective_service(&p->settings))
        (void)snprintf(revision, sizeof revision, "%.*s", SETTINGS_SHORT, p->log.revision);
    cJSON *object = cJSON_AddObjectToObject(root, "log");
    const char *reason = p->log.log == EFFECTIVE_FORBIDDEN ? p->log.why.text : "";
    return cJSON_AddStringToObject(object, "state", state) &&
           cJSON_AddStringToObject(object, "reason", reason) &&
           cJSON_AddStringToObject(object, "revision", revision);
}

static bool add_all(const struct settings_change *p, cJSON *root)
{
    cJSON *settings = cJSON_AddArrayToObject(root, "settings");
    cJSON *unknown = cJSON_AddArrayToObject(root, "unknown");
    bool ok = settings && unknown && add_log(p, root);
    for (int i = 0; ok && i < SETTING_COUNT; i++)
        ok = add_setting(p, (enum setting)i, settings);
    for (size_t i = 0; ok && i < p->settings.unknowns; i++)
        ok = cJSON_AddItemToArray(unknown, cJSON_CreateString(p->settings.unknown[i].text));
    return ok;
}

int settings_change_json(const struct settings_change *p, struct buffer *out, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    char *text = root && add_all(p, root) ? cJSON_PrintUnformatted(root) : NULL;
    int rc = text ? buffer_printf(out, "%s\n", text) : -ENOMEM;
    cJSON_free(text);
    cJSON_Delete(root);
    return rc < 0 ? error_set(err, rc, "%s", strerror(-rc)) : 0;
}

void settings_change_release(struct settings_change *p)
{
    kv_release(&p->list);
    kv_release(&p->names);
    policy_release(&p->policy);
    *p = (struct settings_change){0};
}
