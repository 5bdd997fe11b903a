/* SPDX-License-Identifier: MIT */
#include "cluster/quorum.h"

#include "test.h"

/* Facts in one line. `servers` holds words NAME[/ID][:FLAGS], ID "id-NAME" unless given:
 *   no flag  a living voter                d  a voter whose member has failed
 *   u  a voter gossip does not know        w  alive in raft without a vote
 *   s  a living server outside raft        g  a failed server outside raft
 *   c  a client agent                      r  meant not to vote
 *   b  started with bootstrap_expect=1     5  started with bootstrap_expect=5
 *   l  it does not follow the leader       q  its programs report nothing
 *   f  the catalogue has its former ID
 * `confirmed` holds words NAME[/ID] or server_N=NAME, `mapped` words NAME. */
struct row {
    const char *name;
    const char *servers;
    const char *confirmed;
    const char *mapped;
    const char *left; /* of whom there is a clock record */
    const char *management;
    const char *maintenance; /* until 2026-11-23T18:00Z; it is an hour earlier */
    int64_t now_s;           /* 0: that hour earlier */
    const char *reject;      /* key of a refused value */
    const char *unknown;
    const char *damaged;
    const char *blind; /* why autopilot's health is not known */
    const char *summary;
    const char *details; /* NULL: not compared */
    enum verdict_status status;
    int min_quorum;  /* 0 stands for 3, -1 for 0 */
    bool leaderless; /* for less than 30 s */
    bool no_leader;  /* for 30 s */
    bool unproven;   /* a leader is known, but the ?consistent read failed */
    bool unheard;    /* no leader since the start */
    bool split;      /* a stranger for 30 s */
    bool overdue;    /* no spare for 15 minutes */
    bool no_cleanup;
    bool no_autopilot;
};

#define UNTIL_S 1795456800 /* 2026-11-23T18:00:00Z */
#define WORDS   16

#define P VERDICT_PASSING
#define W VERDICT_WARNING
#define C VERDICT_CRITICAL

struct facts {
    char text[WORDS][2][64];
    struct agent_peer peers[WORDS];
    struct membership_sign signs[WORDS];
    struct agent_member members[WORDS];
    struct server_mapping confirmed;
    struct settings settings;
    char left_text[WORDS][64];
    const char *left[WORDS];
    struct quorum_facts facts;
};

static void add_member(struct facts *f, const char *name, const char *id, const char *flags)
{
    f->members[f->facts.who.n_members++] = (struct agent_member){
        .name = name,
        .id = id,
        .address = strcmp(name, "m9") == 0 ? "10.0.0.9" : "10.0.0.1",
        .expect = strchr(flags, 'b')   ? 1
                  : strchr(flags, '5') ? 5
                                       : 0,
        .server = !strchr(flags, 'c'),
        .alive = !strpbrk(flags, "dg"),
        .replica = strchr(flags, 'r') != NULL,
    };
}

static void add_word(struct facts *f, const char *word, size_t i)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", word);
    char *flags = strchr(copy, ':');
    if (flags)
        *flags++ = '\0';
    else
        flags = copy + strlen(copy);
    char *slash = strchr(copy, '/');
    if (slash)
        *slash++ = '\0';
    char *name = f->text[i][0];
    char *id = f->text[i][1];
    (void)snprintf(name, 64, "%s", copy);
    (void)snprintf(id, 64, "%s%s", slash ? "" : "id-", slash ? slash : copy);
    if (!strchr(flags, 'u'))
        add_member(f, name, id, flags);
    f->signs[f->facts.who.n_peers] = (struct membership_sign){
        .lagging = strchr(flags, 'l') != NULL,
        .mute = strchr(flags, 'q') != NULL,
        .frozen = strchr(flags, 'f') != NULL,
        .former = strchr(flags, 'f') != NULL,
    };
    if (!strpbrk(flags, "sgc"))
        f->peers[f->facts.who.n_peers++] = (struct agent_peer){
            .id = id,
            .node = strchr(flags, 'u') ? "10.0.0.3:8300" : name,
            .voter = !strchr(flags, 'w'),
        };
}

static void add_confirmed(struct facts *f, const char *word)
{
    struct server_mapping_entry *entry = &f->confirmed.entry[f->confirmed.n++];
    const char *equals = strchr(word, '=');
    const char *name = equals ? equals + 1 : word;
    const char *slash = strchr(name, '/');
    int len = (int)(slash ? (size_t)(slash - name) : strlen(name));
    if (equals)
        (void)snprintf(entry->server, sizeof entry->server, "%.*s", (int)(equals - word), word);
    else
        (void)snprintf(entry->server, sizeof entry->server, "server_%d",
                       (int)(f->confirmed.n % 100));
    (void)snprintf(entry->node, sizeof entry->node, "%.*s", len, name);
    (void)snprintf(entry->id, sizeof entry->id, "%s%.*s", slash ? "" : "id-", slash ? 60 : len,
                   slash ? slash + 1 : name);
}

static void add_problem(struct kv_list *list, const char *key, const char *what)
{
    char text[200];
    int len = snprintf(text, sizeof text, "%s: %s", key, what);
    assert_int_equal(kv_add(list, key, text, (size_t)len, 0), 0);
}

static void add_settings(struct facts *f, const struct row *row)
{
    struct settings *s = &f->settings;
    s->grace_us = INT64_C(900000000);
    if (row->management)
        (void)snprintf(s->management_server, sizeof s->management_server, "%s", row->management);
    if (row->maintenance)
        (void)snprintf(s->maintenance_node, sizeof s->maintenance_node, "%s", row->maintenance);
    s->maintenance_until_s = row->maintenance ? UNTIL_S : 0;
    if (row->reject)
        add_problem(&s->rejects, row->reject, "\"x\" is wrong");
    if (row->unknown)
        add_problem(&s->unknowns, row->unknown, "no such setting");
}

static void each_word(const char *text, void (*add)(struct facts *, const char *, size_t),
                      struct facts *f)
{
    char copy[256];
    char *rest = NULL;
    size_t i = 0;
    (void)snprintf(copy, sizeof copy, "%s", text ? text : "");
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        add(f, word, i++);
}

