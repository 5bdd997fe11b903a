/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_answer.h"

#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Extended JSON ------------------------------------------------------- */

/* 5, 5.0, {"$numberInt": "5"}, {"$numberLong": "5"}, {"$numberDouble": "5.0"} */
static bool read_number(const cJSON *item, double *ret)
{
    static const char *const wrapped[] = {"$numberInt", "$numberLong", "$numberDouble"};
    char *end = NULL;
    if (cJSON_IsNumber(item)) {
        *ret = item->valuedouble;
        return true;
    }
    for (size_t i = 0; i < COUNT(wrapped); i++) {
        const char *text = json_text(item, wrapped[i], "");
        *ret = strtod(text, &end);
        if (*text && *end == '\0')
            return *ret > -9e15 && *ret < 9e15;
    }
    return false;
}

static int64_t number_of(const cJSON *object, const char *name, int64_t otherwise)
{
    double number = 0;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return read_number(item, &number) ? (int64_t)number : otherwise;
}

static bool is_true(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* {"$date": {"$numberLong": "ms"}} or {"$date": "2026-11-28T06:00:00.123Z"}, ms since the epoch; 0
 * for none. */
static int64_t date_of(const cJSON *object, const char *name)
{
    struct tm tm = {0};
    double ms = 0;
    const cJSON *date = cJSON_GetObjectItemCaseSensitive(object, name);
    const cJSON *inside = cJSON_GetObjectItemCaseSensitive(date, "$date");
    const char *text = cJSON_GetStringValue(inside);
    if (read_number(inside, &ms))
        return (int64_t)ms;
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!end)
        return 0;
    return (int64_t)timegm(&tm) * 1000 + (*end == '.' ? (int64_t)(strtod(end, NULL) * 1000) : 0);
}

static void copy_text(char *ret, size_t size, const cJSON *object, const char *name)
{
    const char *text = json_text(object, name, "");
    text_copy_word(ret, size, text, strlen(text));
}

/* ---- one MongoDB --------------------------------------------------------- */

int mongodb_answer_hello(const cJSON *hello, struct mongodb_answer *ret, struct error *err)
{
    if (!cJSON_IsObject(hello) || number_of(hello, "maxWireVersion", -1) < 0)
        return error_set(err, -EBADMSG, "it does not answer as MongoDB does");
    bool primary = is_true(hello, "isWritablePrimary") || is_true(hello, "ismaster");
    copy_text(ret->set, sizeof ret->set, hello, "setName");
    if (ret->set[0])
        ret->role = primary ? MONGODB_PRIMARY : MONGODB_NO_PRIMARY;
    else
        ret->role = is_true(hello, "isreplicaset") ? MONGODB_UNSTARTED : MONGODB_SINGLE;
    return 0;
}

int mongodb_answer_build(const cJSON *build, struct mongodb_answer *ret, struct error *err)
{
    copy_text(ret->version, sizeof ret->version, build, "version");
    return ret->version[0] ? 0 : error_set(err, -EBADMSG, "it does not say its version");
}

/* ---- the members --------------------------------------------------------- */

/* Does this member vote? -1: the configuration does not know it. */
static int votes_of(const cJSON *config, const char *name)
{
    const cJSON *member = NULL;
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(config, "config");
    cJSON_ArrayForEach(member, cJSON_GetObjectItemCaseSensitive(inner, "members"))
    {
        char host[MONGODB_NAME];
        copy_text(host, sizeof host, member, "host");
        if (strcmp(host, name) == 0)
            return number_of(member, "votes", 1) > 0;
    }
    return -1;
}

static int read_member(const cJSON *item, const cJSON *config, struct mongodb_member *ret,
                       struct error *err)
{
    copy_text(ret->name, sizeof ret->name, item, "name");
    ret->state = (int)number_of(item, "state", -1);
    if (!ret->name[0] || ret->state < 0)
        return error_set(err, -EBADMSG, "replSetGetStatus has a member without name or state");
    copy_text(ret->state_name, sizeof ret->state_name, item, "stateStr");
    /* Of one that is not reached MongoDB's text has more: "(not reachable/healthy)". */
    if (number_of(item, "health", 1) < 1) {
        ret->state = 8;
        text_copy(ret->state_name, sizeof ret->state_name, "DOWN");
    }
    ret->optime_ms = date_of(item, "optimeDate");
    int votes = votes_of(config, ret->name);
    if (votes < 0)
        return error_set(err, -EBADMSG, "replSetGetConfig does not have the member %s", ret->name);
    ret->votes = votes > 0;
    return 0;
}

int mongodb_answer_members(const cJSON *status, const cJSON *config, struct mongodb_view *ret,
                           struct error *err)
{
    const cJSON *item = NULL;
    const cJSON *members = cJSON_GetObjectItemCaseSensitive(status, "members");
    ret->n = 0;
    copy_text(ret->set, sizeof ret->set, status, "set");
    if (!ret->set[0] || !cJSON_IsArray(members) || cJSON_GetArraySize(members) == 0)
        return error_set(err, -EBADMSG, "replSetGetStatus has no members");
    cJSON_ArrayForEach(item, members)
    {
        if (ret->n == MONGODB_MEMBERS)
            return error_set(err, -EBADMSG, "replSetGetStatus has more than %d members",
                             MONGODB_MEMBERS);
        ret->member[ret->n] = (struct mongodb_member){.state = 0};
        int rc = read_member(item, config, &ret->member[ret->n++], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
