/* SPDX-License-Identifier: MIT */
#include "shipper/mustache.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One tag. Offsets are bytes from the beginning of the template. */
struct tag {
    char kind;       /* '#' '^' '/' '!', 'v' {{X}}, 'w' {{{X}}}, 0: no more tags */
    size_t begin;    /* of its "{{" */
    size_t text_end; /* where the text before it ends */
    size_t next;     /* where the text after it begins */
    const char *name;
    size_t name_len;
};

struct frame {
    struct tag open;
    struct mustache_value *value;
    size_t body;   /* where its contents begin */
    size_t round;  /* which item */
    size_t rounds; /* at least 1: what is not rendered is checked all the same */
    bool active;   /* rendered, not only checked */
};

struct render {
    struct mustache_template in;
    struct mustache_value *values;
    size_t n;
    struct buffer *out;
    struct error *err;
    struct frame frame[MUSTACHE_DEPTH];
    size_t depth;
};

static size_t line_of(const struct render *r, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += r->in.text[i] == '\n';
    return line;
}

static int fail_tag(const struct render *r, const struct tag *tag, const char *what)
{
    return error_set(r->err, -EINVAL, "%s:%zu: %s %.*s", r->in.file, line_of(r, tag->begin), what,
                     (int)(tag->name_len > 60 ? 60 : tag->name_len), tag->name);
}

static int fail_at(const struct render *r, size_t at, const char *what)
{
    return error_set(r->err, -EINVAL, "%s:%zu: %s", r->in.file, line_of(r, at), what);
}

/* ---- reading tags -------------------------------------------------------- */

static size_t find_text(const struct render *r, size_t from, const char *what)
{
    const char *hit = memmem(r->in.text + from, r->in.len - from, what, strlen(what));
    return hit ? (size_t)(hit - r->in.text) : r->in.len;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Is the tag alone on its line(s)? Then the line goes with it. */
static void take_line(const struct render *r, struct tag *tag)
{
    size_t begin = tag->begin;
    size_t end = tag->next;
    while (begin > 0 && is_blank(r->in.text[begin - 1]))
        begin--;
    if (begin > 0 && r->in.text[begin - 1] != '\n')
        return;
    while (end < r->in.len && is_blank(r->in.text[end]))
        end++;
    if (end + 1 < r->in.len && r->in.text[end] == '\r' && r->in.text[end + 1] == '\n')
        end++;
    if (end < r->in.len && r->in.text[end] != '\n')
        return;
    tag->text_end = begin;
    tag->next = end < r->in.len ? end + 1 : end;
}

static bool is_name(const char *name, size_t len)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (len == 1 && *name == '.')
        return true;
    for (size_t i = 0; i < len; i++) {
        if (!memchr(set, name[i], sizeof set - 1))
            return false;
    }
    return len > 0;
}

static int read_name(const struct render *r, struct tag *tag, size_t from, size_t to)
{
    while (from < to && strchr(" \t\r\n", r->in.text[from]))
        from++;
    while (to > from && strchr(" \t\r\n", r->in.text[to - 1]))
        to--;
    tag->name = r->in.text + from;
    tag->name_len = to - from;
    if (!is_name(tag->name, tag->name_len))
        return fail_tag(r, tag, "not a name:");
    return 0;
}

static int not_supported(const struct render *r, size_t at, char first)
{
    const char *what = "block or dynamic name";
    if (first == '>')
        what = "partial";
    else if (first == '=')
        what = "set delimiters";
    else if (first == '&')
        what = "unescaped; numbers and enumerations: {{{X}}}";
    return error_set(r->err, -EINVAL, "%s:%zu: {{%c (%s) is not supported", r->in.file,
                     line_of(r, at), first, what);
}

/* The tag's kind by its first byte, and what closes it. */
static int read_kind(const struct render *r, struct tag *tag, const char **ret_close)
{
    size_t at = tag->begin + 2;
    char first = 'v';
    if (at < r->in.len && r->in.text[at])
        first = r->in.text[at];
    *ret_close = "}}";
    tag->kind = 'v';
    if (strchr(">=<$&*", first))
        return not_supported(r, at, first);
    if (strchr("#^/!", first))
        tag->kind = first;
    if (first == '{') {
        tag->kind = 'w';
        *ret_close = "}}}";
    }
    return 0;
}

