/* SPDX-License-Identifier: MIT */
/* What a hostile Consul agent's user, a hostile KV writer and other users of the machine
 * can do to apply-logging behind its socket. After every attack the destination, the
 * shipper and everything that is root's are as before, and a good request still works. */
#include "apart.h"
#include "base/buffer.h"
#include "base/file.h"
#include "harness.h"
#include "net/unix_socket.h"
#include "scratch.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SET(members)  "{\"v\":1,\"settings\":{" members "}}"
#define URL(url)      SET("\"LOG_ELASTICSEARCH_URL\":\"" url "\"")
#define WITH(members) SET("\"LOG_ELASTICSEARCH_URL\":\"http://es\"," members)
#define BEFORE        "URL=http://before.example:9200\nINDEX=plossys-log\n"

static pid_t listener;

/* ---- the place ----------------------------------------------------------- */

static void shell(const char *command)
{
    char text[1000];
    (void)snprintf(text, sizeof text, "cd %s; %s", scratch_dir, command);
    const char *argv[] = {"/bin/sh", "-ec", text, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        fail_msg("%s: %s", command, o.err);
    outcome_release(&o);
}

static void put_target(void)
{
    char text[2000];
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"t.mustache\",\"destination\":\"%s/a/shipper.conf\","
                   "\"escape\":\"rainerscript\",\"timeout\":\"2s\","
                   "\"validate\":[\"%s/etc/shipper\",\"stand-in\",\"%s/a\","
                   "\"validate\",\"{file}\"],"
                   "\"reload\":[\"%s/etc/shipper\",\"stand-in\",\"%s/a\",\"restart\"],"
                   "\"confirm\":[\"%s/etc/shipper\",\"stand-in\",\"%s/a\",\"alive\"],"
                   "\"stop\":[\"%s/etc/shipper\",\"stand-in\",\"%s/a\",\"stop\"]}",
                   scratch_dir, scratch_dir, scratch_dir, scratch_dir, scratch_dir, scratch_dir,
                   scratch_dir, scratch_dir, scratch_dir);
    scratch_put("etc/logging.d/a.json", text, 0644);
}

static int make_place(void **state)
{
    char text[500];
    if (scratch_set_up(state) < 0 || chmod(scratch_dir, 0755) < 0)
        return -1;
    (void)snprintf(text, sizeof text,
                   "mkdir -m 0755 etc etc/logging.d etc/credentials a run log; "
                   "mkdir -m 0700 apply; cp %s/tests/cluster/shipper etc/shipper; "
                   "chmod 0755 etc/shipper; chown %d:%d a apply; chmod 0777 log; "
                   "echo root:secret >secret; chmod 0600 secret",
                   SOURCE_DIR, APART_LICTOR, APART_LICTOR);
    shell(text);
    (void)snprintf(text, sizeof text, "{\"sources\":{\"seal\":{\"files\":[\"%s/log/*.log\"]}}}",
                   scratch_dir);
    scratch_put("etc/policy.json", text, 0644);
    scratch_put("etc/logging.d/t.mustache", "URL={{LOG_ELASTICSEARCH_URL}}\nINDEX={{LOG_INDEX}}\n",
                0644);
    put_target();
    listener = apart_listen(scratch_at("run/apply.sock"), scratch_at("etc"), scratch_at("apply"),
                            "confirm=10ms,lock=5s,request=400ms");
    return 0;
}

static int remove_place(void **state)
{
    if (listener > 0 && kill(listener, SIGKILL) == 0)
        (void)waitpid(listener, NULL, 0);
    return scratch_tear_down(state);
}

