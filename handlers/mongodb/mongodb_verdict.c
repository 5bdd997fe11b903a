/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_verdict.h"

#include "base/duration.h"
#include "base/limits.h"
#include "base/text.h"
#include "check/problems.h"
#include "cluster/quorum.h"
#include "security/certificate.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define NAMES 400

/* ---- numbers ------------------------------------------------------------- */

/* What is judged, joined once. */
struct look {
    const struct mongodb_facts *facts;
    const struct mongodb_view *view;
    int voters, living; /* of the members */
    int primaries;
    int spare; /* how many more may fail, below 0: no majority */
};

static bool is_living(const struct mongodb_member *member)
{
    return member->state == MONGODB_IS_PRIMARY || member->state == MONGODB_IS_SECONDARY ||
           member->state == MONGODB_IS_ARBITER;
}

/* Is this member the MongoDB that was asked? */
static bool is_same(const struct mongodb_member *member, const struct mongodb_answer *answer)
{
    return strcasecmp(member->name, answer->name) == 0 ||
           (member->node[0] && strcasecmp(member->node, answer->node) == 0);
}

/* What a member says of itself counts; of one that was not asked what another one says. */
static bool is_primary(const struct mongodb_facts *facts, const struct mongodb_member *member)
{
    for (size_t i = 0; i < facts->n; i++) {
        const struct mongodb_answer *answer = &facts->answers[i];
        if (!answer->trouble[0] && is_same(member, answer))
            return answer->role == MONGODB_PRIMARY;
    }
    return member->state == MONGODB_IS_PRIMARY;
}

static void look_at(const struct mongodb_facts *facts, struct look *ret)
{
    *ret = (struct look){.facts = facts, .view = facts->view};
    for (size_t i = 0; ret->view && i < ret->view->n; i++) {
        const struct mongodb_member *member = &ret->view->member[i];
        ret->voters += member->votes;
        ret->living += member->votes && is_living(member);
        ret->primaries += is_primary(facts, member);
    }
    ret->spare = ret->view ? quorum_spare(ret->living, ret->voters, facts->expected) : 0;
}

static bool in_maintenance(const struct mongodb_facts *facts, const struct mongodb_member *member)
{
    const struct settings *s = facts->settings;
    return s->maintenance_node[0] && facts->now_s < s->maintenance_until_s &&
           strcasecmp(member->node, s->maintenance_node) == 0;
}

static bool excused(const struct look *look)
{
    for (size_t i = 0; look->view && i < look->view->n; i++) {
        const struct mongodb_member *member = &look->view->member[i];
        if (member->votes && !is_living(member) && in_maintenance(look->facts, member))
            return quorum_spare(look->living + 1, look->voters, look->facts->expected) >= 1;
    }
    return false;
}

void mongodb_conditions(const struct mongodb_facts *facts, struct mongodb_conditions *ret)
{
    struct look look;
    look_at(facts, &look);
    *ret = (struct mongodb_conditions){.no_primary = look.view && look.primaries != 1,
                                       .no_spare = look.view && look.spare <= 0,
                                       .excused = excused(&look)};
}

/* ---- names --------------------------------------------------------------- */

/* "a, b and c" of the answers for which `is` holds. Returns their number. */
static int name_answers(const struct mongodb_facts *facts,
                        bool (*is)(const struct mongodb_answer *answer), char ret[NAMES])
{
    const char *names[MONGODB_ASKED] = {NULL};
    bool set[MONGODB_ASKED] = {false};
    for (size_t i = 0; i < facts->n; i++) {
        names[i] = facts->answers[i].name;
        set[i] = !facts->answers[i].trouble[0] && is(&facts->answers[i]);
    }
    return text_names(names, set, (int)facts->n, " and ", ret, NAMES);
}

/* The same of members that are primary, or not. */
static int name_members(const struct look *look, bool primary, char ret[NAMES])
{
    const char *names[MONGODB_MEMBERS] = {NULL};
    bool set[MONGODB_MEMBERS] = {false};
    for (size_t i = 0; i < look->view->n; i++) {
        const struct mongodb_member *member = &look->view->member[i];
        names[i] = member->name;
        set[i] = is_primary(look->facts, member) == primary && is_living(member);
    }
    return text_names(names, set, (int)look->view->n, " and ", ret, NAMES);
}

static const char *say_day(int64_t s, char ret[32])
{
    struct tm tm;
    time_t when = (time_t)s;
    if (!gmtime_r(&when, &tm) || strftime(ret, 32, "%Y-%m-%d", &tm) == 0)
        (void)snprintf(ret, 32, "?");
    return ret;
}

/* ---- the members --------------------------------------------------------- */

