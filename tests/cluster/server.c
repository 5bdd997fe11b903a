/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "apart.h"
#include "keeper.h"

static const char *const programs[] = {"heartbeat",     "verify-quorum",       "verify-clock",
                                       "hear-clock",    "verify-logging",      "rollout-logging",
                                       "apply-logging", "reconfigure-logging", "verify-security"};

void server_name(struct cluster *c, int i, const char *node)
{
    struct server *s = &c->server[i];
    *s = (struct server){0};
    (void)snprintf(s->node, sizeof s->node, "server-%d", i);
    if (node)
        (void)snprintf(s->node, sizeof s->node, "%s", node);
    (void)snprintf(s->address, sizeof s->address, "127.0.%d.%d", c->net, i);
    (void)snprintf(s->dir, sizeof s->dir, "%s/server-%d", c->dir, i);
}

/* ---- files --------------------------------------------------------------- */

const char *server_path(struct cluster *c, int i, const char *name)
{
    static char paths[4][600];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", c->server[i].dir, name);
    return path;
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0755);
        *slash = '/';
    }
}

static void write_file(struct cluster *c, int i, const char *name, const char *text, mode_t mode)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s", server_path(c, i, name));
    make_parents(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    size_t len = strlen(text);
    uid_t user = c->options.user;
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) < 0 ||
        (user && fchown(fd, (uid_t)-1, user) < 0))
        harness_fail("cannot write %s: %s", path, strerror(errno));
    (void)close(fd);
}

void server_write(struct cluster *c, int i, const char *name, const char *text)
{
    write_file(c, i, name, text, 0644);
}

char *server_read(struct cluster *c, int i, const char *name)
{
    struct buffer text = BUFFER_INIT(256U << 20);
    int fd = open(server_path(c, i, name), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && buffer_read(&text, fd) < 0)
        harness_fail("cannot read %s of server %d", name, i);
    if (fd >= 0)
        (void)close(fd);
    char *ret = buffer_detach(&text);
    return ret ? ret : strdup("");
}

size_t server_count(struct cluster *c, int i, const char *file, const char *text)
{
    size_t n = 0;
    for (int at = i ? i : 1; at <= (i ? i : c->servers); at++) {
        char *found = server_read(c, at, file);
        for (const char *hit = strstr(found, text); hit; hit = strstr(hit + 1, text))
            n++;
        free(found);
    }
    return n;
}

size_t server_logged(struct cluster *c, int i, const char *text)
{
    return server_count(c, i, "consul.log", text);
}

size_t runs(struct cluster *c, int i, const char *program)
{
    char line[100];
    (void)snprintf(line, sizeof line, " %s ", program);
    return server_count(c, i, "runs.log", line);
}

/* ---- configuration ------------------------------------------------------- */

static void add_times(const struct cluster *c, cJSON *config)
{
    if (c->options.consul_timing)
        return;
    cJSON *raft = cJSON_AddObjectToObject(config, "performance");
    (void)cJSON_AddNumberToObject(raft, "raft_multiplier", 1);
    cJSON *gossip = cJSON_AddObjectToObject(config, "gossip_lan");
    (void)cJSON_AddStringToObject(gossip, "probe_interval", "500ms");
    (void)cJSON_AddStringToObject(gossip, "probe_timeout", "400ms");
    (void)cJSON_AddNumberToObject(gossip, "suspicion_mult", 2);
    cJSON *autopilot = cJSON_AddObjectToObject(config, "autopilot");
    (void)cJSON_AddStringToObject(autopilot, "server_stabilization_time", "2s");
}

static void add_join(struct cluster *c, int i, cJSON *config)
{
    if (c->options.alone)
        return;
    cJSON *join = cJSON_AddArrayToObject(config, "retry_join");
    for (int other = 1; other <= c->servers; other++)
        if (other != i)
            (void)cJSON_AddItemToArray(join, cJSON_CreateString(c->server[other].address));
    (void)cJSON_AddStringToObject(config, "retry_interval", "1s");
}

