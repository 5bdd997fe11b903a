/* SPDX-License-Identifier: MIT */
#include "delivery/delivery_gather.h"

#include "base/boottime.h"
#include "base/json.h"
#include "base/limits.h"
#include "elasticsearch/elasticsearch.h"
#include "settings/credential.h"
#include "shipper/shipper_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- this server's shippers ----------------------------------------------- */

/* Names of the shippers that carry probes. */
struct carriers {
    char name[SHIPPER_CONFIG_MAX][FILE_SET_PATH];
    char log[SHIPPER_CONFIG_MAX][FILE_SET_PATH];
    size_t n;
    bool indexer; /* one of them ships through index-records */
};

static int read_carriers(const char *config_dir, struct carriers *ret, struct error *err)
{
    struct shipper_config_list *list = calloc(1, sizeof *list);
    ret->n = 0;
    ret->indexer = false;
    if (!list)
        return error_set(err, -ENOMEM, "out of memory");
    int rc = shipper_config_read(config_dir, list, err);
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        const struct shipper_config *t = &list->shipper[i];
        if (!t->probe[0])
            continue;
        ret->indexer |= t->account[0] != '\0';
        (void)shipper_config_name(t, ret->name[ret->n]);
        (void)snprintf(ret->log[ret->n++], FILE_SET_PATH, "%s", t->probe);
    }
    shipper_config_release(list);
    free(list);
    return rc;
}

int delivery_write_probes(const char *config_dir, const char *node, struct error *err)
{
    struct carriers carriers;
    struct error ignored = {0};
    int rc = 0;
    if (read_carriers(config_dir, &carriers, &ignored) < 0)
        return 0;
    for (size_t i = 0; rc == 0 && i < carriers.n; i++) {
        const struct probe_stream stream = {node, carriers.name[i]};
        rc = probe_write(carriers.log[i], &stream, boottime_wall_ms(), err);
    }
    return rc;
}

/* ---- asking -------------------------------------------------------------- */

/* One look at Elasticsearch while it lasts. */
struct look {
    const struct delivery_question *question;
    struct delivery_gathered *gathered;
    struct carriers carriers;
    struct credential credential;
    const struct credential *with;      /* NULL: without */
    char missing[sizeof(struct error)]; /* why without, though one is set; "" */
};

static void set_sight(struct delivery_gathered *e, enum delivery_sight sight, const char *text)
{
    e->sight = sight;
    (void)snprintf(e->sight_text, sizeof e->sight_text, "%s", text);
}

static void find_credential(struct look *l)
{
    struct error why = {0};
    const char *name = l->question->settings->log_credential;
    if (!name[0])
        return;
    if (credential_read(l->question->config_dir, name, CREDENTIAL_ASK, &l->credential, &why) == 0)
        l->with = &l->credential;
    else
        (void)snprintf(l->missing, sizeof l->missing,
                       "arrival is not proven, Elasticsearch must know who asks: %.400s", why.text);
}

static int greet(struct look *l, struct error *err)
{
    const char *urls[SETTINGS_URLS];
    const struct settings *s = l->question->settings;
    for (size_t i = 0; i < s->log_urls; i++)
        urls[i] = s->log_url[i];
    l->gathered->urls = s->log_urls;
    return elasticsearch_greet(l->with, urls, s->log_urls, limits()->elasticsearch_ms,
                               l->gathered->url, err);
}

/* The first URL that answers well, NULL when none does. */
static const char *choose_url(const struct look *l)
{
    for (size_t i = 0; i < l->gathered->urls; i++) {
        if (l->gathered->url[i].trouble == ELASTICSEARCH_OK)
            return l->question->settings->log_url[i];
    }
    return NULL;
}

