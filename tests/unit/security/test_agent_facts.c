/* SPDX-License-Identifier: MIT */
/* What agent/self shows, in both of its forms, and what of it is a finding. */
#include "security/agent_facts.h"

#include "base/json.h"
#include "test.h"

/* Consul 1.8.7, and 1.12 and newer; each as it should be. A row changes one text in it. */
static const char old[] =
    "{\"Config\":{\"NodeName\":\"n1\"},\"Stats\":{\"consul\":{\"acl\":\"enabled\"},"
    "\"serf_lan\":{\"encrypted\":\"true\"}},\"DebugConfig\":{\"ACLDefaultPolicy\":\"deny\","
    "\"AllowWriteHTTPFrom\":[],\"DataDir\":\"/d\",\"DevMode\":false,\"DisableRemoteExec\":true,"
    "\"EnableDebug\":false,\"EnableRemoteScriptChecks\":false,\"EncryptVerifyIncoming\":true,"
    "\"EncryptVerifyOutgoing\":true,\"HTTPAddrs\":[\"tcp://127.0.0.1:8500\"],"
    "\"HTTPSAddrs\":[\"tcp://10.0.0.1:8501\"],\"VerifyIncoming\":true,"
    "\"VerifyIncomingHTTPS\":false,\"VerifyIncomingRPC\":false,\"VerifyOutgoing\":true,"
    "\"VerifyServerHostname\":true}}";
static const char new[] =
    "{\"Config\":{\"NodeName\":\"n1\"},\"Stats\":{\"consul\":{\"acl\":\"enabled\"},"
    "\"serf_lan\":{\"encrypted\":\"true\"}},\"DebugConfig\":{\"ACLResolverSettings\":{"
    "\"ACLDefaultPolicy\":\"deny\"},\"AllowWriteHTTPFrom\":[],\"DataDir\":\"/d\","
    "\"DevMode\":false,\"DisableRemoteExec\":true,\"EnableDebug\":false,"
    "\"EnableRemoteScriptChecks\":false,\"StaticRuntimeConfig\":{\"EncryptVerifyIncoming\":true,"
    "\"EncryptVerifyOutgoing\":true},\"HTTPAddrs\":[\"unix:///run/consul\",\"tcp://[::1]:8500\"],"
    "\"HTTPSAddrs\":[\"tcp://[::]:8501\"],\"TLS\":{\"HTTPS\":{\"VerifyIncoming\":true},"
    "\"InternalRPC\":{\"VerifyIncoming\":true,\"VerifyOutgoing\":true,"
    "\"VerifyServerHostname\":true}}}}";

#define REST " in Consul's configuration, then restart Consul"
#define OPEN "\"HTTPAddrs\":[\"tcp://127.0.0.1:8500\"]"

