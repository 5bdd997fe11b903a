#include "proof.h"

#include "duration.h"
#include "file.h"
#include "shipper.h"
#include "span.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 250
#define ASK_MS        1000 /* whether the log shipper runs; it may be at work on itself */

/* ---- looking ------------------------------------------------------------- */

static bool is_current(const struct survey *s, const struct logging_record *r)
{
    return r->state == LOGGING_DONE && strcmp(r->revision, s->wanted) == 0;
}

static void choose_nodes(const struct survey *s, struct proof *p)
{
    p->nodes[p->n++] = s->node;
    for (size_t i = 0; i < s->n; i++) {
        if (is_current(s, &s->records[i]) && strcmp(s->records[i].node, s->node) != 0)
            p->nodes[p->n++] = s->records[i].node;
    }
}

int proof_gather(const struct survey_place *place, const struct survey *s,
                 struct proof *ret, struct error *err)
{
    *ret = (struct proof){0};
    if (!s->wanted[0] || !s->settings.log_enabled)
        return 0;
    ret->nodes = calloc(s->n + 1, sizeof *ret->nodes);
    if (!ret->nodes)
        return error_set(err, -ENOMEM, "out of memory");
    choose_nodes(s, ret);
    const struct evidence_question question = {.config_dir = place->config_dir,
                                               .settings = &s->settings,
                                               .revision = s->wanted,
                                               .nodes = ret->nodes,
                                               .n = ret->n};
    int rc = evidence_gather(&question, &ret->evidence, err);
    ret->looked = rc == 0;
    if (rc < 0)
        proof_release(ret);
    return rc;
}

void proof_release(struct proof *proof)
{
    evidence_release(&proof->evidence);
    free((void *)proof->nodes);
    *proof = (struct proof){0};
}

/* ---- questions of rollout-logging ---------------------------------------- */

static void set_addresses(const struct proof *p, struct delivery_facts *f)
{
    f->urls = p->evidence.url;
    f->n_urls = p->evidence.urls;
    f->sight = p->evidence.sight;
    f->sight_text = p->evidence.sight_text;
}

bool proof_preflight(const struct proof *proof, char ret_why[DELIVERY_WHY])
{
    struct delivery_facts facts = {.own = ""};
    ret_why[0] = '\0';
    if (!proof->looked)
        return true;
    set_addresses(proof, &facts);
    return delivery_preflight(&facts, ret_why);
}

bool proof_possible(const struct proof *proof)
{
    return proof->looked && proof->evidence.sight != DELIVERY_NO_PROBE &&
           proof->evidence.sight != DELIVERY_NO_CREDENTIAL;
}

bool proof_found(const struct proof *proof, int64_t since_ms)
{
    return proof->looked && proof->evidence.sight == DELIVERY_SEEN &&
           proof->evidence.found[0].revision_ms >= since_ms;
}

int proof_wait(const struct survey_place *place, const struct survey *s,
               int64_t since_ms, int64_t limit_ms, struct proof *proof,
               struct error *err)
{
    struct error ignored = {0};
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    int64_t end = duration_now_ms() + limit_ms;
    bool wait = evidence_write(place->config_dir, s->node, &ignored) == 0;
    int rc = 0;
    do {
        proof_release(proof);
        rc = proof_gather(place, s, proof, err);
        wait = wait && rc == 0 && proof_possible(proof) &&
               !proof_found(proof, since_ms) && duration_now_ms() < end;
    } while (wait && nanosleep(&pause, NULL) == 0);
    return rc;
}

const char *proof_uuid(const struct proof *proof)
{
    return delivery_uuid(proof->evidence.url, proof->evidence.urls);
}

/* ---- what is said -------------------------------------------------------- */

/* A shipper that another user runs cannot be asked from here. */
static enum delivery_shipper ask_shipper(const char *config_dir)
{
    char path[4096];
    struct error ignored = {0};
    enum delivery_shipper answer = DELIVERY_UNKNOWN;
    struct target_list *list = calloc(1, sizeof *list);
    bool ours =
        file_path(path, sizeof path, config_dir, "apply-socket", &ignored) == 0 &&
        access(path, F_OK) < 0;
    if (list && ours && target_read(config_dir, list, &ignored) == 0) {
        int rc = 0;
        for (size_t i = 0; rc == 0 && i < list->n; i++)
            rc = shipper_ask(&list->target[i], ASK_MS);
        answer = rc == 0         ? DELIVERY_RUNS
                 : rc == -EINVAL ? DELIVERY_DEAD
                                 : DELIVERY_UNKNOWN;
        target_release(list);
    }
    free(list);
    return answer;
}

static const char *uuid_of(const struct survey *s, const char *node)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->records[i].node, node) == 0)
            return s->records[i].cluster_uuid;
    }
    return "";
}

/* This server belongs to them only when it has the wanted revision in force. */
static void set_servers(const struct survey *s, const struct proof *p, bool own_current,
                        const enum delivery_arrival *arrivals,
                        struct delivery_server *servers, struct delivery_facts *f)
{
    for (size_t i = own_current ? 0 : 1; i < p->n; i++)
        servers[f->n++] = (struct delivery_server){.node = p->nodes[i],
                                                   .uuid = uuid_of(s, p->nodes[i]),
                                                   .arrival = arrivals[i]};
    f->servers = servers;
    f->own = s->node;
    f->all = f->n == s->n + s->n_missing;
}

static void set_spans(const char *state_dir, struct delivery_facts *f)
{
    struct error ignored = {0};
    struct spans spans = {0};
    bool keep = state_dir && file_own_directory(state_dir);
    span_read(keep ? state_dir : NULL, "delivery", &spans);
    f->broken_ms = span_hold(&spans, "broken", delivery_broken(f));
    f->lost_ms = span_hold(&spans, "lost", delivery_lost(f));
    if (keep && span_write(&spans, state_dir, "delivery", &ignored) < 0)
        f->broken_ms = f->lost_ms =
            0; /* as with differences: a full disk is no proof */
}

static bool is_mute(const struct delivery_facts *f)
{
    bool silent = f->unproven;
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->servers[i].node, f->own) == 0)
            silent = silent || f->servers[i].arrival == DELIVERY_SILENT;
    }
    return silent && f->sight == DELIVERY_SEEN;
}

void proof_judge(const struct survey_place *place, const struct survey *s,
                 const struct ledger *ledger, const struct proof *proof,
                 struct verdict *v)
{
    struct delivery_facts facts = {.n = 0};
    struct logging_record own = survey_own(s, ledger);
    struct delivery_server *servers = calloc(proof->n + 1, sizeof *servers);
    enum delivery_arrival *arrivals = calloc(proof->n + 1, sizeof *arrivals);
    if (proof->looked && servers && arrivals) {
        if (proof->evidence.sight == DELIVERY_SEEN)
            evidence_arrivals(&proof->evidence, place->state_dir, proof->nodes,
                              proof->n, arrivals);
        set_addresses(proof, &facts);
        set_servers(s, proof, is_current(s, &own), arrivals, servers, &facts);
        if (is_mute(&facts))
            facts.shipper = ask_shipper(place->config_dir);
        set_spans(place->state_dir, &facts);
        delivery_judge(&facts, v);
    }
    free(servers);
    free(arrivals);
}
