/* SPDX-License-Identifier: MIT */
#include "clock/offsets_json.h"

#include "base/json_fields.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PER_ROUND 4
#define PER_PAIR  6

_Static_assert(sizeof(struct local_clock_reading) == 3 * sizeof(int64_t), "read as int64_t[3]");
_Static_assert(sizeof(struct offset_bound_round) == PER_ROUND * sizeof(int64_t),
               "read as int64_t[4]");

#define AT(member)        offsetof(struct offsets, member)
#define AT_SERVER(member) offsetof(struct offsets_server, member)

static const struct json_field offsets_fields[] = {
    {"version", JSON_FIELD_INT, AT(version), 1},
    {"boot", JSON_FIELD_TEXT, AT(boot), LOCAL_CLOCK_BOOT},
    {"warning", JSON_FIELD_NUMBERS, AT(limits.warning_us), 1},
    {"critical", JSON_FIELD_NUMBERS, AT(limits.critical_us), 1},
    {"own", JSON_FIELD_NUMBERS, AT(own), 3},
    {"proven", JSON_FIELD_NUMBERS, AT(proven_us), 1},
    {"agreed", JSON_FIELD_TEXT, AT(agreed), VERDICT_SUMMARY},
};

static const struct json_field server_fields[] = {
    {"name", JSON_FIELD_TEXT, AT_SERVER(name), SETTING_VALUE_NAME + 1},
    {"boot", JSON_FIELD_TEXT, AT_SERVER(boot), LOCAL_CLOCK_BOOT},
    {"round", JSON_FIELD_NUMBERS, AT_SERVER(round_us), 1},
    {"record", JSON_FIELD_NUMBERS, AT_SERVER(record), 3},
    {"heard", JSON_FIELD_NUMBERS, AT_SERVER(heard_us), 1},
    {"peer", JSON_FIELD_NUMBERS, AT_SERVER(peer), 3},
    {"own", JSON_FIELD_NUMBERS, AT_SERVER(own), 3},
    {"ppm", JSON_FIELD_NUMBERS, AT_SERVER(ppm), 1},
    {"synced", JSON_FIELD_FLAG, AT_SERVER(synced), 1},
    {"reference_known", JSON_FIELD_FLAG, AT_SERVER(reference.known), 1},
    {"reference_offset", JSON_FIELD_NUMBERS, AT_SERVER(reference.offset_us), 1},
    {"reference_err", JSON_FIELD_NUMBERS, AT_SERVER(reference.err_us), 1},
    {"peer_moved", JSON_FIELD_NUMBERS, AT_SERVER(peer_moved_us), 1},
    {"own_moved", JSON_FIELD_NUMBERS, AT_SERVER(own_moved_us), 1},
    {"wrong", JSON_FIELD_FLAG, AT_SERVER(wrong), 1},
    {"shown", JSON_FIELD_NUMBERS, AT_SERVER(shown_us), 1},
    {"shown_reference", JSON_FIELD_NUMBERS, AT_SERVER(shown_reference_us), 1},
};

static int pairs_of(const struct offsets *offsets)
{
    return offsets->n * (offsets->n - 1) / 2;
}

/* ---- writing ------------------------------------------------------------- */

static bool save_rounds(cJSON *object, const struct offset_bound *rounds)
{
    int64_t numbers[PER_ROUND * OFFSET_BOUND_ROUNDS];
    const size_t n = (size_t)rounds->n;
    memcpy(numbers, rounds->round, n * sizeof rounds->round[0]);
    return json_add_integers(object, "rounds", numbers, PER_ROUND * n);
}

static bool save_servers(cJSON *object, const struct offsets *offsets)
{
    cJSON *list = cJSON_AddArrayToObject(object, "servers");
    bool whole = list != NULL;
    for (int i = 0; whole && i < offsets->n; i++) {
        const struct offsets_server *server = &offsets->server[i];
        cJSON *entry = cJSON_CreateObject();
        whole = cJSON_AddItemToArray(list, entry) &&
                json_fields_save(entry, server, server_fields, COUNT(server_fields)) &&
                save_rounds(entry, &server->rounds);
    }
    return whole;
}

