/* SPDX-License-Identifier: MIT */
#include "rollout/rolling.h"

#include "test.h"

#define TAIL "1111111111111111111111111111111111111111111111111111111111"

/* Revisions A, B, C are "aaaaaa...", ... */
static void set_revision(char ret[KV_DIGEST], char letter)
{
    (void)snprintf(ret, KV_DIGEST, "%.6s%s",
                   letter == 'A'   ? "aaaaaa"
                   : letter == 'B' ? "bbbbbb"
                                   : "cccccc",
                   TAIL);
}

/* "dA" done with A, "fB!disk_full" refused B, "aA" applying A, "kA" keeps A, "k" nothing in
 * force yet, "k!why"; "~" behind it: what is in force is unproven. */
static void set_record(struct server_record *r, const char *node, const char *word)
{
    static const char letters[] = "kadf";
    const char *at = strchr(letters, word[0]);
    const char *reason = strchr(word, '!');
    *r = (struct server_record){.state = (enum server_record_state)(at - letters)};
    assert_non_null(at);
    (void)snprintf(r->node, sizeof r->node, "%s", node);
    r->unproven = strchr(word, '~') != NULL;
    if (word[1] && word[1] != '!' && word[1] != '~')
        set_revision(r->revision, word[1]);
    (void)snprintf(r->reason, sizeof r->reason, "%s", reason ? reason + 1 : "");
    for (char *c = r->reason; *c; c++)
        *c = *c == '_' ? ' ' : *c;
}

struct world {
    struct rolling_server order[16];
    struct server_record record[16];
    char node[16][16], key[16][32];
    size_t n;
};

/* "1+dA 2-k 3+." : server-1 lives and is done with A, server-2 is dead and has nothing,
 * server-3 has no record ("?" has one that cannot be read). The index is ten times the
 * number. */
static void set_world(struct world *w, const char *text)
{
    char copy[300];
    char *rest = NULL;
    *w = (struct world){.n = 0};
    (void)snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        struct rolling_server *s = &w->order[w->n];
        (void)snprintf(w->node[w->n], sizeof w->node[0], "server-%c", word[0]);
        (void)snprintf(w->key[w->n], sizeof w->key[0], SERVER_RECORD_PREFIX "server-%c", word[0]);
        s->node = w->node[w->n];
        s->alive = word[1] == '+';
        if (word[2] != '.')
            s->version = (struct kv_version){w->key[w->n], (uint64_t)(word[0] - '0') * 10};
        if (word[2] != '.' && word[2] != '?') {
            set_record(&w->record[w->n], s->node, word + 2);
            s->record = &w->record[w->n];
        }
        w->n++;
    }
}

static const struct rolling_server *find(const struct world *w, const char *node)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->order[i].node, node) == 0)
            return &w->order[i];
    return NULL;
}

enum { AGAIN = 1, PARALLEL = 2, HELD = 4, UNSEEN = 8 };

#define FINISHED   ROLLING_FINISHED
#define PUBLISH    ROLLING_PUBLISH
#define APPLY      ROLLING_APPLY
#define CANARY     ROLLING_CANARY
#define WAIT       ROLLING_WAIT
#define STOPPED    ROLLING_STOPPED
#define ON(n, all) #n " of " #all " servers on revision bbbbbb"

