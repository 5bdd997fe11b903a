/* verify-logging: do all servers have the same, wanted logging settings in force, and do
 * their records arrive in the same Elasticsearch?
 *
 * Gathers the settings, every server's record, this server's local and what Elasticsearch
 * has of all servers; judges (server_record.h, delivery.h); prints, and with --publish refreshes
 * the check and writes the next probe record. Changes nothing else. */
#include "base/file.h"
#include "base/program.h"
#include "check/publish.h"
#include "consul/consul.h"
#include "rollout/delivery_proof.h"
#include "rollout/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

static const char help[] =
    "usage: verify-logging [OPTIONS]\n"
    "\n"
    "Compares the revision of the LOG_ settings which every server has in force with\n"
    "the one that is wanted, and asks Elasticsearch whose records arrive.\n"
    "\n"
    "  --publish CHECK_ID    also update this TTL check of the agent, and write a "
    "record\n"
    "                        to the probe logs which logging.d/ names\n"
    "  --config-dir DIR      policy.json, consul.env, logging.d/, credentials/\n"
    "                        (default " PROGRAM_CONFIG_DIR ")\n"
    "  --state-dir DIR       what was done last (default " PROGRAM_STATE_DIR ")\n"
    "  --settings-root PATH  KV root of the settings (default " PROGRAM_SETTINGS_ROOT ")\n"
    "  --help, --version\n"
    "\n"
    "exit codes: 0 passing, 1 warning, 2 critical, 3 could not look; with --publish\n"
    "      0 published or rightly held back, 3 could not look or publish\n"
    "example: verify-logging\n";

struct options {
    struct snapshot_place place;
    const char *publish;
};

/* Written before anything is asked: a program that hangs must not keep it from being written. */
static void write_probe(const struct options *opt, const char *node, struct error *why)
{
    if (opt->publish && delivery_write_probes(opt->place.config_dir, node, why) == 0)
        why->text[0] = '\0';
}

static void judge(const struct options *opt, const struct snapshot *snapshot,
                  const struct delivery_proof *proof, const struct error *probe, struct verdict *v)
{
    struct local_state local = {0};
    local_state_read(opt->place.state_dir, &local);
    snapshot_judge(&opt->place, snapshot, &local, v);
    delivery_proof_judge(&opt->place, snapshot, &local, proof, v);
    if (!probe->text[0])
        return;
    verdict_raise(v, VERDICT_WARNING);
    verdict_note(v, "%s", probe->text);
}

static int look(struct consul *consul, const struct options *opt, struct verdict *v,
                struct error *err)
{
    struct snapshot snapshot = {0};
    struct delivery_proof proof = {0};
    struct error probe = {0};
    int rc = snapshot_node(consul, &snapshot, err);
    if (rc == 0) {
        write_probe(opt, snapshot.node, &probe);
        rc = snapshot_settings(consul, &opt->place, CONSUL_STALE, &snapshot, err);
    }
    if (rc == 0)
        rc = snapshot_records(consul, &opt->place, CONSUL_STALE, &snapshot, err);
    if (rc == 0)
        rc = delivery_proof_gather(&opt->place, &snapshot, &proof, err);
    if (rc == 0)
        judge(opt, &snapshot, &proof, &probe, v);
    delivery_proof_release(&proof);
    snapshot_release(&snapshot);
    return rc;
}

static int publish(struct consul *consul, const struct options *opt, struct error *err)
{
    struct verdict v = {0};
    int lock = publish_lock(opt->place.state_dir, opt->publish, err);
    if (lock < 0)
        return CHECK_UNKNOWN;
    int code = CHECK_PASSING;
    if (look(consul, opt, &v, err) < 0) {
        publish_cannot_look(&v, err->text);
        code = CHECK_UNKNOWN;
    }
    if (publish_verdict(consul, opt->place.state_dir, opt->publish, &v, err) < 0)
        code = CHECK_UNKNOWN;
    file_unlock(lock);
    return code;
}

static int by_hand(struct consul *consul, const struct options *opt, struct error *err)
{
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    if (look(consul, opt, &v, err) < 0)
        return CHECK_UNKNOWN;
    verdict_render(&v, text);
    printf("%s", text);
    return (int)v.status;
}

int main(int argc, char **argv)
{
    program_start("verify-logging");
    struct options opt = {.place = {.config_dir = PROGRAM_CONFIG_DIR,
                                    .state_dir = PROGRAM_STATE_DIR,
                                    .settings_root = PROGRAM_SETTINGS_ROOT}};
    const struct program_option table[] = {
        {"config-dir", &opt.place.config_dir, NULL},
        {"state-dir", &opt.place.state_dir, NULL},
        {"settings-root", &opt.place.settings_root, NULL},
        {"publish", &opt.publish, NULL},
    };
    struct error err = {0};
    struct consul *consul = NULL;
    int rc = program_options(argc, argv, help, table, COUNT(table), &err);
    if (rc == 0)
        return program_end(CHECK_PASSING, CHECK_UNKNOWN);
    if (rc > 0 && rc < argc)
        rc = error_set(&err, -EINVAL, "unexpected '%s', see --help", argv[rc]);
    if (rc > 0)
        rc = consul_open(opt.place.config_dir, &consul, &err);
    int code = CHECK_UNKNOWN;
    if (rc == 0)
        code = opt.publish ? publish(consul, &opt, &err) : by_hand(consul, &opt, &err);
    if (code == CHECK_UNKNOWN)
        program_log(LOG_ERR, "%s", err.text);
    consul_close(consul);
    return program_end(code, CHECK_UNKNOWN);
}
