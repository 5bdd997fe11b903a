/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include "base/duration.h"
#include "base/limits.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

/* What a program needs to run at all; everything else in our environment may be secret. */
static const char *const clean_environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", NULL};

/* One of its outputs. */
struct drain {
    uv_pipe_t pipe;
    struct run *run;
    struct buffer *to;
    char chunk[8192];
};

enum stage { RUNNING, TERMINATED, KILLED, ENDED };

struct run {
    const struct child_job *job;
    struct child_result *result;
    enum stage stage;
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t in;
    uv_write_t write;
    struct drain out, err;
};

static void close_once(void *handle)
{
    if (uv_handle_get_type(handle) != UV_UNKNOWN_HANDLE && !uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void close_outputs(struct run *run)
{
    close_once(&run->out.pipe);
    close_once(&run->err.pipe);
}

static void close_all(struct run *run)
{
    close_once(&run->process);
    close_once(&run->timer);
    close_once(&run->in);
    close_outputs(run);
}

static void kill_group(const struct run *run, int signal)
{
    (void)kill(-run->process.pid, signal);
}

static void stop_timer_when_done(struct run *run)
{
    if (uv_is_closing((uv_handle_t *)&run->process) &&
        uv_is_closing((uv_handle_t *)&run->out.pipe) &&
        uv_is_closing((uv_handle_t *)&run->err.pipe))
        close_once(&run->timer);
}

static void on_time(uv_timer_t *timer)
{
    struct run *run = timer->data;
    switch (run->stage) {
    case RUNNING:
        run->result->rc = run->result->rc ? run->result->rc : -ETIMEDOUT;
        kill_group(run, SIGTERM);
        run->stage = TERMINATED;
        break;
    case TERMINATED:
        kill_group(run, SIGKILL);
        run->stage = KILLED;
        break;
    case KILLED: /* it hangs in the kernel, or is not ours to kill: leave it */
    case ENDED:
        close_all(run);
        return;
    }
    (void)uv_timer_start(timer, on_time, (uint64_t)limits()->kill_ms, 0);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct run *run = process->data;
    uint64_t left_ms = uv_timer_get_due_in(&run->timer);
    run->result->exit_code = signal ? -1 : (int)status;
    run->result->signal = signal;
    if (run->result->rc)
        kill_group(run, SIGKILL); /* what it started must not outlive the deadline */
    run->stage = ENDED;
    close_once(process);
    close_once(&run->in);
    /* What it wrote is in the pipes; a daemon it started may keep them open for ever. */
    const uint64_t drain_ms = (uint64_t)limits()->drain_ms;
    (void)uv_timer_start(&run->timer, on_time, left_ms < drain_ms ? left_ms : drain_ms, 0);
    stop_timer_when_done(run);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct drain *drain = handle->data;
    *buf = uv_buf_init(drain->chunk, sizeof drain->chunk);
}

/* Keep what fits. Over the ceiling the rest is read and dropped, or the child ends. */
static void keep_output(struct drain *drain, const char *bytes, size_t n)
{
    struct run *run = drain->run;
    size_t room = drain->to->limit - drain->to->len;
    if (buffer_append(drain->to, bytes, n < room ? n : room) == 0 && n <= room)
        return;
    if (!run->job->stop_at_limit || run->result->rc)
        return;
    run->result->rc = -EMSGSIZE;
    if (run->stage != ENDED)
        kill_group(run, SIGKILL);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct drain *drain = stream->data;
    if (n > 0)
        keep_output(drain, buf->base, (size_t)n);
    if (n >= 0)
        return;
    close_once(stream);
    stop_timer_when_done(drain->run);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status; /* EPIPE: the child did not want its input, which is its right */
    close_once(write->handle);
}

/* A pipe to or from the child; uv_spawn() by itself makes sockets, which nobody can open
 * again as /dev/stdin or /dev/stderr. `ours` owns our end, *ret_theirs is the other. */
static int connect_pipe(uv_pipe_t *ours, bool child_reads, int *ret_theirs)
{
    uv_file fds[2]; /* read end, write end; both close-on-exec */
    int rc = uv_pipe(fds, child_reads ? 0 : UV_NONBLOCK_PIPE, child_reads ? UV_NONBLOCK_PIPE : 0);
    if (rc < 0)
        return rc;
    *ret_theirs = fds[child_reads ? 0 : 1];
    rc = uv_pipe_open(ours, fds[child_reads ? 1 : 0]);
    if (rc < 0)
        (void)close(fds[child_reads ? 1 : 0]);
    return rc;
}

static int connect_all(struct run *run, int theirs[3])
{
    int rc = run->job->input ? connect_pipe(&run->in, true, &theirs[0]) : 0;
    if (rc == 0)
        rc = connect_pipe(&run->out.pipe, false, &theirs[1]);
    return rc == 0 ? connect_pipe(&run->err.pipe, false, &theirs[2]) : rc;
}

/* Ours are close-on-exec; what we were started with may not be. */
static void keep_inherited_to_ourselves(void)
{
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static uv_stdio_container_t stdio_of(int fd)
{
    return (uv_stdio_container_t){.flags = fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = fd};
}

static int spawn(uv_loop_t *loop, struct run *run)
{
    const struct child_job *job = run->job;
    const char *const *env = job->env ? job->env : clean_environment;
    int theirs[3] = {-1, -1, -1};
    int rc = connect_all(run, theirs);
    uv_stdio_container_t stdio[3] = {stdio_of(theirs[0]), stdio_of(theirs[1]), stdio_of(theirs[2])};
    uv_process_options_t options = {
        .file = job->argv[0],
        .args = (char **)(uintptr_t)job->argv, /* libuv's types lack the const */
        .env = (char **)(uintptr_t)env,
        .exit_cb = on_ended,
        .flags = UV_PROCESS_DETACHED, /* own process group: -pid reaches all of it */
        .stdio_count = 3,
        .stdio = stdio,
    };
    if (rc == 0)
        rc = uv_spawn(loop, &run->process, &options);
    for (int i = 0; i < 3; i++)
        if (theirs[i] >= 0)
            (void)close(theirs[i]);
    return rc;
}

static void communicate(struct run *run)
{
    (void)uv_timer_start(&run->timer, on_time, (uint64_t)run->job->timeout_ms, 0);
    (void)uv_read_start((uv_stream_t *)&run->out.pipe, on_alloc, on_read);
    (void)uv_read_start((uv_stream_t *)&run->err.pipe, on_alloc, on_read);
    uv_buf_t input = uv_buf_init((char *)(uintptr_t)run->job->input, (unsigned)run->job->input_len);
    if (!run->job->input ||
        uv_write(&run->write, (uv_stream_t *)&run->in, &input, 1, on_written) < 0)
        close_once(&run->in);
}

static void init_drain(uv_loop_t *loop, struct drain *drain, struct run *run, struct buffer *to)
{
    (void)uv_pipe_init(loop, &drain->pipe, 0);
    drain->pipe.data = drain;
    drain->run = run;
    drain->to = to;
}

static void start(uv_loop_t *loop, struct run *run)
{
    struct child_result *result = run->result;
    result->rc = result->signal = 0;
    result->exit_code = -1;
    (void)uv_timer_init(loop, &run->timer);
    (void)uv_pipe_init(loop, &run->in, 0);
    init_drain(loop, &run->out, run, &result->output);
    init_drain(loop, &run->err, run, &result->errors);
    run->process.data = run->timer.data = run;
    result->rc = spawn(loop, run);
    if (result->rc == 0)
        communicate(run);
    else
        close_all(run);
}

int child_run_all(const struct child_job *jobs, struct child_result *results, size_t n,
                  struct error *err)
{
    uv_loop_t loop;
    struct run *runs = calloc(n + 1, sizeof *runs);
    int rc = runs ? uv_loop_init(&loop) : -ENOMEM;
    if (rc < 0) {
        free(runs);
        return error_set(err, rc, "cannot create an event loop: %s", strerror(-rc));
    }
    keep_inherited_to_ourselves();
    for (size_t i = 0; i < n; i++) {
        runs[i].job = &jobs[i];
        runs[i].result = &results[i];
        start(&loop, &runs[i]);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    free(runs);
    return 0;
}

static int describe(const struct child_job *job, const struct child_result *result,
                    struct error *err)
{
    const char *program = job->argv[0];
    char limit[DURATION_TEXT];
    if (result->rc == -ETIMEDOUT)
        return error_set(err, result->rc, "%s: no end after %s", program,
                         duration_format(job->timeout_ms * 1000, limit));
    if (result->rc == -EMSGSIZE)
        return error_set(err, result->rc, "%s: too much output", program);
    if (result->rc < 0)
        return error_set(err, result->rc, "cannot start %s: %s", program, strerror(-result->rc));
    return 0;
}

int child_run(const struct child_job *job, struct child_result *result, struct error *err)
{
    int rc = child_run_all(job, result, 1, err);
    return rc < 0 ? rc : describe(job, result, err);
}

int child_detach(const char *const *argv, struct error *err)
{
    uv_loop_t loop;
    uv_process_t process;
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    uv_process_options_t options = {
        .file = argv[0],
        .args = (char **)(uintptr_t)argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = stdio,
    };
    int rc = uv_loop_init(&loop);
    if (rc < 0)
        return error_set(err, rc, "cannot create an event loop: %s", strerror(-rc));
    keep_inherited_to_ourselves();
    rc = uv_spawn(&loop, &process, &options);
    if (rc < 0)
        (void)error_set(err, rc, "cannot start %s: %s", argv[0], strerror(-rc));
    uv_close((uv_handle_t *)&process, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    return rc;
}
