/* SPDX-License-Identifier: MIT */
#include "delivery/delivery.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define NAMED 3 /* servers named in the first line */

/* ---- addresses ----------------------------------------------------------- */

static bool is_good(const struct elasticsearch_greeting *g)
{
    return g->trouble == ELASTICSEARCH_OK;
}

/* Without the credential to ask with, a demand for one says that Elasticsearch is there. */
static bool is_tolerated(const struct delivery_facts *f, const struct elasticsearch_greeting *g)
{
    return f->sight == DELIVERY_NO_CREDENTIAL && elasticsearch_demands(g->trouble);
}

static size_t count_bad(const struct delivery_facts *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_urls; i++)
        n += !is_good(&f->urls[i]) && !is_tolerated(f, &f->urls[i]);
    return n;
}

/* The first good one whose uuid is not that of the first good one, or NULL. */
static const struct elasticsearch_greeting *find_other(const struct elasticsearch_greeting *urls,
                                                       size_t n)
{
    const char *uuid = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!is_good(&urls[i]))
            continue;
        if (uuid && strcmp(urls[i].uuid, uuid) != 0)
            return &urls[i];
        uuid = urls[i].uuid;
    }
    return NULL;
}

const char *delivery_uuid(const struct elasticsearch_greeting *urls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_good(&urls[i]))
            return find_other(urls, n) ? "" : urls[i].uuid;
    }
    return "";
}

/* ---- servers ------------------------------------------------------------- */

/* The uuid this server's own record or question gave. */
static const char *own_uuid(const struct delivery_facts *f)
{
    const char *seen = delivery_uuid(f->urls, f->n_urls);
    for (size_t i = 0; !*seen && i < f->n; i++) {
        if (strcmp(f->servers[i].node, f->own) == 0)
            seen = f->servers[i].uuid;
    }
    return seen;
}

static bool ships_elsewhere(const struct delivery_facts *f, const struct delivery_server *s)
{
    const char *own = own_uuid(f);
    return *own && *s->uuid && strcmp(own, s->uuid) != 0 && strcmp(s->node, f->own) != 0;
}

static bool is_silent(const struct delivery_facts *f, const struct delivery_server *s)
{
    return f->sight == DELIVERY_SEEN && s->arrival == DELIVERY_SILENT && !ships_elsewhere(f, s);
}

static bool is_late(const struct delivery_facts *f, const struct delivery_server *s)
{
    return f->sight == DELIVERY_SEEN && s->arrival == DELIVERY_LATE && !ships_elsewhere(f, s);
}

/* Names of the servers of which `is` holds: "a, b, c and 2 more". Returns their number. */
static int name_servers(const struct delivery_facts *f,
                        bool (*is)(const struct delivery_facts *f, const struct delivery_server *s),
                        char *ret, size_t size)
{
    struct text_list list;
    char name[61];
    int total = 0;
    for (size_t i = 0; i < f->n; i++)
        total += is(f, &f->servers[i]);
    text_list_begin(&list, ret, size, total, NAMED);
    for (size_t i = 0; i < f->n; i++) {
        (void)snprintf(name, sizeof name, "%s", f->servers[i].node);
        if (is(f, &f->servers[i]) && !text_list_add(&list, ", ", name))
            break;
    }
    return total;
}

/* ---- what is broken ------------------------------------------------------ */

#define CLAUSE 300 /* bytes of the second half of the first line */

static bool all_bad(const struct delivery_facts *f)
{
    return f->n_urls > 0 && count_bad(f) == f->n_urls;
}

/* Is it the way that is broken, and not the question? */
static bool all_out_of_reach(const struct delivery_facts *f)
{
    for (size_t i = 0; i < f->n_urls; i++) {
        if (!elasticsearch_passes(f->urls[i].trouble))
            return false;
    }
    return all_bad(f);
}