static const struct row {
    const char *form;
    const char *change, *into; /* in the first place where it is */
    const char *expected;      /* "NAME: WHAT | REPAIR\n" each; of a repair the beginning */
} rows[] = {
    {old, "", "", ""},
    {new, "", "", ""},
    {old, "\"encrypted\":\"true\"", "\"encrypted\":\"false\"",
     "gossip-plaintext: gossip is not encrypted | consul keygen makes a KEY. On every server "
     "encrypt = \"KEY\", encrypt_verify_incoming = false and "},
    {old, "\"EncryptVerifyIncoming\":true", "\"EncryptVerifyIncoming\":false",
     "gossip-unverified: gossip that is not encrypted is taken too | encrypt_verify_incoming = "
     "true" REST},
    {new, "\"EncryptVerifyOutgoing\":true", "\"EncryptVerifyOutgoing\":false",
     "gossip-unverified: gossip that is not encrypted is sent too | encrypt_verify_outgoing = "
     "true" REST},
    {old, "\"acl\":\"enabled\"", "\"acl\":\"disabled\"",
     "acl-off: ACLs are off | acl { enabled = true  default_policy = \"deny\" } on every server"},
    {old, "\"deny\"", "\"allow\"",
     "acl-default-allow: what no rule forbids is allowed | acl { default_policy = \"deny\" } on"},
    {new, "\"deny\"", "\"allow\"",
     "acl-default-allow: what no rule forbids is allowed | acl { default_policy = \"deny\" } on"},
    {old, "\"VerifyOutgoing\":true", "\"VerifyOutgoing\":false",
     "rpc-outgoing: this agent talks to servers without TLS | verify_outgoing = true" REST},
    {new, "\"VerifyOutgoing\":true", "\"VerifyOutgoing\":false",
     "rpc-outgoing: this agent talks to servers without TLS | tls { internal_rpc { "
     "verify_outgoing = true } }" REST},
    {old, "\"VerifyIncoming\":true", "\"VerifyIncoming\":false",
     "rpc-incoming: other agents need no certificate here | verify_incoming = true" REST "\n"
     "https-any-client: HTTPS at tcp://10.0.0.1:8501 is answered to clients without a "
     "certificate | verify_incoming_https = true" REST},
    {old, "\"VerifyIncoming\":true,\"VerifyIncomingHTTPS\":false,\"VerifyIncomingRPC\":false",
     "\"VerifyIncoming\":false,\"VerifyIncomingHTTPS\":true,\"VerifyIncomingRPC\":true", ""},
    {new, "\"HTTPS\":{\"VerifyIncoming\":true}", "\"HTTPS\":{\"VerifyIncoming\":false}",
     "https-any-client: HTTPS at tcp://[::]:8501 is answered to clients without a certificate | "
     "tls { https { verify_incoming = true } }" REST},
    {new, "\"InternalRPC\":{\"VerifyIncoming\":true", "\"InternalRPC\":{\"VerifyIncoming\":false",
     "rpc-incoming: other agents need no certificate here | tls { internal_rpc { "
     "verify_incoming = true } }" REST},
    {new, "\"VerifyServerHostname\":true", "\"VerifyServerHostname\":false",
     "rpc-hostname: a server need not prove that it is one | tls { internal_rpc { "
     "verify_server_hostname = true } }" REST},
    {old, OPEN, "\"HTTPAddrs\":[\"tcp://127.0.0.1:8500\",\"tcp://0.0.0.0:8500\"]",
     "http-plaintext: HTTP without TLS is answered at tcp://0.0.0.0:8500 | addresses { http = "
     "\"127.0.0.1\" } and ports { https = 8501 }" REST},
    {old, OPEN, "\"HTTPAddrs\":[\"tcp://128.0.0.1:8500\"]",
     "http-plaintext: HTTP without TLS is answered at tcp://128.0.0.1:8500 | addresses {"},
    {old, OPEN, "\"HTTPAddrs\":[\"tcp://[::1:2]:8500\"]",
     "http-plaintext: HTTP without TLS is answered at tcp://[::1:2]:8500 | addresses {"},
    {old, OPEN, "\"HTTPAddrs\":[\"unix:///a\",\"tcp://127.9.9.9:1\"]", ""},
    {old, OPEN, "\"HTTPAddrs\":[]", ""},
    {old, "\"EnableRemoteScriptChecks\":false", "\"EnableRemoteScriptChecks\":true",
     "scripts-remote: checks that run programs are taken by HTTP | enable_script_checks = false"},
    {old, "\"DisableRemoteExec\":true", "\"DisableRemoteExec\":false",
     "remote-exec: consul exec is answered here | disable_remote_exec = true" REST},
    {old, "\"DevMode\":false", "\"DevMode\":true",
     "dev-mode: the agent was started with -dev | start it without -dev, with a data_dir"},
    {old, "\"EnableDebug\":false", "\"EnableDebug\":true",
     "debug: the agent answers /debug/pprof | enable_debug = false" REST},
    {old, "\"acl\":\"enabled\"", "\"acl\":\"legacy\"",
     "agent-unknown: agent/self does not show Stats.consul.acl | "},
    {old, "\"VerifyServerHostname\":true", "\"VerifyServerName\":true",
     "agent-unknown: agent/self does not show VerifyServerHostname | "},
    {old, "\"DevMode\":false", "\"DevMode\":\"false\"",
     "agent-unknown: agent/self does not show DevMode | "},
    {old, "DebugConfig", "Debug",
     "agent-unknown: agent/self does not show EncryptVerifyIncoming, EncryptVerifyOutgoing, "
     "ACLDefaultPolicy, VerifyIncoming, VerifyOutgoing, VerifyServerHostname, "
     "HTTPS.VerifyIncoming, EnableRemoteScriptChecks, DisableRemoteExec and 2 more | "},
};

