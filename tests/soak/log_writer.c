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

/* ---- what is there ------------------------------------------------------- */

/* Which probe, or none: {"lictor":{"probe":...,"node":"server-1",...}}. */
static int prober(const cJSON *source)
{
    const cJSON *lictor = cJSON_GetObjectItem(source, "lictor");
    const char *node = cJSON_GetStringValue(cJSON_GetObjectItem(lictor, "node"));
    int server = 0;
    return node && sscanf(node, "server-%d", &server) == 1 ? server : 0;
}

static void count_line(struct log_writer *w, const char *mark, bool equal, int index)
{
    int server = 0, style = 0, n = 0;
    if (sscanf(mark, "%*[a-z]-%d-%d-%d.", &server, &style, &n) != 3 || server < 1 ||
        server > WRITER_SERVERS || style < 0 || style >= WRITER_STYLES || n < 0 ||
        n > w->written[server][style].lines)
        harness_fail("a document of no line: %.200s", mark);
    struct written *of = &w->written[server][style];
    w->documents[server]++;
    if (equal)
        of->equal_arrived++;
    else if (of->times[index][n] < 255)
        of->times[index][n]++;
}

static void count_document(void *arg, const cJSON *hit)
{
    struct log_writer *w = arg;
    const cJSON *source = cJSON_GetObjectItem(hit, "_source");
    const char *index = cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_index"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(source, "mark"));
    const int server = prober(source);
    if (server > 0 && server <= WRITER_SERVERS)
        w->documents[server]++;
    if (!text)
        text = cJSON_GetStringValue(cJSON_GetObjectItem(source, "message"));
    const char *mark = text ? strstr(text, "soak-") : NULL;
    const char *equal = text ? strstr(text, "equal-") : NULL;
    if (mark || equal)
        count_line(w, mark ? mark : equal, !mark, index && index[0] == 'r');
}

static void sum_up(struct written *of)
{
    of->arrived = of->twice = of->moved = 0;
    for (int n = 1; n <= of->lines; n++) {
        const int left = of->times[0][n], right = of->times[1][n];
        of->arrived += left + right > 0;
        of->twice += left > 1 || right > 1;
        of->moved += left > 0 && right > 0;
    }
}

static void forget(struct written *of)
{
    of->equal_arrived = 0;
    for (int k = 0; k < 2; k++) {
        free(of->times[k]);
        of->times[k] = calloc((size_t)of->lines + 1, 1);
        assert_non_null(of->times[k]);
    }
}

bool log_writer_tally(struct log_writer *w, const struct sink *sink)
{
    for (int i = 1; i <= WRITER_SERVERS; i++) {
        w->documents[i] = 0;
        for (int style = 0; style < WRITER_STYLES; style++)
            forget(&w->written[i][style]);
    }
    if (sink_each(sink, "left*,right*", "*", count_document, w) < 0)
        return false;
    for (int i = 1; i <= WRITER_SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++)
            sum_up(&w->written[i][style]);
    return true;
}

/* The next line from `n` on that is (not) there so often; past the last when there is none. */
static int next_of(const struct written *of, int n, bool lost)
{
    for (; n <= of->lines; n++) {
        const int times = of->times[0][n] + of->times[1][n];
        if (lost ? times == 0 : times > 1)
            break;
    }
    return n;
}

static void tell_ids(const struct sink *sink, int server, int style, int n)
{
    char path[200];
    const cJSON *hit = NULL;
    (void)snprintf(path, sizeof path,
                   "/left*,right*/_search?q=mark:%%22soak-%d-%d-%d.%%22+message:%%22soak-%d-%d-%d."
                   "%%22&_source=false&size=5",
                   server, style, n, server, style, n);
    cJSON *root = sink_ask(sink, path);
    cJSON_ArrayForEach(hit, cJSON_GetObjectItem(cJSON_GetObjectItem(root, "hits"), "hits"))
        print_message("      %s in %s\n", cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_id")),
                      cJSON_GetStringValue(cJSON_GetObjectItem(hit, "_index")));
    cJSON_Delete(root);
}

static void tell_ranges(const struct written *of, bool lost)
{
    for (int n = next_of(of, 1, lost); n <= of->lines;) {
        const int first = n;
        while (n < of->lines && next_of(of, n + 1, lost) == n + 1)
            n++;
        print_message(" %d-%d", first, n);
        n = next_of(of, n + 1, lost);
    }
    print_message("\n");
}

void log_writer_tell(struct log_writer *w, const struct sink *sink, int server,
                     enum log_style style)
{
    const struct written *of = &w->written[server][style];
    if (of->arrived < of->lines) {
        print_message("    not there:");
        tell_ranges(of, true);
    }
    const int n = next_of(of, 1, false);
    if (n > of->lines)
        return;
    print_message("    more than once:");
    tell_ranges(of, false);
    tell_ids(sink, server, (int)style, n);
}

void log_writer_release(struct log_writer *w)
{
    log_writer_stop(w);
    for (int i = 1; i <= WRITER_SERVERS; i++)
        for (int style = 0; style < WRITER_STYLES; style++) {
            log_file_close(&w->log[i][style]);
            free(w->written[i][style].times[0]);
            free(w->written[i][style].times[1]);
        }
    free(w->filler);
}
