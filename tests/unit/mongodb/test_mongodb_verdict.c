/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_verdict.h"

#include "base/limits.h"
#include "test.h"

/* Facts in one line. `members` holds words NAME[@NODE]:STATE, member NAME:27017 on the node NAME:
 *   P primary    S secondary    A arbiter    D down    R recovering
 *   l  far behind the primary   n  without a vote   ?  a state without a name
 * `answers` holds words NAME[:FLAGS]; NAME:27017 is in the set rs, has version 4.4.2, takes TLS only
 * and answers nobody without a user:
 *   x  no answer          P  primary, whatever the others say   2  version 4.4.1
 *   o  answers nobody     p  takes plaintext                    L  of this server
 *   1  a single MongoDB   u  a set that was not initiated       q  in the set p5
 *   e  expires soon       E  has expired                        f  is not valid yet
 *   w  on no Consul server                                      b  does not say who the members are
 * `servers` holds the nodes of the Consul servers. */
struct row {
    const char *name;
    const char *members; /* NULL: nobody says who they are */
    const char *answers;
    const char *servers; /* NULL: "a b c" */
    const char *maintenance;
    const char *reject;
    const char *unknown;
    const char *conf, *refusal, *credential;
    const char *summary;
    const char *details; /* NULL: not compared */
    enum verdict_status status;
    int expected;         /* 0: as many as servers */
    bool no_primary_long; /* for 30 s */
    bool overdue;         /* no spare for 15 minutes */
    bool everywhere;
};

#define UNTIL_S 1795456800 /* 2026-11-23T18:00:00Z */
#define NOW_S   (UNTIL_S - 3600)
#define WORDS   12

#define P VERDICT_PASSING
#define W VERDICT_WARNING
#define C VERDICT_CRITICAL

#define THREE     "a:P b:S c:S"
#define ALL       "a b c"
#define OF_THREE  "rs: 3 of 3 members, 1 may fail"
#define WHO       "primary: a:27017\nother members: b:27017 and c:27017\n"
#define WITHOUT_C "primary: a:27017\nother members: b:27017\n"

struct facts {
    struct mongodb_answer answers[WORDS];
    struct mongodb_view view;
    struct mongodb_server servers[WORDS];
    char text[WORDS][2][40];
    struct settings settings;
    struct mongodb_facts facts;
};

/* By the letters of a member. */
static int state_of(const char *flags)
{
    static const struct {
        char letter;
        int state;
    } states[] = {{'P', 1}, {'S', 2}, {'A', 7}, {'D', 8}};
    for (size_t i = 0; i < COUNT(states); i++) {
        if (strchr(flags, states[i].letter))
            return states[i].state;
    }
    return 3;
}

static void add_member(struct facts *f, const char *word)
{
    struct mongodb_member *member = &f->view.member[f->view.n++];
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", word);
    char *flags = strchr(copy, ':');
    *flags++ = '\0';
    char *node = strchr(copy, '@');
    if (node)
        *node++ = '\0';
    *member = (struct mongodb_member){.votes = !strchr(flags, 'n')};
    (void)snprintf(member->name, sizeof member->name, "%s:27017", copy);
    (void)snprintf(member->node, sizeof member->node, "%s", node ? node : copy);
    member->state = state_of(flags);
    member->optime_ms = strchr("PS", flags[0]) ? NOW_S * INT64_C(1000) : 0;
    if (strchr(flags, 'l'))
        member->optime_ms -= 60001;
    (void)snprintf(member->state_name, sizeof member->state_name, "%s",
                   member->state == 8   ? "DOWN"
                   : strchr(flags, '?') ? ""
                                        : "RECOVERING");
}

/* By the letters of an answer, and by what the set says. */
static enum mongodb_role role_of(const struct facts *f, const char *name, const char *flags)
{
    if (strchr(flags, 'u'))
        return MONGODB_UNSTARTED;
    if (strchr(flags, '1'))
        return MONGODB_SINGLE;
    if (strchr(flags, 'P'))
        return MONGODB_PRIMARY;
    for (size_t i = 0; i < f->view.n; i++) {
        if (strcmp(f->view.member[i].name, name) == 0 && f->view.member[i].state == 1)
            return MONGODB_PRIMARY;
    }
    return MONGODB_NO_PRIMARY;
}

