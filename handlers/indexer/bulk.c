/* SPDX-License-Identifier: MIT */
#include "indexer/bulk.h"

#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOO_LONG 413

static int grow(struct bulk *bulk)
{
    size_t room = bulk->room ? bulk->room * 2 : 256;
    if (bulk->n < bulk->room)
        return 0;
    struct bulk_record *more = realloc(bulk->record, room * sizeof *more);
    if (!more)
        return -ENOMEM;
    bulk->record = more;
    bulk->room = room;
    return 0;
}

static int add_text(struct bulk *bulk, const char *line, size_t id, size_t len)
{
    size_t before = bulk->text.len;
    bulk->text.limit = BULK_TEXT;
    int rc = buffer_append(&bulk->text, line, len);
    if (rc == 0)
        rc = buffer_append(&bulk->text, "", 1);
    if (rc < 0) {
        bulk->text.len = before;
        return rc;
    }
    bulk->text.data[before + id] = '\0';
    return 0;
}

int bulk_add(struct bulk *bulk, const char *line, size_t len, struct error *err)
{
    const char *tab = memchr(line, '\t', len);
    size_t at = bulk->text.len;
    if (!tab || memchr(line, '\0', len))
        return error_set(err, -EBADMSG, "a record is not ID<tab>RECORD");
    int rc = grow(bulk);
    if (rc == 0)
        rc = add_text(bulk, line, (size_t)(tab - line), len);
    if (rc < 0)
        return error_set(err, rc, "no memory for %zu records", bulk->n + 1);
    bulk->record[bulk->n++] = (struct bulk_record){.at = at, .kind = QUEUE_LINE_NEW};
    return 0;
}

size_t bulk_waiting(const struct bulk *bulk)
{
    size_t n = 0;
    for (size_t i = 0; i < bulk->n; i++)
        n += !bulk->record[i].done;
    return n;
}

/* ---- request ------------------------------------------------------------- */

static int append_text(struct buffer *body, const char *text)
{
    return buffer_append(body, text, strlen(text));
}

static int append_string(struct buffer *body, const char *text)
{
    cJSON *string = cJSON_CreateString(text);
    char *printed = cJSON_PrintUnformatted(string);
    int rc = printed ? append_text(body, printed) : -ENOMEM;
    cJSON_free(printed);
    cJSON_Delete(string);
    return rc;
}

/* No character is cut in two. */
static int append_message(struct buffer *body, const char *record)
{
    size_t len = strlen(record);
    if (len <= BULK_MESSAGE)
        return append_string(body, record);
    len = BULK_MESSAGE;
    while (len > 0 && ((unsigned char)record[len] & 0xc0) == 0x80)
        len--;
    char *cut = strndup(record, len);
    int rc = cut ? append_string(body, cut) : -ENOMEM;
    free(cut);
    return rc;
}

static int append_as_text(struct buffer *body, const char *record, const char *why, const char *now)
{
    int rc = append_text(body, "{\"message\":");
    if (rc == 0)
        rc = append_message(body, record);
    if (rc == 0)
        rc = append_text(body, ",\"level\":\"unknown\",\"isoTimestamp\":");
    if (rc == 0)
        rc = append_string(body, now);
    if (rc == 0)
        rc = append_text(body, ",\"refused\":");
    if (rc == 0)
        rc = append_string(body, why);
    return rc < 0 ? rc : append_text(body, "}");
}

static int append_action(struct buffer *body, const char *id, const char *index)
{
    int rc = append_text(body, "{\"index\":{\"_id\":");
    if (rc == 0)
        rc = append_string(body, id);
    if (rc == 0 && index)
        rc = buffer_printf(body, ",\"_index\":\"%s" BULK_REFUSED "\"", index);
    return rc < 0 ? rc : append_text(body, "}}\n");
}

/* "index" and not "create": the newest probe record of a stream takes the older one's place. */
static int append_record(const struct bulk *bulk, const struct bulk_record *r,
                         const struct bulk_order *order, struct buffer *body)
{
    const char *id = bulk->text.data + r->at;
    const char *record = id + strlen(id) + 1;
    int rc = append_action(body, id, r->as_text ? order->index : NULL);
    if (rc == 0)
        rc = r->as_text ? append_as_text(body, record, r->why, order->now)
                        : append_text(body, record);
    return rc < 0 ? rc : append_text(body, "\n");
}

static void cut(struct buffer *body, size_t len)
{
    body->len = len;
    body->data[len] = '\0';
}