static bool find_bad_address(const struct delivery_facts *f, char ret[CLAUSE])
{
    size_t bad = count_bad(f);
    if (all_out_of_reach(f))
        (void)snprintf(ret, CLAUSE, "Elasticsearch is out of reach from here");
    else if (all_bad(f))
        (void)snprintf(ret, CLAUSE, "Elasticsearch cannot be asked from here");
    else if (bad > 0)
        (void)snprintf(ret, CLAUSE, "%zu of %zu addresses of Elasticsearch cannot be used", bad,
                       f->n_urls);
    else if (find_other(f->urls, f->n_urls))
        (void)snprintf(ret, CLAUSE, "the addresses are of different Elasticsearch");
    else if (f->sight == DELIVERY_BLIND)
        (void)snprintf(ret, CLAUSE, "arrival cannot be looked for");
    else
        return false;
    return true;
}

static bool find_bad_server(const struct delivery_facts *f, char ret[CLAUSE])
{
    char names[CLAUSE - 60];
    int silent = 0;
    if (name_servers(f, ships_elsewhere, names, sizeof names) > 0)
        (void)snprintf(ret, CLAUSE, "not all ship to the same Elasticsearch: %s", names);
    else if (f->unproven)
        (void)snprintf(ret, CLAUSE, "no record of it has arrived from here");
    else if ((silent = name_servers(f, is_silent, names, sizeof names)) > 0)
        (void)snprintf(ret, CLAUSE, "nothing arrives from %s",
                       silent > 1 && (size_t)silent == f->n && f->all ? "any server" : names);
    else if (name_servers(f, is_late, names, sizeof names) > 0)
        (void)snprintf(ret, CLAUSE, "records arrive late from %s", names);
    else
        return false;
    return true;
}

/* The first link that is broken, as the second half of a sentence. */
static bool find_broken(const struct delivery_facts *f, char ret[CLAUSE])
{
    return find_bad_address(f, ret) || find_bad_server(f, ret);
}

bool delivery_broken(const struct delivery_facts *facts)
{
    char ignored[CLAUSE];
    return find_broken(facts, ignored);
}

bool delivery_lost(const struct delivery_facts *facts)
{
    size_t silent = 0;
    for (size_t i = 0; i < facts->n; i++)
        silent += is_silent(facts, &facts->servers[i]);
    return all_out_of_reach(facts) || (silent > 0 && silent == facts->n);
}

/* ---- sentences ----------------------------------------------------------- */

static void note_addresses(const struct delivery_facts *f, struct verdict *v)
{
    const struct elasticsearch_greeting *other = find_other(f->urls, f->n_urls);
    for (size_t i = 0; i < f->n_urls; i++) {
        if (!is_good(&f->urls[i]) && !is_tolerated(f, &f->urls[i]))
            verdict_note(v, "%s", f->urls[i].text);
    }
    for (size_t i = 0; other && i < f->n_urls; i++) {
        if (is_good(&f->urls[i]))
            verdict_note(v, "address %zu of %zu has cluster_uuid %s", i + 1, f->n_urls,
                         f->urls[i].uuid);
    }
}

static void note_elsewhere(const struct delivery_facts *f, struct verdict *v)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct delivery_server *s = &f->servers[i];
        if (ships_elsewhere(f, s))
            verdict_note(v,
                         "%s ships to another Elasticsearch than %s (cluster_uuid %s, "
                         "not %s): what do the names in LOG_ELASTICSEARCH_URL mean there?",
                         s->node, f->own, s->uuid, own_uuid(f));
    }
}

static void note_dead(const struct delivery_facts *f, struct verdict *v)
{
    if (f->service)
        verdict_note(
            v,
            "the log shipper of this server does not run, hangs, or cannot write (disk full?): "
            "systemctl restart %s; journalctl -u %s says why",
            f->service, f->service);
    else
        verdict_note(v, "the log shipper of this server does not run, hangs, or cannot write (disk "
                        "full?): lictor retry starts it, or says why not");
}

