/* SPDX-License-Identifier: MIT */
#include "shipper/apply_protocol.h"

#include "base/boottime.h"
#include "test.h"

#define ROOT         "dc/home/env"
#define AT           ROOT "/service/cluster/tag/any/"
#define SET(members) "{\"v\":1,\"settings\":{" members "}}"

static int parse(const char *text, size_t len, struct kv_list *list, struct error *err)
{
    struct buffer buf = BUFFER_INIT(1 << 20);
    assert_int_equal(buffer_append(&buf, text, len), 0);
    int rc = apply_protocol_parse_request(&buf, ROOT, list, err);
    buffer_release(&buf);
    return rc;
}

static void settings_are_taken(void **state)
{
    (void)state;
    static const char text[] = SET("\"LOG_LEVEL\":\"warn\",\"LOG_TYPO\":\"\\n\"");
    struct kv_list list = {0};
    struct error err = {0};
    assert_int_equal(parse(text, strlen(text), &list, &err), 0);
    assert_int_equal(list.n, 2);
    assert_string_equal(kv_find(&list, AT "LOG_LEVEL")->value, "warn");
    assert_string_equal(kv_find(&list, AT "LOG_TYPO")->value, "\n");
    kv_release(&list);
}

static const struct row {
    const char *text;
    int rc;
    const char *err;
} rows[] = {
    {"", -EBADMSG, "request: is not JSON"},
    {"garbage", -EBADMSG, "request: is not JSON"},
    {"null", -EBADMSG, "request: it is not a JSON object"},
    {"1e999", -EBADMSG, "request: it is not a JSON object"},
    {"[1]", -EBADMSG, "request: it is not a JSON object"},
    {"{}", -ENOENT, "request: \"v\" is missing"},
    {SET("") SET(""), -EBADMSG, "request: is not JSON"},
    {"{\"v\":2,\"settings\":{}}", -EBADMSG, "request: only version 1 is known"},
    {"{\"v\":1.5,\"settings\":{}}", -EBADMSG, "request: \"v\" is not an integer"},
    {"{\"v\":1e400,\"settings\":{}}", -EBADMSG, "request: \"v\" is not an integer"},
    {"{\"v\":\"1\",\"settings\":{}}", -EBADMSG, "request: \"v\" is not an integer"},
    {"{\"v\":1,\"v\":2,\"settings\":{}}", -EBADMSG, "request: \"v\" is given twice"},
    {"{\"v\":1,\"settings\":{},\"settings\":{}}", -EBADMSG, "request: \"settings\" is given twice"},
    {"{\"v\":1}", -ENOENT, "request: \"settings\" is missing"},
    {"{\"v\":1,\"settings\":[]}", -EBADMSG, "request: \"settings\" is not an object"},
    {"{\"v\":1,\"settings\":{},\"destination\":\"/etc/passwd\"}", -EBADMSG,
     "request: \"destination\" is not a known member"},
    {"{\"v\":1,\"settings\":{},\"a\\u001b\\\"\":1}", -EBADMSG,
     "request: \"a?\"\" is not a known member"},
    {SET("\"LOG_LEVEL\":1"), -EBADMSG, "request: a setting is not a text"},
    {SET("\"LOG_LEVEL\":null"), -EBADMSG, "request: a setting is not a text"},
    {SET("\"LOG_LEVEL\":\"warn\",\"LOG_LEVEL\":\"info\""), -EBADMSG,
     "request: \"LOG_LEVEL\" is given twice"},
    {SET("\"CLUSTER_GRACE\":\"1m\""), -EBADMSG,
     "request: \"CLUSTER_GRACE\" is not the name of a LOG_ setting"},
    {SET("\"../../any/LOG_LEVEL\":\"warn\""), -EBADMSG,
     "request: \"../../any/LOG_LEVEL\" is not the name of a LOG_ setting"},
    {SET("\"\":\"warn\""), -EBADMSG, "request: \"\" is not the name of a LOG_ setting"},
    {SET("\"LOG_LEVEL\":\"a\\u0000b\""), -EBADMSG, "request: holds U+0000 or no valid \\u escape"},
};

static void nothing_else_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kv_list list = {0};
        struct error err = {0};
        print_message("  %s\n", rows[i].text);
        assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &list, &err), rows[i].rc);
        assert_string_equal(err.text, rows[i].err);
        kv_release(&list);
    }
}

