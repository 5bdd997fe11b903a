/* SPDX-License-Identifier: MIT */
#include "clock/clock_state.h"

#include "base/file.h"
#include "base/json_fields.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/state.h"
#include "clock/clock_record.h"
#include "clock/offsets_json.h"
#include "clock/skew_verdict.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <syslog.h>

#define FOREIGN     2 /* this often in a row is no chance any more */
#define FOREIGN_MAX 4

#define FILE_LIMIT (1U << 19) /* bytes: 51 servers need some 250,000 */

/* ---- the file ------------------------------------------------------------ */

#define AT(member)           offsetof(struct clock_state, member)
#define AT_REFERENCE(member) offsetof(struct clock_state_reference, member)

static const struct json_field state_fields[] = {
    {"node", JSON_FIELD_TEXT, AT(node), SETTING_VALUE_NAME + 1},
    {"at", JSON_FIELD_NUMBERS, AT(at_us), 1},
    {"sent", JSON_FIELD_NUMBERS, AT(sent_us), 2},
    {"foreign", JSON_FIELD_INT, AT(foreign), 1},
};

static const struct json_field reference_fields[] = {
    {"servers", JSON_FIELD_TEXT, AT_REFERENCE(servers), CLOCK_STATE_REFERENCES},
    {"asked", JSON_FIELD_NUMBERS, AT_REFERENCE(asked_us), 1},
    {"known", JSON_FIELD_FLAG, AT_REFERENCE(found.known), 1},
    {"offset", JSON_FIELD_NUMBERS, AT_REFERENCE(found.offset_us), 1},
    {"err", JSON_FIELD_NUMBERS, AT_REFERENCE(found.err_us), 1},
    {"at", JSON_FIELD_NUMBERS, AT_REFERENCE(at), 3},
    {"shown", JSON_FIELD_NUMBERS, AT_REFERENCE(shown_us), 1},
};

static const struct json_field verdict_fields[] = {
    {"summary", JSON_FIELD_TEXT, offsetof(struct verdict, summary), VERDICT_SUMMARY},
    {"details", JSON_FIELD_LINES, offsetof(struct verdict, details),
     sizeof((struct verdict *)NULL)->details},
};

static bool save_verdict(cJSON *object, const struct verdict *v)
{
    return json_add_integer(object, "status", v->status) &&
           json_fields_save(object, v, verdict_fields, COUNT(verdict_fields));
}

static int load_verdict(const cJSON *root, const char *name, struct verdict *ret, struct error *err)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, name);
    int64_t status = VERDICT_PASSING;
    int rc = json_integer(object, "status", &status, err);
    if (rc == -EBADMSG || status < VERDICT_PASSING || status > VERDICT_CRITICAL)
        return error_set(err, -EBADMSG, "\"status\" is none");
    ret->status = (enum verdict_status)status;
    return json_fields_load(object, ret, verdict_fields, COUNT(verdict_fields), err);
}

/* NULL: out of memory. */
static cJSON *save(const struct clock_state *h)
{
    cJSON *root = cJSON_CreateObject();
    cJSON *reference = NULL;
    if (json_fields_save(root, h, state_fields, COUNT(state_fields)) &&
        (reference = cJSON_AddObjectToObject(root, "reference")) &&
        json_fields_save(reference, &h->reference, reference_fields, COUNT(reference_fields)) &&
        save_verdict(cJSON_AddObjectToObject(reference, "notes"), &h->reference.notes) &&
        save_verdict(cJSON_AddObjectToObject(root, "notes"), &h->notes) &&
        save_verdict(cJSON_AddObjectToObject(root, "said"), &h->said) &&
        offsets_json_save(&h->offsets, cJSON_AddObjectToObject(root, "offsets")))
        return root;
    cJSON_Delete(root);
    return NULL;
}