static void note_own(const struct delivery_facts *f, struct verdict *v)
{
    if (f->shipper == DELIVERY_DEAD)
        note_dead(f, v);
    else if (f->waits)
        return; /* that is why */
    else if (f->shipper == DELIVERY_RUNS)
        verdict_note(v, "the log shipper of this server runs, so its queue grows: does "
                        "Elasticsearch take what it sends (its credential, the index)? "
                        "Its own log says why (rsyslog: journalctl -t lictor-index-records)");
    else if (f->service)
        verdict_note(v, "does the log shipper of this server run? systemctl status %s", f->service);
    else
        verdict_note(v, "does the log shipper of this server run?");
}

static void note_server(const struct delivery_facts *f, const struct delivery_server *s,
                        struct verdict *v)
{
    bool own = strcmp(s->node, f->own) == 0;
    if (is_late(f, s))
        verdict_note(v, "records of %s arrive late: its log shipper works off a queue", s->node);
    else if (is_silent(f, s) && own && !f->unproven)
        note_own(f, v);
    else if (is_silent(f, s) && !own)
        verdict_note(v, "nothing arrives from %s: see cluster:logging there", s->node);
}

/* Do the lines about records speak of this server's log shipper? */
static bool says_own(const struct delivery_facts *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->servers[i].node, f->own) == 0 && is_silent(f, &f->servers[i]))
            return true;
    }
    return f->unproven && f->sight == DELIVERY_SEEN;
}

static void note_servers(const struct delivery_facts *f, struct verdict *v)
{
    if (f->unproven && f->sight == DELIVERY_SEEN) {
        verdict_note(v, "applied and running, but no probe record of this revision has "
                        "arrived in Elasticsearch from this server");
        note_own(f, v);
    }
    for (size_t i = 0; i < f->n; i++)
        note_server(f, &f->servers[i], v);
    if (f->shipper == DELIVERY_DEAD && !says_own(f))
        note_dead(f, v);
}

/* How the first line of a passing verdict ends when no link is known to be broken. */
static void praise(const struct delivery_facts *f, struct verdict *v)
{
    if (f->sight != DELIVERY_SEEN)
        verdict_set(v, v->status, "%s, arrival not proven", v->summary);
    else if (f->all && f->n > 1)
        verdict_set(v, v->status, "%s, records arrive from all", v->summary);
    else if (f->all && f->n == 1)
        verdict_set(v, v->status, "%s, records arrive", v->summary);
}

/* What logging_verdict_judge() found goes first: nothing arrives where nothing is applied. */
static void blame(const struct delivery_facts *f, const char *clause, struct verdict *v)
{
    if (f->lost_ms >= limits()->loss_ms && v->status != VERDICT_CRITICAL)
        verdict_set(v, VERDICT_CRITICAL, "%s, but %s for half an hour or more", v->summary, clause);
    else if ((f->stops && v->status != VERDICT_CRITICAL) ||
             (f->broken_ms >= limits()->patience_ms && v->status == VERDICT_PASSING))
        verdict_set(v, VERDICT_WARNING, "%s, but %s", v->summary, clause);
}

/* Of which no admin has taken note. */
static int64_t lost(const struct delivery_facts *f)
{
    const int64_t all = f->damaged + f->cut;
    return all == f->acknowledged ? 0 : all;
}

/* What the log shipper of this server knows before any record is late. */
static bool find_own(const struct delivery_facts *f, char ret[CLAUSE])
{
    if (f->shipper == DELIVERY_DEAD)
        (void)snprintf(ret, CLAUSE, "nothing is heard of the log shipper of %s", f->own);
    else if (f->stopped)
        (void)snprintf(ret, CLAUSE, "no log of %s is read on", f->own);
    else if (lost(f) > 0)
        (void)snprintf(ret, CLAUSE, "lines of %s are lost", f->own);
    else if (f->waits && f->waits_long)
        (void)snprintf(ret, CLAUSE, "records wait on %s", f->own);
    else if (f->unread)
        (void)snprintf(ret, CLAUSE, "not all logs of %s can be read", f->own);
    else if (f->stuck)
        (void)snprintf(ret, CLAUSE, "a log of %s is not read on", f->own);
    else if (f->room)
        (void)snprintf(ret, CLAUSE, "the disk of the log shipper of %s is too full", f->own);
    else
        return false;
    return true;
}

