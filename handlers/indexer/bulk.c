/* SPDX-License-Identifier: MIT */
#include "indexer/bulk.h"

#include "base/json.h"

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
    bulk->record[bulk->n++] = (struct bulk_record){.at = at};
    return 0;
}

int bulk_add_lines(struct bulk *bulk, const char *text, size_t len, struct error *err)
{
    const char *end;
    while ((end = memchr(text, '\n', len))) {
        size_t line = (size_t)(end - text);
        int rc = bulk_add(bulk, text, line, err);
        if (rc < 0 && rc != -EBADMSG)
            return rc;
        text = end + 1;
        len -= line + 1;
    }
    return 0;
}

size_t bulk_waiting(const struct bulk *bulk)
{
    size_t n = 0;
    for (size_t i = 0; i < bulk->n; i++)
        n += bulk->record[i].state == BULK_WAITING;
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

/* "index" and not "create": the newest probe record of a stream takes the older one's place. */
static int append_record(const struct bulk *bulk, const struct bulk_record *r, const char *now,
                         struct buffer *body)
{
    const char *id = bulk->text.data + r->at;
    const char *record = id + strlen(id) + 1;
    int rc = append_text(body, "{\"index\":{\"_id\":");
    if (rc == 0)
        rc = append_string(body, id);
    if (rc == 0)
        rc = append_text(body, "}}\n");
    if (rc == 0)
        rc = r->as_text ? append_as_text(body, record, r->why, now) : append_text(body, record);
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
        if (bulk->record[i].state != BULK_WAITING)
            continue;
        int rc = append_record(bulk, &bulk->record[i], order->now, body);
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

static void refuse_record(struct bulk_record *r, const char *why, struct bulk_answer *ret)
{
    (void)snprintf(ret->why, sizeof ret->why, "%s", why);
    (void)snprintf(r->why, sizeof r->why, "%s", why);
    r->stuck = r->as_text;
    ret->stuck += r->stuck;
    ret->as_text += !r->as_text;
    r->as_text = true;
}

static void judge_record(struct bulk_record *r, int status, const char *why,
                         struct bulk_answer *ret)
{
    if (status < 300) {
        r->state = BULK_DONE;
        ret->done++;
    } else if (status == 400 || status == TOO_LONG) {
        refuse_record(r, why, ret);
    } else {
        (void)snprintf(ret->why_again, sizeof ret->why_again, "%s", why);
        ret->status = status;
        ret->again++;
        r->stuck = false;
    }
}

/* {"index":{"status":N,"error":{"type":"..."}}} */
static int read_item(const cJSON *item, int64_t *ret_status, const char **ret_why)
{
    const cJSON *error = NULL, *inner = NULL;
    struct error ignored = {0};
    if (json_object(item, "index", &inner, &ignored) < 0 ||
        json_integer(inner, "status", ret_status, &ignored) < 0 || *ret_status < 200 ||
        *ret_status > 599)
        return -EBADMSG;
    *ret_why = json_object(inner, "error", &error, &ignored) == 0 ? json_text(error, "type", "")
                                                                  : "";
    return 0;
}

/* An error type is a word; what else is there is not repeated. */
static const char *word(const char *why)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz_";
    return strspn(why, set) == strlen(why) && strlen(why) < BULK_WHY ? why : "";
}

static size_t valid_items(const cJSON *items)
{
    size_t n = 0;
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, items)
    {
        int64_t status = 0;
        const char *why = "";
        if (read_item(item, &status, &why) < 0)
            return 0;
        n++;
    }
    return n;
}

int bulk_judge(struct bulk *bulk, const struct bulk_part *part, const cJSON *answer,
               struct bulk_answer *ret, struct error *err)
{
    const cJSON *items = NULL;
    struct error ignored = {0};
    *ret = (struct bulk_answer){0};
    if (json_array(answer, "items", &items, &ignored) < 0 || valid_items(items) != part->records)
        return error_set(err, -EBADMSG, "the answer is not about these %zu records", part->records);
    const cJSON *item = items->child;
    for (size_t i = part->begin; i < part->end && item; i++) {
        int64_t status = 0;
        const char *why = "";
        if (bulk->record[i].state != BULK_WAITING)
            continue;
        (void)read_item(item, &status, &why);
        judge_record(&bulk->record[i], (int)status, word(why), ret);
        item = item->next;
    }
    return 0;
}

void bulk_refuse(struct bulk *bulk, const struct bulk_part *part, struct bulk_answer *ret)
{
    *ret = (struct bulk_answer){0};
    for (size_t i = part->begin; i < part->end; i++) {
        if (bulk->record[i].state == BULK_WAITING)
            refuse_record(&bulk->record[i], "", ret);
    }
}

void bulk_give_up(struct bulk *bulk, const struct bulk_part *part)
{
    for (size_t i = part->begin; i < part->end; i++) {
        if (bulk->record[i].state == BULK_WAITING && bulk->record[i].stuck)
            bulk->record[i].state = BULK_GIVEN_UP;
    }
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
