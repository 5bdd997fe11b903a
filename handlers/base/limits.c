/* SPDX-License-Identifier: MIT */
#include "base/limits.h"

#ifdef TEST_LIMITS
#include "base/duration.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} members[] = {
    {"kill", offsetof(struct limits, kill_ms)},
    {"drain", offsetof(struct limits, drain_ms)},
    {"http", offsetof(struct limits, http_ms)},
    {"leader_proof", offsetof(struct limits, leader_proof_ms)},
    {"no_leader", offsetof(struct limits, no_leader_ms)},
    {"split", offsetof(struct limits, split_ms)},
    {"mapping_stable", offsetof(struct limits, mapping_stable_ms)},
    {"verify", offsetof(struct limits, verify_ms)},
    {"lock", offsetof(struct limits, lock_ms)},
    {"apply_again", offsetof(struct limits, apply_again_ms)},
    {"resync", offsetof(struct limits, resync_ms)},
    {"unsynced", offsetof(struct limits, unsynced_ms)},
    {"apply", offsetof(struct limits, apply_ms)},
    {"request", offsetof(struct limits, request_ms)},
    {"confirm", offsetof(struct limits, confirm_ms)},
    {"clock_interval", offsetof(struct limits, clock_interval_ms)},
    {"clock_echo", offsetof(struct limits, clock_echo_ms)},
    {"clock_unproven", offsetof(struct limits, clock_unproven_ms)},
    {"resolve", offsetof(struct limits, resolve_ms)},
    {"reference", offsetof(struct limits, reference_ms)},
    {"reference_again", offsetof(struct limits, reference_again_ms)},
    {"elasticsearch", offsetof(struct limits, elasticsearch_ms)},
    {"proof", offsetof(struct limits, proof_ms)},
    {"fresh", offsetof(struct limits, fresh_ms)},
    {"patience", offsetof(struct limits, patience_ms)},
    {"loss", offsetof(struct limits, loss_ms)},
    {"write", offsetof(struct limits, write_ms)},
    {"write_again", offsetof(struct limits, write_again_ms)},
};

static void set_member(struct limits *t, const char *name, size_t len, const char *value)
{
    for (size_t i = 0; i < COUNT(members); i++) {
        int64_t us = 0;
        if (strlen(members[i].name) != len || strncmp(members[i].name, name, len) != 0)
            continue;
        if (duration_parse(value, &us) < 0)
            abort(); /* a test with a wrong value must not pass by accident */
        int64_t ms = us / 1000;
        memcpy((char *)t + members[i].offset, &ms, sizeof ms);
        return;
    }
    abort();
}

static void override(struct limits *t)
{
    const char *text = getenv("LICTOR_LIMITS");
    while (text && *text) {
        char value[32] = "";
        const char *equals = strchr(text, '=');
        size_t len = equals ? strcspn(equals + 1, ",") : 0;
        if (!equals || len >= sizeof value)
            abort();
        memcpy(value, equals + 1, len);
        set_member(t, text, (size_t)(equals - text), value);
        text = equals + 1 + len;
        text += *text == ',';
    }
}
#endif

const struct limits *limits(void)
{
    static struct limits t = {
        .kill_ms = 2000,
        .drain_ms = 1000,
        .http_ms = 10000,
        .leader_proof_ms = 2000,
        .no_leader_ms = 30000,
        .split_ms = 30000,
        .mapping_stable_ms = 60000,
        .verify_ms = 6000,
        .lock_ms = 4000,
        .apply_again_ms = 10000,
        .resync_ms = 600000,
        .unsynced_ms = 60000,
        .apply_ms = 120000,
        .request_ms = 10000,
        .confirm_ms = 2000,
        .clock_interval_ms = 15000,
        .clock_echo_ms = 60000,
        .clock_unproven_ms = 180000,
        .resolve_ms = 1000,
        .reference_ms = 1500,
        .reference_again_ms = 60000,
        .elasticsearch_ms = 2000,
        .proof_ms = 10000,
        .fresh_ms = 90000,
        .patience_ms = 60000,
        .loss_ms = 1800000,
        .write_ms = 30000,
        .write_again_ms = 250,
    };
#ifdef TEST_LIMITS
    static int read_once;
    if (!read_once++)
        override(&t);
#endif
    return &t;
}
