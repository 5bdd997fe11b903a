/* SPDX-License-Identifier: MIT */
/* A real Elasticsearch with https and users, and a credential for it. First what is said when
 * the certificate or the credential is not right, before anything is touched; then, on a
 * server of its own with the shipped shipper and its shipper, the way of a credential from a
 * file to the lines in the index: a wrong password, a wrong CA, a rotation, and no trace of
 * it. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#include <curl/curl.h>

#define SOON  30000
#define LINES "lines" /* the index of the second server */

/* As an admin would choose it: rsyslogd takes anything but blanks. */
#define PASSWORD "p\"w\\$%{}`${HOME}'"
#define WRONG    "wr0ng-password"

static struct {
    struct cluster *c; /* NULL: no Elasticsearch can be had, nothing is tested */
    struct sink sink;
    char address[40], dir[300];
    FILE *log;
    int written;
} here;

/* ---- the Elasticsearch --------------------------------------------------- */

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
    (void)snprintf(url, sizeof url, "https://%s:9200/" LINES "/_count", here.address);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, server_path(here.c, 1, "etc/ca.pem"));
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

/* ca: a file in etc/, NULL: none. */
static void put_credential(const char *name, const char *user, const char *password, const char *ca)
{
    char file[100], path[400];
    const char *const hosts[] = {here.address};
    cJSON *root = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(root, "user", user);
    (void)cJSON_AddStringToObject(root, "password", password);
    (void)cJSON_AddItemToObject(root, "hosts", cJSON_CreateStringArray(hosts, 1));
    (void)snprintf(file, sizeof file, "etc/%s", ca ? ca : "");
    (void)snprintf(path, sizeof path, "%.300s", server_path(here.c, 1, file));
    if (ca)
        (void)cJSON_AddStringToObject(root, "ca", path);
    char *text = cJSON_PrintUnformatted(root);
    (void)snprintf(file, sizeof file, "etc/credentials/%s", name);
    server_write(here.c, 1, file, text);
    assert_int_equal(chmod(server_path(here.c, 1, file), 0640), 0);
    cJSON_Delete(root);
    free(text);
}

static void need_elasticsearch(void)
{
    if (!here.c)
        skip();
}

/* ---- what is said -------------------------------------------------------- */

struct wanted {
    const char *text;
    int code;
};

static bool says(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    const char *publish[] = {"heartbeat", NULL};
    const char *look[] = {"verify-logging", NULL};
    struct outcome o = server_run(here.c, 1, NULL, publish);
    outcome_release(&o);
    o = server_run(here.c, 1, NULL, look);
    bool yes = output_says(o.out, w->text) && o.code == w->code;
    if (buffer_printf(seen, "%d %s%s", o.code, o.out, o.err) < 0 || strstr(o.out, PASSWORD))
        yes = false;
    outcome_release(&o);
    return yes;
}

static void wait_said(const char *text, int code)
{
    struct wanted w = {text, code};
    wait_until(text, SOON, says, &w);
}

static void ship_secured(const char *credential)
{
    if (credential)
        setting_put(here.c, "LOG_ELASTICSEARCH_CREDENTIAL", credential);
    else
        setting_delete(here.c, "LOG_ELASTICSEARCH_CREDENTIAL");
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", "secured",
                 "LOG_SETTLE", "0", NULL);
}

static void assert_untouched(void)
{
    assert_int_equal(access(server_path(here.c, 1, "shipper/shipper.conf"), F_OK), -1);
    assert_int_equal(shipper_calls(here.c, 1, "restart"), 0);
}

static void an_unknown_ca_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    ship_secured(NULL);
    wait_said("its certificate is of an unknown CA (TLS): name the CA's file as \"ca\" in "
              "a credential",
              1);
    put_credential("es.json", "writer", PASSWORD, "ca.pem");
    put_credential("es.read.json", "reader", PASSWORD, NULL);
    ship_secured("es");
    wait_said("etc/credentials/es.read.json", 1);
    assert_untouched();
}

static void a_wrong_password_is_told_before_anything_is_touched(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "reader", WRONG, "ca.pem");
    wait_said("it does not know the credential in ", 1);
    wait_said("etc/credentials/es.read.json (401)", 1);
    assert_untouched();
}

static void a_missing_right_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "guest", PASSWORD, "ca.pem");
    wait_said("lacks the index privilege \"read\" on secured (403)", 1);
    assert_untouched();
}

static void with_the_right_ones_records_arrive(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "reader", PASSWORD, "ca.pem");
    wait_said("1 of 1 servers on revision", 0);
    wait_said(", records arrive", 0);
}

/* The shipper's own credential is not known to be wrong before it ships. */
static void a_shipper_that_is_not_let_in_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.json", "writer", WRONG, "ca.pem");
    setting_put(here.c, "LOG_LEVEL", "warn");
    wait_said("no probe record of this revision has arrived in Elasticsearch from this "
              "server",
              1);
    wait_said("credential in use (401)", 1);
    put_credential("es.json", "writer", PASSWORD, "ca.pem");
    wait_said(", records arrive", 0);
}

static void without_the_credential_to_ask_with_it_is_applied_and_said(void **state)
{
    (void)state;
    need_elasticsearch();
    assert_int_equal(unlink(server_path(here.c, 1, "etc/credentials/es.read.json")), 0);
    setting_put(here.c, "LOG_LEVEL", "error");
    wait_said(", arrival not proven", 0);
    wait_said("Elasticsearch must know who asks: there is no credential es on this "
              "server: ",
              0);
    wait_said("level error and worse", 0);
}

/* ---- the way of a credential --------------------------------------------- */

