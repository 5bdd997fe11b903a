/* SPDX-License-Identifier: MIT */
/* settings_change.h: what would be in KV, and what the cluster would say to it.
 *
 * For lictor set and show: entries of KV, changes to them, and the judgement by the same table
 * and policy which every other program uses. */
#ifndef SETTINGS_CHANGE_H
#define SETTINGS_CHANGE_H

#include "base/buffer.h"
#include "base/error.h"
#include "consul/consul.h"
#include "consul/kv.h"
#include "settings/effective.h"

#include <stdbool.h>

/* Set root; all else zero is "nothing is in KV". settings_change_release() frees it. */
struct settings_change {
    const char *root;      /* settings root, borrowed */
    struct kv_list before; /* what is in KV, full keys */
    struct kv_list list;   /* what would be there */
    struct kv_list names;  /* private: keys that are changed */
    bool log_changes;      /* private: one of them is a LOG_ setting */
    struct policy policy;
    struct settings settings;
    struct effective log; /* FORBIDDEN: also by the credential */
};

/* Read what is in KV. Returns 0 or as settings_read(). */
MUST_CHECK int settings_change_read(struct consul *consul, struct settings_change *p,
                                    struct error *err);

/* Change the list by "KEY=VALUE", or with `removal` allowed also by "KEY", which takes it
 * out. Returns 0; -EINVAL for another word or a key that was changed before; -ENOMEM. */
MUST_CHECK int settings_change_add(struct settings_change *p, const char *word, bool removal,
                                   struct error *err);

/* Judge it by table and policy. Appends a line for each problem: of the changed settings,
 * and of all LOG_ settings where one of them changes (they are judged as one set);
 * without changes, of everything, unknown keys too. Returns 0 (also with problems), or
 * why it could not be judged. */
MUST_CHECK int settings_change_judge(struct settings_change *p, const char *config_dir,
                                     struct buffer *problems, struct error *err);

void settings_change_release(struct settings_change *p);

#endif