int bulk_body(const struct bulk *bulk, const struct bulk_order *order, struct buffer *body,
              struct bulk_part *ret, struct error *err)
{
    size_t i = order->begin;
    *ret = (struct bulk_part){.begin = i};
    for (; i < bulk->n && ret->records < order->records; i++) {
        size_t before = body->len;
        if (bulk->record[i].done)
            continue;
        int rc = append_record(bulk, &bulk->record[i], order, body);
        if (rc < 0)
            return error_set(err, rc, "no memory for a request of %zu records", ret->records + 1);
        if (ret->records > 0 && body->len > order->bytes) {
            cut(body, before);
            break;
        }
        ret->records++;
    }
    ret->end = i;
    return 0;
}

/* ---- answer -------------------------------------------------------------- */

/* {"index":{"status":N,"error":{"type":"...","reason":"..."}}} */
struct item {
    int64_t status;
    bool there;                /* it was there before */
    const char *type, *reason; /* "" unknown */
};

static int read_item(const cJSON *root, struct item *ret)
{
    const cJSON *error = NULL, *inner = NULL;
    if (json_object(root, "index", &inner, NULL) < 0 ||
        json_integer(inner, "status", &ret->status, NULL) < 0 || ret->status < 200 ||
        ret->status > 599)
        return -EBADMSG;
    (void)!json_object(inner, "error", &error, NULL);
    ret->type = json_text(error, "type", "");
    ret->reason = json_text(error, "reason", "");
    return 0;
}

/* An error type is a word; what else is there is not repeated. */
static const char *word(const char *why)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz_";
    return strspn(why, set) == strlen(why) && strlen(why) < BULK_WHY ? why : "";
}

static bool is_long(const struct bulk *bulk, const struct bulk_record *r)
{
    const char *id = bulk->text.data + r->at;
    return strlen(id + strlen(id) + 1) > BULK_MESSAGE;
}

static void judge_record(const struct bulk *bulk, struct bulk_record *r, const struct item *item,
                         struct bulk_answer *ret)
{
    r->done = item->status < 300;
    r->refused = item->status == 400 || item->status == TOO_LONG;
    ret->arrived += r->done && r->kind == QUEUE_LINE_NEW;
    ret->taken += r->done && !r->as_text;
    ret->as_text += r->done && r->as_text;
    ret->cut += r->done && r->as_text && is_long(bulk, r);
    ret->refused += r->refused && !r->as_text;
    ret->stuck += r->refused && r->as_text;
    ret->again += !r->done && !r->refused;
    if (r->refused && !r->as_text)
        (void)snprintf(r->why, sizeof r->why, "%s", word(item->type));
    if (r->done || (r->refused && ret->again > 0) || (r->refused && !r->as_text && ret->stuck > 0))
        return; /* the heavier reason stays */
    ret->status = (int)item->status;
    (void)snprintf(ret->why, sizeof ret->why, "%s", word(item->type));
    text_copy(ret->reason, sizeof ret->reason, item->reason);
}

static size_t valid_items(const cJSON *items)
{
    size_t n = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, items)
    {
        struct item ignored;
        if (read_item(item, &ignored) < 0)
            return 0;
        n++;
    }
    return n;
}

int bulk_judge(struct bulk *bulk, const struct bulk_part *part, const cJSON *answer,
               struct bulk_answer *ret, struct error *err)
{
    const cJSON *items = NULL;
    *ret = (struct bulk_answer){0};
    if (json_array(answer, "items", &items, NULL) < 0 || valid_items(items) != part->records)
        return error_set(err, -EBADMSG, "the answer is not about these %zu records", part->records);
    const cJSON *item = items->child;
    for (size_t i = part->begin; i < part->end && item; i++) {
        struct item of;
        if (bulk->record[i].done || read_item(item, &of) < 0)
            continue;
        judge_record(bulk, &bulk->record[i], &of, ret);
        item = item->next;
    }
    return 0;
}

void bulk_refuse(struct bulk *bulk, const struct bulk_part *part, int status,
                 struct bulk_answer *ret)
{
    const struct item item = {.status = status, .type = "", .reason = ""};
    *ret = (struct bulk_answer){0};
    for (size_t i = part->begin; i < part->end; i++) {
        if (!bulk->record[i].done)
            judge_record(bulk, &bulk->record[i], &item, ret);
    }
}

size_t bulk_condemn(struct bulk *bulk, const struct bulk_part *part)
{
    size_t n = 0;
    for (size_t i = part->begin; i < part->end; i++) {
        struct bulk_record *r = &bulk->record[i];
        if (r->done || !r->refused || r->as_text)
            continue;
        r->as_text = r->suspect;
        r->suspect = true;
        n += r->as_text;
    }
    return n;
}

void bulk_clear(struct bulk *bulk)
{
    buffer_clear(&bulk->text);
    bulk->n = 0;
}

void bulk_release(struct bulk *bulk)
{
    buffer_release(&bulk->text);
    free(bulk->record);
    *bulk = (struct bulk){.n = 0};
}