static void write_config(struct cluster *c, int i, int expect)
{
    cJSON *config = cJSON_CreateObject();
    const struct server *s = &c->server[i];
    (void)cJSON_AddStringToObject(config, "node_name", s->node);
    (void)cJSON_AddStringToObject(config, "bind_addr", s->address);
    (void)cJSON_AddStringToObject(config, "client_addr", s->address);
    (void)cJSON_AddBoolToObject(config, "server", 1);
    if (expect)
        (void)cJSON_AddNumberToObject(config, "bootstrap_expect", expect);
    (void)cJSON_AddStringToObject(config, "log_level", "DEBUG");
    (void)cJSON_AddBoolToObject(config, "disable_update_check", 1);
    cJSON *ports = cJSON_AddObjectToObject(config, "ports");
    (void)cJSON_AddNumberToObject(ports, "dns", -1);
    (void)cJSON_AddNumberToObject(ports, "serf_wan", -1);
    add_times(c, config);
    add_join(c, i, config);
    if (c->options.acl) {
        cJSON *acl = cJSON_AddObjectToObject(config, "acl");
        (void)cJSON_AddBoolToObject(acl, "enabled", 1);
        (void)cJSON_AddStringToObject(acl, "default_policy", "deny");
        /* The snippet comes by reload, later than the first tokens. */
        (void)cJSON_AddBoolToObject(config, "enable_local_script_checks", 1);
        (void)cJSON_AddStringToObject(config, "check_update_interval", "10s");
    }
    char *text = cJSON_Print(config);
    server_write(c, i, "consul.d/10-server.json", text);
    free(text);
    cJSON_Delete(config);
    if (c->options.consul)
        server_write(c, i, "consul.d/20-more.json", c->options.consul);
}

void server_programs(struct cluster *c, int i, const char *dir)
{
    for (size_t p = 0; p < COUNT(programs); p++) {
        char name[100], script[1000];
        (void)snprintf(name, sizeof name, "libexec/%s", programs[p]);
        (void)snprintf(script, sizeof script,
                       "#!/bin/sh\necho \"run %s $*\" >>%s/runs.log\n"
                       ". %s/clock\nexec %s/%s \"$@\"\n",
                       programs[p], c->server[i].dir, c->server[i].dir, dir, programs[p]);
        write_file(c, i, name, script, 0755);
    }
}

/* The raw clock stays as it is, as when somebody sets the clock of a machine. A program
 * that is just starting must find the file, and whole. */
void server_clock(struct cluster *c, int i, const char *offset)
{
    char text[200] = "";
    struct server *s = &c->server[i];
    (void)snprintf(s->clock, sizeof s->clock, "%s", offset ? offset : "");
    if (offset)
        (void)snprintf(text, sizeof text, "export '%s' '%s' 'FAKETIME=%s'\n", SERVER_FAKETIME,
                       SERVER_RAW, offset);
    write_file(c, i, "clock.new", text, 0644);
    if (rename(server_path(c, i, "clock.new"), server_path(c, i, "clock")) < 0)
        harness_fail("cannot write clock of server %d: %s", i, strerror(errno));
}

/* What the agent's user writes; the directory itself is not his. */
static void hand_over(struct cluster *c, int i)
{
    static const char *const own[] = {"state", "data", "runs.log"};
    uid_t user = c->options.user;
    write_file(c, i, "runs.log", "", 0644);
    for (size_t n = 0; n < COUNT(own); n++)
        if (chown(server_path(c, i, own[n]), user, user) < 0)
            harness_fail("cannot give %s away: %s", own[n], strerror(errno));
    if (chmod(keeper_dir(), 0711) < 0)
        harness_fail("cannot open %s", keeper_dir());
}

void server_make(struct cluster *c, int i, int expect)
{
    static const char *const dirs[] = {"etc/logging.d", "state", "shipper", "log", "probe", "data"};
    for (size_t d = 0; d < COUNT(dirs); d++) {
        char path[600];
        (void)snprintf(path, sizeof path, "%s/", server_path(c, i, dirs[d]));
        make_parents(path);
    }
    if (chmod(server_path(c, i, "state"), 0700) < 0)
        harness_fail("cannot make %s: %s", c->server[i].dir, strerror(errno));
    server_clock(c, i, NULL);
    server_programs(c, i, TEST_BIN);
    write_config(c, i, expect);
    if (c->options.user)
        hand_over(c, i);
}

