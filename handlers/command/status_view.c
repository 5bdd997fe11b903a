/* SPDX-License-Identifier: MIT */
#include "command/status_view.h"

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "check/verdict.h"
#include "cluster/cluster_facts.h"
#include "command/command.h"
#include "mongodb/mongodb_check.h"
#include "mongodb/mongodb_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define JUDGE_MS   60000 /* one verification */
#define OUTPUT_MAX (1U << 20)

const struct status_check status_checks[STATUS_CHECKS] = {
    {"cluster:quorum", "verify-quorum", "quorum"},
    {"cluster:clock", "verify-clock", "clock"},
    {"cluster:logging", "verify-logging", "logging"},
    {"cluster:security", "verify-security", "secure"},
    {MONGODB_CHECK_ID, MONGODB_CHECK_PROGRAM, "mongo"},
    {"cluster:heartbeat", NULL, "beat"},
};

int status_check_find(const char *name)
{
    for (int i = 0; i < STATUS_CHECKS; i++) {
        const char *id = status_checks[i].id;
        if (strcmp(id, name) == 0 || strcmp(strchr(id, ':') + 1, name) == 0)
            return i;
    }
    return -1;
}

const char *status_role_name(enum status_role role)
{
    static const char *const names[] = {"leader", "voter",   "no voter",
                                        "down",   "missing", "outside"};
    return names[role];
}

/* ---- servers ------------------------------------------------------------- */

static struct status_server *add_server(struct status_view *view, const char *name,
                                        const struct agent_member *member, enum status_role role)
{
    if (view->n == STATUS_ROWS)
        return NULL;
    struct status_server *s = &view->server[view->n++];
    *s = (struct status_server){.role = role};
    text_copy_word(s->node, sizeof s->node, name, strlen(name));
    s->own = strcasecmp(s->node, view->node) == 0;
    for (size_t i = 0; i < STATUS_CHECKS; i++)
        s->check[i] = STATUS_NONE;
    if (member) {
        text_copy_word(s->address, sizeof s->address, member->address, strlen(member->address));
        text_copy_word(s->build, sizeof s->build, member->build, strcspn(member->build, ":"));
    }
    return s;
}

static enum status_role role_of(const struct membership_row *row)
{
    if (row->voter)
        return row->voter->leader ? STATUS_LEADER : STATUS_VOTER;
    if (row->dead)
        return STATUS_DOWN;
    return row->member ? STATUS_NO_VOTER : STATUS_MISSING;
}

/* Is this member shown already, or no server? */
static bool is_shown(const struct membership_facts *who, const struct agent_member *m,
                     const struct status_view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        if (strcasecmp(view->server[i].node, m->name) == 0)
            return true;
    }
    return !m->server || membership_known(who, m);
}

static void add_servers(const struct membership_facts *who, struct status_view *view)
{
    struct membership rows;
    membership_join(who, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        const struct membership_row *row = &rows.row[i];
        struct status_server *s = add_server(view, row->name, row->member, role_of(row));
        if (s)
            text_copy_word(s->server, sizeof s->server, row->server, strlen(row->server));
    }
    for (size_t i = 0; i < who->n_members; i++) {
        const struct agent_member *m = &who->members[i];
        if (!is_shown(who, m, view))
            (void)add_server(view, m->name, m->alive ? m : NULL,
                             m->alive ? STATUS_OUTSIDE : STATUS_DOWN);
    }
}

/* ---- catalogue ----------------------------------------------------------- */

/* -1 for what is no status. */
static int parse_status(const char *name)
{
    for (int i = VERDICT_PASSING; i <= VERDICT_CRITICAL; i++) {
        if (strcmp(verdict_status_name((enum verdict_status)i), name) == 0)
            return i;
    }
    return STATUS_NONE;
}

