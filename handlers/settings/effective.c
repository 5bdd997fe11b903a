#include "settings/effective.h"

#include <errno.h>

static int judge_log(const struct policy *policy, const struct settings *s, struct effective *ret,
                     struct error *err)
{
    if (!s->log_present)
        return 0;
    for (size_t i = 0; i < s->rejects && ret->log == EFFECTIVE_NONE; i++) {
        if (s->reject[i].group != GROUP_LOG)
            continue;
        ret->log = EFFECTIVE_REJECTED;
        (void)error_set(&ret->why, -EINVAL, "%s", s->reject[i].text);
    }
    if (ret->log == EFFECTIVE_REJECTED)
        return 0;
    ret->log = policy_judge(policy, s, &ret->why) < 0 ? EFFECTIVE_FORBIDDEN : EFFECTIVE_ALLOWED;
    return settings_revision(s, ret->revision, err);
}

int effective_judge(const struct policy *policy, const char *root, struct kv_list *list,
                    struct settings *ret, struct effective *ret_log, struct error *err)
{
    *ret_log = (struct effective){.log = EFFECTIVE_NONE};
    int rc = policy_pin(policy, root, list, err);
    if (rc < 0)
        return rc;
    settings_parse(list, root, ret);
    return judge_log(policy, ret, ret_log, err);
}

bool effective_service(const struct settings *s)
{
    return s->log_present && s->log_rejects == 0 && s->log_enabled && s->log_service[0];
}
