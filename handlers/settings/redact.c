/* SPDX-License-Identifier: MIT */
#include "settings/redact.h"

#include "base/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART_MIN 4 /* bytes of a secret that was cut, which still tell something */

/* ---- the forms ----------------------------------------------------------- */

static void add_form(struct redact *redact, const char *form)
{
    for (size_t i = 0; i < redact->n; i++) {
        if (strcmp(redact->form[i], form) == 0)
            return;
    }
    if (strlen(form) >= PART_MIN && redact->n < REDACT_FORMS)
        (void)snprintf(redact->form[redact->n++], REDACT_FORM, "%s", form);
}

/* Put a backslash before every byte of `backslash`, double every byte of `doubled`. */
static void escape(const char *secret, const char *backslash, const char *doubled,
                   char ret[REDACT_FORM])
{
    size_t n = 0;
    for (const char *c = secret; *c && n + 3 < REDACT_FORM; c++) {
        if (strchr(backslash, *c))
            ret[n++] = '\\';
        if (strchr(doubled, *c))
            ret[n++] = *c;
        ret[n++] = *c;
    }
    ret[n] = '\0';
}

/* The padding says nothing, and not every tool writes it. */
static void add_base64(struct redact *redact, const char *secret)
{
    char *form = base64_encode(secret, strlen(secret));
    if (form) {
        form[strcspn(form, "=")] = '\0';
        add_form(redact, form);
        explicit_bzero(form, strlen(form));
    }
    free(form);
}

static void add_secret(struct redact *redact, const char *secret)
{
    char once[REDACT_FORM], form[REDACT_FORM];
    add_base64(redact, secret);
    escape(secret, "\"\\", "", once);
    escape(once, "\"\\", "", form);
    add_form(redact, form);
    escape(secret, "\"\\", "$", form);
    add_form(redact, form);
    add_form(redact, once);
    escape(secret, "\"\\/", "", form);
    add_form(redact, form);
    add_form(redact, secret);
    explicit_bzero(once, sizeof once);
    explicit_bzero(form, sizeof form);
}

void redact_begin(struct redact *redact, const struct credential *credential)
{
    char pair[2 * CREDENTIAL_SECRET];
    *redact = (struct redact){.n = 0};
    if (credential->password[0]) {
        (void)snprintf(pair, sizeof pair, "%s:%s", credential->user, credential->password);
        add_base64(redact, pair);
        add_secret(redact, credential->password);
    }
    if (credential->api_key[0]) {
        add_secret(redact, credential->api_key);
        add_secret(redact, strchr(credential->api_key, ':') + 1);
    }
    explicit_bzero(pair, sizeof pair);
}

void redact_release(struct redact *redact)
{
    explicit_bzero(redact, sizeof *redact);
}

/* ---- taking them out ----------------------------------------------------- */

bool redact_record(const struct redact *redact, char *record, size_t len)
{
    bool any = false;
    for (size_t i = 0; i < redact->n; i++) {
        const char *form = redact->form[i];
        size_t n = strlen(form);
        char *at = record, *found;
        while ((found = memmem(at, len - (size_t)(at - record), form, n))) {
            memset(found, '*', n);
            at = found + n;
            any = true;
        }
    }
    return any;
}

/* Cut `drop` bytes at `at` and put "***" in their place. */
static void replace(struct buffer *text, size_t at, size_t drop)
{
    memset(text->data + at, '*', 3);
    memmove(text->data + at + 3, text->data + at + drop, text->len - at - drop + 1);
    text->len -= drop - 3;
}

/* Everywhere, and where the end was cut off, its beginning. */
static void replace_form(struct buffer *text, const char *form)
{
    size_t len = strlen(form);
    for (size_t at = 0; at + len <= text->len; at++) {
        if (memcmp(text->data + at, form, len) == 0)
            replace(text, at, len);
    }
    for (size_t n = len - 1; n >= PART_MIN; n--) {
        if (n <= text->len && memcmp(text->data + text->len - n, form, n) == 0) {
            replace(text, text->len - n, n);
            return;
        }
    }
}

void redact_text(const struct credential *credential, struct buffer *text)
{
    struct redact redact;
    redact_begin(&redact, credential);
    for (size_t i = 0; text->data && i < redact.n; i++)
        replace_form(text, redact.form[i]);
    redact_release(&redact);
}

void redact_error(const struct credential *credential, struct error *err)
{
    struct buffer text = BUFFER_INIT(sizeof err->text);
    bool copied = buffer_append(&text, err->text, strlen(err->text)) == 0;
    redact_text(credential, &text);
    (void)snprintf(err->text, sizeof err->text, "%s",
                   copied ? buffer_text(&text) : "out of memory");
    buffer_wipe(&text);
}
