/* SPDX-License-Identifier: MIT */
#include "rollout/logging_check.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/text.h"
#include "indexer/account.h"
#include "rollout/acknowledged.h"
#include "rollout/logging_memory.h"
#include "rollout/logging_verdict.h"
#include "shipper/shipper_commands.h"
#include "shipper/shipper_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define ASK_MS   1000  /* whether the log shipper runs; it may be at work on itself */
#define STALE_MS 10000 /* an account this late is nobody's: the shipper may be started again */

/* One look while it is judged. */
struct look {
    struct snapshot *s;
    const struct delivery_proof *proof;
    struct logging_memory memory;
    struct rolling turn;
    struct logging_facts logging;
    struct delivery_facts delivery;
    struct delivery_server *servers;
    enum delivery_arrival *arrivals;
    char unseen[FILE_SET_PATH], service[SHIPPER_CONFIG_SERVICE];
    char waits[ACCOUNT_WHY], stopped[ACCOUNT_WHY], unread[SOURCES_TEXT], nothing[SOURCES_TEXT],
        stuck[SOURCES_TEXT], room[SOURCES_TEXT];
};

static void set_logging(struct look *l)
{
    struct snapshot *s = l->s;
    struct peers *p = &s->peers;
    struct rolling_facts facts;
    snapshot_facts(s, false, &facts);
    if (s->wanted.revision[0])
        rolling_judge(&facts, &l->turn);
    for (size_t i = 0; i < p->n; i++) {
        if (strcasecmp(p->records[i].node, s->node) == 0)
            p->records[i] = s->local.record;
    }
    l->logging = (struct logging_facts){.settings = &s->wanted.settings,
                                        .refusal = s->wanted.refusal,
                                        .wanted = s->wanted.revision,
                                        .in_force = s->local.in_force,
                                        .own = &s->local.record,
                                        .rollback_failed = s->local.rollback_failed,
                                        .progress = l->turn.text,
                                        .held = l->turn.held,
                                        .records = p->records,
                                        .n = p->n,
                                        .missing = p->missing,
                                        .n_missing = p->n_missing,
                                        .large = p->large.text};
}

/* ---- this server's log shippers ------------------------------------------ */

/* What their accounts say. */
static void take_account(struct look *l, const struct shipper_config *shipper)
{
    struct account a;
    struct delivery_facts *f = &l->delivery;
    const int64_t now = boottime_ms();
    if (!shipper->account[0] && shipper->probe[0])
        f->unseen = shipper_config_name(shipper, l->unseen);
    if (!shipper->account[0])
        return;
    account_read(shipper->account, &a);
    f->cut += a.cut;
    f->damaged += a.lost;
    if (a.until_ms > 0 && f->shipper == DELIVERY_UNKNOWN)
        f->shipper = DELIVERY_RUNS;
    if (a.until_ms > 0 && now > a.until_ms + STALE_MS)
        f->shipper = DELIVERY_DEAD;
    if (a.stopped[0])
        f->stopped = memcpy(l->stopped, a.stopped, sizeof l->stopped);
    if (a.unread[0])
        f->unread = memcpy(l->unread, a.unread, sizeof l->unread);
    if (a.stuck[0])
        f->stuck = memcpy(l->stuck, a.stuck, sizeof l->stuck);
    if (a.room[0])
        f->room = memcpy(l->room, a.room, sizeof l->room);
    if (a.nothing[0])
        f->nothing = memcpy(l->nothing, a.nothing, sizeof l->nothing);
    if (!a.why[0] || a.waiting == 0 || a.until_ms == 0)
        return;
    f->waits = memcpy(l->waits, a.why, sizeof l->waits);
    f->waits_long = now - a.since_ms >= l->s->wanted.settings.log_delay_us / 1000;
}

/* Whose unit is it? Files from before the member "service" had rsyslogd only. */
static const char *service_of(const struct shipper_config *shipper)
{
    return shipper->service[0] ? shipper->service : shipper->account[0] ? "lictor-rsyslog" : "";
}

