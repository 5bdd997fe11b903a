/* SPDX-License-Identifier: MIT */
/* What the admin sees, as a whole. */
#include "command/status_text.h"
#include "test.h"

#include <stdlib.h>

#define NO (STATUS_NONE)

static struct status_view view;

/* What the catalogue has of four checks; of others nothing, so that they have no column. */
static struct status_server *add(const char *node, const char *server, enum status_role role,
                                 int quorum, int clock, int logging, int beat)
{
    struct status_server *s = &view.server[view.n++];
    *s = (struct status_server){.role = role, .own = strcmp(node, view.node) == 0};
    (void)snprintf(s->node, sizeof s->node, "%s", node);
    (void)snprintf(s->server, sizeof s->server, "%s", server);
    (void)snprintf(s->build, sizeof s->build, "%s", role == STATUS_DOWN ? "" : "1.14.11");
    for (size_t k = 0; k < STATUS_CHECKS; k++)
        s->check[k] = STATUS_NONE;
    s->check[status_check_find("quorum")] = quorum;
    s->check[status_check_find("clock")] = clock;
    s->check[status_check_find("logging")] = logging;
    s->check[status_check_find("heartbeat")] = beat;
    return s;
}

static void say(struct status_server *s, const char *check, const char *text)
{
    (void)snprintf(s->said[status_check_find(check)], STATUS_SAID, "%s", text);
}

static void judge(const char *check, int code, const char *text)
{
    struct status_verdict *v = &view.verdict[status_check_find(check)];
    v->judged = true;
    v->code = code;
    (void)snprintf(v->text, sizeof v->text, "%s", text);
}

static int begin(void **state)
{
    (void)state;
    view = (struct status_view){.node = "print-1", .led = true, .now = 1795847399};
    return 0;
}

static void expect(const char *screen, int code)
{
    struct buffer out = BUFFER_INIT(1U << 20);
    assert_int_equal(status_text(&view, false, &out), 0);
    assert_string_equal(buffer_text(&out), screen);
    assert_int_equal(status_view_code(&view), code);
    for (const char *line = buffer_text(&out); *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 0, 80);
    buffer_release(&out);
}

static void the_cluster_is_whole(void **state)
{
    (void)state;
    (void)add("print-1", "server_1", STATUS_VOTER, 0, 0, 0, 0);
    (void)add("print-2", "server_2", STATUS_LEADER, 0, 0, 0, 0);
    (void)add("print-3", "server_3", STATUS_VOTER, 0, 0, 0, 0);
    judge("quorum", 0, "passing: 3 of 3 servers, 1 may fail\nvoting: server_1, server_2\n");
    judge("clock", 0, "passing: 3 clocks agree within 100 ms\n");
    judge("logging", 0, "passing: 3 of 3 servers on revision 4f2a91, records arrive from all\n");
    expect("seen from print-1, 2026-11-28 06:29:59 UTC: the leader is print-2\n"
           "\n"
           "server   node    role     consul   quorum clock logging beat\n"
           "server_1 print-1 voter    1.14.11  ok     ok    ok      ok\n"
           "server_2 print-2 leader   1.14.11  ok     ok    ok      ok\n"
           "server_3 print-3 voter    1.14.11  ok     ok    ok      ok\n"
           "\n"
           "quorum: passing: 3 of 3 servers, 1 may fail\n"
           "voting: server_1, server_2\n"
           "\n"
           "clock: passing: 3 clocks agree within 100 ms\n"
           "\n"
           "logging: passing: 3 of 3 servers on revision 4f2a91, records arrive from all\n",
           0);
}

