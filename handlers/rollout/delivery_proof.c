#include "rollout/delivery_proof.h"

#include "base/duration.h"
#include "base/file.h"
#include "base/held_since.h"
#include "base/json.h"
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
#define MEMORY_LIMIT  4096
#define ASK_MS        1000 /* whether the log shipper runs; it may be at work on itself */

/* ---- looking ------------------------------------------------------------- */

static bool in_force(const struct survey *s, const struct ledger *ledger)
{
    return s->wanted[0] && strcmp(ledger->revision, s->wanted) == 0;
}

static bool is_own(const struct survey *s, const char *node)
{
    return strcasecmp(s->node, node) == 0;
}

static bool is_current(const struct survey *s, const struct turn_server *server)
{
    const struct logging_record *r = server->record;
    return r && server->alive && r->state == LOGGING_DONE &&
           strcmp(r->revision, s->wanted) == 0;
}

static int add_node(struct proof *p, const char *node)
{
    p->nodes[p->n] = strdup(node);
    return p->nodes[p->n++] ? 0 : -ENOMEM;
}

static int choose_nodes(const struct survey *s, struct proof *p)
{
    p->nodes = calloc(s->lineup.n + 1, sizeof *p->nodes);
    int rc = p->nodes ? add_node(p, s->node) : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < s->lineup.n; i++) {
        if (is_current(s, &s->order[i]) && !is_own(s, s->order[i].node))
            rc = add_node(p, s->order[i].node);
    }
    return rc;
}

int proof_gather(const struct survey_place *place, const struct survey *s,
                 struct proof *ret, struct error *err)
{
    *ret = (struct proof){0};
    if (!s->wanted[0] || !s->settings.log_enabled)
        return 0;
    int rc = choose_nodes(s, ret);
    if (rc < 0)
        (void)error_set(err, rc, "out of memory");
    const struct evidence_question question = {.config_dir = place->config_dir,
                                               .settings = &s->settings,
                                               .revision = s->wanted,
                                               .nodes = ret->nodes,
                                               .n = ret->n};
    if (rc == 0)
        rc = evidence_gather(&question, &ret->evidence, err);
    ret->looked = rc == 0;
    if (rc < 0)
        proof_release(ret);
    return rc;
}

void proof_release(struct proof *proof)
{
    evidence_release(&proof->evidence);
    for (size_t i = 0; i < proof->n; i++)
        free((void *)(uintptr_t)proof->nodes[i]);
    free((void *)proof->nodes);
    *proof = (struct proof){0};
}

/* ---- memory -------------------------------------------------------------- */

/* What the next run of rollout-logging should know. */
struct memory {
    char uuid[ELASTIC_UUID]; /* seen last */
    int64_t
        mute_ms; /* since when (span clock) nothing of this server arrives, -1 it does */
};

static void recall(const char *state_dir, struct memory *ret)
{
    char path[4096];
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(MEMORY_LIMIT);
    cJSON *root = NULL;
    *ret = (struct memory){.mute_ms = -1};
    if (file_path(path, sizeof path, state_dir, "proof.json", &ignored) == 0 &&
        file_read(path, &text, &ignored) == 0 &&
        json_parse(buffer_text(&text), text.len, path, &root, &ignored) == 0 &&
        strcmp(json_text(root, "boot", ""), duration_boot_id()) == 0) {
        (void)snprintf(ret->uuid, sizeof ret->uuid, "%s", json_text(root, "uuid", ""));
        if (json_integer(root, "mute_ms", &ret->mute_ms, &ignored) < 0)
            ret->mute_ms = -1;
    }
    cJSON_Delete(root);
    buffer_release(&text);
}

static void remember(const char *state_dir, const struct memory *memory)
{
    char path[4096];
    struct error ignored = {0};
    cJSON *root = cJSON_CreateObject();
    char *text = NULL;
    if (cJSON_AddStringToObject(root, "boot", duration_boot_id()) &&
        cJSON_AddStringToObject(root, "uuid", memory->uuid) &&
        cJSON_AddNumberToObject(root, "mute_ms", (double)memory->mute_ms))
        text = cJSON_PrintUnformatted(root);
    if (text && file_path(path, sizeof path, state_dir, "proof.json", &ignored) == 0)
        (void)!file_replace(path, text, strlen(text), 0600, false, &ignored);
    cJSON_free(text);
    cJSON_Delete(root);
}

static void forget_memory(const char *state_dir)
{
    char path[4096];
    struct error ignored = {0};
    if (file_path(path, sizeof path, state_dir, "proof.json", &ignored) == 0)
        (void)unlink(path);
}

static void update_memory(const char *state_dir, const struct proof *p, bool mute)
{
    struct memory memory;
    const char *uuid = delivery_uuid(p->evidence.url, p->evidence.urls);
    if (!state_dir || !file_own_directory(state_dir))
        return;
    recall(state_dir, &memory);
    if (!mute)
        memory.mute_ms = -1;
    else if (memory.mute_ms < 0)
        memory.mute_ms = duration_now_ms();
    if (*uuid)
        (void)snprintf(memory.uuid, sizeof memory.uuid, "%s", uuid);
    remember(state_dir, &memory);
}

bool proof_mute(const char *state_dir, const struct ledger *ledger)
{
    struct memory memory;
    recall(state_dir, &memory);
    return memory.mute_ms >= 0 &&
           ledger_age_ms(ledger) > duration_now_ms() - memory.mute_ms;
}

