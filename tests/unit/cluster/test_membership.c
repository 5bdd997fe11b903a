/* SPDX-License-Identifier: MIT */
/* membership.c: raft, gossip, the record and CLUSTER_SERVERS joined by name. */
#include "cluster/membership.h"

#include "test.h"

#define MOST 8

/* Peers and members are words, "name", with marks behind ":".
 *   peer    w it has no vote, r raft protocol 2 (its ID is its address)
 *   member  d not alive, c a client agent
 * Node "a" has the ID "id-a" and the address 10.0.0.<place of its letter>; "b=a" is a node b
 * which has the ID and the address of a. */
struct world {
    char text[2][200];
    char id[2 * MOST][20], address[2 * MOST][20];
    size_t used;
    struct agent_peer peers[MOST];
    struct agent_member members[MOST];
    struct server_mapping confirmed;
    struct settings settings;
    struct membership_facts facts;
};

/* One word: its marks, the name, ID and address. */
static const char *cut(struct world *w, char *word, const char **ret_name)
{
    char *marks = strchr(word, ':'), *equals = strchr(word, '=');
    const char *of = equals ? equals + 1 : word;
    *ret_name = word;
    (void)snprintf(w->id[w->used], sizeof w->id[0], "id-%c", *of);
    (void)snprintf(w->address[w->used], sizeof w->address[0], "10.0.0.%d", *of - 'a' + 1);
    w->used++;
    if (marks)
        *marks++ = '\0';
    if (equals)
        *equals = '\0';
    return marks ? marks : "";
}

static void add_peer(struct world *w, char *word)
{
    struct agent_peer *peer = &w->peers[w->facts.n_peers++];
    const char *marks = cut(w, word, &peer->node);
    peer->id = w->id[w->used - 1];
    if (strchr(marks, 'r'))
        (void)snprintf(w->id[w->used - 1], sizeof w->id[0], "10.0.0.%d:8300",
                       *peer->node - 'a' + 1);
    peer->voter = !strchr(marks, 'w');
}

static void add_member(struct world *w, char *word)
{
    struct agent_member *member = &w->members[w->facts.n_members++];
    const char *marks = cut(w, word, &member->name);
    member->id = w->id[w->used - 1];
    member->address = w->address[w->used - 1];
    member->server = !strchr(marks, 'c');
    member->alive = !strchr(marks, 'd');
}

static void each_word(struct world *w, char *text, void (*add)(struct world *w, char *word))
{
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        add(w, word);
}

/* confirmed and mapped: a letter for each server, server_1 first; '-': that number is free. */
static void build(struct world *w, const char *peers, const char *members, const char *confirmed,
                  const char *mapped)
{
    *w = (struct world){.used = 0};
    w->facts = (struct membership_facts){
        .peers = w->peers, .members = w->members, .settings = &w->settings};
    (void)snprintf(w->text[0], sizeof w->text[0], "%s", peers);
    (void)snprintf(w->text[1], sizeof w->text[1], "%s", members);
    each_word(w, w->text[0], add_peer);
    each_word(w, w->text[1], add_member);
    for (size_t i = 0; confirmed && confirmed[i]; i++) {
        struct server_mapping_entry *entry = &w->confirmed.entry[w->confirmed.n];
        if (confirmed[i] == '-')
            continue;
        w->confirmed.n++;
        (void)snprintf(entry->server, sizeof entry->server, "server_%u", (unsigned)(i + 1) % 100);
        (void)snprintf(entry->node, sizeof entry->node, "%c", confirmed[i]);
        (void)snprintf(entry->id, sizeof entry->id, "id-%c", confirmed[i]);
    }
    if (confirmed)
        w->facts.confirmed = &w->confirmed;
    for (size_t i = 0; mapped && mapped[i]; i++)
        w->settings.server[w->settings.servers++][0] = mapped[i];
}

/* A joined row is "NAME/NUMBER" with marks: c in the record, m in CLUSTER_SERVERS, a alive,
 * v votes and lives, d votes and is dead. */
static const struct {
    const char *name, *peers, *members;
    const char *confirmed, *mapped;
    const char *joined;
} rows[] = {
    {"nobody", "", "", .joined = ""},
    {"all is well", "a b c", "a b c", .joined = "a/:av b/:av c/:av "},
    {"by number, then by name", "d c b a", "a b c d", "ca",
     .joined = "c/1:cav a/2:cav b/:av d/:av "},
    {"the setting numbers who is not in the record", "a b", "a b", .mapped = "ba",
     .joined = "b/1:mav a/2:mav "},
    {"the record goes before the setting", "a b", "a b", "ab", "ba",
     .joined = "a/1:cmav b/2:cmav "},
    {"a dead voter", "a b c", "a b c:d", .joined = "a/:av b/:av c/:d "},
    {"a dead voter that gossip has forgotten", "a b", "a", "ab", .joined = "a/1:cav b/2:cd "},
    {"no vote is neither", "a b:w", "a b", .joined = "a/:av b/:a "},
    {"in the record and gone", "a", "a", "ab", .joined = "a/1:cav b/2:c "},
    {"in the setting and never seen", "a", "a", .mapped = "az", .joined = "a/1:mav z/2:m "},
    {"a stranger has no row", "a", "a b", .joined = "a/:av "},
    {"a client of that name does not count", "a b", "a b:c", .joined = "a/:av b/:d "},
    {"raft protocol 2", "a:r b:r", "a b:d", .joined = "a/:av b/:d "},
    {"raft protocol 2: 10.0.0.1 is not 10.0.0.11", "k:r", "a", .joined = "k/:d "},
    {"renamed: the living name counts", "a", "a:d b=a", .joined = "b/:av "},
    {"case is ignored", "A", "A", .mapped = "a", .joined = "A/1:mav "},
};

