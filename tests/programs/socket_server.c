/* SPDX-License-Identifier: MIT */
#include "socket_server.h"

#include "test.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

int socket_listen(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void be_server(int listener, void (*serve)(int fd))
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(1);
        serve(fd);
        (void)close(fd);
    }
}

pid_t socket_server_start(const char *path, void (*serve)(int fd))
{
    int listener = socket_listen(path, 64);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_server(listener, serve);
    (void)close(listener);
    return pid;
}

void socket_server_stop(pid_t server, const char *path)
{
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    (void)unlink(path);
}
