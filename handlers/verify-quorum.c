/* verify-quorum: how many servers may fail now?
 *
 * gather (cluster_facts.c), judge (quorum.c), report (verdict.c, publish.c). Here are the
 * clocks of what must hold for a while, and the confirming of the mapping. */
#include "base/file.h"
#include "base/held_since.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"
#include "check/publish.h"
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
    "How many servers of this Consul cluster may fail now, and what is not as it "
    "should\n"
    "be: their number and its oddness, who is down, the mapping server_1, server_2, "
    "...,\n"
    "the management server. Works without a leader as well.\n"
    "\n"
    "  --publish CHECK_ID    bring the verdict to this TTL check of the agent\n"
    "  --confirm-mapping     confirm the servers present, with your own token, and "
    "show\n"
    "                        old and new; refused unless the cluster is whole\n"
    "  --config-dir DIR      default /etc/lictor\n"
    "  --state-dir DIR       default /var/lib/lictor\n"
    "  --settings-root KEY   default dc/home/env\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "With --confirm-mapping: 0 confirmed, 2 refused, 3 could not look or write.\n"
    "\n"
    "example: verify-quorum; echo $?\n";

struct options {
    const char *publish; /* NULL: by hand */
    bool confirm;
    const char *config_dir;
    const char *state_dir;
    const char *settings_root;
};

static int read_options(int argc, char **argv, struct options *opt, struct error *err)
{
    const struct program_option table[] = {
        {"publish", &opt->publish, NULL},
        {"confirm-mapping", NULL, &opt->confirm},
        {"config-dir", &opt->config_dir, NULL},
        {"state-dir", &opt->state_dir, NULL},
        {"settings-root", &opt->settings_root, NULL},
    };
    int rc = program_options(argc, argv, help, table, COUNT(table), err);
    if (rc > 0 && rc < argc)
        return error_set(err, -EINVAL, "unexpected argument, see verify-quorum --help");
    if (rc > 0 && opt->publish && opt->confirm)
        return error_set(err, -EINVAL, "--publish and --confirm-mapping exclude each other");
    return rc;
}

/* ---- clocks -------------------------------------------------------------- */

/* Time since the previous look. */
static int64_t since_last(struct held_since *spans)
{
    int64_t ms = held_since_note(spans, "looked", true);
    (void)held_since_note(spans, "looked", false);
    (void)held_since_note(spans, "looked", true);
    return ms;
}

static void hold(struct held_since *spans, const struct quorum_conditions *now,
                 struct quorum_held *ret)
{
    int64_t pause_ms = since_last(spans);
    ret->leaderless_ms = held_since_note(spans, "leaderless", now->leaderless);
    ret->split_ms = held_since_note(spans, "split", now->split);
    ret->no_spare_ms = held_since_note(spans, "no-spare", now->no_spare);
    if (!now->excused || ret->no_spare_ms < 0)
        return;
    if (pause_ms > ret->no_spare_ms)
        pause_ms = ret->no_spare_ms;
    held_since_forgive(spans, "no-spare", pause_ms);
    ret->no_spare_ms = held_since_note(spans, "no-spare", true);
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

static int confirm(struct consul *consul, const struct options *opt, struct cluster_facts *servers,
                   struct error *err)
{
    struct server_mapping mapping = {0};
    int rc = cluster_facts_gather(consul, opt->config_dir, opt->settings_root, CONSUL_DEFAULT,
                                  servers, err);
    if (rc < 0)
        return rc;
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

static int look(struct consul *consul, const struct options *opt, struct cluster_facts *servers,
                struct verdict *v, struct error *err)
{
    struct quorum_conditions now;
    struct quorum_held held;
    struct held_since spans;
    bool own = trust_own_directory(opt->state_dir);
    int rc = cluster_facts_gather(consul, opt->config_dir, opt->settings_root, CONSUL_STALE,
                                  servers, err);
    if (rc < 0)
        return rc;
    held_since_read(own ? opt->state_dir : NULL, "quorum", &spans);
    quorum_conditions(&servers->facts, &now);
    hold(&spans, &now, &held);
    int64_t whole_ms = held_since_note(&spans, "whole", now.whole);
    if (opt->publish)
        confirm_first(consul, servers, whole_ms);
    if (opt->publish && held_since_write(&spans, opt->state_dir, "quorum", err) < 0)
        program_log(LOG_WARNING, "%s", err->text);
    quorum_judge(&servers->facts, &held, v);
    return 0;
}

static int publish(const struct options *opt, struct cluster_facts *servers, struct error *err)
{
    struct consul *consul = NULL;
    struct verdict v = {0};
    struct error why = {0};
    int lock = publish_lock(opt->state_dir, opt->publish, err);
    if (lock < 0)
        return lock;
    int looked = consul_open(opt->config_dir, &consul, &why);
    if (looked == 0)
        looked = look(consul, opt, servers, &v, &why);
    if (looked < 0)
        publish_cannot_look(&v, why.text);
    int rc = looked == 0 && !servers->facts.has_leader
                 ? publish_held(consul, opt->state_dir, opt->publish, &v, err)
                 : publish_verdict(consul, opt->state_dir, opt->publish, &v, err);
    if (looked < 0)
        rc = error_set(err, looked, "%s", why.text);
    consul_close(consul);
    file_unlock(lock);
    return rc < 0 ? rc : CHECK_PASSING;
}

static int by_hand(const struct options *opt, struct cluster_facts *servers, struct error *err)
{
    struct consul *consul = NULL;
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    int rc = consul_open(opt->config_dir, &consul, err);
    if (rc == 0 && opt->confirm)
        rc = confirm(consul, opt, servers, err);
    else if (rc == 0)
        rc = look(consul, opt, servers, &v, err);
    consul_close(consul);
    if (rc < 0 || opt->confirm)
        return rc;
    verdict_render(&v, text);
    (void)fputs(text, stdout);
    return (int)v.status;
}

/* Returns an exit code, or negative errno with a text. */
static int run(int argc, char **argv, struct error *err)
{
    static struct cluster_facts servers;
    struct options opt = {
        .config_dir = PROGRAM_CONFIG_DIR,
        .state_dir = PROGRAM_STATE_DIR,
        .settings_root = PROGRAM_SETTINGS_ROOT,
    };
    int rc = read_options(argc, argv, &opt, err);
    if (rc <= 0)
        return rc;
    rc = opt.publish ? publish(&opt, &servers, err) : by_hand(&opt, &servers, err);
    cluster_facts_release(&servers);
    return rc;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-quorum");
    int rc = run(argc, argv, &err);
    if (rc < 0) {
        program_log(LOG_ERR, "%s", err.text);
        rc = CHECK_UNKNOWN;
    }
    return program_end(rc, CHECK_UNKNOWN);
}
