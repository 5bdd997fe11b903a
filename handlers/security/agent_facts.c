/* SPDX-License-Identifier: MIT */
#include "security/agent_facts.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* ---- read ---------------------------------------------------------------- */

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static enum fact flag(const cJSON *object, const char *name)
{
    const cJSON *item = member(object, name);
    if (!cJSON_IsBool(item))
        return FACT_UNKNOWN;
    return cJSON_IsTrue(item) ? FACT_YES : FACT_NO;
}

/* Consul's statistics are texts. */
static enum fact stated(const char *text, const char *yes, const char *no)
{
    if (strcmp(text, yes) == 0)
        return FACT_YES;
    return strcmp(text, no) == 0 ? FACT_NO : FACT_UNKNOWN;
}

static enum fact either(enum fact a, enum fact b)
{
    if (a == FACT_YES || b == FACT_YES)
        return FACT_YES;
    return a == FACT_UNKNOWN || b == FACT_UNKNOWN ? FACT_UNKNOWN : FACT_NO;
}

/* As Go prints a listener. Everything else, 0.0.0.0 and [::] too, is reached from outside. */
static bool is_inside(const char *address)
{
    return strncmp(address, "unix://", 7) == 0 || strncmp(address, "tcp://127.", 10) == 0 ||
           strncmp(address, "tcp://[::1]:", 12) == 0;
}

static const char *outside(const cJSON *addresses)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, addresses)
    {
        const char *address = cJSON_GetStringValue(item);
        if (address && !is_inside(address))
            return address;
    }
    return "";
}

static void read_tls(const cJSON *config, struct agent_facts *ret)
{
    const cJSON *tls = member(config, "TLS");
    const cJSON *rpc = member(tls, "InternalRPC");
    ret->tls_stanza = cJSON_IsObject(tls);
    const cJSON *https = ret->tls_stanza ? member(tls, "HTTPS") : config;
    if (ret->tls_stanza) {
        ret->rpc_incoming = flag(rpc, "VerifyIncoming");
        ret->https_incoming = flag(https, "VerifyIncoming");
    } else {
        enum fact all = flag(config, "VerifyIncoming");
        rpc = config;
        ret->rpc_incoming = either(all, flag(config, "VerifyIncomingRPC"));
        ret->https_incoming = either(all, flag(config, "VerifyIncomingHTTPS"));
    }
    ret->rpc_outgoing = flag(rpc, "VerifyOutgoing");
    ret->rpc_hostname = flag(rpc, "VerifyServerHostname");
    ret->certificates[0] = json_text(rpc, "CertFile", "");
    ret->certificates[1] = json_text(rpc, "CAFile", "");
    ret->certificates[2] = json_text(https, "CertFile", "");
    ret->certificates[3] = json_text(https, "CAFile", "");
}

void agent_facts_read(const cJSON *self, struct agent_facts *ret)
{
    const cJSON *config = member(self, "DebugConfig");
    const cJSON *stats = member(self, "Stats");
    const char *acl_default = json_text(config, "ACLDefaultPolicy", NULL);
    const cJSON *writers = member(config, "AllowWriteHTTPFrom");
    const cJSON *fixed = member(config, "StaticRuntimeConfig");
    const cJSON *gossip = cJSON_IsObject(fixed) ? fixed : config;
    *ret = (struct agent_facts){
        .gossip_encrypted = stated(json_text(member(stats, "serf_lan"), "encrypted", ""), "true",
                                   "false"),
        .gossip_incoming = flag(gossip, "EncryptVerifyIncoming"),
        .gossip_outgoing = flag(gossip, "EncryptVerifyOutgoing"),
        .acl = stated(json_text(member(stats, "consul"), "acl", ""), "enabled", "disabled"),
        .acl_default = acl_default ? acl_default
                                   : json_text(member(config, "ACLResolverSettings"),
                                               "ACLDefaultPolicy", ""),
        .scripts_remote = flag(config, "EnableRemoteScriptChecks"),
        .no_remote_exec = flag(config, "DisableRemoteExec"),
        .dev_mode = flag(config, "DevMode"),
        .debug = flag(config, "EnableDebug"),
        .writes_some = cJSON_GetArraySize(writers) > 0,
        .http = outside(member(config, "HTTPAddrs")),
        .https = outside(member(config, "HTTPSAddrs")),
        .data_dir = json_text(config, "DataDir", ""),
        .node = json_text(member(self, "Config"), "NodeName", ""),
    };
    read_tls(config, ret);
}

