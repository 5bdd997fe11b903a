/* SPDX-License-Identifier: MIT */
#include "cluster/quorum.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/text.h"
#include "check/problems.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- numbers ------------------------------------------------------------- */

/* What is judged, joined once. */
struct look {
    const struct quorum_facts *facts;
    struct membership_count count;
    struct membership rows;
    int confirmed; /* number of servers in the record, 0 none */
    int mapped;    /* length of CLUSTER_SERVERS, 0 not set */
    int expected;  /* number expected, 0 unknown */
    int following; /* living voters which raft reaches */
    int spare;     /* how many more servers may fail, below 0: no majority */
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int reserve(int living, int of)
{
    return living - (of / 2 + 1);
}

int quorum_spare(int living, int voters, int expected)
{
    int raft = reserve(living, voters);
    return expected > 0 ? least(raft, reserve(living, expected)) : raft;
}

const char *quorum_spare_text(int spare, char ret[QUORUM_SPARE_TEXT])
{
    if (spare > 0)
        (void)snprintf(ret, QUORUM_SPARE_TEXT, "%d may fail", spare);
    else if (spare < 0)
        (void)snprintf(ret, QUORUM_SPARE_TEXT, "none may fail, %d more needed", -spare);
    else
        (void)snprintf(ret, QUORUM_SPARE_TEXT, "none may fail");
    return ret;
}

int quorum_expected(const struct membership_facts *who)
{
    int confirmed = who->confirmed ? (int)who->confirmed->n : 0;
    int mapped = (int)who->settings->servers;
    return confirmed > 0 && mapped > 0 ? least(confirmed, mapped) : confirmed + mapped;
}

static void look_at(const struct quorum_facts *facts, struct look *ret)
{
    ret->facts = facts;
    membership_count(&facts->who, &ret->count);
    membership_join(&facts->who, &ret->rows);
    ret->confirmed = facts->who.confirmed ? (int)facts->who.confirmed->n : 0;
    ret->mapped = (int)facts->who.settings->servers;
    ret->expected = quorum_expected(&facts->who);
    /* A leader that a majority follows has one, whatever autopilot's 200 ms say. */
    ret->following = ret->count.following;
    if (facts->agreed)
        ret->following = least(ret->count.living, most(ret->following, ret->count.voters / 2 + 1));
    ret->spare = quorum_spare(ret->following, ret->count.voters, ret->expected);
}

/* Were all that are wanted there once: the mapped ones, or three where nobody is mapped? */
static bool all_were_there(const struct look *look)
{
    for (size_t i = 0; look->mapped > 0 && i < look->rows.n; i++) {
        const struct membership_row *row = &look->rows.row[i];
        if (row->mapped && !row->voter && !row->dead &&
            !membership_was_there(&look->facts->who, row->name))
            return false;
    }
    return look->mapped > 0 || membership_ever(&look->facts->who, &look->rows) >= 3;
}

/* Not confirmed yet, and fewer than wanted. "Yet": a cluster that had a majority and
 * lost it, or was whole once, is not forming, even if nobody ever confirmed it. */
static bool forming(const struct look *look)
{
    const struct quorum_facts *facts = look->facts;
    if (look->confirmed > 0 || facts->damaged)
        return false;
    if (look->count.voters == 0)
        return !facts->has_leader;
    return look->count.voters < (look->mapped > 0 ? look->mapped : 3) &&
           reserve(look->count.living, look->count.voters) >= 0 && !all_were_there(look);
}

/* Is there a living server that was started to be a cluster of its own (bootstrap_expect = 1)? Who
 * was only taken out of raft is no second cluster: Consul takes it in again within a minute. */
static bool is_split(const struct look *look, const struct quorum_held *held)
{
    const struct membership_facts *who = &look->facts->who;
    if (held->split_ms < limits()->split_ms)
        return false;
    for (size_t i = 0; i < who->n_members; i++) {
        const struct agent_member *member = &who->members[i];
        if (member->server && member->alive && member->expect == 1)
            return true;
    }
    return false;
}

static bool leaderless_long(const struct quorum_held *held)
{
    return held->leaderless_ms >= limits()->no_leader_ms;
}

static bool in_maintenance(const struct quorum_facts *facts)
{
    const struct settings *s = facts->who.settings;
    return s->maintenance_node[0] != '\0' && facts->now_s < s->maintenance_until_s;
}

static bool is_maintained(const struct look *look, const struct membership_row *row)
{
    return strcasecmp(row->name, look->facts->who.settings->maintenance_node) == 0;
}

static const struct membership_row *maintained(const struct look *look)
{
    for (size_t i = 0; i < look->rows.n; i++)
        if (is_maintained(look, &look->rows.row[i]))
            return &look->rows.row[i];
    return NULL;
}

static bool excused(const struct look *look)
{
    const struct membership_row *row = maintained(look);
    if (!in_maintenance(look->facts) || !row || row->voter)
        return false;
    return quorum_spare(look->following + 1, look->count.voters + !row->dead, look->expected) >= 1;
}

/* ---- whole --------------------------------------------------------------- */

static int whole_row(const struct look *look, const struct membership_row *row, struct error *err)
{
    char text[MEMBERSHIP_TEXT];
    if (row->dead)
        return error_set(err, -EAGAIN, "%s is in raft and does not answer",
                         membership_text(row, text));
    if (look->mapped > 0 && row->voter && !row->mapped)
        return error_set(err, -EAGAIN, "%s is not in CLUSTER_SERVERS", membership_text(row, text));
    if (row->mapped && !row->voter)
        return error_set(err, -EAGAIN, "%s is in CLUSTER_SERVERS and does not vote",
                         membership_text(row, text));
    if (row->sign.lagging)
        return error_set(err, -EAGAIN, "%s does not follow the leader", membership_text(row, text));
    if (row->sign.former)
        return error_set(
            err, -EAGAIN,
            "Consul shows a former server's checks for %s (lictor status says what to do)",
            membership_text(row, text));
    return 0;
}

static int whole(const struct look *look, struct error *err)
{
    const struct quorum_facts *facts = look->facts;
    int voters = look->count.voters;
    if (!facts->has_leader || !facts->agreed)
        return error_set(err, -EAGAIN, "there is no leader that a majority follows");
    if (settings_rejected(facts->who.settings, "CLUSTER_SERVERS"))
        return error_set(err, -EAGAIN, "CLUSTER_SERVERS has a value that is rejected");
    for (size_t i = 0; i < look->rows.n; i++) {
        int rc = whole_row(look, &look->rows.row[i], err);
        if (rc < 0)
            return rc;
    }
    if (look->count.servers != look->count.living)
        return error_set(err, -EAGAIN, "%d servers are alive, %d of them vote", look->count.servers,
                         look->count.living);
    if (voters < 3 || voters % 2 == 0)
        return error_set(err, -EAGAIN,
                         "the number of voters is %d; an odd one of at least three is needed",
                         voters);
    return 0;
}

int quorum_whole(const struct quorum_facts *facts, struct error *err)
{
    struct look look;
    look_at(facts, &look);
    return whole(&look, err);
}

void quorum_conditions(const struct quorum_facts *facts, struct quorum_conditions *ret)
{
    struct look look;
    look_at(facts, &look);
    *ret = (struct quorum_conditions){
        .leaderless = !facts->has_leader,
        .split = facts->has_leader && look.count.strangers > 0,
        .no_spare = look.spare <= 0 && !forming(&look),
        .excused = excused(&look),
        .whole = whole(&look, NULL) == 0,
        .spare = look.spare,
    };
}

int quorum_mapping(const struct quorum_facts *facts, struct server_mapping *ret, struct error *err)
{
    struct look look;
    struct server_mapping_entry present[AGENT_PEERS] = {0};
    size_t n = 0;
    look_at(facts, &look);
    for (size_t i = 0; i < look.rows.n; i++) {
        const struct membership_row *row = &look.rows.row[i];
        if (!row->voter)
            continue;
        int name = snprintf(present[n].node, sizeof present[n].node, "%s", row->name);
        int id = snprintf(present[n].id, sizeof present[n].id, "%s", row->voter->id);
        if (name >= (int)sizeof present[n].node || id >= (int)sizeof present[n].id)
            return error_set(err, -EINVAL, "a node name or ID is too long");
        n++;
    }
    return server_mapping_assign(facts->who.confirmed, facts->who.settings, present, n, ret, err);
}

/* ---- what is wrong ----------------------------------------- */

#define CONFIRM "lictor confirm"

static const char *say_until(const struct look *look, char ret[64])
{
    struct tm tm;
    time_t end = (time_t)look->facts->who.settings->maintenance_until_s;
    if (!gmtime_r(&end, &tm) ||
        strftime(ret, 64, "until %Y-%m-%dT%H:%MZ; lictor maintenance none ends it", &tm) == 0)
        ret[0] = '\0';
    return ret;
}

/* What to do about a server that is down. Confirming is advised only where it would be accepted. */
static const char *revive(const struct look *look)
{
    if (!look->facts->has_leader)
        return "start it again";
    if (whole(look, NULL) == 0)
        return "start it again; if it is gone for good: " CONFIRM;
    return "start it again; if it is gone for good: set up another in its place, then " CONFIRM;
}

/* Who is down, as the first line says it. */
static void missing(const struct look *look, const struct membership_row *row, struct problems *p)
{
    char text[MEMBERSHIP_TEXT];
    char until[64];
    bool was_there = membership_was_there(&look->facts->who, row->name);
    membership_text(row, text);
    if (in_maintenance(look->facts) && is_maintained(look, row))
        problems_add(p, say_until(look, until), "%s is down for maintenance", text);
    else if (row->confirmed || row->dead || (row->mapped && was_there))
        problems_add(p, revive(look), "%s is down", text);
    else if (row->mapped && look->count.voters > 0)
        problems_add(p, "start it and let it join", "%s has not joined", text);
}

static void down(const struct look *look, const struct membership_row *row, struct problems *p)
{
    char text[MEMBERSHIP_TEXT];
    char todo[160];
    if (row->dead && row->member) {
        (void)snprintf(todo, sizeof todo, "consul operator raft remove-peer -id=%s", row->dead->id);
        problems_add(p, todo, "an old entry of %s is left in raft", membership_text(row, text));
    }
    if (!row->member)
        missing(look, row, p);
}

static bool has_row(const struct look *look, const char *name)
{
    for (size_t i = 0; i < look->rows.n; i++)
        if (strcasecmp(look->rows.row[i].name, name) == 0)
            return true;
    return false;
}

/* Nobody said who the servers are, they are too few or even, and gossip remembers another one. */
static bool is_lost(const struct look *look, const struct agent_member *member)
{
    int voters = look->count.voters;
    return look->confirmed == 0 && look->mapped == 0 && voters > 0 &&
           (voters < 3 || voters % 2 == 0) && member->server && !member->alive &&
           !has_row(look, member->name);
}

static void lost(const struct look *look, struct problems *p)
{
    const struct membership_facts *who = &look->facts->who;
    for (size_t i = 0; i < who->n_members; i++)
        if (is_lost(look, &who->members[i]))
            problems_add(p, "start it again, or set up another in its place", "node %s is down",
                         who->members[i].name);
}

/* Alive in gossip, and yet not as it should. */
static void ailing(const struct membership_row *row, struct problems *p)
{
    char text[MEMBERSHIP_TEXT];
    char todo[300];
    membership_text(row, text);
    if (row->sign.lagging)
        problems_add(p, "is port 8300 open between it and the others? its Consul's log says more",
                     "%s is alive and does not follow the leader", text);
    (void)snprintf(todo, sizeof todo,
                   "Consul rejects its new node ID; lictor api PUT catalog/deregister --data "
                   "'{\"Node\":\"%s\"}' lets it in",
                   row->name);
    if (row->sign.frozen)
        problems_add(p, todo, "the checks that Consul shows of %s are a former server's", text);
    if (row->sign.mute)
        problems_add(
            p,
            "there, lictor status and its syslog name the reason (token, rights, no script "
            "checks)",
            "%s is alive and reports nothing, what Consul shows of it is old", text);
}

static void voting(const struct look *look, const struct membership_row *row, struct problems *p)
{
    char text[MEMBERSHIP_TEXT];
    membership_text(row, text);
    if (row->confirmed && strcmp(row->confirmed->id, row->voter->id) != 0)
        problems_add(p, "if that was wanted: " CONFIRM, "%s was installed again (other node ID)",
                     text);
    if (look->confirmed > 0 && !row->confirmed)
        problems_add(p, "if it is wanted: " CONFIRM, "%s votes and is not confirmed", text);
    else if (look->mapped > 0 && !row->mapped)
        problems_add(p, "correct CLUSTER_SERVERS, or take the server out",
                     "%s votes and is not in CLUSTER_SERVERS", text);
    if (row->member && membership_management(&look->facts->who, row->member))
        problems_add(p, "run Consul there as a client (server = false)",
                     "the management server, %s, votes", text);
}

static void silent(const struct look *look, const struct membership_row *row, struct problems *p)
{
    char text[MEMBERSHIP_TEXT];
    bool wanted = row->confirmed || row->mapped;
    bool meant = row->member->replica || membership_management(&look->facts->who, row->member);
    if (look->count.voters == 0 || (!wanted && meant))
        return;
    problems_add(p, "a new server waits 10 s; then see consul operator raft list-peers",
                 "%s is alive and does not vote", membership_text(row, text));
}

/* In gossip only; the others outside raft have a row. */
static void outside(const struct look *look, const struct quorum_held *held, struct problems *p)
{
    const struct membership_facts *who = &look->facts->who;
    if (held->split_ms < limits()->split_ms || is_split(look, held))
        return;
    for (size_t i = 0; i < who->n_members; i++) {
        const struct agent_member *member = &who->members[i];
        if (member->server && member->alive && !has_row(look, member->name))
            problems_add(p, "Consul takes it in within two minutes, or restart Consul there",
                         "node %s is alive and is not in raft", member->name);
    }
}

static void remapped(const struct look *look, struct problems *p)
{
    for (int i = 0; i < look->mapped; i++) {
        char server[SERVER_MAPPING_SERVER];
        const char *node = look->facts->who.settings->server[i];
        (void)snprintf(server, sizeof server, "server_%u", (unsigned)(i + 1) % 1000);
        const struct server_mapping_entry *old = server_mapping_server(look->facts->who.confirmed,
                                                                       server);
        if (old && strcasecmp(old->node, node) != 0)
            problems_add(p, "if that was wanted: " CONFIRM,
                         "mapping changed: %s is %s as confirmed, %s in CLUSTER_SERVERS", server,
                         old->node, node);
    }
}

static void refusals(const struct settings *s, struct problems *p)
{
    for (size_t i = 0; i < s->rejects.n; i++)
        if (settings_group(s->rejects.entries[i].key) == GROUP_CLUSTER)
            problems_add(p, "its default is in force", "%s", s->rejects.entries[i].value);
    for (size_t i = 0; i < s->unknowns.n; i++)
        if (settings_group(s->unknowns.entries[i].key) == GROUP_CLUSTER)
            problems_add(p, "it has no effect", "%s", s->unknowns.entries[i].value);
}

/* Is the even number only what follows from a server that is missing, or waits for its vote? */
static bool is_explained(const struct look *look)
{
    const struct membership_facts *who = &look->facts->who;
    if (look->count.strangers > 0 || forming(look))
        return true;
    for (size_t i = 0; i < who->n_members; i++)
        if (is_lost(look, &who->members[i]))
            return true;
    for (size_t i = 0; i < look->rows.n; i++) {
        const struct membership_row *row = &look->rows.row[i];
        if (row->dead || (!row->voter && (row->confirmed || row->mapped)))
            return true;
    }
    return false;
}

static void cluster_problems(const struct look *look, const struct quorum_held *held,
                             struct problems *p)
{
    const struct quorum_facts *facts = look->facts;
    for (size_t i = 0; i < look->rows.n; i++)
        down(look, &look->rows.row[i], p);
    lost(look, p);
    if (!facts->has_leader && look->count.voters > 0 && look->spare >= 0 && !leaderless_long(held))
        problems_add(p, "an election takes some seconds, 15 at most", "no leader at the moment");
    for (size_t i = 0; i < look->rows.n; i++) {
        const struct membership_row *row = &look->rows.row[i];
        if (row->voter)
            ailing(row, p);
        else if (row->member)
            silent(look, row, p);
    }
    if (look->count.voters > 0 && look->count.voters % 2 == 0 && !is_explained(look))
        problems_add(p, "add or remove one; the last one adds no reserve",
                     "even number of voters (%d)", look->count.voters);
    for (size_t i = 0; i < look->rows.n; i++)
        if (look->rows.row[i].voter)
            voting(look, &look->rows.row[i], p);
    outside(look, held, p);
    remapped(look, p);
    if (facts->damaged)
        problems_add(p, CONFIRM, "the record " SERVER_MAPPING_KEY " is damaged (%s)",
                     facts->damaged);
    refusals(facts->who.settings, p);
}

/* ---- remarks ------------------------------------------------------------- */

/* Of a server that is down its own line says so. */
static void note_maintenance(const struct look *look, struct verdict *v)
{
    const struct membership_row *row = maintained(look);
    char text[MEMBERSHIP_TEXT];
    char until[64];
    if (!in_maintenance(look->facts))
        return;
    if (row && row->member)
        verdict_note(v, "maintenance: %s %s", membership_text(row, text), say_until(look, until));
    else if (!row)
        verdict_note(v, "maintenance: no server is named %s (CLUSTER_MAINTENANCE)",
                     look->facts->who.settings->maintenance_node);
}

static void note_management(const struct look *look, struct verdict *v)
{
    const struct membership_facts *who = &look->facts->who;
    if (who->settings->management_server[0] == '\0')
        return;
    for (size_t i = 0; i < who->n_members; i++)
        if (membership_management(who, &who->members[i]))
            return;
    verdict_note(v, "management server %s: no member of this cluster has that name or address",
                 who->settings->management_server);
}

static void note_advice(const struct look *look, struct verdict *v)
{
    const struct quorum_facts *facts = look->facts;
    if (facts->unheard && look->count.voters > 0)
        verdict_note(v, "no leader since this server was started: its settings and the confirmed "
                        "servers cannot be read");
    else if (look->confirmed == 0 && !facts->damaged && !forming(look))
        verdict_note(v, "not confirmed yet: without ACLs that happens by itself when the cluster "
                        "is whole, else by " CONFIRM);
    if (facts->blind && facts->blind[0])
        verdict_note(v, "who follows the leader is not known: %s", facts->blind);
    if (facts->autopilot.known && facts->autopilot.cleanup && facts->autopilot.min_quorum < 3)
        verdict_note(v,
                     "advice: consul operator autopilot set-config -min-quorum=3 (now %lld) keeps "
                     "dead servers visible",
                     (long long)facts->autopilot.min_quorum);
}

static void note_voters(const struct look *look, struct verdict *v)
{
    char names[1024];
    struct text_list list;
    int voters = 0;
    for (size_t i = 0; i < look->rows.n; i++)
        voters += look->rows.row[i].voter != NULL;
    text_list_begin(&list, names, sizeof names, voters, voters);
    for (size_t i = 0; i < look->rows.n; i++) {
        char text[MEMBERSHIP_TEXT];
        const struct membership_row *row = &look->rows.row[i];
        if (row->voter && !text_list_add(&list, ", ", membership_text(row, text)))
            break;
    }
    if (voters > 0)
        verdict_note(v, "voting: %s", names);
}

/* ---- the verdict --------------------------------------------------------- */

enum finding {
    FOUND_SPLIT,
    FOUND_FORMING,
    FOUND_LEADERLESS,
    FOUND_DISAGREEMENT,
    FOUND_TOO_FEW,
    FOUND_NO_SPARE_LONG,
    FOUND_NO_SPARE,
    FOUND_PROBLEM,
    FOUND_NOTHING
};

/* First that fits. Gossip and raft disagree only where raft works against what gossip says; an
 * expected majority that is missing while raft has shrunk is real. */
static enum finding find_state(const struct look *look, const struct quorum_held *held,
                               int problems)
{
    bool leaderless = leaderless_long(held);
    if (is_split(look, held))
        return FOUND_SPLIT;
    if (forming(look) && (look->count.voters == 0 || !leaderless))
        return FOUND_FORMING;
    if (leaderless)
        return FOUND_LEADERLESS;
    if (look->spare < 0 && look->facts->agreed &&
        reserve(look->count.living, look->count.voters) < 0)
        return FOUND_DISAGREEMENT;
    if (look->spare < 0)
        return FOUND_TOO_FEW;
    bool overdue = held->no_spare_ms >= look->facts->who.settings->grace_us / 1000;
    if (look->spare == 0)
        return overdue && !excused(look) ? FOUND_NO_SPARE_LONG : FOUND_NO_SPARE;
    return problems > 0 ? FOUND_PROBLEM : FOUND_NOTHING;
}

static const enum verdict_status status_of[] = {
    [FOUND_SPLIT] = VERDICT_CRITICAL,      [FOUND_FORMING] = VERDICT_WARNING,
    [FOUND_LEADERLESS] = VERDICT_CRITICAL, [FOUND_DISAGREEMENT] = VERDICT_WARNING,
    [FOUND_TOO_FEW] = VERDICT_CRITICAL,    [FOUND_NO_SPARE_LONG] = VERDICT_CRITICAL,
    [FOUND_NO_SPARE] = VERDICT_WARNING,    [FOUND_PROBLEM] = VERDICT_WARNING,
    [FOUND_NOTHING] = VERDICT_PASSING,
};

/* bootstrap_expect says how many make a first cluster; three are the least wanted. */
static int wanted(const struct look *look)
{
    int expect = 3;
    for (size_t i = 0; i < look->facts->who.n_members; i++)
        expect = most(expect, look->facts->who.members[i].expect);
    return look->mapped > 0 ? look->mapped : expect;
}

/* "2 of 3 servers, none may fail" */
static void say_count(const struct look *look, enum finding found, char *ret, size_t size)
{
    int here = look->following;
    int of = most(look->expected, look->count.voters);
    int spare = look->facts->has_leader ? look->spare : least(look->spare, 0);
    char may_fail[QUORUM_SPARE_TEXT];
    bool is_wrong = found == FOUND_FORMING || found == FOUND_DISAGREEMENT;
    if (found == FOUND_FORMING) {
        here = look->count.voters > 0 ? look->count.living : look->count.servers;
        of = most(wanted(look), here);
    } else if (found == FOUND_SPLIT) {
        of = most(of, look->count.voters + look->count.strangers);
    }
    (void)quorum_spare_text(is_wrong ? most(spare, 0) : spare, may_fail);
    (void)snprintf(ret, size, "%d of %d servers, %s", here, of, may_fail);
}

static void say_strangers(const struct look *look, char *ret, size_t size)
{
    const struct membership_facts *who = &look->facts->who;
    const char *names[AGENT_PEERS];
    struct text_list list;
    int n = 0;
    for (size_t i = 0; i < who->n_members && n < AGENT_PEERS; i++) {
        const struct agent_member *member = &who->members[i];
        int at = n;
        if (!member->server || !member->alive || membership_known(who, member))
            continue;
        for (; at > 0 && strverscmp(names[at - 1], member->name) > 0; at--)
            names[at] = names[at - 1];
        names[at] = member->name;
        n++;
    }
    text_list_begin(&list, ret, size, n, n);
    for (int i = 0; i < n && text_list_add(&list, ", ", names[i]); i++)
        continue;
}

/* What the summary says after the count, "" for nothing. */
static void say_reason(const struct look *look, enum finding found, const struct problems *p,
                       char *ret, size_t size)
{
    char strangers[160] = "";
    if (found == FOUND_SPLIT) {
        say_strangers(look, strangers, sizeof strangers);
        (void)snprintf(ret, size, ": two raft clusters in one gossip pool, outside ours: %s",
                       strangers);
    } else if (found == FOUND_DISAGREEMENT) {
        (void)snprintf(ret, size, ": gossip and raft disagree: is port 8301 open?");
    } else {
        (void)problems_say(p, ret, size);
    }
}

static void note_finding(const struct look *look, enum finding found, struct verdict *v)
{
    char grace[DURATION_TEXT];
    if (found == FOUND_SPLIT)
        verdict_note(v,
                     "keep one of the clusters; on every other server stop Consul, empty its data "
                     "directory, set bootstrap_expect to the number of servers (not 1), start it");
    else if (found == FOUND_LEADERLESS)
        verdict_note(v, "no leader: are enough servers up, and is port 8300 open between them?");
    else if (found == FOUND_NO_SPARE_LONG)
        verdict_note(v, "none may fail for longer than CLUSTER_GRACE (%s)",
                     duration_format(look->facts->who.settings->grace_us, grace));
}

void quorum_judge(const struct quorum_facts *facts, const struct quorum_held *held,
                  struct verdict *ret)
{
    struct look look;
    struct problems p = {.v = ret};
    char count[96];
    char reason[300] = "";
    *ret = (struct verdict){0};
    look_at(facts, &look);
    cluster_problems(&look, held, &p);
    enum finding found = find_state(&look, held, p.n);
    say_count(&look, found, count, sizeof count);
    say_reason(&look, found, &p, reason, sizeof reason);
    verdict_set(ret, status_of[found], "%s%s%s",
                found == FOUND_FORMING      ? "forming: "
                : found == FOUND_LEADERLESS ? "no leader: "
                                            : "",
                count, reason);
    note_finding(&look, found, ret);
    note_maintenance(&look, ret);
    note_management(&look, ret);
    note_voters(&look, ret);
    note_advice(&look, ret);
}
