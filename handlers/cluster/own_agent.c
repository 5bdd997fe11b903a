/* SPDX-License-Identifier: MIT */
#include "cluster/own_agent.h"

#include "base/held_since.h"
#include "base/limits.h"
#include "check/check_sync.h"
#include "clock/clock_record.h"
#include "clock/clock_watch.h"
#include "consul/agent.h"

#include <string.h>

/* Has what this server wrote at the last heartbeat come back through the watch? */
static int look_at_watch(struct consul *consul, const char *state_dir, const char *node,
                         bool *ret_deaf, struct error *err)
{
    char key[CLOCK_RECORD_KEY];
    struct kv_list list = {0};
    int rc = consul_kv_read(consul, clock_record_key(node, key), false, CONSUL_STALE, &list, err);
    if (rc == 0)
        rc = clock_watch_look(state_dir, list.n > 0 ? list.entries[0].modify_index : 0, ret_deaf,
                              err);
    kv_release(&list);
    return rc;
}

static int look_now(struct consul *consul, const char *state_dir, struct own_agent *ret,
                    struct error *err)
{
    const char *node = NULL;
    struct agent self = {0};
    int rc = agent_node(consul, &self, &node, err);
    if (rc == 0)
        rc = check_sync_look(consul, node, ret->unsynced, sizeof ret->unsynced, err);
    if (rc >= 0)
        rc = look_at_watch(consul, state_dir, node, &ret->deaf, err);
    agent_release(&self);
    return rc;
}

/* What could not be looked at holds as it was. After errors Consul's watches sleep for up to
 * 180 s, so only a time with a leader throughout says something about them. */
int own_agent_look(struct consul *consul, const char *state_dir, bool led, struct own_agent *ret,
                   struct error *err)
{
    struct held_since spans;
    *ret = (struct own_agent){0};
    int rc = led ? look_now(consul, state_dir, ret, err) : 0;
    if (rc < 0)
        return rc;
    held_since_read(state_dir, "heartbeat", &spans);
    bool calm = held_since_note(&spans, "led", led) >= limits()->calm_ms;
    if (led && held_since_note(&spans, "unsynced", ret->unsynced[0]) < limits()->unsynced_ms)
        ret->unsynced[0] = '\0';
    if (held_since_note(&spans, "deaf", ret->deaf) < limits()->deaf_ms || !calm)
        ret->deaf = false;
    return held_since_write(&spans, state_dir, "heartbeat", err);
}