/* What everybody says is said once; what is published is older than what is judged. */
static void one_is_down(void **state)
{
    (void)state;
    struct status_server *own = add("print-1", "server_1", STATUS_LEADER, 0, 0, 0, 0);
    struct status_server *two = add("print-2", "server_2", STATUS_VOTER, 1, 0, 1, 2);
    (void)add("print-3", "server_3", STATUS_DOWN, NO, NO, NO, NO);
    say(own, "quorum", "3 of 3 servers, 1 may fail");
    say(two, "quorum", "2 of 3 servers, none may fail: server_3 (node print-3) is down");
    say(two, "logging",
        "2 of 3 servers on revision 4f2a91, but the disk of the log shipper of print-2 is too "
        "full");
    say(two, "heartbeat", "killed");
    judge("quorum", 1,
          "warning: 2 of 3 servers, none may fail: server_3 (node print-3) is down\n"
          "server_3 (node print-3) is down: start it again\n");
    judge("clock", 3, "verify-clock: cannot read KV lictor/clock/: 403\n");
    expect("seen from print-1, 2026-11-28 06:29:59 UTC: the leader is print-1\n"
           "\n"
           "server   node    role     consul   quorum clock logging beat\n"
           "server_1 print-1 leader   1.14.11  WARN   ?     ok      ok\n"
           "server_2 print-2 voter    1.14.11  WARN   ok    WARN    CRIT\n"
           "server_3 print-3 down     ?        ?      ?     ?       ?\n"
           "\n"
           "quorum: warning: 2 of 3 servers, none may fail: server_3 (node print-3) is down\n"
           "server_3 (node print-3) is down: start it again\n"
           "\n"
           "clock: verify-clock: cannot read KV lictor/clock/: 403\n"
           "\n"
           "in the catalogue\n"
           "print-2, logging: warning: 2 of 3 servers on revision 4f2a91, but the disk of\n"
           "  the log shipper of print-2 is too full\n"
           "print-2, heartbeat: critical: killed\n",
           2);
}

static void nobody_leads(void **state)
{
    (void)state;
    view.led = false;
    (void)snprintf(view.uncatalogued, sizeof view.uncatalogued,
                   "no leader: what the catalogue shows is the past");
    (void)add("print-1", "", STATUS_VOTER, NO, NO, NO, NO);
    (void)add("print-2", "", STATUS_DOWN, NO, NO, NO, NO);
    (void)add("print-3", "", STATUS_DOWN, NO, NO, NO, NO);
    judge("quorum", 2, "critical: no leader, 2 more needed\n");
    expect("seen from print-1, 2026-11-28 06:29:59 UTC: no leader is known\n"
           "the checks of the others are not known: no leader: what the catalogue shows is\n"
           "  the past\n"
           "\n"
           "node    role     consul   quorum\n"
           "print-1 voter    1.14.11  CRIT\n"
           "print-2 down     ?        ?\n"
           "print-3 down     ?        ?\n"
           "\n"
           "quorum: critical: no leader, 2 more needed\n",
           2);
}

static void the_agent_does_not_answer(void **state)
{
    (void)state;
    view.node[0] = '\0';
    (void)snprintf(
        view.unreadable, sizeof view.unreadable,
        "cannot reach the Consul agent at http://127.0.0.1:8500: Couldn't connect to server");
    expect("cannot look: cannot reach the Consul agent at http://127.0.0.1:8500: Couldn't\n"
           "  connect to server\n",
           3);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    (void)add("print-server-of-the-north-wing-in-the-second-floor", "server_1", STATUS_LEADER, 0, 0,
              0, 0);
    expect("seen from print-1, 2026-11-28 06:29:59 UTC: the leader is\n"
           "  print-server-of-the-north-wing-in-the-second-floor\n"
           "\n"
           "server   node                        role     consul   quorum clock logging beat\n"
           "server_1 print-server-of-the-north-~ leader   1.14.11  ok     ok    ok      ok\n",
           0);
}

static void colours_are_around_the_words(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT(1U << 20);
    (void)add("print-1", "", STATUS_LEADER, 0, 1, 2, NO);
    assert_int_equal(status_text(&view, true, &out), 0);
    assert_non_null(
        strstr(buffer_text(&out), " \x1b[32mok    \x1b[0m \x1b[33mWARN \x1b[0m \x1b[31mCRIT"));
    buffer_release(&out);
}

static void names_of_checks_are_known(void **state)
{
    (void)state;
    assert_int_equal(status_check_find("quorum"), 0);
    assert_int_equal(status_check_find("cluster:clock"), 1);
    assert_int_equal(status_check_find("cluster"), -1);
    assert_int_equal(status_check_find(""), -1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_cluster_is_whole),
        TEST(one_is_down),
        TEST(nobody_leads),
        TEST(the_agent_does_not_answer),
        TEST(long_names_are_cut),
        TEST(colours_are_around_the_words),
        TEST(names_of_checks_are_known),
    };
    return cmocka_run_group_tests_name("status_text", tests, NULL, NULL);
}