/* A is what was in force, B is wanted. */
static const struct row {
    const char *order;
    char self;
    enum rolling_state state;
    const char *text;
    const char *checks; /* "1 3": servers whose records are checked; NULL: none */
    const char *own;    /* the truth, when it is not what KV holds */
    int flags;
} rows[] = {
    /* the way it should go */
    {"1+dA 2+dA 3+dA", '1', CANARY, ON(0, 3) ", server-1 next", .checks = "2 3"},
    {"1+dA 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 next"},
    {"1+dA 2+dA 3+dA", '3', WAIT, ON(0, 3) ", server-1 next"},
    {"1+aB 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 next"},
    {"1+dB 2+dA 3+dA", '1', FINISHED, ON(1, 3) ", server-2 next"},
    {"1+dB 2+dA 3+dA", '2', APPLY, ON(1, 3) ", server-2 next", .checks = "1 3"},
    {"1+dB 2+dA 3+dA", '3', WAIT, ON(1, 3) ", server-2 next"},
    {"1+dB 2+aB 3+dA", '3', WAIT, ON(1, 3) ", server-2 next"},
    {"1+dB 2+aB 3+dA", '1', FINISHED, ON(1, 3) ", server-2 next"},
    {"1+dB 2+dB 3+dA", '3', APPLY, ON(2, 3) ", server-3 next", .checks = "1 2"},
    {"1+dB 2+dB 3+dB", '3', FINISHED, ON(3, 3)},

    /* back on something that is not proven either */
    {"1+fC~!x 2+dA 3+dA", '1', APPLY, ON(0, 3) ", nothing of server-1 has arrived yet",
     .checks = "2 3"},
    {"1+fC~!x 2+dA 3+dA", '2', WAIT, ON(0, 3) ", nothing of server-1 has arrived yet"},
    {"1+dA 2+fC~!x 3+dA", '1', WAIT, ON(0, 3) ", nothing of server-2 has arrived yet"},
    {"1+dA 2+fC~!x 3+dA", '2', APPLY, ON(0, 3) ", nothing of server-2 has arrived yet",
     .checks = "1 3"},
    {"1+. 2+fC~!x 3+dA", '2', APPLY, ON(0, 3) ", nothing of server-2 has arrived yet",
     .checks = "3"},
    {"1+dA 2-kA~ 3+dA", '1', WAIT, ON(0, 3) ", nothing of server-2 has arrived yet", .flags = HELD},
    {"1+fB~!x 2+dA 3+dA", '2', STOPPED, "kept aaaaaa: server-1 rejected bbbbbb: x", .flags = HELD},
    {"1+fB~!x 2+dA 3+dA", '1', STOPPED, ON(0, 3) ", server-1 rejected it", .flags = HELD},

    /* one server alone */
    {"1+k", '1', CANARY, ON(0, 1) ", server-1 next"},
    {"1+dB", '1', FINISHED, ON(1, 1)},
    {"3+dA 1+dA 2+dA", '3', CANARY, ON(0, 3) ", server-3 next", .checks = "1 2"},
    {"3+dB 1+dA 2+dA", '1', APPLY, ON(1, 3) ", server-1 next", .checks = "3 2"},
    {"1+k 2+k 3+k", '1', CANARY, ON(0, 3) ", server-1 next", .checks = "2 3"},
    {"1+dC 2+kA 3+fA!x", '1', CANARY, ON(0, 3) ", server-1 next", .checks = "2 3"},

    /* the truth first */
    {"1+. 2+dA 3+dA", '1', PUBLISH, ON(0, 3) ", server-1 next", .own = "k"},
    {"1+? 2+dA 3+dA", '1', PUBLISH, ON(0, 3) ", server-1 next", .own = "dA"},
    {"1+fB!x 2+dA 3+dA", '1', PUBLISH, ON(1, 3) ", server-2 next", .own = "dB"},
    {"1+dB 2+fC!x 3+dB", '2', PUBLISH, ON(3, 3), .own = "dB"},
    {"1+dB 2+dB 3+dA", '2', PUBLISH, ON(1, 3) ", server-2 next", .own = "kA"},
    {"1+aB 2+dA 3+dA", '1', PUBLISH, ON(0, 3) ", server-1 next", .own = "dA"},
    {"1+dB 2+kA!why 3+dA", '2', PUBLISH, ON(1, 3) ", server-2 next", .own = "kA"},
    {"1+dB 2+aA 3+dB", '2', FINISHED, ON(3, 3), .own = "dB", .flags = PARALLEL},
    {"1+. 2+dA 3+dA", '1', APPLY, ON(0, 3) ", server-1 next", .own = "k", .flags = PARALLEL},

    /* dead ones are skipped, unless they were at work or have refused */
    {"1-dA 2+dA 3+dA", '2', CANARY, ON(0, 3) ", server-2 next", .checks = "1 3"},
    {"1-dA 2+dA 3+dA", '3', WAIT, ON(0, 3) ", server-2 next"},
    {"1-. 2+dA 3+dA", '2', CANARY, ON(0, 3) ", server-2 next", .checks = "3", .flags = UNSEEN},
    {"1-? 2+dA 3+dA", '2', CANARY, ON(0, 3) ", server-2 next", .checks = "1 3"},
    {"1-kA!host 2+dA 3+dA", '2', CANARY, ON(0, 3) ", server-2 next", .checks = "1 3"},
    {"1+dB 2-dA 3+dA", '3', APPLY, ON(1, 3) ", server-3 next", .checks = "1 2"},
    {"1+dB 2-dA 3+dB", '3', FINISHED, ON(2, 3) ", server-2 is down"},
    {"1+dB 2-dB 3+dB", '3', FINISHED, ON(2, 3) ", server-2 is down"},
    {"1+dB 2-dB 3-dB", '1', FINISHED, ON(1, 3) ", server-2 and 1 more are down"},
    {"1-dB 2+dA 3+dA", '2', APPLY, ON(0, 3) ", server-2 next", .checks = "1 3"},
    {"1+dA 2+dB 3+dB", '1', APPLY, ON(2, 3) ", server-1 next", .checks = "2 3"},
    {"1+dA 2+aB 3+dA", '1', WAIT, ON(0, 3) ", server-2 next"},
    {"1-aB 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 died applying bbbbbb", .flags = HELD},
    {"1-aA 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 died applying aaaaaa", .flags = HELD},
    {"1+dA 2+dA 3-aB", '1', WAIT, ON(0, 3) ", server-3 died applying bbbbbb", .flags = HELD},
    {"1+dB 2-aC 3+dB", '3', FINISHED, ON(2, 3) ", server-2 died applying cccccc", .flags = HELD},
    {"1-fB!disk_full 2+dA 3+dA", '2', STOPPED, "kept aaaaaa: server-1 rejected bbbbbb: disk full",
     .flags = HELD},
    {"1-fA!disk_full 2+dA 3+dA", '2', CANARY, ON(0, 3) ", server-2 next", .checks = "1 3"},

    /* mute ones are waited for by name */
    {"1+. 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 has not reported"},
    {"1+? 2+dA 3+dA", '3', WAIT, ON(0, 3) ", server-1 has not reported"},
    {"1+dB 2+dA 3+.", '2', APPLY, ON(1, 3) ", server-2 next", .checks = "1", .flags = UNSEEN},
    {"1+kA!host_es_is_not_allowed 2+dA 3+dA", '2', WAIT,
     ON(0, 3) ", server-1 says: host es is not allowed"},
    {"1+aC 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 applies cccccc"},
    {"1+dA 2+dA 3+aA", '1', WAIT, ON(0, 3) ", server-3 applies aaaaaa"},

    /* one refusal stops the chain */
    {"1+fB!rsyslogd:_bad 2+dA 3+dA", '2', STOPPED,
     "kept aaaaaa: server-1 rejected bbbbbb: rsyslogd: bad", .flags = HELD},
    {"1+fB!rsyslogd:_bad 2+dA 3+dA", '3', STOPPED,
     "kept aaaaaa: server-1 rejected bbbbbb: rsyslogd: bad", .flags = HELD},
    {"1+fB!rsyslogd:_bad 2+dA 3+k", '3', STOPPED,
     "nothing is shipped yet: server-1 rejected bbbbbb: rsyslogd: bad", .own = "k", .flags = HELD},
    {"1+dB 2+fB!exit_1 3+dA", '3', STOPPED, "kept aaaaaa: server-2 rejected bbbbbb: exit 1",
     .flags = HELD},
    {"1+dB 2+fB!exit_1 3+dA", '1', FINISHED, ON(1, 3) ", server-2 rejected it", .flags = HELD},
    {"1+dA 2+dA 3+fB!exit_1", '1', STOPPED, "kept aaaaaa: server-3 rejected bbbbbb: exit 1",
     .flags = HELD},
    {"1+fA!exit_1 2+dA 3+dA", '2', WAIT, ON(0, 3) ", server-1 next"},
    {"1+fB!exit_1 2+dA 3+aA", '2', WAIT, ON(0, 3) ", server-3 applies aaaaaa", .flags = HELD},
    {"1+fB!exit_1 2+dA 3+dA", '1', STOPPED, ON(0, 3) ", server-1 rejected it", .flags = HELD},
    {"1+fB!exit_1 2+dA 3+dA", '1', CANARY, ON(0, 3) ", server-1 rejected it", .checks = "2 3",
     .flags = AGAIN | HELD},
    {"1+dB 2+fB!exit_1 3+dA", '2', APPLY, ON(1, 3) ", server-2 rejected it", .checks = "1 3",
     .flags = AGAIN | HELD},
    {"1+dA 2+fB!exit_1 3+dA", '2', WAIT, ON(0, 3) ", server-2 rejected it", .flags = AGAIN | HELD},
    {"1+fB!x 2+fB!y 3+dA", '1', CANARY, ON(0, 3) ", server-1 rejected it", .checks = "2 3",
     .flags = AGAIN | HELD},
    {"1+fB!x 2+fB!y 3+dA", '2', STOPPED, ON(0, 3) ", server-1 rejected it", .flags = AGAIN | HELD},
    {"1-fB!x 2+fB!y 3+dA", '2', STOPPED, ON(0, 3) ", server-1 rejected it", .flags = AGAIN | HELD},
    {"1+fB!x 2+dA 3+aB", '1', WAIT, ON(0, 3) ", server-3 next", .flags = AGAIN | HELD},
    {"1+fA!x 2+dA 3+dA", '1', CANARY, ON(0, 3) ", server-1 next", .checks = "2 3"},

    /* interrupted: goes on at once, whatever the others are doing */
    {"1+aB 2+dA 3+dA", '1', APPLY, ON(0, 3) ", server-1 next", .checks = "2 3"},
    {"1+dA 2+aB 3+dA", '2', APPLY, ON(0, 3) ", server-2 next", .checks = "1 3"},
    {"1+dA 2+aA 3+dA", '2', APPLY, ON(0, 3) ", server-2 applies aaaaaa", .checks = "1 3"},
    {"1+fB!x 2+aA 3+.", '2', APPLY, ON(0, 3) ", server-2 applies aaaaaa", .checks = "1",
     .flags = HELD},
    {"1+aB 2+aB 3+dA", '2', APPLY, ON(0, 3) ", server-1 next", .checks = "1 3"},
    {"1+dB 2+dA 3+dA", '2', APPLY, ON(1, 3) ", server-2 next", .checks = "1 3", .own = "aB"},
    {"1+dB 2+. 3+dA", '2', APPLY, ON(1, 3) ", server-2 next", .checks = "1 3", .own = "aB"},

    /* not in the order: behind all */
    {"1+dA 2+dA", '3', WAIT, ON(0, 2) ", server-1 next", .own = "dA"},
    {"1+dB 2+dB", '3', APPLY, ON(2, 2), .checks = "1 2", .own = "dA"},
    {"1+dB 2+aB", '3', WAIT, ON(1, 2) ", server-2 next", .own = "dA"},
    {"1+dB 2+fB!x", '3', STOPPED, "kept aaaaaa: server-2 rejected bbbbbb: x", .own = "dA",
     .flags = HELD},
    {"1-dA 2-dA", '3', CANARY, ON(0, 2) ", server-1 and 1 more are down", .checks = "1 2",
     .own = "dA"},
    {"", '3', CANARY, ON(0, 0), .own = "k"},
    {"", '3', FINISHED, ON(0, 0), .own = "dB"},

    /* all at once */
    {"1+dA 2+dA 3+dA", '3', APPLY, ON(0, 3) ", server-1 next", .flags = PARALLEL},
    {"1+dA 2+aB 3+dA", '3', APPLY, ON(0, 3) ", server-2 next", .flags = PARALLEL},
    {"1-aB 2+dA 3+dA", '2', APPLY, ON(0, 3) ", server-1 died applying bbbbbb",
     .flags = PARALLEL | HELD},
    {"1+fB!x 2+dA 3+dA", '2', APPLY, ON(0, 3) ", server-1 rejected it", .flags = PARALLEL | HELD},
    {"1+fB!x 2+dA 3+dA", '1', STOPPED, ON(0, 3) ", server-1 rejected it", .flags = PARALLEL | HELD},
    {"1+fB!x 2+dA 3+dA", '1', APPLY, ON(0, 3) ", server-1 rejected it",
     .flags = PARALLEL | AGAIN | HELD},
    {"1+dB 2+dA 3+dA", '1', FINISHED, ON(1, 3) ", server-2 next", .flags = PARALLEL},
};

