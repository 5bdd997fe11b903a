/* SPDX-License-Identifier: MIT */
#include "security/anonymous.h"

#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* What is asked for, in this order; its place is "": one that settings_root or node makes. */
static const struct {
    const char *resource, *place, *plural;
} rights[] = {
    {"key", "", "settings"},
    {"key", "lictor/mapping", "Lictor's records"},
    {"service", "cluster", "services"},
    {"node", "", "nodes"},
    {"agent", "", "agents"},
    {"operator", NULL, "operator"},
    {"acl", NULL, "ACLs"},
    {"keyring", NULL, "the keyring"},
};

static bool add_right(cJSON *list, const char *resource, const char *segment)
{
    cJSON *item = cJSON_CreateObject();
    bool whole = cJSON_AddStringToObject(item, "Resource", resource) &&
                 cJSON_AddStringToObject(item, "Access", "write") &&
                 (!segment || cJSON_AddStringToObject(item, "Segment", segment));
    if (whole && cJSON_AddItemToArray(list, item))
        return true;
    cJSON_Delete(item);
    return false;
}

char *anonymous_question(const char *settings_root, const char *node)
{
    char key[SETTINGS_KEY];
    cJSON *list = cJSON_CreateArray();
    bool whole = list && settings_path(settings_root, settings_row(LOG_ELASTICSEARCH_URL)->key, key,
                                       NULL) == 0;
    for (size_t i = 0; whole && i < COUNT(rights); i++) {
        const char *place = rights[i].place;
        if (place && !*place)
            place = strcmp(rights[i].resource, "key") == 0 ? key : node;
        whole = add_right(list, rights[i].resource, place);
    }
    return json_print(list, whole);
}

static void unknown(struct findings *findings, const char *why)
{
    finding_add(findings, FINDING_ANONYMOUS_UNKNOWN, "%s", why);
}

void anonymous_judge(const cJSON *answer, struct findings *findings)
{
    const char *names[COUNT(rights)];
    bool allowed[COUNT(rights)];
    char text[160];
    for (size_t i = 0; i < COUNT(rights); i++) {
        const cJSON *item = cJSON_GetArrayItem(answer, (int)i);
        names[i] = rights[i].plural;
        if (strcmp(json_text(item, "Resource", ""), rights[i].resource) != 0 ||
            json_boolean(item, "Allow", &allowed[i], NULL) < 0) {
            unknown(findings, "Consul's answer to internal/acl/authorize is not as expected");
            return;
        }
    }
    if (text_names(names, allowed, COUNT(rights), " and ", text, sizeof text) == 0)
        return;
    finding_add(findings, FINDING_ANONYMOUS_WRITE, "whoever has no token may write %s", text);
    finding_repair(findings,
                   "consul acl token read -id 00000000-0000-0000-0000-000000000002 shows the rules "
                   "of those without a token: take \"write\" out of them; also of the token in "
                   "acl { tokens { default } } of this agent, which counts for them");
}

void anonymous_look(struct consul *consul, const char *settings_root, const char *node,
                    struct findings *findings)
{
    cJSON *answer = NULL;
    struct error err = {0};
    char *question = anonymous_question(settings_root, node);
    if (!question)
        unknown(findings, "out of memory");
    else if (consul_ask_anonymous(consul, "internal/acl/authorize", question, &answer, &err) < 0)
        unknown(findings, err.text);
    else
        anonymous_judge(answer, findings);
    cJSON_free(question);
    cJSON_Delete(answer);
}
