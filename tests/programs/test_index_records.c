/* SPDX-License-Identifier: MIT */
/* index-records as rsyslogd's omprog sees it: two pipes and the words between them. It speaks
 * to the stand-in, which can be told to refuse. */
#include "base/boottime.h"
#include "harness.h"
#include "indexer/account.h"
#include "indexer/queue.h"
#include "keeper.h"
#include "sink.h"

#include <poll.h>

#define SOON  5000 /* ms */
#define TIMES 3

static struct {
    int net;
    struct sink sink;
    char dir[300];
    char queue[340];
} here;

/* ---- the program --------------------------------------------------------- */

struct partner {
    pid_t pid;
    int to, from;
    int errors; /* a file with what it said on stderr */
};

static struct partner start_from(const char *limits)
{
    struct partner p;
    int in[2], out[2];
    assert_return_code(pipe2(in, O_CLOEXEC), errno);
    assert_return_code(pipe2(out, O_CLOEXEC), errno);
    p.errors = open(here.dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_return_code(p.errors, errno);
    p.pid = fork();
    assert_return_code(p.pid, errno);
    if (p.pid == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)dup2(p.errors, STDERR_FILENO);
        (void)setenv("LICTOR_LIMITS", limits, 1);
        (void)execl(TEST_BIN "/index-records", "index-records", (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    p.to = in[1];
    p.from = out[0];
    return p;
}

static void tell(const struct partner *p, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t n = write(p->to, text, len);
        assert_return_code((int)n, errno);
        text += n;
        len -= (size_t)n;
    }
}

/* Its next answer without the dots in front; NULL: none in time, or it has ended. */
static const char *answer_in(const struct partner *p, int64_t limit_ms)
{
    static char line[600];
    size_t len = 0;
    int64_t end = boottime_ms() + limit_ms;
    struct pollfd input = {.fd = p->from, .events = POLLIN};
    while (len < sizeof line - 1) {
        int64_t left = end - boottime_ms();
        if (left <= 0 || poll(&input, 1, (int)left) <= 0 || read(p->from, line + len, 1) != 1)
            return NULL;
        if (line[len] == '\n')
            break;
        if (len > 0 || line[len] != '.')
            len++;
    }
    line[len] = '\0';
    return line;
}

static void expect(const struct partner *p, const char *text, const char *answer)
{
    tell(p, text);
    const char *got = answer_in(p, SOON);
    if (!got || strcmp(got, answer) != 0)
        fail_msg("%.60s... is answered %s, not %s", text, got ? got : "by nothing", answer);
}

static struct partner start(void)
{
    struct partner p = start_from("write=400ms,write_again=20ms");
    expect(&p, "", "OK");
    return p;
}

/* BEGIN with the stand-in's URL, unless `settings` name one, and a queue of the index. */
static const char *begin(const char *index, const char *settings)
{
    static char line[1500];
    (void)snprintf(here.queue, sizeof here.queue, "%s/queue-%s", here.dir, index);
    (void)snprintf(line, sizeof line,
                   "BEGIN\tqueue=%s\taccount=%s.json\tbytes=1000000\tindex=%s%s%s%s\n", here.queue,
                   here.queue, index, strstr(settings, "url=") ? "" : "\turl=",
                   strstr(settings, "url=") ? "" : here.sink.url, settings);
    return line;
}

static const char *record(int n)
{
    static char line[100];
    (void)snprintf(line, sizeof line, "+id-%d\t{\"n\":%d}\n", n, n);
    return line;
}

static void send_records(const struct partner *p, int from, int to)
{
    for (int n = from; n <= to; n++)
        expect(p, record(n), "DEFER_COMMIT");
}

static char *said(const struct partner *p)
{
    char *text = calloc(1, 8192);
    assert_non_null(text);
    assert_return_code((int)pread(p->errors, text, 8191, 0), errno);
    return text;
}

static void assert_said(const struct partner *p, const char *text)
{
    char *all = said(p);
    if (!strstr(all, text))
        fail_msg("no %s in %s", text, all);
    free(all);
}

static void wait_documents(const char *index, const char *query, int n)
{
    sink_wait_documents(&here.sink, index, query, n, 4 * SOON);
}

/* What sends for it. */
static void kill_children(const struct partner *p)
{
    char pid[20];
    (void)snprintf(pid, sizeof pid, "%d", (int)p->pid);
    const char *argv[] = {"/usr/bin/pkill", "-KILL", "-P", pid, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

/* Each of them; the canary may be there as well. */
static void wait_records(const char *index, int from, int to)
{
    char query[40];
    for (int n = from; n <= to; n++) {
        (void)snprintf(query, sizeof query, "_id:id-%d", n);
        wait_documents(index, query, 1);
    }
}

struct word {
    const struct partner *p;
    const char *text;
};

static bool is_said(void *arg, struct buffer *seen)
{
    const struct word *w = arg;
    char *all = said(w->p);
    bool yes = strstr(all, w->text) != NULL && buffer_printf(seen, "%s", all) == 0;
    free(all);
    return yes;
}

static void wait_said(const struct partner *p, const char *text)
{
    struct word w = {p, text};
    wait_until(text, SOON, is_said, &w);
}

/* Its exit code, 128 + number when ended by a signal. */
static int end_of(struct partner *p)
{
    int status = 0;
    int64_t end = boottime_ms() + SOON;
    while (waitpid(p->pid, &status, WNOHANG) == 0) {
        if (boottime_ms() > end)
            fail_msg("it does not end");
        sleep_ms(10);
    }
    (void)close(p->from);
    (void)close(p->errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int stop(struct partner *p)
{
    (void)close(p->to);
    return end_of(p);
}

static void destroy(struct partner *p)
{
    (void)kill(p->pid, SIGKILL);
    assert_int_equal(stop(p), 128 + SIGKILL);
}

/* ---- transactions -------------------------------------------------------- */

static void confirms_what_is_there(void **state)
{
    (void)state;
    struct partner p = start();
    for (int round = 0; round < 3; round++) {
        expect(&p, begin("plain", ""), "OK");
        send_records(&p, 1, 10 + round);
        tell(&p, "\n"); /* has no answer: a record may bring a newline of its own */
        expect(&p, "COMMIT\n", "OK");
        wait_documents("plain", "*", 10 + round);
    }
    assert_int_equal(stop(&p), 0);
}

static void nothing_to_send_is_fine(void **state)
{
    (void)state;
    struct partner p = start();
    int before = sink_number(&here.sink, "bulks");
    expect(&p, "COMMIT\n", "OK");
    expect(&p, begin("plain", ""), "OK");
    expect(&p, "COMMIT\n", "OK");
    assert_int_equal(sink_number(&here.sink, "bulks"), before);
    assert_int_equal(stop(&p), 0);
}

/* rsyslogd sends again what it does not know to be there. */
static void the_same_again_is_the_same_document(void **state)
{
    (void)state;
    struct partner p = start();
    for (int round = 0; round < 2; round++) {
        expect(&p, begin("same", ""), "OK");
        send_records(&p, 1, 5);
        send_records(&p, 1, 5);
        expect(&p, "COMMIT\n", "OK");
    }
    wait_documents("same", "*", 5);
    assert_int_equal(stop(&p), 0);
}

static const char *const refusals[] = {
    "401",       "403",       "404",      "429",       "503",     "items=429", "some=429",
    "items=503", "items=401", "some=403", "items=404", "hang",    "slow",      "close",
    "endless",   "garbage",   "quotes",   "redirect",  "foreign", "starting"};

/* Each of them for a few requests, then it is as it should be. */
static void no_refusal_loses_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        char index[30];
        print_message("  %s\n", refusals[i]);
        (void)snprintf(index, sizeof index, "refused-%zu", i);
        struct partner p = start();
        sink_mode(&here.sink, refusals[i], TIMES);
        expect(&p, begin(index, ""), "OK");
        send_records(&p, 1, 20);
        expect(&p, "COMMIT\n", "OK");
        wait_documents(index, "*", 20);
        assert_int_equal(stop(&p), 0);
    }
    sink_mode(&here.sink, "ok", 0);
}

/* Logs are read on; the reason is told. */
static void a_refusal_is_said_and_outlasted(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *text;
    } rows[] = {
        {"429", ": too busy (429): it is asked again"},
        {"401", ": it demands a credential (401)"},
        {"403", ": without a credential nobody has the index privilege \"index\" on "
                "held (403)"},
        {"items=429", ": 429 for a record (es_rejected_execution_exception: rejected execution "
                      "(stand-in was told so)): it is sent again"},
        {"foreign", ": the answer is not about these "},
        {"hang", ": it takes the connection but does not answer in time: is it "
                 "overloaded?"},
        {"items=400", ": the index held takes no record, 400 (es_rejected_execution_exception: "
                      "rejected execution (stand-in was told so))"},
        {"413", ": the index held takes no record, 413"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[300];
        print_message("  %s\n", rows[i].mode);
        struct partner p = start();
        sink_mode(&here.sink, rows[i].mode, 0);
        expect(&p, begin("held", ""), "OK");
        send_records(&p, 1 + 3 * (int)i, 3 + 3 * (int)i);
        expect(&p, "COMMIT\n", "OK");
        (void)snprintf(text, sizeof text, "index-records: records wait: %s%s", here.sink.url,
                       rows[i].text);
        wait_said(&p, text);
        sink_mode(&here.sink, "ok", 0);
        wait_records("held", 1 + 3 * (int)i, 3 + 3 * (int)i);
        assert_int_equal(stop(&p), 0);
    }
}

static void the_next_url_takes_over(void **state)
{
    (void)state;
    char settings[300];
    (void)snprintf(settings, sizeof settings,
                   "\turl=http://127.0.%d.8:9201\turl=http://127.0.%d.8:9202\turl=%s", here.net,
                   here.net, here.sink.url);
    struct partner p = start();
    expect(&p, begin("second", settings), "OK");
    send_records(&p, 1, 3);
    expect(&p, "COMMIT\n", "OK");
    wait_documents("second", "*", 3);
    assert_int_equal(stop(&p), 0);
}

/* ---- records that are not taken as they are ------------------------------ */

/* One that is no object is refused whenever it comes. */
static void send_bad_record(const struct partner *p, int n)
{
    char line[40];
    (void)snprintf(line, sizeof line, "+id-%d\t[%d]\n", n, n);
    expect(p, line, "DEFER_COMMIT");
}

static void what_is_refused_for_good_goes_to_an_index_of_its_own(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("text", ""), "OK");
    send_records(&p, 1, 1);
    send_bad_record(&p, 2);
    send_records(&p, 3, 3);
    send_bad_record(&p, 4);
    expect(&p, "COMMIT\n", "OK");
    wait_documents("text", "n:1", 1);
    wait_documents("text", "n:3", 1);
    wait_documents("text-refused", "refused.keyword:mapper_parsing_exception", 2);
    wait_documents("text-refused", "level.keyword:unknown", 2);
    wait_said(&p, " records (mapper_parsing_exception): they are in text-refused");
    assert_int_equal(stop(&p), 0);
}

/* The index was put right in the middle of a request. */
static void what_is_refused_once_arrives_as_it_is(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("once", ""), "OK");
    sink_mode(&here.sink, "some=400", 1);
    send_records(&p, 1, 4);
    expect(&p, "COMMIT\n", "OK");
    wait_records("once", 1, 4);
    assert_int_equal(sink_documents(&here.sink, "once-refused", "*"), -1); /* no such index */
    assert_int_equal(stop(&p), 0);
}

/* All of a request are refused: an empty record of ours says that the index is not to blame. */
static void the_index_is_asked_before_a_record_is_blamed(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("asked", ""), "OK");
    send_bad_record(&p, 1);
    send_bad_record(&p, 2);
    expect(&p, "COMMIT\n", "OK");
    wait_documents("asked", "*", 1);
    wait_documents("asked", "_id:lictor-canary", 1);
    wait_documents("asked-refused", "*", 2);
    assert_int_equal(stop(&p), 0);
}

/* However often others were taken before: what the index refuses for a while waits, and arrives
 * as it is. */
static void an_index_to_blame_costs_nothing(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("blamed", ""), "OK");
    send_records(&p, 1, 100);
    wait_documents("blamed", "*", 100);
    sink_mode(&here.sink, "items=400", 0);
    send_records(&p, 101, 200);
    wait_said(&p, "the index blamed takes no record, 400");
    sink_mode(&here.sink, "ok", 0);
    wait_records("blamed", 101, 200);
    assert_int_equal(sink_documents(&here.sink, "blamed-refused", "*"), -1); /* no such index */
    assert_int_equal(stop(&p), 0);
}

