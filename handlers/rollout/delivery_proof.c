/* SPDX-License-Identifier: MIT */
#include "rollout/delivery_proof.h"

#include "base/boottime.h"
#include "base/file.h"
#include "base/held_since.h"
#include "base/json.h"
#include "base/state.h"
#include "base/trust.h"
#include "shipper/shipper_commands.h"
#include "shipper/shipper_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 250
#define MEMORY_FILE   "proof.json"
#define ASK_MS        1000 /* whether the log shipper runs; it may be at work on itself */

/* ---- looking ------------------------------------------------------------- */

static bool in_force(const struct snapshot *s, const struct local_state *local)
{
    return s->wanted[0] && strcmp(local->revision, s->wanted) == 0;
}

static bool is_own(const struct snapshot *s, const char *node)
{
    return strcasecmp(s->node, node) == 0;
}

static bool is_current(const struct snapshot *s, const struct rolling_server *server)
{
    const struct server_record *r = server->record;
    return r && server->alive && r->state == SERVER_RECORD_DONE &&
           strcmp(r->revision, s->wanted) == 0;
}

static int add_node(struct delivery_proof *p, const char *node)
{
    p->nodes[p->n] = strdup(node);
    return p->nodes[p->n++] ? 0 : -ENOMEM;
}

static int choose_nodes(const struct snapshot *s, struct delivery_proof *p)
{
    p->nodes = calloc(s->order.n + 1, sizeof *p->nodes);
    int rc = p->nodes ? add_node(p, s->node) : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < s->order.n; i++) {
        if (is_current(s, &s->servers[i]) && !is_own(s, s->servers[i].node))
            rc = add_node(p, s->servers[i].node);
    }
    return rc;
}