static void an_endless_name_is_refused(void **state)
{
    (void)state;
    char text[2000];
    size_t len = (size_t)sprintf(text, "{\"v\":1,\"settings\":{\"LOG_");
    memset(text + len, 'X', 600);
    len += 600;
    len += (size_t)sprintf(text + len, "\":\"\"}}");
    struct kv_list list = {0};
    struct error err = {0};
    assert_int_equal(parse(text, len, &list, &err), -EBADMSG);
    assert_string_equal(err.text, "request: the name of a setting is too long");
    kv_release(&list);
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    static const char text[] = SET("\"LOG_LEVEL\":\"warn\0x\"");
    struct kv_list list = {0};
    struct error err = {0};
    assert_int_equal(parse(text, sizeof text - 1, &list, &err), -EBADMSG);
    kv_release(&list);
}

static void depth_costs_nothing(void **state)
{
    (void)state;
    const size_t deep = 200000;
    char *text = malloc(deep);
    struct kv_list list = {0};
    struct error err = {0};
    assert_non_null(text);
    memset(text, '[', deep);
    assert_int_equal(parse(text, deep, &list, &err), -EMSGSIZE);
    assert_string_equal(err.text, "request: is nested deeper than 50");
    free(text);
    kv_release(&list);
}

/* ---- reading ------------------------------------------------------------- */

/* A sender that writes `chunk` bytes every 10 ms, `n` times, and then hangs up. */
static int send_slowly(size_t chunk, int n, pid_t *ret_sender)
{
    static const char zeros[APPLY_PROTOCOL_MAX + 1];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        for (int i = 0; i < n && write(fds[1], zeros, chunk) > 0; i++)
            (void)usleep(10000);
        _exit(0);
    }
    (void)close(fds[1]);
    *ret_sender = pid;
    return fds[0];
}

static void expect_read(size_t chunk, int n, int rc, const char *text)
{
    pid_t sender = 0;
    struct buffer buf = {0};
    struct error err = {0};
    int64_t begin_ms = boottime_ms();
    int fd = send_slowly(chunk, n, &sender);
    assert_int_equal(apply_protocol_read(fd, &buf, &err), rc);
    assert_string_equal(err.text, text);
    assert_in_range(boottime_ms() - begin_ms, 0, 5000);
    if (rc == 0)
        assert_int_equal(buf.len, chunk * (size_t)n);
    (void)kill(sender, SIGKILL);
    (void)waitpid(sender, NULL, 0);
    (void)close(fd);
    buffer_release(&buf);
}

static void every_request_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(setenv("LICTOR_LIMITS", "request=300ms", 1), 0);
    expect_read(10, 5, 0, "");
    expect_read(APPLY_PROTOCOL_MAX, 1, 0, "");
    expect_read(APPLY_PROTOCOL_MAX + 1, 1, -EMSGSIZE, "the request is larger than 65536 bytes");
    expect_read(1, 10000, -ETIMEDOUT, "the request has no end after 300ms");
}

/* Formatting these entries. */
static int format(const struct kv_list *list, char **ret, const char *expected)
{
    struct error err = {0};
    int rc = apply_protocol_format_request(list, ROOT, ret, &err);
    assert_string_equal(err.text, expected);
    return rc;
}

static void only_known_log_settings_are_handed_over(void **state)
{
    (void)state;
    struct kv_list list = {0};
    char *text = NULL, *huge = calloc(1, 70000), name[600] = AT "LOG_";
    assert_non_null(huge);
    memset(huge, 'x', 70000);
    memset(name + strlen(name), 'n', 480);
    assert_int_equal(kv_add(&list, AT "CLUSTER_GRACE", "1m", 2, 1), 0);
    assert_int_equal(kv_add(&list, AT "LOG_LEVEL", "warn", 4, 2), 0);
    assert_int_equal(kv_add(&list, AT "LOG_zz", huge, 70000, 3), 0);
    assert_int_equal(kv_add(&list, AT "LOG_nul", "a\0b", 3, 3), 0);
    assert_int_equal(kv_add(&list, AT "LOG_\xef\xbf\xbd", "1", 1, 3), 0);
    assert_int_equal(kv_add(&list, AT "LOG_\xef\xbf\xbd", "2", 1, 3), 0);
    assert_int_equal(kv_add(&list, name, "long", 4, 3), 0);
    assert_int_equal(kv_add(&list, "other/service/cluster/tag/any/LOG_INDEX", "1", 1, 3), 0);
    assert_int_equal(format(&list, &text, ""), 0);
    assert_string_equal(text, "{\"v\":1,\"settings\":{\"LOG_LEVEL\":\"warn\"}}");
    cJSON_free(text);
    free(huge);
    kv_release(&list);
}

