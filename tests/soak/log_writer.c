/* SPDX-License-Identifier: MIT */
#include "log_writer.h"

#include "seed.h"

#define STEP_MS   100
#define BURST     300     /* lines */
#define HUGE_LINE 2000000 /* bytes */

static const char *const names[WRITER_STYLES] = {"kept", "away", "copied"};

/* ---- lines --------------------------------------------------------------- */

static void write_mark(struct log_writer *w, FILE *log, const char *mark)
{
    static const char zero[] = " a zero \0 in it\n";
    const unsigned kind = seed_next(&w->seed, 2000);
    w->odd += kind >= 1700;
    if (kind == 0 && ++w->huge)
        (void)fprintf(log, "%s %s\n", mark, w->filler);
    else if (kind < 1200)
        (void)fprintf(log, "{\"level\":\"error\",\"mark\":\"%s\",\"job\":%u,\"id\":\"x\"}\n", mark,
                      kind);
    else if (kind < 1700)
        (void)fprintf(log, "%s plain words and a number %u\n", mark, kind);
    else if (kind < 1800)
        (void)fprintf(log, "{\"level\":\"error\",\"mark\":\"%s\",\"job\":\"of paper\"}\n", mark);
    else if (kind < 1900)
        (void)fprintf(log, "%s f\xfcr \xff\xfe\"\\ it\n", mark);
    else {
        (void)fputs(mark, log);
        (void)fwrite(zero, 1, sizeof zero - 1, log);
    }
}

/* The lock is held. */
static void write_equal(struct log_writer *w, int server, int style)
{
    w->written[server][style].equal++;
    (void)fprintf(w->log[server][style].file,
                  "{\"timestamp\":\"2026-11-27T12:00:00Z\",\"id\":\"job-7\",\"level\":\"error\","
                  "\"mark\":\"equal-%d-%d-0.\"}\n",
                  server, style);
}

static void write_line(struct log_writer *w, int server, int style)
{
    char mark[60];
    FILE *log = w->log[server][style].file;
    const unsigned kind = seed_next(&w->seed, 40);
    if (kind == 0 && ++w->empty)
        (void)fputc('\n', log);
    if (kind == 1) {
        write_equal(w, server, style);
        return;
    }
    (void)snprintf(mark, sizeof mark, "soak-%d-%d-%d.", server, style,
                   ++w->written[server][style].lines);
    write_mark(w, log, mark);
}

/* ---- the thread ---------------------------------------------------------- */

/* Most lines are in the log that must lose none. */
static void write_some(struct log_writer *w, int server)
{
    const unsigned lines = 1 + seed_next(&w->seed, 3) + (seed_next(&w->seed, 400) ? 0 : BURST);
    for (unsigned n = 0; n < lines; n++) {
        const unsigned part = seed_next(&w->seed, 8);
        write_line(w, server, part < WRITER_STYLES ? (int)part : LOG_KEPT);
    }
    for (int style = 0; style < WRITER_STYLES; style++)
        (void)fflush(w->log[server][style].file);
}

static void *write_on(void *arg)
{
    struct log_writer *w = arg;
    while (!atomic_load(&w->stop)) {
        (void)pthread_mutex_lock(&w->lock);
        for (int i = 1; i <= WRITER_SERVERS; i++)
            write_some(w, i);
        (void)pthread_mutex_unlock(&w->lock);
        sleep_ms(STEP_MS);
    }
    return NULL;
}

void log_writer_start(struct log_writer *w, struct cluster *c, uint64_t seed)
{
    *w = (struct log_writer){.seed = seed, .lock = PTHREAD_MUTEX_INITIALIZER};
    w->filler = malloc(HUGE_LINE + 1);
    assert_non_null(w->filler);
    memset(w->filler, 'x', HUGE_LINE);
    w->filler[HUGE_LINE] = '\0';
    for (int i = 1; i <= WRITER_SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++) {
            char path[500];
            (void)snprintf(path, sizeof path, "%s/log/%s", c->server[i].dir, names[style]);
            log_file_open(&w->log[i][style], path, (enum log_style)style);
        }
    w->runs = pthread_create(&w->thread, NULL, write_on, w) == 0;
    assert_true(w->runs);
}

/* Each program begins with the same words. */
void log_writer_rotate(struct log_writer *w, int server, enum log_style style)
{
    (void)pthread_mutex_lock(&w->lock);
    log_file_rotate(&w->log[server][style]);
    write_equal(w, server, (int)style);
    (void)pthread_mutex_unlock(&w->lock);
}

int log_writer_lines(struct log_writer *w)
{
    int lines = 0;
    (void)pthread_mutex_lock(&w->lock);
    for (int i = 1; i <= WRITER_SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++)
            lines += w->written[i][style].lines + w->written[i][style].equal;
    (void)pthread_mutex_unlock(&w->lock);
    return lines;
}

void log_writer_stop(struct log_writer *w)
{
    atomic_store(&w->stop, true);
    if (w->runs)
        (void)pthread_join(w->thread, NULL);
    w->runs = false;
}

void log_writer_release(struct log_writer *w)
{
    log_writer_stop(w);
    for (int i = 1; i <= WRITER_SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++)
            log_file_close(&w->log[i][style]);
    free(w->filler);
}
