/* SPDX-License-Identifier: MIT */
#include "command/rollout_follow.h"

#include "base/boottime.h"
#include "base/text.h"
#include "rollout/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS 250  /* between two looks */
#define SAY_MS  5000 /* nothing new is said this often */

/* "2 of 3 servers on revision 4f2a91, waiting for n3 (n4 is down and follows when it is back)" */
static void say_progress(const struct rolling_server *servers, size_t n, const char *wanted,
                         size_t done, size_t living, char ret[ROLLOUT_FOLLOW_TEXT])
{
    struct text_list list;
    int left = (int)(living - done);
    int len = snprintf(ret, ROLLOUT_FOLLOW_TEXT, "%zu of %zu servers on revision %.*s", done,
                       living, SETTINGS_SHORT, wanted);
    if (left > 0)
        len += snprintf(ret + len, ROLLOUT_FOLLOW_TEXT - (size_t)len, ", waiting for ");
    text_list_begin(&list, ret + len, ROLLOUT_FOLLOW_TEXT - (size_t)len, left, left);
    for (size_t i = 0; i < n; i++) {
        const struct server_record *r = servers[i].record;
        bool is_done = r && r->state == SERVER_RECORD_DONE && strcmp(r->revision, wanted) == 0;
        if (servers[i].alive && !is_done && !text_list_add(&list, ", ", servers[i].node))
            return;
    }
}

enum rollout_follow_state rollout_follow_judge(const struct rolling_server *servers, size_t n,
                                               const char *wanted, char ret[ROLLOUT_FOLLOW_TEXT])
{
    size_t done = 0, living = 0;
    for (size_t i = 0; i < n; i++) {
        const struct server_record *r = servers[i].record;
        bool of_it = r && strcmp(r->revision, wanted) == 0;
        if (of_it && r->state == SERVER_RECORD_FAILED) {
            (void)snprintf(ret, ROLLOUT_FOLLOW_TEXT, "%s rejected revision %.*s: %s",
                           servers[i].node, SETTINGS_SHORT, wanted, r->reason);
            return ROLLOUT_FOLLOW_FAILED;
        }
        living += servers[i].alive;
        done += servers[i].alive && of_it && r->state == SERVER_RECORD_DONE;
    }
    say_progress(servers, n, wanted, done, living, ret);
    return done == living && living > 0 ? ROLLOUT_FOLLOW_DONE : ROLLOUT_FOLLOW_WAITS;
}

/* One look. *ret_state and the text; the digest of what is in KV, to see other settings. */
static int look_at_rollout(struct snapshot *s, char digest[KV_DIGEST],
                           enum rollout_follow_state *ret_state, char ret[ROLLOUT_FOLLOW_TEXT],
                           struct error *err)
{
    const struct wanted *w = &s->wanted;
    int rc = snapshot_settings(s, err);
    if (rc == 0 && !digest[0])
        memcpy(digest, w->digest, KV_DIGEST);
    if (rc == 0 && strcmp(digest, w->digest) != 0)
        rc = error_set(err, -ECANCELED, "other LOG_ settings were written in the meantime");
    if (rc == 0 && w->refusal[0])
        rc = error_set(err, -ECANCELED, "%s", w->refusal);
    *ret_state = ROLLOUT_FOLLOW_DONE;
    (void)snprintf(ret, ROLLOUT_FOLLOW_TEXT,
                   "no LOG_ setting is there: every server keeps what it has");
    if (rc == 0 && w->revision[0])
        rc = snapshot_records(s, err);
    if (rc == 0 && w->revision[0])
        *ret_state = rollout_follow_judge(s->peers.servers, s->peers.order.n, w->revision, ret);
    snapshot_release(s);
    return rc;
}

int rollout_follow(struct consul *consul, const struct place *place, int64_t limit_ms,
                   struct error *err)
{
    const struct place where = {.config_dir = place->config_dir,
                                .settings_root = place->settings_root};
    struct snapshot s = {.place = &where, .consul = consul};
    enum rollout_follow_state state = ROLLOUT_FOLLOW_WAITS;
    char digest[KV_DIGEST] = "", text[ROLLOUT_FOLLOW_TEXT], said[ROLLOUT_FOLLOW_TEXT] = "";
    int64_t begin = boottime_ms(), said_ms = 0;
    for (int64_t now = begin; now - begin < limit_ms; now = boottime_ms()) {
        int rc = look_at_rollout(&s, digest, &state, text, err);
        if (rc < 0 && rc != -EAGAIN) /* a new leader is worth waiting for */
            return rc;
        if (rc < 0)
            text_copy(text, sizeof text, err->text);
        if (state == ROLLOUT_FOLLOW_FAILED)
            return error_set(err, -ECANCELED, "%s", text);
        if (strcmp(text, said) != 0 || now - said_ms >= SAY_MS) {
            (void)fprintf(stderr, "%s (%d s)\n", text, (int)((now - begin) / 1000));
            memcpy(said, text, sizeof said);
            said_ms = now;
        }
        if (rc == 0 && state == ROLLOUT_FOLLOW_DONE)
            return 0;
        boottime_sleep(LOOK_MS);
    }
    return error_set(err, -ETIMEDOUT, "not everywhere yet: %s; lictor status says why", text);
}