static int load(const cJSON *root, struct clock_state *ret, struct error *err)
{
    const cJSON *reference = cJSON_GetObjectItemCaseSensitive(root, "reference");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(root, "offsets");
    int rc = json_fields_load(root, ret, state_fields, COUNT(state_fields), err);
    if (rc == 0)
        rc = json_fields_load(reference, &ret->reference, reference_fields, COUNT(reference_fields),
                              err);
    if (rc == 0)
        rc = load_verdict(reference, "notes", &ret->reference.notes, err);
    if (rc == 0)
        rc = load_verdict(root, "notes", &ret->notes, err);
    if (rc == 0)
        rc = load_verdict(root, "said", &ret->said, err);
    return rc < 0 ? rc : offsets_json_load(offsets, &ret->offsets, err);
}

/* Whatever somebody has written there: every number in its range, no time after now_us. */
static bool is_valid(const struct clock_state *h, const char *boot, int64_t now_us)
{
    const struct clock_state_reference *r = &h->reference;
    const int64_t times[] = {h->at_us,    h->sent_us[0],   h->sent_us[1],
                             r->asked_us, r->at.raw_us,    r->at.err_us,
                             r->shown_us, r->found.err_us, r->at.real_us};
    for (size_t i = 0; i < COUNT(times); i++)
        if (times[i] < 0)
            return false;
    return h->at_us <= now_us && r->asked_us <= now_us && r->at.raw_us <= now_us &&
           h->foreign >= 0 && h->foreign <= FOREIGN_MAX && offsets_valid(&h->offsets, boot, now_us);
}

int clock_state_lock(const char *state_dir, struct error *err)
{
    char path[FILE_PATH];
    int rc = file_path(path, sizeof path, state_dir, "clock.lock", err);
    return rc < 0 ? rc : file_lock(path, limits()->lock_ms, err);
}

/* Nothing when it cannot be used; also what releases before JSON have left there. */
static void load_file(const char *path, const char *boot, int64_t now_us, struct clock_state *ret)
{
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(FILE_LIMIT);
    cJSON *root = NULL;
    if (file_read(path, &text, &ignored) < 0 ||
        json_parse(buffer_text(&text), text.len, path, &root, &ignored) < 0 ||
        load(root, ret, &ignored) < 0 || !is_valid(ret, boot, now_us))
        *ret = (struct clock_state){0};
    cJSON_Delete(root);
    buffer_release(&text);
}

void clock_state_read(const char *state_dir, const struct local_clock_reading *now,
                      struct clock_state *ret)
{
    char path[FILE_PATH];
    char boot[LOCAL_CLOCK_BOOT];
    struct error ignored = {0};
    *ret = (struct clock_state){0};
    (void)local_clock_boot(boot);
    if (file_path(path, sizeof path, state_dir, "clock", &ignored) == 0)
        load_file(path, boot, now->raw_us, ret);
    memcpy(ret->boot, boot, sizeof ret->boot);
    local_clock_ask_kernel(&ret->kernel);
}

int clock_state_write(const struct clock_state *h, const char *state_dir, struct error *err)
{
    return state_write(state_dir, "clock", save(h), false, err);
}

/* ---- a run --------------------------------------------------------------- */

bool clock_state_begin(struct clock_state *h, const char *const *names, size_t n,
                       const struct local_clock_reading *now)
{
    char text[OFFSETS_EVENT];
    struct offsets_own own = {.name = h->node,
                              .boot = h->boot,
                              .ppm = h->kernel.ppm,
                              .reference = clock_state_reference(h, now)};
    int64_t jump_us = offsets_begin(&h->offsets, &own, names, n, now);
    if (jump_us != 0)
        program_log(LOG_WARNING, "%s", offsets_jump_text(h->node, jump_us, text));
    return jump_us != 0;
}

