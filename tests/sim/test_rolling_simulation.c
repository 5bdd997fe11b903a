/* SPDX-License-Identifier: MIT */
/* The chain of rolling.h under everything that happens to a cluster, in random order: programs
 * and machines killed between any two steps, gossip that errs, records deleted or restored,
 * other orders, fresh servers, revisions that one or all refuse.
 *
 * The servers run the judgement and the local state of the product; KV, the programs' steps and
 * the mishaps are simulated here. Two claims:
 *   - never do two servers stand on a revision that is not yet done or rolled back there
 *     ("exposed"), and
 *   - when the mishaps end, nobody waits but for a refusal or for a server that died
 *     applying; and the next good revision heals all.
 * Two servers are no violation when somebody has taken the word of one of them out of KV
 * (a record restored or deleted), or has released it (an order without it, parallel): these
 * are counted apart. */
#include "rollout/local_state.h"
#include "rollout/rolling.h"
#include "seed.h"
#include "test.h"

#ifdef __SANITIZE_ADDRESS__
#define RUNS 2000
#else
#define RUNS 6000
#endif
#define SERVERS   7
#define REVISIONS 40
#define STEPS     400

/* ---- chance -------------------------------------------------------------- */

static uint64_t seed;

static unsigned roll(unsigned n)
{
    return seed_next(&seed, n);
}

static bool one_in(unsigned n)
{
    return roll(n) == 0;
}

/* ---- the cluster --------------------------------------------------------- */

/* What is left out, to see that it is needed. */
enum without {
    NOTHING,
    CONDITIONS, /* of the announcement: it is written whatever has changed */
    SECOND_LOOK /* for those who had no record */
};

struct record {
    uint64_t index; /* 0: there is none */
    bool garbage;
    struct server_record is;
};

/* All that is in KV. */
struct kv {
    struct record record[SERVERS];
    uint64_t source; /* index of the key that says the order */
    int order[SERVERS];
    size_t n;
    unsigned wanted; /* number of the revision */
    bool parallel;
};

/* What a program has read; the facts point into it. */
struct view {
    struct kv kv;
    struct rolling_server order[SERVERS];
    struct server_record own;
    struct rolling_facts facts;
};

/* What its program does next. */
enum step { READ, PUBLISH, ANNOUNCE, LOOK, BEGIN, END, REPORT };

struct server {
    bool alive;          /* its agent answers, gossip sees it */
    bool mute;           /* but nothing of ours is started */
    bool again;          /* a refusal may be tried again now */
    bool wrong[SERVERS]; /* about whom gossip is wrong here */
    struct local_state local;
    enum step step;
    struct view view;
    struct rolling turn;
    uint64_t announcement; /* its index */

    bool exposed;   /* on a revision that is neither proven nor rolled back here */
    bool announced; /* KV holds its word that it applies */
    bool excused;   /* that word was taken away by others, or it was released */
};

static struct {
    struct kv kv, snapshot;
    uint64_t index; /* raft's */
    struct server server[SERVERS];
    int servers;
    unsigned refuses[REVISIONS]; /* bit i: server i */
    unsigned revisions;
    bool mild; /* nobody meddles with records or with who is in the order */
    bool calm; /* nothing goes wrong any more, every proof arrives */
    enum without without;
} w;

/* What happened, over all runs. */
static struct {
    int violations, excused, stuck;
    int done, refused, waits, stops, conflicts, rivals, resumed, healed;
} seen;

static const char *key_of(int i)
{
    static char keys[SERVERS][40];
    if (!keys[i][0])
        (void)snprintf(keys[i], sizeof keys[i], "%sn%d", SERVER_RECORD_PREFIX, i + 1);
    return keys[i];
}

static const char *name_of(int i)
{
    return key_of(i) + strlen(SERVER_RECORD_PREFIX);
}

static const char *text_of(unsigned revision)
{
    static char text[REVISIONS][KV_DIGEST];
    if (!text[revision][0])
        (void)snprintf(text[revision], KV_DIGEST, "%064u", revision);
    return text[revision];
}

static bool in_order(int i)
{
    for (size_t n = 0; n < w.kv.n; n++)
        if (w.kv.order[n] == i)
            return true;
    return false;
}

/* ---- a program, step by step --------------------------------------------- */

static const struct server_record *readable(const struct record *r)
{
    return r->index && !r->garbage ? &r->is : NULL;
}