/* A proxy may take less than Elasticsearch does: 16 requests, 8, ... are too much for it. */
static void too_large_a_request_is_divided(void **state)
{
    (void)state;
    struct partner p = start();
    int before = sink_number(&here.sink, "bulks");
    sink_mode(&here.sink, "413", 3);
    expect(&p, begin("divided", ""), "OK");
    send_records(&p, 1, 16);
    expect(&p, "COMMIT\n", "OK");
    wait_documents("divided", "_id:id-16", 1);
    assert_in_range(sink_documents(&here.sink, "divided", "*"), 16, 17); /* the canary */
    assert_in_range(sink_number(&here.sink, "bulks") - before, 3, 24);
    wait_documents("divided", "level.keyword:unknown", 0);
    assert_int_equal(stop(&p), 0);
}

/* 64 KiB each are 20 requests at 1 MB, 1,300 small ones two. */
static void requests_have_a_size(void **state)
{
    (void)state;
    static char line[66000];
    struct partner p = start();
    expect(&p, begin("sized", ""), "OK");
    int before = sink_number(&here.sink, "bulks");
    for (int n = 0; n < 300; n++) {
        int at = snprintf(line, sizeof line, "+large-%d\t{\"x\":\"", n);
        memset(line + at, 'x', 65536);
        memcpy(line + at + 65536, "\"}\n", sizeof "\"}\n");
        expect(&p, line, "DEFER_COMMIT");
    }
    wait_documents("sized", "*", 300);
    assert_in_range(sink_number(&here.sink, "bulks") - before, 19, 60);
    before = sink_number(&here.sink, "bulks");
    expect(&p, begin("sized", ""), "OK");
    send_records(&p, 1, 1300);
    wait_documents("sized", "*", 1600);
    assert_in_range(sink_number(&here.sink, "bulks") - before, 2, 1000);
    wait_documents("sized", "*", 1600);
    assert_int_equal(stop(&p), 0);
}

