/* SPDX-License-Identifier: MIT */
/* verify-security: who may read, write and forge what on this server?
 *
 * Each server looks at itself: its agent's configuration (agent_facts.c), what may be done without a
 * token (anonymous.c), the gossip key (gossip_key.c), who may read and write programs and
 * configuration (file_facts.c), which certificates expire (certificate_facts.c), how Elasticsearch
 * is reached (log_facts.c). What is found is judged against SECURITY_ACCEPTED (finding.c).
 * Changes nothing. */
#include "base/file.h"
#include "base/program.h"
#include "check/check_run.h"
#include "consul/agent.h"
#include "consul/consul.h"
#include "security/agent_facts.h"
#include "security/anonymous.h"
#include "security/certificate_facts.h"
#include "security/file_facts.h"
#include "security/finding.h"
#include "security/gossip_key.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>

static const char help[] =
    "usage: verify-security [--publish CHECK_ID | --findings] [OPTION...]\n"
    "\n"
    "What on this server lets others read, change or forge what they should not: gossip,\n"
    "ACLs, TLS between servers, Consul's HTTP API, programs, configuration and secrets,\n"
    "certificates that expire, the way to Elasticsearch.\n"
    "Each finding says why it matters and what repairs it. SECURITY_ACCEPTED names\n"
    "findings that are accepted.\n"
    "\n"
    "  --publish CHECK_ID    bring the verdict to this TTL check of the agent\n"
    "  --findings            print the names of all findings (Markdown)\n" PLACE_HELP "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look.\n"
    "With --publish: 0 published or rightly held back, 3 could not look or publish.\n"
    "\n"
    "example: verify-security; echo $?\n";

static void look_at_autopilot(struct consul *consul, struct findings *findings)
{
    struct agent_autopilot autopilot = {0};
    struct error err = {0};
    if (agent_read_autopilot(consul, &autopilot, &err) < 0)
        finding_add(findings, FINDING_MIN_QUORUM_UNKNOWN, "%s", err.text);
    if (!autopilot.known || !autopilot.cleanup || autopilot.min_quorum >= 3)
        return;
    finding_add(findings, FINDING_MIN_QUORUM, "min_quorum is %lld",
                (long long)autopilot.min_quorum);
    finding_repair(findings, "consul operator autopilot set-config -min-quorum=3");
}

/* With a right less it is a finding, not the end: the rest is looked at. */
static void gather(struct consul *consul, const struct check_run *run, const struct agent *agent,
                   const struct settings *settings, struct findings *findings)
{
    struct agent_facts facts;
    agent_facts_read(agent->self, &facts);
    agent_facts_judge(&facts, findings);
    if (facts.acl != FACT_NO)
        anonymous_look(consul, run->place.settings_root, facts.node, findings);
    if (facts.gossip_encrypted != FACT_NO)
        gossip_key_look(consul, facts.data_dir, findings);
    look_at_autopilot(consul, findings);
    file_facts_look(&run->place, &facts, settings->log_credential, findings);
    certificate_facts_look(consul, &run->place, &facts, settings, findings);
}

static int look_at_security(struct consul *consul, struct check_run *run, struct verdict *v,
                            struct error *err)
{
    static struct findings findings;
    struct agent agent = {0};
    struct settings settings = {0};
    struct error why = {0};
    int rc = agent_read_self(consul, &agent, err);
    run->leaderless = run->publish && rc == 0 && consul_prove_leader(consul, &why) == -EAGAIN;
    if (rc == 0)
        rc = settings_read_judged(consul, run->place.config_dir, run->place.settings_root,
                                  CONSUL_STALE, &settings, err);
    if (rc == 0) {
        gather(consul, run, &agent, &settings, &findings);
        findings_judge(&findings, &settings, v);
    }
    settings_release(&settings);
    agent_release(&agent);
    return rc;
}

static int print_findings(struct error *err)
{
    struct buffer text = BUFFER_INIT(65536);
    int rc = finding_print_table(&text);
    (void)fputs(buffer_text(&text), stdout);
    buffer_release(&text);
    return rc < 0 ? error_set(err, rc, "out of memory") : CHECK_PASSING;
}

/* Returns an exit code, or negative errno with a text. */
static int run_check(int argc, char **argv, struct error *err)
{
    struct check_run run = {.place = PLACE_DEFAULT};
    bool list = false;
    const struct program_option table[] = {
        PLACE_ROWS(&run.place), {"publish", &run.publish, NULL}, {"findings", NULL, &list}};
    const struct program_usage usage = {.help = help, .options = table, .n = COUNT(table)};
    int rc = program_options(argc, argv, &usage, err);
    if (rc <= 0)
        return rc;
    if (list && run.publish)
        return error_set(err, -EINVAL, "--publish and --findings exclude each other");
    return list ? print_findings(err) : check_run(&run, look_at_security, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    program_start("verify-security");
    return check_end(run_check(argc, argv, &err), &err);
}
