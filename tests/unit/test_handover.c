#include "handover.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define ROOT "dc/home/env"
#define AT   ROOT "/service/cluster/tag/any/"

static void only_the_log_settings_are_handed_over(void **state)
{
    (void)state;
    struct kv_list list = {0};
    assert_int_equal(kv_add(&list, AT "CLUSTER_GRACE", "1m", 2, 1), 0);
    assert_int_equal(kv_add(&list, AT "LOG_LEVEL", "warn", 4, 2), 0);
    assert_int_equal(kv_add(&list, "other/service/cluster/tag/any/LOG_X", "1", 1, 3),
                     0);
    char *text = handover_request(&list, ROOT);
    assert_string_equal(text, "{\"v\":1,\"settings\":{\"LOG_LEVEL\":\"warn\"}}");
    cJSON_free(text);
    kv_release(&list);
}

static void a_value_with_a_nul_is_not_cut_short(void **state)
{
    (void)state;
    struct kv_list list = {0};
    assert_int_equal(kv_add(&list, AT "LOG_LEVEL", "warn\0x", 6, 2), 0);
    assert_null(handover_request(&list, ROOT));
    kv_release(&list);
}

static const struct row {
    const char *text;
    int rc;
    bool done, changed, rollback_failed;
    const char *reason;
} rows[] = {
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"r\",\"changed\":true,\"reason\":\"\","
     "\"rollback_failed\":[]}",
     0, true, true, false, ""},
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"r\",\"changed\":false}", 0, true,
     false, false, ""},
    {"{\"v\":1,\"state\":\"failed\",\"revision\":\"r\",\"changed\":false,\"reason\":"
     "\"rsyslogd: no\\nx\"}",
     0, false, false, false, "rsyslogd: no?x"},
    {"{\"v\":1,\"state\":\"failed\",\"revision\":\"r\",\"reason\":\"x\","
     "\"rollback_failed\":[\"/a\"]}",
     0, false, true, true, "x"},
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"another\"}", -EBADMSG, true, true,
     false, ""},
    {"{\"v\":1}", -ENOENT, false, false, false, ""},
    {"", -EBADMSG, false, false, false, ""},
    {"nonsense", -EBADMSG, false, false, false, ""},
};

static void every_answer_is_understood_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct handover_result result;
        struct error err = {0};
        print_message("  %s\n", rows[i].text);
        assert_int_equal(
            handover_answer(rows[i].text, strlen(rows[i].text), "r", &result, &err),
            rows[i].rc);
        assert_int_equal(result.done, rows[i].done);
        assert_int_equal(result.changed, rows[i].changed);
        assert_int_equal(result.rollback_failed, rows[i].rollback_failed);
        assert_string_equal(result.reason, rows[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_log_settings_are_handed_over),
        cmocka_unit_test(a_value_with_a_nul_is_not_cut_short),
        cmocka_unit_test(every_answer_is_understood_or_refused),
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
