/* A real Elasticsearch with https and users: what is said when the certificate or the
 * credential is not right, and that nothing is touched before. One server, a real
 * rsyslogd. */
#include "harness.h"
#include "keeper.h"
#include "sink.h"

#define SOON     20000
#define PASSWORD "pass$word&1"

static struct {
    struct cluster *c;
    struct sink sink;
    char dir[300];
} here;

/* ---- credentials --------------------------------------------------------- */

static void put_credential(const char *name, const char *user, const char *password, bool ca)
{
    char file[100];
    char path[400];
    cJSON *root = cJSON_CreateObject();
    const char *hosts[] = {"127.0.0.0/8"};
    (void)cJSON_AddStringToObject(root, "user", user);
    (void)cJSON_AddStringToObject(root, "password", password);
    (void)cJSON_AddItemToObject(root, "hosts", cJSON_CreateStringArray(hosts, 1));
    (void)snprintf(path, sizeof path, "%.300s", server_path(here.c, 1, "etc/ca.pem"));
    if (ca)
        (void)cJSON_AddStringToObject(root, "ca", path);
    char *text = cJSON_PrintUnformatted(root);
    (void)snprintf(file, sizeof file, "etc/credentials/%s", name);
    server_write(here.c, 1, file, text);
    assert_int_equal(chmod(server_path(here.c, 1, file), 0600), 0);
    cJSON_Delete(root);
    free(text);
}

/* ---- looking ------------------------------------------------------------- */

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

static void ship(const char *credential)
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

static void need_elasticsearch(void)
{
    if (!here.c)
        skip();
}

/* ---- tests --------------------------------------------------------------- */

static void an_unknown_ca_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    ship(NULL);
    wait_said("its certificate is of an unknown CA (TLS): name the CA's file as \"ca\" in "
              "a credential",
              1);
    put_credential("es.json", "writer", PASSWORD, true);
    put_credential("es.read.json", "reader", PASSWORD, false);
    ship("es");
    wait_said("etc/credentials/es.read.json", 1);
    assert_untouched();
}

static void a_wrong_password_is_told_before_anything_is_touched(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "reader", "not-this-one", true);
    wait_said("it does not know the credential in ", 1);
    wait_said("etc/credentials/es.read.json (401)", 1);
    assert_untouched();
}

static void a_missing_right_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "guest", PASSWORD, true);
    wait_said("lacks the index privilege \"read\" on secured (403)", 1);
    assert_untouched();
}

static void with_the_right_ones_records_arrive(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.read.json", "reader", PASSWORD, true);
    wait_said("1 of 1 servers on revision", 0);
    wait_said(", records arrive", 0);
}

/* The shipper's own credential is not known to be wrong before it ships. */
static void a_shipper_that_is_not_let_in_is_told(void **state)
{
    (void)state;
    need_elasticsearch();
    put_credential("es.json", "writer", "not-this-one", true);
    setting_put(here.c, "LOG_LEVEL", "warn");
    wait_said("no probe record of this revision has arrived in Elasticsearch from this "
              "server",
              1);
    wait_said("the log shipper of this server runs, so its queue grows", 1);
    put_credential("es.json", "writer", PASSWORD, true);
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

static int setup(void **state)
{
    char address[40];
    (void)state;
    const char *ci = getenv("CI");
    if (!sink_available("8.6.2")) /* the stand-in has no users' rights */
        return ci && strcmp(ci, "true") == 0 ? -1 : 0;
    here.c = cluster_start(&(struct cluster_options){
        .servers = 1,
        .limits = "confirm=500ms,apply_again=500ms,fresh=5s,patience=0s,proof=2s,"
                  "mapping_stable=1s"});
    (void)snprintf(address, sizeof address, "127.0.%d.9", here.c->net);
    (void)snprintf(here.dir, sizeof here.dir, "%.200s/elasticsearch", keeper_dir());
    server_shipper(here.c, 1, SHIPPER_RSYSLOG, NULL);
    if (sink_start_secure(&here.sink, "8.6.2", address, here.dir, PASSWORD) < 0)
        return -1;
    const char *copy[] = {"/bin/sh", "-c",     "cat \"$1/ca.pem\" >\"$2\"",
                          "sh",      here.dir, server_path(here.c, 1, "etc/ca.pem"),
                          NULL};
    struct outcome o = run_tool(NULL, copy, NULL);
    int code = o.code;
    outcome_release(&o);
    return code;
}

static int teardown(void **state)
{
    (void)state;
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
    };
    return HARNESS_RUN("secured", tests, setup, teardown);
}
