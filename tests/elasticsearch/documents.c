/* SPDX-License-Identifier: MIT */
#include "documents.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096
#define WINDOW  10000 /* index.max_result_window, and what hits.total counts up to */

struct document {
    struct document *next; /* in its bucket */
    char *index;
    char *id;
    cJSON *source;
    int version;
};

struct documents {
    struct document **all; /* in order of arrival */
    size_t n;
    size_t cap;
    size_t generated; /* ids we made up */
    struct document *buckets[BUCKETS];
};

/* One line pair of a bulk request. */
struct action {
    const char *verb; /* "index" or "create" */
    const char *index;
    const char *id;
    cJSON *line;      /* what they point into */
    char made_up[32]; /* or this, for the id */
};

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

struct documents *documents_new(void)
{
    return need(calloc(1, sizeof(struct documents)));
}

void documents_free(struct documents *docs)
{
    if (!docs)
        return;
    for (size_t i = 0; i < docs->n; i++) {
        free(docs->all[i]->index);
        free(docs->all[i]->id);
        cJSON_Delete(docs->all[i]->source);
        free(docs->all[i]);
    }
    free(docs->all);
    free(docs);
}

size_t documents_number(const struct documents *docs)
{
    return docs->n;
}

cJSON *documents_error(int status, const char *type, const char *reason)
{
    cJSON *root = need(cJSON_CreateObject());
    cJSON *error = need(cJSON_AddObjectToObject(root, "error"));
    cJSON_AddStringToObject(error, "type", type);
    cJSON_AddStringToObject(error, "reason", reason);
    cJSON_AddNumberToObject(root, "status", status);
    return root;
}

