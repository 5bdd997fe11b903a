/* SPDX-License-Identifier: MIT */
/* logging_verdict.h: what the check cluster:logging says of the servers' records. Pure. */
#ifndef LOGGING_VERDICT_H
#define LOGGING_VERDICT_H

#include "check/verdict.h"
#include "rollout/server_record.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything the judgement needs. Borrowed for the call. */
struct logging_facts {
    const struct settings *settings;     /* as wanted, pins applied */
    const char *refusal;                 /* why the set is refused as a whole, "" if it is not */
    const char *wanted;                  /* revision of the set, "" when refused or absent */
    const char *in_force;                /* revision in force on this server, "" none */
    const struct server_record *own;     /* what became of the last change here */
    bool rollback_failed;                /* the last apply could not restore the old files */
    const char *progress;                /* how far the rollout is (rolling.h) */
    bool held;                           /* it stands still for a reason that is no wait */
    const struct server_record *records; /* of the servers that count, own too */
    size_t n;
    const char *const *missing; /* names of servers that count but have no record */
    size_t n_missing;
    const char *large; /* which key below lictor/logging/ is too large, "" none */
    int64_t differ_ms; /* how long the servers have differed, -1: they do not */
};

#define LOGGING_PATIENCE_MS 60000 /* a difference this short is a change under way */

/* How many of them have the wanted revision in force? */
size_t logging_verdict_count(const struct logging_facts *facts);

/* Do all servers that count have the wanted revision in force? */
bool logging_verdict_agree(const struct logging_facts *facts);

void logging_verdict_judge(const struct logging_facts *facts, struct verdict *ret);

#endif