/* ---- connections --------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_at("run/apply.sock"));
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int code = errno;
    if (fd >= 0)
        (void)close(fd);
    return -code;
}

struct request {
    const char *text;
    size_t len;
};

/* As the agent's user: send it all, leave the answer in log/answer. */
static int send_request(void *arg)
{
    const struct request *r = arg;
    struct error err = {0};
    struct buffer answer = BUFFER_INIT(1U << 20);
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = dial();
    if (fd < 0 || unix_socket_ask(fd, r->text, r->len, 20000, &answer, &err) < 0)
        return 1;
    int out = open(scratch_at("log/answer"), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t n = write(out, buffer_text(&answer), answer.len);
    return n == (ssize_t)answer.len ? 0 : 2;
}

/* The answer; the caller free()s it. */
static char *ask_bytes(const char *text, size_t len)
{
    struct request r = {.text = text, .len = len};
    assert_int_equal(apart_run(APART_CONSUL, send_request, &r), 0);
    return scratch_get("log/answer");
}

static void expect(const char *request, const char *in_answer)
{
    char *answer = ask_bytes(request, strlen(request));
    if (!strstr(answer, in_answer))
        fail_msg("no \"%s\" in %s", in_answer, answer);
    free(answer);
}

static size_t restarts(void)
{
    char *log = scratch_get("a/actions.log");
    size_t n = 0;
    for (const char *at = strstr(log, " restart"); at; at = strstr(at + 1, " restart"))
        n++;
    free(log);
    return n;
}

static void assert_no_leftover(void)
{
    DIR *dir = opendir(scratch_at("a"));
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strstr(e->d_name, "lictor-"))
            fail_msg("left over: %s", e->d_name);
    }
    (void)closedir(dir);
    assert_int_equal(access(scratch_at("apply/journal"), F_OK), -1);
}

static void assert_file(const char *name, const char *expected)
{
    char *text = scratch_get(name);
    assert_string_equal(text, expected);
    free(text);
}

/* Before each attack: a configuration is live. */
static size_t before;
static int live(void **state)
{
    (void)state;
    expect(URL("http://before.example"), "\"state\":\"done\"");
    assert_file("a/running.conf", BEFORE);
    before = restarts();
    return 0;
}

static void assert_untouched(void)
{
    assert_file("a/shipper.conf", BEFORE);
    assert_file("a/running.conf", BEFORE);
    assert_file("secret", "root:secret\n");
    assert_int_equal(restarts(), before);
    assert_no_leftover();
}

/* And after each: nothing happened, and it is not deaf. */
static int still_works(void **state)
{
    (void)state;
    expect(URL("http://after.example"), "\"state\":\"done\"");
    assert_file("a/running.conf", "URL=http://after.example:9200\nINDEX=plossys-log\n");
    assert_no_leftover();
    return 0;
}

/* ---- words --------------------------------------------------------------- */

