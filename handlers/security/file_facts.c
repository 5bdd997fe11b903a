/* SPDX-License-Identifier: MIT */
#include "security/file_facts.h"

#include "base/file.h"
#include "base/text.h"
#include "base/trust.h"
#include "security/agent_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_LIMIT (1U << 20) /* bytes of a file that is looked into */
#define FILES_MOST   500        /* of one directory */

/* What a file is to us. */
enum role { ROLE_PROGRAM, ROLE_CONFIG, ROLE_SECRET };

/* What is being looked at. */
struct look {
    uid_t user; /* the agent's */
    struct findings *findings;
};

/* ---- what a text holds --------------------------------------------------- */

static bool is_comment(const char *line)
{
    line += strspn(line, " \t");
    return line[0] == '#' || strncmp(line, "//", 2) == 0;
}

/* What follows the word at `at` as its value; NULL: it is no name that gets one. */
static const char *value_after(const char *at, size_t len)
{
    const char *value = at + len;
    value += strspn(value, "\"");
    value += strspn(value, " \t");
    if (*value == '{')
        return value;
    if (*value != '=' && *value != ':')
        return NULL;
    value++;
    return value + strspn(value, " \t");
}

/* A text that is not empty, or a word of consul.env; block: a block as well, "tokens { ... }". */
static bool is_given(const char *value, bool block)
{
    return value && ((value[0] == '{' && block) || (value[0] == '"' && value[1] != '"') ||
                     isalnum((unsigned char)value[0]));
}

static bool line_has(const char *line, const char *word, bool block)
{
    size_t len = strlen(word);
    for (const char *at = line; (at = strcasestr(at, word)); at += len) {
        if (is_given(value_after(at, len), block))
            return true;
    }
    return false;
}

/* Call `found` with each line that is no comment, until it says true. */
static bool each_line(const char *text, bool (*found)(const char *line, void *arg), void *arg)
{
    char line[4096];
    while (*text) {
        size_t len = strcspn(text, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)(len < sizeof line ? len : sizeof line - 1),
                       text);
        if (!is_comment(line) && found(line, arg))
            return true;
        text += len + (text[len] == '\n');
    }
    return false;
}

static bool has_secret(const char *line, void *arg)
{
    (void)arg;
    return line_has(line, "encrypt", false) || line_has(line, "token", false) ||
           line_has(line, "tokens", true);
}

bool file_facts_secret(const char *text)
{
    return each_line(text, has_secret, NULL);
}

/* Where a value goes. */
struct copy {
    char *ret;
    size_t size;
};

static bool copy_key_file(const char *line, void *arg)
{
    const struct copy *copy = arg;
    const char *at = strstr(line, "key_file");
    const char *value = at ? value_after(at, strlen("key_file")) : NULL;
    if (!value || value[0] != '"')
        return false;
    (void)snprintf(copy->ret, copy->size, "%.*s", (int)strcspn(value + 1, "\""), value + 1);
    return true;
}

void file_facts_key_file(const char *text, char *ret, size_t size)
{
    struct copy copy = {ret, size};
    ret[0] = '\0';
    (void)each_line(text, copy_key_file, &copy);
}

/* ---- one path ------------------------------------------------------------ */

/* A directory that others can write is found with each file in it, and is said once. */
static bool is_said(const struct findings *findings, enum finding_kind kind, const char *what)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct finding *f = &findings->found[i];
        if (f->kind == kind && strncmp(f->what, what, sizeof f->what - 1) == 0)
            return true;
    }
    return false;
}

static void add(struct look *look, enum finding_kind kind, const char *what, const char *command,
                const char *path)
{
    if (is_said(look->findings, kind, what))
        return;
    finding_add(look->findings, kind, "%s", what);
    if (command)
        finding_repair(look->findings, "%s %s", command, path);
}

static void unknown(struct look *look, const char *why)
{
    add(look, FINDING_FILES_UNKNOWN, why, NULL, NULL);
}

static void judge_writer(struct look *look, const struct trust_report *report, enum role role)
{
    bool all = report->writer == TRUST_EVERYBODY;
    bool program = role == ROLE_PROGRAM;
    enum finding_kind kind = program
                                 ? (all ? FINDING_PROGRAM_WORLD_WRITABLE : FINDING_PROGRAM_WRITABLE)
                                 : (all ? FINDING_CONFIG_WORLD_WRITABLE : FINDING_CONFIG_WRITABLE);
    char what[sizeof look->findings->found[0].what];
    const char *place = report->place;
    if (report->writer == TRUST_OWNER) {
        (void)snprintf(what, sizeof what, "%.180s belongs to user %u", place, report->owner);
        add(look, kind, what, "chown root", place);
    } else if (report->writer != TRUST_NOBODY) {
        (void)snprintf(what, sizeof what, "%.180s can be written by %s", place,
                       all ? "everybody" : "its group");
        add(look, kind, what, all ? "chmod o-w" : "chmod g-w", place);
    }
}

