/* SPDX-License-Identifier: MIT */
#include "command/settings_write.h"
#include "settings/settings_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PROBLEMS_MAX (1U << 20)

static int add_all(struct settings_change *change, const char *const *words, size_t n,
                   struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = settings_change_add(change, words[i], true, err);
    return rc;
}

int settings_write_judge(struct consul *consul, const struct place *place, const char *const *words,
                         size_t n, struct settings_change *change, struct error *err)
{
    struct buffer problems = BUFFER_INIT(PROBLEMS_MAX);
    *change = (struct settings_change){.root = place->settings_root};
    int rc = settings_change_read(consul, change, err);
    if (rc == 0)
        rc = add_all(change, words, n, err);
    if (rc == 0)
        rc = settings_change_judge(change, place->config_dir, &problems, err);
    if (rc == 0 && problems.len > 0) {
        (void)fputs(buffer_text(&problems), stderr);
        rc = 1;
    }
    buffer_release(&problems);
    return rc;
}

/* KEY: old -> new. */
static void print_change(const struct kv_entry *was, const struct kv_entry *now, const char *key)
{
    char old[SETTING_VALUE_ECHO + 2] = "not set", new[SETTING_VALUE_ECHO + 2] = "not set";
    char echo[SETTING_VALUE_ECHO];
    bool same = was && now ? was->len == now->len && memcmp(was->value, now->value, now->len) == 0
                           : !was && !now;
    if (was)
        (void)snprintf(old, sizeof old, "\"%s\"", setting_value_echo(was->value, was->len, echo));
    if (now)
        (void)snprintf(new, sizeof new, "\"%s\"", setting_value_echo(now->value, now->len, echo));
    if (same)
        printf("%s: %s, as before\n", key, old);
    else
        printf("%s: %s -> %s\n", key, old, new);
}

/* The changes of a transaction: each key as it was read, or not there. Paths are full keys. */
struct transaction {
    char path[CONSUL_TXN][SETTINGS_KEY];
    struct consul_change change[CONSUL_TXN];
    size_t n;
};

static int plan(const struct settings_change *change, struct transaction *ret, struct error *err)
{
    if (change->names.n > CONSUL_TXN)
        return error_set(err, -E2BIG, "more than %d keys at once", CONSUL_TXN);
    for (size_t i = 0; i < change->names.n; i++) {
        int rc = settings_path(change->root, change->names.entries[i].key, ret->path[i], err);
        if (rc < 0)
            return rc;
        const struct kv_entry *now = kv_find(&change->list, ret->path[i]);
        const struct kv_entry *was = kv_find(&change->before, ret->path[i]);
        if (now || was)
            ret->change[ret->n++] = (struct consul_change){.key = ret->path[i],
                                                           .value = now ? now->value : NULL,
                                                           .index = was ? was->modify_index : 0};
    }
    return 0;
}

int settings_write(struct consul *consul, const struct settings_change *change, struct error *err)
{
    static struct transaction t; /* some 40 KB */
    struct error why = {0};
    int rc = plan(change, &t, err);
    if (rc < 0)
        return rc;
    rc = t.n > 0 ? consul_kv_change(consul, t.change, t.n, &why) : 0;
    if (rc == -ESTALE)
        return error_set(err, rc,
                         "%s: nothing is written; look at it with lictor show, then try again",
                         why.text);
    if (rc < 0)
        return error_set(err, rc, "%s", why.text);
    for (size_t i = 0; i < change->names.n; i++)
        print_change(kv_find(&change->before, t.path[i]), kv_find(&change->list, t.path[i]),
                     change->names.entries[i].key);
    return 0;
}