static const struct words_row {
    const char *attack, *request, *answer;
} words[] = {
    {"garbage",
     "\x7f"
     "ELF\x01\x02 GET / HTTP/1.1\r\n\r\n",
     "request: is not JSON"},
    {"nothing", "", "request: is not JSON"},
    {"another JSON", "[{\"v\":1}]", "it is not a JSON object"},
    {"two requests", URL("http://a") URL("http://b"), "request: is not JSON"},
    {"version 2", "{\"v\":2,\"settings\":{}}", "only version 1 is known"},
    {"a huge version", "{\"v\":1e999,\"settings\":{}}", "\\\"v\\\" is not an integer"},
    {"a long number",
     "{\"v\":1111111111111111111111111111111111111111111111111,"
     "\"settings\":{}}",
     "\\\"v\\\" is not an integer"},
    {"a value that is a number", SET("\"LOG_ELASTICSEARCH_URL\":1e308"), "a setting is not a text"},
    {"the settings twice", "{\"v\":1,\"settings\":{},\"settings\":{}}", "is given twice"},
    {"a setting twice",
     SET("\"LOG_ELASTICSEARCH_URL\":\"http://a\",\"LOG_ELASTICSEARCH_URL\":"
         "\"http://b\""),
     "is given twice"},
    {"NUL escaped", WITH("\"LOG_INDEX\":\"a\\u0000b\""), "holds U+0000"},
    {"a broken escape", WITH("\"LOG_INDEX\":\"a\\u00zz\""), "holds U+0000 or no valid"},
    {"invalid UTF-8", WITH("\"LOG_INDEX\":\"a\xc3\x28\xff\""), "not printable ASCII"},
    {"a path as destination", "{\"v\":1,\"destination\":\"/etc/passwd\",\"settings\":{}}",
     "\\\"destination\\\" is not a known member"},
    {"another configuration directory", "{\"v\":1,\"--config-dir\":\"/tmp\",\"settings\":{}}",
     "is not a known member"},
    {"a command", "{\"v\":1,\"reload\":[\"/bin/sh\"],\"settings\":{}}", "is not a known member"},
    {"arguments in front", "--config-dir /tmp/evil --apply-dir /tmp/evil\n" URL("http://a"),
     "request: is not JSON"},
    {"a setting outside our place", SET("\"../any/LOG_INDEX\":\"a\""),
     "is not the name of a LOG_ setting"},
    {"no setting of logging", SET("\"CLUSTER_SERVERS\":\"a\""),
     "is not the name of a LOG_ setting"},
    {"only what is unknown", SET("\"LOG_COMMAND\":\"/bin/sh\""), "no usable LOG_ settings"},
    {"a service nobody resolved", URL("consul:elasticsearch"),
     "must be put as the URLs of its instances"},
    {"a source root did not name", WITH("\"LOG_SOURCES\":\"secrets\""),
     "source secrets is not allowed"},
    {"a path as source", WITH("\"LOG_SOURCES\":\"/etc/shadow\""),
     "LOG_SOURCES: \\\"/etc/shadow\\\""},
    {"a way up as source", WITH("\"LOG_SOURCES\":\"..\""), "LOG_SOURCES: "},
    {"a port root did not name", URL("http://es:22"), "port 22 is not allowed"},
    {"a configuration as index", WITH("\"LOG_INDEX\":\"x\\\"\\nmodule(load=\\\"omprog\\\")\""),
     "LOG_INDEX: "},
    {"an environment variable as index", WITH("\"LOG_INDEX\":\"${HOME}\""), "LOG_INDEX: "},
    {"a template as index", WITH("\"LOG_INDEX\":\"{{REVISION}}\""), "LOG_INDEX: "},
    {"a line break in the URL", URL("http://es\\nINDEX=evil"), "LOG_ELASTICSEARCH_URL: "},
    {"a quote in the URL", URL("http://es\\\"]"), "LOG_ELASTICSEARCH_URL: "},
    {"a password in the URL", URL("http://u:p@es"), "holds a user or a password"},
    {"a file as URL", URL("file:///etc/shadow"), "does not begin with http"},
    {"loopback", URL("http://127.0.0.1"), "host 127.0.0.1 is not allowed"},
    {"loopback, another", URL("http://127.9.9.9"), "host 127.9.9.9 is not allowed"},
    {"loopback by name", URL("http://LocalHost."), "LOG_ELASTICSEARCH_URL: "},
    {"loopback by a longer name", URL("http://a.localhost"), "is not allowed"},
    {"loopback, decimal", URL("http://2130706433"), "LOG_ELASTICSEARCH_URL: "},
    {"loopback, octal", URL("http://0177.0.0.1"), "LOG_ELASTICSEARCH_URL: "},
    {"loopback, hexadecimal", URL("http://0x7f.0.0.1"), "LOG_ELASTICSEARCH_URL: "},
    {"loopback, short", URL("http://127.1"), "LOG_ELASTICSEARCH_URL: "},
    {"any address", URL("http://0.0.0.0"), "host 0.0.0.0 is not allowed"},
    {"IPv6 loopback", URL("http://[::1]"), "host ::1 is not allowed"},
    {"IPv6 loopback, long", URL("http://[0:0:0:0:0:0:0:1]"), "is not allowed"},
    {"IPv6 any address", URL("http://[::]"), "is not allowed"},
    {"IPv4 in IPv6", URL("http://[::ffff:127.0.0.1]"), "is not allowed"},
    {"IPv4 in IPv6, hexadecimal", URL("http://[::ffff:7f00:1]"), "is not allowed"},
    {"IPv4 compatible", URL("http://[::127.0.0.1]"), "is not allowed"},
    {"cloud metadata", URL("http://169.254.169.254"), "is not allowed"},
    {"cloud metadata in IPv6", URL("http://[::ffff:169.254.169.254]"), "is not allowed"},
    {"IPv6 link-local", URL("http://[fe80::1]"), "is not allowed"},
    {"IPv6 with a zone", URL("http://[fe80::1%25lo]"), "LOG_ELASTICSEARCH_URL: "},
};

static void words_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        print_message("  %s\n", words[i].attack);
        expect(words[i].request, "\"state\":\"failed\"");
        expect(words[i].request, words[i].answer);
        assert_untouched();
    }
    print_message("%zu attacks\n", COUNT(words));
}

/* root's credential may go to es.trusted by https, and nowhere else. */
#define SECRET "sesame-open"
#define SEND_TO(url)                                                                               \
    SET("\"LOG_ELASTICSEARCH_CREDENTIAL\":\"es\",\"LOG_ELASTICSEARCH_URL\":\"" url "\"")