/* The snippet with this interval of the heartbeat. free() it. */
static char *with_interval(const char *snippet, const char *interval)
{
    static const char shipped[] = "interval = \"15s\"";
    char *text = NULL;
    const char *at = strstr(snippet, shipped);
    if (!at || asprintf(&text, "%.*sinterval = \"%s\"%s", (int)(at - snippet), snippet, interval,
                        at + strlen(shipped)) < 0)
        harness_fail("no %s in the snippet", shipped);
    return text;
}

static void render_snippet(struct cluster *c, int i)
{
    char enable[400], libexec[400], config[400], state[400], token[400];
    (void)snprintf(libexec, sizeof libexec, "%s/libexec", c->server[i].dir);
    (void)snprintf(config, sizeof config, "%s/etc", c->server[i].dir);
    (void)snprintf(state, sizeof state, "%s/state", c->server[i].dir);
    (void)snprintf(token, sizeof token, "%s/token", c->server[i].dir);
    (void)snprintf(enable, sizeof enable, "%s/scripts/enable", SOURCE_DIR);
    const char *argv[] = {
        enable, "--print",         "--libexec",  libexec, "--config-dir", config, "--state-dir",
        state,  "--settings-root", HARNESS_ROOT, NULL,    NULL,           NULL,   NULL,
        NULL};
    size_t n = 10;
    if (c->options.discover) {
        argv[n++] = "--discover";
        argv[n++] = c->options.discover;
    }
    if (c->server[i].token[0]) {
        write_file(c, i, "token", c->server[i].token, 0600);
        argv[n++] = "--token-file";
        argv[n] = token;
    }
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("enable --print: %d %s", o.code, o.err);
    char *snippet = c->options.heartbeat ? with_interval(o.out, c->options.heartbeat)
                                         : strdup(o.out);
    write_file(c, i, "consul.d/60-cluster.hcl", snippet, 0640);
    free(snippet);
    outcome_release(&o);
}

void server_enable(struct cluster *c, int i)
{
    const struct server *s = &c->server[i];
    char env[300];
    (void)snprintf(env, sizeof env, "CONSUL_HTTP_ADDR=http://%s:8500\n%s%s%s", s->address,
                   s->token[0] ? "CONSUL_HTTP_TOKEN=" : "", s->token, s->token[0] ? "\n" : "");
    write_file(c, i, "etc/consul.env", env, 0640);
    if (!c->options.no_snippet)
        render_snippet(c, i);
}

/* ---- process ------------------------------------------------------------- */

void server_limits(const struct cluster *c, char ret[SERVER_LIMITS])
{
    (void)snprintf(ret, SERVER_LIMITS, "LICTOR_LIMITS=%s%s%s",
                   c->options.consul_timing ? "" : "rest=2s",
                   c->options.consul_timing || !c->options.limits ? "" : ",",
                   c->options.limits ? c->options.limits : "");
}

