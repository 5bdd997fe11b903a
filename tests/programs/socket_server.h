/* SPDX-License-Identifier: MIT */
/* socket_server.h: somebody behind a Unix socket, for what a program there may do to us. */
#ifndef SOCKET_SERVER_H
#define SOCKET_SERVER_H

#include <sys/types.h>

/* Listen at path (it must not exist) with room for `backlog` connections. Returns the fd.
 * Fails the test when it cannot. */
int socket_listen(const char *path, int backlog);

/* A process which does that and calls serve(fd) for each connection, one after the other,
 * and then closes it. socket_server_stop() kills it and removes the socket. */
pid_t socket_server_start(const char *path, void (*serve)(int fd));
void socket_server_stop(pid_t server, const char *path);

#endif
