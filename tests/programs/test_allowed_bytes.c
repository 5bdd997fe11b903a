/* SPDX-License-Identifier: MIT */
/* Every byte text_all_pass() lets through, between double quotes, is read back equal by
 * rsyslogd and by a YAML parser; so is every byte that a secret may have in the language of
 * the file. (That all others are refused: test_template.c.) */
#include "base/base64.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "harness.h"
#include "scratch.h"
#include "shipper/mustache.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#define WAIT_MS 15000

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

static int set_up(void **state)
{
    size_t n = 0;
    for (char c = ' '; c < 127; c++) {
        const char text[] = {c, '\0'};
        if (text_all_pass(text))
            all[n++] = c;
    }
    all[n] = '\0';
    return scratch_set_up(state);
}

/* Render with the names ALL, place and SECRET. The caller releases it. */
static struct buffer render_as(enum mustache_language language, const char *text,
                               const char *secret)
{
    const char *const all_item[] = {all};
    const char *const place_item[] = {scratch_dir};
    const char *const secret_item[] = {secret};
    struct mustache_value values[] = {{"ALL", MUSTACHE_TEXT, all_item, 1, false},
                                      {"place", MUSTACHE_TEXT, place_item, 1, false},
                                      {"SECRET", MUSTACHE_SECRET, secret_item, 1, false}};
    struct buffer out = BUFFER_INIT(8192);
    struct error err = {0};
    if (mustache_render(&(struct mustache_template){text, strlen(text), "test", language, true},
                        values, 3, &out, &err) < 0)
        fail_msg("%s", err.text);
    return out;
}

static struct buffer render(const char *text)
{
    return render_as(MUSTACHE_YAML, text, "");
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
        (void)execl("/usr/sbin/rsyslogd", "rsyslogd", "-n", "-f", conf, "-iNONE", (char *)NULL);
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
        (void)!file_read(scratch_at("%s", name), &text, NULL);
        (void)usleep(10000);
    }
    return text;
}

static void rsyslogd_reads_them_equal(void **state)
{
    (void)state;
    struct buffer conf = render(rsyslog_template);
    scratch_put("rsyslog.conf", conf.data, 0644);
    scratch_put("in", "trigger\n", 0644);
    assert_validates(scratch_at("rsyslog.conf"));
    pid_t pid = start_rsyslogd(scratch_at("rsyslog.conf"));
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
    scratch_put("file.yml", text.data, 0644);
    static const char script[] = "import sys, yaml\n"
                                 "document = yaml.safe_load(open(sys.argv[1]))\n"
                                 "sys.stdout.write(document['output.elasticsearch']['index'])";
    const char *argv[] = {"/usr/bin/python3", "-c", script, scratch_at("file.yml"), NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, all);
    outcome_release(&o);
    buffer_release(&text);
}

/* ---- secrets ------------------------------------------------------------- */

/* Every printable byte but `without`, and what a reader might take for more than text. */
static const char *every_byte(const char *without)
{
    static const char *const tricks[] = {"${HOME}",   "$$", "$!all", "%msg%", "\\n\\x41\\101",
                                         "`id`",      "\\", "\"\"",  "'",     "#//*",
                                         "{{SECRET}}"};
    static char secret[300];
    size_t n = 0;
    for (int byte = ' '; byte <= '~'; byte++) {
        if (!strchr(without, byte))
            secret[n++] = (char)byte;
    }
    secret[n] = '\0';
    for (size_t i = 0; i < COUNT(tricks); i++) {
        if (!strpbrk(tricks[i], *without ? without : "\n"))
            n += (size_t)snprintf(secret + n, sizeof secret - n, "%s", tricks[i]);
    }
    return secret;
}