static const struct words_row credentials[] = {
    {"sent to a foreign host", SEND_TO("https://evil.example"), "host evil.example is not among"},
    {"sent to a longer name", SEND_TO("https://es.trusted.evil.example"),
     "host es.trusted.evil.example is not among"},
    {"sent to a name before it", SEND_TO("https://evil-es.trusted"),
     "host evil-es.trusted is not among"},
    {"sent to a second host, too", SEND_TO("https://es.trusted,https://evil.example"),
     "host evil.example is not among"},
    {"sent in the clear", SEND_TO("http://es.trusted"), "is reached by http://"},
    {"sent to an address", SEND_TO("https://10.1.1.1"), "host 10.1.1.1 is not among"},
    {"sent to loopback", SEND_TO("https://127.0.0.1"), "is not allowed"},
    {"behind a user part", SEND_TO("https://es.trusted@evil.example"),
     "holds a user or a password"},
    {"one of another name", WITH("\"LOG_ELASTICSEARCH_CREDENTIAL\":\"../credentials/es\""),
     "LOG_ELASTICSEARCH_CREDENTIAL: "},
    {"one of a path", WITH("\"LOG_ELASTICSEARCH_CREDENTIAL\":\"/etc/shadow\""),
     "LOG_ELASTICSEARCH_CREDENTIAL: "},
    {"one that root did not give", WITH("\"LOG_ELASTICSEARCH_CREDENTIAL\":\"other\""),
     "there is no credential other"},
};

static int read_credential(void *arg)
{
    (void)arg;
    return open(scratch_at("etc/credentials/es.json"), O_RDONLY) < 0 ? 0 : 1;
}

static void credentials_go_where_root_says(void **state)
{
    (void)state;
    scratch_put("etc/credentials/es.json",
                "{\"user\":\"writer\",\"password\":\"" SECRET "\",\"hosts\":[\"es.trusted\"]}",
                0640);
    assert_int_equal(chown(scratch_at("etc/credentials/es.json"), 0, APART_LICTOR), 0);
    assert_int_equal(apart_run(APART_CONSUL, read_credential, NULL), 0);
    assert_int_equal(apart_run(APART_OTHER, read_credential, NULL), 0);
    assert_int_equal(apart_run(APART_LICTOR, read_credential, NULL), 1);
    for (size_t i = 0; i < COUNT(credentials); i++) {
        print_message("  %s\n", credentials[i].attack);
        char *answer = ask_bytes(credentials[i].request, strlen(credentials[i].request));
        if (!strstr(answer, credentials[i].answer) || strstr(answer, SECRET))
            fail_msg("no \"%s\" in %s", credentials[i].answer, answer);
        free(answer);
        assert_untouched();
    }
    print_message("%zu attacks\n", COUNT(credentials));
}

/* `n` times `unit` between head and tail. */
static char *repeated(const char *head, const char *unit, size_t n, const char *tail)
{
    struct buffer text = BUFFER_INIT(1U << 20);
    assert_int_equal(buffer_printf(&text, "%s", head), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buffer_append(&text, unit, strlen(unit)), 0);
    assert_int_equal(buffer_printf(&text, "%s", tail), 0);
    return buffer_detach(&text);
}

static void depth_and_width_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *attack, *head, *unit;
        size_t n;
        const char *tail, *answer;
    } rows[] = {
        {"60,000 deep", "{\"v\":1,\"settings\":", "[", 60000, "",
         "request: is nested deeper than 50"},
        {"100,000 deep", "{\"v\":1,\"settings\":", "[", 100000, "", "is larger than"},
        {"deep and closed", "{\"v\":1,\"settings\":{\"LOG_INDEX\":", "{\"a\":", 10000, "",
         "request: is nested deeper than 50"},
        {"a value of 60 KB", "{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://", "x",
         60000, "\"}}", "are the limit"},
        {"a name of 60 KB", "{\"v\":1,\"settings\":{\"LOG_", "X", 60000, "\":\"\"}}",
         "the name of a setting is too long"},
        {"10,000 nameless settings", "{\"v\":1,\"settings\":{\"LOG_A\":\"\"", ",\"\":1", 10000,
         "}}", "is given twice"},
        {"64 KiB of spaces", "", " ", 65536, "", "request: is not JSON"},
        {"one more", "", " ", 65537, "", "the request is larger than 65536 bytes"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("  %s\n", rows[i].attack);
        char *text = repeated(rows[i].head, rows[i].unit, rows[i].n, rows[i].tail);
        expect(text, rows[i].answer);
        free(text);
        assert_untouched();
    }
}