/* No URL answers well: is that because the credential to ask with is missing? */
static void judge_greetings(struct look *l)
{
    struct delivery_gathered *e = l->gathered;
    set_sight(e, DELIVERY_BLIND, "");
    for (size_t i = 0; l->missing[0] && i < e->urls; i++) {
        if (elasticsearch_demands(e->url[i].trouble))
            set_sight(e, DELIVERY_NO_CREDENTIAL, l->missing);
    }
}

/* Every node with every carrier. The caller free()s it. */
static struct probe_stream *make_streams(const struct look *l)
{
    size_t at = 0;
    const struct delivery_question *q = l->question;
    struct probe_stream *streams = calloc(q->n * l->carriers.n + 1, sizeof *streams);
    for (size_t i = 0; streams && i < q->n; i++) {
        for (size_t c = 0; c < l->carriers.n; c++)
            streams[at++] = (struct probe_stream){q->nodes[i], l->carriers.name[c]};
    }
    return streams;
}

static int64_t older(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of each node the carrier whose records are oldest. */
static int take_found(struct look *l, const cJSON *answer, struct error *err)
{
    size_t each = l->carriers.n;
    size_t n = l->question->n;
    struct probe_found *all = calloc(n * each + 1, sizeof *all);
    l->gathered->found = calloc(n + 1, sizeof *l->gathered->found);
    if (!all || !l->gathered->found) {
        free(all);
        return error_set(err, -ENOMEM, "out of memory");
    }
    int rc = probe_parse(answer, n * each, all, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct probe_found *to = &l->gathered->found[i];
        *to = all[i * each];
        for (size_t c = 1; c < each; c++) {
            to->newest_ms = older(to->newest_ms, all[i * each + c].newest_ms);
            to->revision_ms = older(to->revision_ms, all[i * each + c].revision_ms);
        }
    }
    free(all);
    return rc;
}

static int take_nothing(struct look *l, struct error *err)
{
    l->gathered->found = calloc(l->question->n + 1, sizeof *l->gathered->found);
    if (!l->gathered->found)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < l->question->n; i++)
        l->gathered->found[i] = (struct probe_found){-1, -1};
    return 0;
}

/* What became of the search. */
static int judge_search(struct look *l, enum elasticsearch_trouble trouble, const cJSON *answer,
                        const struct error *why, struct error *err)
{
    struct error wrong = {0};
    int rc = 0;
    set_sight(l->gathered, DELIVERY_SEEN, "");
    if (trouble == ELASTICSEARCH_OK)
        rc = take_found(l, answer, &wrong);
    else if (trouble == ELASTICSEARCH_NO_INDEX)
        rc = take_nothing(l, &wrong);
    else if (elasticsearch_demands(trouble) && l->missing[0])
        set_sight(l->gathered, DELIVERY_NO_CREDENTIAL, l->missing);
    else
        set_sight(l->gathered, DELIVERY_BLIND, why->text);
    if (rc == -ENOMEM)
        return error_set(err, rc, "%s", wrong.text);
    if (rc < 0)
        set_sight(l->gathered, DELIVERY_BLIND, wrong.text);
    return 0;
}

/* index-records gives each record an id of its own and writes by it. */
static bool is_stream(struct look *l, const struct elasticsearch_place *to)
{
    char text[sizeof l->gathered->sight_text];
    if (!l->carriers.indexer || !elasticsearch_is_stream(to))
        return false;
    (void)snprintf(text, sizeof text,
                   "%s: %s is a data stream, which takes no record by its id: let LOG_INDEX name "
                   "an index or an alias",
                   to->url, to->index);
    set_sight(l->gathered, DELIVERY_BLIND, text);
    return true;
}

static int search(struct look *l, const struct elasticsearch_place *to, struct error *err)
{
    const struct delivery_question *q = l->question;
    struct error why = {0};
    cJSON *answer = NULL;
    struct probe_stream *streams = make_streams(l);
    char *body = streams ? probe_query(streams, q->n * l->carriers.n, q->revision,
                                       l->gathered->asked_ms)
                         : NULL;
    free(streams);
    if (!body)
        return error_set(err, -ENOMEM, "out of memory");
    enum elasticsearch_trouble trouble = elasticsearch_search(to, body, &answer, &why);
    int rc = judge_search(l, trouble, answer, &why, err);
    cJSON_Delete(answer);
    cJSON_free(body);
    return rc;
}

