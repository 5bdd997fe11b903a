/* SPDX-License-Identifier: MIT */
#include "rollout/delivery_proof.h"

#include "base/boottime.h"
#include "rollout/logging_memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOK_AGAIN_MS 250

/* ---- looking ------------------------------------------------------------- */

static bool is_current(const struct snapshot *s, const struct rolling_server *server)
{
    const struct server_record *r = server->record;
    return r && server->alive && r->state == SERVER_RECORD_DONE &&
           strcmp(r->revision, s->wanted.revision) == 0;
}

static int add_node(struct delivery_proof *p, const char *node)
{
    p->nodes[p->n] = strdup(node);
    return p->nodes[p->n++] ? 0 : -ENOMEM;
}

static int choose_nodes(const struct snapshot *s, struct delivery_proof *p)
{
    size_t servers = s->peers.order.n;
    p->nodes = calloc(servers + 1, sizeof *p->nodes);
    int rc = p->nodes ? add_node(p, s->node) : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < servers; i++) {
        const struct rolling_server *server = &s->peers.servers[i];
        if (is_current(s, server) && strcasecmp(s->node, server->node) != 0)
            rc = add_node(p, server->node);
    }
    return rc;
}

int delivery_proof_gather(const struct snapshot *s, struct delivery_proof *ret, struct error *err)
{
    *ret = (struct delivery_proof){0};
    if (!s->wanted.revision[0] || !s->wanted.settings.log_enabled)
        return 0;
    int rc = choose_nodes(s, ret);
    if (rc < 0)
        (void)error_set(err, rc, "out of memory");
    const struct delivery_question question = {.config_dir = s->place->config_dir,
                                               .settings = &s->wanted.settings,
                                               .revision = s->wanted.revision,
                                               .nodes = ret->nodes,
                                               .n = ret->n};
    if (rc == 0)
        rc = delivery_gather(&question, &ret->gathered, err);
    ret->looked = rc == 0;
    if (rc < 0)
        delivery_proof_release(ret);
    return rc;
}

void delivery_proof_release(struct delivery_proof *proof)
{
    delivery_gather_release(&proof->gathered);
    for (size_t i = 0; i < proof->n; i++)
        free((void *)(uintptr_t)proof->nodes[i]);
    free((void *)proof->nodes);
    *proof = (struct delivery_proof){0};
}

void delivery_proof_addresses(const struct delivery_proof *proof, struct delivery_facts *ret)
{
    ret->urls = proof->gathered.url;
    ret->n_urls = proof->gathered.urls;
    ret->sight = proof->gathered.sight;
    ret->sight_text = proof->gathered.sight_text;
}

/* ---- before a change ----------------------------------------------------- */

bool delivery_proof_goes(const struct delivery_proof *proof, char ret_why[DELIVERY_WHY])
{
    char why[DELIVERY_WHY] = "";
    struct delivery_facts facts = {.own = ""};
    delivery_proof_addresses(proof, &facts);
    bool goes = !proof->looked || delivery_preflight(&facts, why);
    if (ret_why)
        memcpy(ret_why, why, sizeof why);
    return goes;
}

int delivery_proof_preflight(const struct snapshot *s, struct delivery_proof *proof, bool *ret_go,
                             struct error *err)
{
    *ret_go = true;
    if (s->wanted.settings.log_parallel || s->local.running)
        return 0;
    delivery_proof_release(proof);
    int rc = delivery_proof_gather(s, proof, err);
    *ret_go = rc == 0 && delivery_proof_goes(proof, NULL);
    return rc;
}

/* ---- after it ------------------------------------------------------------ */

static bool is_possible(const struct delivery_proof *p)
{
    return p->looked && p->gathered.sight != DELIVERY_NO_PROBE &&
           p->gathered.sight != DELIVERY_NO_CREDENTIAL;
}

static bool is_found(const struct delivery_proof *p, int64_t since_ms)
{
    return p->looked && p->gathered.sight == DELIVERY_SEEN &&
           p->gathered.found[0].revision_ms >= since_ms;
}

bool delivery_proof_in_force(const struct snapshot *s)
{
    return s->wanted.revision[0] && strcmp(s->local.in_force, s->wanted.revision) == 0;
}

bool delivery_proof_pending(const struct snapshot *s)
{
    return s->local.unproven && !s->local.running && !s->local.waiting &&
           s->local.record.state == SERVER_RECORD_APPLYING && delivery_proof_in_force(s);
}

int delivery_proof_seek(struct snapshot *s, int64_t limit_ms, struct delivery_proof *proof,
                        struct error *err)
{
    int64_t end = boottime_ms() + limit_ms;
    int rc = 0;
    if (!delivery_proof_pending(s))
        return 0;
    bool again = delivery_write_probes(s->place->config_dir, s->node, NULL) == 0;
    for (;;) {
        delivery_proof_release(proof);
        rc = delivery_proof_gather(s, proof, err);
        if (rc == 0)
            local_state_prove(&s->local,
                              is_possible(proof) && !is_found(proof, s->local.applied_ms));
        if (!again || rc < 0 || !s->local.unproven || boottime_ms() >= end)
            return rc;
        boottime_sleep(LOOK_AGAIN_MS);
    }
}

int delivery_proof_note(struct snapshot *s, struct delivery_proof *proof, struct error *err)
{
    int rc = proof->looked ? 0 : delivery_proof_gather(s, proof, err);
    const char *uuid = delivery_uuid(proof->gathered.url, proof->gathered.urls);
    if (rc < 0 || !delivery_proof_in_force(s))
        return rc;
    if (*uuid || !s->wanted.settings.log_enabled)
        (void)snprintf(s->local.record.cluster_uuid, sizeof s->local.record.cluster_uuid, "%s",
                       uuid);
    return rc;
}

/* ---- does what was seen call for a run? ---------------------------------- */

static bool is_silent(const struct logging_memory *memory, const struct local_state *local)
{
    int64_t silent_ms = held_since_ms(&memory->spans, "silent");
    return silent_ms >= 0 && local_state_age_ms(local) > silent_ms;
}

bool delivery_proof_silent(const struct snapshot *s)
{
    struct logging_memory memory;
    logging_memory_read(s->place->state_dir, &memory);
    logging_memory_release(&memory);
    return is_silent(&memory, &s->local);
}

int delivery_proof_due(struct snapshot *s, bool *ret_due, struct error *err)
{
    struct logging_memory memory;
    int rc = snapshot_due(s, ret_due, err);
    if (rc < 0 || *ret_due)
        return rc;
    logging_memory_read(s->place->state_dir, &memory);
    *ret_due = is_silent(&memory, &s->local) ||
               (memory.uuid[0] && strcmp(memory.uuid, s->local.record.cluster_uuid) != 0);
    logging_memory_release(&memory);
    return rc;
}