static void a_nul_byte_ends_nothing_early(void **state)
{
    (void)state;
    static const char text[] = WITH("\"LOG_INDEX\":\"evil\"") "\0 and more";
    char *answer = ask_bytes(text, sizeof text - 1);
    assert_non_null(strstr(answer, "holds U+0000"));
    free(answer);
    assert_untouched();
}

/* ---- sizes and times ----------------------------------------------------- */

static int send_a_gigabyte(void *arg)
{
    (void)arg;
    static const char zeros[1 << 20];
    size_t sent = 0;
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = dial();
    while (fd >= 0 && sent < (1U << 30)) {
        ssize_t n = send(fd, zeros, sizeof zeros, 0);
        if (n < 0)
            break;
        sent += (size_t)n;
    }
    return fd >= 0 && sent < (2U << 20) ? 0 : 1;
}

static void a_gigabyte_is_not_taken(void **state)
{
    (void)state;
    assert_int_equal(apart_run(APART_CONSUL, send_a_gigabyte, NULL), 0);
    assert_untouched();
}

static int send_drops(void *arg)
{
    (void)arg;
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = dial();
    int64_t end = now_ms() + 10000;
    while (fd >= 0 && now_ms() < end && send(fd, " ", 1, 0) == 1)
        (void)usleep(20000);
    return fd >= 0 && now_ms() < end ? 0 : 1;
}

static void drops_are_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(apart_run(APART_CONSUL, send_drops, NULL), 0);
    assert_untouched();
}

#ifdef __SANITIZE_ADDRESS__
#define MANY 100 /* each costs some 20 MB there */
#else
#define MANY 1000
#endif

/* A good request among those who say nothing: it waits for nobody. */
static int hold_many(void *arg)
{
    static int fds[MANY];
    const struct request *good = arg;
    const struct rlimit many = {2000, 2000};
    (void)setrlimit(RLIMIT_NOFILE, &many);
    for (int i = 0; i < MANY; i++) {
        fds[i] = dial();
        if (fds[i] < 0)
            return 1;
    }
    return send_request((void *)(uintptr_t)good);
}

static void a_thousand_connections_change_nothing(void **state)
{
    (void)state;
    static const char text[] = URL("http://before.example");
    struct request good = {.text = text, .len = strlen(text)};
    const struct rlimit many = {2000, 2000};
    (void)setrlimit(RLIMIT_NOFILE, &many);
    assert_int_equal(apart_run(APART_CONSUL, hold_many, &good), 0);
    char *answer = scratch_get("log/answer");
    assert_non_null(strstr(answer, "\"state\":\"done\""));
    assert_non_null(strstr(answer, "\"changed\":false"));
    free(answer);
    assert_untouched();
}

/* ---- hanging up ---------------------------------------------------------- */

struct hang_up {
    const char *text;
    bool shut;   /* say that it is complete */
    int wait_ms; /* before hanging up */
};

static int send_and_hang_up(void *arg)
{
    const struct hang_up *h = arg;
    int fd = dial();
    if (fd < 0 || send(fd, h->text, strlen(h->text), 0) != (ssize_t)strlen(h->text))
        return 1;
    if (h->shut && shutdown(fd, SHUT_WR) < 0)
        return 2;
    sleep_ms(h->wait_ms);
    return close(fd) < 0 ? 3 : 0;
}

static void hanging_up_before_the_end_changes_nothing(void **state)
{
    (void)state;
    static const struct hang_up rows[] = {
        {"", false, 0},
        {"", true, 0},
        {"{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://evil\"", false, 0},
        {"{\"v\":1,\"settings\":{\"LOG_ELASTICSEARCH_URL\":\"http://evil\"", false, 50},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(apart_run(APART_CONSUL, send_and_hang_up, (void *)(uintptr_t)&rows[i]), 0);
        sleep_ms(100);
        assert_untouched();
    }
}

static bool is_quiet(void *arg, struct buffer *seen)
{
    (void)arg;
    char *text = scratch_get("a/running.conf");
    bool done = strstr(text, "caller.example") != NULL &&
                access(scratch_at("apply/journal"), F_OK) < 0;
    (void)!buffer_printf(seen, "%s", text);
    free(text);
    return done;
}

