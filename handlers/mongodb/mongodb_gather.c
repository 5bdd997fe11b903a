/* SPDX-License-Identifier: MIT */
#include "mongodb/mongodb_gather.h"

#include "base/limits.h"
#include "base/text.h"
#include "cluster/quorum.h"
#include "mongodb/mongodb_nodes.h"
#include "net/http.h"
#include "security/certificate.h"
#include "settings/settings_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PEM_MAX (1U << 18) /* bytes of the certificates of one server */

static int gather_servers(struct consul *consul, const struct place *place,
                          struct mongodb_gathered *all, struct error *err)
{
    struct agent self = {0};
    const char *node = NULL;
    int rc = policy_read(place->config_dir, &all->policy, err);
    if (rc == 0)
        rc = settings_read_judged(consul, place->config_dir, place->settings_root, CONSUL_STALE,
                                  &all->settings, err);
    if (rc == 0)
        rc = agent_node(consul, &self, &node, err);
    char own[AGENT_NAME + 1] = "";
    if (rc == 0)
        text_copy(own, sizeof own, node);
    if (rc == 0)
        rc = cluster_facts_gather_names(consul, &self, CONSUL_STALE, &all->who, err);
    agent_release(&self);
    if (rc < 0)
        return rc;
    all->who.facts.who.settings = &all->settings;
    mongodb_target_find(&all->policy, &all->settings, &all->target);
    mongodb_target_servers(&all->who.facts.who, own, &all->target);
    for (size_t i = 0; i < all->target.n; i++) {
        const char *on = mongodb_nodes_match(&all->who.facts.who, all->target.server[i].host);
        all->target.local[i] = all->target.local[i] || (on && strcmp(on, own) == 0);
        text_copy(all->answers[i].node, sizeof all->answers[i].node,
                  all->target.local[i] ? own
                  : on                 ? on
                                       : "");
    }
    return 0;
}

/* libmongoc reads certificate and key from one file, as mongod does. */
static const struct credential *choose_credential(const struct place *place,
                                                  struct mongodb_gathered *all)
{
    struct error why = {0};
    const char *name = all->settings.mongodb_credential;
    if (!name[0])
        return NULL;
    int rc = credential_read(place->config_dir, name, CREDENTIAL_ASK, &all->credential, &why);
    if (rc == 0 && strcmp(all->credential.cert, all->credential.key) != 0)
        rc = error_set(&why, -EBADMSG, "%s: \"cert\" and \"key\" must be one file for MongoDB",
                       all->credential.path);
    if (rc == 0 && all->credential.api_key[0])
        rc = error_set(&why, -EBADMSG, "%s: \"api_key\" is not for MongoDB", all->credential.path);
    if (rc < 0)
        (void)error_set(&all->credential_why, rc, "MONGODB_CREDENTIAL: %s", why.text);
    return rc < 0 ? NULL : &all->credential;
}

/* By a connection that ends after the TLS handshake; what hangs is cut off. */
static void gather_certificates(const struct credential *credential, struct mongodb_gathered *all)
{
    static struct http https[MONGODB_ASKED];
    char url[MONGODB_NAME + 10];
    for (size_t i = 0; i < all->target.n; i++) {
        const struct http_request request = {.url = url,
                                             .limit_ms = limits()->mongodb_ms / 4,
                                             .most = 1,
                                             .cert = credential ? credential->cert : NULL,
                                             .key = credential ? credential->key : NULL,
                                             .unverified = true,
                                             .certificates = true,
                                             .greeting = true};
        (void)snprintf(url, sizeof url, "https://%s/", all->answers[i].name);
        if (all->answers[i].tls && http_prepare(&https[i], &request) < 0)
            http_release(&https[i]);
    }
    (void)!http_perform_all(https, all->target.n);
    for (size_t i = 0; i < all->target.n; i++) {
        struct buffer pem = BUFFER_INIT(PEM_MAX);
        struct certificate shown;
        struct error ignored = {0};
        if (https[i].curl && http_certificates(&https[i], &pem) == 0 &&
            certificate_read(buffer_text(&pem), &shown, &ignored) == 0) {
            all->answers[i].begins_s = shown.from_s;
            all->answers[i].ends_s = shown.until_s;
        }
        buffer_release(&pem);
        http_release(&https[i]);
    }
}

