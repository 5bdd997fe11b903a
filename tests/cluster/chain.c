/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include "seed.h"

#include "consul/kv.h"
#include "rollout/server_record.h"

#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SERVERS   3
#define REVISIONS 2000

/* ---- the watch ----------------------------------------------------------- */

struct chain {
    struct cluster *c;
    pthread_t thread;
    atomic_bool stop;
    char done[REVISIONS][KV_DIGEST]; /* somebody was done with these */
    size_t n;
    size_t looks;
    char found[600]; /* what should not be */
};

/* Not server_read(): its paths are shared with the test's own thread. */
static void read_file(const struct cluster *c, int i, const char *name, struct buffer *ret)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", c->server[i].dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && buffer_read(ret, fd) < 0)
        buffer_clear(ret);
    if (fd >= 0)
        (void)close(fd);
}

/* All records, from whoever answers. False when nobody does. */
static bool read_records(struct cluster *c, struct kv_list *ret)
{
    struct buffer answer = BUFFER_INIT(16U << 20);
    long status = 0;
    for (int i = 1; status != 200 && i <= SERVERS; i++) {
        buffer_clear(&answer);
        if (c->server[i].pid)
            status = http(c, i, "GET", "/v1/kv/" SERVER_RECORD_PREFIX "?recurse", NULL, &answer);
    }
    cJSON *root = status == 200 ? cJSON_Parse(buffer_text(&answer)) : NULL;
    bool known = root && kv_parse(root, ret, NULL) == 0;
    cJSON_Delete(root);
    buffer_release(&answer);
    return known;
}

static void find(struct chain *chain, const char *what, const char *detail)
{
    if (!chain->found[0])
        (void)snprintf(chain->found, sizeof chain->found, "%s: %s", what, detail);
}

static bool is_done(const struct chain *chain, const char *revision)
{
    for (size_t n = 0; n < chain->n; n++)
        if (strcmp(chain->done[n], revision) == 0)
            return true;
    return false;
}

static void look_at_records(struct chain *chain, const struct kv_list *list)
{
    int applying = 0;
    char text[400] = "";
    for (size_t n = 0; n < list->n; n++) {
        struct server_record r;
        const struct kv_entry *e = &list->entries[n];
        size_t len = strlen(text);
        if (server_record_parse(e->key, e->value, e->len, &r, NULL) < 0)
            continue;
        applying += r.state == SERVER_RECORD_APPLYING;
        (void)snprintf(text + len, sizeof text - len, "%s %s %.6s; ", e->key,
                       server_record_state_name(r.state), r.revision);
        if (r.state == SERVER_RECORD_DONE && !is_done(chain, r.revision) && chain->n < REVISIONS)
            memcpy(chain->done[chain->n++], r.revision, KV_DIGEST);
    }
    if (applying > 1)
        find(chain, "two are applying", text);
}

/* The revision of a destination, "" when there is none. */
static void look_at_file(struct chain *chain, int i, char ret[KV_DIGEST])
{
    struct buffer text = BUFFER_INIT(65536);
    char end[40];
    read_file(chain->c, i, "shipper/shipper.conf", &text);
    const char *at = buffer_text(&text);
    (void)snprintf(end, sizeof end, "server-%d/log/*.log\n", i);
    ret[0] = '\0';
    if (text.len > 0 && (strncmp(at, "REVISION=", 9) != 0 || text.len < strlen(end) ||
                         strcmp(at + text.len - strlen(end), end) != 0))
        find(chain, "a destination is not whole", at);
    else if (text.len > 0)
        (void)snprintf(ret, KV_DIGEST, "%.*s", (int)strcspn(at + 9, "\n"), at + 9);
    buffer_release(&text);
}

/* Files first: whoever has touched one was announced before. */
static void look(struct chain *chain)
{
    char revision[SERVERS + 1][KV_DIGEST] = {""};
    struct kv_list list = {0};
    for (int i = 1; i <= SERVERS; i++)
        look_at_file(chain, i, revision[i]);
    if (read_records(chain->c, &list)) {
        look_at_records(chain, &list);
        for (int i = 1; i <= SERVERS; i++)
            for (int k = 1; k < i; k++)
                if (revision[i][0] && strcmp(revision[i], revision[k]) == 0 &&
                    !is_done(chain, revision[i]))
                    find(chain, "two have what nobody is done with", revision[i]);
        chain->looks++;
    }
    kv_release(&list);
}

