#include "rollout/claim.h"

#include <errno.h>
#include <stdio.h>

/* turn NULL: on no other condition than that the own record is as it was read. */
static int write_record(struct consul *consul, const struct logging_record *record,
                        const struct turn *turn, const struct survey *s,
                        struct error *err)
{
    char key[sizeof LOGGING_PREFIX + SETTINGS_NAME];
    char *text = logging_format(record);
    if (!text)
        return error_set(err, -ENOMEM, "out of memory");
    (void)snprintf(key, sizeof key, "%s%s", LOGGING_PREFIX, s->node);
    int rc = turn ? consul_kv_write_if(consul, key, text, s->own_index, turn->check,
                                       turn->checks, err)
                  : consul_kv_write(consul, key, text, s->own_index, err);
    cJSON_free(text);
    return rc;
}

int announce_truth(struct consul *consul, const struct survey_place *place,
                   const struct ledger *ledger, struct survey *s, struct error *err)
{
    struct logging_record own;
    const struct logging_record *published = survey_published(s);
    ledger_record(ledger, s->node, &own);
    if (published && logging_same(&own, published))
        return 0;
    int rc = write_record(consul, &own, NULL, s, err);
    return rc < 0 ? rc : survey_records(consul, place, CONSUL_DEFAULT, s, err);
}

static void judge(const struct survey *s, const struct ledger *ledger, bool retry,
                  struct turn *ret)
{
    struct logging_record own;
    struct turn_facts facts;
    survey_facts(s, ledger, retry, &own, &facts);
    turn_judge(&facts, ret);
}

int announce_look(struct consul *consul, const struct survey_place *place,
                  struct ledger *ledger, bool retry, struct survey *s, struct turn *ret,
                  struct error *err)
{
    *ret = (struct turn){.state = TURN_FINISHED};
    if (s->wanted[0] && s->settings.log_parallel) {
        ledger_look(ledger, s->wanted, s->refusal, NULL);
        judge(s, ledger, retry, ret);
        if (ret->state == TURN_APPLY)
            return 0;
    }
    int rc = survey_records(consul, place, CONSUL_DEFAULT, s, err);
    if (rc < 0)
        return rc;
    ledger_look(ledger, s->wanted, s->refusal, survey_published(s));
    if (!s->wanted[0])
        return 0;
    judge(s, ledger, retry, ret);
    if (ret->state != TURN_PUBLISH)
        return 0;
    rc = announce_truth(consul, place, ledger, s, err);
    if (rc == 0)
        judge(s, ledger, retry, ret);
    return rc;
}

/* Somebody without a record could not be checked: look whether he was earlier. */
static int look_again(struct consul *consul, const struct survey_place *place,
                      const struct ledger *ledger, struct survey *s, struct error *err)
{
    struct logging_record own;
    struct turn_facts facts;
    char name[SETTINGS_NAME + 1];
    int rc = survey_records(consul, place, CONSUL_DEFAULT, s, err);
    if (rc < 0)
        return rc;
    survey_facts(s, ledger, false, &own, &facts);
    const char *rival = turn_rival(&facts, s->own_index);
    if (!rival)
        return 0;
    (void)snprintf(name, sizeof name, "%s", rival); /* goes with the next reading */
    rc = announce_truth(consul, place, ledger, s, err);
    return rc < 0 ? rc : error_set(err, -ESTALE, "%s began a moment earlier", name);
}

int announce_apply(struct consul *consul, const struct survey_place *place,
                   const struct ledger *ledger, const struct turn *turn,
                   struct survey *s, struct error *err)
{
    struct logging_record own = {.state = LOGGING_APPLYING};
    (void)snprintf(own.revision, sizeof own.revision, "%s", s->wanted);
    int rc = write_record(consul, &own, turn, s, err);
    if (rc == 0 && turn->unseen)
        rc = look_again(consul, place, ledger, s, err);
    return rc;
}
