/* SPDX-License-Identifier: MIT */
#include "clock/clock_round.h"

#include "base/file.h"
#include "clock/clock_record.h"
#include "clock/local_clock.h"
#include "clock/ntp_reference.h"
#include "consul/agent.h"
#include "settings/settings.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What Consul says, now. */
struct facts {
    struct settings settings;
    struct agent agent;
    const char *node;
    const char *voters[AGENT_PEERS]; /* by node name; by address where nobody has that */
    size_t n;
    struct clock_state_reference reference;
    struct kv_list records;
    struct error large;            /* others' keys are too large to read all, "" if not */
    struct local_clock_reading at; /* when these were in memory */
};

/* Never stale: what is received late bounds badly. A huge value of somebody else: one by
 * one. */
static int read_records(struct consul *consul, struct facts *f, struct error *err)
{
    char key[CLOCK_RECORD_KEY];
    int rc = consul_kv_read(consul, CLOCK_RECORD_PREFIX, true, CONSUL_DEFAULT, &f->records, err);
    f->large.text[0] = '\0';
    if (rc == -EMSGSIZE) {
        rc = error_set(&f->large, 0, "%s", err->text);
        kv_release(&f->records);
        for (size_t i = 0; i < f->n && (rc == 0 || rc == -EMSGSIZE); i++)
            rc = consul_kv_read(consul, clock_record_key(f->voters[i], key), false, CONSUL_DEFAULT,
                                &f->records, err);
    }
    local_clock_read(&f->at);
    return rc == -EMSGSIZE ? 0 : rc;
}

static int gather(struct consul *consul, const struct place *place, struct clock_state *h,
                  struct facts *f, struct error *err)
{
    struct local_clock_reading now;
    int rc = agent_node(consul, &f->agent, &f->node, err);
    if (rc == 0)
        rc = agent_read_peers(consul, &f->agent, err);
    f->n = 0;
    for (size_t i = 0; i < f->agent.n_peers; i++) {
        if (f->agent.peers[i].voter)
            f->voters[f->n++] = f->agent.peers[i].node;
    }
    if (rc == 0)
        rc = settings_read_judged(consul, place->config_dir, place->settings_root, CONSUL_STALE,
                                  &f->settings, err);
    if (rc < 0)
        return rc;
    local_clock_read(&now);
    clock_state_read(place->state_dir, &now, h);
    f->reference = h->reference;
    ntp_reference_ask(&f->settings, &now, &f->reference);
    return read_records(consul, f, err);
}

/* ---- tell and receive ------------------------------------------------------- */

static void note_settings(const struct settings *s, struct verdict *notes)
{
    for (size_t i = 0; i < s->rejects.n; i++) {
        if (settings_group(s->rejects.entries[i].key) == GROUP_CLOCK) {
            verdict_note(notes, "%s (its default is in force)", s->rejects.entries[i].value);
            verdict_set(notes, VERDICT_WARNING, "a CLOCK_ setting is rejected");
        }
    }
    for (size_t i = 0; i < s->unknowns.n; i++) {
        if (settings_group(s->unknowns.entries[i].key) == GROUP_CLOCK) {
            verdict_note(notes, "%s (it has no effect)", s->unknowns.entries[i].value);
            verdict_set(notes, VERDICT_WARNING, "a CLOCK_ setting is unknown");
        }
    }
}

static void note_own(struct clock_state *h, const struct facts *f)
{
    char text[LOCAL_CLOCK_ADVICE];
    struct local_clock_daemons daemons = {0};
    if (!h->kernel.synced)
        local_clock_find_daemons("", &daemons);
    if (*local_clock_advice(&h->kernel, &daemons, text))
        verdict_note(&h->notes, "%s", text);
    if (!clock_state_check_own(h, &f->records))
        return;
    verdict_note(&h->notes,
                 "somebody else writes " CLOCK_RECORD_PREFIX "%s: is there another agent "
                 "with this node name, or another state directory of this one?",
                 f->node);
    verdict_set(&h->notes, VERDICT_WARNING, "somebody else writes this server's record");
}

/* Then no watch can bring the records: they come with heartbeats only, too late to prove much. */
static void note_large(struct clock_state *h, const struct facts *f)
{
    if (!f->large.text[0])
        return;
    verdict_note(&h->notes, "%s; only records of clocks belong there", f->large.text);
    verdict_set(&h->notes, VERDICT_WARNING, "records come late, for another key is too large");
}

/* Under the lock. */
static int receive_records(struct clock_state *h, const struct facts *f, struct verdict *v,
                           struct buffer *record, struct error *err)
{
    struct local_clock_reading now;
    const struct skew_limits limits = {f->settings.clock_warning_us, f->settings.clock_critical_us};
    local_clock_read(&now);
    (void)snprintf(h->node, sizeof h->node, "%s", f->node);
    h->reference = f->reference;
    (void)clock_state_begin(h, f->voters, f->n, &now);
    h->notes = (struct verdict){0};
    (void)clock_state_receive(h, &f->records, &f->at, &h->notes);
    note_settings(&f->settings, &h->notes);
    note_own(h, f);
    note_large(h, f);
    clock_state_judge(h, &limits, &now, &h->said, v);
    local_clock_read(&now); /* the stamp: before the record is built */
    h->sent_us[1] = h->sent_us[0];
    h->sent_us[0] = now.raw_us;
    const struct clock_reference reference = clock_state_reference(h, &now);
    int rc = clock_record_format(&h->offsets, &now, &h->kernel, &reference, record);
    return rc < 0 ? error_set(err, rc, "cannot make the own record: %s", strerror(-rc)) : 0;
}

/* Somebody who was faster, or a leader lost meanwhile: there is a next time. */
static int tell(struct consul *consul, const struct facts *f, const char *record, struct error *err)
{
    char key[CLOCK_RECORD_KEY];
    const struct kv_entry *entry = kv_find(&f->records, clock_record_key(f->node, key));
    int rc = consul_kv_write(consul, key, record, entry ? entry->modify_index : 0, err);
    return rc == -ESTALE || rc == -EAGAIN ? 0 : rc;
}

int clock_round_run(struct consul *consul, const struct place *place, struct clock_state *h,
                    struct verdict *v, struct error *err)
{
    static struct facts facts;
    struct buffer record = BUFFER_INIT(CLOCK_RECORD_LIMIT);
    struct local_clock_reading now;
    int rc = gather(consul, place, h, &facts, err);
    int lock = rc < 0 ? rc : clock_state_lock(place->state_dir, err);
    if (lock > 0) {
        local_clock_read(&now);
        clock_state_read(place->state_dir, &now, h);
        rc = receive_records(h, &facts, v, &record, err);
        if (rc == 0)
            rc = clock_state_write(h, place->state_dir, err);
        file_unlock(lock);
    }
    if (lock > 0 && rc == 0)
        rc = tell(consul, &facts, buffer_text(&record), err);
    buffer_release(&record);
    kv_release(&facts.records);
    settings_release(&facts.settings);
    agent_release(&facts.agent);
    return lock < 0 ? lock : rc;
}