static void *watch(void *arg)
{
    struct chain *chain = arg;
    while (!atomic_load(&chain->stop)) {
        look(chain);
        sleep_ms(3);
    }
    return NULL;
}

struct chain *chain_watch(struct cluster *c)
{
    struct chain *chain = calloc(1, sizeof *chain);
    if (!chain)
        harness_fail("out of memory");
    chain->c = c;
    if (pthread_create(&chain->thread, NULL, watch, chain) != 0)
        harness_fail("cannot start a thread");
    return chain;
}

void chain_unwatch(struct chain *chain)
{
    char found[sizeof chain->found];
    atomic_store(&chain->stop, true);
    (void)pthread_join(chain->thread, NULL);
    (void)snprintf(found, sizeof found, "%s", chain->found);
    size_t looks = chain->looks;
    free(chain);
    if (found[0])
        harness_fail("%s", found);
    assert_in_range(looks, 5, SIZE_MAX);
}

/* ---- what was touched ---------------------------------------------------- */

int64_t chain_clock(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct touch {
    int server;
    int64_t begin, end;
};

static bool read_touch(struct cluster *c, int i, int64_t since_ms, struct touch *ret)
{
    char *log = server_read(c, i, "shipper/actions.log");
    char *rest = NULL;
    *ret = (struct touch){.server = i};
    for (char *line = strtok_r(log, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        int64_t at = strtoll(line, NULL, 10);
        if (at < since_ms)
            continue;
        if (ret->begin == 0)
            ret->begin = at;
        ret->end = at;
    }
    free(log);
    return ret->begin > 0;
}

static int by_begin(const void *a, const void *b)
{
    const struct touch *left = a;
    const struct touch *right = b;
    return (left->begin > right->begin) - (left->begin < right->begin);
}

char *chain_touched(struct cluster *c, int64_t since_ms)
{
    struct touch touch[HARNESS_SERVERS];
    struct buffer text = BUFFER_INIT(100);
    size_t n = 0;
    for (int i = 1; i <= c->servers; i++)
        n += read_touch(c, i, since_ms, &touch[n]);
    qsort(touch, n, sizeof touch[0], by_begin);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && touch[i].begin < touch[i - 1].end)
            harness_fail("server %d was touched before server %d was done", touch[i].server,
                         touch[i - 1].server);
        assert_int_equal(buffer_printf(&text, "%s%d", i ? " " : "", touch[i].server), 0);
    }
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

void chain_record(struct cluster *c, int i, char ret[80])
{
    struct kv_list list = {0};
    struct server_record r;
    char key[100];
    ret[0] = '\0';
    (void)snprintf(key, sizeof key, SERVER_RECORD_PREFIX "%s", c->server[i].node);
    const struct kv_entry *e = read_records(c, &list) ? kv_find(&list, key) : NULL;
    if (e && server_record_parse(c->server[i].node, e->value, e->len, &r, NULL) == 0)
        (void)snprintf(ret, 80, "%s %.6s", server_record_state_name(r.state), r.revision);
    kv_release(&list);
}

void chain_beat(struct cluster *c)
{
    for (int i = 1; i <= SERVERS; i++) {
        const char *argv[] = {"heartbeat", NULL};
        if (!c->server[i].pid)
            continue;
        struct outcome o = server_run(c, i, NULL, argv);
        outcome_release(&o);
    }
}

struct cluster *chain_start(void)
{
    struct cluster *c = cluster_start(
        &(struct cluster_options){.limits = "confirm=0s,apply_again=1s"});
    for (int i = 1; i <= SERVERS; i++)
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
    return c;
}

void chain_set(struct cluster *c)
{
    settings_put(c, "LOG_ELASTICSEARCH_URL", cluster_sink(c), "LOG_SETTLE", "0", "CLUSTER_SERVERS",
                 "server_1=server-1,server_2=server-2,server_3=server-3", NULL);
}

/* ---- kills --------------------------------------------------------------- */

static bool belongs_to(const char *pid, const char *dir)
{
    static const char *const programs[] = {"heartbeat", "verify-", "reconfigure-logging",
                                           "rollout-logging", "apply-logging"};
    char path[300], line[4096];
    (void)snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
    if (fd >= 0)
        (void)close(fd);
    for (ssize_t i = 0; i + 1 < len; i++)
        line[i] = line[i] ? line[i] : ' ';
    line[len > 0 ? len : 0] = '\0';
    for (size_t i = 0; i < COUNT(programs); i++)
        if (strstr(line, programs[i]) && strstr(line, dir))
            return true;
    return false;
}

static void kill_programs(const struct cluster *c, int i)
{
    char dir[320];
    (void)snprintf(dir, sizeof dir, "%s/", c->server[i].dir);
    DIR *proc = opendir("/proc");
    for (struct dirent *e = proc ? readdir(proc) : NULL; e; e = readdir(proc))
        if (isdigit((unsigned char)e->d_name[0]) && belongs_to(e->d_name, dir))
            (void)kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL);
    if (proc)
        (void)closedir(proc);
}