/* What a row's facts point to. */
struct facts {
    struct world w;
    struct server_record own;
    char wanted[KV_DIGEST], in_force[KV_DIGEST], node[16];
    struct rolling_facts f;
};

static void set_facts(struct facts *to, const char *order, char self, const char *own, int flags)
{
    set_world(&to->w, order);
    (void)snprintf(to->node, sizeof to->node, "server-%c", self);
    const struct rolling_server *me = find(&to->w, to->node);
    const struct server_record *published = me ? me->record : NULL;
    if (own)
        set_record(&to->own, to->node, own);
    else
        to->own = *published;
    set_revision(to->wanted, 'B');
    set_revision(to->in_force, 'A');
    if (to->own.state == SERVER_RECORD_KEPT && !to->own.revision[0])
        to->in_force[0] = '\0';
    to->f = (struct rolling_facts){.order = to->w.order,
                                   .n = to->w.n,
                                   .wanted = to->wanted,
                                   .own = &to->own,
                                   .published = me ? published : &to->own,
                                   .in_force = to->in_force,
                                   .again = flags & AGAIN,
                                   .parallel = flags & PARALLEL};
}

/* "1 3" of the records checked, with their indexes. */
static void list_checks(const struct rolling *t, char ret[100])
{
    ret[0] = '\0';
    for (size_t i = 0; i < t->checks; i++) {
        const struct kv_version *v = &t->check[i];
        size_t len = strlen(ret);
        const char number = v->key[strlen(v->key) - 1];
        assert_int_equal(v->modify_index, (number - '0') * 10);
        assert_memory_equal(v->key, SERVER_RECORD_PREFIX "server-",
                            strlen(SERVER_RECORD_PREFIX "server-"));
        (void)snprintf(ret + len, 100 - len, "%s%c", len ? " " : "", number);
    }
}