static void look_at(struct look *look, const char *path, enum role role)
{
    struct trust_report report;
    struct error err = {0};
    char what[sizeof look->findings->found[0].what];
    int rc = trust_look(path, look->user, &report, &err);
    if (rc == -ENOENT)
        return;
    if (rc < 0) {
        unknown(look, err.text);
        return;
    }
    judge_writer(look, &report, role);
    if (role != ROLE_SECRET || !report.readable)
        return;
    (void)snprintf(what, sizeof what, "%.180s can be read by everybody", path);
    add(look, FINDING_SECRET_READABLE, what, "chmod o-r", path);
}

/* One that may hold a secret, and names a file that does. Who cannot read it need not ask whether
 * everybody can. */
static void look_into(struct look *look, const char *path)
{
    char key_file[FILE_PATH];
    struct error err = {0};
    struct buffer text = BUFFER_INIT(CONFIG_LIMIT);
    int rc = file_read(path, &text, &err);
    bool secret = rc == 0 && file_facts_secret(buffer_text(&text));
    look_at(look, path, secret ? ROLE_SECRET : ROLE_CONFIG);
    if (rc == 0) {
        file_facts_key_file(buffer_text(&text), key_file, sizeof key_file);
        if (key_file[0] == '/')
            look_at(look, key_file, ROLE_SECRET);
    } else if (rc != -ENOENT && rc != -EACCES) {
        unknown(look, err.text);
    }
    buffer_wipe(&text);
}

/* ---- directories --------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), tail = strlen(end);
    return len > tail && strcmp(name + len - tail, end) == 0;
}

static void look_at_program(struct look *look, const char *path, const char *name)
{
    (void)name;
    look_at(look, path, ROLE_PROGRAM);
}

static void look_at_config(struct look *look, const char *path, const char *name)
{
    if (ends_in(name, ".token"))
        look_at(look, path, ROLE_SECRET);
    else if (ends_in(name, ".env"))
        look_into(look, path);
    else
        look_at(look, path, ROLE_CONFIG);
}

static void look_at_consul(struct look *look, const char *path, const char *name)
{
    if (ends_in(name, ".json") || ends_in(name, ".hcl"))
        look_into(look, path);
}

/* The directory, and each file in it. */
static void each_file(struct look *look, const char *dir, enum role role,
                      void (*file)(struct look *look, const char *path, const char *name))
{
    char path[FILE_PATH];
    struct stat st;
    struct error err = {0};
    int n = 0;
    look_at(look, dir, role);
    DIR *list = opendir(dir);
    if (!list && errno != ENOENT) {
        (void)error_errno(&err, "list", dir);
        unknown(look, err.text);
    }
    for (const struct dirent *entry; list && n < FILES_MOST && (entry = readdir(list)); n++) {
        if (file_path(path, sizeof path, dir, entry->d_name, NULL) == 0 && stat(path, &st) == 0 &&
            S_ISREG(st.st_mode))
            file(look, path, entry->d_name);
    }
    if (list)
        (void)closedir(list);
}

/* ---- all of them --------------------------------------------------------- */

/* Where this program is: the others are beside it. */
static void look_at_our_programs(struct look *look)
{
    char path[FILE_PATH];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash) {
        unknown(look, "the directory of our programs is not seen");
        return;
    }
    *slash = '\0';
    each_file(look, path, ROLE_PROGRAM, look_at_program);
}

static void look_at_credentials(struct look *look, const char *dir, const char *name)
{
    static const char *const ends[] = {"", ".read"};
    char path[FILE_PATH];
    if (file_path(path, sizeof path, dir, "credentials", NULL) == 0)
        look_at(look, path, ROLE_CONFIG);
    for (size_t i = 0; name && *name && i < COUNT(ends); i++) {
        if (snprintf(path, sizeof path, "%s/credentials/%s%s.json", dir, name, ends[i]) <
            (int)sizeof path)
            look_at(look, path, ROLE_SECRET);
    }
}

static void look_at_agent(struct look *look, const struct agent_facts *agent)
{
    static struct agent_process process;
    struct error err = {0};
    struct stat st;
    if (agent_process_find(agent->data_dir, &process, &err) < 0)
        unknown(look, err.text);
    else if (!process.program[0])
        unknown(look, "which program the Consul agent is can only its user and root see");
    if (process.program[0])
        look_at(look, process.program, ROLE_PROGRAM);
    for (size_t i = 0; i < process.configs; i++) {
        const char *path = process.config[i];
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            each_file(look, path, ROLE_CONFIG, look_at_consul);
        else
            look_into(look, path);
    }
    if (agent->data_dir[0] == '/')
        look_at(look, agent->data_dir, ROLE_CONFIG);
}

void file_facts_look(const struct place *place, const struct agent_facts *agent,
                     const char *credential, struct findings *findings)
{
    char path[FILE_PATH];
    struct stat st;
    struct look look = {.user = geteuid(), .findings = findings};
    if (lstat(place->state_dir, &st) == 0 && S_ISDIR(st.st_mode))
        look.user = st.st_uid; /* lictor enable has made it for him */
    look_at_our_programs(&look);
    each_file(&look, place->config_dir, ROLE_CONFIG, look_at_config);
    if (file_path(path, sizeof path, place->config_dir, "logging.d", NULL) == 0)
        each_file(&look, path, ROLE_CONFIG, look_at_config);
    look_at_credentials(&look, place->config_dir, credential);
    look_at_agent(&look, agent);
}
