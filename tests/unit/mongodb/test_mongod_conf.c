/* SPDX-License-Identifier: MIT */
#include "mongodb/mongod_conf.h"

#include "test.h"

static const struct {
    const char *text;
    const char *bind;
    const char *set;
    int port; /* 0 stands for 27017 */
    bool everywhere;
} files[] = {
    {.text = ""},
    {.text = "net:\n  port: 27018\n  bindIp: 0.0.0.0\nreplication:\n  replSetName: rs\n",
     .port = 27018,
     .bind = "0.0.0.0",
     .everywhere = true,
     .set = "rs"},
    {.text = "# all of it\nnet:   # where\n    bindIp: \"127.0.0.1,10.0.0.1\"  # two\r\n"
             "    tls:\n        port: 5\n    port: 1\r\n",
     .port = 1,
     .bind = "127.0.0.1,10.0.0.1"},
    {.text = "net:\n  bindIp: 127.0.0.1, ::\n", .bind = "127.0.0.1, ::", .everywhere = true},
    {.text = "net:\n  bindIpAll: true\n", .everywhere = true},
    {.text = "net:\n  bindIpAll: false\n"},
    {.text = "net:\n  bindIp: '*'\n", .bind = "*", .everywhere = true},
    {.text = "net.port: 27019\nnet.bindIp: 10.0.0.1\nreplication.replSetName: p5\n",
     .port = 27019,
     .bind = "10.0.0.1",
     .set = "p5"},
    {.text = "port = 27020\nbind_ip = 0.0.0.0\nreplSet = rs\n",
     .port = 27020,
     .bind = "0.0.0.0",
     .everywhere = true,
     .set = "rs"},
    {.text = "storage:\n  port: 1\n  replSetName: x\nnet:\n"},
    {.text = "net:\n  port: 70000\n  bindIp\n- a: b\n:\n=\n   \n"},
    {.text = "net: {port: 27021}\n"},
    {.text = "a:\n b:\n  c:\n   d:\n    e:\n     f:\n      g:\n       h: 1\nnet:\n  port: 2\n",
     .port = 2},
    {.text = "replication:\n  replSetName: r#s\n", .set = "r#s"},
    {.text = "replication:\n  replSetName: \"r s\" # x\n", .set = "r s"},
    {.text = "net:\n  port: 3", .port = 3},
};

static void what_is_understood_is_taken_the_rest_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct mongod_conf conf;
        mongod_conf_parse(files[i].text, strlen(files[i].text), &conf);
        assert_int_equal(conf.port, files[i].port ? files[i].port : 27017);
        assert_string_equal(conf.bind, files[i].bind ? files[i].bind : "");
        assert_string_equal(conf.set, files[i].set ? files[i].set : "");
        assert_int_equal(conf.everywhere, files[i].everywhere);
    }
}

static void any_bytes_are_harmless(void **state)
{
    (void)state;
    static const char bytes[] = "net:port bindIp=\n\n\n \t#'\"0.\xff\0-";
    char text[2000];
    struct mongod_conf conf;
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 1664525 + 1013904223;
            text[i] = bytes[(seed >> 24) % (sizeof bytes - 1)];
        }
        mongod_conf_parse(text, sizeof text, &conf);
        assert_in_range(conf.port, 1, 65535);
    }
}

static void a_file_that_is_not_there_gives_the_defaults(void **state)
{
    struct mongod_conf conf;
    struct error err = {0};
    char path[300];
    (void)state;
    (void)snprintf(path, sizeof path, "/nowhere/mongod.conf");
    assert_int_equal(mongod_conf_read(path, &conf, &err), -ENOENT);
    assert_int_equal(conf.port, 27017);
    assert_string_equal(conf.set, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_understood_is_taken_the_rest_passed_over),
        cmocka_unit_test(any_bytes_are_harmless),
        cmocka_unit_test(a_file_that_is_not_there_gives_the_defaults),
    };
    return cmocka_run_group_tests_name("mongod_conf", tests, NULL, NULL);
}