static void each_situation_has_its_answer(void **state)
{
    (void)state;
    assert_in_range(COUNT(rows), 60, 200);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct facts facts;
        struct rolling t;
        char checks[100];
        print_message("  %s, of %c\n", row->order, row->self);
        set_facts(&facts, row->order, row->self, row->own, row->flags);
        rolling_judge(&facts.f, &t);
        list_checks(&t, checks);
        assert_string_equal(t.text, row->text);
        assert_int_equal(t.state, row->state);
        assert_string_equal(checks, row->checks ? row->checks : "");
        assert_int_equal(t.held, (row->flags & HELD) != 0);
        assert_int_equal(t.unseen, (row->flags & UNSEEN) != 0);
    }
}

/* An order that was changed meanwhile may hold somebody this one does not know. */
static void the_key_of_the_order_is_checked(void **state)
{
    (void)state;
    struct facts facts;
    struct rolling t;
    set_facts(&facts, "1+dA 2+dA", '1', NULL, 0);
    facts.f.source = (struct kv_version){"dc/home/env/CLUSTER_SERVERS", 77};
    rolling_judge(&facts.f, &t);
    assert_int_equal(t.checks, 2);
    assert_string_equal(t.check[0].key, "dc/home/env/CLUSTER_SERVERS");
    assert_int_equal(t.check[0].modify_index, 77);
    assert_int_equal(t.check[1].modify_index, 20);
    facts.f.parallel = true;
    rolling_judge(&facts.f, &t);
    assert_int_equal(t.checks, 0);
}

