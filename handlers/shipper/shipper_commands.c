/* SPDX-License-Identifier: MIT */
#include "shipper/shipper_commands.h"

#include "base/boottime.h"
#include "base/buffer.h"
#include "base/child.h"
#include "base/limits.h"
#include "base/text.h"
#include "settings/redact.h"
#include "shipper/owned_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 4096 /* bytes kept of each stream of a command */
#define QUOTED_MAX 300  /* bytes of it in a text */
#define RETRY_MS   50

/* ---- one command --------------------------------------------------------- */

/* The first lines as one: line ends become "; ", other non-printables '?'. */
static const char *quote(const char *output, char ret[QUOTED_MAX + 1])
{
    size_t n = 0;
    output += strspn(output, " \t\r\n");
    for (; *output && n + 2 < QUOTED_MAX; output++) {
        if (*output == '\n') {
            ret[n++] = ';';
            ret[n++] = ' ';
        } else if (*output != '\r') {
            ret[n++] = text_printable(*output);
        }
    }
    while (n > 0 && (ret[n - 1] == ' ' || ret[n - 1] == ';'))
        n--;
    ret[n] = '\0';
    return ret;
}

static int explain(const struct shipper_config *shipper, struct child_result *result,
                   const char *const *argv, struct error *err)
{
    struct buffer *said = result->errors.len > 0 ? &result->errors : &result->output;
    char text[QUOTED_MAX + 1] = "";
    (void)quote(buffer_text(said), text);
    if (*text && shipper->mute)
        (void)snprintf(text, sizeof text, "(kept back: it may hold a secret)");
    const char *colon = *text ? ": " : "";
    if (result->signal)
        return error_set(err, -EINVAL, "%s was killed by signal %d%s%s", argv[0], result->signal,
                         colon, text);
    if (result->exit_code != 0)
        return error_set(err, -EINVAL, "%s ended with %d%s%s", argv[0], result->exit_code, colon,
                         text);
    return 0;
}

/* Run to its end. ret_output, when not NULL, gets its stdout. */
static int run_command(const struct shipper_config *shipper, const char *const *argv,
                       struct buffer *ret_output, struct error *err)
{
    const struct child_job job = {.argv = argv, .timeout_ms = shipper->timeout_ms};
    struct child_result result = {.output = BUFFER_INIT(OUTPUT_MAX),
                                  .errors = BUFFER_INIT(OUTPUT_MAX)};
    int rc = child_run(&job, &result, err);
    if (shipper->credential) {
        redact_text(shipper->credential, &result.output);
        redact_text(shipper->credential, &result.errors);
    }
    if (rc == 0)
        rc = explain(shipper, &result, argv, err);
    if (rc == 0 && ret_output) {
        buffer_clear(ret_output);
        rc = buffer_append(ret_output, buffer_text(&result.output), result.output.len);
    }
    buffer_release(&result.output);
    buffer_release(&result.errors);
    return rc;
}

/* The arguments with `value` in the place of `placeholder`. */
static void fill(const char *const *arguments, const char *placeholder, const char *value,
                 const char *ret[SHIPPER_CONFIG_ARGUMENTS + 1])
{
    size_t n = 0;
    for (; arguments[n]; n++)
        ret[n] = strcmp(arguments[n], placeholder) == 0 ? value : arguments[n];
    ret[n] = NULL;
}

int shipper_commands_validate(const struct shipper_config *shipper, const char *staged,
                              struct error *err)
{
    const char *argv[SHIPPER_CONFIG_ARGUMENTS + 1] = {NULL};
    struct error why = {0};
    if (!shipper->validate[0])
        return 0;
    fill(shipper->validate, "{file}", staged, argv);
    int rc = run_command(shipper, argv, NULL, &why);
    if (rc < 0)
        return error_set(err, rc, "%s refused: %s", shipper->destination, why.text);
    return 0;
}

static int run_confirm(const struct shipper_config *shipper, bool any, struct buffer *ret_output,
                       struct error *err)
{
    const char *argv[SHIPPER_CONFIG_ARGUMENTS + 1] = {NULL};
    char digest[DIGEST_TEXT];
    fill(shipper->confirm, "{digest}", any ? "any" : owned_files_look(shipper->destination, digest),
         argv);
    return run_command(shipper, argv, ret_output, err);
}

bool shipper_commands_runs(const struct shipper_config *shipper, bool any)
{
    return run_confirm(shipper, any, NULL, NULL) == 0;
}