static void add_answer(struct facts *f, const char *word)
{
    struct mongodb_answer *answer = &f->answers[f->facts.n++];
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", word);
    char *flags = strchr(copy, ':');
    if (flags)
        *flags++ = '\0';
    else
        flags = copy + strlen(copy);
    *answer = (struct mongodb_answer){.role = MONGODB_NO_PRIMARY, .tls = true};
    (void)snprintf(answer->name, sizeof answer->name, "%s:27017", copy);
    (void)snprintf(answer->node, sizeof answer->node, "%s", strchr(flags, 'w') ? "" : copy);
    (void)snprintf(answer->set, sizeof answer->set, "%s",
                   strpbrk(flags, "1u") ? ""
                   : strchr(flags, 'q') ? "p5"
                                        : "rs");
    answer->role = role_of(f, answer->name, flags);
    (void)snprintf(answer->version, sizeof answer->version, "4.4.%d", strchr(flags, '2') ? 1 : 2);
    answer->open = strchr(flags, 'o') != NULL;
    answer->plain = strchr(flags, 'p') != NULL;
    answer->local = strchr(flags, 'L') != NULL;
    answer->begins_s = strchr(flags, 'f') ? NOW_S + 1 : NOW_S - 1;
    answer->ends_s = NOW_S + 86400 * (strchr(flags, 'e') ? 29 : 31);
    if (strchr(flags, 'E'))
        answer->ends_s = NOW_S;
    if (strchr(flags, 'b'))
        (void)snprintf(answer->blind, sizeof answer->blind, "a user is needed");
    if (!strchr(flags, 'x'))
        return;
    (void)snprintf(answer->trouble, sizeof answer->trouble, "connection refused");
    answer->version[0] = '\0';
    answer->ends_s = 0;
}

static void add_server(struct facts *f, const char *word)
{
    size_t n = f->facts.n_servers++;
    (void)snprintf(f->text[n][0], sizeof f->text[n][0], "%s", word);
    (void)snprintf(f->text[n][1], sizeof f->text[n][1], "server_%zu (node %s)", n + 1, word);
    f->servers[n] = (struct mongodb_server){f->text[n][0], f->text[n][1]};
}

static void each_word(struct facts *f, const char *words, void (*add)(struct facts *, const char *))
{
    char copy[300];
    char *save = NULL;
    (void)snprintf(copy, sizeof copy, "%s", words ? words : "");
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        add(f, w);
}

static void build(const struct row *row, struct facts *f)
{
    settings_release(&f->settings);
    *f = (struct facts){.facts = {.answers = f->answers,
                                  .servers = f->servers,
                                  .settings = &f->settings,
                                  .everywhere = row->everywhere,
                                  .conf = row->conf,
                                  .refusal = row->refusal,
                                  .credential = row->credential,
                                  .now_s = NOW_S}};
    f->settings.grace_us = INT64_C(900000000);
    each_word(f, row->members, add_member);
    each_word(f, row->answers, add_answer);
    each_word(f, row->servers ? row->servers : ALL, add_server);
    (void)snprintf(f->view.set, sizeof f->view.set, "rs");
    f->facts.view = row->members ? &f->view : NULL;
    f->facts.expected = row->expected ? row->expected : (int)f->facts.n_servers;
    f->settings.maintenance_until_s = UNTIL_S;
    (void)snprintf(f->settings.maintenance_node, sizeof f->settings.maintenance_node, "%s",
                   row->maintenance ? row->maintenance : "");
    if (row->reject)
        assert_int_equal(kv_add(&f->settings.rejects, row->reject, "it is wrong", 11, 0), 0);
    if (row->unknown)
        assert_int_equal(kv_add(&f->settings.unknowns, row->unknown, "who is it", 9, 0), 0);
}

