/* sender.h: bringing records into Elasticsearch, wherever the settings say. */
#ifndef SENDER_H
#define SENDER_H

#include "base/error.h"
#include "elasticsearch/elasticsearch.h"
#include "indexer/bulk.h"
#include "net/url.h"
#include "settings/credential.h"
#include "settings/setting_value.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_RECORDS 1024 /* most in one request */
#define SENDER_FORMS   4    /* of a secret: escaped twice, once, as it is; API key */
#define SENDER_TRUST   100  /* given up before another one must be taken */

/* Where to, as the log shipper's configuration has it. */
struct destination {
    char url[SETTINGS_URLS][URL_TEXT];
    size_t urls; /* at least one */
    char index[SETTING_VALUE_INDEX];
    size_t bytes;                 /* of one request, about */
    char spool[CREDENTIAL_PATH];  /* spool.h */
    struct credential credential; /* all zero: none. For these URLs: no hosts in it */
    char secret[SENDER_FORMS][4 * CREDENTIAL_SECRET]; /* what no record may hold */
};

/* Parse "name=value", separated by tabs: url (1 to SETTINGS_URLS times; url.h), index
 * (setting_value.h), bytes, spool (absolute); user and password, or api_key (base64), or none; ca;
 * cert and key. An empty value is none. Returns 0, or -EINVAL with the name, -ENOMEM; texts
 * hold no value. On failure *ret is all zero. Wipe it with destination_release(). */
MUST_CHECK int destination_parse(const char *text, struct destination *ret, struct error *err);
void destination_release(struct destination *destination);

/* Overwrite with '*' what a record holds of the credential's own password or API key: who may
 * write to a directory of logs can put a link there to the log shipper's configuration,
 * which the log shipper can read. Returns whether there was any. */
bool destination_blank(const struct destination *to, char *record, size_t len);

/* All-zero, but for `busy`, to begin with. */
struct sender {
    void (*busy)(void); /* called before each request, which may take limit_ms */
    struct http http;
    size_t at;    /* the URL which answered last */
    size_t most;  /* records of the next request; 0: not known yet */
    size_t trust; /* that the index takes records, and a stuck one is to blame itself */
};

/* What became of records that cannot stay as they are, since the caller last zeroed it. */
struct sender_losses {
    size_t as_text, given_up;
    char why[BULK_WHY]; /* the error type of the last */
};

/* Send what waits in *bulk. A stuck record is given up while the index takes others; when it
 * takes none, all wait. Returns 0 when nothing waits any more; -EAGAIN with a sentence when
 * the rest is to be sent again in a while; -ENOMEM. */
MUST_CHECK int sender_send(struct sender *sender, const struct destination *to, struct bulk *bulk,
                           const char *now, int64_t limit_ms, struct sender_losses *losses,
                           struct error *err);

/* What became of them in a sentence for syslog, in ret; false: there are none. */
bool sender_describe(const struct sender_losses *losses, const char *index, char *ret, size_t size);

/* End the connection. */
void sender_release(struct sender *sender);

#endif
