/* A credential from KV's word to a secured Elasticsearch: a real server, the shipped target
 * and its shipper, TLS, a wrong password, a wrong CA, a rotation, and no trace of it. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#include <curl/curl.h>

#define SOON  30000
#define INDEX "secured"

/* As an admin would choose it: rsyslogd takes anything but blanks. */
#define PASSWORD      "p\"w\\$%{}`${HOME}'"
#define PASSWORD_JSON "p\\\"w\\\\$%{}`${HOME}'"
#define WRONG         "wr0ng-password"

static struct {
    struct cluster *c; /* NULL: no Elasticsearch can be had, nothing is tested */
    struct sink sink;
    char address[40], dir[400], ca[500], other_ca[500];
    FILE *log;
    int written;
} here;

/* ---- Elasticsearch ------------------------------------------------------- */

static size_t collect(char *bytes, size_t size, size_t n, void *arg)
{
    return buffer_append(arg, bytes, size * n) < 0 ? 0 : size * n;
}

/* Documents in the index, -1 when it cannot be asked. */
static int count(void)
{
    char url[300];
    struct buffer answer = BUFFER_INIT(65536);
    CURL *curl = curl_easy_init();
    (void)snprintf(url, sizeof url, "https://%s:9200/" INDEX "/_count", here.address);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, here.ca);
    (void)curl_easy_setopt(curl, CURLOPT_USERPWD, "reader:" PASSWORD);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 10000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    (void)curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    cJSON *root = cJSON_Parse(buffer_text(&answer));
    const cJSON *number = cJSON_GetObjectItem(root, "count");
    int n = cJSON_IsNumber(number) ? number->valueint : -1;
    cJSON_Delete(root);
    buffer_release(&answer);
    return n;
}

static bool has_arrived(void *arg, struct buffer *seen)
{
    int n = count();
    return buffer_printf(seen, "%d documents", n) == 0 && n == *(int *)arg;
}

static void wait_count(int n)
{
    wait_until("as many documents as lines", SOON, has_arrived, &n);
}

static void write_lines(int n)
{
    for (int i = 0; i < n; i++) {
        here.written++;
        (void)fprintf(here.log,
                      "{\"timestamp\":\"2026-11-24T10:00:00.000Z\",\"level\":\"info\","
                      "\"id\":\"%d\",\"message\":\"job is printed\"}\n",
                      here.written);
    }
    (void)fflush(here.log);
}

/* ---- the server ---------------------------------------------------------- */

/* Run by /bin/sh with $1: the server's directory, $2: the tree, $3: the sink's. */
static void shell(const char *command)
{
    const char *argv[] = {"/bin/sh",  "-ec",    command, "sh", here.c->server[1].dir,
                          SOURCE_DIR, here.dir, NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    if (o.code != 0)
        harness_fail("%s: %s%s", command, o.out, o.err);
    outcome_release(&o);
}

/* The shipped target and shipper; only where they lie differs. */
static void ship(void)
{
    server_shipper(here.c, 1, SHIPPER_RSYSLOG, NULL);
    shell("cp $2/scripts/shipper $1/etc/lictor-shipper; chmod 0755 $1/etc/lictor-shipper;"
          "rm $1/etc/logging.d/shipper.*;"
          "cp $2/consul.d/logging/rsyslog.conf.mustache $1/etc/logging.d/;"
          "jq --arg d $1/shipper --arg s $1/etc/lictor-shipper '"
          "  .destination = $d + \"/rsyslog.conf\" | .variables.work = $d |"
          "  .variables.indexer = \"" TEST_BIN "/index-records\" |"
          "  .reload = [$s, \"restart\", $d] | .stop = [$s, \"stop\", $d] |"
          "  .confirm = [$s, \"alive\", $d, \"rsyslog.conf\", \"{digest}\"]'"
          "  $2/consul.d/logging/rsyslog.json >$1/etc/logging.d/rsyslog.json;"
          "chmod 0644 $1/etc/logging.d/*");
}

static void credential(const char *password, const char *ca)
{
    char text[1000];
    const char *path = server_path(here.c, 1, "etc/credentials/x.json");
    (void)snprintf(text, sizeof text,
                   "{\"user\":\"writer\",\"password\":\"%s\",\"ca\":\"%s\","
                   "\"hosts\":[\"%s\"]}",
                   password, ca, here.address);
    server_write(here.c, 1, "etc/credentials/x.json", text);
    if (chmod(path, 0640) < 0)
        harness_fail("cannot chmod %s", path);
}

/* KV stays as it is: an admin of this server has changed the file. */
static void retry(void)
{
    struct outcome o = server_run(here.c, 1, NULL,
                                  (const char *[]){"rollout-logging", "--retry", NULL});
    if (o.code != 0)
        harness_fail("%s", o.err);
    outcome_release(&o);
    wait_check(here.c, 1, "cluster:logging", "passing", "1 of 1 servers", SOON);
}

struct text {
    const char *file, *part;
};

static bool contains(void *arg, struct buffer *seen)
{
    const struct text *text = arg;
    char *found = server_read(here.c, 1, text->file);
    bool yes = strstr(found, text->part) != NULL;
    (void)!buffer_printf(seen, "%zu bytes", strlen(found));
    free(found);
    return yes;
}

static void wait_text(const char *file, const char *part)
{
    struct text text = {file, part};
    wait_until(part, 2L * SOON, contains, &text);
}

static int setup(void **state)
{
    (void)state;
    const char *ci = getenv("CI");
    if (!sink_available("8.6.2"))
        return ci && strcmp(ci, "true") == 0 ? -1 : 0;
    here.c = cluster_start(
        &(struct cluster_options){.servers = 1, .limits = "confirm=500ms,resync=10s"});
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%s/elasticsearch", keeper_dir());
    (void)snprintf(here.ca, sizeof here.ca, "%s", server_path(here.c, 1, "etc/ca.pem"));
    (void)snprintf(here.other_ca, sizeof here.other_ca, "%s",
                   server_path(here.c, 1, "etc/other.pem"));
    ship();
    here.log = fopen(server_path(here.c, 1, "log/checkin.log"), "a");
    if (!here.log || sink_start_secure(&here.sink, "8.6.2", here.address, here.dir, PASSWORD) < 0)
        harness_fail("no Elasticsearch");
    shell("cp $3/ca.pem $1/etc/ca.pem; chmod 0644 $1/etc/ca.pem; openssl req -x509 "
          "-newkey rsa:2048 -nodes -subj /CN=other -keyout /dev/null "
          "-out $1/etc/other.pem 2>/dev/null");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (here.log)
        (void)fclose(here.log);
    sink_kill(&here.sink);
    cluster_stop(here.c);
    return 0;
}

/* ---- tests --------------------------------------------------------------- */

static void a_missing_credential_is_said(void **state)
{
    (void)state;
    char url[100];
    if (!here.c)
        skip();
    (void)snprintf(url, sizeof url, "https://%s:9200", here.address);
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", url, "LOG_INDEX", INDEX, "LOG_SETTLE", "0",
                 "LOG_ELASTICSEARCH_CREDENTIAL", "x", NULL);
    wait_check(here.c, 1, "cluster:logging", "warning", "there is no credential x on", SOON);
}

