/* SPDX-License-Identifier: MIT */
/* effective.h: the settings in force, and whether the LOG_ set may be used.
 *
 * The one place where what KV holds is put under the policy's pins, parsed, judged by the
 * policy, and given its revision. Pure; no libcurl, so that apply-logging can use it. */
#ifndef EFFECTIVE_H
#define EFFECTIVE_H

#include "settings/policy.h"
#include "settings/settings.h"

enum effective_log {
    EFFECTIVE_NONE,      /* there are no LOG_ settings */
    EFFECTIVE_REJECTED,  /* a value is wrong */
    EFFECTIVE_FORBIDDEN, /* the policy forbids one */
    EFFECTIVE_ALLOWED    /* usable, once effective_service() is false */
};

struct effective {
    enum effective_log log;
    struct error why;         /* REJECTED: of the first of them; FORBIDDEN; else "" */
    char revision[KV_DIGEST]; /* FORBIDDEN and ALLOWED: of the set; else "" */
};

/* list: full keys below root; the pinned values are put into it. ret: as settings_parse()
 * fills it. Returns 0 (whatever the judgement is), -ENOMEM or -ENAMETOOLONG. */
MUST_CHECK int effective_judge(const struct policy *policy, const char *root, struct kv_list *list,
                               struct settings *ret, struct effective *ret_log, struct error *err);

/* Are the URLs still to be found, as the instances of s->log_service? Put them into the list
 * and judge again. */
bool effective_service(const struct settings *s);

/* SHA-256 in hex over the LOG_ settings that change what is rendered, normalised, so that
 * equal meanings give equal revisions on every server. What is not set and has no default
 * does not count: older programs, which do not know it, agree. Of an N set it covers only
 * LOG_ENABLED=N. Must not be called with log_rejects > 0. */
MUST_CHECK int effective_revision(const struct settings *s, char ret[KV_DIGEST], struct error *err);

/* SHA-256 in hex over the LOG_ settings of the table as KV has them, keys and values. Keys that
 * nobody knows do not count: they change nothing, so they start nothing. */
MUST_CHECK int effective_digest(const struct kv_list *list, const char *root, char ret[KV_DIGEST],
                                struct error *err);

#endif
