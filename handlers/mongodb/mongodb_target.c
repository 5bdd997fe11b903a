/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_target.h"

#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- is there one? ------------------------------------------------------- */

static bool has_group(const struct kv_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (settings_group(list->entries[i].key) == GROUP_MONGODB)
            return true;
    return false;
}

static void find_conf(const struct policy *policy, struct mongodb_target *ret)
{
    mongod_conf_parse("", 0, &ret->conf);
    for (size_t i = 0; !ret->found && i < policy->n_mongodb_files; i++) {
        const char *path = policy->mongodb_files[i];
        ret->found = access(path, F_OK) == 0;
        if (ret->found && mongod_conf_read(path, &ret->conf, &ret->unread) == 0)
            ret->unread.text[0] = '\0';
    }
}

void mongodb_target_find(const struct policy *policy, const struct settings *settings,
                         struct mongodb_target *ret)
{
    *ret = (struct mongodb_target){.by_url = settings->mongodbs > 0};
    find_conf(policy, ret);
    ret->wanted = ret->found || ret->by_url || has_group(&settings->rejects) ||
                  has_group(&settings->unknowns);
    if (!ret->by_url || policy_judge_mongodb(policy, settings, &ret->refusal) < 0)
        return;
    for (; ret->n < settings->mongodbs && ret->n < MONGODB_ASKED; ret->n++)
        ret->server[ret->n] = settings->mongodb[ret->n];
}

int mongodb_target_wanted(struct consul *consul, const struct place *place, bool *ret_wanted,
                          struct error *err)
{
    struct policy policy = {0};
    static struct settings settings;
    static struct mongodb_target target;
    int rc = policy_read(place->config_dir, &policy, err);
    if (rc == 0)
        rc = settings_read_judged(consul, place->config_dir, place->settings_root, CONSUL_STALE,
                                  &settings, err);
    if (rc == 0) {
        mongodb_target_find(&policy, &settings, &target);
        *ret_wanted = target.wanted;
    }
    settings_release(&settings);
    policy_release(&policy);
    return rc;
}

/* ---- the servers of Consul ----------------------------------------------- */

/* Where the own one listens: on its address for the others, or only on another one? */
static void own_address(const struct mongod_conf *conf, const char *address, char ret[HOST_TEXT])
{
    char copy[MONGOD_CONF_BIND];
    char *save = NULL, *first = NULL;
    (void)snprintf(ret, HOST_TEXT, "%s", address);
    if (conf->everywhere)
        return;
    (void)snprintf(copy, sizeof copy, "%s", conf->bind);
    for (char *word = strtok_r(copy, ", ", &save); word; word = strtok_r(NULL, ", ", &save)) {
        if (strcmp(word, address) == 0)
            return;
        first = first || word[0] == '/' ? first : word;
    }
    if (!first || host_normalise(first, ret, NULL) < 0)
        (void)snprintf(ret, HOST_TEXT, "127.0.0.1");
}

void mongodb_target_servers(const struct membership_facts *who, const char *node,
                            struct mongodb_target *target)
{
    for (size_t i = 0; !target->by_url && target->found && i < who->n_members; i++) {
        const struct agent_member *member = &who->members[i];
        if (!member->server || target->n == MONGODB_ASKED)
            continue;
        struct host_port *server = &target->server[target->n];
        *server = (struct host_port){.port = target->conf.port};
        (void)snprintf(server->host, sizeof server->host, "%s", member->address);
        target->local[target->n] = strcasecmp(member->name, node) == 0;
        if (target->local[target->n])
            own_address(&target->conf, member->address, server->host);
        target->n++;
    }
}
