/* SPDX-License-Identifier: MIT */
/* apply-logging: bring the log shippers of this server to the settings on stdin.
 *
 * Settings in, one result out; nothing handed to it is trusted: it reads the policy, judges
 * the settings and renders again by itself. No network, no token, no libcurl. */
#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/trust.h"
#include "settings/credential.h"
#include "settings/effective.h"
#include "settings/redact.h"
#include "shipper/apply.h"
#include "shipper/apply_protocol.h"
#include "shipper/render.h"
#include "shipper/retired_shippers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define APPLY_DIR "/var/lib/lictor-apply"

static const char help[] =
    "apply-logging: bring the log shippers of this server to the settings on stdin\n"
    "\n"
    "usage: apply-logging [--config-dir DIR] [--apply-dir DIR] < REQUEST\n"
    "       apply-logging --recover [--apply-dir DIR]\n"
    "\n"
    "  --config-dir DIR  policy.json and logging.d/*.json, root's (/etc/lictor)\n"
    "  --apply-dir DIR   lock and journal, mode 0700 (" APPLY_DIR ")\n"
    "  --recover         only bring back the files of a killed run: for boot,\n"
    "                    before the shippers start; reads no request\n"
    "\n"
    "request: {\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://es:9200\"}}\n"
    "result:  one line with state, revision, changed, recovered, reason, rollback_failed\n"
    "exit codes: 0 done, 1 failed, 2 usage\n";

/* One run. file[i] and text[i] belong to shippers.shipper[i]. */
struct run {
    const char *config_dir;
    bool recover;
    struct apply apply;
    struct buffer input;
    struct kv_list request;
    struct policy policy;
    struct settings settings;
    struct credential credential;
    char revision[KV_DIGEST];
    struct shipper_config_list shippers;
    struct file_set_entry file[SHIPPER_CONFIG_MAX];
    struct buffer text[SHIPPER_CONFIG_MAX];
};

/* ---- judging and rendering ----------------------------------------------- */

static int judge_request(struct run *run, struct error *err)
{
    struct effective log = {.log = EFFECTIVE_NONE};
    int rc = policy_read(run->config_dir, &run->policy, err);
    if (rc == 0)
        rc = effective_judge(&run->policy, PROGRAM_SETTINGS_ROOT, &run->request, &run->settings,
                             &log, err);
    if (rc < 0)
        return rc;
    if (log.log == EFFECTIVE_NONE)
        return error_set(err, -ENODATA, "request: no usable LOG_ settings");
    if (effective_service(&run->settings))
        return error_set(err, -EINVAL,
                         "request: consul:%s must be put as the URLs of its instances",
                         run->settings.log_service);
    memcpy(run->revision, log.revision, sizeof run->revision);
    if (log.log != EFFECTIVE_ALLOWED)
        return error_set(err, -EACCES, "%s", log.why.text);
    return credential_choose(run->config_dir, &run->settings, CREDENTIAL_SHIP, &run->credential,
                             err);
}

static int render(struct run *run, struct error *err)
{
    const struct render_input input = {&run->settings, &run->policy, &run->credential,
                                       run->revision};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < run->shippers.n; i++) {
        struct shipper_config *t = &run->shippers.shipper[i];
        struct file_set_entry *file = &run->file[i];
        t->credential = &run->credential;
        run->text[i] = BUFFER_INIT(RENDER_MAX);
        file->mode = t->mode;
        file->remove = !run->settings.log_enabled || t->retired;
        memcpy(file->path, t->destination, sizeof file->path);
        if (!file->remove)
            rc = render_shipper(t, &input, &run->text[i], err);
        file->data = buffer_text(&run->text[i]);
        file->len = run->text[i].len;
    }
    return rc;
}

/* ---- the run ------------------------------------------------------------- */

static int lock(const char *dir, struct error *err)
{
    char path[FILE_SET_PATH];
    if (!trust_own_directory(dir))
        return error_set(err, -EPERM, "%s must be a directory of the running user, mode 0700", dir);
    int rc = file_path(path, sizeof path, dir, "lock", err);
    return rc < 0 ? rc : file_lock(path, limits()->lock_ms, err);
}

