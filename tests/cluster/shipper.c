/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "base/file.h"

static const char stand_in_template[] = "REVISION={{REVISION}}\n"
                                        "INDEX={{LOG_INDEX}}\n"
                                        "{{#LOG_ELASTICSEARCH_URLS}}\n"
                                        "URL={{.}}\n"
                                        "{{/LOG_ELASTICSEARCH_URLS}}\n"
                                        "{{#LOG_FILES}}\n"
                                        "FILE={{.}}\n"
                                        "{{/LOG_FILES}}\n";

/* Beside the configuration, not in the tree: a checkout that a group may write would be
 * refused as a place of commands. */
static void copy_script(struct cluster *c, int i)
{
    char to[600];
    (void)snprintf(to, sizeof to, "%s", server_path(c, i, "etc/shipper"));
    const char *copy[] = {"/bin/cp", SOURCE_DIR "/tests/cluster/shipper", to, NULL};
    struct outcome o = run_tool(NULL, copy, NULL);
    if (o.code != 0 || chmod(to, 0755) < 0)
        harness_fail("cannot copy the shipper: %s", o.err);
    outcome_release(&o);
}

static cJSON *command(const char *script, const char *kind, const char *dir, const char *action)
{
    const char *words[] = {script, kind, dir, action};
    cJSON *list = cJSON_CreateStringArray(words, 4);
    if (strcmp(action, "validate") == 0)
        (void)cJSON_AddItemToArray(list, cJSON_CreateString("{file}"));
    return list;
}

/* Has the shipped file a member "account"? One of an older release (tests/old) has not. */
static bool keeps_account(void)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    struct error err = {0};
    if (file_read(SOURCE_DIR "/consul.d/logging/rsyslog.json", &text, &err) < 0)
        harness_fail("%s", err.text);
    const bool yes = strstr(buffer_text(&text), "\"account\"") != NULL;
    buffer_release(&text);
    return yes;
}

/* probe: the shipper carries the probe log. */
static char *definition(struct cluster *c, int i, enum shipper kind, const char *template,
                        bool probe)
{
    static const struct {
        const char *member, *action;
    } commands[] = {
        {"validate", "validate"}, {"reload", "restart"}, {"confirm", "alive"}, {"stop", "stop"}};
    const char *name = kind == SHIPPER_RSYSLOG ? "rsyslog" : "stand-in";
    cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(root, "template", template);
    (void)cJSON_AddStringToObject(root, "destination", server_path(c, i, "shipper/shipper.conf"));
    (void)cJSON_AddStringToObject(root, "escape", "rainerscript");
    for (size_t n = 0; n < COUNT(commands); n++)
        (void)cJSON_AddItemToObject(root, commands[n].member,
                                    command(server_path(c, i, "etc/shipper"), name,
                                            server_path(c, i, "shipper"), commands[n].action));
    (void)cJSON_AddStringToObject(root, "timeout", "5s");
    if (probe)
        (void)cJSON_AddStringToObject(root, "probe", server_path(c, i, "probe/shipper.log"));
    if (probe && keeps_account())
        (void)cJSON_AddStringToObject(root, "account", server_path(c, i, "shipper/account.json"));
    cJSON *variables = cJSON_AddObjectToObject(root, "variables");
    (void)cJSON_AddStringToObject(variables, "work", server_path(c, i, "shipper"));
    (void)cJSON_AddStringToObject(variables, "queue_disk", "300m");
    (void)cJSON_AddStringToObject(variables, "bulk", "5000000");
    (void)cJSON_AddStringToObject(variables, "indexer", TEST_BIN "/index-records");
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

static char *shipped_template(void)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    struct error err = {0};
    if (file_read(SOURCE_DIR "/consul.d/logging/rsyslog.conf.mustache", &text, &err) < 0)
        harness_fail("%s", err.text);
    return buffer_detach(&text);
}

static void write_policy(struct cluster *c, int i)
{
    char text[900];
    (void)snprintf(text, sizeof text,
                   "{\"sources\":{\"seal\":{\"files\":[\"%s/*.log\"]}},"
                   "\"elasticsearch\":{\"hosts\":[\"*\",\"127.0.0.0/8\"]}}\n",
                   server_path(c, i, "log"));
    server_write(c, i, "etc/policy.json", text);
}

void server_shipper(struct cluster *c, int i, enum shipper kind, const char *template)
{
    copy_script(c, i);
    write_policy(c, i);
    char *shipped = !template && kind == SHIPPER_RSYSLOG ? shipped_template() : NULL;
    server_write(c, i, "etc/logging.d/shipper.mustache",
                 shipped    ? shipped
                 : template ? template
                            : stand_in_template);
    free(shipped);
    char *text = definition(c, i, kind, "shipper.mustache", kind == SHIPPER_RSYSLOG && !template);
    server_write(c, i, "etc/logging.d/shipper.json", text);
    free(text);
}

size_t shipper_calls(struct cluster *c, int i, const char *action)
{
    char end[40];
    (void)snprintf(end, sizeof end, " %s\n", action);
    return server_count(c, i, "shipper/actions.log", end);
}