/* The names of Consul's nodes: case is ignored. */
static void this_server_is_known_however_it_is_spelled(void **state)
{
    (void)state;
    struct facts facts;
    struct rolling t;
    set_facts(&facts, "1+dA 2+dA", '1', NULL, 0);
    (void)snprintf(facts.own.node, sizeof facts.own.node, "SERVER-1");
    rolling_judge(&facts.f, &t);
    assert_int_equal(t.state, CANARY);
    assert_int_equal(t.checks, 1);
}

static void a_long_reason_is_cut(void **state)
{
    (void)state;
    struct facts facts;
    struct rolling t;
    set_facts(&facts, "1+fB!x 2+dA", '2', NULL, 0);
    struct server_record *r = &facts.w.record[0];
    memset(r->reason, 'r', sizeof r->reason - 1);
    for (int i = 0; i < 2; i++) { /* with a name as long as they come */
        rolling_judge(&facts.f, &t);
        assert_int_equal(t.state, STOPPED);
        assert_in_range(strlen(t.text), 300, ROLLING_TEXT - 1);
        static char node[SETTINGS_NAME + 1];
        memset(node, 'n', sizeof node - 1);
        facts.w.order[0].node = node;
    }
}

static void more_servers_than_can_be_checked_do_no_harm(void **state)
{
    (void)state;
    static struct rolling_server order[ROLLING_SERVERS + 30];
    static char names[ROLLING_SERVERS + 30][16];
    struct facts facts;
    struct rolling t;
    set_facts(&facts, "1+dA", '1', NULL, 0);
    for (size_t i = 0; i < COUNT(order); i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        order[i] = (struct rolling_server){.node = names[i], .version = {names[i], 1}};
    }
    facts.f.order = order;
    facts.f.n = COUNT(order);
    facts.f.source = (struct kv_version){"k", 1};
    rolling_judge(&facts.f, &t);
    assert_int_equal(t.checks, ROLLING_SERVERS + 1);
}