/* At a URL that answers well. */
static int ask(struct look *l, const char *url, struct error *err)
{
    const struct elasticsearch_place to = {.url = url,
                                           .index = l->question->settings->log_index,
                                           .credential = l->with,
                                           .limit_ms = limits()->elasticsearch_ms};
    return is_stream(l, &to) ? 0 : search(l, &to, err);
}

static int look_around(struct look *l, struct error *err)
{
    struct error why = {0};
    int carried = read_carriers(l->question->config_dir, &l->carriers, &why);
    if (carried == 0 && l->carriers.n == 0)
        (void)error_set(&why, -ENOENT,
                        "arrival is not proven: no log shipper in %s/logging.d names a "
                        "\"probe\" log which its shipper carries",
                        l->question->config_dir);
    find_credential(l);
    int rc = greet(l, err);
    const char *url = choose_url(l);
    l->gathered->asked_ms = boottime_wall_ms();
    if (rc < 0)
        return rc;
    if (url && l->carriers.n > 0)
        return ask(l, url, err);
    judge_greetings(l);
    if (l->carriers.n == 0 && l->gathered->sight != DELIVERY_NO_CREDENTIAL)
        set_sight(l->gathered, DELIVERY_NO_PROBE, why.text);
    return 0;
}

int delivery_gather(const struct delivery_question *question, struct delivery_gathered *ret,
                    struct error *err)
{
    struct look *l = calloc(1, sizeof *l);
    *ret = (struct delivery_gathered){0};
    if (!l)
        return error_set(err, -ENOMEM, "out of memory");
    l->question = question;
    l->gathered = ret;
    int rc = look_around(l, err);
    credential_release(&l->credential);
    free(l);
    if (rc < 0)
        delivery_gather_release(ret);
    return rc;
}

void delivery_gather_release(struct delivery_gathered *gathered)
{
    free(gathered->found);
    *gathered = (struct delivery_gathered){0};
}

/* ---- memory -------------------------------------------------------------- */

/* Since when (boot time) there has been nothing newer; unknown is now. */
static int64_t since(const cJSON *nodes, const char *node, int64_t newest_ms)
{
    struct error ignored = {0};
    int64_t before_ms = 0;
    int64_t since_ms = 0;
    int64_t now = boottime_ms();
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(nodes, node);
    if (json_integer(entry, "newest", &before_ms, &ignored) < 0 ||
        json_integer(entry, "since", &since_ms, &ignored) < 0 || newest_ms > before_ms ||
        since_ms > now)
        return now;
    return since_ms;
}

static void note(cJSON *nodes, const char *node, int64_t newest_ms, int64_t since_ms)
{
    cJSON *entry = cJSON_AddObjectToObject(nodes, node);
    (void)cJSON_AddNumberToObject(entry, "newest", (double)newest_ms);
    (void)cJSON_AddNumberToObject(entry, "since", (double)since_ms);
}

cJSON *delivery_gather_arrivals(const struct delivery_gathered *gathered, const cJSON *before,
                                const char *const *nodes, size_t n, enum delivery_arrival *ret)
{
    cJSON *after = cJSON_CreateObject();
    for (size_t i = 0; i < n; i++) {
        int64_t newest_ms = gathered->found[i].newest_ms;
        int64_t since_ms = since(before, nodes[i], newest_ms);
        note(after, nodes[i], newest_ms, since_ms);
        ret[i] = delivery_arrival(newest_ms >= 0, gathered->asked_ms - newest_ms,
                                  boottime_ms() - since_ms);
    }
    return after;
}
