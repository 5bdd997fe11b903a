#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define KILL_GRACE_MS 2000

/* What a program needs to run at all; everything else in our environment may be secret. */
static const char *const clean_environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C",
    NULL};

/* One direction of output. */
struct drain {
    uv_pipe_t pipe;
    struct run *run;
    struct buffer *to;
    char chunk[8192];
};

struct run {
    const struct child_job *job;
    struct child_result *result;
    uv_process_t process;
    uv_timer_t timer;
    uv_pipe_t in;
    uv_write_t write;
    struct drain out, err;
    bool started;
    bool terminated; /* SIGTERM was sent: next comes SIGKILL */
};

static void close_once(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void kill_group(const struct run *run, int signal)
{
    (void)kill(-run->process.pid, signal);
}

/* The deadline covers the exit and the end of both outputs: a grandchild that keeps a
 * pipe open must not hold us up for ever. */
static void stop_deadline_when_done(struct run *run)
{
    if (uv_is_closing((uv_handle_t *)&run->process) &&
        uv_is_closing((uv_handle_t *)&run->out.pipe) &&
        uv_is_closing((uv_handle_t *)&run->err.pipe))
        close_once(&run->timer);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct run *run = process->data;
    run->result->exit_code = signal ? -1 : (int)status;
    run->result->signal = signal;
    close_once(process);
    close_once(&run->in);
    stop_deadline_when_done(run);
}

static void on_timeout(uv_timer_t *timer)
{
    struct run *run = timer->data;
    if (!run->result->rc)
        run->result->rc = -ETIMEDOUT;
    kill_group(run, run->terminated ? SIGKILL : SIGTERM);
    if (run->terminated) {
        close_once(&run->out.pipe);
        close_once(&run->err.pipe);
        stop_deadline_when_done(run);
    } else {
        run->terminated = true;
        (void)uv_timer_start(timer, on_timeout, KILL_GRACE_MS, KILL_GRACE_MS);
    }
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)size;
    struct drain *drain = handle->data;
    *buf = uv_buf_init(drain->chunk, sizeof drain->chunk);
}

/* Keep what fits. Over the ceiling the rest is read and dropped, or the child ends. */
static void keep(struct drain *drain, const char *bytes, size_t n)
{
    struct run *run = drain->run;
    size_t room = drain->to->limit - drain->to->len;
    if (buffer_append(drain->to, bytes, n < room ? n : room) == 0 && n <= room)
        return;
    if (!run->job->stop_at_limit || run->result->rc)
        return;
    run->result->rc = -EMSGSIZE;
    kill_group(run, SIGKILL);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct drain *drain = stream->data;
    if (n > 0)
        keep(drain, buf->base, (size_t)n);
    if (n >= 0)
        return;
    close_once(stream);
    stop_deadline_when_done(drain->run);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status; /* EPIPE: the child did not want its input, which is its right */
    close_once(write->handle);
}

static void close_on_exec_above_stderr(void)
{
    if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        errno = 0; /* old kernel: what we open ourselves is close-on-exec anyway */
}

static int spawn(uv_loop_t *loop, struct run *run)
{
    const struct child_job *job = run->job;
    const char *const *env = job->env ? job->env : clean_environment;
    uv_stdio_container_t stdio[3] = {
        {.flags = job->input ? UV_CREATE_PIPE | UV_READABLE_PIPE : UV_IGNORE,
         .data.stream = (uv_stream_t *)&run->in},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&run->out.pipe},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&run->err.pipe},
    };
    uv_process_options_t options = {
        .file = job->argv[0],
        .args = (char **)(uintptr_t)job->argv, /* libuv's types lack the const */
        .env = (char **)(uintptr_t)env,
        .exit_cb = on_ended,
        .flags = UV_PROCESS_DETACHED, /* own process group: -pid reaches all of it */
        .stdio_count = 3,
        .stdio = stdio,
    };
    return uv_spawn(loop, &run->process, &options);
}

static void communicate(struct run *run)
{
    (void)uv_timer_start(&run->timer, on_timeout, (uint64_t)run->job->timeout_ms, 0);
    (void)uv_read_start((uv_stream_t *)&run->out.pipe, on_alloc, on_read);
    (void)uv_read_start((uv_stream_t *)&run->err.pipe, on_alloc, on_read);
    uv_buf_t input =
        uv_buf_init((char *)(uintptr_t)run->job->input, (unsigned)run->job->input_len);
    if (!run->job->input ||
        uv_write(&run->write, (uv_stream_t *)&run->in, &input, 1, on_written) < 0)
        close_once(&run->in);
}

static void init_drain(uv_loop_t *loop, struct drain *drain, struct run *run,
                       struct buffer *to)
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
    if (result->rc == 0) {
        run->started = true;
        communicate(run);
        return;
    }
    close_once(&run->process);
    close_once(&run->timer);
    close_once(&run->in);
    close_once(&run->out.pipe);
    close_once(&run->err.pipe);
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
    close_on_exec_above_stderr();
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
    if (result->rc == -ETIMEDOUT)
        return error_set(err, result->rc, "%s: no end after %lld ms", program,
                         (long long)job->timeout_ms);
    if (result->rc == -EMSGSIZE)
        return error_set(err, result->rc, "%s: too much output", program);
    if (result->rc < 0)
        return error_set(err, result->rc, "cannot start %s: %s", program,
                         strerror(-result->rc));
    return 0;
}

int child_run(const struct child_job *job, struct child_result *result,
              struct error *err)
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
    close_on_exec_above_stderr();
    rc = uv_spawn(&loop, &process, &options);
    if (rc < 0)
        (void)error_set(err, rc, "cannot start %s: %s", argv[0], strerror(-rc));
    uv_close((uv_handle_t *)&process, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    return rc;
}
