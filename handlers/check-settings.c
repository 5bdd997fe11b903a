/* check-settings: may these settings be written?
 *
 * cluster-set asks it before it writes, so that a wrong value never reaches KV; what
 * is written by other means is judged by the same table and policy, only later. */
#include "base/buffer.h"
#include "base/json.h"
#include "base/program.h"
#include "consul/kv.h"
#include "settings/settings.h"
#include "settings/settings_change.h"
#include "settings/settings_print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Run by hand, so more than a handler takes: the place may hold huge foreign keys. */
#define INPUT_MAX  (16U << 20)
#define OUTPUT_MAX (1U << 20)

static const char help[] =
    "usage: check-settings [OPTION]... [KEY=VALUE]...\n"
    "\n"
    "Says whether settings may be written: KEY=VALUE arguments or, without any, lines "
    "of\n"
    "stdin, judged as if nothing else stood in KV. Prints a line for each problem.\n"
    "\n"
    "  --kv                  stdin is what stands in KV now, as Consul answers to\n"
    "                        GET /v1/kv/ROOT/service/cluster/tag/any/?recurse; each\n"
    "                        KEY=VALUE is a change of it, KEY alone takes it out\n"
    "  --json                print all settings, values in force, where they are from\n"
    "  --table               print the table of all settings (Markdown)\n"
    "  --config-dir DIR      where policy.json is (" PROGRAM_CONFIG_DIR ")\n"
    "  --settings-root PATH  where the settings live in KV (" PROGRAM_SETTINGS_ROOT ")\n"
    "  --help, --version\n"
    "\n"
    "The LOG_ settings are judged as one set: one that may not be written refuses "
    "all.\n"
    "\n"
    "Exit codes: 0 they may be written, 1 they may not (or could not be judged), 2 "
    "usage\n"
    "\n"
    "example: check-settings LOG_ELASTICSEARCH_URL=http://es1:9200 LOG_LEVEL=warn\n";

struct options {
    const char *config_dir;
    const char *settings_root;
    bool kv, json, table;
};

/* Returns the index of the first word, 0 when served, or -EINVAL. */
static int parse_options(int argc, char **argv, struct options *opt, struct error *err)
{
    const struct program_option options[] = {
        {"config-dir", &opt->config_dir, NULL},
        {"settings-root", &opt->settings_root, NULL},
        {"kv", NULL, &opt->kv},
        {"json", NULL, &opt->json},
        {"table", NULL, &opt->table},
    };
    return program_options(argc, argv, help, options, COUNT(options), err);
}

static int read_lines(struct settings_change *p, char *text, size_t len, struct error *err)
{
    int rc = 0;
    if (memchr(text, '\0', len))
        return error_set(err, -EINVAL, "stdin holds a NUL character");
    for (char *line = text, *next = text; rc == 0 && *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (*line)
            rc = settings_change_add(p, line, false, err);
    }
    return rc;
}

static int read_kv(struct settings_change *p, const char *text, size_t len, struct error *err)
{
    cJSON *root = NULL;
    if (len == 0) /* Consul's answer when nothing is there */
        return 0;
    int rc = json_parse(text, len, "stdin", &root, err);
    if (rc == 0)
        rc = kv_parse(root, &p->list, err);
    cJSON_Delete(root);
    return rc;
}

static int read_input(struct settings_change *p, bool kv, struct error *err)
{
    struct buffer input = BUFFER_INIT(INPUT_MAX);
    int rc = buffer_read(&input, STDIN_FILENO);
    if (rc < 0)
        (void)error_set(err, rc, "cannot read stdin: %s",
                        rc == -EMSGSIZE ? "it has more than 16 MB" : strerror(-rc));
    else if (kv)
        rc = read_kv(p, buffer_text(&input), input.len, err);
    else if (input.len > 0)
        rc = read_lines(p, input.data, input.len, err);
    buffer_release(&input);
    return rc;
}

static int print_table(void)
{
    struct buffer text = BUFFER_INIT(OUTPUT_MAX);
    int rc = settings_print_table(&text);
    (void)printf("%s", buffer_text(&text));
    buffer_release(&text);
    return rc;
}

/* Returns 0 without problems, 1 with, negative errno when it could not be judged. */
static int judge(struct settings_change *p, const struct options *opt, struct error *err)
{
    struct buffer problems = BUFFER_INIT(OUTPUT_MAX), json = BUFFER_INIT(OUTPUT_MAX);
    int rc = settings_change_judge(p, opt->config_dir, &problems, err);
    if (rc == 0 && opt->json)
        rc = settings_change_json(p, &json, err);
    if (rc == 0) {
        (void)printf("%s", buffer_text(opt->json ? &json : &problems));
        rc = problems.len > 0;
    }
    buffer_release(&problems);
    buffer_release(&json);
    return rc;
}

static int run(int argc, char **argv, struct error *err)
{
    struct options opt = {.config_dir = PROGRAM_CONFIG_DIR, .settings_root = PROGRAM_SETTINGS_ROOT};
    int first = parse_options(argc, argv, &opt, err);
    if (first <= 0)
        return first;
    if (opt.table)
        return print_table();
    struct settings_change p = {.root = opt.settings_root};
    int rc = opt.kv || first == argc ? read_input(&p, opt.kv, err) : 0;
    for (int i = first; rc == 0 && i < argc; i++)
        rc = settings_change_add(&p, argv[i], opt.kv, err);
    if (rc == 0)
        rc = judge(&p, &opt, err);
    settings_change_release(&p);
    return rc;
}

int main(int argc, char **argv)
{
    program_start("check-settings");
    struct error err = {0};
    int rc = run(argc, argv, &err);
    if (rc < 0)
        program_log(LOG_ERR, "%s", err.text);
    if (rc > 0)
        return program_end(HANDLER_FAILED, HANDLER_FAILED);
    return program_end(rc == 0         ? HANDLER_DONE
                       : rc == -EINVAL ? HANDLER_USAGE
                                       : HANDLER_FAILED,
                       HANDLER_FAILED);
}
