/* SPDX-License-Identifier: MIT */
#include "kills.h"

static pid_t shipper_pid(struct cluster *c, int i)
{
    char *text = server_read(c, i, "shipper/rsyslogd.pid");
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    free(text);
    return pid;
}

bool kill_shipper(struct cluster *c, int i)
{
    pid_t pid = shipper_pid(c, i);
    return pid > 1 && kill(pid, SIGKILL) == 0;
}

/* rsyslogd starts it again. */
bool kill_indexer(struct cluster *c, int i)
{
    char pid[30];
    (void)snprintf(pid, sizeof pid, "%d", (int)shipper_pid(c, i));
    const char *argv[] = {"/usr/bin/pkill", "-KILL", "-P", pid, "-x", "index-records", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    const bool killed = o.code == 0;
    outcome_release(&o);
    return killed;
}

bool revive_shipper(struct cluster *c, int i)
{
    const char *argv[] = {"rollout-logging", "--retry", NULL};
    struct outcome o = server_run(c, i, NULL, argv);
    const bool runs = o.code == 0;
    outcome_release(&o);
    return runs;
}
