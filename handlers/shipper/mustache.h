/* SPDX-License-Identifier: MIT */
/* mustache.h: configuration files from a subset of Mustache. Pure: no I/O.
 *
 *   {{X}}          a text; refuses every byte outside text_passes()'s set, so it
 *                  needs no escaping between double quotes. A secret is escaped, and
 *                  is only where its language knows how, see below
 *   {{{X}}}        a number or enumeration, where quotes are not wanted; else an error
 *   {{#X}}..{{/X}} a list: once per item, {{.}} is the item; a text: once unless empty
 *   {{^X}}..{{/X}} once when the list or text is empty
 *   {{! .. }}      a comment
 *
 * Section and comment tags that are alone on their line take the whole line with
 * them. A name that is not known is an error, also in a section that is not rendered.
 * Partials, set delimiters, blocks and {{&X}} are refused as not supported.
 * Source: github.com/mustache/spec, comments, interpolation, inverted, sections. */
#ifndef MUSTACHE_H
#define MUSTACHE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum mustache_kind {
    MUSTACHE_TEXT,
    MUSTACHE_WORD,   /* a number or enumeration: {{{X}}} may be used */
    MUSTACHE_SECRET, /* printable ASCII, escaped */
    MUSTACHE_STORED, /* name of a secret in the shipper's own keystore (Beats: ${NAME}) */
    MUSTACHE_LIST
};

/* What a name stands for. Everything else is borrowed for the call. */
struct mustache_value {
    const char *name; /* [A-Za-z0-9_]+ */
    enum mustache_kind kind;
    const char *const *items; /* n texts; all but LIST have exactly one */
    size_t n;
    bool used; /* out: it has been written */
};

/* The language of the output, and where a secret's tag is in it:
 *
 *   RAINERSCRIPT  NAME="...{{X}}...", a parameter of anything but constant(), which undoes
 *                 escapes a second time
 *   YAML, TOML    "{{X}}"; no '$' in it: who reads it may take it for a variable
 *   BEATS         YAML in which '$' is written "$$"
 *
 * In all of them \" and \\ stand for the two bytes that need it. */
enum mustache_language { MUSTACHE_RAINERSCRIPT, MUSTACHE_YAML, MUSTACHE_TOML, MUSTACHE_BEATS };

#define MUSTACHE_DEPTH 8 /* sections inside each other */

/* A template. Borrowed. */
struct mustache_template {
    const char *text;
    size_t len;
    const char *file; /* for texts: "rsyslog.conf.mustache:12: unknown name LOG_INDX" */
    enum mustache_language language;
    /* Nobody else may read the output; else secrets are refused, also where they are not
     * rendered. */
    bool private;
};

/* Render it and append the output to *out (its ceiling holds). Returns 0, -EINVAL the template is
 * wrong, -EILSEQ a value holds a forbidden byte,
 *         -EMSGSIZE the output passes its ceiling, -ENOMEM. On failure *out may hold
 *         a part. */
MUST_CHECK int mustache_render(const struct mustache_template *template,
                               struct mustache_value *values, size_t n, struct buffer *out,
                               struct error *err);

#endif