/* A whole request is carried out and cleaned up, whoever listens to the answer: at every
 * 5 ms of its way. */
static void hanging_up_behind_the_request_stops_nothing(void **state)
{
    for (int ms = 0; ms < 60; ms += 5) {
        struct hang_up row = {URL("http://caller.example"), true, ms};
        assert_int_equal(live(state), 0);
        assert_int_equal(apart_run(APART_CONSUL, send_and_hang_up, &row), 0);
        wait_until("the change is done", 5000, is_quiet, NULL);
        expect(URL("http://caller.example"), "\"changed\":false");
        assert_no_leftover();
    }
}

/* ---- other users --------------------------------------------------------- */

static int try_to_dial(void *arg)
{
    (void)arg;
    int fd = dial();
    return fd == -EACCES ? 0 : 1;
}

static void other_users_may_not_connect(void **state)
{
    (void)state;
    assert_int_equal(apart_run(APART_OTHER, try_to_dial, NULL), 0);
    assert_int_equal(apart_run(APART_LICTOR, try_to_dial, NULL), 0);
    assert_untouched();
}

static int try_to_be_the_socket(void *arg)
{
    (void)arg;
    char other[300];
    (void)snprintf(other, sizeof other, "%s.old", scratch_at("run/apply.sock"));
    if (rename(scratch_at("run/apply.sock"), other) == 0 ||
        unlink(scratch_at("run/apply.sock")) == 0)
        return 1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_at("run/x"));
    return bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ? 0 : 2;
}

static void nobody_takes_the_place_of_the_socket(void **state)
{
    (void)state;
    assert_int_equal(apart_run(APART_OTHER, try_to_be_the_socket, NULL), 0);
    assert_int_equal(apart_run(APART_CONSUL, try_to_be_the_socket, NULL), 0);
    assert_untouched();
}

static const char *const theirs[] = {
    "etc/policy.json",
    "etc/logging.d/a.json",
    "etc/logging.d/t.mustache",
    "etc/shipper",
    "a/shipper.conf",
    "a/running.conf",
    "apply/lock",
    "apply/journal",
    "secret",
    "a/.shipper.conf.lictor-new",
};

static int try_to_write(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(theirs); i++) {
        char side[300];
        const char *path = scratch_at("%s", theirs[i]);
        (void)snprintf(side, sizeof side, "%s", scratch_at("log/evil"));
        if (open(path, O_WRONLY | O_CREAT, 0666) >= 0 || unlink(path) == 0 ||
            symlink(scratch_at("secret"), path) == 0 || link(side, path) == 0 ||
            rename(side, path) == 0 || mkfifo(path, 0666) == 0 || chmod(path, 0777) == 0)
            return (int)i + 1;
    }
    return 0;
}

static void the_agents_user_can_write_nothing_of_it(void **state)
{
    (void)state;
    shell("echo evil >log/evil; chmod 0666 log/evil");
    assert_int_equal(apart_run(APART_CONSUL, try_to_write, NULL), 0);
    assert_int_equal(apart_run(APART_OTHER, try_to_write, NULL), 0);
    assert_untouched();
}

static int read_secret(void *arg)
{
    (void)arg;
    return open(scratch_at("secret"), O_RDONLY) < 0 &&
                   open(scratch_at("log/link.log"), O_RDONLY) < 0
               ? 0
               : 1;
}

/* What can be planted in a log directory: links into what is root's, pipes, directories.
 * apply-logging opens none of them, and the shipper's user may not read what is root's. */
static void links_in_log_directories_lead_nowhere(void **state)
{
    (void)state;
    shell("ln -s ../secret log/link.log; ln -s /dev/zero log/zero.log; "
          "mkfifo log/pipe.log; mkdir log/dir.log; ln -s log log/loop.log");
    expect(URL("http://before.example"), "\"changed\":false");
    assert_int_equal(apart_run(APART_LICTOR, read_secret, NULL), 0);
    assert_untouched();
    shell("rm -r --one-file-system log/*.log");
}

/* ---- processes ----------------------------------------------------------- */

/* Start a request whose reload leaves its pid, environment, fds and arguments in a/. */
#define SPY                                                                                        \
    "env >\"$dir/env\"; ls -l /proc/self/fd | grep -c socket: >\"$dir/sockets\"; "                 \
    "tr '\\0' ' ' </proc/$PPID/cmdline >\"$dir/cmdline\"; "                                        \
    "echo $PPID >\"$dir/parent\"; sleep 0.5\n"