/* The primary's view, else that of whom reaches most. */
static struct mongodb_view *choose_view(struct mongodb_gathered *all)
{
    struct mongodb_view *best = NULL;
    int most = -1;
    for (size_t i = 0; i < all->target.n; i++) {
        struct error why = {0};
        struct mongodb_answer *answer = &all->answers[i];
        int living = answer->role == MONGODB_PRIMARY ? MONGODB_MEMBERS + 1 : 0;
        if (!all->said[i].config)
            continue;
        if (mongodb_answer_members(all->said[i].status, all->said[i].config, &all->view[i], &why) <
            0) {
            text_copy(answer->blind, sizeof answer->blind, why.text);
            continue;
        }
        for (size_t k = 0; k < all->view[i].n; k++)
            living += all->view[i].member[k].state <= MONGODB_IS_SECONDARY;
        if (living > most) {
            most = living;
            best = &all->view[i];
        }
    }
    return best;
}

static int gather_answers(const struct place *place, struct mongodb_gathered *all,
                          struct error *err)
{
    const struct credential *credential = choose_credential(place, all);
    int rc = mongodb_ask_all(all->target.server, all->target.n, credential, limits()->mongodb_ms,
                             all->said, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < all->target.n; i++) {
        char node[AGENT_NAME + 1];
        text_copy(node, sizeof node, all->answers[i].node);
        all->answers[i] = all->said[i].answer;
        all->answers[i].local = all->target.local[i];
        text_copy(all->answers[i].node, sizeof all->answers[i].node, node);
    }
    gather_certificates(credential, all);
    return 0;
}

/* The servers that are meant to be there; where nobody said which, those that vote. */
static void point_servers(struct mongodb_gathered *all)
{
    struct mongodb_facts *facts = &all->facts;
    const struct membership_facts *who = &all->who.facts.who;
    struct membership_count count;
    membership_join(who, &all->rows);
    membership_count(who, &count);
    facts->expected = quorum_expected(who);
    for (size_t i = 0; i < all->rows.n && facts->n_servers < MONGODB_SERVERS; i++) {
        const struct membership_row *row = &all->rows.row[i];
        size_t n = facts->n_servers;
        if (facts->expected > 0 ? row->confirmed || row->mapped : row->voter || row->dead) {
            all->servers[n] = (struct mongodb_server){row->name,
                                                      membership_text(row, all->texts[n])};
            facts->n_servers++;
        }
    }
    if (facts->expected == 0)
        facts->expected = count.voters;
}

static void point(struct mongodb_gathered *all)
{
    struct mongodb_view *view = choose_view(all);
    mongodb_nodes_find(&all->who.facts.who, all->answers, all->target.n, view);
    all->facts = (struct mongodb_facts){.answers = all->answers,
                                        .n = all->target.n,
                                        .view = view,
                                        .servers = all->servers,
                                        .everywhere = all->target.conf.everywhere,
                                        .conf = all->target.unread.text,
                                        .refusal = all->target.refusal.text,
                                        .credential = all->credential_why.text,
                                        .settings = &all->settings,
                                        .now_s = time(NULL)};
    point_servers(all);
}

int mongodb_gather(struct consul *consul, const struct place *place, struct mongodb_gathered *ret,
                   struct error *err)
{
    int rc = gather_servers(consul, place, ret, err);
    if (rc == 0 && !ret->target.wanted)
        rc = error_set(err, -ENOENT,
                       "there is no MongoDB: no MONGODB_URL, and no mongod.conf here");
    if (rc == 0)
        rc = gather_answers(place, ret, err);
    if (rc == 0)
        point(ret);
    return rc;
}

void mongodb_gather_release(struct mongodb_gathered *all)
{
    for (size_t i = 0; i < all->target.n; i++)
        mongodb_said_release(&all->said[i]);
    credential_release(&all->credential);
    cluster_facts_release(&all->who);
    settings_release(&all->settings);
    policy_release(&all->policy);
}