/* Read KV and gossip. */
static void look(int i, struct view *v)
{
    const struct server *s = &w.server[i];
    v->kv = w.kv;
    for (size_t n = 0; n < v->kv.n; n++) {
        int other = v->kv.order[n];
        const struct record *r = &v->kv.record[other];
        v->order[n] = (struct rolling_server){name_of(other),
                                              w.server[other].alive != s->wrong[other],
                                              {key_of(other), r->index},
                                              readable(r)};
    }
    v->facts = (struct rolling_facts){.order = v->order,
                                      .n = v->kv.n,
                                      .source = {"order", v->kv.source},
                                      .wanted = text_of(v->kv.wanted),
                                      .own = &v->own,
                                      .published = readable(&v->kv.record[i]),
                                      .in_force = s->local.in_force,
                                      .again = s->again,
                                      .parallel = v->kv.parallel};
    v->own = s->local.record;
    (void)snprintf(v->own.node, sizeof v->own.node, "%s", name_of(i));
}

static void write_record(int i, const struct server_record *is)
{
    w.kv.record[i] = (struct record){.index = ++w.index, .is = *is};
    w.server[i].announced = is->state == SERVER_RECORD_APPLYING;
}

/* The truth, by check-and-set. */
static void publish(int i, const struct view *v)
{
    if (w.kv.record[i].index == v->kv.record[i].index &&
        (!v->facts.published || !server_record_same(v->facts.published, &v->own)))
        write_record(i, &v->own);
}

/* What is wanted runs here, and nothing but its proof is missing: a record arrives, or not
 * yet. */
static bool seek_proof(struct server *s)
{
    const struct local_state *l = &s->local;
    if (!l->unproven || l->running || l->waiting || l->record.state != SERVER_RECORD_APPLYING ||
        strcmp(l->in_force, s->view.facts.wanted) != 0)
        return false;
    if (w.calm || one_in(2)) {
        local_state_prove(&s->local, false);
        s->exposed = false;
    }
    s->step = REPORT;
    return true;
}

static void read_and_judge(int i)
{
    struct server *s = &w.server[i];
    local_state_look(&s->local, text_of(w.kv.wanted), "", readable(&w.kv.record[i]));
    look(i, &s->view);
    rolling_judge(&s->view.facts, &s->turn);
    if (seek_proof(s))
        return;
    seen.resumed += s->turn.state == ROLLING_APPLY && s->exposed;
    if (s->turn.state == ROLLING_PUBLISH) {
        s->step = PUBLISH;
    } else if (s->turn.state == ROLLING_APPLY || s->turn.state == ROLLING_CANARY) {
        s->excused = s->excused || s->view.kv.parallel;
        s->step = s->view.kv.parallel ? BEGIN : ANNOUNCE;
    } else if (s->turn.state == ROLLING_FINISHED) {
        if (!one_in(20))
            return;
        local_state_begin(&s->local, s->view.facts.wanted); /* a repair */
        s->step = END;
    } else {
        seen.waits += s->turn.state == ROLLING_WAIT;
        seen.stops += s->turn.state == ROLLING_STOPPED;
        local_state_wait(&s->local, s->view.facts.wanted);
        look(i, &s->view);
        s->step = REPORT;
    }
}

static uint64_t index_of(const char *key)
{
    for (int i = 0; i < w.servers; i++)
        if (strcmp(key, key_of(i)) == 0)
            return w.kv.record[i].index;
    return w.kv.source;
}

static bool unchanged(int i)
{
    const struct server *s = &w.server[i];
    if (w.without == CONDITIONS)
        return true;
    if (s->view.kv.record[i].index != w.kv.record[i].index)
        return false;
    for (size_t n = 0; n < s->turn.checks; n++)
        if (s->turn.check[n].modify_index != index_of(s->turn.check[n].key))
            return false;
    return true;
}

/* The transaction. */
static void announce(int i)
{
    struct server *s = &w.server[i];
    struct server_record is = {.state = SERVER_RECORD_APPLYING};
    s->step = READ;
    if (!unchanged(i)) {
        seen.conflicts++;
        return;
    }
    (void)snprintf(is.node, sizeof is.node, "%s", name_of(i));
    (void)snprintf(is.revision, sizeof is.revision, "%s", s->view.facts.wanted);
    write_record(i, &is);
    s->announcement = w.index;
    if (!s->exposed)
        s->excused = !in_order(i);
    s->step = s->turn.unseen && w.without != SECOND_LOOK ? LOOK : BEGIN;
}

