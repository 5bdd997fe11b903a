/* SPDX-License-Identifier: MIT */
/* Where Consul's configuration is, by the words of its process; and finding a process. */
#include "security/agent_process.h"

#include "test.h"

#include <sys/prctl.h>

static const struct row {
    const char *words; /* '|' is NUL */
    bool agent;
    const char *data_dir; /* NULL none */
    const char *configs;  /* each with a blank behind it */
} rows[] = {
    {"/usr/bin/consul|agent|-data-dir=/var/lib/consul|-config-dir=/etc/consul.d|", true,
     "/var/lib/consul", "/etc/consul.d "},
    {"./consul|agent|--config-file|/opt/c.json|--config-dir|/etc/c|-data-dir|/d|", true, "/d",
     "/opt/c.json /etc/c "},
    {"consul|-x|agent|-config-dir=relative|-config-file=/a|-config-dir|", true, NULL, "/a "},
    {"consul|agent|-config-format=hcl|-config-directory=/a|-data-dirs=/b|", true, NULL, ""},
    {"consul|agent|-config-file=/1|-config-file=/2|-config-file=/3|-config-file=/4|"
     "-config-file=/5|-config-file=/6|-config-file=/7|-config-file=/8|-config-file=/9|",
     true, NULL, "/1 /2 /3 /4 /5 /6 /7 /8 "},
    {"consul|kv|get|x|", false, NULL, ""},
    {"agent|", false, NULL, ""},
    {"", false, NULL, ""},
    {"consul|agent|-config-dir=/cut", false, NULL, ""},
};

static void words_are_understood(void **state)
{
    static struct agent_process process;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char words[400], configs[400] = "";
        const char *data = NULL;
        size_t len = strlen(rows[i].words);
        memcpy(words, rows[i].words, len + 1);
        for (char *at = words; (at = memchr(at, '|', len - (size_t)(at - words)));)
            *at = '\0';
        print_message("  %s\n", rows[i].words);
        assert_int_equal(agent_process_read(words, len, &process, &data), rows[i].agent);
        assert_string_equal(data ? data : "-", rows[i].data_dir ? rows[i].data_dir : "-");
        for (size_t k = 0; k < process.configs; k++) {
            size_t used = strlen(configs);
            (void)snprintf(configs + used, sizeof configs - used, "%s ", process.config[k]);
        }
        assert_string_equal(configs, rows[i].configs);
    }
}

/* In the child, whose parent is called as an agent is: exit code 0 when it is found. */
static int found_above(const char *program)
{
    static struct agent_process process;
    struct error err = {0};
    if (agent_process_find("/nowhere", &process, &err) < 0)
        return 1;
    if (process.configs != 1 || strcmp(process.config[0], "/etc/x") != 0)
        return 2;
    return strstr(process.program, program) ? 0 : 3;
}

static int status_of(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

/* "consul agent -config-dir=/etc/x" runs this program again, as its own child: see main(). */
static void the_agent_that_started_us_is_found(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/proc/self/exe", "consul", "agent", "-config-dir=/etc/x", (char *)NULL);
        _exit(99);
    }
    assert_int_equal(status_of(pid), 0);
}

static int be_agent(void)
{
    (void)prctl(PR_SET_NAME, "consul", 0, 0, 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(found_above("test_agent_process"));
    return status_of(pid);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_understood),
        cmocka_unit_test(the_agent_that_started_us_is_found),
    };
    if (argc > 1 && strcmp(argv[1], "agent") == 0)
        return be_agent();
    return cmocka_run_group_tests_name("agent_process", tests, NULL, NULL);
}
