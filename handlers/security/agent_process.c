/* SPDX-License-Identifier: MIT */
#include "security/agent_process.h"

#include "base/buffer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_LINE 65536
#define GENERATIONS  16 /* more parents are not looked at */

/* ---- a command line ------------------------------------------------------ */

/* The value of "-name=VALUE", "--name VALUE"; NULL for another word. */
static const char *value_of(const char *word, const char *name, const char *next)
{
    size_t len = strlen(name);
    word += strspn(word, "-");
    if (strncmp(word, name, len) != 0)
        return NULL;
    if (word[len] == '=')
        return word + len + 1;
    return word[len] == '\0' ? next : NULL;
}

static void add_config(struct agent_process *ret, const char *path)
{
    if (path && path[0] == '/' && ret->configs < AGENT_PROCESS_CONFIGS)
        (void)snprintf(ret->config[ret->configs++], FILE_PATH, "%s", path);
}

bool agent_process_read(const char *words, size_t len, struct agent_process *ret,
                        const char **ret_data_dir)
{
    const char *end = words + len;
    bool agent = false;
    *ret_data_dir = NULL;
    ret->configs = 0;
    if (len == 0 || end[-1] != '\0')
        return false;
    for (const char *word = words; word < end; word += strlen(word) + 1) {
        const char *next = word + strlen(word) + 1;
        next = next < end ? next : NULL;
        agent |= word != words && strcmp(word, "agent") == 0;
        if (word[0] != '-')
            continue;
        add_config(ret, value_of(word, "config-dir", next));
        add_config(ret, value_of(word, "config-file", next));
        const char *data = value_of(word, "data-dir", next);
        *ret_data_dir = data ? data : *ret_data_dir;
    }
    return agent;
}

/* ---- /proc --------------------------------------------------------------- */

/* <pid>/<name>, appended; not a regular file's size, so it is read until it ends. */
static int read_proc(const char *pid, const char *name, struct buffer *text)
{
    char path[80];
    (void)snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
    return file_read(path, text, NULL);
}

/* Is it an agent of Consul; what does it say? Not one that says another data_dir; *ret_same: it says
 * this one. */
static bool is_agent(const char *pid, const char *data_dir, struct agent_process *ret,
                     bool *ret_same)
{
    char exe[80];
    const char *data = NULL;
    struct buffer text = BUFFER_INIT(COMMAND_LINE);
    bool agent = read_proc(pid, "comm", &text) == 0 && strcmp(buffer_text(&text), "consul\n") == 0;
    buffer_release(&text);
    text = BUFFER_INIT(COMMAND_LINE);
    agent = agent && read_proc(pid, "cmdline", &text) == 0 && text.data &&
            agent_process_read(text.data, text.len, ret, &data);
    *ret_same = data && strcmp(data, data_dir) == 0;
    agent = agent && (!data || *ret_same);
    buffer_release(&text);
    if (!agent)
        return false;
    (void)snprintf(exe, sizeof exe, "/proc/%.20s/exe", pid);
    ssize_t n = readlink(exe, ret->program, sizeof ret->program - 1);
    ret->program[n > 0 ? n : 0] = '\0';
    return true;
}

/* "1234 (name) S 1 ...": the name may hold anything, so its end is the last ')'. */
static bool parent_of(char pid[24])
{
    struct buffer text = BUFFER_INIT(COMMAND_LINE);
    long parent = 0;
    if (read_proc(pid, "stat", &text) == 0) {
        const char *at = strrchr(buffer_text(&text), ')');
        parent = at && strlen(at) > 4 ? strtol(at + 4, NULL, 10) : 0;
    }
    buffer_release(&text);
    (void)snprintf(pid, 24, "%ld", parent);
    return parent > 1;
}

static bool find_above(const char *data_dir, struct agent_process *ret)
{
    char pid[24];
    bool same = false;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    for (int i = 0; i < GENERATIONS && parent_of(pid); i++) {
        if (is_agent(pid, data_dir, ret, &same))
            return true;
    }
    return false;
}

/* By hand. Returns how many there are; *ret is one, of those with this data_dir if there are any. */
static int find_any(const char *data_dir, struct agent_process *ret)
{
    static struct agent_process one;
    int all = 0, alike = 0;
    DIR *dir = opendir("/proc");
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        bool same = false;
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !is_agent(entry->d_name, data_dir, &one, &same))
            continue;
        all++;
        alike += same;
        if (same || alike == 0)
            *ret = one;
    }
    if (dir)
        (void)closedir(dir);
    return alike ? alike : all;
}

int agent_process_find(const char *data_dir, struct agent_process *ret, struct error *err)
{
    *ret = (struct agent_process){.configs = 0};
    if (find_above(data_dir, ret))
        return 0;
    int found = find_any(data_dir, ret);
    if (found == 1)
        return 0;
    *ret = (struct agent_process){.configs = 0};
    if (found == 0)
        return error_set(err, -ESRCH, "the process of the Consul agent is not seen");
    return error_set(err, -ESRCH, "%d agents of Consul run here, and which one is ours is not seen",
                     found);
}