int proof_due(struct consul *consul, const struct survey_place *place, bool *ret_due,
              struct error *err)
{
    struct ledger ledger;
    struct memory memory;
    int rc = survey_due(consul, place, ret_due, err);
    if (rc < 0 || *ret_due)
        return rc;
    ledger_read(place->state_dir, &ledger);
    recall(place->state_dir, &memory);
    *ret_due = proof_mute(place->state_dir, &ledger) ||
               (memory.uuid[0] && strcmp(memory.uuid, ledger.cluster_uuid) != 0);
    return rc;
}

/* ---- for rollout-logging ------------------------------------------------- */

static void set_addresses(const struct proof *p, struct delivery_facts *f)
{
    f->urls = p->evidence.url;
    f->n_urls = p->evidence.urls;
    f->sight = p->evidence.sight;
    f->sight_text = p->evidence.sight_text;
}

static bool goes(const struct proof *proof)
{
    char ignored[DELIVERY_WHY];
    struct delivery_facts facts = {.own = ""};
    set_addresses(proof, &facts);
    return !proof->looked || delivery_preflight(&facts, ignored);
}

int proof_preflight(const struct survey_place *place, const struct survey *s,
                    const struct ledger *ledger, struct proof *proof, bool *ret_go,
                    struct error *err)
{
    *ret_go = true;
    if (s->settings.log_parallel || ledger->state == LEDGER_APPLYING)
        return 0;
    proof_release(proof);
    int rc = proof_gather(place, s, proof, err);
    *ret_go = rc == 0 && goes(proof);
    return rc;
}

static bool is_possible(const struct proof *p)
{
    return p->looked && p->evidence.sight != DELIVERY_NO_PROBE &&
           p->evidence.sight != DELIVERY_NO_CREDENTIAL;
}

static bool is_found(const struct proof *p, int64_t since_ms)
{
    return p->looked && p->evidence.sight == DELIVERY_SEEN &&
           p->evidence.found[0].revision_ms >= since_ms;
}

bool proof_pending(const struct survey *s, const struct ledger *ledger)
{
    return ledger->unproven && ledger->state == LEDGER_DONE && in_force(s, ledger);
}

int proof_seek(const struct survey_place *place, const struct survey *s,
               int64_t limit_ms, struct ledger *ledger, struct proof *proof,
               struct error *err)
{
    struct error ignored = {0};
    const struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
    int64_t end = duration_now_ms() + limit_ms;
    int rc = 0;
    if (!proof_pending(s, ledger))
        return 0;
    bool again = evidence_write(place->config_dir, s->node, &ignored) == 0;
    do {
        proof_release(proof);
        rc = proof_gather(place, s, proof, err);
        if (rc == 0)
            ledger->unproven =
                is_possible(proof) && !is_found(proof, ledger->applied_ms);
        again = again && rc == 0 && ledger->unproven && duration_now_ms() < end;
    } while (again && nanosleep(&pause, NULL) == 0);
    return rc;
}

int proof_note(const struct survey_place *place, const struct survey *s,
               struct ledger *ledger, struct proof *proof, struct error *err)
{
    int rc = proof->looked ? 0 : proof_gather(place, s, proof, err);
    const char *uuid = delivery_uuid(proof->evidence.url, proof->evidence.urls);
    if (rc < 0 || !in_force(s, ledger))
        return rc;
    if (*uuid || !s->settings.log_enabled)
        (void)snprintf(ledger->cluster_uuid, sizeof ledger->cluster_uuid, "%s", uuid);
    if (!s->settings.log_enabled)
        forget_memory(place->state_dir);
    return rc;
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
        if (strcasecmp(s->records[i].node, node) == 0)
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
    f->all = f->n == s->lineup.n;
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

/* ---- the whole ----------------------------------------------------------- */

/* Does the log shipper of this server seem to be silent? */
static bool is_silent(const struct proof *p, const struct ledger *ledger,
                      const enum delivery_arrival *arrivals)
{
    return p->evidence.sight == DELIVERY_SEEN &&
           (ledger->unproven || arrivals[0] == DELIVERY_SILENT);
}

static void judge(const struct survey_place *place, const struct survey *s,
                  const struct ledger *ledger, const struct proof *proof,
                  enum delivery_arrival *arrivals, struct delivery_server *servers,
                  struct verdict *v)
{
    struct delivery_facts facts = {.n = 0};
    bool ours = in_force(s, ledger);
    bool silent = false;
    set_addresses(proof, &facts);
    if (facts.sight == DELIVERY_SEEN)
        evidence_arrivals(&proof->evidence, place->state_dir, proof->nodes, proof->n,
                          arrivals);
    facts.unproven = ours && ledger->unproven;
    set_servers(s, proof, ours && !ledger->unproven, arrivals, servers, &facts);
    silent = ours && is_silent(proof, ledger, arrivals);
    if (silent)
        facts.shipper = ask_shipper(place->config_dir);
    if (ours)
        update_memory(place->state_dir, proof, silent);
    set_spans(place->state_dir, &facts);
    delivery_judge(&facts, v);
    if (ledger->state == LEDGER_WAITING && !s->settings.log_parallel && !goes(proof))
        verdict_note(v, "no server is touched before Elasticsearch answers well "
                        "(LOG_ROLLOUT=parallel does not ask)");
}

void proof_judge(const struct survey_place *place, const struct survey *s,
                 const struct ledger *ledger, const struct proof *proof,
                 struct verdict *v)
{
    struct delivery_server *servers = calloc(proof->n + 1, sizeof *servers);
    enum delivery_arrival *arrivals = calloc(proof->n + 1, sizeof *arrivals);
    if (proof->looked && servers && arrivals)
        judge(place, s, ledger, proof, arrivals, servers, v);
    free(servers);
    free(arrivals);
}
