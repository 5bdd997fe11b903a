/* SPDX-License-Identifier: MIT */
/* credential.h: what lets a log shipper, or a question, into Elasticsearch.
 *
 * Files of root, which KV chooses by name only:
 *   <config-dir>/credentials/NAME.json       0640 root:lictor, to ship with (apply-logging)
 *   <config-dir>/credentials/NAME.read.json  0640 root:consul, to ask with (verify-logging)
 *
 * each an object with
 *
 *   user, password  basic authentication: both or none
 *   api_key         instead of them: "id:key", or its base64 (Elasticsearch's "encoded")
 *   keystore        instead of password, or of api_key where there is no user: the name under
 *                   which the log shipper's own keystore has it (Beats only)
 *   ca              file with the CA certificates to trust, absolute; none: the system's
 *   cert, key       client certificate and its key, absolute: both or none; these three are
 *                   not in this directory, which lictor-rsyslog.service hides from rsyslogd
 *   hosts           where it may be sent to, at least one entry as in policy.json's
 *                   "elasticsearch.hosts" (host.h)
 *   insecure_http   true: it may travel over http://, too
 *
 * A user is printable ASCII without ':' and without blanks at its ends, a password 6 to
 * 256 characters of printable ASCII (6 is Elasticsearch's own least). An unknown member
 * is refused by name. Texts never hold a secret. */
#ifndef CREDENTIAL_H
#define CREDENTIAL_H

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "net/host.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stddef.h>

#define CREDENTIAL_HOSTS  32
#define CREDENTIAL_SECRET 257 /* bytes of a user, a password or an API key with NUL */
#define CREDENTIAL_NAME   65  /* bytes of a name in a keystore: [A-Za-z0-9_]{1,64} */
#define CREDENTIAL_PATH   512

enum credential_use { CREDENTIAL_SHIP, CREDENTIAL_ASK };

/* Holds no heap memory: credential_release() wipes it. What is not there is "". */
struct credential {
    char path[CREDENTIAL_PATH]; /* the file, for texts */
    char user[CREDENTIAL_SECRET];
    char password[CREDENTIAL_SECRET];
    char api_key[CREDENTIAL_SECRET];     /* id:key */
    char encoded[CREDENTIAL_SECRET * 2]; /* its base64: "Authorization: ApiKey <encoded>" */
    char keystore[CREDENTIAL_NAME];
    char ca[CREDENTIAL_PATH];
    char cert[CREDENTIAL_PATH];
    char key[CREDENTIAL_PATH];
    char files[DIGEST_TEXT]; /* digest of what is in these three, "" without any: others than
                                before, although their names are the same? */
    char host[CREDENTIAL_HOSTS][HOST_TEXT];
    size_t hosts;
    bool insecure_http;
};

/* Read the file of that name (setting_value.h; it is checked again). File, ca, cert and key must
 * pass trust_path() and be readable for the running user; file and key not for everybody.
 * Returns 0; -EINVAL (name), -ENOENT (no such credential on this server), -EACCES (this user
 * cannot read it), -EPERM (others can write, or read, it), -EBADMSG (contents; a keystore to
 * ask with), ... with a text that names the file and what to do. On failure *ret is all zero. */
MUST_CHECK int credential_read(const char *config_dir, const char *name, enum credential_use use,
                               struct credential *ret, struct error *err);

/* Parse the text of a file (pure; path only for texts; ca, cert and key are not looked
 * at). Returns 0, -EBADMSG or -ENOMEM; on failure *ret is all zero. */
MUST_CHECK int credential_parse(const char *text, size_t len, const char *path,
                                struct credential *ret, struct error *err);

/* The same one member after the other: an all-zero credential gets its texts (user, password,
 * api_key, keystore, ca, cert, key), and is then judged as a whole. Returns 0; -EBADMSG with a
 * text that begins with the member; -ENOENT for another name; -ENOMEM. */
MUST_CHECK int credential_set(struct credential *credential, const char *name, const char *text,
                              struct error *err);
MUST_CHECK int credential_complete(struct credential *credential, struct error *err);

/* May it be sent to this URL (of settings, or resolved)? Returns 0, or -EPERM with what
 * refuses it: "host es9 is not among \"hosts\" in FILE". */
MUST_CHECK int credential_judge(const struct credential *credential, const char *url,
                                struct error *err);

/* The credential of these settings, judged by all their URLs; none named, or N: all zero.
 * Returns as credential_read() and credential_judge(), with a text that begins with the
 * setting: "LOG_ELASTICSEARCH_CREDENTIAL: there is no credential x on this server: ...".
 * -EACCES: this user may not read it, so cannot judge. */
MUST_CHECK int credential_choose(const char *config_dir, const struct settings *s,
                                 enum credential_use use, struct credential *ret,
                                 struct error *err);

/* Wipe it. All-zero is fine. */
void credential_release(struct credential *credential);

#endif