/* ---- kills --------------------------------------------------------------- */

/* omprog begins again with the record on the way; those before it are gone for it. */
static void what_was_confirmed_survives_a_kill(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("killed", ""), "OK");
    send_records(&p, 1, 50);
    tell(&p, "+id-51\t{\"n\":"); /* cut off */
    destroy(&p);
    p = start();
    expect(&p, begin("killed", ""), "OK");
    send_records(&p, 51, 52);
    destroy(&p);
    p = start();
    expect(&p, begin("killed", ""), "OK");
    expect(&p, "COMMIT\n", "OK");
    wait_documents("killed", "*", 52);
    assert_int_equal(stop(&p), 0);
    struct stat dir;
    assert_return_code(stat(here.queue, &dir), errno);
    assert_int_equal(dir.st_mode & 0777, 0700);
}

/* Of the program and of what sends for it, while a request hangs. */
static void a_kill_while_it_waits_loses_nothing(void **state)
{
    (void)state;
    struct partner p = start();
    sink_mode(&here.sink, "hang", 0);
    expect(&p, begin("waiting", ""), "OK");
    send_records(&p, 1, 10);
    destroy(&p);
    p = start();
    expect(&p, begin("waiting", ""), "OK");
    send_records(&p, 1, 10);
    kill_children(&p);
    sink_mode(&here.sink, "ok", 0);
    send_records(&p, 11, 12);
    wait_documents("waiting", "*", 12);
    assert_int_equal(stop(&p), 0);
}