static void primaries(const struct look *look, const struct mongodb_held *held, struct problems *p)
{
    char names[NAMES];
    bool long_ago = held->no_primary_ms >= limits()->no_leader_ms;
    const char *todo = "an election takes some seconds";
    if (look->primaries > 1) {
        (void)name_members(look, true, names);
        problems_add(p, long_ago ? "can all members reach each other on their port?" : todo,
                     "%d primaries: %s", look->primaries, names);
    } else if (look->primaries == 0 && look->spare >= 0) {
        problems_add(p, long_ago ? "mongod's log on each member says why none is elected" : todo,
                     "no primary");
    }
}

static void one_member(const struct look *look, const struct mongodb_member *member,
                       struct problems *p)
{
    char todo[AGENT_NAME + 40] = "start mongod there; its log says why it ended";
    if (is_living(member))
        return;
    if (member->node[0])
        (void)snprintf(todo, sizeof todo, "start mongod on %s; its log says why it ended",
                       member->node);
    if (in_maintenance(look->facts, member))
        problems_add(p, "lictor maintenance none ends it", "member %s is down for maintenance",
                     member->name);
    else if (strcmp(member->state_name, "DOWN") == 0)
        problems_add(p, todo, "member %s is down", member->name);
    else
        problems_add(p, "it does not count until it is SECONDARY; mongod's log there says more",
                     "member %s is %s", member->name,
                     member->state_name[0] ? member->state_name : "in no known state");
}

static void lag(const struct look *look, struct problems *p)
{
    int64_t newest_ms = 0;
    int64_t limit_ms = limits()->replication_ms;
    char span[DURATION_TEXT];
    for (size_t i = 0; i < look->view->n; i++)
        if (is_primary(look->facts, &look->view->member[i]))
            newest_ms = look->view->member[i].optime_ms;
    for (size_t i = 0; newest_ms > 0 && i < look->view->n; i++) {
        const struct mongodb_member *member = &look->view->member[i];
        if (member->state == MONGODB_IS_SECONDARY && newest_ms - member->optime_ms > limit_ms)
            problems_add(p, "is its disk or network slow? Beyond the oplog it must be copied anew",
                         "member %s is more than %s behind the primary", member->name,
                         duration_format(limit_ms * 1000, span));
    }
}

/* ---- members and servers ------------------------------------------------- */

static bool has_member(const struct mongodb_view *view, const char *node)
{
    for (size_t i = 0; i < view->n; i++)
        if (view->member[i].votes && strcasecmp(view->member[i].node, node) == 0)
            return true;
    return false;
}

static bool is_server(const struct mongodb_facts *facts, const char *node)
{
    for (size_t i = 0; i < facts->n_servers; i++)
        if (strcasecmp(facts->servers[i].node, node) == 0)
            return true;
    return false;
}

static void servers(const struct look *look, struct problems *p)
{
    const struct mongodb_facts *facts = look->facts;
    const struct mongodb_view *view = look->view;
    if (look->voters % 2 == 0)
        problems_add(p, "the last one adds no reserve: rs.add() or rs.remove() one",
                     "even number of voting members (%d)", look->voters);
    for (size_t i = 0; i < facts->n_servers; i++)
        if (!has_member(view, facts->servers[i].node))
            problems_add(p, "rs.add(\"HOST:PORT\") on the primary", "%s has no voting member of %s",
                         facts->servers[i].text, view->set);
    for (size_t i = 0; i < view->n; i++) {
        const struct mongodb_member *member = &view->member[i];
        if (facts->n_servers > 0 && member->votes && !is_server(facts, member->node))
            problems_add(p,
                         "rs.remove() it, or let its host name be that of a server, or one that "
                         "leads to its address",
                         "member %s is on none of the Consul servers", member->name);
    }
}

/* ---- those that were asked ----------------------------------------------- */

static const struct mongodb_member *member_of(const struct look *look,
                                              const struct mongodb_answer *answer)
{
    for (size_t i = 0; i < look->view->n; i++)
        if (is_same(&look->view->member[i], answer))
            return &look->view->member[i];
    return NULL;
}

/* Of a server without a member, and of a member that is down, that is said. */
static void one_answer(const struct look *look, const struct mongodb_answer *answer,
                       struct problems *p)
{
    const struct mongodb_member *member = member_of(look, answer);
    if (answer->trouble[0] && member && is_living(member))
        problems_add(p, "other members reach it: is its port open to this server?",
                     "%s does not answer here: %s", answer->name, answer->trouble);
    else if (!answer->trouble[0] && !answer->set[0])
        problems_add(p, "empty its data, start it with replSetName, then rs.add() on the primary",
                     "%s is a MongoDB of its own, not in %s", answer->name, look->view->set);
    else if (!answer->trouble[0] && strcmp(answer->set, look->view->set) != 0)
        problems_add(p, "there must be one replica set: empty its data, then rs.add() it",
                     "%s is in the replica set %s, not in %s", answer->name, answer->set,
                     look->view->set);
    else if (!member && !answer->node[0])
        problems_add(p, "correct MONGODB_URL", "%s is no member of %s", answer->name,
                     look->view->set);
}

