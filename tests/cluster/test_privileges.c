/* SPDX-License-Identifier: MIT */
/* Must the Consul agent's user be trusted? Handlers as an unprivileged user with
 * no-new-privileges and /etc read-only, apply-logging behind a socket as another user, on
 * a real Consul server: what admins write goes live, what others write does not. */
#include "apart.h"
#include "harness.h"

#define SOON   15000
#define TIMING "patience=1h,loss=2h,confirm=10ms,apply_again=100ms,lock=2s,request=1s"

static pid_t listener;

/* ---- the machine --------------------------------------------------------- */

static void own(struct cluster *c, const char *name, mode_t mode, uid_t user)
{
    (void)mkdir(server_path(c, 1, name), 0700);
    if (chmod(server_path(c, 1, name), mode) < 0 || chown(server_path(c, 1, name), user, user) < 0)
        harness_fail("cannot make %s", name);
}

static void listen_again(struct cluster *c)
{
    char config[300], apply[300];
    (void)snprintf(config, sizeof config, "%s", server_path(c, 1, "etc"));
    (void)snprintf(apply, sizeof apply, "%s", server_path(c, 1, "apply"));
    listener = apart_listen(server_path(c, 1, "run/apply.sock"), config, apply, TIMING);
}

static void stop_listening(struct cluster *c)
{
    (void)kill(listener, SIGKILL);
    (void)waitpid(listener, NULL, 0);
    assert_int_equal(unlink(server_path(c, 1, "run/apply.sock")), 0);
}

static int setup(void **state)
{
    struct cluster *c = cluster_start(
        &(struct cluster_options){.servers = 1, .user = APART_CONSUL, .limits = TIMING});
    *state = c;
    char text[400];
    server_shipper(c, 1, SHIPPER_STAND_IN, NULL);
    own(c, "shipper", 0755, APART_LICTOR);
    own(c, "apply", 0700, APART_LICTOR);
    own(c, "run", 0755, 0);
    (void)snprintf(text, sizeof text, "{\"sources\":{\"seal\":{\"files\":[\"%s/*.log\"]}}}",
                   server_path(c, 1, "log"));
    server_write(c, 1, "etc/policy.json", text);
    (void)snprintf(text, sizeof text, "%s\n", server_path(c, 1, "run/apply.sock"));
    server_write(c, 1, "etc/apply-socket", text);
    listen_again(c);
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

static bool runs_with(void *arg, struct buffer *seen)
{
    void **args = arg;
    char *text = server_read(args[0], 1, "shipper/running.conf");
    char *local = server_read(args[0], 1, "state/logging.json");
    bool done = strstr(text, args[1]) && strstr(local, "\"state\":\"done\"");
    (void)!buffer_printf(seen, "%s%s", text, local);
    free(text);
    free(local);
    return done;
}

static void wait_live(struct cluster *c, const char *text)
{
    void *args[] = {c, (void *)(uintptr_t)text};
    wait_until("the new configuration runs", SOON, runs_with, args);
}

static bool says_well(void *arg, struct buffer *seen)
{
    struct check check;
    if (!check_local(arg, 1, "cluster:logging", &check))
        return false;
    (void)!buffer_printf(seen, "%s %s", check.status, check.output);
    return strstr(check.output, "1 of 1 servers on revision") != NULL;
}

/* Nobody answers at the URLs of this test, which the check tells as well. */
static void wait_well(struct cluster *c)
{
    wait_until("all is as it should be", SOON, says_well, c);
}

static void ship_to(struct cluster *c, const char *host)
{
    char url[100];
    (void)snprintf(url, sizeof url, "http://%s:9200", host);
    settings_put(c, "LOG_ELASTICSEARCH_URL", url, "LOG_SETTLE", "0", "LOG_ROLLOUT", "parallel",
                 NULL); /* nobody asks an Elasticsearch that is none */
    wait_live(c, url);
    wait_well(c);
}

static uid_t owner(struct cluster *c, const char *name)
{
    struct stat st = {0};
    assert_int_equal(stat(server_path(c, 1, name), &st), 0);
    return st.st_uid;
}

static bool status_says(struct cluster *c, const char *line)
{
    char path[64], text[4096] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/status", c->server[1].pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        (void)fclose(f);
    text[n] = '\0';
    return strstr(text, line) != NULL;
}

/* ---- it works ------------------------------------------------------------ */

static void a_kv_write_goes_live(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "es.example");
    assert_int_equal(owner(c, "shipper/shipper.conf"), APART_LICTOR);
    assert_int_equal(owner(c, "state/logging.json"), APART_CONSUL);
    ship_to(c, "other.example");
}

/* That the test has made what it claims to have. */
static void handlers_have_no_privilege(void **state)
{
    struct cluster *c = *state;
    assert_true(status_says(c, "\nUid:\t61002\t61002\t61002\t61002\n"));
    assert_true(status_says(c, "\nNoNewPrivs:\t1\n"));
    assert_true(status_says(c, "\nCapEff:\t0000000000000000\n"));
    assert_int_equal(mkdir("/etc/lictor-test", 0755), -1);
    assert_int_equal(access(server_path(c, 1, "state/apply"), F_OK), -1);
}

