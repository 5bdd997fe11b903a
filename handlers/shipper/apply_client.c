/* SPDX-License-Identifier: MIT */
#include "shipper/apply_client.h"

#include "base/boottime.h"
#include "base/child.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/program.h"
#include "base/text.h"
#include "base/trust.h"
#include "net/unix_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_FILE "apply-socket" /* in the configuration directory */
#define SOCKET_MAX  256            /* bytes of it */
#define RETRY_MS    100

static int no_answer(const struct child_result *result, struct error *err)
{
    const char *said = buffer_text(&result->errors);
    if (result->signal)
        return error_set(err, -EIO, "apply-logging was killed by signal %d", result->signal);
    return error_set(err, -EIO, "apply-logging gave no answer (exit %d): %.*s", result->exit_code,
                     (int)strcspn(said, "\n"), said);
}

/* Clean, NULL, as for every child. Only tests hand their time limits on. */
static const char *const *environment(void)
{
#ifdef TEST_LIMITS
    static char limits[1024];
    static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", limits, NULL};
    const char *value = getenv("LICTOR_LIMITS");
    if (value) {
        (void)snprintf(limits, sizeof limits, "LICTOR_LIMITS=%s", value);
        return env;
    }
#endif
    return NULL;
}

/* ---- directly ------------------------------------------------------------ */

static int run_directly(const char *config_dir, const char *state_dir, const char *request,
                        struct buffer *answer, struct error *err)
{
    char program[FILE_PATH];
    char dir[FILE_PATH];
    int rc = program_sibling("apply-logging", program, sizeof program, err);
    if (rc == 0)
        rc = file_path(dir, sizeof dir, state_dir, "apply", err);
    if (rc < 0)
        return rc;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_set(err, -errno, "cannot create %s: %s", dir, strerror(errno));
    const char *argv[] = {program, "--config-dir", config_dir, "--apply-dir", dir, NULL};
    struct child_job job = {.argv = argv,
                            .env = environment(),
                            .input = request,
                            .input_len = strlen(request),
                            .timeout_ms = limits()->apply_ms};
    struct child_result result = {.output = BUFFER_INIT(APPLY_PROTOCOL_MAX),
                                  .errors = BUFFER_INIT(APPLY_PROTOCOL_MAX)};
    rc = child_run(&job, &result, err);
    if (rc == 0 && result.output.len == 0)
        rc = no_answer(&result, err);
    if (rc == 0)
        rc = buffer_append(answer, buffer_text(&result.output), result.output.len);
    buffer_release(&result.output);
    buffer_release(&result.errors);
    return rc;
}

/* ---- behind a socket ----------------------------------------------------- */

/* "" where there is none. */
static int find_socket(const char *config_dir, char ret[SOCKET_MAX], struct error *err)
{
    char path[FILE_PATH];
    struct buffer text = BUFFER_INIT(SOCKET_MAX - 1);
    int rc = file_path(path, sizeof path, config_dir, SOCKET_FILE, err);
    if (rc == 0)
        rc = trust_read(path, &text, err);
    const char *line = buffer_text(&text);
    size_t len = strcspn(line, "\n");
    if (rc == 0 && (*line != '/' || strlen(line) > len + 1))
        rc = error_set(err, -EBADMSG, "%s must hold one absolute path", path);
    (void)snprintf(ret, SOCKET_MAX, "%.*s", (int)len, line);
    buffer_release(&text);
    return rc == -ENOENT ? 0 : rc;
}

/* Beside another connection, and for a moment after it, the service manager closes a
 * further one unread (MaxConnections=1): that is no answer, so ask again for a while.
 * *ret_begun: somebody listens, so it may have begun. */
static int ask_socket(const char *path, const char *request, struct buffer *answer, bool *ret_begun,
                      struct error *err)
{
    int64_t end_ms = boottime_ms() + limits()->lock_ms;
    *ret_begun = false;
    for (;;) {
        int fd = unix_socket_open(path, limits()->lock_ms, err);
        if (fd == -ENOENT || fd == -ECONNREFUSED)
            return error_set(err, fd, "nobody answers at %s: is lictor-apply.socket running?",
                             path);
        if (fd < 0)
            return fd;
        *ret_begun = true;
        int rc = unix_socket_ask(fd, request, strlen(request), limits()->apply_ms, answer, err);
        (void)close(fd);
        if (rc < 0 || answer->len > 0)
            return rc;
        if (boottime_ms() >= end_ms)
            return error_set(err, -EIO,
                             "apply-logging at %s gave no answer: another one is at "
                             "work, or journalctl -u 'lictor-apply@*' says why",
                             path);
        boottime_sleep(RETRY_MS);
    }
}

/* Is this a trouble of ours, at this moment, that says nothing of this server's configuration? */
static bool passes(int rc)
{
    static const int codes[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EIO, EAGAIN, EINTR};
    for (size_t i = 0; i < COUNT(codes); i++) {
        if (rc == -codes[i])
            return true;
    }
    return false;
}

int apply_client_run(const char *config_dir, const char *state_dir, const char *request,
                     const char *revision, struct apply_result *ret, struct error *err)
{
    char path[SOCKET_MAX];
    struct error why = {0};
    struct buffer answer = BUFFER_INIT(APPLY_PROTOCOL_MAX);
    bool begun = false;
    int rc = find_socket(config_dir, path, &why);
    if (rc == 0 && *path) {
        rc = ask_socket(path, request, &answer, &begun, &why);
    } else if (rc == 0) {
        begun = true;
        rc = run_directly(config_dir, state_dir, request, &answer, &why);
    }
    if (rc == 0)
        rc = apply_protocol_parse_answer(buffer_text(&answer), answer.len, revision, ret, &why);
    buffer_release(&answer);
    if (rc < 0 && (begun || passes(rc)))
        return error_set(err, rc, "%s", why.text);
    if (rc < 0) { /* known: a failure with its reason */
        *ret = (struct apply_result){0};
        text_copy(ret->reason, sizeof ret->reason, why.text);
    }
    return 0;
}