static const char *mark(const void *there, const char *text)
{
    return there ? text : "";
}

static void list_rows(const struct membership *joined, char ret[400])
{
    size_t len = 0;
    ret[0] = '\0';
    for (size_t k = 0; k < joined->n; k++) {
        const struct membership_row *row = &joined->row[k];
        len += (size_t)snprintf(ret + len, 400 - len, "%s/%s:%s%s%s%s%s ", row->name,
                                row->server + strcspn(row->server, "0123456789"),
                                mark(row->confirmed, "c"), row->mapped ? "m" : "",
                                mark(row->member, "a"), mark(row->voter, "v"),
                                mark(row->dead, "d"));
    }
}

static void names_are_joined(void **state)
{
    (void)state;
    static struct world w;
    static struct membership joined;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[400];
        build(&w, rows[i].peers, rows[i].members, rows[i].confirmed, rows[i].mapped);
        membership_join(&w.facts, &joined);
        list_rows(&joined, text);
        if (strcmp(text, rows[i].joined) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", rows[i].name, text, rows[i].joined);
    }
}

static const struct {
    const char *peers, *members;
    struct membership_count count;
} counts[] = {
    {"", "", {0}},
    {"a b c", "a b c", {.voters = 3, .living = 3, .servers = 3}},
    {"a b c", "a b c:d", {.voters = 3, .living = 2, .servers = 2}},
    {"a b c:w", "a b c", {.voters = 2, .living = 2, .servers = 3}},
    {"a b", "a b c d:c e:d", {.voters = 2, .living = 2, .servers = 3, .strangers = 1}},
    {"a:r b:r", "a c=b", {.voters = 2, .living = 2, .servers = 2}},
};

static void servers_are_counted(void **state)
{
    (void)state;
    static struct world w;
    for (size_t i = 0; i < COUNT(counts); i++) {
        struct membership_count got;
        build(&w, counts[i].peers, counts[i].members, NULL, NULL);
        membership_count(&w.facts, &got);
        assert_int_equal(got.voters, counts[i].count.voters);
        assert_int_equal(got.living, counts[i].count.living);
        assert_int_equal(got.servers, counts[i].count.servers);
        assert_int_equal(got.strangers, counts[i].count.strangers);
    }
}

static const struct {
    const char *setting, *name, *address;
    bool is;
} managements[] = {
    {"", "m", "10.0.0.9", false},         {"m", "m", "10.0.0.9", true},
    {"M", "m", "10.0.0.9", true},         {"10.0.0.9", "m", "10.0.0.9", true},
    {"m", "m.example", "10.0.0.9", true}, {"m.example", "m", "10.0.0.9", true},
    {"m.a", "m.b", "10.0.0.9", false},    {"m", "mm", "10.0.0.9", false},
    {"mm", "m", "10.0.0.9", false},       {"10.0.0.90", "m", "10.0.0.9", false},
};

static void the_management_server_is_known(void **state)
{
    (void)state;
    static struct settings settings;
    const struct membership_facts facts = {.settings = &settings};
    for (size_t i = 0; i < COUNT(managements); i++) {
        const struct agent_member member = {.name = managements[i].name,
                                            .address = managements[i].address};
        (void)snprintf(settings.management_server, sizeof settings.management_server, "%s",
                       managements[i].setting);
        if (membership_management(&facts, &member) != managements[i].is)
            fail_msg("\"%s\" and %s: not %d", managements[i].setting, managements[i].name,
                     managements[i].is);
    }
}

static void a_server_is_named_with_its_number(void **state)
{
    (void)state;
    char text[MEMBERSHIP_TEXT];
    struct membership_row row = {.name = "b"};
    assert_string_equal(membership_text(&row, text), "node b");
    (void)snprintf(row.server, sizeof row.server, "server_2");
    assert_string_equal(membership_text(&row, text), "server_2 (node b)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_joined),
        cmocka_unit_test(servers_are_counted),
        cmocka_unit_test(the_management_server_is_known),
        cmocka_unit_test(a_server_is_named_with_its_number),
    };
    return cmocka_run_group_tests_name("membership", tests, NULL, NULL);
}
