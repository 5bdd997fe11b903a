/* SPDX-License-Identifier: MIT */
#include "rollout/claim.h"

#include <errno.h>
#include <stdio.h>

/* turn NULL: on no other condition than that the own record is as it was read. */
static int write_record(const struct snapshot *s, const struct server_record *record,
                        const struct rolling *turn, struct error *err)
{
    char key[sizeof SERVER_RECORD_PREFIX + SETTINGS_NAME];
    uint64_t index = s->peers.own_index;
    char *text = server_record_format(record);
    if (!text)
        return error_set(err, -ENOMEM, "out of memory");
    (void)snprintf(key, sizeof key, "%s%s", SERVER_RECORD_PREFIX, s->node);
    int rc = turn ? consul_kv_write_if(s->consul, key, text, index, turn->check, turn->checks, err)
                  : consul_kv_write(s->consul, key, text, index, err);
    cJSON_free(text);
    return rc;
}

int claim_write_record(struct snapshot *s, struct error *err)
{
    if (s->peers.own && server_record_same(&s->local.record, s->peers.own))
        return 0;
    int rc = write_record(s, &s->local.record, NULL, err);
    return rc < 0 ? rc : snapshot_records(s, err);
}

static void judge_records(const struct snapshot *s, bool retry, struct rolling *ret)
{
    struct rolling_facts facts;
    snapshot_facts(s, retry, &facts);
    rolling_judge(&facts, ret);
}

static void look_at_wanted(struct snapshot *s)
{
    local_state_look(&s->local, s->wanted.revision, s->wanted.refusal, s->peers.own);
    local_state_name_target(&s->local, s->wanted.revision, &s->wanted.settings);
}

int claim_judge(struct snapshot *s, bool retry, struct rolling *ret, struct error *err)
{
    *ret = (struct rolling){.state = ROLLING_FINISHED};
    if (s->wanted.revision[0] && s->wanted.settings.log_parallel) {
        look_at_wanted(s);
        judge_records(s, retry, ret);
        if (ret->state == ROLLING_APPLY)
            return 0;
    }
    int rc = snapshot_records(s, err);
    if (rc < 0)
        return rc;
    look_at_wanted(s);
    if (!s->wanted.revision[0])
        return 0;
    judge_records(s, retry, ret);
    if (ret->state != ROLLING_PUBLISH)
        return 0;
    rc = claim_write_record(s, err);
    if (rc == 0)
        judge_records(s, retry, ret);
    return rc;
}

/* Somebody without a record could not be checked: look whether he was earlier. */
static int look_again(struct snapshot *s, struct error *err)
{
    struct rolling_facts facts;
    char name[SETTINGS_NAME + 1];
    int rc = snapshot_records(s, err);
    if (rc < 0)
        return rc;
    snapshot_facts(s, false, &facts);
    const char *rival = rolling_rival(&facts, s->peers.own_index);
    if (!rival)
        return 0;
    (void)snprintf(name, sizeof name, "%s", rival); /* goes with the next reading */
    rc = claim_write_record(s, err);
    return rc < 0 ? rc : error_set(err, -ESTALE, "%s began a moment earlier", name);
}

int claim_apply(struct snapshot *s, const struct rolling *turn, struct error *err)
{
    struct server_record own = {.state = SERVER_RECORD_APPLYING};
    (void)snprintf(own.revision, sizeof own.revision, "%s", s->wanted.revision);
    int rc = write_record(s, &own, turn, err);
    return rc == 0 && turn->unseen ? look_again(s, err) : rc;
}
