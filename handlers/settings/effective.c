/* SPDX-License-Identifier: MIT */
#include "settings/effective.h"

#include "settings/settings_print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- revision ------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int add_value(struct kv_list *list, const struct settings *s, enum setting setting)
{
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    int rc = settings_print_value(s, setting, &text);
    if (rc == 0 && text.len > 0)
        rc = kv_add(list, settings_row(setting)->key, buffer_text(&text), text.len, 0);
    buffer_release(&text);
    return rc;
}

int effective_revision(const struct settings *s, char ret[KV_DIGEST], struct error *err)
{
    struct kv_list list = {0};
    struct settings sorted = *s;
    qsort(sorted.log_url, s->log_urls, sizeof *sorted.log_url, by_text);
    qsort(sorted.log_source, s->log_sources, sizeof *sorted.log_source, by_text);
    int rc = add_value(&list, &sorted, LOG_ENABLED);
    for (int i = 0; rc == 0 && s->log_enabled && i < SETTING_COUNT; i++) {
        if (settings_row((enum setting)i)->in_revision && i != LOG_ENABLED)
            rc = add_value(&list, &sorted, (enum setting)i);
    }
    rc = rc < 0 ? error_set(err, rc, "out of memory") : kv_digest(&list, "", ret, err);
    kv_release(&list);
    return rc;
}

int effective_digest(const struct kv_list *list, const char *root, char ret[KV_DIGEST],
                     struct error *err)
{
    struct kv_entry known[SETTING_COUNT];
    struct kv_list log = {known, 0};
    char path[SETTINGS_KEY];
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = settings_row((enum setting)i);
        int rc = settings_path(root, row->key, path, err);
        if (rc < 0)
            return rc;
        const struct kv_entry *entry = kv_find(list, path);
        if (row->group == GROUP_LOG && entry)
            known[log.n++] = *entry;
    }
    return kv_digest(&log, "", ret, err);
}

/* ---- judgement ----------------------------------------------------------- */

static int judge_log(const struct policy *policy, const struct settings *s, struct effective *ret,
                     struct error *err)
{
    if (!s->log_present)
        return 0;
    for (size_t i = 0; i < s->rejects.n; i++) {
        const struct kv_entry *reject = &s->rejects.entries[i];
        if (settings_group(reject->key) != GROUP_LOG)
            continue;
        ret->log = EFFECTIVE_REJECTED;
        (void)error_set(&ret->why, -EINVAL, "%s", reject->value);
        return 0;
    }
    ret->log = policy_judge(policy, s, &ret->why) < 0 ? EFFECTIVE_FORBIDDEN : EFFECTIVE_ALLOWED;
    return effective_revision(s, ret->revision, err);
}

int effective_judge(const struct policy *policy, const char *root, struct kv_list *list,
                    struct settings *ret, struct effective *ret_log, struct error *err)
{
    *ret_log = (struct effective){.log = EFFECTIVE_NONE};
    int rc = policy_pin(policy, root, list, err);
    if (rc < 0)
        return rc;
    settings_parse(list, root, ret);
    return judge_log(policy, ret, ret_log, err);
}

bool effective_service(const struct settings *s)
{
    return s->log_present && s->log_rejects == 0 && s->log_enabled && s->log_service[0];
}