int shipper_commands_ask(const struct shipper_config *shipper, int64_t limit_ms)
{
    struct shipper_config hurried = *shipper;
    hurried.timeout_ms = limit_ms;
    return run_confirm(&hurried, true, NULL, NULL);
}

/* ---- several shippers ----------------------------------------------------- */

enum command { RELOAD, CONFIRM, STOP };

static const char *const *argv_of(const struct shipper_config *shipper, enum command command)
{
    switch (command) {
    case RELOAD:
        return shipper->reload;
    case CONFIRM:
        return shipper->confirm;
    default:
        return shipper->retired && shipper->retire[0] ? shipper->retire : shipper->stop;
    }
}

/* What asks for one file is not the question about another. */
static bool equal(const char *const *a, const char *const *b)
{
    size_t i = 0;
    while (a[i] && b[i] && strcmp(a[i], b[i]) == 0 && strcmp(a[i], "{digest}") != 0)
        i++;
    return !a[i] && !b[i];
}

/* Is this the first shipper with that command? */
static bool first(const struct shipper_config *const *shippers, size_t at, enum command command)
{
    if (!shippers[at])
        return false;
    for (size_t i = 0; i < at; i++) {
        if (shippers[i] && equal(argv_of(shippers[i], command), argv_of(shippers[at], command)))
            return false;
    }
    return true;
}

static int run_each(const struct shipper_config *const *shippers, size_t n, enum command command,
                    struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (first(shippers, i, command))
            rc = run_command(shippers[i], argv_of(shippers[i], command), NULL, err);
        file_set_point();
    }
    return rc;
}

/* Try until confirm succeeds (or, for STOP, fails), or the deadline is over. */
static int wait_for(const struct shipper_config *shipper, bool running, int64_t deadline_ms,
                    struct buffer *output, struct error *err)
{
    for (;;) {
        int rc = run_confirm(shipper, !running, output, err);
        if ((rc == 0) == running)
            return 0;
        if (boottime_ms() >= deadline_ms)
            return rc < 0 ? rc
                          : error_set(err, -EBUSY, "%s was stopped but still runs",
                                      shipper->destination);
        boottime_sleep(RETRY_MS);
    }
}

static int confirm_again(const struct shipper_config *shipper, const struct buffer *before,
                         struct error *err)
{
    struct buffer now = BUFFER_INIT(OUTPUT_MAX);
    int rc = run_confirm(shipper, false, &now, err);
    if (rc == 0 && strcmp(buffer_text(&now), buffer_text(before)) != 0)
        rc = error_set(err, -ESRCH, "%s: the shipper has died and was started again",
                       shipper->destination);
    buffer_release(&now);
    return rc;
}

static int confirm(const struct shipper_config *const *shippers, size_t n, struct error *err)
{
    struct buffer before[SHIPPER_CONFIG_MAX];
    int64_t deadline_ms = boottime_ms() + limits()->confirm_ms;
    bool any = false;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        before[i] = BUFFER_INIT(OUTPUT_MAX);
        any = any || shippers[i];
        if (rc == 0 && first(shippers, i, CONFIRM))
            rc = wait_for(shippers[i], true, deadline_ms, &before[i], err);
    }
    if (rc == 0 && any)
        boottime_sleep(limits()->confirm_ms);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0 && first(shippers, i, CONFIRM))
            rc = confirm_again(shippers[i], &before[i], err);
        buffer_release(&before[i]);
    }
    return rc;
}

int shipper_commands_reload(const struct shipper_config *const *shippers, size_t n,
                            struct error *err)
{
    struct error why = {0};
    int rc = run_each(shippers, n, RELOAD, &why);
    if (rc < 0)
        return error_set(err, rc, "reload failed: %s", why.text);
    rc = confirm(shippers, n, &why);
    file_set_point();
    return rc < 0 ? error_set(err, rc, "not confirmed: %s", why.text) : 0;
}

int shipper_commands_stop(const struct shipper_config *const *shippers, size_t n, struct error *err)
{
    struct error why = {0};
    int64_t deadline_ms = boottime_ms() + limits()->confirm_ms;
    int rc = run_each(shippers, n, STOP, &why);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (first(shippers, i, CONFIRM))
            rc = wait_for(shippers[i], false, deadline_ms, NULL, &why);
    }
    return rc < 0 ? error_set(err, rc, "stop failed: %s", why.text) : 0;
}
