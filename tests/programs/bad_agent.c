/* SPDX-License-Identifier: MIT */
#include "bad_agent.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEARD 65536

struct bad_agent {
    int fd;
    int stop[2]; /* closing [1] ends the thread */
    pthread_t thread;
    pthread_mutex_t lock;
    const struct bad_agent_rule *rules;
    char heard[HEARD];
    char path[108];
};

static int listen_tcp(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    char text[64];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        abort();
    (void)snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(a.sin_port));
    (void)setenv("CONSUL_HTTP_ADDR", text, 1);
    return fd;
}

static int listen_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char text[128];
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 8) < 0)
        abort();
    (void)snprintf(text, sizeof text, "unix://%s", path);
    (void)setenv("CONSUL_HTTP_ADDR", text, 1);
    return fd;
}

/* Bytes that the request has in all, once its headers are there; 0 before. */
static size_t request_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (!end)
        return 0;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return (size_t)(end + 4 - text) + body;
}

static void answer(int fd, const struct bad_agent_rule *rule)
{
    char head[200];
    size_t len = rule->body_bytes ? rule->body_bytes : strlen(rule->body ? rule->body : "");
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n",
                     rule->status, len);
    (void)send(fd, head, (size_t)n, MSG_NOSIGNAL);
    if (!rule->body_bytes && len > 0)
        (void)send(fd, rule->body, len, MSG_NOSIGNAL);
    static char chunk[65536];
    const char *piece = rule->body ? rule->body : "x";
    size_t each = strlen(piece);
    for (size_t i = 0; rule->body_bytes && i < sizeof chunk; i++)
        chunk[i] = piece[i % each];
    for (size_t sent = 0; rule->body_bytes && sent < len; sent += sizeof chunk) {
        size_t left = len - sent;
        if (send(fd, chunk, left < sizeof chunk ? left : sizeof chunk, MSG_NOSIGNAL) < 0)
            return;
    }
}

/* Returns whether the connection stays open. */
static int treat(struct bad_agent *agent, int fd, const char *request)
{
    static const struct bad_agent_rule unknown = {"", 404, "no rule", 0};
    (void)pthread_mutex_lock(&agent->lock);
    size_t used = strlen(agent->heard);
    (void)snprintf(agent->heard + used, sizeof agent->heard - used, "%s\n", request);
    const struct bad_agent_rule *rule = agent->rules;
    char line[512];
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(request, "\r"), request);
    while (rule->match && !strstr(line, rule->match))
        rule++;
    if (!rule->match)
        rule = &unknown;
    (void)pthread_mutex_unlock(&agent->lock);
    if (rule->status > 0)
        answer(fd, rule);
    return rule->status != 0;
}

static int wait_readable(struct bad_agent *agent, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = agent->stop[0], .events = POLLIN}};
    (void)poll(p, 2, -1);
    return p[1].revents == 0;
}

static void serve(struct bad_agent *agent, int fd)
{
    char text[16384] = "";
    size_t used = 0;
    while (wait_readable(agent, fd)) {
        ssize_t n = recv(fd, text + used, sizeof text - used - 1, 0);
        if (n <= 0)
            return;
        used += (size_t)n;
        text[used] = '\0';
        size_t len = request_length(text);
        if (len == 0 || used < len)
            continue;
        if (!treat(agent, fd, text))
            return;
        used = 0;
    }
}

static void *run(void *arg)
{
    struct bad_agent *agent = arg;
    while (wait_readable(agent, agent->fd)) {
        int fd = accept(agent->fd, NULL, NULL);
        if (fd < 0)
            break;
        serve(agent, fd);
        (void)close(fd);
    }
    return NULL;
}

struct bad_agent *bad_agent_start(const char *path, const struct bad_agent_rule *rules)
{
    struct bad_agent *agent = calloc(1, sizeof *agent);
    if (!agent || pipe(agent->stop) < 0)
        abort();
    agent->rules = rules;
    agent->fd = path ? listen_unix(path) : listen_tcp();
    (void)snprintf(agent->path, sizeof agent->path, "%s", path ? path : "");
    (void)pthread_mutex_init(&agent->lock, NULL);
    if (pthread_create(&agent->thread, NULL, run, agent) != 0)
        abort();
    return agent;
}

void bad_agent_rules(struct bad_agent *agent, const struct bad_agent_rule *rules)
{
    (void)pthread_mutex_lock(&agent->lock);
    agent->rules = rules;
    (void)pthread_mutex_unlock(&agent->lock);
}

const char *bad_agent_heard(struct bad_agent *agent)
{
    return agent->heard;
}

void bad_agent_forget(struct bad_agent *agent)
{
    (void)pthread_mutex_lock(&agent->lock);
    agent->heard[0] = '\0';
    (void)pthread_mutex_unlock(&agent->lock);
}

void bad_agent_stop(struct bad_agent *agent)
{
    (void)close(agent->stop[1]);
    (void)pthread_join(agent->thread, NULL);
    (void)close(agent->stop[0]);
    (void)close(agent->fd);
    if (agent->path[0])
        (void)unlink(agent->path);
    (void)pthread_mutex_destroy(&agent->lock);
    free(agent);
}