/* Asked by 2, whose announcement has the index 20. */
static const struct rival_row {
    const char *order;
    const char *name;
} rival_rows[] = {
    {"1-. 2+aB 3+dA", NULL},
    {"1+k 2+aB 3+dA", NULL},
    {"1+aB 2+aB 3+dA", "server-1"},
    {"1-aA 2+aB 3+dA", "server-1"},
    {"1+dA 2+aB 3+aB", NULL}, /* later: sees us */
    {"3+aB 2+aB 1+aB", "server-1"},
    {"1+dB 2+aB 3+dA", NULL},
    {"1-? 2+aB 3-.", NULL},
    {"2+aB", NULL},
    {"", NULL},
};

static void who_announced_earlier_is_a_rival(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rival_rows); i++) {
        const struct rival_row *row = &rival_rows[i];
        struct facts facts;
        print_message("  %s\n", row->order);
        set_facts(&facts, row->order, '2', "dA", 0);
        const char *name = rolling_rival(&facts.f, 20);
        if (row->name)
            assert_string_equal(name, row->name);
        else
            assert_null(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_answer),
        cmocka_unit_test(the_key_of_the_order_is_checked),
        cmocka_unit_test(this_server_is_known_however_it_is_spelled),
        cmocka_unit_test(a_long_reason_is_cut),
        cmocka_unit_test(more_servers_than_can_be_checked_do_no_harm),
        cmocka_unit_test(who_announced_earlier_is_a_rival),
    };
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