static void be_agent(struct cluster *c, int i, const char *consul, pid_t parent)
{
    char data[400], config[400], limits[SERVER_LIMITS];
    (void)snprintf(data, sizeof data, "-data-dir=%s/data", c->server[i].dir);
    (void)snprintf(config, sizeof config, "-config-dir=%s/consul.d", c->server[i].dir);
    int log = open(server_path(c, i, "consul.log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    int null = open("/dev/null", O_RDONLY);
    if (c->options.user)
        apart_become(c->options.user);
    keeper_die_with(parent);
    server_limits(c, limits);
    (void)putenv(limits);
    (void)setpgid(0, 0);
    if (log < 0 || null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    if (log > 2)
        (void)close(log);
    if (null > 2)
        (void)close(null);
    (void)execlp(consul, "consul", "agent", data, config, (char *)NULL);
    perror(consul);
    _exit(127);
}

/* As tests/run has it, so that a test can also be started by itself. */
const char *consul_program(void)
{
    static const char unpacked[] = SOURCE_DIR "/build/consul/consul";
    const char *given = getenv("CONSUL");
    if (given && *given)
        return given;
    return access(unpacked, X_OK) == 0 ? unpacked : "consul";
}

void server_spawn(struct cluster *c, int i)
{
    struct server *s = &c->server[i];
    pid_t parent = getpid();
    if (s->pid)
        harness_fail("server %d runs already", i);
    s->pid = fork();
    if (s->pid == 0)
        be_agent(c, i, consul_program(), parent);
    if (s->pid < 0)
        harness_fail("cannot start server %d: %s", i, strerror(errno));
}

void server_must_run(struct cluster *c, int i)
{
    int status = 0;
    if (c->server[i].pid && waitpid(c->server[i].pid, &status, WNOHANG) == 0)
        return;
    c->server[i].pid = 0;
    char *log = server_read(c, i, "consul.log");
    size_t len = strlen(log);
    harness_fail("server %d does not run (wait status %d); end of its log:\n%s", i, status,
                 log + (len > 1500 ? len - 1500 : 0));
}

static bool answers(void *arg, struct buffer *seen)
{
    struct cluster *c = ((void **)arg)[0];
    int i = *(int *)((void **)arg)[1];
    server_must_run(c, i);
    long status = http(c, i, "GET", "/v1/status/leader", NULL, seen);
    return status == 200;
}

void server_wait_answer(struct cluster *c, int i)
{
    void *arg[] = {c, &i};
    wait_until("the agent answers", 15000, answers, arg);
}

static void signal_server(struct cluster *c, int i, int number)
{
    if (!c->server[i].pid)
        harness_fail("server %d does not run", i);
    (void)kill(c->server[i].pid, number);
}

static bool has_ended(void *arg, struct buffer *seen)
{
    (void)seen;
    pid_t *pid = arg;
    if (waitpid(*pid, NULL, WNOHANG) == 0)
        return false;
    *pid = 0;
    return true;
}

void server_kill(struct cluster *c, int i)
{
    signal_server(c, i, SIGKILL);
    wait_until("the killed agent ends", 5000, has_ended, &c->server[i].pid);
}

void server_leave(struct cluster *c, int i)
{
    (void)http(c, i, "PUT", "/v1/agent/leave", "", NULL);
    wait_until("the leaving agent ends", 30000, has_ended, &c->server[i].pid);
}

void server_freeze(struct cluster *c, int i)
{
    signal_server(c, i, SIGSTOP);
}

void server_thaw(struct cluster *c, int i)
{
    signal_server(c, i, SIGCONT);
}

void server_reload(struct cluster *c, int i)
{
    signal_server(c, i, SIGHUP);
}

void server_reload_now(struct cluster *c, int i)
{
    struct buffer answer = BUFFER_INIT(1U << 20);
    long status = http(c, i, "PUT", "/v1/agent/reload", "", &answer);
    server_must_run(c, i);
    if (status != 200)
        harness_fail("server %d does not reload: %ld %s", i, status, buffer_text(&answer));
    buffer_release(&answer);
}

void server_start(struct cluster *c, int i)
{
    server_spawn(c, i);
    server_wait_answer(c, i);
}

void server_restart(struct cluster *c, int i)
{
    signal_server(c, i, SIGTERM);
    wait_until("the agent ends", 15000, has_ended, &c->server[i].pid);
    server_start(c, i);
}

void server_wipe(struct cluster *c, int i)
{
    const char *argv[] = {"/bin/rm", "-rf", "--one-file-system", server_path(c, i, "data"), NULL};
    if (c->server[i].pid)
        harness_fail("server %d still runs", i);
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
    (void)mkdir(server_path(c, i, "data"), 0755);
}

void server_move(struct cluster *c, int i, int host)
{
    struct server *s = &c->server[i];
    if (s->pid)
        harness_fail("server %d still runs", i);
    (void)snprintf(s->address, sizeof s->address, "127.0.%d.%d", c->net, host);
    write_config(c, i, 0);
    server_enable(c, i);
}

void server_kill_program(struct cluster *c, int i, const char *pattern)
{
    char full[500];
    const char *argv[] = {"/usr/bin/pkill", "-KILL", "-f", full, NULL};
    (void)snprintf(full, sizeof full, "%s.*%s/", pattern, c->server[i].dir);
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("no %s runs on server %d", pattern, i);
    outcome_release(&o);
}

void server_join(struct cluster *c, int i, int to)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/v1/agent/join/%s", c->server[to].address);
    if (http(c, i, "PUT", path, "", NULL) != 200)
        harness_fail("server %d cannot join server %d", i, to);
}

int server_add(struct cluster *c, const char *node)
{
    int i = ++c->servers;
    if (i > HARNESS_SERVERS)
        harness_fail("more than %d servers", HARNESS_SERVERS);
    server_name(c, i, node);
    server_make(c, i, 0);
    server_enable(c, i);
    server_start(c, i);
    return i;
}