/* What was confirmed is in the queue, and comes before the next records. */
static void it_ends_with_who_started_it(void **state)
{
    (void)state;
    struct partner p = start();
    sink_mode(&here.sink, "429", 0);
    expect(&p, begin("ended", ""), "OK");
    send_records(&p, 1, 2);
    expect(&p, "COMMIT\n", "OK");
    assert_int_equal(stop(&p), 0);
    sink_mode(&here.sink, "ok", 0);
    p = start();
    expect(&p, begin("ended", ""), "OK");
    wait_documents("ended", "*", 2);
    assert_int_equal(stop(&p), 0);
}

/* ---- the queue ----------------------------------------------------------- */

static struct account account_now(void)
{
    char path[360];
    struct account a;
    (void)snprintf(path, sizeof path, "%s.json", here.queue);
    account_read(path, &a);
    return a;
}

static bool fifty_are_noted(void *arg, struct buffer *seen)
{
    struct queue_state state;
    (void)arg;
    queue_state_read(here.queue, &state);
    return buffer_printf(seen, "%lld", (long long)state.taken) == 0 && state.taken == 50;
}

static bool is_stopped(void *arg, struct buffer *seen)
{
    const struct account a = account_now();
    return buffer_printf(seen, "%s", a.stopped) == 0 && strcmp(a.stopped, arg) == 0;
}

