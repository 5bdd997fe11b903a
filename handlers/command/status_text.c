/* SPDX-License-Identifier: MIT */
#include "command/status_text.h"

#include "check/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WIDTH    80
#define NODE_MIN 6
#define ROLE     8 /* columns */
#define BUILD    8
#define GREEN    "\x1b[32m"
#define YELLOW   "\x1b[33m"
#define RED      "\x1b[31m"
#define PLAIN    "\x1b[0m"

/* How it is laid out. */
struct layout {
    bool shown[STATUS_CHECKS]; /* a column */
    int server, node;          /* columns; server 0: nobody is in a mapping */
    bool colour;
};

/* ---- what is shown ------------------------------------------------------- */

/* What is judged here and now is truer than what is published. */
static int code_of(const struct status_view *view, const struct status_server *s, size_t check)
{
    const struct status_verdict *v = &view->verdict[check];
    return s->own && v->judged ? v->code : s->check[check];
}

static int widest(int a, size_t b)
{
    return (int)b > a ? (int)b : a;
}

static int check_width(size_t check)
{
    return widest(4, strlen(status_checks[check].head));
}

static void lay_out(const struct status_view *view, bool colour, struct layout *ret)
{
    int left = WIDTH - ROLE - 1 - BUILD;
    int longest = NODE_MIN;
    *ret = (struct layout){.colour = colour};
    for (size_t i = 0; i < view->n; i++) {
        const struct status_server *s = &view->server[i];
        ret->server = widest(ret->server, strlen(s->server));
        longest = widest(longest, strlen(s->node));
        for (size_t k = 0; k < STATUS_CHECKS; k++)
            ret->shown[k] |= code_of(view, s, k) != STATUS_NONE;
    }
    for (size_t k = 0; k < STATUS_CHECKS; k++)
        left -= ret->shown[k] ? check_width(k) + 1 : 0;
    left -= ret->server ? ret->server + 2 : 1;
    ret->node = longest < left ? longest : left;
}

/* ---- the table ----------------------------------------------------------- */

/* A name in so many columns; one that is longer ends in '~'. */
static int put_name(struct buffer *out, const char *name, int width)
{
    const int len = (int)strlen(name);
    if (len <= width)
        return buffer_printf(out, "%-*s ", width, name);
    return buffer_printf(out, "%.*s~ ", width - 1, name);
}

static int put_code(struct buffer *out, const struct layout *l, int code, int width)
{
    static const struct {
        const char *word, *colour;
    } as[] = {{"ok", GREEN}, {"WARN", YELLOW}, {"CRIT", RED}};
    if (code < VERDICT_PASSING || code > VERDICT_CRITICAL)
        return buffer_printf(out, " %-*s", width, "?");
    return buffer_printf(out, " %s%-*s%s", l->colour ? as[code].colour : "", width, as[code].word,
                         l->colour ? PLAIN : "");
}

static int put_heads(struct buffer *out, const struct layout *l)
{
    int rc = l->server ? put_name(out, "server", l->server) : 0;
    if (rc == 0)
        rc = put_name(out, "node", l->node);
    if (rc == 0)
        rc = buffer_printf(out, "%-*s %-*s", ROLE, "role", BUILD, "consul");
    for (size_t k = 0; rc == 0 && k < STATUS_CHECKS; k++)
        if (l->shown[k])
            rc = buffer_printf(out, " %-*s", check_width(k), status_checks[k].head);
    return rc < 0 ? rc : buffer_append(out, "\n", 1);
}

static int put_server(struct buffer *out, const struct layout *l, const struct status_view *view,
                      const struct status_server *s)
{
    int rc = l->server ? put_name(out, s->server[0] ? s->server : "-", l->server) : 0;
    if (rc == 0)
        rc = put_name(out, s->node, l->node);
    if (rc == 0)
        rc = buffer_printf(out, "%-*s %-*.*s", ROLE, status_role_name(s->role), BUILD, BUILD,
                           s->build[0] ? s->build : "?");
    for (size_t k = 0; rc == 0 && k < STATUS_CHECKS; k++)
        if (l->shown[k])
            rc = put_code(out, l, code_of(view, s, k), check_width(k));
    return rc < 0 ? rc : buffer_append(out, "\n", 1);
}