static void confirm_word(struct facts *f, const char *word, size_t i)
{
    (void)i;
    add_confirmed(f, word);
}

static void map_word(struct facts *f, const char *word, size_t i)
{
    (void)snprintf(f->settings.server[i], sizeof f->settings.server[i], "%s", word);
    f->settings.servers = i + 1;
}

static void left_word(struct facts *f, const char *word, size_t i)
{
    (void)snprintf(f->left_text[i], sizeof f->left_text[i], "%s", word);
    f->left[i] = f->left_text[i];
    f->facts.who.n_left = i + 1;
}

static void build(const struct row *row, struct facts *f)
{
    settings_release(&f->settings);
    memset(f, 0, sizeof *f);
    each_word(row->servers, add_word, f);
    each_word(row->confirmed, confirm_word, f);
    each_word(row->mapped, map_word, f);
    each_word(row->left, left_word, f);
    f->facts.who.left = f->left;
    add_settings(f, row);
    f->facts.who.peers = f->peers;
    f->facts.who.members = f->members;
    f->facts.who.signs = f->signs;
    f->facts.blind = row->blind;
    f->facts.who.confirmed = row->confirmed ? &f->confirmed : NULL;
    f->facts.who.settings = &f->settings;
    f->facts.damaged = row->damaged;
    f->facts.unheard = row->unheard;
    f->facts.has_leader = !row->leaderless && !row->no_leader;
    f->facts.agreed = f->facts.has_leader && !row->unproven;
    f->facts.autopilot.known = !row->no_autopilot;
    f->facts.autopilot.cleanup = !row->no_cleanup;
    f->facts.autopilot.min_quorum = row->min_quorum < 0 ? 0 : row->min_quorum ? row->min_quorum : 3;
    f->facts.now_s = row->now_s ? row->now_s : UNTIL_S - 3600;
}

