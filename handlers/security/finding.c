/* SPDX-License-Identifier: MIT */
#include "security/finding.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WARN VERDICT_WARNING
#define CRIT VERDICT_CRITICAL

static const struct finding_row rows[FINDING_KINDS] = {
    [FINDING_ANONYMOUS_WRITE] = {"anonymous-write", CRIT,
                                 "from there every setting and service can be changed"},
    [FINDING_GOSSIP_KNOWN_KEY] = {"gossip-known-key", CRIT,
                                  "whoever knows that page can join the cluster and forge gossip"},
    [FINDING_PROGRAM_WORLD_WRITABLE] = {"program-world-writable", CRIT,
                                        "who has an account here can put another one in its place"},
    [FINDING_CONFIG_WORLD_WRITABLE] = {"config-world-writable", CRIT,
                                       "who has an account here decides what Consul and we run"},
    [FINDING_GOSSIP_PLAINTEXT] = {"gossip-plaintext", WARN,
                                  "whoever is in this network can read it, forge it and join"},
    [FINDING_GOSSIP_UNVERIFIED] = {"gossip-unverified", WARN,
                                   "it is encrypted for nothing: forged plaintext works as well"},
    [FINDING_ACL_OFF] = {"acl-off", WARN,
                         "every user and program that reaches an agent may change everything"},
    [FINDING_ACL_DEFAULT_ALLOW] = {"acl-default-allow", WARN,
                                   "a token that was made for one thing may do all others"},
    [FINDING_RPC_OUTGOING] = {"rpc-outgoing", WARN,
                              "tokens and settings travel readable, to whoever answers"},
    [FINDING_RPC_INCOMING] = {"rpc-incoming", WARN,
                              "whoever reaches port 8300 can talk to this server as an agent"},
    [FINDING_RPC_HOSTNAME] = {"rpc-hostname", WARN,
                              "whoever has any agent's certificate can pose as a server"},
    [FINDING_HTTP_PLAINTEXT] = {"http-plaintext", WARN, "tokens travel readable to and from there"},
    [FINDING_HTTPS_ANY_CLIENT] = {"https-any-client", WARN,
                                  "every machine may try tokens; a stolen one is enough"},
    [FINDING_SCRIPTS_REMOTE] = {"scripts-remote", WARN,
                                "who may register a check there runs programs on this server"},
    [FINDING_REMOTE_EXEC] = {"remote-exec", WARN,
                             "who may write KV runs programs on this server (consul exec)"},
    [FINDING_DEV_MODE] = {"dev-mode", WARN, "it keeps nothing: all is gone when it ends"},
    [FINDING_DEBUG] = {"debug", WARN, "its memory, which holds secrets, can be looked into"},
    [FINDING_MIN_QUORUM] = {"min-quorum", WARN,
                            "servers that die are forgotten, down to a majority of one"},
    [FINDING_ELASTICSEARCH_PLAINTEXT] = {"elasticsearch-plaintext", WARN,
                                         "whoever is on the way can read and change them"},
    [FINDING_ELASTICSEARCH_NO_USER] = {"elasticsearch-no-user", WARN,
                                       "whoever reaches it can read, forge and delete logs"},
    [FINDING_CERTIFICATE_EXPIRED] = {"certificate-expired", WARN,
                                     "what depends on it does not connect, or does not check"},
    [FINDING_CERTIFICATE_EARLY] = {"certificate-early", WARN,
                                   "what depends on it does not connect, or does not check"},
    [FINDING_CERTIFICATE_EXPIRES] = {"certificate-expires", WARN,
                                     "from then on what depends on it does not connect"},
    [FINDING_PROGRAM_WRITABLE] = {"program-writable", WARN,
                                  "others than root and the agent's user can replace a program"},
    [FINDING_CONFIG_WRITABLE] = {"config-writable", WARN,
                                 "others than root and the agent's user decide what is run"},
    [FINDING_SECRET_READABLE] = {"secret-readable", WARN, "it holds a token, a key or a password"},
    [FINDING_ANONYMOUS_UNKNOWN] = {"anonymous-unknown", WARN,
                                   "not looked at: what may be done without a token"},
    [FINDING_GOSSIP_KEY_UNKNOWN] = {"gossip-key-unknown", WARN,
                                    "not looked at: is gossip's key one that was published?"},
    [FINDING_AGENT_UNKNOWN] = {"agent-unknown", WARN,
                               "not looked at: what these members of agent/self say"},
    [FINDING_MIN_QUORUM_UNKNOWN] = {"min-quorum-unknown", WARN,
                                    "not looked at: the configuration of autopilot"},
    [FINDING_FILES_UNKNOWN] = {"files-unknown", WARN,
                               "not looked at: who may read and write there"},
    [FINDING_CERTIFICATE_UNKNOWN] = {"certificate-unknown", WARN,
                                     "not looked at: is it valid, and for how long?"},
};

const struct finding_row *finding_row(enum finding_kind kind)
{
    return &rows[kind];
}