static void note_lost(const struct delivery_facts *f, struct verdict *v)
{
    if (lost(f) == 0)
        return;
    if (f->damaged > 0)
        verdict_note(v,
                     "%lld lines of %s are lost: they were damaged in the queue of its log "
                     "shipper (disk, power cut?)",
                     (long long)f->damaged, f->own);
    if (f->cut > 0)
        verdict_note(v, "of %lld lines of %s, refused and longer than 256 KiB, the end is lost",
                     (long long)f->cut, f->own);
    verdict_note(v, "once this is known: lictor acknowledge %s %lld", f->own, (long long)lost(f));
}

static void note_stuck(const struct delivery_facts *f, struct verdict *v)
{
    char how[120] = "restart it";
    if (f->service)
        (void)snprintf(how, sizeof how, "systemctl restart %s; journalctl -u %s says why",
                       f->service, f->service);
    verdict_note(v, "the log shipper of %s has not read on for a minute: %s wait in the file: %s",
                 f->own, f->stuck, how);
}

static void note_account(const struct delivery_facts *f, struct verdict *v)
{
    if (f->stopped)
        verdict_note(v, "the log shipper of %s reads no log on, lines wait in their files: %s",
                     f->own, f->stopped);
    if (f->waits)
        verdict_note(v, "records wait on %s: %s", f->own, f->waits);
    if (f->unread)
        verdict_note(v, "the log shipper of %s cannot read %s", f->own, f->unread);
    if (f->stuck)
        note_stuck(f, v);
    if (f->room)
        verdict_note(v, "on %s %s", f->own, f->room);
    if (f->nothing)
        verdict_note(v, "on %s %s", f->own, f->nothing);
    if (f->unseen)
        verdict_note(v,
                     "%s on %s keeps no account: logs that it cannot read, and records that were "
                     "refused, do not show here",
                     f->unseen, f->own);
    note_lost(f, v);
}

void delivery_judge(const struct delivery_facts *facts, struct verdict *v)
{
    char clause[CLAUSE];
    bool broken = find_broken(facts, clause);
    if (broken)
        blame(facts, clause, v);
    if (v->status == VERDICT_PASSING && find_own(facts, clause))
        verdict_set(v, VERDICT_WARNING, "%s, but %s", v->summary, clause);
    else if (v->status == VERDICT_PASSING && !broken)
        praise(facts, v);
    note_account(facts, v);
    note_addresses(facts, v);
    if (facts->sight != DELIVERY_SEEN && facts->sight_text[0])
        verdict_note(v, "%s", facts->sight_text);
    note_elsewhere(facts, v);
    note_servers(facts, v);
}

/* ---- before anything is touched ------------------------------------------ */

bool delivery_preflight(const struct delivery_facts *facts, char ret_why[DELIVERY_WHY])
{
    const char *why = NULL;
    for (size_t i = 0; !why && i < facts->n_urls; i++) {
        const struct elasticsearch_greeting *g = &facts->urls[i];
        bool counts = all_bad(facts) || !elasticsearch_passes(g->trouble);
        if (!is_good(g) && !is_tolerated(facts, g) && counts)
            why = g->text;
    }
    if (!why && find_other(facts->urls, facts->n_urls))
        why = "the addresses in LOG_ELASTICSEARCH_URL are of different Elasticsearch";
    if (!why && facts->sight == DELIVERY_BLIND)
        why = facts->sight_text;
    (void)snprintf(ret_why, DELIVERY_WHY, "%s", why ? why : "");
    return !why;
}

enum delivery_arrival delivery_arrival(bool found, int64_t age_ms, int64_t since_ms)
{
    if (found && age_ms <= limits()->fresh_ms)
        return DELIVERY_ARRIVES;
    return found && since_ms <= limits()->fresh_ms ? DELIVERY_LATE : DELIVERY_SILENT;
}