static void look_again(int i)
{
    struct view now;
    struct server *s = &w.server[i];
    look(i, &now);
    s->step = BEGIN;
    if (rolling_rival(&now.facts, s->announcement)) {
        seen.rivals++;
        publish(i, &now);
        s->step = READ;
    }
}

/* From here on files may not be what they were. */
static void begin(int i)
{
    struct server *s = &w.server[i];
    local_state_begin(&s->local, s->view.facts.wanted);
    for (int other = 0; other < w.servers && !s->exposed; other++) {
        const struct server *o = &w.server[other];
        if (other == i || !o->exposed)
            continue;
        if (o->excused || s->excused)
            seen.excused++;
        else
            seen.violations++;
    }
    s->exposed = true;
}

static void end(int i)
{
    struct server *s = &w.server[i];
    unsigned revision = s->view.kv.wanted;
    bool refused = w.refuses[revision] >> i & 1;
    local_state_end(&s->local, !refused, false, refused ? "no" : "");
    s->exposed = s->local.unproven;
    seen.done += !refused;
    seen.refused += refused;
}

/* One step of server i's program, if it can do it. */
static void step(int i)
{
    struct server *s = &w.server[i];
    enum step now = s->step;
    if (now != BEGIN && now != END && !s->alive) {
        s->step = READ; /* its agent does not answer */
        return;
    }
    if (now == READ && s->mute)
        return;
    s->step = now == REPORT || now == PUBLISH ? READ : (enum step)(now + 1);
    if (now == READ) {
        s->step = READ;
        read_and_judge(i);
    } else if (now == PUBLISH) {
        publish(i, &s->view);
    } else if (now == ANNOUNCE) {
        announce(i);
    } else if (now == LOOK) {
        look_again(i);
    } else if (now == BEGIN) {
        begin(i);
    } else if (now == END) {
        end(i);
    } else {
        look(i, &s->view);
        publish(i, &s->view);
    }
}

/* ---- mishaps ------------------------------------------------------------- */

/* Its word is not in KV any more, or does not count any more. */
static void excuse(int i)
{
    if (w.server[i].announced || w.server[i].exposed)
        w.server[i].excused = true;
}

static void die(int i)
{
    struct server *s = &w.server[i];
    unsigned what = roll(3);
    if (what > 0) /* the agent, or the machine */
        s->alive = false;
    if (what < 2) /* the program, or the machine */
        s->step = READ;
}

static void want(int i)
{
    if (w.revisions < REVISIONS && !one_in(3)) {
        unsigned bad = roll(4); /* for nobody, nobody, one, all */
        w.refuses[w.revisions] = bad < 2 ? 0 : bad == 2 ? 1U << i : ~0U;
        w.kv.wanted = w.revisions++;
    } else {
        w.kv.wanted = roll(w.revisions);
    }
}

static void put_in_order(int i)
{
    size_t at = roll((unsigned)w.kv.n + 1);
    memmove(w.kv.order + at + 1, w.kv.order + at, (w.kv.n - at) * sizeof *w.kv.order);
    w.kv.order[at] = i;
    w.kv.n++;
}

static void take_from_order(int i)
{
    size_t n = 0;
    for (size_t at = 0; at < w.kv.n; at++)
        if (w.kv.order[at] != i)
            w.kv.order[n++] = w.kv.order[at];
    w.kv.n = n;
}

static void reorder(int i)
{
    bool was_in = in_order(i);
    w.kv.source = ++w.index;
    take_from_order(i);
    if (!was_in || w.mild || one_in(2) || w.kv.n == 0)
        put_in_order(i);
    if (was_in != in_order(i))
        excuse(i);
}

static void join(void)
{
    if (w.servers == SERVERS)
        return;
    w.server[w.servers++] = (struct server){.alive = true};
    if (w.mild || one_in(2))
        reorder(w.servers - 1);
}

/* What others do to the record of server i. */
static void lose(int i, const struct record *instead)
{
    struct record *r = &w.kv.record[i];
    if (r->index == instead->index && r->garbage == instead->garbage)
        return;
    excuse(i);
    w.server[i].announced = false;
    *r = *instead;
}