/* No blanks at the end of a line. */
static int put_table(struct buffer *out, const struct layout *l, const struct status_view *view)
{
    struct buffer line = BUFFER_INIT(out->limit);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i <= view->n; i++) {
        rc = i == 0 ? put_heads(&line, l) : put_server(&line, l, view, &view->server[i - 1]);
        size_t len = line.len > 0 ? line.len - 1 : 0;
        while (len > 0 && line.data[len - 1] == ' ')
            len--;
        if (rc == 0)
            rc = buffer_printf(out, "%.*s\n", (int)len, buffer_text(&line));
        buffer_release(&line);
        line = BUFFER_INIT(out->limit);
    }
    buffer_release(&line);
    return rc;
}

/* ---- words --------------------------------------------------------------- */

/* One sentence, wrapped as in a check. */
static int put_line(struct buffer *out, const char *fmt, ...) FORMAT(2, 3);
static int put_line(struct buffer *out, const char *fmt, ...)
{
    struct verdict wrapped = {.status = VERDICT_PASSING};
    char text[3 * STATUS_SAID];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    verdict_note(&wrapped, "%s", text);
    return buffer_printf(out, "%s", wrapped.details);
}

static int put_view(struct buffer *out, const struct status_view *view)
{
    char when[40];
    struct tm utc;
    const char *leader = NULL;
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&view->now, &utc));
    for (size_t i = 0; view->led && i < view->n; i++) {
        if (view->server[i].role == STATUS_LEADER)
            leader = view->server[i].node;
    }
    int rc = put_line(out, "seen from %s, %s: %s%s", view->node, when,
                      leader ? "the leader is " : "no leader is known", leader ? leader : "");
    if (rc == 0 && view->unreadable[0])
        rc = put_line(out, "the servers cannot be read: %s", view->unreadable);
    if (rc == 0 && view->uncatalogued[0])
        rc = put_line(out, "the checks of the others are not known: %s", view->uncatalogued);
    return rc;
}

/* "quorum: warning: ...", and what is below it as it is: it is wrapped already. */
static int put_verdict(struct buffer *out, const char *id, const struct status_verdict *v)
{
    const size_t len = strcspn(v->text, "\n");
    int rc = put_line(out, "%s: %.*s", strchr(id, ':') + 1, (int)len, v->text);
    return rc < 0 || !v->text[len] ? rc : buffer_printf(out, "%s", v->text + len + 1);
}

static int put_verdicts(struct buffer *out, const struct status_view *view)
{
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < STATUS_CHECKS; k++) {
        if (view->verdict[k].judged)
            rc = buffer_append(out, "\n", 1);
        if (rc == 0 && view->verdict[k].judged)
            rc = put_verdict(out, status_checks[k].id, &view->verdict[k]);
    }
    return rc;
}

/* Is it said above already, by what was judged here? */
static bool said_here(const struct status_view *view, size_t check, const char *said)
{
    const struct status_verdict *v = &view->verdict[check];
    const char *text = v->judged ? strchr(v->text, ':') : NULL;
    const size_t len = strlen(said);
    return text && strncmp(text + 1 + strspn(text + 1, " "), said, len) == 0;
}

/* Not passing, and not said yet? */
static bool is_news(const struct status_view *view, const struct status_server *s, size_t check)
{
    const bool judged = s->own && view->verdict[check].judged;
    return s->check[check] > VERDICT_PASSING && !judged && !said_here(view, check, s->said[check]);
}

static int put_news(struct buffer *out, const struct status_server *s, size_t check, bool first)
{
    int rc = first ? buffer_printf(out, "\nin the catalogue\n") : 0;
    return rc < 0
               ? rc
               : put_line(out, "%s, %s: %s: %s", s->node, strchr(status_checks[check].id, ':') + 1,
                          verdict_status_name((enum verdict_status)s->check[check]),
                          s->said[check]);
}

/* What other servers say. */
static int put_others(struct buffer *out, const struct status_view *view)
{
    bool first = true;
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < view->n * STATUS_CHECKS; at++) {
        const struct status_server *s = &view->server[at / STATUS_CHECKS];
        if (!is_news(view, s, at % STATUS_CHECKS))
            continue;
        rc = put_news(out, s, at % STATUS_CHECKS, first);
        first = false;
    }
    return rc;
}

int status_text(const struct status_view *view, bool colour, struct buffer *out)
{
    struct layout layout;
    if (!view->node[0])
        return put_line(out, "cannot look: %s", view->unreadable);
    lay_out(view, colour, &layout);
    int rc = put_view(out, view);
    if (rc == 0 && view->n > 0)
        rc = buffer_append(out, "\n", 1);
    if (rc == 0 && view->n > 0)
        rc = put_table(out, &layout, view);
    if (rc == 0)
        rc = put_verdicts(out, view);
    return rc < 0 ? rc : put_others(out, view);
}
