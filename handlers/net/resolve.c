/* SPDX-License-Identifier: MIT */
#include "net/resolve.h"

#include "base/child.h"
#include "net/host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX 4096

/* One host that needs a child. */
struct query {
    const char *argv[5];
    struct resolve_result *result;
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

static int run_jobs(struct child_job *jobs, struct child_result *results,
                    const struct query *queries, size_t n, int64_t timeout_ms, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct child_job){.argv = queries[i].argv, .timeout_ms = timeout_ms};
        results[i].output = BUFFER_INIT(OUTPUT_MAX);
        results[i].errors = BUFFER_INIT(OUTPUT_MAX);
    }
    int rc = child_run_all(jobs, results, n, err);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            read_result(&results[i], queries[i].result);
        buffer_release(&results[i].output);
        buffer_release(&results[i].errors);
    }
    return rc;
}

static int run_queries(const struct query *queries, size_t n, int64_t timeout_ms, struct error *err)
{
    struct child_job *jobs = calloc(n, sizeof *jobs);
    struct child_result *results = calloc(n, sizeof *results);
    int rc = -ENOMEM;
    if (jobs && results)
        rc = run_jobs(jobs, results, queries, n, timeout_ms, err);
    else
        (void)error_set(err, rc, "out of memory");
    free(jobs);
    free(results);
    return rc;
}

int resolve_hosts(const char *getent, const char *const *hosts, size_t n, int64_t timeout_ms,
                  struct resolve_result *ret, struct error *err)
{
    size_t names = 0;
    struct query *queries = calloc(n + 1, sizeof *queries);
    if (!queries)
        return error_set(err, -ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        ret[i] = (struct resolve_result){0};
        add_address(&ret[i], hosts[i]);
        if (ret[i].n == 0)
            queries[names++] = (struct query){{getent, "ahosts", "--", hosts[i], NULL}, &ret[i]};
    }
    int rc = names ? run_queries(queries, names, timeout_ms, err) : 0;
    free(queries);
    return rc;
}