static int listen_anywhere(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* The head of the first request, "" when none comes. */
static struct buffer first_request(int fd)
{
    struct buffer head = BUFFER_INIT(8192);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char chunk[1024];
    int client = poll(&ready, 1, WAIT_MS) == 1 ? accept(fd, NULL, NULL) : -1;
    while (client >= 0 && !strstr(buffer_text(&head), "\r\n\r\n")) {
        ssize_t n = recv(client, chunk, sizeof chunk, 0);
        if (n <= 0 || buffer_append(&head, chunk, (size_t)n) < 0)
            break;
    }
    if (client >= 0)
        (void)close(client);
    return head;
}

static void assert_authorization(const struct buffer *head, const char *expected)
{
    char *plain = NULL;
    size_t len = 0;
    char *at = strstr(buffer_text(head), "Authorization: Basic ");
    assert_non_null(at);
    at += strlen("Authorization: Basic ");
    at[strcspn(at, "\r")] = '\0';
    assert_int_equal(base64_decode(at, &plain, &len), 0);
    assert_string_equal(plain, expected);
    free(plain);
}

/* What reaches Elasticsearch is what the credential says. */
static void rsyslogd_sends_secrets_equal(void **state)
{
    (void)state;
    const char *secret = every_byte("");
    char template[1200], expected[310];
    int port = 0, fd = listen_anywhere(&port);
    (void)snprintf(template, sizeof template,
                   "global(workDirectory=\"{{place}}\")\nmodule(load=\"imfile\")\n"
                   "module(load=\"omprog\")\n"
                   "template(name=\"line\" type=\"string\" string=\"+id\\t{}\\n\")\n"
                   "ruleset(name=\"r\") {\n  action(type=\"omprog\" template=\"line\"\n"
                   "    binary=\"" TEST_BIN "/index-records\" confirmMessages=\"on\"\n"
                   "    useTransactions=\"on\" beginTransactionMark=\"BEGIN\\tqueue={{place}}/queue"
                   "\\tbytes=1\\tindex=x\\turl=http://127.0.0.1:%d\\tuser=u\\t"
                   "password={{SECRET}}\" commitTransactionMark=\"COMMIT\")\n}\n"
                   "input(type=\"imfile\" file=\"{{place}}/in\" tag=\"t\" ruleset=\"r\")\n",
                   port);
    (void)snprintf(expected, sizeof expected, "u:%s", secret);
    struct buffer conf = render_as(MUSTACHE_RAINERSCRIPT, template, secret);
    scratch_put("rsyslog.conf", conf.data, 0644);
    scratch_put("in", "trigger\n", 0644);
    assert_validates(scratch_at("rsyslog.conf"));
    pid_t pid = start_rsyslogd(scratch_at("rsyslog.conf"));
    struct buffer head = first_request(fd);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_authorization(&head, expected);
    (void)close(fd);
    buffer_release(&head);
    buffer_release(&conf);
}

static void assert_read(enum mustache_language language, const char *text, const char *script,
                        const char *secret)
{
    struct buffer conf = render_as(language, text, secret);
    scratch_put("file", conf.data, 0644);
    const char *argv[] = {"/usr/bin/python3", "-c", script, scratch_at("file"), NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.err, "");
    assert_string_equal(o.out, secret);
    outcome_release(&o);
    buffer_release(&conf);
}

static void yaml_and_toml_read_secrets_equal(void **state)
{
    (void)state;
    static const char yaml[] = "import sys, yaml\n"
                               "text = yaml.safe_load(open(sys.argv[1]))['x']\n";
    char script[400];
    (void)snprintf(script, sizeof script, "%ssys.stdout.write(text)", yaml);
    assert_read(MUSTACHE_YAML, "x: \"{{SECRET}}\"\n", script, every_byte("$"));
    /* Beats take "$$" for one, and "$" before anything but "$", "{" and "}" as it is. */
    (void)snprintf(script, sizeof script,
                   "%sassert text.count('$') %% 2 == 0\n"
                   "sys.stdout.write(text.replace('$$', '$'))",
                   yaml);
    assert_read(MUSTACHE_BEATS, "x: \"{{SECRET}}\"\n", script, every_byte(""));
    assert_read(MUSTACHE_TOML, "x = \"{{SECRET}}\"\n",
                "import sys, tomllib\n"
                "sys.stdout.write(tomllib.load(open(sys.argv[1], 'rb'))['x'])",
                every_byte("$"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rsyslogd_reads_them_equal, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(yaml_reads_them_equal, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(rsyslogd_sends_secrets_equal, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(yaml_and_toml_read_secrets_equal, set_up,
                                        scratch_tear_down),
    };
    return cmocka_run_group_tests_name("allowed-bytes", tests, NULL, NULL);
}
