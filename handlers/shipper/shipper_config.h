/* SPDX-License-Identifier: MIT */
/* shipper_config.h: one log shipper's configuration file and how to bring it to life.
 *
 * <config-dir>/logging.d/NAME.json, written by root, an object with
 *
 *   template     file with the Mustache template; relative to the JSON's directory
 *   destination  the file to write; its directory belongs to the running user
 *   escape       "rainerscript", "yaml", "toml" or "beats" (YAML with variables): the
 *                language of the template (mustache.h)
 *   mode         octal text, default "0640"; nobody else may write, nor read where the
 *                template has secrets
 *   validate     optional; the argument "{file}" becomes the staged file
 *   reload       make the shipper run with the destination as it is now
 *   confirm      exit 0: the shipper runs. Its output names the process (a pid): it is
 *                run twice, and the same process must answer. The argument "{digest}"
 *                becomes the SHA-256 of the destination as it is now: the shipper must run
 *                with that very text; "any" where only the question is whether it runs
 *   stop         make the shipper not run; 0 also when it does not
 *   retire       optional, instead of stop where another shipper takes its place: send what waits
 *                first, and fail when that cannot be
 *   timeout      duration of each command, default "30s", at most 5 minutes
 *   probe        optional, absolute: the log in which this server writes probe records
 *                (probe.h), which the shipper ships with its own REVISION added. Without
 *                it nothing can prove that records arrive: an apply is done once it is
 *                confirmed, and the check says so
 *   account      optional, absolute: the file in which the shipper says what became of its
 *                records (account.h), readable for the agent's user
 *   service      optional: the service of systemd which runs it, "lictor-rsyslog", for texts, and
 *                for the question whether it runs
 *   variables    optional, { "name": "text" }: names of its own for the template, the
 *                same bytes as in settings (base/text.h)
 *
 * validate, reload, confirm, stop and retire are argument lists with an absolute program, no
 * shell. An unknown member is refused by name. What a template can name: render.h. */
#ifndef SHIPPER_CONFIG_H
#define SHIPPER_CONFIG_H

#include "base/error.h"
#include "settings/credential.h"
#include "shipper/file_set.h"
#include "shipper/mustache.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SHIPPER_CONFIG_ARGUMENTS 16
#define SHIPPER_CONFIG_VARIABLES 32
#define SHIPPER_CONFIG_MAX       16    /* shippers on one server */
#define SHIPPER_CONFIG_SERVICE   64    /* bytes of a service's name with NUL */
#define SHIPPER_CONFIG_FILE      65536 /* bytes of a definition */

struct shipper_config {
    char path[FILE_SET_PATH];     /* of the definition, for texts */
    char template[FILE_SET_PATH]; /* absolute */
    char destination[FILE_SET_PATH];
    char probe[FILE_SET_PATH];            /* "" none */
    char account[FILE_SET_PATH];          /* "" none */
    char service[SHIPPER_CONFIG_SERVICE]; /* "" none */
    enum mustache_language language;
    mode_t mode;
    int64_t timeout_ms;
    const char *validate[SHIPPER_CONFIG_ARGUMENTS + 1]; /* NULL-terminated; [0] NULL: none */
    const char *reload[SHIPPER_CONFIG_ARGUMENTS + 1];
    const char *confirm[SHIPPER_CONFIG_ARGUMENTS + 1];
    const char *stop[SHIPPER_CONFIG_ARGUMENTS + 1];
    const char *retire[SHIPPER_CONFIG_ARGUMENTS + 1]; /* [0] NULL: none */
    struct {
        const char *name; /* [a-z][a-z0-9_]* */
        const char *text;
    } variable[SHIPPER_CONFIG_VARIABLES];
    size_t variables;
    const struct credential *credential; /* borrowed; its secrets are taken out of what
                                            commands say; NULL none */
    bool retired; /* defined no more: it is stopped, and its file removed (retired_shippers.h) */
    bool mute;    /* nothing that they say is shown: it may hold secrets of an old file */
    cJSON *root;  /* owns the texts above */
};

/* All-zero is empty. */
struct shipper_config_list {
    struct shipper_config shipper[SHIPPER_CONFIG_MAX];
    size_t n;
};

/* Parse one definition (pure). path, absolute, is for texts and for the template's
 * directory. Returns 0, -EBADMSG with a text that begins with path, -ENOMEM.
 * On failure nothing is to be released. */
MUST_CHECK int shipper_config_parse(const char *text, size_t len, const char *path,
                                    struct shipper_config *ret, struct error *err);

/* May its programs be run (trust_program())? */
MUST_CHECK int shipper_config_trust(const struct shipper_config *shipper, struct error *err);

/* Read all of <config_dir>/logging.d, by name. Definitions, templates' directories and
 * programs must be writable by root (or the running user) only. Returns 0, -ENOENT when
 * there is no shipper, -EPERM, -EEXIST when two have the same destination or probe log,
 * -EBADMSG, ... */
MUST_CHECK int shipper_config_read(const char *config_dir, struct shipper_config_list *ret,
                                   struct error *err);

/* "rsyslog" for /etc/lictor/logging.d/rsyslog.json. Returns ret. */
const char *shipper_config_name(const struct shipper_config *shipper, char ret[FILE_SET_PATH]);

void shipper_config_release(struct shipper_config_list *list);

#endif