/* ACLs are off: who reaches the agent? */
static const struct reach {
    const char *http, *https, *incoming, *writers;
    const char *expected; /* "" nobody from outside */
} reaches[] = {
    {"tcp://127.0.0.1:8500", "tcp://127.0.0.1:8501", "false", "", ""},
    {"tcp://0.0.0.0:8500", "tcp://127.0.0.1:8501", "true", "",
     "whoever reaches tcp://0.0.0.0:8500 may write: ACLs are off"},
    {"tcp://127.0.0.1:8500", "tcp://10.0.0.1:8500", "false", "",
     "whoever reaches tcp://10.0.0.1:8500 may write: ACLs are off"},
    {"tcp://127.0.0.1:8500", "tcp://10.0.0.1:8500", "true", "", ""},
    {"tcp://0.0.0.0:8500", "tcp://127.0.0.1:8501", "true", "\"127.0.0.0/8\"", ""},
};

static void judge(const char *text, struct findings *findings)
{
    cJSON *self = NULL;
    struct agent_facts facts;
    struct error err = {0};
    assert_int_equal(json_parse(text, strlen(text), "agent/self", &self, &err), 0);
    *findings = (struct findings){0};
    agent_facts_read(self, &facts);
    agent_facts_judge(&facts, findings);
    cJSON_Delete(self);
}

static void change(const struct row *row, char text[4000])
{
    const char *at = strstr(row->form, row->change);
    assert_non_null(at);
    (void)snprintf(text, 4000, "%.*s%s%s", (int)(at - row->form), row->form, row->into,
                   at + strlen(row->change));
}

/* Each finding in its line, the repair at least as far as it is expected. */
static void expect(const struct findings *findings, const char *expected)
{
    for (size_t i = 0; i < findings->n; i++) {
        char line[700];
        const struct finding *f = &findings->found[i];
        size_t len = strcspn(expected, "\n");
        (void)snprintf(line, sizeof line, "%s: %s | %s", finding_row(f->kind)->name, f->what,
                       f->repair);
        if (len == 0 || strncmp(line, expected, len) != 0)
            fail_msg("%s\nnot: %.*s", line, (int)len, expected);
        expected += len + (expected[len] == '\n');
    }
    assert_string_equal(expected, "");
}

static void each_fact_has_its_finding(void **state)
{
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[4000];
        change(&rows[i], text);
        print_message("  %s -> %s\n", rows[i].change, rows[i].into);
        judge(text, &findings);
        expect(&findings, rows[i].expected);
    }
}

static void without_acls_it_counts_who_reaches_the_agent(void **state)
{
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(reaches); i++) {
        char text[1000];
        const struct reach *reach = &reaches[i];
        (void)snprintf(text, sizeof text,
                       "{\"Stats\":{\"consul\":{\"acl\":\"disabled\"}},\"DebugConfig\":{"
                       "\"HTTPAddrs\":[\"%s\"],\"HTTPSAddrs\":[\"%s\"],\"VerifyIncoming\":%s,"
                       "\"VerifyIncomingHTTPS\":false,\"AllowWriteHTTPFrom\":[%s]}}",
                       reach->http, reach->https, reach->incoming, reach->writers);
        judge(text, &findings);
        const struct finding *first = &findings.found[0];
        assert_string_equal(first->kind == FINDING_ANONYMOUS_WRITE ? first->what : "",
                            reach->expected);
        assert_int_equal(findings.found[*reach->expected ? 1 : 0].kind, FINDING_ACL_OFF);
    }
}

/* What is no object, or of other types, is unknown: no crash, no "all is well". */
static void what_is_not_as_expected_is_unknown(void **state)
{
    static const char *const texts[] = {"null", "[]", "{}", "{\"DebugConfig\":7,\"Stats\":[1]}",
                                        ("{\"DebugConfig\":{\"TLS\":{},\"HTTPAddrs\":{\"a\":1},"
                                         "\"HTTPSAddrs\":[1,null,{}]}}")};
    static struct findings findings;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        judge(texts[i], &findings);
        assert_int_equal(findings.n, 1);
        assert_int_equal(findings.found[0].kind, FINDING_AGENT_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fact_has_its_finding),
        cmocka_unit_test(without_acls_it_counts_who_reaches_the_agent),
        cmocka_unit_test(what_is_not_as_expected_is_unknown),
    };
    return cmocka_run_group_tests_name("agent_facts", tests, NULL, NULL);
}
