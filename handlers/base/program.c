/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include "base/deadline.h"
#include "base/file.h"
#include "base/text.h"
#include "base/version.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define OPTIONS_MAX 16
#define WORDS_MAX   16 /* of another program that this one becomes */

static const char *program_name = "lictor";
static char tag[64]; /* of syslog, which keeps the pointer */

void program_start(const char *name)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", O_RDWR); /* takes the lowest free fd: this one */
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    program_name = name;
    (void)snprintf(tag, sizeof tag, "%s%s", strncmp(name, "lictor", 6) == 0 ? "" : "lictor-", name);
    for (char *blank = strchr(tag, ' '); blank; blank = strchr(blank, ' '))
        *blank = '-';
    openlog(tag, LOG_PID, LOG_DAEMON);
}

/* getopt_long's table: ours, then help and version. */
static void fill(struct option *to, const struct program_option *options, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (struct option){.name = options[i].name,
                                .has_arg = options[i].value ? required_argument : no_argument};
    to[n] = (struct option){.name = "help"};
    to[n + 1] = (struct option){.name = "version"};
}

static int serve(bool version, const char *help)
{
    if (version)
        printf("%s %s\n", program_name, version_text());
    else
        printf("%s", help);
    return 0;
}

static int reject_option(int c, const char *argument, struct error *err)
{
    if (c == ':')
        return error_set(err, -EINVAL, "%s needs a value, see %s --help", argument, program_name);
    if (optopt)
        return error_set(err, -EINVAL, "unknown option -%c, see %s --help", optopt, program_name);
    return error_set(err, -EINVAL, "unknown option %s, see %s --help", argument, program_name);
}

/* The rest of argv: operands. */
static int check_operands(int first, int argc, char **argv, const struct program_usage *usage,
                          struct error *err)
{
    if (argc - first <= usage->operands || usage->leading)
        return first;
    return error_set(err, -EINVAL, "unexpected operand '%s', see %s --help",
                     argv[first + usage->operands], program_name);
}

int program_options(int argc, char **argv, const struct program_usage *usage, struct error *err)
{
    struct option table[OPTIONS_MAX + 3] = {{0}};
    if (usage->n > OPTIONS_MAX)
        return error_set(err, -EINVAL, "too many options");
    fill(table, usage->options, usage->n);
    opterr = 0;
    optind = 0; /* glibc: begin again */
    for (;;) {
        int index = -1;
        int c = getopt_long(argc, argv, usage->leading ? "+:" : ":", table, &index);
        if (c == -1)
            return check_operands(optind, argc, argv, usage, err);
        if (c != 0)
            return reject_option(c, argv[optind - 1], err);
        if ((size_t)index >= usage->n)
            return serve((size_t)index > usage->n, usage->help);
        if (usage->options[index].value)
            *usage->options[index].value = optarg;
        else
            *usage->options[index].flag = true;
    }
}

int program_not_run(int rc, int usage_code, int failure, const struct error *err)
{
    if (rc < 0)
        program_log(LOG_ERR, "%s", err->text);
    return program_end(rc < 0 ? usage_code : 0, failure);
}

int program_become(const char *name, const char *const *words, struct error *err)
{
    char path[FILE_PATH];
    const char *argv[WORDS_MAX + 2] = {path};
    size_t n = 0;
    int rc = program_sibling(name, path, sizeof path, err);
    if (rc < 0)
        return rc;
    for (; n < WORDS_MAX && words[n]; n++)
        argv[n + 1] = words[n];
    deadline_of_process(0, name, STDERR_FILENO, 0); /* it would go on there */
    (void)execv(path, (char *const *)(uintptr_t)argv);
    return error_errno(err, "run", path);
}

int program_sibling(const char *name, char *ret, size_t size, struct error *err)
{
    ssize_t n = readlink("/proc/self/exe", ret, size);
    char *slash = n > 0 && (size_t)n < size ? memrchr(ret, '/', (size_t)n) : NULL;
    if (!slash)
        return error_set(err, -ENOENT, "cannot find the directory of this program");
    size_t used = (size_t)(slash + 1 - ret);
    if (snprintf(ret + used, size - used, "%s", name) >= (int)(size - used))
        return error_set(err, -ENAMETOOLONG, "the path of %s is too long", name);
    return 0;
}

void program_log(int priority, const char *fmt, ...)
{
    int saved = errno;
    char text[4400];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    text_clean(text);
    syslog(priority, "%s", text);
    program_say(text);
    errno = saved;
}

void program_say(const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", program_name, text);
}

int program_end(int code, int failure)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    program_log(LOG_ERR, "cannot write the result: %s", strerror(errno));
    return failure;
}