void finding_add(struct findings *findings, enum finding_kind kind, const char *fmt, ...)
{
    if (findings->n == FINDINGS_MOST) {
        findings->more++;
        return;
    }
    struct finding *f = &findings->found[findings->n++];
    va_list ap;
    va_start(ap, fmt);
    f->kind = kind;
    f->repair[0] = '\0';
    (void)vsnprintf(f->what, sizeof f->what, fmt, ap);
    va_end(ap);
    text_clean(f->what);
}

void finding_repair(struct findings *findings, const char *fmt, ...)
{
    if (findings->more > 0 || findings->n == 0)
        return;
    struct finding *f = &findings->found[findings->n - 1];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f->repair, sizeof f->repair, fmt, ap);
    va_end(ap);
    text_clean(f->repair);
}

static bool is_accepted(const struct settings *s, enum finding_kind kind)
{
    for (size_t i = 0; i < s->security_accepts; i++) {
        if (strcmp(s->security_accepted[i], rows[kind].name) == 0)
            return true;
    }
    return false;
}

/* One that is not accepted: the first is the summary, with the others counted. */
static void show(const struct finding *f, struct verdict *v)
{
    const struct finding_row *row = &rows[f->kind];
    if (v->summary[0]) {
        verdict_note(v, "%s: %s; %s", row->name, f->what, row->why);
    } else {
        verdict_set(v, row->status, "%s: %s", row->name, f->what);
        verdict_note(v, "%s: %s", row->name, row->why);
    }
    if (f->repair[0])
        verdict_note(v, "  repair: %s", f->repair);
}

static void note_accepted(const struct findings *findings, const struct settings *s,
                          struct verdict *v)
{
    bool found[FINDING_KINDS] = {false};
    const char *names[FINDING_KINDS];
    char text[800];
    for (size_t i = 0; i < findings->n; i++)
        found[findings->found[i].kind] = is_accepted(s, findings->found[i].kind);
    for (int kind = 0; kind < FINDING_KINDS; kind++)
        names[kind] = rows[kind].name;
    if (text_names(names, found, FINDING_KINDS, ", ", text, sizeof text) > 0)
        verdict_note(v, "accepted (%s): %s", settings_row(SECURITY_ACCEPTED)->key, text);
}

/* What is wrong with the setting itself; with nothing worse it is the summary. */
static void note_setting(struct verdict *v, const char *text)
{
    if (!v->summary[0])
        verdict_set(v, VERDICT_WARNING, "a SECURITY_ setting is wrong");
    verdict_note(v, "%s", text);
}

static void note_names(const struct settings *s, struct verdict *v)
{
    const char *names[FINDING_KINDS];
    char text[300];
    for (int kind = 0; kind < FINDING_KINDS; kind++)
        names[kind] = rows[kind].name;
    for (size_t i = 0; i < s->security_accepts; i++) {
        const char *name = s->security_accepted[i];
        const char *near = text_nearest(name, names, FINDING_KINDS);
        if (near && strcmp(near, name) == 0)
            continue;
        (void)snprintf(text, sizeof text, "%s: there is no finding %s%s%s%s",
                       settings_row(SECURITY_ACCEPTED)->key, name, near ? " (" : "",
                       near ? near : "", near ? "?)" : "");
        note_setting(v, text);
    }
}

static void note_settings(const struct settings *s, struct verdict *v)
{
    char text[700];
    for (size_t i = 0; i < s->rejects.n; i++) {
        if (settings_group(s->rejects.entries[i].key) != GROUP_SECURITY)
            continue;
        (void)snprintf(text, sizeof text, "%s (nothing is accepted)", s->rejects.entries[i].value);
        note_setting(v, text);
    }
    for (size_t i = 0; i < s->unknowns.n; i++) {
        if (settings_group(s->unknowns.entries[i].key) != GROUP_SECURITY)
            continue;
        (void)snprintf(text, sizeof text, "%s (it has no effect)", s->unknowns.entries[i].value);
        note_setting(v, text);
    }
}

/* "; 2 more" behind the first one. */
static void count(struct verdict *v, size_t others)
{
    char first[VERDICT_SUMMARY];
    (void)snprintf(first, sizeof first, "%s", v->summary);
    if (others > 0)
        verdict_set(v, v->status, "%s; %zu more", first, others);
}

void findings_judge(const struct findings *findings, const struct settings *s, struct verdict *v)
{
    size_t shown = 0;
    for (int kind = 0; kind < FINDING_KINDS; kind++) {
        for (size_t i = 0; i < findings->n; i++) {
            if ((int)findings->found[i].kind != kind || is_accepted(s, (enum finding_kind)kind))
                continue;
            show(&findings->found[i], v);
            shown++;
        }
    }
    if (shown > 0)
        count(v, shown + findings->more - 1);
    note_names(s, v);
    note_settings(s, v);
    note_accepted(findings, s, v);
    if (!v->summary[0])
        verdict_set(v, VERDICT_PASSING,
                    findings->n ? "no finding that is not accepted" : "no finding");
}

int finding_print_table(struct buffer *out)
{
    int rc = buffer_printf(out, "| name | status | why it matters |\n|---|---|---|\n");
    for (size_t i = 0; rc == 0 && i < FINDING_KINDS; i++)
        rc = buffer_printf(out, "| `%s` | %s | %s |\n", rows[i].name,
                           verdict_status_name(rows[i].status), rows[i].why);
    return rc;
}