struct goal {
    struct cluster *c;
    const char *index; /* that all shall have; NULL: somebody has refused */
    int64_t beaten_ms;
    int refused;
};

static bool has_reached(struct goal *g, int i, struct buffer *seen)
{
    char record[80], line[60];
    struct buffer text = BUFFER_INIT(65536);
    read_file(g->c, i, "shipper/running.conf", &text);
    chain_record(g->c, i, record);
    (void)snprintf(line, sizeof line, "\nINDEX=%s\n", g->index ? g->index : "");
    bool is = strstr(buffer_text(&text), line) && strncmp(record, "done", 4) == 0;
    g->refused += strncmp(record, "failed", 6) == 0;
    if (buffer_printf(seen, "server %d: %s, %s; ", i, record, buffer_text(&text)) < 0)
        is = false;
    buffer_release(&text);
    return is;
}

static bool goal_reached(void *arg, struct buffer *seen)
{
    struct goal *g = arg;
    int reached = 0;
    g->refused = 0;
    if (now_ms() - g->beaten_ms > 700) {
        chain_beat(g->c);
        g->beaten_ms = now_ms();
    }
    for (int i = 1; i <= SERVERS; i++)
        reached += has_reached(g, i, seen);
    return g->index ? reached == SERVERS : g->refused > 0;
}

void chain_reach(struct cluster *c, const char *index)
{
    struct goal goal = {c, index, now_ms(), 0};
    wait_until(index, 30000, goal_reached, &goal);
}

/* A revision whose name begins with "bad-" is refused by all of them; only one may. */
static void prepare(struct cluster *c)
{
    for (int i = 1; i <= SERVERS; i++) {
        server_write(c, i, "shipper/break-validate",
                     "! grep -q INDEX=bad- \"$4\" || { echo no >&2; exit 1; }\n");
        server_write(c, i, "shipper/break-restart", "sleep 0.1\n");
    }
}

static void harm(struct cluster *c, int victim, unsigned what)
{
    print_message("  killed on server %d: %s\n", victim,
                  what == 0   ? "programs"
                  : what == 1 ? "agent"
                              : "agent and programs");
    if (what != 0)
        server_kill(c, victim);
    if (what != 1)
        kill_programs(c, victim);
}

static void expect_everywhere(struct cluster *c, const char *line)
{
    for (int i = 1; i <= SERVERS; i++) {
        char *text = server_read(c, i, "shipper/shipper.conf");
        if (!strstr(text, line))
            harness_fail("server %d does not have %s but %s", i, line, text);
        free(text);
    }
}

void chain_kills(struct cluster *c, int rounds, uint64_t seed)
{
    char index[40], good[60] = "";
    struct chain *chain = chain_watch(c);
    prepare(c);
    for (int n = 1; n <= rounds; n++) {
        bool bad = n % 3 == 0;
        int victim = 1 + (int)seed_next(&seed, SERVERS);
        struct goal goal = {c, bad ? NULL : index, now_ms(), 0};
        wait_leader(c, 30000);
        (void)snprintf(index, sizeof index, "%s-%d", bad ? "bad" : "good", n);
        settings_put(c, "LOG_INDEX", index, NULL);
        sleep_ms(seed_next(&seed, 700));
        harm(c, victim, seed_next(&seed, 3));
        sleep_ms(seed_next(&seed, 1500));
        if (!c->server[victim].pid)
            server_start(c, victim);
        wait_until("the chain goes on", 30000, goal_reached, &goal);
        if (bad)
            assert_int_equal(goal.refused, 1);
        else
            (void)snprintf(good, sizeof good, "\nINDEX=%s\n", index);
        expect_everywhere(c, good);
    }
    for (int i = 1; i <= SERVERS; i++) {
        (void)unlink(server_path(c, i, "shipper/break-validate"));
        (void)unlink(server_path(c, i, "shipper/break-restart"));
    }
    chain_unwatch(chain);
}
