/* SPDX-License-Identifier: MIT */
#include "base/boottime.h"
#include "base/file.h"
#include "rollout/logging_memory.h"
#include "test.h"

static char dir[] = "/tmp/lictor-memory-XXXXXX";
static char path[100];

static void write_one(void)
{
    struct logging_memory m = {.done = 2, .uuid = "u1", .arrivals = cJSON_CreateObject()};
    m.spans.now_ms = boottime_ms() - 5000;
    assert_int_equal(held_since_note(&m.spans, "broken", true), 0);
    assert_non_null(cJSON_AddNumberToObject(m.arrivals, "n1", 7));
    assert_int_equal(logging_memory_write(dir, &m, NULL), 0);
    logging_memory_release(&m);
}

static void assert_none(const char *state_dir)
{
    struct logging_memory m;
    logging_memory_read(state_dir, &m);
    assert_int_equal(m.done, 0);
    assert_string_equal(m.uuid, "");
    assert_null(m.arrivals);
    assert_int_equal(held_since_ms(&m.spans, "broken"), -1);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct logging_memory m;
    write_one();
    logging_memory_read(dir, &m);
    assert_int_equal(m.done, 2);
    assert_string_equal(m.uuid, "u1");
    assert_int_equal(cJSON_GetObjectItem(m.arrivals, "n1")->valueint, 7);
    assert_in_range(held_since_ms(&m.spans, "broken"), 5000, 60000);
    logging_memory_release(&m);
}

static void what_is_not_ours_or_damaged_is_not_believed(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{\"boot\":7", "{\"boot\":7,\"done\":2}",
                                        "{\"boot\":\"another\",\"done\":2,\"uuid\":\"u1\"}"};
    assert_none(NULL);
    write_one();
    assert_int_equal(chmod(dir, 0755), 0);
    assert_none(dir);
    assert_int_equal(chmod(dir, 0700), 0);
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(file_replace(path, texts[i], strlen(texts[i]), 0600, false, NULL), 0);
        assert_none(dir);
    }
    assert_int_equal(unlink(path), 0);
    assert_none(dir);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(path, sizeof path, "%s/logging-check.json", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_is_not_ours_or_damaged_is_not_believed),
    };
    return cmocka_run_group_tests_name("logging_memory", tests, setup, teardown);
}