static const struct row rows[] = {
    {"whole", THREE, ALL, .status = P, .summary = OF_THREE, .details = WHO},
    {"an arbiter counts", "a:P b:S c:A", ALL, .status = P, .summary = OF_THREE},
    {"one is down", "a:P b:S c:D", "a b c:x", .status = W,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is down",
     .details = "member c:27017 is down: start mongod on c; its log says why it ended\n" WITHOUT_C},
    {"down for longer than the grace", "a:P b:S c:D", "a b c:x", .overdue = true, .status = C,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is down",
     .details = "member c:27017 is down: start mongod on c; its log says why it ended\n"
                "none may fail for longer than CLUSTER_GRACE (15m)\n" WITHOUT_C},
    {"down on purpose", "a:P b:S c:D", "a b c:x", .maintenance = "C", .overdue = true, .status = W,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is down for maintenance",
     .details =
         "member c:27017 is down for maintenance: lictor maintenance none ends it\n" WITHOUT_C},
    {"a host that nobody knows is down", "a:P b:S c@:D", "a b", .status = W,
     .details =
         "member c:27017 is down: start mongod there; its log says why it ended\n"
         "server_3 (node c) has no voting member of rs: rs.add(\"HOST:PORT\") on the primary\n"
         "member c:27017 is on none of the Consul servers: rs.remove() it, or let its host\n"
         "  name be that of a server, or one that leads to its address\n" WITHOUT_C,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is down, and 2 more"},
    {"no majority", "a:S b:D c:D", "a b:x c:x", .status = C,
     .summary = "rs: 1 of 3 members, none may fail, 1 more needed: member b:27017 is down, and 1 "
                "more"},
    {"recovering does not count", "a:P b:S c:R", ALL, .status = W,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is RECOVERING",
     .details = "member c:27017 is RECOVERING: it does not count until it is SECONDARY; mongod's\n"
                "  log there says more\n" WITHOUT_C},
    {"a state without a name", "a:P b:S c:R?", ALL, .status = W,
     .summary = "rs: 2 of 3 members, none may fail: member c:27017 is in no known state"},
    {"an election", "a:S b:S c:S", ALL, .status = W, .summary = OF_THREE ": no primary",
     .details = "no primary: an election takes some seconds\n"
                "other members: a:27017, b:27017 and c:27017\n"},
    {"no primary for long", "a:S b:S c:S", ALL, .no_primary_long = true, .status = C,
     .summary = OF_THREE ": no primary",
     .details = "no primary: mongod's log on each member says why none is elected\n"
                "other members: a:27017, b:27017 and c:27017\n"},
    {"two primaries", THREE, "a b:P c", .status = W,
     .summary = OF_THREE ": 2 primaries: a:27017 and b:27017"},
    {"two primaries for long", THREE, "a b:P c", .no_primary_long = true, .status = C,
     .summary = OF_THREE ": 2 primaries: a:27017 and b:27017",
     .details = "2 primaries: a:27017 and b:27017: can all members reach each other on their\n"
                "  port?\n"
                "primary: a:27017 and b:27017\nother members: c:27017\n"},
    {"what the primary itself says counts", "a:P b:S c:S", "a:x b:P c", .status = W,
     .summary = OF_THREE ": 2 primaries: a:27017 and b:27017, and 1 more"},
    {"far behind", "a:P b:S c:Sl", ALL, .status = W,
     .summary = OF_THREE ": member c:27017 is more than 1m behind the primary",
     .details = "member c:27017 is more than 1m behind the primary: is its disk or network slow?\n"
                "  Beyond the oplog it must be copied anew\n" WHO},
    {"even", "a:P b:S", "a b", .servers = "a b", .status = W,
     .summary = "rs: 2 of 2 members, none may fail: even number of voting members (2)",
     .details = "even number of voting members (2): the last one adds no reserve: rs.add() or\n"
                "  rs.remove() one\n" WITHOUT_C},
    {"a fourth without a vote is fine", "a:P b:S c:S d:Sn", ALL, .status = P, .summary = OF_THREE},
    {"one without a vote does not count", "a:P b:S c:Sn", ALL, .status = W,
     .summary = "rs: 2 of 3 members, none may fail: even number of voting members (2), and 1 more"},
    {"fewer members than servers", THREE, ALL, .servers = "a b c d e", .status = W,
     .summary = "rs: 3 of 5 members, none may fail: server_4 (node d) has no voting member of rs, "
                "and 1 more"},
    {"more members than servers", "a:P b:S c:S d:S e:S", ALL, .status = W,
     .summary = "rs: 5 of 5 members, 2 may fail: member d:27017 is on none of the Consul servers, "
                "and 1 more"},
    {"MongoDB does not shrink with Consul", THREE, ALL, .expected = 5, .status = W,
     .summary = "rs: 3 of 5 members, none may fail"},
    {"a server's member is on another machine", "a:P b:S x@:S", "a b", .status = W,
     .summary = OF_THREE ": server_3 (node c) has no voting member of rs, and 1 more"},
    {"nobody knows the servers", THREE, ALL, .servers = " ", .status = P, .summary = OF_THREE},
    {"one is not reached from here", THREE, "a b c:x", .status = W,
     .summary = OF_THREE ": c:27017 does not answer here: connection refused",
     .details = "c:27017 does not answer here: connection refused: other members reach it: is its\n"
                "  port open to this server?\n" WHO},
    {"a node that answers under another name is the member", THREE, "a b c", .status = P,
     .summary = OF_THREE},
    {"one of another set", THREE, "a b c:q", .status = W,
     .summary = OF_THREE ": c:27017 is in the replica set p5, not in rs"},
    {"one for itself", "a:P b:S", "a b c:1", .status = W,
     .summary = "rs: 2 of 3 members, none may fail: even number of voting members (2), and 2 more",
     .details =
         "even number of voting members (2): the last one adds no reserve: rs.add() or\n"
         "  rs.remove() one\n"
         "server_3 (node c) has no voting member of rs: rs.add(\"HOST:PORT\") on the primary\n"
         "c:27017 is a MongoDB of its own, not in rs: empty its data, start it with\n"
         "  replSetName, then rs.add() on the primary\n" WITHOUT_C},
    {"a URL of no member", THREE, "a b c x:w", .status = W,
     .summary = OF_THREE ": x:27017 is no member of rs"},
    {"versions", THREE, "a b:2 c", .status = W,
     .summary = OF_THREE ": versions differ: 4.4.2 on a:27017 and c:27017; 4.4.1 on b:27017",
     .details = "versions differ: 4.4.2 on a:27017 and c:27017; 4.4.1 on b:27017: one version on\n"
                "  all, once an update is over\n" WHO},
    {"one that does not answer has no version", THREE, "a b c:x", .status = W,
     .summary = OF_THREE ": c:27017 does not answer here: connection refused"},
    {"open", THREE, "a:o b:o c", .status = W,
     .summary = OF_THREE ": answers without a user: a:27017 and b:27017",
     .details =
         "answers without a user: a:27017 and b:27017: who reaches it reads and changes\n"
         "  every job: make users, then security.authorization: enabled in mongod.conf\n" WHO},
    {"open and on all interfaces", THREE, "a:oL b:o c:o", .everywhere = true, .status = W,
     .summary = OF_THREE ": answers without a user, and is bound to all interfaces: a:27017, "
                         "b:27017 and c:27017"},
    {"on all interfaces with users", THREE, "a:L b c", .everywhere = true, .status = P,
     .summary = OF_THREE},
    {"plaintext", THREE, "a b c:p", .status = W,
     .summary = OF_THREE ": takes connections without TLS: c:27017",
     .details = "takes connections without TLS: c:27017: net.tls.mode: requireTLS in mongod.conf\n"
                "  (before 4.2 net.ssl.mode: requireSSL)\n" WHO},
    {"expires", THREE, "a b c:e", .status = W,
     .summary = OF_THREE ": the certificate of c:27017 expires on 2026-12-22"},
    {"has expired", THREE, "a b c:E", .status = W,
     .summary = OF_THREE ": the certificate of c:27017 has expired on 2026-11-23",
     .details = "the certificate of c:27017 has expired on 2026-11-23: replace it, and restart\n"
                "  mongod there\n" WHO},
    {"is not valid yet", THREE, "a b c:f", .status = W,
     .summary = OF_THREE ": the certificate of c:27017 is not valid before 2026-11-23"},
    {"nobody answers", NULL, "a:x b:x c:x", .status = C,
     .summary = "no MongoDB answers: a:27017 does not answer: connection refused, and 2 more"},
    {"nobody to ask", NULL, "", .status = W,
     .summary = "no MongoDB answers: there is no server to ask"},
    {"a single one", NULL, "a:1L b:x", .status = W, .summary = "not a replica set: a:27017",
     .details = "when that server fails, nothing is printed: replication.replSetName in\n"
                "  mongod.conf of each server, rs.initiate() on the one that has the data, then\n"
                "  rs.add() the others there\n"},
    {"three single ones, open", NULL, "a:1o b:1 c:1", .status = W,
     .summary = "not a replica set: a:27017, b:27017 and c:27017"},
    {"not initiated", NULL, "a:u b:1", .status = W,
     .summary = "the replica set is not initiated: a:27017",
     .details = "rs.initiate() on one of them, then rs.add() the others there\n"},
    {"blind", NULL, "a:x b:b c:b", .status = W,
     .summary = "cannot look at the members: a user is needed"},
    {"blind without a reason", NULL, "a b c", .status = W,
     .summary = "cannot look at the members: no member says who they are"},
    {"a wrong value", THREE, ALL, .reject = "MONGODB_URL", .status = W,
     .summary = OF_THREE ": it is wrong", .details = "it is wrong: it has no effect\n" WHO},
    {"another group's wrong value", THREE, ALL, .reject = "LOG_INDEX", .status = P,
     .summary = OF_THREE},
    {"a misspelt key", THREE, ALL, .unknown = "MONGODB_URI", .status = W,
     .summary = OF_THREE ": who is it"},
    {"a forbidden host", NULL, "", .refusal = "MONGODB_URL: host x is not allowed", .status = W,
     .summary = "no MongoDB answers: MONGODB_URL: host x is not allowed"},
    {"a credential that cannot be used", THREE, ALL, .credential = "there is none", .status = W,
     .summary = OF_THREE ": there is none",
     .details = "there is none: it is asked without a user\n" WHO},
    {"a mongod.conf that cannot be read", THREE, ALL, .conf = "cannot read it", .status = W,
     .summary = OF_THREE ": cannot read it",
     .details = "cannot read it: port 27017 is asked\n" WHO},
};

static void every_row_gets_its_verdict(void **state)
{
    (void)state;
    static struct facts f;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict v;
        const struct mongodb_held held = {
            .no_primary_ms = rows[i].no_primary_long ? limits()->no_leader_ms : -1,
            .no_spare_ms = rows[i].overdue ? 900000 : -1};
        build(&rows[i], &f);
        mongodb_judge(&f.facts, &held, &v);
        if (strcmp(v.summary, rows[i].summary) != 0 || v.status != rows[i].status ||
            (rows[i].details && strcmp(v.details, rows[i].details) != 0))
            fail_msg("%s:\n%s: %s\n%s\nwanted %s: %s\n%s", rows[i].name,
                     verdict_status_name(v.status), v.summary, v.details,
                     verdict_status_name(rows[i].status), rows[i].summary,
                     rows[i].details ? rows[i].details : "");
    }
    settings_release(&f.settings);
}