/* Nothing waits, and nothing is missing of so many. */
static bool adds_up(void *arg, struct buffer *seen)
{
    const struct account a = account_now();
    return buffer_printf(seen, "arrived %lld, waiting %lld, lost %lld", (long long)a.arrived,
                         (long long)a.waiting, (long long)a.lost) == 0 &&
           a.waiting == 0 && a.arrived + a.lost == *(int *)arg;
}

static void wait_sum(int written)
{
    wait_until("the account adds up", SOON, adds_up, &written);
}

/* The file of the queue, and how long it is. */
static int open_queue_file(off_t *ret_len)
{
    char path[400];
    struct stat st;
    const int64_t number = queue_file_after(here.queue, -1);
    assert_true(number > 0);
    queue_file_path(here.queue, number, path, sizeof path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_return_code(fstat(fd, &st), errno);
    *ret_len = st.st_size;
    return fd;
}

enum damage { CUT, ZEROED, ZEROED_END, FLIPPED, EMPTIED, REMOVED };

static void damage(enum damage how)
{
    static const char zeros[400];
    char path[400];
    off_t len = 0;
    int fd = open_queue_file(&len);
    assert_true(len > 1000);
    switch (how) {
    case CUT:
        assert_return_code(ftruncate(fd, len / 2), errno);
        break;
    case ZEROED:
        assert_return_code((int)pwrite(fd, zeros, sizeof zeros, len / 2), errno);
        break;
    case ZEROED_END:
        assert_return_code((int)pwrite(fd, zeros, sizeof zeros, len - (off_t)sizeof zeros), errno);
        break;
    case FLIPPED:
        assert_return_code((int)pwrite(fd, "X", 1, len / 2), errno);
        break;
    case EMPTIED:
        assert_return_code(ftruncate(fd, 0), errno);
        break;
    case REMOVED:
        queue_file_path(here.queue, queue_file_after(here.queue, -1), path, sizeof path);
        assert_return_code(unlink(path), errno);
    }
    (void)close(fd);
}

/* What can be read arrives; what cannot is counted, each record of it. */
static void damage_is_counted(void **state)
{
    (void)state;
    for (enum damage how = CUT; how <= REMOVED; how++) {
        char index[30];
        print_message("  %d\n", (int)how);
        (void)snprintf(index, sizeof index, "damaged-%d", (int)how);
        struct partner p = start();
        expect(&p, begin(index, ""), "OK");
        sink_mode(&here.sink, "429", 0);
        send_records(&p, 1, 50);
        wait_until("all are noted", SOON, fifty_are_noted, NULL);
        destroy(&p);
        damage(how);
        sink_mode(&here.sink, "ok", 0);
        p = start();
        expect(&p, begin(index, ""), "OK");
        send_records(&p, 51, 51);
        wait_sum(51);
        assert_in_range(account_now().lost, 1, how == FLIPPED ? 1 : 50);
        wait_documents(index, "*", 51 - (int)account_now().lost);
        assert_int_equal(stop(&p), 0);
    }
}

/* A full queue takes nothing more; once there is room it goes on by itself. */
static void a_full_queue_holds_what_comes(void **state)
{
    (void)state;
    struct partner p = start();
    char full[] = "the queue is full (queue_disk)";
    const char *got = "";
    int n = 0;
    expect(&p, begin("full", "\tqueue_disk=1k"), "OK");
    sink_mode(&here.sink, "429", 0);
    while (got && n < 100) {
        tell(&p, record(++n));
        got = answer_in(&p, n < 10 ? SOON : 1000);
    }
    assert_in_range(n, 10, 40);
    wait_until("it is said", SOON, is_stopped, full);
    sink_mode(&here.sink, "ok", 0);
    got = answer_in(&p, 2 * SOON);
    assert_non_null(got);
    assert_string_equal(got, "DEFER_COMMIT");
    wait_documents("full", "*", n);
    wait_sum(n);
    assert_string_equal(account_now().stopped, "");
    assert_int_equal(stop(&p), 0);
}

/* As rsyslogd hands a line over, and reads it again after a kill. */
static void send_line(const struct partner *p, int offset)
{
    char line[200];
    (void)snprintf(line, sizeof line, "+~11-%d-7-12-................\t{\"offset\":%d}\n", offset,
                   offset);
    expect(p, line, "DEFER_COMMIT");
}

/* It is one document, and counts once, also when its request was under way. */
static void what_comes_again_counts_once(void **state)
{
    (void)state;
    struct partner p = start();
    sink_mode(&here.sink, "hang", 0);
    expect(&p, begin("again", ""), "OK");
    for (int n = 0; n < 20; n++)
        send_line(&p, n);
    destroy(&p);
    sink_mode(&here.sink, "ok", 0);
    p = start();
    expect(&p, begin("again", ""), "OK");
    wait_sum(20);
    kill_children(&p);
    for (int n = 0; n < 22; n++)
        send_line(&p, n);
    expect(&p, "+probe-1\t{}\n", "DEFER_COMMIT");
    expect(&p, "+wake\t{}\n", "DEFER_COMMIT");
    wait_documents("again", "*", 23);
    wait_sum(22);
    assert_int_equal(stop(&p), 0);
}

static bool is_gone(void *arg, struct buffer *seen)
{
    return kill(*(pid_t *)arg, 0) < 0 && errno == ESRCH && buffer_printf(seen, "gone") == 0;
}

/* As rsyslogd does; a child of its own has the pipes, too. Hands over both numbers. */
static void be_rsyslogd(int to)
{
    pid_t pids[2];
    struct partner p = start_from("write=60s");
    bool told = answer_in(&p, SOON) != NULL;
    pids[0] = p.pid;
    pids[1] = fork();
    if (pids[1] > 0 && told && write(to, pids, sizeof pids) < 0)
        _exit(1);
    (void)sleep(60);
    _exit(1);
}

/* rsyslogd is ended by SIGKILL; whoever else has its pipes open keeps nobody alive. */
static void it_dies_with_who_started_it(void **state)
{
    (void)state;
    int ends[2];
    pid_t pids[2] = {0, 0};
    assert_return_code(pipe2(ends, O_CLOEXEC), errno);
    pid_t parent = fork();
    assert_return_code(parent, errno);
    if (parent == 0)
        be_rsyslogd(ends[1]);
    assert_int_equal(read(ends[0], pids, sizeof pids), sizeof pids);
    assert_int_equal(kill(pids[0], 0), 0);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    wait_until("it dies, too", SOON, is_gone, &pids[0]);
    assert_int_equal(kill(pids[1], SIGKILL), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* Nothing is taken that cannot be kept. */
static void without_a_queue_nothing_is_taken(void **state)
{
    (void)state;
    char settings[1000], none[] = "cannot make /proc/none: No such file or directory";
    struct partner p = start();
    (void)snprintf(settings, sizeof settings,
                   "BEGIN\tqueue=/proc/none\taccount=%s.json\tbytes=1000\tindex=bare"
                   "\turl=%s\n",
                   here.queue, here.sink.url);
    expect(&p, settings, none);
    wait_until("it is said", SOON, is_stopped, none);
    tell(&p, record(1));
    assert_null(answer_in(&p, SOON));
    assert_said(&p, "a record before BEGIN");
    assert_int_equal(stop(&p), 1);
}

/* ---- who is asked, and by whom ------------------------------------------- */

static void credentials_let_in(void **state)
{
    (void)state;
    static const char *const options[] = {"--user", "a writer:secret \"word\\", "--api-key",
                                          "id:key-secret", NULL};
    static const char *const good[] = {"\tuser=a writer\tpassword=secret \"word\\",
                                       "\tapi_key=aWQ6a2V5LXNlY3JldA=="};
    char address[40], dir[400];
    struct sink plain = here.sink;
    (void)snprintf(address, sizeof address, "127.0.%d.3", here.net);
    (void)snprintf(dir, sizeof dir, "%s/secured", here.dir);
    assert_int_equal(sink_start_stand_in(&here.sink, address, dir, options), 0);
    for (int i = 0; i < 2; i++) {
        struct partner p = start();
        expect(&p, begin("let-in", good[i]), "OK");
        send_records(&p, i, i);
        expect(&p, "COMMIT\n", "OK");
        char *text = said(&p);
        assert_string_equal(text, "");
        free(text);
        assert_int_equal(stop(&p), 0);
    }
    struct partner p = start();
    expect(&p, begin("let-in", "\tuser=a writer\tpassword=secret-wrong"), "OK");
    send_records(&p, 3, 3);
    wait_said(&p, ": it does not know the credential in use (401)\n");
    char *text = said(&p);
    assert_null(strstr(text, "secret"));
    free(text);
    destroy(&p);
    sink_kill(&here.sink);
    here.sink = plain;
}

/* Whoever writes logs can put a link among them to what rsyslogd is configured with. */
static void the_own_secret_goes_nowhere(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, begin("secret", "\tuser=u\tpassword=p\"w\\ord"), "OK");
    expect(&p, "+a\t{\"m\":\"pwd=\\\"p\\\\\\\"w\\\\\\\\ord\\\" x\"}\n", "DEFER_COMMIT");
    expect(&p, "+b\t{\"m\":\"p\\\"w\\\\ord\"}\n", "DEFER_COMMIT");
    expect(&p, "+c\t{\"m\":\"password\"}\n", "DEFER_COMMIT");
    expect(&p, "COMMIT\n", "OK");
    char text[400] = "";
    off_t len = 0;
    int fd = open_queue_file(&len);
    assert_return_code((int)read(fd, text, sizeof text - 1), errno);
    (void)close(fd);
    assert_non_null(strstr(text, " a\t{\"m\":\"pwd=\\\"*************\\\" x\"}\n"));
    assert_non_null(strstr(text, " b\t{\"m\":\"*********\"}\n"));
    assert_non_null(strstr(text, " c\t{\"m\":\"password\"}\n"));
    wait_documents("secret", "*", 3);
    assert_said(&p, "a log held the credential: is a link among the logs?\n");
    assert_int_equal(stop(&p), 0);
    p = start();
    expect(&p, begin("secret", "\tapi_key=aWQ6a2V5LXNlY3JldA=="), "OK");
    expect(&p, "+d\t{\"m\":\"aWQ6a2V5LXNlY3JldA\"}\n", "DEFER_COMMIT");
    expect(&p, "COMMIT\n", "OK");
    wait_documents("secret", "m.keyword:aWQ6a2V5LXNlY3JldA", 0);
    wait_documents("secret", "*", 4);
    assert_int_equal(stop(&p), 0);
}

static void a_wrong_begin_is_answered(void **state)
{
    (void)state;
    struct partner p = start();
    expect(&p, "BEGIN\tqueue=/x\tbytes=1\tindex=x\n", "url, index, bytes and queue are needed");
    expect(&p, "BEGIN\tpassword\n", "a setting without \"=\"");
    expect(&p, begin("right", ""), "OK");
    send_records(&p, 1, 1);
    expect(&p, "COMMIT\n", "OK");
    wait_documents("right", "*", 1);
    assert_int_equal(stop(&p), 0);
}

static void nonsense_ends_it(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"+id\t{}\n", "index-records: a record before BEGIN\n"},
        {"BEGIN\n", "index-records: neither BEGIN, +ID nor COMMIT\n"},
        {"COMMIT \n", "index-records: neither BEGIN, +ID nor COMMIT\n"},
        {"\0\n", NULL},
        {"GET / HTTP/1.1\n", "index-records: neither BEGIN, +ID nor COMMIT\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct partner p = start();
        tell(&p, rows[i].line);
        if (rows[i].text) {
            assert_null(answer_in(&p, SOON));
            assert_said(&p, rows[i].text);
        }
        assert_int_equal(stop(&p), rows[i].text ? 1 : 0);
    }
    struct partner p = start();
    expect(&p, begin("x", ""), "OK");
    tell(&p, "+id without a tab\n");
    assert_null(answer_in(&p, SOON));
    assert_int_equal(stop(&p), 1);
}

static void an_answer_that_cannot_be_written_ends_it(void **state)
{
    (void)state;
    static const char command[] = "printf 'COMMIT\\n' | " TEST_BIN "/index-records >/dev/full";
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err, "index-records: cannot answer rsyslogd: No space left on device\n");
    assert_int_equal(o.code, 1);
    outcome_release(&o);
}