static void versions(const struct mongodb_facts *facts, struct problems *p)
{
    char text[NAMES] = "";
    size_t used = 0;
    int different = 0;
    for (size_t i = 0; i < facts->n; i++) {
        bool set[MONGODB_ASKED] = {false}, before = false;
        const char *names[MONGODB_ASKED] = {NULL};
        char part[NAMES];
        const char *version = facts->answers[i].version;
        for (size_t k = 0; k < facts->n; k++) {
            names[k] = facts->answers[k].name;
            set[k] = strcmp(facts->answers[k].version, version) == 0;
            before = before || (k < i && set[k]);
        }
        if (!version[0] || before)
            continue;
        (void)text_names(names, set, (int)facts->n, " and ", part, sizeof part);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s on %s",
                                 different++ ? "; " : "", version, part);
        used = used < sizeof text ? used : sizeof text - 1;
    }
    if (different > 1)
        problems_add(p, "one version on all, once an update is over", "versions differ: %s", text);
}

/* ---- security ------------------------------------------------------------ */

static bool is_open(const struct mongodb_answer *answer)
{
    return answer->open;
}

static bool is_plain(const struct mongodb_answer *answer)
{
    return answer->plain;
}

static bool is_local_open(const struct mongodb_answer *answer)
{
    return answer->open && answer->local;
}

static void certificate(const struct mongodb_facts *facts, const struct mongodb_answer *answer,
                        struct problems *p)
{
    char day[32];
    const char *todo = "replace it, and restart mongod there";
    if (answer->ends_s == 0)
        return;
    if (answer->begins_s > facts->now_s)
        problems_add(p, "is the clock right? else replace it",
                     "the certificate of %s is not valid before %s", answer->name,
                     say_day(answer->begins_s, day));
    else if (answer->ends_s <= facts->now_s)
        problems_add(p, todo, "the certificate of %s has expired on %s", answer->name,
                     say_day(answer->ends_s, day));
    else if (answer->ends_s < facts->now_s + CERTIFICATE_SOON_S)
        problems_add(p, todo, "the certificate of %s expires on %s", answer->name,
                     say_day(answer->ends_s, day));
}

static void security(const struct mongodb_facts *facts, struct problems *p)
{
    char names[NAMES];
    for (size_t i = 0; i < facts->n; i++)
        certificate(facts, &facts->answers[i], p);
    bool everywhere = facts->everywhere && name_answers(facts, is_local_open, names) > 0;
    if (name_answers(facts, is_open, names) > 0)
        problems_add(p,
                     "who reaches it reads and changes every job: make users, then "
                     "security.authorization: enabled in mongod.conf",
                     "answers without a user%s: %s",
                     everywhere ? ", and is bound to all interfaces" : "", names);
    if (name_answers(facts, is_plain, names) > 0)
        problems_add(
            p, "net.tls.mode: requireTLS in mongod.conf (before 4.2 net.ssl.mode: requireSSL)",
            "takes connections without TLS: %s", names);
}

/* ---- settings ------------------------------------------------------------ */

static void settings_wrong(const struct mongodb_facts *facts, struct problems *p)
{
    const struct settings *s = facts->settings;
    for (size_t i = 0; i < s->rejects.n; i++)
        if (settings_group(s->rejects.entries[i].key) == GROUP_MONGODB)
            problems_add(p, "it has no effect", "%s", s->rejects.entries[i].value);
    for (size_t i = 0; i < s->unknowns.n; i++)
        if (settings_group(s->unknowns.entries[i].key) == GROUP_MONGODB)
            problems_add(p, "it has no effect", "%s", s->unknowns.entries[i].value);
    if (facts->refusal && facts->refusal[0])
        problems_add(p, "these are not asked", "%s", facts->refusal);
    if (facts->credential && facts->credential[0])
        problems_add(p, "it is asked without a user", "%s", facts->credential);
    if (facts->conf && facts->conf[0])
        problems_add(p, "port 27017 is asked", "%s", facts->conf);
}

/* ---- without members ----------------------------------------------------- */

static bool says(const struct mongodb_facts *facts, bool (*is)(const struct mongodb_answer *answer))
{
    char ignored[NAMES];
    return name_answers(facts, is, ignored) > 0;
}

static bool is_anyone(const struct mongodb_answer *answer)
{
    return answer->role <= MONGODB_NO_PRIMARY;
}

static bool is_in_a_set(const struct mongodb_answer *answer)
{
    return answer->set[0] != '\0';
}