int delivery_proof_gather(const struct place *place, const struct snapshot *s,
                          struct delivery_proof *ret, struct error *err)
{
    *ret = (struct delivery_proof){0};
    if (!s->wanted[0] || !s->settings.log_enabled)
        return 0;
    int rc = choose_nodes(s, ret);
    if (rc < 0)
        (void)error_set(err, rc, "out of memory");
    const struct delivery_question question = {.config_dir = place->config_dir,
                                               .settings = &s->settings,
                                               .revision = s->wanted,
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

/* ---- memory -------------------------------------------------------------- */

/* What the next run of rollout-logging should know. */
struct memory {
    char uuid[ELASTICSEARCH_UUID]; /* seen last */
    int64_t mute_ms; /* since when (span clock) nothing of this server arrives, -1 it does */
};

static void recall(const char *state_dir, struct memory *ret)
{
    struct error ignored = {0};
    cJSON *root = state_read_boot(state_dir, MEMORY_FILE);
    *ret = (struct memory){.mute_ms = -1};
    (void)snprintf(ret->uuid, sizeof ret->uuid, "%s", json_text(root, "uuid", ""));
    if (json_integer(root, "mute_ms", &ret->mute_ms, &ignored) < 0)
        ret->mute_ms = -1;
    cJSON_Delete(root);
}

/* What cannot be written is not remembered. */
static void remember(const char *state_dir, const struct memory *memory)
{
    struct error ignored = {0};
    cJSON *root = state_begin();
    if (cJSON_AddStringToObject(root, "uuid", memory->uuid) &&
        cJSON_AddNumberToObject(root, "mute_ms", (double)memory->mute_ms))
        (void)!state_write(state_dir, MEMORY_FILE, root, false, &ignored);
    else
        cJSON_Delete(root);
}

static void forget_memory(const char *state_dir)
{
    char path[FILE_PATH];
    struct error ignored = {0};
    if (file_path(path, sizeof path, state_dir, MEMORY_FILE, &ignored) == 0)
        (void)unlink(path);
}

static void update_memory(const char *state_dir, const struct delivery_proof *p, bool mute)
{
    struct memory memory;
    const char *uuid = delivery_uuid(p->gathered.url, p->gathered.urls);
    if (!state_dir || !trust_own_directory(state_dir))
        return;
    recall(state_dir, &memory);
    if (!mute)
        memory.mute_ms = -1;
    else if (memory.mute_ms < 0)
        memory.mute_ms = boottime_ms();
    if (*uuid)
        (void)snprintf(memory.uuid, sizeof memory.uuid, "%s", uuid);
    remember(state_dir, &memory);
}

bool delivery_proof_silent(const char *state_dir, const struct local_state *local)
{
    struct memory memory;
    recall(state_dir, &memory);
    return memory.mute_ms >= 0 && local_state_age_ms(local) > boottime_ms() - memory.mute_ms;
}

int delivery_proof_due(struct consul *consul, const struct place *place, bool *ret_due,
                       struct error *err)
{
    struct local_state local;
    struct memory memory;
    int rc = snapshot_due(consul, place, ret_due, err);
    if (rc < 0 || *ret_due)
        return rc;
    local_state_read(place->state_dir, &local);
    recall(place->state_dir, &memory);
    *ret_due = delivery_proof_silent(place->state_dir, &local) ||
               (memory.uuid[0] && strcmp(memory.uuid, local.cluster_uuid) != 0);
    return rc;
}

/* ---- for rollout-logging ------------------------------------------------- */

static void set_addresses(const struct delivery_proof *p, struct delivery_facts *f)
{
    f->urls = p->gathered.url;
    f->n_urls = p->gathered.urls;
    f->sight = p->gathered.sight;
    f->sight_text = p->gathered.sight_text;
}

static bool goes(const struct delivery_proof *proof)
{
    char ignored[DELIVERY_WHY];
    struct delivery_facts facts = {.own = ""};
    set_addresses(proof, &facts);
    return !proof->looked || delivery_preflight(&facts, ignored);
}

int delivery_proof_preflight(const struct place *place, const struct snapshot *s,
                             const struct local_state *local, struct delivery_proof *proof,
                             bool *ret_go, struct error *err)
{
    *ret_go = true;
    if (s->settings.log_parallel || local->state == LOCAL_STATE_APPLYING)
        return 0;
    delivery_proof_release(proof);
    int rc = delivery_proof_gather(place, s, proof, err);
    *ret_go = rc == 0 && goes(proof);
    return rc;
}

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

bool delivery_proof_pending(const struct snapshot *s, const struct local_state *local)
{
    return local->unproven && local->state == LOCAL_STATE_DONE && in_force(s, local);
}

int delivery_proof_seek(const struct place *place, const struct snapshot *s, int64_t limit_ms,
                        struct local_state *local, struct delivery_proof *proof, struct error *err)
{
    struct error ignored = {0};
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    int64_t end = boottime_ms() + limit_ms;
    int rc = 0;
    if (!delivery_proof_pending(s, local))
        return 0;
    bool again = delivery_write_probes(place->config_dir, s->node, &ignored) == 0;
    do {
        delivery_proof_release(proof);
        rc = delivery_proof_gather(place, s, proof, err);
        if (rc == 0)
            local->unproven = is_possible(proof) && !is_found(proof, local->applied_ms);
        again = again && rc == 0 && local->unproven && boottime_ms() < end;
    } while (again && nanosleep(&pause, NULL) == 0);
    return rc;
}

int delivery_proof_note(const struct place *place, const struct snapshot *s,
                        struct local_state *local, struct delivery_proof *proof, struct error *err)
{
    int rc = proof->looked ? 0 : delivery_proof_gather(place, s, proof, err);
    const char *uuid = delivery_uuid(proof->gathered.url, proof->gathered.urls);
    if (rc < 0 || !in_force(s, local))
        return rc;
    if (*uuid || !s->settings.log_enabled)
        (void)snprintf(local->cluster_uuid, sizeof local->cluster_uuid, "%s", uuid);
    if (!s->settings.log_enabled)
        forget_memory(place->state_dir);
    return rc;
}

/* ---- what is said -------------------------------------------------------- */

/* A shipper that another user runs cannot be asked from here. */
static enum delivery_shipper ask_shipper(const char *config_dir)
{
    char path[FILE_PATH];
    struct error ignored = {0};
    enum delivery_shipper answer = DELIVERY_UNKNOWN;
    struct shipper_config_list *list = calloc(1, sizeof *list);
    bool ours = file_path(path, sizeof path, config_dir, "apply-socket", &ignored) == 0 &&
                access(path, F_OK) < 0;
    if (list && ours && shipper_config_read(config_dir, list, &ignored) == 0) {
        int rc = 0;
        for (size_t i = 0; rc == 0 && i < list->n; i++)
            rc = shipper_commands_ask(&list->shipper[i], ASK_MS);
        answer = rc == 0 ? DELIVERY_RUNS : rc == -EINVAL ? DELIVERY_DEAD : DELIVERY_UNKNOWN;
        shipper_config_release(list);
    }
    free(list);
    return answer;
}

static const char *uuid_of(const struct snapshot *s, const char *node)
{
    for (size_t i = 0; i < s->n; i++) {
        if (strcasecmp(s->records[i].node, node) == 0)
            return s->records[i].cluster_uuid;
    }
    return "";
}

/* This server belongs to them only when it has the wanted revision in force. */
static void set_servers(const struct snapshot *s, const struct delivery_proof *p, bool own_current,
                        const enum delivery_arrival *arrivals, struct delivery_server *servers,
                        struct delivery_facts *f)
{
    for (size_t i = own_current ? 0 : 1; i < p->n; i++)
        servers[f->n++] = (struct delivery_server){
            .node = p->nodes[i], .uuid = uuid_of(s, p->nodes[i]), .arrival = arrivals[i]};
    f->servers = servers;
    f->own = s->node;
    f->all = f->n == s->order.n;
}

static void set_spans(const char *state_dir, struct delivery_facts *f)
{
    struct error ignored = {0};
    struct held_since spans = {0};
    bool keep = state_dir && trust_own_directory(state_dir);
    held_since_read(keep ? state_dir : NULL, "delivery", &spans);
    f->broken_ms = held_since_note(&spans, "broken", delivery_broken(f));
    f->lost_ms = held_since_note(&spans, "lost", delivery_lost(f));
    if (keep && held_since_write(&spans, state_dir, "delivery", &ignored) < 0)
        f->broken_ms = f->lost_ms = 0; /* as with differences: a full disk is no proof */
}

/* ---- the whole ----------------------------------------------------------- */

/* Does the log shipper of this server seem to be silent? */
static bool is_silent(const struct delivery_proof *p, const struct local_state *local,
                      const enum delivery_arrival *arrivals)
{
    return p->gathered.sight == DELIVERY_SEEN &&
           (local->unproven || arrivals[0] == DELIVERY_SILENT);
}

static void judge_proof(const struct place *place, const struct snapshot *s,
                        const struct local_state *local, const struct delivery_proof *proof,
                        enum delivery_arrival *arrivals, struct delivery_server *servers,
                        struct verdict *v)
{
    struct delivery_facts facts = {.n = 0};
    bool ours = in_force(s, local);
    bool silent = false;
    set_addresses(proof, &facts);
    if (facts.sight == DELIVERY_SEEN)
        delivery_gather_arrivals(&proof->gathered, place->state_dir, proof->nodes, proof->n,
                                 arrivals);
    facts.unproven = ours && local->unproven;
    set_servers(s, proof, ours && !local->unproven, arrivals, servers, &facts);
    silent = ours && is_silent(proof, local, arrivals);
    if (silent)
        facts.shipper = ask_shipper(place->config_dir);
    if (ours)
        update_memory(place->state_dir, proof, silent);
    set_spans(place->state_dir, &facts);
    delivery_judge(&facts, v);
    if (local->state == LOCAL_STATE_WAITING && !s->settings.log_parallel && !goes(proof))
        verdict_note(v, "no server is touched before Elasticsearch answers well "
                        "(LOG_ROLLOUT=parallel does not ask)");
}

void delivery_proof_judge(const struct place *place, const struct snapshot *s,
                          const struct local_state *local, const struct delivery_proof *proof,
                          struct verdict *v)
{
    struct delivery_server *servers = calloc(proof->n + 1, sizeof *servers);
    enum delivery_arrival *arrivals = calloc(proof->n + 1, sizeof *arrivals);
    if (proof->looked && servers && arrivals)
        judge_proof(place, s, local, proof, arrivals, servers, v);
    free(servers);
    free(arrivals);
}
