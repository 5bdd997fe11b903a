/* SPDX-License-Identifier: MIT */
/* redact.h: keep a credential's secrets out of texts and records. Pure.
 *
 * What gives it away is password and API key as they are, with the escapes of JSON,
 * RainerScript and Beats, once and twice, and in base64, alone or with the user. */
#ifndef REDACT_H
#define REDACT_H

#include "base/buffer.h"
#include "base/error.h"
#include "settings/credential.h"

#include <stdbool.h>
#include <stddef.h>

#define REDACT_FORMS 12
#define REDACT_FORM  (CREDENTIAL_SECRET * 4) /* bytes: escaped twice */

/* The forms of one credential, each at most once, a longer one before what is in it. Holds
 * secrets: wipe it with redact_release(). All-zero is none. */
struct redact {
    char form[REDACT_FORMS][REDACT_FORM];
    size_t n;
};

void redact_begin(struct redact *redact, const struct credential *credential);
void redact_release(struct redact *redact);

/* Overwrite each form with '*', in place. Returns whether there was any. */
bool redact_record(const struct redact *redact, char *record, size_t len);

/* Replace each form by "***". The text comes from somebody else and may have been cut: a
 * beginning of four or more bytes at its end goes, too. */
void redact_text(const struct credential *credential, struct buffer *text);
void redact_error(const struct credential *credential, struct error *err);

#endif
