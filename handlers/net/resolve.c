/* SPDX-License-Identifier: MIT */
#include "net/resolve.h"

#include "base/child.h"
#include "net/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 4096

/* Hosts that are asked for, side by side. */
struct queries {
    size_t n;
    const char *argv[RESOLVE_HOSTS][5];
    struct child_job job[RESOLVE_HOSTS];
    struct child_result child[RESOLVE_HOSTS];
    struct resolve_result *result[RESOLVE_HOSTS];
};

static bool is_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static void add_address(struct resolve_result *ret, const char *address)
{
    if (ret->n == RESOLVE_ADDRESSES || !is_address(address))
        return;
    for (size_t i = 0; i < ret->n; i++) {
        if (strcmp(ret->address[i], address) == 0)
            return;
    }
    (void)snprintf(ret->address[ret->n++], RESOLVE_ADDRESS, "%s", address);
}

/* Lines of "ADDRESS TYPE [NAME]", an address once for each type of socket. */
static void read_lines(char *text, struct resolve_result *ret)
{
    char *rest = text;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        line[strcspn(line, " \t")] = '\0';
        add_address(ret, line);
    }
}

static void read_result(struct child_result *child, struct resolve_result *ret)
{
    if (child->rc == 0 && child->exit_code == 0 && child->output.len > 0)
        read_lines(child->output.data, ret);
    const char *how = child->rc == -ETIMEDOUT ? " in time" : "";
    if (child->rc < 0 && child->rc != -ETIMEDOUT)
        (void)snprintf(ret->text, sizeof ret->text, "cannot be resolved: no getent(1): %s",
                       strerror(-child->rc));
    else if (ret->n == 0)
        (void)snprintf(ret->text, sizeof ret->text, "cannot be resolved%s", how);
}

static void add_query(struct queries *queries, const char *getent, const char *host,
                      int64_t timeout_ms, struct resolve_result *ret)
{
    const size_t i = queries->n++;
    const char *const argv[] = {getent, "ahosts", "--", host, NULL};
    memcpy(queries->argv[i], argv, sizeof argv);
    queries->job[i] = (struct child_job){.argv = queries->argv[i], .timeout_ms = timeout_ms};
    queries->child[i].output = BUFFER_INIT(OUTPUT_MAX);
    queries->child[i].errors = BUFFER_INIT(OUTPUT_MAX);
    queries->result[i] = ret;
}

int resolve_hosts(const char *getent, const char *const *hosts, size_t n, int64_t timeout_ms,
                  struct resolve_result *ret, struct error *err)
{
    struct queries queries = {.n = 0};
    if (n > RESOLVE_HOSTS)
        return error_set(err, -E2BIG, "%zu hosts, %d are the limit", n, RESOLVE_HOSTS);
    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct resolve_result){0};
        add_address(&ret[i], hosts[i]);
        if (ret[i].n == 0)
            add_query(&queries, getent, hosts[i], timeout_ms, &ret[i]);
    }
    int rc = queries.n ? child_run_all(queries.job, queries.child, queries.n, err) : 0;
    for (size_t i = 0; i < queries.n; i++) {
        if (rc == 0)
            read_result(&queries.child[i], queries.result[i]);
        buffer_release(&queries.child[i].output);
        buffer_release(&queries.child[i].errors);
    }
    return rc;
}