/* Where systemd keeps the processes of a service, by the layouts of control groups. */
static const char *const groups[] = {"/sys/fs/cgroup/system.slice",
                                     "/sys/fs/cgroup/systemd/system.slice",
                                     "/sys/fs/cgroup/unified/system.slice"};

/* Has the service processes? Asking systemctl takes a D-Bus, which not every machine has. 0, -EINVAL it has
 * none, else that cannot be seen. */
static int look_for_service(const char *service)
{
    char path[FILE_PATH];
    for (size_t i = 0; *service && i < COUNT(groups); i++) {
        if (access(groups[i], X_OK) < 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s.service", groups[i], service);
        return access(path, F_OK) == 0 ? 0 : -EINVAL;
    }
    return -ENOENT;
}

/* After a change, or a crash, it is started again within half a second. */
static int ask_service(struct look *l, const struct shipper_config *shipper)
{
    const char *service = service_of(shipper);
    int rc = look_for_service(service);
    if (rc == -EINVAL) {
        boottime_sleep(ASK_MS);
        rc = look_for_service(service);
    }
    if (rc == -EINVAL)
        text_copy(l->service, sizeof l->service, service);
    return rc;
}

/* One without an account is asked: by its own command where this user runs it, else systemd. */
static void ask_shippers(struct look *l, const struct shipper_config_list *list, bool ours)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < list->n; i++)
        rc = ours ? shipper_commands_ask(&list->shipper[i], ASK_MS)
                  : ask_service(l, &list->shipper[i]);
    l->delivery.shipper = rc == 0         ? DELIVERY_RUNS
                          : rc == -EINVAL ? DELIVERY_DEAD
                                          : DELIVERY_UNKNOWN;
}

/* ours: this user runs them. */
static void look_at_each(struct look *l, const struct shipper_config_list *list, bool ours,
                         bool silent)
{
    for (size_t i = 0; i < list->n; i++) {
        if (!l->service[0])
            text_copy(l->service, sizeof l->service, service_of(&list->shipper[i]));
        take_account(l, &list->shipper[i]);
    }
    if (l->delivery.cut + l->delivery.damaged > 0)
        l->delivery.acknowledged = acknowledged_read(l->s->consul, l->s->read, l->s->node);
    if (l->delivery.shipper == DELIVERY_UNKNOWN && (silent || !ours))
        ask_shippers(l, list, ours);
    l->delivery.service = ours || !l->service[0] ? NULL : l->service;
}

static void look_at_shippers(struct look *l, bool silent)
{
    char path[FILE_PATH];
    const char *dir = l->s->place->config_dir;
    struct shipper_config_list *list = calloc(1, sizeof *list);
    const bool ours = file_path(path, sizeof path, dir, "apply-socket", NULL) == 0 &&
                      access(path, F_OK) < 0;
    if (list && shipper_config_read(dir, list, NULL) == 0) {
        look_at_each(l, list, ours, silent);
        shipper_config_release(list);
    }
    free(list);
}

static const char *uuid_of(const struct peers *p, const char *node)
{
    for (size_t i = 0; i < p->n; i++) {
        if (strcasecmp(p->records[i].node, node) == 0)
            return p->records[i].cluster_uuid;
    }
    return "";
}

static void judge_arrivals(struct look *l)
{
    const struct delivery_proof *p = l->proof;
    cJSON *after = delivery_gather_arrivals(&p->gathered, l->memory.arrivals, p->nodes, p->n,
                                            l->arrivals);
    cJSON_Delete(l->memory.arrivals);
    l->memory.arrivals = after;
}

/* This server belongs to them only when it has the wanted revision in force. */
static void set_servers(struct look *l, bool own_current)
{
    const struct delivery_proof *p = l->proof;
    struct delivery_facts *f = &l->delivery;
    for (size_t i = own_current ? 0 : 1; i < p->n; i++)
        l->servers[f->n++] = (struct delivery_server){.node = p->nodes[i],
                                                      .uuid = uuid_of(&l->s->peers, p->nodes[i]),
                                                      .arrival = l->arrivals[i]};
    f->servers = l->servers;
    f->own = l->s->node;
    f->all = f->n == l->s->peers.order.n;
}