static bool save_pairs(cJSON *object, const struct offsets *offsets)
{
    static int64_t numbers[PER_PAIR * OFFSETS_PAIRS];
    size_t n = 0;
    for (int i = 0; i < pairs_of(offsets); i++) {
        const struct offsets_pair *pair = &offsets->pair[i];
        numbers[n++] = pair->warning.records;
        numbers[n++] = pair->warning.end_us;
        numbers[n++] = pair->critical.records;
        numbers[n++] = pair->critical.end_us;
        numbers[n++] = pair->shown_us;
        numbers[n++] = pair->bound_us;
    }
    return json_add_integers(object, "pairs", numbers, n);
}

bool offsets_json_save(const struct offsets *offsets, cJSON *object)
{
    return json_fields_save(object, offsets, offsets_fields, COUNT(offsets_fields)) &&
           json_add_integer(object, "standing", offsets->standing) &&
           save_servers(object, offsets) && save_pairs(object, offsets);
}

/* ---- reading ------------------------------------------------------------- */

/* -ENOENT is as none: zero. */
static int or_none(int rc)
{
    return rc == -ENOENT ? 0 : rc;
}

static int load_server(const cJSON *entry, struct offsets_server *ret, struct error *err)
{
    int64_t numbers[PER_ROUND * OFFSET_BOUND_ROUNDS];
    size_t n = 0;
    int rc = json_fields_load(entry, ret, server_fields, COUNT(server_fields), err);
    if (rc == 0)
        rc = or_none(json_integers(entry, "rounds", numbers, COUNT(numbers), &n, err));
    if (rc == 0 && n % PER_ROUND != 0)
        rc = error_set(err, -EBADMSG, "\"rounds\" ends within a round");
    if (rc < 0)
        return rc;
    memcpy(ret->rounds.round, numbers, n * sizeof numbers[0]);
    ret->rounds.n = (int)(n / PER_ROUND);
    return 0;
}

static int load_servers(const cJSON *object, struct offsets *ret, struct error *err)
{
    const cJSON *list = NULL;
    const cJSON *entry = NULL;
    int rc = json_array(object, "servers", &list, err);
    if (rc < 0)
        return or_none(rc);
    cJSON_ArrayForEach(entry, list)
    {
        if (ret->n == OFFSETS_SERVERS)
            return error_set(err, -EBADMSG, "\"servers\" has more than %d", OFFSETS_SERVERS);
        rc = load_server(entry, &ret->server[ret->n++], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Also of a count the range is offsets_valid()'s to judge; but it must be one. */
static int as_int(int64_t number)
{
    return number < 0 || number > 1000 ? -1 : (int)number;
}

static int load_pairs(const cJSON *object, struct offsets *ret, struct error *err)
{
    static int64_t numbers[PER_PAIR * OFFSETS_PAIRS];
    size_t n = 0;
    int rc = or_none(json_integers(object, "pairs", numbers, COUNT(numbers), &n, err));
    if (rc == 0 && n != PER_PAIR * (size_t)pairs_of(ret))
        rc = error_set(err, -EBADMSG, "\"pairs\" does not fit \"servers\"");
    for (int i = 0; rc == 0 && i < pairs_of(ret); i++) {
        const int64_t *of = &numbers[PER_PAIR * i];
        ret->pair[i] = (struct offsets_pair){.warning = {as_int(of[0]), of[1]},
                                             .critical = {as_int(of[2]), of[3]},
                                             .shown_us = of[4],
                                             .bound_us = of[5]};
    }
    return rc;
}

int offsets_json_load(const cJSON *object, struct offsets *ret, struct error *err)
{
    int64_t standing = 0;
    int rc = json_fields_load(object, ret, offsets_fields, COUNT(offsets_fields), err);
    if (rc == 0)
        rc = or_none(json_integer(object, "standing", &standing, err));
    if (rc == 0 && (standing < OFFSETS_NOTHING || standing > OFFSETS_DIFFERED))
        rc = error_set(err, -EBADMSG, "\"standing\" is out of its range");
    if (rc < 0)
        return rc;
    ret->standing = (enum offsets_standing)standing;
    rc = load_servers(object, ret, err);
    return rc < 0 ? rc : load_pairs(object, ret, err);
}
