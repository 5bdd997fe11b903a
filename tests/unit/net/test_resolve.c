/* SPDX-License-Identifier: MIT */
#include "net/resolve.h"

#include "base/boottime.h"
#include "test.h"

#define PLENTY_MS 20000

static char program[] = "/tmp/test-resolve-XXXXXX";

/* A getent that does what `script` says. */
static void write_getent(const char *script)
{
    FILE *f = fopen(program, "w");
    if (!f || fprintf(f, "#!/bin/sh\n%s\n", script) < 0 || fclose(f) != 0 ||
        chmod(program, 0700) < 0)
        fail_msg("cannot write %s", program);
}

static const char *joined(const struct resolve_result *r)
{
    static char text[500];
    text[0] = '\0';
    for (size_t i = 0; i < r->n; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                       r->address[i]);
    return text;
}

static const struct {
    const char *script; /* of getent */
    const char *addresses, *text;
} rows[] = {
    {"[ \"$*\" = 'ahosts -- host' ] && echo 10.0.0.1", "10.0.0.1", ""},
    {"printf '10.0.0.1 STREAM host\\n10.0.0.1  DGRAM\\n10.0.0.1 RAW\\n'", "10.0.0.1", ""},
    {"printf 'fd00::1 STREAM host\\nfd00::1 DGRAM\\n10.0.0.2 STREAM\\n'", "fd00::1 10.0.0.2", ""},
    {"for i in 1 2 3 4 5 6; do echo 10.0.0.$i STREAM; done", "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4",
     ""},
    {"printf '10.0.0.1'", "10.0.0.1", ""},
    {"printf '10.0.0.1\\tSTREAM\\n'", "10.0.0.1", ""},
    {"printf 'fe80::1%%eth0 STREAM\\n10.0.0.1 STREAM\\n'", "10.0.0.1", ""},
    {"printf '127.1 STREAM\\n10.0.0.256 RAW\\n; id\\n'", "", "cannot be resolved"},
    {"printf '\\0\\377\\n10.0.0.1'", "", "cannot be resolved"},
    {"yes '999999999999999999999999999999999999999999999999999999999999999' | "
     "head -c 100000",
     "", "cannot be resolved"},
    {"echo 10.0.0.1; exit 2", "", "cannot be resolved"},
    {"echo 10.0.0.1; kill -9 $$", "", "cannot be resolved"},
    {"exit 2", "", "cannot be resolved"},
    {"exit 0", "", "cannot be resolved"},
    {"echo 10.0.0.1 >&2", "", "cannot be resolved"},
    {"echo ${RES_OPTIONS-10.0.0.1}", "10.0.0.1", ""}, /* a clean environment */
};

static void what_getent_prints_is_read(void **state)
{
    (void)state;
    static const char *const hosts[] = {"host"};
    (void)setenv("RES_OPTIONS", "debug", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resolve_result r;
        write_getent(rows[i].script);
        assert_int_equal(resolve_hosts(program, hosts, 1, PLENTY_MS, &r, NULL), 0);
        assert_string_equal(joined(&r), rows[i].addresses);
        assert_string_equal(r.text, rows[i].text);
    }
    (void)unsetenv("RES_OPTIONS");
}

static void addresses_need_no_child(void **state)
{
    (void)state;
    static const char *const hosts[] = {"10.0.0.1", "fd00::1"};
    struct resolve_result r[2];
    assert_int_equal(resolve_hosts("/nowhere/getent", hosts, 2, PLENTY_MS, r, NULL), 0);
    assert_string_equal(joined(&r[0]), "10.0.0.1");
    assert_string_equal(joined(&r[1]), "fd00::1");
    assert_int_equal(resolve_hosts("/nowhere/getent", NULL, 0, PLENTY_MS, r, NULL), 0);
}

static void a_resolver_that_hangs_is_ended(void **state)
{
    (void)state;
    static const char *const hosts[] = {"slow", "10.0.0.1", "fast"};
    struct resolve_result r[3];
    write_getent("[ $3 = fast ] && echo 10.0.0.3 && exit\nexec sleep 60");
    int64_t start = boottime_ms();
    assert_int_equal(resolve_hosts(program, hosts, 3, 1000, r, NULL), 0);
    assert_in_range(boottime_ms() - start, 1000, 10000);
    assert_string_equal(joined(&r[0]), "");
    assert_string_equal(r[0].text, "cannot be resolved in time");
    assert_string_equal(joined(&r[1]), "10.0.0.1");
    assert_string_equal(joined(&r[2]), "10.0.0.3");
}

static void without_getent_it_is_named(void **state)
{
    (void)state;
    static const char *const hosts[] = {"host"};
    struct resolve_result r;
    assert_int_equal(resolve_hosts("/nowhere/getent", hosts, 1, PLENTY_MS, &r, NULL), 0);
    assert_string_equal(r.text, "cannot be resolved: no getent(1): No such file or directory");
}

static void the_real_one_knows_localhost(void **state)
{
    (void)state;
    static const char *const hosts[] = {"localhost", "name.invalid"};
    struct resolve_result r[2];
    assert_int_equal(resolve_hosts(RESOLVE_GETENT, hosts, 2, PLENTY_MS, r, NULL), 0);
    assert_true(strstr(joined(&r[0]), "127.0.0.1") || strstr(joined(&r[0]), "::1"));
    assert_int_equal(r[1].n, 0);
    assert_memory_equal(r[1].text, "cannot be resolved", 18); /* or not in time */
}

static int setup(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = mkstemp(program);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_getent_prints_is_read),
        cmocka_unit_test(addresses_need_no_child),
        cmocka_unit_test(a_resolver_that_hangs_is_ended),
        cmocka_unit_test(without_getent_it_is_named),
        cmocka_unit_test(the_real_one_knows_localhost),
    };
    return cmocka_run_group_tests_name("resolve", tests, setup, teardown);
}