/* "warning: one of three ..." of a check of ours; the status goes before any text here. */
static void copy_first_line(char ret[STATUS_SAID], const char *output)
{
    const char *colon = strchr(output, ':');
    size_t word = colon ? (size_t)(colon - output) : 0;
    char name[16] = "";
    text_copy_bytes(name, sizeof name, output, word);
    if (word > 0 && word < sizeof name && parse_status(name) >= 0)
        output = colon + 1 + strspn(colon + 1, " ");
    text_copy_bytes(ret, STATUS_SAID, output, strcspn(output, "\n"));
    text_clean(ret);
}

static void take_check(struct status_view *view, const cJSON *item)
{
    const int check = status_check_find(json_text(item, "CheckID", ""));
    const char *node = json_text(item, "Node", "");
    int64_t index = 0;
    if (json_integer(item, "ModifyIndex", &index, NULL) == 0 && (uint64_t)index > view->index)
        view->index = (uint64_t)index;
    for (size_t i = 0; check >= 0 && i < view->n; i++) {
        struct status_server *s = &view->server[i];
        if (strcasecmp(s->node, node) != 0)
            continue;
        s->check[check] = parse_status(json_text(item, "Status", ""));
        copy_first_line(s->said[check], json_text(item, "Output", ""));
    }
}

/* Without a leader the catalogue shows the past, as it does for who is not there: then nothing is
 * known. */
static void read_catalogue(struct consul *consul, uint64_t wait_index, struct status_view *view)
{
    struct error err = {0};
    char path[120] = "health/checks/cluster?stale";
    cJSON *list = NULL;
    const cJSON *item = NULL;
    if (wait_index > 0)
        (void)snprintf(path, sizeof path, "health/checks/cluster?wait=5s&index=%llu",
                       (unsigned long long)wait_index);
    if (!view->led)
        text_copy(view->uncatalogued, sizeof view->uncatalogued,
                  "no leader: what the catalogue shows is the past");
    else if (consul_get(consul, path, "node_prefix \"\" read, service \"cluster\" read", &list,
                        &err) < 0)
        text_copy(view->uncatalogued, sizeof view->uncatalogued, err.text);
    cJSON_ArrayForEach(item, list) take_check(view, item);
    cJSON_Delete(list);
    for (size_t i = 0; i < view->n; i++) {
        struct status_server *s = &view->server[i];
        for (size_t k = 0; k < STATUS_CHECKS; k++)
            if (s->role == STATUS_DOWN || s->role == STATUS_MISSING || !view->only[k])
                s->check[k] = STATUS_NONE;
    }
}

/* Is there one, as far as the settings could be read and this server has a mongod.conf? */
static bool has_mongodb(const struct place *place, const struct settings *settings)
{
    static struct mongodb_target target;
    struct policy policy = {0};
    struct error ignored = {0};
    bool read = policy_read(place->config_dir, &policy, &ignored) == 0;
    if (read)
        mongodb_target_find(&policy, settings, &target);
    policy_release(&policy);
    return read && target.wanted;
}

void status_view_gather(struct consul *consul, const struct place *place, uint64_t wait_index,
                        struct status_view *ret)
{
    static struct cluster_facts facts;
    struct error err = {0};
    const char *node = NULL;
    ret->n = 0;
    ret->index = 0;
    ret->unreadable[0] = ret->uncatalogued[0] = ret->node[0] = '\0';
    ret->now = time(NULL);
    int rc = cluster_facts_gather(consul, place->config_dir, place->settings_root, CONSUL_STALE,
                                  &facts, &err);
    if (facts.agent.self && agent_node(consul, &facts.agent, &node, NULL) == 0)
        text_copy_word(ret->node, sizeof ret->node, node, strlen(node));
    ret->led = rc == 0 && facts.facts.agreed;
    if (rc < 0) {
        text_copy(ret->unreadable, sizeof ret->unreadable, err.text);
    } else {
        ret->mongodb = has_mongodb(place, &facts.settings);
        add_servers(&facts.facts.who, ret);
        read_catalogue(consul, wait_index, ret);
    }
    cluster_facts_release(&facts);
}