static void switching_off_and_on_goes_the_same_way(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_ENABLED", "N");
    for (int i = 0; i < 500 && access(server_path(c, 1, "shipper/shipper.conf"), F_OK) == 0; i++)
        sleep_ms(20);
    assert_int_equal(access(server_path(c, 1, "shipper/shipper.conf"), F_OK), -1);
    setting_put(c, "LOG_ENABLED", "Y");
    ship_to(c, "on.example");
}

static void a_socket_that_is_down_is_told_and_not_gone_around(void **state)
{
    struct cluster *c = *state;
    stop_listening(c);
    setting_put(c, "LOG_ELASTICSEARCH_URL", "http://down.example");
    wait_check(c, 1, "cluster:logging", "warning", "nobody answers at", SOON);
    char *text = server_read(c, 1, "shipper/running.conf");
    assert_null(strstr(text, "down.example"));
    free(text);
    listen_again(c);
    ship_to(c, "up.example");
}

/* ---- hostile writers of KV ----------------------------------------------- */

static const struct {
    const char *attack, *key, *value, *said;
} writes[] = {
    {"loopback", "LOG_ELASTICSEARCH_URL", "http://127.0.0.1:9200", "is not allowed"},
    {"loopback in IPv6", "LOG_ELASTICSEARCH_URL", "http://[::ffff:127.0.0.1]:9200",
     "is not allowed"},
    {"loopback, octal", "LOG_ELASTICSEARCH_URL", "http://0177.1", "rejected"},
    {"another port", "LOG_ELASTICSEARCH_URL", "http://es.example:22", "port 22 is not allowed"},
    {"a password", "LOG_ELASTICSEARCH_URL", "http://admin:secret@es.example", "rejected"},
    {"a configuration", "LOG_INDEX", "x\"\nmodule(load=\"omprog\")\n#", "LOG_INDEX"},
    {"a shell", "LOG_INDEX", "$(id)", "LOG_INDEX"},
    {"a path as source", "LOG_SOURCES", "/etc/shadow", "LOG_SOURCES"},
    {"a source root did not name", "LOG_SOURCES", "shadow", "shadow is not allowed"},
    {"an endless wait", "LOG_SETTLE", "1000d", "LOG_SETTLE"},
};

static void hostile_values_are_refused_and_named(void **state)
{
    struct cluster *c = *state;
    ship_to(c, "kept.example");
    size_t before = shipper_calls(c, 1, "restart");
    for (size_t i = 0; i < COUNT(writes); i++) {
        print_message("  %s\n", writes[i].attack);
        setting_put(c, writes[i].key, writes[i].value);
        wait_check(c, 1, "cluster:logging", "warning", writes[i].said, SOON);
        setting_put(c, "LOG_ELASTICSEARCH_URL", "http://kept.example:9200");
        if (strcmp(writes[i].key, "LOG_SETTLE") == 0)
            setting_put(c, "LOG_SETTLE", "0");
        else if (strcmp(writes[i].key, "LOG_ELASTICSEARCH_URL") != 0)
            setting_delete(c, writes[i].key);
        wait_well(c);
    }
    assert_int_equal(shipper_calls(c, 1, "restart"), before);
    wait_live(c, "URL=http://kept.example:9200\n");
}

/* Half a megabyte, records of servers that are none, keys like paths. */
static void strange_keys_are_no_way_in(void **state)
{
    struct cluster *c = *state;
    char *huge = malloc(400001);
    assert_non_null(huge);
    memset(huge, 'x', 400000);
    huge[400000] = '\0';
    size_t before = shipper_calls(c, 1, "restart");
    kv_put(c, HARNESS_ROOT "/service/cluster/tag/any/LOG_INDEX", huge);
    wait_check(c, 1, "cluster:logging", "warning", "LOG_INDEX", SOON);
    setting_delete(c, "LOG_INDEX");
    kv_put(c, "lictor/logging/server-1", huge);
    kv_put(c, "lictor/logging/etc/passwd", "{\"v\":1}");
    kv_put(c, HARNESS_ROOT "/service/cluster/tag/any/LOG_x/y", "z");
    wait_check(c, 1, "cluster:logging", "warning", "LOG_x/y: there is no setting", SOON);
    kv_delete_prefix(c, "lictor/logging/etc");
    setting_delete(c, "LOG_x/y");
    wait_well(c);
    assert_int_equal(shipper_calls(c, 1, "restart"), before);
    free(huge);
    ship_to(c, "calm.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kv_write_goes_live),
        cmocka_unit_test(handlers_have_no_privilege),
        cmocka_unit_test(switching_off_and_on_goes_the_same_way),
        cmocka_unit_test(a_socket_that_is_down_is_told_and_not_gone_around),
        cmocka_unit_test(hostile_values_are_refused_and_named),
        cmocka_unit_test(strange_keys_are_no_way_in),
    };
    apart_enter();
    return HARNESS_RUN("privileges", tests, setup, cluster_tear_down);
}