static void damage(int i)
{
    struct record r = {0};
    if (one_in(3)) {
        r = w.kv.record[i];
        r.garbage = true;
        r.index = ++w.index;
    }
    lose(i, &r);
}

static void restore(void)
{
    bool was_in[SERVERS] = {false};
    bool all = one_in(2);
    if (w.snapshot.n == 0)
        return;
    for (int i = 0; i < w.servers; i++) {
        was_in[i] = in_order(i);
        lose(i, &w.snapshot.record[i]);
    }
    if (!all)
        return;
    memcpy(w.kv.order, w.snapshot.order, sizeof w.kv.order);
    w.kv.n = w.snapshot.n;
    w.kv.source = w.snapshot.source;
    w.kv.wanted = w.snapshot.wanted;
    for (int i = 0; i < w.servers; i++)
        if (was_in[i] != in_order(i))
            excuse(i);
}

static void switch_parallel(void)
{
    w.kv.parallel = !w.kv.parallel && one_in(4);
    for (int i = 0; w.kv.parallel && i < w.servers; i++)
        excuse(i);
}

static void meddle(int i)
{
    switch (roll(8)) {
    case 0:
        restore();
        break;
    case 1:
        damage(i);
        break;
    case 2:
        switch_parallel();
        break;
    default:
        w.snapshot = w.kv;
        break;
    }
}

static void err_in_gossip(int i)
{
    struct server *s = &w.server[i];
    if (one_in(2))
        memset(s->wrong, 0, sizeof s->wrong);
    else
        for (int n = 0; n < 3; n++)
            s->wrong[roll((unsigned)w.servers)] = true;
    s->wrong[i] = false;
}

static void mishap(void)
{
    int i = (int)roll((unsigned)w.servers);
    struct server *s = &w.server[i];
    switch (roll(14)) {
    case 0:
    case 1:
        die(i);
        break;
    case 2:
    case 3:
    case 4:
        s->alive = true;
        break;
    case 5:
    case 6:
        err_in_gossip(i);
        break;
    case 7:
    case 8:
        want(i);
        break;
    case 9:
        reorder(i);
        break;
    case 10:
        join();
        break;
    case 11:
        if (!w.mild)
            meddle(i);
        break;
    case 12:
        s->mute = one_in(3);
        s->again = one_in(2);
        break;
    default:
        if (w.mild && s->step == READ && one_in(3))
            s->local = (struct local_state){0};
        break;
    }
}

/* ---- one run ------------------------------------------------------------- */

static void begin_run(enum without without, bool mild)
{
    memset(&w, 0, sizeof w);
    w.mild = mild;
    w.without = without;
    w.revisions = 2;
    w.kv.wanted = 1;
    w.kv.source = ++w.index;
    w.servers = 3 + (int)roll(3);
    for (int i = 0; i < w.servers; i++) {
        struct server *s = &w.server[i];
        s->alive = !one_in(6);
        put_in_order(i);
        if (one_in(3))
            continue; /* fresh: neither local nor record */
        local_state_begin(&s->local, text_of(0));
        local_state_end(&s->local, true, false, "");
        local_state_prove(&s->local, false);
        w.kv.record[i].is = s->local.record;
        (void)snprintf(w.kv.record[i].is.node, SETTINGS_NAME + 1, "%s", name_of(i));
        w.kv.record[i].index = ++w.index;
    }
}

/* Nothing goes wrong any more: let everybody work until nothing changes. */
static void calm_down(void)
{
    w.calm = true;
    w.kv.parallel = false;
    for (int i = 0; i < w.servers; i++) {
        w.server[i].mute = false;
        w.server[i].again = true;
        memset(w.server[i].wrong, 0, sizeof w.server[i].wrong);
    }
    for (int round = 0; round < 400; round++) {
        uint64_t before = w.index;
        for (int i = 0; i < 10 * w.servers; i++)
            step(i % w.servers);
        if (before == w.index && round > 3)
            return;
        for (int i = 0; i < w.servers; i++)
            w.server[i].again = round < 3;
    }
    seen.stuck++;
}

static bool is_done(int i)
{
    const struct server_record *r = readable(&w.kv.record[i]);
    return r && r->state == SERVER_RECORD_DONE && strcmp(r->revision, text_of(w.kv.wanted)) == 0 &&
           strcmp(w.server[i].local.in_force, r->revision) == 0 && !w.server[i].exposed;
}

