/* SPDX-License-Identifier: MIT */
/* render.h: the text of a shipper's destination from settings, policy and definition.
 *
 * What a template can name (mustache.h):
 *
 *   REVISION                 text  revision of the settings, 64 hex digits
 *   LOG_INDEX                text
 *   LOG_LEVEL                word  least severe level that is shipped
 *   LOG_LEVELS_BELOW         list  the less severe ones, which are not shipped: each way to
 *                                  write them, in lower case
 *   LOG_NUMBERS_BELOW        list  the same as numbers (pino's and syslog's)
 *   LOG_ELASTICSEARCH_URLS   list  scheme://host:port, in the order of the setting
 *   LOG_ELASTICSEARCH_URL    text  the first of them, for languages whose lists
 *   LOG_ELASTICSEARCH_MORE   list  need commas, and the others
 *   LOG_FILES                list  globs of the chosen sources, none twice
 *   LOG_EXCEPT               list  paths not shipped, though a glob has them
 *   PROBE_FILE               text  the shipper's "probe", "" none
 *   ACCOUNT_FILE             text  the shipper's "account", "" none
 *   CREDENTIAL_USER          secret
 *   CREDENTIAL_PASSWORD      secret
 *   CREDENTIAL_API_KEY       secret  id:key
 *   CREDENTIAL_API_KEY_BASE64  secret  the same, encoded; not of a keystore
 *   CREDENTIAL_CA            text  files; like the secrets "" where there is none
 *   CREDENTIAL_CERT          text
 *   CREDENTIAL_KEY           text
 *   CREDENTIAL_FILES         text  digest of what is in them, for a comment: the shipper is
 *                                  to read them again when it changes
 *   <name>                   text  from the shipper's "variables"
 *
 * A path that one source excepts and another chosen source has is shipped. What the
 * credential has must be used: a template that does not would ship without it. */
#ifndef RENDER_H
#define RENDER_H

#include "base/buffer.h"
#include "base/error.h"
#include "settings/credential.h"
#include "settings/policy.h"
#include "settings/settings.h"
#include "shipper/shipper_config.h"

#define RENDER_MAX   (1 << 20) /* bytes of a destination */
#define RENDER_PATHS 128       /* globs, or excepted paths, of all chosen sources */

/* What is rendered: settings that effective_judge() allows, and their credential
 * (credential_choose()). Borrowed. */
struct render_input {
    const struct settings *settings;
    const struct policy *policy;
    const struct credential *credential;
    const char *revision;
};

/* Append the text to *out. Returns 0, -EINVAL or -EILSEQ (mustache.h), -ENOTSUP (the
 * template does not use all of the credential), -E2BIG, -EPERM (others can write the
 * template), ... */
MUST_CHECK int render_shipper(const struct shipper_config *shipper,
                              const struct render_input *input, struct buffer *out,
                              struct error *err);

#endif
