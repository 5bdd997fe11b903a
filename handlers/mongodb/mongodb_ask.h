/* SPDX-License-Identifier: MIT */
/* mongodb_ask.h: ask MongoDBs, over libmongoc; the only module that sees it. It is built where
 * libmongoc is installed, and linked by verify-mongodb alone.
 *
 * Each server is asked on connections of its own, directly, as nobody in particular and, with a
 * credential, as its user; nothing is changed there. What answers is not trusted. */
#ifndef MONGODB_ASK_H
#define MONGODB_ASK_H

#include "base/error.h"
#include "mongodb/mongodb_answer.h"
#include "settings/credential.h"
#include "settings/setting_value.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

/* What one server said. All-zero is empty; mongodb_said_release() frees. */
struct mongodb_said {
    struct mongodb_answer answer; /* but for node, local and the certificate */
    cJSON *status;                /* of replSetGetStatus and replSetGetConfig; NULL none */
    cJSON *config;
};

/* Ask n servers side by side, for at most limit_ms in all: who has not answered by then has not
 * answered. Call it once: what hangs is left behind.
 *
 * credential  NULL none. With a user and no "ca" the system's CAs are trusted; without credential
 *             certificates are not looked at, for no secret is sent
 * Returns 0 with ret[n] filled in, -ENOMEM or -EAGAIN when it cannot be begun. */
MUST_CHECK int mongodb_ask_all(const struct host_port *servers, size_t n,
                               const struct credential *credential, int64_t limit_ms,
                               struct mongodb_said *ret, struct error *err);

void mongodb_said_release(struct mongodb_said *said);

#endif