static void it_opens_the_door(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    credential(PASSWORD_JSON, here.ca);
    write_lines(200);
    retry();
    wait_count(200);
}

/* What is refused waits, and nothing of it is lost. */
static void a_wrong_password_is_seen_and_made_good(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    credential(WRONG, here.ca);
    retry();
    write_lines(100);
    wait_text("shipper/output.log", "it does not know the credential in use (401)");
    assert_int_equal(count(), 200);
    credential(PASSWORD_JSON, here.ca);
    retry();
    write_lines(100);
    wait_count(400);
}

static void a_wrong_ca_makes_lines_wait(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    credential(PASSWORD_JSON, here.other_ca);
    retry();
    write_lines(100);
    wait_text("shipper/output.log", "its certificate is of an unknown CA (TLS)");
    assert_int_equal(count(), 400);
    credential(PASSWORD_JSON, here.ca);
    retry();
    wait_count(500);
}

/* The resync finds it, within ten minutes (here: ten seconds and a heartbeat). */
static void a_rotation_is_noticed_by_itself(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    credential(WRONG, here.ca);
    wait_text("shipper/rsyslog.conf", "\\tpassword=" WRONG "\\tca=");
    credential(PASSWORD_JSON, here.ca);
    wait_text("shipper/rsyslog.conf", "\\tpassword=p\\\"w\\\\$");
}

/* Neither in KV (raft's data) nor in state, checks or the agent's log. */
static void no_trace_of_a_secret_is_left(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    const char *argv[] = {"/bin/sh",
                          "-c",
                          "cd \"$1\" && grep -rlaF -e 'p\"w' -e 'p\\\"w' -e wr0ng -e cCJ3 "
                          "-e d3IwbmctcGFz consul.log state data log",
                          "sh",
                          here.c->server[1].dir,
                          NULL};
    struct outcome o = run_tool(NULL, argv, NULL);
    assert_string_equal(o.out, "");
    assert_int_equal(o.code, 1); /* grep has looked, and found nothing */
    outcome_release(&o);
}

static bool is_off(void *arg, struct buffer *seen)
{
    const char *argv[] = {server_path(here.c, 1, "etc/lictor-shipper"),
                          "alive",
                          server_path(here.c, 1, "shipper"),
                          "rsyslog.conf",
                          "any",
                          NULL};
    (void)arg;
    struct outcome o = run_tool(NULL, argv, NULL);
    const char *left[] = {"/bin/sh",
                          "-c",
                          "grep -rlaF -e wr0ng -e 'p\\\"w' \"$1\"",
                          "sh",
                          server_path(here.c, 1, "shipper"),
                          NULL};
    struct outcome files = run_tool(NULL, left, NULL);
    bool off = o.code == 1 && strstr(o.err, "no rsyslogd runs with") && files.code == 1;
    (void)!buffer_printf(seen, "%d: %s%s%s", o.code, o.out, o.err, files.out);
    outcome_release(&files);
    outcome_release(&o);
    return off;
}

/* Neither the file with the secret is left nor a process that has read it. */
static void switched_off_nothing_stays(void **state)
{
    (void)state;
    if (!here.c)
        skip();
    setting_put(here.c, "LOG_ENABLED", "N");
    wait_until("no shipper, no secret", SOON, is_off, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_credential_is_said),
        cmocka_unit_test(it_opens_the_door),
        cmocka_unit_test(a_wrong_password_is_seen_and_made_good),
        cmocka_unit_test(a_wrong_ca_makes_lines_wait),
        cmocka_unit_test(a_rotation_is_noticed_by_itself),
        cmocka_unit_test(no_trace_of_a_secret_is_left),
        cmocka_unit_test(switched_off_nothing_stays),
    };
    return HARNESS_RUN("credentials", tests, setup, teardown);
}