/* One record; true when it was new. */
static bool receive_record(struct clock_state *h, const char *node, const struct kv_entry *entry,
                           const struct local_clock_reading *at, struct verdict *damaged)
{
    char text[OFFSETS_EVENT];
    struct error why = {0};
    struct clock_record record;
    int64_t jump_us = 0;
    enum offsets_received heard = OFFSETS_NONSENSE;
    (void)error_set(&why, -EBADMSG, "holds a value out of its range");
    if (clock_record_parse(entry->value, entry->len, h->node, &record, &why) == 0)
        heard = offsets_receive(&h->offsets, node, &record, at, &jump_us);
    if (heard == OFFSETS_NONSENSE && damaged)
        verdict_note(damaged, "%s cannot be used: %s", entry->key, why.text);
    if (jump_us != 0)
        program_log(LOG_WARNING, "%s", offsets_jump_text(node, jump_us, text));
    return heard == OFFSETS_RECEIVED || heard == OFFSETS_ROUND;
}

int clock_state_receive(struct clock_state *h, const struct kv_list *list,
                        const struct local_clock_reading *at, struct verdict *damaged)
{
    int n = 0;
    if (at->raw_us < h->at_us)
        return 0; /* another run was faster and knows better */
    h->at_us = at->raw_us;
    for (size_t i = 0; i < list->n; i++) {
        const struct kv_entry *entry = &list->entries[i];
        const char *node = entry->key + strlen(CLOCK_RECORD_PREFIX);
        if (strncmp(entry->key, CLOCK_RECORD_PREFIX, strlen(CLOCK_RECORD_PREFIX)) == 0 &&
            strcmp(node, h->node) != 0 && offsets_find(&h->offsets, node) >= 0 &&
            receive_record(h, node, entry, at, damaged))
            n++;
    }
    return n;
}

/* ---- the own record ------------------------------------------------------ */

static bool is_ours(const struct clock_state *h, const struct kv_entry *entry)
{
    struct clock_record record;
    return clock_record_parse(entry->value, entry->len, h->node, &record, NULL) == 0 &&
           strcmp(record.boot, h->boot) == 0 &&
           (record.clock.raw_us == h->sent_us[0] || record.clock.raw_us == h->sent_us[1]);
}

bool clock_state_check_own(struct clock_state *h, const struct kv_list *list)
{
    char key[CLOCK_RECORD_KEY];
    const struct kv_entry *entry = kv_find(list, clock_record_key(h->node, key));
    if (entry && h->sent_us[0] && !is_ours(h, entry))
        h->foreign = h->foreign > 0 ? FOREIGN_MAX : 1;
    else if (h->foreign > 0)
        h->foreign--;
    return h->foreign >= FOREIGN;
}

struct clock_reference clock_state_reference(const struct clock_state *h,
                                             const struct local_clock_reading *stamp)
{
    struct clock_reference now = h->reference.found;
    const struct local_clock_reading *at = &h->reference.at;
    if (!now.known)
        return now;
    now.offset_us += (stamp->real_us - stamp->raw_us) - (at->real_us - at->raw_us);
    now.err_us += stamp->err_us + at->err_us +
                  (stamp->raw_us - at->raw_us) * h->kernel.ppm / 1000000 + 1;
    return now;
}

/* ---- the verdict --------------------------------------------------------- */

static void add_notes(struct verdict *v, const char *lines)
{
    while (*lines) {
        int len = (int)strcspn(lines, "\n");
        verdict_note(v, "%.*s", len, lines);
        lines += len + (lines[len] == '\n');
    }
}

void clock_state_judge(struct clock_state *h, const struct skew_limits *limits,
                       const struct local_clock_reading *now, struct verdict *clocks,
                       struct verdict *whole)
{
    skew_verdict_judge(&h->offsets, limits, now, clocks);
    *whole = *clocks;
    if (h->notes.summary[0]) {
        verdict_raise(whole, h->notes.status);
        verdict_set(whole, whole->status, "%.*s; %s", (int)skew_verdict_known(clocks->summary),
                    clocks->summary, h->notes.summary);
    }
    add_notes(whole, h->notes.details);
    add_notes(whole, h->reference.notes.details);
}
