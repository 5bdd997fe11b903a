/* SPDX-License-Identifier: MIT */
#include "shipper/retired_shippers.h"

#include "scratch.h"
#include "test.h"

/* A definition whose commands are this program. */
static void add(struct shipper_config_list *list, const char *name, const char *program)
{
    char text[1000], path[100];
    struct error err = {0};
    (void)snprintf(path, sizeof path, "/etc/lictor/logging.d/%s.json", name);
    (void)snprintf(text, sizeof text,
                   "{\"template\":\"t\",\"escape\":\"yaml\",\"destination\":\"/d/%s.conf\","
                   "\"reload\":[\"%s\",\"reload\"],\"confirm\":[\"%s\"],\"stop\":[\"%s\",\"%s\"]}",
                   name, program, program, program, name);
    assert_int_equal(shipper_config_parse(text, strlen(text), path, &list->shipper[list->n], &err),
                     0);
    list->n++;
}

/* Which are retired when only `present` is configured; "" none. Returns ret. */
static const char *retired(const char *present, char ret[100])
{
    static struct shipper_config_list list;
    struct error err = {0};
    size_t n = 0;
    list = (struct shipper_config_list){.n = 0};
    if (*present)
        add(&list, present, "/bin/true");
    assert_int_equal(retired_shippers_add(scratch_dir, &list, &err), 0);
    *ret = '\0';
    for (size_t i = *present ? 1 : 0; i < list.n; i++) {
        assert_true(list.shipper[i].retired);
        n += (size_t)snprintf(ret + n, 100 - n, "%s ", list.shipper[i].stop[1]);
    }
    shipper_config_release(&list);
    return ret;
}

static void note(const char *const *names, size_t n, const char *program, bool done)
{
    static struct shipper_config_list list;
    struct error err = {0};
    list = (struct shipper_config_list){.n = 0};
    for (size_t i = 0; i < n; i++)
        add(&list, names[i], program);
    list.shipper[0].retired = done;
    assert_int_equal(retired_shippers_note(scratch_dir, &list, done, &err), 0);
    shipper_config_release(&list);
}

static void what_is_not_configured_any_more_is_retired(void **state)
{
    (void)state;
    char seen[100];
    static const char *const both[] = {"a", "b"};
    assert_string_equal(retired("a", seen), "");
    note(both, 2, "/bin/true", false);
    assert_string_equal(retired("a", seen), "b ");
    assert_string_equal(retired("b", seen), "a ");
    assert_string_equal(retired("c", seen), "a b ");
}

static void once_it_is_stopped_it_is_forgotten(void **state)
{
    (void)state;
    char seen[100];
    static const char *const both[] = {"a", "b"};
    note(both, 2, "/bin/true", false);
    note(both, 2, "/bin/true", true);
    assert_string_equal(retired("c", seen), "b ");
}

static void what_cannot_be_trusted_or_read_is_as_none(void **state)
{
    (void)state;
    char seen[100];
    static const char *const one[] = {"a"};
    scratch_put("program", "#!/bin/sh\n", 0777);
    assert_int_equal(chmod(scratch_at("program"), 0777), 0);
    note(one, 1, scratch_at("program"), false);
    assert_string_equal(retired("c", seen), "");
    note(one, 1, "/no/such/program", false);
    assert_string_equal(retired("c", seen), "");
    static const char *const damaged[] = {"", "{", "{\"shippers\":7}", "{\"shippers\":[7,{}]}",
                                          "{\"shippers\":[{\"path\":\"/x\",\"definition\":{}}]}"};
    for (size_t i = 0; i < COUNT(damaged); i++) {
        scratch_put(RETIRED_SHIPPERS_FILE, damaged[i], 0600);
        assert_string_equal(retired("c", seen), "");
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(what_is_not_configured_any_more_is_retired),
        IN_SCRATCH(once_it_is_stopped_it_is_forgotten),
        IN_SCRATCH(what_cannot_be_trusted_or_read_is_as_none),
    };
    return cmocka_run_group_tests_name("retired_shippers", tests, NULL, NULL);
}