static bool is_at_work(void *arg, struct buffer *seen)
{
    char *parent = scratch_get("a/parent");
    *(pid_t *)arg = (pid_t)strtol(parent, NULL, 10);
    free(parent);
    return buffer_printf(seen, "%d", *(pid_t *)arg) == 0 && *(pid_t *)arg > 1;
}

static int try_to_reach_process(void *arg)
{
    char path[64];
    pid_t pid = *(pid_t *)arg;
    (void)snprintf(path, sizeof path, "/proc/%d/mem", pid);
    static const int signals[] = {SIGKILL, SIGTERM, SIGSTOP, SIGHUP, SIGUSR1, SIGPIPE};
    for (size_t i = 0; i < COUNT(signals); i++) {
        if (kill(pid, signals[i]) == 0 || errno != EPERM)
            return 1;
    }
    if (open(path, O_RDWR) >= 0)
        return 2;
    (void)snprintf(path, sizeof path, "/proc/%d/environ", pid);
    return open(path, O_RDONLY) >= 0 ? 3 : 0;
}

static int send_with_tricks(void *arg)
{
    (void)setenv("LD_PRELOAD", "/tmp/evil.so", 1);
    (void)setenv("PATH", "/tmp/evil", 1);
    (void)setenv("CONSUL_HTTP_TOKEN", "secret", 1);
    return send_request(arg);
}

static void signals_environment_and_arguments_do_not_reach_it(void **state)
{
    (void)state;
    static const char text[] = URL("http://spied.example");
    struct request r = {.text = text, .len = strlen(text)};
    scratch_put("a/break-restart", SPY, 0644);
    pid_t pid = 0, sender = fork();
    if (sender == 0) {
        apart_become(APART_CONSUL);
        _exit(send_with_tricks(&r));
    }
    wait_until("the reload runs", 5000, is_at_work, &pid);
    assert_int_equal(apart_run(APART_CONSUL, try_to_reach_process, &pid), 0);
    assert_int_equal(apart_run(APART_OTHER, try_to_reach_process, &pid), 0);
    int status = 0;
    assert_int_equal(waitpid(sender, &status, 0), sender);
    assert_int_equal(status, 0);
    char *answer = scratch_get("log/answer");
    assert_non_null(strstr(answer, "\"state\":\"done\""));
    free(answer);
    char *env = scratch_get("a/env");
    assert_null(strstr(env, "evil"));
    assert_null(strstr(env, "secret"));
    assert_null(strstr(env, "LISTEN_"));
    free(env);
    char *cmdline = scratch_get("a/cmdline");
    assert_null(strstr(cmdline, "spied"));
    free(cmdline);
    assert_file("a/sockets", "0\n");
    shell("rm -f a/break-restart a/parent a/env a/cmdline a/sockets");
}

/* Descriptors that come with the bytes are not taken. */
static int send_descriptors(void *arg)
{
    const struct request *r = arg;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)r->text, .iov_len = r->len};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof control.room};
    int fds[8], fd = dial();
    for (size_t i = 0; i < 8; i++)
        fds[i] = fd;
    control.header.cmsg_len = CMSG_LEN(sizeof fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
    char answer[4096] = "";
    if (fd < 0 || sendmsg(fd, &message, 0) < 0 || shutdown(fd, SHUT_WR) < 0 ||
        recv(fd, answer, sizeof answer - 1, 0) < 0)
        return 1;
    return strstr(answer, "\"changed\":false") ? 0 : 2;
}

static void descriptors_are_not_taken(void **state)
{
    (void)state;
    static const char text[] = URL("http://before.example");
    struct request r = {.text = text, .len = strlen(text)};
    assert_int_equal(apart_run(APART_CONSUL, send_descriptors, &r), 0);
    assert_untouched();
}

/* ---- destinations that somebody prepared --------------------------------- */

