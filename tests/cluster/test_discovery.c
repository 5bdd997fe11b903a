/* SPDX-License-Identifier: MIT */
/* LOG_ELASTICSEARCH_URL=consul:es on real servers: it follows the passing instances of the
 * service, keeps the last ones when none is left, and takes nothing that policy would not
 * take from KV. */
#include "harness.h"

#define SOON 15000

/* By then what a change of a setting itself has started has ended: only the heartbeat looks. */
#define CALM_MS 2000

static int setup(void **state)
{
    struct cluster *c = cluster_start(&(struct cluster_options){
        .discover = "es", .limits = "confirm=0s,apply_again=100ms,mapping_stable=1s"});
    *state = c;
    for (int i = 1; i <= 3; i++) {
        server_shipper(c, i, SHIPPER_STAND_IN, NULL);
        server_write(c, i, "etc/policy.json", "{}"); /* no loopback */
    }
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

/* With server i's agent; more: members of the registration, each behind a comma. */
static void offer(struct cluster *c, int i, const char *service, const char *id,
                  const char *address, int port, const char *more)
{
    char body[1000];
    (void)snprintf(body, sizeof body,
                   "{\"Name\":\"%s\",\"ID\":\"%s\",\"Address\":\"%s\",\"Port\":%d%s}", service, id,
                   address, port, more);
    assert_int_equal(http(c, i, "PUT", "/v1/agent/service/register", body, NULL), 200);
}

static void withdraw(struct cluster *c, int i, const char *id)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/v1/agent/service/deregister/%s", id);
    assert_int_equal(http(c, i, "PUT", path, "", NULL), 200);
}

struct wanted {
    struct cluster *c;
    const char *lines;
};

static bool runs_with(void *arg, struct buffer *seen)
{
    const struct wanted *w = arg;
    bool all = true;
    for (int i = 1; i <= 3; i++) {
        char *text = server_read(w->c, i, "shipper/running.conf");
        const char *urls = strstr(text, "URL=");
        all = all && urls && strncmp(urls, w->lines, strlen(w->lines)) == 0;
        (void)!buffer_printf(seen, "%s", text);
        free(text);
    }
    return all;
}

/* All three shippers run with these lines URL=..., and no more of them. */
static void wait_urls(struct cluster *c, const char *lines)
{
    char text[1000];
    struct wanted w = {c, text};
    (void)snprintf(text, sizeof text, "%sFILE=", lines);
    wait_until(lines, SOON, runs_with, &w);
}

struct said {
    struct cluster *c;
    int server;
    const char *text, *not_text;
};

static bool says(void *arg, struct buffer *seen)
{
    const struct said *s = arg;
    struct check check;
    if (!check_local(s->c, s->server, "cluster:logging", &check))
        return false;
    (void)!buffer_printf(seen, "%s %s", check.status, check.output);
    return output_says(check.output, s->text) && !output_says(check.output, s->not_text);
}

/* All checks say this and not that. Nobody answers at these URLs, which is told as well. */
static void wait_said(struct cluster *c, const char *text, const char *not_text)
{
    for (int i = 1; i <= 3; i++) {
        struct said s = {c, i, text, not_text};
        wait_until(text, SOON, says, &s);
    }
}

#define WELL "3 of 3 servers on revision"

static void wait_well(struct cluster *c)
{
    wait_said(c, WELL, "service es");
}

/* ---- following ----------------------------------------------------------- */

static void the_instances_become_the_urls(void **state)
{
    struct cluster *c = *state;
    offer(c, 2, "es", "es-2", "es2.example", 9200, "");
    offer(c, 1, "es", "es-1", "es1.example", 9200, "");
    settings_put(c, "LOG_ELASTICSEARCH_URL", "consul:es", "LOG_ROLLOUT", "parallel", "LOG_SETTLE",
                 "0", NULL);
    wait_urls(c, "URL=http://es1.example:9200\nURL=http://es2.example:9200\n");
    wait_well(c);
}

static void one_more_and_one_less_are_followed(void **state)
{
    struct cluster *c = *state;
    offer(c, 3, "es", "es-3", "es3.example", 443, ",\"Tags\":[\"https\"]");
    wait_urls(c, "URL=http://es1.example:9200\nURL=http://es2.example:9200\n"
                 "URL=https://es3.example:443\n");
    withdraw(c, 1, "es-1");
    wait_urls(c, "URL=http://es2.example:9200\nURL=https://es3.example:443\n");
    wait_well(c);
}

static void one_that_does_not_pass_is_none(void **state)
{
    struct cluster *c = *state;
    offer(c, 1, "es", "es-1", "es1.example", 9200,
          ",\"Check\":{\"TTL\":\"60s\",\"Status\":\"critical\"}");
    withdraw(c, 3, "es-3");
    wait_urls(c, "URL=http://es2.example:9200\n");
    assert_int_equal(http(c, 1, "PUT", "/v1/agent/check/pass/service:es-1", "", NULL), 200);
    wait_urls(c, "URL=http://es1.example:9200\nURL=http://es2.example:9200\n");
}

static void without_any_the_last_ones_stay(void **state)
{
    struct cluster *c = *state;
    wait_well(c);
    withdraw(c, 1, "es-1");
    wait_urls(c, "URL=http://es2.example:9200\n");
    size_t before = shipper_calls(c, 0, "restart");
    withdraw(c, 2, "es-2");
    wait_said(c, "service es has no passing instance: those from before are kept",
              "settings rejected");
    wait_urls(c, "URL=http://es2.example:9200\n");
    assert_int_equal(shipper_calls(c, 0, "restart"), before);
    offer(c, 2, "es", "es-2", "es2.example", 9200, "");
    wait_well(c);
    assert_int_equal(shipper_calls(c, 0, "restart"), before);
}

