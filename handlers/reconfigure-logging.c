/* SPDX-License-Identifier: MIT */
/* reconfigure-logging: watch handler; the cheap question "is there anything to do?"
 *
 * Consul fires watches at start, at each reload, after each lost leader and for the
 * echo of our own writes. This program compares the payload on stdin with what
 * rollout-logging dealt with last (local_state.h). Nothing new: exit 0, without network and
 * without libcurl. Otherwise, and whenever in doubt, it becomes rollout-logging. */
#include "base/buffer.h"
#include "base/deadline.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/program.h"
#include "consul/kv.h"
#include "rollout/local_state.h"
#include "rollout/server_record.h"
#include "settings/effective.h"
#include "settings/policy.h"
#include "settings/service_urls.h"
#include "settings/settings.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PAYLOAD_LIMIT (1024 * 1024)

enum watch { SETTINGS, RESULTS, SERVICE, WATCHES };
static const char *const names[WATCHES] = {"settings", "results", "service"};

static const char help[] =
    "usage: reconfigure-logging [OPTIONS] settings|results|service <PAYLOAD\n"
    "\n"
    "Watch handler. Reads a watch's payload (keyprefix: the LOG_ settings, or the\n"
    "servers' results below " SERVER_RECORD_PREFIX "; service: the instances which\n"
    "LOG_ELASTICSEARCH_URL=consul:SERVICE names) and starts rollout-logging when it\n"
    "holds something that was not dealt with yet.\n"
    "\n" PLACE_HELP "\n"
    "exit codes: 0 nothing to do or done, 1 failed, 2 usage\n"
    "example (by hand there is no payload, use): lictor retry\n";

struct options {
    struct place place;
    enum watch watch;
};

static int parse_options(int argc, char **argv, struct options *opt, struct error *err)
{
    const struct program_option table[] = {PLACE_ROWS(&opt->place)};
    const struct program_usage usage = {help, table, COUNT(table), .operands = 1};
    int rc = program_options(argc, argv, &usage, err);
    if (rc <= 0)
        return rc;
    for (int i = 0; i < WATCHES; i++) {
        opt->watch = (enum watch)i;
        if (rc == argc - 1 && strcmp(argv[rc], names[i]) == 0)
            return 1;
    }
    return error_set(err, -EINVAL,
                     "say which watch this is: settings, results or service, see "
                     "reconfigure-logging --help");
}

static int read_payload(cJSON **ret, struct error *err)
{
    struct buffer payload = BUFFER_INIT(PAYLOAD_LIMIT);
    int rc = buffer_read(&payload, STDIN_FILENO);
    if (rc < 0)
        rc = error_set(err, rc, "watch payload: %s",
                       rc == -EMSGSIZE ? "is larger than 1 MiB" : strerror(-rc));
    if (payload.len > 0)
        json_replace_nul(payload.data, payload.len);
    if (rc == 0)
        rc = json_parse(buffer_text(&payload), payload.len, "watch payload", ret, err);
    buffer_release(&payload);
    return rc;
}

/* Are these the entries that were dealt with? */
static int know_entries(const struct options *opt, const cJSON *payload,
                        const struct local_state *local, bool *ret, struct error *err)
{
    char digest[KV_DIGEST];
    struct kv_list list = {0};
    int rc = kv_parse(payload, &list, err);
    if (rc == 0)
        rc = opt->watch == SETTINGS ? effective_digest(&list, opt->place.settings_root, digest, err)
                                    : server_record_digest(&list, digest, err);
    kv_release(&list);
    if (rc < 0)
        return rc;
    *ret = opt->watch == SETTINGS
               ? local_state_settled(local, digest)
               : local_state_settled(local, local->settings) && strcmp(local->results, digest) == 0;
    return 0;
}

/* Are these the instances that were dealt with? One who follows no service, or another
 * one, learns of it through the settings. That there are none is never known. */
static int know_instances(const struct options *opt, const cJSON *payload,
                          const struct local_state *local, bool *ret, struct error *err)
{
    struct policy policy = {0};
    struct service_urls last;
    service_urls_read(opt->place.state_dir, &last);
    *ret = !last.service[0];
    if (*ret)
        return 0;
    struct service_urls now = last;
    int rc = policy_read(opt->place.config_dir, &policy, err);
    if (rc == 0)
        rc = service_urls_judge(payload, &policy, &now, err);
    policy_release(&policy);
    if (rc == 0)
        *ret = local_state_settled(local, local->settings) && now.urls[0] &&
               !service_urls_news(&now, &last);
    return rc;
}

static bool nothing_to_do(const struct options *opt)
{
    struct error err = {0};
    struct local_state local;
    cJSON *payload = NULL;
    bool known = false;
    local_state_read(opt->place.state_dir, &local);
    int rc = read_payload(&payload, &err);
    if (rc == 0)
        rc = opt->watch == SERVICE ? know_instances(opt, payload, &local, &known, &err)
                                   : know_entries(opt, payload, &local, &known, &err);
    cJSON_Delete(payload);
    if (rc < 0)
        program_log(LOG_WARNING, "%s; asking Consul instead", err.text);
    return rc == 0 && known;
}

int main(int argc, char **argv)
{
    program_start("reconfigure-logging");
    struct options opt = {.place = PLACE_DEFAULT};
    struct error err = {0};
    int rc = parse_options(argc, argv, &opt, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    deadline_of_process(limits()->run_ms, "reconfigure-logging", STDERR_FILENO, HANDLER_FAILED);
    if (nothing_to_do(&opt))
        return program_end(HANDLER_DONE, HANDLER_FAILED);
    const char *const words[] = {PLACE_WORDS(&opt.place), NULL};
    rc = program_become("rollout-logging", words, &err);
    program_log(LOG_ERR, "%s", err.text);
    return program_end(rc < 0 ? HANDLER_FAILED : HANDLER_DONE, HANDLER_FAILED);
}