/* What is seen of this server's own records is remembered while the wanted revision runs. */
static void remember_own(struct look *l, bool silent)
{
    const char *uuid = delivery_uuid(l->delivery.urls, l->delivery.n_urls);
    (void)held_since_note(&l->memory.spans, "silent", silent);
    if (*uuid || !l->proof->looked)
        (void)snprintf(l->memory.uuid, sizeof l->memory.uuid, "%s", uuid);
}

static void set_delivery(struct look *l)
{
    struct delivery_facts *f = &l->delivery;
    const bool ours = delivery_proof_in_force(l->s);
    if (!l->proof->looked) {
        remember_own(l, false);
        return;
    }
    const bool unproven = ours && l->s->local.unproven;
    delivery_proof_addresses(l->proof, f);
    f->stops = l->s->local.waiting && !l->s->wanted.settings.log_parallel &&
               !delivery_proof_goes(l->proof, NULL);
    if (f->sight == DELIVERY_SEEN)
        judge_arrivals(l);
    f->unproven = unproven;
    set_servers(l, ours && !unproven);
    const bool silent = ours && f->sight == DELIVERY_SEEN &&
                        (unproven || l->arrivals[0] == DELIVERY_SILENT);
    look_at_shippers(l, silent);
    if (ours)
        remember_own(l, silent || f->shipper == DELIVERY_DEAD);
}

/* For how long? A full disk must not turn a change under way into a warning, and is no proof
 * that a link is broken. */
static void set_times(struct look *l)
{
    struct logging_memory *m = &l->memory;
    const int64_t done = (int64_t)logging_verdict_count(&l->logging);
    const bool differ = l->logging.wanted[0] && !logging_verdict_agree(&l->logging);
    const bool looked = l->proof->looked;
    if (done != m->done)
        (void)held_since_note(&m->spans, "differ", false);
    m->done = done;
    l->logging.differ_ms = held_since_note(&m->spans, "differ", differ);
    l->delivery.broken_ms = held_since_note(&m->spans, "broken",
                                            looked && delivery_broken(&l->delivery));
    l->delivery.lost_ms = held_since_note(&m->spans, "lost", looked && delivery_lost(&l->delivery));
    if (logging_memory_write(l->s->place->state_dir, m, NULL) < 0)
        l->logging.differ_ms = l->delivery.broken_ms = l->delivery.lost_ms = 0;
}

static void judge_look(struct look *l, struct verdict *ret)
{
    const struct wanted *w = &l->s->wanted;
    logging_verdict_judge(&l->logging, ret);
    if (w->service.note[0] && !w->refusal[0]) {
        verdict_note(ret, "%s", w->service.note);
        verdict_raise(ret, VERDICT_WARNING);
    }
    if (!l->proof->looked)
        return;
    delivery_judge(&l->delivery, ret);
    if (l->delivery.stops)
        verdict_note(ret, "no server is touched before Elasticsearch answers well "
                          "(LOG_ROLLOUT=parallel does not ask)");
}

void logging_check_judge(struct snapshot *s, const struct delivery_proof *proof,
                         struct verdict *ret)
{
    struct look l = {.s = s,
                     .proof = proof,
                     .servers = calloc(proof->n + 1, sizeof *l.servers),
                     .arrivals = calloc(proof->n + 1, sizeof *l.arrivals)};
    *ret = (struct verdict){.summary = ""};
    logging_memory_read(s->place->state_dir, &l.memory);
    if (l.servers && l.arrivals) {
        set_logging(&l);
        set_delivery(&l);
        set_times(&l);
        judge_look(&l, ret);
    } else {
        verdict_set(ret, VERDICT_WARNING, "cannot look: out of memory");
    }
    logging_memory_release(&l.memory);
    free(l.servers);
    free(l.arrivals);
}