/* ---- judge --------------------------------------------------------------- */

static void judge_gossip(const struct agent_facts *facts, struct findings *findings)
{
    if (facts->gossip_encrypted == FACT_NO) {
        finding_add(findings, FINDING_GOSSIP_PLAINTEXT, "gossip is not encrypted");
        finding_repair(findings,
                       "consul keygen makes a KEY. On every server encrypt = \"KEY\", "
                       "encrypt_verify_incoming = false and encrypt_verify_outgoing = false, "
                       "restart one after the other; then take the second, at last the first "
                       "false away, with a round of restarts each");
    } else if (facts->gossip_incoming == FACT_NO || facts->gossip_outgoing == FACT_NO) {
        finding_add(findings, FINDING_GOSSIP_UNVERIFIED, "gossip that is not encrypted is %s too",
                    facts->gossip_incoming == FACT_NO ? "taken" : "sent");
        finding_repair(findings, "%s = true in Consul's configuration, then restart Consul",
                       facts->gossip_incoming == FACT_NO ? "encrypt_verify_incoming"
                                                         : "encrypt_verify_outgoing");
    }
}

/* Where does everybody reach it who reaches this machine? */
static const char *open_address(const struct agent_facts *facts)
{
    if (facts->http[0])
        return facts->http;
    return facts->https_incoming == FACT_YES ? "" : facts->https;
}

static void judge_acl(const struct agent_facts *facts, struct findings *findings)
{
    static const char lines[] =
        "acl { enabled = true  default_policy = \"deny\" } on every server, restart one after the "
        "other, consul acl bootstrap; then a token for each server (consul.d/README.md, ACLs)";
    if (facts->acl == FACT_NO) {
        if (open_address(facts)[0] && !facts->writes_some) {
            finding_add(findings, FINDING_ANONYMOUS_WRITE,
                        "whoever reaches %s may write: ACLs are off", open_address(facts));
            finding_repair(findings, "%s", lines);
        }
        finding_add(findings, FINDING_ACL_OFF, "ACLs are off");
        finding_repair(findings, "%s", lines);
    } else if (facts->acl_default[0] && strcmp(facts->acl_default, "deny") != 0) {
        finding_add(findings, FINDING_ACL_DEFAULT_ALLOW, "what no rule forbids is allowed");
        finding_repair(findings, "acl { default_policy = \"deny\" } on every server, then restart "
                                 "one after the other");
    }
}

/* "tls { internal_rpc { verify_incoming = true } }", before Consul 1.12 "verify_incoming = true". */
static void repair_tls(const struct agent_facts *facts, const char *stanza, const char *line,
                       struct findings *findings)
{
    bool nested = facts->tls_stanza;
    finding_repair(findings, "%s%s%s%s = true%s in Consul's configuration, then restart Consul",
                   nested ? "tls { " : "", nested ? stanza : "", nested ? " { " : "", line,
                   nested ? " } }" : "");
}