static const struct row rows[] = {
    /* one server */
    {"one server", "n1", .status = W, .summary = "forming: 1 of 3 servers, none may fail",
     .details = "voting: node n1\n"},
    {"one server, three mapped", "n1", .mapped = "n1 n2 n3", .status = W,
     .summary = "forming: 1 of 3 servers, none may fail: server_2 (node n2) has not joined, "
                "and 1 more"},
    {"one server, overdue is no matter while forming", "n1", .overdue = true, .status = W,
     .summary = "forming: 1 of 3 servers, none may fail"},
    {"one server electing itself", "n1", .leaderless = true, .status = W,
     .summary = "forming: 1 of 3 servers, none may fail: no leader at the moment"},
    {"one server that finds no leader", "n1", .no_leader = true, .status = C,
     .summary = "no leader: 1 of 1 servers, none may fail"},
    {"one server left of three confirmed", "n1", .confirmed = "n1 n2 n3", .status = C,
     .summary = "1 of 3 servers, none may fail, 1 more needed: server_2 (node n2) is down, "
                "and 1 more"},

    /* forming */
    {"no raft yet, one of three", "n1:s", .no_leader = true, .status = W,
     .summary = "forming: 1 of 3 servers, none may fail", .details = ""},
    {"no raft yet, two of five by bootstrap_expect", "n1:s5 n2:s5", .no_leader = true, .status = W,
     .summary = "forming: 2 of 5 servers, none may fail"},
    {"no raft yet, all here", "n1:s n2:s n3:s", .leaderless = true, .status = W,
     .summary = "forming: 3 of 3 servers, none may fail"},
    {"no raft yet, two of three mapped", "n1:s n2:s", .mapped = "n1 n2 n3", .no_leader = true,
     .status = W, .summary = "forming: 2 of 3 servers, none may fail"},
    {"no raft yet, autopilot unknown", "n1:s", .no_leader = true, .no_autopilot = true,
     .unheard = true, .status = W, .summary = "forming: 1 of 3 servers, none may fail",
     .details = ""},
    {"two of three mapped", "n1 n2", .mapped = "n1 n2 n3", .status = W,
     .summary = "forming: 2 of 3 servers, none may fail: server_3 (node n3) has not joined",
     .details = "server_3 (node n3) has not joined: start it and let it join voting: server_1 "
                "(node n1), server_2 (node n2)\n"},
    {"two of three mapped, for long", "n1 n2", .mapped = "n1 n2 n3", .overdue = true, .status = W,
     .summary = "forming: 2 of 3 servers, none may fail: server_3 (node n3) has not joined"},
    {"three of five mapped", "n1 n2 n3", .mapped = "n1 n2 n3 n4 n5", .status = W,
     .summary = "forming: 3 of 5 servers, none may fail: server_4 (node n4) has not joined, "
                "and 1 more"},
    {"the third waits for its vote", "n1 n2 n3:w", .mapped = "n1 n2 n3", .status = W,
     .summary = "forming: 2 of 3 servers, none may fail: server_3 (node n3) is alive and does "
                "not vote"},
    {"whole once, never confirmed, one died", "n1 n2 n3:g", .mapped = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"whole once, never confirmed, one died long ago", "n1 n2 n3:g", .mapped = "n1 n2 n3",
     .overdue = true, .status = C,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"the same, gossip has forgotten it", "n1 n2", .mapped = "n1 n2 n3", .left = "n1 n2 n3",
     .overdue = true, .status = C,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"five mapped, one of three died before the others came", "n1 n2 n3:g",
     .mapped = "n1 n2 n3 n4 n5", .overdue = true, .status = W,
     .summary = "forming: 2 of 5 servers, none may fail: server_3 (node n3) is down, and 2 more"},
    {"whole once, nobody ever said who they are", "n1 n2 n3:g", .overdue = true, .status = C,
     .summary = "2 of 2 servers, none may fail: node n3 is down",
     .details = "node n3 is down: start it again, or set up another in its place\n"
                "none may fail for longer than CLUSTER_GRACE (15m)\n"
                "voting: node n1, node n2\n"
                "not confirmed yet: without ACLs that happens by itself when the cluster is\n"
                "whole, else by lictor confirm\n"},
    {"the same, only a clock record is left", "n1 n2", .left = "n1 n2 n3", .overdue = true,
     .status = C, .summary = "2 of 2 servers, none may fail: even number of voters (2)"},
    {"an old one is no matter where the number is right", "n1 n2 n3 n4:g", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
    {"two servers, nobody said three", "n1 n2", .status = W,
     .summary = "forming: 2 of 3 servers, none may fail"},
    {"two servers, nobody said three, overdue", "n1 n2", .overdue = true, .status = W,
     .summary = "forming: 2 of 3 servers, none may fail"},
    {"a forming cluster that lost its majority is lost", "n1 n2:d", .mapped = "n1 n2 n3",
     .no_leader = true, .status = C,
     .summary = "no leader: 1 of 3 servers, none may fail, 1 more needed: server_2 (node n2) "
                "is down, and 1 more"},

    /* whole */
    {"three, not confirmed", "n1 n2 n3", .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: node n1, node n2, node n3\n"
                "not confirmed yet: without ACLs that happens by itself when the cluster\n"
                "is whole, else by lictor confirm\n"},
    {"three, confirmed", "n1 n2 n3", .confirmed = "n1 n2 n3", .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"three, confirmed and mapped", "n1 n2 n3", .confirmed = "n1 n2 n3", .mapped = "n1 n2 n3",
     .status = P, .summary = "3 of 3 servers, 1 may fail"},
    {"sorted by number, not by name", "a b c", .confirmed = "c a b", .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node c), server_2 (node a), server_3 (node b)\n"},
    {"case of names is ignored", "N1 n2 n3", .confirmed = "n1/id-N1 N2/id-n2 n3",
     .mapped = "n1 n2 N3", .status = P, .summary = "3 of 3 servers, 1 may fail"},
    {"five", "n1 n2 n3 n4 n5", .confirmed = "n1 n2 n3 n4 n5", .status = P,
     .summary = "5 of 5 servers, 2 may fail"},
    {"seven", "n1 n2 n3 n4 n5 n6 n7", .confirmed = "n1 n2 n3 n4 n5 n6 n7", .status = P,
     .summary = "7 of 7 servers, 3 may fail"},
    {"clients do not count", "n1 n2 n3 c1:c c2:cg", .confirmed = "n1 n2 n3", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
    {"min_quorum is advice", "n1 n2 n3", .confirmed = "n1 n2 n3", .min_quorum = -1, .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"
                "advice: consul operator autopilot set-config -min-quorum=3 (now 0) keeps\n"
                "dead servers visible\n"},
    {"min_quorum of two is advice", "n1 n2 n3", .confirmed = "n1 n2 n3", .min_quorum = 2,
     .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"
                "advice: consul operator autopilot set-config -min-quorum=3 (now 2) keeps\n"
                "dead servers visible\n"},
    {"no advice without clean-up", "n1 n2 n3", .confirmed = "n1 n2 n3", .min_quorum = -1,
     .no_cleanup = true, .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"an unproven leader alone is no finding", "n1 n2 n3", .confirmed = "n1 n2 n3",
     .unproven = true, .status = P, .summary = "3 of 3 servers, 1 may fail"},

    /* a server down, autopilot's clean-up off and on */
    {"one of three down", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down",
     .details = "server_3 (node n3) is down: start it again; if it is gone for good: set up "
                "another in its place, then lictor confirm voting: server_1 (node n1), "
                "server_2 (node n2)\n"},
    {"one of three down for long", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .overdue = true,
     .status = C, .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down",
     .details = "server_3 (node n3) is down: start it again; if it is gone for good: set up "
                "another in its place, then lictor confirm none may fail for longer than "
                "CLUSTER_GRACE (15m) voting: server_1 (node n1), server_2 (node n2)\n"},
    {"one of three down, cleaned up", "n1 n2 n3:g", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"one of three down, cleaned up, for long", "n1 n2 n3:g", .confirmed = "n1 n2 n3",
     .overdue = true, .status = C,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"one of three down, cleaned up and reaped", "n1 n2", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"one of three down, gossip forgot it", "n1 n2 n3:u", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down"},
    {"one of three down, not confirmed", "n1 n2 n3:d", .status = W,
     .summary = "2 of 3 servers, none may fail: node n3 is down"},
    {"one of three down, not confirmed, unknown to gossip", "n1 n2 n3:u", .status = W,
     .summary = "2 of 3 servers, none may fail: node 10.0.0.3:8300 is down"},
    {"one of five down", "n1 n2 n3 n4 n5:d", .confirmed = "n1 n2 n3 n4 n5", .status = W,
     .summary = "4 of 5 servers, 1 may fail: server_5 (node n5) is down"},
    {"one of five down for long stays a warning", "n1 n2 n3 n4 n5:d", .confirmed = "n1 n2 n3 n4 n5",
     .overdue = true, .status = W,
     .summary = "4 of 5 servers, 1 may fail: server_5 (node n5) is down"},
    {"one of five down, cleaned up", "n1 n2 n3 n4 n5:g", .confirmed = "n1 n2 n3 n4 n5", .status = W,
     .summary = "4 of 5 servers, 1 may fail: server_5 (node n5) is down"},
    {"two of five down", "n1 n2 n3 n4:d n5:d", .confirmed = "n1 n2 n3 n4 n5", .status = W,
     .summary = "3 of 5 servers, none may fail: server_4 (node n4) is down, and 1 more"},
    {"two of five down, cleaned up: raft calls three of three healthy", "n1 n2 n3 n4:g n5:g",
     .confirmed = "n1 n2 n3 n4 n5", .status = W,
     .summary = "3 of 5 servers, none may fail: server_4 (node n4) is down, and 1 more"},
    {"three of five down, cleaned up one by one", "n1 n2 n3:g n4:g n5:g",
     .confirmed = "n1 n2 n3 n4 n5", .status = C,
     .summary = "2 of 5 servers, none may fail, 1 more needed: server_3 (node n3) is down, "
                "and 2 more"},
    {"three of seven down", "n1 n2 n3 n4 n5:d n6:d n7:d", .confirmed = "n1 n2 n3 n4 n5 n6 n7",
     .status = W,
     .summary = "4 of 7 servers, none may fail: server_5 (node n5) is down, and 2 more"},
    {"two of seven down", "n1 n2 n3 n4 n5 n6:d n7:g", .confirmed = "n1 n2 n3 n4 n5 n6 n7",
     .status = W, .summary = "5 of 7 servers, 1 may fail: server_6 (node n6) is down, and 1 more"},
    {"back, but waiting for its vote", "n1 n2 n3:w", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is alive and does not vote",
     .details = "server_3 (node n3) is alive and does not vote: a new server waits 10 s; then "
                "see consul operator raft list-peers voting: server_1 (node n1), server_2 "
                "(node n2)\n"},

    /* no leader, partitions */
    {"an election", "n1:d n2 n3", .confirmed = "n1 n2 n3", .leaderless = true, .status = W,
     .summary = "2 of 3 servers, none may fail: server_1 (node n1) is down, and 1 more"},
    {"an election among all", "n1 n2 n3", .confirmed = "n1 n2 n3", .leaderless = true, .status = W,
     .summary = "3 of 3 servers, none may fail: no leader at the moment"},
    {"no leader although all are alive", "n1 n2 n3", .confirmed = "n1 n2 n3", .no_leader = true,
     .status = C, .summary = "no leader: 3 of 3 servers, none may fail",
     .details = "no leader: are enough servers up, and is port 8300 open between them?\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"no leader, two of three down", "n1 n2:d n3:d", .confirmed = "n1 n2 n3", .no_leader = true,
     .status = C,
     .summary = "no leader: 1 of 3 servers, none may fail, 1 more needed: server_2 (node "
                "n2) is down, and 1 more"},
    {"two of three just down", "n1 n2:d n3:d", .confirmed = "n1 n2 n3", .leaderless = true,
     .status = C,
     .summary = "1 of 3 servers, none may fail, 1 more needed: server_2 (node n2) is down, "
                "and 1 more"},
    {"not confirmed, two of three down", "n1 n2:d n3:d", .no_leader = true, .status = C,
     .summary = "no leader: 1 of 3 servers, none may fail, 1 more needed: node n2 is down, "
                "and 1 more"},
    {"all were restarted, one is back", "n1 n2:d n3:u", .no_leader = true, .unheard = true,
     .no_autopilot = true, .status = C,
     .summary = "no leader: 1 of 3 servers, none may fail, 1 more needed: node 10.0.0.3:8300 "
                "is down, and 1 more",
     .details = "node 10.0.0.3:8300 is down: start it again node n2 is down: start it again "
                "no leader: are enough servers up, and is port 8300 open between them? "
                "voting: node n1 no leader since this server was started: its settings and "
                "the confirmed servers cannot be read\n"},
    {"partition of five, larger side", "n1 n2 n3 n4:d n5:d", .confirmed = "n1 n2 n3 n4 n5",
     .overdue = true, .status = C,
     .summary = "3 of 5 servers, none may fail: server_4 (node n4) is down, and 1 more"},
    {"partition of five, smaller side", "n1:d n2:d n3:d n4 n5", .confirmed = "n1 n2 n3 n4 n5",
     .no_leader = true, .status = C,
     .summary = "no leader: 2 of 5 servers, none may fail, 1 more needed: server_1 (node "
                "n1) is down, and 2 more"},
    {"partition of three, smaller side, old leader not aware yet", "n1 n2:d n3:d",
     .confirmed = "n1 n2 n3", .unproven = true, .status = C,
     .summary = "1 of 3 servers, none may fail, 1 more needed: server_2 (node n2) is down, "
                "and 1 more"},
    {"gossip and raft disagree", "n1 n2:d n3:d", .confirmed = "n1 n2 n3", .status = W,
     .summary = "1 of 3 servers, none may fail: gossip and raft disagree: is port 8301 open?"},
    {"gossip and raft disagree, not confirmed", "n1 n2:d n3:d", .status = W,
     .summary = "1 of 3 servers, none may fail: gossip and raft disagree: is port 8301 open?"},
    {"gossip and raft disagree for long", "n1 n2:d n3:u", .confirmed = "n1 n2 n3", .overdue = true,
     .status = W,
     .summary = "1 of 3 servers, none may fail: gossip and raft disagree: is port 8301 open?"},
    {"too few expected, although raft shrank and agrees", "n1 n2", .confirmed = "n1 n2 n3 n4 n5",
     .status = C,
     .summary = "2 of 5 servers, none may fail, 1 more needed: server_3 (node n3) is down, "
                "and 2 more"},

    /* two raft clusters in one gossip pool */
    {"three clusters of one", "n1:b n2:sb n3:sb", .split = true, .status = C,
     .summary = "1 of 3 servers, none may fail: two raft clusters in one gossip pool, "
                "outside ours: n2, n3",
     .details = "keep one of the clusters; on every other server stop Consul, empty its\n"
                "data directory, set bootstrap_expect to the number of servers (not 1),\n"
                "start it\n"
                "voting: node n1\n"},
    {"three clusters of one, just now", "n1:b n2:sb n3:sb", .status = W,
     .summary = "forming: 1 of 3 servers, none may fail"},
    {"three clusters of one, seen from another", "n3:b n2:sb n1:sb", .mapped = "n1 n2 n3",
     .split = true, .status = C,
     .summary = "1 of 3 servers, none may fail, 1 more needed: two raft clusters in one "
                "gossip pool, outside ours: n1, n2"},
    {"a fourth with a cluster of its own", "n1 n2 n3 n4:sb", .confirmed = "n1 n2 n3", .split = true,
     .status = C,
     .summary = "3 of 4 servers, 1 may fail: two raft clusters in one gossip pool, outside "
                "ours: n4"},
    {"a fourth that has just come", "n1 n2 n3 n4:s", .confirmed = "n1 n2 n3", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
    {"split goes before no spare", "n1 n2 n3:sb", .confirmed = "n1 n2 n3", .split = true,
     .overdue = true, .status = C,
     .summary = "2 of 3 servers, none may fail: two raft clusters in one gossip pool, "
                "outside ours: n3"},

    {"a living server taken out of raft is no second cluster", "n1 n2 n3:s",
     .confirmed = "n1 n2 n3", .split = true, .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is alive and does not vote"},
    {"the same, nobody ever said who they are", "n1 n2 n3:s", .split = true, .status = W,
     .summary = "forming: 2 of 3 servers, none may fail: node n3 is alive and is not in raft",
     .details = "node n3 is alive and is not in raft: Consul takes it in within two minutes, "
                "or restart Consul there voting: node n1, node n2\n"},

    /* alive in gossip, and yet not as it should */
    {"one of three does not follow", "n1 n2 n3:l", .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is alive and does not "
                "follow the leader",
     .details = "server_3 (node n3) is alive and does not follow the leader: is port 8300\n"
                "open between it and the others? its Consul's log says more\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"one of three does not follow for long", "n1 n2 n3:l", .confirmed = "n1 n2 n3",
     .overdue = true, .status = C,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is alive and does not "
                "follow the leader"},
    {"one of five does not follow", "n1 n2 n3 n4 n5:l", .confirmed = "n1 n2 n3 n4 n5",
     .overdue = true, .status = W,
     .summary = "4 of 5 servers, 1 may fail: server_5 (node n5) is alive and does not follow "
                "the leader"},
    {"one down, one does not follow, and yet a majority does", "n1 n2:l n3:d",
     .confirmed = "n1 n2 n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down, and 1 more"},
    {"none follows, says autopilot, and a majority does", "n1 n2:l n3:l", .confirmed = "n1 n2 n3",
     .status = W,
     .summary = "2 of 3 servers, none may fail: server_2 (node n2) is alive and does not "
                "follow the leader, and 1 more"},
    {"who follows is not known", "n1 n2 n3", .confirmed = "n1 n2 n3",
     .blind = "403 (operator read)", .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"
                "who follows the leader is not known: 403 (operator read)\n"},
    {"one reports nothing", "n1 n2:q n3", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_2 (node n2) is alive and reports nothing, "
                "what Consul shows of it is old"},
    {"a former server's checks", "n1 n2 n3:f", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: the checks that Consul shows of server_3 (node n3) "
                "are a former server's",
     .details = "the checks that Consul shows of server_3 (node n3) are a former server's:\n"
                "Consul rejects its new node ID; lictor api PUT catalog/deregister --data\n"
                "'{\"Node\":\"n3\"}' lets it in\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},

    /* growing */
    {"a fourth voter", "n1 n2 n3 n4", .confirmed = "n1 n2 n3", .status = W,
     .summary = "4 of 4 servers, 1 may fail: even number of voters (4), and 1 more",
     .details = "even number of voters (4): add or remove one; the last one adds no reserve\n"
                "node n4 votes and is not confirmed: if it is wanted: lictor confirm\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3), node\n"
                "n4\n"},
    {"a fourth waiting for its vote", "n1 n2 n3 n4:w", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: node n4 is alive and does not vote"},
    {"five, three confirmed", "n1 n2 n3 n4 n5", .confirmed = "n1 n2 n3", .status = W,
     .summary = "5 of 5 servers, 2 may fail: node n4 votes and is not confirmed, and 1 more"},
    {"five mapped, three confirmed, three there", "n1 n2 n3", .confirmed = "n1 n2 n3",
     .mapped = "n1 n2 n3 n4 n5", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_4 (node n4) has not joined, and 1 more"},
    {"five mapped and there, three confirmed", "n1 n2 n3 n4 n5", .confirmed = "n1 n2 n3",
     .mapped = "n1 n2 n3 n4 n5", .status = W,
     .summary = "5 of 5 servers, 2 may fail: server_4 (node n4) votes and is not confirmed, "
                "and 1 more"},
    {"five mapped, four there", "n1 n2 n3 n4", .confirmed = "n1 n2 n3", .mapped = "n1 n2 n3 n4 n5",
     .status = W,
     .summary = "4 of 4 servers, 1 may fail: server_5 (node n5) has not joined, and 1 more"},
    {"an even number, one of it down", "n1 n2 n3 n4:d", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 4 servers, none may fail: node n4 is down"},

    /* replacing */
    {"replaced under a new name", "n1 n2 n3:g n4", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_3 (node n3) is down, and 1 more",
     .details = "server_3 (node n3) is down: start it again; if it is gone for good:\n"
                "lictor confirm\n"
                "node n4 votes and is not confirmed: if it is wanted: lictor confirm\n"
                "voting: server_1 (node n1), server_2 (node n2), node n4\n"},
    {"replaced under a new name, the old one still in raft", "n1 n2 n3:d n4",
     .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 4 servers, none may fail: server_3 (node n3) is down, and 1 more"},
    {"replaced under a new name, mapped", "n1 n2 n4", .confirmed = "n1 n2 n3", .mapped = "n1 n2 n4",
     .status = W, .summary = "3 of 3 servers, 1 may fail: server_3 (node n3) is down, and 2 more"},
    {"replaced under a new name, mapped and confirmed", "n1 n2 n3:g n4",
     .confirmed = "n1 n2 server_3=n4", .mapped = "n1 n2 n4", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
    {"rebuilt under the old name", "n1 n2 n3/new", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_3 (node n3) was installed again (other "
                "node ID)",
     .details = "server_3 (node n3) was installed again (other node ID): if that was wanted:\n"
                "lictor confirm\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"rebuilt under the old name, waiting for its vote", "n1 n2 n3/new:w", .confirmed = "n1 n2 n3",
     .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is alive and does not vote"},
    {"rebuilt under the old name, old entry in raft", "n1 n2 n3/id-n3:u n3/new",
     .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 4 servers, none may fail: an old entry of server_3 (node n3) is left in "
                "raft, and 1 more",
     .details = "an old entry of server_3 (node n3) is left in raft: consul operator raft "
                "remove-peer -id=id-n3 server_3 (node n3) was installed again (other node "
                "ID): if that was wanted: lictor confirm voting: server_1 (node n1), server_2 "
                "(node n2), server_3 (node n3)\n"},
    {"renamed with its data", "n1 n2 n9/id-n3 n3/id-n3:g", .confirmed = "n1 n2 n3", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_3 (node n3) is down, and 1 more"},

    {"renamed with its data, old name first", "n1 n2 n3/id-n3:g n9/id-n3", .confirmed = "n1 n2 n3",
     .status = W, .summary = "3 of 3 servers, 1 may fail: server_3 (node n3) is down, and 1 more"},

    /* shrinking */
    {"shrunk from five to three", "n1 n2 n3", .confirmed = "n1 n2 n3 n4 n5", .status = W,
     .summary = "3 of 5 servers, none may fail: server_4 (node n4) is down, and 1 more"},
    {"shrunk from five to three, for long", "n1 n2 n3", .confirmed = "n1 n2 n3 n4 n5",
     .overdue = true, .status = C,
     .summary = "3 of 5 servers, none may fail: server_4 (node n4) is down, and 1 more"},
    {"shrunk from five to three, mapped", "n1 n2 n3", .confirmed = "n1 n2 n3 n4 n5",
     .mapped = "n1 n2 n3", .overdue = true, .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_4 (node n4) is down, and 1 more"},
    {"shrunk by one, mapped to three", "n1 n2 n3 n4", .confirmed = "n1 n2 n3 n4 n5",
     .mapped = "n1 n2 n3", .status = W,
     .summary = "4 of 4 servers, 1 may fail: server_5 (node n5) is down, and 1 more"},

    /* mapping */
    {"two swapped", "n1 n2 n3", .confirmed = "n1 n2 n3", .mapped = "n1 n3 n2", .status = W,
     .summary = "3 of 3 servers, 1 may fail: mapping changed: server_2 is n2 as confirmed, "
                "n3 in CLUSTER_SERVERS, and 1 more",
     .details = "mapping changed: server_2 is n2 as confirmed, n3 in CLUSTER_SERVERS: if\n"
                "that was wanted: lictor confirm\n"
                "mapping changed: server_3 is n3 as confirmed, n2 in CLUSTER_SERVERS: if\n"
                "that was wanted: lictor confirm\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"another name mapped that is nowhere", "n1 n2 n3", .confirmed = "n1 n2 n3",
     .mapped = "n1 n2 x", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_3 (node x) has not joined, and 2 more"},
    {"a voter that is not mapped, not confirmed yet", "n1 n2 n3", .mapped = "n1 n2 x", .status = W,
     .summary = "3 of 3 servers, 1 may fail: server_3 (node x) has not joined, and 1 more"},
    {"the record is damaged", "n1 n2 n3", .damaged = "it names no server", .status = W,
     .summary = "3 of 3 servers, 1 may fail: the record lictor/mapping is damaged (it names "
                "no server)",
     .details = "the record lictor/mapping is damaged (it names no server):\n"
                "lictor confirm\n"
                "voting: node n1, node n2, node n3\n"},
    {"a damaged record is not forming", "n1", .damaged = "x", .overdue = true, .status = C,
     .summary = "1 of 1 servers, none may fail: the record lictor/mapping is damaged (x)"},

    /* management server, non-voters */
    {"management server by name is a client", "n1 n2 n3 m9:c", .confirmed = "n1 n2 n3",
     .management = "m9", .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server by address", "n1 n2 n3 m9:c", .confirmed = "n1 n2 n3",
     .management = "10.0.0.9", .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server by first label", "n1 n2 n3 m9:c", .confirmed = "n1 n2 n3",
     .management = "M9.example.com", .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server whose node name is longer", "n1 n2 n3 m9.example.com:c",
     .confirmed = "n1 n2 n3", .management = "m9", .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server matches nobody", "n1 n2 n3", .confirmed = "n1 n2 n3", .management = "m",
     .status = P, .summary = "3 of 3 servers, 1 may fail",
     .details = "management server m: no member of this cluster has that name or address\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server of another domain matches nobody", "n1 n2 n3 m9.a.org:c",
     .confirmed = "n1 n2 n3", .management = "m9.b.org", .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "management server m9.b.org: no member of this cluster has that name or\n"
                "address\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server votes", "n1 n2 n3", .confirmed = "n1 n2 n3", .management = "n3",
     .status = W,
     .summary = "3 of 3 servers, 1 may fail: the management server, server_3 (node n3), "
                "votes",
     .details = "the management server, server_3 (node n3), votes: run Consul there as a\n"
                "client (server = false)\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"management server votes as a fourth", "n1 n2 n3 m9", .confirmed = "n1 n2 n3",
     .management = "m9", .status = W,
     .summary = "4 of 4 servers, 1 may fail: even number of voters (4), and 2 more"},
    {"management server in raft without a vote", "n1 n2 n3 m9:w", .confirmed = "n1 n2 n3",
     .management = "m9", .status = P, .summary = "3 of 3 servers, 1 may fail"},
    {"a replica without a vote", "n1 n2 n3 r1:wr", .confirmed = "n1 n2 n3", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
    {"a replica where a voter is confirmed", "n1 n2 n3 n4 n5:wr", .confirmed = "n1 n2 n3 n4 n5",
     .status = W,
     .summary = "4 of 5 servers, 1 may fail: server_5 (node n5) is alive and does not vote"},
    {"a dead server without a vote is nobody", "n1 n2 n3 n4:wd", .confirmed = "n1 n2 n3",
     .status = P, .summary = "3 of 3 servers, 1 may fail"},

    /* maintenance */
    {"maintenance is said", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .maintenance = "n3", .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down for maintenance",
     .details = "server_3 (node n3) is down for maintenance: until 2026-11-23T18:00Z; lictor "
                "maintenance none ends it voting: server_1 (node n1), server_2 (node n2)\n"},
    {"maintenance said after the grace has run out", "n1 n2 n3:d", .confirmed = "n1 n2 n3",
     .maintenance = "n3", .overdue = true, .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down for maintenance"},
    {"maintenance has run out", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .maintenance = "n3",
     .now_s = UNTIL_S, .status = W,
     .summary = "2 of 3 servers, none may fail: server_3 (node n3) is down",
     .details = "server_3 (node n3) is down: start it again; if it is gone for good: set up "
                "another in its place, then lictor confirm voting: server_1 (node n1), "
                "server_2 (node n2)\n"},
    {"maintenance of nobody", "n1 n2 n3", .confirmed = "n1 n2 n3", .maintenance = "n7", .status = P,
     .summary = "3 of 3 servers, 1 may fail",
     .details = "maintenance: no server is named n7 (CLUSTER_MAINTENANCE)\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},

    /* settings */
    {"a refused value is a warning", "n1 n2 n3", .confirmed = "n1 n2 n3", .reject = "CLUSTER_GRACE",
     .status = W, .summary = "3 of 3 servers, 1 may fail: CLUSTER_GRACE: \"x\" is wrong",
     .details = "CLUSTER_GRACE: \"x\" is wrong: its default is in force\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"an unknown key is a warning", "n1 n2 n3", .confirmed = "n1 n2 n3", .unknown = "CLUSTER_GRAZE",
     .status = W, .summary = "3 of 3 servers, 1 may fail: CLUSTER_GRAZE: no such setting",
     .details = "CLUSTER_GRAZE: no such setting: it has no effect\n"
                "voting: server_1 (node n1), server_2 (node n2), server_3 (node n3)\n"},
    {"the logging settings are somebody else's", "n1 n2 n3", .confirmed = "n1 n2 n3",
     .reject = "LOG_INDEX", .unknown = "LOG_LEVLE", .status = P,
     .summary = "3 of 3 servers, 1 may fail"},
};

/* How lines are wrapped is the verdict module's business. */
static const char *unwrapped(const char *text, char ret[4000])
{
    size_t len = 0;
    for (; *text != '\0' && len + 1 < 4000; text++) {
        bool blank = *text == ' ' || *text == '\n';
        if (!blank)
            ret[len++] = *text;
        else if (len > 0 && ret[len - 1] != ' ')
            ret[len++] = ' ';
    }
    ret[len] = '\0';
    return ret;
}

static void judge_row(const struct row *row)
{
    static struct facts f;
    char got[4000];
    char want[4000];
    struct verdict v;
    build(row, &f);
    struct quorum_held held = {
        .leaderless_ms = row->no_leader    ? 30000
                         : row->leaderless ? 29999
                                           : -1,
        .split_ms = row->split ? 30000 : -1,
        .no_spare_ms = row->overdue ? 900000 : 899999,
    };
    quorum_judge(&f.facts, &held, &v);
    unwrapped(v.details, got);
    unwrapped(row->details ? row->details : v.details, want);
    if (strcmp(v.summary, row->summary) != 0 || v.status != row->status || strcmp(got, want) != 0)
        print_message("row \"%s\"\n", row->name);
    assert_string_equal(v.summary, row->summary);
    assert_int_equal(v.status, row->status);
    assert_string_equal(got, want);
}

static void every_row_gets_its_verdict(void **state)
{
    (void)state;
    assert_in_range(COUNT(rows), 80, 1000);
    for (size_t i = 0; i < COUNT(rows); i++)
        judge_row(&rows[i]);
}

/* ---- conditions ---------------------------------------------------------- */

static const struct {
    struct row row;
    struct quorum_conditions want;
} conditions[] = {
    {{.name = "whole", .servers = "n1 n2 n3"}, {.whole = true}},
    {{.name = "forming is not without spare", .servers = "n1"}, {0}},
    {{"no leader", "n1 n2 n3", .no_leader = true}, {.leaderless = true}},
    {{.name = "split", .servers = "n1 n2 n3 n4:s"}, {.split = true}},
    {{"split needs a leader", "n1 n2 n3 n4:s", .leaderless = true}, {.leaderless = true}},
    {{.name = "a failed stranger splits nothing", .servers = "n1 n2 n3 n4:g"}, {.whole = true}},
    {{"one down", "n1 n2 n3:d", .confirmed = "n1 n2 n3"}, {.no_spare = true}},
    {{.name = "below zero is without spare, too", .servers = "n1 n2:d n3:d"}, {.no_spare = true}},
    {{"in maintenance", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .maintenance = "N3"},
     {.no_spare = true, .excused = true}},
    {{"in maintenance, cleaned up", "n1 n2 n3:g", .confirmed = "n1 n2 n3", .maintenance = "n3"},
     {.no_spare = true, .excused = true}},
    {{"in maintenance, waiting for its vote", "n1 n2 n3:w", .confirmed = "n1 n2 n3",
      .maintenance = "n3"},
     {.no_spare = true, .excused = true}},
    {{"maintenance over", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .maintenance = "n3",
      .now_s = UNTIL_S},
     {.no_spare = true}},
    {{"another one is down", "n1 n2:d n3", .confirmed = "n1 n2 n3", .maintenance = "n3"},
     {.no_spare = true}},
    {{"it and another one are down", "n1 n2:d n3:d n4 n5", .confirmed = "n1 n2 n3 n4 n5",
      .maintenance = "n3"},
     {.no_spare = true, .excused = true}},
    {{"it and two others are down", "n1:d n2:d n3:d n4 n5", .confirmed = "n1 n2 n3 n4 n5",
      .maintenance = "n3"},
     {.no_spare = true}},
    {{"it would make an even number with one down", "n1 n2 n3:d n4:g", .confirmed = "n1 n2 n4",
      .maintenance = "n4"},
     {.no_spare = true}},
    {{"maintenance of a stranger", "n1 n2 n3:d", .confirmed = "n1 n2 n3", .maintenance = "n8"},
     {.no_spare = true}},
};

static void conditions_hold_where_they_should(void **state)
{
    (void)state;
    static struct facts f;
    for (size_t i = 0; i < COUNT(conditions); i++) {
        struct quorum_conditions got;
        build(&conditions[i].row, &f);
        quorum_conditions(&f.facts, &got);
        print_message("  conditions \"%s\"\n", conditions[i].row.name);
        assert_int_equal(got.leaderless, conditions[i].want.leaderless);
        assert_int_equal(got.split, conditions[i].want.split);
        assert_int_equal(got.no_spare, conditions[i].want.no_spare);
        assert_int_equal(got.excused, conditions[i].want.excused);
        assert_int_equal(got.whole, conditions[i].want.whole);
    }
}

/* ---- confirming ---------------------------------------------------------- */

static const struct {
    struct row row;
    const char *reason; /* NULL: whole */
    const char *mapping;
} wholes[] = {
    {{.name = "by name", .servers = "b a c"}, NULL, "server_1=a server_2=b server_3=c"},
    {{.name = "by number in the name", .servers = "n10 n9 n1"},
     NULL,
     "server_1=n1 server_2=n9 server_3=n10"},
    {{"as CLUSTER_SERVERS says", "a b c", .mapped = "c A b"},
     NULL,
     "server_1=c server_2=A server_3=b"},
    {{"CLUSTER_SERVERS goes before the record", "a b c", .confirmed = "a b c", .mapped = "c b a"},
     NULL,
     "server_1=c server_2=b server_3=a"},
    {{"the rest keep their numbers", "a b z", .confirmed = "z b x"},
     NULL,
     "server_1=z server_2=b server_3=a"},
    {{"growing", "a b c d e", .confirmed = "e d c"},
     NULL,
     "server_1=e server_2=d server_3=c server_4=a server_5=b"},
    {{"shrinking leaves gaps", "a c e", .confirmed = "a b c d e"},
     NULL,
     "server_1=a server_3=c server_5=e"},
    {{"gaps are filled first", "a c e f g", .confirmed = "a b c d e"},
     NULL,
     "server_1=a server_2=f server_3=c server_4=g server_5=e"},
    {{"a damaged record does not matter", "a b c", .damaged = "x"},
     NULL,
     "server_1=a server_2=b server_3=c"},
    {{.name = "clients may be there", .servers = "a b c m9:c"},
     NULL,
     "server_1=a server_2=b server_3=c"},
    {{"no leader", "a b c", .leaderless = true},
     "there is no leader that a majority follows",
     NULL},
    {{"an unproven leader", "a b c", .unproven = true},
     "there is no leader that a majority follows",
     NULL},
    {{.name = "one", .servers = "a"},
     "the number of voters is 1; an odd one of at least three is needed",
     NULL},
    {{.name = "four", .servers = "a b c d"},
     "the number of voters is 4; an odd one of at least three is needed",
     NULL},
    {{.name = "one is down", .servers = "a b c:d"}, "node c is in raft and does not answer", NULL},
    {{.name = "one is waiting", .servers = "a b c d:w"},
     "4 servers are alive, 3 of them vote",
     NULL},
    {{.name = "a stranger", .servers = "a b c d:s"}, "4 servers are alive, 3 of them vote", NULL},
    {{"one does not follow", "a b c:l"}, "node c does not follow the leader", NULL},
    {{"one has a former server's entry", "a b c:f"},
     "Consul shows a former server's checks for node c (lictor status says what to do)",
     NULL},
    {{"a name too many", "a b c", .mapped = "a b d"},
     "server_3 (node d) is in CLUSTER_SERVERS and does not vote",
     NULL},
    {{"a name too few", "a b c d e", .mapped = "a b c"}, "node d is not in CLUSTER_SERVERS", NULL},
    {{"CLUSTER_SERVERS is refused", "a b c", .reject = "CLUSTER_SERVERS"},
     "CLUSTER_SERVERS has a value that is rejected",
     NULL},
    {{"another refused value does not matter", "a b c", .reject = "CLUSTER_GRACE"},
     NULL,
     "server_1=a server_2=b server_3=c"},
};

static void check_mapping(const struct facts *f, const char *want)
{
    struct server_mapping mapping;
    struct error err = {0};
    char text[512] = "";
    size_t len = 0;
    assert_int_equal(quorum_mapping(&f->facts, &mapping, &err), 0);
    for (size_t i = 0; i < mapping.n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s=%s", i > 0 ? " " : "",
                                mapping.entry[i].server, mapping.entry[i].node);
    assert_string_equal(text, want);
}

static void only_what_is_whole_is_confirmed(void **state)
{
    (void)state;
    static struct facts f;
    for (size_t i = 0; i < COUNT(wholes); i++) {
        struct error err = {0};
        build(&wholes[i].row, &f);
        int rc = quorum_whole(&f.facts, &err);
        assert_string_equal(err.text, wholes[i].reason ? wholes[i].reason : "");
        assert_int_equal(rc, wholes[i].reason ? -EAGAIN : 0);
        if (wholes[i].mapping)
            check_mapping(&f, wholes[i].mapping);
    }
}

static void a_rebuilt_server_is_confirmed_with_its_new_id(void **state)
{
    (void)state;
    static struct facts f;
    struct row row = {.servers = "a b c/new", .confirmed = "a b c"};
    struct server_mapping mapping;
    struct error err = {0};
    build(&row, &f);
    assert_int_equal(quorum_mapping(&f.facts, &mapping, &err), 0);
    assert_string_equal(mapping.entry[2].id, "new");
    assert_string_equal(mapping.entry[1].id, "id-b");
}

static void a_name_that_fits_no_record_is_not_confirmed(void **state)
{
    (void)state;
    static struct facts f;
    struct row row = {.servers = "a b c$d"};
    struct server_mapping mapping;
    struct error err = {0};
    build(&row, &f);
    assert_int_equal(quorum_mapping(&f.facts, &mapping, &err), -EINVAL);
    assert_string_equal(err.text, "server_3 has a node name outside [A-Za-z0-9_.-]{1,128}");
    assert_int_equal(mapping.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gets_its_verdict),
        cmocka_unit_test(conditions_hold_where_they_should),
        cmocka_unit_test(only_what_is_whole_is_confirmed),
        cmocka_unit_test(a_rebuilt_server_is_confirmed_with_its_new_id),
        cmocka_unit_test(a_name_that_fits_no_record_is_not_confirmed),
    };
    return cmocka_run_group_tests_name("quorum", tests, NULL, NULL);
}