/* Find the next tag at or after `from`. */
static int next_tag(const struct render *r, size_t from, struct tag *tag)
{
    const char *close = NULL;
    *tag = (struct tag){.begin = find_text(r, from, "{{"), .name = ""};
    tag->text_end = tag->begin;
    tag->next = tag->begin;
    if (tag->begin == r->in.len)
        return 0;
    int rc = read_kind(r, tag, &close);
    if (rc < 0)
        return rc;
    size_t name = tag->begin + (tag->kind == 'v' ? 2 : 3);
    size_t end = find_text(r, name, close);
    if (end == r->in.len)
        return fail_at(r, tag->begin, "tag is not closed");
    tag->next = end + strlen(close);
    if (tag->kind != 'v' && tag->kind != 'w')
        take_line(r, tag);
    return tag->kind == '!' ? 0 : read_name(r, tag, name, end);
}

/* ---- rendering ----------------------------------------------------------- */

static bool active(const struct render *r)
{
    return r->depth == 0 || r->frame[r->depth - 1].active;
}

static int emit(const struct render *r, const char *bytes, size_t n)
{
    int rc = active(r) ? buffer_append(r->out, bytes, n) : 0;
    if (rc == -EMSGSIZE)
        return error_set(r->err, rc, "%s: output is longer than %zu bytes", r->in.file,
                         r->out->limit);
    return rc < 0 ? error_set(r->err, rc, "out of memory") : 0;
}

/* ---- secrets ------------------------------------------------------------- */

/* YAML and TOML have no variables, but who reads them may. */
static bool takes(enum mustache_language language, char c)
{
    bool dollars = language == MUSTACHE_RAINERSCRIPT || language == MUSTACHE_BEATS;
    return text_printable(c) == c && (c != '$' || dollars);
}

static int emit_escaped(const struct render *r, const struct tag *tag, const char *text)
{
    int rc = 0;
    for (const char *c = text; rc == 0 && active(r) && *c; c++) {
        const char pair[] = {(char)(*c == '$' ? '$' : '\\'), *c, '\0'};
        bool twice = *c == '"' || *c == '\\' || (*c == '$' && r->in.language == MUSTACHE_BEATS);
        if (!takes(r->in.language, *c)) {
            (void)fail_tag(r, tag, "forbidden byte ($) in the secret");
            return -EILSEQ;
        }
        rc = emit(r, twice ? pair : pair + 1, twice ? 2 : 1);
    }
    return rc;
}

/* Does the string that begins at `quote` come after NAME= in the parentheses of something
 * that is not constant()? */
static bool is_parameter(const struct render *r, size_t quote)
{
    static const char word[] = "constant";
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.";
    if (quote < 2 || r->in.text[quote] != '"' || r->in.text[quote - 1] != '=')
        return false;
    size_t equals = quote - 1, name = equals;
    while (name > 0 && memchr(letters, r->in.text[name - 1], sizeof letters - 1))
        name--;
    size_t open = name;
    while (open > 0 && r->in.text[open - 1] != '(' && r->in.text[open - 1] != ')')
        open--;
    if (name == equals || open == 0 || r->in.text[open - 1] == ')' ||
        (name > open && !strchr(" \t\n", r->in.text[name - 1])))
        return false;
    open--;
    while (open > 0 && is_blank(r->in.text[open - 1]))
        open--;
    return open < sizeof word - 1 ||
           strncasecmp(r->in.text + open - (sizeof word - 1), word, sizeof word - 1) != 0;
}

/* The last double quote before the tag in its line, or what is no quote. */
static size_t quote_before(const struct render *r, const struct tag *tag)
{
    size_t at = tag->begin;
    while (at > 0 && r->in.text[at - 1] != '"' && r->in.text[at - 1] != '\n')
        at--;
    return at > 0 ? at - 1 : 0;
}

static int check_place(const struct render *r, const struct tag *tag)
{
    if (!r->in.private)
        return fail_tag(r, tag, "nobody else may read a file with secrets (\"mode\"):");
    bool before = tag->begin > 0 && r->in.text[tag->begin - 1] == '"';
    bool behind = tag->next < r->in.len && r->in.text[tag->next] == '"';
    if (r->in.language != MUSTACHE_RAINERSCRIPT)
        return before && behind ? 0 : fail_tag(r, tag, "a secret must be between double quotes:");
    if (!is_parameter(r, quote_before(r, tag)))
        return fail_tag(r, tag,
                        "a secret must be in a parameter, name=\"...\", not of constant():");
    return 0;
}

static int emit_stored(const struct render *r, const struct tag *tag, const char *text)
{
    if (!*text)
        return 0;
    if (r->in.language != MUSTACHE_BEATS)
        return fail_tag(r, tag, "only Beats have a keystore:");
    int rc = emit(r, "${", 2);
    if (rc == 0)
        rc = emit(r, text, strlen(text));
    return rc < 0 ? rc : emit(r, "}", 1);
}

