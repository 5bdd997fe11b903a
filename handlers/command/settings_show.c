/* SPDX-License-Identifier: MIT */
#include "command/settings_show.h"
#include "rollout/server_record.h"
#include "settings/settings_print.h"

#include <stdio.h>
#include <string.h>

static const struct kv_entry *stored(const struct settings_change *change, const char *key)
{
    char path[SETTINGS_KEY];
    return settings_path(change->root, key, path, NULL) == 0 ? kv_find(&change->list, path) : NULL;
}

/* Where the value in force comes from; "rejected": what is shown is not in force. */
static const char *origin(const struct settings_change *change, const struct setting_row *row)
{
    const struct kv_entry *entry = stored(change, row->key);
    bool log = row->group == GROUP_LOG;
    bool refused = log && (change->log.log == EFFECTIVE_REJECTED ||
                           change->log.log == EFFECTIVE_FORBIDDEN);
    if (policy_pinned(&change->policy, row->key) && (!log || change->settings.log_present))
        return "policy";
    if (entry && (refused || (log && settings_rejected(&change->settings, row->key))))
        return "rejected";
    if (entry && !settings_rejected(&change->settings, row->key))
        return "KV";
    return row->otherwise ? "default" : "-";
}

static int show_row(const struct settings_change *change, enum setting setting)
{
    const struct setting_row *row = settings_row(setting);
    const struct kv_entry *entry = stored(change, row->key);
    const char *from = origin(change, row);
    struct buffer text = BUFFER_INIT(SETTING_VALUE_MAX);
    char echo[SETTING_VALUE_ECHO];
    int rc = settings_print_value(&change->settings, setting, &text);
    const char *value = buffer_text(&text);
    if (entry && strcmp(from, "rejected") == 0)
        value = setting_value_echo(entry->value, entry->len, echo);
    if (rc == 0)
        printf("%-28s %-8s %s\n", row->key, from, value[0] ? value : "-");
    buffer_release(&text);
    return rc;
}

/* What became of the LOG_ set. */
static void show_log(const struct settings_change *change)
{
    switch (change->log.log) {
    case EFFECTIVE_NONE:
        printf("No LOG_ setting is there: every server keeps what it has.\n");
        break;
    case EFFECTIVE_FORBIDDEN:
        printf("refused: %s\n", change->log.why.text);
        __attribute__((fallthrough));
    case EFFECTIVE_REJECTED:
        printf("The LOG_ settings are rejected as a whole: every server keeps what it has.\n");
        break;
    case EFFECTIVE_ALLOWED:
        if (effective_service(&change->settings))
            printf("Revision of the LOG_ settings: as the instances of %s are found\n",
                   change->settings.log_service);
        else
            printf("Revision of the LOG_ settings: %.*s\n", SETTINGS_SHORT, change->log.revision);
        break;
    }
}

int settings_show(const struct settings_change *change)
{
    int rc = 0;
    printf("%-28s %-8s %s\n", "KEY", "FROM", "VALUE");
    for (int i = 0; rc == 0 && i < SETTING_COUNT; i++)
        rc = show_row(change, (enum setting)i);
    for (size_t i = 0; i < change->settings.rejects.n; i++)
        printf("rejected: %s\n", change->settings.rejects.entries[i].value);
    for (size_t i = 0; i < change->settings.unknowns.n; i++)
        printf("unknown: %s\n", change->settings.unknowns.entries[i].value);
    show_log(change);
    return rc;
}

/* ---- what each server has ------------------------------------------------ */

static void show_record(const struct server_record *record)
{
    static const char *const states[] = {
        [SERVER_RECORD_KEPT] = "in force",
        [SERVER_RECORD_APPLYING] = "being applied, not proven yet",
        [SERVER_RECORD_DONE] = "in force",
        [SERVER_RECORD_FAILED] = "rejected, the one before is in force",
    };
    const bool none = record->state == SERVER_RECORD_KEPT && !record->revision[0];
    printf("%-28s %-8.*s %s%s%s\n", record->node, SETTINGS_SHORT, none ? "-" : record->revision,
           none ? "none is in force" : states[record->state], record->reason[0] ? "; " : "",
           record->reason);
    if (record->target[0])
        printf("%-37s in force: %s\n", "", record->target);
}

void settings_show_records(const struct kv_list *list)
{
    struct server_record record;
    bool any = false;
    for (size_t i = 0; i < list->n; i++) {
        const struct kv_entry *entry = &list->entries[i];
        const char *node = entry->key + strlen(SERVER_RECORD_PREFIX);
        if (server_record_parse(node, entry->value, entry->len, &record, NULL) < 0)
            continue;
        if (!any)
            printf("\n%-28s %-8s STATE\n", "SERVER", "REVISION");
        any = true;
        show_record(&record);
    }
}
