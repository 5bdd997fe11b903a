/* SPDX-License-Identifier: MIT */
/* finding.h: what cluster:security can find, as a table of names; and how findings, and those of
 * them that an admin accepts, become a verdict. Pure. */
#ifndef FINDING_H
#define FINDING_H

#include "base/buffer.h"
#include "base/error.h"
#include "check/verdict.h"
#include "settings/settings.h"

#include <stddef.h>

/* The worst first: in this order they are shown. What could not be looked at comes last. */
enum finding_kind {
    FINDING_ANONYMOUS_WRITE,
    FINDING_GOSSIP_KNOWN_KEY,
    FINDING_PROGRAM_WORLD_WRITABLE,
    FINDING_CONFIG_WORLD_WRITABLE,
    FINDING_GOSSIP_PLAINTEXT,
    FINDING_GOSSIP_UNVERIFIED,
    FINDING_ACL_OFF,
    FINDING_ACL_DEFAULT_ALLOW,
    FINDING_RPC_OUTGOING,
    FINDING_RPC_INCOMING,
    FINDING_RPC_HOSTNAME,
    FINDING_HTTP_PLAINTEXT,
    FINDING_HTTPS_ANY_CLIENT,
    FINDING_SCRIPTS_REMOTE,
    FINDING_REMOTE_EXEC,
    FINDING_DEV_MODE,
    FINDING_DEBUG,
    FINDING_MIN_QUORUM,
    FINDING_ELASTICSEARCH_PLAINTEXT,
    FINDING_ELASTICSEARCH_NO_USER,
    FINDING_CERTIFICATE_EXPIRED,
    FINDING_CERTIFICATE_EARLY,
    FINDING_CERTIFICATE_EXPIRES,
    FINDING_PROGRAM_WRITABLE,
    FINDING_CONFIG_WRITABLE,
    FINDING_SECRET_READABLE,
    FINDING_ANONYMOUS_UNKNOWN,
    FINDING_GOSSIP_KEY_UNKNOWN,
    FINDING_AGENT_UNKNOWN,
    FINDING_MIN_QUORUM_UNKNOWN,
    FINDING_FILES_UNKNOWN,
    FINDING_CERTIFICATE_UNKNOWN,
    FINDING_KINDS
};

struct finding_row {
    const char *name; /* what SECURITY_ACCEPTED has, [a-z-] */
    enum verdict_status status;
    const char *why; /* why it matters; begins with a small letter, no full stop */
};

/* Borrowed, static. */
const struct finding_row *finding_row(enum finding_kind kind);

struct finding {
    enum finding_kind kind;
    char what[240];   /* what was seen: "gossip is not encrypted" */
    char repair[360]; /* the lines or the command that repair it; "" none */
};

#define FINDINGS_MOST 48

/* All-zero: none. Holds no heap memory. */
struct findings {
    struct finding found[FINDINGS_MOST];
    size_t n;
    size_t more; /* so many did not fit */
};

/* Add one; the repair is said by the second, which belongs to the one that was added last. */
void finding_add(struct findings *findings, enum finding_kind kind, const char *fmt, ...)
    FORMAT(3, 4);
void finding_repair(struct findings *findings, const char *fmt, ...) FORMAT(2, 3);

/* The verdict: the worst finding that is not accepted is its first line; accepted ones are only
 * listed. A name in s->security_accepted that no finding has, and what is wrong with other
 * SECURITY_ settings, is said and a warning. */
void findings_judge(const struct findings *findings, const struct settings *s, struct verdict *v);

/* All names as a Markdown table: name, status, why. Returns 0, -EMSGSIZE or -ENOMEM. */
MUST_CHECK int finding_print_table(struct buffer *out);

#endif