/* ---- values -------------------------------------------------------------- */

static int emit_value(const struct render *r, const struct tag *tag, struct mustache_value *value,
                      const char *text)
{
    bool secret = value->kind == MUSTACHE_SECRET || value->kind == MUSTACHE_STORED;
    int rc = secret ? check_place(r, tag) : 0;
    if (rc < 0)
        return rc;
    if (active(r))
        value->used = true;
    if (value->kind == MUSTACHE_SECRET)
        return emit_escaped(r, tag, text);
    if (active(r) && !text_all_pass(text)) {
        (void)fail_tag(r, tag, "forbidden byte in the value of");
        return -EILSEQ;
    }
    return secret ? emit_stored(r, tag, text) : emit(r, text, strlen(text));
}

static struct mustache_value *look_up(const struct render *r, const struct tag *tag)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strlen(r->values[i].name) == tag->name_len &&
            strncmp(r->values[i].name, tag->name, tag->name_len) == 0)
            return &r->values[i];
    }
    return NULL;
}

/* {{.}}: the item of the innermost list. */
static int emit_item(const struct render *r, const struct tag *tag)
{
    if (tag->kind == 'w')
        return fail_tag(r, tag, "{{{ }}} is only for numbers and enumerations:");
    for (size_t i = r->depth; i-- > 0;) {
        const struct frame *f = &r->frame[i];
        if (f->open.kind == '#')
            return emit_value(r, tag, f->value, f->value->n ? f->value->items[f->round] : "");
    }
    return fail_tag(r, tag, "no section around");
}

static int emit_variable(const struct render *r, const struct tag *tag)
{
    if (*tag->name == '.')
        return emit_item(r, tag);
    struct mustache_value *value = look_up(r, tag);
    if (!value)
        return fail_tag(r, tag, "unknown name");
    if (value->kind == MUSTACHE_LIST)
        return fail_tag(r, tag, "a list needs a section:");
    if (tag->kind == 'w' && value->kind != MUSTACHE_WORD)
        return fail_tag(r, tag, "{{{ }}} is only for numbers and enumerations:");
    return emit_value(r, tag, value, value->items[0]);
}

static size_t count(const struct mustache_value *value)
{
    if (value->kind == MUSTACHE_LIST)
        return value->n;
    return *value->items[0] ? 1 : 0;
}

static int open_section(struct render *r, const struct tag *tag)
{
    struct mustache_value *value = look_up(r, tag);
    if (!value)
        return fail_tag(r, tag, "unknown name");
    if (r->depth == MUSTACHE_DEPTH)
        return fail_tag(r, tag, "sections are nested too deeply:");
    size_t n = count(value);
    bool rendered = active(r) && (tag->kind == '#') == (n > 0);
    r->frame[r->depth++] = (struct frame){
        .open = *tag,
        .value = value,
        .body = tag->next,
        .rounds = rendered && tag->kind == '#' ? n : 1,
        .active = rendered,
    };
    return 0;
}

/* Returns where to go on: after the section, or at its beginning for the next item. */
static int close_section(struct render *r, const struct tag *tag, size_t *ret_next)
{
    struct frame *f = r->depth > 0 ? &r->frame[r->depth - 1] : NULL;
    if (!f)
        return fail_tag(r, tag, "no section is open:");
    if (f->open.name_len != tag->name_len || strncmp(f->open.name, tag->name, tag->name_len) != 0)
        return fail_tag(r, &f->open, "section is not closed:");
    if (++f->round < f->rounds) {
        *ret_next = f->body;
        return 0;
    }
    r->depth--;
    return 0;
}

static int step(struct render *r, const struct tag *tag, size_t *ret_next)
{
    switch (tag->kind) {
    case '#':
    case '^':
        return open_section(r, tag);
    case '/':
        return close_section(r, tag, ret_next);
    case 'v':
    case 'w':
        return emit_variable(r, tag);
    default:
        return 0;
    }
}

int mustache_render(const struct mustache_template *template, struct mustache_value *values,
                    size_t n, struct buffer *out, struct error *err)
{
    struct render r = {.in = *template, .values = values, .n = n, .out = out, .err = err};
    struct tag tag = {0};
    size_t at = 0;
    do {
        int rc = next_tag(&r, at, &tag);
        if (rc == 0)
            rc = emit(&r, template->text + at, tag.text_end - at);
        at = tag.next;
        if (rc == 0)
            rc = step(&r, &tag, &at);
        if (rc < 0)
            return rc;
    } while (tag.kind);
    if (r.depth > 0)
        return fail_tag(&r, &r.frame[r.depth - 1].open, "section is not closed:");
    return 0;
}