static const struct {
    struct row row;
    bool no_primary, no_spare, excused;
} conditions[] = {
    {{.members = THREE, .answers = ALL}, false, false, false},
    {{.members = "a:S b:S c:S", .answers = ALL}, true, false, false},
    {{.members = THREE, .answers = "a b:P c"}, true, false, false},
    {{.members = "a:P b:S c:D", .answers = "a b"}, false, true, false},
    {{.members = "a:P b:S c:D", .answers = "a b", .maintenance = "c"}, false, true, true},
    {{.members = "a:P b:S c:D", .answers = "a b", .maintenance = "b"}, false, true, false},
    {{.members = "a:S b:D c:D", .answers = "a", .maintenance = "c"}, true, true, false},
    {{.answers = "a:x b:x"}, false, false, false},
};

static void conditions_hold_where_they_should(void **state)
{
    (void)state;
    static struct facts f;
    for (size_t i = 0; i < COUNT(conditions); i++) {
        struct mongodb_conditions now;
        build(&conditions[i].row, &f);
        mongodb_conditions(&f.facts, &now);
        assert_int_equal(now.no_primary, conditions[i].no_primary);
        assert_int_equal(now.no_spare, conditions[i].no_spare);
        assert_int_equal(now.excused, conditions[i].excused);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_gets_its_verdict),
        cmocka_unit_test(conditions_hold_where_they_should),
    };
    return cmocka_run_group_tests_name("mongodb_verdict", tests, NULL, NULL);
}
