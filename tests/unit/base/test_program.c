/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include "test.h"

#include <limits.h>
#include <sys/mman.h>
#include <syslog.h>

#define HELP "Usage: judge-things [--flag] [--value X]\n"

/* The machine may have no syslog: what would go there comes here. Which of the two is
 * called depends on _FORTIFY_SOURCE. */
static char logged[5000];
static int logged_priority;

void catch_plain(int priority, const char *fmt, ...) __asm__("syslog") FORMAT(2, 3);
void catch_checked(int priority, int flag, const char *fmt, ...) __asm__("__syslog_chk")
    FORMAT(3, 4);

void catch_plain(int priority, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(logged, sizeof logged, fmt, ap);
    va_end(ap);
    logged_priority = priority;
    errno = EIO;
}

void catch_checked(int priority, int flag, const char *fmt, ...)
{
    (void)flag;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(logged, sizeof logged, fmt, ap);
    va_end(ap);
    logged_priority = priority;
    errno = EIO;
}

static char out[8192];
static char errors[8192];

static void collect(int fd, char *ret, size_t size)
{
    ssize_t n = pread(fd, ret, size - 1, 0);
    assert_true(n >= 0);
    ret[n] = '\0';
    (void)close(fd);
}

/* Run `body` in a process of its own; gives its exit code, fills out and errors. */
static int in_a_process(int (*body)(void))
{
    int status = 0;
    int fd_out = memfd_create("stdout", MFD_CLOEXEC);
    int fd_errors = memfd_create("stderr", MFD_CLOEXEC);
    assert_true(fd_out >= 0 && fd_errors >= 0);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(fd_out, STDOUT_FILENO) < 0 || dup2(fd_errors, STDERR_FILENO) < 0)
            _exit(90);
        _exit(body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    collect(fd_out, out, sizeof out);
    collect(fd_errors, errors, sizeof errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool is_null_device(int fd)
{
    struct stat here;
    struct stat device;
    return fstat(fd, &here) == 0 && stat("/dev/null", &device) == 0 &&
           here.st_rdev == device.st_rdev && S_ISCHR(here.st_mode);
}

static int start_with_all_closed(void)
{
    for (int fd = 0; fd <= 2; fd++)
        (void)close(fd);
    program_start("judge-things");
    for (int fd = 0; fd <= 2; fd++)
        if (!is_null_device(fd) || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
            return 10 + fd;
    program_log(LOG_ERR, "into the void");
    return program_end(0, 3);
}

static int start_with_output_closed(void)
{
    (void)close(STDOUT_FILENO);
    program_start("judge-things");
    program_log(LOG_ERR, "still here");
    return is_null_device(STDOUT_FILENO) && !is_null_device(STDERR_FILENO) ? 0 : 1;
}

static int start_and_look(void)
{
    program_start("judge-things");
    if (umask(0) != 077)
        return 1;
    if (signal(SIGPIPE, SIG_DFL) != SIG_IGN)
        return 2;
    return is_null_device(STDOUT_FILENO) ? 3 : 0;
}

static void starts_in_any_surroundings(void **state)
{
    (void)state;
    assert_int_equal(in_a_process(start_with_all_closed), 0);
    assert_string_equal(errors, "");
    assert_int_equal(in_a_process(start_with_output_closed), 0);
    assert_string_equal(errors, "judge-things: still here\n");
    assert_int_equal(in_a_process(start_and_look), 0);
}

#define SEE ", see judge-things --help"

static const struct {
    const char *words; /* behind the name, separated by blanks */
    int rc;
    const char *value;
    bool flag;
    const char *error;
    const char *operands; /* behind rc */
} command_lines[] = {
    {"", 1, "unset", false, "", ""},
    {"--value x", 3, "x", false, "", ""},
    {"--value=x", 2, "x", false, "", ""},
    {"--value=", 2, "", false, "", ""},
    {"--value --flag", 3, "--flag", false, "", ""},
    {"--value x --value y", 5, "y", false, "", ""},
    {"--flag --value x", 4, "x", true, "", ""},
    {"--flag A=1 B=2", 2, "unset", true, "", "A=1 B=2"},
    {"A=1 --flag B=2", 2, "unset", true, "", "A=1 B=2"},
    {"A=1 --value x", 3, "x", false, "", "A=1"},
    {"-- --flag", 2, "unset", false, "", "--flag"},
    {"-", 1, "unset", false, "", "-"},
    {"--other", -EINVAL, "unset", false, "unknown option --other" SEE, ""},
    {"--other=x", -EINVAL, "unset", false, "unknown option --other=x" SEE, ""},
    {"A=1 --other B=2", -EINVAL, "unset", false, "unknown option --other" SEE, ""},
    {"--flag=x", -EINVAL, "unset", false, "unknown option --flag=x" SEE, ""},
    {"-x", -EINVAL, "unset", false, "unknown option -x" SEE, ""},
    {"-xy", -EINVAL, "unset", false, "unknown option -x" SEE, ""},
    {"--value", -EINVAL, "unset", false, "--value needs a value" SEE, ""},
    {"--flag --value", -EINVAL, "unset", true, "--value needs a value" SEE, ""},
    {"A B C", 1, "unset", false, "", "A B C"},
    {"A B C --flag D", -EINVAL, "unset", true, "unexpected operand 'D'" SEE, ""},
};

static void check_command_line(size_t row)
{
    char words[128];
    char operands[128] = "";
    char *argv[16] = {strdup("judge-things")};
    char *rest = NULL;
    int argc = 1;
    const char *value = "unset";
    bool flag = false;
    struct error err = {0};
    const struct program_option options[] = {{"flag", NULL, &flag}, {"value", &value, NULL}};
    (void)snprintf(words, sizeof words, "%s", command_lines[row].words);
    for (char *at = strtok_r(words, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        argv[argc++] = at;
    const struct program_usage usage = {HELP, options, COUNT(options), .operands = 3};
    int rc = program_options(argc, argv, &usage, &err);
    for (int i = rc, len = 0; rc > 0 && i < argc; i++)
        len += snprintf(operands + len, sizeof operands - (size_t)len, "%s%s", len > 0 ? " " : "",
                        argv[i]);
    if (rc != command_lines[row].rc || flag != command_lines[row].flag ||
        strcmp(value, command_lines[row].value) != 0 ||
        strcmp(err.text, command_lines[row].error) != 0 ||
        strcmp(operands, command_lines[row].operands) != 0)
        fail_msg("%s: %d, %s, %d, \"%s\", %s", command_lines[row].words, rc, value, flag, err.text,
                 operands);
    free(argv[0]);
}

static void reads_options(void **state)
{
    (void)state;
    program_start("judge-things");
    for (size_t i = 0; i < COUNT(command_lines); i++)
        check_command_line(i);
}

static int ask_for(const char *option)
{
    struct error err = {0};
    char *argv[] = {strdup("x"), strdup(option), strdup("--unknown"), NULL};
    int rc = program_options(3, argv, &(struct program_usage){.help = HELP}, &err);
    for (size_t i = 0; i < 3; i++)
        free(argv[i]);
    return rc == 0 ? program_end(0, 3) : 50;
}

static int ask_for_help(void)
{
    program_start("judge-things");
    return ask_for("--help");
}

static int ask_for_version(void)
{
    program_start("judge-things");
    return ask_for("--version");
}

static int ask_into_full_disk(void)
{
    program_start("judge-things");
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    return fd < 0 || dup2(fd, STDOUT_FILENO) < 0 ? 60 : ask_for("--help");
}

static void serves_help_and_version(void **state)
{
    (void)state;
    assert_int_equal(in_a_process(ask_for_help), 0);
    assert_string_equal(out, HELP);
    assert_string_equal(errors, "");
    assert_int_equal(in_a_process(ask_for_version), 0);
    assert_string_equal(out, "judge-things test\n");
    assert_string_equal(errors, "");
}

static int end_well(void)
{
    (void)printf("result\n");
    return program_end(1, 3);
}

static void says_when_the_result_is_lost(void **state)
{
    (void)state;
    assert_int_equal(in_a_process(end_well), 1);
    assert_string_equal(out, "result\n");
    assert_int_equal(in_a_process(ask_into_full_disk), 3);
    assert_string_equal(errors, "judge-things: cannot write the result: No space left on device\n");
}

static int log_hostile_text(void)
{
    program_start("judge-things");
    errno = ENOTTY;
    program_log(LOG_WARNING, "%s", "a\nb\tc\x1b[2J\x7f \xc3\xa4 %s ~");
    if (errno != ENOTTY || logged_priority != LOG_WARNING)
        return 1;
    return strcmp(logged, "a?b?c?[2J? ?? %s ~") == 0 ? 0 : 2;
}

static int log_long_text(void)
{
    static char many[6000];
    memset(many, 'x', sizeof many - 1);
    program_log(LOG_INFO, "%s", many);
    return 0;
}

static void logs_one_printable_line(void **state)
{
    (void)state;
    assert_int_equal(in_a_process(log_hostile_text), 0);
    assert_string_equal(errors, "judge-things: a?b?c?[2J? ?? %s ~\n");
    assert_string_equal(out, "");
    assert_int_equal(in_a_process(log_long_text), 0);
    assert_in_range(strlen(errors), 1000, 4500);
    assert_ptr_equal(strchr(errors, '\n'), errors + strlen(errors) - 1);
}

static void finds_its_siblings(void **state)
{
    (void)state;
    char self[PATH_MAX] = "";
    char sibling[PATH_MAX];
    struct error err = {0};
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    assert_int_equal(program_sibling("test_program", sibling, sizeof sibling, &err), 0);
    assert_string_equal(sibling, self);
    size_t len = strlen(self);
    assert_int_equal(program_sibling("test_program", sibling, len + 1, &err), 0);
    assert_int_equal(program_sibling("test_program_", sibling, len + 1, &err), -ENAMETOOLONG);
    assert_string_equal(err.text, "the path of test_program_ is too long");
    assert_int_equal(program_sibling("x", sibling, len, &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_in_any_surroundings),
        cmocka_unit_test(reads_options),
        cmocka_unit_test(serves_help_and_version),
        cmocka_unit_test(says_when_the_result_is_lost),
        cmocka_unit_test(logs_one_printable_line),
        cmocka_unit_test(finds_its_siblings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