static const struct planted_row {
    const char *attack, *plant, *answer, *remove;
} planted[] = {
    {"a link", "ln -s ../secret a/shipper.conf", "is a symbolic link: refused", NULL},
    {"a dangling link", "ln -s /nonexistent/x a/shipper.conf", "is a symbolic link: refused", NULL},
    {"a second name of root's file", "ln secret a/shipper.conf",
     "has several names (hard links): refused", NULL},
    {"a pipe", "mkfifo a/shipper.conf", "is not a regular file: refused", NULL},
    {"a directory", "mkdir a/shipper.conf", "is not a regular file: refused",
     "rmdir a/shipper.conf"},
    {"a device", "mknod a/shipper.conf c 1 5", "is not a regular file: refused", NULL},
    {"a huge file", "truncate -s 2G a/shipper.conf", "is larger than", NULL},
    {"a directory that all may write", "chmod 0777 a", "can be written by others", "chmod 0755 a"},
    {"a directory above that all may write", "chmod 0777 .", "can be written by others",
     "chmod 0755 ."},
    {"a directory of somebody else", "chown 61003 a", "belongs to user 61003", "chown 61001 a"},
    {"a directory that is a link", "mv a b; ln -s b a", "is a symbolic link", "rm a; mv b a"},
    {"a policy that all may write", "chmod 0666 etc/policy.json", "can be written by others",
     "chmod 0644 etc/policy.json"},
    {"a policy of the agent's user", "chown 61002 etc/policy.json", "belongs to user 61002",
     "chown 0 etc/policy.json"},
    {"a template that is a link",
     "mv etc/logging.d/t.mustache etc/x; ln -s ../x "
     "etc/logging.d/t.mustache",
     "is a symbolic link", "mv etc/x etc/logging.d/t.mustache"},
    {"a command that all may write", "chmod 0777 etc/shipper", "can be written by others",
     "chmod 0755 etc/shipper"},
};

static void planted_things_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(planted); i++) {
        const struct planted_row *row = &planted[i];
        bool file = strstr(row->plant, "a/shipper.conf") != NULL;
        print_message("  %s\n", row->attack);
        shell(file ? "mv a/shipper.conf a/kept" : ":");
        shell(row->plant);
        expect(URL("http://evil.example"), row->answer);
        shell(row->remove ? row->remove : "rm a/shipper.conf");
        shell(file ? "mv a/kept a/shipper.conf" : ":");
        assert_untouched();
    }
    print_message("%zu attacks\n", COUNT(planted));
}

/* Names of ours that were there before: replaced, and what they point to is not followed. */
static void planted_names_of_ours_are_not_followed(void **state)
{
    (void)state;
    shell("ln -s ../secret a/.shipper.conf.lictor-new; "
          "ln secret a/.shipper.conf.lictor-old");
    expect(URL("http://fresh.example"), "\"state\":\"done\"");
    assert_file("secret", "root:secret\n");
    struct stat st;
    assert_int_equal(stat(scratch_at("secret"), &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_no_leftover();
}

/* ---- what it is made of -------------------------------------------------- */

static void it_loads_no_network_library(void **state)
{
    (void)state;
    const char *argv[] = {"/usr/bin/ldd", TEST_BIN "/apply-logging", NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_int_equal(o.code, 0);
    assert_non_null(strstr(o.out, "libcjson"));
    assert_null(strstr(o.out, "libcurl"));
    assert_null(strstr(o.out, "libssl"));
    outcome_release(&o);
}

#define ATTACK(test) cmocka_unit_test_setup_teardown(test, live, still_works)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(words_are_refused),
        ATTACK(credentials_go_where_root_says),
        ATTACK(depth_and_width_are_refused),
        ATTACK(a_nul_byte_ends_nothing_early),
        ATTACK(a_gigabyte_is_not_taken),
        ATTACK(drops_are_not_waited_for),
        ATTACK(a_thousand_connections_change_nothing),
        ATTACK(hanging_up_before_the_end_changes_nothing),
        ATTACK(hanging_up_behind_the_request_stops_nothing),
        ATTACK(other_users_may_not_connect),
        ATTACK(nobody_takes_the_place_of_the_socket),
        ATTACK(the_agents_user_can_write_nothing_of_it),
        ATTACK(links_in_log_directories_lead_nowhere),
        ATTACK(signals_environment_and_arguments_do_not_reach_it),
        ATTACK(descriptors_are_not_taken),
        ATTACK(planted_things_are_refused),
        ATTACK(planted_names_of_ours_are_not_followed),
        cmocka_unit_test(it_loads_no_network_library),
    };
    apart_enter();
    return cmocka_run_group_tests_name("apply-attacks", tests, make_place, remove_place);
}
