/* SPDX-License-Identifier: MIT */
#include "check/check_run.h"

#include "base/deadline.h"
#include "base/file.h"
#include "base/limits.h"
#include "check/metrics.h"
#include "check/publish.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

static int look_now(struct check_run *run, check_look *look, struct consul **ret_consul,
                    struct verdict *v, struct error *err)
{
    int rc = consul_open(run->place.config_dir, ret_consul, err);
    return rc < 0 ? rc : look(*ret_consul, run, v, err);
}

#define SAMPLES_MAX 65536

static void print_samples(struct check_run *run, const struct verdict *v)
{
    const char *const labels[] = {"check", run->publish, NULL};
    if (!run->metrics)
        return;
    metrics_add(&run->samples, METRIC_CHECK_STATUS, (double)v->status, labels);
    (void)fputs(buffer_text(&run->samples), stdout);
}

static int publish(struct check_run *run, check_look *look, struct error *err)
{
    struct consul *consul = NULL;
    struct verdict v = {0};
    struct error why = {0};
    const char *dir = run->place.state_dir;
    deadline_begin(limits()->look_ms);
    int lock = publish_lock(dir, run->publish, err);
    if (lock < 0)
        return lock;
    run->samples = BUFFER_INIT(SAMPLES_MAX);
    int looked = look_now(run, look, &consul, &v, &why);
    deadline_begin(deadline_left() + limits()->verify_ms - limits()->look_ms);
    if (looked < 0) {
        v = (struct verdict){0};
        verdict_set(&v, VERDICT_WARNING, "cannot look: %s", why.text);
    }
    int rc = publish_verdict(consul, dir, run->publish, &v, looked == 0 && run->leaderless, err);
    if (looked < 0)
        rc = error_set(err, looked, "%s", why.text);
    consul_close(consul);
    file_unlock(lock);
    print_samples(run, &v);
    buffer_release(&run->samples);
    return rc < 0 ? rc : CHECK_PASSING;
}

static int print(struct check_run *run, check_look *look, struct error *err)
{
    struct consul *consul = NULL;
    struct verdict v = {0};
    char text[VERDICT_OUTPUT + 1];
    deadline_begin(limits()->run_ms);
    int rc = look_now(run, look, &consul, &v, err);
    consul_close(consul);
    if (rc < 0)
        return rc;
    verdict_render(&v, text);
    (void)fputs(text, stdout);
    return (int)v.status;
}

int check_run(struct check_run *run, check_look *look, struct error *err)
{
    if (run->publish)
        deadline_of_process(limits()->run_ms, run->publish, STDERR_FILENO, CHECK_UNKNOWN);
    return run->publish ? publish(run, look, err) : print(run, look, err);
}

int check_end(int rc, const struct error *err)
{
    if (rc < 0)
        program_log(LOG_ERR, "%s", err->text);
    return program_end(rc < 0 ? CHECK_UNKNOWN : rc, CHECK_UNKNOWN);
}
