/* reconfigure-logging: watch handler; the cheap question "is there anything to do?"
 *
 * Consul fires watches at start, at each reload, after each lost leader and for the
 * echo of our own writes. This program compares the payload on stdin with what
 * rollout-logging dealt with last (ledger.h). Nothing new: exit 0, without network and
 * without libcurl. Otherwise, and whenever in doubt, it becomes rollout-logging. */
#include "buffer.h"
#include "json.h"
#include "kv.h"
#include "ledger.h"
#include "logging.h"
#include "program.h"
#include "settings.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define PAYLOAD_LIMIT (1024 * 1024)

static const char help[] =
    "usage: reconfigure-logging [OPTIONS] settings|results <PAYLOAD\n"
    "\n"
    "Watch handler. Reads a keyprefix watch's payload (the LOG_ settings, or the\n"
    "servers' results below " LOGGING_PREFIX ") and starts rollout-logging when it\n"
    "holds something that was not dealt with yet.\n"
    "\n"
    "  --config-dir DIR      policy.json, logging.d/ (default " PROGRAM_CONFIG_DIR ")\n"
    "  --state-dir DIR       what was done last (default " PROGRAM_STATE_DIR ")\n"
    "  --settings-root PATH  KV root of the settings (default " PROGRAM_SETTINGS_ROOT
    ")\n"
    "  --help, --version\n"
    "\n"
    "exit: 0 nothing to do or done, 1 failed, 2 usage\n"
    "example (by hand there is no payload): rollout-logging --retry\n";

struct options {
    const char *config_dir;
    const char *state_dir;
    const char *settings_root;
    bool results;
};

static int parse_options(int argc, char **argv, struct options *opt, struct error *err)
{
    const struct program_option table[] = {
        {"config-dir", &opt->config_dir, NULL},
        {"state-dir", &opt->state_dir, NULL},
        {"settings-root", &opt->settings_root, NULL},
    };
    int rc =
        program_options(argc, argv, help, table, sizeof table / sizeof table[0], err);
    if (rc <= 0)
        return rc;
    if (rc == argc - 1 && strcmp(argv[rc], "settings") == 0)
        return 1;
    opt->results = rc == argc - 1 && strcmp(argv[rc], "results") == 0;
    if (opt->results)
        return 1;
    return error_set(err, -EINVAL,
                     "say which watch this is: settings or results, see --help");
}

/* Digest of the payload on stdin. */
static int read_digest(const struct options *opt, char digest[KV_DIGEST],
                       struct error *err)
{
    char prefix[256] = LOGGING_PREFIX;
    struct buffer payload = BUFFER_INIT(PAYLOAD_LIMIT);
    struct kv_list list = {0};
    cJSON *root = NULL;
    int rc = buffer_read(&payload, STDIN_FILENO);
    if (rc < 0)
        rc = error_set(err, rc, "watch payload: %s", strerror(-rc));
    if (rc == 0)
        rc =
            json_parse(buffer_text(&payload), payload.len, "watch payload", &root, err);
    if (rc == 0)
        rc = kv_parse(root, &list, err);
    if (!opt->results)
        (void)snprintf(prefix, sizeof prefix, "%s%sLOG_", opt->settings_root,
                       SETTINGS_PLACE);
    if (rc == 0)
        rc = kv_digest(&list, prefix, digest, err);
    kv_release(&list);
    cJSON_Delete(root);
    buffer_release(&payload);
    return rc;
}

static bool nothing_to_do(const struct options *opt)
{
    struct error err = {0};
    struct ledger ledger;
    char digest[KV_DIGEST];
    if (read_digest(opt, digest, &err) < 0) {
        program_log(LOG_WARNING, "%s; asking Consul instead", err.text);
        return false;
    }
    ledger_read(opt->state_dir, &ledger);
    if (opt->results)
        return ledger.state >= LEDGER_DONE && strcmp(ledger.results, digest) == 0;
    return ledger_settled(&ledger, digest);
}

int main(int argc, char **argv)
{
    program_start("reconfigure-logging");
    struct options opt = {.config_dir = PROGRAM_CONFIG_DIR,
                          .state_dir = PROGRAM_STATE_DIR,
                          .settings_root = PROGRAM_SETTINGS_ROOT};
    struct error err = {0};
    int rc = parse_options(argc, argv, &opt, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    if (rc <= 0)
        return program_end(rc < 0 ? HANDLER_USAGE : HANDLER_DONE, HANDLER_FAILED);
    if (nothing_to_do(&opt))
        return program_end(HANDLER_DONE, HANDLER_FAILED);
    char path[4096];
    const char *const args[] = {
        path,          "--config-dir",    opt.config_dir,    "--state-dir",
        opt.state_dir, "--settings-root", opt.settings_root, NULL};
    if (program_sibling("rollout-logging", path, sizeof path, &err) == 0) {
        (void)execv(path, (char *const *)(uintptr_t)args);
        (void)error_set(&err, -errno, "cannot run %s: %s", path, strerror(errno));
    }
    program_log(LOG_ERR, "%s", err.text);
    return program_end(HANDLER_FAILED, HANDLER_FAILED);
}