static void judge_rpc(const struct agent_facts *facts, struct findings *findings)
{
    const struct {
        enum fact fact;
        enum finding_kind kind;
        const char *what, *line;
    } table[] = {
        {facts->rpc_outgoing, FINDING_RPC_OUTGOING, "this agent talks to servers without TLS",
         "verify_outgoing"},
        {facts->rpc_incoming, FINDING_RPC_INCOMING, "other agents need no certificate here",
         "verify_incoming"},
        {facts->rpc_hostname, FINDING_RPC_HOSTNAME, "a server need not prove that it is one",
         "verify_server_hostname"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        if (table[i].fact != FACT_NO)
            continue;
        finding_add(findings, table[i].kind, "%s", table[i].what);
        repair_tls(facts, "internal_rpc", table[i].line, findings);
    }
}

static void judge_http(const struct agent_facts *facts, struct findings *findings)
{
    if (facts->http[0]) {
        finding_add(findings, FINDING_HTTP_PLAINTEXT, "HTTP without TLS is answered at %s",
                    facts->http);
        finding_repair(findings, "addresses { http = \"127.0.0.1\" } and ports { https = 8501 } in "
                                 "Consul's configuration, then restart Consul");
    }
    if (facts->https[0] && facts->https_incoming == FACT_NO) {
        finding_add(findings, FINDING_HTTPS_ANY_CLIENT,
                    "HTTPS at %s is answered to clients without a certificate", facts->https);
        repair_tls(facts, "https", facts->tls_stanza ? "verify_incoming" : "verify_incoming_https",
                   findings);
    }
}

static void judge_running(const struct agent_facts *facts, struct findings *findings)
{
    static const char restart[] = "in Consul's configuration, then restart Consul";
    if (facts->scripts_remote == FACT_YES) {
        finding_add(findings, FINDING_SCRIPTS_REMOTE, "checks that run programs are taken by HTTP");
        finding_repair(findings, "enable_script_checks = false %s", restart);
    }
    if (facts->no_remote_exec == FACT_NO) {
        finding_add(findings, FINDING_REMOTE_EXEC, "consul exec is answered here");
        finding_repair(findings, "disable_remote_exec = true %s", restart);
    }
    if (facts->dev_mode == FACT_YES) {
        finding_add(findings, FINDING_DEV_MODE, "the agent was started with -dev");
        finding_repair(findings, "start it without -dev, with a data_dir");
    }
    if (facts->debug == FACT_YES && facts->dev_mode != FACT_YES) {
        finding_add(findings, FINDING_DEBUG, "the agent answers /debug/pprof");
        finding_repair(findings, "enable_debug = false %s", restart);
    }
}

/* Another Consul may have other words for it: that must not pass for "all is well". */
static void judge_unknown(const struct agent_facts *facts, struct findings *findings)
{
    const struct {
        enum fact fact;
        const char *name;
    } table[] = {
        {facts->gossip_encrypted, "Stats.serf_lan.encrypted"},
        {facts->gossip_incoming, "EncryptVerifyIncoming"},
        {facts->gossip_outgoing, "EncryptVerifyOutgoing"},
        {facts->acl, "Stats.consul.acl"},
        {facts->acl_default[0] ? FACT_YES : FACT_UNKNOWN, "ACLDefaultPolicy"},
        {facts->rpc_incoming, "VerifyIncoming"},
        {facts->rpc_outgoing, "VerifyOutgoing"},
        {facts->rpc_hostname, "VerifyServerHostname"},
        {facts->https_incoming, "HTTPS.VerifyIncoming"},
        {facts->scripts_remote, "EnableRemoteScriptChecks"},
        {facts->no_remote_exec, "DisableRemoteExec"},
        {facts->dev_mode, "DevMode"},
        {facts->debug, "EnableDebug"},
    };
    const char *names[COUNT(table)];
    bool missing[COUNT(table)];
    char text[200];
    for (size_t i = 0; i < COUNT(table); i++) {
        names[i] = table[i].name;
        missing[i] = table[i].fact == FACT_UNKNOWN;
    }
    if (text_names(names, missing, COUNT(table), " and ", text, sizeof text) > 0)
        finding_add(findings, FINDING_AGENT_UNKNOWN, "agent/self does not show %s", text);
}

void agent_facts_judge(const struct agent_facts *facts, struct findings *findings)
{
    judge_gossip(facts, findings);
    judge_acl(facts, findings);
    judge_rpc(facts, findings);
    judge_http(facts, findings);
    judge_running(facts, findings);
    judge_unknown(facts, findings);
}