/* Has somebody refused what is wanted, or died applying? */
static bool held(void)
{
    for (int i = 0; i < w.servers; i++) {
        const struct server_record *r = readable(&w.kv.record[i]);
        bool refusal = r && r->state == SERVER_RECORD_FAILED &&
                       strcmp(r->revision, text_of(w.kv.wanted)) == 0;
        bool dead = r && (r->state == SERVER_RECORD_APPLYING || r->unproven) && !w.server[i].alive;
        if (refusal || (dead && in_order(i)))
            return true;
    }
    return false;
}

static int count_behind(void)
{
    int n = 0;
    for (int i = 0; i < w.servers; i++)
        n += w.server[i].alive && !is_done(i);
    return n;
}

static void run_once(enum without without, bool mild)
{
    begin_run(without, mild);
    for (int n = 0; n < STEPS; n++) {
        if (one_in(5))
            mishap();
        else
            step((int)roll((unsigned)w.servers));
    }
    calm_down();
    if (count_behind() > 0 && !held())
        seen.stuck++;
    for (int i = 0; i < w.servers; i++)
        w.server[i].alive = true;
    w.refuses[0] = 0;
    w.kv.wanted = 0;
    calm_down();
    seen.stuck += count_behind() > 0;
    seen.healed += count_behind() == 0;
}

static void run_all(enum without without, bool mild, int runs)
{
    const uint64_t first = seed_of_chance(1);
    memset(&seen, 0, sizeof seen);
    for (int n = 0; n < runs; n++) {
        seed = (uint64_t)n * 7919 + first;
        int before = seen.violations + seen.stuck;
        run_once(without, mild);
        if (without == NOTHING && seen.violations + seen.stuck != before)
            print_error("run %d: %d violations, %d stuck\n", n, seen.violations, seen.stuck);
    }
    print_message("%d runs: %d violations, %d excused, %d stuck; %d done, %d refused, "
                  "%d resumed, %d conflicts, %d rivals\n",
                  runs, seen.violations, seen.excused, seen.stuck, seen.done, seen.refused,
                  seen.resumed, seen.conflicts, seen.rivals);
}

static void expect_order(bool mild)
{
    run_all(NOTHING, mild, RUNS);
    assert_int_equal(seen.violations, 0);
    assert_int_equal(seen.stuck, 0);
    assert_int_equal(seen.healed, RUNS);
    /* It was no walk in the park. */
    assert_in_range(seen.done, RUNS, INT32_MAX);
    assert_in_range(seen.refused, RUNS / 10, INT32_MAX);
    assert_in_range(seen.waits, RUNS, INT32_MAX);
    assert_in_range(seen.stops, RUNS / 10, INT32_MAX);
    assert_in_range(seen.conflicts, RUNS / 10, INT32_MAX);
    assert_in_range(seen.resumed, RUNS / 10, INT32_MAX);
    assert_in_range(seen.rivals, 1, INT32_MAX);
}

/* Kills, returns, wrong gossip, fresh servers, another order of the same, A -> B -> A, bad
 * revisions, lost ledgers: nothing has to be excused. */
static void two_are_never_exposed_and_nobody_is_stuck(void **state)
{
    (void)state;
    expect_order(true);
    assert_int_equal(seen.excused, 0);
}

/* The same, and restored, deleted and damaged records, servers put into the order and
 * taken out of it, parallel for a while. */
static void nor_when_others_meddle(void **state)
{
    (void)state;
    expect_order(false);
    assert_in_range(seen.excused, 1, INT32_MAX);
}

/* ---- every part is needed ------------------------------------------------ */

/* Judging alone, from what was seen a moment ago. */
static void without_conditions_two_are_exposed(void **state)
{
    (void)state;
    run_all(CONDITIONS, true, RUNS / 5);
    assert_in_range(seen.violations, RUNS / 100, INT32_MAX);
    assert_int_equal(seen.stuck, 0);
}

static void without_a_second_look_two_are_exposed(void **state)
{
    (void)state;
    run_all(SECOND_LOOK, true, RUNS);
    assert_in_range(seen.violations, 1, INT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_are_never_exposed_and_nobody_is_stuck),
        cmocka_unit_test(nor_when_others_meddle),
        cmocka_unit_test(without_conditions_two_are_exposed),
        cmocka_unit_test(without_a_second_look_two_are_exposed),
    };
    return cmocka_run_group_tests_name("turn simulation", tests, NULL, NULL);
}
