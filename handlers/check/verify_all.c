/* SPDX-License-Identifier: MIT */
#include "check/verify_all.h"

#include "base/child.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS      11
#define OUTPUT_MAX 65536

/* One verification as a process. */
struct job {
    char path[FILE_PATH];
    const char *argv[WORDS];
};

static int prepare(const struct place *place, const struct verification *what, bool metrics,
                   struct job *job, struct child_job *ret, struct error *err)
{
    const char *const argv[WORDS] = {
        job->path, "--publish", what->check, PLACE_WORDS(place), metrics ? "--metrics" : NULL,
        NULL};
    memcpy(job->argv, argv, sizeof argv);
    *ret = (struct child_job){
        .argv = job->argv, .env = (const char *const *)environ, .timeout_ms = limits()->verify_ms};
    return program_sibling(what->program, job->path, sizeof job->path, err);
}

void verify_all_note(struct verdict *v, const char *fmt, ...)
{
    char text[VERDICT_SUMMARY];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (v->summary[0])
        verdict_note(v, "%s", text);
    else
        verdict_set(v, VERDICT_WARNING, "%s", text);
}

/* Of what a program has logged: why it failed. Before that it may have said what has changed. */
static const char *last_line(const char *said, char ret[VERDICT_SUMMARY])
{
    size_t end = strlen(said);
    while (end > 0 && said[end - 1] == '\n')
        end--;
    size_t at = end;
    while (at > 0 && said[at - 1] != '\n')
        at--;
    (void)snprintf(ret, VERDICT_SUMMARY, "%.*s", (int)(end - at), said + at);
    return ret;
}

static void note_ending(const struct verification *what, const struct child_result *result,
                        struct verdict *v)
{
    char said[VERDICT_SUMMARY]; /* "PROGRAM: what happened" */
    if (result->rc == -ETIMEDOUT)
        verify_all_note(v, "%s: no end within %d ms", what->program, (int)limits()->verify_ms);
    else if (result->rc < 0)
        verify_all_note(v, "%s: cannot be started: %s", what->program, strerror(-result->rc));
    else if (result->signal != 0)
        verify_all_note(v, "%s: killed by signal %d", what->program, result->signal);
    else if (result->exit_code != 0)
        verify_all_note(v, "%s", last_line(buffer_text(&result->errors), said));
}

void verify_all(const struct place *place, const struct verification *what, size_t n,
                struct buffer *samples, struct verdict *v)
{
    struct job job[VERIFY_ALL_MOST];
    struct child_job jobs[VERIFY_ALL_MOST] = {{0}};
    struct child_result results[VERIFY_ALL_MOST];
    struct error err = {0};
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        results[i] = (struct child_result){.output = BUFFER_INIT(OUTPUT_MAX),
                                           .errors = BUFFER_INIT(VERDICT_OUTPUT)};
        if (rc == 0)
            rc = prepare(place, &what[i], samples != NULL, &job[i], &jobs[i], &err);
    }
    if (rc == 0)
        rc = child_run_all(jobs, results, n, &err);
    if (rc < 0)
        verify_all_note(v, "%s", err.text);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            note_ending(&what[i], &results[i], v);
        if (samples)
            (void)!buffer_printf(samples, "%s", buffer_text(&results[i].output));
        buffer_release(&results[i].output);
        buffer_release(&results[i].errors);
    }
}
