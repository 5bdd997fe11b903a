/* Every byte template_allowed() lets through, between double quotes, is read back equal by
 * rsyslogd and by a YAML parser. (That all others are refused: test_template.c.) */
#include "buffer.h"
#include "file.h"
#include "harness.h"
#include "template.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 15000

static char place[128];
static char all[100]; /* every allowed byte */

static const char rsyslog_template[] =
    "global(workDirectory=\"{{place}}\")\n"
    "module(load=\"imfile\")\n"
    "template(name=\"line\" type=\"list\") {\n"
    "  constant(value=\"{{ALL}}\") constant(value=\"\\n\")\n"
    "  property(name=\"$!all\") constant(value=\"\\n\")\n"
    "}\n"
    "ruleset(name=\"r\") {\n"
    "  set $!all = \"{{ALL}}\";\n"
    "  action(type=\"omfile\" file=\"{{place}}/out\" template=\"line\")\n"
    "}\n"
    "input(type=\"imfile\" file=\"{{place}}/in\" tag=\"t\" ruleset=\"r\")\n";

static const char *in_place(const char *name)
{
    static char path[2][256];
    static int next;
    next = !next;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", place, name);
    return path[next];
}

static void put(const char *name, const char *text)
{
    struct error err = {0};
    if (file_replace(in_place(name), text, strlen(text), 0644, false, &err) < 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(place, sizeof place, "%s/lictor-bytes-XXXXXX", base ? base : "/tmp");
    size_t n = 0;
    for (char c = ' '; c < 127; c++) {
        const char text[] = {c, '\0'};
        if (template_allowed(text))
            all[n++] = c;
    }
    all[n] = '\0';
    return mkdtemp(place) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    const char *argv[] = {"/bin/rm", "-rf", place, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    outcome_release(&o);
    return 0;
}

/* The caller releases it. */
static struct buffer render(const char *text)
{
    const char *const all_item[] = {all};
    const char *const place_item[] = {place};
    const struct template_value values[] = {{"ALL", TEMPLATE_TEXT, all_item, 1},
                                            {"place", TEMPLATE_TEXT, place_item, 1}};
    struct buffer out = BUFFER_INIT(8192);
    struct error err = {0};
    if (template_render(text, strlen(text), "test", values, 2, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static void assert_validates(const char *conf)
{
    const char *argv[] = {"/usr/sbin/rsyslogd", "-N1", "-f", conf, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s", o.err);
    outcome_release(&o);
}

static pid_t start_rsyslogd(const char *conf)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl("/usr/sbin/rsyslogd", "rsyslogd", "-n", "-f", conf, "-iNONE",
                    (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* What is in the file once it is as long as expected, or after WAIT_MS. */
static struct buffer wait_for(const char *name, size_t len)
{
    struct buffer text = BUFFER_INIT(65536);
    for (int ms = 0; ms < WAIT_MS && text.len < len; ms += 10) {
        buffer_clear(&text);
        (void)!file_read(in_place(name), &text, NULL);
        (void)usleep(10000);
    }
    return text;
}

static void rsyslogd_reads_them_equal(void **state)
{
    (void)state;
    struct buffer conf = render(rsyslog_template);
    put("rsyslog.conf", conf.data);
    put("in", "trigger\n");
    assert_validates(in_place("rsyslog.conf"));
    pid_t pid = start_rsyslogd(in_place("rsyslog.conf"));
    struct buffer out = wait_for("out", 2 * strlen(all) + 2);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    char expected[256];
    (void)snprintf(expected, sizeof expected, "%s\n%s\n", all, all);
    assert_string_equal(buffer_text(&out), expected);
    buffer_release(&out);
    buffer_release(&conf);
}

static void yaml_reads_them_equal(void **state)
{
    (void)state;
    struct buffer text = render("output.elasticsearch:\n  index: \"{{ALL}}\"\n");
    put("file.yml", text.data);
    static const char script[] =
        "import sys, yaml\n"
        "document = yaml.safe_load(open(sys.argv[1]))\n"
        "sys.stdout.write(document['output.elasticsearch']['index'])";
    const char *argv[] = {"/usr/bin/python3", "-c", script, in_place("file.yml"), NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, all);
    outcome_release(&o);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rsyslogd_reads_them_equal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(yaml_reads_them_equal, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("allowed-bytes", tests, NULL, NULL);
}
