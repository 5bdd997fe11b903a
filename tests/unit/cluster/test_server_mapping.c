/* SPDX-License-Identifier: MIT */
#include "cluster/server_mapping.h"

#include "test.h"

#define ONE(server, node, id) "{\"server\":\"" server "\",\"node\":\"" node "\",\"id\":\"" id "\"}"
#define RECORD(servers)       "{\"v\":1,\"servers\":[" servers "]}"
#define TEN                   "aaaaaaaaaa"
#define HUNDRED               TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void a_record_is_read_and_written_the_same(void **state)
{
    (void)state;
    const char *text = RECORD(ONE("server_1", "n1", "1-a") "," ONE(
        "server_2", "N-2.x_y", "[::1]:8300") "," ONE("server_10", "n10", "1-c"));
    struct server_mapping mapping;
    struct error err = {0};
    struct buffer out = BUFFER_INIT(4096);
    assert_int_equal(server_mapping_parse(text, strlen(text), &mapping, &err), 0);
    assert_int_equal(mapping.n, 3);
    assert_string_equal(mapping.entry[1].server, "server_2");
    assert_string_equal(mapping.entry[1].node, "N-2.x_y");
    assert_string_equal(mapping.entry[1].id, "[::1]:8300");
    assert_int_equal(server_mapping_render(&mapping, &out), 0);
    assert_string_equal(buffer_text(&out), text);
    buffer_release(&out);
}

static void a_record_is_sorted_by_number(void **state)
{
    (void)state;
    const char *text = RECORD(
        ONE("server_10", "a", "1") "," ONE("server_9", "b", "2") "," ONE("server_1", "c", "3"));
    struct server_mapping mapping;
    assert_int_equal(server_mapping_parse(text, strlen(text), &mapping, NULL), 0);
    assert_string_equal(mapping.entry[0].server, "server_1");
    assert_string_equal(mapping.entry[1].server, "server_9");
    assert_string_equal(mapping.entry[2].server, "server_10");
}

static void unknown_members_are_accepted(void **state)
{
    (void)state;
    const char *text = "{\"v\":1,\"by\":\"me\",\"servers\":[{\"server\":\"server_1\","
                       "\"node\":\"a\",\"id\":\"1\",\"note\":null}]}";
    struct server_mapping mapping;
    assert_int_equal(server_mapping_parse(text, strlen(text), &mapping, NULL), 0);
    assert_int_equal(mapping.n, 1);
}

static const struct {
    const char *text;
    const char *error; /* NULL: the text is another module's */
} damaged[] = {
    {"", NULL},
    {"null", NULL},
    {"[]", NULL},
    {"{}", NULL},
    {"{\"v\":1}", NULL},
    {"{\"v\":\"1\",\"servers\":[]}", NULL},
    {"{\"v\":1,\"servers\":{}}", NULL},
    {RECORD(ONE("server_1", "a", "1")) "x", NULL},
    {"{\"v\":2,\"servers\":[" ONE("server_1", "a", "1") "]}", "version 2 is not known"},
    {RECORD(""), "it names no server"},
    {RECORD("null"), "a server is not named server_1, server_2, ..."},
    {RECORD("\"server_1\""), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_0", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_01", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_1000", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_1 ", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("Server_1", "a", "1")), "a server is not named server_1, server_2, ..."},
    {RECORD(ONE("server_1", "", "1")), "server_1 has a node name outside [A-Za-z0-9_.-]{1,128}"},
    {RECORD(ONE("server_1", "a b", "1")), "server_1 has a node name outside [A-Za-z0-9_.-]{1,128}"},
    {RECORD(ONE("server_1", "a%s", "1")), "server_1 has a node name outside [A-Za-z0-9_.-]{1,128}"},
    {RECORD(ONE("server_1", "\\u001b[2J", "1")),
     "server_1 has a node name outside [A-Za-z0-9_.-]{1,128}"},
    {RECORD(ONE("server_1", HUNDRED TEN TEN "aaaaaaaaa", "1")),
     "server_1 has a node name outside [A-Za-z0-9_.-]{1,128}"},
    {RECORD(ONE("server_1", "a", "")), "server_1 has no usable node ID"},
    {RECORD(ONE("server_1", "a", "1;2")), "server_1 has no usable node ID"},
    {RECORD(ONE("server_1", "a", HUNDRED)), "server_1 has no usable node ID"},
    {RECORD(ONE("server_1", "a", "1") "," ONE("server_1", "b", "2")),
     "server_1 or its node is in it twice"},
    {RECORD(ONE("server_1", "a", "1") "," ONE("server_2", "A", "2")),
     "server_2 or its node is in it twice"},
};

static void what_is_damaged_is_refused_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(damaged); i++) {
        struct server_mapping mapping;
        struct error err = {0};
        const char *text = damaged[i].text;
        int rc = server_mapping_parse(text, strlen(text), &mapping, &err);
        if (damaged[i].error)
            assert_string_equal(err.text, damaged[i].error);
        assert_string_not_equal(err.text, "");
        assert_int_equal(rc, -EBADMSG);
        assert_int_equal(mapping.n, 0);
    }
}

static void too_many_servers_are_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT(65536);
    struct server_mapping mapping;
    struct error err = {0};
    assert_int_equal(buffer_printf(&text, "{\"v\":1,\"servers\":["), 0);
    for (int i = 1; i <= SETTINGS_SERVERS + 1; i++)
        assert_int_equal(
            buffer_printf(&text, "%s" ONE("server_%d", "n%d", "%d"), i > 1 ? "," : "", i, i, i), 0);
    assert_int_equal(buffer_printf(&text, "]}"), 0);
    assert_int_equal(server_mapping_parse(text.data, text.len, &mapping, &err), -EBADMSG);
    assert_string_equal(err.text, "more than 51 servers");
    buffer_release(&text);
}

static void entries_are_found(void **state)
{
    (void)state;
    const char *text = RECORD(ONE("server_1", "n1", "1-a") "," ONE("server_2", "n2", "1-b"));
    struct server_mapping mapping;
    assert_int_equal(server_mapping_parse(text, strlen(text), &mapping, NULL), 0);
    assert_ptr_equal(server_mapping_node(&mapping, "N2"), &mapping.entry[1]);
    assert_ptr_equal(server_mapping_id(&mapping, "1-b"), &mapping.entry[1]);
    assert_ptr_equal(server_mapping_server(&mapping, "server_2"), &mapping.entry[1]);
    assert_null(server_mapping_node(&mapping, "n"));
    assert_null(server_mapping_id(&mapping, "1-B"));
    assert_null(server_mapping_server(&mapping, "server_3"));
    assert_null(server_mapping_node(NULL, "n1"));
    assert_null(server_mapping_id(NULL, "1-a"));
    assert_null(server_mapping_server(NULL, "server_1"));
}

static void a_full_buffer_is_reported(void **state)
{
    (void)state;
    struct server_mapping mapping = {.entry = {{"server_1", "a", "1"}}, .n = 1};
    struct buffer out = BUFFER_INIT(10);
    assert_int_equal(server_mapping_render(&mapping, &out), -EMSGSIZE);
    assert_string_equal(buffer_text(&out), "");
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_and_written_the_same),
        cmocka_unit_test(a_record_is_sorted_by_number),
        cmocka_unit_test(unknown_members_are_accepted),
        cmocka_unit_test(what_is_damaged_is_refused_whole),
        cmocka_unit_test(too_many_servers_are_refused),
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(a_full_buffer_is_reported),
    };
    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