static void usage_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *argument, *out, *err;
        int code;
    } rows[] = {
        {"--help", "usage: index-records\n", "", 0},
        {"--version", "index-records ", "", 0},
        {"--x", "", "index-records: unknown option --x, see index-records --help\n", 2},
        {"x", "", "index-records: unexpected operand 'x', see index-records --help\n", 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *argv[] = {TEST_BIN "/index-records", rows[i].argument, NULL};
        struct outcome o = run_tool(NULL, argv, NULL);
        assert_int_equal(o.code, rows[i].code);
        assert_memory_equal(o.out, rows[i].out, strlen(rows[i].out));
        assert_string_equal(o.err, rows[i].err);
        outcome_release(&o);
    }
}

static int setup(void **state)
{
    char address[40];
    (void)snprintf(here.dir, sizeof here.dir, "%s", keeper_dir());
    *state = &here.sink;
    here.net = keeper_take_net();
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.net);
    return sink_start(&here.sink, "stand-in", address, here.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confirms_what_is_there),
        cmocka_unit_test(nothing_to_send_is_fine),
        cmocka_unit_test(the_same_again_is_the_same_document),
        cmocka_unit_test(no_refusal_loses_anything),
        cmocka_unit_test(a_refusal_is_said_and_outlasted),
        cmocka_unit_test(the_next_url_takes_over),
        cmocka_unit_test(what_is_refused_for_good_goes_to_an_index_of_its_own),
        cmocka_unit_test(what_is_refused_once_arrives_as_it_is),
        cmocka_unit_test(the_index_is_asked_before_a_record_is_blamed),
        cmocka_unit_test(an_index_to_blame_costs_nothing),
        cmocka_unit_test(too_large_a_request_is_divided),
        cmocka_unit_test(requests_have_a_size),
        cmocka_unit_test(what_was_confirmed_survives_a_kill),
        cmocka_unit_test(a_kill_while_it_waits_loses_nothing),
        cmocka_unit_test(it_ends_with_who_started_it),
        cmocka_unit_test(it_dies_with_who_started_it),
        cmocka_unit_test(damage_is_counted),
        cmocka_unit_test(a_full_queue_holds_what_comes),
        cmocka_unit_test(what_comes_again_counts_once),
        cmocka_unit_test(without_a_queue_nothing_is_taken),
        cmocka_unit_test(credentials_let_in),
        cmocka_unit_test(the_own_secret_goes_nowhere),
        cmocka_unit_test(a_wrong_begin_is_answered),
        cmocka_unit_test(nonsense_ends_it),
        cmocka_unit_test(an_answer_that_cannot_be_written_ends_it),
        cmocka_unit_test(usage_is_told),
    };
    return HARNESS_RUN("index-records", tests, setup, sink_tear_down);
}