static bool is_unstarted(const struct mongodb_answer *answer)
{
    return answer->role == MONGODB_UNSTARTED;
}

static bool is_single(const struct mongodb_answer *answer)
{
    return answer->role == MONGODB_SINGLE;
}

static void nobody_answers(const struct mongodb_facts *facts, struct problems *p)
{
    if (facts->n == 0 && p->n == 0)
        problems_add(p, "set MONGODB_URL, or correct mongod.conf", "there is no server to ask");
    for (size_t i = 0; i < facts->n; i++)
        problems_add(p, "start mongod there; is its port open to this server?",
                     "%s does not answer: %s", facts->answers[i].name, facts->answers[i].trouble);
}

static const char *say_blind(const struct mongodb_facts *facts)
{
    for (size_t i = 0; i < facts->n; i++)
        if (facts->answers[i].blind[0])
            return facts->answers[i].blind;
    return "no member says who they are";
}

/* The first line where nobody says who the members are; what else is wrong follows. */
static void judge_no_members(const struct mongodb_facts *facts, struct problems *p,
                             struct verdict *ret)
{
    char names[NAMES], reason[PROBLEMS_FIRST + 40];
    if (!says(facts, is_anyone)) {
        nobody_answers(facts, p);
        verdict_set(ret, facts->n > 0 ? VERDICT_CRITICAL : VERDICT_WARNING, "no MongoDB answers%s",
                    problems_say(p, reason, sizeof reason));
        return;
    }
    security(facts, p);
    versions(facts, p);
    if (says(facts, is_in_a_set)) {
        verdict_set(ret, VERDICT_WARNING, "cannot look at the members: %s", say_blind(facts));
    } else if (name_answers(facts, is_unstarted, names) > 0) {
        verdict_set(ret, VERDICT_WARNING, "the replica set is not initiated: %s", names);
        verdict_note(ret, "rs.initiate() on one of them, then rs.add() the others there");
    } else {
        (void)name_answers(facts, is_single, names);
        verdict_set(ret, VERDICT_WARNING, "not a replica set: %s", names);
        verdict_note(ret, "when that server fails, nothing is printed: replication.replSetName in "
                          "mongod.conf of each server, rs.initiate() on the one that has the data, "
                          "then rs.add() the others there");
    }
}

/* ---- the verdict --------------------------------------------------------- */

static enum verdict_status status_of(const struct look *look, const struct mongodb_held *held,
                                     int problems)
{
    bool overdue = held->no_spare_ms >= look->facts->settings->grace_us / 1000;
    if (look->spare < 0 || held->no_primary_ms >= limits()->no_leader_ms ||
        (look->spare == 0 && overdue && !excused(look)))
        return VERDICT_CRITICAL;
    return look->spare == 0 || problems > 0 ? VERDICT_WARNING : VERDICT_PASSING;
}

static void note_members(const struct look *look, const struct mongodb_held *held,
                         struct verdict *v)
{
    char names[NAMES], grace[DURATION_TEXT];
    if (look->spare == 0 && held->no_spare_ms >= look->facts->settings->grace_us / 1000 &&
        !excused(look))
        verdict_note(v, "none may fail for longer than CLUSTER_GRACE (%s)",
                     duration_format(look->facts->settings->grace_us, grace));
    if (name_members(look, true, names) > 0)
        verdict_note(v, "primary: %s", names);
    if (name_members(look, false, names) > 0)
        verdict_note(v, "other members: %s", names);
}

static void judge_members(const struct look *look, const struct mongodb_held *held,
                          struct problems *p, struct verdict *ret)
{
    char may_fail[QUORUM_SPARE_TEXT], reason[PROBLEMS_FIRST + 40];
    const struct mongodb_facts *facts = look->facts;
    primaries(look, held, p);
    for (size_t i = 0; i < look->view->n; i++)
        one_member(look, &look->view->member[i], p);
    lag(look, p);
    servers(look, p);
    for (size_t i = 0; i < facts->n; i++)
        one_answer(look, &facts->answers[i], p);
    versions(facts, p);
    security(facts, p);
    int of = facts->expected > look->voters ? facts->expected : look->voters;
    verdict_set(ret, status_of(look, held, p->n), "%s: %d of %d members, %s%s", look->view->set,
                look->living, of, quorum_spare_text(look->spare, may_fail),
                problems_say(p, reason, sizeof reason));
    note_members(look, held, ret);
}

void mongodb_judge(const struct mongodb_facts *facts, const struct mongodb_held *held,
                   struct verdict *ret)
{
    struct look look;
    struct problems p = {.v = ret};
    *ret = (struct verdict){0};
    look_at(facts, &look);
    settings_wrong(facts, &p);
    if (look.view)
        judge_members(&look, held, &p, ret);
    else
        judge_no_members(facts, &p, ret);
}
