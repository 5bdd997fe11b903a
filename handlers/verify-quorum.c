/* SPDX-License-Identifier: MIT */
/* verify-quorum: how many servers may fail now?
 *
 * gather (cluster_facts.c), judge (quorum.c), report (verdict.c, publish.c). Here are the
 * clocks of what must hold for a while, and the confirming of the mapping. */
#include "base/held_since.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/check_run.h"
#include "check/metrics.h"
#include "check/rest.h"
#include "check/verdict.h"
#include "cluster/cluster_facts.h"
#include "cluster/quorum.h"
#include "consul/consul.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static const char help[] =
    "usage: verify-quorum [--publish CHECK_ID | --confirm-mapping] [OPTION...]\n"
    "\n"
    "How many servers of this Consul cluster may fail now, and what is not as it should\n"
    "be: their number and its oddness, who is down, the mapping server_1, server_2, ...,\n"
    "the management server. Works without a leader as well.\n"
    "\n"
    "  --publish CHECK_ID    bring the verdict to this TTL check of the agent\n"
    "  --confirm-mapping     confirm the servers present, with your own token, and show\n"
    "                        old and new; refused unless the cluster is whole\n" CHECK_METRICS_HELP
        PLACE_HELP "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "With --confirm-mapping: 0 confirmed, 2 refused, 3 could not look or write.\n"
    "\n"
    "example: verify-quorum; echo $?\n";