static int work(struct run *run, struct error *err)
{
    int rc = apply_recover(&run->apply, err);
    if (rc == 0)
        rc = shipper_config_read(run->config_dir, &run->shippers, err);
    if (rc == 0)
        rc = retired_shippers_add(run->apply.dir, &run->shippers, err);
    if (rc < 0)
        return rc;
    struct error why = {0};
    apply_recover_shippers(&run->apply, &run->shippers, &why);
    if (run->apply.owed)
        program_log(LOG_CRIT, "rollback failed: %s", why.text);
    rc = apply_protocol_parse_request(&run->input, PROGRAM_SETTINGS_ROOT, &run->request, err);
    if (rc == 0)
        rc = judge_request(run, err);
    if (rc == 0)
        rc = render(run, err);
    if (rc < 0)
        return rc;
    run->apply.secret = run->credential.password[0] || run->credential.api_key[0];
    apply_look(&run->apply, &run->shippers, run->file);
    if (run->apply.remark[0])
        program_log(LOG_WARNING, "%s", run->apply.remark);
    return apply_set(&run->apply, &run->shippers, run->file, err);
}

/* The request is read before the lock is taken: nobody waits for a slow sender. */
static int locked_work(struct run *run, struct error *err)
{
    int rc = run->recover ? 0 : apply_protocol_read(STDIN_FILENO, &run->input, err);
    if (rc < 0)
        return rc;
    int fd = lock(run->apply.dir, err);
    if (fd == -EWOULDBLOCK && run->recover)
        return 0; /* the run at work has recovered before all else */
    if (fd < 0)
        return fd;
    rc = run->recover ? apply_recover(&run->apply, err) : work(run, err);
    file_unlock(fd);
    return rc;
}

static int report(const struct run *run, int rc, const struct error *err)
{
    const char *failed[SHIPPER_CONFIG_MAX];
    for (size_t i = 0; i < run->apply.n_failed; i++)
        failed[i] = run->apply.failed[i];
    const struct apply_answer answer = {.done = rc >= 0,
                                        .revision = run->revision,
                                        .changed = run->apply.changed,
                                        .recovered = run->apply.recovered,
                                        .reason = rc < 0 ? err->text : run->apply.remark,
                                        .failed = failed,
                                        .n_failed = run->apply.n_failed};
    char *text = apply_protocol_format_answer(&answer);
    if (!text || puts(text) < 0)
        rc = -EIO;
    free(text);
    return rc < 0 ? HANDLER_FAILED : HANDLER_DONE;
}

static void release(struct run *run)
{
    for (size_t i = 0; i < SHIPPER_CONFIG_MAX; i++)
        buffer_wipe(&run->text[i]);
    credential_release(&run->credential);
    shipper_config_release(&run->shippers);
    policy_release(&run->policy);
    kv_release(&run->request);
    buffer_release(&run->input);
}

int main(int argc, char **argv)
{
    static struct run run;
    struct error err = {0};
    run.config_dir = PROGRAM_CONFIG_DIR;
    run.apply.dir = APPLY_DIR;
    const struct program_option options[] = {
        {"config-dir", &run.config_dir, NULL},
        {"apply-dir", &run.apply.dir, NULL},
        {"recover", NULL, &run.recover},
    };
    program_start("apply-logging");
    const struct program_usage usage = {.help = help, .options = options, .n = COUNT(options)};
    int rc = program_options(argc, argv, &usage, &err);
    if (rc <= 0)
        return program_not_run(rc, HANDLER_USAGE, HANDLER_FAILED, &err);
    rc = locked_work(&run, &err);
    redact_error(&run.credential, &err);
    if (rc < 0)
        program_log(run.apply.n_failed > 0 ? LOG_CRIT : LOG_ERR, "%s", err.text);
    int code = report(&run, rc, &err);
    release(&run);
    return program_end(code, HANDLER_FAILED);
}
