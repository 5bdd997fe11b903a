/* SPDX-License-Identifier: MIT */
#include "mongodb_peer.h"

#include "harness.h"
#include "keeper.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define START_MS 20000

bool mongodb_peer_has_ferretdb(void)
{
    static bool said;
    bool there = access(MONGODB_PEER_FERRETDB, X_OK) == 0;
    if (!there && !said)
        (void)printf("# note: FerretDB cannot be had and was left out\n");
    said = said || !there;
    return there;
}

static pid_t start(const char *const *argv, const char *log)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    keeper_die_with(parent);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    (void)execv(argv[0], (char **)(uintptr_t)argv);
    _exit(127);
}

static bool takes_connections(void *arg, struct buffer *seen)
{
    const struct sockaddr_in *at = arg;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ret = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    if (!ret)
        (void)!buffer_printf(seen, "%s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ret;
}

static void wait_port(const char *address, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    wait_until("a MongoDB takes connections", START_MS, takes_connections, &at);
}

pid_t mongodb_peer_stand_in(const char *address, int port, const char *file)
{
    char number[16], log[400];
    const char *const argv[] = {TEST_BIN "/fake-mongodb", address, number, file, NULL};
    (void)snprintf(number, sizeof number, "%d", port);
    (void)snprintf(log, sizeof log, "%s.log", file);
    pid_t pid = start(argv, log);
    wait_port(address, port);
    return pid;
}

pid_t mongodb_peer_ferretdb(const char *address, int port, const char *dir,
                            const char *const *options)
{
    char at[80], state[400], url[400], log[400];
    const char *argv[24] = {MONGODB_PEER_FERRETDB,
                            "--handler=sqlite",
                            "--telemetry=disable",
                            "--debug-addr=-",
                            at,
                            state,
                            url};
    (void)snprintf(at, sizeof at, "--listen-addr=%s:%d", address, port);
    (void)snprintf(state, sizeof state, "--state-dir=%s", dir);
    (void)snprintf(url, sizeof url, "--sqlite-url=file:%s/", dir);
    (void)snprintf(log, sizeof log, "%s/ferretdb.log", dir);
    for (size_t i = 0; options && options[i] && i + 8 < COUNT(argv); i++)
        argv[i + 7] = options[i];
    (void)mkdir(dir, 0700);
    pid_t pid = start(argv, log);
    wait_port(address, port);
    return pid;
}

void mongodb_peer_kill(pid_t pid)
{
    if (pid > 0) {
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

/* ---- certificates -------------------------------------------------------- */

static void openssl(const char *dir, const char *script, const char *name, const char *address,
                    const char *days)
{
    const char *const argv[] = {"/bin/sh", "-c", script, "sh", dir, name, address, days, NULL};
    outcome_expect(run_tool(NULL, argv, NULL), 0, "", "");
}

void mongodb_peer_ca(const char *dir)
{
    openssl(dir,
            "cd \"$1\" && exec 2>/dev/null && openssl req -x509 -newkey rsa:2048 -nodes -days 400 "
            "-subj /CN=ca -keyout ca.key -out ca.pem",
            "", "", "");
}

void mongodb_peer_certificate(const char *dir, const char *name, const char *address, int days)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", days);
    openssl(
        dir,
        "cd \"$1\" && exec 2>/dev/null && printf 'subjectAltName=IP:%s' \"$3\" >san && openssl "
        "req -new -newkey rsa:2048 -nodes -subj \"/CN=$2\" -keyout one.key -out one.csr && "
        "openssl x509 -req -days \"$4\" -in one.csr -CA ca.pem -CAkey ca.key -CAcreateserial "
        "-extfile san -out one.pem && cat one.pem one.key >\"$2.new\" && chmod 600 \"$2.new\" && "
        "mv \"$2.new\" \"$2.pem\"",
        name, address, text);
}
