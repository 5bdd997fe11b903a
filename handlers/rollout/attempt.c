/* SPDX-License-Identifier: MIT */
#include "rollout/attempt.h"

#include "base/program.h"
#include "base/text.h"
#include "rollout/claim.h"
#include "shipper/apply_client.h"

#include <errno.h>
#include <syslog.h>

static int write_state(struct snapshot *s, struct error *err)
{
    return local_state_write(s->place->state_dir, &s->local, err);
}

/* The state file is there before the announcement, see local_state_look(). */
static int announce(struct snapshot *s, const struct rolling *turn, struct error *err)
{
    int rc = write_state(s, err);
    return rc < 0 || s->wanted.settings.log_parallel ? rc : claim_apply(s, turn, err);
}

static int end_attempt(struct snapshot *s, const struct apply_result *result, struct error *err)
{
    local_state_end(&s->local, result->done, result->rollback_failed, result->reason);
    local_state_name_target(&s->local, s->wanted.revision, &s->wanted.settings);
    program_log(result->done ? LOG_NOTICE : LOG_ERR, "revision %.*s %s%s%s", SETTINGS_SHORT,
                s->wanted.revision, result->done ? "is in force" : "failed",
                result->reason[0] ? ": " : "", result->reason);
    return write_state(s, err);
}

static int hand_over(struct snapshot *s, const char *request, struct error *err)
{
    struct apply_result result = {0};
    const struct place *place = s->place;
    local_state_begin(&s->local, s->wanted.revision);
    int rc = write_state(s, err);
    if (rc == 0)
        rc = apply_client_run(place->config_dir, place->state_dir, request, s->wanted.revision,
                              &result, err);
    return rc < 0 ? rc : end_attempt(s, &result, err);
}

/* No later attempt can do better, so this one has failed. */
static int give_up(struct snapshot *s, const struct error *why, struct error *err)
{
    struct apply_result result = {0};
    text_copy(result.reason, sizeof result.reason, why->text);
    local_state_begin(&s->local, s->wanted.revision);
    return end_attempt(s, &result, err);
}

int attempt_run(struct snapshot *s, const struct rolling *turn, struct error *err)
{
    char *request = NULL;
    struct error why = {0};
    int rc = apply_protocol_format_request(&s->wanted.entries, s->place->settings_root, &request,
                                           &why);
    if (rc == -EBADMSG || rc == -EMSGSIZE)
        return give_up(s, &why, err);
    if (rc < 0)
        return error_set(err, rc, "%s", why.text);
    if (turn)
        rc = announce(s, turn, err);
    if (rc == 0)
        rc = hand_over(s, request, err);
    cJSON_free(request);
    return rc;
}