/* ---- here and now -------------------------------------------------------- */

struct job {
    char path[FILE_PATH];
    const char *argv[8];
};

static int prepare(const struct place *place, const char *program, struct job *job,
                   struct child_job *ret, struct error *err)
{
    const char *const argv[8] = {job->path, PLACE_WORDS(place), NULL};
    memcpy(job->argv, argv, sizeof argv);
    *ret = (struct child_job){
        .argv = job->argv, .env = (const char *const *)environ, .timeout_ms = JUDGE_MS};
    return command_find(program, job->path, sizeof job->path, err);
}

static void take_result(const struct child_result *result, struct status_verdict *ret)
{
    char *at = ret->text;
    (void)snprintf(ret->text, sizeof ret->text, "%s%s", buffer_text(&result->output),
                   buffer_text(&result->errors));
    for (; *at; at++)
        *at = *at == '\n' || text_printable(*at) ? *at : '?';
    ret->judged = true;
    ret->code = result->rc < 0 || result->exit_code < 0 || result->exit_code > CHECK_UNKNOWN
                    ? CHECK_UNKNOWN
                    : result->exit_code;
    if (result->rc < 0)
        (void)snprintf(ret->text, sizeof ret->text, "cannot look: %s\n", strerror(-result->rc));
}

void status_view_judge(const struct place *place, struct status_view *view)
{
    static struct job job[STATUS_CHECKS];
    struct child_job jobs[STATUS_CHECKS];
    struct child_result results[STATUS_CHECKS];
    size_t of[STATUS_CHECKS], n = 0;
    struct error err = {0};
    for (size_t i = 0; i < STATUS_CHECKS; i++) {
        struct status_verdict *v = &view->verdict[i];
        *v = (struct status_verdict){.judged = false};
        if (!view->only[i] || !status_checks[i].program ||
            (!view->mongodb && strcmp(status_checks[i].id, MONGODB_CHECK_ID) == 0))
            continue;
        if (prepare(place, status_checks[i].program, &job[n], &jobs[n], &err) < 0) {
            *v = (struct status_verdict){.judged = true, .code = CHECK_UNKNOWN};
            (void)snprintf(v->text, sizeof v->text, "cannot look: %s\n", err.text);
            continue;
        }
        results[n] = (struct child_result){.output = BUFFER_INIT(OUTPUT_MAX),
                                           .errors = BUFFER_INIT(OUTPUT_MAX)};
        of[n++] = i;
    }
    int rc = child_run_all(jobs, results, n, &err);
    for (size_t i = 0; i < n; i++) {
        results[i].rc = rc < 0 ? rc : results[i].rc;
        take_result(&results[i], &view->verdict[of[i]]);
        buffer_release(&results[i].output);
        buffer_release(&results[i].errors);
    }
}

/* ---- all in all ---------------------------------------------------------- */

/* Which of two exit codes is worse? */
static int worse(int a, int b)
{
    static const int rank[] = {
        [CHECK_PASSING] = 0, [CHECK_WARNING] = 1, [CHECK_UNKNOWN] = 2, [CHECK_CRITICAL] = 3};
    return rank[b] > rank[a] ? b : a;
}

int status_view_code(const struct status_view *view)
{
    int worst = view->unreadable[0] ? CHECK_UNKNOWN : CHECK_PASSING;
    for (size_t k = 0; k < STATUS_CHECKS; k++) {
        if (view->verdict[k].judged)
            worst = worse(worst, view->verdict[k].code);
        for (size_t i = 0; i < view->n; i++) {
            const struct status_server *s = &view->server[i];
            bool past = s->own && view->verdict[k].judged;
            if (s->check[k] != STATUS_NONE && !past)
                worst = worse(worst, s->check[k]);
        }
    }
    return worst;
}