/* The shipped shipper and shipper; only where they lie differs. */
static void ship_lines(void)
{
    shell("cp $2/scripts/shipper $1/etc/lictor-shipper; chmod 0755 $1/etc/lictor-shipper;"
          "rm $1/etc/logging.d/shipper.*;"
          "cp $2/consul.d/logging/rsyslog.conf.mustache $1/etc/logging.d/;"
          "jq --arg d $1/shipper --arg s $1/etc/lictor-shipper '"
          "  .destination = $d + \"/rsyslog.conf\" | .variables.work = $d |"
          "  .variables.indexer = \"" TEST_BIN "/index-records\" |"
          "  .reload = [$s, \"restart\", $d] | .stop = [$s, \"stop\", $d] | del(.retire) |"
          "  .confirm = [$s, \"alive\", $d, \"rsyslog.conf\", \"{digest}\"]'"
          "  $2/consul.d/logging/rsyslog.json >$1/etc/logging.d/rsyslog.json;"
          "chmod 0644 $1/etc/logging.d/*");
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

static void a_missing_credential_is_said(void **state)
{
    (void)state;
    need_elasticsearch();
    settings_put(here.c, "LOG_ELASTICSEARCH_URL", here.sink.url, "LOG_INDEX", LINES, "LOG_SETTLE",
                 "0", "LOG_ELASTICSEARCH_CREDENTIAL", "x", NULL);
    wait_check(here.c, 1, "cluster:logging", "warning", "there is no credential x on", SOON);
}

static void it_opens_the_door(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("x.json", "writer", PASSWORD, "ca.pem");
    write_lines(200);
    retry();
    wait_count(200);
}

/* What is refused waits, and nothing of it is lost. */
static void a_wrong_password_is_seen_and_made_good(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("x.json", "writer", WRONG, "ca.pem");
    retry();
    write_lines(100);
    wait_text("shipper/output.log", "it does not know the credential in use (401)");
    assert_int_equal(count(), 200);
    put_credential("x.json", "writer", PASSWORD, "ca.pem");
    retry();
    write_lines(100);
    wait_count(400);
}

static void a_wrong_ca_makes_lines_wait(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("x.json", "writer", PASSWORD, "other.pem");
    retry();
    write_lines(100);
    wait_text("shipper/output.log", "its certificate is of an unknown CA (TLS)");
    assert_int_equal(count(), 400);
    put_credential("x.json", "writer", PASSWORD, "ca.pem");
    retry();
    wait_count(500);
}

/* The resync finds it, within ten minutes (here: ten seconds and a heartbeat). */
static void a_rotation_is_noticed_by_itself(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("x.json", "writer", WRONG, "ca.pem");
    wait_text("shipper/rsyslog.conf", "\\tpassword=" WRONG "\\tca=");
    put_credential("x.json", "writer", PASSWORD, "ca.pem");
    wait_text("shipper/rsyslog.conf", "\\tpassword=p\\\"w\\\\$");
}

/* Neither in KV (raft's data) nor in state, checks or the agent's log. */
static void no_trace_of_a_secret_is_left(void **state)
{
    (void)state;
    need_elasticsearch();
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
    need_elasticsearch();
    setting_put(here.c, "LOG_ENABLED", "N");
    wait_until("no shipper, no secret", SOON, is_off, NULL);
}

/* ---- fixtures ------------------------------------------------------------ */

static void start_server(const char *limits)
{
    here.c = cluster_start(&(struct cluster_options){.servers = 1, .limits = limits});
    server_shipper(here.c, 1, SHIPPER_RSYSLOG, NULL);
    shell("cp $3/ca.pem $1/etc/ca.pem; chmod 0644 $1/etc/ca.pem; openssl req -x509 "
          "-newkey rsa:2048 -nodes -subj /CN=other -keyout /dev/null "
          "-out $1/etc/other.pem 2>/dev/null");
}

static int setup(void **state)
{
    (void)state;
    const char *ci = getenv("CI");
    if (!sink_available("8.6.2")) /* the stand-in has no users' rights */
        return ci && strcmp(ci, "true") == 0 ? -1 : 0;
    (void)snprintf(here.address, sizeof here.address, "127.0.%d.9", keeper_take_net());
    (void)snprintf(here.dir, sizeof here.dir, "%.200s/elasticsearch", keeper_dir());
    if (sink_start_secure(&here.sink, "8.6.2", here.address, here.dir, PASSWORD) < 0)
        return -1;
    start_server("confirm=500ms,apply_again=500ms,fresh=5s,patience=0s,proof=2s,mapping_stable=1s");
    return 0;
}

/* Of the first test with the second server. */
static int next_server(void **state)
{
    (void)state;
    if (!here.c)
        return 0;
    cluster_stop(here.c);
    start_server("confirm=500ms,resync=10s");
    ship_lines();
    here.log = fopen(server_path(here.c, 1, "log/checkin.log"), "a");
    return here.log ? 0 : -1;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_ca_is_told),
        cmocka_unit_test(a_wrong_password_is_told_before_anything_is_touched),
        cmocka_unit_test(a_missing_right_is_told),
        cmocka_unit_test(with_the_right_ones_records_arrive),
        cmocka_unit_test(a_shipper_that_is_not_let_in_is_told),
        cmocka_unit_test(without_the_credential_to_ask_with_it_is_applied_and_said),
        cmocka_unit_test_setup(a_missing_credential_is_said, next_server),
        cmocka_unit_test(it_opens_the_door),
        cmocka_unit_test(a_wrong_password_is_seen_and_made_good),
        cmocka_unit_test(a_wrong_ca_makes_lines_wait),
        cmocka_unit_test(a_rotation_is_noticed_by_itself),
        cmocka_unit_test(no_trace_of_a_secret_is_left),
        cmocka_unit_test(switched_off_nothing_stays),
    };
    return HARNESS_RUN("credentials", tests, setup, teardown);
}
