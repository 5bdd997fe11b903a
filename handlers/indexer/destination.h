/* SPDX-License-Identifier: MIT */
/* destination.h: where records go, as the log shipper's configuration has it. Pure. */
#ifndef DESTINATION_H
#define DESTINATION_H

#include "base/error.h"
#include "net/url.h"
#include "settings/credential.h"
#include "settings/redact.h"
#include "settings/setting_value.h"
#include "settings/settings.h"

#include <stddef.h>

#define DESTINATION_BYTES (1U << 29) /* most of one request */

struct destination {
    char url[SETTINGS_URLS][URL_TEXT];
    size_t urls; /* at least one */
    char index[SETTING_VALUE_INDEX];
    size_t bytes;                  /* of one request, about */
    char queue[CREDENTIAL_PATH];   /* queue.h: its directory */
    char account[CREDENTIAL_PATH]; /* account.h, "" none */
    char positions
        [CREDENTIAL_PATH]; /* where rsyslogd's imfile keeps how far it has read; "" unknown */
    struct credential credential; /* all zero: none. For these URLs: no hosts in it */
    uint64_t queue_disk;          /* bytes that the queue may take; 0 no limit */
    char **file;                  /* globs of what the shipper reads */
    size_t files;
    char **except; /* paths which it does not */
    size_t excepts;
    /* What no record may hold: who may write to a directory of logs can put a link there to the
     * log shipper's configuration, which the log shipper can read. */
    struct redact secrets;
};

/* Parse "name=value", separated by tabs: url (1 to SETTINGS_URLS times; url.h), index
 * (setting_value.h), bytes, queue (absolute), account and
 * positions (absolute, optional); queue_disk (bytes,
 * or with k, m, g or t, optional); file and
 * except (any number); user and password, or api_key (base64), or none; ca;
 * cert and key. An empty value is none. Returns 0, or -EINVAL with the name, -ENOMEM; texts
 * hold no value. On failure *ret is all zero. Wipe it with destination_release(). */
MUST_CHECK int destination_parse(const char *text, struct destination *ret, struct error *err);
void destination_release(struct destination *destination);

#endif
