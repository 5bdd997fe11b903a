/* SPDX-License-Identifier: MIT */
#include "elasticsearch/probe.h"

#include "base/buffer.h"
#include "base/file.h"
#include "scratch.h"
#include "test.h"

#include <sys/resource.h>

#define NOW      INT64_C(1764028800123) /* 2025-11-25T00:00:00.123Z */
#define REVISION "4f2a91aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TOKEN    "b9afd12877317f97cd090ad623a08054"

static const struct probe_stream server_1 = {"server-1", "rsyslog"};
static const struct probe_stream a = {"a", "rsyslog"}, b = {"b", "rsyslog"};

static char path[160];

static int set_up(void **state)
{
    if (scratch_set_up(state) < 0 || chmod(scratch_dir, 0755) < 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/probe.log", scratch_dir);
    return 0;
}

static char *contents(void)
{
    struct buffer text = BUFFER_INIT(PROBE_FILE_MAX);
    struct error err = {0};
    if (file_read(path, &text, &err) < 0)
        fail_msg("%s", err.text);
    return buffer_detach(&text);
}

static void a_line_has_one_form(void **state)
{
    struct error err = {0};
    char token[PROBE_TOKEN];
    (void)state;
    probe_token(&server_1, token);
    assert_string_equal(token, TOKEN);
    assert_int_equal(probe_write(path, &server_1, NOW, &err), 0);
    char *text = contents();
    assert_string_equal(text, "{\"lictor\":{\"probe\":\"" TOKEN
                              "\",\"node\":\"server-1\",\"at\":1764028800123}}\n");
    free(text);
}

static void each_stream_has_a_token(void **state)
{
    static const struct probe_stream streams[] = {{"server-1", "rsyslog"},
                                                  {"server-1", "filebeat"},
                                                  {"server-2", "rsyslog"},
                                                  {"server-1rsyslog", ""},
                                                  {"rsyslog", "server-1"}};
    char token[5][PROBE_TOKEN];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        probe_token(&streams[i], token[i]);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(token[i], token[other]);
    }
}

static void lines_are_added_and_readable_for_all(void **state)
{
    struct error err = {0};
    struct stat st;
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(probe_write(path, &a, NOW, &err), 0);
    assert_int_equal(probe_write(path, &b, NOW + 1, &err), 0);
    (void)umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    char *text = contents();
    assert_non_null(strstr(text, "\"node\":\"a\""));
    assert_non_null(strstr(text, "\"node\":\"b\",\"at\":1764028800124}}\n"));
    free(text);
}

static ino_t number(void)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

/* A shipper that has lost the log, for one of the same inode number was there before, finds
 * it again; one that follows it is left in peace. */
static void a_new_log_becomes_another_file_twice(void **state)
{
    struct error err = {0};
    struct stat st;
    ino_t before = 0;
    char *text = NULL;
    (void)state;
    for (int i = 1; i <= 6; i++) {
        mode_t mask = umask(077);
        assert_int_equal(probe_write(path, &server_1, NOW + i, &err), 0);
        (void)umask(mask);
        if (i == 2 || i == 4)
            assert_int_not_equal(number(), before);
        else if (i > 1)
            assert_int_equal(number(), before);
        before = number();
    }
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    text = contents();
    assert_int_equal(strlen(text), 6 * strcspn(text, "\n") + 6);
    assert_non_null(strstr(text, "124}}\n"));
    assert_non_null(strstr(text, "129}}\n"));
    free(text);
}

static void a_name_that_no_shipper_lets_pass_is_masked(void **state)
{
    struct error err = {0};
    const struct probe_stream odd = {"a\"b\n\\c d\xc3\xa4", "x"};
    (void)state;
    assert_int_equal(probe_write(path, &odd, NOW, &err), 0);
    char *text = contents();
    assert_non_null(strstr(text, "\"node\":\"a?b??c?d??\""));
    free(text);
}