static void what_cannot_be_handed_over_is_said(void **state)
{
    (void)state;
    struct kv_list list = {0};
    char *text = NULL, *huge = calloc(1, 65503);
    assert_non_null(huge);
    memset(huge, 'x', 65502);
    assert_int_equal(kv_add(&list, AT "LOG_LEVEL", "warn\0x", 6, 2), 0);
    assert_int_equal(format(&list, &text, "LOG_LEVEL cannot be handed over: it holds a NUL"),
                     -EBADMSG);
    assert_null(text);
    assert_int_equal(kv_set(&list, AT "LOG_LEVEL", huge), 0);
    assert_int_equal(
        format(&list, &text, "the LOG_ settings have 65537 bytes, 65536 can be handed over"),
        -EMSGSIZE);
    assert_null(text);
    free(huge);
    kv_release(&list);
}

static const struct answer_row {
    const char *text;
    int rc;
    bool done, changed, rollback_failed;
    const char *reason;
} answers[] = {
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"r\",\"changed\":true,\"reason\":\"\","
     "\"rollback_failed\":[]}",
     0, true, true, false, ""},
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"r\",\"changed\":false}", 0, true, false, false,
     ""},
    {"{\"v\":1,\"state\":\"failed\",\"revision\":\"r\",\"changed\":false,\"reason\":"
     "\"rsyslogd: no\\nx\"}",
     0, false, false, false, "rsyslogd: no?x"},
    {"{\"v\":1,\"state\":\"failed\",\"revision\":\"r\",\"reason\":\"x\","
     "\"rollback_failed\":[\"/a\"]}",
     0, false, true, true, "x"},
    {"{\"v\":1,\"state\":\"done\",\"revision\":\"another\"}", -EBADMSG, true, true, false, ""},
    {"{\"v\":1}", -ENOENT, false, false, false, ""},
    {"", -EBADMSG, false, false, false, ""},
    {"nonsense", -EBADMSG, false, false, false, ""},
};

/* What apply-logging writes is what rollout-logging reads. */
static void an_answer_survives_writing_and_reading(void **state)
{
    (void)state;
    const char *const failed[] = {"/a"};
    for (int i = 0; i < 4; i++) {
        struct apply_answer answer = {.done = i & 1,
                                      .revision = "r",
                                      .changed = i & 2,
                                      .reason = i & 1 ? "" : "disk full",
                                      .failed = failed,
                                      .n_failed = i == 2};
        struct apply_result result;
        struct error err = {0};
        char *text = apply_protocol_format_answer(&answer);
        assert_int_equal(apply_protocol_parse_answer(text, strlen(text), "r", &result, &err), 0);
        assert_int_equal(result.done, answer.done);
        assert_int_equal(result.changed, answer.changed);
        assert_int_equal(result.rollback_failed, i == 2);
        assert_string_equal(result.reason, answer.reason);
        cJSON_free(text);
    }
}

static void every_answer_is_understood_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct apply_result result;
        struct error err = {0};
        print_message("  %s\n", answers[i].text);
        assert_int_equal(apply_protocol_parse_answer(answers[i].text, strlen(answers[i].text), "r",
                                                     &result, &err),
                         answers[i].rc);
        assert_int_equal(result.done, answers[i].done);
        assert_int_equal(result.changed, answers[i].changed);
        assert_int_equal(result.rollback_failed, answers[i].rollback_failed);
        assert_string_equal(result.reason, answers[i].reason);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_log_settings_are_handed_over),
        cmocka_unit_test(what_cannot_be_handed_over_is_said),
        cmocka_unit_test(every_answer_is_understood_or_refused),
        cmocka_unit_test(an_answer_survives_writing_and_reading),
        cmocka_unit_test(settings_are_taken),
        cmocka_unit_test(nothing_else_is_taken),
        cmocka_unit_test(an_endless_name_is_refused),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(depth_costs_nothing),
        cmocka_unit_test(every_request_has_an_end),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
