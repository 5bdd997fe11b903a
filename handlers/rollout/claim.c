/* SPDX-License-Identifier: MIT */
#include "rollout/claim.h"

#include <errno.h>
#include <stdio.h>

/* turn NULL: on no other condition than that the own record is as it was read. */
static int write_record(struct consul *consul, const struct server_record *record,
                        const struct rolling *turn, const struct snapshot *s, struct error *err)
{
    char key[sizeof SERVER_RECORD_PREFIX + SETTINGS_NAME];
    char *text = server_record_format(record);
    if (!text)
        return error_set(err, -ENOMEM, "out of memory");
    (void)snprintf(key, sizeof key, "%s%s", SERVER_RECORD_PREFIX, s->node);
    int rc = turn ? consul_kv_write_if(consul, key, text, s->own_index, turn->check, turn->checks,
                                       err)
                  : consul_kv_write(consul, key, text, s->own_index, err);
    cJSON_free(text);
    return rc;
}

int claim_write_record(struct consul *consul, const struct place *place,
                       const struct local_state *local, struct snapshot *s, struct error *err)
{
    struct server_record own;
    const struct server_record *published = snapshot_published(s);
    local_state_record(local, s->node, &own);
    if (published && server_record_same(&own, published))
        return 0;
    int rc = write_record(consul, &own, NULL, s, err);
    return rc < 0 ? rc : snapshot_records(consul, place, CONSUL_DEFAULT, s, err);
}

static void judge_records(const struct snapshot *s, const struct local_state *local, bool retry,
                          struct rolling *ret)
{
    struct server_record own;
    struct rolling_facts facts;
    snapshot_facts(s, local, retry, &own, &facts);
    rolling_judge(&facts, ret);
}

int claim_judge(struct consul *consul, const struct place *place, struct local_state *local,
                bool retry, struct snapshot *s, struct rolling *ret, struct error *err)
{
    *ret = (struct rolling){.state = ROLLING_FINISHED};
    if (s->wanted[0] && s->settings.log_parallel) {
        local_state_look(local, s->wanted, s->refusal, NULL);
        judge_records(s, local, retry, ret);
        if (ret->state == ROLLING_APPLY)
            return 0;
    }
    int rc = snapshot_records(consul, place, CONSUL_DEFAULT, s, err);
    if (rc < 0)
        return rc;
    local_state_look(local, s->wanted, s->refusal, snapshot_published(s));
    if (!s->wanted[0])
        return 0;
    judge_records(s, local, retry, ret);
    if (ret->state != ROLLING_PUBLISH)
        return 0;
    rc = claim_write_record(consul, place, local, s, err);
    if (rc == 0)
        judge_records(s, local, retry, ret);
    return rc;
}

/* Somebody without a record could not be checked: look whether he was earlier. */
static int look_again(struct consul *consul, const struct place *place,
                      const struct local_state *local, struct snapshot *s, struct error *err)
{
    struct server_record own;
    struct rolling_facts facts;
    char name[SETTINGS_NAME + 1];
    int rc = snapshot_records(consul, place, CONSUL_DEFAULT, s, err);
    if (rc < 0)
        return rc;
    snapshot_facts(s, local, false, &own, &facts);
    const char *rival = rolling_rival(&facts, s->own_index);
    if (!rival)
        return 0;
    (void)snprintf(name, sizeof name, "%s", rival); /* goes with the next reading */
    rc = claim_write_record(consul, place, local, s, err);
    return rc < 0 ? rc : error_set(err, -ESTALE, "%s began a moment earlier", name);
}

int claim_apply(struct consul *consul, const struct place *place, const struct local_state *local,
                const struct rolling *turn, struct snapshot *s, struct error *err)
{
    struct server_record own = {.state = SERVER_RECORD_APPLYING};
    (void)snprintf(own.revision, sizeof own.revision, "%s", s->wanted);
    int rc = write_record(consul, &own, turn, s, err);
    if (rc == 0 && turn->unseen)
        rc = look_again(consul, place, local, s, err);
    return rc;
}
