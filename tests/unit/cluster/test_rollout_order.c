/* SPDX-License-Identifier: MIT */
#include "cluster/rollout_order.h"

#include "test.h"

/* Lists of names separated by spaces. members: "-name" is dead, "~name" no server;
 * peers: "~name" does not vote. wanted: names in order, "-" before those not alive. */
static const struct row {
    const char *name;
    const char *mapped, *confirmed, *peers, *members, *wanted;
} rows[] = {
    {"nothing known", "", "", "", "", ""},
    {"voters by name", "", "", "n2 n10 n1", "n1 n2 n10", "n1 n2 n10"},
    {"CLUSTER_SERVERS first", "c a b", "", "a b c", "a b c", "c a b"},
    {"then the other voters", "c a b", "", "z a b c k", "a b c k z", "c a b k z"},
    {"mapped, but not in raft", "c a b", "", "a b", "a b", "-c a b"},
    {"a dead voter", "", "", "a b c", "a -b c", "a -b c"},
    {"forgotten by raft, but confirmed", "", "b a c", "a c", "a -b c", "-b a c"},
    {"confirmed, and another one", "", "b a c", "a b c d", "a b c d", "b a c d"},
    {"CLUSTER_SERVERS goes before what is confirmed", "c a d", "b a c", "a c d", "a c d -b",
     "c a d"},
    {"who does not vote does not count", "", "", "a ~b c", "a b c", "a c"},
    {"unless it is mapped", "a b c", "", "a ~b c", "a b c", "a b c"},
    {"a client agent of that name is no server", "a b c", "", "a c", "a ~b c", "a -b c"},
    {"as Consul spells it", "A b C", "", "a b c", "a b c", "a b c"},
    {"of two of one name the living one", "", "", "a b c", "a -b b c", "a b c"},
    {"a voter named twice", "", "", "a a b", "a b", "a b"},
    {"odd characters", "", "", "a\033b", "c", "-a?b"},
};

struct world {
    char text[4][200];
    struct settings settings;
    struct server_mapping confirmed;
    struct agent_peer peers[16];
    struct agent_member members[16];
    struct membership_facts facts;
};

static size_t split(char *text, const char *from, char *words[16])
{
    char *rest = NULL;
    size_t n = 0;
    (void)snprintf(text, 200, "%s", from);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[n++] = word;
    return n;
}

static void set_world(struct world *w, const struct row *row)
{
    char *words[16] = {NULL};
    *w = (struct world){.facts = {.peers = w->peers, .members = w->members}};
    w->facts.settings = &w->settings;
    w->settings.servers = split(w->text[0], row->mapped, words);
    for (size_t i = 0; i < w->settings.servers; i++)
        (void)snprintf(w->settings.server[i], sizeof w->settings.server[i], "%s", words[i]);
    w->confirmed.n = split(w->text[1], row->confirmed, words);
    for (size_t i = 0; i < w->confirmed.n; i++)
        (void)snprintf(w->confirmed.entry[i].node, sizeof w->confirmed.entry[i].node, "%s",
                       words[i]);
    w->facts.confirmed = w->confirmed.n ? &w->confirmed : NULL;
    w->facts.n_peers = split(w->text[2], row->peers, words);
    for (size_t i = 0; i < w->facts.n_peers; i++)
        w->peers[i] = (struct agent_peer){
            .id = "", .node = words[i] + (*words[i] == '~'), .voter = *words[i] != '~'};
    w->facts.n_members = split(w->text[3], row->members, words);
    for (size_t i = 0; i < w->facts.n_members; i++)
        w->members[i] = (struct agent_member){.name = words[i] +
                                                      (*words[i] == '~' || *words[i] == '-'),
                                              .id = "",
                                              .address = "",
                                              .server = *words[i] != '~',
                                              .alive = *words[i] != '-'};
}

static void who_counts_and_in_which_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct world w;
        static struct rollout_order l;
        char text[400] = "";
        print_message("  %s\n", rows[i].name);
        set_world(&w, &rows[i]);
        rollout_order_join(&w.facts, &l);
        for (size_t n = 0; n < l.n; n++) {
            size_t len = strlen(text);
            (void)snprintf(text + len, sizeof text - len, "%s%s%s", n ? " " : "",
                           l.server[n].alive ? "" : "-", l.server[n].node);
        }
        assert_string_equal(text, rows[i].wanted);
    }
}

/* As many as settings and raft can hold. */
static void the_longest_lineup_fits(void **state)
{
    (void)state;
    static struct world w;
    static struct rollout_order l;
    static struct agent_peer peers[AGENT_PEERS];
    static char names[AGENT_PEERS][16];
    set_world(&w, &rows[0]);
    for (size_t i = 0; i < SETTINGS_SERVERS; i++)
        (void)snprintf(w.settings.server[i], sizeof w.settings.server[i], "m%zu", i);
    w.settings.servers = SETTINGS_SERVERS;
    for (size_t i = 0; i < AGENT_PEERS; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%zu", i);
        peers[i] = (struct agent_peer){.id = "", .node = names[i], .voter = true};
    }
    w.facts.peers = peers;
    w.facts.n_peers = AGENT_PEERS;
    rollout_order_join(&w.facts, &l);
    assert_int_equal(l.n, ROLLOUT_ORDER_SERVERS);
    assert_string_equal(l.server[0].node, "m0");
    assert_string_equal(l.server[ROLLOUT_ORDER_SERVERS - 1].node, "p63");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_counts_and_in_which_order),
        cmocka_unit_test(the_longest_lineup_fits),
    };
    return cmocka_run_group_tests_name("lineup", tests, NULL, NULL);
}
