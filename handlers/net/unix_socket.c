/* SPDX-License-Identifier: MIT */
#include "net/unix_socket.h"

#include "base/boottime.h"
#include "base/duration.h"
#include "base/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* For connecting and sending: receiving has a deadline for the whole. */
static int limit_sending(int fd, int64_t limit_ms)
{
    struct timeval limit = {.tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000};
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ? -errno : 0;
}

static int connect_to(int fd, const struct sockaddr_un *address)
{
    while (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) {
        if (errno != EINTR)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
    }
    return 0;
}

int unix_socket_open(const char *path, int64_t limit_ms, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return error_set(err, -ENAMETOOLONG, "%.60s...: the path of a socket has at most %zu bytes",
                         path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    int rc = trust_path(path, err);
    if (rc < 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rc = fd < 0 ? -errno : limit_sending(fd, limit_ms);
    if (rc == 0)
        rc = connect_to(fd, &address);
    if (rc == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return error_set(err, rc, "cannot connect to %s: %s", path, strerror(-rc));
}

/* Who has seen enough closes while we still send; what he answered then counts. */
static void send_all(int fd, const char *request, size_t len, int64_t end_ms)
{
    while (len > 0 && boottime_ms() < end_ms) {
        ssize_t n = send(fd, request, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        request += n;
        len -= (size_t)n;
    }
    (void)shutdown(fd, SHUT_WR);
}

int unix_socket_ask(int fd, const char *request, size_t len, int64_t limit_ms,
                    struct buffer *answer, struct error *err)
{
    int64_t end_ms = boottime_ms() + limit_ms;
    send_all(fd, request, len, end_ms);
    int rc = buffer_read_within(answer, fd, end_ms - boottime_ms());
    if (rc == 0 || rc == -ECONNRESET)
        return 0;
    if (rc == -ETIMEDOUT) {
        char limit[DURATION_TEXT];
        return error_set(err, rc, "no end of the answer after %s",
                         duration_format(limit_ms * 1000, limit));
    }
    return error_set(err, rc, "cannot read the answer: %s",
                     rc == -EMSGSIZE ? "it is too large" : strerror(-rc));
}