/* Nobody has a watch on it: the heartbeat looks. */
static void a_service_without_a_watch_is_followed_more_slowly(void **state)
{
    struct cluster *c = *state;
    offer(c, 1, "other", "other-1", "o1.example", 9200, "");
    setting_put(c, "LOG_ELASTICSEARCH_URL", "consul:other");
    wait_urls(c, "URL=http://o1.example:9200\n");
    wait_well(c);
    sleep_ms(CALM_MS);
    offer(c, 1, "other", "other-2", "o2.example", 9200, "");
    wait_urls(c, "URL=http://o1.example:9200\nURL=http://o2.example:9200\n");
    setting_put(c, "LOG_ELASTICSEARCH_URL", "consul:es");
    wait_urls(c, "URL=http://es2.example:9200\n");
}

static void a_service_nobody_offers_changes_nothing(void **state)
{
    struct cluster *c = *state;
    setting_put(c, "LOG_ELASTICSEARCH_URL", "consul:nobody");
    wait_said(c, "settings rejected", WELL);
    wait_said(c, "service nobody has no passing instance", WELL);
    wait_urls(c, "URL=http://es2.example:9200\n");
    setting_put(c, "LOG_ELASTICSEARCH_URL", "consul:es");
    wait_well(c);
}

/* ---- hostile registrations ----------------------------------------------- */

static const struct {
    const char *attack, *address;
    int port;
    const char *more, *said;
} evil[] = {
    {"loopback", "127.0.0.1", 9200, "", "127.0.0.1"},
    {"loopback in IPv6", "::ffff:127.0.0.1", 9200, "", "127.0.0.1"},
    {"link-local", "169.254.169.254", 9200, "", "169.254.169.254"},
    {"a number", "2130706433", 9200, "", "its address"},
    {"quotes", "10.0.0.1\\\"] server=[\\\"evil.example", 9200, "", "its address"},
    {"a line", "10.0.0.1\\nURL=evil", 9200, "", "its address"},
    {"a user part", "es2.example@evil.example", 9200, "", "its address"},
    {"a port root did not name", "evil.example", 22, "", "port 22"},
    {"no port", "evil.example", 0, "", "it has no port"},
    {"a scheme", "evil.example", 9200, ",\"Meta\":{\"scheme\":\"file\"}", "its scheme"},
};

static struct outcome verify(struct cluster *c)
{
    const char *argv[] = {"verify-logging", NULL};
    return server_run(c, 1, NULL, argv);
}

static bool verified(void *arg, struct buffer *seen)
{
    const struct said *s = arg;
    struct outcome o = verify(s->c);
    bool holds = output_says(o.out, s->text) && !output_says(o.out, s->not_text);
    (void)!buffer_printf(seen, "%s", o.out);
    outcome_release(&o);
    return holds;
}

static void what_policy_forbids_is_not_followed(void **state)
{
    struct cluster *c = *state;
    size_t before = shipper_calls(c, 0, "restart");
    for (size_t i = 0; i < COUNT(evil); i++) {
        struct said told = {c, 1, evil[i].said, "settings rejected"};
        struct said well = {c, 1, WELL, "service es"};
        print_message("  %s\n", evil[i].attack);
        offer(c, 3, "es", "evil", evil[i].address, evil[i].port, evil[i].more);
        wait_until(evil[i].said, SOON, verified, &told);
        withdraw(c, 3, "evil");
        wait_until(WELL, SOON, verified, &well);
    }
    wait_urls(c, "URL=http://es2.example:9200\n");
    assert_int_equal(shipper_calls(c, 0, "restart"), before);
}

/* Allowed, but so many that one cannot know which are meant. */
static void a_flood_of_instances_changes_nothing(void **state)
{
    struct cluster *c = *state;
    char id[20], address[20];
    size_t before = shipper_calls(c, 0, "restart");
    settings_put(c, "LOG_SETTLE", "3s", NULL);
    wait_well(c);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "flood-%d", i);
        (void)snprintf(address, sizeof address, "10.6.6.%d", i + 1);
        offer(c, 3, "es", id, address, 9200, "");
    }
    wait_said(c, "service es has more than 16 passing instances", "settings rejected");
    for (int i = 0; i < 200; i++) {
        (void)snprintf(id, sizeof id, "flood-%d", i);
        withdraw(c, 3, id);
    }
    wait_well(c);
    wait_urls(c, "URL=http://es2.example:9200\n");
    print_message("%zu restarts\n", shipper_calls(c, 0, "restart") - before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_instances_become_the_urls),
        cmocka_unit_test(one_more_and_one_less_are_followed),
        cmocka_unit_test(one_that_does_not_pass_is_none),
        cmocka_unit_test(without_any_the_last_ones_stay),
        cmocka_unit_test(a_service_without_a_watch_is_followed_more_slowly),
        cmocka_unit_test(a_service_nobody_offers_changes_nothing),
        cmocka_unit_test(what_policy_forbids_is_not_followed),
        cmocka_unit_test(a_flood_of_instances_changes_nothing),
    };
    return HARNESS_RUN("discovery", tests, setup, cluster_tear_down);
}