static void it_never_grows_beyond_its_limit(void **state)
{
    struct error err = {0};
    struct stat st;
    off_t most = 0;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        assert_int_equal(probe_write(path, &server_1, NOW + i, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        most = st.st_size > most ? st.st_size : most;
    }
    assert_in_range(most, PROBE_FILE_MAX - 400, PROBE_FILE_MAX);
    char *text = contents();
    assert_non_null(strstr(text, "1764028803122}}\n"));
    assert_memory_equal(text, "{\"lictor\":", 10);
    free(text);
}

static void what_is_no_file_of_ours_is_refused(void **state)
{
    struct error err = {0};
    (void)state;
    const char *other = scratch_at("other");
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(probe_write(path, &a, NOW, &err), -ELOOP);
    assert_non_null(strstr(err.text, "/probe.log: it is a link: remove it"));
    assert_int_equal(access(other, F_OK), -1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_true(probe_write(path, &a, NOW, &err) < 0); /* nobody reads: ENXIO */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(probe_write(other, &a, NOW, &err), 0);
    assert_int_equal(link(other, path), 0);
    assert_int_equal(probe_write(path, &a, NOW, &err), -EPERM);
    assert_non_null(strstr(err.text, "is not a plain file of the agent's user: remove it"));
}

static void a_directory_that_others_may_write_is_refused(void **state)
{
    struct error err = {0};
    (void)state;
    assert_int_equal(chmod(scratch_dir, 0775), 0);
    assert_int_equal(probe_write(path, &a, NOW, &err), -EPERM);
    assert_non_null(strstr(err.text, "must be a directory of the agent's user"));
    assert_int_equal(chmod(scratch_dir, 0755), 0);
    assert_int_equal(symlink(".", scratch_at("link")), 0);
    assert_int_equal(probe_write(scratch_at("link/probe.log"), &a, NOW, &err), -EPERM);
    assert_int_equal(probe_write(scratch_at("none/probe.log"), &a, NOW, &err), -ENOENT);
    assert_non_null(strstr(err.text, "lictor enable makes it"));
}

/* The size limit of a process stands for a full disk. */
static void check_half_a_line(int lines)
{
    struct error err = {0};
    struct rlimit before;
    for (int i = 0; i < lines; i++)
        assert_int_equal(probe_write(path, &a, NOW, &err), 0);
    char *first = contents();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit little = {strlen(first) + 50, before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int rc = probe_write(path, &b, NOW, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_int_equal(rc, lines == 1 ? -EFBIG : -ENOSPC);
    char *now = contents();
    assert_string_equal(now, first);
    free(now);
    free(first);
}

static void half_a_line_is_taken_back(void **state)
{
    (void)state;
    check_half_a_line(1);
    assert_int_equal(unlink(path), 0);
    check_half_a_line(5);
}

static void a_question_names_streams_by_token(void **state)
{
    const struct probe_stream streams[] = {server_1, {"evil\"}", "evil"}};
    (void)state;
    char *text = probe_query(streams, 1, REVISION, NOW);
    assert_string_equal(text,
                        "{\"size\":0,\"query\":{\"range\":{\"lictor.at\":"
                        "{\"gte\":1763942400123,\"lte\":1764032400123}}},\"aggs\":{\"0\":"
                        "{\"filter\":{\"match\":{\"lictor.probe\":\"" TOKEN "\"}},\"aggs\":"
                        "{\"at\":{\"max\":{\"field\":\"lictor.at\"}},\"revision\":"
                        "{\"filter\":{\"match\":{\"lictor.revision\":\"" REVISION "\"}},\"aggs\":"
                        "{\"at\":{\"max\":{\"field\":\"lictor.at\"}}}}}}}}");
    free(text);
    text = probe_query(streams, 2, REVISION, NOW);
    cJSON *root = cJSON_Parse(text);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "aggs")), 2);
    assert_null(strstr(text, "evil"));
    cJSON_Delete(root);
    free(text);
}

#define NODE(at, revision)                                                                         \
    "{\"doc_count\":3,\"at\":{\"value\":" at "},\"revision\":{\"doc_count\":1,"                    \
    "\"at\":{\"value\":" revision "}}}"
#define ANSWER(nodes) "{\"took\":1,\"aggregations\":{" nodes "}}"

static const struct answer_row {
    const char *name, *answer;
    int rc;
    int64_t newest_ms, revision_ms;
} answers[] = {
    {"both", ANSWER("\"0\":" NODE("1.764028800123E12", "1764028800001.0")), 0,
     INT64_C(1764028800123), INT64_C(1764028800001)},
    {"of another revision", ANSWER("\"0\":" NODE("5", "null")), 0, 5, -1},
    {"none", ANSWER("\"0\":" NODE("null", "null")), 0, -1, -1},
    {"numbers as text", ANSWER("\"0\":" NODE("\"5\"", "true")), 0, -1, -1},
    {"negative", ANSWER("\"0\":" NODE("-5", "-1e300")), 0, -1, -1},
    {"beyond all", ANSWER("\"0\":" NODE("1e300", "9007199254740993")), 0, -1, -1},
    {"no members", ANSWER("\"0\":{}"), 0, -1, -1},
    {"members of other types", ANSWER("\"0\":{\"at\":[1],\"revision\":7}"), 0, -1, -1},
    {"another node", ANSWER("\"1\":" NODE("5", "5")), -EBADMSG, 0, 0},
    {"a node that is none", ANSWER("\"0\":5"), -EBADMSG, 0, 0},
    {"no aggregations", "{\"hits\":{}}", -EBADMSG, 0, 0},
    {"aggregations of another type", "{\"aggregations\":[]}", -EBADMSG, 0, 0},
    {"a list", "[]", -EBADMSG, 0, 0},
    {"null", "null", -EBADMSG, 0, 0},
};

static void an_answer_gives_numbers_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct probe_found found;
        struct error err = {0};
        cJSON *root = cJSON_Parse(answers[i].answer);
        print_message("  %s\n", answers[i].name);
        assert_non_null(root);
        assert_int_equal(probe_parse(root, 1, &found, &err), answers[i].rc);
        cJSON_Delete(root);
        if (answers[i].rc < 0) {
            assert_string_equal(err.text, "the answer to the search for probe records "
                                          "is not an answer to it");
            continue;
        }
        assert_int_equal(found.newest_ms, answers[i].newest_ms);
        assert_int_equal(found.revision_ms, answers[i].revision_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_one_form, set_up, scratch_tear_down),
        cmocka_unit_test(each_stream_has_a_token),
        cmocka_unit_test_setup_teardown(lines_are_added_and_readable_for_all, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_new_log_becomes_another_file_twice, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_no_shipper_lets_pass_is_masked, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(it_never_grows_beyond_its_limit, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_of_ours_is_refused, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(a_directory_that_others_may_write_is_refused, set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(half_a_line_is_taken_back, set_up, scratch_tear_down),
        cmocka_unit_test(a_question_names_streams_by_token),
        cmocka_unit_test(an_answer_gives_numbers_or_nothing),
    };
    return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