static int read_options(int argc, char **argv, struct check_run *run, bool *confirm,
                        struct error *err)
{
    const struct program_option table[] = {PLACE_ROWS(&run->place),
                                           {"publish", &run->publish, NULL},
                                           CHECK_METRICS_ROW(run),
                                           {"confirm-mapping", NULL, confirm}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    int rc = program_options(argc, argv, &usage, err);
    if (rc > 0 && run->publish && *confirm)
        return error_set(err, -EINVAL, "--publish and --confirm-mapping exclude each other");
    return rc;
}

/* ---- clocks -------------------------------------------------------------- */

/* What shows of the servers for long enough. After a time in which nobody looked it begins
 * anew: others may have been held up as well. */
static void hold_signs(struct cluster_facts *servers, struct held_since *spans, int64_t pause_ms)
{
    static struct membership_sign signs[AGENT_PEERS];
    struct quorum_facts *facts = &servers->facts;
    signs_hold(&servers->signs, &facts->who, facts->agreed && pause_ms < limits()->mute_ms / 2,
               spans, signs);
    facts->who.signs = signs;
    facts->blind = servers->signs.no_right.text;
}

static void hold_conditions(struct held_since *spans, const struct quorum_conditions *now,
                            int64_t pause_ms, struct quorum_held *ret)
{
    ret->leaderless_ms = held_since_note(spans, "leaderless", now->leaderless);
    ret->split_ms = held_since_note(spans, "split", now->split);
    ret->no_spare_ms = held_since_note(spans, "no-spare", now->no_spare);
    if (now->excused)
        ret->no_spare_ms = held_since_excuse(spans, "no-spare", pause_ms);
}

/* ---- the mapping --------------------------------------------------------- */

/* Once, by the leader, and only where no ACL says who may: everywhere else an admin
 * confirms with a token of his own. */
static void confirm_first(struct consul *consul, struct cluster_facts *servers, int64_t whole_ms)
{
    struct error err = {0};
    if (whole_ms < limits()->mapping_stable_ms || !servers->agent.leading ||
        !servers->agent.acl_off || servers->record)
        return;
    int rc = quorum_mapping(&servers->facts, &servers->confirmed, &err);
    if (rc == 0)
        rc = cluster_facts_confirm(consul, &servers->confirmed, 0, &err);
    if (rc == 0)
        servers->facts.who.confirmed = &servers->confirmed;
    else if (rc != -ESTALE)
        program_log(LOG_WARNING, "mapping not confirmed: %s", err.text);
}

static void print_mapping(const char *title, const struct cluster_facts *servers,
                          const struct server_mapping *mapping)
{
    printf("%s:\n", title);
    if (!mapping)
        printf("  %s\n", servers->record ? "damaged" : "none");
    for (size_t i = 0; mapping && i < mapping->n; i++)
        printf("  %s  %s  %s\n", mapping->entry[i].server, mapping->entry[i].node,
               mapping->entry[i].id);
}

static int confirm_mapping_now(struct consul *consul, const struct place *place,
                               struct cluster_facts *servers, struct error *err)
{
    struct server_mapping mapping = {0};
    struct held_since spans;
    int rc = cluster_facts_gather(consul, place->config_dir, place->settings_root, CONSUL_DEFAULT,
                                  servers, err);
    if (rc < 0)
        return rc;
    held_since_read(trust_own_directory(place->state_dir) ? place->state_dir : NULL, "quorum",
                    &spans);
    hold_signs(servers, &spans, 0);
    rc = quorum_whole(&servers->facts, err);
    if (rc == 0)
        rc = quorum_mapping(&servers->facts, &mapping, err);
    if (rc < 0) {
        program_log(LOG_ERR, "not confirmed: %s", err->text);
        return CHECK_CRITICAL;
    }
    print_mapping("old", servers, servers->facts.who.confirmed);
    print_mapping("new", servers, &mapping);
    rc = cluster_facts_confirm(consul, &mapping, servers->record_index, err);
    if (rc < 0)
        return rc;
    program_log(LOG_NOTICE, "mapping confirmed");
    return CHECK_PASSING;
}

/* ---- the verdict --------------------------------------------------------- */

static int look_at_quorum(struct consul *consul, struct check_run *run, struct verdict *v,
                          struct error *err)
{
    struct cluster_facts *servers = run->arg;
    const char *dir = run->place.state_dir;
    struct quorum_conditions now;
    struct quorum_held held;
    struct held_since spans;
    int rc = cluster_facts_gather(consul, run->place.config_dir, run->place.settings_root,
                                  CONSUL_STALE, servers, err);
    if (rc < 0)
        return rc;
    held_since_read(trust_own_directory(dir) ? dir : NULL, "quorum", &spans);
    int64_t pause_ms = held_since_look(&spans);
    hold_signs(servers, &spans, pause_ms);
    quorum_conditions(&servers->facts, &now);
    hold_conditions(&spans, &now, pause_ms, &held);
    int64_t whole_ms = held_since_note(&spans, "whole", now.whole);
    if (run->publish) {
        (void)rest_note(&servers->agent, dir);
        confirm_first(consul, servers, whole_ms);
    }
    if (run->publish && held_since_write(&spans, dir, "quorum", err) < 0)
        program_log(LOG_WARNING, "%s", err->text);
    quorum_judge(&servers->facts, &held, v);
    run->leaderless = !servers->facts.has_leader;
    metrics_add(&run->samples, METRIC_SERVERS_SPARE, now.spare, NULL);
    return 0;
}

static int confirm_by_hand(const struct place *place, struct cluster_facts *servers,
                           struct error *err)
{
    struct consul *consul = NULL;
    int rc = consul_open(place->config_dir, &consul, err);
    if (rc == 0)
        rc = confirm_mapping_now(consul, place, servers, err);
    consul_close(consul);
    return rc;
}

/* Returns an exit code, or negative errno with a text. */
static int run_check(int argc, char **argv, struct error *err)
{
    static struct cluster_facts servers;
    struct check_run run = {.place = PLACE_DEFAULT, .arg = &servers};
    bool confirm_mapping = false;
    int rc = read_options(argc, argv, &run, &confirm_mapping, err);
    if (rc <= 0)
        return rc;
    rc = confirm_mapping ? confirm_by_hand(&run.place, &servers, err)
                         : check_run(&run, look_at_quorum, err);
    cluster_facts_release(&servers);
    return rc;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-quorum");
    return check_end(run_check(argc, argv, &err), &err);
}