static struct document **bucket_of(struct documents *docs, const char *index, const char *id)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (const char *p = index; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    for (const char *p = id; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619U;
    return &docs->buckets[hash % BUCKETS];
}

static struct document *find(struct documents *docs, const char *index, const char *id)
{
    struct document *doc = *bucket_of(docs, index, id);
    while (doc && (strcmp(doc->index, index) != 0 || strcmp(doc->id, id) != 0))
        doc = doc->next;
    return doc;
}

static struct document *add(struct documents *docs, const char *index, const char *id)
{
    if (docs->n == docs->cap) {
        docs->cap = docs->cap ? docs->cap * 2 : 1024;
        docs->all = need(realloc(docs->all, docs->cap * sizeof(struct document *)));
    }
    struct document *doc = need(calloc(1, sizeof *doc));
    struct document **bucket = bucket_of(docs, index, id);
    doc->index = need(strdup(index));
    doc->id = need(strdup(id));
    doc->next = *bucket;
    *bucket = doc;
    docs->all[docs->n++] = doc;
    return doc;
}

/* ---- bulk ---------------------------------------------------------------- */

/* The next line of *text, ended by NUL instead of '\n'; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = line ? strchr(line, '\n') : NULL;
    if (!end)
        return NULL;
    *end = '\0';
    *text = end + 1;
    return line;
}

/* Read an action line; false with a reason when it is none of those known here. */
static bool read_action(const char *line, const char *index, size_t number, struct action *ret,
                        char *reason, size_t size)
{
    *ret = (struct action){.line = cJSON_Parse(line), .index = index};
    const cJSON *verb = ret->line ? ret->line->child : NULL;
    (void)snprintf(reason, size, "Malformed action/metadata line [%zu]", number);
    if (!verb || !cJSON_IsObject(verb) || verb->next)
        return false;
    if (strcmp(verb->string, "index") != 0 && strcmp(verb->string, "create") != 0)
        return false;
    ret->verb = verb->string;
    for (const cJSON *p = verb->child; p; p = p->next) {
        if (strcmp(p->string, "_index") == 0)
            ret->index = p->valuestring;
        else if (strcmp(p->string, "_id") == 0)
            ret->id = p->valuestring;
        else {
            (void)snprintf(reason, size,
                           "Action/metadata line [%zu] contains an unknown parameter [%s]", number,
                           p->string);
            return false;
        }
    }
    (void)snprintf(reason, size, "index is missing");
    return ret->index != NULL;
}

static cJSON *item_new(const struct action *action, int status)
{
    cJSON *item = need(cJSON_CreateObject());
    cJSON *inner = need(cJSON_AddObjectToObject(item, action->verb));
    cJSON_AddStringToObject(inner, "_index", action->index);
    cJSON_AddStringToObject(inner, "_id", action->id ? action->id : "");
    cJSON_AddNumberToObject(inner, "status", status);
    return item;
}

static cJSON *item_refused(const struct action *action, int status, const char *type,
                           const char *reason)
{
    cJSON *item = item_new(action, status);
    cJSON *error = need(cJSON_AddObjectToObject(item->child, "error"));
    cJSON_AddStringToObject(error, "type", type);
    cJSON_AddStringToObject(error, "reason", reason);
    return item;
}

static bool index_name_is_valid(const char *index)
{
    return *index && !strchr("_-+.", *index) && strlen(index) <= 255 &&
           !strpbrk(index, "ABCDEFGHIJKLMNOPQRSTUVWXYZ\\/*?\"<>| ,#:");
}

static cJSON *store(struct documents *docs, const struct action *action, cJSON *source)
{
    struct document *doc = find(docs, action->index, action->id);
    bool new = !doc;
    if (new)
        doc = add(docs, action->index, action->id);
    cJSON_Delete(doc->source);
    doc->source = source;
    doc->version++;
    cJSON *item = item_new(action, new ? 201 : 200);
    cJSON_AddNumberToObject(item->child, "_version", doc->version);
    cJSON_AddStringToObject(item->child, "result", new ? "created" : "updated");
    return item;
}

static cJSON *apply(struct documents *docs, struct action *action, const char *line,
                    int refuse_with)
{
    if (refuse_with)
        return item_refused(action, refuse_with, "es_rejected_execution_exception",
                            "rejected execution (stand-in was told so)");
    if (!index_name_is_valid(action->index))
        return item_refused(action, 400, "invalid_index_name_exception", "Invalid index name");
    if (!action->id) {
        (void)snprintf(action->made_up, sizeof action->made_up, "generated-%zu", ++docs->generated);
        action->id = action->made_up;
    }
    cJSON *item;
    cJSON *source = cJSON_Parse(line);
    if (!cJSON_IsObject(source))
        item = item_refused(action, 400, "mapper_parsing_exception", "failed to parse");
    else if (strcmp(action->verb, "create") == 0 && find(docs, action->index, action->id))
        item = item_refused(action, 409, "version_conflict_engine_exception",
                            "version conflict, document already exists");
    else
        return store(docs, action, source);
    cJSON_Delete(source);
    return item;
}

static int refuse(cJSON **answer, const char *type, const char *reason)
{
    cJSON_Delete(*answer);
    *answer = documents_error(400, type, reason);
    return 400;
}

int documents_bulk(struct documents *docs, const char *index, char *body, size_t len,
                   int item_status, size_t nth, cJSON **ret_answer)
{
    *ret_answer = NULL;
    if (len == 0)
        return refuse(ret_answer, "parse_exception", "request body is required");
    if (body[len - 1] != '\n')
        return refuse(ret_answer, "illegal_argument_exception",
                      "The bulk request must be terminated by a newline [\\n]");
    *ret_answer = need(cJSON_CreateObject());
    cJSON *items = need(cJSON_AddArrayToObject(*ret_answer, "items"));
    bool errors = false;
    size_t number = 0;
    for (char *line = next_line(&body); line; line = next_line(&body)) {
        struct action action;
        char reason[200];
        number++;
        bool known = read_action(line, index, number, &action, reason, sizeof reason);
        char *source = known ? next_line(&body) : NULL;
        if (known && !source)
            (void)snprintf(reason, sizeof reason, "the last document is missing");
        if (source) {
            bool spoil = (size_t)(cJSON_GetArraySize(items) + 1) % nth == 0;
            cJSON *item = apply(docs, &action, source, spoil ? item_status : 0);
            errors |= cJSON_HasObjectItem(item->child, "error");
            cJSON_AddItemToArray(items, item);
            number++;
        }
        cJSON_Delete(action.line);
        if (!source)
            return refuse(ret_answer, "illegal_argument_exception", reason);
    }
    cJSON_AddNumberToObject(*ret_answer, "took", 1);
    cJSON_AddBoolToObject(*ret_answer, "errors", errors);
    return 200;
}

/* ---- search -------------------------------------------------------------- */

struct query {
    char *text; /* owns the other two; NULL: everything */
    char *field;
    char *value;
    bool keyword;
};

static bool read_query(const char *text, struct query *ret)
{
    *ret = (struct query){.text = NULL};
    if (!text || strcmp(text, "*") == 0)
        return true;
    char *colon = strchr(text, ':');
    if (!colon || colon == text || strpbrk(colon + 1, " \\*?()[]{}~^"))
        return false;
    ret->text = need(strdup(text));
    ret->field = ret->text;
    ret->value = ret->text + (colon - text);
    *ret->value++ = '\0';
    size_t len = strlen(ret->value);
    if (len >= 2 && ret->value[0] == '"' && ret->value[len - 1] == '"') {
        ret->value[len - 1] = '\0';
        ret->value++;
    }
    char *suffix = strstr(ret->field, ".keyword");
    ret->keyword = suffix && suffix[strlen(".keyword")] == '\0';
    if (ret->keyword)
        *suffix = '\0';
    return *ret->value && !strpbrk(ret->value, "\":/");
}

/* The field by its whole name, else along its dots. */
static const cJSON *field_of(const cJSON *source, const char *name)
{
    const cJSON *field = cJSON_GetObjectItemCaseSensitive(source, name);
    const char *dot = strchr(name, '.');
    while (!field && dot) {
        char first[100];
        (void)snprintf(first, sizeof first, "%.*s", (int)(dot - name), name);
        source = cJSON_GetObjectItemCaseSensitive(source, first);
        name = dot + 1;
        field = cJSON_GetObjectItemCaseSensitive(source, name);
        dot = strchr(name, '.');
    }
    return field;
}

/* 1 it matches, 0 it does not, -1 this stand-in cannot say: an analysed text field. */
static int matches(const struct document *doc, const struct query *query)
{
    if (!query->text)
        return 1;
    if (strcmp(query->field, "_id") == 0)
        return strcmp(query->value, doc->id) == 0;
    const cJSON *field = field_of(doc->source, query->field);
    if (cJSON_IsString(field))
        return query->keyword ? strcmp(field->valuestring, query->value) == 0 : -1;
    if (!field || query->keyword)
        return 0;
    char *text = need(cJSON_PrintUnformatted(field));
    int equal = strcmp(text, query->value) == 0;
    free(text);
    return equal;
}

static cJSON *hit_new(const struct document *doc)
{
    cJSON *hit = need(cJSON_CreateObject());
    cJSON_AddStringToObject(hit, "_index", doc->index);
    cJSON_AddStringToObject(hit, "_id", doc->id);
    cJSON_AddItemToObject(hit, "_source", need(cJSON_Duplicate(doc->source, true)));
    return hit;
}

/* Collect up to `size` hits; *ret_total counts all. Returns as matches(). */
static int collect(const struct documents *docs, const char *index, const struct query *query,
                   int size, cJSON *hits, int *ret_total, bool *ret_exists)
{
    for (size_t i = 0; i < docs->n; i++) {
        if (strcmp(docs->all[i]->index, index) != 0)
            continue;
        *ret_exists = true;
        int match = matches(docs->all[i], query);
        if (match < 0)
            return match;
        if (match && (*ret_total)++ < size)
            cJSON_AddItemToArray(hits, hit_new(docs->all[i]));
    }
    return 1;
}

static cJSON *found_new(cJSON *hits, int total)
{
    cJSON *answer = need(cJSON_CreateObject());
    cJSON_AddBoolToObject(answer, "timed_out", false);
    cJSON *outer = need(cJSON_AddObjectToObject(answer, "hits"));
    cJSON *number = need(cJSON_AddObjectToObject(outer, "total"));
    cJSON_AddNumberToObject(number, "value", total < WINDOW ? total : WINDOW);
    cJSON_AddStringToObject(number, "relation", total <= WINDOW ? "eq" : "gte");
    cJSON_AddItemToObject(outer, "hits", hits);
    return answer;
}

int documents_search(const struct documents *docs, const char *index, const char *query, int size,
                     cJSON **ret_answer)
{
    *ret_answer = NULL;
    struct query parsed;
    int total = 0;
    bool exists = false;
    int status = 200;
    cJSON *hits = need(cJSON_CreateArray());
    if (!read_query(query, &parsed) ||
        collect(docs, index, &parsed, size, hits, &total, &exists) < 0) {
        status = refuse(ret_answer, "query_shard_exception",
                        "not known to the stand-in: use FIELD.keyword:VALUE");
    } else if (size > WINDOW) {
        status = refuse(ret_answer, "search_phase_execution_exception",
                        "Result window is too large");
    } else if (!exists) {
        status = 404;
        *ret_answer = documents_error(404, "index_not_found_exception", "no such index");
    } else if (size < 0) {
        *ret_answer = need(cJSON_CreateObject());
        cJSON_AddNumberToObject(*ret_answer, "count", total);
    } else {
        *ret_answer = found_new(hits, total);
        hits = NULL;
    }
    cJSON_Delete(hits);
    free(parsed.text);
    return status;
}

/* ---- search with a body -------------------------------------------------- */

/* One word as every analyzer leaves it. */
static bool is_word(const char *text)
{
    return text && *text && strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz") == strlen(text);
}

/* The documents which a set of aggregations is about. */
struct selection {
    const struct document **docs;
    size_t n;
};

static bool aggregate(const struct selection *from, const cJSON *aggs, cJSON *to);

static bool has_word(const struct document *doc, const cJSON *match)
{
    const cJSON *field = field_of(doc->source, match->string);
    return cJSON_IsString(field) && strcmp(field->valuestring, match->valuestring) == 0;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as our own question */
static bool add_filtered(const struct selection *from, const cJSON *agg, cJSON *to)
{
    const cJSON *filter = cJSON_GetObjectItemCaseSensitive(agg, "filter");
    const cJSON *match = cJSON_GetObjectItemCaseSensitive(filter, "match");
    const cJSON *word = match ? match->child : NULL;
    if (!word || word->next || !is_word(word->valuestring))
        return false;
    struct selection left = {need(calloc(from->n + 1, sizeof *left.docs)), 0};
    for (size_t i = 0; i < from->n; i++) {
        if (has_word(from->docs[i], word))
            left.docs[left.n++] = from->docs[i];
    }
    cJSON_AddNumberToObject(to, "doc_count", (double)left.n);
    bool known = aggregate(&left, cJSON_GetObjectItemCaseSensitive(agg, "aggs"), to);
    free(left.docs);
    return known;
}

static bool add_maximum(const struct selection *from, const cJSON *max, cJSON *to)
{
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(max, "field"));
    double most = 0;
    bool any = false;
    for (size_t i = 0; name && i < from->n; i++) {
        const cJSON *field = field_of(from->docs[i]->source, name);
        if (!cJSON_IsNumber(field))
            continue;
        most = any && most > field->valuedouble ? most : field->valuedouble;
        any = true;
    }
    if (any)
        cJSON_AddNumberToObject(to, "value", most);
    else
        cJSON_AddNullToObject(to, "value");
    return name != NULL;
}

static bool aggregate(const struct selection *from, const cJSON *aggs, cJSON *to)
{
    const cJSON *agg = NULL;
    cJSON_ArrayForEach(agg, aggs)
    {
        cJSON *result = need(cJSON_AddObjectToObject(to, agg->string));
        const cJSON *max = cJSON_GetObjectItemCaseSensitive(agg, "max");
        if (!(max ? add_maximum(from, max, result) : add_filtered(from, agg, result)))
            return false;
    }
    return true;
}
/* NOLINTEND(misc-no-recursion) */

static bool in_range(const struct document *doc, const cJSON *range)
{
    const cJSON *field = field_of(doc->source, range->string);
    const cJSON *gte = cJSON_GetObjectItemCaseSensitive(range, "gte");
    const cJSON *lte = cJSON_GetObjectItemCaseSensitive(range, "lte");
    return cJSON_IsNumber(field) && field->valuedouble >= gte->valuedouble &&
           field->valuedouble <= lte->valuedouble;
}

/* The "range" of a query known here, or NULL. */
static const cJSON *range_of(const cJSON *root)
{
    const cJSON *query = cJSON_GetObjectItemCaseSensitive(root, "query");
    const cJSON *outer = cJSON_GetObjectItemCaseSensitive(query, "range");
    const cJSON *range = outer ? outer->child : NULL;
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(root, "size");
    bool known = cJSON_IsNumber(size) && size->valueint == 0 && range && !range->next &&
                 cJSON_IsNumber(cJSON_GetObjectItem(range, "gte")) &&
                 cJSON_IsNumber(cJSON_GetObjectItem(range, "lte"));
    return known ? range : NULL;
}

int documents_aggregate(const struct documents *docs, const char *index, const char *body,
                        cJSON **ret_answer)
{
    bool exists = false;
    cJSON *root = cJSON_Parse(body);
    const cJSON *range = range_of(root);
    struct selection all = {need(calloc(docs->n + 1, sizeof *all.docs)), 0};
    for (size_t i = 0; range && i < docs->n; i++) {
        if (strcmp(docs->all[i]->index, index) != 0)
            continue;
        exists = true;
        if (in_range(docs->all[i], range))
            all.docs[all.n++] = docs->all[i];
    }
    *ret_answer = found_new(need(cJSON_CreateArray()), (int)all.n);
    cJSON *to = need(cJSON_AddObjectToObject(*ret_answer, "aggregations"));
    int status = 200;
    if (!range || !aggregate(&all, cJSON_GetObjectItem(root, "aggs"), to)) {
        status = refuse(ret_answer, "parsing_exception", "not known to the stand-in");
    } else if (!exists) {
        cJSON_Delete(*ret_answer);
        status = 404;
        *ret_answer = documents_error(404, "index_not_found_exception", "no such index");
    }
    free(all.docs);
    cJSON_Delete(root);
    return status;
}
