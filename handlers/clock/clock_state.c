/* SPDX-License-Identifier: MIT */
#include "clock/clock_state.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "clock/clock_record.h"
#include "clock/skew_verdict.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#ifndef CLOCK_STATE_LAYOUT
#error "the Makefile gives a number for the layout of the structs in the file"
#endif

#define FOREIGN     2 /* this often in a row is no chance any more */
#define FOREIGN_MAX 4

/* ---- the file: a digest, then the parts of the struct that are used ------- */

#define PARTS 4

struct part {
    void *data;
    size_t len;
};

static void parts_of(struct clock_state *h, struct part ret[PARTS])
{
    struct offsets *offsets = &h->offsets;
    size_t n = (size_t)offsets->n;
    size_t pairs = n > 0 ? n * (n - 1) / 2 : 0;
    char *tail = (char *)&offsets->own;
    ret[0] = (struct part){h, (size_t)((char *)offsets->server - (char *)h)};
    ret[1] = (struct part){offsets->server, n * sizeof offsets->server[0]};
    ret[2] = (struct part){offsets->pair, pairs * sizeof offsets->pair[0]};
    ret[3] = (struct part){tail, (size_t)((char *)(h + 1) - tail)};
}

/* Over the bytes and over what another build of this program may see differently. */
static void digest_bytes(const char *bytes, size_t len, char ret[DIGEST_TEXT])
{
    const size_t build[] = {CLOCK_STATE_LAYOUT + 0U, sizeof(struct clock_state),
                            sizeof(struct offsets_server)};
    struct digest digest;
    digest_begin(&digest);
    digest_add(&digest, build, sizeof build);
    digest_add(&digest, bytes, len);
    digest_end(&digest, ret);
}

int clock_state_lock(const char *state_dir, struct error *err)
{
    char path[FILE_PATH];
    int rc = file_path(path, sizeof path, state_dir, "clock.lock", err);
    return rc < 0 ? rc : file_lock(path, limits()->lock_ms, err);
}

/* The first part says how long the others are. */
static bool take_parts(const char *bytes, size_t len, struct clock_state *ret)
{
    struct part parts[PARTS];
    size_t used = 0;
    ret->offsets.n = 0;
    for (int i = 0; i < PARTS; i++) {
        parts_of(ret, parts);
        if (ret->offsets.n < 0 || ret->offsets.n > OFFSETS_SERVERS || len - used < parts[i].len)
            return false;
        memcpy(parts[i].data, bytes + used, parts[i].len);
        used += parts[i].len;
    }
    return used == len;
}

static bool load_file(const char *path, struct clock_state *ret)
{
    char digest[DIGEST_TEXT];
    struct error ignored = {0};
    struct buffer text = BUFFER_INIT(DIGEST_TEXT + sizeof *ret);
    bool good = file_read(path, &text, &ignored) == 0 && text.len > DIGEST_TEXT;
    if (good) {
        const char *bytes = text.data + DIGEST_TEXT;
        size_t len = text.len - DIGEST_TEXT;
        digest_bytes(bytes, len, digest);
        good = memcmp(digest, text.data, sizeof digest) == 0 && take_parts(bytes, len, ret);
    }
    buffer_release(&text);
    return good;
}

void clock_state_read(const char *state_dir, const struct local_clock_reading *now,
                      struct clock_state *ret)
{
    char path[FILE_PATH];
    char boot[LOCAL_CLOCK_BOOT];
    struct error ignored = {0};
    *ret = (struct clock_state){0};
    (void)local_clock_boot(boot);
    if (file_path(path, sizeof path, state_dir, "clock", &ignored) < 0 || !load_file(path, ret) ||
        !offsets_valid(&ret->offsets, boot, now->raw_us))
        *ret = (struct clock_state){0};
    memcpy(ret->boot, boot, sizeof ret->boot);
    local_clock_ask_kernel(&ret->kernel);
}

int clock_state_write(struct clock_state *h, const char *state_dir, struct error *err)
{
    char path[FILE_PATH];
    char digest[DIGEST_TEXT] = "";
    struct part parts[PARTS];
    struct buffer text = BUFFER_INIT(DIGEST_TEXT + sizeof *h);
    int rc = file_path(path, sizeof path, state_dir, "clock", err);
    if (rc < 0)
        return rc;
    parts_of(h, parts);
    rc = buffer_append(&text, digest, sizeof digest);
    for (int i = 0; rc == 0 && i < PARTS; i++)
        rc = buffer_append(&text, parts[i].data, parts[i].len);
    if (rc < 0) {
        (void)error_set(err, rc, "out of memory");
    } else {
        digest_bytes(text.data + DIGEST_TEXT, text.len - DIGEST_TEXT, digest);
        memcpy(text.data, digest, sizeof digest);
        rc = file_replace(path, text.data, text.len, 0600, false, err);
    }
    buffer_release(&text);
    return rc;
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
