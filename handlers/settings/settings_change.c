/* SPDX-License-Identifier: MIT */
#include "settings/settings_change.h"

#include "settings/credential.h"
#include "settings/effective.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct kv_entry *stored(const struct settings_change *p, const char *key)
{
    char path[SETTINGS_KEY];
    return settings_path(p->root, key, path, NULL) == 0 ? kv_find(&p->list, path) : NULL;
}

static int copy(const struct kv_list *from, struct kv_list *to)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < from->n; i++) {
        const struct kv_entry *e = &from->entries[i];
        rc = kv_add(to, e->key, e->value, e->len, e->modify_index);
    }
    return rc;
}

int settings_change_read(struct consul *consul, struct settings_change *p, struct error *err)
{
    int rc = settings_read(consul, p->root, CONSUL_DEFAULT, &p->before, err);
    if (rc == 0 && copy(&p->before, &p->list) < 0)
        rc = error_set(err, -ENOMEM, "out of memory");
    return rc;
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
        return error_set(err, -EINVAL, "%s is given twice", key);
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
    for (size_t i = 0; rc == 0 && i < p->settings.rejects.n; i++) {
        if (asked(p, p->settings.rejects.entries[i].key))
            rc = buffer_printf(problems, "%s\n", p->settings.rejects.entries[i].value);
    }
    for (size_t i = 0; rc == 0 && p->names.n == 0 && i < p->settings.unknowns.n; i++)
        rc = buffer_printf(problems, "%s\n", p->settings.unknowns.entries[i].value);
    if (rc == 0 && p->log.log == EFFECTIVE_FORBIDDEN && (p->names.n == 0 || p->log_changes))
        rc = buffer_printf(problems, "%s\n", p->log.why.text);
    return rc;
}

/* With the pinned values, in a list of its own: `list` stays what KV would hold. */
static int judge_copy(struct settings_change *p, struct error *err)
{
    struct kv_list list = {0};
    int rc = copy(&p->list, &list);
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

void settings_change_release(struct settings_change *p)
{
    kv_release(&p->before);
    kv_release(&p->list);
    kv_release(&p->names);
    policy_release(&p->policy);
    settings_release(&p->settings);
    *p = (struct settings_change){0};
}
