/* SPDX-License-Identifier: MIT */
/* signs.c: which signs have held for long enough. */
#include "cluster/signs.h"

#include "base/limits.h"
#include "test.h"

/* One server, alive as id-new (or dead), looked at twice with a time between. */
static const struct {
    const char *name;
    struct signs_now first, then;
    int64_t between_ms;
    bool dead, leaderless;
    struct membership_sign want;
} rows[] = {
    {"all is well",
     {.registered = "id-1", .record_index = 7},
     {.registered = "id-1", .record_index = 8},
     600000,
     .want = {0}},
    {"nothing shows", {0}, {0}, 600000, .want = {0}},
    {"unhealthy for a moment", {.unhealthy = true}, {.unhealthy = true}, 24999, .want = {0}},
    {"unhealthy for long",
     {.unhealthy = true},
     {.unhealthy = true},
     25000,
     .want = {.lagging = true}},
    {"unhealthy again", {0}, {.unhealthy = true}, 600000, .want = {0}},
    {"unhealthy and dead is dead",
     {.unhealthy = true},
     {.unhealthy = true},
     600000,
     .dead = true,
     .want = {0}},
    {"a former one's entry for a moment",
     {.registered = "id-0"},
     {.registered = "id-0"},
     24999,
     .want = {.former = true}},
    {"a former one's entry for long",
     {.registered = "id-0"},
     {.registered = "id-0"},
     25000,
     .want = {.former = true, .frozen = true}},
    {"the case of an ID does not matter",
     {.registered = "ID-1"},
     {.registered = "ID-1"},
     600000,
     .want = {0}},
    {"a record that stands for a moment",
     {.registered = "id-1", .record_index = 7},
     {.registered = "id-1", .record_index = 7},
     89999,
     .want = {0}},
    {"a record that stands for long",
     {.registered = "id-1", .record_index = 7},
     {.registered = "id-1", .record_index = 7},
     90000,
     .want = {.mute = true}},
    {"a record of somebody without our service",
     {.record_index = 7},
     {.record_index = 7},
     600000,
     .want = {0}},
    {"no record at all", {.registered = "id-1"}, {.registered = "id-1"}, 600000, .want = {0}},
    {"without a leader nobody writes",
     {.registered = "id-1", .record_index = 7, .unhealthy = true},
     {.registered = "id-1", .record_index = 7, .unhealthy = true},
     600000,
     .leaderless = true,
     .want = {0}},
};

static void look(const struct signs_now *now, bool dead, bool led, struct held_since *spans,
                 struct membership_sign *ret)
{
    static struct signs signs;
    const struct agent_peer peer = {.id = "id-1", .node = "n1", .voter = true};
    const struct agent_member member = {
        .name = "n1", .id = "id-1", .address = "10.0.0.1", .server = true, .alive = !dead};
    const struct membership_facts who = {
        .peers = &peer, .n_peers = 1, .members = &member, .n_members = 1};
    signs.now[0] = *now;
    signs_hold(&signs, &who, led, spans, ret);
}

static void a_sign_counts_when_it_has_held(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct membership_sign got[AGENT_PEERS];
        struct held_since spans = {.now_ms = 1000};
        look(&rows[i].first, rows[i].dead, true, &spans, got);
        assert_false(got[0].lagging || got[0].mute || got[0].frozen);
        spans.now_ms += rows[i].between_ms;
        look(&rows[i].then, rows[i].dead, !rows[i].leaderless, &spans, got);
        if (memcmp(got, &rows[i].want, sizeof got[0]) != 0)
            print_message("row \"%s\"\n", rows[i].name);
        assert_memory_equal(got, &rows[i].want, sizeof got[0]);
    }
}

/* The memory is as long as what is seen now. */
static void what_is_over_is_forgotten(void **state)
{
    (void)state;
    struct membership_sign got[AGENT_PEERS];
    struct held_since spans = {.now_ms = 1000};
    (void)held_since_note(&spans, "no-spare", true);
    for (uint64_t n = 1; n < 500; n++)
        look(&(struct signs_now){.registered = "id-1", .record_index = n}, false, true, &spans,
             got);
    assert_int_equal(spans.n, 2);
    look(&(struct signs_now){0}, false, true, &spans, got);
    assert_int_equal(spans.n, 1);
    assert_string_equal(spans.span[0].name, "no-spare");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_counts_when_it_has_held),
        cmocka_unit_test(what_is_over_is_forgotten),
    };
    return cmocka_run_group_tests_name("signs", tests, NULL, NULL);
}
